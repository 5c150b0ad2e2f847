-- The jobs log in as questlog_jobs, which sees all users.

-- name: begin
SELECT r.id, r.status
  FROM begin_run('queue',
                 NOT EXISTS (SELECT FROM due_jobs(%(kinds)s, %(schedules)s))
                 AND NOT EXISTS (SELECT FROM lost_jobs(%(kinds)s, %(schedules)s)),
                 %(nothing)s) AS r;

-- name: claim
SELECT j.user_id, j.id, j.kind, j.attempts, j.payload FROM claim_due_job(%(kinds)s, %(schedules)s) AS j;

-- name: complete
SELECT complete_job(%(owner)s, %(job_id)s, %(attempt)s, %(result)s);

-- name: give_back
SELECT give_back_job(%(owner)s, %(job_id)s, %(attempt)s, %(wait)s);

-- name: fail
SELECT fail_job(%(owner)s, %(job_id)s, %(attempt)s, %(error)s, %(is_final)s) AS is_over;

-- name: fail_lost
SELECT j.user_id, j.id, j.kind, j.attempts, j.payload FROM fail_lost_job(%(kinds)s, %(schedules)s) AS j;
