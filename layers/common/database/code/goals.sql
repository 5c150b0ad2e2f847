SET LOCAL ROLE questlog_owner;

-- Whether a goal is overdue on a day: active, and its target date has passed.
CREATE OR REPLACE FUNCTION app.goal_is_overdue(g goals, today date) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN g.status = 'active' AND coalesce(g.target_date < today, false);

-- How many goals are overdue.
CREATE OR REPLACE FUNCTION app.overdue_goals() RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT count(*) FROM goals AS g WHERE g.status = 'active' AND g.target_date < (SELECT local_today()));

-- Another one when a goal or a milestone was written, or when the day has made a goal overdue.
CREATE OR REPLACE FUNCTION app.goals_version() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT concat_ws(' ', r.goals, r.restored, overdue_goals()) FROM list_revisions() AS r);

-- Changes -----------------------------------------------------------------------------------------------------------
-- All run under the user's lock, so that what they count is still true when they write it. Whatever is written also calls
-- revise_goals().

-- Adds a goal and returns it. 409 limit_reached when there are 500.
CREATE OR REPLACE FUNCTION app.add_goal(
    title text, description text DEFAULT NULL, category text DEFAULT NULL, target_date date DEFAULT NULL, priority int DEFAULT 0
) RETURNS goals
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT revise_goals();
    INSERT INTO goals AS g (title, description, category, target_date, priority, started_at, created_at, updated_at)
    SELECT add_goal.title, add_goal.description, add_goal.category, add_goal.target_date, add_goal.priority, now, now, now
      FROM instant() AS now
     WHERE (SELECT count(*) FROM goals) < 500
        OR refuse(409, 'limit_reached', 'There are 500 goals already.', '{"limit": 500}')
    RETURNING g.*;
END;

-- Sets a goal's progress to the percentage of its milestones that are completed, rounded down, and returns it. A goal
-- without milestones is at 100 when it is completed, else at 0.
CREATE OR REPLACE FUNCTION internal.recount_goal(wanted uuid) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    counted int;
BEGIN
    UPDATE goals AS g
       SET progress = coalesce(100 * m.completed / nullif(m.total, 0),
                               CASE g.status WHEN 'completed' THEN 100 ELSE 0 END)
      FROM (SELECT count(*) AS total, count(*) FILTER (WHERE is_completed) AS completed
              FROM goal_milestones WHERE goal_id = wanted) AS m
     WHERE g.id = wanted
    RETURNING g.progress INTO counted;
    PERFORM revise_goals();
    RETURN counted;
END
$$;

-- Pays a milestone or a goal, once. After `cap` paid ones a day the next ones count and pay nothing. Null when it was paid
-- before, even if the cap left it nothing.
CREATE OR REPLACE FUNCTION internal.pay_progress(
    event_type text, source_type text, source_id uuid, xp bigint, coins bigint, cap int
) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    key text := event_type || ':' || source_id;
BEGIN
    IF (paid_under(key)).ledger_id IS NOT NULL THEN
        RETURN NULL;
    ELSIF (paid_today(event_type)).paid >= cap THEN
        xp := 0;
        coins := 0;
    END IF;
    RETURN award(event_type, source_type, source_id, xp, coins, key);
END
$$;

-- Completes a goal that has no open milestone, and pays it: 3 goals a day.
CREATE OR REPLACE FUNCTION internal.finish_goal(wanted uuid) RETURNS award_result
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE goals SET status = 'completed', completed_at = instant(), progress = 100 WHERE id = wanted;
    RETURN pay_progress('goal_complete', 'goal', wanted, 40, 20, 3);
END
$$;

-- Makes a completed goal active again. A goal of another status stays as it is.
CREATE OR REPLACE FUNCTION internal.reopen_goal(wanted uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE goals SET status = 'active', completed_at = NULL WHERE id = wanted AND status = 'completed';
END
$$;

-- Changes a goal's status; null, or the status it has, changes nothing. Returns what completing it paid, else null.
CREATE OR REPLACE FUNCTION app.move_goal(g goals, wanted text) RETURNS award_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    open_milestones bigint;
BEGIN
    IF wanted IS NULL OR wanted = g.status THEN
        RETURN NULL;
    ELSIF wanted = 'completed' THEN
        SELECT count(*) INTO open_milestones FROM goal_milestones AS m WHERE m.goal_id = g.id AND NOT m.is_completed;
        IF open_milestones > 0 THEN
            PERFORM refuse(409, 'open_milestones', 'The goal has open milestones.',
                           jsonb_build_object('open', open_milestones));
        END IF;
        RETURN finish_goal(g.id);
    ELSIF g.status = 'completed' AND wanted <> 'active' THEN
        PERFORM refuse(409, 'invalid_state', 'A completed goal can only be made active again.',
                       jsonb_build_object('status', g.status));
    END IF;
    UPDATE goals SET status = wanted, completed_at = NULL WHERE id = g.id;
    PERFORM recount_goal(g.id);
    RETURN NULL;
END
$$;

-- Adds a milestone, last in order, and returns it. A completed goal is active again, since something is left to do.
CREATE OR REPLACE FUNCTION app.add_milestone(g goals, title text, description text, target_date date) RETURNS goal_milestones
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    placed record;
    added goal_milestones;
BEGIN
    SELECT count(*), max(m.sort_order) INTO placed FROM goal_milestones AS m WHERE m.goal_id = g.id;
    IF placed.count >= 100 THEN
        PERFORM refuse(409, 'limit_reached', 'The goal has 100 milestones already.', '{"limit": 100}');
    END IF;
    INSERT INTO goal_milestones AS m (goal_id, title, description, target_date, sort_order, created_at)
    VALUES (g.id, title, description, target_date, coalesce(placed.max, 0) + 1, instant())
    RETURNING m.* INTO added;
    PERFORM reopen_goal(g.id);
    PERFORM recount_goal(g.id);
    RETURN added;
END
$$;

-- Completes a milestone, and with the last open one its goal. 20 milestones a day are paid. `paid` holds what was paid for
-- the milestone and for the goal.
CREATE OR REPLACE FUNCTION app.complete_milestone(
    m goal_milestones,
    OUT goal_progress int, OUT goal_completed boolean, OUT already_completed boolean, OUT paid award_result[]
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    g goals;
BEGIN
    SELECT * INTO g FROM goals AS s WHERE s.id = m.goal_id;
    IF g.status = 'abandoned' THEN
        PERFORM refuse(409, 'invalid_state', 'The goal is abandoned.', jsonb_build_object('status', g.status));
    END IF;
    goal_progress := g.progress;
    goal_completed := g.status = 'completed';
    already_completed := m.is_completed;
    paid := '{}';
    IF already_completed THEN
        RETURN;
    END IF;
    UPDATE goal_milestones AS s SET is_completed = true, completed_at = instant() WHERE s.id = m.id;
    paid := paid || pay_progress('milestone_complete', 'goal_milestone', m.id, 10, 0, 20);
    goal_progress := recount_goal(g.id);
    IF goal_progress = 100 THEN
        goal_completed := true;
        paid := paid || finish_goal(g.id);
    END IF;
END
$$;

-- Opens a milestone again, and with it a completed goal; what they paid is kept. Returns the goal's progress.
CREATE OR REPLACE FUNCTION app.uncomplete_milestone(m goal_milestones) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    UPDATE goal_milestones AS s SET is_completed = false, completed_at = NULL WHERE s.id = m.id;
    PERFORM reopen_goal(m.goal_id);
    RETURN recount_goal(m.goal_id);
END
$$;

-- Deletes a milestone, and returns the goal's progress without it. The goal is not completed by it, even when no open
-- milestone is left.
CREATE OR REPLACE FUNCTION app.delete_milestone(m goal_milestones) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    DELETE FROM goal_milestones AS s WHERE s.id = m.id;
    RETURN recount_goal(m.goal_id);
END
$$;
