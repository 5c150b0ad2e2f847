-- migrate:up
-- Work that a request leaves to a function of its own, and objects of the bucket that wait to be deleted.
SET LOCAL ROLE questlog_owner;

CREATE TABLE jobs (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    kind text NOT NULL CHECK (kind IN ('audio_analysis')),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'failed')),
    -- Raised by each claim: what a worker writes counts only while it is the worker of the last claim.
    attempts int NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND max_attempts),
    max_attempts int NOT NULL DEFAULT 5 CHECK (max_attempts BETWEEN 1 AND 100),
    run_after timestamptz NOT NULL DEFAULT instant(),
    lease_until timestamptz,
    payload jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
    result jsonb,
    last_error text CHECK (length(last_error) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT instant(),
    finished_at timestamptz,
    PRIMARY KEY (user_id, id),
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status IN ('done', 'failed')) = (finished_at IS NOT NULL))
);
-- Workers take what is due, whose ever it is.
CREATE INDEX jobs_due ON jobs (run_after) WHERE status IN ('queued', 'running');
CALL enable_row_security('jobs');
GRANT SELECT ON jobs TO questlog_app;
GRANT UPDATE, DELETE ON jobs TO questlog_jobs;

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
