-- The jobs log in as questlog_jobs, which sees all users.

-- name: begin
SELECT r.id, r.status FROM begin_run('cleanup', false, '{}') AS r;

-- name: sweep_uploads
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

-- name: forget_jobs
WITH gone AS (
    DELETE FROM jobs AS j
     WHERE (j.owner_key, j.id) IN (
           SELECT o.owner_key, o.id FROM jobs AS o WHERE o.status IN ('done', 'failed') AND o.finished_at < clock() - interval '7 days' LIMIT %(most)s)
    RETURNING j.id
)
SELECT count(*) AS total FROM gone;

-- name: empty_trash
-- Entries that have been in the trash of the infobase for 30 days.
SELECT count(*) AS total
  FROM (SELECT e.user_id, e.id FROM infobase_entries AS e
         WHERE e.deleted_at < clock() - interval '30 days'
         ORDER BY e.user_id LIMIT %(most)s) AS t
 WHERE empty_infobase_trash(t.user_id, t.id);
