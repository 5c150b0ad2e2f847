SET LOCAL ROLE questlog_owner;

-- A habit's turn is what its streak counts in: a day, one of its weekdays, or a week. This is the number of the turn a
-- day belongs to or, on a weekday that is none of the habit's, of the next one: turns that follow each other differ by
-- one. width_bucket() counts the weekdays of an ordered list that come before the day's own.
CREATE OR REPLACE FUNCTION internal.habit_turn(day date, frequency text, custom_days int[]) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE frequency
    WHEN 'daily' THEN day - date '2000-01-02'
    WHEN 'weekly' THEN (week_of(day) - date '2000-01-03') / 7
    ELSE cardinality(custom_days) * ((day - date '2000-01-02' - extract(dow FROM day)::int) / 7)
         + width_bucket(extract(dow FROM day)::int - 1, custom_days)
END;

-- Whether a day is one the streak of the habit counts; of a weekly one, every day is.
CREATE OR REPLACE FUNCTION internal.is_habit_day(day date, frequency text, custom_days int[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN frequency <> 'custom' OR extract(dow FROM day)::int = ANY (custom_days);

-- The streaks that days make: `done` are the days done, or for a weekly habit a day of each week that met its target.
--   A run is turns without a gap that were done or skipped, and its length the done ones: a skip bridges, and adds
--   nothing. Numbered one by one, the turns of a run keep their distance from that number (gaps and islands).
-- Answers the latest run, the last day that holds it, and the longest run. Whether the latest still stands is a matter
-- of the day it is asked on: standing_streak().
CREATE OR REPLACE FUNCTION app.habit_streaks(
    frequency text, custom_days int[], done date[], skipped date[], OUT streak int, OUT through date, OUT longest int
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH marks (day, counts) AS (
        SELECT d, true FROM unnest(done) AS d
        UNION ALL
        SELECT s, false FROM unnest(skipped) AS s WHERE frequency <> 'weekly'
    ), turns AS (
        SELECT habit_turn(m.day, frequency, custom_days) AS turn, max(m.day) AS day, bool_or(m.counts) AS counts
          FROM marks AS m WHERE is_habit_day(m.day, frequency, custom_days) GROUP BY 1
    ), numbered AS (
        SELECT t.*, t.turn - row_number() OVER (ORDER BY t.turn) AS run FROM turns AS t
    ), runs AS (
        SELECT count(*) FILTER (WHERE n.counts)::int AS length, max(n.day) AS through FROM numbered AS n GROUP BY n.run
    )
    SELECT coalesce((array_agg(r.length ORDER BY r.through DESC))[1], 0), max(r.through), coalesce(max(r.length), 0)
      FROM runs AS r;
END;

-- A streak as it stands on a day: 0 once a turn after its last one has passed. The day's own turn is still open, and a
-- streak from a day ahead, after a journey west, stands.
CREATE OR REPLACE FUNCTION app.standing_streak(streak int, through date, frequency text, custom_days int[], today date) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN habit_turn(today, frequency, custom_days) - habit_turn(through, frequency, custom_days) <= 1 THEN streak
    ELSE 0
END;

-- A habit's streak as it stands on a day.
CREATE OR REPLACE FUNCTION app.standing_streak(h habits, today date) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN standing_streak(h.current_streak, h.streak_through, h.frequency, h.custom_days, today);

-- Functions that answer rows of one SELECT: the planner dissolves them into the statement that asks, so that a list of
-- habits is one plan, a look into the key per habit, however long its history.

-- How a habit stands on a day. `days_of_week` are those done in its week, of a weekly habit. Due: not archived, not
-- skipped, and a day of its own; a weekly one until its week is met.
CREATE OR REPLACE FUNCTION app.habit_on(h habits, day date)
RETURNS TABLE (times int, done boolean, days_of_week int, skipped boolean, due boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.times, c.done, c.days_of_week, s.skipped,
           h.is_active AND NOT s.skipped
           AND CASE h.frequency
               WHEN 'weekly' THEN c.days_of_week < h.target_count
               ELSE is_habit_day(habit_on.day, h.frequency, h.custom_days)
           END
      FROM (SELECT CASE h.frequency WHEN 'weekly' THEN week_of(habit_on.day) ELSE habit_on.day END AS first,
                   CASE h.frequency WHEN 'weekly' THEN week_of(habit_on.day) + 6 ELSE habit_on.day END AS last) AS span,
           LATERAL (
               SELECT count(*) FILTER (WHERE k.completed_date = habit_on.day)::int AS times,
                      coalesce(bool_or(k.done) FILTER (WHERE k.completed_date = habit_on.day), false) AS done,
                      count(DISTINCT k.completed_date) FILTER (WHERE k.done)::int AS days_of_week
                 FROM habit_completions AS k
                WHERE k.habit_id = h.id AND k.completed_date BETWEEN span.first AND span.last) AS c,
           LATERAL (
               SELECT EXISTS (
                   SELECT FROM habit_skips AS k WHERE k.habit_id = h.id AND k.day = habit_on.day) AS skipped) AS s;
END;

-- The active habits on a day. Done: the day is done; pending: due, and not done. OFFSET 0: the day asked for is worked
-- out once, not once for each habit.
CREATE OR REPLACE FUNCTION app.habits_on(day date)
RETURNS TABLE (habit_id uuid, name text, sort_order int, due boolean, done boolean, skipped boolean, pending boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT h.id, h.name, h.sort_order, s.due, s.done, s.skipped, s.due AND NOT s.done
      FROM (SELECT habits_on.day OFFSET 0) AS d (day), habits AS h, habit_on(h, d.day) AS s
     WHERE h.is_active;
END;

-- The document of a habit, as rows of one SELECT: what habit_shown() and habits_shown() both answer.
CREATE OR REPLACE FUNCTION internal.habit_document(h habits, today date) RETURNS TABLE (document jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT jsonb_build_object(
               'id', h.id, 'name', h.name, 'description', h.description, 'frequency', h.frequency,
               'target_count', h.target_count, 'custom_days', h.custom_days, 'icon', h.icon, 'color', h.color,
               'category', h.category, 'xp_reward', h.xp_reward, 'coin_reward', h.coin_reward, 'skill_key', h.skill_key,
               'reminder_time', h.reminder_time, 'is_active', h.is_active,
               'current_streak', standing_streak(h, habit_document.today), 'longest_streak', h.longest_streak,
               'last_completed_at', h.last_completed_at, 'completed_today', s.done, 'completed_count_today', s.times,
               'due_today', s.due, 'skipped_today', s.skipped,
               'sort_order', h.sort_order, 'created_at', h.created_at, 'updated_at', h.updated_at)
      FROM habit_on(h, habit_document.today) AS s;
END;

-- A habit as the wire shows it today.
CREATE OR REPLACE FUNCTION app.habit_shown(h habits) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT d.document FROM habit_document(h, local_today()) AS d);

-- The user's habits as the wire lists them, the active or the archived ones.
CREATE OR REPLACE FUNCTION app.habits_shown(active boolean DEFAULT true) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (
    SELECT coalesce(jsonb_agg(d.document ORDER BY h.sort_order, h.created_at, h.id), '[]')
      FROM habits AS h, (SELECT local_today() AS today OFFSET 0) AS c, habit_document(h, c.today) AS d
     WHERE h.is_active = active);

-- The days from `first` to `last`, as what they were to a habit.
--   A weekly habit has no day that must be done. The ones it missed are those that cost the week its target: after
--   which the days left could no longer reach it. A week that did 2 of 3 has missed one.
CREATE OR REPLACE FUNCTION app.habit_history(h habits, first date, last date, today date)
RETURNS TABLE (date date, count int, target int, status text, notes text, due boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH recorded AS (
        SELECT k.completed_date AS day, count(*)::int AS times, bool_or(k.done) AS done, max(k.target) AS target,
               min(k.week_target) AS week_target,
               (array_agg(k.notes ORDER BY k.ordinal DESC) FILTER (WHERE k.notes IS NOT NULL))[1] AS notes
          FROM habit_completions AS k
         WHERE k.habit_id = h.id
           AND k.completed_date BETWEEN week_of(habit_history.first) AND week_of(habit_history.last) + 6
         GROUP BY k.completed_date
    ), whole_weeks AS (
        SELECT d.day, coalesce(r.times, 0) AS times, coalesce(r.done, false) AS done, r.notes,
               coalesce(r.target, CASE h.frequency WHEN 'weekly' THEN 1 ELSE h.target_count END) AS target,
               EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = d.day) AS skipped,
               coalesce(min(r.week_target) OVER week, h.target_count) AS needed,
               count(*) FILTER (WHERE r.done) OVER week AS reached,
               count(*) FILTER (WHERE r.done) OVER (week ORDER BY d.day) + 7 - extract(isodow FROM d.day) AS reachable
          FROM (SELECT week_of(habit_history.first) + n AS day
                  FROM generate_series(0, week_of(habit_history.last) + 6 - week_of(habit_history.first)) AS n) AS d
          LEFT JOIN recorded AS r ON r.day = d.day
        WINDOW week AS (PARTITION BY week_of(d.day))
    ), days AS (
        SELECT w.*,
               w.day = habit_history.today OR (w.day < habit_history.today AND w.day >= h.created_on) AS counts,
               CASE
                   WHEN h.frequency <> 'weekly' THEN is_habit_day(w.day, h.frequency, h.custom_days)
                   WHEN w.day = habit_history.today THEN w.reached < w.needed
                   ELSE w.reachable < w.needed
               END AS wanted
          FROM whole_weeks AS w
         WHERE w.day BETWEEN habit_history.first AND habit_history.last
    )
    SELECT d.day, d.times, d.target,
           CASE
               WHEN d.done THEN 'done'
               WHEN d.skipped THEN 'skipped'
               WHEN d.times > 0 THEN 'partial'
               WHEN NOT (d.counts AND d.wanted) THEN 'not_due'
               WHEN d.day = habit_history.today THEN 'pending'
               ELSE 'missed'
           END,
           d.notes,
           d.done OR (d.counts AND d.wanted AND NOT d.skipped)
      FROM days AS d;
END;

-- The days of a history: to today, and thirty of them, unless told otherwise; at most 366. Not before the year 1, the
-- first that the wire can name.
CREATE OR REPLACE FUNCTION app.habit_span(asked_from date, asked_to date, OUT first date, OUT last date, OUT today date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    today := local_today();
    last := coalesce(asked_to, today);
    first := coalesce(asked_from, greatest(last - 29, '0001-01-01'));
    IF first > last THEN
        PERFORM refuse_field('from', 'must not be after to');
    ELSIF last - first >= 366 THEN
        PERFORM refuse_field('from', 'must leave at most 366 days');
    END IF;
END
$$;

-- All under the user's lock.

-- The day a request is about: today, or one of the seven before it that the habit has seen.
CREATE OR REPLACE FUNCTION app.habit_date(h habits, given date) RETURNS date
LANGUAGE plpgsql STABLE AS $$
DECLARE
    today date := local_today();
BEGIN
    IF given <> today AND (given > today OR given < today - 7 OR given < h.created_on) THEN
        PERFORM refuse_field('date', 'must be today or one of the 7 days before it, and not before the habit was made');
    END IF;
    RETURN coalesce(given, today);
END
$$;

-- Refuses what the columns' own types cannot: a weekly target beyond the days of a week, a skill nobody defined.
CREATE OR REPLACE FUNCTION app.check_habit(frequency text, target_count int, skill_key text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF frequency = 'weekly' AND target_count > 7 THEN
        PERFORM refuse_field('target_count', 'must be at most 7 for a weekly habit');
    ELSIF skill_key IS NOT NULL AND NOT EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = skill_key) THEN
        PERFORM refuse_field('skill_key', 'is no skill');
    END IF;
    RETURN true;
END
$$;

-- The days that count for a habit's streaks, as habit_streaks() takes them.
CREATE OR REPLACE FUNCTION app.days_done(h habits) RETURNS date[]
LANGUAGE sql STABLE
RETURN CASE h.frequency
    WHEN 'weekly' THEN ARRAY(
        SELECT max(d.day)
          FROM (SELECT k.completed_date AS day, min(coalesce(k.week_target, h.target_count)) AS needed
                  FROM habit_completions AS k WHERE k.habit_id = h.id AND k.done GROUP BY k.completed_date) AS d
         GROUP BY week_of(d.day)
        HAVING count(*) >= min(d.needed))
    ELSE ARRAY(SELECT DISTINCT k.completed_date FROM habit_completions AS k WHERE k.habit_id = h.id AND k.done)
END;

-- Counts a habit's streaks anew from what is recorded. The longest falls only when a completion was undone.
CREATE OR REPLACE FUNCTION app.recount_habit(wanted uuid, undone boolean DEFAULT false) RETURNS habits
LANGUAGE plpgsql AS $$
DECLARE
    h habits;
    counted record;
BEGIN
    SELECT * INTO h FROM habits WHERE id = wanted;
    SELECT * INTO counted
      FROM habit_streaks(h.frequency, h.custom_days, days_done(h),
                         ARRAY(SELECT s.day FROM habit_skips AS s WHERE s.habit_id = h.id));
    UPDATE habits
       SET current_streak = counted.streak,
           streak_through = counted.through,
           longest_streak = CASE WHEN undone THEN counted.longest ELSE greatest(longest_streak, counted.longest) END
     WHERE id = wanted
    RETURNING * INTO h;
    RETURN h;
END
$$;

-- After a change of what a habit asks for: the day and the week that are open take the new target, and the streaks are
-- counted in the new turns.
CREATE OR REPLACE FUNCTION app.retarget_habit(wanted uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    today date := local_today();
BEGIN
    UPDATE habit_completions AS k
       SET target = CASE
               WHEN k.completed_date < today THEN k.target
               WHEN h.frequency = 'weekly' THEN 1
               ELSE h.target_count
           END,
           week_target = CASE h.frequency WHEN 'weekly' THEN h.target_count END
      FROM habits AS h
     WHERE h.id = wanted AND k.habit_id = h.id AND k.completed_date >= week_of(today);
    PERFORM recount_habit(wanted);
END
$$;

-- Pays the completion that made today done: the habit's own reward and, when it brought the streak to a round length,
-- as much XP as the streak is long. Over 20 paid a day it counts, and pays nothing.
CREATE OR REPLACE FUNCTION app.pay_habit(
    h habits, completion uuid, streak_before int, streak_after int, OUT streak_bonus boolean, OUT paid award_result
)
LANGUAGE plpgsql AS $$
DECLARE
    key text := 'habit_complete:' || completion;
    within_cap boolean := (paid_today('habit_complete')).paid < 20;
    -- Counted once a day: undone with the payment that carries it, it may be counted again.
    perfect boolean := NOT EXISTS (SELECT FROM habits_on(local_today()) AS s WHERE s.pending)
        AND NOT EXISTS (
            SELECT FROM points_ledger AS l
             WHERE l.event_type = 'habit_complete'
               AND l.local_date = local_today()
               AND l.counters ? 'perfect_habit_days'
               AND NOT EXISTS (SELECT FROM points_ledger AS r WHERE r.reverses = l.id));
BEGIN
    streak_bonus := within_cap AND streak_after > streak_before AND streak_after IN (7, 14, 30, 60, 100, 365);
    paid := award(
        'habit_complete', 'habit', h.id,
        CASE WHEN within_cap THEN h.xp_reward ELSE 0 END + CASE WHEN streak_bonus THEN streak_after ELSE 0 END,
        CASE WHEN within_cap THEN h.coin_reward ELSE 0 END,
        key, h.skill_key,
        counters => CASE WHEN perfect THEN '{"perfect_habit_days": 1}'::jsonb ELSE '{}' END,
        metadata => jsonb_build_object('habit_streak', streak_after));
    UPDATE habit_completions SET ledger_key = key WHERE id = completion;
END
$$;

-- Records a completion. One that makes today done is paid: a weekly habit's until its week is met, and any once a day.
-- Doing what was skipped takes the skip back.
CREATE OR REPLACE FUNCTION app.complete_habit(h habits, given date, note text) RETURNS habit_completing
LANGUAGE plpgsql AS $$
DECLARE
    today date := local_today();
    wanted date := habit_date(h, given);
    streak_before int := standing_streak(h, today);
    before record;
    made habit_completions;
    result habit_completing;
BEGIN
    IF NOT h.is_active THEN
        PERFORM refuse(409, 'habit_archived', 'An archived habit cannot be completed.');
    END IF;
    SELECT * INTO before FROM habit_on(h, wanted);
    result.streak_bonus := false;
    result.already_completed := before.done;
    IF before.done THEN
        result.completed := true;
    ELSE
        DELETE FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = wanted;
        INSERT INTO habit_completions (habit_id, completed_date, ordinal, target, week_target, notes)
        SELECT h.id, wanted, before.times + 1,
               coalesce(max(k.target), CASE h.frequency WHEN 'weekly' THEN 1 ELSE h.target_count END),
               CASE h.frequency WHEN 'weekly' THEN h.target_count END,
               note
          FROM habit_completions AS k WHERE k.habit_id = h.id AND k.completed_date = wanted
        RETURNING * INTO made;
        UPDATE habits SET last_completed_at = made.completed_at WHERE id = h.id;
        h := recount_habit(h.id);
        result.completion_id := made.id;
        result.completed := made.done;
    END IF;
    result.new_streak := standing_streak(h, today);
    IF made.done AND wanted = today
        AND (h.frequency <> 'weekly' OR before.days_of_week < h.target_count)
        AND NOT EXISTS (SELECT FROM habit_completions AS k
                         WHERE k.habit_id = h.id AND k.completed_date = today AND k.ledger_key IS NOT NULL)
    THEN
        SELECT p.streak_bonus, p.paid INTO result.streak_bonus, result.paid
          FROM pay_habit(h, made.id, streak_before, result.new_streak) AS p;
    END IF;
    result.habit := habit_shown(h);
    RETURN result;
END
$$;

-- Takes a day's last completion back, and what was paid for it.
CREATE OR REPLACE FUNCTION app.undo_habit(h habits, given date) RETURNS habit_undoing
LANGUAGE plpgsql AS $$
DECLARE
    wanted date := habit_date(h, given);
    undone habit_completions;
    reversal award_result;
BEGIN
    DELETE FROM habit_completions AS k
     WHERE k.id = (SELECT l.id FROM habit_completions AS l
                    WHERE l.habit_id = h.id AND l.completed_date = wanted ORDER BY l.ordinal DESC LIMIT 1)
    RETURNING * INTO undone;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is no completion to undo on this day.');
    END IF;
    IF undone.ledger_key IS NOT NULL THEN
        reversal := reverse(undone.ledger_key, 'A completion was undone.');
    END IF;
    UPDATE habits
       SET last_completed_at = (SELECT max(k.completed_at) FROM habit_completions AS k WHERE k.habit_id = h.id)
     WHERE id = h.id;
    h := recount_habit(h.id, undone => true);
    RETURN (habit_shown(h), coalesce(-reversal.xp, 0), coalesce(-reversal.coins, 0))::habit_undoing;
END
$$;

-- Leaves a day out: no more than two in any seven days.
CREATE OR REPLACE FUNCTION app.skip_habit(h habits, given date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wanted date := habit_date(h, given);
BEGIN
    IF NOT h.is_active THEN
        PERFORM refuse(409, 'habit_archived', 'An archived habit cannot be skipped.');
    ELSIF (SELECT s.done FROM habit_on(h, wanted) AS s) THEN
        PERFORM refuse(409, 'already_completed', 'This day is done already.');
    ELSIF EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = wanted) THEN
        RETURN;
    ELSIF EXISTS (SELECT FROM generate_series(0, 6) AS n
                   WHERE (SELECT count(*) FROM habit_skips AS s
                           WHERE s.habit_id = h.id
                             AND s.day BETWEEN wanted - 6 + n AND wanted + n) >= 2)
    THEN
        PERFORM refuse(409, 'limit_reached', 'At most 2 days of any 7 can be skipped.', '{"limit": 2}');
    END IF;
    INSERT INTO habit_skips (habit_id, day) VALUES (h.id, wanted);
    PERFORM recount_habit(h.id);
END
$$;

-- Takes a skip back, if there is one.
CREATE OR REPLACE FUNCTION app.unskip_habit(h habits, given date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wanted date := habit_date(h, given);
BEGIN
    DELETE FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = wanted;
    PERFORM recount_habit(h.id);
END
$$;
