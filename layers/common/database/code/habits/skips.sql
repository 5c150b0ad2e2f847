SET LOCAL ROLE questlog_owner;

-- All functions that change something here run under the user's lock.

-- Takes back a skip, if there is one, and returns the habit.
CREATE OR REPLACE FUNCTION internal.delete_skip(h habits, skipped_day date) RETURNS habits
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = skipped_day;
    RETURN CASE WHEN FOUND THEN recount_habit(h) ELSE h END;
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
