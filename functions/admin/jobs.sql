-- name: jobs
SELECT s.* FROM schedule_states() AS s ORDER BY s.name;
SELECT c.* FROM job_counts() AS c;
SELECT j.* FROM failed_jobs(100) AS j;

-- name: job
SELECT j.* FROM job_by_id(%(job_id)s) AS j;

-- name: run
SELECT j.*,
       audit('job_requested', 'create', %(client)s, jsonb_build_object('name', %(name)s::text), 'success', 'job', j.id::text)
  FROM request_run(%(name)s) AS j;

-- name: retry
SELECT j.*,
       audit('job_requested', 'update', %(client)s, jsonb_build_object('kind', j.kind), 'success', 'job', j.id::text)
  FROM requeue_job(%(job_id)s) AS j;
