SET LOCAL ROLE questlog_owner;

-- Which days count -------------------------------------------------------------------------------------------------------

-- The days on which everything is paused, those ahead too. Not in SQL, and neither is count_days(): a call of an SQL function
-- that is not inlined is planned anew by each payment after a gap.
CREATE OR REPLACE FUNCTION internal.paused_days() RETURNS datemultirange
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT range_agg(daterange(p.starts_on, p.ends_on, '[]'))
          FROM habit_pauses AS p WHERE p.user_id = current_user_id() AND p.habit_id IS NULL), '{}');
END
$$;

-- The days that a user's streak misses between its last day and another one: those that are not paused. It is the one definition
-- of a missed day, for the award, what is shown, the shields that are used, and the boards.
CREATE OR REPLACE FUNCTION internal.missed_days(last date, day date, paused datemultirange) RETURNS datemultirange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN datemultirange(daterange(last + 1, greatest(day, last + 1))) - paused;

CREATE OR REPLACE FUNCTION internal.count_days(days datemultirange) RETURNS int
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    -- Most gaps are whole: then the days are counted without taking the spans apart.
    IF isempty(days) THEN
        RETURN 0;
    ELSIF days = datemultirange(range_merge(days)) THEN
        RETURN upper(days) - lower(days);
    END IF;
    RETURN (SELECT sum(upper(r) - lower(r)) FROM unnest(days) AS r);
END
$$;

-- Whether a user's habit is paused on a day, by a pause of its own or of everything. Without a habit: whether everything is.
CREATE OR REPLACE FUNCTION app.is_paused(holder uuid, habit uuid, day date) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM habit_pauses AS p
     WHERE p.user_id = holder AND (p.habit_id IS NULL OR p.habit_id = habit) AND day BETWEEN p.starts_on AND p.ends_on);

-- The pauses of a habit, its own and those of everything, that have a day from `first` to `last`.
CREATE OR REPLACE FUNCTION internal.pauses_of(h habits, first date, last date)
RETURNS TABLE (starts_on date, ends_on date, told_at timestamptz)
LANGUAGE sql STABLE ROWS 2
BEGIN ATOMIC
    SELECT p.starts_on, p.ends_on, p.told_at
      FROM habit_pauses AS p
     WHERE p.user_id = h.user_id AND (p.habit_id = h.id OR p.habit_id IS NULL)
       AND p.starts_on <= pauses_of.last AND p.ends_on >= pauses_of.first;
END;

-- Changes ----------------------------------------------------------------------------------------------------------------
-- All run under the user's lock. A day that has passed under a pause stays paused: streaks were counted by it.

-- What the wire shows of a pause beside its own columns, under the wire's names. An open pause has no last day while it runs,
-- and as many days as have begun.
CREATE OR REPLACE FUNCTION app.pause_on(p habit_pauses, today date) RETURNS TABLE ("from" date, "to" date, days int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.starts_on,
           CASE WHEN NOT p.is_open OR p.ends_on < today THEN p.ends_on END,
           CASE WHEN p.is_open THEN greatest(least(p.ends_on, today) - p.starts_on + 1, 0) ELSE p.ends_on - p.starts_on + 1 END;
END;

-- The most days of any 365 on which everything is paused, with the pause `changed` as it is given. Of these spans the fullest
-- begins with a pause.
CREATE OR REPLACE FUNCTION internal.most_paused_days(changed habit_pauses) RETURNS int
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH pauses AS (
        SELECT p.starts_on, p.ends_on FROM habit_pauses AS p WHERE p.habit_id IS NULL AND p.id <> changed.id
         UNION ALL
        SELECT changed.starts_on, changed.ends_on
    )
    SELECT max((SELECT sum(least(p.ends_on, s.starts_on + 364) - greatest(p.starts_on, s.starts_on) + 1)
                  FROM pauses AS p WHERE p.ends_on >= s.starts_on AND p.starts_on <= s.starts_on + 364))::int
      FROM pauses AS s
     -- Others are what they were before.
     WHERE s.starts_on + 364 >= changed.starts_on AND s.starts_on <= changed.ends_on;
END;

-- The last day that an open pause may have: 366 days from its first one, or as many of everything as are left. At least one
-- day, which is then one too many.
CREATE OR REPLACE FUNCTION internal.last_open_day(p habit_pauses) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p.habit_id IS NOT NULL THEN
        RETURN p.starts_on + 365;
    END IF;
    p.ends_on := p.starts_on + 59;
    WHILE p.ends_on > p.starts_on AND most_paused_days(p) > 60 LOOP
        p.ends_on := p.ends_on - 1;
    END LOOP;
    RETURN p.ends_on;
END
$$;

-- Counts the streaks of a habit, or of all, anew where something of them is not before `since`, or before the week or the month
-- of it that is one turn of the streak.
CREATE OR REPLACE FUNCTION internal.recount_paused(habit uuid, since date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM recount_habit(h)
       FROM habits AS h
      WHERE (habit IS NULL OR h.id = habit)
        AND (h.streak_through >= period_first(since, h.cadence)
             OR EXISTS (SELECT FROM habit_completions AS k
                         WHERE k.habit_id = h.id AND k.completed_date >= period_first(since, h.cadence)));
END
$$;

-- Stores a new or changed pause. Refuses with 409 conflict where it overlaps another one of the same scope, and with 409
-- limit_reached where everything would be paused on more than 60 of any 365 days. Streaks are counted anew from `since`.
CREATE OR REPLACE FUNCTION internal.store_pause(p habit_pauses, since date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    before datemultirange := paused_days();
BEGIN
    IF p.is_open THEN
        p.ends_on := last_open_day(p);
    END IF;
    BEGIN
        INSERT INTO habit_pauses AS h (id, habit_id, starts_on, ends_on, is_open)
        VALUES (p.id, p.habit_id, p.starts_on, p.ends_on, p.is_open)
        ON CONFLICT (user_id, id) DO UPDATE
           SET starts_on = excluded.starts_on, ends_on = excluded.ends_on, is_open = excluded.is_open,
               told_at = CASE WHEN excluded.starts_on < h.starts_on THEN instant() ELSE h.told_at END;
    EXCEPTION WHEN exclusion_violation THEN
        PERFORM refuse(409, 'conflict', 'Another pause has some of these days.');
    END;
    IF p.habit_id IS NULL AND most_paused_days(p) > 60 THEN
        PERFORM refuse(409, 'limit_reached', 'Everything can be paused on at most 60 of any 365 days.', '{"limit": 60}');
    END IF;
    PERFORM recount_paused(p.habit_id, since);
    IF p.habit_id IS NULL THEN
        PERFORM mend_streaks(before);
    END IF;
END
$$;

-- Refuses days that a pause cannot have; each refusal names the field. A first day that was given before may be further back.
CREATE OR REPLACE FUNCTION internal.check_pause_days(first date, last date, today date, first_before date DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF first IS DISTINCT FROM first_before AND first NOT BETWEEN today - 7 AND today + 366 THEN
        PERFORM refuse_field('from', 'must be at most 7 days back and at most 366 days ahead');
    ELSIF last < first THEN
        PERFORM refuse_field('to', 'must not be before from');
    ELSIF last - first >= 366 THEN
        PERFORM refuse_field('to', 'must leave at most 366 days');
    END IF;
END
$$;

-- Adds a pause of a habit, or without one of everything. Without a first day it begins today; without a last one it is open.
CREATE OR REPLACE FUNCTION app.add_pause(id uuid, habit uuid, first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date := local_today();
    made habit_pauses;
BEGIN
    IF habit IS NOT NULL AND NOT EXISTS (SELECT FROM habits AS h WHERE h.id = habit) THEN
        PERFORM refuse(404, 'not_found', 'There is no such habit.');
    END IF;
    made.id := add_pause.id;
    made.habit_id := habit;
    made.starts_on := coalesce(first, today);
    made.ends_on := last;
    made.is_open := last IS NULL;
    PERFORM check_pause_days(made.starts_on, last, today);
    IF (SELECT count(*) FROM habit_pauses AS p WHERE p.ends_on >= today) >= 500 THEN
        PERFORM refuse(409, 'limit_reached', 'There are 500 pauses already that are not over.', '{"limit": 500}');
    END IF;
    PERFORM store_pause(made, made.starts_on);
END
$$;

-- A pause that is not over; null where there is none of this id. One that is over is 409 invalid_state.
CREATE OR REPLACE FUNCTION internal.changeable_pause(wanted uuid, today date) RETURNS habit_pauses
LANGUAGE plpgsql AS $$
DECLARE
    found habit_pauses;
BEGIN
    SELECT * INTO found FROM habit_pauses AS p WHERE p.id = wanted;
    IF found.ends_on < today THEN
        PERFORM refuse(409, 'invalid_state', 'A pause that is over stays as it was.');
    END IF;
    RETURN found;
END
$$;

-- Changes the days of a pause: `changes` may hold `from`, and `to`, which null makes open. Of a pause that has begun the days
-- before today stay: it can end yesterday at the earliest, and begin no later.
CREATE OR REPLACE FUNCTION app.change_pause(wanted uuid, changes jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date := local_today();
    old habit_pauses := changeable_pause(wanted, today);
    new habit_pauses := old;
BEGIN
    IF old.id IS NULL THEN
        RETURN;
    END IF;
    new.starts_on := coalesce((changes ->> 'from')::date, old.starts_on);
    IF changes ? 'to' THEN
        new.is_open := changes ->> 'to' IS NULL;
        new.ends_on := (changes ->> 'to')::date;
    ELSIF new.is_open THEN
        new.ends_on := NULL; -- it follows from the first day
    END IF;
    IF old.starts_on < today AND new.starts_on > old.starts_on THEN
        PERFORM refuse_field('from', 'must not be later: the pause has begun');
    ELSIF old.starts_on < today AND new.ends_on < today - 1 THEN
        PERFORM refuse_field('to', 'must be yesterday or later: what has passed stays paused');
    ELSIF NOT changes ? 'to' AND new.ends_on < new.starts_on THEN
        PERFORM refuse_field('from', 'must not be after to');
    END IF;
    PERFORM check_pause_days(new.starts_on, new.ends_on, today, old.starts_on);
    PERFORM store_pause(new, least(old.starts_on, new.starts_on));
END
$$;

-- Deletes a pause. Of one that has begun the days before today stay paused: it ends yesterday.
CREATE OR REPLACE FUNCTION app.delete_pause(wanted uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date := local_today();
    old habit_pauses := changeable_pause(wanted, today);
BEGIN
    IF old.starts_on < today THEN
        UPDATE habit_pauses AS p SET ends_on = today - 1, is_open = false WHERE p.id = wanted;
    ELSE
        DELETE FROM habit_pauses AS p WHERE p.id = wanted;
    END IF;
    PERFORM recount_paused(old.habit_id, greatest(old.starts_on, today));
    RETURN old.id;
END
$$;

SET LOCAL ROLE questlog_board;

-- The days on which everything is paused for a user on a leaderboard.
CREATE OR REPLACE FUNCTION internal.paused_days_of(holder uuid) RETURNS datemultirange
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
RETURN (
    SELECT coalesce(range_agg(daterange(p.starts_on, p.ends_on, '[]')), '{}')
      FROM habit_pauses AS p WHERE p.user_id = holder AND p.habit_id IS NULL);
