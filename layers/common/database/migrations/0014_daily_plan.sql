-- migrate:up
-- The daily plan: one per local day, generated from what is due, edited by hand, ticked off.
SET LOCAL ROLE questlog_owner;

-- An item holds what the wire shows of it, but for two keys: `completed` is the user's own tick alone, and `edited` marks
-- what generating again may neither change nor drop.
CREATE TABLE daily_plans (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    date date NOT NULL,
    items jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(items) = 'array' AND jsonb_array_length(items) <= 50),
    notes text CHECK (length(notes) BETWEEN 1 AND 5000),
    version int NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, date)
);
CREATE TRIGGER touch BEFORE UPDATE ON daily_plans FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('daily_plans');
GRANT SELECT, INSERT, UPDATE ON daily_plans TO questlog_app;
