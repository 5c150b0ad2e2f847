-- The jobs log in as questlog_jobs, which sees all users.

-- name: begin
SELECT r.id, r.status
  FROM begin_run('storage',
                 NOT EXISTS (SELECT FROM storage_deletions AS d WHERE d.run_after <= clock() AND d.attempts < 20)
                 AND NOT EXISTS (SELECT FROM erasures AS e WHERE e.kept_at IS NULL),
                 %(nothing)s) AS r;

-- name: claim_deletions
-- Claiming a row also sets its next attempt, each time later than before. So nothing has to be undone for a run that is killed.
-- MATERIALIZED: otherwise the planner may run the subquery again for each row, and the limit would not hold.
WITH due AS MATERIALIZED (
    SELECT d.id
      FROM storage_deletions AS d
     WHERE d.run_after <= clock() AND d.attempts < 20
     ORDER BY d.run_after
     LIMIT %(most)s
       FOR UPDATE SKIP LOCKED
)
UPDATE storage_deletions AS s
   SET attempts = s.attempts + 1, run_after = clock() + least(interval '1 minute' * 2 ^ s.attempts, interval '24 hours')
  FROM due AS d
 WHERE s.id = d.id
RETURNING s.id, s.object_key, s.is_prefix;

-- name: deleted
-- A prefix is listed once more a day later: an object may have been uploaded by a URL that was signed before.
DELETE FROM storage_deletions AS s
 WHERE s.id = ANY (%(ids)s) AND (NOT s.is_prefix OR s.created_at < clock() - interval '24 hours');
UPDATE storage_deletions AS s
   SET attempts = 0, last_error = NULL, run_after = s.created_at + interval '24 hours 1 minute'
 WHERE s.id = ANY (%(ids)s);

-- name: failed
UPDATE storage_deletions AS s SET last_error = 'The bucket did not delete it.' WHERE s.id = ANY (%(ids)s);

-- name: unfinished
UPDATE storage_deletions AS s SET attempts = s.attempts - 1, run_after = clock() WHERE s.id = ANY (%(ids)s);

-- name: unkept_erasures
SELECT e.user_hash FROM erasures AS e WHERE e.kept_at IS NULL ORDER BY e.user_hash LIMIT %(most)s;

-- name: kept_erasure
UPDATE erasures AS e SET kept_at = instant() WHERE e.user_hash = %(user_hash)s;
