SET LOCAL ROLE questlog_owner;

-- Moves the sets, the plans and the records of an own exercise to another one, and hides it. Of numbers that are taken in
-- a session, the moved set gets the highest + 1.
CREATE OR REPLACE FUNCTION app.merge_exercise(source exercises, target exercises) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    x exercise_sets;
BEGIN
    UPDATE workout_exercises AS p SET exercise_owner = target.owner_key, exercise_id = target.id
     WHERE p.exercise_owner = source.owner_key AND p.exercise_id = source.id;
    INSERT INTO session_exercises (session_id, exercise_owner, exercise_id, started_at, is_completed)
    SELECT e.session_id, target.owner_key, target.id, e.started_at, e.is_completed
      FROM session_exercises AS e WHERE e.exercise_owner = source.owner_key AND e.exercise_id = source.id
    ON CONFLICT DO NOTHING;
    FOR x IN
        SELECT o.* FROM session_exercises AS e
          JOIN exercise_sets AS o ON o.session_id = e.session_id
                                 AND o.exercise_owner = e.exercise_owner AND o.exercise_id = e.exercise_id
         WHERE e.exercise_owner = source.owner_key AND e.exercise_id = source.id
         ORDER BY o.session_id, o.set_number
    LOOP
        UPDATE exercise_sets AS o
           SET exercise_owner = target.owner_key,
               exercise_id = target.id,
               set_number = CASE
                   WHEN EXISTS (SELECT FROM exercise_sets AS t
                                 WHERE t.session_id = x.session_id AND t.exercise_owner = target.owner_key
                                   AND t.exercise_id = target.id AND t.set_number = x.set_number)
                   THEN 1 + (SELECT max(t.set_number) FROM exercise_sets AS t
                              WHERE t.session_id = x.session_id
                                AND (t.exercise_owner, t.exercise_id) IN (
                                    (target.owner_key, target.id), (source.owner_key, source.id)))
                   ELSE x.set_number
               END
         WHERE o.id = x.id;
    END LOOP;
    DELETE FROM session_exercises AS e WHERE e.exercise_owner = source.owner_key AND e.exercise_id = source.id;
    PERFORM rebuild_records(source.owner_key, source.id), rebuild_records(target.owner_key, target.id);
    UPDATE exercises AS e
       SET deleted_at = coalesce(e.deleted_at, clock()), merged_into_owner = target.owner_key, merged_into = target.id
     WHERE e.owner_key = source.owner_key AND (e.id = source.id OR e.merged_into = source.id);
END
$$;

-- For each exercise of a session and of its workout, the last completed session with it.
CREATE OR REPLACE FUNCTION app.last_time(s workout_sessions) RETURNS TABLE (exercise_id uuid, session_id uuid)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT w.exercise_id, f.session_id
      FROM (SELECT p.exercise_id FROM planned_exercises AS p WHERE p.workout_id = s.workout_id
            UNION
            SELECT e.exercise_id FROM session_exercises AS e WHERE e.session_id = s.id) AS w
     CROSS JOIN LATERAL (
           SELECT e.session_id FROM session_exercises AS e
            WHERE e.exercise_id = w.exercise_id AND e.is_completed
            ORDER BY e.started_at DESC LIMIT 1) AS f;
END;
