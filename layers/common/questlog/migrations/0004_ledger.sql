-- migrate:up
-- The ledger: every XP, coin, skill, streak, counter and achievement a user has, and the only functions that write them.
--
--   award    pays an event, once per key: post -> streaks, counters, quests -> achievements, which are awards themselves
--   spend    takes coins, never below zero
--   reverse  a counter-entry, once; nothing is ever deleted
--
-- From a route's statement, keep what award answers in ONE column and let reward() take it apart:
--
--   WITH ended AS (UPDATE ... RETURNING *),
--        paid AS (SELECT award('goal_complete', 'goal', id, 40, 20, 'goal_complete:' || id) AS award FROM ended)
--   SELECT ended.*, r.* FROM ended, reward(VARIADIC ARRAY(SELECT award FROM paid)) AS r
--
-- Not `(award(...)).*`: that is rewritten to one call per column. And read `paid`: a CTE that only selects and that nothing
-- reads is not run at all. A statement does not see what a function it calls writes: what comes after the award is in
-- the answer of award, or in a statement of its own.
SET LOCAL ROLE questlog_owner;

-- A call that is the program's mistake, not the user's: it must not turn into an answer.
CREATE FUNCTION misuse(sentence text) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = sentence;
END
$$;

-- Definitions -----------------------------------------------------------------------------------------------------
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

CREATE TABLE event_definitions (
    event_type text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('award', 'spend', 'reversal')),
    default_skill text REFERENCES skill_definitions,
    streak_types text[] NOT NULL DEFAULT '{}'
        CHECK (streak_types <@ ARRAY['daily_activity', 'focus', 'habit', 'workout', 'learning', 'reading']),
    counter text,
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
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The one fact this achievement waits for, by the name award() gives it, and the value that fact has to reach.
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

GRANT SELECT ON skill_definitions, event_definitions, achievement_definitions TO questlog_app, questlog_jobs, questlog_admin;
GRANT INSERT, UPDATE, DELETE ON skill_definitions, achievement_definitions TO questlog_admin;

-- The ledger and what it adds up to -------------------------------------------------------------------------------

-- What holds for every row by itself. One function and not a dozen CHECKs: Postgres parses each CHECK anew for every
-- INSERT, which was a tenth of an award's cost.
CREATE FUNCTION sound_entry(
    event_type text, source_type text, base_xp bigint, bonus_xp bigint, xp bigint, coins bigint, skill_stars int,
    counters jsonb, metadata jsonb, level_after int, coins_after bigint, total_xp_after bigint, streak_after int,
    idempotency_key text, reverses uuid, reason text
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN length(event_type) BETWEEN 1 AND 64
       AND length(source_type) BETWEEN 1 AND 64
       AND abs(base_xp) <= 1000000
       AND abs(bonus_xp) <= 100000000
       AND xp = base_xp + bonus_xp
       AND abs(coins) <= 1000000000
       AND abs(skill_stars) <= 1000000
       AND jsonb_typeof(counters) = 'object'
       AND jsonb_typeof(metadata) = 'object'
       AND level_after >= 1
       AND coins_after >= 0
       AND total_xp_after >= 0
       AND streak_after >= 0
       AND length(idempotency_key) BETWEEN 1 AND CASE WHEN reverses IS NULL THEN 200 ELSE 208 END
       AND (reason IS NULL OR length(reason) <= 1000)
       -- Only a reversal takes XP back, and it can be told from any other row by each of three marks.
       AND (reverses IS NOT NULL OR (base_xp >= 0 AND bonus_xp >= 0 AND skill_stars >= 0))
       AND (reverses IS NOT NULL) = (event_type IN ('reversal', 'market_refund'))
       AND (reverses IS NOT NULL) = starts_with(idempotency_key, 'reverse:');
END
$$;

CREATE TABLE points_ledger (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- Drawn under the user's lock, one at a time, so a user's rows are numbered in the order their balances follow.
    seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    event_type text NOT NULL,
    source_type text NOT NULL,
    source_id uuid,
    base_xp bigint NOT NULL,
    bonus_xp bigint NOT NULL,
    xp bigint NOT NULL,
    coins bigint NOT NULL,
    skill_key text,
    skill_stars int NOT NULL,
    counters jsonb NOT NULL,
    metadata jsonb NOT NULL,
    level_after int NOT NULL,
    coins_after bigint NOT NULL,
    total_xp_after bigint NOT NULL,
    -- The effective daily streak then: what a replay has to answer, and the only part of it that no other row tells.
    streak_after int NOT NULL,
    idempotency_key text NOT NULL,
    reverses uuid,
    cause_id uuid,
    reason text,
    local_date date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, idempotency_key),
    CHECK (sound_entry(event_type, source_type, base_xp, bonus_xp, xp, coins, skill_stars, counters, metadata, level_after,
                       coins_after, total_xp_after, streak_after, idempotency_key, reverses, reason))
);
-- Rows name other rows (reverses, cause_id; user_achievements.ledger_id) without foreign keys: rows never go, but with a
-- whole account, and there each key would be looked up once more per row. ledger_audit looks instead.
CREATE UNIQUE INDEX points_ledger_order ON points_ledger (user_id, seq DESC);
-- The day before the event: a daily cap names both, while a day, a week and a board ask for dates alone.
CREATE INDEX points_ledger_days ON points_ledger (user_id, local_date, event_type);
CREATE UNIQUE INDEX points_ledger_reversals ON points_ledger (user_id, reverses) WHERE reverses IS NOT NULL;
CREATE INDEX points_ledger_causes ON points_ledger (user_id, cause_id) WHERE cause_id IS NOT NULL;

-- fillfactor, here and below: rows that change with every award find room on their own page, so no index is touched.
CREATE TABLE user_progress (
    user_id uuid PRIMARY KEY DEFAULT me() REFERENCES users ON DELETE CASCADE,
    total_xp bigint NOT NULL DEFAULT 0 CHECK (total_xp >= 0),
    current_level int NOT NULL DEFAULT 1 CHECK (current_level >= 1),
    total_skill_stars bigint NOT NULL DEFAULT 0 CHECK (total_skill_stars >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE user_wallet (
    user_id uuid PRIMARY KEY DEFAULT me() REFERENCES users ON DELETE CASCADE,
    coins bigint NOT NULL DEFAULT 0 CHECK (coins >= 0),
    total_earned bigint NOT NULL DEFAULT 0,
    total_spent bigint NOT NULL DEFAULT 0 CHECK (total_spent >= 0),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (coins = total_earned - total_spent)
) WITH (fillfactor = 70);

CREATE TABLE user_skills (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    skill_key text NOT NULL REFERENCES skill_definitions,
    xp bigint NOT NULL CHECK (xp >= 0),
    PRIMARY KEY (user_id, skill_key)
) WITH (fillfactor = 70);

CREATE TABLE user_streaks (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    streak_type text NOT NULL
        CHECK (streak_type IN ('daily_activity', 'focus', 'habit', 'workout', 'learning', 'reading')),
    current_streak int NOT NULL CHECK (current_streak >= 1),
    longest_streak int NOT NULL CHECK (longest_streak >= current_streak),
    last_activity_date date NOT NULL,
    PRIMARY KEY (user_id, streak_type)
) WITH (fillfactor = 70);

CREATE TABLE user_counters (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    counter text NOT NULL CHECK (length(counter) BETWEEN 1 AND 64),
    value bigint NOT NULL CHECK (value >= 0),
    PRIMARY KEY (user_id, counter)
) WITH (fillfactor = 70);

CREATE TABLE user_achievements (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    achievement_key text NOT NULL REFERENCES achievement_definitions,
    earned_at timestamptz NOT NULL DEFAULT now(),
    notified boolean NOT NULL DEFAULT false,
    ledger_id uuid NOT NULL,
    PRIMARY KEY (user_id, achievement_key)
);
CREATE INDEX user_achievements_unseen ON user_achievements (user_id) WHERE NOT notified;

-- What redeemed boosts and used shields left behind. Written by the market; the ledger reads.
CREATE TABLE user_effects (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    purchase_id uuid,
    effect_type text NOT NULL CHECK (effect_type IN ('xp_multiplier')),
    factor numeric NOT NULL CHECK (factor BETWEEN 1 AND 100),
    started_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL CHECK (ends_at > started_at),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX user_effects_running ON user_effects (user_id, ends_at DESC);

CREATE TABLE streak_shield_uses (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    streak_type text NOT NULL DEFAULT 'daily_activity' CHECK (streak_type = 'daily_activity'),
    day date NOT NULL,
    purchase_id uuid,
    PRIMARY KEY (user_id, streak_type, day)
);

-- What clients log about themselves. It pays nothing; the feed shows it between the rows of the ledger.
CREATE TABLE activity_events (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    event_type text NOT NULL CHECK (length(event_type) BETWEEN 1 AND 80),
    category text CHECK (length(category) <= 64),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX activity_events_recent ON activity_events (user_id, created_at DESC, id);

CALL isolate('points_ledger');
CALL isolate('user_progress');
CALL isolate('user_wallet');
CALL isolate('user_skills');
CALL isolate('user_streaks');
CALL isolate('user_counters');
CALL isolate('user_achievements');
CALL isolate('user_effects');
CALL isolate('streak_shield_uses');
CALL isolate('activity_events');
GRANT SELECT ON points_ledger, user_progress, user_wallet, user_skills, user_streaks, user_counters, user_achievements,
    user_effects, streak_shield_uses, activity_events TO questlog_app;
-- Having seen an achievement is the user's own mark; having earned it is not.
GRANT UPDATE (notified) ON user_achievements TO questlog_app;
GRANT INSERT ON activity_events TO questlog_app;

-- Append only, to the owner of the table as well.
CREATE FUNCTION refuse_ledger_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = format('The ledger is append only: %s is refused.', TG_OP);
END
$$;
CREATE TRIGGER no_update BEFORE UPDATE ON points_ledger FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON points_ledger FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

-- Rows may go when their user is gone: the cascade deletes the user first. Whoever else deletes can see the user, because
-- whoever sees a row of the ledger sees its user: row-level security is the same on both. Once per statement, after it:
-- a trigger for each row made the deletion of an account thirteen times slower.
CREATE FUNCTION refuse_ledger_deletion() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM gone JOIN users ON users.id = gone.user_id) THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'The ledger is append only: only a deleted user''s rows go.';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER no_delete AFTER DELETE ON points_ledger REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_deletion();

-- Levels ----------------------------------------------------------------------------------------------------------

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

-- The total XP at which a level begins; level 1 at 0.
CREATE FUNCTION level_floor(level int) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    block int := least((level - 1) / 500, 500);
BEGIN
    IF level < 1 THEN
        PERFORM misuse('Levels begin at 1.');
    ELSIF level <= 501 THEN
        RETURN (first_levels())[level];
    END IF;
    RETURN (every_500th_level())[block + 1]
        + (SELECT coalesce(sum(level_cost(l)), 0) FROM generate_series(block * 500 + 1, level - 1) AS l);
END
$$;

-- The level that so much XP in all has reached.
CREATE FUNCTION level_for(total_xp bigint) RETURNS int
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    level int := greatest(1, width_bucket(total_xp, first_levels()));
    block int;
    next_floor bigint;
BEGIN
    IF level <= 500 THEN
        RETURN level;
    END IF;
    block := width_bucket(total_xp, every_500th_level());
    level := (block - 1) * 500 + 1;
    next_floor := (every_500th_level())[block] + level_cost(level);
    WHILE next_floor <= total_xp LOOP
        level := level + 1;
        next_floor := next_floor + level_cost(level);
    END LOOP;
    RETURN level;
END
$$;

-- What other groups bring ------------------------------------------------------------------------------------------
-- The groups replace the bodies (CREATE OR REPLACE); called as questlog_owner, under the user's lock.

-- Streak shields the user holds. Until the market brings its own: none.
CREATE FUNCTION shields_held() RETURNS int
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN 0;
END
$$;

-- Uses the oldest shields, one for each of the days. Until the market brings its own: none are held, so none is used.
CREATE FUNCTION use_shields(days date[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
END
$$;

-- Moves the quests that count these counters, in the periods of that day. `streak_days` is a value to reach, the others
-- are amounts to add. Never pays. Until the quests group brings its own: there are no quests.
CREATE FUNCTION advance_quests(counters jsonb, day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
END
$$;

-- Takes the amounts back from quests still open, in the periods of that day, not below 0. Until then: there are none.
CREATE FUNCTION retreat_quests(counters jsonb, day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
END
$$;

-- Streaks ---------------------------------------------------------------------------------------------------------

-- Whether a streak still stands today: its last day was yesterday or later, or the shields held would bridge the gap.
CREATE FUNCTION streak_stands(streak_type text, last_activity_date date, today date) RETURNS boolean
LANGUAGE sql STABLE
RETURN last_activity_date >= today - 1
    OR (streak_type = 'daily_activity' AND today - 1 - last_activity_date <= shields_held());

-- All six streaks as they are shown. Writes nothing and uses no shield.
--   Run as the owner, here and in effective_streak: award asks too, as the owner, and a plan under row-level security is
--   made anew whenever another role than the last one runs it. OFFSET 0: computed once, not once per use.
CREATE FUNCTION effective_streaks() RETURNS TABLE (
    streak_type text, current_streak int, longest_streak int, last_activity_date date,
    active boolean, at_risk boolean, protected boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT t.streak_type,
           CASE WHEN f.stands THEN s.current_streak ELSE 0 END,
           coalesce(s.longest_streak, 0),
           s.last_activity_date,
           f.stands,
           f.stands AND s.last_activity_date < d.today,
           f.stands AND s.last_activity_date < d.today - 1
      FROM unnest(ARRAY['daily_activity', 'focus', 'habit', 'workout', 'learning', 'reading'])
           WITH ORDINALITY AS t (streak_type, position)
     CROSS JOIN (SELECT local_today() AS today OFFSET 0) AS d
      LEFT JOIN user_streaks AS s ON s.streak_type = t.streak_type
     CROSS JOIN LATERAL (
           SELECT coalesce(streak_stands(s.streak_type, s.last_activity_date, d.today), false) AS stands OFFSET 0) AS f
     ORDER BY t.position;
END;

-- One streak as it is shown, 0 when it is broken.
CREATE FUNCTION effective_streak(wanted text DEFAULT 'daily_activity') RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN present_streak(wanted);
END
$$;

-- The same for those who are the owner already: to become it costs more than to look.
CREATE FUNCTION present_streak(wanted text) RETURNS int
LANGUAGE plpgsql STABLE AS $$
DECLARE
    streak user_streaks;
BEGIN
    SELECT * INTO streak FROM user_streaks AS s WHERE s.streak_type = wanted;
    -- No clock on earth is ahead of UTC+14's: by its date, most streaks stand without a look at the user's own.
    IF streak.last_activity_date >= (now() AT TIME ZONE 'Etc/GMT-14')::date - 1
        OR streak_stands(wanted, streak.last_activity_date, local_today())
    THEN
        RETURN streak.current_streak;
    END IF;
    RETURN 0;
END
$$;

-- Takes a day into the streaks of these types; answers the ones that moved, as facts: {"streak:focus": 3}.
-- A day that is not after the streak's last one moves nothing: most awards are a day's second or later.
CREATE FUNCTION move_streaks(types text[], day date) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    settled text[] := ARRAY(SELECT s.streak_type FROM user_streaks AS s WHERE s.last_activity_date >= day);
    moving text;
    facts jsonb := '{}';
BEGIN
    IF types <@ settled THEN
        RETURN facts;
    END IF;
    FOREACH moving IN ARRAY types LOOP
        IF NOT moving = ANY (settled) THEN
            facts := facts || jsonb_build_object('streak:' || moving, move_streak(moving, day));
        END IF;
    END LOOP;
    RETURN facts;
END
$$;

-- Takes a day after its last one into a streak, with the shields that may bridge what was missed; answers its new length.
CREATE FUNCTION move_streak(moving text, day date) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    streak user_streaks;
    missed int;
BEGIN
    SELECT * INTO streak FROM user_streaks AS s WHERE s.streak_type = moving;
    IF NOT FOUND THEN
        INSERT INTO user_streaks (streak_type, current_streak, longest_streak, last_activity_date) VALUES (moving, 1, 1, day);
        RETURN 1;
    END IF;
    missed := day - 1 - streak.last_activity_date;
    IF missed > 0 AND moving = 'daily_activity' AND missed <= shields_held() THEN
        PERFORM use_shields(ARRAY(SELECT streak.last_activity_date + n FROM generate_series(1, missed) AS n));
        missed := 0;
    END IF;
    UPDATE user_streaks AS s
       SET current_streak = CASE missed WHEN 0 THEN s.current_streak + 1 ELSE 1 END,
           longest_streak = CASE missed WHEN 0 THEN greatest(s.longest_streak, s.current_streak + 1) ELSE s.longest_streak END,
           last_activity_date = day
     WHERE s.streak_type = moving
    RETURNING s.current_streak INTO streak.current_streak;
    RETURN streak.current_streak;
END
$$;

-- The steps of a payment ------------------------------------------------------------------------------------------
-- Private: they run inside award, spend, reverse and import_ledger, as questlog_owner, under the user's lock. A draft is
-- a ledger row whose balances are not known yet.

-- Locks the caller's progress, made if missing together with the wallet, and so makes the user's calls serial. Locked
-- before anything else is read or locked: two payments of one user then cannot lock each other out.
CREATE FUNCTION own_progress() RETURNS user_progress
LANGUAGE plpgsql AS $$
DECLARE
    progress user_progress;
BEGIN
    SELECT * INTO progress FROM user_progress FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO user_progress DEFAULT VALUES ON CONFLICT DO NOTHING;
        INSERT INTO user_wallet DEFAULT VALUES ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT progress FROM user_progress FOR UPDATE;
    END IF;
    RETURN progress;
END
$$;

-- The definition of an event of this kind.
CREATE FUNCTION known_event(wanted text, wanted_kind text) RETURNS event_definitions
LANGUAGE plpgsql STABLE AS $$
DECLARE
    event event_definitions;
BEGIN
    SELECT * INTO event FROM event_definitions AS e WHERE e.event_type = wanted;
    IF event.kind IS DISTINCT FROM wanted_kind THEN
        PERFORM misuse(format('%s is no event of kind %s.', coalesce(wanted, 'null'), wanted_kind));
    END IF;
    RETURN event;
END
$$;

-- The event's own counter and the counters given, as one object of amounts.
CREATE FUNCTION all_counters(own_counter text, given jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    own jsonb := CASE WHEN own_counter IS NULL THEN '{}' ELSE jsonb_build_object(own_counter, 1) END;
BEGIN
    IF given = '{}' THEN
        RETURN own;
    ELSIF jsonb_typeof(given) IS DISTINCT FROM 'object' OR given ? 'streak_days'
        OR given @? '$.* ? (@.type() != "number" || @ < 0 || @ > 1000000000 || @.floor() != @)'
    THEN
        PERFORM misuse('Counters are an object of non-negative integers; streak_days is no counter, it is the streak.');
    ELSIF given ? own_counter THEN
        own := jsonb_build_object(own_counter, 1 + (given -> own_counter)::bigint);
    END IF;
    RETURN given || own;
END
$$;

-- The same amounts with the other sign.
CREATE FUNCTION negated(amounts jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT coalesce(jsonb_object_agg(a.key, -a.value::bigint), '{}') FROM jsonb_each(amounts) AS a);

-- A draft with the user's running boost applied: xp = floor(base_xp * factor).
CREATE FUNCTION boosted(draft points_ledger) RETURNS points_ledger
LANGUAGE plpgsql STABLE AS $$
DECLARE
    effect user_effects;
BEGIN
    SELECT * INTO effect FROM user_effects AS e
     WHERE e.effect_type = 'xp_multiplier' AND e.started_at <= now() AND e.ends_at > now()
     ORDER BY e.ends_at DESC LIMIT 1;
    IF FOUND THEN
        draft.xp := floor(draft.base_xp * effect.factor);
        draft.bonus_xp := draft.xp - draft.base_xp;
        draft.metadata := draft.metadata || jsonb_build_object(
            'base_xp', draft.base_xp, 'multiplier', effect.factor, 'effect_id', effect.id);
    END IF;
    RETURN draft;
END
$$;

-- Moves a skill; answers how its stars changed. A skill holds XP, a star is ten.
CREATE FUNCTION move_skill(moved_skill text, amount bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    xp_after bigint;
BEGIN
    UPDATE user_skills AS s SET xp = s.xp + amount WHERE s.skill_key = moved_skill RETURNING s.xp INTO xp_after;
    IF NOT FOUND THEN
        INSERT INTO user_skills (skill_key, xp) VALUES (moved_skill, amount);
        xp_after := amount;
    END IF;
    RETURN xp_after / 10 - (xp_after - amount) / 10;
END
$$;

-- What of a row's coins counts as earned; the rest, negated, as spent. A reversal takes from the side its row added to.
CREATE FUNCTION earned_coins(coins bigint, reverses uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (coins > 0) = (reverses IS NULL) THEN coins ELSE 0 END;

-- Moves the wallet; answers the balance.
CREATE FUNCTION move_wallet(amount bigint, reverses uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    earned bigint := earned_coins(amount, reverses);
    balance bigint;
BEGIN
    IF amount = 0 THEN
        SELECT w.coins INTO STRICT balance FROM user_wallet AS w;
    ELSE
        UPDATE user_wallet AS w
           SET coins = w.coins + amount,
               total_earned = w.total_earned + earned,
               total_spent = w.total_spent + earned - amount,
               updated_at = now()
        RETURNING w.coins INTO STRICT balance;
    END IF;
    RETURN balance;
END
$$;

-- Refuses when the wallet holds fewer coins than must leave it.
CREATE FUNCTION require_coins(need bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    have bigint;
BEGIN
    SELECT w.coins INTO STRICT have FROM user_wallet AS w;
    IF have < need THEN
        PERFORM refuse(409, 'insufficient_coins', 'There are not enough coins.', jsonb_build_object('need', need, 'have', have));
    END IF;
END
$$;

-- Posts a draft: skill, wallet, progress with its level, and the row that carries the balances after it.
CREATE FUNCTION post(draft points_ledger, before user_progress) RETURNS points_ledger
LANGUAGE plpgsql AS $$
DECLARE
    skill_xp bigint := CASE WHEN draft.skill_key IS NULL THEN 0 ELSE draft.xp + 10 * draft.skill_stars END;
    stars bigint := 0;
BEGIN
    IF skill_xp <> 0 THEN
        stars := move_skill(draft.skill_key, skill_xp);
    END IF;
    draft.coins_after := move_wallet(draft.coins, draft.reverses);
    draft.total_xp_after := before.total_xp + draft.xp;
    draft.level_after := level_for(draft.total_xp_after);
    IF draft.xp <> 0 OR stars <> 0 THEN
        UPDATE user_progress AS p
           SET total_xp = draft.total_xp_after,
               current_level = draft.level_after,
               total_skill_stars = p.total_skill_stars + stars,
               updated_at = now();
    END IF;
    INSERT INTO points_ledger (
        id, event_type, source_type, source_id, base_xp, bonus_xp, xp, coins, skill_key, skill_stars, counters, metadata,
        level_after, coins_after, total_xp_after, streak_after, idempotency_key, reverses, cause_id, reason, local_date)
    VALUES (
        draft.id, draft.event_type, draft.source_type, draft.source_id, draft.base_xp, draft.bonus_xp, draft.xp, draft.coins,
        draft.skill_key, draft.skill_stars, draft.counters, draft.metadata,
        draft.level_after, draft.coins_after, draft.total_xp_after, draft.streak_after, draft.idempotency_key,
        draft.reverses, draft.cause_id, draft.reason, draft.local_date);
    RETURN draft;
END
$$;

-- Moves the user's counters; answers their values as facts: {"counter:focus_sessions": 12}.
CREATE FUNCTION move_counters(amounts jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    moving text;
    value_after bigint;
    facts jsonb := '{}';
BEGIN
    FOREACH moving IN ARRAY ARRAY(SELECT jsonb_object_keys(amounts)) LOOP
        UPDATE user_counters AS c SET value = c.value + (amounts -> moving)::bigint
         WHERE c.counter = moving
        RETURNING c.value INTO value_after;
        IF NOT FOUND THEN
            value_after := (amounts -> moving)::bigint;
            INSERT INTO user_counters (counter, value) VALUES (moving, value_after);
        END IF;
        facts := facts || jsonb_build_object('counter:' || moving, value_after);
    END LOOP;
    RETURN facts;
END
$$;

-- What a row, and the achievements it brought, gave.
CREATE TYPE award_result AS (
    ledger_id uuid, replayed boolean, xp bigint, bonus_xp bigint, coins bigint, skill_key text, leveled_up boolean,
    new_level int, total_xp bigint, balance bigint, streak int, achievements jsonb
);

CREATE FUNCTION result_of(entry points_ledger, replayed boolean) RETURNS award_result
LANGUAGE sql IMMUTABLE
RETURN (
    entry.id, replayed, entry.xp, entry.bonus_xp, entry.coins, entry.skill_key,
    entry.level_after > level_for(entry.total_xp_after - entry.xp),
    entry.level_after, entry.total_xp_after, entry.coins_after, entry.streak_after, '[]'::jsonb
)::award_result;

-- The same with everything the row caused: balances and level are those after the last achievement it brought.
-- From the ledger alone, so that a replay answers what the first call did.
CREATE FUNCTION full_result_of(entry points_ledger, replayed boolean) RETURNS award_result
LANGUAGE plpgsql STABLE AS $$
DECLARE
    result award_result := result_of(entry, replayed);
    caused points_ledger;
BEGIN
    FOR caused IN
        WITH RECURSIVE tree AS (
            SELECT l.* FROM points_ledger AS l WHERE l.cause_id = entry.id
            UNION ALL
            SELECT l.* FROM tree AS t JOIN points_ledger AS l ON l.cause_id = t.id
        )
        SELECT * FROM tree ORDER BY seq
    LOOP
        result.leveled_up := result.leveled_up OR caused.level_after > result.new_level;
        result.new_level := caused.level_after;
        result.total_xp := caused.total_xp_after;
        result.balance := caused.coins_after;
        result.achievements := result.achievements || jsonb_build_object(
            'key', caused.metadata -> 'key', 'name', caused.metadata -> 'name',
            'reward_xp', caused.xp, 'reward_coins', caused.coins);
    END LOOP;
    RETURN result;
END
$$;

-- The answer to a key that is known: the first call's, if this one asks for the same.
CREATE FUNCTION replay(known points_ledger, draft points_ledger) RETURNS award_result
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (known.event_type, known.source_type, known.source_id, known.base_xp, known.coins, known.skill_key, known.skill_stars)
        IS DISTINCT FROM
       (draft.event_type, draft.source_type, draft.source_id, draft.base_xp, draft.coins, draft.skill_key, draft.skill_stars)
    THEN
        PERFORM refuse(422, 'idempotency_mismatch', 'This was already paid, with other amounts.');
    END IF;
    RETURN full_result_of(known, true);
END
$$;

-- Pays a draft that is new, with all that follows from it.
CREATE FUNCTION pay(draft points_ledger, event event_definitions, before user_progress) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    facts jsonb := move_streaks(event.streak_types, draft.local_date);
    entry points_ledger;
BEGIN
    draft.streak_after := present_streak('daily_activity');
    entry := post(draft, before);
    facts := facts || move_counters(entry.counters) || jsonb_build_object('event:' || entry.event_type, 1);
    IF entry.level_after > before.current_level THEN
        facts := facts || jsonb_build_object('level', entry.level_after);
    END IF;
    PERFORM advance_quests(entry.counters || jsonb_build_object('streak_days', entry.streak_after), entry.local_date);
    IF earn_achievements(entry, facts) THEN
        RETURN full_result_of(entry, false);
    END IF;
    RETURN result_of(entry, false);
END
$$;

-- Pays the achievements that these facts complete, each caused by this row; whether there were any. The payments bring
-- facts of their own, so this ends when none is new. Earned is noted before it is paid, or it would be earned for ever.
CREATE FUNCTION earn_achievements(cause points_ledger, facts jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    earned achievement_definitions;
    draft points_ledger;
    event event_definitions;
    complete achievement_definitions[];
BEGIN
    SELECT array_agg(d ORDER BY d.sort_order, d.key) INTO complete
      FROM achievement_definitions AS d
     WHERE (facts ->> d.watches)::bigint >= d.threshold
       AND d.is_active
       AND d.key <> ALL (ARRAY(SELECT a.achievement_key FROM user_achievements AS a))
       -- an event's fields each reach their minimum
       AND (d.trigger_type <> 'event' OR NOT EXISTS (
            SELECT FROM jsonb_each(d.trigger_config -> 'min') AS m
             WHERE jsonb_typeof(cause.metadata -> m.key) IS DISTINCT FROM 'number' OR cause.metadata -> m.key < m.value));
    IF complete IS NULL THEN
        RETURN false;
    END IF;
    FOREACH earned IN ARRAY complete LOOP
        draft.id := gen_random_uuid();
        INSERT INTO user_achievements (achievement_key, ledger_id) VALUES (earned.key, draft.id) ON CONFLICT DO NOTHING;
        CONTINUE WHEN NOT FOUND; -- another achievement of this list brought it already
        event := known_event('achievement', 'award');
        draft.event_type := event.event_type;
        draft.source_type := 'achievement';
        draft.base_xp := earned.reward_xp;
        draft.bonus_xp := 0;
        draft.xp := earned.reward_xp;
        draft.coins := earned.reward_coins;
        draft.skill_stars := 0;
        draft.counters := all_counters(event.counter, '{}');
        draft.metadata := jsonb_build_object('key', earned.key, 'name', earned.name);
        draft.idempotency_key := 'achievement:' || earned.key;
        draft.cause_id := cause.id;
        draft.local_date := cause.local_date;
        PERFORM pay(draft, event, own_progress());
    END LOOP;
    RETURN true;
END
$$;

-- What routes call ------------------------------------------------------------------------------------------------

-- Takes the lock of every payment, for a route that locks rows of its own before it pays: always this one first.
CREATE FUNCTION lock_progress() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM own_progress();
END
$$;

-- Pays an event once per key. The same call again changes nothing and answers what the first one gave; the same key with
-- other amounts is PT422 idempotency_mismatch. xp and coins 0 record an event that only counts.
CREATE FUNCTION award(
    event_type text, source_type text, source_id uuid, xp bigint, coins bigint, idempotency_key text,
    skill_key text DEFAULT NULL, skill_stars int DEFAULT 0, counters jsonb DEFAULT '{}', metadata jsonb DEFAULT '{}',
    reason text DEFAULT NULL, day date DEFAULT local_today()
) RETURNS award_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    event event_definitions := known_event(event_type, 'award');
    draft points_ledger;
    known points_ledger;
    progress user_progress;
BEGIN
    IF (xp BETWEEN 0 AND 1000000 AND coins BETWEEN 0 AND 1000000 AND skill_stars BETWEEN 0 AND 1000000) IS NOT TRUE THEN
        PERFORM misuse('XP, coins and stars are 0 to 1000000.');
    ELSIF (length(idempotency_key) BETWEEN 1 AND 200 AND idempotency_key !~ '^(reverse|achievement):') IS NOT TRUE THEN
        PERFORM misuse('A key has 1 to 200 characters, and is not one of the ledger''s own.');
    ELSIF event_type = 'achievement' THEN
        PERFORM misuse('Achievements are paid by the ledger itself.');
    ELSIF skill_key IS NOT NULL AND NOT EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = award.skill_key) THEN
        PERFORM misuse(format('%s is no skill.', skill_key));
    ELSIF (length(source_type) BETWEEN 1 AND 64 AND jsonb_typeof(metadata) = 'object' AND isfinite(day)) IS NOT TRUE THEN
        PERFORM misuse('A source type, an object of metadata and a day are needed.');
    END IF;
    draft.id := gen_random_uuid();
    draft.event_type := event_type;
    draft.source_type := source_type;
    draft.source_id := source_id;
    draft.base_xp := xp;
    draft.bonus_xp := 0;
    draft.xp := xp;
    draft.coins := coins;
    draft.skill_key := coalesce(skill_key, event.default_skill);
    draft.skill_stars := skill_stars;
    draft.counters := all_counters(event.counter, counters);
    draft.metadata := metadata;
    draft.idempotency_key := idempotency_key;
    draft.reason := reason;
    draft.local_date := day;

    -- Looked for under the lock: a call that waited for the same key's first call has to see its row.
    progress := own_progress();
    SELECT * INTO known FROM points_ledger AS l WHERE l.idempotency_key = award.idempotency_key;
    IF FOUND THEN
        RETURN replay(known, draft);
    END IF;
    IF event.boostable THEN
        draft := boosted(draft);
    END IF;
    RETURN pay(draft, event, progress);
END
$$;

-- Takes coins, once per key; PT409 insufficient_coins {need, have} when there are fewer. `coins` of the answer is negative.
CREATE FUNCTION spend(
    coins bigint, event_type text, source_type text, source_id uuid, idempotency_key text,
    reason text DEFAULT NULL, metadata jsonb DEFAULT '{}'
) RETURNS award_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    draft points_ledger;
    known points_ledger;
    progress user_progress;
BEGIN
    PERFORM known_event(event_type, 'spend');
    IF (coins BETWEEN 1 AND 1000000000) IS NOT TRUE THEN
        PERFORM misuse('Coins to spend are 1 to 1000000000.');
    ELSIF (length(idempotency_key) BETWEEN 1 AND 200 AND idempotency_key !~ '^(reverse|achievement):') IS NOT TRUE THEN
        PERFORM misuse('A key has 1 to 200 characters, and is not one of the ledger''s own.');
    ELSIF (length(source_type) BETWEEN 1 AND 64 AND jsonb_typeof(metadata) = 'object') IS NOT TRUE THEN
        PERFORM misuse('A source type and an object of metadata are needed.');
    END IF;
    draft.id := gen_random_uuid();
    draft.event_type := event_type;
    draft.source_type := source_type;
    draft.source_id := source_id;
    draft.base_xp := 0;
    draft.bonus_xp := 0;
    draft.xp := 0;
    draft.coins := -coins;
    draft.skill_stars := 0;
    draft.counters := '{}';
    draft.metadata := metadata;
    draft.idempotency_key := idempotency_key;
    draft.reason := reason;
    draft.local_date := local_today();

    progress := own_progress();
    SELECT * INTO known FROM points_ledger AS l WHERE l.idempotency_key = spend.idempotency_key;
    IF FOUND THEN
        RETURN replay(known, draft);
    END IF;
    PERFORM require_coins(coins);
    draft.streak_after := present_streak('daily_activity');
    RETURN result_of(post(draft, progress), false);
END
$$;

-- Takes a row back by a counter-entry, once; again answers the first counter-entry. Streaks and achievements stay.
CREATE FUNCTION reverse(idempotency_key text, reason text) RETURNS award_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    progress user_progress := own_progress();
    original points_ledger;
    known points_ledger;
    draft points_ledger;
BEGIN
    SELECT * INTO original FROM points_ledger AS l WHERE l.idempotency_key = reverse.idempotency_key;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'Nothing was paid under this key.');
    ELSIF original.reverses IS NOT NULL THEN
        PERFORM refuse(409, 'not_reversible', 'A reversal cannot be reversed.');
    END IF;
    SELECT * INTO known FROM points_ledger AS l WHERE l.reverses = original.id;
    IF FOUND THEN
        RETURN full_result_of(known, true);
    END IF;
    PERFORM require_coins(original.coins);

    draft.id := gen_random_uuid();
    draft.event_type := CASE original.event_type WHEN 'market_purchase' THEN 'market_refund' ELSE 'reversal' END;
    draft.source_type := original.source_type;
    draft.source_id := original.source_id;
    draft.base_xp := -original.base_xp;
    draft.bonus_xp := -original.bonus_xp;
    draft.xp := -original.xp;
    draft.coins := -original.coins;
    draft.skill_key := original.skill_key;
    draft.skill_stars := -original.skill_stars;
    draft.counters := negated(original.counters);
    draft.metadata := '{}';
    draft.idempotency_key := 'reverse:' || idempotency_key;
    draft.reverses := original.id;
    draft.reason := reason;
    draft.local_date := local_today();
    draft.streak_after := present_streak('daily_activity');

    PERFORM move_counters(draft.counters);
    PERFORM retreat_quests(original.counters, original.local_date);
    RETURN result_of(post(draft, progress), false);
END
$$;

-- What an event has paid on a local day, without what was taken back; xp is before boosts, like the amounts given to award.
-- Takes the lock, so in one transaction with the award a cap holds in parallel.
CREATE FUNCTION paid_today(event_type text, day date DEFAULT local_today(), OUT paid int, OUT xp bigint, OUT coins bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM own_progress();
    SELECT count(*), coalesce(sum(l.base_xp), 0), coalesce(sum(l.coins), 0)
      INTO paid, xp, coins
      FROM points_ledger AS l
     WHERE l.event_type = paid_today.event_type
       AND l.local_date = day
       AND (l.xp > 0 OR l.coins > 0)
       AND NOT EXISTS (SELECT FROM points_ledger AS r WHERE r.reverses = l.id);
END
$$;

-- What was paid under a key; null when nothing was. For a route that repeats an answer without knowing the amounts.
CREATE FUNCTION paid_under(key text) RETURNS award_result
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    known points_ledger;
BEGIN
    SELECT * INTO known FROM points_ledger AS l WHERE l.idempotency_key = key;
    RETURN CASE WHEN FOUND THEN full_result_of(known, true) END;
END
$$;

-- The reward fields of the wire, of one award or the sum of several. Of none, or of null: zeros, the present level and
-- the streak as it stands. reward(award(...)), or reward(VARIADIC ARRAY(SELECT award FROM paid)).
CREATE FUNCTION reward(
    VARIADIC paid award_result[], OUT xp_awarded bigint, OUT coins_awarded bigint, OUT leveled_up boolean, OUT new_level int,
    OUT achievements_unlocked jsonb, OUT streak int
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    one award_result;
BEGIN
    xp_awarded := 0;
    coins_awarded := 0;
    leveled_up := false;
    achievements_unlocked := '[]';
    FOREACH one IN ARRAY paid LOOP
        CONTINUE WHEN one.ledger_id IS NULL;
        xp_awarded := xp_awarded + one.xp;
        coins_awarded := coins_awarded + one.coins;
        leveled_up := leveled_up OR one.leveled_up;
        new_level := greatest(new_level, one.new_level);
        achievements_unlocked := achievements_unlocked || one.achievements;
        streak := greatest(streak, one.streak);
    END LOOP;
    IF new_level IS NULL THEN
        new_level := coalesce((SELECT p.current_level FROM user_progress AS p WHERE p.user_id = me()), 1);
        streak := effective_streak('daily_activity');
    END IF;
END
$$;

-- The audit -------------------------------------------------------------------------------------------------------

-- Every disagreement between the ledger and what it adds up to. Always empty. Shows a caller the users whose rows that
-- caller may see.
CREATE VIEW ledger_audit WITH (security_invoker = true) AS
-- the totals of a user
SELECT t.user_id, c.problem, c.expected::text, c.actual::text
  FROM (SELECT user_id, sum(xp) AS xp, sum(coins) AS coins, sum(earned_coins(coins, reverses)) AS earned
          FROM points_ledger GROUP BY user_id) AS l
  FULL JOIN user_progress AS p USING (user_id)
  FULL JOIN user_wallet AS w USING (user_id)
  FULL JOIN (SELECT user_id, sum(xp / 10) AS stars FROM user_skills GROUP BY user_id) AS s USING (user_id)
 CROSS JOIN LATERAL (SELECT user_id) AS t
 CROSS JOIN LATERAL (VALUES
       ('total_xp', coalesce(l.xp, 0), p.total_xp),
       ('current_level', level_for(p.total_xp), p.current_level),
       ('total_skill_stars', coalesce(s.stars, 0), p.total_skill_stars),
       ('coins', coalesce(l.coins, 0), w.coins),
       ('total_earned', coalesce(l.earned, 0), w.total_earned),
       ('total_spent', coalesce(l.earned - l.coins, 0), w.total_spent)) AS c (problem, expected, actual)
 WHERE c.expected IS DISTINCT FROM c.actual
UNION ALL
SELECT user_id, 'skill ' || skill_key, coalesce(l.xp, 0)::text, coalesce(s.xp, 0)::text
  FROM (SELECT user_id, skill_key, sum(xp + 10 * skill_stars) AS xp
          FROM points_ledger WHERE skill_key IS NOT NULL GROUP BY user_id, skill_key) AS l
  FULL JOIN user_skills AS s USING (user_id, skill_key)
 WHERE coalesce(l.xp, 0) <> coalesce(s.xp, 0)
UNION ALL
SELECT user_id, 'counter ' || counter, coalesce(l.value, 0)::text, coalesce(c.value, 0)::text
  FROM (SELECT user_id, a.key AS counter, sum(a.value::bigint) AS value
          FROM points_ledger CROSS JOIN LATERAL jsonb_each(counters) AS a GROUP BY user_id, a.key) AS l
  FULL JOIN user_counters AS c USING (user_id, counter)
 WHERE coalesce(l.value, 0) <> coalesce(c.value, 0)
UNION ALL
-- each row follows from the one before it
SELECT r.user_id, format('row %s: %s', r.id, c.problem), c.expected::text, c.actual::text
  FROM (SELECT l.user_id, l.id, l.level_after, l.coins_after, l.total_xp_after,
               coalesce(lag(l.coins_after) OVER chain, 0) + l.coins AS coins_due,
               coalesce(lag(l.total_xp_after) OVER chain, 0) + l.xp AS total_xp_due
          FROM points_ledger AS l
        WINDOW chain AS (PARTITION BY l.user_id ORDER BY l.seq)) AS r
 CROSS JOIN LATERAL (VALUES
       ('coins_after', r.coins_due, r.coins_after),
       ('total_xp_after', r.total_xp_due, r.total_xp_after),
       ('level_after', level_for(r.total_xp_after), r.level_after)) AS c (problem, expected, actual)
 WHERE c.expected <> c.actual
UNION ALL
-- a reversal negates its row
SELECT r.user_id, format('reversal %s', r.id),
       coalesce((-o.base_xp, -o.bonus_xp, -o.xp, -o.coins, o.skill_key, -o.skill_stars, negated(o.counters))::text, 'no such row'),
       (r.base_xp, r.bonus_xp, r.xp, r.coins, r.skill_key, r.skill_stars, r.counters)::text
  FROM points_ledger AS r
  LEFT JOIN points_ledger AS o ON o.user_id = r.user_id AND o.id = r.reverses AND o.seq < r.seq AND o.reverses IS NULL
 WHERE r.reverses IS NOT NULL
   AND (-o.base_xp, -o.bonus_xp, -o.xp, -o.coins, o.skill_key, -o.skill_stars, negated(o.counters))
       IS DISTINCT FROM (r.base_xp, r.bonus_xp, r.xp, r.coins, r.skill_key, r.skill_stars, r.counters)
UNION ALL
SELECT l.user_id, format('cause of row %s', l.id), 'a row before it', l.cause_id::text
  FROM points_ledger AS l
 WHERE l.cause_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM points_ledger AS o WHERE o.user_id = l.user_id AND o.id = l.cause_id AND o.seq < l.seq)
UNION ALL
-- an achievement was paid once, and what was paid was earned
SELECT user_id, 'achievement ' || key, 'earned and paid', CASE WHEN a.ledger_id IS NULL THEN 'not earned' ELSE 'not paid' END
  FROM (SELECT user_id, achievement_key AS key, ledger_id FROM user_achievements) AS a
  FULL JOIN (SELECT user_id, substr(idempotency_key, length('achievement:') + 1) AS key, id AS ledger_id
               FROM points_ledger WHERE event_type = 'achievement') AS l USING (user_id, key, ledger_id)
 WHERE a.key IS NULL OR l.key IS NULL
UNION ALL
SELECT o.user_id, 'progress', 'a row', NULL
  FROM (SELECT user_id FROM user_wallet
        UNION SELECT user_id FROM user_skills
        UNION SELECT user_id FROM user_streaks
        UNION SELECT user_id FROM user_counters
        UNION SELECT user_id FROM user_achievements
        UNION SELECT user_id FROM points_ledger) AS o
 WHERE NOT EXISTS (SELECT FROM user_progress AS p WHERE p.user_id = o.user_id);
GRANT SELECT ON ledger_audit TO questlog_app, questlog_jobs, questlog_admin;

-- Fills an account without a ledger from the rows of an export, in their order; ids, keys and times are kept. What they
-- add up to is computed, not taken. Answers how many there were. Achievements and streaks are tables of their own there.
CREATE FUNCTION import_ledger(rows jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    defaults points_ledger; -- of columns an older export does not have
    imported int;
    problem text;
BEGIN
    PERFORM own_progress();
    IF EXISTS (SELECT FROM points_ledger) THEN
        PERFORM refuse(409, 'conflict', 'This account has a ledger already.');
    END IF;
    defaults.skill_stars := 0;
    defaults.counters := '{}';
    defaults.metadata := '{}';
    defaults.streak_after := 0;
    BEGIN
        INSERT INTO points_ledger (
            id, event_type, source_type, source_id, base_xp, bonus_xp, xp, coins, skill_key, skill_stars, counters, metadata,
            level_after, coins_after, total_xp_after, streak_after, idempotency_key, reverses, cause_id, reason, local_date,
            created_at)
        SELECT r.id, r.event_type, r.source_type, r.source_id, r.base_xp, r.bonus_xp, r.xp, r.coins, r.skill_key,
               r.skill_stars, r.counters, r.metadata, r.level_after, r.coins_after, r.total_xp_after, r.streak_after,
               r.idempotency_key, r.reverses, r.cause_id, r.reason, r.local_date, r.created_at
          FROM jsonb_array_elements(rows) WITH ORDINALITY AS e (value, position),
               LATERAL jsonb_populate_record(defaults, e.value) AS r
         ORDER BY e.position;
        GET DIAGNOSTICS imported = ROW_COUNT;

        INSERT INTO user_skills (skill_key, xp)
        SELECT l.skill_key, sum(l.xp + 10 * l.skill_stars)
          FROM points_ledger AS l
         WHERE l.skill_key IS NOT NULL AND l.xp + 10 * l.skill_stars <> 0
         GROUP BY l.skill_key;
        INSERT INTO user_counters (counter, value)
        SELECT a.key, sum(a.value::bigint) FROM points_ledger AS l, jsonb_each(l.counters) AS a GROUP BY a.key;
        UPDATE user_wallet
           SET (coins, total_earned, total_spent, updated_at) = (
               SELECT coalesce(sum(l.coins), 0),
                      coalesce(sum(earned_coins(l.coins, l.reverses)), 0),
                      coalesce(sum(earned_coins(l.coins, l.reverses) - l.coins), 0),
                      coalesce((array_agg(l.created_at ORDER BY l.coins <> 0 DESC, l.seq DESC))[1], now())
                 FROM points_ledger AS l);
        UPDATE user_progress
           SET (total_xp, current_level, updated_at) = (
               SELECT coalesce(sum(l.xp), 0),
                      level_for(coalesce(sum(l.xp), 0)::bigint),
                      coalesce((array_agg(l.created_at ORDER BY l.xp <> 0 OR l.skill_stars <> 0 DESC, l.seq DESC))[1], now())
                 FROM points_ledger AS l),
               total_skill_stars = (SELECT coalesce(sum(s.xp / 10), 0) FROM user_skills AS s);
        SELECT a.problem INTO problem FROM ledger_audit AS a WHERE a.problem NOT LIKE 'achievement %' LIMIT 1;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
        problem := SQLERRM;
    END;
    IF problem IS NOT NULL THEN
        PERFORM refuse(400, 'invalid_backup', 'The ledger does not add up.', jsonb_build_object('problem', problem));
    END IF;
    RETURN imported;
END
$$;

-- Who may call what -----------------------------------------------------------------------------------------------
-- The steps are not to be called alone: they would write half a payment. (They could not: only the functions above
-- run as the owner of the tables.)

REVOKE ALL ON FUNCTION
    shields_held(), use_shields(date[]), advance_quests(jsonb, date), retreat_quests(jsonb, date), present_streak(text),
    move_streaks(text[], date), move_streak(text, date), own_progress(), known_event(text, text),
    all_counters(text, jsonb), boosted(points_ledger), move_skill(text, bigint), move_wallet(bigint, uuid),
    require_coins(bigint), post(points_ledger, user_progress), move_counters(jsonb),
    full_result_of(points_ledger, boolean), replay(points_ledger, points_ledger),
    pay(points_ledger, event_definitions, user_progress), earn_achievements(points_ledger, jsonb)
    FROM PUBLIC;
REVOKE ALL ON FUNCTION
    effective_streaks(),
    effective_streak(text),
    lock_progress(),
    award(text, text, uuid, bigint, bigint, text, text, int, jsonb, jsonb, text, date),
    spend(bigint, text, text, uuid, text, text, jsonb),
    reverse(text, text),
    paid_today(text, date),
    paid_under(text),
    import_ledger(jsonb)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    effective_streaks(),
    effective_streak(text),
    lock_progress(),
    award(text, text, uuid, bigint, bigint, text, text, int, jsonb, jsonb, text, date),
    spend(bigint, text, text, uuid, text, text, jsonb),
    reverse(text, text),
    paid_today(text, date),
    paid_under(text)
    TO questlog_app, questlog_jobs, questlog_admin;
GRANT EXECUTE ON FUNCTION import_ledger(jsonb) TO questlog_jobs, questlog_admin;
