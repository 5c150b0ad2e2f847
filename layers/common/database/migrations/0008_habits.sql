-- migrate:up
-- Habits: what is to be done every day, on some weekdays or so many days a week; what was done, and the streaks of it.
SET LOCAL ROLE questlog_owner;

-- Weekdays, 0 Sunday .. 6 Saturday, each once and in order.
CREATE FUNCTION are_weekdays(days int[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN cardinality(days) >= 1 AND days = ARRAY(SELECT w FROM generate_series(0, 6) AS w WHERE w = ANY (days));

CREATE TABLE habits (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text CHECK (length(description) BETWEEN 1 AND 2000),
    frequency text NOT NULL DEFAULT 'daily' CHECK (frequency IN ('daily', 'weekly', 'custom')),
    target_count int NOT NULL DEFAULT 1 CHECK (target_count BETWEEN 1 AND 100),
    custom_days int[] NOT NULL DEFAULT '{0,1,2,3,4,5,6}' CHECK (are_weekdays(custom_days)),
    icon text CHECK (length(icon) BETWEEN 1 AND 16),
    color text CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    category text NOT NULL DEFAULT 'general' CHECK (length(category) BETWEEN 1 AND 40),
    xp_reward int NOT NULL DEFAULT 10 CHECK (xp_reward BETWEEN 0 AND 50),
    coin_reward int NOT NULL DEFAULT 5 CHECK (coin_reward BETWEEN 0 AND 25),
    skill_key text REFERENCES skill_definitions,
    reminder_time text CHECK (reminder_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    is_active boolean NOT NULL DEFAULT true,
    sort_order int NOT NULL,
    created_on date NOT NULL,
    -- What completions and skips add up to, set whenever they change: the latest run, and the last day that holds it.
    -- What is shown as current_streak is standing_streak() of these.
    current_streak int NOT NULL DEFAULT 0 CHECK (current_streak >= 0),
    streak_through date,
    longest_streak int NOT NULL DEFAULT 0 CHECK (longest_streak >= current_streak),
    last_completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    CHECK (frequency <> 'weekly' OR target_count <= 7),
    CHECK (streak_through IS NOT NULL OR current_streak = 0)
) WITH (fillfactor = 80);
CREATE INDEX habits_order ON habits (user_id, is_active, sort_order);
CREATE TRIGGER touch BEFORE UPDATE ON habits FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('habits');
GRANT SELECT, INSERT, UPDATE, DELETE ON habits TO questlog_app;

-- The targets are those in force when the day, or the week, was open: raising one later undoes no day that was done.
CREATE TABLE habit_completions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    habit_id uuid NOT NULL,
    completed_date date NOT NULL,
    ordinal int NOT NULL CHECK (ordinal BETWEEN 1 AND 100),
    target int NOT NULL DEFAULT 1 CHECK (target BETWEEN 1 AND 100),
    week_target int CHECK (week_target BETWEEN 1 AND 7),
    done boolean NOT NULL GENERATED ALWAYS AS (ordinal >= target) STORED,
    completed_at timestamptz NOT NULL DEFAULT clock(),
    notes text CHECK (length(notes) BETWEEN 1 AND 2000),
    ledger_key text CHECK (length(ledger_key) <= 200),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, habit_id, completed_date, ordinal),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits ON DELETE CASCADE
);
CALL enable_row_security('habit_completions');
GRANT SELECT, INSERT, UPDATE, DELETE ON habit_completions TO questlog_app;

CREATE TABLE habit_skips (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    habit_id uuid NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (user_id, habit_id, day),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits ON DELETE CASCADE
);
CALL enable_row_security('habit_skips');
GRANT SELECT, INSERT, DELETE ON habit_skips TO questlog_app;

CREATE TYPE habit_completing AS (
    habit jsonb, completion_id uuid, new_streak int, streak_bonus boolean, completed boolean, already_completed boolean,
    paid award_result
);

CREATE TYPE habit_undoing AS (habit jsonb, xp_reversed bigint, coins_reversed bigint);
