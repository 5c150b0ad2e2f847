SET LOCAL ROLE questlog_owner;

-- Sessions. All functions that change them run under the user's lock, and take the time after it.

-- The sets of sessions, with their exercises' names. Names are looked up by key for each row: a join may read all exercises for it.
CREATE OR REPLACE VIEW app.named_sets WITH (security_invoker = true) AS
SELECT x.*, (SELECT e.name FROM exercises AS e WHERE e.owner_key = x.exercise_owner AND e.id = x.exercise_id) AS exercise_name
  FROM exercise_sets AS x;

-- The records, with their exercises' names and the sets that made them, looked up in the same way. OFFSET 0 keeps the planner from a
-- join with all sets; the range and its order keep it from any index but that of the key, where sorts are forbidden.
CREATE OR REPLACE VIEW app.named_records WITH (security_invoker = true) AS
SELECT r.*, (SELECT e.name FROM exercises AS e WHERE e.owner_key = r.exercise_owner AND e.id = r.exercise_id) AS exercise_name,
       x.session_id, x.reps, x.weight_kg
  FROM personal_records AS r, LATERAL (SELECT s.* FROM exercise_sets AS s WHERE s.id BETWEEN r.set_id AND r.set_id ORDER BY s.id OFFSET 0) AS x;

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
