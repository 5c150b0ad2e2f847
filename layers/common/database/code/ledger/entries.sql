SET LOCAL ROLE questlog_owner;

-- The internal functions here are called by award(), spend(), reverse() and import_ledger(). They run as questlog_owner,
-- under the user's lock. A draft is a ledger row whose balances are not known yet.

-- Locks the user's row of user_progress and returns it; the row, and that of user_wallet, are made if they are missing.
-- This is the user's lock: calls of one user wait here for each other. It is taken before anything else is read or
-- locked, or two payments of one user could end in a deadlock.
CREATE OR REPLACE FUNCTION internal.own_progress() RETURNS user_progress
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

-- The definition of an event. An unknown event, or one of another kind, is a mistake of the program.
CREATE OR REPLACE FUNCTION internal.known_event(wanted text, wanted_kind text) RETURNS event_definitions
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

-- What an entry adds to the counters, as one object: 1 to the event's own counter, and the amounts given.
CREATE OR REPLACE FUNCTION internal.all_counters(own_counter text, given jsonb) RETURNS jsonb
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
CREATE OR REPLACE FUNCTION internal.negated(amounts jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT coalesce(jsonb_object_agg(a.key, -a.value::bigint), '{}') FROM jsonb_each(amounts) AS a);

-- A draft with the user's running boost applied: xp = floor(base_xp * factor).
CREATE OR REPLACE FUNCTION internal.boosted(draft points_ledger) RETURNS points_ledger
LANGUAGE plpgsql STABLE AS $$
DECLARE
    effect user_effects;
BEGIN
    SELECT * INTO effect FROM user_effects AS e
     WHERE e.effect_type = 'xp_multiplier' AND e.started_at <= clock() AND e.ends_at > clock()
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

-- How many of a row's coins count as earned. All others count as spent, with the other sign. A reversal is subtracted
-- from the total to which its row was added.
CREATE OR REPLACE FUNCTION app.earned_coins(coins bigint, reverses uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (coins > 0) = (reverses IS NULL) THEN coins ELSE 0 END;

-- Refuses with 409 insufficient_coins where the wallet holds fewer coins than needed.
CREATE OR REPLACE FUNCTION internal.require_coins(need bigint) RETURNS void
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

-- Adds a draft of another day than `latest`, the latest one with a row, to what its day adds up to. Returns the number of its
-- row: one more than the ledger's last one.
CREATE OR REPLACE FUNCTION internal.count_other_day(draft points_ledger, latest date) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    earned bigint := earned_coins(draft.coins, draft.reverses);
    event int := CASE WHEN draft.reverses IS NULL THEN 1 ELSE 0 END;
    -- No row stands behind the last one of the latest day.
    number bigint := coalesce((SELECT d.last_seq FROM ledger_days AS d WHERE d.day = latest), 0) + 1;
BEGIN
    UPDATE ledger_days AS d
       SET xp = d.xp + draft.xp,
           coins_earned = d.coins_earned + earned,
           coins_spent = d.coins_spent + earned - draft.coins,
           events = d.events + event,
           last_seq = number
     WHERE d.day = draft.local_date;
    IF NOT FOUND THEN
        INSERT INTO ledger_days (day, xp, coins_earned, coins_spent, events, last_seq, first_seq)
        VALUES (draft.local_date, draft.xp, earned, earned - draft.coins, event, number,
                coalesce((SELECT d.first_seq FROM ledger_days AS d WHERE d.day > draft.local_date ORDER BY d.day LIMIT 1),
                         number));
    END IF;
    IF draft.local_date < latest THEN
        UPDATE ledger_days AS d SET last_seq = number WHERE d.day > draft.local_date;
    ELSE
        UPDATE user_progress SET latest_day = draft.local_date;
    END IF;
    RETURN number;
END
$$;

-- Counts the block that ends with a row, which has been written. Rows are read with their ids and grouped after that (OFFSET 0),
-- so that the planner takes the index by numbers: the one by events, in whose order it could group, has no ids.
CREATE OR REPLACE FUNCTION internal.count_block(last bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_blocks (last_seq, event_type, count)
    SELECT last, e.event_type, count(e.id)
      FROM (SELECT l.event_type, l.id FROM points_ledger AS l WHERE l.seq > last - 256 AND l.seq <= last OFFSET 0) AS e
     GROUP BY e.event_type;
END
$$;

-- Writes a draft into the ledger: changes the skill, the wallet, the day and the progress, and inserts the row with the
-- balances after it. Returns the row. `before` is the user's progress before it. It is long, because a function for each table
-- would cost as much as a fifth of the statement in it.
CREATE OR REPLACE FUNCTION internal.post(draft points_ledger, before user_progress) RETURNS points_ledger
LANGUAGE plpgsql AS $$
DECLARE
    skill_xp bigint := CASE WHEN draft.skill_key IS NULL THEN 0 ELSE draft.xp + 10 * draft.skill_stars END;
    earned bigint := earned_coins(draft.coins, draft.reverses);
    stars bigint := 0;
BEGIN
    -- Under the user's lock, so that no row is older than the one before it.
    draft.created_at := instant();
    IF skill_xp <> 0 THEN
        -- A star is 10 XP.
        UPDATE user_skills AS s SET xp = s.xp + skill_xp WHERE s.skill_key = draft.skill_key
        RETURNING s.xp / 10 - (s.xp - skill_xp) / 10 INTO stars;
        IF NOT FOUND THEN
            INSERT INTO user_skills (skill_key, xp) VALUES (draft.skill_key, skill_xp) RETURNING xp / 10 INTO stars;
        END IF;
    END IF;
    IF draft.coins = 0 THEN
        SELECT w.coins INTO STRICT draft.coins_after FROM user_wallet AS w;
    ELSE
        UPDATE user_wallet AS w
           SET coins = w.coins + draft.coins,
               total_earned = w.total_earned + earned,
               total_spent = w.total_spent + earned - draft.coins,
               updated_at = draft.created_at
        RETURNING w.coins INTO STRICT draft.coins_after;
    END IF;
    IF draft.local_date = before.latest_day THEN
        UPDATE ledger_days AS d
           SET xp = d.xp + draft.xp,
               coins_earned = d.coins_earned + earned,
               coins_spent = d.coins_spent + earned - draft.coins,
               events = d.events + CASE WHEN draft.reverses IS NULL THEN 1 ELSE 0 END,
               last_seq = d.last_seq + 1
         WHERE d.day = draft.local_date
        RETURNING d.last_seq INTO draft.seq;
    ELSE
        draft.seq := count_other_day(draft, before.latest_day);
    END IF;
    draft.total_xp_after := before.total_xp + draft.xp;
    draft.level_after := level_for(draft.total_xp_after);
    IF draft.xp <> 0 OR stars <> 0 THEN
        UPDATE user_progress AS p
           SET total_xp = draft.total_xp_after,
               current_level = draft.level_after,
               total_skill_stars = p.total_skill_stars + stars,
               updated_at = draft.created_at;
    END IF;
    INSERT INTO points_ledger (
        id, event_type, source_type, source_id, base_xp, bonus_xp, xp, coins, skill_key, skill_stars, counters, metadata,
        level_after, coins_after, total_xp_after, streak_after, idempotency_key, reverses, cause_id, reason, local_date, created_at, seq)
    VALUES (
        draft.id, draft.event_type, draft.source_type, draft.source_id, draft.base_xp, draft.bonus_xp, draft.xp, draft.coins,
        draft.skill_key, draft.skill_stars, draft.counters, draft.metadata,
        draft.level_after, draft.coins_after, draft.total_xp_after, draft.streak_after, draft.idempotency_key,
        draft.reverses, draft.cause_id, draft.reason, draft.local_date, draft.created_at, draft.seq);
    IF draft.seq % 256 = 0 THEN
        PERFORM count_block(draft.seq);
    END IF;
    IF before.on_boards THEN
        PERFORM move_scores(draft);
    END IF;
    RETURN draft;
END
$$;

-- Adds to the user's counters. Returns those that moved, the new values as facts {"counter:focus_sessions": 12}, and whether one
-- of them may complete an achievement: none does below its value in `completing`, which may know none of them.
CREATE OR REPLACE FUNCTION internal.move_counters(
    amounts jsonb, own_counter text, completing jsonb, OUT keys text[], OUT facts jsonb, OUT may_complete boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    moving text;
    fact text;
    value_after bigint;
BEGIN
    -- Most awards move the event's own counter alone.
    IF amounts = jsonb_build_object(coalesce(own_counter, ''), 1) THEN
        keys := ARRAY[own_counter];
    ELSE
        keys := ARRAY(SELECT a.key FROM jsonb_each(amounts) AS a WHERE a.value <> '0');
        IF amounts @? '$.* ? (@ == 0)' THEN
            INSERT INTO user_counters (counter, value)
            SELECT a.key, 0 FROM jsonb_each(amounts) AS a WHERE a.value = '0' ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    facts := '{}';
    may_complete := false;
    FOREACH moving IN ARRAY keys LOOP
        fact := 'counter:' || moving;
        UPDATE user_counters AS c SET value = c.value + (amounts -> moving)::bigint
         WHERE c.counter = moving
        RETURNING c.value INTO value_after;
        IF NOT FOUND THEN
            value_after := (amounts -> moving)::bigint;
            INSERT INTO user_counters (counter, value) VALUES (moving, value_after);
        END IF;
        facts := facts || jsonb_build_object(fact, value_after);
        may_complete := may_complete OR (value_after < (completing -> fact)::bigint) IS NOT TRUE;
    END LOOP;
END
$$;

-- A row as the result of the call that wrote it, or of a later call with the same key (`replayed`). Without achievements.
CREATE OR REPLACE FUNCTION internal.result_of(entry points_ledger, replayed boolean, level_before int) RETURNS award_result
LANGUAGE sql IMMUTABLE
RETURN (
    entry.id, replayed, entry.xp, entry.bonus_xp, entry.coins, entry.skill_key, entry.level_after > level_before,
    entry.level_after, entry.total_xp_after, entry.coins_after, entry.streak_after, '[]'::jsonb
)::award_result;

-- The same with the achievements that the row brought: balances and level are those after the last of them. It is read
-- from the ledger alone, so that a replay returns what the first call returned.
CREATE OR REPLACE FUNCTION internal.full_result_of(entry points_ledger, replayed boolean) RETURNS award_result
LANGUAGE plpgsql STABLE AS $$
DECLARE
    result award_result := result_of(entry, replayed, level_for(entry.total_xp_after - entry.xp));
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
        -- The metadata of an achievement's row is what the wire shows of it.
        result.achievements := result.achievements || caused.metadata;
    END LOOP;
    RETURN result;
END
$$;

-- The result of a call whose key has a row already: that of the first call. Refuses with 422 idempotency_mismatch where
-- the first call was about something else.
CREATE OR REPLACE FUNCTION internal.replay(known points_ledger, draft points_ledger) RETURNS award_result
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

-- Takes the user's lock, which every payment takes too. A route that locks rows of its own takes this lock first, or two
-- requests could end in a deadlock.
CREATE OR REPLACE FUNCTION app.lock_user() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM own_progress();
END
$$;

-- The rows of an event on a local day, without those that were taken back. Reads only what lies between the day's
-- first row and its last one.
CREATE OR REPLACE FUNCTION internal.entries_on(day date, event_type text)
RETURNS TABLE (source_type text, base_xp bigint, coins bigint, counters jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH d AS MATERIALIZED (
        SELECT d.first_seq, d.last_seq FROM ledger_days AS d WHERE d.day = entries_on.day
    )
    SELECT l.source_type, l.base_xp, l.coins, l.counters
      FROM points_ledger AS l
     WHERE l.event_type = entries_on.event_type
       AND l.seq >= (SELECT d.first_seq FROM d)
       AND l.seq <= (SELECT d.last_seq FROM d)
       AND l.local_date = entries_on.day
       -- What takes a row back stands behind it; there is little of that, so it is read once and not looked for row by row.
       AND l.id <> ALL (ARRAY(SELECT r.reverses FROM points_ledger AS r
                               WHERE r.event_type IN ('reversal', 'market_refund') AND r.seq > (SELECT d.first_seq FROM d)));
END;

-- How often an event was paid on a local day, and how much: without rows that were taken back, and with the XP before
-- boosts, as award() is given it. Takes the user's lock: where the award follows in the same transaction, parallel
-- requests cannot exceed a daily cap together.
CREATE OR REPLACE FUNCTION app.paid_today(event_type text, day date DEFAULT local_today(), OUT paid int, OUT xp bigint, OUT coins bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM own_progress();
    SELECT count(*), coalesce(sum(p.base_xp), 0), coalesce(sum(p.coins), 0)
      INTO paid, xp, coins
      FROM entries_on(day, event_type) AS p
     WHERE p.base_xp > 0 OR p.coins > 0;
END
$$;

-- What was paid under a key; null where nothing was. For a route that answers a repeated request without knowing the
-- amounts.
CREATE OR REPLACE FUNCTION app.paid_under(key text) RETURNS award_result
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    known points_ledger;
BEGIN
    SELECT * INTO known FROM points_ledger AS l WHERE l.idempotency_key = key;
    RETURN CASE WHEN FOUND THEN full_result_of(known, true) END;
END
$$;

-- The reward fields of the wire: of one award, reward(award(...)), or the sum of several, reward(VARIADIC ARRAY(SELECT
-- award FROM paid)). Without an award, or with null: zeros, the present level and the present streak.
--   Not STABLE: where it stands in the statement that takes the user's lock, it would read the level and the streak as they were
-- before the wait.
CREATE OR REPLACE FUNCTION app.reward(
    VARIADIC paid award_result[], OUT xp_awarded bigint, OUT coins_awarded bigint, OUT leveled_up boolean, OUT new_level int,
    OUT achievements_unlocked jsonb, OUT streak int
)
LANGUAGE plpgsql AS $$
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
        new_level := coalesce((SELECT p.current_level FROM user_progress AS p WHERE p.user_id = current_user_id()), 1);
        streak := effective_streak('daily_activity');
    END IF;
END
$$;
