-- name: statistics
SELECT * FROM user_statistics(%(terms)s);
SELECT (SELECT count(*) FROM exercises AS e WHERE e.owner_id IS NULL) AS exercises,
       (SELECT count(*) FROM learn_topics) AS learn_topics,
       (SELECT count(*) FROM learn_lessons) AS learn_lessons,
       (SELECT count(*) FROM learn_drills) AS learn_drills,
       (SELECT count(*) FROM universal_quests) AS universal_quests,
       (SELECT count(*) FROM quests) AS user_quests,
       (SELECT count(*) FROM market_items AS m WHERE m.owner_id IS NULL) AS market_items;
-- The rows of a user's ledger are numbered, so the last one says how many there are.
SELECT f.*,
       (SELECT coalesce(sum((SELECT max(l.seq) FROM points_ledger AS l WHERE l.user_id = u.id)), 0)::bigint FROM users AS u)
           + (SELECT count(*) FROM activity_events) AS total_events,
       (SELECT count(*) FROM events_of_all AS e WHERE e.created_at > clock() - interval '24 hours') AS events_24h,
       (SELECT count(*) FROM habit_completions) AS habit_completions,
       (SELECT count(*) FROM goals) AS total_goals,
       (SELECT count(*) FROM ideas) AS total_ideas,
       (SELECT count(*) FROM books) AS total_books,
       (SELECT count(*) FROM reference_tracks) AS reference_tracks
  FROM (SELECT count(*) AS total_focus_sessions,
               count(*) FILTER (WHERE s.status = 'completed') AS completed_focus,
               coalesce(sum(s.actual_seconds / 60), 0)::bigint AS total_focus_minutes
          FROM focus_sessions AS s WHERE s.mode = 'focus') AS f;
-- Positive coins are what was earned, what of it was taken back, and what was given back of what was spent.
SELECT ((SELECT coalesce(sum(w.total_earned), 0) FROM user_wallet AS w)
           + (SELECT coalesce(sum(abs(l.coins)), 0) FROM points_ledger AS l WHERE l.reverses IS NOT NULL))::bigint
           AS total_coins_distributed,
       (SELECT coalesce(sum(p.total_xp), 0)::bigint FROM user_progress AS p) AS total_xp_distributed,
       (SELECT count(*) FROM user_achievements) AS achievements_earned,
       (SELECT count(*) FROM user_purchases) AS total_purchases;
SELECT u.id, u.name, u.email, u.created_at, u.last_activity_at
  FROM users_page(NULL, NULL, 10, 0) WITH ORDINALITY AS p (id, place)
 CROSS JOIN LATERAL (SELECT * FROM users AS n WHERE n.id = p.id OFFSET 0) AS u
 ORDER BY p.place;
SELECT e.user_id, (SELECT u.name FROM users AS u WHERE u.id = e.user_id) AS user_name, e.event_type, e.created_at
  FROM newest_events() AS e
 ORDER BY e.created_at DESC;
SELECT clock() AS timestamp;
