-- migrate:up
-- Backups of everything, and what was restored from them. Both are the operators': they belong to no user and outlive them.
SET LOCAL ROLE questlog_owner;

CREATE TABLE backups (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('awaiting_upload', 'queued', 'running', 'ready', 'failed')),
    created_at timestamptz NOT NULL DEFAULT instant(),
    finished_at timestamptz,
    -- An administrator, for as long as there is an account of theirs.
    created_by uuid DEFAULT current_user_id(),
    schema_version int NOT NULL CHECK (schema_version >= 0),
    -- What was announced while the upload is awaited; then the size of the object.
    size_bytes bigint CHECK (size_bytes > 0),
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    row_count bigint CHECK (row_count >= 0),
    error text CHECK (length(error) BETWEEN 1 AND 500),
    CHECK ((status IN ('ready', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK (status NOT IN ('awaiting_upload', 'ready') OR size_bytes IS NOT NULL)
);
CREATE INDEX backups_recent ON backups (created_at DESC);
CREATE UNIQUE INDEX backups_under_way ON backups ((true)) WHERE status IN ('queued', 'running');
GRANT SELECT, INSERT, UPDATE, DELETE ON backups TO questlog_admin, questlog_jobs;

CREATE TABLE restores (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- No key: a backup can be deleted, and what was restored from it is still told.
    backup_id uuid NOT NULL,
    mode text NOT NULL CHECK (mode IN ('verify', 'merge', 'replace')),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'failed')),
    requested_by uuid DEFAULT current_user_id(),
    original_version int CHECK (original_version >= 0),
    restored_version int CHECK (restored_version >= 0),
    -- {table: {inserted, skipped}}
    results jsonb CHECK (jsonb_typeof(results) = 'object'),
    error_type text CHECK (length(error_type) BETWEEN 1 AND 100),
    error text CHECK (length(error) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT instant(),
    finished_at timestamptz,
    CHECK ((status IN ('done', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK ((error_type IS NULL) = (error IS NULL))
);
CREATE INDEX restores_of_backup ON restores (backup_id);
CREATE UNIQUE INDEX restores_under_way ON restores ((true)) WHERE status IN ('queued', 'running');
GRANT SELECT, INSERT, UPDATE ON restores TO questlog_admin;
-- The object of a deleted backup goes through the retry table, and a job that works at it stops.
GRANT INSERT ON storage_deletions TO questlog_admin;
GRANT DELETE ON jobs TO questlog_admin;
GRANT SELECT, UPDATE, DELETE ON restores TO questlog_jobs;
GRANT SELECT ON backups, restores TO questlog_console;

-- An account that is deleted is nobody's creator any more.
GRANT SELECT (created_by), UPDATE (created_by) ON backups TO questlog_identity;
GRANT SELECT (requested_by), UPDATE (requested_by) ON restores TO questlog_identity;
