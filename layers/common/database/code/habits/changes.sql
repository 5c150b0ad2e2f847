SET LOCAL ROLE questlog_owner;

-- All functions that change something here run under the user's lock.

-- Refuses what only the database can check: a weekly target beyond the days of a week, an unknown skill.
CREATE OR REPLACE FUNCTION app.check_habit(frequency text, target_count int, skill_key text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF frequency = 'weekly' AND target_count > 7 THEN
        PERFORM refuse_field('target_count', 'must be at most 7 for a weekly habit');
    ELSIF skill_key IS NOT NULL AND NOT EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = skill_key) THEN
        PERFORM refuse_field('skill_key', 'is no skill');
    END IF;
    RETURN true;
END
$$;

-- Refuses amounts that do not fit the kind of the habit, and a kind that lacks them.
CREATE OR REPLACE FUNCTION app.check_amounts(kind text, direction text, target_amount numeric, period text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF kind = 'amount' AND target_amount IS NULL THEN
        PERFORM refuse_field('target_amount', 'must be given for a habit of kind amount');
    ELSIF kind = 'check' AND target_amount IS NOT NULL THEN
        PERFORM refuse_field('target_amount', 'must be left out for a habit of kind check');
    ELSIF kind = 'check' AND direction <> 'at_least' THEN
        PERFORM refuse_field('direction', 'must be at_least for a habit of kind check');
    ELSIF kind = 'check' AND period <> 'day' THEN
        PERFORM refuse_field('period', 'must be day for a habit of kind check');
    ELSIF target_amount = 0 AND direction = 'at_least' THEN
        PERFORM refuse_field('target_amount', 'must be more than 0, unless the direction is at_most');
    END IF;
    RETURN true;
END
$$;

-- A habit with the changes that were sent. One that becomes a habit of kind check loses what only amounts have.
CREATE OR REPLACE FUNCTION app.changed_habit(h habits, changes jsonb) RETURNS habits
LANGUAGE sql STABLE
RETURN jsonb_populate_record(
    h, CASE WHEN changes ->> 'kind' = 'check' THEN '{"direction": "at_least", "target_amount": null, "period": "day"}'
            ELSE '{}'::jsonb END || changes);

-- After a change of schedule, target or kind: today and the present week or month take the new targets, and the streaks
-- are recounted.
CREATE OR REPLACE FUNCTION app.retarget_habit(h habits) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date := local_today();
BEGIN
    UPDATE habit_completions AS k
       SET target = CASE WHEN k.completed_date < today THEN k.target
                         WHEN h.kind = 'amount' THEN 1
                         ELSE day_target(h.cadence, h.target_count) END,
           week_target = week_target(h.cadence, h.target_count),
           -- What was completed today counts as a completion of the new kind, and amounts as so many completions.
           amount_met = CASE WHEN k.completed_date < today THEN k.amount_met
                             WHEN h.kind = 'amount' THEN k.amount IS NOT NULL AND k.amount_met IS TRUE END
     WHERE k.habit_id = h.id AND k.completed_date >= week_of(today);
    IF h.kind = 'amount' THEN
        UPDATE habit_completions AS k SET amount_target = h.target_amount
         WHERE k.habit_id = h.id AND k.completed_date >= period_first(today, h.period) AND k.amount IS NOT NULL;
        PERFORM judge_amounts(h, period_first(today, h.period));
    END IF;
    PERFORM recount_habit(h);
END
$$;
