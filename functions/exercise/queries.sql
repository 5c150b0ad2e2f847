-- Statements of one name travel together, and each sees what those before it wrote. Whatever changes something begins with
-- lock_user(): the sessions, sets and records of one user change one request at a time.

-- name: exercises
-- Only the columns that are shown: each more takes the function a fifth of a millisecond for 873 rows.
SELECT e.id, e.slug, e.name, e.category, e.primary_muscles || e.secondary_muscles AS muscle_groups, e.primary_muscles,
       e.secondary_muscles, e.equipment, e.description, e.instructions, e.force, e.level, e.mechanic, e.is_builtin, e.created_at
  FROM exercises_where(%(category)s, %(muscle)s, %(equipment)s, %(level)s, %(words)s, %(custom)s) AS e
 ORDER BY lower(e.name), e.id
 LIMIT %(limit)s OFFSET %(offset)s;

-- name: exercises_page
SELECT e.*, e.primary_muscles || e.secondary_muscles AS muscle_groups
  FROM exercises_where(%(category)s, %(muscle)s, %(equipment)s, %(level)s, %(words)s, %(custom)s) AS e
 ORDER BY lower(e.name), e.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total
  FROM exercises_where(%(category)s, %(muscle)s, %(equipment)s, %(level)s, %(words)s, %(custom)s) AS e;

-- name: add_exercise
SELECT lock_user();
INSERT INTO exercises AS e (
    name, category, primary_muscles, secondary_muscles, equipment, description, instructions, force, level, mechanic)
SELECT %(name)s, %(category)s, m.primary_muscles, m.secondary_muscles, coalesce(%(equipment)s::text[], '{}'), %(description)s, %(instructions)s,
       %(force)s, %(level)s, %(mechanic)s
  FROM muscles_after(NULL, %(muscle_groups)s, %(secondary_muscles)s) AS m
 WHERE require_room_for_exercises()
RETURNING e.*, e.primary_muscles || e.secondary_muscles AS muscle_groups;

-- name: exercise
SELECT e.*, e.primary_muscles || e.secondary_muscles AS muscle_groups
  FROM library() AS e
 WHERE e.id = %(exercise_id)s AND e.deleted_at IS NULL;

-- name: change_exercise
SELECT require_own(e) FROM library() AS e WHERE e.id = %(exercise_id)s;
UPDATE exercises AS e
   SET (name, category, primary_muscles, secondary_muscles, equipment, description, instructions, force, level, mechanic)
     = (SELECT c.name, c.category, m.primary_muscles, m.secondary_muscles, c.equipment, c.description, c.instructions,
               c.force, c.level, c.mechanic
          FROM jsonb_populate_record(e, %(changes)s) AS c,
               muscles_after(e, %(muscle_groups)s, %(secondary_muscles)s) AS m)
 WHERE e.owner_id = current_user_id() AND e.id = %(exercise_id)s AND e.deleted_at IS NULL
RETURNING e.*, e.primary_muscles || e.secondary_muscles AS muscle_groups;

-- name: delete_exercise
SELECT require_own(e) FROM library() AS e WHERE e.id = %(exercise_id)s;
UPDATE exercises AS e SET deleted_at = clock()
 WHERE e.owner_id = current_user_id() AND e.id = %(exercise_id)s AND e.deleted_at IS NULL
RETURNING true AS deleted;

-- name: restore_exercise
SELECT lock_user();
UPDATE exercises AS e SET deleted_at = NULL, merged_into_owner = NULL, merged_into = NULL
 WHERE e.owner_id = current_user_id() AND e.id = %(exercise_id)s AND e.deleted_at IS NOT NULL
   AND require_room_for_exercises();
SELECT e.*, e.primary_muscles || e.secondary_muscles AS muscle_groups FROM library() AS e WHERE e.id = %(exercise_id)s;

-- name: merge_exercise
SELECT lock_user();
SELECT require_own(e) FROM library() AS e WHERE e.id = %(exercise_id)s;
SELECT refuse_field('into', 'must be another exercise') WHERE %(exercise_id)s = %(into)s::uuid;
SELECT refuse(404, 'not_found', 'There is no such exercise.')
 WHERE NOT EXISTS (SELECT FROM library() AS e WHERE e.id = %(exercise_id)s AND e.deleted_at IS NULL)
    OR NOT EXISTS (SELECT FROM library() AS e WHERE e.id = %(into)s AND e.deleted_at IS NULL);
SELECT merge_exercise(s, t) FROM library() AS s, library() AS t WHERE s.id = %(exercise_id)s AND t.id = %(into)s;
SELECT e.*, e.primary_muscles || e.secondary_muscles AS muscle_groups FROM library() AS e WHERE e.id = %(into)s;

-- name: seed
SELECT * FROM seed_exercises();

-- name: exercise_history
SELECT e.*, e.primary_muscles || e.secondary_muscles AS muscle_groups
  FROM library() AS e
 WHERE e.id = %(exercise_id)s AND e.deleted_at IS NULL;
SELECT s.*
  FROM (SELECT e.session_id FROM session_exercises AS e
         WHERE e.exercise_id = %(exercise_id)s AND e.is_completed
         ORDER BY e.started_at DESC, e.session_id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p
  JOIN workout_sessions AS s ON s.id = p.session_id
 ORDER BY s.started_at DESC, s.id;
SELECT x.*
  FROM (SELECT e.session_id FROM session_exercises AS e
         WHERE e.exercise_id = %(exercise_id)s AND e.is_completed
         ORDER BY e.started_at DESC, e.session_id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p
  JOIN named_sets AS x ON x.session_id = p.session_id AND x.exercise_id = %(exercise_id)s
 ORDER BY x.logged_at, x.id;
SELECT r.* FROM named_records AS r WHERE r.exercise_id = %(exercise_id)s AND r.is_current
 ORDER BY r.achieved_at DESC, r.id;
SELECT count(*) AS total FROM session_exercises AS e WHERE e.exercise_id = %(exercise_id)s AND e.is_completed;

-- name: workouts
SELECT w.* FROM workouts_where(%(workout_type)s, %(is_template)s, %(words)s, %(deleted)s) AS w
 ORDER BY w.updated_at DESC, w.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT c.*
  FROM (SELECT w.id FROM workouts_where(%(workout_type)s, %(is_template)s, %(words)s, %(deleted)s) AS w
         ORDER BY w.updated_at DESC, w.id
         LIMIT %(limit)s OFFSET %(offset)s) AS p
  JOIN workout_sections AS c ON c.workout_id = p.id
 ORDER BY c.sort_order;
SELECT x.*
  FROM (SELECT w.id FROM workouts_where(%(workout_type)s, %(is_template)s, %(words)s, %(deleted)s) AS w
         ORDER BY w.updated_at DESC, w.id
         LIMIT %(limit)s OFFSET %(offset)s) AS p
  JOIN planned_exercises AS x ON x.workout_id = p.id
 ORDER BY x.sort_order;
SELECT count(*) AS total FROM workouts_where(%(workout_type)s, %(is_template)s, %(words)s, %(deleted)s);

-- name: workout
SELECT * FROM workouts WHERE id = %(workout_id)s AND deleted_at IS NULL;
SELECT * FROM workout_sections WHERE workout_id = %(workout_id)s ORDER BY sort_order;
SELECT * FROM planned_exercises WHERE workout_id = %(workout_id)s ORDER BY sort_order;

-- name: add_workout
SELECT lock_user();
INSERT INTO workouts (id, name, description, duration_minutes, difficulty, workout_type, is_template)
SELECT %(workout_id)s, %(name)s, %(description)s, %(duration_minutes)s, coalesce(%(difficulty)s, 'intermediate'),
       coalesce(%(workout_type)s, 'strength'), coalesce(%(is_template)s, false)
 WHERE require_room_for_workout();
SELECT write_sections(%(workout_id)s, %(document)s);
SELECT * FROM workouts WHERE id = %(workout_id)s;
SELECT * FROM workout_sections WHERE workout_id = %(workout_id)s ORDER BY sort_order;
SELECT * FROM planned_exercises WHERE workout_id = %(workout_id)s ORDER BY sort_order;

-- name: change_workout
SELECT lock_user();
UPDATE workouts AS w
   SET (name, description, duration_minutes, difficulty, workout_type, is_template)
     = (SELECT name, description, duration_minutes, difficulty, workout_type, is_template
          FROM jsonb_populate_record(w, %(changes)s))
 WHERE w.id = %(workout_id)s AND w.deleted_at IS NULL AND require_ordinary(w);
SELECT write_sections(w.id, %(document)s) FROM workouts AS w
 WHERE w.id = %(workout_id)s AND w.deleted_at IS NULL AND %(document)s::jsonb IS NOT NULL;
SELECT * FROM workouts WHERE id = %(workout_id)s AND deleted_at IS NULL;
SELECT * FROM workout_sections WHERE workout_id = %(workout_id)s ORDER BY sort_order;
SELECT * FROM planned_exercises WHERE workout_id = %(workout_id)s ORDER BY sort_order;

-- name: delete_workout
UPDATE workouts AS w SET deleted_at = clock()
 WHERE w.id = %(workout_id)s AND w.deleted_at IS NULL AND require_ordinary(w)
RETURNING true AS deleted;

-- name: restore_workout
SELECT lock_user();
UPDATE workouts SET deleted_at = NULL
 WHERE id = %(workout_id)s AND deleted_at IS NOT NULL AND require_room_for_workout();
SELECT * FROM workouts WHERE id = %(workout_id)s;
SELECT * FROM workout_sections WHERE workout_id = %(workout_id)s ORDER BY sort_order;
SELECT * FROM planned_exercises WHERE workout_id = %(workout_id)s ORDER BY sort_order;

-- name: duplicate_workout
SELECT lock_user();
INSERT INTO workouts (id, name, description, duration_minutes, difficulty, workout_type, is_template)
SELECT %(new_id)s, coalesce(%(name)s, left(w.name || ' (copy)', 120)), w.description, w.duration_minutes, w.difficulty,
       w.workout_type, w.is_template
  FROM workouts AS w
 WHERE w.id = %(workout_id)s AND w.deleted_at IS NULL AND require_ordinary(w) AND require_room_for_workout();
SELECT copy_sections(%(workout_id)s, w.id) FROM workouts AS w WHERE w.id = %(new_id)s;
SELECT * FROM workouts WHERE id = %(new_id)s;
SELECT * FROM workout_sections WHERE workout_id = %(new_id)s ORDER BY sort_order;
SELECT * FROM planned_exercises WHERE workout_id = %(new_id)s ORDER BY sort_order;

-- name: all_sessions
-- The workouts hold the number of their completed sessions; the other sessions are few and are counted.
SELECT s.* FROM workout_sessions AS s
 ORDER BY s.started_at DESC, s.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT x.*
  FROM (SELECT s.id FROM workout_sessions AS s
         ORDER BY s.started_at DESC, s.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p
  JOIN named_sets AS x ON x.session_id = p.id
 ORDER BY x.logged_at, x.id;
SELECT (SELECT coalesce(sum(w.times_performed), 0) FROM workouts AS w)
     + (SELECT count(*) FROM workout_sessions AS s WHERE s.status <> 'completed') AS total;

-- name: sessions
SELECT s.*
  FROM workout_sessions AS s
 WHERE (%(status)s::text IS NULL OR s.status = %(status)s)
   AND (%(workout_id)s::uuid IS NULL OR s.workout_id = %(workout_id)s)
   AND (%(from_)s::date IS NULL OR s.started_at >= (SELECT lower(day_bounds(%(from_)s))))
   AND (%(to)s::date IS NULL OR s.started_at < (SELECT upper(day_bounds(%(to)s))))
 ORDER BY s.started_at DESC, s.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT x.*
  FROM (SELECT s.id
          FROM workout_sessions AS s
         WHERE (%(status)s::text IS NULL OR s.status = %(status)s)
           AND (%(workout_id)s::uuid IS NULL OR s.workout_id = %(workout_id)s)
           AND (%(from_)s::date IS NULL OR s.started_at >= (SELECT lower(day_bounds(%(from_)s))))
           AND (%(to)s::date IS NULL OR s.started_at < (SELECT upper(day_bounds(%(to)s))))
         ORDER BY s.started_at DESC, s.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p
  JOIN named_sets AS x ON x.session_id = p.id
 ORDER BY x.logged_at, x.id;
SELECT count(*) AS total
  FROM workout_sessions AS s
 WHERE (%(status)s::text IS NULL OR s.status = %(status)s)
   AND (%(workout_id)s::uuid IS NULL OR s.workout_id = %(workout_id)s)
   AND (%(from_)s::date IS NULL OR s.started_at >= (SELECT lower(day_bounds(%(from_)s))))
   AND (%(to)s::date IS NULL OR s.started_at < (SELECT upper(day_bounds(%(to)s))));

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

-- name: save_as_workout
SELECT lock_user();
INSERT INTO workouts (id, name, workout_type)
SELECT %(workout_id)s, %(name)s, s.workout_type
  FROM workout_sessions AS s
 WHERE s.id = %(session_id)s AND require_room_for_workout();
SELECT save_session(s, %(workout_id)s) FROM workout_sessions AS s WHERE s.id = %(session_id)s;
SELECT * FROM workouts WHERE id = %(workout_id)s;
SELECT * FROM workout_sections WHERE workout_id = %(workout_id)s ORDER BY sort_order;
SELECT * FROM planned_exercises WHERE workout_id = %(workout_id)s ORDER BY sort_order;

-- name: records
SELECT n.*
  FROM (SELECT r.id FROM personal_records AS r
         WHERE r.is_current
           AND (%(exercise_id)s::uuid IS NULL OR r.exercise_id = %(exercise_id)s)
           AND (%(record_type)s::text IS NULL OR r.record_type = %(record_type)s)
         ORDER BY r.achieved_at DESC, r.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p
  JOIN named_records AS n ON n.id = p.id
 ORDER BY n.achieved_at DESC, n.id;
SELECT count(*) AS total
  FROM personal_records AS r
 WHERE r.is_current
   AND (%(exercise_id)s::uuid IS NULL OR r.exercise_id = %(exercise_id)s)
   AND (%(record_type)s::text IS NULL OR r.record_type = %(record_type)s);

-- name: records_with_history
SELECT n.*
  FROM (SELECT r.id FROM personal_records AS r
         WHERE (%(exercise_id)s::uuid IS NULL OR r.exercise_id = %(exercise_id)s)
           AND (%(record_type)s::text IS NULL OR r.record_type = %(record_type)s)
         ORDER BY r.achieved_at DESC, r.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p
  JOIN named_records AS n ON n.id = p.id
 ORDER BY n.achieved_at DESC, n.id;
SELECT count(*) AS total
  FROM personal_records AS r
 WHERE (%(exercise_id)s::uuid IS NULL OR r.exercise_id = %(exercise_id)s)
   AND (%(record_type)s::text IS NULL OR r.record_type = %(record_type)s);

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

-- name: export
SELECT c.zone FROM day_settings() AS c;
SELECT s.*
  FROM workout_sessions AS s
 WHERE s.status = 'completed'
   AND (%(from_)s::date IS NULL OR s.started_at >= (SELECT lower(day_bounds(%(from_)s))))
   AND (%(to)s::date IS NULL OR s.started_at < (SELECT upper(day_bounds(%(to)s))))
 ORDER BY s.started_at DESC, s.id;
SELECT x.*
  FROM workout_sessions AS s JOIN named_sets AS x ON x.session_id = s.id
 WHERE s.status = 'completed'
   AND (%(from_)s::date IS NULL OR s.started_at >= (SELECT lower(day_bounds(%(from_)s))))
   AND (%(to)s::date IS NULL OR s.started_at < (SELECT upper(day_bounds(%(to)s))))
 ORDER BY x.logged_at, x.id;

-- name: importable
-- The version is read first, so that a change after it is noticed when the plan is written.
SELECT d.zone, training_version() AS version FROM day_settings() AS d;
SELECT id, import_key, import_digest, workout_name, started_at, completed_at FROM workout_sessions WHERE status = 'completed';
SELECT import_key FROM deleted_imports WHERE kind = 'workout_session';
SELECT id, name, slug, equipment, import_key, merged_into, deleted_at IS NOT NULL AS is_deleted
  FROM library()
 ORDER BY created_at, id;

-- name: import
-- A file may hold more sets than are written within the time of a login's statements.
SELECT set_config('statement_timeout', '15s', true) WHERE current_setting('statement_timeout')::interval < '15s';
SELECT lock_user();
SELECT * FROM import_sessions(%(version)s, %(rows)s, %(dry_run)s);
