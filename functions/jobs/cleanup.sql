-- The jobs log in as questlog_jobs, which sees all users.
--
-- Each name but the first four is a table of cleanup.TABLES: it deletes at most %(most)s of the table's rows that are no longer
-- needed, and returns how many. Rows of other tables that belong to them are deleted by cascade.

-- name: begin
SELECT r.id, r.status FROM begin_run('cleanup', false, '{}') AS r;

-- name: now
SELECT clock() AS now;

-- name: integrity
SELECT set_config('statement_timeout', %(most_ms)s::text, true);
SELECT i.* FROM check_integrity() AS i;

-- name: counts
SELECT set_config('statement_timeout', %(most_ms)s::text, true);
SELECT keep_counts(%(terms)s) AS miscounted_lists;

-- name: sessions
-- Sessions that authenticate() no longer accepts.
WITH gone AS (
    DELETE FROM sessions AS s
     WHERE (s.user_id, s.id) IN (
           SELECT e.user_id, e.id FROM sessions AS e
            WHERE e.expires_at <= clock() OR (e.kind <> 'token' AND e.last_activity_at <= clock() - %(idle)s::interval)
            LIMIT %(most)s)
    RETURNING s.id
)
SELECT count(*) AS total FROM gone;

-- name: oauth_states
WITH gone AS (
    DELETE FROM oauth_states AS s
     WHERE s.state_hash IN (SELECT e.state_hash FROM oauth_states AS e WHERE e.expires_at <= clock() LIMIT %(most)s)
    RETURNING s.state_hash
)
SELECT count(*) AS total FROM gone;

-- name: idempotency_keys
WITH gone AS (
    DELETE FROM idempotency_keys AS k
     WHERE (k.user_id, k.key) IN (
           SELECT o.user_id, o.key FROM idempotency_keys AS o
            WHERE o.created_at < clock() - interval '24 hours'
            LIMIT %(most)s)
    RETURNING k.user_id
)
SELECT count(*) AS total FROM gone;

-- name: rate_limits
-- The longest window is a day.
WITH gone AS (
    DELETE FROM rate_limits AS r
     WHERE (r.bucket, r.window_start) IN (
           SELECT o.bucket, o.window_start FROM rate_limits AS o
            WHERE o.window_start < clock() - interval '24 hours'
            LIMIT %(most)s)
    RETURNING r.window_start
)
SELECT count(*) AS total FROM gone;

-- name: focus_pause_state
-- The state of a timer that was paused more than a day ago and has ended.
WITH gone AS (
    DELETE FROM focus_pause_state AS p
     WHERE p.user_id IN (
           SELECT o.user_id
             FROM focus_pause_state AS o
            WHERE o.paused_at < clock() - interval '24 hours'
              AND NOT EXISTS (SELECT FROM focus_sessions AS s
                               WHERE s.user_id = o.user_id AND s.id = o.session_id AND s.status IN ('active', 'paused'))
            LIMIT %(most)s)
       AND p.paused_at < clock() - interval '24 hours'
    RETURNING p.user_id
)
SELECT count(*) AS total FROM gone;

-- name: upload_intents
-- Files that were uploaded and never registered, and keys that were never used.
WITH swept AS (
    DELETE FROM upload_intents AS i
     WHERE (i.user_id, i.r2_key) IN (
           SELECT u.user_id, u.r2_key
             FROM upload_intents AS u
            WHERE u.consumed_at IS NULL AND u.created_at < clock() - interval '24 hours'
            LIMIT %(most)s
              FOR UPDATE SKIP LOCKED)
    RETURNING i.r2_key
), listed AS (
    INSERT INTO storage_deletions (object_key) SELECT s.r2_key FROM swept AS s
)
SELECT count(*) AS total FROM swept;

-- name: user_imports
-- Imports that were not started within a day, with their files, and those that ended 30 days ago.
WITH swept AS (
    DELETE FROM user_imports AS i
     WHERE (i.user_id, i.id) IN (
           SELECT o.user_id, o.id
             FROM user_imports AS o
            WHERE (o.status = 'awaiting_upload' AND o.created_at < clock() - interval '24 hours')
               OR (o.status IN ('done', 'failed') AND o.created_at < clock() - interval '30 days')
            ORDER BY o.created_at
            LIMIT %(most)s
              FOR UPDATE SKIP LOCKED)
    RETURNING i.object_key
), listed AS (
    INSERT INTO storage_deletions (object_key) SELECT s.object_key FROM swept AS s
)
SELECT count(*) AS total FROM swept;

-- name: expired_exports
SELECT expire_exports(%(most)s) AS total;

-- name: user_exports
SELECT forget_exports(%(most)s) AS total;

-- name: infobase_entries
-- Entries that have been in the trash of the infobase for 30 days.
SELECT count(*) AS total
  FROM (SELECT e.user_id, e.id FROM infobase_entries AS e
         WHERE e.deleted_at < clock() - interval '30 days'
         ORDER BY e.user_id LIMIT %(most)s) AS t
 WHERE empty_infobase_trash(t.user_id, t.id);

-- name: jobs
WITH gone AS (
    DELETE FROM jobs AS j
     WHERE (j.owner_key, j.id) IN (
           SELECT o.owner_key, o.id FROM jobs AS o
            WHERE o.status IN ('done', 'failed') AND o.finished_at < clock() - interval '7 days'
            LIMIT %(most)s)
       AND j.status IN ('done', 'failed')
    RETURNING j.id
)
SELECT count(*) AS total FROM gone;

-- name: job_runs
-- The newest run of each schedule stays: it says when the schedule last ran.
WITH gone AS (
    DELETE FROM job_runs AS r
     WHERE r.id IN (
           SELECT o.id FROM job_runs AS o
            WHERE o.finished_at < clock() - interval '7 days'
              AND EXISTS (SELECT FROM job_runs AS n
                           WHERE n.name = o.name AND n.started_at > o.started_at AND n.status <> 'running')
            LIMIT %(most)s)
    RETURNING r.id
)
SELECT count(*) AS total FROM gone;

-- name: audit_log
WITH gone AS (
    DELETE FROM audit_log AS a
     WHERE a.id IN (SELECT o.id FROM audit_log AS o WHERE o.created_at < clock() - %(audit_age)s::interval LIMIT %(most)s)
    RETURNING a.created_at, a.event_type, a.resource_type, a.status
), uncounted AS (
    UPDATE list_counts AS c
       SET total = c.total - g.rows
      FROM (SELECT (created_at AT TIME ZONE 'UTC')::date AS day, ARRAY[event_type, coalesce(resource_type, ''), status] AS kind,
                   count(*) AS rows
              FROM gone GROUP BY 1, 2) AS g
     WHERE c.list = 'audit' AND (c.day, c.kind) = (g.day, g.kind)
)
SELECT count(*) AS total FROM gone;

-- name: backups
-- Old backups, except the newest one that is ready; and those that were announced or failed more than a day ago.
WITH gone AS (
    DELETE FROM backups AS b
     WHERE b.id IN (
           SELECT o.id
             FROM backups AS o
            WHERE (o.status = 'ready' AND o.created_at < clock() - %(backup_age)s::interval
                   AND o.id <> (SELECT n.id FROM backups AS n WHERE n.status = 'ready' ORDER BY n.created_at DESC, n.id LIMIT 1))
               OR (o.status IN ('awaiting_upload', 'failed') AND o.created_at < clock() - interval '1 day')
            LIMIT %(most)s)
       AND NOT EXISTS (SELECT FROM restores AS r WHERE r.backup_id = b.id AND r.status IN ('queued', 'running'))
    RETURNING b.id
), listed AS (
    INSERT INTO storage_deletions (object_key) SELECT backup_key(g.id) FROM gone AS g
)
SELECT count(*) AS total FROM gone;

-- name: notification_outbox
-- Messages are shown for 90 days; their deliveries are deleted with them.
WITH gone AS (
    DELETE FROM notification_outbox AS o
     WHERE (o.user_id, o.id) IN (
           SELECT f.user_id, f.id FROM notification_outbox AS f
            WHERE (f.created_at AT TIME ZONE 'UTC')::date < (clock() AT TIME ZONE 'UTC')::date - 90
            LIMIT %(most)s)
    RETURNING o.id
)
SELECT count(*) AS total FROM gone;
