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

-- Puts work into the queue, for the user who asks. What it works for has the same id.
CREATE OR REPLACE FUNCTION app.enqueue_job(job_id uuid, job_kind text, most_attempts int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO jobs (id, kind, max_attempts) VALUES (job_id, job_kind, most_attempts);
END;

-- How long a worker may be silent before another one takes its job.
CREATE OR REPLACE FUNCTION app.lease_length() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '5 minutes';

-- Takes the job of a kind that has been due for longest, or the one with the given id if it is due. No row: nothing is due.
--   Two workers never get the same job: each skips what the other is taking.
CREATE OR REPLACE FUNCTION app.claim_job(wanted_kind text, wanted_id uuid) RETURNS SETOF jobs
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j
       SET status = 'running', attempts = j.attempts + 1, lease_until = clock() + lease_length()
     WHERE (j.user_id, j.id) = (
           SELECT d.user_id, d.id
             FROM jobs AS d
            WHERE d.kind = wanted_kind AND (wanted_id IS NULL OR d.id = wanted_id) AND d.attempts < d.max_attempts
              AND d.run_after <= clock()
              AND (d.status = 'queued' OR (d.status = 'running' AND d.lease_until < clock()))
            ORDER BY d.run_after, d.user_id, d.id
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

-- Refuses when the worker of this attempt has not the job any more; otherwise nobody takes it before this transaction ends.
CREATE OR REPLACE FUNCTION app.hold_job(owner uuid, job_id uuid, attempt int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM jobs AS j
      WHERE j.user_id = owner AND j.id = job_id AND j.status = 'running' AND j.attempts = attempt
        AND j.lease_until > instant()
        FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse(409, 'lease_lost', 'The job is not this worker''s any more.');
    END IF;
END
$$;

-- Lengthens the lease of a job that the caller holds.
CREATE OR REPLACE FUNCTION app.renew_job(owner uuid, job_id uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j SET lease_until = instant() + lease_length() WHERE j.user_id = owner AND j.id = job_id;
END;

-- Ends a job that the caller holds: it is done, or with an error it has failed.
CREATE OR REPLACE FUNCTION app.end_job(owner uuid, job_id uuid, error text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE jobs AS j
       SET status = CASE WHEN error IS NULL THEN 'done' ELSE 'failed' END, last_error = error, lease_until = NULL,
           finished_at = instant()
     WHERE j.user_id = owner AND j.id = job_id;
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
     WHERE j.user_id = owner AND j.id = job_id
    RETURNING j.status = 'failed';
END;

REVOKE EXECUTE ON FUNCTION app.claim_job, app.fail_lost_jobs, app.hold_job, app.renew_job, app.end_job, app.retry_job
    FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;
