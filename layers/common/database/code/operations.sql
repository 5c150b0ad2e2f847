SET LOCAL ROLE questlog_owner;

-- Content that administrators make --------------------------------------------------------------------------------------
-- A row is checked as it will be, before it is written: a constraint would refuse it without a sentence.

-- Those who write the same type of content take turns, so that two cannot choose the same key.
CREATE OR REPLACE FUNCTION app.lock_content(content_type text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT pg_advisory_xact_lock(hashtextextended('content ' || content_type, 0));
END;

-- Refuses another key for a built-in row, by which a later seed finds it, and a key that another row of the type has.
CREATE OR REPLACE FUNCTION internal.require_key(renames_built_in boolean, is_taken boolean) RETURNS boolean
LANGUAGE sql
RETURN (NOT renames_built_in OR refuse_field('key', 'cannot be changed of what is built in'))
       AND (NOT is_taken OR refuse(409, 'duplicate_key', 'Another row of this type has that key.'));

CREATE OR REPLACE FUNCTION app.is_fit_item(r market_items) RETURNS boolean
LANGUAGE sql
RETURN ((r.available_until > r.available_from) IS NOT FALSE
        OR refuse_field('available_until', 'must be after available_from'))
       AND (r.is_consumable OR coalesce(r.limit_per_user, 1) = 1
            OR refuse_field('limit_per_user', 'must be 1 for what is not consumable'))
       AND (r.is_consumable OR r.limit_period = 'ever'
            OR refuse_field('limit_period', 'must be ever for what is not consumable'))
       AND (r.is_consumable OR r.valid_days IS NULL
            OR refuse_field('valid_days', 'must be null for what is not consumable'))
       AND (r.effect_json IS NULL OR r.is_consumable = (r.effect_json ->> 'type' <> 'unlock')
            OR refuse_field('effect_json', 'of what is consumed is a boost or a shield, and of what is kept an unlock'))
       AND require_key(
           EXISTS (SELECT FROM market_items AS i WHERE i.owner_id IS NULL AND i.id = r.id AND i.is_built_in AND i.key <> r.key),
           EXISTS (SELECT FROM market_items AS i
                    WHERE i.owner_id IS NULL AND i.key = r.key AND i.id IS DISTINCT FROM r.id));

CREATE OR REPLACE FUNCTION app.is_fit_topic(r learn_topics) RETURNS boolean
LANGUAGE sql
RETURN require_key(
    EXISTS (SELECT FROM learn_topics AS t WHERE t.id = r.id AND t.is_built_in AND t.key <> r.key),
    EXISTS (SELECT FROM learn_topics AS t WHERE t.key = r.key AND t.id IS DISTINCT FROM r.id));

CREATE OR REPLACE FUNCTION internal.require_topic(topic uuid) RETURNS boolean
LANGUAGE sql
RETURN EXISTS (SELECT FROM learn_topics AS t WHERE t.id = topic) OR refuse_field('topic_id', 'is not the id of a topic');

CREATE OR REPLACE FUNCTION app.is_fit_lesson(r learn_lessons) RETURNS boolean
LANGUAGE sql
RETURN require_topic(r.topic_id)
       AND (EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = r.skill_key)
            OR refuse_field('skill_key', 'is not the key of a skill'))
       AND require_key(
           EXISTS (SELECT FROM learn_lessons AS l WHERE l.id = r.id AND l.is_built_in AND l.key <> r.key),
           EXISTS (SELECT FROM learn_lessons AS l WHERE l.key = r.key AND l.id IS DISTINCT FROM r.id));

CREATE OR REPLACE FUNCTION app.is_fit_drill(r learn_drills) RETURNS boolean
LANGUAGE sql
RETURN require_topic(r.topic_id)
       AND require_key(
           EXISTS (SELECT FROM learn_drills AS d WHERE d.id = r.id AND d.is_built_in AND d.key <> r.key),
           EXISTS (SELECT FROM learn_drills AS d WHERE d.key = r.key AND d.id IS DISTINCT FROM r.id));

-- Whether a trigger has what its type asks for (core contract, 1.6).
CREATE OR REPLACE FUNCTION internal.is_trigger(trigger_type text, config jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE trigger_type
    WHEN 'counter' THEN config ? 'count' AND EXISTS (SELECT FROM counters AS c WHERE c.counter = config ->> 'counter')
    WHEN 'streak' THEN
        config ? 'count' AND EXISTS (SELECT FROM streak_types AS s WHERE s.streak_type = config ->> 'streak_type')
    WHEN 'event' THEN EXISTS (SELECT FROM event_definitions AS e WHERE e.event_type = config ->> 'event_type')
    ELSE config ? 'level'
END;

-- `old_key` is null for a new one. The key is what users' achievements name, so it stays.
CREATE OR REPLACE FUNCTION app.is_fit_achievement(r achievement_definitions, old_key text) RETURNS boolean
LANGUAGE sql
RETURN (is_trigger(r.trigger_type, r.trigger_config)
        OR refuse_field('trigger_config', 'does not have what a trigger of this type waits for'))
       AND (old_key = r.key IS NOT FALSE OR refuse_field('key', 'of an achievement cannot be changed'))
       AND require_key(
           false, old_key IS NULL AND EXISTS (SELECT FROM achievement_definitions AS a WHERE a.key = r.key));

-- Whether anything of a user's refers to a row of content: then it is archived, not deleted ------------------------------

CREATE OR REPLACE FUNCTION app.is_item_used(item uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_purchases AS p
                WHERE p.item_owner = '00000000-0000-0000-0000-000000000000' AND p.item_id = item)
       OR EXISTS (SELECT FROM user_saving_goal AS g
                   WHERE g.item_owner = '00000000-0000-0000-0000-000000000000' AND g.item_id = item);

-- Lessons and drills refer to their topic, used or not.
CREATE OR REPLACE FUNCTION app.is_topic_used(topic uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM learn_lessons AS l WHERE l.topic_id = topic)
       OR EXISTS (SELECT FROM learn_drills AS d WHERE d.topic_id = topic);

CREATE OR REPLACE FUNCTION app.is_lesson_used(lesson uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_lesson_progress AS p WHERE p.lesson_id = lesson)
       OR EXISTS (SELECT FROM flashcards AS c WHERE c.source_lesson_id = lesson);

CREATE OR REPLACE FUNCTION app.is_drill_used(drill uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_drill_stats AS s WHERE s.drill_id = drill);

CREATE OR REPLACE FUNCTION app.is_exercise_used(exercise uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workout_exercises AS w
                WHERE w.exercise_owner = '00000000-0000-0000-0000-000000000000' AND w.exercise_id = exercise)
       OR EXISTS (SELECT FROM session_exercises AS s
                   WHERE s.exercise_owner = '00000000-0000-0000-0000-000000000000' AND s.exercise_id = exercise)
       OR EXISTS (SELECT FROM personal_records AS p
                   WHERE p.exercise_owner = '00000000-0000-0000-0000-000000000000' AND p.exercise_id = exercise)
       OR EXISTS (SELECT FROM exercises AS e
                   WHERE e.merged_into_owner = '00000000-0000-0000-0000-000000000000' AND e.merged_into = exercise);

CREATE OR REPLACE FUNCTION app.is_achievement_used(achievement text) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_achievements AS a WHERE a.achievement_key = achievement);
