SET LOCAL ROLE questlog_owner;

-- The workouts that are listed, never the quick one: of a type, templates or not, all of `words` in the name; those that
-- are deleted or those that are not. Null is any.
CREATE OR REPLACE FUNCTION app.workouts_where(wanted_type text, template boolean, words text[], deleted boolean)
RETURNS SETOF workouts
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT w.*
      FROM workouts AS w
     WHERE NOT w.is_quick
       AND (w.deleted_at IS NOT NULL) = deleted
       AND (wanted_type IS NULL OR w.workout_type = wanted_type)
       AND (template IS NULL OR w.is_template = template)
       AND NOT EXISTS (SELECT FROM unnest(words) AS k WHERE position(lower(k) IN lower(w.name)) = 0);
END;

-- The exercises in the sections of workouts, with their names.
CREATE OR REPLACE VIEW app.planned_exercises WITH (security_invoker = true) AS
SELECT p.*, c.workout_id, e.name AS exercise_name
  FROM workout_exercises AS p
  JOIN workout_sections AS c ON c.id = p.section_id
  JOIN exercises AS e ON e.owner_key = p.exercise_owner AND e.id = p.exercise_id;

-- Refuses to change the quick workout.
CREATE OR REPLACE FUNCTION app.require_ordinary(w workouts) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT w.is_quick OR refuse(409, 'conflict', 'The quick workout cannot be changed.');
END
$$;

-- Refuses one workout more than 500.
CREATE OR REPLACE FUNCTION app.require_room_for_workout() RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT count(*) FROM workouts AS w WHERE w.deleted_at IS NULL AND NOT w.is_quick) < 500
    OR refuse(409, 'limit_reached', 'There are 500 workouts already.', '{"limit": 500}');

-- Writes the sections of a workout in place of those it has. `document` is {"sections": [{..., "exercises": [...]}]}.
-- An exercise has to be visible, and if it is deleted, in the workout already.
CREATE OR REPLACE FUNCTION app.write_sections(workout uuid, document jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    kept uuid[] := ARRAY(SELECT DISTINCT p.exercise_id FROM planned_exercises AS p WHERE p.workout_id = workout);
BEGIN
    DELETE FROM workout_sections AS c WHERE c.workout_id = workout;
    INSERT INTO workout_sections (id, workout_id, name, section_type, sort_order)
    SELECT c.id, workout, c.name, c.section_type, c.sort_order
      FROM jsonb_to_recordset(document -> 'sections') AS c (id uuid, name text, section_type text, sort_order int);
    INSERT INTO workout_exercises (
        id, section_id, exercise_owner, exercise_id, sets, reps_min, reps_max, weight_kg, duration_seconds, rest_seconds,
        notes, sort_order)
    SELECT p.id, p.section_id, coalesce(e.owner_key, '00000000-0000-0000-0000-000000000000'), p.exercise_id, p.sets,
           p.reps_min, p.reps_max, p.weight_kg, p.duration_seconds, p.rest_seconds, p.notes, p.sort_order
      FROM jsonb_to_recordset(document -> 'exercises') AS p (
               id uuid, section_id uuid, exercise_id uuid, sets int, reps_min int, reps_max int, weight_kg numeric,
               duration_seconds int, rest_seconds int, notes text, sort_order int)
      LEFT JOIN library() AS e ON e.id = p.exercise_id AND (e.deleted_at IS NULL OR e.id = ANY (kept))
     WHERE e.id IS NOT NULL OR refuse(404, 'not_found', 'There is no such exercise.');
END
$$;

-- Copies the sections of a workout into another one.
CREATE OR REPLACE FUNCTION app.copy_sections(source uuid, target uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO workout_sections (workout_id, name, section_type, sort_order)
    SELECT target, c.name, c.section_type, c.sort_order FROM workout_sections AS c WHERE c.workout_id = source;
    INSERT INTO workout_exercises (
        section_id, exercise_owner, exercise_id, sets, reps_min, reps_max, weight_kg, duration_seconds, rest_seconds, notes,
        sort_order)
    SELECT t.id, p.exercise_owner, p.exercise_id, p.sets, p.reps_min, p.reps_max, p.weight_kg, p.duration_seconds,
           p.rest_seconds, p.notes, p.sort_order
      FROM workout_exercises AS p
      JOIN workout_sections AS c ON c.id = p.section_id AND c.workout_id = source
      JOIN workout_sections AS t ON t.workout_id = target AND t.sort_order = c.sort_order;
END;

-- Makes the one section of a workout out of a session: per exercise its working sets, their fewest and most repetitions
-- and the last weight, in the order in which they were done.
CREATE OR REPLACE FUNCTION app.save_session(s workout_sessions, workout uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    section uuid;
BEGIN
    IF s.total_sets = 0 THEN
        PERFORM refuse(409, 'conflict', 'The session has no working set.');
    END IF;
    INSERT INTO workout_sections (workout_id, name, section_type, sort_order)
    VALUES (workout, 'Main', 'main', 0) RETURNING id INTO section;
    INSERT INTO workout_exercises (
        section_id, exercise_owner, exercise_id, sets, reps_min, reps_max, weight_kg, duration_seconds, sort_order)
    SELECT section, x.exercise_owner, x.exercise_id, least(count(*), 50),
           min(CASE WHEN x.reps > 0 THEN least(x.reps, 1000) END), max(CASE WHEN x.reps > 0 THEN least(x.reps, 1000) END),
           (array_agg(x.weight_kg ORDER BY x.logged_at DESC, x.id DESC))[1],
           CASE WHEN count(nullif(x.reps, 0)) = 0 THEN nullif(max(x.duration_seconds), 0) END,
           row_number() OVER (ORDER BY min(x.logged_at), x.exercise_id) - 1
      FROM exercise_sets AS x
     WHERE x.session_id = s.id AND x.is_working
     GROUP BY x.exercise_owner, x.exercise_id
     ORDER BY min(x.logged_at), x.exercise_id
     LIMIT 100;
END
$$;

-- Whether the user has such a workout, for what may point at one: the calendar and the plan.
CREATE OR REPLACE FUNCTION app.has_workout(workout uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workouts AS w WHERE w.id = workout AND w.deleted_at IS NULL AND NOT w.is_quick);

-- The names of workouts, of deleted ones too, for what points at them.
CREATE OR REPLACE VIEW app.workout_names WITH (security_invoker = true) AS
SELECT w.id, w.name FROM workouts AS w;

-- Adds a workout of one section of built-in exercises, which `exercises` names by their slugs, and returns its id.
CREATE OR REPLACE FUNCTION internal.add_planned_workout(
    name text, difficulty text, workout_type text, section_type text, exercises jsonb
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    workout uuid;
    section uuid;
BEGIN
    INSERT INTO workouts (name, difficulty, workout_type)
    SELECT add_planned_workout.name, add_planned_workout.difficulty, add_planned_workout.workout_type
     WHERE require_room_for_workout()
    RETURNING id INTO workout;
    INSERT INTO workout_sections (workout_id, name, section_type, sort_order)
    VALUES (workout, initcap(add_planned_workout.section_type), add_planned_workout.section_type, 0)
    RETURNING id INTO section;
    INSERT INTO workout_exercises (
        section_id, exercise_owner, exercise_id, sets, reps_min, reps_max, duration_seconds, rest_seconds, sort_order)
    SELECT section, e.owner_key, e.id, p.sets, p.reps_min, p.reps_max, p.duration_seconds, p.rest_seconds, x.place - 1
      FROM jsonb_array_elements(add_planned_workout.exercises) WITH ORDINALITY AS x (exercise, place),
           LATERAL jsonb_to_record(x.exercise)
               AS p (slug text, sets int, reps_min int, reps_max int, duration_seconds int, rest_seconds int)
      JOIN library() AS e ON e.is_builtin AND e.slug = p.slug;
    RETURN workout;
END
$$;

-- Takes slots, which are about to be removed, out of the sessions that were started for them.
CREATE OR REPLACE FUNCTION internal.unlink_slots(slots uuid[]) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE workout_sessions AS s SET program_workout_id = NULL WHERE s.program_workout_id = ANY (slots);
END;
