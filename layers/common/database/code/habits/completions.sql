SET LOCAL ROLE questlog_owner;

-- All functions that change something here run under the user's lock.

-- The day a request is about: `given` or today. Refuses all but today and the seven days before it since the habit was
-- made, or since the period began in which it became what it is.
CREATE OR REPLACE FUNCTION internal.habit_date(h habits, given date, today date) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF given IS NULL OR given = today THEN
        RETURN today;
    ELSIF given > today OR given < today - 7 OR given < h.created_on THEN
        PERFORM refuse_field('date', 'must be today or one of the 7 days before it, and not before the habit was made');
    ELSIF given < period_first(h.streak_from, h.cadence) THEN
        PERFORM refuse_field('date', 'must not be before the kind, the direction or the period of the habit was changed');
    END IF;
    RETURN given;
END
$$;

-- Pays the completion that met today's target, or a limit that was kept, under `key`: the habit's own reward and, where it
-- brought the streak to a round length, as many XP as the streak is long. After 20 paid completions a day the next ones
-- count and pay nothing.
CREATE OR REPLACE FUNCTION internal.pay_habit(
    h habits, key text, streak_before int, streak_after int, today date,
    OUT streak_bonus boolean, OUT paid award_result
)
LANGUAGE plpgsql AS $$
DECLARE
    within_cap boolean;
    perfect boolean;
BEGIN
    -- A perfect day is counted once. When the payment that carries the count is reversed, the day may be counted again.
    SELECT count(*) FILTER (WHERE p.base_xp > 0 OR p.coins > 0) < 20, bool_or(p.counters ? 'perfect_habit_days') IS NOT TRUE
      INTO within_cap, perfect
      FROM entries_on(today, 'habit_complete') AS p;
    perfect := perfect AND NOT EXISTS (SELECT FROM pending_habits(today));
    streak_bonus := within_cap AND streak_after > streak_before AND streak_after IN (7, 14, 30, 60, 100, 365);
    paid := award(
        'habit_complete', 'habit', h.id,
        CASE WHEN within_cap THEN h.xp_reward ELSE 0 END + CASE WHEN streak_bonus THEN streak_after ELSE 0 END,
        CASE WHEN within_cap THEN h.coin_reward ELSE 0 END,
        key, h.skill_key,
        counters => CASE WHEN perfect THEN '{"perfect_habit_days": 1}'::jsonb ELSE '{}' END,
        metadata => jsonb_build_object('habit_streak', streak_after),
        day => today);
END
$$;

-- Records a completion; of a habit with amounts, what its period lacks; past the day's target, nothing. One that meets
-- today's target is paid: a weekly habit's until the week's target is met, and any habit once a day. Completing a skipped day
-- takes the skip back.
--   completed          the day's target is met       new_streak     with this completion
--   already_completed  it was met before             paid           null when nothing was paid
CREATE OR REPLACE FUNCTION app.complete_habit(
    h habits, given date, note text,
    OUT completion_id uuid, OUT completed boolean, OUT already_completed boolean, OUT new_streak int,
    OUT streak_bonus boolean, OUT paid award_result
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date := local_today();
    wanted date := habit_date(h, given, today);
    streak_before int := streak_on(h, today);
    before record;
    pays boolean;
    made habit_completions;
    payment record;
BEGIN
    IF NOT h.is_active THEN
        PERFORM refuse(409, 'habit_archived', 'An archived habit cannot be completed.');
    ELSIF h.kind = 'amount' THEN
        SELECT * INTO payment FROM complete_amount(h, wanted, note);
        completion_id := payment.completion_id;
        completed := payment.completed;
        already_completed := payment.already_completed;
        new_streak := payment.new_streak;
        streak_bonus := payment.streak_bonus;
        paid := payment.paid;
        RETURN;
    END IF;
    SELECT count(*) + 1 AS ordinal, coalesce(max(k.target), day_target(h.frequency, h.target_count)) AS target,
           coalesce(bool_or(k.done), false) AS done, coalesce(bool_or(k.ledger_key IS NOT NULL), false) AS paid,
           EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = wanted) AS skipped
      INTO before
      FROM habit_completions AS k WHERE k.habit_id = h.id AND k.completed_date = wanted;
    already_completed := before.done;
    completed := before.done;
    new_streak := streak_before;
    streak_bonus := false;
    IF already_completed THEN
        RETURN;
    END IF;
    IF before.skipped THEN
        h := delete_skip(h, wanted);
    END IF;
    pays := before.ordinal >= before.target AND wanted = today AND NOT before.paid
        AND (h.frequency <> 'weekly' OR days_of_week(h.id, today) < h.target_count);
    completion_id := gen_random_uuid();
    INSERT INTO habit_completions (id, habit_id, completed_date, ordinal, target, week_target, notes, ledger_key)
    VALUES (completion_id, h.id, wanted, before.ordinal, before.target, week_target(h.frequency, h.target_count), note,
            CASE WHEN pays THEN 'habit_complete:' || completion_id END)
    RETURNING * INTO made;
    completed := made.done;
    h := count_completion(h, made);
    new_streak := streak_on(h, today);
    IF pays THEN
        payment := pay_habit(h, made.ledger_key, streak_before, new_streak, today);
        streak_bonus := payment.streak_bonus;
        paid := payment.paid;
    END IF;
END
$$;

-- Takes a day's last completion back, and reverses what it paid.
CREATE OR REPLACE FUNCTION app.undo_habit(h habits, given date, OUT xp_reversed bigint, OUT coins_reversed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    wanted date := habit_date(h, given, local_today());
    undone habit_completions;
    reversal award_result;
BEGIN
    DELETE FROM habit_completions AS k
     WHERE k.id = (SELECT l.id FROM habit_completions AS l
                    WHERE l.habit_id = h.id AND l.completed_date = wanted ORDER BY l.ordinal DESC LIMIT 1)
    RETURNING * INTO undone;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is no completion to undo on this day.');
    END IF;
    IF h.kind = 'amount' AND undone.amount IS NOT NULL THEN
        reversal := undo_amount(h, undone);
    ELSE
        IF undone.ledger_key IS NOT NULL THEN
            reversal := reverse(undone.ledger_key, 'A completion was undone.');
        END IF;
        PERFORM recount_habit(h, undone => true);
    END IF;
    -- No later import brings back what is undone.
    UPDATE habits AS s SET import_digest = NULL WHERE s.id = h.id AND undone.is_imported;
    xp_reversed := coalesce(-reversal.xp, 0);
    coins_reversed := coalesce(-reversal.coins, 0);
END
$$;
