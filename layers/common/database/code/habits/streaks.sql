SET LOCAL ROLE questlog_owner;

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

-- What is left of a streak so many turns after its last one (null: it has none): nothing once a whole turn has passed since then
-- that was not paused; `paused` turns were. The turn of the day itself is still open. A streak that ends after the day stands too:
-- its user has travelled west.
CREATE OR REPLACE FUNCTION internal.streak_after(turns_later int, streak int, paused int DEFAULT 0) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN turns_later <= 1 + paused THEN streak ELSE 0 END;

-- A streak as it stands on a day, for lists: it is inlined. Most habits have no streak, were done a short time ago or are daily. The
-- turns of days are compared only for the others, because their expression takes long to be made ready.
--   Yesterday is in this turn or the one before. So is, of a weekly habit, a day of the last seven.
CREATE OR REPLACE FUNCTION internal.standing_streak(
    streak int, through date, cadence text, custom_days int[], today date
) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN streak = 0 OR through >= today - CASE cadence WHEN 'weekly' THEN 7 ELSE 1 END THEN streak
    WHEN cadence = 'daily' THEN 0
    ELSE streak_after(turns_between(through, today, cadence, custom_days), streak)
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
LANGUAGE plpgsql STABLE AS $$
DECLARE
    turns_later int;
    reached int;
BEGIN
    IF h.direction = 'at_most' THEN
        RETURN standing_limit(h, today);
    END IF;
    turns_later := turns_between(h.streak_through, today, h.cadence, h.custom_days);
    reached := streak_after(turns_later, h.streak);
    IF reached < h.streak THEN
        RETURN streak_after(turns_later, h.streak, paused_turns(h, today));
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
CREATE OR REPLACE FUNCTION app.habit_streak(h habits, today date, OUT current_streak int, OUT longest_streak int)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    current_streak := streak_on(h, today);
    longest_streak := longest_streak(h, current_streak);
END
$$;
