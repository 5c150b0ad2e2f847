-- migrate:up
-- Habits, their completions and the days they were skipped.
SET LOCAL ROLE questlog_owner;

CREATE TABLE habits (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- What a list asks of each habit stands first, where it is found at once.
    -- What the streak counts in: a day, a scheduled weekday, a week with enough days (weekly), or a week or a month with
    -- an amount. A daily limit has no number of days in a week. It is not generated, because then Postgres would read the
    -- expression and compute it for every completion: habit_cadence() writes it, and sound_habit() holds it.
    cadence text NOT NULL DEFAULT 'daily',
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
    -- depends on the day it is read: the wire's current_streak is streak_on() that day.
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
    UNIQUE (user_id, import_key)
) WITH (fillfactor = 80);

-- Whether a habit is sound, seen by itself. It is one function and not two dozen CHECKs, and it takes the row and not two dozen
-- columns, because Postgres reads the text of each CHECK anew for every INSERT and UPDATE: that was most of what counting a
-- completion in its habit cost.
--   It has a search path of its own, since rows are written by requests and by functions that have one: where another one holds
--   than the last time, Postgres makes the plan anew.
--   What few habits have is looked at in an IF of its own: Postgres makes a condition ready where it is reached, and that takes
-- longer than to evaluate it.
CREATE FUNCTION sound_habit(h habits) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    sound boolean := h.kind IN ('check', 'amount')
       AND length(h.name) BETWEEN 1 AND 120
       AND (h.description IS NULL OR length(h.description) BETWEEN 1 AND 2000)
       AND h.frequency IN ('daily', 'weekly', 'custom')
       AND h.target_count BETWEEN 1 AND CASE h.frequency WHEN 'weekly' THEN 7 ELSE 100 END
       AND length(h.category) BETWEEN 1 AND 40
       AND h.xp_reward BETWEEN 0 AND 50
       AND h.coin_reward BETWEEN 0 AND 25
       AND h.amount_step > 0 AND h.amount_step <= 1000000000
       AND h.longest_before >= 0
       AND h.streak >= 0
       AND h.longest_streak >= h.streak
       AND (h.streak_through IS NOT NULL OR h.streak = 0);
BEGIN
    IF h.custom_days <> '{0,1,2,3,4,5,6}' THEN
        -- Weekdays (0 Sunday .. 6 Saturday), at least one, without repeats and in order. A digit each: a longer number, a minus or
        -- a null makes the text longer than the list.
        sound := sound AND cardinality(h.custom_days) >= 1
            AND array_ndims(h.custom_days) = 1 AND array_lower(h.custom_days, 1) = 1
            AND array_to_string(h.custom_days, '', '--') ~ '^0?1?2?3?4?5?6?$'
            AND length(array_to_string(h.custom_days, '', '--')) = cardinality(h.custom_days);
    END IF;
    IF (h.cadence, h.frequency, h.period) <> ('daily', 'daily', 'day') THEN
        sound := sound AND h.cadence = CASE
            WHEN h.period <> 'day' THEN h.period
            WHEN h.direction = 'at_most' AND h.frequency = 'weekly' THEN 'daily'
            ELSE h.frequency
        END;
    END IF;
    IF num_nonnulls(h.icon, h.color, h.reminder_time, h.unit, h."group", h.import_key, h.import_digest) > 0 THEN
        sound := sound AND (h.icon IS NULL OR length(h.icon) BETWEEN 1 AND 16)
            AND (h.color IS NULL OR h.color ~ '^#[0-9A-Fa-f]{6}$')
            AND (h.reminder_time IS NULL OR h.reminder_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$')
            AND (h.unit IS NULL OR length(h.unit) BETWEEN 1 AND 20)
            AND (h."group" IS NULL OR length(h."group") BETWEEN 1 AND 40)
            AND (h.import_key IS NULL OR length(h.import_key) BETWEEN 1 AND 320)
            -- 16 bytes: what the file said.
            AND (h.import_digest IS NULL OR (length(h.import_digest) = 16 AND h.import_key IS NOT NULL));
    END IF;
    -- Only amounts have a target to sum up to, may be limits, and may have another period than the day.
    IF h.kind = 'check' THEN
        RETURN sound AND h.target_amount IS NULL AND h.direction = 'at_least' AND h.period = 'day';
    END IF;
    RETURN sound AND h.direction IN ('at_least', 'at_most')
       AND h.period IN ('day', 'week', 'month')
       AND h.target_amount IS NOT NULL AND h.target_amount BETWEEN 0 AND 1000000000
       AND (h.direction = 'at_most' OR h.target_amount > 0);
END
$$;
ALTER TABLE habits ADD CHECK (sound_habit(habits));
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
    ordinal int NOT NULL,
    target int NOT NULL DEFAULT 1,
    week_target int,
    amount numeric(13, 3),
    amount_target numeric(13, 3),
    -- Whether the sum of the row's period reaches the target, the same in all rows of a period; never of a limit. Null
    -- where completions are counted.
    amount_met boolean,
    is_correction boolean NOT NULL DEFAULT false,
    done boolean NOT NULL GENERATED ALWAYS AS (coalesce(amount_met, ordinal >= target)) STORED,
    completed_at timestamptz NOT NULL DEFAULT instant(),
    notes text,
    ledger_key text,
    -- How often a payment of this row was reversed; the next one has another key.
    reversals int NOT NULL DEFAULT 0,
    -- Whether a file brought it: a later one may take it away again.
    is_imported boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, habit_id, completed_date, ordinal),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits ON DELETE CASCADE
);

-- Whether a completion is sound, seen by itself; see sound_habit().
CREATE FUNCTION sound_completion(k habit_completions) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    sound boolean := k.ordinal BETWEEN 1 AND 101 AND k.target BETWEEN 1 AND 100 AND k.reversals >= 0
       AND (k.ledger_key IS NULL OR length(k.ledger_key) <= 200);
BEGIN
    IF num_nonnulls(k.week_target, k.amount, k.amount_target, k.notes) = 0 THEN
        RETURN sound;
    END IF;
    RETURN sound
       AND (k.week_target IS NULL OR k.week_target BETWEEN 1 AND 7)
       AND (k.amount IS NULL) = (k.amount_target IS NULL)
       AND (k.amount IS NULL OR (k.amount BETWEEN -1000000000 AND 1000000000 AND k.amount_target BETWEEN 0 AND 1000000000))
       AND (k.notes IS NULL OR length(k.notes) BETWEEN 1 AND 2000);
END
$$;
ALTER TABLE habit_completions ADD CHECK (sound_completion(habit_completions));
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
