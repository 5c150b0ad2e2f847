SET LOCAL ROLE questlog_owner;

-- The caller's own profile.
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

-- Refuses with 409 last_admin if no administrator but this user could sign in. A caller that removes an administrator must hold the
-- lock `administrators` before this check and until the end of the transaction: if two administrators remove each other, the second
-- one is then refused.
CREATE OR REPLACE FUNCTION internal.require_another_administrator(leaving uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users AS u WHERE u.role = 'admin' AND u.approved AND u.id <> leaving) THEN
        PERFORM refuse(409, 'last_admin', 'There is no other administrator; make somebody else one first.');
    END IF;
END
$$;

-- Cancels the jobs of a user who is about to be deleted: the caller, or for an administrator anyone. It has to be committed
-- before the deletion begins: an import that is under way holds the user's row until it learns that its job is gone.
-- 409 last_admin, as the deletion would refuse it.
CREATE OR REPLACE FUNCTION app.cancel_jobs(leaving uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF leaving IS DISTINCT FROM current_user_id() AND granted_scope() IS DISTINCT FROM 'admin' THEN
        PERFORM misuse('Only an administrator cancels the jobs of another user.');
    END IF;
    IF EXISTS (SELECT FROM users AS u WHERE u.id = leaving AND u.role = 'admin' AND u.approved) THEN
        PERFORM require_another_administrator(leaving);
    END IF;
    DELETE FROM jobs AS j WHERE j.user_id = leaving;
END
$$;
REVOKE EXECUTE ON FUNCTION app.cancel_jobs FROM questlog_auth, questlog_operator, questlog_jobs;

-- Deletes a user: every row of theirs by cascade, their sign-in, and what the audit trail says of them. Their objects go by
-- the row in storage_deletions. The audit trail keeps a hash of their id, and who deleted them where it was somebody else.
-- False where there is no such user. 409 last_admin where nobody else could administrate.
CREATE OR REPLACE FUNCTION internal.erase_user(leaving uuid, client jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    caller uuid := current_user_id();
    hash bytea := sha256(convert_to(leaving::text, 'UTF8'));
    gone users;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('administrators', 0));
    SELECT u.* INTO gone FROM users AS u WHERE u.id = leaving FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    ELSIF gone.role = 'admin' AND gone.approved THEN
        PERFORM require_another_administrator(leaving);
    END IF;
    IF caller = leaving THEN
        INSERT INTO audit_log (event_type, action, details, request_id)
        VALUES ('user_deleted', 'delete', jsonb_build_object('user_hash', encode(hash, 'hex')), client ->> 'request_id');
    ELSE
        PERFORM audit('user_deleted', 'delete', client, jsonb_build_object('user_hash', encode(hash, 'hex')));
    END IF;
    -- The policy lets a row of the audit trail forget the user of the transaction alone.
    PERFORM set_config('app.user_id', leaving::text, true);
    UPDATE audit_log AS a
       SET user_id = NULL, session_id = NULL, ip_address = NULL, user_agent = NULL,
           resource_id = nullif(a.resource_id, leaving::text)
     WHERE a.user_id = leaving;
    UPDATE audit_log AS a SET resource_id = NULL WHERE a.resource_type = 'user' AND a.resource_id = leaving::text;
    PERFORM count_own_feedback(-1);
    PERFORM set_config('app.user_id', caller::text, true);
    INSERT INTO storage_deletions (object_key, is_prefix) VALUES (leaving || '/', true);
    INSERT INTO erasures (user_hash) VALUES (hash);
    UPDATE backups AS b SET created_by = NULL WHERE b.created_by = leaving;
    UPDATE restores AS r SET requested_by = NULL WHERE r.requested_by = leaving;
    UPDATE feedback AS f SET resolved_by = NULL WHERE f.resolved_by = leaving;
    UPDATE listening_prompt_templates AS t SET created_by = NULL WHERE t.created_by = leaving;
    UPDATE listening_prompt_presets AS p SET created_by = NULL WHERE p.created_by = leaving;
    DELETE FROM user_directory AS d WHERE d.user_id = leaving;
    DELETE FROM rate_limits AS r WHERE split_part(r.bucket, ':', 2) = leaving::text;
    PERFORM move_count('users', ARRAY[gone.role], gone.created_at, -1);
    DELETE FROM users AS u WHERE u.id = leaving;
    RETURN true;
END
$$;

-- Deletes the caller. 401 for a second request that waited for the first one; 409 last_admin.
CREATE OR REPLACE FUNCTION app.delete_user(client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF NOT erase_user(current_user_id(), client) THEN
        PERFORM refuse(401, 'unauthorized', 'Sign in to do this.');
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION app.delete_user FROM questlog_auth, questlog_operator, questlog_admin, questlog_jobs;
