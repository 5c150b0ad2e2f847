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
-- text of a pattern (see LIKE) where one is given. Either is planned for its value: one role is nearly everyone's, and another
-- a handful's.
CREATE OR REPLACE FUNCTION app.users_page(pattern text, wanted_role text, page_size int, first bigint) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF pattern IS NOT NULL THEN
        RETURN QUERY EXECUTE
            'SELECT u.id FROM users AS u
              WHERE (lower(u.email) LIKE $1 OR lower(u.name) LIKE $1) AND ($2 IS NULL OR u.role = $2)
              ORDER BY u.created_at DESC, u.id LIMIT $3 OFFSET $4' USING lower(pattern), wanted_role, page_size, first;
    ELSIF wanted_role IS NOT NULL THEN
        RETURN QUERY EXECUTE
            'SELECT u.id FROM users AS u WHERE u.role = $1
              ORDER BY u.created_at DESC, u.id LIMIT $2 OFFSET $3' USING wanted_role, page_size, first;
    ELSE
        RETURN QUERY SELECT u.id FROM users AS u ORDER BY u.created_at DESC, u.id LIMIT page_size OFFSET first;
    END IF;
END
$$;

-- How many users there are on all pages of such a list.
CREATE OR REPLACE FUNCTION app.count_users(pattern text, wanted_role text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    total bigint;
BEGIN
    IF pattern IS NOT NULL THEN
        EXECUTE 'SELECT count(*) FROM users AS u
                  WHERE (lower(u.email) LIKE $1 OR lower(u.name) LIKE $1) AND ($2 IS NULL OR u.role = $2)'
           INTO total USING lower(pattern), wanted_role;
    ELSIF wanted_role IS NOT NULL THEN
        EXECUTE 'SELECT count(*) FROM users AS u WHERE u.role = $1' INTO total USING wanted_role;
    ELSE
        total := (SELECT count(*) FROM users);
    END IF;
    RETURN total;
END
$$;

-- The 500 live sessions that were active last, of all users or of one. A session of a browser ends after so long without use.
CREATE OR REPLACE FUNCTION app.live_sessions(idle_limit interval, of_user uuid) RETURNS TABLE (user_id uuid, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500 SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.user_id, s.id FROM sessions AS s
          WHERE ($1 IS NULL OR s.user_id = $1)
            AND s.expires_at > $2 AND (s.kind = ''token'' OR s.last_activity_at > $2 - $3)
          ORDER BY s.last_activity_at DESC, s.id LIMIT 500' USING of_user, clock(), idle_limit;
END
$$;

-- How many entries of the audit trail there are in a half-open span of time; null narrows nothing.
CREATE OR REPLACE FUNCTION app.count_audit(
    of_user uuid, of_event text, of_resource text, of_status text, since timestamptz, until timestamptz
) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    total bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM audit_log AS a
              WHERE ($1 IS NULL OR a.user_id = $1) AND ($2 IS NULL OR a.event_type = $2)
                AND ($3 IS NULL OR a.resource_type = $3) AND ($4 IS NULL OR a.status = $4)
                AND a.created_at >= $5 AND a.created_at < $6'
       INTO total USING of_user, of_event, of_resource, of_status, since, until;
    RETURN total;
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
REVOKE EXECUTE ON FUNCTION app.users_page, app.count_users, app.live_sessions, app.count_audit, app.user_statistics,
    app.change_user, app.delete_other_user FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

SET LOCAL ROLE questlog_owner;

-- Universal quests -------------------------------------------------------------------------------------------------------

-- Refuses a universal quest whose fields do not fit what there is, naming them as the wire does.
CREATE OR REPLACE FUNCTION internal.require_fitting_quest(q universal_quests) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM refuse_fields(jsonb_strip_nulls(jsonb_build_object(
        'target_type', CASE WHEN q.target_type NOT IN ('streak_days', 'manual')
                             AND NOT EXISTS (SELECT FROM counters AS c WHERE c.counter = q.target_type)
                            THEN 'must be a counter of the ledger, streak_days or manual' END,
        'skill_id', CASE WHEN q.skill_key IS NOT NULL
                          AND NOT EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = q.skill_key)
                         THEN 'must be the id of a skill' END,
        'ends_at', CASE WHEN q.ends_at <= q.starts_at THEN 'must be after starts_at' END)));
END
$$;

-- Adds a universal quest with all fields of `sent`, which are columns. Without a key its id is its key. 409 duplicate_key.
CREATE OR REPLACE FUNCTION app.add_universal_quest(quest uuid, sent jsonb, client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    q universal_quests := jsonb_populate_record(NULL::universal_quests, sent);
BEGIN
    PERFORM require_fitting_quest(q);
    INSERT INTO universal_quests (
        id, key, title, description, category, difficulty, quest_type, xp_reward, coin_reward, target, target_type, skill_key,
        is_active, starts_at, ends_at, sort_order)
    VALUES (quest, coalesce(q.key, quest::text), q.title, q.description, q.category, q.difficulty, q.quest_type, q.xp_reward,
            q.coin_reward, q.target, q.target_type, q.skill_key, q.is_active, q.starts_at, q.ends_at, q.sort_order);
    PERFORM audit('resource_created', 'create', client, '{}', 'success', 'quest', quest::text);
EXCEPTION WHEN unique_violation THEN
    PERFORM refuse(409, 'duplicate_key', 'Another quest has this key.');
END
$$;

-- Changes the fields of a universal quest that `sent` holds. Does nothing where there is none. 409 duplicate_key.
CREATE OR REPLACE FUNCTION app.change_universal_quest(quest uuid, sent jsonb, client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    q universal_quests;
BEGIN
    SELECT u.* INTO q FROM universal_quests AS u WHERE u.id = quest FOR UPDATE;
    IF NOT FOUND OR sent = '{}' THEN
        RETURN;
    END IF;
    q := jsonb_populate_record(q, sent);
    PERFORM require_fitting_quest(q);
    UPDATE universal_quests AS u
       SET (key, title, description, category, difficulty, quest_type, xp_reward, coin_reward, target, target_type, skill_key,
            is_active, starts_at, ends_at, sort_order)
         = (q.key, q.title, q.description, q.category, q.difficulty, q.quest_type, q.xp_reward, q.coin_reward, q.target,
            q.target_type, q.skill_key, q.is_active, q.starts_at, q.ends_at, q.sort_order)
     WHERE u.id = quest;
    PERFORM audit('resource_updated', 'update', client, '{}', 'success', 'quest', quest::text);
EXCEPTION WHEN unique_violation THEN
    PERFORM refuse(409, 'duplicate_key', 'Another quest has this key.');
END
$$;

-- Deletes a universal quest; one that is built in, or that a user has begun, is archived. Returns which it was; no row where
-- there is none. It runs as who calls it, an administrator's request, which sees whether anyone has begun the quest.
CREATE OR REPLACE FUNCTION app.delete_universal_quest(quest uuid, client jsonb, OUT archived boolean) RETURNS SETOF boolean
LANGUAGE plpgsql AS $$
BEGIN
    -- Who begins the quest meanwhile waits for this lock, or is seen below.
    SELECT q.is_built_in INTO archived FROM universal_quests AS q WHERE q.id = quest FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    archived := archived OR EXISTS (SELECT FROM user_quest_progress AS p WHERE p.universal_quest_id = quest);
    IF archived THEN
        UPDATE universal_quests AS q SET is_active = false WHERE q.id = quest;
    ELSE
        DELETE FROM universal_quests AS q WHERE q.id = quest;
    END IF;
    PERFORM audit('resource_deleted', 'delete', client, jsonb_build_object('archived', archived), 'success', 'quest',
                  quest::text);
    RETURN NEXT;
END
$$;

-- Skills -----------------------------------------------------------------------------------------------------------------

-- A skill as administrators see it.
CREATE OR REPLACE VIEW app.skills_shown WITH (security_invoker = true) AS
SELECT s.key AS id, s.name, s.description, s.color, s.max_level, s.xp_scaling_base,
       s.xp_scaling_multiplier::double precision AS xp_scaling_multiplier, s.sort_order AS display_order, s.is_active
  FROM skill_definitions AS s;

-- Changes the fields of a skill that `sent` holds, which are columns. Returns whether there is such a skill.
CREATE OR REPLACE FUNCTION app.change_skill(skill text, sent jsonb, client jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    UPDATE skill_definitions AS s
       SET (name, description, color, max_level, xp_scaling_base, xp_scaling_multiplier, sort_order, is_active)
         = (SELECT n.name, n.description, n.color, n.max_level, n.xp_scaling_base, n.xp_scaling_multiplier, n.sort_order,
                   n.is_active
              FROM jsonb_populate_record(s, sent) AS n)
     WHERE s.key = skill;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF sent <> '{}' THEN
        PERFORM audit('resource_updated', 'update', client, '{}', 'success', 'skill', skill);
    END IF;
    RETURN true;
END
$$;

-- Adds a skill behind the others, with all fields of `fields`. Where there is one with this key, it gets the fields of
-- `sent`.
CREATE OR REPLACE FUNCTION app.put_skill(skill text, fields jsonb, sent jsonb, client jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    INSERT INTO skill_definitions (
        key, name, description, color, max_level, xp_scaling_base, xp_scaling_multiplier, sort_order)
    SELECT skill, n.name, n.description, n.color, n.max_level, n.xp_scaling_base, n.xp_scaling_multiplier,
           (SELECT coalesce(max(s.sort_order), 0) + 1 FROM skill_definitions AS s)
      FROM jsonb_populate_record(NULL::skill_definitions, fields) AS n
    ON CONFLICT (key) DO NOTHING;
    IF FOUND THEN
        PERFORM audit('resource_created', 'create', client, '{}', 'success', 'skill', skill);
    ELSE
        PERFORM change_skill(skill, sent, client);
    END IF;
END
$$;

-- Deletes a skill; one that is built in is archived. 409 in_use where a user has it, or content gives it. No row where there
-- is none. It runs as who calls it, an administrator's request, which sees the rows of all users.
CREATE OR REPLACE FUNCTION app.delete_skill(skill text, client jsonb, OUT archived boolean) RETURNS SETOF boolean
LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever is given the skill meanwhile waits for this lock, or is seen below.
    SELECT s.is_built_in INTO archived FROM skill_definitions AS s WHERE s.key = skill FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM user_skills AS s WHERE s.skill_key = skill)
        OR EXISTS (SELECT FROM habits AS h WHERE h.skill_key = skill)
        OR EXISTS (SELECT FROM quests AS q WHERE q.skill_key = skill)
    THEN
        PERFORM refuse(409, 'in_use', 'Users have this skill; it can be made inactive.');
    ELSIF archived THEN
        UPDATE skill_definitions AS s SET is_active = false WHERE s.key = skill;
    ELSE
        DELETE FROM skill_definitions AS s WHERE s.key = skill;
    END IF;
    PERFORM audit('resource_deleted', 'delete', client, jsonb_build_object('archived', archived), 'success', 'skill', skill);
    RETURN NEXT;
EXCEPTION WHEN foreign_key_violation THEN
    PERFORM refuse(409, 'in_use', 'Lessons or quests give this skill; it can be made inactive.');
END
$$;
REVOKE EXECUTE ON FUNCTION app.add_universal_quest, app.change_universal_quest, app.delete_universal_quest, app.change_skill,
    app.put_skill, app.delete_skill FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

-- Audit ------------------------------------------------------------------------------------------------------------------

-- The audit trail as administrators see it.
CREATE OR REPLACE VIEW app.audit_shown WITH (security_invoker = true) AS
SELECT a.id, a.user_id, (SELECT u.email FROM users AS u WHERE u.id = a.user_id) AS user_email, a.event_type,
       a.resource_type, a.resource_id, a.action, a.status, a.details, host(a.ip_address) AS ip_address, a.user_agent,
       a.request_id, a.created_at
  FROM audit_log AS a;

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

-- Events -----------------------------------------------------------------------------------------------------------------

-- What users did: what the ledger recorded, and what clients logged.
CREATE OR REPLACE VIEW app.events_of_all WITH (security_invoker = true) AS
SELECT l.user_id, l.event_type, l.created_at FROM points_ledger AS l
 UNION ALL
SELECT e.user_id, e.event_type, e.created_at FROM activity_events AS e;

-- The newest 20 events of all users. They are looked for in the last ten minutes first, then in the last day, then in all: an
-- index of each row by its time would cost every award, and the small one there is finds the rows of a span of time.
CREATE OR REPLACE FUNCTION app.newest_events() RETURNS TABLE (user_id uuid, event_type text, created_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF 20 = (SELECT count(*) FROM (SELECT FROM events_of_all AS e
                                    WHERE e.created_at > clock() - interval '10 minutes' LIMIT 20) AS first_ones) THEN
        RETURN QUERY SELECT e.* FROM events_of_all AS e WHERE e.created_at > clock() - interval '10 minutes'
                      ORDER BY e.created_at DESC LIMIT 20;
    ELSIF 20 = (SELECT count(*) FROM (SELECT FROM events_of_all AS e
                                       WHERE e.created_at > clock() - interval '1 day' LIMIT 20) AS first_ones) THEN
        RETURN QUERY SELECT e.* FROM events_of_all AS e WHERE e.created_at > clock() - interval '1 day'
                      ORDER BY e.created_at DESC LIMIT 20;
    ELSE
        RETURN QUERY SELECT e.* FROM events_of_all AS e ORDER BY e.created_at DESC LIMIT 20;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION app.newest_events FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

SET LOCAL ROLE questlog_identity;

-- Locks users against signing in, being changed or deleted, to the end of the transaction.
CREATE OR REPLACE FUNCTION app.lock_users(wanted uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    -- The lock that a deletion takes comes first here too, or the two could wait for each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('administrators', 0));
    PERFORM FROM users AS u WHERE u.id = ANY (wanted) ORDER BY u.id FOR UPDATE;
END
$$;
REVOKE EXECUTE ON FUNCTION app.lock_users FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
