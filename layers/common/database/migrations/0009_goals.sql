-- migrate:up
-- Goals and the milestones on the way to them.
SET LOCAL ROLE questlog_owner;

CREATE TABLE goals (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 5000),
    category text CHECK (length(category) BETWEEN 1 AND 40),
    target_date date,
    started_at timestamptz DEFAULT clock(),
    completed_at timestamptz,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'completed', 'abandoned', 'paused')),
    progress int NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    priority int NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 100),
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    CHECK ((completed_at IS NOT NULL) = (status = 'completed')),
    CHECK (status <> 'completed' OR progress = 100)
);
CREATE INDEX goals_order ON goals (user_id, status, priority DESC, created_at DESC);
CREATE INDEX goals_targets ON goals (user_id, target_date) WHERE status = 'active';
CREATE TRIGGER touch BEFORE UPDATE ON goals FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('goals');
GRANT SELECT, INSERT, UPDATE, DELETE ON goals TO questlog_app;

CREATE TABLE goal_milestones (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    goal_id uuid NOT NULL,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 2000),
    is_completed boolean NOT NULL DEFAULT false,
    completed_at timestamptz,
    sort_order int NOT NULL,
    target_date date,
    created_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, goal_id) REFERENCES goals ON DELETE CASCADE,
    -- Deferrable: checked when a statement has moved all it moves, not at each row on the way.
    UNIQUE (user_id, goal_id, sort_order) DEFERRABLE,
    CHECK ((completed_at IS NOT NULL) = is_completed)
);
CALL enable_row_security('goal_milestones');
GRANT SELECT, INSERT, UPDATE, DELETE ON goal_milestones TO questlog_app;
