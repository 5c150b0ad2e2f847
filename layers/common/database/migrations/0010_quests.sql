-- migrate:up
-- Quests: things worth doing for a reward. A user's own quests are completed when the user says so. Universal quests are the
-- same for everyone, and progress by what the ledger records. The state of a quest is stored per period, so that a new
-- period begins without any job, and the rows of the old ones are the history.
SET LOCAL ROLE questlog_owner;

-- The most a quest of a difficulty may pay, and what it pays unless its owner wants less.
CREATE FUNCTION difficulty_reward(difficulty text, OUT xp int, OUT coins int)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE difficulty WHEN 'starter' THEN 10 WHEN 'easy' THEN 25 WHEN 'medium' THEN 50 WHEN 'hard' THEN 100
                           WHEN 'epic' THEN 250 END,
           CASE difficulty WHEN 'starter' THEN 5 WHEN 'easy' THEN 10 WHEN 'medium' THEN 25 WHEN 'hard' THEN 50
                           WHEN 'epic' THEN 100 END;
END;

CREATE TABLE quests (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) <= 5000),
    category text NOT NULL CHECK (length(category) BETWEEN 1 AND 50),
    difficulty text NOT NULL DEFAULT 'starter' CHECK (difficulty IN ('starter', 'easy', 'medium', 'hard', 'epic')),
    xp_reward int NOT NULL CHECK (xp_reward BETWEEN 0 AND 250),
    coin_reward int NOT NULL CHECK (coin_reward BETWEEN 0 AND 100),
    target int NOT NULL DEFAULT 1 CHECK (target BETWEEN 1 AND 1000),
    is_repeatable boolean NOT NULL DEFAULT false,
    repeat_frequency text CHECK (repeat_frequency IN ('daily', 'weekly', 'monthly')),
    skill_key text NOT NULL DEFAULT 'discipline' REFERENCES skill_definitions,
    expires_at timestamptz,
    -- Its key in the file that it was imported from.
    import_key text CHECK (length(import_key) BETWEEN 1 AND 320),
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, import_key),
    CHECK (is_repeatable = (repeat_frequency IS NOT NULL)),
    CHECK (xp_reward <= (difficulty_reward(difficulty)).xp),
    CHECK (coin_reward <= (difficulty_reward(difficulty)).coins)
);
CREATE INDEX quests_recent ON quests (user_id, created_at DESC, id);
-- What quests are counted by is read in the index: of each open one the row itself would cost as much again.
CREATE INDEX quests_counted ON quests (user_id, id) INCLUDE (target, repeat_frequency, expires_at);
CREATE INDEX quests_expiring ON quests (user_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON quests FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('quests');
GRANT SELECT, INSERT, UPDATE, DELETE ON quests TO questlog_app;

-- Shared content: administrators write it, and a user's rows may point at it.
CREATE TABLE universal_quests (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key text NOT NULL UNIQUE DEFAULT gen_random_uuid()::text CHECK (length(key) BETWEEN 1 AND 100),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) <= 2000),
    category text NOT NULL DEFAULT 'general' CHECK (length(category) BETWEEN 1 AND 50),
    difficulty text NOT NULL DEFAULT 'easy' CHECK (difficulty IN ('starter', 'easy', 'medium', 'hard', 'epic')),
    quest_type text NOT NULL DEFAULT 'daily' CHECK (quest_type IN ('daily', 'weekly', 'monthly', 'special')),
    xp_reward int NOT NULL DEFAULT 25 CHECK (xp_reward BETWEEN 0 AND 1000),
    coin_reward int NOT NULL DEFAULT 10 CHECK (coin_reward BETWEEN 0 AND 500),
    target int NOT NULL DEFAULT 1 CHECK (target BETWEEN 1 AND 1000000),
    -- A counter of the ledger; streak_days, the daily streak; or manual, where the ledger counts nothing for it.
    target_type text NOT NULL DEFAULT 'manual',
    counter text GENERATED ALWAYS AS (CASE WHEN target_type NOT IN ('streak_days', 'manual') THEN target_type END) STORED
        REFERENCES counters,
    skill_key text REFERENCES skill_definitions,
    is_active boolean NOT NULL DEFAULT true,
    starts_at timestamptz,
    ends_at timestamptz,
    sort_order int NOT NULL DEFAULT 0,
    is_built_in boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    CHECK (ends_at > starts_at)
);
CREATE INDEX universal_quests_targets ON universal_quests (target_type) WHERE is_active;
CREATE TRIGGER touch BEFORE UPDATE ON universal_quests FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
GRANT SELECT ON universal_quests TO questlog_app, questlog_jobs, questlog_admin, questlog_console;
GRANT INSERT, UPDATE, DELETE ON universal_quests TO questlog_admin;

-- A quest in one period. A missing row means the same as an available one without progress. Only functions write here, each
-- under the user's lock.
-- fillfactor: progress moves with awards, and finds room on its own page.
CREATE TABLE user_quest_progress (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    quest_id uuid,
    universal_quest_id uuid REFERENCES universal_quests ON DELETE CASCADE,
    period_key text NOT NULL,
    period_start date,
    status text NOT NULL DEFAULT 'available',
    progress int NOT NULL DEFAULT 0,
    accepted_at timestamptz,
    completed_at timestamptz,
    undo_count int NOT NULL DEFAULT 0,
    xp_awarded bigint NOT NULL DEFAULT 0,
    coins_awarded bigint NOT NULL DEFAULT 0,
    -- Completed periods in a row up to this one, with it; 0 unless it is completed.
    streak_count int NOT NULL DEFAULT 0,
    -- Of an open row of an own quest: the quest's target and when it expires, so that open quests are counted without a look at
    -- each. The target is null where the quest is done in other periods by now: in weeks, where this row is of a day. These and the
    -- next one are kept up to date while the row's period may be the user's present one: see outdated_quest_rows.
    target int,
    expires_at timestamptz,
    -- Of each row of an own quest: when the quest was made, by which lists are ordered. Null where the quest is done in other
    -- periods by now.
    quest_created_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, quest_id) REFERENCES quests ON DELETE CASCADE
) WITH (fillfactor = 80);

-- Whether a row of progress is sound, seen by itself. It is one function that takes the row, and not a dozen CHECKs, because
-- Postgres reads the text of each CHECK anew for every INSERT and UPDATE, and an award may move several rows.
--   It has a search path of its own, since rows are written by requests and by functions that have one: where another one holds
--   than the last time, Postgres makes the plan anew.
CREATE FUNCTION sound_quest_progress(p user_quest_progress) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
    RETURN p.period_key ~ '^(once|\d{4}-\d{2}-\d{2}|\d{4}-W\d{2}|\d{4}-\d{2})$'
       AND p.status IN ('available', 'accepted', 'completed', 'abandoned')
       AND p.progress >= 0
       AND p.undo_count >= 0
       AND p.xp_awarded >= 0
       AND p.coins_awarded >= 0
       AND p.streak_count >= 0
       AND num_nonnulls(p.quest_id, p.universal_quest_id) = 1
       AND (p.quest_id IS NOT NULL OR num_nonnulls(p.target, p.expires_at, p.quest_created_at) = 0)
       AND (p.period_start IS NULL) = (p.period_key = 'once')
       AND (p.status <> 'accepted' OR p.accepted_at IS NOT NULL)
       AND (p.status = 'completed') = (p.completed_at IS NOT NULL)
       AND (p.status = 'completed' OR (p.xp_awarded = 0 AND p.coins_awarded = 0 AND p.streak_count = 0));
END
$$;
ALTER TABLE user_quest_progress ADD CHECK (sound_quest_progress(user_quest_progress));

-- Whether anyone has begun a universal quest.
CREATE INDEX user_quest_progress_universal ON user_quest_progress (universal_quest_id)
    WHERE universal_quest_id IS NOT NULL;

-- Each covers the rows of its kind only, so that none serves for look-ups of the other kind, whatever the planner estimates.
CREATE UNIQUE INDEX user_quest_progress_own ON user_quest_progress (user_id, quest_id, period_key) WHERE quest_id IS NOT NULL;
CREATE UNIQUE INDEX user_quest_progress_shared ON user_quest_progress (user_id, universal_quest_id, period_key)
 WHERE universal_quest_id IS NOT NULL;

-- The open quests of a period, found without reading the history. Neither serves for look-ups of a quest. Those of shared quests
-- are few, and are asked for apart from the others.
CREATE INDEX user_quest_progress_open ON user_quest_progress (user_id, period_key)
 WHERE status IN ('available', 'accepted') AND quest_id IS NOT NULL;
CREATE INDEX user_quest_progress_open_shared ON user_quest_progress (user_id, period_key)
 WHERE status IN ('available', 'accepted') AND universal_quest_id IS NOT NULL;
-- The own quests of a status in a period, in the order of lists; those that are over are left out by the index alone.
CREATE INDEX user_quest_progress_listed ON user_quest_progress (user_id, status, period_key, quest_created_at DESC, quest_id)
INCLUDE (expires_at) WHERE quest_created_at IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON user_quest_progress FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('user_quest_progress');
GRANT SELECT ON user_quest_progress TO questlog_app;
