-- migrate:up
-- Who asks: users, their accounts with identity providers, their sessions, and the first statement of every request.
SET LOCAL ROLE questlog_owner;

-- The user of this transaction, set by authenticate(); null before it, so that no policy admits anything.
CREATE FUNCTION me() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.user_id', true), '')::uuid;

CREATE FUNCTION granted_scope() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN current_setting('app.scope', true);

-- The one way SQL says no. The API reads the status from the code, the error's type from the hint and the details from
-- the detail. Boolean, so that a condition can end in it: WHERE fits OR refuse(409, 'conflict', 'It does not fit.').
CREATE FUNCTION refuse(status int, error_type text, sentence text, details jsonb DEFAULT '{}') RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'PT' || status, MESSAGE = sentence, HINT = error_type, DETAIL = details::text;
END
$$;

-- A rule of the input that only the database can check, refused the way the API names a bad field.
CREATE FUNCTION refuse_field(field text, problem text) RETURNS boolean
LANGUAGE sql VOLATILE
RETURN refuse(400, 'validation_error', 'Some of what was sent is not valid.',
              jsonb_build_object('fields', jsonb_build_array(jsonb_build_object('field', field, 'message', problem))));

-- Makes a table a user's table. Every one calls it, so that none forgets a part; the catalogue test looks for the result.
-- The second policy is for another role, not another condition: OR-ed into the first it would cost every request its index.
CREATE PROCEDURE isolate(target regclass)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY own ON %s USING (user_id = (SELECT me())) WITH CHECK (user_id = (SELECT me()))', target);
    EXECUTE format(
        'CREATE POLICY admin ON %s TO questlog_admin USING ((SELECT granted_scope()) = ''admin'')', target);
    EXECUTE format('CREATE POLICY jobs ON %s TO questlog_jobs USING (true)', target);
    EXECUTE format('GRANT SELECT ON %s TO questlog_admin, questlog_jobs', target);
END
$$;

-- updated_at is the database's word, whatever statement wrote the row.
CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

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
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((tos_version IS NULL) = (tos_accepted_at IS NULL))
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE INDEX users_admins ON users (id) WHERE role = 'admin';
CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (id = (SELECT me())) WITH CHECK (id = (SELECT me()));
CREATE POLICY admin ON users TO questlog_admin USING ((SELECT granted_scope()) = 'admin');
CREATE POLICY jobs ON users TO questlog_jobs USING (true);
CREATE POLICY identity ON users TO questlog_identity USING (true);
-- Not role, approved or consent: those change through functions that check who may.
GRANT SELECT, UPDATE (name, image) ON users TO questlog_app;
GRANT SELECT ON users TO questlog_admin, questlog_jobs;
GRANT SELECT, INSERT, UPDATE ON users TO questlog_identity;

CREATE TABLE accounts (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    provider text NOT NULL CHECK (provider IN ('google', 'azure')),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
-- By subject alone, not by user: it is what tells at sign-in whose account this is.
CREATE UNIQUE INDEX accounts_subject ON accounts (provider, subject);
CALL isolate('accounts');
CREATE POLICY identity ON accounts TO questlog_identity USING (true);
GRANT SELECT ON accounts TO questlog_app;
GRANT SELECT, INSERT ON accounts TO questlog_identity;

CREATE TABLE sessions (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    kind text NOT NULL DEFAULT 'browser' CHECK (kind IN ('browser', 'token')),
    name text CHECK (length(name) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_activity_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    user_agent text CHECK (length(user_agent) <= 400),
    ip_address inet,
    PRIMARY KEY (user_id, id),
    CHECK ((kind = 'token') = (name IS NOT NULL))
);
CREATE INDEX sessions_recent ON sessions (user_id, last_activity_at DESC);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CALL isolate('sessions');
CREATE POLICY identity ON sessions TO questlog_identity USING (true);
-- Every column but the hash: only the functions of questlog_identity ever compare it.
REVOKE SELECT ON sessions FROM questlog_admin, questlog_jobs;
GRANT SELECT (user_id, id, kind, name, created_at, last_activity_at, expires_at, user_agent, ip_address)
    ON sessions TO questlog_app, questlog_admin, questlog_jobs;
GRANT INSERT, DELETE ON sessions TO questlog_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO questlog_identity;

CREATE FUNCTION entitlements_of(user_role text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN CASE user_role
    WHEN 'moderator' THEN ARRAY['content:manage', 'feedback:manage']
    WHEN 'admin' THEN ARRAY['content:manage', 'feedback:manage', 'admin:access', 'users:manage', 'system:manage']
    ELSE ARRAY[]::text[]
END;

-- The session of this request, set by authenticate().
CREATE FUNCTION my_session() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.session_id', true), '')::uuid;

CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL,
    status int,
    body jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CALL isolate('idempotency_keys');
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO questlog_app;
GRANT DELETE ON idempotency_keys TO questlog_jobs;

-- Claims an Idempotency-Key for this transaction. A key that has its answer raises PT200 with that answer, which stops the
-- statement queued behind it; the API repeats the answer. The advisory lock tells "still running" without waiting for it.
CREATE FUNCTION claim_idempotency_key(presented_key text, presented_fingerprint bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    kept idempotency_keys;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(me() || ' ' || presented_key, 0)) THEN
        PERFORM refuse(409, 'idempotency_in_progress', 'The first request with this Idempotency-Key is still running.');
    END IF;
    SELECT * INTO kept FROM idempotency_keys
     WHERE user_id = me() AND key = presented_key AND created_at > now() - interval '24 hours';
    IF FOUND AND kept.fingerprint <> presented_fingerprint THEN
        PERFORM refuse(422, 'idempotency_mismatch', 'This Idempotency-Key was used for another request.');
    ELSIF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'PT200', MESSAGE = kept.status::text, DETAIL = coalesce(kept.body::text, '');
    END IF;
    INSERT INTO idempotency_keys (key, fingerprint) VALUES (presented_key, presented_fingerprint)
    ON CONFLICT (user_id, key) DO UPDATE
       SET fingerprint = excluded.fingerprint, status = NULL, body = NULL, created_at = now();
END
$$;

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

-- Counts one more in the bucket's present window; over the limit PT429 with the seconds until the next window.
-- The refusal rolls its own count back, so a caller who keeps trying does not push the end of the window away.
CREATE FUNCTION count_against_limit(bucket_name text, allowed int, width interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    opened timestamptz := date_bin(width, now(), '2000-01-01Z');
    counted int;
BEGIN
    INSERT INTO rate_limits AS r (bucket, window_start) VALUES (bucket_name, opened)
    ON CONFLICT (bucket, window_start) DO UPDATE SET count = r.count + 1
    RETURNING r.count INTO counted;
    IF counted > allowed THEN
        PERFORM refuse(429, 'rate_limited', 'Too many requests; try again later.',
            jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM opened + width - now())))::int));
    END IF;
END
$$;

REVOKE ALL ON FUNCTION count_against_limit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_against_limit TO questlog_app, questlog_identity;

CREATE TABLE audit_log (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid REFERENCES users ON DELETE SET NULL,
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
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX audit_log_recent ON audit_log (created_at DESC);
CREATE INDEX audit_log_events ON audit_log (event_type, created_at DESC);
CREATE INDEX audit_log_users ON audit_log (user_id, created_at DESC);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
-- Users do not read their audit rows and nobody changes any: rows enter through functions and leave with the clean-up.
CREATE POLICY admin ON audit_log FOR SELECT TO questlog_admin USING ((SELECT granted_scope()) = 'admin');
CREATE POLICY jobs ON audit_log TO questlog_jobs USING (true);
CREATE POLICY identity ON audit_log FOR INSERT TO questlog_identity WITH CHECK (true);
GRANT SELECT ON audit_log TO questlog_admin;
GRANT SELECT, DELETE ON audit_log TO questlog_jobs;
-- The id alone can be read back: audit() answers it.
CREATE POLICY identity_answers ON audit_log FOR SELECT TO questlog_identity USING (true);
GRANT INSERT, SELECT (id) ON audit_log TO questlog_identity;

-- From here on functions belong to questlog_identity from the start: a right revoked after a change of owner, by the old
-- owner, would not be revoked at all.
SET LOCAL ROLE questlog_identity;

-- The first statement of a request: sets the user for this transaction only, or refuses.
--   session  anyone signed in                        browser  the same, but no API token
--   member   age and the current terms confirmed     anything else is an entitlement: member, browser, and that entitlement
-- Activity is noted at most every five minutes: a write per request would make reads cost what writes cost.
CREATE FUNCTION authenticate(presented_hash bytea, wanted_scope text, terms_version text, idle_limit interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller record;
BEGIN
    SELECT s.user_id, s.id AS session_id, s.kind, s.last_activity_at, u.role, u.age_verified_at, u.tos_version
      INTO caller
      FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.token_hash = presented_hash
       AND s.expires_at > now()
       AND (s.kind = 'token' OR s.last_activity_at > now() - idle_limit)
       AND u.approved;
    IF NOT FOUND THEN
        PERFORM refuse(401, 'unauthorized', 'Sign in to do this.');
    END IF;
    IF wanted_scope NOT IN ('session', 'browser') THEN
        IF caller.age_verified_at IS NULL THEN
            PERFORM refuse(403, 'age_verification_required', 'Confirm your age first.');
        ELSIF caller.tos_version IS DISTINCT FROM terms_version THEN
            PERFORM refuse(403, 'tos_required', 'Accept the current terms first.',
                           jsonb_build_object('current', terms_version));
        END IF;
    END IF;
    IF wanted_scope NOT IN ('session', 'member') AND caller.kind = 'token' THEN
        PERFORM refuse(403, 'forbidden', 'An API token cannot do this; sign in with a browser.');
    END IF;
    IF wanted_scope NOT IN ('session', 'browser', 'member') AND NOT wanted_scope = ANY (entitlements_of(caller.role)) THEN
        PERFORM refuse(403, 'forbidden', 'Your role does not allow this.');
    END IF;

    PERFORM set_config('app.user_id', caller.user_id::text, true),
            set_config('app.session_id', caller.session_id::text, true),
            set_config('app.scope', CASE WHEN wanted_scope IN ('session', 'browser', 'member') THEN 'own' ELSE 'admin' END, true);

    IF caller.last_activity_at < now() - interval '5 minutes' THEN
        UPDATE sessions SET last_activity_at = now() WHERE user_id = caller.user_id AND id = caller.session_id;
        UPDATE users SET last_activity_at = now() WHERE id = caller.user_id;
    END IF;
END
$$;

-- One row about what this transaction does. `client` is {ip_address, user_agent, request_id} of the request.
CREATE FUNCTION audit(event_type text, action text, client jsonb, details jsonb DEFAULT '{}', status text DEFAULT 'success',
                      resource_type text DEFAULT NULL, resource_id text DEFAULT NULL) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    INSERT INTO audit_log (user_id, session_id, event_type, action, status, details, resource_type, resource_id,
                           ip_address, user_agent, request_id)
    VALUES (me(), my_session(), event_type, action, status, details, resource_type, resource_id,
            (client ->> 'ip_address')::inet, left(client ->> 'user_agent', 400), client ->> 'request_id')
    RETURNING id;
END;

-- An unsafe request that another site may have made a browser send is refused before anyone is authenticated; when its
-- cookie is a live session, its user's audit trail says so.
CREATE FUNCTION report_forgery(presented_hash bytea, ip text, agent text, request text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    INSERT INTO audit_log (user_id, session_id, event_type, action, status, ip_address, user_agent, request_id)
    SELECT s.user_id, s.id, 'csrf_violation', 'refuse', 'denied', ip::inet, left(agent, 400), request
      FROM sessions AS s
     WHERE s.token_hash = presented_hash AND s.expires_at > now();
END;

REVOKE ALL ON FUNCTION authenticate, audit, report_forgery FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate, audit, report_forgery TO questlog_app;
