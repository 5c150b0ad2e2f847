-- The jobs log in as questlog_jobs, which sees all users.

-- name: begin
UPDATE restores AS r SET status = 'running'
  FROM backups AS b
 WHERE r.id = %(job_id)s AND r.status IN ('queued', 'running') AND b.id = r.backup_id
RETURNING r.mode, backup_key(b.id) AS object_key, b.size_bytes, r.requested_by;

-- name: tables
SELECT t.name, t.columns, t.owner, t.parents FROM backup_tables() AS t;

-- name: empty
SELECT refuse(409, 'not_empty', 'Somebody else has an account here now.')
 WHERE EXISTS (SELECT FROM users AS u WHERE u.id IS DISTINCT FROM %(requested_by)s);
SELECT empty_installation(%(requested_by)s);

-- name: erased
SELECT note_erasures(%(hashes)s);

-- name: unrestorable_users
SELECT u.id FROM unrestorable_users(%(rows)s::jsonb, '[]') AS u (id);

-- name: unrestorable_accounts
SELECT u.id FROM unrestorable_users('[]', %(rows)s::jsonb) AS u (id);

-- name: rows
SELECT restore_rows(%(target)s, %(owner)s, %(columns)s, %(rows)s::jsonb) AS inserted;

-- name: ledger_problem
-- Deferred foreign keys are checked here, before the ledger is.
SET CONSTRAINTS ALL IMMEDIATE;
SELECT first_ledger_problem() AS problem;

-- name: settle
SELECT finish_restore(%(job_id)s, %(version)s, %(results)s);

-- name: fail
UPDATE restores AS r
   SET status = 'failed', finished_at = instant(), error_type = %(error_type)s, error = %(message)s
 WHERE r.id = %(job_id)s;
