SET LOCAL ROLE questlog_owner;

-- What a user has on the boards: the XP of all time, of the latest week and month with a row, and of the ones before those,
-- counted from the days of the ledger; and the daily streak.
CREATE OR REPLACE VIEW app.recounted_scores WITH (security_invoker = true) AS
SELECT p.user_id, 'all' AS board, '-infinity'::date AS first_day, p.total_xp AS score, 0::bigint AS score_before
  FROM user_progress AS p
 UNION ALL
SELECT s.user_id, 'streak', s.last_activity_date, s.current_streak, 0
  FROM user_streaks AS s WHERE s.streak_type = 'daily_activity'
 UNION ALL
SELECT l.user_id, l.period, l.first_day, l.xp,
       coalesce((SELECT sum(d.xp) FROM ledger_days AS d
                  WHERE d.user_id = l.user_id AND d.day < l.first_day
                    AND d.day >= (l.first_day - ('1 ' || l.period)::interval)::date), 0)::bigint
  FROM (SELECT p.user_id, n.period, coalesce(n.first_day, '-infinity') AS first_day,
               coalesce((SELECT sum(d.xp) FROM ledger_days AS d WHERE d.user_id = p.user_id AND d.day >= n.first_day), 0)::bigint
                   AS xp
          FROM user_progress AS p
         CROSS JOIN (VALUES ('week'), ('month')) AS k (period)
         CROSS JOIN LATERAL (
               SELECT k.period, date_trunc(k.period, max(d.day)::timestamp)::date AS first_day
                 FROM ledger_days AS d WHERE d.user_id = p.user_id) AS n) AS l;

-- Puts the user on the boards, or takes them off.
CREATE OR REPLACE FUNCTION internal.show_on_boards(is_public boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM own_progress();
    UPDATE user_progress SET on_boards = is_public WHERE on_boards <> is_public;
    IF NOT is_public THEN
        DELETE FROM leaderboard_scores;
    ELSIF NOT EXISTS (SELECT FROM leaderboard_scores) THEN
        INSERT INTO leaderboard_scores (board, first_day, score, score_before)
        SELECT s.board, s.first_day, s.score, s.score_before FROM recounted_scores AS s;
    END IF;
END
$$;

-- Adds a row of the ledger to what its user has on the boards, if the user is on them.
CREATE OR REPLACE FUNCTION internal.move_scores(entry points_ledger) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE leaderboard_scores AS s
       SET first_day = greatest(s.first_day, n.first_day),
           score = CASE WHEN n.first_day > s.first_day THEN entry.xp
                        WHEN n.first_day = s.first_day THEN s.score + entry.xp
                        ELSE s.score END,
           score_before = CASE WHEN n.first_day > s.first_day THEN CASE s.first_day WHEN n.before THEN s.score ELSE 0 END
                               WHEN n.next = s.first_day THEN s.score_before + entry.xp
                               ELSE s.score_before END
      FROM (SELECT date_trunc('week', entry.local_date::timestamp) AS week,
                   date_trunc('month', entry.local_date::timestamp) AS month) AS d,
           LATERAL (VALUES
               ('all', '-infinity'::date, NULL, NULL),
               ('week', d.week::date, (d.week - interval '1 week')::date, (d.week + interval '1 week')::date),
               ('month', d.month::date, (d.month - interval '1 month')::date, (d.month + interval '1 month')::date)
           ) AS n (board, first_day, before, next)
     WHERE s.board = n.board;
END;

-- Shows the daily streak on the boards as it is now, if the user is on them.
CREATE OR REPLACE FUNCTION internal.move_streak_score() RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO leaderboard_scores AS s (board, first_day, score, score_before)
    SELECT r.board, r.first_day, r.score, r.score_before
      FROM recounted_scores AS r
     WHERE r.board = 'streak' AND EXISTS (SELECT FROM leaderboard_scores AS m WHERE m.board = 'all')
    ON CONFLICT (user_id, board) DO UPDATE SET first_day = excluded.first_day, score = excluded.score;
END;
