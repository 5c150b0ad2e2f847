SET LOCAL ROLE questlog_board;

-- The boards read what is kept for them: a row of leaderboard_scores per member and period, which award() moves in its own
-- transaction (move_scores). So a board is exact at every moment, its first rows are the first of an index, and no job has to
-- run. A refresh each minute would read all members 1,440 times a day, and somebody who steps off would stay for a minute.

-- The members with the most XP of a period that begins on a day, and those who are even with the last of them.
--   Members whose own day is in the next period already have the XP of this one in xp_before.
CREATE OR REPLACE FUNCTION internal.best_scores(wanted text, first_day date, next_day date, size bigint)
RETURNS TABLE (user_id uuid, score bigint)
LANGUAGE sql STABLE ROWS 50
-- The planner does not know how few rows are wanted, and would rather sort them all than read the first of the index.
SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
BEGIN ATOMIC
    (SELECT s.user_id, s.xp FROM leaderboard_scores AS s
      WHERE s.period = wanted AND s.first_day = best_scores.first_day
      ORDER BY s.xp DESC FETCH FIRST (size) ROWS WITH TIES)
     UNION ALL
    (SELECT s.user_id, s.xp_before FROM leaderboard_scores AS s
      WHERE s.period = wanted AND s.first_day = next_day
      ORDER BY s.xp_before DESC FETCH FIRST (size) ROWS WITH TIES);
END;

-- How many members have more XP of a period than `value`.
CREATE OR REPLACE FUNCTION internal.scores_above(wanted text, first_day date, next_day date, value bigint) RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM leaderboard_scores AS s
             WHERE s.period = wanted AND s.first_day = scores_above.first_day AND s.xp > value)
         + (SELECT count(*) FROM leaderboard_scores AS s
             WHERE s.period = wanted AND s.first_day = next_day AND s.xp_before > value)
         -- Whoever got nothing in the period stands at 0.
         + (SELECT count(*) FROM leaderboard_scores AS s
             WHERE value < 0 AND s.period = wanted AND s.first_day < scores_above.first_day);
END;

-- The daily streaks of members that stand, as effective_streak() shows them to their users: by each user's own days.
--   Only recent ones are read. No zone's date is ahead of the date at UTC+14, and none is more than 26 hours behind it, six
--   more where days begin late: between the two, the user's settings decide. Older ones stand by shields alone.
CREATE OR REPLACE FUNCTION internal.standing_streaks() RETURNS TABLE (user_id uuid, streak int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH dates AS MATERIALIZED (
        SELECT d.latest - 1 AS certain, d.latest - 3 AS possible
          FROM (SELECT (clock() AT TIME ZONE 'Etc/GMT-14')::date AS latest) AS d
    ), shielded AS MATERIALIZED (
        SELECT DISTINCT p.user_id
          FROM user_purchases AS p
          JOIN market_items AS i ON i.owner_key = p.item_owner AND i.id = p.item_id
         WHERE p.status = 'active' AND i.effect_json ->> 'type' = 'streak_shield'
    ), doubtful AS (
        SELECT s.user_id, s.current_streak, s.last_activity_date
          FROM dates AS d, user_streaks AS s
         WHERE s.streak_type = 'daily_activity' AND s.last_activity_date >= d.possible AND s.last_activity_date < d.certain
         UNION ALL
        SELECT s.user_id, s.current_streak, s.last_activity_date
          FROM dates AS d, shielded AS h JOIN user_streaks AS s ON s.user_id = h.user_id
         WHERE s.streak_type = 'daily_activity' AND s.last_activity_date < d.possible
    )
    SELECT s.user_id, s.current_streak
      FROM dates AS d, user_streaks AS s JOIN leaderboard_scores AS m ON m.user_id = s.user_id AND m.period = 'all'
     WHERE s.streak_type = 'daily_activity' AND s.last_activity_date >= d.certain
     UNION ALL
    SELECT s.user_id, s.current_streak
      FROM doubtful AS s
      JOIN leaderboard_scores AS b ON b.user_id = s.user_id AND b.period = 'all'
      LEFT JOIN user_settings AS z ON z.user_id = s.user_id AND z.key = 'timezone'
      LEFT JOIN user_settings AS h ON h.user_id = s.user_id AND h.key = 'day_start_hour'
     CROSS JOIN LATERAL (
           SELECT local_day(clock(), coalesce(z.value #>> '{}', 'UTC'), coalesce(h.value::int, 0)) - 1 - s.last_activity_date
               AS missed) AS m
     WHERE m.missed <= 0
        OR s.user_id IN (SELECT h.user_id FROM shielded AS h) AND m.missed <= shields_held_by(s.user_id);
END;

-- The members who can be at the top of a board of `size` rows: the best ones, and where these are too few, those at 0.
CREATE OR REPLACE FUNCTION internal.board_candidates(board text, wanted text, first_day date, next_day date, size bigint)
RETURNS TABLE (user_id uuid, score bigint)
LANGUAGE sql STABLE ROWS 50
BEGIN ATOMIC
    WITH best AS MATERIALIZED (
        SELECT b.user_id, b.score FROM best_scores(wanted, first_day, next_day, size) AS b WHERE board = 'xp'
         UNION ALL
        (SELECT t.user_id, t.streak FROM standing_streaks() AS t WHERE board = 'streaks'
          ORDER BY t.streak DESC FETCH FIRST (size) ROWS WITH TIES)
    )
    SELECT b.user_id, b.score FROM best AS b
     UNION ALL
    SELECT s.user_id, 0
      FROM leaderboard_scores AS s
     WHERE (SELECT count(*) FROM best AS b WHERE b.score > 0) < size
       AND s.period = wanted
       AND (board = 'streaks' OR s.first_day < board_candidates.first_day)
       AND s.user_id NOT IN (SELECT b.user_id FROM best AS b);
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
    WITH asked AS MATERIALIZED (
        SELECT w.wanted, w.first_day, (w.first_day + ('1 ' || nullif(w.wanted, 'all'))::interval)::date AS next_day,
               EXISTS (SELECT FROM leaderboard_scores AS s WHERE s.user_id = current_user_id()) AS is_member
          FROM (SELECT CASE board WHEN 'xp' THEN period ELSE 'all' END AS wanted) AS p,
               LATERAL (SELECT p.wanted,
                               coalesce(date_trunc(nullif(p.wanted, 'all'), local_today()::timestamp)::date, '-infinity')
                                   AS first_day) AS w
    ), suspended AS MATERIALIZED (
        SELECT u.id FROM users AS u WHERE NOT u.approved AND u.id IN (SELECT s.user_id FROM leaderboard_scores AS s)
    ), own AS MATERIALIZED (
        SELECT current_user_id() AS user_id,
               CASE WHEN board = 'streaks' THEN effective_streak('daily_activity')
                    WHEN a.wanted = 'all' THEN (
                        SELECT p.total_xp FROM user_progress AS p WHERE p.user_id = (SELECT current_user_id()))
                    ELSE (SELECT sum(d.xp) FROM ledger_days AS d
                           WHERE d.user_id = (SELECT current_user_id()) AND d.day >= a.first_day AND d.day < a.next_day)
               END AS score
          FROM asked AS a
    ), candidates AS MATERIALIZED (
        SELECT c.user_id, c.score
          FROM asked AS a,
               board_candidates(board, a.wanted, a.first_day, a.next_day, size + (SELECT count(*) FROM suspended)) AS c
         WHERE a.is_member
           AND c.user_id NOT IN (SELECT s.id FROM suspended AS s)
           AND c.user_id <> current_user_id()
         UNION ALL
        SELECT o.user_id, coalesce(o.score, 0)::bigint FROM own AS o
    ), ranked AS (
        SELECT row_number() OVER (ORDER BY c.score DESC, n.name, c.user_id) AS place,
               rank() OVER (ORDER BY c.score DESC) AS rank,
               n.name, c.score, c.user_id, c.user_id = current_user_id() AS is_me
          FROM candidates AS c
         -- OFFSET 0, here and below: a look-up for each of a few rows, whatever the planner estimates.
         CROSS JOIN LATERAL (
               SELECT coalesce(nullif(btrim(u.name), ''), 'Player') AS name FROM users AS u WHERE u.id = c.user_id OFFSET 0) AS n
    )
    SELECT r.place,
           -- Within the first rows the rank is counted among them. Behind them it takes everyone who has more.
           CASE WHEN r.place <= size OR NOT a.is_member THEN r.rank
                WHEN board = 'streaks' THEN 1 + (
                    SELECT count(*) FROM standing_streaks() AS t
                     WHERE t.streak > r.score AND t.user_id NOT IN (SELECT s.id FROM suspended AS s))
                ELSE 1 + scores_above(a.wanted, a.first_day, a.next_day, r.score) - (
                    SELECT count(*)
                      FROM suspended AS s JOIN leaderboard_scores AS m ON m.user_id = s.id AND m.period = a.wanted
                     WHERE CASE m.first_day WHEN a.first_day THEN m.xp WHEN a.next_day THEN m.xp_before ELSE 0 END > r.score)
           END,
           r.name, r.score, coalesce(p.current_level, 1), r.is_me
      FROM asked AS a, ranked AS r
      LEFT JOIN LATERAL (
           SELECT p.current_level FROM user_progress AS p WHERE p.user_id = r.user_id OFFSET 0) AS p ON true
     WHERE r.place <= size OR r.is_me
     ORDER BY r.place;
END;
