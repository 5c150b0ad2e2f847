SET LOCAL ROLE questlog_owner;

CREATE OR REPLACE FUNCTION internal.entitlements_of(user_role text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN CASE user_role
    WHEN 'moderator' THEN ARRAY['content:manage', 'feedback:manage']
    WHEN 'admin' THEN ARRAY['content:manage', 'feedback:manage', 'admin:access', 'users:manage', 'system:manage']
    ELSE ARRAY[]::text[]
END;

SET LOCAL ROLE questlog_identity;

-- The first statement of a request. The token carries its user's id, so one look by key finds the session; sets the user for this transaction only, or refuses.
--   session  anyone signed in                        browser  the same, but no API token
--   member   age and the current terms confirmed     anything else is an entitlement: member, browser, and that entitlement
-- Activity is noted at most every five minutes: a write per request would make reads cost what writes cost.
CREATE OR REPLACE FUNCTION app.authenticate(
    presented_user uuid, presented_hash bytea, wanted_scope text, terms_version text, idle_limit interval
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    caller record;
BEGIN
    SELECT s.user_id, s.id AS session_id, s.kind, s.last_activity_at, u.role, u.age_verified_at, u.tos_version
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
    IF wanted_scope NOT IN ('session', 'member') AND caller.kind = 'token' THEN
        PERFORM refuse(403, 'forbidden', 'An API token cannot do this; sign in with a browser.');
    END IF;
    IF wanted_scope NOT IN ('session', 'browser', 'member') AND NOT wanted_scope = ANY (entitlements_of(caller.role)) THEN
        PERFORM refuse(403, 'forbidden', 'Your role does not allow this.');
    END IF;

    PERFORM set_config('app.user_id', caller.user_id::text, true),
            set_config('app.session_id', caller.session_id::text, true),
            set_config('app.scope', CASE WHEN wanted_scope IN ('session', 'browser', 'member') THEN 'own' ELSE 'admin' END, true);

    IF caller.last_activity_at < clock() - interval '5 minutes' THEN
        UPDATE sessions SET last_activity_at = clock() WHERE user_id = caller.user_id AND id = caller.session_id;
        UPDATE users SET last_activity_at = clock() WHERE id = caller.user_id;
    END IF;
END
$$;

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

-- An unsafe request that another site may have made a browser send is refused before anyone is authenticated; when its
-- cookie is a live session, its user's audit trail says so.
CREATE OR REPLACE FUNCTION app.report_forgery(presented_user uuid, presented_hash bytea, ip text, agent text, request text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO audit_log (user_id, session_id, event_type, action, status, ip_address, user_agent, request_id)
    SELECT s.user_id, s.id, 'csrf_violation', 'refuse', 'denied', ip::inet, left(agent, 400), request
      FROM sessions AS s
     WHERE s.user_id = presented_user AND s.token_hash = presented_hash AND s.expires_at > clock();
END;
