SET LOCAL ROLE questlog_owner;

-- What users did: what the ledger recorded, and what clients logged.
CREATE OR REPLACE VIEW app.events_of_all WITH (security_invoker = true) AS
SELECT l.user_id, l.event_type, l.created_at FROM points_ledger AS l
 UNION ALL
SELECT e.user_id, e.event_type, e.created_at FROM activity_events AS e;

-- The newest 20 events of all users. They are looked for in the last ten minutes first, then in the last day, then in all: an
-- index of each row by its time would cost every award, and the small one there is finds the rows of a span of time.
CREATE OR REPLACE FUNCTION app.newest_events() RETURNS TABLE (user_id uuid, event_type text, created_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF 20 = (SELECT count(*) FROM (SELECT FROM events_of_all AS e
                                    WHERE e.created_at > clock() - interval '10 minutes' LIMIT 20) AS first_ones) THEN
        RETURN QUERY SELECT e.* FROM events_of_all AS e WHERE e.created_at > clock() - interval '10 minutes'
                      ORDER BY e.created_at DESC LIMIT 20;
    ELSIF 20 = (SELECT count(*) FROM (SELECT FROM events_of_all AS e
                                       WHERE e.created_at > clock() - interval '1 day' LIMIT 20) AS first_ones) THEN
        RETURN QUERY SELECT e.* FROM events_of_all AS e WHERE e.created_at > clock() - interval '1 day'
                      ORDER BY e.created_at DESC LIMIT 20;
    ELSE
        RETURN QUERY SELECT e.* FROM events_of_all AS e ORDER BY e.created_at DESC LIMIT 20;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION app.newest_events FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

-- The numbers of GET /admin/stats, counted now: which part of it, which number. Whoever asks sees the rows of all users.
--   The rows of a user's ledger are numbered, so the last one says how many there are. Positive coins are what was earned, what of
--   it was taken back, and what was given back of what was spent.
CREATE OR REPLACE FUNCTION app.count_statistics(terms_version text) RETURNS TABLE (part text, name text, value bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'users', n.name, n.value
      FROM user_statistics(terms_version) AS u
     CROSS JOIN LATERAL (VALUES
           ('total_users', u.total_users), ('tos_accepted', u.tos_accepted), ('admins', u.admins),
           ('active_7d', u.active_7d), ('active_30d', u.active_30d)) AS n (name, value)
     UNION ALL
    SELECT 'content', n.name, n.value
      FROM (VALUES
           ('exercises', (SELECT count(*) FROM exercises AS e WHERE e.owner_id IS NULL)),
           ('learn_topics', (SELECT count(*) FROM learn_topics)),
           ('learn_lessons', (SELECT count(*) FROM learn_lessons)),
           ('learn_drills', (SELECT count(*) FROM learn_drills)),
           ('universal_quests', (SELECT count(*) FROM universal_quests)),
           ('user_quests', (SELECT count(*) FROM quests)),
           ('market_items', (SELECT count(*) FROM market_items AS m WHERE m.owner_id IS NULL))) AS n (name, value)
     UNION ALL
    SELECT 'activity', n.name, n.value
      FROM (SELECT count(*) AS sessions, count(*) FILTER (WHERE s.status = 'completed') AS completed,
                   coalesce(sum(s.actual_seconds / 60), 0)::bigint AS minutes
              FROM focus_sessions AS s WHERE s.mode = 'focus') AS f
     CROSS JOIN LATERAL (VALUES
           ('total_focus_sessions', f.sessions), ('completed_focus', f.completed), ('total_focus_minutes', f.minutes),
           ('total_events',
            (SELECT coalesce(sum((SELECT max(l.seq) FROM points_ledger AS l WHERE l.user_id = u.id)), 0)::bigint FROM users AS u)
                + (SELECT count(*) FROM activity_events)),
           ('events_24h', (SELECT count(*) FROM events_of_all AS e WHERE e.created_at > clock() - interval '24 hours')),
           ('habit_completions', (SELECT count(*) FROM habit_completions)),
           ('total_goals', (SELECT count(*) FROM goals)),
           ('total_ideas', (SELECT count(*) FROM ideas)),
           ('total_books', (SELECT count(*) FROM books)),
           ('reference_tracks', (SELECT count(*) FROM reference_tracks))) AS n (name, value)
     UNION ALL
    SELECT 'gamification', n.name, n.value
      FROM (VALUES
           ('total_coins_distributed',
            ((SELECT coalesce(sum(w.total_earned), 0) FROM user_wallet AS w)
                + (SELECT coalesce(sum(abs(l.coins)), 0) FROM points_ledger AS l WHERE l.reverses IS NOT NULL))::bigint),
           ('total_xp_distributed', (SELECT coalesce(sum(p.total_xp), 0)::bigint FROM user_progress AS p)),
           ('achievements_earned', (SELECT count(*) FROM user_achievements)),
           ('total_purchases', (SELECT count(*) FROM user_purchases))) AS n (name, value);
END;

-- Whether there are too many rows to count all of them while a request waits, by what the planner estimates.
CREATE OR REPLACE FUNCTION app.place_is_large() RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT sum(greatest(c.reltuples, 0)) > 20000
      FROM pg_class AS c
     WHERE c.oid = ANY (ARRAY[
           'users', 'user_progress', 'user_wallet', 'user_achievements', 'user_purchases', 'quests', 'focus_sessions',
           'activity_events', 'habit_completions', 'goals', 'ideas', 'books', 'reference_tracks']::regclass[]);
END;

-- When the numbers of GET /admin/stats were counted: now, or in a large place when the clean-up counted them last.
CREATE OR REPLACE FUNCTION app.statistics_time() RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN place_is_large() THEN coalesce(nullif(counted_until('statistics'), '-infinity'), clock()) ELSE clock() END;
END;

-- The numbers of that time.
CREATE OR REPLACE FUNCTION app.known_statistics(terms_version text) RETURNS TABLE (part text, name text, value bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF statistics_time() < clock() THEN
        RETURN QUERY SELECT c.kind[1], c.kind[2], c.total FROM list_counts AS c WHERE c.list = 'statistics';
    ELSE
        RETURN QUERY SELECT s.* FROM count_statistics(terms_version) AS s;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION app.known_statistics, app.statistics_time FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
REVOKE EXECUTE ON FUNCTION app.count_statistics, app.place_is_large FROM questlog_app, questlog_auth, questlog_operator;
