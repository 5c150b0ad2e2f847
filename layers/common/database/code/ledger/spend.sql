SET LOCAL ROLE questlog_owner;

-- Takes coins from the wallet, once per key; PT409 insufficient_coins {need, have} where there are fewer. `coins` of the
-- result is negative.
CREATE OR REPLACE FUNCTION app.spend(
    coins bigint, event_type text, source_type text, source_id uuid, idempotency_key text,
    reason text DEFAULT NULL, metadata jsonb DEFAULT '{}'
) RETURNS award_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
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
    RETURN result_of(post(draft, progress), false, progress.current_level);
END
$$;
