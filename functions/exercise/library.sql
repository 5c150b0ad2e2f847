-- Whatever adds or merges exercises begins with lock_user(): the limit holds in parallel.

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
