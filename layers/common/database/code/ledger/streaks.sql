SET LOCAL ROLE questlog_owner;

-- Whether a streak still stands today: its last day was yesterday or later, or the shields held would bridge the gap.
CREATE OR REPLACE FUNCTION internal.streak_stands(streak_type text, last_activity_date date, today date) RETURNS boolean
LANGUAGE sql STABLE
RETURN last_activity_date >= today - 1
    OR (streak_type = 'daily_activity' AND today - 1 - last_activity_date <= shields_held());

-- All six streaks as they are shown. It writes nothing and uses no shield.
--   It runs as its owner, and so does effective_streak(), because award() calls them as the owner too: Postgres makes a
--   plan under row-level security anew whenever another role runs it than the last time. OFFSET 0: computed once, not
--   once per use.
CREATE OR REPLACE FUNCTION app.effective_streaks() RETURNS TABLE (
    streak_type text, current_streak int, longest_streak int, last_activity_date date,
    active boolean, at_risk boolean, protected boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT t.streak_type,
           CASE WHEN f.stands THEN s.current_streak ELSE 0 END,
           coalesce(s.longest_streak, 0),
           s.last_activity_date,
           f.stands,
           f.stands AND s.last_activity_date < d.today,
           f.stands AND s.last_activity_date < d.today - 1
      FROM streak_types AS t
     CROSS JOIN (SELECT local_today() AS today OFFSET 0) AS d
      LEFT JOIN user_streaks AS s ON s.streak_type = t.streak_type
     CROSS JOIN LATERAL (
           SELECT coalesce(streak_stands(s.streak_type, s.last_activity_date, d.today), false) AS stands OFFSET 0) AS f
     ORDER BY t.sort_order;
END;

-- One streak as it is shown, 0 when it is broken.
CREATE OR REPLACE FUNCTION app.effective_streak(wanted text DEFAULT 'daily_activity') RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN present_streak(wanted);
END
$$;

-- The same for functions that run as the owner already. Changing the role, as effective_streak() does, costs more than
-- reading the streak.
CREATE OR REPLACE FUNCTION internal.present_streak(wanted text) RETURNS int
LANGUAGE plpgsql STABLE AS $$
DECLARE
    streak user_streaks;
BEGIN
    SELECT * INTO streak FROM user_streaks AS s WHERE s.streak_type = wanted;
    -- No zone's date is ahead of the date at UTC+14. A streak that stands by that date stands by the user's own date, and
    -- most do, so the user's settings are rarely read.
    IF streak.last_activity_date >= (clock() AT TIME ZONE 'Etc/GMT-14')::date - 1
        OR streak_stands(wanted, streak.last_activity_date, local_today())
    THEN
        RETURN streak.current_streak;
    END IF;
    RETURN 0;
END
$$;

-- Counts a day in the streaks of these types. Returns the new lengths of those that changed, as facts:
-- {"streak:focus": 3}. A day that is not after a streak's last day changes nothing, and most awards are of such a day.
CREATE OR REPLACE FUNCTION internal.move_streaks(types text[], day date) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    settled text[] := ARRAY(SELECT s.streak_type FROM user_streaks AS s WHERE s.last_activity_date >= day);
    moving text;
    facts jsonb := '{}';
BEGIN
    IF types <@ settled THEN
        RETURN facts;
    END IF;
    FOREACH moving IN ARRAY types LOOP
        IF NOT moving = ANY (settled) THEN
            facts := facts || jsonb_build_object('streak:' || moving, move_streak(moving, day));
        END IF;
    END LOOP;
    RETURN facts;
END
$$;

-- Counts a day in a streak, and returns the streak's new length. The day is after the streak's last one. Shields are used
-- for the missed days between them, where there are enough.
CREATE OR REPLACE FUNCTION internal.move_streak(moving text, day date) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    streak user_streaks;
    missed int;
BEGIN
    SELECT * INTO streak FROM user_streaks AS s WHERE s.streak_type = moving;
    IF NOT FOUND THEN
        INSERT INTO user_streaks (streak_type, current_streak, longest_streak, last_activity_date) VALUES (moving, 1, 1, day);
        PERFORM move_streak_score();
        RETURN 1;
    END IF;
    missed := day - 1 - streak.last_activity_date;
    IF missed > 0 AND moving = 'daily_activity' AND missed <= shields_held() THEN
        PERFORM use_shields(ARRAY(SELECT streak.last_activity_date + n FROM generate_series(1, missed) AS n));
        missed := 0;
    END IF;
    UPDATE user_streaks AS s
       SET current_streak = CASE missed WHEN 0 THEN s.current_streak + 1 ELSE 1 END,
           longest_streak = CASE missed WHEN 0 THEN greatest(s.longest_streak, s.current_streak + 1) ELSE s.longest_streak END,
           last_activity_date = day
     WHERE s.streak_type = moving
    RETURNING s.current_streak INTO streak.current_streak;
    PERFORM move_streak_score();
    RETURN streak.current_streak;
END
$$;

-- Keeps the streaks alive when the user changes the time zone, or the hour at which a day begins. `today` is the user's
-- day before the change. The day after the change may be two days later: without this, a streak would be broken by a day
-- that the user never had. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.carry_streaks(today date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_streaks AS s
       SET last_activity_date = d.yesterday
      FROM (SELECT local_today() - 1 AS yesterday OFFSET 0) AS d
     WHERE s.last_activity_date >= today - 1 AND s.last_activity_date < d.yesterday;
    PERFORM move_streak_score();
END
$$;
