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

-- How many entries of the audit trail there are in a half-open span of time; null narrows nothing. They are counted one by one.
CREATE OR REPLACE FUNCTION internal.count_entries(
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

-- The ids of a page of entries, the latest first; null narrows nothing. It is planned for the given values, since nearly all entries
-- may have one type of event, and a handful another.
CREATE OR REPLACE FUNCTION app.audit_page(
    of_user uuid, of_event text, of_resource text, of_status text, since timestamptz, until timestamptz, most int, skipped bigint
) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT a.id FROM audit_log AS a
          WHERE ($1 IS NULL OR a.user_id = $1) AND ($2 IS NULL OR a.event_type = $2)
            AND ($3 IS NULL OR a.resource_type = $3) AND ($4 IS NULL OR a.status = $4)
            AND a.created_at >= $5 AND a.created_at < $6
          ORDER BY a.created_at DESC, a.id DESC LIMIT $7 OFFSET $8'
        USING of_user, of_event, of_resource, of_status, since, until, most, skipped;
END
$$;

-- How many entries there are. The clean-up has counted the entries of each day; those counts are added up, and the entries before and
-- after the counted days are counted here. The entries of one user are all counted here, since no user has very many.
CREATE OR REPLACE FUNCTION app.count_audit(
    of_user uuid, of_event text, of_resource text, of_status text, since timestamptz, until timestamptz
) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    counted timestamptz := counted_until('audit');
    -- The days that are in the span as a whole.
    first_day timestamptz := date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC');
    behind timestamptz := CASE WHEN until >= counted THEN counted ELSE date_trunc('day', until, 'UTC') END;
BEGIN
    IF of_user IS NOT NULL OR behind <= first_day THEN
        RETURN count_entries(of_user, of_event, of_resource, of_status, since, until);
    END IF;
    RETURN coalesce((SELECT sum(c.total) FROM list_counts AS c
                      WHERE c.list = 'audit' AND c.day >= (first_day AT TIME ZONE 'UTC')::date
                        AND c.day < (behind AT TIME ZONE 'UTC') AND (of_event IS NULL OR c.kind[1] = of_event)
                        AND (of_resource IS NULL OR c.kind[2] = of_resource) AND (of_status IS NULL OR c.kind[3] = of_status)), 0)
         + count_entries(NULL, of_event, of_resource, of_status, since, first_day)
         + count_entries(NULL, of_event, of_resource, of_status, behind, until);
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
REVOKE EXECUTE ON FUNCTION app.search_users, app.users_page, app.count_users, app.live_sessions, app.audit_page, app.count_audit, app.change_user,
    app.delete_other_user FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
REVOKE EXECUTE ON FUNCTION app.user_statistics FROM questlog_app, questlog_auth, questlog_operator;

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

-- Feedback ---------------------------------------------------------------------------------------------------------------

-- How many reports there are, of a status and a type where they are given.
CREATE OR REPLACE FUNCTION app.count_feedback(of_status text, of_type text) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    counted timestamptz := counted_until('feedback');
    total bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM feedback AS f
              WHERE f.created_at >= $1 AND ($2 IS NULL OR f.status = $2) AND ($3 IS NULL OR f.feedback_type = $3)'
       INTO total USING counted, of_status, of_type;
    RETURN total + coalesce((SELECT sum(c.total) FROM list_counts AS c
                              WHERE counted > '-infinity' AND c.list = 'feedback'
                                AND (of_status IS NULL OR c.kind[1] = of_status)
                                AND (of_type IS NULL OR c.kind[2] = of_type)), 0);
END
$$;
REVOKE EXECUTE ON FUNCTION app.count_feedback FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

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

-- Statistics -------------------------------------------------------------------------------------------------------------

-- The numbers of GET /admin/stats, counted now: which part of it, which number. Whoever asks sees the rows of all users.
--   The rows of a user's ledger are numbered, so the last one says how many there are. Positive coins are what was earned, what of
--   it was taken back, and what was given back of what was spent.
CREATE OR REPLACE FUNCTION app.count_statistics(terms_version text) RETURNS TABLE (part text, name text, value bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'users', n.name, n.value
      FROM user_statistics(terms_version) AS u
     CROSS JOIN LATERAL (VALUES
           ('total_users', u.total_users), ('tos_accepted', u.tos_accepted), ('admins', u.admins),
           ('active_7d', u.active_7d), ('active_30d', u.active_30d)) AS n (name, value)
     UNION ALL
    SELECT 'content', n.name, n.value
      FROM (VALUES
           ('exercises', (SELECT count(*) FROM exercises AS e WHERE e.owner_id IS NULL)),
           ('learn_topics', (SELECT count(*) FROM learn_topics)),
           ('learn_lessons', (SELECT count(*) FROM learn_lessons)),
           ('learn_drills', (SELECT count(*) FROM learn_drills)),
           ('universal_quests', (SELECT count(*) FROM universal_quests)),
           ('user_quests', (SELECT count(*) FROM quests)),
           ('market_items', (SELECT count(*) FROM market_items AS m WHERE m.owner_id IS NULL))) AS n (name, value)
     UNION ALL
    SELECT 'activity', n.name, n.value
      FROM (SELECT count(*) AS sessions, count(*) FILTER (WHERE s.status = 'completed') AS completed,
                   coalesce(sum(s.actual_seconds / 60), 0)::bigint AS minutes
              FROM focus_sessions AS s WHERE s.mode = 'focus') AS f
     CROSS JOIN LATERAL (VALUES
           ('total_focus_sessions', f.sessions), ('completed_focus', f.completed), ('total_focus_minutes', f.minutes),
           ('total_events',
            (SELECT coalesce(sum((SELECT max(l.seq) FROM points_ledger AS l WHERE l.user_id = u.id)), 0)::bigint FROM users AS u)
                + (SELECT count(*) FROM activity_events)),
           ('events_24h', (SELECT count(*) FROM events_of_all AS e WHERE e.created_at > clock() - interval '24 hours')),
           ('habit_completions', (SELECT count(*) FROM habit_completions)),
           ('total_goals', (SELECT count(*) FROM goals)),
           ('total_ideas', (SELECT count(*) FROM ideas)),
           ('total_books', (SELECT count(*) FROM books)),
           ('reference_tracks', (SELECT count(*) FROM reference_tracks))) AS n (name, value)
     UNION ALL
    SELECT 'gamification', n.name, n.value
      FROM (VALUES
           ('total_coins_distributed',
            ((SELECT coalesce(sum(w.total_earned), 0) FROM user_wallet AS w)
                + (SELECT coalesce(sum(abs(l.coins)), 0) FROM points_ledger AS l WHERE l.reverses IS NOT NULL))::bigint),
           ('total_xp_distributed', (SELECT coalesce(sum(p.total_xp), 0)::bigint FROM user_progress AS p)),
           ('achievements_earned', (SELECT count(*) FROM user_achievements)),
           ('total_purchases', (SELECT count(*) FROM user_purchases))) AS n (name, value);
END;

-- Whether there are too many rows to count all of them while a request waits, by what the planner estimates.
CREATE OR REPLACE FUNCTION app.place_is_large() RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT sum(greatest(c.reltuples, 0)) > 20000
      FROM pg_class AS c
     WHERE c.oid = ANY (ARRAY[
           'users', 'user_progress', 'user_wallet', 'user_achievements', 'user_purchases', 'quests', 'focus_sessions',
           'activity_events', 'habit_completions', 'goals', 'ideas', 'books', 'reference_tracks']::regclass[]);
END;

-- When the numbers of GET /admin/stats were counted: now, or in a large place when the clean-up counted them last.
CREATE OR REPLACE FUNCTION app.statistics_time() RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN place_is_large() THEN coalesce(nullif(counted_until('statistics'), '-infinity'), clock()) ELSE clock() END;
END;

-- The numbers of that time.
CREATE OR REPLACE FUNCTION app.known_statistics(terms_version text) RETURNS TABLE (part text, name text, value bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF statistics_time() < clock() THEN
        RETURN QUERY SELECT c.kind[1], c.kind[2], c.total FROM list_counts AS c WHERE c.list = 'statistics';
    ELSE
        RETURN QUERY SELECT s.* FROM count_statistics(terms_version) AS s;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION app.known_statistics, app.statistics_time FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
REVOKE EXECUTE ON FUNCTION app.count_statistics, app.place_is_large, app.keep_counts, app.recounted_lists, app.count_miscounts
    FROM questlog_app, questlog_auth, questlog_operator;

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
