-- The jobs log in as questlog_jobs, which sees all users.

-- name: claim_deletions
-- Who takes a row also says when it is tried again, later after each time: a run that is killed needs no clearing up.
UPDATE storage_deletions AS s
   SET attempts = s.attempts + 1, run_after = clock() + least(interval '1 minute' * 2 ^ s.attempts, interval '24 hours')
 WHERE s.id IN (SELECT d.id
                  FROM storage_deletions AS d
                 WHERE d.run_after <= clock() AND d.attempts < 20
                 ORDER BY d.run_after
                 LIMIT %(most)s
                   FOR UPDATE SKIP LOCKED)
RETURNING s.id, s.object_key, s.is_prefix;

-- name: deleted
-- A prefix is swept once more a day after it was listed: a URL that was signed before may have brought another object.
DELETE FROM storage_deletions AS s
 WHERE s.id = ANY (%(ids)s) AND (NOT s.is_prefix OR s.created_at < clock() - interval '24 hours');
UPDATE storage_deletions AS s
   SET attempts = 0, last_error = NULL, run_after = s.created_at + interval '24 hours 1 minute'
 WHERE s.id = ANY (%(ids)s);

-- name: failed
UPDATE storage_deletions AS s SET last_error = 'The bucket did not delete it.' WHERE s.id = ANY (%(ids)s);

-- name: unfinished
UPDATE storage_deletions AS s SET attempts = s.attempts - 1, run_after = clock() WHERE s.id = ANY (%(ids)s);

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
     WHERE (j.user_id, j.id) IN (
           SELECT o.user_id, o.id FROM jobs AS o WHERE o.finished_at < clock() - interval '7 days' LIMIT %(most)s)
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
