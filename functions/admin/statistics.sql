-- name: statistics
SELECT s.part, s.name, s.value FROM known_statistics(%(terms)s) AS s;
SELECT u.id, u.name, u.email, u.created_at, u.last_activity_at
  FROM users_page(NULL, 10, 0) WITH ORDINALITY AS p (id, place)
 CROSS JOIN LATERAL (SELECT * FROM users AS n WHERE n.id = p.id OFFSET 0) AS u
 ORDER BY p.place;
SELECT e.user_id, (SELECT u.name FROM users AS u WHERE u.id = e.user_id) AS user_name, e.event_type, e.created_at
  FROM newest_events() AS e
 ORDER BY e.created_at DESC;
SELECT statistics_time() AS timestamp;
