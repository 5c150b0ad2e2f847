SET LOCAL ROLE questlog_owner;

-- What a user has on the boards: the XP of all time, of the latest week and month with XP, and of the ones before those.
-- Counted from the days of the ledger.
CREATE OR REPLACE VIEW app.recounted_scores WITH (security_invoker = true) AS
SELECT p.user_id, 'all' AS period, '-infinity'::date AS first_day, p.total_xp AS xp, 0::bigint AS xp_before
  FROM user_progress AS p
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
    IF NOT is_public THEN
        DELETE FROM leaderboard_scores;
    ELSIF NOT EXISTS (SELECT FROM leaderboard_scores) THEN
        INSERT INTO leaderboard_scores (period, first_day, xp, xp_before)
        SELECT s.period, s.first_day, s.xp, s.xp_before FROM recounted_scores AS s;
    END IF;
END
$$;

-- Adds a row of the ledger to what its user has on the boards, if the user is on them.
CREATE OR REPLACE FUNCTION internal.move_scores(entry points_ledger) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE leaderboard_scores AS s
       SET first_day = greatest(s.first_day, n.first_day),
           xp = CASE WHEN n.first_day > s.first_day THEN entry.xp
                     WHEN n.first_day = s.first_day THEN s.xp + entry.xp
                     ELSE s.xp END,
           xp_before = CASE WHEN n.first_day > s.first_day THEN CASE s.first_day WHEN n.before THEN s.xp ELSE 0 END
                            WHEN n.next = s.first_day THEN s.xp_before + entry.xp
                            ELSE s.xp_before END
      FROM (SELECT date_trunc('week', entry.local_date::timestamp) AS week,
                   date_trunc('month', entry.local_date::timestamp) AS month) AS d,
           LATERAL (VALUES
               ('all', '-infinity'::date, NULL, NULL),
               ('week', d.week::date, (d.week - interval '1 week')::date, (d.week + interval '1 week')::date),
               ('month', d.month::date, (d.month - interval '1 month')::date, (d.month + interval '1 month')::date)
           ) AS n (period, first_day, before, next)
     WHERE s.period = n.period;
END;
