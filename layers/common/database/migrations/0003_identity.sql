-- migrate:up
-- Who asks: users, their accounts with identity providers and their sessions; what they did (audit); sign-ins under way.
SET LOCAL ROLE questlog_owner;

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    image text CHECK (length(image) <= 2048),
    role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'moderator', 'admin')),
    approved boolean NOT NULL DEFAULT true,
    age_verified_at timestamptz,
    tos_version text,
    tos_accepted_at timestamptz,
    last_activity_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    CHECK ((tos_version IS NULL) = (tos_accepted_at IS NULL))
);
CREATE INDEX users_suspended ON users (id) WHERE NOT approved;
CREATE INDEX users_admins ON users (id) WHERE role = 'admin';

-- Administrators see the newest users first, all of them or those of a role, and find them by a part of e-mail or name.
-- None of these indexes holds last_activity_at: it is written every five minutes, and so touches no index.
CREATE INDEX users_recent ON users (created_at DESC, id);
CREATE INDEX users_of_role ON users (role, created_at DESC, id);
CREATE INDEX users_search ON users USING gin (lower(email) extensions.gin_trgm_ops, lower(name) extensions.gin_trgm_ops);

-- Accounts that were made and never begun.
CREATE INDEX users_not_begun ON users (created_at, id)
    WHERE role = 'user' AND (age_verified_at IS NULL OR tos_accepted_at IS NULL);
CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (id = current_user_id()) WITH CHECK (id = current_user_id());
CREATE POLICY admin ON users TO questlog_admin USING (granted_scope() = 'admin');
CREATE POLICY jobs ON users TO questlog_jobs USING (true);
CREATE POLICY identity ON users TO questlog_identity USING (true);
CREATE POLICY restored ON users TO questlog_restorer USING (true);
CREATE POLICY console ON users FOR SELECT TO questlog_console USING (true);

-- Not role, approved or consent: those change through functions that check who may.
GRANT SELECT, UPDATE (name, image) ON users TO questlog_app;
GRANT SELECT, UPDATE (last_activity_at) ON users TO questlog_auth;
GRANT SELECT ON users TO questlog_operator;
GRANT SELECT ON users TO questlog_admin, questlog_jobs, questlog_console;
GRANT SELECT, INSERT, UPDATE ON users TO questlog_identity;

CREATE TABLE accounts (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    provider text NOT NULL CHECK (provider IN ('google', 'azure')),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, provider, subject)
);
CALL enable_row_security('accounts');
CREATE POLICY identity ON accounts TO questlog_identity USING (true);
GRANT SELECT ON accounts TO questlog_app, questlog_auth;
GRANT SELECT, INSERT ON accounts TO questlog_identity;

-- Which user an e-mail address, an account at a provider, or a browser that takes messages belongs to. A sign-in knows these
-- before it knows the user. It is a table of its own, without a foreign key, because users are spread over servers by their id and this table is not.
-- The entry of a deleted user has no meaning; the next sign-in replaces it.
CREATE TABLE user_directory (
    kind text NOT NULL CHECK (kind IN ('email', 'google', 'azure', 'push')),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 320),
    user_id uuid NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX user_directory_user ON user_directory (user_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_directory TO questlog_identity;
GRANT SELECT ON user_directory TO questlog_admin, questlog_console;
GRANT UPDATE ON user_directory TO questlog_restorer;

CREATE TABLE sessions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    kind text NOT NULL DEFAULT 'browser' CHECK (kind IN ('browser', 'token')),
    name text CHECK (length(name) BETWEEN 1 AND 100),
    scope text NOT NULL DEFAULT 'write' CHECK (scope IN ('read', 'write')),
    created_at timestamptz NOT NULL DEFAULT clock(),
    last_activity_at timestamptz NOT NULL DEFAULT clock(),
    expires_at timestamptz NOT NULL,
    user_agent text CHECK (length(user_agent) <= 400),
    ip_address inet,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, token_hash),
    CHECK ((kind = 'token') = (name IS NOT NULL)),
    CHECK (kind = 'token' OR scope = 'write')
);
CREATE INDEX sessions_recent ON sessions (user_id, last_activity_at DESC);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Administrators see who was active last, and end a session by its id.
CREATE INDEX sessions_activity ON sessions (last_activity_at DESC, id);
CREATE INDEX sessions_by_id ON sessions (id);
CALL enable_row_security('sessions');
CREATE POLICY identity ON sessions TO questlog_identity USING (true);

-- Every column but the hash: only the functions of questlog_identity ever compare it.
REVOKE SELECT ON sessions FROM questlog_admin, questlog_jobs, questlog_console;
GRANT SELECT (user_id, id, kind, name, scope, created_at, last_activity_at, expires_at, user_agent, ip_address)
    ON sessions TO questlog_auth, questlog_admin, questlog_jobs, questlog_console;
GRANT INSERT, DELETE ON sessions TO questlog_auth;
GRANT DELETE ON sessions TO questlog_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO questlog_identity;
GRANT DELETE ON sessions TO questlog_jobs;

CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL,
    status int,
    body jsonb,
    created_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CALL enable_row_security('idempotency_keys');
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO questlog_app, questlog_auth, questlog_operator, questlog_admin;
GRANT DELETE ON idempotency_keys TO questlog_jobs;

-- Fixed windows counted in the database: a limit held in memory would be one per execution environment.
-- UNLOGGED: losing the counts in a crash lets a few requests more through, writing them twice would cost every sign-in.
CREATE UNLOGGED TABLE rate_limits (
    bucket text NOT NULL,
    window_start timestamptz NOT NULL,
    count int NOT NULL DEFAULT 1,
    PRIMARY KEY (bucket, window_start)
);
CREATE INDEX rate_limits_age ON rate_limits (window_start);
GRANT SELECT, DELETE ON rate_limits TO questlog_jobs;
GRANT SELECT ON rate_limits TO questlog_admin, questlog_console;

-- This table is the operators', not a user's. A row stays when its user is deleted, without the user_id; so there is no
-- foreign key.
CREATE TABLE audit_log (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid,
    session_id uuid,
    event_type text NOT NULL,
    resource_type text,
    resource_id text,
    action text NOT NULL,
    status text NOT NULL DEFAULT 'success' CHECK (status IN ('success', 'failure', 'denied')),
    details jsonb NOT NULL DEFAULT '{}',
    ip_address inet,
    user_agent text CHECK (length(user_agent) <= 400),
    request_id text,
    created_at timestamptz NOT NULL DEFAULT instant()
);
CREATE INDEX audit_log_recent ON audit_log (created_at DESC);
CREATE INDEX audit_log_events ON audit_log (event_type, created_at DESC);
CREATE INDEX audit_log_users ON audit_log (user_id, created_at DESC);
CREATE INDEX audit_log_resources ON audit_log (resource_type, created_at DESC) WHERE resource_type IS NOT NULL;
CREATE INDEX audit_log_refused ON audit_log (status, created_at DESC) WHERE status <> 'success';

-- What was done to a user, to be forgotten with them.
CREATE INDEX audit_log_about_users ON audit_log (resource_id) WHERE resource_type = 'user';
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;

-- Users do not read their audit rows, and nobody changes any: functions add them, and the clean-up deletes them.
CREATE POLICY admin ON audit_log FOR SELECT TO questlog_admin USING (granted_scope() = 'admin');
CREATE POLICY jobs ON audit_log TO questlog_jobs USING (true);
CREATE POLICY identity ON audit_log FOR INSERT TO questlog_identity WITH CHECK (true);
CREATE POLICY console ON audit_log FOR SELECT TO questlog_console USING (true);
GRANT SELECT ON audit_log TO questlog_admin, questlog_console;
GRANT SELECT, DELETE ON audit_log TO questlog_jobs;
CREATE POLICY restored ON audit_log TO questlog_restorer USING (true);

-- audit() returns the id of the row it inserts, and needs to read that one column for it.
CREATE POLICY identity_answers ON audit_log FOR SELECT TO questlog_identity USING (true);
GRANT INSERT, SELECT (id) ON audit_log TO questlog_identity;

-- A sign-in on its way through the provider. Only the hash of `state` is here: whoever reads the table cannot finish one.
CREATE TABLE oauth_states (
    state_hash bytea PRIMARY KEY CHECK (length(state_hash) = 32),
    provider text NOT NULL CHECK (provider IN ('google', 'azure')),
    verifier text NOT NULL,
    nonce text NOT NULL,
    redirect text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock(),
    expires_at timestamptz NOT NULL DEFAULT clock() + interval '10 minutes'
);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);
GRANT SELECT, INSERT, DELETE ON oauth_states TO questlog_identity;
GRANT SELECT (state_hash, provider, created_at, expires_at), DELETE ON oauth_states TO questlog_jobs;
GRANT SELECT (provider, redirect, created_at, expires_at) ON oauth_states TO questlog_admin, questlog_console;
