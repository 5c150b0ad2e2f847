-- migrate:up
-- Feedback: reports from users, answered by administrators.
SET LOCAL ROLE questlog_owner;

CREATE TABLE feedback (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    feedback_type text NOT NULL CHECK (feedback_type IN ('bug', 'feature', 'other')),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 10000),
    status text NOT NULL DEFAULT 'open'
        CHECK (status IN ('open', 'acknowledged', 'in_progress', 'resolved', 'closed', 'wont_fix')),
    priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    admin_response text CHECK (length(admin_response) <= 5000),
    resolved_at timestamptz,
    resolved_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CHECK ((resolved_at IS NOT NULL) = (status = 'resolved')),
    CHECK (resolved_by IS NULL OR status = 'resolved')
);
CREATE INDEX feedback_recent ON feedback (user_id, created_at DESC);
-- Administrators read the reports of everyone.
CREATE INDEX feedback_admin ON feedback (status, created_at);
CREATE TRIGGER touch BEFORE UPDATE ON feedback FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL isolate('feedback');
-- A report is the user's to write and to withdraw; what becomes of it is the administrators' to say.
GRANT SELECT, INSERT (feedback_type, title, description, priority, metadata), DELETE ON feedback TO questlog_app;
GRANT UPDATE (status, priority, admin_response, resolved_at, resolved_by) ON feedback TO questlog_admin;

-- The user's reports of the last ten minutes that say the same, the first of them first: a double click is one report.
CREATE FUNCTION same_feedback(type text, title text, description text) RETURNS SETOF feedback
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT *
      FROM feedback AS f
     WHERE f.created_at > now() - interval '10 minutes'
       AND (f.feedback_type, f.title, f.description) = (same_feedback.type, same_feedback.title, same_feedback.description)
     ORDER BY f.created_at, f.id;
END;

-- Refuses when the local day has its 20 reports, until the next day begins.
CREATE FUNCTION refuse_feedback_over_limit() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    today tstzrange := day_bounds(local_today());
BEGIN
    IF (SELECT count(*) FROM feedback WHERE created_at >= lower(today) AND created_at < upper(today)) >= 20 THEN
        PERFORM refuse(429, 'rate_limited', 'There are 20 reports of today already; the rest can wait until tomorrow.',
            jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM upper(today) - now())))::int));
    END IF;
END
$$;

-- Leaves a notification in a user's inbox, called as questlog_admin by a request with an administrator's scope. The inbox
-- group replaces the body (CREATE OR REPLACE); until then there is no inbox, and nothing is left.
CREATE FUNCTION notify_user(user_id uuid, title text, description text, action_url text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
END
$$;

-- Tells the author, once per change and in its transaction.
CREATE FUNCTION tell_feedback_author() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM notify_user(
        NEW.user_id,
        format(CASE
            WHEN NEW.admin_response IS NOT DISTINCT FROM OLD.admin_response THEN 'Your report "%s" is now %s'
            WHEN NEW.admin_response IS NULL THEN 'The answer to your report "%s" was taken back'
            ELSE 'Your report "%s" was answered'
        END, NEW.title, CASE NEW.status WHEN 'wont_fix' THEN 'set aside' ELSE replace(NEW.status, '_', ' ') END),
        NEW.admin_response,
        NULL);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_author AFTER UPDATE ON feedback FOR EACH ROW
    WHEN ((OLD.status, OLD.admin_response) IS DISTINCT FROM (NEW.status, NEW.admin_response))
    EXECUTE FUNCTION tell_feedback_author();
