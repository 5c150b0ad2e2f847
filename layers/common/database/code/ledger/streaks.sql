SET LOCAL ROLE questlog_owner;

-- Whether a streak still stands today, whose last day was before yesterday: all days since are paused, or the shields held
-- would bridge the others.
CREATE OR REPLACE FUNCTION internal.streak_stands(streak_type text, last_activity_date date, today date) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    missed int := count_days(missed_days(last_activity_date, today, paused_days()));
BEGIN
    RETURN missed = 0 OR (streak_type = 'daily_activity' AND missed <= shields_held());
END
$$;

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
           f.stands AND s.last_activity_date < d.today AND NOT d.today <@ d.paused,
           f.stands AND m.missed > 0
      FROM streak_types AS t
     CROSS JOIN (SELECT local_today() AS today, paused_days() AS paused OFFSET 0) AS d
      LEFT JOIN user_streaks AS s ON s.streak_type = t.streak_type
     CROSS JOIN LATERAL (
           SELECT CASE WHEN s.last_activity_date >= d.today - 1 THEN 0
                       WHEN s.last_activity_date IS NOT NULL THEN
                           (SELECT count_days(missed_days(s.last_activity_date, d.today, d.paused)))
                  END AS missed OFFSET 0) AS m
     CROSS JOIN LATERAL (
           SELECT coalesce(m.missed = 0 OR (t.streak_type = 'daily_activity' AND m.missed <= shields_held()), false)
                      AS stands OFFSET 0) AS f
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
    today date;
BEGIN
    SELECT * INTO streak FROM user_streaks AS s WHERE s.streak_type = wanted;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    -- No zone's date is ahead of the date at UTC+14. A streak that stands by that date stands by the user's own date, and
    -- most do, so the user's settings and pauses are rarely read.
    IF streak.last_activity_date >= (clock() AT TIME ZONE 'Etc/GMT-14')::date - 1 THEN
        RETURN streak.current_streak;
    END IF;
    today := local_today();
    IF streak.last_activity_date >= today - 1 OR streak_stands(wanted, streak.last_activity_date, today) THEN
        RETURN streak.current_streak;
    END IF;
    RETURN 0;
END
$$;

-- The daily streak, where a day moves none of these streaks and the daily one stands for certain, as with most awards;
-- otherwise null. No zone's date is ahead of the date at UTC+14: a streak that stands by that date stands by the user's own
-- date, and settings and pauses need not be read.
CREATE OR REPLACE FUNCTION internal.settled_streak(types text[], day date) RETURNS TABLE (streak int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN count(*) FILTER (WHERE s.last_activity_date >= day AND s.streak_type = ANY (types)) = cardinality(types)
                THEN max(s.current_streak) FILTER (
                     WHERE s.streak_type = 'daily_activity'
                       AND s.last_activity_date >= (clock() AT TIME ZONE 'Etc/GMT-14')::date - 1)
           END
      FROM user_streaks AS s;
END;

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
-- for the missed days between them, where there are enough. Pauses are read only where there is a gap and one may have a day of
-- it, so the payments of who misses no day, or never pauses, cost nothing more.
CREATE OR REPLACE FUNCTION internal.move_streak(moving text, day date) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    streak user_streaks;
    gap datemultirange := '{}';
    missed int := 0;
BEGIN
    SELECT * INTO streak FROM user_streaks AS s WHERE s.streak_type = moving;
    IF NOT FOUND THEN
        INSERT INTO user_streaks (streak_type, current_streak, longest_streak, last_activity_date, pauses_until)
        VALUES (moving, 1, 1, day, upper(paused_days()) - 1);
        PERFORM move_streak_score();
        RETURN 1;
    END IF;
    IF streak.last_activity_date < day - 1 THEN
        gap := missed_days(streak.last_activity_date, day,
                           CASE WHEN streak.pauses_until > streak.last_activity_date THEN paused_days() ELSE '{}' END);
        missed := count_days(gap);
        IF missed > 0 AND moving = 'daily_activity' AND missed <= shields_held() THEN
            PERFORM use_shields(ARRAY(SELECT lower(r) + n
                                        FROM unnest(gap) AS r, generate_series(0, upper(r) - lower(r) - 1) AS n ORDER BY 1));
            missed := 0;
        END IF;
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
      FROM (SELECT local_today() - 1 AS yesterday, paused_days() AS paused OFFSET 0) AS d
     WHERE d.yesterday >= today
       AND s.last_activity_date < d.yesterday
       AND isempty(missed_days(s.last_activity_date, today, d.paused));
    PERFORM move_streak_score();
END
$$;

-- After a change of the pauses of everything; `before` is what was paused before. Joins streaks to the ones before them, where
-- what lay between is paused now: somebody who was ill says so afterwards, when the first payment has begun a new streak
-- already. Shields that were used stay used.
CREATE OR REPLACE FUNCTION internal.mend_streaks(before datemultirange) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    paused datemultirange := paused_days();
    joined int;
    streak user_streaks;
BEGIN
    UPDATE user_streaks AS s SET pauses_until = greatest(s.pauses_until, upper(paused) - 1);
    IF paused <@ before THEN
        RETURN;
    END IF;
    FOR streak IN SELECT s.* FROM user_streaks AS s LOOP
        joined := days_before_gap(streak, before, paused);
        UPDATE user_streaks AS s
           SET current_streak = s.current_streak + joined,
               longest_streak = greatest(s.longest_streak, s.current_streak + joined)
         WHERE s.streak_type = streak.streak_type AND joined > 0;
    END LOOP;
    PERFORM move_streak_score();
END
$$;

-- How many days a streak had before a gap that `paused` closes and `before` did not; 0 where there is none. The days are those
-- of the ledger, read backwards only as far as the answer needs.
CREATE OR REPLACE FUNCTION internal.days_before_gap(streak user_streaks, before datemultirange, paused datemultirange)
RETURNS int
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- A day that a shield bridged is no gap either.
    shielded datemultirange := (
        SELECT coalesce(range_agg(daterange(u.day, u.day, '[]')), '{}')
          FROM streak_shield_uses AS u WHERE u.streak_type = streak.streak_type);
    newly datemultirange := paused - before;
    next_day date := streak.last_activity_date;
    active date;
    found_days int := 0;
    is_joined boolean := false;
BEGIN
    FOR active IN
        SELECT d.day
          FROM ledger_days AS d
         WHERE d.day < streak.last_activity_date
           AND EXISTS (
               SELECT FROM points_ledger AS l JOIN event_definitions AS e ON e.event_type = l.event_type
                WHERE l.seq BETWEEN d.first_seq AND d.last_seq AND l.local_date = d.day
                  AND streak.streak_type = ANY (e.streak_types))
         ORDER BY d.day DESC
    LOOP
        EXIT WHEN NOT isempty(missed_days(active, next_day, paused + shielded));
        is_joined := is_joined OR NOT isempty(missed_days(active, next_day, before + shielded));
        EXIT WHEN NOT is_joined AND active < lower(newly);
        found_days := found_days + is_joined::int;
        next_day := active;
    END LOOP;
    RETURN found_days;
END
$$;
