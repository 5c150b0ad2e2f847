-- migrate:up
-- Exports: archives of all that a user has here, which a job writes into the bucket.
SET LOCAL ROLE questlog_owner;

CREATE TABLE user_exports (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    -- The job that writes it has the same id.
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'ready', 'failed', 'expired')),
    include_audio boolean NOT NULL DEFAULT true,
    progress int NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    -- The same at each attempt, so that one that is killed and run again leaves one object.
    object_key text NOT NULL GENERATED ALWAYS AS (user_id::text || '/exports/' || id::text || '.zip') STORED,
    size_bytes bigint CHECK (size_bytes > 0),
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    row_count bigint CHECK (row_count >= 0),
    error_type text CHECK (length(error_type) BETWEEN 1 AND 100),
    error_message text CHECK (length(error_message) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT instant(),
    started_at timestamptz,
    finished_at timestamptz,
    expires_at timestamptz,
    PRIMARY KEY (user_id, id),
    CHECK ((status IN ('ready', 'failed', 'expired')) = (finished_at IS NOT NULL)),
    CHECK ((status IN ('ready', 'expired')) = (expires_at IS NOT NULL)),
    CHECK (num_nulls(size_bytes, sha256, row_count) = CASE WHEN status IN ('ready', 'expired') THEN 0 ELSE 3 END),
    CHECK (num_nulls(error_type, error_message) = CASE WHEN status = 'failed' THEN 0 ELSE 2 END)
);
CREATE UNIQUE INDEX user_exports_open ON user_exports (user_id) WHERE status IN ('queued', 'running');
CREATE INDEX user_exports_recent ON user_exports (user_id, created_at DESC);
-- The clean-up takes what is past its time, whose ever it is.
CREATE INDEX user_exports_expiry ON user_exports (expires_at) WHERE status = 'ready';
CREATE INDEX user_exports_age ON user_exports (created_at);
CALL enable_row_security('user_exports');
GRANT SELECT ON user_exports TO questlog_app;
GRANT UPDATE, DELETE ON user_exports TO questlog_jobs;
GRANT UPDATE ON user_exports TO questlog_admin;
