-- migrate:up
-- What stays of a deleted user: a hash of their id, by which a restored backup knows whom to leave out.
SET LOCAL ROLE questlog_owner;

CREATE TABLE erasures (
    user_hash bytea PRIMARY KEY CHECK (length(user_hash) = 32),
    erased_at timestamptz NOT NULL DEFAULT instant(),
    -- When an object in the bucket said so too: a restored database may be older than the deletion.
    kept_at timestamptz
);
CREATE INDEX erasures_unkept ON erasures (user_hash) WHERE kept_at IS NULL;
GRANT SELECT, UPDATE (kept_at) ON erasures TO questlog_jobs;
GRANT SELECT ON erasures TO questlog_admin, questlog_console;

-- A deletion is carried out by questlog_identity, which takes the user out of the directory and the audit trail too.
GRANT INSERT ON erasures, storage_deletions TO questlog_identity;
GRANT SELECT ON erasures TO questlog_identity;
GRANT DELETE ON users TO questlog_identity;
GRANT SELECT (bucket), DELETE ON rate_limits TO questlog_identity;
-- Their jobs are cancelled before it.
GRANT SELECT, DELETE ON jobs TO questlog_identity;
CREATE POLICY identity ON jobs TO questlog_identity USING (true);
GRANT SELECT (user_id, resource_type, resource_id), UPDATE (user_id, session_id, ip_address, user_agent, resource_id)
    ON audit_log TO questlog_identity;
GRANT SELECT (event_type, status, created_at) ON audit_log TO questlog_identity; -- to count entries
-- What the user did, and what was done to them.
CREATE POLICY identity_forgets ON audit_log FOR UPDATE TO questlog_identity
    USING (user_id = current_user_id() OR resource_id = current_user_id()::text)
    WITH CHECK (user_id IS DISTINCT FROM current_user_id() AND resource_id IS DISTINCT FROM current_user_id()::text);
