-- migrate:up
-- A user's settings and, from two of them, the user's day: what "today", a streak and a weekly quest are counted in.
SET LOCAL ROLE questlog_owner;

CREATE TABLE user_settings (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    key text NOT NULL CHECK (key ~ '^[A-Za-z0-9_.:-]{1,255}$'),
    value jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, key),
    CHECK (key <> 'day_start_hour' OR value IN ('0', '1', '2', '3', '4', '5', '6')),
    CHECK (key <> 'timezone' OR jsonb_typeof(value) = 'string')
);
CREATE TRIGGER touch BEFORE UPDATE ON user_settings FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL isolate('user_settings');
GRANT SELECT, INSERT, UPDATE, DELETE ON user_settings TO questlog_app;

-- The zone and the hour the user's days begin at. One row, also for a user without settings.
-- A statement that needs many days reads it once and calls the three-argument forms below.
CREATE FUNCTION my_clock(OUT zone text, OUT day_start int)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(max(value #>> '{}') FILTER (WHERE key = 'timezone'), 'UTC'),
           coalesce(max((value #>> '{}')::int) FILTER (WHERE key = 'day_start_hour'), 0)
      FROM user_settings
     WHERE user_id = (SELECT me()) AND key IN ('timezone', 'day_start_hour');
END;

-- The instant a wall clock in a zone shows a time. Shown twice (clocks go back): the first. Never shown (clocks go
-- forward): what the offset before the gap makes of it. Postgres by itself takes the second of two.
CREATE FUNCTION first_instant(wall timestamp, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN earlier < plain AND earlier AT TIME ZONE zone = wall THEN earlier ELSE plain END
      FROM (SELECT wall AT TIME ZONE zone AS plain) AS p,
           -- the same wall time read with the offset of the day before
           LATERAL (SELECT plain - interval '1 day' AS before) AS b,
           LATERAL (SELECT (wall - (before AT TIME ZONE zone - before AT TIME ZONE 'UTC')) AT TIME ZONE 'UTC' AS earlier) AS e;
END;

CREATE FUNCTION local_day(at timestamptz, zone text, day_start int) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ((at AT TIME ZONE zone) - make_interval(hours => day_start))::date;

-- Not in SQL: a call of an SQL function that is not inlined costs more, and every award asks for the day.
CREATE FUNCTION local_day(at timestamptz) RETURNS date
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    clock record := my_clock();
BEGIN
    RETURN local_day(at, clock.zone, clock.day_start);
END
$$;

CREATE FUNCTION local_today() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN local_day(now());

CREATE FUNCTION day_bounds(day date, zone text, day_start int) RETURNS tstzrange
LANGUAGE sql STABLE PARALLEL SAFE
RETURN tstzrange(first_instant(day + make_interval(hours => day_start), zone),
                 first_instant(day + 1 + make_interval(hours => day_start), zone));

-- Half open: the day's first instant is in it, the next day's is not.
CREATE FUNCTION day_bounds(day date) RETURNS tstzrange
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT day_bounds(day, c.zone, c.day_start) FROM my_clock() AS c;
END;
