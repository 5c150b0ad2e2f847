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
