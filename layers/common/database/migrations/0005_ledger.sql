-- migrate:up
-- The ledger: every XP, coin, skill, streak, counter and achievement a user has. Only the functions in ../code/ledger
-- write these tables.
SET LOCAL ROLE questlog_owner;

-- Shared by all users, so without user_id and row-level security. Ledger rows have no foreign key to them: its check
-- would lock one row of a definition for every award of every user.
CREATE TABLE skill_definitions (
    key text PRIMARY KEY CHECK (key ~ '^[a-z][a-z0-9_]{0,49}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    description text,
    category text NOT NULL DEFAULT 'general',
    icon text,
    color text NOT NULL DEFAULT '#8b5cf6' CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    max_level int NOT NULL DEFAULT 100 CHECK (max_level BETWEEN 1 AND 1000),
    stars_per_level int NOT NULL DEFAULT 10 CHECK (stars_per_level >= 1),
    xp_scaling_base int NOT NULL DEFAULT 100 CHECK (xp_scaling_base >= 1),
    xp_scaling_multiplier numeric NOT NULL DEFAULT 1.5 CHECK (xp_scaling_multiplier BETWEEN 1 AND 10),
    sort_order int NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    is_built_in boolean NOT NULL DEFAULT false
);

CREATE TABLE streak_types (
    streak_type text PRIMARY KEY CHECK (length(streak_type) BETWEEN 1 AND 40),
    sort_order int NOT NULL UNIQUE
);

-- The names of the lifetime counters of a user. Quests may ask for a counter.
CREATE TABLE counters (
    counter text PRIMARY KEY CHECK (length(counter) BETWEEN 1 AND 64)
);
GRANT SELECT ON streak_types, counters
    TO questlog_app, questlog_auth, questlog_operator, questlog_jobs, questlog_admin, questlog_console;

CREATE TABLE event_definitions (
    event_type text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('award', 'spend', 'reversal')),
    default_skill text REFERENCES skill_definitions,
    streak_types text[] NOT NULL DEFAULT '{}',
    counter text REFERENCES counters,
    boostable boolean NOT NULL DEFAULT false
);

CREATE TABLE achievement_definitions (
    key text PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    description text,
    category text NOT NULL,
    icon text,
    trigger_type text NOT NULL,
    trigger_config jsonb NOT NULL,
    reward_xp bigint NOT NULL DEFAULT 0 CHECK (reward_xp BETWEEN 0 AND 10000),
    reward_coins bigint NOT NULL DEFAULT 0 CHECK (reward_coins BETWEEN 0 AND 5000),
    is_hidden boolean NOT NULL DEFAULT false,
    sort_order int NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    is_built_in boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock(),
    -- The fact that completes this achievement, under the name that award() gives it, and the value it has to reach.
    watches text NOT NULL GENERATED ALWAYS AS (CASE trigger_type
        WHEN 'counter' THEN 'counter:' || (trigger_config ->> 'counter')
        WHEN 'streak' THEN 'streak:' || (trigger_config ->> 'streak_type')
        WHEN 'event' THEN 'event:' || (trigger_config ->> 'event_type')
        WHEN 'level' THEN 'level'
    END) STORED,
    threshold bigint NOT NULL GENERATED ALWAYS AS (CASE trigger_type
        WHEN 'level' THEN (trigger_config -> 'level')::bigint
        WHEN 'event' THEN 1
        ELSE (trigger_config -> 'count')::bigint
    END) STORED CHECK (threshold >= 1),
    CHECK (trigger_type IN ('counter', 'streak', 'event', 'level')),
    CHECK (jsonb_typeof(coalesce(trigger_config -> 'min', '{}')) = 'object'),
    CHECK (NOT trigger_config @? '$.min.* ? (@.type() != "number")')
);
GRANT SELECT ON skill_definitions, event_definitions, achievement_definitions
    TO questlog_app, questlog_auth, questlog_operator, questlog_jobs, questlog_admin, questlog_console;
GRANT INSERT, UPDATE, DELETE ON skill_definitions, achievement_definitions TO questlog_admin;

-- What the values of the ledger are, each by itself. They are domains, and not CHECKs of the tables below: Postgres parses the
-- CHECKs of a table anew for every statement that writes it, and those of a domain once per connection. Every award writes six
-- of these tables, and their CHECKs were a sixth of its cost.
-- squawk-ignore-file ban-create-domain-with-constraint
CREATE DOMAIN amount AS bigint CHECK (value >= 0);
CREATE DOMAIN day_count AS int CHECK (value >= 0);
CREATE DOMAIN level_number AS int CHECK (value >= 1);
CREATE DOMAIN entry_number AS bigint CHECK (value >= 1);
CREATE DOMAIN short_name AS text CHECK (length(value) BETWEEN 1 AND 64);
CREATE DOMAIN reason AS text CHECK (length(value) <= 1000);
CREATE DOMAIN jsonb_object AS jsonb CHECK (jsonb_typeof(value) = 'object');

CREATE TABLE points_ledger (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- Counts per user, under the user's lock: the order in which the balances follow each other.
    seq entry_number NOT NULL,
    event_type short_name NOT NULL,
    source_type short_name NOT NULL,
    source_id uuid,
    base_xp bigint NOT NULL,
    bonus_xp bigint NOT NULL,
    xp bigint NOT NULL,
    coins bigint NOT NULL,
    skill_key text,
    skill_stars int NOT NULL,
    counters jsonb_object NOT NULL,
    metadata jsonb_object NOT NULL,
    level_after level_number NOT NULL,
    coins_after amount NOT NULL,
    total_xp_after amount NOT NULL,
    -- The effective daily streak at that time. A replay returns it, and no other row holds it.
    streak_after day_count NOT NULL,
    idempotency_key text NOT NULL,
    reverses uuid,
    cause_id uuid,
    reason reason,
    local_date date NOT NULL,
    -- instant(), not clock(): a payment that waited for the lock is no older than the one before it.
    created_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, idempotency_key)
);

-- Whether the amounts of a row fit each other, its event and its key. It is one function of the whole row, because Postgres
-- parses a CHECK with each column it names anew for every INSERT.
CREATE FUNCTION sound_entry(entry points_ledger) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN abs(entry.base_xp) <= 1000000
       AND abs(entry.bonus_xp) <= 100000000
       AND entry.xp = entry.base_xp + entry.bonus_xp
       AND abs(entry.coins) <= 1000000000
       AND abs(entry.skill_stars) <= 1000000
       AND length(entry.idempotency_key) BETWEEN 1 AND CASE WHEN entry.reverses IS NULL THEN 200 ELSE 208 END
       -- Only a reversal takes XP back. It names a row that it reverses, has an event of its own, and a key of its own.
       AND (entry.reverses IS NOT NULL OR (entry.base_xp >= 0 AND entry.bonus_xp >= 0 AND entry.skill_stars >= 0))
       AND (entry.reverses IS NOT NULL) = (entry.event_type IN ('reversal', 'market_refund'))
       AND (entry.reverses IS NOT NULL) = starts_with(entry.idempotency_key, 'reverse:');
END
$$;
ALTER TABLE points_ledger ADD CONSTRAINT points_ledger_check CHECK (sound_entry(points_ledger));

-- Rows name other rows (reverses, cause_id; user_achievements.ledger_id) without foreign keys: rows are deleted only with
-- the whole account, and there each key would cost one more look-up per row. ledger_audit checks them instead.
CREATE UNIQUE INDEX points_ledger_order ON points_ledger (user_id, seq DESC);

-- A list of one kind of event, and with ledger_days those of a day.
CREATE INDEX points_ledger_kinds ON points_ledger (user_id, event_type, seq DESC);
CREATE UNIQUE INDEX points_ledger_reversals ON points_ledger (user_id, reverses) WHERE reverses IS NOT NULL;
-- The feed of awards is read by time.
CREATE INDEX points_ledger_recent ON points_ledger (user_id, created_at DESC, seq DESC);
CREATE INDEX points_ledger_causes ON points_ledger (user_id, cause_id) WHERE cause_id IS NOT NULL;

-- What the rows of a local day add up to, so that a day, a month or a year costs a row per day however many payments it had;
-- and where they stand. Rows are not quite in the order of their days, since a payment may count for a day before.
CREATE TABLE ledger_days (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    day date NOT NULL,
    xp bigint NOT NULL,
    coins_earned bigint NOT NULL,
    coins_spent bigint NOT NULL,
    -- Rows that are no reversals.
    events int NOT NULL,
    -- No row of this day or a later one stands before first_seq, none of this day or an earlier one behind last_seq.
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    PRIMARY KEY (user_id, day)
) WITH (fillfactor = 70);

-- How many rows of each event a block of the ledger holds: the 256 rows up to last_seq. What happened since a row is added up
-- from the blocks behind it, and from the rows before the first of them and behind the last.
CREATE TABLE ledger_blocks (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    last_seq bigint NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    count int NOT NULL,
    PRIMARY KEY (user_id, last_seq, event_type)
);

-- What the boards show of a user who chose to be on them, a row per board. `score` is the XP since first_day, with which the
-- latest week or month begins in which the user's ledger has a row; score_before is that of the week or month before, which
-- those see whose own day is still in it. Of the daily streak, first_day is its last day.
CREATE TABLE leaderboard_scores (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    board text NOT NULL CHECK (board IN ('all', 'week', 'month', 'streak')),
    first_day date NOT NULL,
    score bigint NOT NULL,
    score_before bigint NOT NULL,
    PRIMARY KEY (user_id, board)
) WITH (fillfactor = 70);
CREATE INDEX leaderboard_scores_order ON leaderboard_scores (board, first_day, score DESC, user_id);

-- fillfactor, here and below: rows that change with every award find room on their own page, so no index is touched.
CREATE TABLE user_progress (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    total_xp amount NOT NULL DEFAULT 0,
    current_level level_number NOT NULL DEFAULT 1,
    total_skill_stars amount NOT NULL DEFAULT 0,
    -- The local days with an award that counts for the daily streak, and the latest of them.
    active_days day_count NOT NULL DEFAULT 0,
    last_active_day date,
    -- The latest local day with a row in the ledger, and whether the boards show the user: so an award need not look for them.
    latest_day date,
    on_boards boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT clock(),
    CHECK ((active_days = 0) = (last_active_day IS NULL))
) WITH (fillfactor = 70);

CREATE TABLE user_wallet (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    coins amount NOT NULL DEFAULT 0,
    total_earned bigint NOT NULL DEFAULT 0,
    total_spent amount NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock(),
    CHECK (coins = total_earned - total_spent)
) WITH (fillfactor = 70);

CREATE TABLE user_skills (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    skill_key text NOT NULL REFERENCES skill_definitions,
    xp amount NOT NULL,
    PRIMARY KEY (user_id, skill_key)
) WITH (fillfactor = 70);

CREATE TABLE user_streaks (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    streak_type text NOT NULL REFERENCES streak_types,
    current_streak int NOT NULL CHECK (current_streak >= 1),
    longest_streak int NOT NULL CHECK (longest_streak >= current_streak),
    last_activity_date date NOT NULL,
    -- No pause of everything has a later day, so that an award after a gap need not look for pauses; null: there was none.
    pauses_until date,
    PRIMARY KEY (user_id, streak_type)
) WITH (fillfactor = 70);

CREATE TABLE user_counters (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    counter short_name NOT NULL,
    value amount NOT NULL,
    PRIMARY KEY (user_id, counter)
) WITH (fillfactor = 70);

-- What awards have found out about a user, so that the next ones need not look through achievements and universal quests. It
-- holds as long as what all users share is of this revision.
CREATE TABLE ledger_marks (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    revision bigint NOT NULL,
    -- Of facts that completed no achievement, which ones might: the least value of a counter {"counter:focus_sessions": 10}, or
    -- what the metadata of an event have {"event:focus_complete": "strict $ ? (@.\"duration_seconds\" >= 3600)"}, or null.
    completing jsonb NOT NULL DEFAULT '{}',
    -- Awards of this day that move no other counters than these {"focus_sessions": true} move no universal quest, while the daily
    -- streak is this one.
    quiet_day date,
    quiet_streak int,
    quiet_counters jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);

CREATE TABLE user_achievements (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    achievement_key text NOT NULL REFERENCES achievement_definitions,
    earned_at timestamptz NOT NULL DEFAULT clock(),
    notified boolean NOT NULL DEFAULT false,
    ledger_id uuid NOT NULL,
    PRIMARY KEY (user_id, achievement_key)
);
CREATE INDEX user_achievements_unseen ON user_achievements (user_id) WHERE NOT notified;

-- What clients log about themselves. It pays nothing; the feed shows it between the rows of the ledger.
CREATE TABLE activity_events (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    event_type text NOT NULL CHECK (length(event_type) BETWEEN 1 AND 80),
    category text CHECK (length(category) <= 64),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX activity_events_recent ON activity_events (user_id, created_at DESC, id);

-- Administrators ask what all users did of late. Rows stand in the order in which they were written, so it is enough to know
-- the first and last time of each range of pages.
CREATE INDEX points_ledger_times ON points_ledger USING brin (created_at);
CREATE INDEX activity_events_times ON activity_events USING brin (created_at);
CALL enable_row_security('points_ledger');
CALL enable_row_security('ledger_days');
CALL enable_row_security('ledger_blocks');
CALL enable_row_security('leaderboard_scores');
CALL enable_row_security('user_progress');
CALL enable_row_security('user_wallet');
CALL enable_row_security('user_skills');
CALL enable_row_security('user_streaks');
CALL enable_row_security('user_counters');
CALL enable_row_security('ledger_marks');
CALL enable_row_security('user_achievements');
CALL enable_row_security('activity_events');
GRANT SELECT ON points_ledger, ledger_days, ledger_blocks, leaderboard_scores, user_progress, user_wallet, user_skills,
    user_streaks, user_counters, ledger_marks, user_achievements, activity_events TO questlog_app;

-- Having seen an achievement is the user's own mark; having earned it is not.
GRANT UPDATE (notified) ON user_achievements TO questlog_app;
GRANT INSERT ON activity_events TO questlog_app;

CALL make_append_only('points_ledger');

-- XP from a level to the next: isqrt(10000 * level^3). A numeric root is rounded, and one just below a whole number may
-- come out as that number, so it is checked by squaring.
CREATE FUNCTION level_cost(level int) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    square numeric := level::numeric * level * level * 10000;
    root numeric := floor(sqrt(square));
BEGIN
    RETURN CASE WHEN root * root > square THEN root - 1 ELSE root END;
END
$$;

-- The sum of rounded roots has no closed form, so the total XP at which levels begin is added up once, here, and kept as
-- constants: of each of the first 501 levels, and of every 500th level up to 250001 (1.25e15 XP).
DO $$
DECLARE
    definition CONSTANT text :=
        'CREATE FUNCTION %I() RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %L::bigint[]';
    first_501 bigint[];
    each_500th bigint[];
BEGIN
    SELECT array_agg(next_begins - cost ORDER BY level) FILTER (WHERE level <= 501),
           array_agg(next_begins - cost ORDER BY level) FILTER (WHERE level % 500 = 1)
      INTO first_501, each_500th
      FROM (SELECT level, cost, sum(cost) OVER (ORDER BY level) AS next_begins
              FROM generate_series(1, 250001) AS level, LATERAL level_cost(level) AS cost) AS l;
    EXECUTE format(definition, 'first_levels', first_501);
    EXECUTE format(definition, 'every_500th_level', each_500th);
END
$$;

-- The result of an award: what its row gave, together with the achievements that it brought.
CREATE TYPE award_result AS (
    ledger_id uuid, replayed boolean, xp bigint, bonus_xp bigint, coins bigint, skill_key text, leveled_up boolean,
    new_level int, total_xp bigint, balance bigint, streak int, achievements jsonb
);
-- The leaderboard is the one place where users read about others. Its functions belong to a role that may read only the
-- columns of a board, and they return no ids. Nobody can log in as that role.
CREATE POLICY board ON users FOR SELECT TO questlog_board USING (true);
CREATE POLICY board ON user_settings FOR SELECT TO questlog_board
    USING (key IN ('profile_public', 'timezone', 'day_start_hour'));
CREATE POLICY board ON user_progress FOR SELECT TO questlog_board USING (true);
CREATE POLICY board ON leaderboard_scores FOR SELECT TO questlog_board USING (true);
GRANT SELECT (id, name, approved) ON users TO questlog_board;
GRANT SELECT (user_id, key, value) ON user_settings TO questlog_board;
GRANT SELECT (user_id, total_xp, current_level) ON user_progress TO questlog_board;
GRANT SELECT (user_id, board, first_day, score, score_before) ON leaderboard_scores TO questlog_board;
GRANT SELECT (user_id, day, xp) ON ledger_days TO questlog_board;
