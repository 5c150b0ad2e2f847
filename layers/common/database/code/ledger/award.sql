SET LOCAL ROLE questlog_owner;

-- Pays a draft whose key is new: moves streaks, counters and quests, and pays the achievements that this completes. Where
-- the draft has its streak_after already, its day moves no streak. `before` is the user's progress before it. What `marks` rule out
-- is not looked for; without marks, everything is.
CREATE OR REPLACE FUNCTION internal.pay(
    draft points_ledger, event event_definitions, before user_progress, marks ledger_marks DEFAULT NULL
) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    facts jsonb := '{}';
    entry points_ledger;
    own_event text := 'event:' || event.event_type;
    moved record;
    has_earned boolean := false;
BEGIN
    IF draft.streak_after IS NULL THEN
        facts := move_streaks(event.streak_types, draft.local_date);
        draft.streak_after := present_streak('daily_activity');
    END IF;
    IF draft.local_date IS DISTINCT FROM before.last_active_day AND 'daily_activity' = ANY (event.streak_types) THEN
        PERFORM count_active_day(draft.local_date);
    END IF;
    entry := post(draft, before);
    IF entry.level_after > before.current_level THEN
        facts := facts || jsonb_build_object('level', entry.level_after);
    END IF;
    moved := move_counters(entry.counters, event.counter, marks.completing);
    IF ((marks.quiet_day, marks.quiet_streak) = (entry.local_date, entry.streak_after) AND marks.quiet_counters ?& moved.keys)
       IS NOT TRUE
    THEN
        PERFORM advance_quests(entry.counters || jsonb_build_object('streak_days', entry.streak_after), entry.local_date);
    END IF;
    moved.may_complete := moved.may_complete OR coalesce(entry.metadata @? (marks.completing ->> own_event)::jsonpath,
                                                         (marks.completing ? own_event) IS NOT TRUE);
    IF moved.may_complete OR facts <> '{}' THEN
        has_earned := earn_achievements(entry, facts || moved.facts || jsonb_build_object(own_event, 1));
    END IF;
    IF moved.may_complete THEN
        PERFORM note_completing(moved.keys, entry.event_type);
    END IF;
    IF has_earned THEN
        RETURN full_result_of(entry, false);
    END IF;
    RETURN result_of(entry, false, before.current_level);
END
$$;

-- Counts a local day among the user's active days, unless it is counted already. A day after the latest one is new. An
-- earlier one is looked for in the ledger, so this must run before the new row is written.
CREATE OR REPLACE FUNCTION internal.count_active_day(day date) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE user_progress AS p
       SET active_days = p.active_days + 1,
           last_active_day = greatest(p.last_active_day, day)
     WHERE (day <= p.last_active_day) IS NOT TRUE
        OR NOT EXISTS (
           SELECT FROM ledger_days AS d
             JOIN points_ledger AS l ON l.seq BETWEEN d.first_seq AND d.last_seq AND l.local_date = d.day
             JOIN event_definitions AS e ON e.event_type = l.event_type
            WHERE d.day = count_active_day.day AND 'daily_activity' = ANY (e.streak_types));
END;

-- The active achievements not earned yet that these facts complete; `metadata` is that of the event.
CREATE OR REPLACE FUNCTION internal.completed_achievements(facts jsonb, metadata jsonb) RETURNS SETOF achievement_definitions
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.*
      FROM achievement_definitions AS d
     WHERE (facts ->> d.watches)::bigint >= d.threshold
       AND d.is_active
       AND d.key <> ALL (ARRAY(SELECT a.achievement_key FROM user_achievements AS a))
       -- each field of the event reaches the minimum that the definition names
       AND (d.trigger_type <> 'event' OR NOT EXISTS (
            SELECT FROM jsonb_each(d.trigger_config -> 'min') AS m
             WHERE jsonb_typeof(metadata -> m.key) IS DISTINCT FROM 'number' OR metadata -> m.key < m.value));
END;

-- Pays the achievements that these facts complete, with `cause` as their cause. Returns whether there were any. Each
-- payment has facts of its own and calls this again. So an achievement is noted as earned before it is paid; otherwise
-- the calls would never end.
CREATE OR REPLACE FUNCTION internal.earn_achievements(cause points_ledger, facts jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    earned achievement_definitions;
    draft points_ledger;
    event event_definitions;
BEGIN
    -- Most awards complete none, and to ask for one costs less than to list them.
    IF NOT EXISTS (SELECT FROM completed_achievements(facts, cause.metadata)) THEN
        RETURN false;
    END IF;
    FOR earned IN SELECT c.* FROM completed_achievements(facts, cause.metadata) AS c ORDER BY c.sort_order, c.key LOOP
        draft.id := gen_random_uuid();
        INSERT INTO user_achievements (achievement_key, ledger_id)
        SELECT d.key, draft.id FROM achievement_definitions AS d WHERE d.key = earned.key FOR KEY SHARE
        ON CONFLICT DO NOTHING;
        -- paid already, by the payment of another one of this list; or just deleted by an administrator
        CONTINUE WHEN NOT FOUND;
        event := known_event('achievement', 'award');
        draft.event_type := event.event_type;
        draft.source_type := 'achievement';
        draft.base_xp := earned.reward_xp;
        draft.bonus_xp := 0;
        draft.xp := earned.reward_xp;
        draft.coins := earned.reward_coins;
        draft.skill_stars := 0;
        draft.counters := all_counters(event.counter, '{}');
        draft.metadata := jsonb_build_object('key', earned.key, 'name', earned.name, 'reward_xp', earned.reward_xp,
                                             'reward_coins', earned.reward_coins);
        draft.idempotency_key := 'achievement:' || earned.key;
        draft.cause_id := cause.id;
        draft.local_date := cause.local_date;
        PERFORM pay(draft, event, own_progress());
    END LOOP;
    RETURN true;
END
$$;

-- Pays an event once per key. The same call again changes nothing and returns what the first one returned; the same key
-- with other amounts is PT422 idempotency_mismatch. With 0 XP and 0 coins the event is only counted.
CREATE OR REPLACE FUNCTION app.award(
    event_type text, source_type text, source_id uuid, xp bigint, coins bigint, idempotency_key text,
    skill_key text DEFAULT NULL, skill_stars int DEFAULT 0, counters jsonb DEFAULT '{}', metadata jsonb DEFAULT '{}',
    reason text DEFAULT NULL, day date DEFAULT local_today()
) RETURNS award_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    draft points_ledger;
    progress user_progress;
    known points_ledger;
    state record;
    event event_definitions;
BEGIN
    IF (xp BETWEEN 0 AND 1000000 AND coins BETWEEN 0 AND 1000000 AND skill_stars BETWEEN 0 AND 1000000) IS NOT TRUE THEN
        PERFORM misuse('XP, coins and stars are 0 to 1000000.');
    ELSIF (length(idempotency_key) BETWEEN 1 AND 200 AND idempotency_key !~ '^(reverse|achievement):') IS NOT TRUE THEN
        PERFORM misuse('A key has 1 to 200 characters, and is not one of the ledger''s own.');
    ELSIF event_type = 'achievement' THEN
        PERFORM misuse('Achievements are paid by the ledger itself.');
    ELSIF (length(source_type) BETWEEN 1 AND 64 AND jsonb_typeof(metadata) = 'object' AND isfinite(day)) IS NOT TRUE THEN
        PERFORM misuse('A source type, an object of metadata and a day are needed.');
    END IF;
    IF skill_key IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = award.skill_key) THEN
            PERFORM misuse(format('%s is no skill.', skill_key));
        END IF;
    END IF;

    -- All else is read under the lock: a call that has waited for the first call of its key must see that call's row. It is
    -- one statement, since a statement costs more than what any of its parts reads.
    progress := own_progress();
    SELECT e AS event, m AS marks,
           EXISTS (SELECT FROM points_ledger AS l WHERE l.idempotency_key = award.idempotency_key) AS is_known,
           e.boostable AND EXISTS (SELECT FROM user_effects AS b
                                    WHERE b.effect_type = 'xp_multiplier' AND b.started_at <= clock() AND b.ends_at > clock())
               AS is_boosted,
           s.streak
      INTO state
      FROM event_definitions AS e
     CROSS JOIN settled_streak(e.streak_types, award.day) AS s
      LEFT JOIN ledger_marks AS m ON m.revision = (SELECT r.revision FROM shared_revision AS r)
     WHERE e.event_type = award.event_type AND e.kind = 'award';
    IF NOT FOUND THEN
        PERFORM misuse(format('%s is no event of kind award.', coalesce(event_type, 'null')));
    END IF;
    event := state.event;
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
    IF state.is_known THEN
        SELECT * INTO known FROM points_ledger AS l WHERE l.idempotency_key = award.idempotency_key;
        RETURN replay(known, draft);
    END IF;
    IF state.is_boosted THEN
        draft := boosted(draft);
    END IF;
    draft.streak_after := state.streak;
    RETURN pay(draft, event, progress, state.marks);
END
$$;
