SET LOCAL ROLE questlog_owner;

-- The user's time zone, and the hour at which the user's days begin. One row, also for a user without settings. It is inlined;
-- whoever calls it reads the settings with the rights of their own.
CREATE OR REPLACE FUNCTION internal.own_days() RETURNS TABLE (zone text, day_start int)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce((SELECT s.value #>> '{}' FROM user_settings AS s
                      WHERE s.user_id = current_user_id() AND s.key = 'timezone'), 'UTC'),
           coalesce((SELECT (s.value #>> '{}')::int FROM user_settings AS s
                      WHERE s.user_id = current_user_id() AND s.key = 'day_start_hour'), 0);
END;

-- The same with the rights of its owner. A statement that needs many days reads it once and calls the three-argument forms below.
--   It runs as its owner, and so does local_day(), because functions that run as their owner call them too: Postgres makes
--   a plan anew whenever another role runs it, or another search_path holds, than the last time.
CREATE OR REPLACE FUNCTION app.day_settings(OUT zone text, OUT day_start int)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT d.zone, d.day_start FROM own_days() AS d;
END;

-- The instant at which a clock in a zone shows a time. Where clocks go back a time is shown twice: the first instant is
-- meant (AT TIME ZONE alone takes the second). Where clocks go forward a time is never shown: then the offset before the
-- change decides.
CREATE OR REPLACE FUNCTION app.first_instant(wall timestamp, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN earlier < plain AND earlier AT TIME ZONE zone = wall THEN earlier ELSE plain END
      FROM (SELECT wall AT TIME ZONE zone AS plain) AS p,
           -- the same wall time read with the offset of the day before
           LATERAL (SELECT plain - interval '1 day' AS before) AS b,
           LATERAL (SELECT (wall - (before AT TIME ZONE zone - before AT TIME ZONE 'UTC')) AT TIME ZONE 'UTC' AS earlier) AS e;
END;

CREATE OR REPLACE FUNCTION app.local_day(at timestamptz, zone text, day_start int) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ((at AT TIME ZONE zone) - make_interval(hours => day_start))::date;

-- Not in SQL: a call of an SQL function that is not inlined costs more, and every award asks for the day.
CREATE OR REPLACE FUNCTION app.local_day(at timestamptz) RETURNS date
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN (SELECT local_day(at, d.zone, d.day_start) FROM own_days() AS d);
END
$$;

CREATE OR REPLACE FUNCTION app.local_today() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN local_day(clock());

CREATE OR REPLACE FUNCTION app.day_bounds(day date, zone text, day_start int) RETURNS tstzrange
LANGUAGE sql STABLE PARALLEL SAFE
RETURN tstzrange(first_instant(day + make_interval(hours => day_start), zone),
                 first_instant(day + 1 + make_interval(hours => day_start), zone));

-- The bounds are half open: the day's first instant is in it, the next day's is not.
CREATE OR REPLACE FUNCTION app.day_bounds(day date) RETURNS tstzrange
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT day_bounds(day, c.zone, c.day_start) FROM day_settings() AS c;
END;

-- The Monday of a day's week.
CREATE OR REPLACE FUNCTION app.week_of(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN day - (extract(isodow FROM day)::int - 1);
