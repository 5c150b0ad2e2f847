-- Whatever adds a workout or changes its sections begins with lock_user(): the limits hold in parallel.

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
