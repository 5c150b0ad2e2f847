-- The jobs log in as questlog_jobs, which sees all users.

-- name: keep
SELECT renew_run(%(run_id)s) AS has_run,
       %(job_id)s::uuid IS NULL OR keep_job(%(owner)s, %(job_id)s, %(attempt)s) AS has_job;
