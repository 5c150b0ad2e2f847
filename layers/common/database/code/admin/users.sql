SET LOCAL ROLE questlog_owner;

-- Users as administrators see them. Level, XP and coins are looked up by key for each row that is shown: for a join Postgres
-- may read these tables whole.
CREATE OR REPLACE VIEW app.users_shown WITH (security_invoker = true) AS
SELECT u.id, u.email, u.name, u.image, u.role, u.approved, u.age_verified_at IS NOT NULL AS age_verified, u.tos_version,
       u.last_activity_at, u.created_at,
       coalesce((SELECT p.current_level FROM user_progress AS p WHERE p.user_id = u.id), 1) AS level,
       coalesce((SELECT p.total_xp FROM user_progress AS p WHERE p.user_id = u.id), 0) AS total_xp,
       coalesce((SELECT w.coins FROM user_wallet AS w WHERE w.user_id = u.id), 0) AS coins
  FROM users AS u;

-- In how many tables a user has rows. Called by requests of administrators, which see the rows of all users.
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

-- The functions below read users as questlog_identity, which may see all users. So searches and counts can use the indexes alone;
-- for questlog_admin the policy would be checked on each row first.

-- The part of a text that the trigram index finds fastest. The index looks up every trigram of the text, and those of `@example.org`
-- or `user` may be in the e-mail address of every user. So the longest part is taken that has no trigram which more than a quarter of
-- the newest users have; one or two letters of a longer word at its ends are cut off. The whole text if there is no such part.
CREATE OR REPLACE FUNCTION internal.rarest_part(wanted text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH sample AS MATERIALIZED (
        SELECT lower(u.email || ' ' || u.name) AS words FROM users AS u ORDER BY u.created_at DESC, u.id LIMIT 20
    ), trigrams AS (
        SELECT i, (SELECT count(*) FROM sample AS s WHERE position(substr(wanted, i, 3) IN s.words) > 0) <= 5 AS is_rare
          FROM generate_series(1, length(wanted) - 2) AS i
    ), numbered AS (
        SELECT i, i - row_number() OVER (ORDER BY i) AS part FROM trigrams WHERE is_rare
    ), longest AS (
        SELECT substr(wanted, min(i), count(*)::int + 2) AS part
          FROM numbered AS n GROUP BY n.part ORDER BY count(*) DESC, min(i) LIMIT 1
    )
    SELECT coalesce(
           (SELECT regexp_replace(l.part, '^[[:alnum:]]{1,2}(?![[:alnum:]])|(?<![[:alnum:]])[[:alnum:]]{1,2}$', '', 'g') FROM longest AS l),
           wanted);
END;

-- The pattern of LIKE for what contains a text.
CREATE OR REPLACE FUNCTION internal.containing(wanted text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN '%' || regexp_replace(wanted, '([\\%_])', '\\\1', 'g') || '%';

-- The ids of the users whose e-mail or name contains a text in any case, newest first; only those of a role if one is given. The index
-- finds the rarest part of the text, and position() then checks all of it. The time of a search grows with its hits.
CREATE OR REPLACE FUNCTION app.search_users(wanted text, wanted_role text) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    -- OFFSET 0: the users are found first and sorted then. Otherwise the planner may read all users from the newest on to find a few.
    RETURN QUERY EXECUTE
        'SELECT f.id
           FROM (SELECT u.id, u.created_at FROM users AS u
                  WHERE (lower(u.email) LIKE $2 AND position($1 IN lower(u.email)) > 0
                         OR lower(u.name) LIKE $2 AND position($1 IN lower(u.name)) > 0)
                    AND ($3 IS NULL OR u.role = $3) OFFSET 0) AS f
          ORDER BY f.created_at DESC, f.id'
        USING lower(wanted), containing(rarest_part(lower(wanted))), wanted_role;
END
$$;

-- The ids of a page of users, newest first; only those of a role if one is given. It is planned for the given role, since nearly all
-- users have one role and a handful the other.
CREATE OR REPLACE FUNCTION app.users_page(wanted_role text, page_size int, first bigint) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF wanted_role IS NULL THEN
        RETURN QUERY SELECT u.id FROM users AS u ORDER BY u.created_at DESC, u.id LIMIT page_size OFFSET first;
    ELSE
        RETURN QUERY EXECUTE
            'SELECT u.id FROM users AS u WHERE u.role = $1
              ORDER BY u.created_at DESC, u.id LIMIT $2 OFFSET $3' USING wanted_role, page_size, first;
    END IF;
END
$$;

-- How many users there are; of a role where one is given.
CREATE OR REPLACE FUNCTION app.count_users(wanted_role text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    counted timestamptz := counted_until('users');
    total bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM users AS u WHERE u.created_at >= $1 AND ($2 IS NULL OR u.role = $2)'
       INTO total USING counted, wanted_role;
    RETURN total + coalesce((SELECT sum(c.total) FROM list_counts AS c
                              WHERE counted > '-infinity' AND c.list = 'users'
                                AND (wanted_role IS NULL OR c.kind = ARRAY[wanted_role])), 0);
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
           count(*) FILTER (WHERE u.last_activity_at > (SELECT clock() - interval '7 days')),
           count(*) FILTER (WHERE u.last_activity_at > (SELECT clock() - interval '30 days'))
      FROM users AS u;
END;

-- Changes a user's role, or suspends or readmits them; null keeps. A suspended user's sessions end. Does nothing where there
-- is no such user. 409 self for the caller, 409 last_admin where nobody else could administrate.
--
-- The lock makes changes of administrators go one after another. The user's row is locked before their sessions are deleted:
-- a sign-in that has begun either has its session by then, or finds the user suspended.
CREATE OR REPLACE FUNCTION app.change_user(target uuid, new_role text, new_approved boolean, client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    caller uuid := current_user_id();
    before users;
    after users;
BEGIN
    IF target = caller THEN
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
        PERFORM move_count('users', ARRAY[before.role], before.created_at, -1);
        PERFORM move_count('users', ARRAY[after.role], before.created_at, 1);
        PERFORM audit('role_changed', 'update', client, jsonb_build_object('from', before.role, 'to', after.role), 'success',
                      'user', target::text);
    END IF;
    IF before.approved AND NOT after.approved THEN
        DELETE FROM sessions AS s WHERE s.user_id = target;
        PERFORM audit('user_suspended', 'update', client, '{}', 'success', 'user', target::text);
    ELSIF after.approved AND NOT before.approved THEN
        PERFORM audit('resource_updated', 'update', client, '{"approved": true}', 'success', 'user', target::text);
        -- The sender has forgotten what it came upon while they were suspended.
        PERFORM set_config('app.user_id', target::text, true);
        PERFORM plan_reminders();
        PERFORM set_config('app.user_id', caller::text, true);
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

-- Locks users against signing in, being changed or deleted, to the end of the transaction.
CREATE OR REPLACE FUNCTION app.lock_users(wanted uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    -- The lock that a deletion takes comes first here too, or the two could wait for each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('administrators', 0));
    PERFORM FROM users AS u WHERE u.id = ANY (wanted) ORDER BY u.id FOR UPDATE;
END
$$;
REVOKE EXECUTE ON FUNCTION app.search_users, app.users_page, app.count_users, app.change_user, app.delete_other_user, app.lock_users
    FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
REVOKE EXECUTE ON FUNCTION app.user_statistics FROM questlog_app, questlog_auth, questlog_operator;

SET LOCAL ROLE questlog_owner;

-- Abandoned accounts -----------------------------------------------------------------------------------------------------

-- The SQL of whether the account of a user `u` is empty, in the sense in which an import takes an account for empty. Each
-- table is asked by its index; OFFSET 0 keeps the planner from joining all of them.
CREATE OR REPLACE FUNCTION app.account_is_empty() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
RETURN (SELECT string_agg(format('NOT EXISTS (SELECT FROM %I AS t WHERE t.%I = u.id OFFSET 0)', t.name, t.owner), ' AND ')
          FROM export_tables() AS t WHERE t.name <> ALL (replaced_by_imports()));

-- The accounts that were abandoned before a moment, oldest first: of plain users who never gave their age or accepted terms,
-- created and last active before it, and empty. With `among` only these. Asked by an administrator's request.
CREATE OR REPLACE FUNCTION app.abandoned_users(before timestamptz, among uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        $sql$
        SELECT u.id FROM users AS u
         WHERE u.role = 'user' AND (u.age_verified_at IS NULL OR u.tos_accepted_at IS NULL)
           AND u.created_at < $1 AND coalesce(u.last_activity_at, u.created_at) < $1
           AND ($2 IS NULL OR u.id = ANY ($2))
           AND %s
         ORDER BY u.created_at, u.id
        $sql$, account_is_empty()) USING before, among;
END
$$;

-- Deletes abandoned accounts, at most 1000, oldest first. Returns their ids. Who comes back at that moment stays: once no
-- sign-in can come between, each account is looked at again.
CREATE OR REPLACE FUNCTION app.delete_abandoned_users(before timestamptz, among uuid[], client jsonb) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
    candidates uuid[] := ARRAY(SELECT a.id FROM abandoned_users(before, among) AS a (id) LIMIT 1000);
    abandoned uuid;
BEGIN
    PERFORM lock_users(candidates);
    FOR abandoned IN SELECT a.id FROM abandoned_users(before, candidates) AS a (id) LOOP
        PERFORM delete_other_user(abandoned, client);
        RETURN NEXT abandoned;
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION app.account_is_empty, app.abandoned_users, app.delete_abandoned_users
    FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
