SET LOCAL ROLE questlog_owner;

-- The first of the user's reports of the last ten minutes that say the same: a double click is one report.
CREATE OR REPLACE FUNCTION app.same_feedback(type text, title text, description text) RETURNS SETOF feedback
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT *
      FROM feedback AS f
     WHERE f.created_at > clock() - interval '10 minutes'
       AND (f.feedback_type, f.title, f.description) = (same_feedback.type, same_feedback.title, same_feedback.description)
     ORDER BY f.created_at, f.id
     LIMIT 1;
END;

-- True where the user may send one more report on this local day. With 20 it refuses, until the next day begins.
CREATE OR REPLACE FUNCTION app.feedback_has_room() RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    today tstzrange := day_bounds(local_today());
BEGIN
    RETURN (SELECT count(*) FROM feedback WHERE created_at >= lower(today) AND created_at < upper(today)) < 20
        OR refuse(429, 'rate_limited', 'There are 20 reports of today already; the rest can wait until tomorrow.',
                  jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM upper(today) - clock())))::int));
END
$$;
