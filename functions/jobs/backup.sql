-- name: begin
UPDATE backups AS b SET status = 'running'
 WHERE b.id = %(job_id)s AND b.status IN ('queued', 'running')
RETURNING backup_key(b.id) AS object_key;

-- name: taken
SELECT clock() AS taken_at;

-- name: tables
SELECT t.name, t.columns, t.json_rows FROM backup_tables() AS t;

-- name: finish
UPDATE backups AS b
   SET status = 'ready', finished_at = instant(), size_bytes = %(size_bytes)s, sha256 = %(sha256)s, row_count = %(row_count)s
 WHERE b.id = %(job_id)s;

-- name: fail
UPDATE backups AS b SET status = 'failed', finished_at = instant(), error = %(message)s WHERE b.id = %(job_id)s;
