SET LOCAL ROLE questlog_owner;

-- What the streak of a habit counts in, for who writes these columns: sound_habit() refuses any other.
CREATE OR REPLACE FUNCTION app.habit_cadence(frequency text, direction text, period text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN period <> 'day' THEN period
            WHEN direction = 'at_most' AND frequency = 'weekly' THEN 'daily'
            ELSE frequency END;

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

-- How many turns later the turn of one day is than that of another; null where there is no other. It is for who asks about one
-- habit: most are daily, and the expression of habit_turn() takes longer to be made ready than a call of a function. It runs with
-- the rights of its owner: lists call it with those of the user, who may not call the functions inside.
CREATE OR REPLACE FUNCTION internal.turns_between(earlier date, later date, cadence text, custom_days int[]) RETURNS int
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF cadence = 'daily' THEN
        RETURN later - earlier;
    END IF;
    RETURN habit_turn(later, cadence, custom_days) - habit_turn(earlier, cadence, custom_days);
END
$$;

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
