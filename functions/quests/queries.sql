-- Statements of one name travel together, and each sees what those before it wrote. Every move begins with lock_user():
-- quests move with the user's awards, and their completion is one.

-- name: quests
SELECT * FROM quests_now
 WHERE (%(kind)s::text IS NULL OR kind = %(kind)s)
   AND (%(status)s::text IS NULL OR status = %(status)s)
 ORDER BY kind DESC, sort_order, created_at DESC, id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
-- Own quests are counted in any status, so the status need not be looked up.
SELECT (SELECT count(*) FROM quests
         WHERE %(status)s::text IS NULL AND coalesce(%(kind)s::text, 'user') = 'user')
     + (SELECT count(*) FROM quests_now
         WHERE (kind = 'universal' OR %(status)s::text IS NOT NULL)
           AND (%(kind)s::text IS NULL OR kind = %(kind)s)
           AND (%(status)s::text IS NULL OR status = %(status)s)) AS total;

-- name: add
INSERT INTO quests (id, title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable,
                    repeat_frequency, skill_key, expires_at)
SELECT %(quest_id)s, title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable,
       repeat_frequency, skill_key, expires_at
  FROM quest_with(NULL, %(sent)s);
SELECT plan_quest_reminder(%(quest_id)s) WHERE %(sent)s::jsonb ->> 'expires_at' IS NOT NULL;
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: quest
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: change
SELECT lock_user();
SELECT refuse(403, 'forbidden', 'This quest is everyone''s.')
  FROM quests_now WHERE id = %(quest_id)s AND kind = 'universal';
UPDATE quests AS q
   SET (title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable, repeat_frequency,
        skill_key, expires_at)
     = (SELECT title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable, repeat_frequency,
               skill_key, expires_at
          FROM quest_with(q, %(changes)s))
 WHERE id = %(quest_id)s;
SELECT plan_quest_reminder(%(quest_id)s) WHERE %(changes)s::jsonb ->> 'expires_at' IS NOT NULL;
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: delete
SELECT lock_user();
SELECT refuse(403, 'forbidden', 'This quest is everyone''s.')
  FROM quests_now WHERE id = %(quest_id)s AND kind = 'universal';
INSERT INTO deleted_imports (kind, import_key)
SELECT 'quest', import_key FROM quests WHERE id = %(quest_id)s AND import_key IS NOT NULL
ON CONFLICT DO NOTHING;
DELETE FROM quests WHERE id = %(quest_id)s RETURNING true AS success;

-- name: accept
SELECT lock_user();
SELECT accept_quest(q) FROM quests_now AS q WHERE id = %(quest_id)s;
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: abandon
SELECT lock_user();
SELECT abandon_quest(q) FROM quests_now AS q WHERE id = %(quest_id)s;
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: progress
SELECT lock_user();
SELECT c.completed, c.already_completed, c.reward_capped, r.*
  FROM quests_now AS q, progress_quest(q, %(increment)s, %(progress)s) AS c, reward(c.paid) AS r
 WHERE q.id = %(quest_id)s;
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: complete
SELECT lock_user();
SELECT c.completed, c.already_completed, c.reward_capped, r.*
  FROM quests_now AS q, complete_quest(q, %(period_key)s) AS c, reward(c.paid) AS r
 WHERE q.id = %(quest_id)s;
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: reopen
SELECT lock_user();
SELECT reopen_quest(q) FROM quests_now AS q WHERE id = %(quest_id)s;
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: history
-- A universal quest that is no longer shown keeps its history.
SELECT id FROM quests WHERE id = %(quest_id)s
 UNION ALL
SELECT id FROM universal_quests WHERE id = %(quest_id)s;
SELECT period_key, completed_at, xp_awarded, coins_awarded
  FROM user_quest_progress
 WHERE (quest_id = %(quest_id)s OR universal_quest_id = %(quest_id)s) AND status = 'completed'
 ORDER BY completed_at DESC, period_key DESC
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total
  FROM user_quest_progress
 WHERE (quest_id = %(quest_id)s OR universal_quest_id = %(quest_id)s) AND status = 'completed';
