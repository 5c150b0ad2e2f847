-- migrate:up
-- Imports: exports of an account that users upload to fill an empty one.
SET LOCAL ROLE questlog_owner;

CREATE TABLE user_imports (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    status text NOT NULL DEFAULT 'awaiting_upload'
        CHECK (status IN ('awaiting_upload', 'queued', 'running', 'done', 'failed')),
    -- What the user said the file has, and the key it is uploaded under.
    size_bytes bigint NOT NULL CHECK (size_bytes BETWEEN 1 AND 5368709120),
    object_key text NOT NULL CHECK (starts_with(object_key, user_id::text || '/imports/')),
    progress int NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    created_at timestamptz NOT NULL DEFAULT instant(),
    started_at timestamptz,
    finished_at timestamptz,
    -- Rows by table: those that are in the account, and those of the export that were left out.
    counts jsonb CHECK (jsonb_typeof(counts) = 'object'),
    skipped jsonb CHECK (jsonb_typeof(skipped) = 'object'),
    error_type text CHECK (length(error_type) BETWEEN 1 AND 64),
    error_message text CHECK (length(error_message) BETWEEN 1 AND 500),
    PRIMARY KEY (user_id, id),
    CHECK ((status IN ('done', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((status = 'done') = (counts IS NOT NULL) AND (status = 'done') = (skipped IS NOT NULL)),
    CHECK ((status = 'failed') = (error_type IS NOT NULL) AND (status = 'failed') = (error_message IS NOT NULL))
);
CREATE UNIQUE INDEX user_imports_active ON user_imports (user_id) WHERE status IN ('queued', 'running');
-- The clean-up looks for old ones, whose ever they are.
CREATE INDEX user_imports_age ON user_imports (created_at);
CALL enable_row_security('user_imports');
GRANT SELECT, INSERT ON user_imports TO questlog_app;
GRANT UPDATE, DELETE ON user_imports TO questlog_jobs;
GRANT UPDATE ON user_imports TO questlog_admin;
