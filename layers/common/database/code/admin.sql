SET LOCAL ROLE questlog_owner;

-- Users ------------------------------------------------------------------------------------------------------------------

-- Users as administrators see them. Level, XP and coins are looked up by key for each row that is shown: for a join Postgres
-- may read these tables whole.
CREATE OR REPLACE VIEW app.users_shown WITH (security_invoker = true) AS
SELECT u.id, u.email, u.name, u.image, u.role, u.approved, u.age_verified_at IS NOT NULL AS age_verified, u.tos_version,
       u.last_activity_at, u.created_at,
       coalesce((SELECT p.current_level FROM user_progress AS p WHERE p.user_id = u.id), 1) AS level,
       coalesce((SELECT p.total_xp FROM user_progress AS p WHERE p.user_id = u.id), 0) AS total_xp,
       coalesce((SELECT w.coins FROM user_wallet AS w WHERE w.user_id = u.id), 0) AS coins
  FROM users AS u;

-- In how many tables a user has rows. Asked by an administrator's request, which sees the rows of all.
CREATE OR REPLACE FUNCTION app.count_tables_of(wanted uuid) RETURNS int
LANGUAGE plpgsql STABLE AS $$
DECLARE
    tables text := (
        SELECT string_agg(format('(EXISTS (SELECT FROM %s AS t WHERE t.%I = $1))::int', k.conrelid::regclass, a.attname), ' + ')
          FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
         WHERE k.contype = 'f' AND k.confrelid = 'users'::regclass);
    held int;
BEGIN
    EXECUTE format('SELECT (EXISTS (SELECT FROM users AS u WHERE u.id = $1))::int + %s', tables) INTO held USING wanted;
    RETURN held;
END
$$;

-- Pays a user what an administrator decided, as the event admin_adjustment. Returns the id of its row in the audit trail and
-- the balances after it; no row where there is no such user. The ledger pays the user of the transaction, so that user is
-- set for the payment alone, and then the caller again.
CREATE OR REPLACE FUNCTION app.adjust_user(
    target uuid, given_xp bigint, given_coins bigint, why text, client jsonb,
    OUT audit_id uuid, OUT coins bigint, OUT total_xp bigint
) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    caller uuid := current_user_id();
    is_there boolean;
    paid award_result;
BEGIN
    PERFORM set_config('app.user_id', target::text, true);
    -- The lock keeps the user from being deleted before they are paid.
    is_there := EXISTS (SELECT FROM users AS u WHERE u.id = target FOR KEY SHARE);
    PERFORM set_config('app.user_id', caller::text, true);
    IF NOT is_there THEN
        RETURN;
    END IF;
    audit_id := audit('resource_updated', 'update', client, jsonb_build_object('xp', given_xp, 'coins', given_coins),
                      'success', 'user', target::text);
    PERFORM set_config('app.user_id', target::text, true);
    paid := award('admin_adjustment', 'admin', audit_id, given_xp, given_coins, 'admin_adjustment:' || audit_id, reason => why);
    PERFORM set_config('app.user_id', caller::text, true);
    coins := paid.balance;
    total_xp := paid.total_xp;
    RETURN NEXT;
END
$$;
REVOKE EXECUTE ON FUNCTION app.count_tables_of, app.adjust_user
    FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

SET LOCAL ROLE questlog_identity;

-- The functions below read users as questlog_identity, which may see all: then an index finds what is searched for, and rows
-- are counted from an index alone. For questlog_admin each row would first be asked whether it may be seen.

-- The ids of a page of users, newest first: those of a role where one is given, and those whose e-mail or name contains the
-- text of a pattern (see LIKE) where one is given.
CREATE OR REPLACE FUNCTION app.users_page(pattern text, wanted_role text, page_size int, first bigint) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF pattern IS NOT NULL THEN
        RETURN QUERY SELECT u.id FROM users AS u
                      WHERE (lower(u.email) LIKE lower(pattern) OR lower(u.name) LIKE lower(pattern))
                        AND (wanted_role IS NULL OR u.role = wanted_role)
                      ORDER BY u.created_at DESC, u.id LIMIT page_size OFFSET first;
    ELSIF wanted_role IS NOT NULL THEN
        RETURN QUERY SELECT u.id FROM users AS u WHERE u.role = wanted_role
                      ORDER BY u.created_at DESC, u.id LIMIT page_size OFFSET first;
    ELSE
        RETURN QUERY SELECT u.id FROM users AS u ORDER BY u.created_at DESC, u.id LIMIT page_size OFFSET first;
    END IF;
END
$$;

-- How many users there are on all pages of such a list.
CREATE OR REPLACE FUNCTION app.count_users(pattern text, wanted_role text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF pattern IS NOT NULL THEN
        RETURN (SELECT count(*) FROM users AS u
                 WHERE (lower(u.email) LIKE lower(pattern) OR lower(u.name) LIKE lower(pattern))
                   AND (wanted_role IS NULL OR u.role = wanted_role));
    ELSIF wanted_role IS NOT NULL THEN
        RETURN (SELECT count(*) FROM users AS u WHERE u.role = wanted_role);
    END IF;
    RETURN (SELECT count(*) FROM users);
END
$$;

-- The users in numbers: how many there are, have accepted these terms, are administrators, were active in the last 7 and 30
-- days.
CREATE OR REPLACE FUNCTION app.user_statistics(terms_version text) RETURNS TABLE (
    total_users bigint, tos_accepted bigint, admins bigint, active_7d bigint, active_30d bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT count(*), count(*) FILTER (WHERE u.tos_version = terms_version), count(*) FILTER (WHERE u.role = 'admin'),
           count(*) FILTER (WHERE u.last_activity_at > t.now - interval '7 days'),
           count(*) FILTER (WHERE u.last_activity_at > t.now - interval '30 days')
      FROM users AS u, (SELECT clock() AS now) AS t;
END;

-- Changes a user's role, or suspends or readmits them; null keeps. A suspended user's sessions end. Does nothing where there
-- is no such user. 409 self for the caller, 409 last_admin where nobody else could administrate.
--
-- The lock makes changes of administrators go one after another. The user's row is locked before their sessions are deleted:
-- a sign-in that has begun either has its session by then, or finds the user suspended.
CREATE OR REPLACE FUNCTION app.change_user(target uuid, new_role text, new_approved boolean, client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    before users;
    after users;
BEGIN
    IF target = current_user_id() THEN
        PERFORM refuse(409, 'self', 'Another administrator has to change your own role or access.');
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('administrators', 0));
    SELECT u.* INTO before FROM users AS u WHERE u.id = target FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE users AS u
       SET role = coalesce(new_role, u.role), approved = coalesce(new_approved, u.approved)
     WHERE u.id = target
    RETURNING u.* INTO after;
    IF (before.role = 'admin' AND before.approved) AND NOT (after.role = 'admin' AND after.approved) THEN
        PERFORM require_another_administrator(target);
    END IF;
    IF after.role <> before.role THEN
        PERFORM audit('role_changed', 'update', client, jsonb_build_object('from', before.role, 'to', after.role), 'success',
                      'user', target::text);
    END IF;
    IF before.approved AND NOT after.approved THEN
        DELETE FROM sessions AS s WHERE s.user_id = target;
        PERFORM audit('user_suspended', 'update', client, '{}', 'success', 'user', target::text);
    ELSIF after.approved AND NOT before.approved THEN
        PERFORM audit('resource_updated', 'update', client, '{"approved": true}', 'success', 'user', target::text);
    END IF;
END
$$;

-- Deletes another user, as they could delete themselves. False where there is no such user. 409 self, 409 last_admin.
CREATE OR REPLACE FUNCTION app.delete_other_user(leaving uuid, client jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF leaving = current_user_id() THEN
        PERFORM refuse(409, 'self', 'Delete your own account in your settings.');
    END IF;
    RETURN erase_user(leaving, client);
END
$$;
REVOKE EXECUTE ON FUNCTION app.users_page, app.count_users, app.user_statistics, app.change_user, app.delete_other_user
    FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
