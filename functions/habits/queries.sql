-- Statements of one name travel together, and each sees what those before it wrote. Whatever changes a habit begins with
-- lock_user(): the completions, skips and streaks of one user change one request at a time.

-- name: habits
SELECT h.* FROM habits_shown(local_today()) AS h WHERE h.is_active = NOT %(archived)s;

-- name: habits_page
SELECT h.*
  FROM habits_shown(local_today()) AS h
 WHERE h.id IN (SELECT p.id FROM habits AS p
                 WHERE p.is_active = NOT %(archived)s
                 ORDER BY p.sort_order, p.created_at, p.id
                 LIMIT %(limit)s OFFSET %(offset)s);
SELECT count(*) AS total FROM habits AS h WHERE h.is_active = NOT %(archived)s;

-- name: add
SELECT lock_user();
WITH added AS (
    INSERT INTO habits AS h (name, description, frequency, target_count, custom_days, icon, color, category, xp_reward,
                             coin_reward, skill_key, reminder_time, kind, direction, target_amount, unit, amount_step,
                             period, cadence, "group", sort_order, created_on, created_at, updated_at)
    SELECT %(name)s, %(description)s, %(frequency)s, %(target_count)s, %(custom_days)s, %(icon)s, %(color)s, %(category)s,
           %(xp_reward)s, %(coin_reward)s, %(skill_key)s, %(reminder_time)s, %(kind)s, %(direction)s, %(target_amount)s,
           %(unit)s, %(amount_step)s, %(period)s, habit_cadence(%(frequency)s, %(direction)s, %(period)s), %(group)s,
           coalesce(placed.last, 0) + 1, local_today(), now, now
      FROM instant() AS now,
           (SELECT count(*) FILTER (WHERE is_active) AS active, max(sort_order) AS last FROM habits) AS placed
     WHERE check_habit(%(frequency)s, %(target_count)s, %(skill_key)s)
       AND check_amounts(%(kind)s, %(direction)s, %(target_amount)s::numeric, %(period)s)
       AND (placed.active < 200 OR refuse(409, 'limit_reached', 'There are 200 active habits already.', '{"limit": 200}'))
    RETURNING h.*
)
SELECT remember(h.id) FROM added AS h, plan_habit_reminder(h.id, h.reminder_time);
SELECT * FROM habits_today WHERE id = remembered();

-- name: habit
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: change
SELECT lock_user();
-- A new kind, direction or period begins the streak anew; the longest one of before is kept.
UPDATE habits AS h
   SET (name, description, frequency, target_count, custom_days, icon, color, category, xp_reward, coin_reward, skill_key,
        reminder_time, kind, direction, target_amount, unit, amount_step, period, cadence, "group", streak_from, longest_before,
        import_digest)
     = (SELECT c.name, c.description, c.frequency, c.target_count, c.custom_days, c.icon, c.color, c.category, c.xp_reward,
               c.coin_reward, c.skill_key, c.reminder_time, c.kind, c.direction, c.target_amount, c.unit, c.amount_step,
               c.period, habit_cadence(c.frequency, c.direction, c.period), c."group", CASE WHEN is_same THEN h.streak_from ELSE today END,
               CASE WHEN is_same THEN h.longest_before ELSE t.longest_streak END, NULL::bytea
          FROM changed_habit(h, %(changes)s) AS c, local_today() AS today, habit_streak(h, today) AS t,
               LATERAL (SELECT (h.kind, h.direction, h.period) = (c.kind, c.direction, c.period)) AS s (is_same)
         WHERE check_habit(c.frequency, c.target_count, c.skill_key)
           AND check_amounts(c.kind, c.direction, c.target_amount, c.period))
 WHERE id = %(habit_id)s;
SELECT retarget_habit(h) FROM habits AS h
 WHERE id = %(habit_id)s
   AND %(changes)s::jsonb ?| '{frequency,target_count,custom_days,kind,direction,target_amount,period}';
SELECT plan_habit_reminder(h.id, h.reminder_time) FROM habits AS h WHERE h.id = %(habit_id)s AND h.is_active;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: delete
SELECT lock_user();
SELECT unlink_habit(%(habit_id)s);
INSERT INTO deleted_imports (kind, import_key)
SELECT 'habit', import_key FROM habits WHERE id = %(habit_id)s AND import_key IS NOT NULL
ON CONFLICT DO NOTHING;
DELETE FROM habits WHERE id = %(habit_id)s RETURNING id;

-- name: archive
SELECT lock_user();
UPDATE habits SET is_active = false, import_digest = NULL WHERE id = %(habit_id)s AND is_active;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: restore
SELECT lock_user();
UPDATE habits SET is_active = true, import_digest = NULL
 WHERE id = %(habit_id)s AND NOT is_active
   AND ((SELECT count(*) FROM habits WHERE is_active) < 200
        OR refuse(409, 'limit_reached', 'There are 200 active habits already.', '{"limit": 200}'));
SELECT plan_habit_reminder(h.id, h.reminder_time) FROM habits AS h WHERE h.id = %(habit_id)s AND h.is_active;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: complete
SELECT c.completion_id, c.completed, c.already_completed, c.new_streak, c.streak_bonus, r.*, h.*, c.current_streak,
       c.longest_streak, c.completed_today, c.completed_count_today, c.due_today, c.skipped_today, c.paused_until, c.amount_period,
       c.remaining
  FROM complete_habit(%(habit_id)s, %(date)s, %(notes)s) AS c, reward(c.paid) AS r, habit_columns(c.habit) AS h;

-- name: log
SELECT lock_user();
SELECT c.completion_id, c.completed, c.already_completed, c.new_streak, c.streak_bonus, c.amount_period, c.remaining,
       c.within_limit, r.*
  FROM habits AS h, log_amount(h, %(date)s, %(amount)s::numeric, %(notes)s) AS c, reward(c.paid) AS r
 WHERE h.id = %(habit_id)s;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: correct
SELECT lock_user();
SELECT c.completion_id, c.completed, c.already_completed, c.new_streak, c.streak_bonus, c.amount_period, c.remaining,
       c.within_limit, r.*
  FROM habits AS h, set_amount(h, %(date)s, %(amount)s::numeric) AS c, reward(c.paid) AS r
 WHERE h.id = %(habit_id)s;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: kept
SELECT lock_user();
SELECT c.completion_id, c.completed, c.already_completed, c.new_streak, c.streak_bonus, r.*
  FROM habits AS h, claim_kept(h) AS c, reward(c.paid) AS r
 WHERE h.id = %(habit_id)s;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: undo
SELECT lock_user();
SELECT u.* FROM habits AS h, undo_habit(h, %(date)s) AS u WHERE h.id = %(habit_id)s;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: skip
SELECT lock_user();
SELECT skip_habit(h, %(date)s) FROM habits AS h WHERE id = %(habit_id)s;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: unskip
SELECT lock_user();
SELECT unskip_habit(h, %(date)s) FROM habits AS h WHERE id = %(habit_id)s;
SELECT * FROM habits_today WHERE id = %(habit_id)s;

-- name: history
-- The habit with the span that was asked for, and the days of all weeks or months that the span touches.
SELECT s.*, h.direction, h.cadence, h.target_count, h.created_on, h.streak_from, t.current_streak,
       t.longest_streak
  FROM habits AS h, habit_span(%(from_)s, %(to)s) AS s, habit_streak(h, s.today) AS t
 WHERE h.id = %(habit_id)s;
SELECT d.*
  FROM habits AS h,
       habit_span(%(from_)s, %(to)s) AS s,
       habit_days(h, s.first, s.last) AS d
 WHERE h.id = %(habit_id)s
 ORDER BY d.date;

-- name: reorder
SELECT lock_user();
SELECT refuse_field('ids', 'must name every active habit once')
 WHERE ARRAY(SELECT id FROM habits WHERE is_active ORDER BY id)
    <> ARRAY(SELECT id FROM unnest(%(ids)s::uuid[]) AS id ORDER BY id);
UPDATE habits AS h SET sort_order = o.place
  FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS o (id, place)
 WHERE h.id = o.id AND h.sort_order <> o.place;
SELECT h.* FROM habits_shown(local_today()) AS h WHERE h.is_active;

-- name: importable
-- The version is read first, so that a change after it is noticed when the plan is written.
SELECT habits_version() AS version, d.zone FROM day_settings() AS d;
SELECT h.id, h.import_key, h.import_digest, h.name, h.is_active, coalesce(s.days, 0) AS days, coalesce(s.sum, 0) AS sum,
       coalesce(s.squares, 0) AS squares
  FROM habits AS h LEFT JOIN habit_sums() AS s ON s.habit_id = h.id
 ORDER BY h.sort_order, h.created_at, h.id;
SELECT import_key FROM deleted_imports WHERE kind = 'habit' ORDER BY import_key;
SELECT q AS import_key FROM imported_quests() AS q;

-- name: import
-- The years of days that a file may hold take longer than a login's statements may: 200,000 of them some seven seconds.
SELECT set_config('statement_timeout', '15s', true) WHERE current_setting('statement_timeout')::interval < '15s';
SELECT lock_user();
SELECT import_habits(%(version)s, %(rows)s, %(of_habits)s::uuid[], %(days)s::date[], %(recorded)s::boolean[],
                     %(notes)s::text[], %(amounts)s::numeric[]) AS written;

-- name: export
SELECT id, name, description, frequency, target_count, custom_days, color, is_active, kind, direction, target_amount, unit,
       period
  FROM habits
 ORDER BY is_active DESC, sort_order, created_at, id;
-- Of a habit that is to be done several times a day, also the days on which it was not done often enough; of one with
-- amounts, all days that have one.
SELECT k.habit_id, k.completed_date AS day, count(*)::int AS times, false AS is_skipped,
       (array_agg(k.notes ORDER BY k.ordinal DESC) FILTER (WHERE k.notes IS NOT NULL))[1] AS notes, sum(k.amount) AS amount
  FROM habit_completions AS k JOIN habits AS h ON h.user_id = k.user_id AND h.id = k.habit_id
 GROUP BY k.habit_id, k.completed_date, h.kind, h.frequency, h.target_count
HAVING bool_or(k.done)
    OR CASE h.kind WHEN 'amount' THEN count(k.amount) > 0 ELSE h.frequency <> 'weekly' AND h.target_count > 1 END
 UNION ALL
SELECT s.habit_id, s.day, 0, true, NULL, NULL FROM habit_skips AS s;
