SET LOCAL ROLE questlog_board;

-- The daily streak of every user, as effective_streak() shows it to that user: by the user's own days.
CREATE OR REPLACE FUNCTION internal.board_streaks() RETURNS TABLE (user_id uuid, streak int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.user_id,
           CASE WHEN s.user_id = (SELECT current_user_id()) THEN effective_streak('daily_activity')
                WHEN m.missed <= 0 OR m.missed <= shields_held_by(s.user_id) THEN s.current_streak
                ELSE 0
           END
      FROM user_streaks AS s
      LEFT JOIN user_settings AS z ON z.user_id = s.user_id AND z.key = 'timezone'
      LEFT JOIN user_settings AS h ON h.user_id = s.user_id AND h.key = 'day_start_hour'
     CROSS JOIN LATERAL (
           SELECT local_day(clock(), coalesce(z.value #>> '{}', 'UTC'), coalesce(h.value::int, 0)) - 1 - s.last_activity_date
               AS missed) AS m
     WHERE s.streak_type = 'daily_activity';
END;

-- The first `size` rows of a board and the caller's own, wherever it stands.
--   It lists the users whose setting profile_public is true, without suspended ones. A caller without that setting sees a
--   board with only their own row. The week or month is the caller's present one; XP counts by the local date that it has
--   in its own user's ledger.
CREATE OR REPLACE FUNCTION app.leaderboard(board text, period text, size int) RETURNS TABLE (
    place bigint, rank bigint, name text, value bigint, level int, is_me boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
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
           AND EXISTS (SELECT FROM opted_in AS o WHERE o.user_id = current_user_id())
         UNION
        SELECT u.id, u.name FROM users AS u WHERE u.id = current_user_id()
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
               s.name, s.value, s.level, s.id = current_user_id() AS is_me
          FROM shown AS s
    )
    SELECT r.* FROM ranked AS r WHERE r.place <= size OR r.is_me ORDER BY r.place;
END;
