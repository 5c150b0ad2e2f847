-- The jobs log in as questlog_jobs, which sees all users.

-- name: end
SELECT end_run(%(run_id)s, %(has_failed)s, %(result)s);
