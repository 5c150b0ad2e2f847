-- migrate:up
-- Bookmarks: notes and links worth keeping.
SET LOCAL ROLE questlog_owner;

CREATE TABLE user_references (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    content text CHECK (length(content) BETWEEN 1 AND 20000),
    url text CHECK (url ~* '^https?://' AND length(url) <= 2048),
    category text CHECK (length(category) BETWEEN 1 AND 100),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 50),
    is_pinned boolean NOT NULL DEFAULT false,
    is_archived boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT instant(),
    updated_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX user_references_list ON user_references (user_id, is_archived, is_pinned DESC, created_at DESC, id DESC);
CREATE TRIGGER touch BEFORE UPDATE ON user_references FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('user_references');
GRANT SELECT, INSERT, UPDATE, DELETE ON user_references TO questlog_app;
