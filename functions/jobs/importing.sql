-- The jobs log in as questlog_jobs, which sees all users. Each trip begins with `of`.

-- name: of
-- The functions of an import act for its user, and see only that user's rows.
SELECT set_config('app.user_id', %(owner)s::text, true);

-- name: begin
UPDATE user_imports AS i
   SET status = 'running', progress = 0, started_at = coalesce(i.started_at, instant())
 WHERE i.user_id = %(owner)s AND i.id = %(job_id)s AND i.status IN ('queued', 'running')
RETURNING i.object_key, i.size_bytes;

-- name: require_empty
SELECT require_empty_account();

-- name: tables
SELECT t.name, t.columns, t.parents FROM import_tables() AS t;

-- name: expect_objects
SELECT expect_imported_objects(%(keys)s) AS are_free;

-- name: progress
UPDATE user_imports AS i SET progress = %(progress)s WHERE i.user_id = %(owner)s AND i.id = %(job_id)s;

-- name: open
SELECT open_import();

-- name: import_rows
SELECT import_rows(%(target)s, %(columns)s, %(rows)s::jsonb);

-- name: import_ledger_rows
SELECT import_ledger_rows(%(rows)s::jsonb, %(is_first)s, %(is_last)s);

-- name: close_table
SELECT close_imported_table(%(target)s) AS total;

-- name: settle
SELECT settle_import(%(job_id)s, %(person)s, %(brought)s, %(left_out)s);

-- name: fail
SELECT fail_import(%(job_id)s, %(error_type)s, %(message)s);
