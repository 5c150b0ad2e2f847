SET LOCAL ROLE questlog_owner;

-- All functions that change something here run under the user's lock.

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
--   The habit and the day are compared as one: a plan that was made for a small account would have the order of the days from the
--   index of all habits' days otherwise.
CREATE OR REPLACE FUNCTION internal.days_counted(h habits) RETURNS TABLE (day date, needed int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT k.completed_date, min(coalesce(k.week_target, h.target_count))
      FROM habit_completions AS k
     WHERE k.habit_id = h.id AND (k.habit_id, k.completed_date) >= (h.id, coalesce(counts_from(h), '-infinity'))
       AND k.done
       AND (h.period = 'day' OR k.amount IS NOT NULL)
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

-- Counts a completion of a day in its habit, and returns the habit. A day after the latest streak extends it or begins the next
-- one, without reading the history; any other is recounted, and so is one on a paused day or after a pause. `any_pause` is false
-- where it is known that the user has none.
CREATE OR REPLACE FUNCTION internal.count_completion(h habits, day date, is_done boolean, at timestamptz, any_pause boolean) RETURNS habits
LANGUAGE plpgsql AS $$
DECLARE
    -- null before the first streak
    turns_later int := turns_between(h.streak_through, day, h.cadence, h.custom_days);
BEGIN
    IF NOT is_done THEN
        UPDATE habits AS s SET last_completed_at = at WHERE s.id = h.id RETURNING s.updated_at INTO h.updated_at;
        h.last_completed_at := at;
        RETURN h;
    ELSIF h.cadence = 'weekly' OR turns_later < 1 OR NOT is_habit_day(day, h.cadence, h.custom_days) THEN
        RETURN recount_habit(h);
    ELSIF any_pause THEN
        IF EXISTS (SELECT FROM pauses_of(h, coalesce(h.streak_through, day), day)) THEN
            RETURN recount_habit(h);
        END IF;
    END IF;
    h.streak := CASE turns_later WHEN 1 THEN h.streak + 1 ELSE 1 END;
    h.streak_through := day;
    h.longest_streak := greatest(h.longest_streak, h.streak);
    h.last_completed_at := at;
    UPDATE habits AS s
       SET streak = h.streak,
           streak_through = day,
           longest_streak = h.longest_streak,
           last_completed_at = at
     WHERE s.id = h.id
    RETURNING s.updated_at INTO h.updated_at;
    RETURN h;
END
$$;
