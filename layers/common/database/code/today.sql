SET LOCAL ROLE questlog_owner;

-- What the ledger paid on a local day. Coins that were spent do not count, and neither do refunds of them.
CREATE OR REPLACE FUNCTION internal.paid_on(day date) RETURNS TABLE (xp bigint, coins bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(sum(d.xp), 0)::bigint, coalesce(sum(d.coins_earned), 0)::bigint
      FROM ledger_days AS d WHERE d.day = paid_on.day;
END;

-- A local day in numbers. Those of its plan are not among them; they are counted from the plan's items.
CREATE OR REPLACE FUNCTION app.day_summary(day date) RETURNS TABLE (
    date date, habits_done bigint, habits_due bigint, focus_seconds bigint, focus_sessions bigint, quests_active bigint,
    quests_ready bigint, streak_days int, streak_at_risk boolean, level int, current_xp bigint, xp_to_next_level bigint,
    xp_today bigint, coins_today bigint, overdue_goals bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT day_summary.day, h.done, h.due, f.seconds, f.sessions, q.active, q.ready, s.current_streak, s.at_risk,
           p.level, p.current_xp, p.xp_to_next_level, l.xp, l.coins, overdue_goals()
      FROM quest_counts() AS q,
           effective_streaks() AS s,
           level_progress AS p,
           paid_on(day_summary.day) AS l,
           LATERAL (
               SELECT count(*) FILTER (WHERE o.done) AS done, count(*) FILTER (WHERE o.due OR o.done) AS due
                 FROM habits_on(day_summary.day) AS o) AS h,
           LATERAL (
               -- The bounds are scalar subqueries, for which the planner expects few rows: of a join it expects a ninth of
               -- all sessions, and reads them all.
               WITH d AS MATERIALIZED (SELECT day_bounds(day_summary.day) AS bounds)
               SELECT coalesce(sum(t.actual_seconds), 0) AS seconds, count(*) AS sessions
                 FROM focus_sessions AS t
                WHERE t.mode = 'focus' AND t.status = 'completed'
                  AND t.ended_at >= (SELECT lower(d.bounds) FROM d) AND t.ended_at < (SELECT upper(d.bounds) FROM d)) AS f
     WHERE s.streak_type = 'daily_activity';
END;

-- How often each event happened since an instant: rows of the ledger without those that were taken back, and what clients log.
-- Balances follow each other in time, so the rows since then are those from a number (`first`) on: the blocks that begin with it or
-- later, what stands before them, and what stands behind them.
CREATE OR REPLACE FUNCTION app.activity_counts(since timestamptz) RETURNS TABLE (event_type text, count bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH f AS MATERIALIZED (
        SELECT (SELECT l.seq FROM points_ledger AS l WHERE l.created_at >= since ORDER BY l.created_at, l.seq LIMIT 1) AS first
    ), b AS MATERIALIZED (
        SELECT f.first,
               (SELECT b.last_seq FROM ledger_blocks AS b WHERE b.last_seq >= f.first - 1 ORDER BY b.last_seq LIMIT 1) AS head,
               (SELECT b.last_seq FROM ledger_blocks AS b WHERE b.last_seq >= f.first - 1 ORDER BY b.last_seq DESC LIMIT 1) AS tail
          FROM f
    )
    SELECT c.event_type, sum(c.count)::bigint
      FROM (-- Rows are read with their ids and grouped after that (OFFSET 0), so that the planner takes the index by numbers: the one
            -- by events has no ids, and is in an order that is of no use.
            SELECT h.event_type, count(h.id) AS count
              FROM (SELECT l.event_type, l.id FROM points_ledger AS l
                     WHERE l.seq >= (SELECT b.first FROM b) AND l.seq <= (SELECT b.head FROM b) OFFSET 0) AS h
             GROUP BY h.event_type
             UNION ALL
            SELECT k.event_type, sum(k.count)
              FROM ledger_blocks AS k WHERE k.last_seq > (SELECT b.head FROM b) GROUP BY k.event_type
             UNION ALL
            SELECT t.event_type, count(t.id)
              FROM (SELECT l.event_type, l.id FROM points_ledger AS l
                     WHERE l.seq >= (SELECT coalesce(b.tail + 1, b.first) FROM b) OFFSET 0) AS t
             GROUP BY t.event_type
             UNION ALL
            -- OFFSET 0: the few that were taken back are looked up one by one.
            SELECT t.event_type, -1
              FROM event_definitions AS d,
                   LATERAL (SELECT r.reverses FROM points_ledger AS r
                             WHERE r.event_type = d.event_type AND r.seq >= (SELECT b.first FROM b) OFFSET 0) AS r,
                   LATERAL (SELECT l.event_type FROM points_ledger AS l
                             WHERE l.id = r.reverses AND l.seq >= (SELECT b.first FROM b) OFFSET 0) AS t
             WHERE d.kind = 'reversal'
             UNION ALL
            SELECT e.event_type, count(*) FROM activity_events AS e WHERE e.created_at >= since GROUP BY e.event_type) AS c
     GROUP BY c.event_type
    HAVING sum(c.count) > 0;
END;

-- The newest activity; no row where there is none. Of each kind only the newest row is read.
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
