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

-- Adds the user's reports to the counts that are kept of all reports, or takes them away (-1).
CREATE OR REPLACE FUNCTION internal.count_own_feedback(change int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    -- Always in one order, or two of these could end in a deadlock.
    PERFORM move_count('feedback', ARRAY[f.status, f.feedback_type], f.created_at, change)
       FROM (SELECT * FROM feedback ORDER BY status, feedback_type) AS f;
END
$$;

-- The text that tells an author of a change of their report; null if neither its status nor its answer changed.
CREATE OR REPLACE FUNCTION internal.news_of_feedback(was feedback, now feedback) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN format(CASE
    WHEN (was.status, was.admin_response) IS NOT DISTINCT FROM (now.status, now.admin_response) THEN NULL
    WHEN was.admin_response IS NOT DISTINCT FROM now.admin_response THEN 'Your report "%s" is now %s'
    WHEN now.admin_response IS NULL THEN 'The answer to your report "%s" was taken back'
    ELSE 'Your report "%s" was answered'
END, now.title, CASE now.status WHEN 'wont_fix' THEN 'set aside' ELSE replace(now.status, '_', ' ') END);

-- The report of an id, for administrators. An import keeps ids, so two users may have reports of one id: the first report.
CREATE OR REPLACE FUNCTION app.report_by_id(report uuid) RETURNS SETOF feedback
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT f.* FROM feedback AS f WHERE f.id = report ORDER BY f.created_at, f.user_id LIMIT 1;
END;
REVOKE EXECUTE ON FUNCTION app.report_by_id FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

-- Changes what becomes of a report by the fields that were sent (status, priority, admin_response), and tells its author
-- where that changes its status or the answer. Returns the report; no row where there is none. For administrators: nobody
-- else may write these columns.
CREATE OR REPLACE FUNCTION app.answer_feedback(report uuid, sent jsonb) RETURNS SETOF feedback
LANGUAGE sql
BEGIN ATOMIC
    -- The lock makes a second answer at the same moment see the first one.
    SELECT f.id FROM feedback AS f WHERE f.id = report FOR UPDATE;
    SELECT notify_user(f.user_id, news_of_feedback(f, n), n.admin_response, news => 'feedback')
      FROM feedback AS f, jsonb_populate_record(f, sent) AS n
     WHERE (f.user_id, f.id) = (SELECT r.user_id, r.id FROM report_by_id(report) AS r)
       AND news_of_feedback(f, n) IS NOT NULL;
    -- In one order, or two answers at once could wait for each other.
    SELECT move_count('feedback', ARRAY[m.status, m.feedback_type], m.created_at, m.change)
      FROM (SELECT k.status, f.feedback_type, f.created_at, k.change
              FROM feedback AS f, jsonb_populate_record(f, sent) AS n,
                   LATERAL (VALUES (f.status, -1), (n.status, 1)) AS k (status, change)
             WHERE (f.user_id, f.id) = (SELECT r.user_id, r.id FROM report_by_id(report) AS r) AND n.status <> f.status
             ORDER BY k.status) AS m;
    UPDATE feedback AS f
       SET (status, priority, admin_response, resolved_at, resolved_by)
         = (SELECT n.status, n.priority, n.admin_response,
                   CASE WHEN n.status = 'resolved' THEN coalesce(f.resolved_at, instant()) END,
                   CASE WHEN n.status = 'resolved' THEN coalesce(f.resolved_by, current_user_id()) END
              FROM jsonb_populate_record(f, sent) AS n)
     WHERE (f.user_id, f.id) = (SELECT r.user_id, r.id FROM report_by_id(report) AS r)
    RETURNING f.*;
END;
