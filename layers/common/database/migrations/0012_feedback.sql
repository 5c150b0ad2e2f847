-- migrate:up
-- Feedback: reports from users, answered by administrators.
SET LOCAL ROLE questlog_owner;

-- In which turn administrators look at reports: open ones, then those under way, then those they have seen, then the rest.
CREATE FUNCTION feedback_turn(status text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE status WHEN 'open' THEN 1 WHEN 'in_progress' THEN 2 WHEN 'acknowledged' THEN 3 ELSE 4 END;

CREATE TABLE feedback (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
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
    -- Another user's id, so without a foreign key: the deletion of that user clears it.
    resolved_by uuid,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    CHECK ((resolved_at IS NOT NULL) = (status = 'resolved')),
    CHECK (resolved_by IS NULL OR status = 'resolved')
);
CREATE INDEX feedback_recent ON feedback (user_id, created_at DESC, id);

-- Administrators read the reports of everyone, those that wait for somebody first, and answer one by its id.
CREATE INDEX feedback_admin ON feedback (status, created_at DESC, id, user_id);
CREATE INDEX feedback_queue ON feedback (feedback_turn(status), created_at DESC, id, user_id);
CREATE INDEX feedback_admin_type ON feedback (status, feedback_type, created_at DESC, id, user_id);
CREATE INDEX feedback_queue_type ON feedback (feedback_type, feedback_turn(status), created_at DESC, id, user_id);
CREATE INDEX feedback_age ON feedback (created_at);
CREATE INDEX feedback_by_id ON feedback (id);
CREATE INDEX feedback_resolved_by ON feedback (resolved_by) WHERE resolved_by IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON feedback FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('feedback');

-- Users write and withdraw reports; only administrators change them.
GRANT SELECT, INSERT (feedback_type, title, description, priority, metadata, created_at, updated_at), DELETE
    ON feedback TO questlog_app;
GRANT UPDATE (status, priority, admin_response, resolved_at, resolved_by) ON feedback TO questlog_admin;
-- An account that is deleted has resolved nothing any more.
CREATE POLICY identity ON feedback TO questlog_identity USING (true);
GRANT SELECT (resolved_by), UPDATE (resolved_by) ON feedback TO questlog_identity;
