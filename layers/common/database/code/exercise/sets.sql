SET LOCAL ROLE questlog_owner;

-- Refuses changes to the sets of an abandoned session.
CREATE OR REPLACE FUNCTION internal.require_open_for_sets(s workout_sessions) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF s.status = 'abandoned' THEN
        PERFORM refuse(409, 'conflict', 'The sets of an abandoned session cannot be changed; resume it first.',
                       jsonb_build_object('status', s.status));
    END IF;
END
$$;

-- Logs a set, and returns its id. `given` holds the values of the set. A number that is absent or taken becomes the
-- highest + 1 of the exercise. The same request again within 10 s returns the set it logged, if it has a number.
CREATE OR REPLACE FUNCTION app.log_set(s workout_sessions, exercise uuid, number int, given jsonb) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz := instant();
    e exercises;
    x exercise_sets := jsonb_populate_record(NULL::exercise_sets, given);
    others record;
BEGIN
    PERFORM require_open_for_sets(s);
    SELECT * INTO e FROM library() AS l WHERE l.id = exercise;
    IF e.id IS NULL OR e.deleted_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM workout_exercises AS w JOIN workout_sections AS c ON c.id = w.section_id
         WHERE c.workout_id = s.workout_id AND w.exercise_id = e.id)
    THEN
        PERFORM refuse(404, 'not_found', 'There is no such exercise.');
    END IF;
    SELECT count(*) AS sets,
           max(o.set_number) FILTER (WHERE o.exercise_id = e.id) AS highest,
           coalesce(bool_or(o.exercise_id = e.id AND o.set_number = number), false) AS is_taken,
           (array_agg(o.id) FILTER (
               WHERE o.exercise_id = e.id AND o.requested_number = number AND o.logged_at > at - interval '10 seconds'
                 AND (o.reps, o.weight_kg, o.duration_seconds, o.distance_m, o.rpe, o.is_warmup, o.is_dropset, o.is_failure,
                      o.notes)
                     IS NOT DISTINCT FROM
                     (x.reps, x.weight_kg, x.duration_seconds, x.distance_m, x.rpe, x.is_warmup, x.is_dropset,
                      x.is_failure, x.notes)))[1] AS same
      INTO others
      FROM exercise_sets AS o WHERE o.session_id = s.id;
    IF others.same IS NOT NULL THEN
        RETURN others.same;
    ELSIF others.sets >= 500 THEN
        PERFORM refuse(409, 'limit_reached', 'The session has 500 sets already.', '{"limit": 500}');
    END IF;
    INSERT INTO session_exercises (session_id, exercise_owner, exercise_id, started_at, is_completed)
    VALUES (s.id, e.owner_key, e.id, s.started_at, s.is_completed)
    ON CONFLICT DO NOTHING;
    INSERT INTO exercise_sets (
        session_id, exercise_owner, exercise_id, set_number, requested_number, reps, weight_kg, duration_seconds, distance_m,
        rpe, is_warmup, is_dropset, is_failure, notes, logged_at)
    VALUES (
        s.id, e.owner_key, e.id,
        CASE WHEN number IS NULL OR others.is_taken THEN coalesce(others.highest, 0) + 1 ELSE number END,
        number, x.reps, x.weight_kg, x.duration_seconds, x.distance_m, x.rpe, x.is_warmup, x.is_dropset, x.is_failure,
        x.notes, at)
    RETURNING * INTO x;
    PERFORM recount_session(s.id);
    PERFORM find_records(x, s);
    RETURN x.id;
END
$$;

-- Changes the values of a set; it keeps its exercise, its number and its time.
CREATE OR REPLACE FUNCTION app.change_set(s workout_sessions, x exercise_sets, changes jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    changed exercise_sets := jsonb_populate_record(x, changes);
BEGIN
    PERFORM require_open_for_sets(s);
    IF num_nonnulls(changed.reps, changed.duration_seconds, changed.distance_m) = 0 THEN
        PERFORM refuse_field('reps', 'is needed, or duration_seconds, or distance_m');
    END IF;
    UPDATE exercise_sets AS o
       SET (reps, weight_kg, duration_seconds, distance_m, rpe, is_warmup, is_dropset, is_failure, notes)
         = (changed.reps, changed.weight_kg, changed.duration_seconds, changed.distance_m, changed.rpe, changed.is_warmup,
            changed.is_dropset, changed.is_failure, changed.notes)
     WHERE o.id = x.id;
    PERFORM recount_session(s.id);
    PERFORM rebuild_records(x.exercise_owner, x.exercise_id);
END
$$;

-- Deletes a set. Numbers of other sets stay.
CREATE OR REPLACE FUNCTION app.delete_set(s workout_sessions, x exercise_sets) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM require_open_for_sets(s);
    DELETE FROM exercise_sets AS o WHERE o.id = x.id;
    DELETE FROM session_exercises AS e
     WHERE e.session_id = s.id AND e.exercise_owner = x.exercise_owner AND e.exercise_id = x.exercise_id
       AND NOT EXISTS (SELECT FROM exercise_sets AS o
                        WHERE o.session_id = s.id
                          AND o.exercise_owner = x.exercise_owner AND o.exercise_id = x.exercise_id);
    PERFORM recount_session(s.id);
    PERFORM rebuild_records(x.exercise_owner, x.exercise_id);
END
$$;
