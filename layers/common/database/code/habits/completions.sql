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
    SELECT count(*) FILTER (WHERE p.base_xp > 0 OR p.coins > 0) < 20,
           bool_or(p.counters ? 'perfect_habit_days') IS NOT TRUE AND NOT EXISTS (SELECT FROM pending_habits(today))
      INTO within_cap, perfect
      FROM entries_on(today, 'habit_complete') AS p;
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

-- Records a completion, under the user's lock; of a habit with amounts, what its period lacks; past the day's target, nothing. One
-- that meets today's target is paid: a weekly habit's until the week's target is met, and any habit once a day. Completing a
-- skipped day takes the skip back. Without such a habit it returns no row.
--   completed          the day's target is met       new_streak     with this completion
--   already_completed  it was met before             paid           null when nothing was paid
--   habit              the habit after it            the others     what habit_today() returns of it
-- It is long, because it runs for the most frequent request that pays, and each function of plpgsql would cost as much as a fifth of a
-- statement more.
CREATE OR REPLACE FUNCTION app.complete_habit(wanted_habit uuid, given date, note text)
RETURNS TABLE (
    completion_id uuid, completed boolean, already_completed boolean, new_streak int, streak_bonus boolean, paid award_result,
    habit habits, current_streak int, longest_streak int, completed_today boolean, completed_count_today int, due_today boolean,
    skipped_today boolean, paused_until date, amount_period numeric, remaining numeric
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    before record;
    payment record;
    at timestamptz;
    key text;
    streak_before int;
    shown record;
    -- The lock, before anything is read. As an expression it costs a fourth less than as a statement.
    locked user_progress := own_progress();
BEGIN
    -- It is one statement, since a statement costs more than what any of its parts reads.
    SELECT h AS habit, d.today, d.wanted, k.*, EXISTS (SELECT FROM habit_pauses) AS any_pause,
           EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = h.id AND s.day = d.wanted) AS skipped
      INTO before
      FROM habits AS h,
           (SELECT c.today, coalesce(given, c.today) AS wanted
              FROM (SELECT local_day(clock(), o.zone, o.day_start) AS today FROM own_days() AS o OFFSET 0) AS c OFFSET 0) AS d,
           LATERAL (SELECT count(*)::int AS times, max(c.target) AS target, coalesce(bool_or(c.done), false) AS done,
                           coalesce(bool_or(c.ledger_key IS NOT NULL), false) AS paid
                      FROM habit_completions AS c WHERE c.habit_id = h.id AND c.completed_date = d.wanted) AS k
     WHERE h.id = wanted_habit;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    habit := before.habit;
    IF before.wanted <> before.today THEN
        PERFORM habit_date(habit, given, before.today);
    END IF;
    IF NOT habit.is_active THEN
        PERFORM refuse(409, 'habit_archived', 'An archived habit cannot be completed.');
    ELSIF habit.kind = 'amount' THEN
        payment := complete_amount(habit, before.wanted, note);
        completion_id := payment.completion_id;
        completed := payment.completed;
        already_completed := payment.already_completed;
        new_streak := payment.new_streak;
        streak_bonus := payment.streak_bonus;
        paid := payment.paid;
    ELSE
        completed := before.done;
        already_completed := before.done;
        new_streak := streak_on(habit, before.today);
        streak_bonus := false;
    END IF;
    IF habit.kind = 'check' AND NOT already_completed THEN
        IF before.skipped THEN
            habit := delete_skip(habit, before.wanted);
        END IF;
        before.skipped := false;
        before.times := before.times + 1;
        before.target := coalesce(before.target, day_target(habit.frequency, habit.target_count));
        completed := before.times >= before.target;
        completion_id := gen_random_uuid();
        at := instant();
        IF completed AND before.wanted = before.today AND NOT before.paid
            AND (habit.frequency <> 'weekly' OR days_of_week(habit.id, before.today) < habit.target_count)
        THEN
            key := 'habit_complete:' || completion_id;
        END IF;
        INSERT INTO habit_completions (id, habit_id, completed_date, ordinal, target, week_target, notes, ledger_key, completed_at)
        VALUES (completion_id, habit.id, before.wanted, before.times, before.target,
                week_target(habit.frequency, habit.target_count), note, key, at);
        streak_before := new_streak;
        habit := count_completion(habit, before.wanted, completed, at, before.any_pause);
        new_streak := streak_on(habit, before.today);
        IF key IS NOT NULL THEN
            payment := pay_habit(habit, key, streak_before, new_streak, before.today);
            streak_bonus := payment.streak_bonus;
            paid := payment.paid;
        END IF;
    END IF;
    IF habit.kind = 'check' AND habit.cadence = 'daily' AND before.wanted = before.today AND NOT before.any_pause THEN
        -- Most completions are of this kind. What the habit shows of today is known then, without reading it again.
        current_streak := new_streak;
        longest_streak := habit.longest_streak;
        completed_today := completed;
        completed_count_today := before.times;
        skipped_today := before.skipped;
        due_today := NOT before.skipped;
    ELSE
        SELECT h.* INTO habit FROM habits AS h WHERE h.id = wanted_habit;
        shown := habit_today(habit);
        current_streak := shown.current_streak;
        longest_streak := shown.longest_streak;
        completed_today := shown.completed_today;
        completed_count_today := shown.completed_count_today;
        due_today := shown.due_today;
        skipped_today := shown.skipped_today;
        paused_until := shown.paused_until;
        amount_period := shown.amount_period;
        remaining := shown.remaining;
    END IF;
    RETURN NEXT;
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
