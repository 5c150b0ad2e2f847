-- migrate:up
-- The inbox: what a user noted down to deal with later, and what the app has to tell them.
SET LOCAL ROLE questlog_owner;

CREATE TABLE inbox_items (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    description text CHECK (length(description) BETWEEN 1 AND 10000),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    item_type text NOT NULL DEFAULT 'note' CHECK (item_type IN ('note', 'task', 'link', 'notification')),
    -- A snoozed item is unread here, and counts as read until it comes back: so it comes back unread by itself.
    is_read boolean NOT NULL DEFAULT false,
    is_archived boolean NOT NULL DEFAULT false,
    processed_at timestamptz,
    -- What it was made into: {type, id}.
    processed_to jsonb CHECK (jsonb_typeof(processed_to) = 'object'),
    action_url text CHECK (length(action_url) BETWEEN 1 AND 2000),
    expires_at timestamptz,
    snoozed_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    CHECK ((processed_at IS NULL) = (processed_to IS NULL))
);
CREATE INDEX inbox_items_recent ON inbox_items (user_id, created_at DESC, id) WHERE NOT is_archived;
CREATE INDEX inbox_items_all ON inbox_items (user_id, created_at DESC, id);
CREATE INDEX inbox_items_unread ON inbox_items (user_id) WHERE NOT is_read AND NOT is_archived;
-- Those that stand elsewhere in the lists, or in others, as time passes.
CREATE INDEX inbox_items_timed ON inbox_items (user_id, is_archived) WHERE expires_at IS NOT NULL OR snoozed_until IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON inbox_items FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('inbox_items');
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_items TO questlog_app;

-- Administrators and jobs tell users something.
GRANT INSERT (user_id, id, title, description, item_type, action_url, created_at, updated_at) ON inbox_items
    TO questlog_admin, questlog_jobs;
-- The note that an export is ready goes with the export.
GRANT DELETE ON inbox_items TO questlog_jobs;
