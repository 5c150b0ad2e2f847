SET LOCAL ROLE questlog_owner;

-- Counts a request in the present window of a bucket. Over the limit it is PT429, with the seconds until the next window.
-- The refusal rolls its own count back, so refused requests are not counted.
CREATE OR REPLACE FUNCTION app.count_against_limit(bucket_name text, allowed int, width interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    opened timestamptz := date_bin(width, clock(), '2000-01-01Z');
    counted int;
BEGIN
    INSERT INTO rate_limits AS r (bucket, window_start) VALUES (bucket_name, opened)
    ON CONFLICT (bucket, window_start) DO UPDATE SET count = r.count + 1
    RETURNING r.count INTO counted;
    IF counted > allowed THEN
        PERFORM refuse(429, 'rate_limited', 'Too many requests; try again later.',
            jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM opened + width - clock())))::int));
    END IF;
END
$$;

-- Refuses with PT429 where a bucket is full, without counting. For limits that count only some outcomes, such as wrong
-- keys: a caller who has reached the limit may not try again, whatever the outcome would be.
CREATE OR REPLACE FUNCTION internal.refuse_over_limit(bucket_name text, allowed int, width interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    opened timestamptz := date_bin(width, clock(), '2000-01-01Z');
BEGIN
    PERFORM refuse(429, 'rate_limited', 'Too many requests; try again later.',
                   jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM opened + width - clock())))::int))
       FROM rate_limits AS r
      WHERE r.bucket = bucket_name AND r.window_start = opened AND r.count >= allowed;
END
$$;

-- Counts a request against a limit in a sliding window: a fixed window would let twice as many through around its end. Over the limit
-- it raises PT429, with the seconds until the oldest request leaves the window. For rare requests only: each is a row, and those of
-- one bucket take turns.
CREATE OR REPLACE FUNCTION app.count_within(bucket_name text, allowed int, span interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    counted int;
    oldest timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('count_within ' || bucket_name, 0));
    SELECT sum(r.count), min(r.window_start) INTO counted, oldest
      FROM rate_limits AS r WHERE r.bucket = bucket_name AND r.window_start > clock() - span;
    IF counted >= allowed THEN
        PERFORM refuse(429, 'rate_limited', 'Too many requests; try again later.',
            jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM oldest + span - clock())))::int));
    END IF;
    INSERT INTO rate_limits AS r (bucket, window_start) VALUES (bucket_name, clock())
    ON CONFLICT (bucket, window_start) DO UPDATE SET count = r.count + 1;
END
$$;
