SET LOCAL ROLE questlog_owner;

-- Takes a row back by a counter-entry, once. A second call changes nothing and returns the first counter-entry. Streaks
-- and achievements stay.
CREATE OR REPLACE FUNCTION app.reverse(idempotency_key text, reason text) RETURNS award_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
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

    PERFORM move_counters(draft.counters, NULL, NULL);
    PERFORM retreat_quests(original.counters, original.local_date);
    RETURN result_of(post(draft, progress), false, progress.current_level);
END
$$;
