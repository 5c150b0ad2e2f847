-- A name may hold several statements; they travel together, and the last one's row is the answer, or the column `answer` is.
-- Every write begins with lock_user(): a quest moves with the user's awards, and its moves pay.

-- name: quests
WITH found AS (
    SELECT q AS quest
      FROM quests_now() AS q
     WHERE (%(kind)s::text IS NULL OR q.kind = %(kind)s)
       AND (%(status)s::text IS NULL OR q.status = %(status)s)
), shown AS (
    SELECT quest, row_number() OVER (
               ORDER BY (quest).kind DESC, (quest).sort_order, (quest).created_at DESC, (quest).quest_id) AS position
      FROM found
     ORDER BY position
     LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s
)
SELECT coalesce(jsonb_agg(quest_shown(quest) ORDER BY position), '[]') AS quests,
       (SELECT count(*) FROM found) AS total,
       %(page)s::bigint AS page,
       %(page_size)s::bigint AS page_size
  FROM shown;

-- name: add
INSERT INTO quests (id, title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable,
                    repeat_frequency, skill_key, expires_at)
SELECT %(quest_id)s, title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable,
       repeat_frequency, skill_key, expires_at
  FROM quest_with(NULL, %(sent)s);
SELECT quest_shown(q) AS answer FROM quests_now() AS q WHERE quest_id = %(quest_id)s;

-- name: quest
SELECT quest_shown(q) AS answer FROM quests_now() AS q WHERE quest_id = %(quest_id)s;

-- name: change
SELECT lock_user();
SELECT refuse(403, 'forbidden', 'This quest is everyone''s.')
  FROM quests_now() WHERE quest_id = %(quest_id)s AND kind = 'universal';
UPDATE quests AS q
   SET (title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable, repeat_frequency,
        skill_key, expires_at)
     = (SELECT title, description, category, difficulty, xp_reward, coin_reward, target, is_repeatable, repeat_frequency,
               skill_key, expires_at
          FROM quest_with(q, %(changes)s))
 WHERE id = %(quest_id)s;
SELECT quest_shown(q) AS answer FROM quests_now() AS q WHERE quest_id = %(quest_id)s;

-- name: delete
SELECT lock_user();
SELECT refuse(403, 'forbidden', 'This quest is everyone''s.')
  FROM quests_now() WHERE quest_id = %(quest_id)s AND kind = 'universal';
DELETE FROM quests WHERE id = %(quest_id)s RETURNING true AS success;

-- name: accept
SELECT lock_user();
SELECT accept_quest(q) FROM quests_now() AS q WHERE quest_id = %(quest_id)s;
SELECT quest_shown(q) AS answer FROM quests_now() AS q WHERE quest_id = %(quest_id)s;

-- name: abandon
SELECT lock_user();
SELECT abandon_quest(q) FROM quests_now() AS q WHERE quest_id = %(quest_id)s;
SELECT quest_shown(q) AS answer FROM quests_now() AS q WHERE quest_id = %(quest_id)s;

-- name: progress
SELECT lock_user();
SELECT done.quest, done.completed, done.already_completed, done.reward_capped, r.*
  FROM quests_now() AS q, progress_quest(q, %(increment)s, %(progress)s) AS done, reward(done.paid) AS r
 WHERE q.quest_id = %(quest_id)s;

-- name: complete
SELECT lock_user();
SELECT done.quest, done.completed, done.already_completed, done.reward_capped, r.*
  FROM quests_now() AS q, complete_quest(q, %(period_key)s) AS done, reward(done.paid) AS r
 WHERE q.quest_id = %(quest_id)s;

-- name: reopen
SELECT lock_user();
SELECT reopen_quest(q) FROM quests_now() AS q WHERE quest_id = %(quest_id)s;
SELECT quest_shown(q) AS answer FROM quests_now() AS q WHERE quest_id = %(quest_id)s;

-- name: history
-- A universal quest that is no longer shown keeps its history.
WITH completed AS (
    SELECT period_key, completed_at, xp_awarded, coins_awarded
      FROM user_quest_progress
     WHERE (quest_id = %(quest_id)s OR universal_quest_id = %(quest_id)s) AND status = 'completed'
), shown AS (
    SELECT * FROM completed
     ORDER BY completed_at DESC, period_key DESC
     LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s
)
SELECT coalesce((SELECT jsonb_agg(s ORDER BY completed_at DESC, period_key DESC) FROM shown AS s), '[]') AS completions,
       (SELECT count(*) FROM completed) AS total,
       %(page)s::bigint AS page,
       %(page_size)s::bigint AS page_size
 WHERE EXISTS (SELECT FROM quests WHERE id = %(quest_id)s)
    OR EXISTS (SELECT FROM universal_quests WHERE id = %(quest_id)s);
