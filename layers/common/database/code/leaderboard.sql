SET LOCAL ROLE questlog_board;

-- A board reads leaderboard_scores, which has a row per member and board that award() updates in its own transaction (move_scores,
-- move_streak_score). So a board is exact at every moment, its top is the beginning of an index, and no job has to run. A refresh
-- each minute would read all members 1,440 times a day, and a member who leaves would still be shown for a minute.

-- The members with the most XP of a period that begins on a day, and those who are even with the last of them; or those with
-- the longest of the streaks whose last day that is.
--   Members whose own day is in the next period already have the XP of this one in score_before.
CREATE OR REPLACE FUNCTION internal.best_scores(wanted text, first_day date, next_day date, size bigint)
RETURNS TABLE (user_id uuid, score bigint)
LANGUAGE sql STABLE ROWS 50
-- The planner does not know how few rows are wanted, and would rather sort them all than read the first of the index.
SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
BEGIN ATOMIC
    (SELECT s.user_id, s.score FROM leaderboard_scores AS s
      WHERE s.board = wanted AND s.first_day = best_scores.first_day
      ORDER BY s.score DESC FETCH FIRST (size) ROWS WITH TIES)
     UNION ALL
    (SELECT s.user_id, s.score_before FROM leaderboard_scores AS s
      WHERE s.board = wanted AND s.first_day = next_day
      ORDER BY s.score_before DESC FETCH FIRST (size) ROWS WITH TIES);
END;

-- How many members have more XP of a period than `value`.
CREATE OR REPLACE FUNCTION internal.scores_above(wanted text, first_day date, next_day date, value bigint) RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM leaderboard_scores AS s
             WHERE s.board = wanted AND s.first_day = scores_above.first_day AND s.score > value)
         + (SELECT count(*) FROM leaderboard_scores AS s
             WHERE s.board = wanted AND s.first_day = next_day AND s.score_before > value)
         -- Whoever got nothing in the period stands at 0.
         + (SELECT count(*) FROM leaderboard_scores AS s
             WHERE value < 0 AND s.board = wanted AND s.first_day < scores_above.first_day);
END;

-- The last days that a streak which still stands may have, without a shield, and whether a streak with that day surely stands. No
-- zone's date is ahead of the date at UTC+14, and none is more than 26 hours behind it, or 32 if the user's days begin late. So for
-- two of these days the user's settings decide.
CREATE OR REPLACE FUNCTION internal.days_of_streaks() RETURNS TABLE (day date, is_sure boolean)
LANGUAGE sql STABLE ROWS 5
BEGIN ATOMIC
    SELECT d.latest + n, n >= -1
      FROM (SELECT (clock() AT TIME ZONE 'Etc/GMT-14')::date AS latest OFFSET 0) AS d, generate_series(-3, 1) AS n;
END;

-- The streaks of at least `shortest` for which the last day alone does not decide whether they stand, and that do stand, as
-- effective_streak() shows them to their users: by the user's own days, by shields, or because everything is or was paused.
CREATE OR REPLACE FUNCTION internal.doubtful_streaks(shortest bigint) RETURNS TABLE (user_id uuid, streak bigint)
LANGUAGE sql STABLE ROWS 50
BEGIN ATOMIC
    WITH shielded AS MATERIALIZED (
        SELECT DISTINCT p.user_id
          FROM user_purchases AS p
          JOIN market_items AS i ON i.owner_key = p.item_owner AND i.id = p.item_id
         WHERE p.status = 'active' AND i.effect_json ->> 'type' = 'streak_shield'
    ), days AS MATERIALIZED (
        SELECT min(d.day) AS first, max(d.day) AS last FROM days_of_streaks() AS d
    ), held AS MATERIALIZED (
        SELECT h.user_id FROM shielded AS h
         UNION
        -- Without a shield the day before the user's own one is paused. It is one of these.
        SELECT p.user_id
          FROM days AS d JOIN habit_pauses AS p ON p.ends_on >= d.first AND p.starts_on <= d.last
         WHERE p.habit_id IS NULL
    ), doubtful AS (
        SELECT s.user_id, s.score, s.first_day
          FROM days_of_streaks() AS d JOIN leaderboard_scores AS s ON s.board = 'streak' AND s.first_day = d.day
         WHERE NOT d.is_sure AND s.score >= shortest
         UNION ALL
        SELECT s.user_id, s.score, s.first_day
          FROM held AS h JOIN leaderboard_scores AS s ON s.user_id = h.user_id AND s.board = 'streak'
         WHERE s.score >= shortest AND s.first_day < (SELECT d.first FROM days AS d)
    )
    SELECT s.user_id, s.score
      FROM doubtful AS s
     CROSS JOIN LATERAL (
           SELECT local_day(clock(), coalesce(max(z.value #>> '{}') FILTER (WHERE z.key = 'timezone'), 'UTC'),
                            coalesce(max((z.value #>> '{}')::int) FILTER (WHERE z.key = 'day_start_hour'), 0)) AS today
             FROM user_settings AS z
            WHERE z.user_id = s.user_id AND z.key IN ('timezone', 'day_start_hour') OFFSET 0) AS t
     CROSS JOIN LATERAL (
           SELECT CASE WHEN t.today - 1 > s.first_day AND s.user_id IN (SELECT h.user_id FROM held AS h)
                       THEN (SELECT count_days(missed_days(s.first_day, t.today, paused_days_of(s.user_id))))
                       ELSE t.today - 1 - s.first_day END AS missed OFFSET 0) AS m
     WHERE m.missed <= 0
        OR s.user_id IN (SELECT h.user_id FROM shielded AS h) AND m.missed <= shields_held_by(s.user_id);
END;

-- The members with the longest streaks that stand, and those who are even with the last of them.
CREATE OR REPLACE FUNCTION internal.best_streaks(size bigint) RETURNS TABLE (user_id uuid, score bigint)
LANGUAGE sql STABLE ROWS 50
BEGIN ATOMIC
    WITH sure AS MATERIALIZED (
        SELECT b.user_id, b.score
          FROM days_of_streaks() AS d, best_scores('streak', d.day, NULL, size) AS b WHERE d.is_sure
    )
    SELECT s.user_id, s.score FROM sure AS s
     UNION ALL
    -- Shorter ones than the last of those are on no board.
    SELECT t.user_id, t.streak
      FROM doubtful_streaks(coalesce(
           (SELECT s.score FROM sure AS s ORDER BY s.score DESC OFFSET size - 1 LIMIT 1), 1)) AS t;
END;

-- How many members have a longer streak.
CREATE OR REPLACE FUNCTION internal.streaks_above(value bigint) RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*)
              FROM days_of_streaks() AS d
              JOIN leaderboard_scores AS s ON s.board = 'streak' AND s.first_day = d.day AND s.score > value
             WHERE d.is_sure)
         + (SELECT count(*) FROM doubtful_streaks(value + 1) AS t);
END;

-- The members who can be at the top of a board of `size` rows: the best ones, and where these are too few, those at 0.
CREATE OR REPLACE FUNCTION internal.board_candidates(board text, wanted text, first_day date, next_day date, size bigint)
RETURNS TABLE (user_id uuid, score bigint)
LANGUAGE sql STABLE ROWS 50
BEGIN ATOMIC
    WITH best AS MATERIALIZED (
        SELECT b.user_id, b.score FROM best_scores(wanted, first_day, next_day, size) AS b WHERE board = 'xp'
         UNION ALL
        SELECT t.user_id, t.score FROM best_streaks(size) AS t WHERE board = 'streaks'
    )
    SELECT b.user_id, b.score FROM best AS b
     UNION ALL
    SELECT s.user_id, 0
      FROM leaderboard_scores AS s
     WHERE (SELECT count(*) FROM best AS b WHERE b.score > 0) < size
       AND s.board = wanted
       AND (board_candidates.board = 'streaks' OR s.first_day < board_candidates.first_day)
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
                WHEN board = 'streaks' THEN 1 + streaks_above(r.score) - (
                    SELECT count(*)
                      FROM suspended AS s JOIN leaderboard_scores AS m ON m.user_id = s.id AND m.board = 'streak'
                     WHERE m.score > r.score
                       AND (m.first_day IN (SELECT d.day FROM days_of_streaks() AS d WHERE d.is_sure)
                            OR m.user_id IN (SELECT t.user_id FROM doubtful_streaks(r.score + 1) AS t)))
                ELSE 1 + scores_above(a.wanted, a.first_day, a.next_day, r.score) - (
                    SELECT count(*)
                      FROM suspended AS s JOIN leaderboard_scores AS m ON m.user_id = s.id AND m.board = a.wanted
                     WHERE CASE m.first_day WHEN a.first_day THEN m.score WHEN a.next_day THEN m.score_before ELSE 0 END > r.score)
           END,
           r.name, r.score, coalesce(p.current_level, 1), r.is_me
      FROM asked AS a, ranked AS r
      LEFT JOIN LATERAL (
           SELECT p.current_level FROM user_progress AS p WHERE p.user_id = r.user_id OFFSET 0) AS p ON true
     WHERE r.place <= size OR r.is_me
     ORDER BY r.place;
END;
