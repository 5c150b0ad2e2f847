SET LOCAL ROLE questlog_owner;

-- The caller's own account, as GET /auth/me shows it. One row.
CREATE OR REPLACE FUNCTION app.signed_in_user(terms_version text) RETURNS TABLE (
    id uuid, email text, name text, image text, role text, entitlements text[], age_verified boolean, tos_accepted boolean,
    is_admin boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT u.id, u.email, u.name, u.image, u.role, entitlements_of(u.role), u.age_verified_at IS NOT NULL,
           u.tos_version IS NOT DISTINCT FROM terms_version, u.role = 'admin'
      FROM users AS u;
END;

-- A user's sessions as they see them: without the hash, which a request may not even select.
CREATE OR REPLACE VIEW app.sessions_shown WITH (security_invoker = true) AS
SELECT id, kind, name, scope, id = current_session_id() AS current, created_at, last_activity_at, expires_at, user_agent,
       host(ip_address) AS ip_address
  FROM sessions;

SET LOCAL ROLE questlog_identity;

CREATE OR REPLACE FUNCTION app.open_oauth_state(
    state_hash bytea, provider text, verifier text, nonce text, redirect text
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO oauth_states (state_hash, provider, verifier, nonce, redirect)
    VALUES (state_hash, provider, verifier, nonce, redirect);
END;

-- Deletes a state and returns it. No row where there is none, where it has expired, or where it is another provider's; it
-- is deleted in each case.
CREATE OR REPLACE FUNCTION app.take_oauth_state(
    presented_hash bytea, answering_provider text, OUT verifier text, OUT nonce text, OUT redirect text
) RETURNS SETOF record
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    WITH used AS (DELETE FROM oauth_states AS s WHERE s.state_hash = presented_hash RETURNING s.*)
    SELECT used.verifier, used.nonce, used.redirect
      FROM used WHERE used.provider = answering_provider AND used.expires_at > clock();
END;

-- Records which user an e-mail address, or an account at a provider, belongs to. Replaces the entry of a deleted user.
CREATE OR REPLACE FUNCTION internal.enter_directory(entry_kind text, entry_key text, entry_user uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO user_directory (kind, key, user_id) VALUES (entry_kind, entry_key, entry_user)
    ON CONFLICT (kind, key) DO UPDATE SET user_id = excluded.user_id;
END;

-- Signs in a person whom a provider has identified. Returns the user, or in `refusal` the code of the error page.
--   who      {provider, subject, email, name, image}, the e-mail verified
--   promote  whether the e-mail is an administrator's
--   former   the user and the hash of the session this browser had
--
-- 1. Sign-ins of one account at the provider go one after another: two first ones must find each other's user.
-- 2. The user of that account; else the one with that e-mail; else a new one. Their row is locked, so that a deletion or
--    suspension meanwhile is seen here or waits. Two first sign-ins with one e-mail, through both providers, go one after
--    another.
-- 3. A suspended user gets no session, and nothing is linked.
-- 4. The old session ends and a new one begins.
CREATE OR REPLACE FUNCTION app.sign_in(
    who jsonb, promote boolean, new_hash bytea, lifetime interval, former_user uuid, former_hash bytea, client jsonb,
    OUT user_id uuid, OUT refusal text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    person users;
    new_session uuid := gen_random_uuid();
    known_account boolean;
    new_user boolean := false;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'sign_in', who ->> 'provider', who ->> 'subject'), 0));
    SELECT u.* INTO person
      FROM user_directory AS d JOIN users AS u ON u.id = d.user_id
     WHERE d.kind = who ->> 'provider' AND d.key = who ->> 'subject'
       FOR NO KEY UPDATE OF u;
    known_account := FOUND;
    IF NOT known_account THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'sign_in', lower(who ->> 'email')), 0));
        SELECT u.* INTO person
          FROM user_directory AS d JOIN users AS u ON u.id = d.user_id
         WHERE d.kind = 'email' AND d.key = lower(who ->> 'email')
           FOR NO KEY UPDATE OF u;
        new_user := NOT FOUND;
    END IF;
    IF new_user THEN
        INSERT INTO users AS u (email, name, image) VALUES (who ->> 'email', who ->> 'name', who ->> 'image')
        RETURNING u.* INTO person;
        PERFORM enter_directory('email', lower(who ->> 'email'), person.id);
    END IF;

    PERFORM set_config('app.user_id', person.id::text, true);
    IF NOT person.approved THEN
        PERFORM audit('login_failed', 'create', client,
                      jsonb_build_object('provider', who -> 'provider', 'code', 'AccessDenied'), 'failure', 'session');
        user_id := person.id;
        refusal := 'AccessDenied';
        RETURN;
    END IF;

    IF NOT known_account THEN
        INSERT INTO accounts (user_id, provider, subject) VALUES (person.id, who ->> 'provider', who ->> 'subject');
        PERFORM enter_directory(who ->> 'provider', who ->> 'subject', person.id);
    END IF;
    IF new_user THEN
        PERFORM lock_user();
    END IF;
    DELETE FROM sessions AS s WHERE s.user_id = former_user AND s.token_hash = former_hash AND s.kind = 'browser';
    INSERT INTO sessions (user_id, id, token_hash, expires_at, user_agent, ip_address)
    VALUES (person.id, new_session, new_hash, clock() + lifetime, left(client ->> 'user_agent', 400),
            (client ->> 'ip_address')::inet);
    PERFORM set_config('app.session_id', new_session::text, true);
    UPDATE users AS u
       SET last_activity_at = clock(), role = CASE WHEN promote THEN 'admin' ELSE u.role END
     WHERE u.id = person.id;
    PERFORM audit('login', 'create', client,
                  jsonb_build_object('provider', who -> 'provider', 'new_user', new_user,
                                     'linked', NOT (known_account OR new_user)),
                  'success', 'session', new_session::text);
    IF promote AND person.role <> 'admin' THEN
        PERFORM audit('role_changed', 'update', client, jsonb_build_object('from', person.role, 'to', 'admin'),
                      'success', 'user', person.id::text);
    END IF;
    user_id := person.id;
END
$$;

-- Notes that the user is old enough. Asked once: a second time changes nothing.
CREATE OR REPLACE FUNCTION app.confirm_age(client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    UPDATE users SET age_verified_at = clock() WHERE id = current_user_id() AND age_verified_at IS NULL;
    IF FOUND THEN
        PERFORM audit('age_verified', 'update', client, '{}', 'success', 'user', current_user_id()::text);
    END IF;
END
$$;

-- Notes that the user accepted this version of the terms and, where these state the age, that the user is old enough.
-- Accepting again changes nothing.
CREATE OR REPLACE FUNCTION app.accept_terms(version text, state_age boolean, client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    UPDATE users SET tos_version = version, tos_accepted_at = clock()
     WHERE id = current_user_id() AND tos_version IS DISTINCT FROM version;
    IF FOUND THEN
        PERFORM audit('tos_accepted', 'update', client, jsonb_build_object('version', version), 'success', 'user',
                      current_user_id()::text);
    END IF;
    IF state_age THEN
        PERFORM confirm_age(client);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.admin_exists() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND approved);
END;

-- Makes the caller the first administrator, and gives their session another token. Returns null when that is done, else
-- the reason why it is not: wrong_key or admin_exists. The reason is returned, not raised, because an error would undo the
-- count of the wrong key and its row in the audit trail. Over the limit not even the right key is accepted, or guessing could go on.
CREATE OR REPLACE FUNCTION app.claim_admin(key_is_right boolean, new_hash bytea, client jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    bucket text := 'claim:' || current_user_id();
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
        PERFORM move_count('users', ARRAY[u.role], u.created_at, -1), move_count('users', ARRAY['admin'], u.created_at, 1)
           FROM users AS u WHERE u.id = current_user_id();
        UPDATE users SET role = 'admin' WHERE id = current_user_id();
        UPDATE sessions SET token_hash = new_hash WHERE user_id = current_user_id() AND id = current_session_id();
        PERFORM audit('admin_claimed', 'update', client, '{}', 'success', 'user', current_user_id()::text);
        RETURN NULL;
    END IF;
    PERFORM audit('admin_claim_denied', 'update', client, jsonb_build_object('reason', reason), 'denied', 'user',
                  current_user_id()::text);
    RETURN reason;
END
$$;

-- The auth function alone signs in, and makes administrators.
REVOKE EXECUTE ON FUNCTION app.open_oauth_state, app.take_oauth_state, app.sign_in, app.confirm_age, app.accept_terms,
    app.admin_exists, app.claim_admin FROM questlog_app, questlog_operator, questlog_admin, questlog_jobs;
