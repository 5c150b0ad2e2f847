-- Content that administrators make for all users. Each type has the same five statements.

-- name: counts
SELECT 'market_items' AS content_type, count(*) AS rows FROM market_items AS i WHERE i.owner_id IS NULL
UNION ALL SELECT 'topics', count(*) FROM learn_topics
UNION ALL SELECT 'lessons', count(*) FROM learn_lessons
UNION ALL SELECT 'drills', count(*) FROM learn_drills
UNION ALL SELECT 'exercises', count(*) FROM exercises AS e WHERE e.owner_id IS NULL
UNION ALL SELECT 'achievements', count(*) FROM achievement_definitions;

-- name: list_market_items
-- Market items: those of the table that belong to no user.
SELECT count(*) AS total
  FROM market_items AS i
 WHERE i.owner_id IS NULL AND (%(include_inactive)s OR i.is_active)
   AND position(lower(%(search)s) IN lower(i.name || ' ' || i.key)) > 0;
SELECT i.*
  FROM market_items AS i
 WHERE i.owner_id IS NULL AND (%(include_inactive)s OR i.is_active)
   AND position(lower(%(search)s) IN lower(i.name || ' ' || i.key)) > 0
 ORDER BY i.sort_order, i.price_coins, i.name, i.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;

-- name: get_market_items
SELECT i.* FROM market_items AS i WHERE i.owner_id IS NULL AND i.id = %(id)s;

-- name: create_market_items
SELECT lock_content('market_items');
SELECT is_fit_item(r) FROM jsonb_populate_record(NULL::market_items, %(fields)s) AS r;
INSERT INTO market_items AS i (
    owner_id, id, key, name, description, category, price_coins, rarity, icon, is_active, is_consumable, uses_per_purchase,
    total_stock, remaining_stock, limit_per_user, limit_period, requires_level, valid_days, effect_json, available_from,
    available_until, sort_order)
SELECT NULL, %(id)s, r.key, r.name, r.description, r.category, r.price_coins, r.rarity, r.icon, r.is_active,
       r.is_consumable, r.uses_per_purchase, r.total_stock, r.total_stock,
       CASE WHEN r.is_consumable THEN r.limit_per_user ELSE 1 END, r.limit_period, r.requires_level, r.valid_days,
       r.effect_json, r.available_from, r.available_until, r.sort_order
  FROM jsonb_populate_record(NULL::market_items, %(fields)s) AS r
RETURNING i.*, audit('resource_created', 'create', %(client)s, resource_type => 'market_items', resource_id => i.id::text);

-- name: change_market_items
-- What was sold of a stock stays sold, so the remaining number changes by as much as the stock does.
SELECT lock_content('market_items');
SELECT i.id FROM market_items AS i WHERE i.owner_id IS NULL AND i.id = %(id)s FOR UPDATE;
SELECT is_fit_item(r)
  FROM market_items AS i, jsonb_populate_record(i, %(changes)s) AS r
 WHERE i.owner_id IS NULL AND i.id = %(id)s;
UPDATE market_items AS i
   SET (key, name, description, category, price_coins, rarity, icon, is_active, is_consumable, uses_per_purchase,
        total_stock, remaining_stock, limit_per_user, limit_period, requires_level, valid_days, effect_json, available_from,
        available_until, sort_order)
     = (SELECT r.key, r.name, r.description, r.category, r.price_coins, r.rarity, r.icon, r.is_active, r.is_consumable,
               r.uses_per_purchase, r.total_stock,
               CASE WHEN r.total_stock IS NULL OR i.total_stock IS NULL THEN r.total_stock
                    ELSE greatest(0, i.remaining_stock::bigint + r.total_stock - i.total_stock) END,
               CASE WHEN r.is_consumable THEN r.limit_per_user ELSE 1 END, r.limit_period, r.requires_level, r.valid_days,
               r.effect_json, r.available_from, r.available_until, r.sort_order
          FROM jsonb_populate_record(i, %(changes)s) AS r)
 WHERE i.owner_id IS NULL AND i.id = %(id)s
RETURNING i.*, audit('resource_updated', 'update', %(client)s, resource_type => 'market_items', resource_id => i.id::text);

-- name: delete_market_items
SELECT i.id FROM market_items AS i WHERE i.owner_id IS NULL AND i.id = %(id)s FOR UPDATE;
SELECT audit('resource_deleted', 'delete', %(client)s, resource_type => 'market_items', resource_id => i.id::text)
  FROM market_items AS i
 WHERE i.owner_id IS NULL AND i.id = %(id)s;
WITH archived AS (
    UPDATE market_items AS i
       SET is_active = false
     WHERE i.owner_id IS NULL AND i.id = %(id)s AND (i.is_built_in OR is_item_used(i.id))
    RETURNING i.id),
gone AS (
    DELETE FROM market_items AS i
     WHERE i.owner_id IS NULL AND i.id = %(id)s AND NOT (i.is_built_in OR is_item_used(i.id))
    RETURNING i.id)
SELECT true AS archived FROM archived UNION ALL SELECT false FROM gone;

-- name: list_topics
SELECT count(*) AS total
  FROM learn_topics AS t
 WHERE (%(include_inactive)s OR t.is_active)
   AND position(lower(%(search)s) IN lower(t.name || ' ' || t.key)) > 0;
SELECT t.*
  FROM learn_topics AS t
 WHERE (%(include_inactive)s OR t.is_active)
   AND position(lower(%(search)s) IN lower(t.name || ' ' || t.key)) > 0
 ORDER BY t.sort_order, t.name, t.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;

-- name: get_topics
SELECT t.* FROM learn_topics AS t WHERE t.id = %(id)s;

-- name: create_topics
SELECT lock_content('topics');
SELECT is_fit_topic(r) FROM jsonb_populate_record(NULL::learn_topics, %(fields)s) AS r;
INSERT INTO learn_topics AS t (id, key, name, description, category, icon, color, sort_order, is_active)
SELECT %(id)s, r.key, r.name, r.description, r.category, r.icon, r.color, r.sort_order, r.is_active
  FROM jsonb_populate_record(NULL::learn_topics, %(fields)s) AS r
RETURNING t.*, audit('resource_created', 'create', %(client)s, resource_type => 'topics', resource_id => t.id::text);

-- name: change_topics
SELECT lock_content('topics');
SELECT is_fit_topic(r) FROM learn_topics AS t, jsonb_populate_record(t, %(changes)s) AS r WHERE t.id = %(id)s;
UPDATE learn_topics AS t
   SET (key, name, description, category, icon, color, sort_order, is_active)
     = (SELECT r.key, r.name, r.description, r.category, r.icon, r.color, r.sort_order, r.is_active
          FROM jsonb_populate_record(t, %(changes)s) AS r)
 WHERE t.id = %(id)s
RETURNING t.*, audit('resource_updated', 'update', %(client)s, resource_type => 'topics', resource_id => t.id::text);

-- name: delete_topics
SELECT t.id FROM learn_topics AS t WHERE t.id = %(id)s FOR UPDATE;
SELECT audit('resource_deleted', 'delete', %(client)s, resource_type => 'topics', resource_id => t.id::text)
  FROM learn_topics AS t
 WHERE t.id = %(id)s;
WITH archived AS (
    UPDATE learn_topics AS t SET is_active = false
     WHERE t.id = %(id)s AND (t.is_built_in OR is_topic_used(t.id))
    RETURNING t.id),
gone AS (
    DELETE FROM learn_topics AS t WHERE t.id = %(id)s AND NOT (t.is_built_in OR is_topic_used(t.id)) RETURNING t.id)
SELECT true AS archived FROM archived UNION ALL SELECT false FROM gone;

-- name: list_lessons
SELECT count(*) AS total
  FROM learn_lessons AS l
 WHERE (%(include_inactive)s OR l.is_active)
   AND position(lower(%(search)s) IN lower(l.title || ' ' || l.key)) > 0;
SELECT l.*
  FROM learn_lessons AS l JOIN learn_topics AS t ON t.id = l.topic_id
 WHERE (%(include_inactive)s OR l.is_active)
   AND position(lower(%(search)s) IN lower(l.title || ' ' || l.key)) > 0
 ORDER BY t.sort_order, t.id, l.sort_order, l.title, l.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;

-- name: get_lessons
SELECT l.* FROM learn_lessons AS l WHERE l.id = %(id)s;

-- name: create_lessons
SELECT lock_content('lessons');
SELECT is_fit_lesson(r) FROM jsonb_populate_record(NULL::learn_lessons, %(fields)s) AS r;
INSERT INTO learn_lessons AS l (
    id, topic_id, key, title, description, content_markdown, duration_minutes, difficulty, quiz_json, xp_reward,
    coin_reward, skill_key, sort_order, is_active)
SELECT %(id)s, r.topic_id, r.key, r.title, r.description, r.content_markdown, r.duration_minutes, r.difficulty, r.quiz_json,
       r.xp_reward, r.coin_reward, r.skill_key, r.sort_order, r.is_active
  FROM jsonb_populate_record(NULL::learn_lessons, %(fields)s) AS r
RETURNING l.*, audit('resource_created', 'create', %(client)s, resource_type => 'lessons', resource_id => l.id::text);

-- name: change_lessons
SELECT lock_content('lessons');
SELECT is_fit_lesson(r) FROM learn_lessons AS l, jsonb_populate_record(l, %(changes)s) AS r WHERE l.id = %(id)s;
UPDATE learn_lessons AS l
   SET (topic_id, key, title, description, content_markdown, duration_minutes, difficulty, quiz_json, xp_reward, coin_reward,
        skill_key, sort_order, is_active)
     = (SELECT r.topic_id, r.key, r.title, r.description, r.content_markdown, r.duration_minutes, r.difficulty, r.quiz_json,
               r.xp_reward, r.coin_reward, r.skill_key, r.sort_order, r.is_active
          FROM jsonb_populate_record(l, %(changes)s) AS r)
 WHERE l.id = %(id)s
RETURNING l.*, audit('resource_updated', 'update', %(client)s, resource_type => 'lessons', resource_id => l.id::text);

-- name: delete_lessons
SELECT l.id FROM learn_lessons AS l WHERE l.id = %(id)s FOR UPDATE;
SELECT audit('resource_deleted', 'delete', %(client)s, resource_type => 'lessons', resource_id => l.id::text)
  FROM learn_lessons AS l
 WHERE l.id = %(id)s;
WITH archived AS (
    UPDATE learn_lessons AS l SET is_active = false
     WHERE l.id = %(id)s AND (l.is_built_in OR is_lesson_used(l.id))
    RETURNING l.id),
gone AS (
    DELETE FROM learn_lessons AS l WHERE l.id = %(id)s AND NOT (l.is_built_in OR is_lesson_used(l.id)) RETURNING l.id)
SELECT true AS archived FROM archived UNION ALL SELECT false FROM gone;

-- name: list_drills
SELECT count(*) AS total
  FROM learn_drills AS d
 WHERE (%(include_inactive)s OR d.is_active)
   AND position(lower(%(search)s) IN lower(d.title || ' ' || d.key)) > 0;
SELECT d.*
  FROM learn_drills AS d JOIN learn_topics AS t ON t.id = d.topic_id
 WHERE (%(include_inactive)s OR d.is_active)
   AND position(lower(%(search)s) IN lower(d.title || ' ' || d.key)) > 0
 ORDER BY t.sort_order, t.id, d.sort_order, d.title, d.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;

-- name: get_drills
SELECT d.* FROM learn_drills AS d WHERE d.id = %(id)s;

-- name: create_drills
SELECT lock_content('drills');
SELECT is_fit_drill(r) FROM jsonb_populate_record(NULL::learn_drills, %(fields)s) AS r;
INSERT INTO learn_drills AS d (
    id, topic_id, key, title, description, drill_type, config_json, difficulty, duration_seconds, xp_reward, sort_order,
    is_active)
SELECT %(id)s, r.topic_id, r.key, r.title, r.description, r.drill_type, r.config_json, r.difficulty, r.duration_seconds,
       r.xp_reward, r.sort_order, r.is_active
  FROM jsonb_populate_record(NULL::learn_drills, %(fields)s) AS r
RETURNING d.*, audit('resource_created', 'create', %(client)s, resource_type => 'drills', resource_id => d.id::text);

-- name: change_drills
SELECT lock_content('drills');
SELECT is_fit_drill(r) FROM learn_drills AS d, jsonb_populate_record(d, %(changes)s) AS r WHERE d.id = %(id)s;
UPDATE learn_drills AS d
   SET (topic_id, key, title, description, drill_type, config_json, difficulty, duration_seconds, xp_reward, sort_order,
        is_active)
     = (SELECT r.topic_id, r.key, r.title, r.description, r.drill_type, r.config_json, r.difficulty, r.duration_seconds,
               r.xp_reward, r.sort_order, r.is_active
          FROM jsonb_populate_record(d, %(changes)s) AS r)
 WHERE d.id = %(id)s
RETURNING d.*, audit('resource_updated', 'update', %(client)s, resource_type => 'drills', resource_id => d.id::text);

-- name: delete_drills
SELECT d.id FROM learn_drills AS d WHERE d.id = %(id)s FOR UPDATE;
SELECT audit('resource_deleted', 'delete', %(client)s, resource_type => 'drills', resource_id => d.id::text)
  FROM learn_drills AS d
 WHERE d.id = %(id)s;
WITH archived AS (
    UPDATE learn_drills AS d SET is_active = false
     WHERE d.id = %(id)s AND (d.is_built_in OR is_drill_used(d.id))
    RETURNING d.id),
gone AS (
    DELETE FROM learn_drills AS d WHERE d.id = %(id)s AND NOT (d.is_built_in OR is_drill_used(d.id)) RETURNING d.id)
SELECT true AS archived FROM archived UNION ALL SELECT false FROM gone;

-- name: list_exercises
-- Exercises: the library that all share. They have no is_active: an archived one is deleted as a user's own is.
SELECT count(*) AS total
  FROM exercises AS e
 WHERE e.owner_id IS NULL AND (%(include_inactive)s OR e.deleted_at IS NULL)
   AND position(lower(%(search)s) IN lower(e.name || ' ' || e.slug)) > 0;
SELECT e.*
  FROM exercises AS e
 WHERE e.owner_id IS NULL AND (%(include_inactive)s OR e.deleted_at IS NULL)
   AND position(lower(%(search)s) IN lower(e.name || ' ' || e.slug)) > 0
 ORDER BY lower(e.name), e.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;

-- name: get_exercises
SELECT e.* FROM exercises AS e WHERE e.owner_id IS NULL AND e.id = %(id)s;

-- name: create_exercises
-- The end of the id makes the slug unique, also among the exercises of later releases.
INSERT INTO exercises AS e (
    owner_id, id, slug, name, category, description, instructions, primary_muscles, secondary_muscles, equipment, force,
    level, mechanic, is_edited)
SELECT NULL, %(id)s, ltrim(trim('-' FROM left(regexp_replace(lower(r.name), '[^a-z0-9]+', '-', 'g'), 80))
                           || '-' || right(%(id)s::text, 12), '-'),
       r.name, r.category, r.description, r.instructions, r.primary_muscles, r.secondary_muscles, r.equipment, r.force,
       r.level, r.mechanic, true
  FROM jsonb_populate_record(NULL::exercises, %(fields)s) AS r
RETURNING e.*, audit('resource_created', 'create', %(client)s, resource_type => 'exercises', resource_id => e.id::text);

-- name: change_exercises
UPDATE exercises AS e
   SET (name, category, description, instructions, primary_muscles, secondary_muscles, equipment, force, level, mechanic,
        is_edited)
     = (SELECT r.name, r.category, r.description, r.instructions, r.primary_muscles, r.secondary_muscles, r.equipment,
               r.force, r.level, r.mechanic, true
          FROM jsonb_populate_record(e, %(changes)s) AS r)
 WHERE e.owner_id IS NULL AND e.id = %(id)s
RETURNING e.*, audit('resource_updated', 'update', %(client)s, resource_type => 'exercises', resource_id => e.id::text);

-- name: delete_exercises
-- The id of an exercise that came with a release is computed from its slug.
SELECT e.id FROM exercises AS e WHERE e.owner_id IS NULL AND e.id = %(id)s FOR UPDATE;
SELECT audit('resource_deleted', 'delete', %(client)s, resource_type => 'exercises', resource_id => e.id::text)
  FROM exercises AS e
 WHERE e.owner_id IS NULL AND e.id = %(id)s;
WITH archived AS (
    UPDATE exercises AS e
       SET deleted_at = coalesce(e.deleted_at, clock())
     WHERE e.owner_id IS NULL AND e.id = %(id)s
       AND (e.id = md5('questlog:exercise:' || e.slug)::uuid OR is_exercise_used(e.id))
    RETURNING e.id),
gone AS (
    DELETE FROM exercises AS e
     WHERE e.owner_id IS NULL AND e.id = %(id)s
       AND NOT (e.id = md5('questlog:exercise:' || e.slug)::uuid OR is_exercise_used(e.id))
    RETURNING e.id)
SELECT true AS archived FROM archived UNION ALL SELECT false FROM gone;

-- name: list_achievements
-- Achievements have a key and no id.
SELECT count(*) AS total
  FROM achievement_definitions AS a
 WHERE (%(include_inactive)s OR a.is_active)
   AND position(lower(%(search)s) IN lower(a.name || ' ' || a.key)) > 0;
SELECT a.key AS id, a.*
  FROM achievement_definitions AS a
 WHERE (%(include_inactive)s OR a.is_active)
   AND position(lower(%(search)s) IN lower(a.name || ' ' || a.key)) > 0
 ORDER BY a.sort_order, a.key
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;

-- name: get_achievements
SELECT a.key AS id, a.* FROM achievement_definitions AS a WHERE a.key = %(id)s;

-- name: create_achievements
SELECT lock_content('achievements');
SELECT is_fit_achievement(r, NULL) FROM jsonb_populate_record(NULL::achievement_definitions, %(fields)s) AS r;
INSERT INTO achievement_definitions AS a (
    key, name, description, category, icon, trigger_type, trigger_config, reward_xp, reward_coins, is_hidden, sort_order,
    is_active)
SELECT r.key, r.name, r.description, r.category, r.icon, r.trigger_type, r.trigger_config, r.reward_xp, r.reward_coins,
       r.is_hidden, r.sort_order, r.is_active
  FROM jsonb_populate_record(NULL::achievement_definitions, %(fields)s) AS r
RETURNING a.key AS id, a.*, audit('resource_created', 'create', %(client)s, resource_type => 'achievements', resource_id => a.key);

-- name: change_achievements
SELECT lock_content('achievements');
SELECT is_fit_achievement(r, a.key)
  FROM achievement_definitions AS a, jsonb_populate_record(a, %(changes)s) AS r
 WHERE a.key = %(id)s;
UPDATE achievement_definitions AS a
   SET (name, description, category, icon, trigger_type, trigger_config, reward_xp, reward_coins, is_hidden, sort_order,
        is_active)
     = (SELECT r.name, r.description, r.category, r.icon, r.trigger_type, r.trigger_config, r.reward_xp, r.reward_coins,
               r.is_hidden, r.sort_order, r.is_active
          FROM jsonb_populate_record(a, %(changes)s) AS r)
 WHERE a.key = %(id)s
RETURNING a.key AS id, a.*, audit('resource_updated', 'update', %(client)s, resource_type => 'achievements', resource_id => a.key);

-- name: delete_achievements
SELECT a.key FROM achievement_definitions AS a WHERE a.key = %(id)s FOR UPDATE;
SELECT audit('resource_deleted', 'delete', %(client)s, resource_type => 'achievements', resource_id => a.key)
  FROM achievement_definitions AS a
 WHERE a.key = %(id)s;
WITH archived AS (
    UPDATE achievement_definitions AS a SET is_active = false
     WHERE a.key = %(id)s AND (a.is_built_in OR is_achievement_used(a.key))
    RETURNING a.key),
gone AS (
    DELETE FROM achievement_definitions AS a
     WHERE a.key = %(id)s AND NOT (a.is_built_in OR is_achievement_used(a.key))
    RETURNING a.key)
SELECT true AS archived FROM archived UNION ALL SELECT false FROM gone;
