-- Statements of one name travel together, and each sees what those before it wrote. Every move begins with lock_user():
-- quests move with the user's awards, and their completion is one.

-- name: quests
-- Of the user's own quests, which come first, no more are looked at than the pages so far hold.
SELECT read_in_index_order();
SELECT n.*
  FROM (SELECT l.id
          FROM ((SELECT q.id, 'user' AS kind, 0 AS sort_order, q.created_at
                   FROM quests AS q
                  WHERE coalesce(%(kind)s::text, 'user') = 'user'
                  ORDER BY q.created_at DESC, q.id
                  LIMIT %(page)s::bigint * %(page_size)s)
                 UNION ALL
                SELECT u.id, u.kind, u.sort_order, u.created_at
                  FROM quests_now AS u
                 WHERE u.kind = 'universal' AND coalesce(%(kind)s::text, 'universal') = 'universal') AS l
         ORDER BY l.kind DESC, l.sort_order, l.created_at DESC, l.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p,
       LATERAL (SELECT * FROM quests_now AS q WHERE q.id = p.id OFFSET 0) AS n
 ORDER BY n.kind DESC, n.sort_order, n.created_at DESC, n.id;
SELECT (SELECT count(*) FROM quests WHERE coalesce(%(kind)s::text, 'user') = 'user')
     + (SELECT count(*) FROM quests_now
         WHERE kind = 'universal' AND coalesce(%(kind)s::text, 'universal') = 'universal') AS total;

-- name: moved
-- What a user has made of own quests is found by the rows of the present periods; of each, no more are looked at than the pages so
-- far hold. They are counted in the index.
SELECT read_in_index_order();
SELECT n.*
  FROM (SELECT l.id
          FROM (SELECT m.id, 'user' AS kind, 0 AS sort_order, m.created_at
                  FROM moved_quests(%(status)s, %(page)s::bigint * %(page_size)s) AS m
                 WHERE coalesce(%(kind)s::text, 'user') = 'user'
                 UNION ALL
                SELECT u.id, u.kind, u.sort_order, u.created_at
                  FROM quests_now AS u
                 WHERE u.kind = 'universal' AND u.status = %(status)s
                   AND coalesce(%(kind)s::text, 'universal') = 'universal') AS l
         ORDER BY l.kind DESC, l.sort_order, l.created_at DESC, l.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p,
       LATERAL (SELECT * FROM quests_now AS q WHERE q.id = p.id OFFSET 0) AS n
 ORDER BY n.kind DESC, n.sort_order, n.created_at DESC, n.id;
SELECT (SELECT count(*) FROM moved_quests(%(status)s, NULL) WHERE coalesce(%(kind)s::text, 'user') = 'user')
     + (SELECT count(*)
          FROM quests_now
         WHERE kind = 'universal' AND status = %(status)s
           AND coalesce(%(kind)s::text, 'universal') = 'universal') AS total;

-- name: unmoved
-- Quests without a row are among these, and those that time alone has ended.
SELECT * FROM quests_now
 WHERE (%(kind)s::text IS NULL OR kind = %(kind)s) AND status = %(status)s
 ORDER BY kind DESC, sort_order, created_at DESC, id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total FROM quests_now WHERE (%(kind)s::text IS NULL OR kind = %(kind)s) AND status = %(status)s;

-- name: add
INSERT INTO quests (id, title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable,
                    repeat_frequency, skill_key, expires_at)
SELECT %(quest_id)s, title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable,
       repeat_frequency, skill_key, expires_at
  FROM quest_with(NULL, %(sent)s);
SELECT revise_quests();
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
SELECT revise_quests() FROM quests WHERE id = %(quest_id)s;
SELECT update_quest_rows(%(quest_id)s)
 WHERE %(changes)s::jsonb ?| '{target,is_repeatable,repeat_frequency,expires_at}';
SELECT plan_quest_reminder(%(quest_id)s) WHERE %(changes)s::jsonb ->> 'expires_at' IS NOT NULL;
SELECT * FROM quests_now WHERE id = %(quest_id)s;

-- name: delete
SELECT lock_user();
SELECT refuse(403, 'forbidden', 'This quest is everyone''s.')
  FROM quests_now WHERE id = %(quest_id)s AND kind = 'universal';
INSERT INTO deleted_imports (kind, import_key)
SELECT 'quest', import_key FROM quests WHERE id = %(quest_id)s AND import_key IS NOT NULL
ON CONFLICT DO NOTHING;
SELECT revise_quests() FROM quests WHERE id = %(quest_id)s;
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
