-- migrate:up
-- Habits, their completions and the days they were skipped.
SET LOCAL ROLE questlog_owner;

-- Whether a habit is sound, seen by itself. It is one function and not two dozen CHECKs, because Postgres parses each CHECK
-- anew for every INSERT and UPDATE: that was most of what counting a completion in its habit cost.
--   It has a search path of its own, since rows are written by requests and by functions that have one: where another one holds
--   than the last time, Postgres makes the plan anew.
CREATE FUNCTION sound_habit(
    kind text, direction text, period text, name text, description text, frequency text, target_count int,
    custom_days int[], icon text, color text, category text, xp_reward int, coin_reward int, reminder_time text,
    target_amount numeric, unit text, amount_step numeric, "group" text, longest_before int, streak int,
    streak_through date, longest_streak int, import_key text, import_digest bytea
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
    RETURN kind IN ('check', 'amount')
       AND direction IN ('at_least', 'at_most')
       AND period IN ('day', 'week', 'month')
       AND length(name) BETWEEN 1 AND 120
       AND (description IS NULL OR length(description) BETWEEN 1 AND 2000)
       AND frequency IN ('daily', 'weekly', 'custom')
       AND target_count BETWEEN 1 AND CASE frequency WHEN 'weekly' THEN 7 ELSE 100 END
       -- Weekdays (0 Sunday .. 6 Saturday), at least one, without repeats and in order. A digit each: a longer number, a minus or
       -- a null makes the text longer than the list.
       AND cardinality(custom_days) >= 1 AND array_ndims(custom_days) = 1 AND array_lower(custom_days, 1) = 1
       AND array_to_string(custom_days, '', '--') ~ '^0?1?2?3?4?5?6?$'
       AND length(array_to_string(custom_days, '', '--')) = cardinality(custom_days)
       AND (icon IS NULL OR length(icon) BETWEEN 1 AND 16)
       AND (color IS NULL OR color ~ '^#[0-9A-Fa-f]{6}$')
       AND length(category) BETWEEN 1 AND 40
       AND xp_reward BETWEEN 0 AND 50
       AND coin_reward BETWEEN 0 AND 25
       AND (reminder_time IS NULL OR reminder_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$')
       AND (target_amount IS NULL OR target_amount BETWEEN 0 AND 1000000000)
       AND (unit IS NULL OR length(unit) BETWEEN 1 AND 20)
       AND amount_step > 0 AND amount_step <= 1000000000
       AND ("group" IS NULL OR length("group") BETWEEN 1 AND 40)
       AND longest_before >= 0
       AND streak >= 0
       AND longest_streak >= streak
       AND (streak_through IS NOT NULL OR streak = 0)
       AND (import_key IS NULL OR length(import_key) BETWEEN 1 AND 320)
       -- 16 bytes: what the file said.
       AND (import_digest IS NULL OR (length(import_digest) = 16 AND import_key IS NOT NULL))
       -- Only amounts have a target to sum up to, may be limits, and may have another period than the day.
       AND (kind = 'amount') = (target_amount IS NOT NULL)
       AND (kind = 'amount' OR (direction = 'at_least' AND period = 'day'))
       AND (kind = 'check' OR direction = 'at_most' OR target_amount > 0);
END
$$;

CREATE TABLE habits (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- What a list asks of each habit stands first, where it is found at once.
    -- What the streak counts in: a day, a scheduled weekday, a week with enough days (weekly), or a week or a month with
    -- an amount. A daily limit has no number of days in a week.
    cadence text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN period <> 'day' THEN period
             WHEN direction = 'at_most' AND frequency = 'weekly' THEN 'daily'
             ELSE frequency END) STORED,
    -- A habit with amounts is done when the sum of its period reaches the target, or kept while it stays within it.
    kind text NOT NULL DEFAULT 'check',
    direction text NOT NULL DEFAULT 'at_least',
    period text NOT NULL DEFAULT 'day',
    name text NOT NULL,
    description text,
    frequency text NOT NULL DEFAULT 'daily',
    target_count int NOT NULL DEFAULT 1,
    custom_days int[] NOT NULL DEFAULT '{0,1,2,3,4,5,6}',
    icon text,
    color text,
    category text NOT NULL DEFAULT 'general',
    xp_reward int NOT NULL DEFAULT 10,
    coin_reward int NOT NULL DEFAULT 5,
    skill_key text REFERENCES skill_definitions,
    reminder_time text,
    is_active boolean NOT NULL DEFAULT true,
    sort_order int NOT NULL,
    created_on date NOT NULL,
    target_amount numeric(13, 3),
    unit text,
    amount_step numeric(13, 3) NOT NULL DEFAULT 1,
    "group" text,
    -- The day on which the kind, the direction or the period was changed last: the streak began anew, and the longest
    -- one of before is kept beside it.
    streak_from date,
    longest_before int NOT NULL DEFAULT 0,
    -- The latest streak and the last day of it, written with every completion, undo and skip. Whether it still stands
    -- depends on the day it is read: the wire's current_streak is standing_streak() of these two.
    streak int NOT NULL DEFAULT 0,
    streak_through date,
    longest_streak int NOT NULL DEFAULT 0,
    last_completed_at timestamptz,
    import_key text,
    -- What the file said; null once the user has changed something of it.
    import_digest bytea,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, import_key),
    CHECK (sound_habit(
        kind, direction, period, name, description, frequency, target_count, custom_days, icon, color, category, xp_reward,
        coin_reward, reminder_time, target_amount, unit, amount_step, "group", longest_before, streak, streak_through,
        longest_streak, import_key, import_digest))
) WITH (fillfactor = 80);
CREATE INDEX habits_order ON habits (user_id, is_active, sort_order);
CREATE TRIGGER touch BEFORE UPDATE ON habits FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('habits');
GRANT SELECT, INSERT, UPDATE, DELETE ON habits TO questlog_app;

-- A row keeps the targets that were in force when its day and its week were open: a higher target set later leaves a
-- day done. `ordinal` counts the completions of one day from 1.
--   Of a habit with amounts a row is an amount that was logged: at most 100 a day, and one correction more.
CREATE TABLE habit_completions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    habit_id uuid NOT NULL,
    completed_date date NOT NULL,
    ordinal int NOT NULL CHECK (ordinal BETWEEN 1 AND 101),
    target int NOT NULL DEFAULT 1 CHECK (target BETWEEN 1 AND 100),
    week_target int CHECK (week_target BETWEEN 1 AND 7),
    amount numeric(13, 3) CHECK (amount BETWEEN -1000000000 AND 1000000000),
    amount_target numeric(13, 3) CHECK (amount_target BETWEEN 0 AND 1000000000),
    -- Whether the sum of the row's period reaches the target, the same in all rows of a period; never of a limit. Null
    -- where completions are counted.
    amount_met boolean,
    is_correction boolean NOT NULL DEFAULT false,
    done boolean NOT NULL GENERATED ALWAYS AS (coalesce(amount_met, ordinal >= target)) STORED,
    completed_at timestamptz NOT NULL DEFAULT instant(),
    notes text CHECK (length(notes) BETWEEN 1 AND 2000),
    ledger_key text CHECK (length(ledger_key) <= 200),
    -- How often a payment of this row was reversed; the next one has another key.
    reversals int NOT NULL DEFAULT 0 CHECK (reversals >= 0),
    -- Whether a file brought it: a later one may take it away again.
    is_imported boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, habit_id, completed_date, ordinal),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits ON DELETE CASCADE,
    CHECK ((amount IS NULL) = (amount_target IS NULL))
);
-- What is recorded of a week, of all habits.
CREATE INDEX habit_completions_of_day ON habit_completions (user_id, completed_date);
CALL enable_row_security('habit_completions');
GRANT SELECT, INSERT, UPDATE, DELETE ON habit_completions TO questlog_app;

CREATE TABLE habit_skips (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    habit_id uuid NOT NULL,
    day date NOT NULL,
    is_imported boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, habit_id, day),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits ON DELETE CASCADE
);
CREATE INDEX habit_skips_of_day ON habit_skips (user_id, day);
CALL enable_row_security('habit_skips');
GRANT SELECT, INSERT, DELETE ON habit_skips TO questlog_app;

-- The periods of limits that the user has claimed as kept, by their last day. Each is paid once.
CREATE TABLE habit_claims (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    habit_id uuid NOT NULL,
    through date NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT instant(),
    ledger_key text NOT NULL CHECK (length(ledger_key) BETWEEN 1 AND 200),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, habit_id, through),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits ON DELETE CASCADE
);
CALL enable_row_security('habit_claims');
GRANT SELECT, INSERT ON habit_claims TO questlog_app;
