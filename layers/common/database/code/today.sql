SET LOCAL ROLE questlog_owner;

-- What the user is interested in, most important first. Until onboarding brings its own, which asks user_interests first:
-- the setting.
CREATE OR REPLACE FUNCTION app.interests() RETURNS text[]
LANGUAGE sql STABLE
RETURN ARRAY(SELECT i.interest FROM jsonb_array_elements_text(setting('interests')) WITH ORDINALITY AS i (interest, place)
              ORDER BY i.place);

-- Whether the first-run flow was begun and is neither finished nor skipped. Until onboarding brings its own: there is none.
CREATE OR REPLACE FUNCTION app.onboarding_active() RETURNS boolean
LANGUAGE sql STABLE
RETURN false;

-- A local day's rows of the ledger; coins without what was spent, so without what a refund gave back.
CREATE OR REPLACE FUNCTION internal.paid_on(day date) RETURNS TABLE (xp bigint, coins bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(sum(l.xp), 0)::bigint, coalesce(sum(earned_coins(l.coins, l.reverses)), 0)::bigint
      FROM points_ledger AS l WHERE l.local_date = paid_on.day;
END;

-- `plan` is the day's as plan_shown() shows it, or null.
CREATE OR REPLACE FUNCTION app.day_summary(day date, plan jsonb) RETURNS TABLE (summary jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT jsonb_build_object(
               'date', day_summary.day,
               'plan', jsonb_build_object('completed', coalesce((plan -> 'completed_count')::int, 0),
                                          'total', coalesce((plan -> 'total_count')::int, 0)),
               'habits', (SELECT jsonb_build_object('done', count(*) FILTER (WHERE h.done),
                                                    'due', count(*) FILTER (WHERE h.due OR h.done))
                            FROM habits_on(day_summary.day) AS h),
               'focus', (SELECT jsonb_build_object('seconds', coalesce(sum(f.actual_seconds), 0), 'sessions', count(*))
                           FROM day_bounds(day_summary.day) AS b, focus_sessions AS f
                          WHERE f.mode = 'focus' AND f.status = 'completed'
                            AND f.ended_at >= lower(b) AND f.ended_at < upper(b)),
               'quests', jsonb_build_object('active', q.active, 'ready', q.ready),
               'streak', jsonb_build_object('days', s.current_streak, 'at_risk', s.at_risk),
               'level', jsonb_build_object('level', p -> 'level', 'current_xp', p -> 'current_xp',
                                           'xp_to_next_level', p -> 'xp_to_next_level',
                                           'xp_progress_percent', p -> 'xp_progress_percent'),
               'xp_today', l.xp,
               'coins_today', l.coins,
               'overdue_goals', overdue_goals())
      FROM quest_counts() AS q, effective_streaks() AS s, progress_shown() AS p, paid_on(day_summary.day) AS l
     WHERE s.streak_type = 'daily_activity';
END;

-- What the user did since an instant: awards that stand, but those that come by themselves, and what clients log.
CREATE OR REPLACE FUNCTION app.activities(since timestamptz) RETURNS TABLE (event_type text, at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT a.event_type, a.created_at FROM standing_awards AS a
     WHERE a.created_at >= since AND a.event_type NOT IN ('achievement', 'admin_adjustment')
     UNION ALL
    SELECT e.event_type, e.created_at FROM activity_events AS e WHERE e.created_at >= since;
END;

-- The newest of all of them; no row if there is none. Both kinds are read from their newest end, and no further.
CREATE OR REPLACE FUNCTION app.newest_activity() RETURNS TABLE (event_type text, at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT n.event_type, n.created_at
      FROM ((SELECT a.event_type, a.created_at FROM standing_awards AS a
              WHERE a.event_type NOT IN ('achievement', 'admin_adjustment') ORDER BY a.created_at DESC LIMIT 1)
             UNION ALL
            (SELECT e.event_type, e.created_at FROM activity_events AS e ORDER BY e.created_at DESC LIMIT 1)) AS n
     ORDER BY n.created_at DESC LIMIT 1;
END;
