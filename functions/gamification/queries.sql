-- name: summary
SELECT * FROM own_summary;

-- name: stats
SELECT * FROM own_summary;
SELECT counter, value FROM user_counters WHERE value <> 0;
SELECT effect_type, factor, ends_at FROM user_effects WHERE clock() >= started_at AND clock() < ends_at ORDER BY ends_at, id;

-- name: teaser
SELECT a.key AS id, a.*
  FROM own_achievements AS a
 WHERE NOT a.earned AND a.progress < a.progress_max
 ORDER BY a.progress::numeric / a.progress_max DESC, a.reward_coins, a.sort_order, a.key
 LIMIT 1;

-- name: achievement_book
SELECT * FROM own_achievements
 WHERE %(category)s::text IS NULL OR category = %(category)s
 ORDER BY sort_order, key;

-- name: mark_seen
WITH seen AS (
    UPDATE user_achievements SET notified = true
     WHERE NOT notified AND (%(keys)s::text[] IS NULL OR achievement_key = ANY (%(keys)s))
    RETURNING achievement_key
)
SELECT count(*) AS seen FROM seen;

-- name: ledger
-- The newest rows before a place. The place is a plain bound, so a deep page costs what the first one does.
SELECT read_in_index_order();
SELECT * FROM ledger_entries AS l
 WHERE l.seq < %(before)s::bigint
 ORDER BY l.seq DESC
 LIMIT %(rows)s::int;

-- name: ledger_of_kind
-- A statement of its own and not an optional filter, since only so the rows of a kind are found by their index. BETWEEN, here and
-- below, so that the kind is part of the order that is asked for: the index of all rows has the order of their numbers too, and
-- read by it, a kind without rows takes the whole ledger.
SELECT read_in_index_order();
SELECT * FROM ledger_entries AS l
 WHERE l.seq < %(before)s::bigint
   AND l.event_type BETWEEN %(event_type)s AND %(event_type)s
 ORDER BY l.event_type, l.seq DESC
 LIMIT %(rows)s::int;

-- name: ledger_of_days
-- The same within local days. Their first and last rows bound what is read, however long the history is.
SELECT read_in_index_order();
SELECT * FROM ledger_entries AS l
 WHERE l.seq < %(before)s::bigint
   AND l.seq >= (SELECT d.first_seq FROM ledger_days AS d WHERE d.day >= %(first)s ORDER BY d.day LIMIT 1)
   AND l.seq <= (SELECT d.last_seq FROM ledger_days AS d WHERE d.day <= %(last)s ORDER BY d.day DESC LIMIT 1)
   AND l.local_date >= %(first)s::date AND l.local_date <= %(last)s::date
 ORDER BY l.seq DESC
 LIMIT %(rows)s::int;

-- name: ledger_of_kind_and_days
SELECT read_in_index_order();
SELECT * FROM ledger_entries AS l
 WHERE l.seq < %(before)s::bigint
   AND l.seq >= (SELECT d.first_seq FROM ledger_days AS d WHERE d.day >= %(first)s ORDER BY d.day LIMIT 1)
   AND l.seq <= (SELECT d.last_seq FROM ledger_days AS d WHERE d.day <= %(last)s ORDER BY d.day DESC LIMIT 1)
   AND l.local_date >= %(first)s::date AND l.local_date <= %(last)s::date
   AND l.event_type BETWEEN %(event_type)s AND %(event_type)s
 ORDER BY l.event_type, l.seq DESC
 LIMIT %(rows)s::int;

-- name: history
SELECT local_today() AS date;
SELECT d.day AS date, d.xp, d.coins_earned, d.coins_spent, d.events
  FROM ledger_days AS d
 WHERE d.day > (SELECT local_today()) - %(days)s::int;

-- name: rules
SELECT level, level_cost(level) AS cost, level_floor(level) AS total_xp FROM generate_series(1, 30) AS level;

-- name: leaderboard
SELECT EXISTS (SELECT FROM user_settings WHERE key = 'profile_public' AND value = 'true') AS opted_in;
SELECT * FROM leaderboard(%(board)s, %(period)s, %(limit)s);

-- name: progress
SELECT p.*, p.total_xp AS xp, s.current_streak AS streak_days, s.longest_streak
  FROM level_progress AS p, effective_streaks() AS s
 WHERE s.streak_type = 'daily_activity';

-- name: streaks
SELECT * FROM effective_streaks();

-- name: skills
SELECT * FROM skill_definitions WHERE is_active ORDER BY sort_order, key;

-- name: user_skills
-- A skill that is no longer offered stays with those who have trained it.
SELECT d.key AS skill_key, d.name, d.category, d.icon, d.color, d.max_level,
       x.xp, x.xp / 10 AS current_stars, least(d.max_level, 1 + x.xp / 100) AS current_level,
       x.xp %% 100 AS xp_in_level, 100 AS xp_to_next_level
  FROM skill_definitions AS d
  LEFT JOIN user_skills AS s ON s.skill_key = d.key
 CROSS JOIN LATERAL (SELECT coalesce(s.xp, 0) AS xp) AS x
 WHERE d.is_active OR s.xp > 0
 ORDER BY d.sort_order, d.key;

-- name: achievements
SELECT * FROM own_achievements ORDER BY sort_order, key;

-- name: earned_achievements
SELECT a.achievement_key, d.name, a.earned_at, a.notified, d.reward_xp, d.reward_coins
  FROM user_achievements AS a JOIN achievement_definitions AS d ON d.key = a.achievement_key
 WHERE NOT (a.notified AND %(unseen)s)
 ORDER BY a.earned_at DESC, d.sort_order DESC, d.key;

-- name: activities
SELECT read_in_index_order();
(SELECT id, event_type, category, metadata, 0 AS xp_earned, 0 AS coins_earned, created_at, 0 AS seq
   FROM activity_events
  WHERE created_at < %(before)s
  ORDER BY created_at DESC, id LIMIT %(limit)s)
 UNION ALL
(SELECT id, event_type, source_type, metadata, xp, coins, created_at, seq
   FROM standing_awards
  WHERE created_at < %(before)s
  ORDER BY created_at DESC, seq DESC LIMIT %(limit)s)
 ORDER BY created_at DESC, seq DESC, id LIMIT %(limit)s;

-- name: log_activity
-- Under the lock, so that the limit holds for parallel requests too. A client cannot write what looks like a payment.
SELECT lock_user();
INSERT INTO activity_events (event_type, category, metadata, created_at)
SELECT CASE WHEN EXISTS (SELECT FROM event_definitions AS d WHERE d.event_type = %(event_type)s) THEN 'client:' ELSE '' END
           || %(event_type)s, %(category)s, %(metadata)s, instant()
 WHERE activity_has_room()
RETURNING *, 0 AS xp_earned, 0 AS coins_earned;
