SET LOCAL ROLE questlog_owner;

-- What a working set can be a record in, with weights rounded to 0.01 kg. The estimated one-rep maximum is Epley's.
CREATE OR REPLACE FUNCTION internal.record_values(x exercise_sets) RETURNS TABLE (record_type text, value numeric)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.*
      FROM (SELECT round(x.weight_kg, 2) AS weight OFFSET 0) AS w,
           LATERAL (VALUES
               ('max_weight', CASE WHEN w.weight <> 0 AND x.reps >= 1 THEN w.weight END),
               ('est_1rm', CASE WHEN w.weight > 0 AND x.reps = 1 THEN w.weight
                                WHEN w.weight > 0 AND x.reps BETWEEN 2 AND 12
                                THEN round(w.weight * (30 + x.reps) / 30, 2) END),
               ('max_volume', CASE WHEN w.weight > 0 AND x.reps >= 1 THEN w.weight * x.reps END),
               ('max_reps', CASE WHEN coalesce(w.weight, 0) = 0 AND x.reps >= 1 THEN x.reps END),
               ('max_distance', CASE WHEN x.distance_m > 0 THEN x.distance_m END),
               ('max_duration', CASE WHEN x.duration_seconds >= 1 THEN x.duration_seconds END)
           ) AS v (record_type, value)
     WHERE x.is_working AND v.value IS NOT NULL;
END;

-- Makes the records of an exercise anew: the running maxima over its working sets, in the order of the sessions' starts,
-- without abandoned sessions. A record's id follows from its set, so that one that stays keeps it.
CREATE OR REPLACE FUNCTION internal.rebuild_records(owner_key uuid, exercise uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM personal_records AS r WHERE r.exercise_owner = owner_key AND r.exercise_id = exercise;
    INSERT INTO personal_records (
        id, set_id, exercise_owner, exercise_id, record_type, value, previous_value, achieved_at, is_current)
    SELECT md5(m.set_id::text || m.record_type)::uuid, m.set_id, owner_key, exercise, m.record_type, m.value, m.previous,
           least(m.logged_at, m.completed_at),
           row_number() OVER (PARTITION BY m.record_type ORDER BY m.started_at DESC, m.logged_at DESC, m.set_id DESC) = 1
      FROM (SELECT x.id AS set_id, v.record_type, v.value, s.started_at, x.logged_at, s.completed_at,
                   max(v.value) OVER (PARTITION BY v.record_type ORDER BY s.started_at, x.logged_at, x.id
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS previous
              FROM session_exercises AS e
              JOIN workout_sessions AS s ON s.id = e.session_id AND s.status <> 'abandoned'
              JOIN exercise_sets AS x ON x.session_id = e.session_id
                                     AND x.exercise_owner = e.exercise_owner AND x.exercise_id = e.exercise_id
             CROSS JOIN LATERAL record_values(x) AS v
             WHERE e.exercise_owner = owner_key AND e.exercise_id = exercise) AS m
     WHERE m.previous IS NULL OR m.value > m.previous;
END
$$;

-- The same for each exercise of a session.
CREATE OR REPLACE FUNCTION internal.rebuild_records_of(session uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT rebuild_records(e.exercise_owner, e.exercise_id) FROM session_exercises AS e WHERE e.session_id = session;
END;

-- Whether a set comes after every other one that counts for its exercise.
CREATE OR REPLACE FUNCTION internal.is_latest_set(x exercise_sets, s workout_sessions) RETURNS boolean
LANGUAGE sql STABLE
RETURN NOT EXISTS (
           SELECT FROM session_exercises AS e
            WHERE e.exercise_id = x.exercise_id AND e.is_completed
              AND e.started_at >= s.started_at AND e.session_id <> s.id)
   AND NOT EXISTS (
           SELECT FROM exercise_sets AS o
            WHERE o.session_id = s.id AND o.exercise_owner = x.exercise_owner AND o.exercise_id = x.exercise_id
              AND o.id <> x.id AND o.logged_at >= x.logged_at)
   AND (s.status = 'active' OR NOT EXISTS (
           SELECT FROM workout_sessions AS a
             JOIN session_exercises AS e ON e.session_id = a.id AND e.exercise_id = x.exercise_id
            WHERE a.status = 'active' AND a.started_at >= s.started_at));

-- Finds the records that a new set makes. Usually it is the latest of its exercise, and need only beat the present ones.
CREATE OR REPLACE FUNCTION internal.find_records(x exercise_sets, s workout_sessions) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    beaten_types text[];
    beaten_values numeric[];
BEGIN
    IF NOT x.is_working THEN
        RETURN;
    ELSIF NOT is_latest_set(x, s) THEN
        PERFORM rebuild_records(x.exercise_owner, x.exercise_id);
        RETURN;
    END IF;
    -- Two statements, or the unique index would see two current records of a type.
    WITH updated AS (
        UPDATE personal_records AS r SET is_current = false
          FROM record_values(x) AS v
         WHERE r.exercise_id = x.exercise_id AND r.record_type = v.record_type AND r.is_current AND v.value > r.value
        RETURNING r.record_type, r.value
    )
    SELECT coalesce(array_agg(u.record_type), '{}'), coalesce(array_agg(u.value), '{}') INTO beaten_types, beaten_values
      FROM updated AS u;
    INSERT INTO personal_records (
        id, set_id, exercise_owner, exercise_id, record_type, value, previous_value, achieved_at, is_current)
    SELECT md5(x.id::text || v.record_type)::uuid, x.id, x.exercise_owner, x.exercise_id, v.record_type, v.value, b.value,
           least(x.logged_at, s.completed_at), true
      FROM record_values(x) AS v
      LEFT JOIN unnest(beaten_types, beaten_values) AS b (record_type, value) ON b.record_type = v.record_type
     WHERE NOT EXISTS (SELECT FROM personal_records AS r
                        WHERE r.exercise_id = x.exercise_id AND r.record_type = v.record_type AND r.is_current);
END
$$;
