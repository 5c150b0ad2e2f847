SET LOCAL ROLE questlog_owner;

-- What ledger_days holds, counted from the rows.
CREATE OR REPLACE VIEW app.recounted_days WITH (security_invoker = true) AS
SELECT l.user_id, l.local_date AS day, sum(l.xp)::bigint AS xp,
       sum(earned_coins(l.coins, l.reverses))::bigint AS coins_earned,
       sum(earned_coins(l.coins, l.reverses) - l.coins)::bigint AS coins_spent,
       (count(*) FILTER (WHERE l.reverses IS NULL))::int AS events,
       min(min(l.seq)) OVER (PARTITION BY l.user_id ORDER BY l.local_date DESC) AS first_seq,
       max(max(l.seq)) OVER (PARTITION BY l.user_id ORDER BY l.local_date) AS last_seq
  FROM points_ledger AS l
 GROUP BY l.user_id, l.local_date;

-- What ledger_blocks holds, counted from the rows.
CREATE OR REPLACE VIEW app.recounted_blocks WITH (security_invoker = true) AS
SELECT l.user_id, b.last_seq, l.event_type, count(*)::int AS count
  FROM points_ledger AS l
  JOIN (SELECT user_id, max(seq) AS seq FROM points_ledger GROUP BY user_id) AS newest USING (user_id),
       LATERAL (SELECT (l.seq + 255) / 256 * 256 AS last_seq) AS b
 WHERE b.last_seq <= newest.seq
 GROUP BY l.user_id, b.last_seq, l.event_type;

-- Every disagreement between the ledger and the balances kept beside it. It is always empty. It covers the users whose
-- rows the caller may see.
CREATE OR REPLACE VIEW app.ledger_audit WITH (security_invoker = true) AS
-- the totals of a user
SELECT t.user_id, c.problem, c.expected::text, c.actual::text
  FROM (SELECT user_id, sum(xp) AS xp, sum(coins) AS coins, sum(earned_coins(coins, reverses)) AS earned
          FROM points_ledger GROUP BY user_id) AS l
  FULL JOIN user_progress AS p USING (user_id)
  FULL JOIN user_wallet AS w USING (user_id)
  FULL JOIN (SELECT user_id, sum(xp / 10) AS stars FROM user_skills GROUP BY user_id) AS s USING (user_id)
  FULL JOIN (SELECT l.user_id, count(DISTINCT l.local_date) AS days
               FROM points_ledger AS l JOIN event_definitions AS e ON e.event_type = l.event_type
              WHERE 'daily_activity' = ANY (e.streak_types) GROUP BY l.user_id) AS a USING (user_id)
 CROSS JOIN LATERAL (SELECT user_id) AS t
 CROSS JOIN LATERAL (VALUES
       ('total_xp', coalesce(l.xp, 0), p.total_xp),
       ('current_level', level_for(p.total_xp), p.current_level),
       ('total_skill_stars', coalesce(s.stars, 0), p.total_skill_stars),
       ('active_days', coalesce(a.days, 0), p.active_days),
       ('coins', coalesce(l.coins, 0), w.coins),
       ('total_earned', coalesce(l.earned, 0), w.total_earned),
       ('total_spent', coalesce(l.earned - l.coins, 0), w.total_spent)) AS c (problem, expected, actual)
 WHERE c.expected IS DISTINCT FROM c.actual
UNION ALL
SELECT user_id, 'skill ' || skill_key, coalesce(l.xp, 0)::text, coalesce(s.xp, 0)::text
  FROM (SELECT user_id, skill_key, sum(xp + 10 * skill_stars) AS xp
          FROM points_ledger WHERE skill_key IS NOT NULL GROUP BY user_id, skill_key) AS l
  FULL JOIN user_skills AS s USING (user_id, skill_key)
 WHERE coalesce(l.xp, 0) <> coalesce(s.xp, 0)
UNION ALL
SELECT user_id, 'counter ' || counter, coalesce(l.value, 0)::text, coalesce(c.value, 0)::text
  FROM (SELECT user_id, a.key AS counter, sum(a.value::bigint) AS value
          FROM points_ledger CROSS JOIN LATERAL jsonb_each(counters) AS a GROUP BY user_id, a.key) AS l
  FULL JOIN user_counters AS c USING (user_id, counter)
 WHERE coalesce(l.value, 0) <> coalesce(c.value, 0)
UNION ALL
-- the sums of a day
SELECT user_id, 'day ' || day, r::text, d::text
  FROM recounted_days AS r FULL JOIN ledger_days AS d USING (user_id, day)
 WHERE (r.xp, r.coins_earned, r.coins_spent, r.events, r.first_seq, r.last_seq)
       IS DISTINCT FROM (d.xp, d.coins_earned, d.coins_spent, d.events, d.first_seq, d.last_seq)
UNION ALL
SELECT user_id, format('block %s, %s', last_seq, event_type), r.count::text, b.count::text
  FROM recounted_blocks AS r FULL JOIN ledger_blocks AS b USING (user_id, last_seq, event_type)
 WHERE r.count IS DISTINCT FROM b.count
UNION ALL
SELECT p.user_id, 'day of the latest row', max(d.day)::text, p.latest_day::text
  FROM user_progress AS p LEFT JOIN ledger_days AS d USING (user_id)
 GROUP BY p.user_id, p.latest_day
HAVING max(d.day) IS DISTINCT FROM p.latest_day
UNION ALL
-- what the boards show
SELECT p.user_id, 'score is shown', m.is_shown::text, p.on_boards::text
  FROM user_progress AS p
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM leaderboard_scores AS m WHERE m.user_id = p.user_id) AS is_shown) AS m
 WHERE m.is_shown <> p.on_boards
UNION ALL
SELECT user_id, 'score of ' || board, r::text, s::text
  FROM leaderboard_scores AS s
  FULL JOIN (SELECT * FROM recounted_scores AS r
              WHERE EXISTS (SELECT FROM leaderboard_scores AS m WHERE m.user_id = r.user_id AND m.board = 'all')) AS r
 USING (user_id, board)
 WHERE (r.first_day, r.score, r.score_before) IS DISTINCT FROM (s.first_day, s.score, s.score_before)
UNION ALL
-- each row follows from the one before it
SELECT r.user_id, format('row %s: %s', r.id, c.problem), c.expected::text, c.actual::text
  FROM (SELECT l.user_id, l.id, l.level_after, l.coins_after, l.total_xp_after,
               coalesce(lag(l.coins_after) OVER chain, 0) + l.coins AS coins_due,
               coalesce(lag(l.total_xp_after) OVER chain, 0) + l.xp AS total_xp_due
          FROM points_ledger AS l
        WINDOW chain AS (PARTITION BY l.user_id ORDER BY l.seq)) AS r
 CROSS JOIN LATERAL (VALUES
       ('coins_after', r.coins_due, r.coins_after),
       ('total_xp_after', r.total_xp_due, r.total_xp_after),
       ('level_after', level_for(r.total_xp_after), r.level_after)) AS c (problem, expected, actual)
 WHERE c.expected <> c.actual
UNION ALL
-- a reversal negates its row
SELECT r.user_id, format('reversal %s', r.id),
       coalesce((-o.base_xp, -o.bonus_xp, -o.xp, -o.coins, o.skill_key, -o.skill_stars, negated(o.counters))::text, 'no such row'),
       (r.base_xp, r.bonus_xp, r.xp, r.coins, r.skill_key, r.skill_stars, r.counters)::text
  FROM points_ledger AS r
  LEFT JOIN points_ledger AS o ON o.user_id = r.user_id AND o.id = r.reverses AND o.seq < r.seq AND o.reverses IS NULL
 WHERE r.reverses IS NOT NULL
   AND (-o.base_xp, -o.bonus_xp, -o.xp, -o.coins, o.skill_key, -o.skill_stars, negated(o.counters))
       IS DISTINCT FROM (r.base_xp, r.bonus_xp, r.xp, r.coins, r.skill_key, r.skill_stars, r.counters)
UNION ALL
SELECT l.user_id, format('cause of row %s', l.id), 'a row before it', l.cause_id::text
  FROM points_ledger AS l
 WHERE l.cause_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM points_ledger AS o WHERE o.user_id = l.user_id AND o.id = l.cause_id AND o.seq < l.seq)
UNION ALL
-- an achievement was paid once, and what was paid was earned. A definition that was ever earned is not deleted, so only an
-- imported ledger has one that is not here; there it could not be earned.
SELECT user_id, 'achievement ' || key, 'earned and paid', CASE WHEN a.ledger_id IS NULL THEN 'not earned' ELSE 'not paid' END
  FROM (SELECT user_id, achievement_key AS key, ledger_id FROM user_achievements) AS a
  FULL JOIN (SELECT user_id, substr(idempotency_key, length('achievement:') + 1) AS key, id AS ledger_id
               FROM points_ledger WHERE event_type = 'achievement') AS l USING (user_id, key, ledger_id)
 WHERE l.key IS NULL OR (a.key IS NULL AND EXISTS (SELECT FROM achievement_definitions AS d WHERE d.key = l.key))
UNION ALL
SELECT o.user_id, 'progress', 'a row', NULL
  FROM (SELECT user_id FROM user_wallet
        UNION SELECT user_id FROM user_skills
        UNION SELECT user_id FROM user_streaks
        UNION SELECT user_id FROM user_counters
        UNION SELECT user_id FROM user_achievements
        UNION SELECT user_id FROM points_ledger) AS o
 WHERE NOT EXISTS (SELECT FROM user_progress AS p WHERE p.user_id = o.user_id);
