SET LOCAL ROLE questlog_owner;

CREATE OR REPLACE FUNCTION internal.entitlements_of(user_role text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN CASE user_role
    WHEN 'moderator' THEN ARRAY['content:manage', 'feedback:manage']
    WHEN 'admin' THEN ARRAY['content:manage', 'feedback:manage', 'admin:access', 'users:manage', 'system:manage']
    ELSE ARRAY[]::text[]
END;

SET LOCAL ROLE questlog_identity;

-- The first statement of a request. Finds the session by its key, since the token carries its user's id, and sets the user
-- for this transaction only; or refuses. `wanted_scope` is one of
--   session  anyone signed in
--   browser  the same, but not by an API token
--   member   anyone signed in who has confirmed their age and the current terms
--   browser_member  what both ask for
--   ...      an entitlement: what browser_member asks for, and that entitlement
-- `writes` says whether the request may change something: an API token of scope read may not.
-- The last activity is written at most every five minutes; a write per request would make a read as dear as a write.
CREATE OR REPLACE FUNCTION app.authenticate(
    presented_user uuid, presented_hash bytea, wanted_scope text, terms_version text, idle_limit interval, writes boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    caller record;
BEGIN
    SELECT s.user_id, s.id AS session_id, s.kind, s.scope, s.last_activity_at, u.role, u.age_verified_at, u.tos_version
      INTO caller
      FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.user_id = presented_user
       AND s.token_hash = presented_hash
       AND s.expires_at > clock()
       AND (s.kind = 'token' OR s.last_activity_at > clock() - idle_limit)
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
    IF writes AND caller.scope = 'read' THEN
        PERFORM refuse(403, 'forbidden', 'This API token may only read; to change something, use one of scope write.');
    END IF;
    IF wanted_scope NOT IN ('session', 'member') AND caller.kind = 'token' THEN
        PERFORM refuse(403, 'forbidden', 'An API token cannot do this; sign in with a browser.');
    END IF;
    IF wanted_scope NOT IN ('session', 'browser', 'member', 'browser_member') AND NOT wanted_scope = ANY (entitlements_of(caller.role)) THEN
        PERFORM refuse(403, 'forbidden', 'Your role does not allow this.');
    END IF;

    PERFORM set_config('app.user_id', caller.user_id::text, true),
            set_config('app.session_id', caller.session_id::text, true),
            set_config('app.scope', CASE WHEN wanted_scope IN ('session', 'browser', 'member', 'browser_member') THEN 'own' ELSE 'admin' END, true);

    IF caller.last_activity_at < clock() - interval '5 minutes' THEN
        UPDATE sessions SET last_activity_at = clock() WHERE user_id = caller.user_id AND id = caller.session_id;
        IF NOT FOUND THEN -- the session ended while this waited for its row: the user was deleted, for example
            PERFORM refuse(401, 'unauthorized', 'Sign in to do this.');
        END IF;
        UPDATE users SET last_activity_at = clock() WHERE id = caller.user_id;
    END IF;
END
$$;

-- What the session or API token of this transaction may do: read, or write too.
CREATE OR REPLACE FUNCTION app.session_scope() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT s.scope FROM sessions AS s WHERE s.user_id = current_user_id() AND s.id = current_session_id();
END;

-- One row about what this transaction does. `client` is {ip_address, user_agent, request_id} of the request.
CREATE OR REPLACE FUNCTION app.audit(event_type text, action text, client jsonb, details jsonb DEFAULT '{}', status text DEFAULT 'success',
                      resource_type text DEFAULT NULL, resource_id text DEFAULT NULL) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO audit_log (user_id, session_id, event_type, action, status, details, resource_type, resource_id,
                           ip_address, user_agent, request_id)
    VALUES (current_user_id(), current_session_id(), event_type, action, status, details, resource_type, resource_id,
            (client ->> 'ip_address')::inet, left(client ->> 'user_agent', 400), client ->> 'request_id')
    RETURNING id;
END;

-- Records in the audit trail that a request was refused as forged: another site may have made the browser send it. Such a
-- request is refused before anyone is authenticated, so this writes a row only where its cookie is a live session.
CREATE OR REPLACE FUNCTION app.report_forgery(presented_user uuid, presented_hash bytea, ip text, agent text, request text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO audit_log (user_id, session_id, event_type, action, status, ip_address, user_agent, request_id)
    SELECT s.user_id, s.id, 'csrf_violation', 'refuse', 'denied', ip::inet, left(agent, 400), request
      FROM sessions AS s
     WHERE s.user_id = presented_user AND s.token_hash = presented_hash AND s.expires_at > clock();
END;
