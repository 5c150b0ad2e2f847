SET LOCAL ROLE questlog_owner;

-- A number that changes whenever a completed session, or an exercise of the user's own, is added, deleted or changed.
CREATE OR REPLACE FUNCTION app.training_version() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(hashtextextended(s.id::text || s.xmin::text, 0)), 0)::text
          FROM workout_sessions AS s WHERE s.status = 'completed')
    || '/' ||
       (SELECT coalesce(sum(hashtextextended(e.id::text || e.xmin::text, 0)), 0)::text
          FROM exercises AS e WHERE e.owner_key = current_user_id());

-- Writes the sets of imported sessions, a millisecond after one another in their order. The `requested_number` of a row is
-- its place in the session. An exercise without an owner is the user's.
CREATE OR REPLACE FUNCTION internal.import_sets(sets jsonb) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO session_exercises (session_id, exercise_owner, exercise_id, started_at, is_completed)
    SELECT DISTINCT s.id, coalesce(k.exercise_owner, current_user_id()), k.exercise_id, s.started_at, s.is_completed
      FROM jsonb_populate_recordset(NULL::exercise_sets, sets) AS k
      JOIN workout_sessions AS s ON s.id = k.session_id;
    INSERT INTO exercise_sets (
        session_id, exercise_owner, exercise_id, set_number, reps, weight_kg, duration_seconds, distance_m, rpe, is_warmup,
        is_dropset, is_failure, notes, logged_at)
    SELECT s.id, coalesce(k.exercise_owner, current_user_id()), k.exercise_id, k.set_number, k.reps, k.weight_kg,
           k.duration_seconds, k.distance_m, k.rpe, k.is_warmup, k.is_dropset, k.is_failure, k.notes,
           s.started_at + k.requested_number * interval '1 millisecond'
      FROM jsonb_populate_recordset(NULL::exercise_sets, sets) AS k
      JOIN workout_sessions AS s ON s.id = k.session_id;
    UPDATE workout_sessions AS s
       SET total_sets = t.sets, total_volume_kg = t.volume
      FROM (SELECT x.session_id, count(*) AS sets, coalesce(sum(greatest(x.weight_kg, 0) * x.reps), 0) AS volume
              FROM exercise_sets AS x
             WHERE x.is_working
               AND x.session_id IN (SELECT k.session_id FROM jsonb_populate_recordset(NULL::exercise_sets, sets) AS k)
             GROUP BY x.session_id) AS t
     WHERE s.id = t.session_id;
END;

-- Writes what an import has planned, unless what it was planned by has changed. `rows` holds the `exercises` that are made,
-- the `imported` and the `updated` sessions, and the `sets` of all these sessions, as rows of their tables. Returns whether
-- it was written and how many records the sets have made; of a dry run, whether and how many it would be.
--   Nothing is paid and nothing is counted for it. The sessions' closed_at is not now, or a completion that is sent without an id
-- would return one of them.
CREATE OR REPLACE FUNCTION app.import_sessions(
    seen text, rows jsonb, dry_run boolean, OUT written boolean, OUT records bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    days record := day_settings();
    closed_before timestamptz := instant() - interval '1 minute';
    quick workouts;
    sessions uuid[];
    owners uuid[];
    exercise_ids uuid[];
BEGIN
    written := seen = training_version();
    IF NOT written THEN
        RETURN;
    END IF;
    quick := quick_workout();
    INSERT INTO exercises (id, name, category, import_key)
    SELECT k.id, k.name, 'imported', k.import_key FROM jsonb_populate_recordset(NULL::exercises, rows -> 'exercises') AS k;
    SELECT coalesce(array_agg(e.exercise_owner), '{}'), coalesce(array_agg(e.exercise_id), '{}')
      INTO owners, exercise_ids
      FROM jsonb_populate_recordset(NULL::workout_sessions, rows -> 'updated') AS k
      JOIN session_exercises AS e ON e.session_id = k.id;
    DELETE FROM session_exercises AS e
     USING jsonb_populate_recordset(NULL::workout_sessions, rows -> 'updated') AS k
     WHERE e.session_id = k.id;
    UPDATE workout_sessions AS s
       SET (workout_name, started_at, completed_at, closed_at, local_date, duration_seconds, notes, total_sets,
            total_volume_kg, import_digest)
         = (k.workout_name, k.started_at, k.completed_at, least(k.completed_at, closed_before),
            local_day(k.started_at, days.zone, days.day_start), k.duration_seconds, k.notes, 0, 0, k.import_digest)
      FROM jsonb_populate_recordset(NULL::workout_sessions, rows -> 'updated') AS k
     WHERE s.id = k.id;
    INSERT INTO workout_sessions (
        id, workout_id, workout_name, workout_type, status, started_at, completed_at, opened_at, closed_at, local_date,
        duration_seconds, notes, import_key, import_digest)
    SELECT k.id, quick.id, k.workout_name, quick.workout_type, 'completed', k.started_at, k.completed_at, k.started_at,
           least(k.completed_at, closed_before), local_day(k.started_at, days.zone, days.day_start), k.duration_seconds,
           k.notes, k.import_key, k.import_digest
      FROM jsonb_populate_recordset(NULL::workout_sessions, rows -> 'imported') AS k;
    PERFORM import_sets(rows -> 'sets');
    sessions := ARRAY(
        SELECT k.id FROM jsonb_populate_recordset(NULL::workout_sessions, (rows -> 'imported') || (rows -> 'updated')) AS k);
    PERFORM rebuild_records(e.owner, e.id)
       FROM (SELECT u.owner, u.id FROM unnest(owners, exercise_ids) AS u (owner, id)
              UNION
             SELECT e.exercise_owner, e.exercise_id FROM session_exercises AS e WHERE e.session_id = ANY (sessions)) AS e;
    PERFORM recount_workout(quick.id);
    -- All weeks, since a session that the import has moved may have been in any.
    PERFORM recount_weeks('1599-12-01', '2200-01-31');
    SELECT count(*) INTO records
      FROM exercise_sets AS x JOIN personal_records AS r ON r.set_id = x.id
     WHERE x.session_id = ANY (sessions);
    IF dry_run THEN
        RAISE SQLSTATE 'QLDRY';
    END IF;
EXCEPTION
    -- The error has rolled back what was written; the variables keep their values.
    WHEN SQLSTATE 'QLDRY' THEN
        RETURN;
END
$$;
