SET LOCAL ROLE questlog_owner;

-- Schedule and streaks ----------------------------------------------------------------------------------------------

-- The turn of an amount's week or month, see habit_turn(). No part of its expression, which stands many times in the plan
-- of a list of habits: each part is made ready at each request.
CREATE OR REPLACE FUNCTION internal.amount_turn(day date, cadence text) RETURNS int
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE cadence WHEN 'week' THEN (week_of(day) - date '2000-01-03') / 7
                        ELSE 12 * extract(year FROM day) + extract(month FROM day) END;
END
$$;

-- The number of the turn a day belongs to. A turn is what a habit's streak counts in: a day, one of its weekdays, a week
-- or a month; consecutive turns have consecutive numbers. A weekday that is not the habit's belongs to its next turn:
-- width_bucket() counts the habit's weekdays before it.
--   Days are counted from Monday, 0001-01-01, before which there are none. extract() would make a numeric of each.
CREATE OR REPLACE FUNCTION internal.habit_turn(day date, cadence text, custom_days int[]) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE cadence
    WHEN 'daily' THEN day - date '0001-01-01'
    WHEN 'weekly' THEN (day - date '0001-01-01') / 7
    WHEN 'custom' THEN cardinality(custom_days) * ((day - date '0001-01-01' + 1) / 7)
                       + width_bucket((day - date '0001-01-01' + 1) % 7 - 1, custom_days)
    ELSE amount_turn(day, cadence)
END;

-- Whether the habit is scheduled on a day. A habit of a week or a month is on every day.
CREATE OR REPLACE FUNCTION internal.is_habit_day(day date, cadence text, custom_days int[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN cadence <> 'custom' OR (day - date '0001-01-01' + 1) % 7 = ANY (custom_days);

-- The first and the last day of the period over which a habit's amounts are summed, or its days counted: the day itself, its
-- week or its month.
CREATE OR REPLACE FUNCTION internal.period_first(day date, cadence text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE cadence
    WHEN 'day' THEN day
    WHEN 'weekly' THEN week_of(day)
    WHEN 'week' THEN week_of(day)
    WHEN 'month' THEN date_trunc('month', day::timestamp)::date
    ELSE day
END;

CREATE OR REPLACE FUNCTION internal.period_last(day date, cadence text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE cadence
    WHEN 'day' THEN day
    WHEN 'weekly' THEN week_of(day) + 6
    WHEN 'week' THEN week_of(day) + 6
    WHEN 'month' THEN (date_trunc('month', day::timestamp) + interval '1 month')::date - 1
    ELSE day
END;

-- How often a habit is to be done on a day.
CREATE OR REPLACE FUNCTION internal.day_target(frequency text, target_count int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE frequency WHEN 'weekly' THEN 1 ELSE target_count END;

-- On how many days of a week a weekly habit is to be done; null for others.
CREATE OR REPLACE FUNCTION internal.week_target(frequency text, target_count int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE frequency WHEN 'weekly' THEN target_count END;

-- The latest streak, the last day of it, and the longest streak. `done` are the days that were done; of a habit of a
-- week or a month, at least one day of each that met its target.
--   A streak is a run of turns without a gap, each done, skipped or paused; its length counts the done ones. Within a run, a
--   turn's number minus its position among all turns stays the same ("gaps and islands"). A week or a month with a paused day
--   is a paused turn: whoever is away for a part of it may not have had the days to meet its target.
--   A pause after the last day done or skipped belongs to no run: it may be one that comes much later.
-- Whether the latest streak still stands depends on the day it is read: see standing_streak().
CREATE OR REPLACE FUNCTION internal.habit_streaks(
    cadence text, custom_days int[], done date[], skipped date[], paused date[] DEFAULT '{}',
    OUT streak int, OUT through date, OUT longest int
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH marks (day, counts) AS (
        SELECT d, true FROM unnest(done) AS d
        UNION ALL
        SELECT s, false FROM unnest(skipped) AS s WHERE cadence IN ('daily', 'custom')
    ), rested (day, counts) AS (
        SELECT m.day, m.counts FROM marks AS m
        UNION ALL
        SELECT p, false FROM unnest(paused) AS p WHERE p < (SELECT max(m.day) FROM marks AS m)
    ), turns AS (
        SELECT habit_turn(m.day, cadence, custom_days) AS turn, max(m.day) AS day, bool_or(m.counts) AS counts
          FROM rested AS m WHERE is_habit_day(m.day, cadence, custom_days) GROUP BY 1
    ), numbered AS (
        SELECT t.*, t.turn - row_number() OVER (ORDER BY t.turn) AS run FROM turns AS t
    ), runs AS (
        SELECT count(*) FILTER (WHERE n.counts)::int AS length, max(n.day) AS through FROM numbered AS n GROUP BY n.run
    )
    SELECT coalesce((array_agg(r.length ORDER BY r.through DESC))[1], 0), max(r.through), coalesce(max(r.length), 0)
      FROM runs AS r;
END;

-- A streak as it stands on a day: 0 once a whole turn has passed since its last one that was not paused; `paused` turns
-- were. The turn of the day itself is still open. A streak that ends after the day stands too: its user has travelled west.
CREATE OR REPLACE FUNCTION internal.standing_streak(
    streak int, through date, cadence text, custom_days int[], today date, paused int DEFAULT 0
) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN habit_turn(today, cadence, custom_days) - habit_turn(through, cadence, custom_days) <= 1 + paused THEN streak
    ELSE 0
END;

-- How many turns of a habit are paused between its latest streak and a day: those with a paused day; of a limit, which keeps
-- itself, those with nothing but paused days.
CREATE OR REPLACE FUNCTION internal.paused_turns(h habits, today date) RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    first int := coalesce(habit_turn(h.streak_through, h.cadence, h.custom_days) + 1,
                          habit_turn(coalesce(h.streak_from, h.created_on), h.cadence, h.custom_days));
    last int := habit_turn(today, h.cadence, h.custom_days) - 1;
BEGIN
    IF first > last OR (h.streak = 0 AND h.direction = 'at_least') THEN
        RETURN 0;
    END IF;
    RETURN (
        SELECT count(*)
          FROM (SELECT min(d.day) AS day, count(*) AS days
                  FROM (SELECT DISTINCT p.starts_on + n AS day
                          FROM pauses_of(h, '-infinity', today) AS p, generate_series(0, p.ends_on - p.starts_on) AS n) AS d
                 WHERE is_habit_day(d.day, h.cadence, h.custom_days)
                   AND habit_turn(d.day, h.cadence, h.custom_days) BETWEEN first AND last
                 GROUP BY habit_turn(d.day, h.cadence, h.custom_days)) AS t
         WHERE h.direction = 'at_least' OR t.days = period_last(t.day, h.cadence) - period_first(t.day, h.cadence) + 1);
END
$$;

-- The streak of a limit as it stands on a day. The turns that have ended since its last one were kept, but for those that
-- were paused: a turn in which the limit was passed would be its last one. Without a last one, all turns since the habit began.
CREATE OR REPLACE FUNCTION internal.standing_limit(h habits, today date) RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN h.streak + greatest(
        habit_turn(today, h.cadence, h.custom_days) - paused_turns(h, today)
        - coalesce(habit_turn(h.streak_through, h.cadence, h.custom_days) + 1,
                   habit_turn(coalesce(h.streak_from, h.created_on), h.cadence, h.custom_days)), 0);
END
$$;

-- A habit's streak as it stands on a day. Pauses are asked only where a turn was missed.
CREATE OR REPLACE FUNCTION internal.streak_on(h habits, today date) RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    reached int;
BEGIN
    IF h.direction = 'at_most' THEN
        RETURN standing_limit(h, today);
    END IF;
    reached := standing_streak(h.streak, h.streak_through, h.cadence, h.custom_days, today);
    IF reached < h.streak THEN
        RETURN standing_streak(h.streak, h.streak_through, h.cadence, h.custom_days, today, paused_turns(h, today));
    END IF;
    RETURN reached;
END
$$;

-- The same of a habit's id, for lists: with the row as its argument, a list would put together each row once more.
CREATE OR REPLACE FUNCTION internal.streak_of(habit uuid, today date) RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN (SELECT streak_on(h, streak_of.today) FROM habits AS h WHERE h.id = habit);
END
$$;

-- The longest streak as it stands on a day: that of a limit grows while nothing is written.
CREATE OR REPLACE FUNCTION app.longest_streak(h habits, current_streak int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE h.direction WHEN 'at_most' THEN greatest(h.longest_streak, current_streak) ELSE h.longest_streak END;

-- A habit's streaks as they stand on a day.
CREATE OR REPLACE FUNCTION app.habit_streak(h habits, today date) RETURNS TABLE (current_streak int, longest_streak int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.streak, longest_streak(h, s.streak) FROM streak_on(h, habit_streak.today) AS s (streak);
END;

-- Habits on a day ---------------------------------------------------------------------------------------------------
-- These functions are one SELECT each and are called in FROM, so the planner inlines them: a list of habits is one plan,
-- which reads what is recorded of the day's week once for all habits, however long their history.

-- The sum of a habit's amounts in the period that a day is in.
CREATE OR REPLACE FUNCTION internal.period_sum(habit uuid, period text, day date) RETURNS numeric
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(sum(k.amount), 0) FROM habit_completions AS k
             WHERE k.habit_id = habit AND k.completed_date BETWEEN period_first(day, period) AND period_last(day, period));
END
$$;

-- The last day of the habit's pauses that a day is in; null where it is in none.
CREATE OR REPLACE FUNCTION internal.paused_until(habit uuid, day date) RETURNS date
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN (SELECT max(p.ends_on) FROM habit_pauses AS p
             WHERE (p.habit_id = habit OR p.habit_id IS NULL) AND day BETWEEN p.starts_on AND p.ends_on);
END
$$;

-- Whether a habit that is neither skipped nor paused is due on a day: whether it is active and scheduled; one of a week or a
-- month until its target is met. A limit is never due.
CREATE OR REPLACE FUNCTION internal.is_habit_due(h habits, day date, week_days int, amount numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN h.is_active AND CASE h.cadence
    WHEN 'weekly' THEN week_days < h.target_count
    ELSE h.direction = 'at_least' AND is_habit_day(day, h.cadence, h.custom_days)
         AND (h.period = 'day' OR amount < h.target_amount)
END;

-- What is recorded of all habits on a day and in its week; no row of a habit without completions in the week. Where all rows of
-- the table are looked at, the week is computed for each: week_of() would be half of the cost.
--   times      how often it was completed on the day        done   whether the day's target was met
--   week_days  on how many days of the week it was done: a bit for each day, since count(DISTINCT ...) would sort the rows
CREATE OR REPLACE FUNCTION internal.habits_recorded(day date)
RETURNS TABLE (habit_id uuid, times int, done boolean, week_days int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT k.habit_id, count(*) FILTER (WHERE k.completed_date = habits_recorded.day)::int,
           bool_or(k.done AND k.completed_date = habits_recorded.day),
           coalesce(bit_count((bit_or(1 << (k.completed_date - habits_recorded.day + 7)) FILTER (WHERE k.done))::bit(32)), 0)::int
      FROM habit_completions AS k
     WHERE k.completed_date BETWEEN habits_recorded.day - (habits_recorded.day - date '0001-01-01') % 7
                                AND habits_recorded.day - (habits_recorded.day - date '0001-01-01') % 7 + 6
     GROUP BY k.habit_id;
END;

-- On how many days of a day's week a habit was done.
CREATE OR REPLACE FUNCTION internal.days_of_week(habit uuid, day date) RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT r.week_days FROM habits_recorded(day) AS r WHERE r.habit_id = habit), 0);
END
$$;

-- All habits on a day, each with what is recorded of it:
--   times      how often it was completed        done       whether the day's target was met
--   amount     the sum of the day's period; null of a habit without amounts
--   skipped    whether the day was skipped
--   paused_until  the last day of the pause that the day is in; null where it is in none
--   due        whether the habit is active, not skipped, not paused and scheduled; see is_habit_due()
-- What few habits need is a function that is not inlined, so that the plan stays small.
CREATE OR REPLACE FUNCTION internal.habits_with_day(day date)
RETURNS TABLE (
    h habits, times int, done boolean, amount numeric, skipped boolean, paused_until date, due boolean, any_pause boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT h, coalesce(r.times, 0), coalesce(r.done, false), a.amount, s.day IS NOT NULL, p.paused_until,
           is_habit_due(h, d.day, coalesce(r.week_days, 0), a.amount) AND s.day IS NULL AND p.paused_until IS NULL, d.any_pause
      -- OFFSET 0: whoever never pauses is asked once for all habits.
      FROM (SELECT habits_with_day.day, EXISTS (SELECT FROM habit_pauses) AS any_pause OFFSET 0) AS d
     CROSS JOIN habits AS h
      LEFT JOIN habits_recorded(habits_with_day.day) AS r ON r.habit_id = h.id
      LEFT JOIN habit_skips AS s ON s.habit_id = h.id AND s.day = habits_with_day.day
     CROSS JOIN LATERAL (SELECT CASE h.kind WHEN 'amount' THEN period_sum(h.id, h.period, d.day) END AS amount) AS a
     CROSS JOIN LATERAL (SELECT CASE WHEN d.any_pause THEN paused_until(h.id, d.day) END AS paused_until) AS p;
END;

-- What the wire shows of all habits, under the wire's names.
CREATE OR REPLACE FUNCTION app.habits_shown(today date)
RETURNS TABLE (
    id uuid, name text, description text, frequency text, target_count int, custom_days int[], icon text, color text,
    category text, xp_reward int, coin_reward int, skill_key text, reminder_time text, is_active boolean,
    current_streak int, longest_streak int, last_completed_at timestamptz, completed_today boolean,
    completed_count_today int, due_today boolean, skipped_today boolean, paused_until date, kind text, direction text,
    target_amount numeric, unit text, amount_step numeric, period text, "group" text, amount_period numeric,
    remaining numeric, sort_order int, created_at timestamptz, updated_at timestamptz
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (o.h).id, (o.h).name, (o.h).description, (o.h).frequency, (o.h).target_count, (o.h).custom_days, (o.h).icon,
           (o.h).color, (o.h).category, (o.h).xp_reward, (o.h).coin_reward, (o.h).skill_key, (o.h).reminder_time,
           (o.h).is_active,
           CASE WHEN o.any_pause OR (o.h).direction = 'at_most' THEN streak_of((o.h).id, habits_shown.today)
                ELSE standing_streak((o.h).streak, (o.h).streak_through, (o.h).cadence, (o.h).custom_days, habits_shown.today)
           END,
           CASE (o.h).direction WHEN 'at_most' THEN longest_streak(o.h, streak_of((o.h).id, habits_shown.today))
                                ELSE (o.h).longest_streak END,
           (o.h).last_completed_at, o.done, o.times, o.due, o.skipped, o.paused_until, (o.h).kind, (o.h).direction,
           (o.h).target_amount, (o.h).unit, (o.h).amount_step, (o.h).period, (o.h)."group", o.amount,
           CASE WHEN (o.h).kind = 'amount' AND (o.h).direction = 'at_least' THEN greatest((o.h).target_amount - o.amount, 0) END,
           (o.h).sort_order, (o.h).created_at, (o.h).updated_at
      FROM habits_with_day(habits_shown.today) AS o;
END;

-- The active habits on a day. `pending` is due and not done.
CREATE OR REPLACE FUNCTION app.habits_on(day date)
RETURNS TABLE (habit_id uuid, name text, sort_order int, due boolean, done boolean, skipped boolean, pending boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (o.h).id, (o.h).name, (o.h).sort_order, o.due, o.done, o.skipped, o.due AND NOT o.done
      FROM habits_with_day(habits_on.day) AS o
     WHERE (o.h).is_active;
END;

-- The row of a day on which a habit was done, if it was.
CREATE OR REPLACE FUNCTION internal.habit_done(habit uuid, day date) RETURNS TABLE (completed_date date)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT k.completed_date FROM habit_completions AS k
     WHERE k.habit_id = habit_done.habit AND k.completed_date = habit_done.day AND k.done;
END;

-- The pending habits of habits_on(), looked at one by one: for who asks whether there is any, and so stops at the first.
CREATE OR REPLACE FUNCTION internal.pending_habits(day date) RETURNS TABLE (habit_id uuid)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT h.id
      FROM habits AS h
     WHERE is_habit_due(h, pending_habits.day,
                        CASE h.cadence WHEN 'weekly' THEN days_of_week(h.id, pending_habits.day) END,
                        CASE h.kind WHEN 'amount' THEN period_sum(h.id, h.period, pending_habits.day) END)
       AND NOT EXISTS (SELECT FROM habit_done(h.id, pending_habits.day))
       AND NOT EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = pending_habits.day)
       AND NOT EXISTS (
           SELECT FROM habit_pauses AS p
            WHERE (p.habit_id = h.id OR p.habit_id IS NULL) AND pending_habits.day BETWEEN p.starts_on AND p.ends_on);
END;

-- Reminders ---------------------------------------------------------------------------------------------------------

-- The active habits that have a time of day to be reminded at; with an id, that one.
CREATE OR REPLACE FUNCTION internal.habit_reminder_times(wanted uuid)
RETURNS TABLE (habit_id uuid, name text, reminder_time text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT h.id, h.name, h.reminder_time
      FROM habits AS h
     WHERE h.user_id = current_user_id() AND (wanted IS NULL OR h.id = wanted)
       AND h.is_active AND h.reminder_time IS NOT NULL;
END;

-- Whether a habit is due on a day and not done.
CREATE OR REPLACE FUNCTION internal.is_habit_pending(wanted uuid, day date) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM pending_habits(is_habit_pending.day) AS h WHERE h.habit_id = wanted);

-- History -----------------------------------------------------------------------------------------------------------

-- The days of a history: 30 to today unless others are asked for, at most 366. The first is not before the year 1, which
-- is the first that the wire can name.
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

-- What is recorded of a habit for each day of the periods that the days from `first` to `last` touch. The targets are
-- those that were in force; where nothing was completed, `target` is the present one and the others null.
CREATE OR REPLACE FUNCTION app.habit_days(h habits, first date, last date)
RETURNS TABLE (
    date date, count int, target int, week_target int, amount numeric, amount_target numeric, done boolean,
    skipped boolean, scheduled boolean, paused boolean, notes text
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.day, coalesce(c.times, 0),
           coalesce(c.target, CASE h.kind WHEN 'check' THEN day_target(h.cadence, h.target_count) ELSE 1 END), c.week_target,
           c.amount, c.amount_target, coalesce(c.done, false), s.day IS NOT NULL,
           is_habit_day(d.day, h.cadence, h.custom_days),
           (SELECT EXISTS (SELECT FROM habit_pauses)) AND EXISTS (SELECT FROM pauses_of(h, d.day, d.day)), c.notes
      FROM (SELECT period_first(habit_days.first, h.cadence) AS first,
                   least(period_last(habit_days.last, h.cadence), '9999-12-31') AS last) AS span
     CROSS JOIN LATERAL (SELECT span.first + n AS day FROM generate_series(0, span.last - span.first) AS n) AS d
      LEFT JOIN (SELECT k.completed_date AS day, count(*)::int AS times, max(k.target) AS target,
                        min(k.week_target) AS week_target, sum(k.amount) AS amount,
                        max(k.amount_target) AS amount_target, bool_or(k.done) AS done,
                        (array_agg(k.notes ORDER BY k.ordinal DESC) FILTER (WHERE k.notes IS NOT NULL))[1] AS notes
                   FROM habit_completions AS k
                  WHERE k.habit_id = h.id AND k.completed_date BETWEEN period_first(habit_days.first, h.cadence)
                                                                   AND period_last(habit_days.last, h.cadence)
                  GROUP BY k.completed_date) AS c ON c.day = d.day
      LEFT JOIN habit_skips AS s ON s.habit_id = h.id AND s.day = d.day;
END;

-- Changes -----------------------------------------------------------------------------------------------------------
-- All run under the user's lock.

-- Refuses what only the database can check: a weekly target beyond the days of a week, an unknown skill.
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

-- Refuses amounts that do not fit the kind of the habit, and a kind that lacks them.
CREATE OR REPLACE FUNCTION app.check_amounts(kind text, direction text, target_amount numeric, period text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF kind = 'amount' AND target_amount IS NULL THEN
        PERFORM refuse_field('target_amount', 'must be given for a habit of kind amount');
    ELSIF kind = 'check' AND target_amount IS NOT NULL THEN
        PERFORM refuse_field('target_amount', 'must be left out for a habit of kind check');
    ELSIF kind = 'check' AND direction <> 'at_least' THEN
        PERFORM refuse_field('direction', 'must be at_least for a habit of kind check');
    ELSIF kind = 'check' AND period <> 'day' THEN
        PERFORM refuse_field('period', 'must be day for a habit of kind check');
    ELSIF target_amount = 0 AND direction = 'at_least' THEN
        PERFORM refuse_field('target_amount', 'must be more than 0, unless the direction is at_most');
    END IF;
    RETURN true;
END
$$;

-- A habit with the changes that were sent. One that becomes a habit of kind check loses what only amounts have.
CREATE OR REPLACE FUNCTION app.changed_habit(h habits, changes jsonb) RETURNS habits
LANGUAGE sql STABLE
RETURN jsonb_populate_record(
    h, CASE WHEN changes ->> 'kind' = 'check' THEN '{"direction": "at_least", "target_amount": null, "period": "day"}'
            ELSE '{}'::jsonb END || changes);

-- The day a request is about: `given` or today. Refuses all but today and the seven days before it since the habit was
-- made, or since the period began in which it became what it is.
CREATE OR REPLACE FUNCTION internal.habit_date(h habits, given date, today date) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF given <> today AND (given > today OR given < today - 7 OR given < h.created_on) THEN
        PERFORM refuse_field('date', 'must be today or one of the 7 days before it, and not before the habit was made');
    ELSIF given <> today AND given < period_first(h.streak_from, h.cadence) THEN
        PERFORM refuse_field('date', 'must not be before the kind, the direction or the period of the habit was changed');
    END IF;
    RETURN coalesce(given, today);
END
$$;

-- The first day that counts for a habit's streaks; null where all days do.
CREATE OR REPLACE FUNCTION internal.counts_from(h habits) RETURNS date
LANGUAGE sql IMMUTABLE
RETURN period_first(h.streak_from, h.cadence);

-- The turns in which a limit was passed, each with the last day of them that has an amount.
CREATE OR REPLACE FUNCTION internal.turns_passed(h habits) RETURNS TABLE (turn int, day date)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT habit_turn(k.completed_date, h.cadence, h.custom_days), max(k.completed_date)
      FROM habit_completions AS k
     WHERE k.habit_id = h.id AND k.amount IS NOT NULL
       AND is_habit_day(k.completed_date, h.cadence, h.custom_days)
       AND (counts_from(h) IS NULL OR k.completed_date >= counts_from(h))
     GROUP BY 1
    HAVING sum(k.amount) > max(k.amount_target);
END;

-- The days of a habit's pauses, as habit_streaks() takes them.
CREATE OR REPLACE FUNCTION internal.days_paused(h habits) RETURNS date[]
LANGUAGE sql STABLE
RETURN ARRAY(
    SELECT DISTINCT p.starts_on + n
      FROM pauses_of(h, '-infinity', 'infinity') AS p, generate_series(0, p.ends_on - p.starts_on) AS n);

-- The days of the turns in which a limit was kept: all that have ended before a day since the habit began, but for those
-- in which the limit was passed. Paused days are left out, and with them the turns that have no other; so are skipped days
-- where a day is a turn.
CREATE OR REPLACE FUNCTION internal.days_kept(h habits, today date) RETURNS date[]
LANGUAGE sql STABLE
RETURN ARRAY(
    SELECT d.day
      FROM (SELECT coalesce(h.streak_from, h.created_on) + n AS day
              FROM generate_series(0, today - 1 - coalesce(h.streak_from, h.created_on)) AS n) AS d
     WHERE habit_turn(d.day, h.cadence, h.custom_days) < habit_turn(today, h.cadence, h.custom_days)
       AND habit_turn(d.day, h.cadence, h.custom_days) NOT IN (SELECT p.turn FROM turns_passed(h) AS p)
       AND d.day NOT IN (SELECT unnest(days_paused(h)))
       AND (h.period <> 'day' OR NOT EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = d.day)));

-- The days on which a habit was done, with the number of days that their week asks for. What is done on a paused day is
-- outside of the streak; a day that was done before its pause was told stays in it, so that no pause makes a streak shorter.
-- A week or a month of amounts is met by its sum alone: days of it that were done while the habit had no amounts meet nothing.
CREATE OR REPLACE FUNCTION internal.days_counted(h habits) RETURNS TABLE (day date, needed int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT k.completed_date, min(coalesce(k.week_target, h.target_count))
      FROM habit_completions AS k
     WHERE k.habit_id = h.id AND k.done
       AND (h.period = 'day' OR k.amount IS NOT NULL)
       AND (counts_from(h) IS NULL OR k.completed_date >= counts_from(h))
       AND NOT EXISTS (
           SELECT FROM pauses_of(h, k.completed_date, k.completed_date) AS p WHERE p.told_at <= k.completed_at)
     GROUP BY k.completed_date;
END;

-- The days that count for a habit's streaks, as habit_streaks() takes them.
CREATE OR REPLACE FUNCTION internal.days_done(h habits) RETURNS date[]
LANGUAGE sql STABLE
RETURN CASE
    WHEN h.direction = 'at_most' THEN days_kept(h, local_today())
    WHEN h.cadence = 'weekly' THEN ARRAY(
        SELECT max(d.day) FROM days_counted(h) AS d GROUP BY week_of(d.day) HAVING count(*) >= min(d.needed))
    ELSE ARRAY(SELECT d.day FROM days_counted(h) AS d)
END;

-- Sets what a habit keeps of its history, from the whole of it, and returns the habit. The longest streak falls only
-- when a completion was undone.
--   A limit that is passed breaks its streak at once, while its turn is still open: the streak is 0 through that day. A turn
--   with a paused day breaks nothing, but it was not kept either.
CREATE OR REPLACE FUNCTION internal.recount_habit(h habits, undone boolean DEFAULT false) RETURNS habits
LANGUAGE plpgsql AS $$
DECLARE
    counted record;
    skipped date[] := ARRAY(SELECT s.day FROM habit_skips AS s
                             WHERE s.habit_id = h.id AND (counts_from(h) IS NULL OR s.day >= counts_from(h)));
    paused date[] := days_paused(h);
    passed date;
    broken date;
BEGIN
    SELECT * INTO counted FROM habit_streaks(h.cadence, h.custom_days, days_done(h), skipped, paused);
    counted.longest := greatest(counted.longest, h.longest_before);
    IF h.direction = 'at_most' THEN
        SELECT max(p.day), max(p.day) FILTER (WHERE p.turn NOT IN (
                   SELECT habit_turn(d, h.cadence, h.custom_days) FROM unnest(paused) AS d
                    WHERE is_habit_day(d, h.cadence, h.custom_days)))
          INTO passed, broken
          FROM turns_passed(h) AS p;
        IF broken > counted.through OR counted.through IS NULL THEN
            counted.streak := 0;
        END IF;
        counted.through := greatest(counted.through, passed);
    END IF;
    UPDATE habits AS s
       SET streak = counted.streak,
           streak_through = counted.through,
           longest_streak = CASE WHEN undone THEN counted.longest ELSE greatest(s.longest_streak, counted.longest) END,
           last_completed_at = (SELECT max(k.completed_at) FROM habit_completions AS k WHERE k.habit_id = h.id)
     WHERE s.id = h.id
    RETURNING s.* INTO h;
    RETURN h;
END
$$;

-- Counts a completion in its habit, and returns the habit. A day after the latest streak extends it or begins the next
-- one, without reading the history; any other is recounted, and so is one on a paused day or after a pause.
CREATE OR REPLACE FUNCTION internal.count_completion(h habits, made habit_completions) RETURNS habits
LANGUAGE plpgsql AS $$
DECLARE
    -- null before the first streak
    turns_later int := habit_turn(made.completed_date, h.cadence, h.custom_days)
                       - habit_turn(h.streak_through, h.cadence, h.custom_days);
    reached int := CASE turns_later WHEN 1 THEN h.streak + 1 ELSE 1 END;
    counted habits;
BEGIN
    IF NOT made.done THEN
        UPDATE habits AS s SET last_completed_at = made.completed_at WHERE s.id = h.id RETURNING s.* INTO counted;
        RETURN counted;
    ELSIF h.cadence = 'weekly' OR turns_later < 1
        OR NOT is_habit_day(made.completed_date, h.cadence, h.custom_days)
    THEN
        RETURN recount_habit(h);
    END IF;
    UPDATE habits AS s
       SET streak = reached,
           streak_through = made.completed_date,
           longest_streak = greatest(s.longest_streak, reached),
           last_completed_at = made.completed_at
     WHERE s.id = h.id
       AND NOT EXISTS (SELECT FROM pauses_of(h, coalesce(h.streak_through, made.completed_date), made.completed_date))
    RETURNING s.* INTO counted;
    RETURN CASE WHEN FOUND THEN counted ELSE recount_habit(h) END;
END
$$;

-- After a change of schedule, target or kind: today and the present week or month take the new targets, and the streaks
-- are recounted.
CREATE OR REPLACE FUNCTION app.retarget_habit(h habits) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date := local_today();
BEGIN
    UPDATE habit_completions AS k
       SET target = CASE WHEN k.completed_date < today THEN k.target
                         WHEN h.kind = 'amount' THEN 1
                         ELSE day_target(h.cadence, h.target_count) END,
           week_target = week_target(h.cadence, h.target_count),
           -- What was completed today counts as a completion of the new kind, and amounts as so many completions.
           amount_met = CASE WHEN k.completed_date < today THEN k.amount_met
                             WHEN h.kind = 'amount' THEN k.amount IS NOT NULL AND k.amount_met IS TRUE END
     WHERE k.habit_id = h.id AND k.completed_date >= week_of(today);
    IF h.kind = 'amount' THEN
        UPDATE habit_completions AS k SET amount_target = h.target_amount
         WHERE k.habit_id = h.id AND k.completed_date >= period_first(today, h.period) AND k.amount IS NOT NULL;
        PERFORM judge_amounts(h, period_first(today, h.period));
    END IF;
    PERFORM recount_habit(h);
END
$$;

-- Pays the completion that met today's target, or a limit that was kept, under `key`: the habit's own reward and, where it
-- brought the streak to a round length, as many XP as the streak is long. After 20 paid completions a day the next ones
-- count and pay nothing.
CREATE OR REPLACE FUNCTION internal.pay_habit(
    h habits, key text, streak_before int, streak_after int, today date,
    OUT streak_bonus boolean, OUT paid award_result
)
LANGUAGE plpgsql AS $$
DECLARE
    within_cap boolean;
    perfect boolean;
BEGIN
    -- A perfect day is counted once. When the payment that carries the count is reversed, the day may be counted again.
    SELECT count(*) FILTER (WHERE p.base_xp > 0 OR p.coins > 0) < 20, bool_or(p.counters ? 'perfect_habit_days') IS NOT TRUE
      INTO within_cap, perfect
      FROM entries_on(today, 'habit_complete') AS p;
    perfect := perfect AND NOT EXISTS (SELECT FROM pending_habits(today));
    streak_bonus := within_cap AND streak_after > streak_before AND streak_after IN (7, 14, 30, 60, 100, 365);
    paid := award(
        'habit_complete', 'habit', h.id,
        CASE WHEN within_cap THEN h.xp_reward ELSE 0 END + CASE WHEN streak_bonus THEN streak_after ELSE 0 END,
        CASE WHEN within_cap THEN h.coin_reward ELSE 0 END,
        key, h.skill_key,
        counters => CASE WHEN perfect THEN '{"perfect_habit_days": 1}'::jsonb ELSE '{}' END,
        metadata => jsonb_build_object('habit_streak', streak_after),
        day => today);
END
$$;

-- Takes back a skip, if there is one, and returns the habit.
CREATE OR REPLACE FUNCTION internal.delete_skip(h habits, skipped_day date) RETURNS habits
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = skipped_day;
    RETURN CASE WHEN FOUND THEN recount_habit(h) ELSE h END;
END
$$;

-- Records a completion; of a habit with amounts, what its period lacks; past the day's target, nothing. One that meets
-- today's target is paid: a weekly habit's until the week's target is met, and any habit once a day. Completing a skipped day
-- takes the skip back.
--   completed          the day's target is met       new_streak     with this completion
--   already_completed  it was met before             paid           null when nothing was paid
CREATE OR REPLACE FUNCTION app.complete_habit(
    h habits, given date, note text,
    OUT completion_id uuid, OUT completed boolean, OUT already_completed boolean, OUT new_streak int,
    OUT streak_bonus boolean, OUT paid award_result
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date := local_today();
    wanted date := habit_date(h, given, today);
    streak_before int := streak_on(h, today);
    before record;
    pays boolean;
    made habit_completions;
    payment record;
BEGIN
    IF NOT h.is_active THEN
        PERFORM refuse(409, 'habit_archived', 'An archived habit cannot be completed.');
    ELSIF h.kind = 'amount' THEN
        SELECT * INTO payment FROM complete_amount(h, wanted, note);
        completion_id := payment.completion_id;
        completed := payment.completed;
        already_completed := payment.already_completed;
        new_streak := payment.new_streak;
        streak_bonus := payment.streak_bonus;
        paid := payment.paid;
        RETURN;
    END IF;
    SELECT count(*) + 1 AS ordinal, coalesce(max(k.target), day_target(h.frequency, h.target_count)) AS target,
           coalesce(bool_or(k.done), false) AS done, coalesce(bool_or(k.ledger_key IS NOT NULL), false) AS paid,
           EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = wanted) AS skipped
      INTO before
      FROM habit_completions AS k WHERE k.habit_id = h.id AND k.completed_date = wanted;
    already_completed := before.done;
    completed := before.done;
    new_streak := streak_before;
    streak_bonus := false;
    IF already_completed THEN
        RETURN;
    END IF;
    IF before.skipped THEN
        h := delete_skip(h, wanted);
    END IF;
    pays := before.ordinal >= before.target AND wanted = today AND NOT before.paid
        AND (h.frequency <> 'weekly' OR days_of_week(h.id, today) < h.target_count);
    completion_id := gen_random_uuid();
    INSERT INTO habit_completions (id, habit_id, completed_date, ordinal, target, week_target, notes, ledger_key)
    VALUES (completion_id, h.id, wanted, before.ordinal, before.target, week_target(h.frequency, h.target_count), note,
            CASE WHEN pays THEN 'habit_complete:' || completion_id END)
    RETURNING * INTO made;
    completed := made.done;
    h := count_completion(h, made);
    new_streak := streak_on(h, today);
    IF pays THEN
        payment := pay_habit(h, made.ledger_key, streak_before, new_streak, today);
        streak_bonus := payment.streak_bonus;
        paid := payment.paid;
    END IF;
END
$$;

-- Takes a day's last completion back, and reverses what it paid.
CREATE OR REPLACE FUNCTION app.undo_habit(h habits, given date, OUT xp_reversed bigint, OUT coins_reversed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    wanted date := habit_date(h, given, local_today());
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
    IF h.kind = 'amount' AND undone.amount IS NOT NULL THEN
        reversal := undo_amount(h, undone);
    ELSE
        IF undone.ledger_key IS NOT NULL THEN
            reversal := reverse(undone.ledger_key, 'A completion was undone.');
        END IF;
        PERFORM recount_habit(h, undone => true);
    END IF;
    -- No later import brings back what is undone.
    UPDATE habits AS s SET import_digest = NULL WHERE s.id = h.id AND undone.is_imported;
    xp_reversed := coalesce(-reversal.xp, 0);
    coins_reversed := coalesce(-reversal.coins, 0);
END
$$;

-- Skips a day: at most two in any seven days. Skipping a skipped day changes nothing.
CREATE OR REPLACE FUNCTION app.skip_habit(h habits, given date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    wanted date := habit_date(h, given, local_today());
BEGIN
    IF NOT h.is_active THEN
        PERFORM refuse(409, 'habit_archived', 'An archived habit cannot be skipped.');
    ELSIF EXISTS (SELECT FROM habit_done(h.id, wanted)) THEN
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
    PERFORM recount_habit(h);
END
$$;

-- Takes a skip back, if there is one.
CREATE OR REPLACE FUNCTION app.unskip_habit(h habits, given date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM delete_skip(h, habit_date(h, given, local_today()));
    -- No later import skips the day again.
    UPDATE habits AS s SET import_digest = NULL WHERE s.id = h.id AND s.import_digest IS NOT NULL;
END
$$;

-- Imports -----------------------------------------------------------------------------------------------------------

-- A number that is another one when a habit has come, gone or changed, or a quest was imported. Each completion and skip
-- changes its habit.
CREATE OR REPLACE FUNCTION app.habits_version() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(hashtextextended(h.id::text || h.xmin::text, 0)), 0)::text FROM habits AS h)
    || '/' || (SELECT count(*) FROM imported_quests());

-- The days on which each habit was done or has an amount, in three numbers that are the same for the same days: how many,
-- and the sums of their numbers since 2000-01-01 and of the squares of these.
CREATE OR REPLACE FUNCTION app.habit_sums() RETURNS TABLE (habit_id uuid, days bigint, sum bigint, squares bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.habit_id, count(*), sum(d.n), sum(d.n * d.n)::bigint
      FROM (SELECT DISTINCT k.habit_id, (k.completed_date - date '2000-01-01')::bigint AS n
              FROM habit_completions AS k WHERE k.done OR k.amount IS NOT NULL) AS d
     GROUP BY d.habit_id;
END;

-- Writes what an import has planned, unless the habits are no longer what they were when they were read. Returns whether
-- it was written. `rows` holds the `imported` and the `updated` habits as rows of habits, and `quests`. The lists hold the
-- days of all these habits, recorded or skipped. Nothing is paid and nothing is counted for them but the habit's own streaks.
--   A habit with a file's days keeps what its user has done and skipped since.
CREATE OR REPLACE FUNCTION app.import_habits(
    seen text, rows jsonb, of_habits uuid[], days date[], recorded boolean[], notes text[], amounts numeric[]
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    user_zone text := (day_settings()).zone;
    today date := local_today();
    last_place int := (SELECT max(h.sort_order) FROM habits AS h);
BEGIN
    IF seen <> habits_version() THEN
        RETURN false;
    END IF;
    INSERT INTO habits (
        id, name, description, frequency, target_count, custom_days, color, category, is_active, sort_order, created_on,
        kind, direction, target_amount, unit, period, import_key, import_digest)
    SELECT k.id, k.name, k.description, k.frequency, k.target_count, k.custom_days, k.color, coalesce(k.category, 'general'),
           k.is_active, coalesce(last_place, 0) + k.sort_order, coalesce(k.created_on, today), k.kind, k.direction,
           k.target_amount, k.unit, k.period, k.import_key, k.import_digest
      FROM jsonb_populate_recordset(NULL::habits, rows -> 'imported') AS k;
    UPDATE habits AS h
       SET (name, description, frequency, target_count, custom_days, color, category, is_active, created_on, kind, direction,
            target_amount, unit, period, import_key, import_digest)
         = (k.name, k.description, k.frequency, k.target_count, k.custom_days, k.color, coalesce(k.category, h.category),
            k.is_active, least(h.created_on, k.created_on), k.kind, k.direction, k.target_amount, k.unit, k.period,
            k.import_key, k.import_digest)
      FROM jsonb_populate_recordset(NULL::habits, rows -> 'updated') AS k
     WHERE h.id = k.id;
    DELETE FROM habit_completions AS c
     USING jsonb_populate_recordset(NULL::habits, rows -> 'updated') AS k
     WHERE c.habit_id = k.id AND c.is_imported;
    DELETE FROM habit_skips AS s
     USING jsonb_populate_recordset(NULL::habits, rows -> 'updated') AS k
     WHERE s.habit_id = k.id AND s.is_imported;
    INSERT INTO habit_completions (
        habit_id, completed_date, ordinal, target, week_target, amount, amount_target, amount_met, completed_at, notes,
        is_imported)
    SELECT d.habit_id, d.day, 1, 1, week_target(h.cadence, h.target_count), d.amount, h.target_amount,
           CASE h.kind WHEN 'amount' THEN false END, (d.day + time '12:00') AT TIME ZONE user_zone, d.note, true
      FROM unnest(of_habits, days, recorded, notes, amounts) AS d (habit_id, day, recorded, note, amount)
      JOIN habits AS h ON h.id = d.habit_id
     WHERE d.recorded AND NOT EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = d.habit_id AND s.day = d.day)
        ON CONFLICT DO NOTHING;
    INSERT INTO habit_skips (habit_id, day, is_imported)
    SELECT d.habit_id, d.day, true
      FROM unnest(of_habits, days, recorded) AS d (habit_id, day, recorded)
     WHERE NOT d.recorded
       AND NOT EXISTS (SELECT FROM habit_completions AS c WHERE c.habit_id = d.habit_id AND c.completed_date = d.day)
        ON CONFLICT DO NOTHING;
    PERFORM judge_amounts(h, '-infinity') FROM habits AS h WHERE h.id = ANY (of_habits) AND h.kind = 'amount';
    PERFORM recount_habit(h, undone => true) FROM habits AS h WHERE h.id = ANY (of_habits);
    PERFORM plan_habit_reminder(h.id, h.reminder_time) FROM habits AS h WHERE h.id = ANY (of_habits) AND h.is_active;
    PERFORM import_quests(rows -> 'quests');
    RETURN true;
END
$$;
