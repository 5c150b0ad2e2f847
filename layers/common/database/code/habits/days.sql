SET LOCAL ROLE questlog_owner;

-- Habits on a day ---------------------------------------------------------------------------------------------------
-- These functions are one SELECT each and are called in FROM, so the planner inlines them: a list of habits is one plan,
-- which reads what is recorded of the day once for all habits, and of its week for weekly habits alone, however long their history.

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

-- On how many days of a day's week a habit was done.
CREATE OR REPLACE FUNCTION internal.days_of_week(habit uuid, day date) RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN (SELECT count(DISTINCT k.completed_date) FROM habit_completions AS k
             WHERE k.habit_id = habit AND k.done AND k.completed_date BETWEEN week_of(day) AND week_of(day) + 6);
END
$$;

-- All habits on a day, each with the day and what is recorded of it. The day may be an expression: it is evaluated once.
--   times      how often it was completed        done       whether the day's target was met
--   amount     the sum of the day's period; null of a habit without amounts
--   skipped    whether the day was skipped
--   paused_until  the last day of the pause that the day is in; null where it is in none
--   due        whether the habit is active, not skipped, not paused and scheduled; see is_habit_due()
--   last_pause  the last day of the user's latest pause; null of a user who never paused
-- What few habits need is a function that is not inlined, so that the plan stays small.
CREATE OR REPLACE FUNCTION internal.habits_with_day(on_day date)
RETURNS TABLE (
    day date, h habits, times int, done boolean, amount numeric, skipped boolean, paused_until date, due boolean, last_pause date
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.day, h, coalesce(r.times, 0), coalesce(r.done, false), a.amount, h.id = ANY (d.skipped), p.paused_until,
           is_habit_due(
               h, d.day,
               CASE h.cadence WHEN 'weekly' THEN (
                   SELECT count(DISTINCT k.completed_date) FROM habit_completions AS k
                    WHERE k.habit_id = h.id AND k.done AND k.completed_date BETWEEN d.week AND d.week + 6)::int END,
               a.amount) AND h.id <> ALL (d.skipped) AND p.paused_until IS NULL, d.last_pause
      -- OFFSET 0: the day and what belongs to it are read once, and not for each habit. The skips of the day are a list, because they
      -- are few: a join costs more.
      FROM (SELECT g.day, week_of(g.day) AS week,
                   (SELECT max(p.ends_on) FROM habit_pauses AS p) AS last_pause,
                   ARRAY(SELECT s.habit_id FROM habit_skips AS s WHERE s.day = g.day) AS skipped
              FROM (SELECT on_day AS day OFFSET 0) AS g OFFSET 0) AS d
     CROSS JOIN habits AS h
      LEFT JOIN LATERAL (SELECT k.habit_id, count(*)::int AS times, bool_or(k.done) AS done
                           FROM habit_completions AS k WHERE k.completed_date = d.day GROUP BY k.habit_id) AS r
             ON r.habit_id = h.id
     CROSS JOIN LATERAL (SELECT CASE h.kind WHEN 'amount' THEN period_sum(h.id, h.period, d.day) END AS amount) AS a
     CROSS JOIN LATERAL (SELECT CASE WHEN d.last_pause >= d.day THEN paused_until(h.id, d.day) END AS paused_until) AS p;
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
           -- A pause that was over when the streak ended is counted in it.
           CASE WHEN o.last_pause > (o.h).streak_through OR (o.h).direction = 'at_most' THEN streak_of((o.h).id, o.day)
                ELSE standing_streak((o.h).streak, (o.h).streak_through, (o.h).cadence, (o.h).custom_days, o.day)
           END,
           CASE (o.h).direction WHEN 'at_most' THEN longest_streak(o.h, streak_of((o.h).id, o.day))
                                ELSE (o.h).longest_streak END,
           (o.h).last_completed_at, o.done, o.times, o.due, o.skipped, o.paused_until, (o.h).kind, (o.h).direction,
           (o.h).target_amount, (o.h).unit, (o.h).amount_step, (o.h).period, (o.h)."group", o.amount,
           CASE WHEN (o.h).kind = 'amount' AND (o.h).direction = 'at_least' THEN greatest((o.h).target_amount - o.amount, 0) END,
           (o.h).sort_order, (o.h).created_at, (o.h).updated_at
      FROM habits_with_day(habits_shown.today) AS o;
END;

-- What the wire shows of one habit today beside its own columns, as habits_shown() shows it. That is one plan for a list, and to make
-- it ready takes several times as long as one habit does: here what few habits have is only looked at where they have it.
CREATE OR REPLACE FUNCTION app.habit_today(
    h habits, OUT current_streak int, OUT longest_streak int, OUT completed_today boolean, OUT completed_count_today int,
    OUT due_today boolean, OUT skipped_today boolean, OUT paused_until date, OUT amount_period numeric, OUT remaining numeric
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date;
    any_pause boolean;
BEGIN
    SELECT d.today, k.times, k.done, EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = d.today),
           EXISTS (SELECT FROM habit_pauses)
      INTO today, completed_count_today, completed_today, skipped_today, any_pause
      FROM (SELECT local_day(clock(), c.zone, c.day_start) AS today FROM own_days() AS c OFFSET 0) AS d,
           LATERAL (SELECT count(*) AS times, coalesce(bool_or(c.done), false) AS done
                      FROM habit_completions AS c WHERE c.habit_id = h.id AND c.completed_date = d.today) AS k;
    IF any_pause THEN
        paused_until := paused_until(h.id, today);
    END IF;
    IF h.kind = 'amount' THEN
        amount_period := period_sum(h.id, h.period, today);
        remaining := CASE h.direction WHEN 'at_least' THEN greatest(h.target_amount - amount_period, 0) END;
    END IF;
    due_today := h.is_active AND NOT skipped_today AND paused_until IS NULL;
    IF due_today AND (h.cadence, h.direction) <> ('daily', 'at_least') THEN
        due_today := is_habit_due(h, today, CASE h.cadence WHEN 'weekly' THEN days_of_week(h.id, today) END, amount_period);
    END IF;
    current_streak := streak_on(h, today);
    longest_streak := greatest(h.longest_streak, current_streak);
END
$$;

-- The own columns of a habit that the wire shows.
CREATE OR REPLACE FUNCTION app.habit_columns(h habits)
RETURNS TABLE (
    id uuid, name text, description text, frequency text, target_count int, custom_days int[], icon text, color text,
    category text, xp_reward int, coin_reward int, skill_key text, reminder_time text, is_active boolean,
    last_completed_at timestamptz, kind text, direction text, target_amount numeric, unit text, amount_step numeric, period text,
    "group" text, sort_order int, created_at timestamptz, updated_at timestamptz
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT h.id, h.name, h.description, h.frequency, h.target_count, h.custom_days, h.icon, h.color, h.category, h.xp_reward,
           h.coin_reward, h.skill_key, h.reminder_time, h.is_active, h.last_completed_at, h.kind, h.direction, h.target_amount,
           h.unit, h.amount_step, h.period, h."group", h.sort_order, h.created_at, h.updated_at;
END;

-- What the wire shows of a habit today, for a statement that shows one.
CREATE OR REPLACE VIEW app.habits_today WITH (security_invoker = true) AS
SELECT c.*, t.* FROM habits AS h, habit_columns(h) AS c, habit_today(h) AS t;

-- A digest of what habits_shown() shows of the active habits on a day; null where there is none. It is made of the transactions
-- (xmin) that wrote the habits and the pauses: each completion, amount and skip changes its habit. A pause that is over does not
-- change, and a new one begins at most a week back.
CREATE OR REPLACE FUNCTION app.shown_habits_version(today date) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT sum(hash_record_extended(ROW (h.id, h.xmin, d.today, d.pauses), 0))::text
      FROM (SELECT shown_habits_version.today,
                   (SELECT sum(hash_record_extended(ROW (p.id, p.xmin), 0)) FROM habit_pauses AS p
                     WHERE p.ends_on >= shown_habits_version.today - 10) AS pauses OFFSET 0) AS d
     CROSS JOIN habits AS h
     WHERE h.is_active;
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
