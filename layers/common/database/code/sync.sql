SET LOCAL ROLE questlog_owner;

-- Level, XP, coins and the daily streak.
CREATE OR REPLACE FUNCTION app.sync_progress() RETURNS TABLE (
    level int, current_xp bigint, xp_to_next_level bigint, xp_remaining bigint, total_xp bigint, coins bigint, streak_days int
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.level, p.current_xp, p.xp_to_next_level, p.xp_remaining, p.total_xp, p.coins, effective_streak('daily_activity')
      FROM level_progress AS p;
END;

-- The numbers of the badges: what waits for the user in each part of the app.
CREATE OR REPLACE FUNCTION app.sync_badges() RETURNS TABLE (
    unread_inbox bigint, active_quests bigint, pending_habits bigint, overdue_items bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT unread_inbox(), q.active, h.pending, overdue_goals() + q.overdue
      FROM quest_counts() AS q,
           (SELECT local_today() AS today OFFSET 0) AS d,
           LATERAL (SELECT count(*) AS pending FROM habits_on(d.today) AS o WHERE o.pending) AS h;
END;

-- The focus timer that runs or is paused. One row, also where there is none.
CREATE OR REPLACE FUNCTION app.sync_focus() RETURNS TABLE (
    has_active_session boolean, mode text, time_remaining_seconds int, expires_at timestamptz, session_id uuid, status text
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.id IS NOT NULL, s.mode, CASE WHEN s.id IS NOT NULL THEN focus_remaining_seconds(s, clock()) END,
           focus_expires_at(s), s.id, s.status
      FROM (VALUES (1)) AS always (row) LEFT JOIN focus_sessions AS s ON s.status IN ('active', 'paused');
END;

-- How much of the day's plan is completed. One row, also without a plan.
CREATE OR REPLACE FUNCTION app.sync_plan() RETURNS TABLE (has_plan boolean, completed bigint, total bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT count(p.id) > 0, count(*) FILTER (WHERE i.completed), count(i.id)
      FROM (SELECT local_today() AS today OFFSET 0) AS d
      LEFT JOIN daily_plans AS p ON p.date = d.today
      LEFT JOIN LATERAL plan_items(p) AS i ON true;
END;

-- Until when a poll stays the same if nobody writes: the end of the user's day, or an earlier moment at which something ends, expires
-- or comes back.
CREATE OR REPLACE FUNCTION app.sync_unchanged_until() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN least((SELECT upper(day_bounds(local_today()))), next_inbox_change(), next_quest_change(), next_shield_end(),
             (SELECT focus_expires_at(s) FROM focus_sessions AS s WHERE s.status IN ('active', 'paused')));

-- The poll; no row if the client has the document of these revisions and it is unchanged. The timer is settled first, and what that
-- pays is shown. In PL/pgSQL, so that for an unchanged poll the statements of the document are not even prepared.
CREATE OR REPLACE FUNCTION app.sync_poll(seen bigint, seen_shared bigint, until timestamptz)
RETURNS TABLE (
    level int, current_xp bigint, xp_to_next_level bigint, xp_remaining bigint, total_xp bigint, coins bigint, streak_days int,
    unread_inbox bigint, active_quests bigint, pending_habits bigint, overdue_items bigint,
    has_active_session boolean, mode text, time_remaining_seconds int, expires_at timestamptz, session_id uuid, status text,
    has_plan boolean, completed bigint, total bigint,
    server_time timestamptz, revision bigint, shared_revision bigint, unchanged_until timestamptz
)
LANGUAGE plpgsql AS $$
BEGIN
    IF is_unchanged(seen, seen_shared, until) THEN
        RETURN;
    END IF;
    PERFORM settle_focus();
    RETURN QUERY
        SELECT p.*, b.*, f.*, d.*, clock(), r.own, r.shared, sync_unchanged_until()
          FROM sync_progress() AS p, sync_badges() AS b, sync_focus() AS f, sync_plan() AS d
          LEFT JOIN revisions() AS r ON true;
END
$$;

-- The version of each domain: a digest of all that the domain shows. It changes whenever that changes, by a write or by
-- the beginning of a day, and only then. A count or the latest updated_at would miss deletions, and transactions that
-- began early and were committed late.
--   Of lists it is made of who wrote their rows last, not of what is in them.
CREATE OR REPLACE FUNCTION app.sync_versions() RETURNS TABLE (domain text, version text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.domain, md5(coalesce(c.content, ''))
      FROM (VALUES
           ('progress', (SELECT p::text FROM sync_progress() AS p)),
           ('badges', (SELECT b::text FROM sync_badges() AS b)),
           ('focus', (SELECT s::text FROM focus_sessions AS s WHERE s.status IN ('active', 'paused'))),
           ('plan', (SELECT concat(p::text, (SELECT string_agg(i.completed::text, ',' ORDER BY i.position)
                                               FROM plan_items(p) AS i))
                       FROM daily_plans AS p WHERE p.date = (SELECT local_today()))),
           ('habits', shown_habits_version((SELECT local_today()))),
           ('goals', goals_version()),
           ('quests', quests_version()),
           ('settings', (SELECT string_agg(concat_ws(' ', s.key, s.value), ',' ORDER BY s.key)
                           FROM settings_now() AS s))) AS c (domain, content);
END;

-- Whether POST /sync/poll returns this domain. Its first statement has noted the domains that changed.
CREATE OR REPLACE FUNCTION app.sync_asks(domain text) RETURNS boolean
LANGUAGE sql STABLE
RETURN domain = ANY (string_to_array(current_setting('app.sync_domains', true), ','));
