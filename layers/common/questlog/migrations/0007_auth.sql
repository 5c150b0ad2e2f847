-- migrate:up
-- Signing in, confirming age and terms, and the claim of the first administrator.
--
-- What a user may not change about themselves (role, consent) and what has to be found before it is known who asks
-- (states, accounts, users by their e-mail) is behind functions of questlog_identity. Requests hold no right on what
-- these touch but to call them.
SET LOCAL ROLE questlog_owner;

-- A sign-in on its way through the provider. Only the hash of `state` is here: whoever reads the table cannot finish one.
CREATE TABLE oauth_states (
    state_hash bytea PRIMARY KEY CHECK (length(state_hash) = 32),
    provider text NOT NULL CHECK (provider IN ('google', 'azure')),
    verifier text NOT NULL,
    nonce text NOT NULL,
    redirect text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '10 minutes'
);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);
GRANT SELECT, INSERT, DELETE ON oauth_states TO questlog_identity;
GRANT SELECT (state_hash, provider, created_at, expires_at), DELETE ON oauth_states TO questlog_jobs;

-- PT429 where a bucket is full, as count_against_limit() answers it, but without counting: for limits that only some
-- outcomes count against, so that a caller who is over one may not even try.
CREATE FUNCTION refuse_over_limit(bucket_name text, allowed int, width interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    opened timestamptz := date_bin(width, now(), '2000-01-01Z');
BEGIN
    PERFORM refuse(429, 'rate_limited', 'Too many requests; try again later.',
                   jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM opened + width - now())))::int))
       FROM rate_limits AS r
      WHERE r.bucket = bucket_name AND r.window_start = opened AND r.count >= allowed;
END
$$;
REVOKE ALL ON FUNCTION refuse_over_limit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refuse_over_limit TO questlog_identity;

-- A user as they see themselves after signing in.
CREATE FUNCTION auth_user_shown(u users, terms_version text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object(
    'id', u.id, 'email', u.email, 'name', u.name, 'image', u.image, 'role', u.role,
    'entitlements', entitlements_of(u.role),
    'age_verified', u.age_verified_at IS NOT NULL,
    'tos_accepted', u.tos_version IS NOT DISTINCT FROM terms_version,
    'is_admin', u.role = 'admin');

-- A user's sessions as they see them: without the hash, which a request may not even select.
CREATE VIEW sessions_shown WITH (security_invoker = true) AS
SELECT id, kind, name, id = my_session() AS current, created_at, last_activity_at, expires_at, user_agent,
       host(ip_address) AS ip_address
  FROM sessions;
GRANT SELECT ON sessions_shown TO questlog_app;

-- A first sign-in makes progress and wallet, by the ledger's own hand.
GRANT EXECUTE ON FUNCTION lock_progress() TO questlog_identity;

-- As in 0002: functions belong to questlog_identity from the start.
SET LOCAL ROLE questlog_identity;

CREATE FUNCTION open_oauth_state(state_hash bytea, provider text, verifier text, nonce text, redirect text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    INSERT INTO oauth_states (state_hash, provider, verifier, nonce, redirect)
    VALUES (state_hash, provider, verifier, nonce, redirect);
END;

-- Reads a state and uses it up, also where it comes too late or from another provider; then there is no row.
CREATE FUNCTION take_oauth_state(presented_hash bytea, answering_provider text,
                                 OUT verifier text, OUT nonce text, OUT redirect text) RETURNS SETOF record
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    WITH used AS (DELETE FROM oauth_states AS s WHERE s.state_hash = presented_hash RETURNING s.*)
    SELECT used.verifier, used.nonce, used.redirect
      FROM used WHERE used.provider = answering_provider AND used.expires_at > now();
END;

-- Signs a person in whom a provider vouches for, and answers null, or the code of the error page.
--   who      {provider, subject, email, name, image}, the e-mail verified
--   promote  whether the e-mail is an administrator's
--   old      the hash of the session this browser had
--
-- 1. Sign-ins of one account at the provider go one after another: two first ones must find each other's user.
-- 2. The user of that account; else the one with that e-mail; else a new one. Their row is locked, so that a deletion or
--    suspension meanwhile is seen here or waits. A new user's e-mail may turn out to be taken a moment ago, by a first
--    sign-in through the other provider: then look again.
-- 3. A suspended user gets no session, and nothing is linked.
-- 4. The old session ends and a new one begins.
CREATE FUNCTION sign_in(who jsonb, promote boolean, new_hash bytea, lifetime interval, old_hash bytea, client jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users;
    new_session uuid := gen_random_uuid();
    known_account boolean;
    new_user boolean := false;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'sign_in', who ->> 'provider', who ->> 'subject'), 0));
    SELECT u.* INTO person
      FROM accounts AS a JOIN users AS u ON u.id = a.user_id
     WHERE a.provider = who ->> 'provider' AND a.subject = who ->> 'subject'
       FOR NO KEY UPDATE OF u;
    known_account := FOUND;
    WHILE person.id IS NULL LOOP
        SELECT * INTO person FROM users AS u WHERE lower(u.email) = lower(who ->> 'email') FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            INSERT INTO users AS u (email, name, image) VALUES (who ->> 'email', who ->> 'name', who ->> 'image')
            ON CONFLICT (lower(email)) DO NOTHING
            RETURNING u.* INTO person;
            new_user := FOUND;
        END IF;
    END LOOP;

    PERFORM set_config('app.user_id', person.id::text, true);
    IF NOT person.approved THEN
        PERFORM audit('login_failed', 'create', client,
                      jsonb_build_object('provider', who -> 'provider', 'code', 'AccessDenied'), 'failure', 'session');
        RETURN 'AccessDenied';
    END IF;

    IF NOT known_account THEN
        INSERT INTO accounts (user_id, provider, subject) VALUES (person.id, who ->> 'provider', who ->> 'subject');
    END IF;
    IF new_user THEN
        PERFORM lock_progress();
    END IF;
    DELETE FROM sessions AS s WHERE s.token_hash = old_hash AND s.kind = 'browser';
    INSERT INTO sessions (user_id, id, token_hash, expires_at, user_agent, ip_address)
    VALUES (person.id, new_session, new_hash, now() + lifetime, left(client ->> 'user_agent', 400),
            (client ->> 'ip_address')::inet);
    PERFORM set_config('app.session_id', new_session::text, true);
    UPDATE users AS u
       SET last_activity_at = now(), role = CASE WHEN promote THEN 'admin' ELSE u.role END
     WHERE u.id = person.id;
    PERFORM audit('login', 'create', client,
                  jsonb_build_object('provider', who -> 'provider', 'new_user', new_user,
                                     'linked', NOT (known_account OR new_user)),
                  'success', 'session', new_session::text);
    IF promote AND person.role <> 'admin' THEN
        PERFORM audit('role_changed', 'update', client, jsonb_build_object('from', person.role, 'to', 'admin'),
                      'success', 'user', person.id::text);
    END IF;
    RETURN NULL;
END
$$;

-- Notes that the user is old enough. Asked once: a second time changes nothing.
CREATE FUNCTION confirm_age(client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE users SET age_verified_at = now() WHERE id = me() AND age_verified_at IS NULL;
    IF FOUND THEN
        PERFORM audit('age_verified', 'update', client, '{}', 'success', 'user', me()::text);
    END IF;
END
$$;

-- Notes that the user accepted this version of the terms. Once more changes nothing.
CREATE FUNCTION accept_terms(version text, client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE users SET tos_version = version, tos_accepted_at = now()
     WHERE id = me() AND tos_version IS DISTINCT FROM version;
    IF FOUND THEN
        PERFORM audit('tos_accepted', 'update', client, jsonb_build_object('version', version), 'success', 'user',
                      me()::text);
    END IF;
END
$$;

CREATE FUNCTION admin_exists() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM users WHERE role = 'admin');
END;

-- Makes the caller the first administrator and changes their session's token; answers null, or why not: wrong_key or
-- admin_exists. Why not is an answer, not a refusal, because a refusal would undo the counting of the wrong key and the
-- row about it in the audit trail. Over the limit no key is looked at, or the right one would still tell itself apart.
CREATE FUNCTION claim_admin(key_is_right boolean, new_hash bytea, client jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    bucket text := 'claim:' || me();
    reason text;
BEGIN
    PERFORM refuse_over_limit(bucket, 5, interval '1 hour');
    PERFORM pg_advisory_xact_lock(hashtextextended('administrators', 0));
    IF NOT key_is_right THEN
        PERFORM count_against_limit(bucket, 5, interval '1 hour');
        reason := 'wrong_key';
    ELSIF admin_exists() THEN
        reason := 'admin_exists';
    ELSE
        UPDATE users SET role = 'admin' WHERE id = me();
        UPDATE sessions SET token_hash = new_hash WHERE user_id = me() AND id = my_session();
        PERFORM audit('admin_claimed', 'update', client, '{}', 'success', 'user', me()::text);
        RETURN NULL;
    END IF;
    PERFORM audit('admin_claim_denied', 'update', client, jsonb_build_object('reason', reason), 'denied', 'user',
                  me()::text);
    RETURN reason;
END
$$;

REVOKE ALL ON FUNCTION open_oauth_state, take_oauth_state, sign_in, confirm_age, accept_terms, admin_exists, claim_admin
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_oauth_state, take_oauth_state, sign_in, confirm_age, accept_terms, admin_exists, claim_admin
    TO questlog_app;
