SET LOCAL ROLE questlog_owner;

-- The user who asks, as they see themselves.
CREATE OR REPLACE VIEW app.own_profile WITH (security_invoker = true) AS
SELECT u.id, u.email, u.name, u.image, u.role, u.created_at,
       coalesce(u.last_activity_at, u.created_at) AS last_activity_at,
       u.age_verified_at IS NOT NULL AS age_verified,
       u.tos_version,
       d.zone AS timezone,
       p.level, p.total_xp, p.coins
  FROM users AS u, day_settings() AS d, level_progress AS p
 WHERE u.id = current_user_id();

SET LOCAL ROLE questlog_identity;

-- Deletes the caller: every row of theirs by cascade, their sign-in, and what the audit trail says of them. Their objects
-- go by the row in storage_deletions. 401 for a second request that waited for the first one.
-- 409 last_admin where no other administrator could sign in; two who leave at once are let go one after the other.
CREATE OR REPLACE FUNCTION app.delete_user(client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    leaving uuid := current_user_id();
    hash bytea := sha256(convert_to(leaving::text, 'UTF8'));
    their_role text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('administrators', 0));
    SELECT u.role INTO their_role FROM users AS u WHERE u.id = leaving FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse(401, 'unauthorized', 'Sign in to do this.');
    ELSIF their_role = 'admin'
        AND NOT EXISTS (SELECT FROM users AS u WHERE u.role = 'admin' AND u.approved AND u.id <> leaving)
    THEN
        PERFORM refuse(409, 'last_admin', 'You are the last administrator; make somebody else one first.');
    END IF;
    UPDATE audit_log AS a
       SET user_id = NULL, session_id = NULL, ip_address = NULL, user_agent = NULL,
           resource_id = nullif(a.resource_id, leaving::text)
     WHERE a.user_id = leaving;
    INSERT INTO audit_log (event_type, action, details, request_id)
    VALUES ('user_deleted', 'delete', jsonb_build_object('user_hash', encode(hash, 'hex')), client ->> 'request_id');
    INSERT INTO storage_deletions (object_key, is_prefix) VALUES (leaving || '/', true);
    INSERT INTO erasures (user_hash) VALUES (hash);
    DELETE FROM user_directory AS d WHERE d.user_id = leaving;
    DELETE FROM users AS u WHERE u.id = leaving;
END
$$;
REVOKE EXECUTE ON FUNCTION app.delete_user FROM questlog_auth, questlog_operator, questlog_admin, questlog_jobs;
