-- A name may hold several statements; they travel together, and the last one's row is the answer, or the column `answer` is.
-- Bounds of an index are (SELECT coalesce(...)): row-level security lets no bare coalesce near the index.

-- name: summary
SELECT summary_shown() AS answer;

-- name: stats
SELECT summary_shown() || jsonb_build_object(
           'counters', (SELECT coalesce(jsonb_object_agg(counter, value), '{}') FROM user_counters WHERE value <> 0),
           'effects', (SELECT coalesce(jsonb_agg(e ORDER BY ends_at, id), '[]')
                         FROM user_effects AS e WHERE clock() >= started_at AND clock() < ends_at)) AS answer;

-- name: teaser
SELECT (SELECT jsonb_build_object(
                   'achievement', to_jsonb(a.definition) || jsonb_build_object('id', (a.definition).key),
                   'progress', a.progress,
                   'progress_max', a.progress_max,
                   'progress_label', format('%%s of %%s %%s', a.progress, a.progress_max, w.what))
          FROM achievements_shown() AS a
         CROSS JOIN LATERAL (
               SELECT CASE (a.definition).trigger_type
                          WHEN 'counter' THEN replace((a.definition).trigger_config ->> 'counter', '_', ' ')
                          WHEN 'level' THEN 'levels gained'
                          WHEN 'event' THEN 'done'
                          ELSE CASE (a.definition).trigger_config ->> 'streak_type'
                                   WHEN 'daily_activity' THEN 'days in a row'
                                   ELSE format('%%s days in a row', (a.definition).trigger_config ->> 'streak_type')
                               END
                      END AS what) AS w
         WHERE NOT a.earned AND a.progress < a.progress_max
         ORDER BY a.progress::numeric / a.progress_max DESC, (a.definition).reward_coins, (a.definition).sort_order,
                  (a.definition).key
         LIMIT 1) AS teaser;

-- name: achievement_book
SELECT coalesce(jsonb_agg(to_jsonb(a.definition) || (to_jsonb(a) - 'definition')
                          ORDER BY (a.definition).sort_order, (a.definition).key)
                    FILTER (WHERE a.earned = %(earned)s OR %(earned)s::boolean IS NULL), '[]') AS achievements,
       count(*) FILTER (WHERE a.earned) AS earned_count,
       count(*) AS total
  FROM achievements_shown() AS a
 WHERE (a.definition).category = %(category)s OR %(category)s::text IS NULL;

-- name: mark_seen
WITH seen AS (
    UPDATE user_achievements SET notified = true
     WHERE NOT notified AND (achievement_key = ANY (%(keys)s::text[]) OR %(keys)s::text[] IS NULL)
    RETURNING achievement_key
)
SELECT count(*) AS seen FROM seen;

-- name: ledger
-- One row more than asked for tells whether there is a next page.
WITH found AS (
    SELECT l.* FROM points_ledger AS l
     WHERE l.seq < (SELECT coalesce(%(cursor)s::bigint, 9223372036854775807))
       AND l.local_date >= (SELECT coalesce(%(from_)s::date, '-infinity'))
       AND l.local_date <= (SELECT coalesce(%(to)s::date, 'infinity'))
       AND (%(event_type)s::text IS NULL OR l.event_type = %(event_type)s)
     ORDER BY l.seq DESC
     LIMIT %(limit)s::int + 1
), shown AS (
    SELECT f.*, r.id IS NOT NULL AS reversed, row_number() OVER (ORDER BY f.seq DESC) AS place
      FROM found AS f LEFT JOIN points_ledger AS r ON r.reverses = f.id AND r.reverses IS NOT NULL
)
SELECT coalesce(jsonb_agg(s ORDER BY s.place) FILTER (WHERE s.place <= %(limit)s::int), '[]') AS entries,
       CASE WHEN count(*) > %(limit)s::int THEN min(s.seq) FILTER (WHERE s.place <= %(limit)s::int) END AS next_cursor
  FROM shown AS s;

-- name: history
WITH days AS (
    SELECT d::date AS day FROM local_today() AS today, generate_series(today - %(days)s::int + 1, today, interval '1 day') AS d
), moved AS (
    SELECT l.local_date, sum(l.xp) AS xp, sum(earned_coins(l.coins, l.reverses)) AS earned, sum(l.coins) AS coins,
           count(*) FILTER (WHERE l.reverses IS NULL) AS events
      FROM points_ledger AS l
     WHERE l.local_date > local_today() - %(days)s::int
     GROUP BY l.local_date
)
SELECT jsonb_agg(jsonb_build_object(
           'day', d.day,
           'xp', coalesce(m.xp, 0),
           'coins_earned', coalesce(m.earned, 0),
           'coins_spent', coalesce(m.earned - m.coins, 0),
           'events', coalesce(m.events, 0)) ORDER BY d.day) AS days
  FROM days AS d LEFT JOIN moved AS m ON m.local_date = d.day;

-- name: rules
SELECT jsonb_agg(jsonb_build_object('level', l, 'cost', level_cost(l), 'total_xp', level_floor(l)) ORDER BY l) AS levels
  FROM generate_series(1, 30) AS l;

-- name: leaderboard
SELECT %(board)s::text AS board,
       %(period)s::text AS period,
       EXISTS (SELECT FROM user_settings WHERE key = 'profile_public' AND value = 'true') AS opted_in,
       coalesce(jsonb_agg(s ORDER BY s.place) FILTER (WHERE s.place <= %(limit)s::int), '[]') AS entries,
       jsonb_agg(s) FILTER (WHERE s.is_me) -> 0 AS me
  FROM leaderboard(%(board)s, %(period)s, %(limit)s) AS s;

-- name: progress
SELECT p.total_xp AS xp,
       p.current_level AS level,
       p.coins,
       p.current_xp,
       p.xp_to_next_level,
       p.xp_remaining,
       100.0::double precision * p.current_xp / p.xp_to_next_level AS xp_progress_percent,
       s.current_streak AS streak_days,
       s.longest_streak,
       p.total_skill_stars
  FROM progress_overview() AS p, effective_streaks() AS s
 WHERE s.streak_type = 'daily_activity';

-- name: streaks
SELECT jsonb_agg(s) AS answer FROM effective_streaks() AS s;

-- name: skills
SELECT coalesce(jsonb_agg(s ORDER BY sort_order, key), '[]') AS answer FROM skill_definitions AS s WHERE is_active;

-- name: user_skills
-- A skill that is no longer offered stays with those who have trained it.
SELECT coalesce(jsonb_agg(to_jsonb(d) || jsonb_build_object(
           'skill_key', d.key,
           'xp', x.xp,
           'current_stars', x.xp / 10,
           'current_level', least(d.max_level, 1 + x.xp / 100),
           'xp_in_level', x.xp %% 100,
           'xp_to_next_level', 100) ORDER BY d.sort_order, d.key), '[]') AS answer
  FROM skill_definitions AS d
  LEFT JOIN user_skills AS s ON s.skill_key = d.key
 CROSS JOIN LATERAL (SELECT coalesce(s.xp, 0) AS xp) AS x
 WHERE d.is_active OR s.xp > 0;

-- name: achievements
SELECT coalesce(jsonb_agg(a.definition ORDER BY (a.definition).sort_order, (a.definition).key), '[]') AS answer
  FROM achievements_shown() AS a;

-- name: earned_achievements
SELECT coalesce(jsonb_agg(to_jsonb(a) || jsonb_build_object(
           'name', d.name, 'reward_xp', d.reward_xp, 'reward_coins', d.reward_coins)
           ORDER BY a.earned_at DESC, d.sort_order DESC, d.key), '[]') AS answer
  FROM user_achievements AS a JOIN achievement_definitions AS d ON d.key = a.achievement_key
 WHERE NOT (a.notified AND %(unseen)s);

-- name: activities
WITH feed AS (
    (SELECT id, event_type, category, metadata, 0 AS xp_earned, 0 AS coins_earned, created_at, 0 AS seq
       FROM activity_events
      WHERE created_at < (SELECT coalesce(%(before)s::timestamptz, 'infinity'))
      ORDER BY created_at DESC, id LIMIT %(limit)s)
     UNION ALL
    (SELECT id, event_type, source_type, metadata, xp, coins, created_at, seq
       FROM standing_awards
      WHERE created_at < (SELECT coalesce(%(before)s::timestamptz, 'infinity'))
      ORDER BY created_at DESC, seq DESC LIMIT %(limit)s)
), shown AS (
    SELECT * FROM feed ORDER BY created_at DESC, seq DESC, id LIMIT %(limit)s
)
SELECT coalesce(jsonb_agg(s ORDER BY created_at DESC, seq DESC, id), '[]') AS answer FROM shown AS s;

-- name: log_activity
-- Under the lock, so that the limit holds in parallel. A client cannot write what looks like a payment.
SELECT lock_user();
SELECT refuse(429, 'rate_limited', 'That is enough activity for one day.',
              jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM upper(today.bounds) - clock())))::int))
  FROM (SELECT day_bounds(local_today()) AS bounds) AS today
 WHERE 500 <= (SELECT count(*) FROM activity_events
                WHERE created_at >= lower(today.bounds) AND created_at < upper(today.bounds));
INSERT INTO activity_events (event_type, category, metadata)
VALUES (CASE WHEN EXISTS (SELECT FROM event_definitions AS d WHERE d.event_type = %(event_type)s) THEN 'client:' ELSE '' END
            || %(event_type)s, %(category)s, %(metadata)s)
RETURNING *, 0 AS xp_earned, 0 AS coins_earned;
