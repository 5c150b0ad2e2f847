-- name: records
-- BETWEEN an id and itself, here and below: only the index of the key has this order. Looked up by =, a record might be found by an
-- index on the user alone, which reads all records of the user for each row of the page.
SELECT read_in_index_order();
SELECT n.*
  FROM (SELECT r.id, r.achieved_at FROM personal_records AS r
         WHERE r.is_current
           AND (%(exercise_id)s::uuid IS NULL OR r.exercise_id = %(exercise_id)s)
           AND (%(record_type)s::text IS NULL OR r.record_type = %(record_type)s)
         ORDER BY r.achieved_at DESC, r.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p,
       LATERAL (SELECT r.* FROM named_records AS r WHERE r.id BETWEEN p.id AND p.id ORDER BY r.id OFFSET 0) AS n
 ORDER BY p.achieved_at DESC, p.id;
SELECT count(*) AS total
  FROM personal_records AS r
 WHERE r.is_current
   AND (%(exercise_id)s::uuid IS NULL OR r.exercise_id = %(exercise_id)s)
   AND (%(record_type)s::text IS NULL OR r.record_type = %(record_type)s);

-- name: records_with_history
SELECT read_in_index_order();
SELECT n.*
  FROM (SELECT r.id, r.achieved_at FROM personal_records AS r
         WHERE (%(exercise_id)s::uuid IS NULL OR r.exercise_id = %(exercise_id)s)
           AND (%(record_type)s::text IS NULL OR r.record_type = %(record_type)s)
         ORDER BY r.achieved_at DESC, r.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p,
       LATERAL (SELECT r.* FROM named_records AS r WHERE r.id BETWEEN p.id AND p.id ORDER BY r.id OFFSET 0) AS n
 ORDER BY p.achieved_at DESC, p.id;
SELECT count(*) AS total
  FROM personal_records AS r
 WHERE (%(exercise_id)s::uuid IS NULL OR r.exercise_id = %(exercise_id)s)
   AND (%(record_type)s::text IS NULL OR r.record_type = %(record_type)s);

-- name: exercise_history
SELECT read_in_index_order();
SELECT e.*, e.primary_muscles || e.secondary_muscles AS muscle_groups
  FROM library() AS e
 WHERE e.id = %(exercise_id)s AND e.deleted_at IS NULL;
SELECT s.*
  FROM (SELECT e.session_id, e.started_at FROM session_exercises AS e
         WHERE e.exercise_id = %(exercise_id)s AND e.is_completed
         ORDER BY e.started_at DESC, e.session_id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p,
       LATERAL (SELECT w.* FROM workout_sessions AS w
                 WHERE w.id BETWEEN p.session_id AND p.session_id ORDER BY w.id OFFSET 0) AS s
 ORDER BY p.started_at DESC, p.session_id;
SELECT x.*
  FROM (SELECT e.session_id FROM session_exercises AS e
         WHERE e.exercise_id = %(exercise_id)s AND e.is_completed
         ORDER BY e.started_at DESC, e.session_id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p,
       LATERAL (SELECT n.* FROM named_sets AS n
                 WHERE n.session_id = p.session_id AND n.exercise_id = %(exercise_id)s OFFSET 0) AS x
 ORDER BY x.logged_at, x.id;
-- OFFSET 0: these are few, and found by the exercise. In the order of an index, the records of all exercises would be read.
SELECT r.*
  FROM (SELECT n.* FROM named_records AS n WHERE n.exercise_id = %(exercise_id)s AND n.is_current OFFSET 0) AS r
 ORDER BY r.achieved_at DESC, r.id;
SELECT count(*) AS total FROM session_exercises AS e WHERE e.exercise_id = %(exercise_id)s AND e.is_completed;

-- name: stats
-- All weeks with a workout, and of the last 7 days: the days, the muscles, how many sets made a record.
SELECT local_today() AS today;
SELECT w.week_start AS begins, w.workouts, w.sets, w.seconds, w.volume_kg FROM training_weeks AS w ORDER BY w.week_start;
SELECT s.local_date AS begins, count(*) AS workouts, sum(s.total_sets) AS sets,
       coalesce(sum(s.duration_seconds), 0) AS seconds, sum(s.total_volume_kg) AS volume_kg
  FROM (SELECT local_today() AS today) AS d,
       workout_sessions AS s
 WHERE s.status = 'completed' AND s.total_sets > 0 AND s.local_date BETWEEN d.today - 6 AND d.today
 GROUP BY s.local_date;
SELECT m.muscle, sum(m.share) AS sets
  FROM (SELECT local_today() AS today) AS d,
       workout_sessions AS s
  JOIN exercise_sets AS x ON x.session_id = s.id AND x.is_working
  JOIN exercises AS e ON e.owner_key = x.exercise_owner AND e.id = x.exercise_id,
       LATERAL (SELECT unnest(e.primary_muscles) AS muscle, 1.0 AS share
                UNION ALL
                SELECT unnest(e.secondary_muscles), 0.5) AS m
 WHERE s.status = 'completed' AND s.local_date BETWEEN d.today - 6 AND d.today
 GROUP BY m.muscle
 ORDER BY sets DESC, m.muscle;
SELECT count(DISTINCT r.set_id) AS total
  FROM (SELECT local_today() AS today) AS d,
       workout_sessions AS s
  JOIN exercise_sets AS x ON x.session_id = s.id
  JOIN personal_records AS r ON r.set_id = x.id
 WHERE s.status = 'completed' AND s.local_date BETWEEN d.today - 6 AND d.today;

-- name: history
SELECT local_today() AS today;
SELECT s.local_date AS begins, count(*) AS workouts, sum(s.total_sets) AS sets,
       coalesce(sum(s.duration_seconds), 0) AS seconds, sum(s.total_volume_kg) AS volume_kg
  FROM (SELECT local_today() AS today) AS d,
       workout_sessions AS s
 WHERE s.status = 'completed' AND s.total_sets > 0 AND s.local_date BETWEEN d.today - %(days)s::int + 1 AND d.today
 GROUP BY s.local_date
 ORDER BY s.local_date;
