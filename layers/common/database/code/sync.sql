SET LOCAL ROLE questlog_owner;

-- What other groups bring: how many items of the inbox are unread. Until the inbox brings its own: there are none.
CREATE OR REPLACE FUNCTION internal.unread_inbox() RETURNS bigint
LANGUAGE sql STABLE
RETURN 0::bigint;

-- The first, progress, is progress_shown().

-- How much waits where.
CREATE OR REPLACE FUNCTION app.sync_badges() RETURNS TABLE (badges jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT jsonb_build_object(
               'unread_inbox', unread_inbox(),
               'active_quests', q.active,
               'pending_habits', (SELECT count(*) FROM habits_on(d.today) AS h WHERE h.pending),
               'overdue_items', overdue_goals() + q.overdue)
      FROM quest_counts() AS q, (SELECT local_today() AS today OFFSET 0) AS d;
END;

-- The timer, running or paused.
CREATE OR REPLACE FUNCTION app.sync_focus() RETURNS TABLE (focus jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT jsonb_build_object(
               'has_active_session', s.id IS NOT NULL,
               'mode', s.mode,
               'time_remaining_seconds', CASE WHEN s.id IS NOT NULL THEN focus_remaining_seconds(s, clock()) END,
               'expires_at', focus_expires_at(s),
               'session_id', s.id,
               'status', s.status)
      FROM (VALUES (1)) AS always (row) LEFT JOIN focus_sessions AS s ON s.status IN ('active', 'paused');
END;

-- How far the day's plan is.
CREATE OR REPLACE FUNCTION app.sync_plan() RETURNS TABLE (plan jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT jsonb_build_object(
               'has_plan', t.plan IS NOT NULL,
               'completed', c.completed,
               'total', c.total,
               'percent_complete', coalesce(100.0::double precision * c.completed / nullif(c.total, 0), 0))
      FROM (SELECT (SELECT plan_shown(p) FROM daily_plans AS p WHERE p.date = (SELECT local_today())) AS plan OFFSET 0) AS t,
           LATERAL (SELECT coalesce((t.plan -> 'completed_count')::int, 0) AS completed,
                           coalesce((t.plan -> 'total_count')::int, 0) AS total) AS c;
END;

-- A name for the present state of each domain, that changes whenever something a domain shows does, by a write or by the
-- turn of a day, and then only: a digest of all it is made of. A count or the latest updated_at would miss deletions, and
-- writes that began early and were committed late.
--   Of goals and quests the rows are enough, without the documents made of them: what else goes into those is how many
--   goals are overdue by now and the present periods, and a quest's streak is moved only together with its row.
CREATE OR REPLACE FUNCTION app.sync_versions() RETURNS TABLE (domain text, version text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.domain, md5(coalesce(c.content, ''))
      FROM (VALUES
           ('progress', progress_shown()::text),
           ('badges', (SELECT b.badges::text FROM sync_badges() AS b)),
           ('focus', (SELECT (focus_shown(s) - ARRAY['time_remaining_seconds', 'actual_seconds'])::text
                        FROM focus_sessions AS s WHERE s.status IN ('active', 'paused'))),
           ('plan', (SELECT plan_shown(p)::text FROM daily_plans AS p WHERE p.date = (SELECT local_today()))),
           ('habits', habits_shown()::text),
           ('goals', concat_ws(' ', (SELECT coalesce(sum(hashtextextended(g::text, 0)), 0) FROM goals AS g),
                               (SELECT coalesce(sum(hashtextextended(m::text, 0)), 0) FROM goal_milestones AS m),
                               overdue_goals())),
           ('quests', (SELECT sum(hashtextextended(q::text, 0))::text FROM quests_now AS q)),
           ('settings', settings_shown()::text)) AS c (domain, content);
END;

-- What a domain shows.
CREATE OR REPLACE FUNCTION app.sync_data(domain text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE domain
    WHEN 'progress' THEN progress_shown()
    WHEN 'badges' THEN (SELECT b.badges FROM sync_badges() AS b)
    WHEN 'focus' THEN (SELECT f.focus FROM sync_focus() AS f)
    WHEN 'plan' THEN (SELECT p.plan FROM sync_plan() AS p)
    WHEN 'habits' THEN jsonb_build_object('habits', habits_shown())
    WHEN 'goals' THEN jsonb_build_object('goals', goals_shown(), 'total', (SELECT count(*) FROM goals))
    -- the first page of the list: of own quests there is no limit
    WHEN 'quests' THEN (
        SELECT jsonb_build_object('quests', jsonb_agg(s.quest), 'total', (SELECT count(*) FROM quests_now))
          FROM (SELECT quest_shown(q) AS quest FROM quests_now AS q
                 ORDER BY q.kind DESC, q.sort_order, q.created_at DESC, q.id LIMIT 100) AS s)
    WHEN 'settings' THEN settings_shown()
END;
