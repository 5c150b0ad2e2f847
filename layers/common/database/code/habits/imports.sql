SET LOCAL ROLE questlog_owner;

-- A number that is another one when a habit has come, gone or changed, or a quest was imported. Each completion and skip
-- changes its habit.
CREATE OR REPLACE FUNCTION app.habits_version() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(hashtextextended(h.id::text || h.xmin::text, 0)), 0)::text FROM habits AS h)
    || '/' || (SELECT count(*) FROM imported_quests());

-- The days on which each habit was done or has an amount, in three numbers that are the same for the same days: how many,
-- and the sums of their numbers since 2000-01-01 and of the squares of these.
CREATE OR REPLACE FUNCTION app.habit_sums() RETURNS TABLE (habit_id uuid, days bigint, sum bigint, squares bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.habit_id, count(*), sum(d.n), sum(d.n * d.n)::bigint
      FROM (SELECT DISTINCT k.habit_id, (k.completed_date - date '2000-01-01')::bigint AS n
              FROM habit_completions AS k WHERE k.done OR k.amount IS NOT NULL) AS d
     GROUP BY d.habit_id;
END;

-- Inserts a completion for each recorded day of an import that its user has not skipped.
--   The planner expects few days of a list. By nested loops it would compare each of 100,000 days with each of 100 habits,
-- which takes as long as to insert them.
CREATE OR REPLACE FUNCTION internal.insert_recorded_days(
    of_habits uuid[], days date[], recorded boolean[], notes text[], amounts numeric[], user_zone text
) RETURNS void
LANGUAGE sql SET enable_nestloop = off
BEGIN ATOMIC
    INSERT INTO habit_completions (
        habit_id, completed_date, ordinal, target, week_target, amount, amount_target, amount_met, completed_at, notes,
        is_imported)
    SELECT d.habit_id, d.day, 1, 1, week_target(h.cadence, h.target_count), d.amount, h.target_amount,
           CASE h.kind WHEN 'amount' THEN false END, (d.day + time '12:00') AT TIME ZONE user_zone, d.note, true
      FROM unnest(of_habits, days, recorded, notes, amounts) AS d (habit_id, day, recorded, note, amount)
      JOIN habits AS h ON h.id = d.habit_id
     WHERE d.recorded AND NOT EXISTS (SELECT FROM habit_skips AS s WHERE s.habit_id = d.habit_id AND s.day = d.day)
        ON CONFLICT DO NOTHING;
END;

-- Writes what an import has planned, unless the habits are no longer what they were when they were read. Returns whether
-- it was written. `rows` holds the `imported` and the `updated` habits as rows of habits, and `quests`. The lists hold the
-- days of all these habits, recorded or skipped. Nothing is paid and nothing is counted for them but the habit's own streaks.
--   A habit with a file's days keeps what its user has done and skipped since.
CREATE OR REPLACE FUNCTION app.import_habits(
    seen text, rows jsonb, of_habits uuid[], days date[], recorded boolean[], notes text[], amounts numeric[]
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    user_zone text := (day_settings()).zone;
    today date := local_today();
    last_place int := (SELECT max(h.sort_order) FROM habits AS h);
BEGIN
    IF seen <> habits_version() THEN
        RETURN false;
    END IF;
    INSERT INTO habits (
        id, name, description, frequency, target_count, custom_days, color, category, is_active, sort_order, created_on,
        kind, direction, target_amount, unit, period, cadence, import_key, import_digest)
    SELECT k.id, k.name, k.description, k.frequency, k.target_count, k.custom_days, k.color, coalesce(k.category, 'general'),
           k.is_active, coalesce(last_place, 0) + k.sort_order, coalesce(k.created_on, today), k.kind, k.direction,
           k.target_amount, k.unit, k.period, habit_cadence(k.frequency, k.direction, k.period), k.import_key, k.import_digest
      FROM jsonb_populate_recordset(NULL::habits, rows -> 'imported') AS k;
    UPDATE habits AS h
       SET (name, description, frequency, target_count, custom_days, color, category, is_active, created_on, kind, direction,
            target_amount, unit, period, cadence, import_key, import_digest)
         = (k.name, k.description, k.frequency, k.target_count, k.custom_days, k.color, coalesce(k.category, h.category),
            k.is_active, least(h.created_on, k.created_on), k.kind, k.direction, k.target_amount, k.unit, k.period,
            habit_cadence(k.frequency, k.direction, k.period), k.import_key, k.import_digest)
      FROM jsonb_populate_recordset(NULL::habits, rows -> 'updated') AS k
     WHERE h.id = k.id;
    DELETE FROM habit_completions AS c
     USING jsonb_populate_recordset(NULL::habits, rows -> 'updated') AS k
     WHERE c.habit_id = k.id AND c.is_imported;
    DELETE FROM habit_skips AS s
     USING jsonb_populate_recordset(NULL::habits, rows -> 'updated') AS k
     WHERE s.habit_id = k.id AND s.is_imported;
    PERFORM insert_recorded_days(of_habits, days, recorded, notes, amounts, user_zone);
    INSERT INTO habit_skips (habit_id, day, is_imported)
    SELECT d.habit_id, d.day, true
      FROM unnest(of_habits, days, recorded) AS d (habit_id, day, recorded)
     WHERE NOT d.recorded
       AND NOT EXISTS (SELECT FROM habit_completions AS c WHERE c.habit_id = d.habit_id AND c.completed_date = d.day)
        ON CONFLICT DO NOTHING;
    PERFORM judge_amounts(h, '-infinity') FROM habits AS h WHERE h.id = ANY (of_habits) AND h.kind = 'amount';
    PERFORM recount_habit(h, undone => true) FROM habits AS h WHERE h.id = ANY (of_habits);
    PERFORM plan_habit_reminder(h.id, h.reminder_time) FROM habits AS h WHERE h.id = ANY (of_habits) AND h.is_active;
    PERFORM import_quests(rows -> 'quests');
    RETURN true;
END
$$;
