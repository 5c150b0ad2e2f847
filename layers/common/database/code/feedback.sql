SET LOCAL ROLE questlog_owner;

-- The user's reports of the last ten minutes that say the same, the first of them first: a double click is one report.
CREATE OR REPLACE FUNCTION app.same_feedback(type text, title text, description text) RETURNS SETOF feedback
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT *
      FROM feedback AS f
     WHERE f.created_at > clock() - interval '10 minutes'
       AND (f.feedback_type, f.title, f.description) = (same_feedback.type, same_feedback.title, same_feedback.description)
     ORDER BY f.created_at, f.id;
END;

-- Refuses when the local day has its 20 reports, until the next day begins.
CREATE OR REPLACE FUNCTION app.refuse_feedback_over_limit() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    today tstzrange := day_bounds(local_today());
BEGIN
    IF (SELECT count(*) FROM feedback WHERE created_at >= lower(today) AND created_at < upper(today)) >= 20 THEN
        PERFORM refuse(429, 'rate_limited', 'There are 20 reports of today already; the rest can wait until tomorrow.',
            jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM upper(today) - clock())))::int));
    END IF;
END
$$;

-- Leaves a notification in a user's inbox, called as questlog_admin by a request with an administrator's scope. The inbox
-- group replaces the body (CREATE OR REPLACE); until then there is no inbox, and nothing is left.
CREATE OR REPLACE FUNCTION internal.notify_user(user_id uuid, title text, description text, action_url text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
END
$$;
