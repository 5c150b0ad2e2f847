-- Whatever changes something begins with lock_user(): the sessions, sets and records of one user change one request at a time.

-- name: all_sessions
-- The workouts hold the number of their completed sessions; the other sessions are few and are counted.
SELECT read_in_index_order();
SELECT s.* FROM workout_sessions AS s
 ORDER BY s.started_at DESC, s.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT x.*
  FROM (SELECT s.id FROM workout_sessions AS s
         ORDER BY s.started_at DESC, s.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p,
       LATERAL (SELECT n.* FROM named_sets AS n WHERE n.session_id = p.id OFFSET 0) AS x
 ORDER BY x.logged_at, x.id;
SELECT (SELECT coalesce(sum(w.times_performed), 0) FROM workouts AS w)
     + (SELECT count(*) FROM workout_sessions AS s WHERE s.status <> 'completed') AS total;

-- name: sessions
SELECT read_in_index_order();
SELECT s.*
  FROM workout_sessions AS s
 WHERE (%(status)s::text IS NULL OR s.status = %(status)s)
   AND (%(workout_id)s::uuid IS NULL OR s.workout_id = %(workout_id)s)
   AND s.started_at >= (SELECT CASE WHEN %(from_)s::date IS NULL THEN '-infinity' ELSE lower(day_bounds(%(from_)s)) END)
   AND s.started_at < (SELECT CASE WHEN %(to)s::date IS NULL THEN 'infinity' ELSE upper(day_bounds(%(to)s)) END)
 ORDER BY s.started_at DESC, s.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT x.*
  FROM (SELECT s.id
          FROM workout_sessions AS s
         WHERE (%(status)s::text IS NULL OR s.status = %(status)s)
           AND (%(workout_id)s::uuid IS NULL OR s.workout_id = %(workout_id)s)
           AND s.started_at >= (SELECT CASE WHEN %(from_)s::date IS NULL THEN '-infinity' ELSE lower(day_bounds(%(from_)s)) END)
           AND s.started_at < (SELECT CASE WHEN %(to)s::date IS NULL THEN 'infinity' ELSE upper(day_bounds(%(to)s)) END)
         ORDER BY s.started_at DESC, s.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p,
       LATERAL (SELECT n.* FROM named_sets AS n WHERE n.session_id = p.id OFFSET 0) AS x
 ORDER BY x.logged_at, x.id;
SELECT count(*) AS total
  FROM workout_sessions AS s
 WHERE (%(status)s::text IS NULL OR s.status = %(status)s)
   AND (%(workout_id)s::uuid IS NULL OR s.workout_id = %(workout_id)s)
   AND s.started_at >= (SELECT CASE WHEN %(from_)s::date IS NULL THEN '-infinity' ELSE lower(day_bounds(%(from_)s)) END)
   AND s.started_at < (SELECT CASE WHEN %(to)s::date IS NULL THEN 'infinity' ELSE upper(day_bounds(%(to)s)) END);

-- name: start
SELECT lock_user();
SELECT remember(start_session(%(workout_id)s, %(program_workout_id)s, %(started_at)s, %(notes)s));
SELECT s.* FROM workout_sessions AS s WHERE s.id = remembered();
SELECT s.intensity_modifier, s.opened_at, instant() AS now FROM workout_sessions AS s WHERE s.id = remembered();
SELECT x.* FROM named_sets AS x WHERE x.session_id = remembered() ORDER BY x.logged_at, x.id;
SELECT w.* FROM workout_sessions AS s JOIN workouts AS w ON w.id = s.workout_id WHERE s.id = remembered();
SELECT c.* FROM workout_sessions AS s JOIN workout_sections AS c ON c.workout_id = s.workout_id
 WHERE s.id = remembered() ORDER BY c.sort_order;
SELECT p.* FROM workout_sessions AS s JOIN planned_exercises AS p ON p.workout_id = s.workout_id
 WHERE s.id = remembered() ORDER BY p.sort_order;
SELECT l.* FROM workout_sessions AS s, last_time(s) AS t JOIN workout_sessions AS l ON l.id = t.session_id
 WHERE s.id = remembered();
SELECT x.* FROM workout_sessions AS s, last_time(s) AS t
  JOIN named_sets AS x ON x.session_id = t.session_id AND x.exercise_id = t.exercise_id
 WHERE s.id = remembered() ORDER BY x.exercise_name, x.exercise_id, x.logged_at, x.id;

-- name: active
SELECT remember(s.id) FROM workout_sessions AS s WHERE s.status = 'active';
SELECT s.* FROM workout_sessions AS s WHERE s.id = remembered();
SELECT s.intensity_modifier, s.opened_at, instant() AS now FROM workout_sessions AS s WHERE s.id = remembered();
SELECT x.* FROM named_sets AS x WHERE x.session_id = remembered() ORDER BY x.logged_at, x.id;
SELECT w.* FROM workout_sessions AS s JOIN workouts AS w ON w.id = s.workout_id WHERE s.id = remembered();
SELECT c.* FROM workout_sessions AS s JOIN workout_sections AS c ON c.workout_id = s.workout_id
 WHERE s.id = remembered() ORDER BY c.sort_order;
SELECT p.* FROM workout_sessions AS s JOIN planned_exercises AS p ON p.workout_id = s.workout_id
 WHERE s.id = remembered() ORDER BY p.sort_order;
SELECT l.* FROM workout_sessions AS s, last_time(s) AS t JOIN workout_sessions AS l ON l.id = t.session_id
 WHERE s.id = remembered();
SELECT x.* FROM workout_sessions AS s, last_time(s) AS t
  JOIN named_sets AS x ON x.session_id = t.session_id AND x.exercise_id = t.exercise_id
 WHERE s.id = remembered() ORDER BY x.exercise_name, x.exercise_id, x.logged_at, x.id;

-- name: resume
SELECT lock_user();
SELECT resume_session(s), remember(s.id) FROM workout_sessions AS s WHERE s.id = %(session_id)s;
SELECT s.* FROM workout_sessions AS s WHERE s.id = remembered();
SELECT s.intensity_modifier, s.opened_at, instant() AS now FROM workout_sessions AS s WHERE s.id = remembered();
SELECT x.* FROM named_sets AS x WHERE x.session_id = remembered() ORDER BY x.logged_at, x.id;
SELECT w.* FROM workout_sessions AS s JOIN workouts AS w ON w.id = s.workout_id WHERE s.id = remembered();
SELECT c.* FROM workout_sessions AS s JOIN workout_sections AS c ON c.workout_id = s.workout_id
 WHERE s.id = remembered() ORDER BY c.sort_order;
SELECT p.* FROM workout_sessions AS s JOIN planned_exercises AS p ON p.workout_id = s.workout_id
 WHERE s.id = remembered() ORDER BY p.sort_order;
SELECT l.* FROM workout_sessions AS s, last_time(s) AS t JOIN workout_sessions AS l ON l.id = t.session_id
 WHERE s.id = remembered();
SELECT x.* FROM workout_sessions AS s, last_time(s) AS t
  JOIN named_sets AS x ON x.session_id = t.session_id AND x.exercise_id = t.exercise_id
 WHERE s.id = remembered() ORDER BY x.exercise_name, x.exercise_id, x.logged_at, x.id;

-- name: session
SELECT * FROM workout_sessions WHERE id = %(session_id)s;
SELECT * FROM named_sets WHERE session_id = %(session_id)s ORDER BY logged_at, id;

-- name: change_session
SELECT lock_user();
SELECT change_session(s, %(changes)s) FROM workout_sessions AS s WHERE s.id = %(session_id)s;
SELECT * FROM workout_sessions WHERE id = %(session_id)s;
SELECT * FROM named_sets WHERE session_id = %(session_id)s ORDER BY logged_at, id;

-- name: delete_session
SELECT lock_user();
SELECT true AS deleted, delete_session(s) FROM workout_sessions AS s WHERE s.id = %(session_id)s;

-- name: abandon
SELECT lock_user();
SELECT abandon_session(s) FROM workout_sessions AS s WHERE s.id = %(session_id)s;
SELECT * FROM workout_sessions WHERE id = %(session_id)s;
SELECT * FROM named_sets WHERE session_id = %(session_id)s ORDER BY logged_at, id;

-- name: complete
-- Without an id it is the running session, or the one completed a moment ago.
SELECT lock_user();
SELECT remember(coalesce(%(session_id)s::uuid, session_to_complete()));
SELECT r.*
  FROM workout_sessions AS s, complete_session(s, %(completed_at)s, %(notes)s, %(rating)s) AS paid,
       reward(VARIADIC paid) AS r
 WHERE s.id = remembered();
SELECT * FROM workout_sessions WHERE id = remembered();
SELECT * FROM named_sets WHERE session_id = remembered() ORDER BY logged_at, id;
SELECT r.* FROM exercise_sets AS x JOIN named_records AS r ON r.set_id = x.id WHERE x.session_id = remembered()
 ORDER BY r.achieved_at, r.id;
SELECT p.* FROM workout_sessions AS s JOIN shown_programs AS p ON p.id = program_of(s.program_workout_id)
 WHERE s.id = remembered() AND s.total_sets > 0;

-- name: log_set
-- Without an id of a session it is the running one.
SELECT lock_user();
SELECT remember(log_set(s, %(exercise_id)s, %(set_number)s, %(given)s))
  FROM workout_sessions AS s
 WHERE CASE WHEN %(session_id)s::uuid IS NULL THEN s.status = 'active' ELSE s.id = %(session_id)s END;
SELECT * FROM named_sets WHERE id = remembered();
SELECT * FROM named_records WHERE set_id = remembered() AND is_current;

-- name: change_set
SELECT lock_user();
SELECT change_set(s, x, %(changes)s)
  FROM workout_sessions AS s JOIN exercise_sets AS x ON x.session_id = s.id
 WHERE s.id = %(session_id)s AND x.id = %(set_id)s;
SELECT * FROM named_sets WHERE session_id = %(session_id)s AND id = %(set_id)s;

-- name: delete_set
SELECT lock_user();
SELECT true AS deleted, delete_set(s, x)
  FROM workout_sessions AS s JOIN exercise_sets AS x ON x.session_id = s.id
 WHERE s.id = %(session_id)s AND x.id = %(set_id)s;
