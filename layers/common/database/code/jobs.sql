SET LOCAL ROLE questlog_owner;

-- Has an object of the bucket deleted, in case the caller cannot do it at once. Only the caller's own.
CREATE OR REPLACE FUNCTION app.delete_object_later(key text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF starts_with(key, current_user_id() || '/') THEN
        INSERT INTO storage_deletions (object_key) VALUES (key);
    ELSE
        PERFORM misuse('An object can only be deleted by the user whose it is.');
    END IF;
END
$$;

-- Putting work into the queue -------------------------------------------------------------------------------------------

-- Puts work into the queue, for the user who asks. What it works for has the same id.
CREATE OR REPLACE FUNCTION app.enqueue_job(job_id uuid, job_kind text, most_attempts int DEFAULT 5, job_payload jsonb DEFAULT '{}')
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO jobs (id, kind, max_attempts, payload) VALUES (job_id, job_kind, most_attempts, job_payload);
END;

-- Deletes a job of the caller, whatever its status. A worker that is running it finds that it has lost the job.
CREATE OR REPLACE FUNCTION internal.cancel_job(wanted uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM jobs AS j WHERE j.user_id = current_user_id() AND j.id = wanted;
END;

-- Puts work into the queue that is no user's: a backup or a restore. What it works for has the same id.
CREATE OR REPLACE FUNCTION app.enqueue_operator_job(job_id uuid, job_kind text, most_attempts int DEFAULT 5, job_payload jsonb DEFAULT '{}')
RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO jobs (user_id, id, kind, max_attempts, payload)
    VALUES (NULL, job_id, job_kind, most_attempts, job_payload);
END;

-- The schedules: how often the template ticks each, and how many of its ticks may run at once (null: any number).
CREATE OR REPLACE FUNCTION app.schedules() RETURNS TABLE (name text, every_seconds int, most_at_once int)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    VALUES ('queue', 60, 4), ('cleanup', 3600, 1), ('storage', 300, 1), ('analysis', 60, NULL::int), ('reminders', 60, 1);
END;

-- Puts a run of a schedule into the queue; while one of that name is queued, returns that one. 400 for an unknown name.
CREATE OR REPLACE FUNCTION app.request_run(schedule text) RETURNS SETOF jobs
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM schedules() AS s WHERE s.name = schedule) THEN
        PERFORM refuse_field('name', 'must be the name of a schedule');
    END IF;
    -- Two requests at once: the second sees what the first has queued.
    PERFORM pg_advisory_xact_lock(hashtextextended('request_run ' || schedule, 0));
    RETURN QUERY SELECT j.* FROM jobs AS j
                  WHERE j.kind = 'run' AND j.status = 'queued' AND j.payload ->> 'name' = schedule
                  ORDER BY j.created_at LIMIT 1;
    IF NOT FOUND THEN
        RETURN QUERY INSERT INTO jobs AS j (user_id, kind, payload)
                     VALUES (NULL, 'run', jsonb_build_object('name', schedule)) RETURNING j.*;
    END IF;
END
$$;

-- Queues a job again that has failed, as if it had never been tried, and with it what it works for. No row for an unknown
-- one; 409 not_failed, and 409 superseded where a newer one for the same purpose is queued or running.
CREATE OR REPLACE FUNCTION app.requeue_job(wanted uuid) RETURNS SETOF jobs
LANGUAGE plpgsql AS $$
DECLARE
    failed jobs;
BEGIN
    SELECT j.* INTO failed FROM jobs AS j WHERE j.id = wanted FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF failed.status <> 'failed' THEN
        PERFORM refuse(409, 'not_failed', 'Only a job that has failed can be tried again.');
    END IF;
    IF failed.kind = 'run' THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('request_run ' || (failed.payload ->> 'name'), 0));
    END IF;
    IF failed.kind <> 'audio_analysis' AND EXISTS (
        SELECT FROM jobs AS j
         WHERE j.owner_key = failed.owner_key AND j.kind = failed.kind AND j.id <> failed.id
           AND j.status IN ('queued', 'running') AND j.payload ->> 'name' IS NOT DISTINCT FROM failed.payload ->> 'name')
    THEN
        PERFORM refuse(409, 'superseded', 'A newer job does the same.');
    END IF;
    -- What a job works for shows that it is queued again; each kind that has such a row has a branch here.
    CASE failed.kind
        WHEN 'audio_analysis' THEN PERFORM requeue_analysis(failed.user_id, failed.id);
        WHEN 'export' THEN PERFORM requeue_export(failed.user_id, failed.id);
        WHEN 'import' THEN PERFORM requeue_import(failed.user_id, failed.id);
        WHEN 'backup' THEN PERFORM requeue_backup(failed.id);
        WHEN 'restore' THEN PERFORM requeue_restore(failed.id);
        ELSE NULL;
    END CASE;
    RETURN QUERY UPDATE jobs AS j
                    SET status = 'queued', attempts = 0, run_after = instant(), last_error = NULL, finished_at = NULL
                  WHERE j.owner_key = failed.owner_key AND j.id = failed.id
              RETURNING j.*;
END
$$;

-- Looking at the queue --------------------------------------------------------------------------------------------------

-- The schedules with the start of their newest run, and with what came of the newest that has ended.
CREATE OR REPLACE FUNCTION app.schedule_states() RETURNS TABLE (
    name text, every_seconds int, last_started_at timestamptz, last_finished_at timestamptz, last_status text, last_result jsonb
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.name, s.every_seconds, newest.started_at, ended.finished_at, ended.status, ended.result
      FROM schedules() AS s
      LEFT JOIN LATERAL (
           SELECT r.started_at FROM job_runs AS r WHERE r.name = s.name ORDER BY r.started_at DESC LIMIT 1
           ) AS newest ON true
      LEFT JOIN LATERAL (
           SELECT r.finished_at, r.status, r.result
             FROM job_runs AS r
            WHERE r.name = s.name AND r.status <> 'running'
            ORDER BY r.started_at DESC
            LIMIT 1
           ) AS ended ON true;
END;

-- How many jobs wait, run and have failed.
CREATE OR REPLACE FUNCTION app.job_counts() RETURNS TABLE (queued bigint, running bigint, failed bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT count(*) FILTER (WHERE j.status = 'queued'), count(*) FILTER (WHERE j.status = 'running'),
           count(*) FILTER (WHERE j.status = 'failed')
      FROM jobs AS j;
END;

-- The newest jobs that have failed.
CREATE OR REPLACE FUNCTION app.failed_jobs(most int) RETURNS SETOF jobs
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT j.* FROM jobs AS j WHERE j.status = 'failed' ORDER BY j.finished_at DESC, j.id LIMIT most;
END;

-- A job, whose ever it is.
CREATE OR REPLACE FUNCTION app.job_by_id(wanted uuid) RETURNS SETOF jobs
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT j.* FROM jobs AS j WHERE j.id = wanted;
END;

-- Working through the queue ---------------------------------------------------------------------------------------------

-- How long a worker may be silent before another one takes its job.
CREATE OR REPLACE FUNCTION app.lease_length() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '5 minutes';

-- The first half of a job's key: its user, or the zero UUID where it has none.
CREATE OR REPLACE FUNCTION app.job_owner_key(owner uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(owner, '00000000-0000-0000-0000-000000000000');

-- Begins a run of a schedule: a row with a lease, which keeps other ticks of it away. Returns the run and its status:
-- `running`, or `done` when the caller found that nothing is due, so that an idle tick is this one statement. No row: as many
-- as may run at once are running. A run whose lease ran out has failed.
CREATE OR REPLACE FUNCTION app.begin_run(schedule text, nothing_due boolean, nothing_done jsonb)
RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('begin_run ' || schedule, 0));
    UPDATE job_runs AS r
       SET status = 'failed', lease_until = NULL, finished_at = instant(), result = '{"error": "worker lost"}'
     WHERE r.name = schedule AND r.status = 'running' AND r.lease_until < instant();
    IF nothing_due THEN
        RETURN QUERY INSERT INTO job_runs AS r (name, status, finished_at, result)
                     VALUES (schedule, 'done', instant(), nothing_done) RETURNING r.id, r.status;
    ELSIF (SELECT count(*) FROM job_runs AS r WHERE r.name = schedule AND r.status = 'running')
        < (SELECT coalesce(s.most_at_once, 2147483647) FROM schedules() AS s WHERE s.name = schedule)
    THEN
        RETURN QUERY INSERT INTO job_runs AS r (name, lease_until)
                     VALUES (schedule, instant() + lease_length()) RETURNING r.id, r.status;
    END IF;
END
$$;

-- Ends a run: it is done, or it has failed; `run_result` says what was done or why.
CREATE OR REPLACE FUNCTION app.end_run(run uuid, has_failed boolean, run_result jsonb) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE job_runs AS r
       SET status = CASE WHEN has_failed THEN 'failed' ELSE 'done' END, lease_until = NULL, finished_at = instant(),
           result = run_result
     WHERE r.id = run AND r.status = 'running';
END;

-- Lengthens the lease of a run. Returns whether the caller still had it.
CREATE OR REPLACE FUNCTION app.renew_run(run uuid) RETURNS boolean
LANGUAGE sql
BEGIN ATOMIC
    WITH renewed AS (
        UPDATE job_runs AS r SET lease_until = instant() + lease_length()
         WHERE r.id = run AND r.status = 'running' AND r.lease_until > instant()
        RETURNING r.id)
    SELECT EXISTS (SELECT FROM renewed);
END;

-- The jobs of these kinds that a worker may take now. Of the runs only those of these schedules; of a user one at a time, except
-- analyses of tracks. A job whose worker was lost is among them, unless that was its last attempt: see fail_lost_job().
CREATE OR REPLACE FUNCTION app.due_jobs(kinds text[], schedules text[]) RETURNS SETOF jobs
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.*
      FROM jobs AS d
     WHERE d.status IN ('queued', 'running') AND d.run_after <= clock()
       AND d.kind = ANY (kinds) AND (d.kind <> 'run' OR d.payload ->> 'name' = ANY (schedules))
       AND d.attempts < d.max_attempts AND (d.status = 'queued' OR d.lease_until < clock())
       AND (d.kind = 'audio_analysis'
            OR NOT EXISTS (SELECT FROM jobs AS o
                            WHERE o.user_id = d.user_id AND o.id <> d.id AND o.kind <> 'audio_analysis'
                              AND o.status = 'running' AND o.lease_until >= clock()));
END;

-- The jobs of these kinds whose last attempt's worker was lost.
CREATE OR REPLACE FUNCTION app.lost_jobs(kinds text[], schedules text[]) RETURNS SETOF jobs
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.*
      FROM jobs AS d
     WHERE d.status = 'running' AND d.lease_until < clock() AND d.attempts >= d.max_attempts
       AND d.kind = ANY (kinds) AND (d.kind <> 'run' OR d.payload ->> 'name' = ANY (schedules));
END;

-- Takes the job that has been due for longest (see due_jobs). No row: nothing is due.
--   Claims take turns by the advisory lock, or two at once could take two jobs of one user. SKIP LOCKED, because the worker that is
--   ending a job locks its row too. If that worker committed first, the row has changed since it was found due: so status and
--   attempts are compared once more.
CREATE OR REPLACE FUNCTION app.claim_due_job(kinds text[], schedules text[]) RETURNS SETOF jobs
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('claim_due_job', 0));
    RETURN QUERY
    UPDATE jobs AS j
       SET status = 'running', attempts = j.attempts + 1, lease_until = instant() + lease_length()
     WHERE (j.owner_key, j.id) = (
           SELECT l.owner_key, l.id
             FROM jobs AS l
             JOIN due_jobs(kinds, schedules) AS d
               ON d.owner_key = l.owner_key AND d.id = l.id AND d.status = l.status AND d.attempts = l.attempts
            ORDER BY l.run_after, l.owner_key, l.id
            LIMIT 1
              FOR UPDATE OF l SKIP LOCKED)
    RETURNING j.*;
END
$$;

-- Ends a job of these kinds whose last worker was lost. The caller ends what it worked for in the same transaction.
CREATE OR REPLACE FUNCTION app.fail_lost_job(kinds text[], schedules text[]) RETURNS SETOF jobs
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j
       SET status = 'failed', last_error = 'worker lost', lease_until = NULL, finished_at = instant()
     WHERE (j.owner_key, j.id) = (
           SELECT l.owner_key, l.id
             FROM jobs AS l
             JOIN lost_jobs(kinds, schedules) AS d
               ON d.owner_key = l.owner_key AND d.id = l.id AND d.status = l.status AND d.attempts = l.attempts
            ORDER BY l.lease_until
            LIMIT 1
              FOR UPDATE OF l SKIP LOCKED)
    RETURNING j.*;
END;

-- Takes the job of a kind that has been due for longest, or the one with the given id if it is due. No row: nothing is due.
--   Two workers never get the same job: each skips what the other is taking.
CREATE OR REPLACE FUNCTION app.claim_job(wanted_kind text, wanted_id uuid) RETURNS SETOF jobs
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j
       SET status = 'running', attempts = j.attempts + 1, lease_until = clock() + lease_length()
     WHERE (j.owner_key, j.id) = (
           SELECT d.owner_key, d.id
             FROM jobs AS d
            WHERE d.kind = wanted_kind AND (wanted_id IS NULL OR d.id = wanted_id) AND d.attempts < d.max_attempts
              AND d.run_after <= clock()
              AND (d.status = 'queued' OR (d.status = 'running' AND d.lease_until < clock()))
            ORDER BY d.run_after, d.owner_key, d.id
            LIMIT 1
              FOR UPDATE SKIP LOCKED)
    RETURNING j.*;
END;

-- Ends the jobs of a kind whose last worker was lost.
CREATE OR REPLACE FUNCTION app.fail_lost_jobs(wanted_kind text) RETURNS SETOF jobs
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j
       SET status = 'failed', last_error = 'worker lost', lease_until = NULL, finished_at = clock()
     WHERE j.kind = wanted_kind AND j.status = 'running' AND j.lease_until < clock() AND j.attempts >= j.max_attempts
    RETURNING j.*;
END;

-- Refuses with 409 lease_lost when the worker of this attempt has not the job any more; otherwise nobody takes it before this
-- transaction ends.
CREATE OR REPLACE FUNCTION app.hold_job(owner uuid, job_id uuid, attempt int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM jobs AS j
      WHERE j.owner_key = job_owner_key(owner) AND j.id = job_id AND j.status = 'running' AND j.attempts = attempt
        AND j.lease_until > instant()
        FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse(409, 'lease_lost', 'The job is not this worker''s any more.');
    END IF;
END
$$;

-- Lengthens the lease of a job. Returns whether the worker of this attempt still had it.
CREATE OR REPLACE FUNCTION app.keep_job(owner uuid, job_id uuid, attempt int) RETURNS boolean
LANGUAGE sql
BEGIN ATOMIC
    WITH renewed AS (
        UPDATE jobs AS j SET lease_until = instant() + lease_length()
         WHERE j.owner_key = job_owner_key(owner) AND j.id = job_id AND j.status = 'running' AND j.attempts = attempt
           AND j.lease_until > instant()
        RETURNING j.id)
    SELECT EXISTS (SELECT FROM renewed);
END;

-- Ends a job as done. 409 lease_lost when the worker of this attempt has not the job any more. It changes nothing where this
-- attempt has ended the job already, as work does that ends it in its own transaction.
CREATE OR REPLACE FUNCTION app.complete_job(owner uuid, job_id uuid, attempt int, job_result jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM jobs AS j
                WHERE j.owner_key = job_owner_key(owner) AND j.id = job_id AND j.status = 'done' AND j.attempts = attempt)
    THEN
        RETURN;
    END IF;
    PERFORM hold_job(owner, job_id, attempt);
    UPDATE jobs AS j
       SET status = 'done', result = job_result, last_error = NULL, lease_until = NULL, finished_at = instant()
     WHERE j.owner_key = job_owner_key(owner) AND j.id = job_id;
END
$$;

-- Notes that an attempt has failed: the job is queued again, later after each failure, until its attempts are used up, or
-- at once (`is_final`) it has failed. Returns whether it has. 409 lease_lost when the job is not this attempt's any more.
CREATE OR REPLACE FUNCTION app.fail_job(owner uuid, job_id uuid, attempt int, error text, is_final boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hold_job(owner, job_id, attempt);
    IF is_final THEN
        PERFORM end_job(owner, job_id, error);
        RETURN true;
    END IF;
    RETURN retry_job(owner, job_id, error);
END
$$;

-- Puts a job back that could not be done now, which is nobody's failure: the attempt does not count. 409 lease_lost when it
-- is not this attempt's any more.
CREATE OR REPLACE FUNCTION app.give_back_job(owner uuid, job_id uuid, attempt int, wait interval) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hold_job(owner, job_id, attempt);
    UPDATE jobs AS j
       SET status = 'queued', attempts = j.attempts - 1, lease_until = NULL, run_after = instant() + wait
     WHERE j.owner_key = job_owner_key(owner) AND j.id = job_id;
END
$$;

-- Lengthens the lease of a job that the caller holds.
CREATE OR REPLACE FUNCTION app.renew_job(owner uuid, job_id uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j SET lease_until = instant() + lease_length() WHERE j.owner_key = job_owner_key(owner) AND j.id = job_id;
END;

-- Ends a job that the caller holds: it is done, or with an error it has failed.
CREATE OR REPLACE FUNCTION app.end_job(owner uuid, job_id uuid, error text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j
       SET status = CASE WHEN error IS NULL THEN 'done' ELSE 'failed' END, last_error = error, lease_until = NULL,
           finished_at = instant()
     WHERE j.owner_key = job_owner_key(owner) AND j.id = job_id;
END;

-- Queues a job again that the caller holds, later after each failure, until its attempts are used up. Returns whether they
-- are.
CREATE OR REPLACE FUNCTION app.retry_job(owner uuid, job_id uuid, error text) RETURNS boolean
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j
       SET status = CASE WHEN j.attempts < j.max_attempts THEN 'queued' ELSE 'failed' END,
           finished_at = CASE WHEN j.attempts < j.max_attempts THEN NULL ELSE instant() END,
           run_after = instant() + interval '30 seconds' * 2 ^ j.attempts,
           lease_until = NULL, last_error = error
     WHERE j.owner_key = job_owner_key(owner) AND j.id = job_id
    RETURNING j.status = 'failed';
END;

REVOKE EXECUTE ON FUNCTION app.begin_run, app.end_run, app.renew_run, app.due_jobs, app.lost_jobs, app.claim_due_job,
    app.fail_lost_job, app.claim_job, app.fail_lost_jobs, app.hold_job, app.keep_job, app.complete_job, app.fail_job, app.give_back_job, app.renew_job,
    app.end_job, app.retry_job
    FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;
REVOKE EXECUTE ON FUNCTION app.enqueue_operator_job, app.request_run, app.requeue_job, app.schedule_states, app.job_counts,
    app.failed_jobs, app.job_by_id
    FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
