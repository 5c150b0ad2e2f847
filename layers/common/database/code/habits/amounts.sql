SET LOCAL ROLE questlog_owner;

-- Habits with amounts: what is logged, corrected and taken back, and limits that were kept. All run under the user's lock.

-- The period of a day: its sum, the target that was in force, whether the target is met, and whether a limit is passed.
CREATE OR REPLACE FUNCTION internal.amount_state(
    h habits, day date,
    OUT first date, OUT last date, OUT total numeric, OUT target numeric, OUT met boolean, OUT passed boolean
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    first := period_first(day, h.period);
    last := period_last(day, h.period);
    SELECT coalesce(sum(k.amount), 0), coalesce(max(k.amount_target), h.target_amount) INTO total, target
      FROM habit_completions AS k
     WHERE k.habit_id = h.id AND k.completed_date BETWEEN first AND last AND k.amount IS NOT NULL;
    met := h.direction = 'at_least' AND total >= target;
    passed := h.direction = 'at_most' AND total > target;
END
$$;

-- Sets for each amount since a day whether its period's sum meets the target.
CREATE OR REPLACE FUNCTION internal.judge_amounts(h habits, since date, until date DEFAULT 'infinity') RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE habit_completions AS k
       SET amount_met = p.met
      FROM (SELECT period_first(s.completed_date, h.period) AS first,
                   h.direction = 'at_least' AND sum(s.amount) >= max(s.amount_target) AS met
              FROM habit_completions AS s
             WHERE s.habit_id = h.id AND s.completed_date BETWEEN since AND until AND s.amount IS NOT NULL
             GROUP BY 1) AS p
     WHERE k.habit_id = h.id AND k.completed_date BETWEEN since AND until AND k.amount IS NOT NULL
       AND p.first = period_first(k.completed_date, h.period) AND k.amount_met IS DISTINCT FROM p.met;
END;

-- The row of a period that was paid for, if any.
CREATE OR REPLACE FUNCTION internal.paid_amount(h habits, first date, last date) RETURNS SETOF habit_completions
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT k.* FROM habit_completions AS k
     WHERE k.habit_id = h.id AND k.completed_date BETWEEN first AND last AND k.ledger_key IS NOT NULL
     ORDER BY k.completed_date, k.ordinal
     LIMIT 1;
END;

-- Whether a limit was claimed as kept for a period, or a day of it.
CREATE OR REPLACE FUNCTION internal.is_claimed(h habits, first date, last date) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM habit_claims AS c WHERE c.habit_id = h.id AND c.through BETWEEN first AND last);

-- Pays a period that an amount has completed, unless it is over, was paid before, or its week has enough days without it.
-- A row that was paid and reversed before is paid under another key.
CREATE OR REPLACE FUNCTION internal.pay_amount(
    h habits, reaching habit_completions, first date, last date, streak_before int, today date,
    OUT streak_bonus boolean, OUT paid award_result
)
LANGUAGE plpgsql AS $$
DECLARE
    key text := concat_ws(':', 'habit_complete', reaching.id, nullif(reaching.reversals, 0));
    payment record;
BEGIN
    streak_bonus := false;
    IF today BETWEEN first AND last
        AND NOT EXISTS (SELECT FROM paid_amount(h, first, last))
        AND NOT is_claimed(h, first, last)
        AND (h.cadence <> 'weekly' OR days_of_week(h.id, today) <= h.target_count)
    THEN
        UPDATE habit_completions SET ledger_key = key WHERE id = reaching.id;
        SELECT * INTO payment FROM pay_habit(h, key, streak_before, streak_on(h, today), today);
        streak_bonus := payment.streak_bonus;
        paid := payment.paid;
    END IF;
END
$$;

-- Takes back what a period was paid, if it was.
CREATE OR REPLACE FUNCTION internal.unpay_amount(h habits, first date, last date) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    payer habit_completions;
BEGIN
    SELECT * INTO payer FROM paid_amount(h, first, last);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE habit_completions SET ledger_key = NULL, reversals = reversals + 1 WHERE id = payer.id;
    RETURN reverse(payer.ledger_key, 'The amount fell below the target.');
END
$$;

-- Counts a change of an amount in its habit's streaks, and returns the habit. `made` is the row that was written. A week or a month
-- that was met on a paused day counts from the first day on that is not paused.
CREATE OR REPLACE FUNCTION internal.count_amount(
    h habits, made habit_completions, was_met boolean, is_met boolean, was_passed boolean, is_passed boolean, lessened boolean
) RETURNS habits
LANGUAGE plpgsql AS $$
BEGIN
    IF (was_met AND NOT is_met) OR was_passed <> is_passed
        OR (was_met AND h.period <> 'day' AND EXISTS (
            SELECT FROM pauses_of(h, period_first(made.completed_date, h.period), period_last(made.completed_date, h.period))))
    THEN
        RETURN recount_habit(h, undone => lessened);
    END IF;
    RETURN count_completion(h, made.completed_date, is_met AND NOT was_met, made.completed_at, any_pause => true);
END
$$;

-- Adds to the amount of a day, and pays the period when that completes it, or takes the payment back when the sum falls
-- below the target. A day's sum stays from 0 to a thousand millions. Corrections that follow each other are one row.
CREATE OR REPLACE FUNCTION internal.record_amount(
    h habits, wanted date, added numeric, note text, correction boolean,
    OUT completion_id uuid, OUT completed boolean, OUT already_completed boolean, OUT new_streak int,
    OUT streak_bonus boolean, OUT paid award_result, OUT amount_period numeric, OUT remaining numeric,
    OUT within_limit boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    today date := local_today();
    streak_before int := streak_on(h, today);
    before record;
    after record;
    made habit_completions;
    payment record;
BEGIN
    SELECT * INTO before FROM amount_state(h, wanted);
    IF added <> 0 THEN
        made := write_amount(h, wanted, before.target, added, note, correction);
        IF h.direction = 'at_least' AND added > 0 THEN
            h := delete_skip(h, wanted);
        END IF;
        PERFORM judge_amounts(h, before.first, before.last);
    END IF;
    SELECT * INTO after FROM amount_state(h, wanted);
    streak_bonus := false;
    IF added <> 0 THEN
        h := count_amount(h, made, before.met, after.met, before.passed, after.passed, lessened => added < 0);
        IF after.met THEN
            SELECT * INTO payment FROM pay_amount(h, made, after.first, after.last, streak_before, today);
            streak_bonus := payment.streak_bonus;
            paid := payment.paid;
        ELSIF added < 0 AND h.direction = 'at_least' THEN
            PERFORM unpay_amount(h, after.first, after.last);
        END IF;
    END IF;
    completion_id := made.id;
    completed := after.met;
    already_completed := before.met;
    new_streak := streak_on(h, today);
    amount_period := after.total;
    remaining := CASE h.direction WHEN 'at_least' THEN greatest(after.target - after.total, 0) END;
    within_limit := NOT after.passed;
END
$$;

-- Writes an amount of a day, or makes the day's last row another one when both are corrections.
CREATE OR REPLACE FUNCTION internal.write_amount(
    h habits, wanted date, in_force numeric, added numeric, note text, correction boolean
) RETURNS habit_completions
LANGUAGE plpgsql AS $$
DECLARE
    held record;
    made habit_completions;
BEGIN
    SELECT coalesce(sum(k.amount), 0) AS total, count(*) AS times, coalesce(max(k.ordinal), 0) AS last INTO held
      FROM habit_completions AS k WHERE k.habit_id = h.id AND k.completed_date = wanted;
    IF held.total + added NOT BETWEEN 0 AND 1000000000 THEN
        PERFORM refuse_field('amount', 'must leave the day a sum from 0 to 1,000,000,000');
    ELSIF held.times >= 100 AND NOT correction THEN
        PERFORM refuse(409, 'limit_reached', 'There are 100 amounts of this day already.', '{"limit": 100}');
    END IF;
    IF correction THEN
        -- No later import brings back what is corrected.
        UPDATE habits AS s SET import_digest = NULL WHERE s.id = h.id AND s.import_digest IS NOT NULL;
        UPDATE habit_completions AS k SET amount = k.amount + added, completed_at = instant()
         WHERE k.habit_id = h.id AND k.completed_date = wanted AND k.ordinal = held.last AND k.is_correction
        RETURNING k.* INTO made;
    END IF;
    IF made.id IS NULL THEN
        INSERT INTO habit_completions (
            habit_id, completed_date, ordinal, week_target, amount, amount_target, amount_met, is_correction, notes)
        VALUES (h.id, wanted, held.last + 1, week_target(h.cadence, h.target_count), added, in_force, false, correction, note)
        RETURNING * INTO made;
    END IF;
    RETURN made;
END
$$;

-- The day an amount is about. Refuses habits that take no amounts.
CREATE OR REPLACE FUNCTION internal.amount_date(h habits, given date) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT h.is_active THEN
        PERFORM refuse(409, 'habit_archived', 'An archived habit takes no amounts.');
    ELSIF h.kind <> 'amount' THEN
        PERFORM refuse(409, 'invalid_state', 'Only a habit of kind amount takes amounts.', '{"kind": "check"}');
    END IF;
    RETURN habit_date(h, given, local_today());
END
$$;

-- Logs an amount; without one, what a tap adds. `paid` is null when nothing was paid.
--   completed      the period's target is met         already_completed  it was met before
--   amount_period  the sum of the period              remaining          what it lacks; null of a limit
CREATE OR REPLACE FUNCTION app.log_amount(
    h habits, given date, amount numeric, note text,
    OUT completion_id uuid, OUT completed boolean, OUT already_completed boolean, OUT new_streak int,
    OUT streak_bonus boolean, OUT paid award_result, OUT amount_period numeric, OUT remaining numeric,
    OUT within_limit boolean
)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT r.*
      FROM record_amount(h, amount_date(h, given), coalesce(log_amount.amount, h.amount_step), note, correction => false) AS r;
END;

-- Corrects a day's sum. The same sum again changes nothing. Returns what log_amount() returns.
CREATE OR REPLACE FUNCTION app.set_amount(
    h habits, given date, total numeric,
    OUT completion_id uuid, OUT completed boolean, OUT already_completed boolean, OUT new_streak int,
    OUT streak_bonus boolean, OUT paid award_result, OUT amount_period numeric, OUT remaining numeric,
    OUT within_limit boolean
)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT r.*
      FROM (SELECT amount_date(h, given) AS day OFFSET 0) AS d,
           LATERAL (SELECT coalesce(sum(k.amount), 0) AS amount FROM habit_completions AS k
                     WHERE k.habit_id = h.id AND k.completed_date = d.day) AS held,
           record_amount(h, d.day, total - held.amount, NULL, correction => true) AS r;
END;

-- Completes a habit with amounts: logs what its period lacks. A limit lacks nothing, and a met target neither. Returns what
-- complete_habit() returns.
CREATE OR REPLACE FUNCTION internal.complete_amount(
    h habits, wanted date, note text,
    OUT completion_id uuid, OUT completed boolean, OUT already_completed boolean, OUT new_streak int,
    OUT streak_bonus boolean, OUT paid award_result
)
LANGUAGE plpgsql AS $$
DECLARE
    before record;
    logged record;
BEGIN
    SELECT * INTO before FROM amount_state(h, wanted);
    IF h.direction = 'at_least' THEN
        SELECT * INTO logged
          FROM record_amount(h, wanted, greatest(before.target - before.total, 0), note, correction => false);
        completion_id := logged.completion_id;
        completed := logged.completed;
        already_completed := logged.already_completed;
        new_streak := logged.new_streak;
        streak_bonus := logged.streak_bonus;
        paid := logged.paid;
    ELSE
        completed := NOT before.passed;
        already_completed := true;
        new_streak := streak_on(h, local_today());
        streak_bonus := false;
    END IF;
END
$$;

-- After an amount was taken back: recounts, and reverses what its period was paid when the sum fell below the target. A
-- payment that stood at the row moves to the period's last one when the target is met still. Returns the reversal, if any.
CREATE OR REPLACE FUNCTION internal.undo_amount(h habits, undone habit_completions) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    today date := local_today();
    streak_before int := streak_on(h, today);
    after record;
    newest habit_completions;
BEGIN
    SELECT * INTO after FROM amount_state(h, undone.completed_date);
    PERFORM judge_amounts(h, after.first, after.last);
    h := recount_habit(h, undone => true);
    IF after.met THEN
        SELECT * INTO newest FROM habit_completions AS k
         WHERE k.habit_id = h.id AND k.completed_date BETWEEN after.first AND after.last AND k.amount IS NOT NULL
         ORDER BY k.completed_date DESC, k.ordinal DESC LIMIT 1;
        IF undone.ledger_key IS NOT NULL THEN
            UPDATE habit_completions SET ledger_key = undone.ledger_key WHERE id = newest.id;
        ELSE
            PERFORM pay_amount(h, newest, after.first, after.last, streak_before, today);
        END IF;
        RETURN NULL;
    ELSIF undone.ledger_key IS NOT NULL THEN
        RETURN reverse(undone.ledger_key, 'A completion was undone.');
    ELSIF undone.amount > 0 AND h.direction = 'at_least' THEN
        RETURN unpay_amount(h, after.first, after.last);
    END IF;
    RETURN NULL;
END
$$;

-- The last day of a limit's last period that is over: of a limit on weekdays, the last of them before today.
CREATE OR REPLACE FUNCTION internal.last_ended(h habits, today date) RETURNS date
LANGUAGE sql IMMUTABLE
RETURN CASE h.cadence
    WHEN 'custom' THEN (SELECT max(today - n) FROM generate_series(1, 7) AS n
                         WHERE is_habit_day(today - n, h.cadence, h.custom_days))
    ELSE period_first(today, h.cadence) - 1
END;

-- Claims the last period that is over as kept, and pays it: once. Returns what complete_habit() returns.
CREATE OR REPLACE FUNCTION app.claim_kept(
    h habits,
    OUT completion_id uuid, OUT completed boolean, OUT already_completed boolean, OUT new_streak int,
    OUT streak_bonus boolean, OUT paid award_result
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date := local_today();
    ended date := last_ended(h, today);
    period record;
    payment record;
BEGIN
    SELECT * INTO period FROM amount_state(h, ended);
    IF NOT h.is_active THEN
        PERFORM refuse(409, 'habit_archived', 'An archived habit cannot be claimed as kept.');
    ELSIF h.direction <> 'at_most' THEN
        PERFORM refuse(409, 'invalid_state', 'Only a habit of direction at_most is kept.', '{"direction": "at_least"}');
    ELSIF ended < coalesce(h.streak_from, h.created_on) THEN
        PERFORM refuse(409, 'period_open', 'No period of the habit is over yet.');
    ELSIF is_claimed(h, period.first, period.last) OR EXISTS (SELECT FROM paid_amount(h, period.first, period.last)) THEN
        PERFORM refuse(409, 'already_completed', 'The last period is paid already.');
    ELSIF period.passed THEN
        PERFORM refuse(409, 'limit_exceeded', 'The limit was passed in the last period.',
                       jsonb_build_object('amount', period.total, 'limit', period.target));
    END IF;
    completion_id := gen_random_uuid();
    completed := true;
    already_completed := false;
    new_streak := streak_on(h, today);
    INSERT INTO habit_claims (id, habit_id, through, ledger_key)
    VALUES (completion_id, h.id, ended, 'habit_complete:' || completion_id);
    SELECT * INTO payment FROM pay_habit(h, 'habit_complete:' || completion_id, new_streak - 1, new_streak, today);
    streak_bonus := payment.streak_bonus;
    paid := payment.paid;
END
$$;
