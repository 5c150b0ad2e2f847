-- Whatever changes a habit begins with lock_user(): completions, skips and streaks of one user change one at a time.

-- name: habits
SELECT habits_shown(active => NOT %(archived)s) AS habits;

-- name: add
SELECT lock_user();
WITH added AS (
    INSERT INTO habits AS h (name, description, frequency, target_count, custom_days, icon, color, category, xp_reward,
                             coin_reward, skill_key, reminder_time, sort_order, created_on)
    SELECT %(name)s, %(description)s, %(frequency)s, %(target_count)s, %(custom_days)s, %(icon)s, %(color)s, %(category)s,
           %(xp_reward)s, %(coin_reward)s, %(skill_key)s, %(reminder_time)s, coalesce(placed.last, 0) + 1,
           local_today()
      FROM (SELECT count(*) FILTER (WHERE is_active) AS active, max(sort_order) AS last FROM habits) AS placed
     WHERE check_habit(%(frequency)s, %(target_count)s, %(skill_key)s)
       AND (placed.active < 200 OR refuse(409, 'limit_reached', 'There are 200 active habits already.', '{"limit": 200}'))
    RETURNING h.*
)
SELECT habit_shown(added) AS answer FROM added;

-- name: habit
SELECT habit_shown(h) AS answer FROM habits AS h WHERE id = %(habit_id)s;

-- name: change
SELECT lock_user();
UPDATE habits AS h
   SET (name, description, frequency, target_count, custom_days, icon, color, category, xp_reward, coin_reward, skill_key,
        reminder_time)
     = (SELECT name, description, frequency, target_count, custom_days, icon, color, category, xp_reward, coin_reward,
               skill_key, reminder_time
          FROM jsonb_populate_record(h, %(changes)s)
         WHERE check_habit(frequency, target_count, skill_key))
 WHERE id = %(habit_id)s;
SELECT retarget_habit(id) FROM habits
 WHERE id = %(habit_id)s AND %(changes)s::jsonb ?| '{frequency,target_count,custom_days}';
SELECT habit_shown(h) AS answer FROM habits AS h WHERE id = %(habit_id)s;

-- name: delete
SELECT lock_user();
SELECT unlink_habit(%(habit_id)s);
DELETE FROM habits WHERE id = %(habit_id)s RETURNING id;

-- name: archive
SELECT lock_user();
UPDATE habits SET is_active = false WHERE id = %(habit_id)s AND is_active;
SELECT habit_shown(h) AS answer FROM habits AS h WHERE id = %(habit_id)s;

-- name: restore
SELECT lock_user();
UPDATE habits SET is_active = true
 WHERE id = %(habit_id)s AND NOT is_active
   AND ((SELECT count(*) FROM habits WHERE is_active) < 200
        OR refuse(409, 'limit_reached', 'There are 200 active habits already.', '{"limit": 200}'));
SELECT habit_shown(h) AS answer FROM habits AS h WHERE id = %(habit_id)s;

-- name: complete
SELECT lock_user();
SELECT c.habit, c.completion_id, c.new_streak, c.streak_bonus, c.completed, c.already_completed, r.*
  FROM habits AS h, complete_habit(h, %(date)s, %(notes)s) AS c, reward(c.paid) AS r
 WHERE h.id = %(habit_id)s;

-- name: undo
SELECT lock_user();
SELECT u.habit, u.xp_reversed, u.coins_reversed
  FROM habits AS h, undo_habit(h, %(date)s) AS u
 WHERE h.id = %(habit_id)s;

-- name: skip
SELECT lock_user();
SELECT skip_habit(h, %(date)s) FROM habits AS h WHERE id = %(habit_id)s;
SELECT habit_shown(h) AS answer FROM habits AS h WHERE id = %(habit_id)s;

-- name: unskip
SELECT lock_user();
SELECT unskip_habit(h, %(date)s) FROM habits AS h WHERE id = %(habit_id)s;
SELECT habit_shown(h) AS answer FROM habits AS h WHERE id = %(habit_id)s;

-- name: history
SELECT jsonb_agg(to_jsonb(d) ORDER BY d.date) AS days,
       count(*) FILTER (WHERE d.status = 'done') AS completed_days,
       count(*) FILTER (WHERE d.due) AS due_days,
       coalesce(100 * count(*) FILTER (WHERE d.status = 'done') / nullif(count(*) FILTER (WHERE d.due), 0), 0)
           AS completion_rate,
       standing_streak(h, s.today) AS current_streak,
       h.longest_streak
  FROM habits AS h,
       habit_span(%(from_)s, %(to)s) AS s,
       habit_history(h, s.first, s.last, s.today) AS d
 WHERE h.id = %(habit_id)s
 GROUP BY h.user_id, h.id, s.today;

-- name: reorder
SELECT lock_user();
SELECT refuse_field('ids', 'must name every active habit once')
 WHERE ARRAY(SELECT id FROM habits WHERE is_active ORDER BY id)
    <> ARRAY(SELECT id FROM unnest(%(ids)s::uuid[]) AS id ORDER BY id);
UPDATE habits AS h SET sort_order = o.place
  FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS o (id, place)
 WHERE h.id = o.id AND h.sort_order <> o.place;
SELECT habits_shown() AS habits;
