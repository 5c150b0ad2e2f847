-- migrate:up
-- Gamification: how the ledger is shown, to its user and on the boards that users chose to stand on.
SET LOCAL ROLE questlog_owner;

-- The feed of awards is read by time. Not by seq: a payment that waited for the lock has the later number and the
-- earlier time, and paging by time would step over it.
-- squawk-ignore require-concurrent-index-creation -- before the first release no server has rows in it
CREATE INDEX points_ledger_recent ON points_ledger (user_id, created_at DESC);
-- Who chose to be shown, without a look at anyone's other settings.
-- squawk-ignore require-concurrent-index-creation -- before the first release no server has rows in it
CREATE INDEX user_settings_public ON user_settings (user_id) WHERE key = 'profile_public' AND value = 'true';

-- The awards that stand: no spends, no counter-entries, nothing that was taken back.
CREATE VIEW standing_awards WITH (security_invoker = true) AS
SELECT l.* FROM points_ledger AS l
 WHERE l.reverses IS NULL
   AND l.coins >= 0
   AND NOT EXISTS (SELECT FROM points_ledger AS r WHERE r.user_id = l.user_id AND r.reverses = l.id);
GRANT SELECT ON standing_awards TO questlog_app, questlog_jobs, questlog_admin;

-- What the user has come to: one row, also for a user without a ledger.
CREATE FUNCTION my_progress() RETURNS TABLE (
    total_xp bigint, current_level int, current_xp bigint, xp_to_next_level bigint, xp_remaining bigint,
    total_skill_stars bigint, coins bigint, total_earned bigint, total_spent bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.total_xp, s.level, s.total_xp - l.begins, l.cost, l.begins + l.cost - s.total_xp,
           s.stars, s.coins, s.earned, s.spent
      FROM (SELECT coalesce(p.total_xp, 0) AS total_xp, coalesce(p.current_level, 1) AS level,
                   coalesce(p.total_skill_stars, 0) AS stars, coalesce(w.coins, 0) AS coins,
                   coalesce(w.total_earned, 0) AS earned, coalesce(w.total_spent, 0) AS spent
              FROM (VALUES (true)) AS always
              LEFT JOIN user_progress AS p ON true
              LEFT JOIN user_wallet AS w ON true) AS s
     CROSS JOIN LATERAL (SELECT level_floor(s.level) AS begins, level_cost(s.level) AS cost OFFSET 0) AS l;
END;

-- Progress as it is polled. plpgsql, here and below, keeps the plan of its query between requests.
CREATE FUNCTION progress_shown() RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
                   'level', p.current_level,
                   'total_xp', p.total_xp,
                   'current_xp', p.current_xp,
                   'xp_to_next_level', p.xp_to_next_level,
                   'xp_remaining', p.xp_remaining,
                   'xp_progress_percent', 100.0::double precision * p.current_xp / p.xp_to_next_level,
                   'coins', p.coins,
                   'streak_days', effective_streak('daily_activity'))
          FROM my_progress() AS p);
END
$$;

-- A page that shows a shield count asks for itself; the ledger asks as its owner.
GRANT EXECUTE ON FUNCTION shields_held() TO questlog_app, questlog_admin;

-- Everything a profile page says in numbers.
CREATE FUNCTION summary_shown() RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT to_jsonb(p) || jsonb_build_object(
                   'xp_progress_percent', 100 * p.current_xp / p.xp_to_next_level,
                   'achievement_count', (SELECT count(*) FROM user_achievements),
                   'current_streak', s.current_streak,
                   'longest_streak', s.longest_streak,
                   'streak_at_risk', s.at_risk,
                   'streak_shields', shields_held())
          FROM my_progress() AS p, effective_streaks() AS s
         WHERE s.streak_type = 'daily_activity');
END
$$;

-- The achievements a user may know of, and how far each is: archived ones and hidden ones only once they are earned.
--   Progress is that of the fact the definition watches, as it stands now; a level counts the levels gained on the way,
--   and an event has happened or not. What is earned is complete for ever, whatever the fact does later.
CREATE FUNCTION achievements_shown() RETURNS TABLE (
    definition achievement_definitions, earned boolean, earned_at timestamptz, notified boolean,
    progress bigint, progress_max bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d, a.achievement_key IS NOT NULL, a.earned_at, a.notified,
           CASE WHEN a.achievement_key IS NOT NULL THEN g.goal ELSE least(g.goal, greatest(0, coalesce(f.value, 0) - g.base)) END,
           g.goal
      FROM achievement_definitions AS d
      LEFT JOIN user_achievements AS a ON a.achievement_key = d.key
      LEFT JOIN (
            SELECT 'counter:' || c.counter AS fact, c.value FROM user_counters AS c
             UNION ALL
            SELECT 'streak:' || s.streak_type, s.current_streak FROM effective_streaks() AS s
             UNION ALL
            SELECT 'level', p.current_level FROM user_progress AS p) AS f ON f.fact = d.watches
     CROSS JOIN LATERAL (SELECT CASE d.trigger_type WHEN 'level' THEN 1 ELSE 0 END AS base) AS b
     CROSS JOIN LATERAL (SELECT b.base, greatest(1, d.threshold - b.base) AS goal) AS g
     WHERE a.achievement_key IS NOT NULL OR (d.is_active AND NOT d.is_hidden);
END;

-- Leaderboards ----------------------------------------------------------------------------------------------------
-- The one place where users read about others. The functions belong to a role that sees the few columns a board is made
-- of, and answer no ids; nobody logs in as that role.

CREATE POLICY board ON users FOR SELECT TO questlog_board USING (true);
CREATE POLICY board ON user_settings FOR SELECT TO questlog_board
    USING (key IN ('profile_public', 'timezone', 'day_start_hour'));
CREATE POLICY board ON user_progress FOR SELECT TO questlog_board USING (true);
CREATE POLICY board ON user_streaks FOR SELECT TO questlog_board USING (streak_type = 'daily_activity');
CREATE POLICY board ON points_ledger FOR SELECT TO questlog_board USING (true);
GRANT SELECT (id, name, approved) ON users TO questlog_board;
GRANT SELECT (user_id, key, value) ON user_settings TO questlog_board;
GRANT SELECT (user_id, total_xp, current_level) ON user_progress TO questlog_board;
GRANT SELECT (user_id, streak_type, current_streak, last_activity_date) ON user_streaks TO questlog_board;
GRANT SELECT (user_id, xp, local_date) ON points_ledger TO questlog_board;
-- The caller's own row says what every other page of theirs does.
GRANT EXECUTE ON FUNCTION effective_streak(text) TO questlog_board;

SET LOCAL ROLE questlog_board;

-- Streak shields that someone on a board holds, as shields_held() is for the caller. Called as questlog_board, and only
-- for streaks with a gap. Until the market brings its own: none.
CREATE FUNCTION shields_held_by(holder uuid) RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN 0;
END
$$;
REVOKE ALL ON FUNCTION shields_held_by(uuid) FROM PUBLIC;

-- The daily streaks of all as they are shown, each by its user's own days: effective_streak(), for a set.
CREATE FUNCTION board_streaks() RETURNS TABLE (user_id uuid, streak int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.user_id,
           CASE WHEN s.user_id = (SELECT me()) THEN effective_streak('daily_activity')
                WHEN m.missed <= 0 OR m.missed <= shields_held_by(s.user_id) THEN s.current_streak
                ELSE 0
           END
      FROM user_streaks AS s
      LEFT JOIN user_settings AS z ON z.user_id = s.user_id AND z.key = 'timezone'
      LEFT JOIN user_settings AS h ON h.user_id = s.user_id AND h.key = 'day_start_hour'
     CROSS JOIN LATERAL (
           SELECT local_day(now(), coalesce(z.value #>> '{}', 'UTC'), coalesce(h.value::int, 0)) - 1 - s.last_activity_date
               AS missed) AS m
     WHERE s.streak_type = 'daily_activity';
END;
REVOKE ALL ON FUNCTION board_streaks() FROM PUBLIC;

-- The first `size` rows of a board and the caller's own, wherever it stands.
--   On it are the users whose setting profile_public is true, without those suspended. A caller who did not choose that
--   stands on an empty board, alone. This week and this month are the caller's: the same dates for all, on which XP falls
--   by its own user's days.
CREATE FUNCTION leaderboard(board text, period text, size int) RETURNS TABLE (
    place bigint, rank bigint, name text, value bigint, level int, is_me boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    WITH dates AS MATERIALIZED (
        SELECT f.first_day, (f.first_day + ('1 ' || nullif(period, 'all'))::interval)::date AS next_period
          FROM (SELECT date_trunc(nullif(period, 'all'), local_today()::timestamp)::date AS first_day) AS f
    ), opted_in AS (
        SELECT s.user_id FROM user_settings AS s WHERE s.key = 'profile_public' AND s.value = 'true'
    ), members AS MATERIALIZED (
        SELECT u.id, u.name
          FROM users AS u
         WHERE u.approved
           AND u.id IN (SELECT o.user_id FROM opted_in AS o)
           AND EXISTS (SELECT FROM opted_in AS o WHERE o.user_id = me())
         UNION
        SELECT u.id, u.name FROM users AS u WHERE u.id = me()
    ), scores AS (
        SELECT p.user_id, p.total_xp AS score
          FROM members AS m JOIN user_progress AS p ON p.user_id = m.id
         WHERE board = 'xp' AND period = 'all'
         UNION ALL
        SELECT l.user_id, sum(l.xp)
          FROM members AS m, dates AS d, points_ledger AS l
         WHERE board = 'xp' AND l.user_id = m.id AND l.local_date >= d.first_day AND l.local_date < d.next_period
         GROUP BY l.user_id
         UNION ALL
        SELECT s.user_id, s.streak
          FROM members AS m JOIN board_streaks() AS s ON s.user_id = m.id
         WHERE board = 'streaks'
    ), shown AS (
        SELECT m.id, coalesce(nullif(btrim(m.name), ''), 'Player') AS name, coalesce(s.score, 0)::bigint AS value,
               coalesce(p.current_level, 1) AS level
          FROM members AS m
          LEFT JOIN scores AS s ON s.user_id = m.id
          LEFT JOIN user_progress AS p ON p.user_id = m.id
    ), ranked AS (
        SELECT row_number() OVER (ORDER BY s.value DESC, s.name, s.id) AS place,
               rank() OVER (ORDER BY s.value DESC) AS rank,
               s.name, s.value, s.level, s.id = me() AS is_me
          FROM shown AS s
    )
    SELECT r.* FROM ranked AS r WHERE r.place <= size OR r.is_me ORDER BY r.place;
END;
REVOKE ALL ON FUNCTION leaderboard(text, text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION leaderboard(text, text, int) TO questlog_app;
