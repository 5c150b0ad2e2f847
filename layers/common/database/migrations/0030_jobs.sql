-- migrate:up
-- Work that a request leaves to a function of its own, the ticks of the schedules, and objects of the bucket that wait to be
-- deleted.
SET LOCAL ROLE questlog_owner;

-- A job is a user's, or nobody's: backups, restores and runs that an administrator asks for. owner_key is the user or the
-- zero UUID, so that the key of both begins with an owner.
CREATE TABLE jobs (
    user_id uuid DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    owner_key uuid NOT NULL
        GENERATED ALWAYS AS (coalesce(user_id, '00000000-0000-0000-0000-000000000000')) STORED,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    kind text NOT NULL CHECK (kind IN ('audio_analysis', 'export', 'import', 'backup', 'restore', 'run')),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'failed')),
    -- Raised by each claim: what a worker writes counts only while it is the worker of the last claim.
    attempts int NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND max_attempts),
    max_attempts int NOT NULL DEFAULT 5 CHECK (max_attempts BETWEEN 1 AND 100),
    run_after timestamptz NOT NULL DEFAULT instant(),
    lease_until timestamptz,
    payload jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
    result jsonb CHECK (jsonb_typeof(result) = 'object'),
    last_error text CHECK (length(last_error) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT instant(),
    finished_at timestamptz,
    PRIMARY KEY (owner_key, id),
    CHECK ((user_id IS NULL) = (kind IN ('backup', 'restore', 'run'))),
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status IN ('done', 'failed')) = (finished_at IS NOT NULL))
);
-- Workers take what is due, whose ever it is; the clean-up and the administrators look for what has ended.
CREATE INDEX jobs_due ON jobs (run_after) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_ended ON jobs (finished_at) WHERE status IN ('done', 'failed');
-- A deleted user's rows are found by it.
CREATE INDEX jobs_user ON jobs (user_id) WHERE user_id IS NOT NULL;
CALL enable_row_security('jobs');
GRANT SELECT ON jobs TO questlog_app;
GRANT UPDATE, DELETE ON jobs TO questlog_jobs;
GRANT INSERT, UPDATE ON jobs TO questlog_admin;

-- Each tick of a schedule that did something or found nothing to do. A tick that runs holds a lease, which the next one respects.
CREATE TABLE job_runs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (name IN ('queue', 'cleanup', 'storage', 'analysis', 'reminders')),
    started_at timestamptz NOT NULL DEFAULT instant(),
    finished_at timestamptz,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed')),
    lease_until timestamptz,
    -- What was done, or {"error": a sentence}.
    result jsonb CHECK (jsonb_typeof(result) = 'object'),
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK ((status = 'running') = (result IS NULL))
);
CREATE INDEX job_runs_recent ON job_runs (name, started_at DESC);
CREATE INDEX job_runs_running ON job_runs (name) WHERE status = 'running';
GRANT SELECT, INSERT, UPDATE, DELETE ON job_runs TO questlog_jobs;
GRANT SELECT ON job_runs TO questlog_admin, questlog_console;

-- A row stands before its object is deleted, so that an object is never forgotten. It belongs to no user: it outlives them.
CREATE TABLE storage_deletions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    object_key text NOT NULL CHECK (length(object_key) BETWEEN 1 AND 1024),
    is_prefix boolean NOT NULL DEFAULT false,
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    run_after timestamptz NOT NULL DEFAULT instant(),
    last_error text CHECK (length(last_error) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT instant(),
    -- A shorter prefix would empty the accounts of others.
    CHECK (NOT is_prefix OR object_key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/$')
);
CREATE INDEX storage_deletions_due ON storage_deletions (run_after);
GRANT SELECT, INSERT, UPDATE, DELETE ON storage_deletions TO questlog_jobs;
GRANT SELECT ON storage_deletions TO questlog_admin, questlog_console;
