SET LOCAL ROLE questlog_owner;

-- The lists of administrators show their total, which would take too long to count at each request. So the hourly clean-up counts the
-- rows that were inserted before a moment (`counted_until`), by kind, and a request adds those inserted since. An INSERT does not touch
-- the counts: otherwise all sign-ups would wait for one row. A DELETE or UPDATE calls move_count(), which does nothing for a row that
-- was not counted yet. db-health compares the counts with the rows.

-- Until when the rows of a list are counted; -infinity if they are not. If the clock was put back, which only the local stack and the
-- tests can do, new rows are before that moment: then the counts are not used.
CREATE OR REPLACE FUNCTION app.counted_until(wanted text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN coalesce((SELECT l.counted_until FROM counted_lists AS l WHERE l.list = wanted AND l.counted_until <= clock()), '-infinity');

-- Adds to the count of a kind of row, if the row, which was inserted at the given moment, is among the counted ones.
--   It never runs at the same time as keep_counts(): both take the same advisory lock, this one shared.
CREATE OR REPLACE FUNCTION app.move_count(wanted text, row_kind text[], made_at timestamptz, change bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('counted lists', 0));
    INSERT INTO list_counts AS c (list, kind, total)
    SELECT wanted, row_kind, change FROM counted_lists AS l WHERE l.list = wanted AND made_at < l.counted_until
    ON CONFLICT (list, day, kind) DO UPDATE SET total = c.total + excluded.total;
END
$$;

-- Drops the counts: all lists are counted at each request until the clean-up counts them again.
CREATE OR REPLACE FUNCTION internal.forget_counts() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('counted lists', 0));
    DELETE FROM counted_lists;
END
$$;
REVOKE EXECUTE ON FUNCTION app.move_count FROM questlog_auth, questlog_operator, questlog_jobs;
REVOKE EXECUTE ON FUNCTION app.counted_until FROM questlog_app, questlog_auth, questlog_operator;
