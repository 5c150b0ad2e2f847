SET LOCAL ROLE questlog_owner;

-- All that changes a program runs under the user's lock. A slot is a workout on a day of a week; days of a whole program are
-- counted from 0, so that the next one is + 1 also where a week ends.

-- The programs, with how far they are.
CREATE OR REPLACE VIEW app.shown_programs WITH (security_invoker = true) AS
SELECT p.*, c.total_workouts, c.completed_workouts,
       CASE WHEN p.completed_at IS NOT NULL THEN 100
            ELSE 100 * ((p.current_week - 1) * p.days_per_week + p.current_day - 1) / (p.duration_weeks * p.days_per_week)
       END AS progress_percent
  FROM training_programs AS p
 CROSS JOIN LATERAL (
       SELECT count(*) AS total_workouts, count(*) FILTER (WHERE s.status = 'completed') AS completed_workouts
         FROM program_weeks AS w JOIN program_workouts AS s ON s.program_week_id = w.id
        WHERE w.program_id = p.id) AS c;

-- The slots, with the names of their workouts.
CREATE OR REPLACE VIEW app.shown_slots WITH (security_invoker = true) AS
SELECT s.id, w.program_id, w.week_number, s.workout_id, n.name AS workout_name, s.day_number, s.order_index,
       coalesce(s.intensity_modifier, CASE WHEN w.is_deload THEN 0.7 ELSE 1 END) AS intensity_modifier,
       s.status, s.session_id, s.completed_at
  FROM program_weeks AS w
  JOIN program_workouts AS s ON s.program_week_id = w.id
  JOIN workout_names AS n ON n.id = s.workout_id;

-- Refuses one program more than 100.
CREATE OR REPLACE FUNCTION app.require_room_for_program() RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT count(*) FROM training_programs) < 100
    OR refuse(409, 'limit_reached', 'There are 100 programs already.', '{"limit": 100}');

-- Moves a program to the first day, of those from `since` on, that has an open slot or none at all. Without such a day the
-- program is completed.
CREATE OR REPLACE FUNCTION internal.move_on(p training_programs, since int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    next int;
BEGIN
    SELECT d.day INTO next
      FROM generate_series(since, p.duration_weeks * p.days_per_week - 1) AS d (day),
           LATERAL (SELECT count(*) AS slots, count(*) FILTER (WHERE s.status = 'open') AS open_slots
                      FROM program_weeks AS w JOIN program_workouts AS s ON s.program_week_id = w.id
                     WHERE w.program_id = p.id AND w.week_number = d.day / p.days_per_week + 1
                       AND s.day_number = d.day % p.days_per_week + 1) AS c
     WHERE c.slots = 0 OR c.open_slots > 0
     ORDER BY d.day LIMIT 1;
    IF next IS NULL THEN
        UPDATE training_programs AS u
           SET is_active = false, completed_at = instant(), current_week = p.duration_weeks, current_day = p.days_per_week
         WHERE u.id = p.id;
    ELSE
        UPDATE training_programs AS u
           SET current_week = next / p.days_per_week + 1, current_day = next % p.days_per_week + 1
         WHERE u.id = p.id;
    END IF;
END
$$;

-- Moves a program on from its present day, if that is done.
CREATE OR REPLACE FUNCTION internal.move_on_if_done(program uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT move_on(p, (p.current_week - 1) * p.days_per_week + p.current_day - 1)
      FROM training_programs AS p WHERE p.id = program AND p.completed_at IS NULL;
END;

-- What is changed -----------------------------------------------------------------------------------------------------

-- Removes slots. Sessions that were started for them stay.
CREATE OR REPLACE FUNCTION internal.remove_slots(slots uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM unlink_slots(slots);
    DELETE FROM program_workouts AS s WHERE s.id = ANY (slots);
END
$$;

-- Writes the slots of some weeks in place of those they have. `document` holds {"slots": [{week_number, workout_id,
-- day_number, order_index, intensity_modifier}]}. A slot of the same day and workout stays what it is. A workout has to be
-- the user's, and if it is deleted, in the program already.
CREATE OR REPLACE FUNCTION app.write_slots(program uuid, week_numbers int[], document jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    used uuid[] := ARRAY(SELECT DISTINCT s.workout_id FROM program_weeks AS w
                           JOIN program_workouts AS s ON s.program_week_id = w.id WHERE w.program_id = program);
BEGIN
    PERFORM refuse(404, 'not_found', 'There is no such workout.')
       FROM (SELECT DISTINCT n.workout_id FROM jsonb_to_recordset(document -> 'slots') AS n (workout_id uuid)) AS n
      WHERE n.workout_id <> ALL (used) AND NOT has_workout(n.workout_id);
    PERFORM remove_slots(ARRAY(
        SELECT s.id FROM program_weeks AS w JOIN program_workouts AS s ON s.program_week_id = w.id
         WHERE w.program_id = program AND w.week_number = ANY (week_numbers)
           AND NOT EXISTS (SELECT FROM jsonb_to_recordset(document -> 'slots')
                                         AS n (week_number int, workout_id uuid, day_number int)
                            WHERE (n.week_number, n.workout_id, n.day_number)
                                = (w.week_number, s.workout_id, s.day_number))));
    INSERT INTO program_workouts (program_week_id, workout_id, day_number, order_index, intensity_modifier)
    SELECT w.id, n.workout_id, n.day_number, n.order_index, n.intensity_modifier
      FROM jsonb_to_recordset(document -> 'slots')
               AS n (week_number int, workout_id uuid, day_number int, order_index int, intensity_modifier numeric)
      JOIN program_weeks AS w ON w.program_id = program AND w.week_number = n.week_number
    ON CONFLICT (user_id, program_week_id, day_number, workout_id) DO UPDATE
       SET order_index = excluded.order_index, intensity_modifier = excluded.intensity_modifier;
END
$$;

-- Changes a week, and where `document` is given, the slots of `week_numbers`: of this week and those it is copied to.
CREATE OR REPLACE FUNCTION app.change_week(
    p training_programs, week int, changes jsonb, week_numbers int[], document jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF p.duration_weeks < ANY (week_numbers) THEN
        PERFORM refuse_field('copy_to', 'must be weeks of the program');
    ELSIF EXISTS (SELECT FROM jsonb_to_recordset(document -> 'slots') AS n (day_number int)
                   WHERE n.day_number > p.days_per_week) THEN
        PERFORM refuse_field('workouts', 'must be on days of the program');
    END IF;
    UPDATE program_weeks AS w
       SET (name, is_deload, notes) = (SELECT name, is_deload, notes FROM jsonb_populate_record(w, changes))
     WHERE w.program_id = p.id AND w.week_number = week;
    IF document IS NOT NULL THEN
        PERFORM write_slots(p.id, week_numbers, document);
    END IF;
    UPDATE training_programs AS u SET updated_at = clock() WHERE u.id = p.id;
    IF p.is_active THEN
        PERFORM move_on_if_done(p.id);
    END IF;
END
$$;

-- Changes a program. One that shrinks loses weeks, which must be empty, and its position is pulled inside; one that grows
-- gets weeks. A completed one that grows goes on at its first new day.
CREATE OR REPLACE FUNCTION app.change_program(p training_programs, changes jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    changed training_programs := jsonb_populate_record(p, changes);
BEGIN
    IF EXISTS (SELECT FROM program_weeks AS w JOIN program_workouts AS s ON s.program_week_id = w.id
                WHERE w.program_id = p.id
                  AND (w.week_number > changed.duration_weeks OR s.day_number > changed.days_per_week)) THEN
        PERFORM refuse(409, 'conflict', 'There are workouts beyond the new size; remove them first.');
    END IF;
    IF p.completed_at IS NOT NULL AND changed.days_per_week > p.days_per_week THEN
        changed.completed_at := NULL;
        changed.current_week := 1;
        changed.current_day := p.days_per_week + 1;
    ELSIF p.completed_at IS NOT NULL AND changed.duration_weeks > p.duration_weeks THEN
        changed.completed_at := NULL;
        changed.current_week := p.duration_weeks + 1;
        changed.current_day := 1;
    END IF;
    DELETE FROM program_weeks AS w WHERE w.program_id = p.id AND w.week_number > changed.duration_weeks;
    INSERT INTO program_weeks (program_id, week_number, name)
    SELECT p.id, n.week, 'Week ' || n.week FROM generate_series(p.duration_weeks + 1, changed.duration_weeks) AS n (week);
    UPDATE training_programs AS u
       SET name = changed.name,
           description = changed.description,
           difficulty = changed.difficulty,
           goal = changed.goal,
           duration_weeks = changed.duration_weeks,
           days_per_week = changed.days_per_week,
           completed_at = changed.completed_at,
           current_week = least(changed.current_week, changed.duration_weeks),
           current_day = least(changed.current_day, changed.days_per_week)
     WHERE u.id = p.id;
    IF p.is_active THEN
        PERFORM move_on_if_done(p.id);
    END IF;
END
$$;

-- Deletes a program. Its workouts and the sessions that were started for it stay.
CREATE OR REPLACE FUNCTION app.delete_program(p training_programs) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM remove_slots(ARRAY(
        SELECT s.id FROM program_weeks AS w JOIN program_workouts AS s ON s.program_week_id = w.id
         WHERE w.program_id = p.id));
    DELETE FROM training_programs AS d WHERE d.id = p.id;
END
$$;

-- Where a program stands -----------------------------------------------------------------------------------------------

-- Makes a program the one that is trained. It goes on where it was; a completed one begins anew, and so does any with
-- `restart`.
CREATE OR REPLACE FUNCTION app.activate_program(p training_programs, restart boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF p.is_active AND NOT restart THEN
        RETURN;
    END IF;
    UPDATE training_programs AS o SET is_active = false WHERE o.is_active AND o.id <> p.id;
    IF restart OR p.completed_at IS NOT NULL THEN
        UPDATE program_workouts AS s SET status = 'open', session_id = NULL, completed_at = NULL
          FROM program_weeks AS w
         WHERE w.program_id = p.id AND s.program_week_id = w.id AND s.status <> 'open';
        UPDATE training_programs AS u
           SET is_active = true, started_at = instant(), completed_at = NULL, current_week = 1, current_day = 1
         WHERE u.id = p.id;
    ELSE
        UPDATE training_programs AS u SET is_active = true, started_at = coalesce(u.started_at, instant())
         WHERE u.id = p.id;
    END IF;
END
$$;

-- Puts the program that is trained away.
CREATE OR REPLACE FUNCTION app.deactivate_program(program uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    UPDATE training_programs AS p SET is_active = false WHERE p.id = program AND p.is_active;
END
$$;

CREATE OR REPLACE FUNCTION internal.require_active(p training_programs) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT p.is_active THEN
        PERFORM refuse(409, 'conflict', 'The program is not active.');
    END IF;
END
$$;

-- Ticks the present day off: what is open is skipped. `week` and `day` say which day is meant; where the program is at
-- another one, this request is the second of two and changes nothing, also when the first one has completed the program.
CREATE OR REPLACE FUNCTION app.advance_program(p training_programs, week int, day int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF p.completed_at IS NOT NULL AND num_nonnulls(week, day) > 0 THEN
        RETURN;
    END IF;
    PERFORM require_active(p);
    IF week <> p.current_week OR day <> p.current_day THEN
        RETURN;
    END IF;
    UPDATE program_workouts AS s SET status = 'skipped'
      FROM program_weeks AS w
     WHERE w.program_id = p.id AND w.week_number = p.current_week
       AND s.program_week_id = w.id AND s.day_number = p.current_day AND s.status = 'open';
    PERFORM move_on(p, (p.current_week - 1) * p.days_per_week + p.current_day);
END
$$;

-- Moves a program to a day. What was skipped from that day on is open again.
CREATE OR REPLACE FUNCTION app.position_program(p training_programs, week int, day int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF week > p.duration_weeks THEN
        PERFORM refuse_field('week_number', 'must be a week of the program');
    ELSIF day > p.days_per_week THEN
        PERFORM refuse_field('day_number', 'must be a day of the program');
    END IF;
    PERFORM require_active(p);
    UPDATE program_workouts AS s SET status = 'open'
      FROM program_weeks AS w
     WHERE w.program_id = p.id AND s.program_week_id = w.id AND s.status = 'skipped'
       AND (w.week_number, s.day_number) >= (week, day);
    UPDATE training_programs AS u SET current_week = week, current_day = day WHERE u.id = p.id;
END
$$;

-- What sessions ask -----------------------------------------------------------------------------------------------------

-- The slot that a session is to be started for, which must be open in the active program.
CREATE OR REPLACE FUNCTION internal.slot_to_start(slot uuid, OUT workout_id uuid, OUT intensity_modifier numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted record;
BEGIN
    SELECT s.workout_id, s.intensity_modifier, s.status, s.session_id, p.is_active INTO wanted
      FROM shown_slots AS s JOIN training_programs AS p ON p.id = s.program_id WHERE s.id = slot;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is no such slot.');
    ELSIF NOT wanted.is_active THEN
        PERFORM refuse(409, 'conflict', 'The program of this slot is not active.');
    ELSIF wanted.status <> 'open' THEN
        PERFORM refuse(409, 'conflict', 'This slot is not open any more.',
                       jsonb_build_object('status', wanted.status, 'session_id', wanted.session_id));
    END IF;
    workout_id := wanted.workout_id;
    intensity_modifier := wanted.intensity_modifier;
END
$$;

-- Notes that a session has done a slot, and moves the program on if that was the last one of its day.
CREATE OR REPLACE FUNCTION internal.complete_slot(slot uuid, session uuid, ended timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE program_workouts AS s SET status = 'completed', session_id = session, completed_at = ended
     WHERE s.id = slot AND s.status <> 'completed';
    PERFORM move_on_if_done(program_of(slot));
END
$$;

-- Notes that the session that has done a slot ended at another time.
CREATE OR REPLACE FUNCTION internal.date_slot(session uuid, ended timestamptz) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE program_workouts AS s SET completed_at = ended WHERE s.session_id = session;
END;

-- Opens the slot that a session has done, since the session is about to be deleted. The program stays at its day.
CREATE OR REPLACE FUNCTION internal.reopen_slot(session uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE program_workouts AS s SET status = 'open', session_id = NULL, completed_at = NULL WHERE s.session_id = session;
END;

-- The program that a slot is of.
CREATE OR REPLACE FUNCTION app.program_of(slot uuid) RETURNS uuid
LANGUAGE sql STABLE
RETURN (SELECT w.program_id FROM program_workouts AS s JOIN program_weeks AS w ON w.id = s.program_week_id WHERE s.id = slot);

-- Templates --------------------------------------------------------------------------------------------------------------

-- The exercises of the templates' workouts. Workouts are counted from 0, exercises from 1.
CREATE OR REPLACE VIEW app.template_exercises WITH (security_invoker = true) AS
SELECT t.key, w.place - 1 AS workout, w.workout ->> 'name' AS workout_name, x.place, e.id AS exercise_id,
       e.name AS exercise_name, v.sets, v.reps_min, v.reps_max, v.duration_seconds, v.rest_seconds
  FROM program_templates AS t
 CROSS JOIN LATERAL jsonb_array_elements(t.document -> 'workouts') WITH ORDINALITY AS w (workout, place)
 CROSS JOIN LATERAL jsonb_array_elements(w.workout -> 'exercises') WITH ORDINALITY AS x (exercise, place)
 CROSS JOIN LATERAL jsonb_to_record(x.exercise)
       AS v (slug text, sets int, reps_min int, reps_max int, duration_seconds int, rest_seconds int)
  JOIN library() AS e ON e.is_builtin AND e.slug = v.slug;

-- Makes a program of a template, with workouts of its own.
CREATE OR REPLACE FUNCTION app.adopt_template(program uuid, wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    t program_templates;
    made uuid[];
BEGIN
    SELECT * INTO t FROM program_templates AS k WHERE k.key = wanted;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is no such template.');
    END IF;
    INSERT INTO training_programs (id, name, description, duration_weeks, days_per_week, difficulty, goal, template_key)
    SELECT program, t.name, t.description, t.duration_weeks, t.days_per_week, t.difficulty, t.goal, t.key
     WHERE require_room_for_program();
    SELECT array_agg(add_planned_workout(
               w.workout ->> 'name', t.difficulty, t.document ->> 'workout_type', t.document ->> 'section_type',
               w.workout -> 'exercises') ORDER BY w.place)
      INTO made
      FROM jsonb_array_elements(t.document -> 'workouts') WITH ORDINALITY AS w (workout, place);
    INSERT INTO program_weeks (program_id, week_number, name, is_deload)
    SELECT program, n.week, 'Week ' || n.week, t.document -> 'deload_weeks' @> to_jsonb(n.week)
      FROM generate_series(1, t.duration_weeks) AS n (week);
    INSERT INTO program_workouts (program_week_id, workout_id, day_number, order_index)
    SELECT w.id, made[d.workout::int + 1], d.day, 0
      FROM program_weeks AS w
     CROSS JOIN LATERAL jsonb_array_elements(
               t.document -> 'weeks' -> ((w.week_number - 1) % jsonb_array_length(t.document -> 'weeks')))
           WITH ORDINALITY AS d (workout, day)
     WHERE w.program_id = program;
END
$$;
