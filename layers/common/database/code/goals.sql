SET LOCAL ROLE questlog_owner;

-- A milestone as the wire shows it.
CREATE OR REPLACE FUNCTION app.milestone_shown(m goal_milestones) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object(
    'id', m.id, 'goal_id', m.goal_id, 'title', m.title, 'description', m.description, 'target_date', m.target_date,
    'is_completed', m.is_completed, 'completed_at', m.completed_at, 'sort_order', m.sort_order,
    'created_at', m.created_at);

-- Answers rows of one SELECT: the planner dissolves it into the statement that asks.
CREATE OR REPLACE FUNCTION internal.goal_document(g goals, today date) RETURNS TABLE (document jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT jsonb_build_object(
               'id', g.id, 'title', g.title, 'description', g.description, 'category', g.category,
               'target_date', g.target_date, 'started_at', g.started_at, 'completed_at', g.completed_at,
               'status', g.status, 'progress', g.progress, 'priority', g.priority, 'milestones', s.milestones,
               'total_milestones', s.total, 'completed_milestones', s.completed,
               'is_overdue', g.status = 'active' AND coalesce(g.target_date < goal_document.today, false),
               'created_at', g.created_at, 'updated_at', g.updated_at)
      FROM (SELECT coalesce(jsonb_agg(milestone_shown(m) ORDER BY m.sort_order), '[]') AS milestones,
                   count(*) AS total,
                   count(*) FILTER (WHERE m.is_completed) AS completed
              FROM goal_milestones AS m WHERE m.goal_id = g.id) AS s;
END;

-- A goal as the wire shows it today.
CREATE OR REPLACE FUNCTION app.goal_shown(g goals) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT d.document FROM goal_document(g, local_today()) AS d);

-- The user's goals as the wire lists them, all or those of a status.
CREATE OR REPLACE FUNCTION app.goals_shown(wanted text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (
    SELECT coalesce(jsonb_agg(d.document ORDER BY g.priority DESC, g.created_at DESC, g.id), '[]')
      FROM goals AS g, (SELECT local_today() AS today OFFSET 0) AS c, goal_document(g, c.today) AS d
     WHERE wanted IS NULL OR g.status = wanted);

-- Active goals whose day has passed.
CREATE OR REPLACE FUNCTION internal.overdue_goals() RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT count(*) FROM goals AS g WHERE g.status = 'active' AND g.target_date < (SELECT local_today()));

-- All under the user's lock, so that what is counted is still so when it is written.

-- Sets a goal's progress to what its milestones make of it, and answers it. Without any, a goal is done or it is not.
CREATE OR REPLACE FUNCTION app.recount_goal(wanted uuid) RETURNS int
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
    RETURN counted;
END
$$;

-- Pays a milestone or a goal, once in its life: null when it was paid before, also when the day's cap left it nothing.
CREATE OR REPLACE FUNCTION app.pay_progress(
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
CREATE OR REPLACE FUNCTION app.finish_goal(wanted uuid) RETURNS award_result
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE goals SET status = 'completed', completed_at = clock(), progress = 100 WHERE id = wanted;
    RETURN pay_progress('goal_complete', 'goal', wanted, 40, 20, 3);
END
$$;

-- Makes a completed goal active again; another stays what it is.
CREATE OR REPLACE FUNCTION app.reopen_goal(wanted uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE goals SET status = 'active', completed_at = NULL WHERE id = wanted AND status = 'completed';
END
$$;

-- Takes a goal to another status; null and its own change nothing.
CREATE OR REPLACE FUNCTION app.move_goal(g goals, wanted text) RETURNS goal_moving
LANGUAGE plpgsql AS $$
DECLARE
    moving goal_moving;
    open_milestones bigint;
BEGIN
    wanted := nullif(wanted, g.status);
    IF wanted = 'completed' THEN
        SELECT count(*) INTO open_milestones FROM goal_milestones AS m WHERE m.goal_id = g.id AND NOT m.is_completed;
        IF open_milestones > 0 THEN
            PERFORM refuse(409, 'open_milestones', 'The goal has open milestones.',
                           jsonb_build_object('open', open_milestones));
        END IF;
        moving.paid := finish_goal(g.id);
    ELSIF g.status = 'completed' AND wanted <> 'active' THEN
        PERFORM refuse(409, 'invalid_state', 'A completed goal can only be made active again.',
                       jsonb_build_object('status', g.status));
    ELSIF wanted IS NOT NULL THEN
        UPDATE goals SET status = wanted, completed_at = NULL WHERE id = g.id;
        PERFORM recount_goal(g.id);
    END IF;
    SELECT goal_shown(s) INTO moving.goal FROM goals AS s WHERE s.id = g.id;
    RETURN moving;
END
$$;

-- Adds a milestone, last in order. A completed goal has something left to do, and is active again.
CREATE OR REPLACE FUNCTION app.add_milestone(g goals, title text, description text, target_date date) RETURNS goal_milestones
LANGUAGE plpgsql AS $$
DECLARE
    placed record;
    added goal_milestones;
BEGIN
    SELECT count(*), max(m.sort_order) INTO placed FROM goal_milestones AS m WHERE m.goal_id = g.id;
    IF placed.count >= 100 THEN
        PERFORM refuse(409, 'limit_reached', 'The goal has 100 milestones already.', '{"limit": 100}');
    END IF;
    INSERT INTO goal_milestones AS m (goal_id, title, description, target_date, sort_order)
    VALUES (g.id, title, description, target_date, coalesce(placed.max, 0) + 1)
    RETURNING m.* INTO added;
    PERFORM reopen_goal(g.id);
    PERFORM recount_goal(g.id);
    RETURN added;
END
$$;

-- Completes a milestone, and with the last open one the goal: 20 milestones a day are paid.
CREATE OR REPLACE FUNCTION app.complete_milestone(m goal_milestones) RETURNS milestone_moving
LANGUAGE plpgsql AS $$
DECLARE
    moving milestone_moving;
    g goals;
BEGIN
    SELECT * INTO g FROM goals AS s WHERE s.id = m.goal_id;
    IF g.status = 'abandoned' THEN
        PERFORM refuse(409, 'invalid_state', 'The goal is abandoned.', jsonb_build_object('status', g.status));
    END IF;
    moving.already_completed := m.is_completed;
    moving.goal_completed := g.status = 'completed';
    moving.goal_progress := g.progress;
    moving.paid := '{}';
    IF NOT m.is_completed THEN
        UPDATE goal_milestones AS s SET is_completed = true, completed_at = clock() WHERE s.id = m.id RETURNING * INTO m;
        moving.paid := moving.paid || pay_progress('milestone_complete', 'goal_milestone', m.id, 10, 0, 20);
        moving.goal_progress := recount_goal(g.id);
        IF moving.goal_progress = 100 THEN
            moving.goal_completed := true;
            moving.paid := moving.paid || finish_goal(g.id);
        END IF;
    END IF;
    moving.milestone := milestone_shown(m);
    RETURN moving;
END
$$;

-- Opens a milestone again, and a completed goal with it. What was paid stays paid.
CREATE OR REPLACE FUNCTION app.uncomplete_milestone(m goal_milestones) RETURNS milestone_moving
LANGUAGE plpgsql AS $$
DECLARE
    moving milestone_moving;
BEGIN
    UPDATE goal_milestones AS s SET is_completed = false, completed_at = NULL WHERE s.id = m.id RETURNING * INTO m;
    PERFORM reopen_goal(m.goal_id);
    moving.goal_progress := recount_goal(m.goal_id);
    moving.goal_completed := false;
    moving.milestone := milestone_shown(m);
    RETURN moving;
END
$$;

-- Deletes a milestone; answers the goal's progress without it. That it was the last open one completes nothing.
CREATE OR REPLACE FUNCTION app.delete_milestone(m goal_milestones) RETURNS int
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM goal_milestones AS s WHERE s.id = m.id;
    RETURN recount_goal(m.goal_id);
END
$$;
