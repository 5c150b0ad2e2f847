-- migrate:up
-- Ideas: captured in one line, with fields for music, and made into something else when their time has come.
SET LOCAL ROLE questlog_owner;

CREATE TABLE ideas (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    content text CHECK (length(content) BETWEEN 1 AND 20000),
    category text NOT NULL DEFAULT 'general' CHECK (length(category) BETWEEN 1 AND 50),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    is_pinned boolean NOT NULL DEFAULT false,
    is_archived boolean NOT NULL DEFAULT false,
    key text CHECK (length(key) BETWEEN 1 AND 20),
    bpm int CHECK (bpm BETWEEN 20 AND 400),
    mood text CHECK (length(mood) BETWEEN 1 AND 40),
    -- What it was made into: the target's id by its type.
    promoted jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(promoted) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX ideas_listed ON ideas (user_id, is_archived, is_pinned DESC, created_at DESC, id);
CREATE TRIGGER touch BEFORE UPDATE ON ideas FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('ideas');
GRANT SELECT ON ideas TO questlog_app;
