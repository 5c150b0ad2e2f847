SET LOCAL ROLE questlog_owner;

-- The library ---------------------------------------------------------------------------------------------------------

-- The built-in exercises and the user's own, hidden ones too.
CREATE OR REPLACE FUNCTION app.library() RETURNS SETOF exercises
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.* FROM exercises AS e
     WHERE e.owner_key IN (current_user_id(), '00000000-0000-0000-0000-000000000000');
END;

-- The exercises that are listed: of a category, with a muscle, with equipment, of a level, all of `words` in the name,
-- the user's own or the built-in ones. Null is any.
CREATE OR REPLACE FUNCTION app.exercises_where(
    wanted_category text, wanted_muscle text, wanted_equipment text, wanted_level text, words text[], custom boolean
) RETURNS SETOF exercises
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.*
      FROM library() AS e
     WHERE e.deleted_at IS NULL
       AND (wanted_category IS NULL OR lower(e.category) = lower(wanted_category))
       AND (wanted_muscle IS NULL OR lower(wanted_muscle) = ANY (e.primary_muscles || e.secondary_muscles))
       AND (wanted_equipment IS NULL OR lower(wanted_equipment) = ANY (e.equipment))
       AND (wanted_level IS NULL OR e.level = lower(wanted_level))
       AND (custom IS NULL OR e.is_builtin = NOT custom)
       AND NOT EXISTS (SELECT FROM unnest(words) AS w WHERE position(lower(w) IN lower(e.name)) = 0);
END;

-- Brings the built-in exercises in line with the list of the release, but for those that an administrator has changed.
-- `seeded` counts the rows that were new or changed.
CREATE OR REPLACE FUNCTION app.seed_exercises(OUT seeded bigint, OUT total bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    INSERT INTO exercises AS e (
        owner_id, id, slug, name, category, force, level, mechanic, equipment, primary_muscles, secondary_muscles)
    SELECT NULL, b.* FROM bundled_exercises() AS b
    ON CONFLICT (owner_key, slug) DO UPDATE
       SET (name, category, force, level, mechanic, equipment, primary_muscles, secondary_muscles)
         = (excluded.name, excluded.category, excluded.force, excluded.level, excluded.mechanic, excluded.equipment,
            excluded.primary_muscles, excluded.secondary_muscles)
     WHERE NOT e.is_edited
       AND (e.name, e.category, e.force, e.level, e.mechanic, e.equipment, e.primary_muscles, e.secondary_muscles)
        IS DISTINCT FROM
           (excluded.name, excluded.category, excluded.force, excluded.level, excluded.mechanic, excluded.equipment,
            excluded.primary_muscles, excluded.secondary_muscles);
    GET DIAGNOSTICS seeded = ROW_COUNT;
    SELECT count(*) INTO total FROM exercises AS e WHERE e.is_builtin;
END
$$;

-- The words of a list that are not in another one.
CREATE OR REPLACE FUNCTION internal.without(words text[], others text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT w.word FROM unnest(words) WITH ORDINALITY AS w (word, place) WHERE w.word <> ALL (others) ORDER BY w.place);

-- The muscles of an exercise after a change, as primary and secondary ones. `groups` are all of them; those that are named
-- as secondary are that, the others primary. Null keeps what there is.
CREATE OR REPLACE FUNCTION app.muscles_after(
    e exercises, groups text[], secondary text[], OUT primary_muscles text[], OUT secondary_muscles text[]
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT without(g.all_muscles, s.muscles), s.muscles
      FROM (SELECT coalesce(groups, e.primary_muscles || e.secondary_muscles, '{}') AS all_muscles) AS g,
           LATERAL (SELECT coalesce(secondary, without(e.secondary_muscles, without(e.secondary_muscles, g.all_muscles)), '{}')
                           AS muscles) AS s;
END;

-- Refuses to change a built-in exercise. Null, for an exercise that does not exist, is refused by later statements.
CREATE OR REPLACE FUNCTION app.require_own(e exercises) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT e.is_builtin OR refuse(403, 'forbidden', 'This exercise is everyone''s.');
END
$$;

-- Refuses more than 500 own exercises, with `more` that are about to be added.
CREATE OR REPLACE FUNCTION app.require_room_for_exercises(more int DEFAULT 1) RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT count(*) FROM exercises AS e WHERE e.owner_id = current_user_id() AND e.deleted_at IS NULL) + more <= 500
    OR refuse(409, 'limit_reached', 'There are 500 exercises of your own already.', '{"limit": 500}');

-- Records -------------------------------------------------------------------------------------------------------------

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

-- Sessions ------------------------------------------------------------------------------------------------------------
-- All that changes them runs under the user's lock, and takes the time after it.

-- The sets of sessions, with their exercises' names.
CREATE OR REPLACE VIEW app.named_sets WITH (security_invoker = true) AS
SELECT x.*, e.name AS exercise_name
  FROM exercise_sets AS x JOIN exercises AS e ON e.owner_key = x.exercise_owner AND e.id = x.exercise_id;

-- The records, with their exercises' names and the sets that made them.
CREATE OR REPLACE VIEW app.named_records WITH (security_invoker = true) AS
SELECT r.*, e.name AS exercise_name, x.session_id, x.reps, x.weight_kg
  FROM personal_records AS r
  JOIN exercise_sets AS x ON x.id = r.set_id
  JOIN exercises AS e ON e.owner_key = r.exercise_owner AND e.id = r.exercise_id;

-- When something was last done in a session: begun, resumed, or a set logged.
CREATE OR REPLACE FUNCTION internal.last_activity(s workout_sessions) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN greatest(s.started_at, s.opened_at,
                (SELECT max(x.logged_at) FROM exercise_sets AS x WHERE x.session_id = s.id));

-- The end of a session for which the user gave none: the time of its last set, or its start if it has no set.
CREATE OR REPLACE FUNCTION internal.presumed_end(s workout_sessions) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN greatest(s.started_at, (SELECT max(x.logged_at) FROM exercise_sets AS x WHERE x.session_id = s.id));

CREATE OR REPLACE FUNCTION internal.is_stale(s workout_sessions, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN s.status = 'active' AND last_activity(s) <= at - interval '12 hours';

-- Sets what is kept of the weeks from that of one day to that of another.
CREATE OR REPLACE FUNCTION internal.recount_weeks(first date, last date) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM training_weeks AS w WHERE w.week_start BETWEEN week_of(first) AND week_of(last);
    INSERT INTO training_weeks (week_start, workouts, sets, seconds, volume_kg)
    SELECT week_of(s.local_date), count(*), sum(s.total_sets), coalesce(sum(s.duration_seconds), 0), sum(s.total_volume_kg)
      FROM workout_sessions AS s
     WHERE s.status = 'completed' AND s.total_sets > 0 AND s.local_date BETWEEN week_of(first) AND week_of(last) + 6
     GROUP BY week_of(s.local_date);
END;

-- Sets what a session keeps of its working sets, after one of them has changed. `edited`: the user did it, and no later
-- import takes it back.
CREATE OR REPLACE FUNCTION internal.recount_session(session uuid, edited boolean DEFAULT true) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE workout_sessions AS s
       SET total_sets = t.sets,
           total_volume_kg = t.volume,
           import_digest = CASE WHEN NOT edited THEN s.import_digest END
      FROM (SELECT count(*) AS sets, coalesce(sum(greatest(x.weight_kg, 0) * x.reps), 0) AS volume
              FROM exercise_sets AS x WHERE x.session_id = session AND x.is_working) AS t
     WHERE s.id = session;
    SELECT recount_weeks(s.local_date, s.local_date) FROM workout_sessions AS s WHERE s.id = session AND s.is_completed;
END;

-- Sets what a workout keeps of its completed sessions.
CREATE OR REPLACE FUNCTION internal.recount_workout(workout uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE workouts AS w
       SET times_performed = t.times, last_performed_at = t.last
      FROM (SELECT count(*) AS times, max(s.completed_at) AS last
              FROM workout_sessions AS s WHERE s.workout_id = workout AND s.status = 'completed') AS t
     WHERE w.id = workout;
END;

-- The workout that a session without one belongs to, made when it is needed.
CREATE OR REPLACE FUNCTION internal.quick_workout() RETURNS workouts
LANGUAGE plpgsql AS $$
DECLARE
    w workouts;
BEGIN
    SELECT * INTO w FROM workouts AS q WHERE q.is_quick;
    IF NOT FOUND THEN
        INSERT INTO workouts (name, is_quick) VALUES ('Quick workout', true) RETURNING * INTO w;
    END IF;
    RETURN w;
END
$$;

-- Completes a running session. Returns what was paid: the reward, for a session with a working set and for three of them a
-- day, and a record's event where an earlier record was beaten.
CREATE OR REPLACE FUNCTION internal.finish_session(s workout_sessions, ended timestamptz, note text, stars int)
RETURNS award_result[]
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := instant();
    today date := local_day(at);
    within_cap boolean;
    minutes int;
    paid award_result[] := '{}';
BEGIN
    UPDATE workout_sessions AS f
       SET status = 'completed',
           completed_at = ended,
           closed_at = at,
           duration_seconds = least(43200, floor(extract(epoch FROM ended - f.started_at))),
           notes = coalesce(note, f.notes),
           rating = coalesce(stars, f.rating)
     WHERE f.id = s.id
    RETURNING f.* INTO s;
    UPDATE workouts AS w
       SET times_performed = w.times_performed + 1, last_performed_at = greatest(w.last_performed_at, ended)
     WHERE w.id = s.workout_id;
    UPDATE personal_records AS r SET achieved_at = ended
      FROM exercise_sets AS x
     WHERE x.session_id = s.id AND r.set_id = x.id AND r.achieved_at > ended;
    IF s.total_sets = 0 THEN
        RETURN paid;
    END IF;
    PERFORM recount_weeks(s.local_date, s.local_date);
    within_cap := (paid_today('workout_complete', today)).paid < 3;
    minutes := least(240, s.duration_seconds / 60);
    paid := ARRAY[award(
        'workout_complete', 'workout_session', s.id,
        CASE WHEN within_cap THEN 50 ELSE 0 END, CASE WHEN within_cap THEN 25 ELSE 0 END,
        'workout_complete:' || s.id,
        CASE s.workout_type WHEN 'cardio' THEN 'endurance' ELSE 'strength' END,
        counters => CASE WHEN minutes > 0 THEN jsonb_build_object('exercise_minutes', minutes) ELSE '{}' END,
        day => today)];
    UPDATE workout_sessions AS f SET xp_awarded = paid[1].xp, coins_awarded = paid[1].coins WHERE f.id = s.id;
    IF s.program_workout_id IS NOT NULL THEN
        PERFORM complete_slot(s.program_workout_id, s.id, ended);
    END IF;
    IF EXISTS (SELECT FROM personal_records AS r JOIN exercise_sets AS x ON x.id = r.set_id
                WHERE x.session_id = s.id AND r.previous_value IS NOT NULL)
    THEN
        paid := paid || award('personal_record', 'workout_session', s.id, 0, 0, 'personal_record:' || s.id, day => today);
    END IF;
    RETURN paid;
END
$$;

-- Ends a running session unpaid; its sets count for nothing then.
CREATE OR REPLACE FUNCTION internal.drop_session(s workout_sessions) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := instant();
BEGIN
    UPDATE workout_sessions AS f SET status = 'abandoned', abandoned_at = at, closed_at = at WHERE f.id = s.id;
    PERFORM rebuild_records_of(s.id);
END
$$;

-- Begins a session, and returns its id: of a workout, of a slot's workout, or else of the quick workout. One that is stale
-- is closed first. The same request again within 10 s, before any set, returns the session it began.
CREATE OR REPLACE FUNCTION app.start_session(wanted_workout uuid, wanted_slot uuid, given_start timestamptz, note text)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz := instant();
    running workout_sessions;
    w workouts;
    slot_workout uuid;
    slot_intensity numeric;
    begun uuid;
BEGIN
    IF given_start > at OR given_start < at - interval '366 days' THEN
        PERFORM refuse_field('started_at', 'must not be in the future, and at most 366 days ago');
    END IF;
    SELECT * INTO running FROM workout_sessions AS s WHERE s.status = 'active';
    IF is_stale(running, at) THEN
        IF running.total_sets > 0 THEN
            PERFORM finish_session(running, presumed_end(running), NULL, NULL);
        ELSE
            PERFORM drop_session(running);
        END IF;
        running := NULL;
    END IF;
    IF wanted_slot IS NOT NULL THEN
        SELECT t.workout_id, t.intensity_modifier INTO slot_workout, slot_intensity FROM slot_to_start(wanted_slot) AS t;
        IF wanted_workout <> slot_workout THEN
            PERFORM refuse_field('workout_id', 'must be the workout of the slot');
        END IF;
        SELECT * INTO w FROM workouts AS k WHERE k.id = slot_workout;
    ELSIF wanted_workout IS NULL THEN
        w := quick_workout();
    ELSE
        SELECT * INTO w FROM workouts AS k WHERE k.id = wanted_workout AND k.deleted_at IS NULL;
        IF NOT FOUND THEN
            PERFORM refuse(404, 'not_found', 'There is no such workout.');
        END IF;
    END IF;
    IF running.workout_id = w.id AND (wanted_slot IS NULL OR running.program_workout_id = wanted_slot)
        AND running.opened_at > at - interval '10 seconds'
        AND NOT EXISTS (SELECT FROM exercise_sets AS x WHERE x.session_id = running.id)
    THEN
        RETURN running.id;
    ELSIF running.id IS NOT NULL THEN
        PERFORM refuse(409, 'active_session', 'Another session is running.', jsonb_build_object('session_id', running.id));
    END IF;
    INSERT INTO workout_sessions (
        workout_id, program_workout_id, workout_name, workout_type, started_at, opened_at, local_date, notes,
        intensity_modifier)
    VALUES (
        w.id, wanted_slot, w.name, w.workout_type, coalesce(given_start, at), at, local_day(coalesce(given_start, at)), note,
        slot_intensity)
    RETURNING id INTO begun;
    RETURN begun;
END
$$;

-- Completes a session, or returns again what was paid for one that is completed.
CREATE OR REPLACE FUNCTION app.complete_session(s workout_sessions, given_end timestamptz, note text, stars int)
RETURNS award_result[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz := instant();
BEGIN
    IF s.status = 'completed' THEN
        RETURN ARRAY[paid_under('workout_complete:' || s.id), paid_under('personal_record:' || s.id)];
    ELSIF s.status = 'abandoned' THEN
        PERFORM refuse(409, 'conflict', 'An abandoned session cannot be completed; resume it first.',
                       jsonb_build_object('status', s.status));
    ELSIF given_end < s.started_at OR given_end > at THEN
        PERFORM refuse_field('completed_at', 'must not be before started_at or in the future');
    END IF;
    RETURN finish_session(
        s, coalesce(given_end, CASE WHEN is_stale(s, at) THEN presumed_end(s) ELSE greatest(at, s.started_at) END),
        note, stars);
END
$$;

-- The session that a completion without an id means: the running one, else one completed less than 60 s ago, so that a
-- request sent twice gets the same answer twice.
CREATE OR REPLACE FUNCTION app.session_to_complete() RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found uuid;
BEGIN
    SELECT s.id INTO found FROM workout_sessions AS s WHERE s.status = 'active';
    IF found IS NULL THEN
        SELECT s.id INTO found FROM workout_sessions AS s
         WHERE s.status = 'completed' AND s.closed_at > instant() - interval '60 seconds'
         ORDER BY s.closed_at DESC LIMIT 1;
    END IF;
    IF found IS NULL THEN
        PERFORM refuse(404, 'not_found', 'No session is running.');
    END IF;
    RETURN found;
END
$$;

-- Abandons a running session. One that is abandoned stays as it is.
CREATE OR REPLACE FUNCTION app.abandon_session(s workout_sessions) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF s.status = 'completed' THEN
        PERFORM refuse(409, 'conflict', 'A completed session cannot be abandoned.', jsonb_build_object('status', s.status));
    ELSIF s.status = 'active' THEN
        PERFORM drop_session(s);
    END IF;
END
$$;

-- Goes on with an abandoned session; its sets count again. A running one goes on as it is.
CREATE OR REPLACE FUNCTION app.resume_session(s workout_sessions) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    running uuid;
BEGIN
    IF s.status = 'completed' THEN
        PERFORM refuse(409, 'conflict', 'A completed session cannot be resumed.', jsonb_build_object('status', s.status));
    ELSIF s.status = 'abandoned' THEN
        SELECT r.id INTO running FROM workout_sessions AS r WHERE r.status = 'active';
        IF FOUND THEN
            PERFORM refuse(409, 'active_session', 'Another session is running.', jsonb_build_object('session_id', running));
        END IF;
        UPDATE workout_sessions AS f
           SET status = 'active', abandoned_at = NULL, closed_at = NULL, opened_at = instant()
         WHERE f.id = s.id;
        PERFORM rebuild_records_of(s.id);
    END IF;
END
$$;

-- Changes a completed session. What was paid stays paid.
CREATE OR REPLACE FUNCTION app.change_session(s workout_sessions, changes jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz := instant();
    changed workout_sessions := jsonb_populate_record(s, changes);
BEGIN
    IF s.status <> 'completed' THEN
        PERFORM refuse(409, 'conflict', 'Only a completed session can be changed.', jsonb_build_object('status', s.status));
    ELSIF changed.started_at > at THEN
        PERFORM refuse_field('started_at', 'must not be in the future');
    ELSIF changed.completed_at > at OR changed.completed_at < changed.started_at THEN
        PERFORM refuse_field('completed_at', 'must not be before started_at or in the future');
    END IF;
    IF (changed.started_at, changed.completed_at) IS DISTINCT FROM (s.started_at, s.completed_at) THEN
        changed.duration_seconds := least(43200, floor(extract(epoch FROM changed.completed_at - changed.started_at)));
    END IF;
    UPDATE workout_sessions AS f
       SET notes = changed.notes,
           rating = changed.rating,
           started_at = changed.started_at,
           completed_at = changed.completed_at,
           duration_seconds = changed.duration_seconds,
           local_date = CASE changed.started_at WHEN s.started_at THEN s.local_date ELSE local_day(changed.started_at) END,
           import_digest = NULL
     WHERE f.id = s.id;
    IF (changed.started_at, changed.completed_at) IS DISTINCT FROM (s.started_at, s.completed_at) THEN
        PERFORM rebuild_records_of(s.id);
        PERFORM recount_workout(s.workout_id);
        PERFORM recount_weeks(d.day, d.day) FROM unnest(ARRAY[s.local_date, local_day(changed.started_at)]) AS d (day);
        PERFORM date_slot(s.id, changed.completed_at);
    END IF;
END
$$;

-- Deletes a session with its sets; the records are what they would be without it. What was paid stays paid.
CREATE OR REPLACE FUNCTION app.delete_session(s workout_sessions) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    owners uuid[];
    exercises uuid[];
BEGIN
    SELECT coalesce(array_agg(e.exercise_owner), '{}'), coalesce(array_agg(e.exercise_id), '{}') INTO owners, exercises
      FROM session_exercises AS e WHERE e.session_id = s.id;
    PERFORM reopen_slot(s.id);
    DELETE FROM workout_sessions AS f WHERE f.id = s.id;
    PERFORM rebuild_records(e.owner, e.id) FROM unnest(owners, exercises) AS e (owner, id);
    PERFORM recount_workout(s.workout_id);
    PERFORM recount_weeks(s.local_date, s.local_date);
    INSERT INTO deleted_imports (kind, import_key)
    SELECT 'workout_session', s.import_key WHERE s.import_key IS NOT NULL
    ON CONFLICT DO NOTHING;
END
$$;

-- Sets ----------------------------------------------------------------------------------------------------------------

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

-- Workouts ------------------------------------------------------------------------------------------------------------

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

-- Merging -------------------------------------------------------------------------------------------------------------

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

-- Imports -------------------------------------------------------------------------------------------------------------

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
