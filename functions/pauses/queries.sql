-- name: pauses
SELECT p.id, p.habit_id, s.*, p.created_at
  FROM (SELECT local_today() AS today OFFSET 0) AS d, habit_pauses AS p, pause_on(p, d.today) AS s
 ORDER BY p.starts_on DESC, p.created_at DESC, p.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total FROM habit_pauses;

-- name: add
-- The lock makes the user's requests wait for each other, so that the limits hold in parallel.
SELECT lock_user();
SELECT add_pause(%(pause_id)s, %(habit_id)s, %(from_)s, %(to)s);
SELECT p.id, p.habit_id, s.*, p.created_at
  FROM local_today() AS today, habit_pauses AS p, pause_on(p, today) AS s
 WHERE p.id = %(pause_id)s;

-- name: change
SELECT lock_user();
SELECT change_pause(%(pause_id)s, %(changes)s);
SELECT p.id, p.habit_id, s.*, p.created_at
  FROM local_today() AS today, habit_pauses AS p, pause_on(p, today) AS s
 WHERE p.id = %(pause_id)s;

-- name: delete
SELECT lock_user();
SELECT d AS id FROM delete_pause(%(pause_id)s) AS d WHERE d IS NOT NULL;
