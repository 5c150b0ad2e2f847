SET LOCAL ROLE questlog_identity;

-- The first statement of a request for the feed, in the place of authenticate(): the secret says whose it is.
-- A use is noted at most every five minutes, like other activity.
CREATE OR REPLACE FUNCTION app.open_calendar_feed(presented_user uuid, presented_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    feed calendar_feeds;
BEGIN
    SELECT f.* INTO feed
      FROM calendar_feeds AS f JOIN users AS u ON u.id = f.user_id
     WHERE f.user_id = presented_user AND f.token_hash = presented_hash AND u.approved;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is nothing here.');
    END IF;
    PERFORM set_config('app.user_id', feed.user_id::text, true), set_config('app.scope', 'own', true);
    IF feed.last_used_at IS NULL OR feed.last_used_at < clock() - interval '5 minutes' THEN
        UPDATE calendar_feeds SET last_used_at = clock() WHERE user_id = feed.user_id;
    END IF;
END
$$;

SET LOCAL ROLE questlog_owner;

-- How an occurrence is told from the others of its series: the instant it was to begin at first.
CREATE OR REPLACE FUNCTION app.calendar_stamp(occurrence timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(occurrence AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');

-- The name an event goes by: its id, and for an occurrence the stamp.
CREATE OR REPLACE FUNCTION internal.calendar_key(event_id uuid, occurrence timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN event_id || CASE WHEN isfinite(occurrence) THEN '_' || calendar_stamp(occurrence) ELSE '' END;

-- An event as the wire shows it, and with it everything the row holds. An exception goes by its occurrence's name.
CREATE OR REPLACE FUNCTION app.calendar_shown(e calendar_events) RETURNS jsonb
LANGUAGE sql STABLE
RETURN to_jsonb(e) || jsonb_build_object(
    'id', calendar_key(coalesce(e.parent_event_id, e.id), coalesce(e.original_start, '-infinity')),
    'series_id', e.parent_event_id,
    'is_recurring', e.recurrence_rule IS NOT NULL OR e.parent_event_id IS NOT NULL,
    'is_exception', e.parent_event_id IS NOT NULL,
    'recurrence_rule', coalesce(e.recurrence_rule, (SELECT s.recurrence_rule FROM calendar_events AS s WHERE s.id = e.parent_event_id)),
    'recurrence_end', coalesce(e.recurrence_end, (SELECT s.recurrence_end FROM calendar_events AS s WHERE s.id = e.parent_event_id)),
    'completed_at', (SELECT c.completed_at FROM calendar_completions AS c
                      WHERE c.event_id = coalesce(e.parent_event_id, e.id)
                        AND c.occurrence = coalesce(e.original_start, '-infinity')
                        AND e.recurrence_rule IS NULL));

-- What may overlap [since, before), for questlog.recurrence.between() to expand:
--   {since, before, events: [shown], series: [shown and {replaced: [instant], completed: {stamp: instant}}]}
-- `events` are single ones and exceptions, by their own times. `replaced` are the occurrences exceptions stand for, and
-- `completed` those that are done; both reach back by the length of an occurrence, and a day for a change of the clocks.
CREATE OR REPLACE FUNCTION app.calendar_between(since timestamptz, before timestamptz, only_type text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH events AS (
        SELECT e AS event
          FROM calendar_events AS e
          LEFT JOIN calendar_events AS s ON s.user_id = e.user_id AND s.id = e.parent_event_id
         WHERE e.recurrence_rule IS NULL
           AND e.start_time < before
           AND (e.end_time > since OR e.start_time >= since)
           AND (only_type IS NULL OR e.event_type = only_type)
           AND (s.id IS NULL OR NOT e.original_start = ANY (s.exdates))
         ORDER BY e.start_time, e.id
         -- One more than any list shows, so that it is known to be cut.
         LIMIT 2001
    ), series AS (
        SELECT s AS event, since - (coalesce(s.end_time, s.start_time) - s.start_time) - interval '1 day' AS reach
          FROM calendar_events AS s
         WHERE s.recurrence_rule IS NOT NULL
           AND s.start_time < before
           AND coalesce(s.series_until >= since, true)
           AND (only_type IS NULL OR s.event_type = only_type)
    )
    SELECT jsonb_build_object(
        'since', since,
        'before', before,
        'events', coalesce((SELECT jsonb_agg(calendar_shown(event)) FROM events), '[]'),
        'series', coalesce((
            SELECT jsonb_agg(calendar_shown(event) || jsonb_build_object(
                'replaced', coalesce((
                    SELECT jsonb_agg(x.original_start) FROM calendar_events AS x
                     WHERE x.parent_event_id = (event).id AND x.original_start >= reach AND x.original_start < before), '[]'),
                'completed', coalesce((
                    SELECT jsonb_object_agg(calendar_stamp(c.occurrence), c.completed_at) FROM calendar_completions AS c
                     WHERE c.event_id = (event).id AND c.occurrence >= reach AND c.occurrence < before
                       AND c.completed_at IS NOT NULL), '{}')))
              FROM series), '[]'));
END;

-- What the daily plan finds a local day's workouts in.
CREATE OR REPLACE FUNCTION app.calendar_workouts(day date) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT calendar_between(lower(b), upper(b), 'workout') FROM day_bounds(day) AS b);

-- Whether an event or occurrence is done, by its name on the wire; false for what names nothing.
CREATE OR REPLACE FUNCTION internal.calendar_done(event_key text) RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE WHEN event_key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(_[0-9]{8}T[0-9]{6}Z)?$' THEN EXISTS (
    SELECT FROM calendar_completions AS c
     WHERE c.event_id = left(event_key, 36)::uuid
       AND calendar_key(c.event_id, c.occurrence) = event_key
       AND c.completed_at IS NOT NULL) ELSE false END;

-- The same for the id of a plan's item, plan_workout_{name}.
CREATE OR REPLACE FUNCTION internal.calendar_item_done(item_key text) RETURNS boolean
LANGUAGE sql STABLE
RETURN starts_with(item_key, 'plan_workout_') AND calendar_done(substr(item_key, length('plan_workout_') + 1));

-- What is done of what lies on a local day, by the times it has there: moved occurrences count where they moved to.
CREATE OR REPLACE FUNCTION internal.calendar_done_on(day date) RETURNS TABLE (event_id uuid, occurrence timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.event_id, c.occurrence
      FROM day_bounds(day) AS b, calendar_completions AS c
      JOIN calendar_events AS e ON e.user_id = c.user_id AND e.id = c.event_id
      LEFT JOIN calendar_events AS x
             ON x.user_id = c.user_id AND x.parent_event_id = c.event_id AND x.original_start = c.occurrence,
           LATERAL (SELECT CASE WHEN x.id IS NOT NULL THEN x.start_time
                                WHEN isfinite(c.occurrence) THEN c.occurrence
                                ELSE e.start_time END AS begins) AS s,
           LATERAL (SELECT CASE WHEN x.id IS NOT NULL THEN x.end_time
                                WHEN isfinite(c.occurrence) THEN c.occurrence + (e.end_time - e.start_time)
                                ELSE e.end_time END AS ends) AS t
     WHERE c.completed_at IS NOT NULL
       AND isfinite(c.occurrence) = (e.recurrence_rule IS NOT NULL)
       AND NOT c.occurrence = ANY (e.exdates)
       AND s.begins < upper(b)
       AND (t.ends > lower(b) OR s.begins >= lower(b));
END;

-- Marks an event or occurrence done and pays it, or takes both back. The caller holds lock_user().
--   Ten are paid a local day; more than those count and pay nothing.
CREATE OR REPLACE FUNCTION app.complete_event(event_id uuid, occurrence timestamptz, completed boolean) RETURNS calendar_completing
LANGUAGE plpgsql AS $$
DECLARE
    known calendar_completions;
    result calendar_completing;
BEGIN
    SELECT * INTO known FROM calendar_completions AS c
     WHERE c.event_id = complete_event.event_id AND c.occurrence = complete_event.occurrence;
    result.completed_at := known.completed_at;
    result.already_completed := completed AND known.completed_at IS NOT NULL;
    result.reward_capped := false;
    IF result.already_completed THEN
        result.reward_capped := known.xp_awarded = 0 AND known.coins_awarded = 0;
        result.paid := paid_under(known.ledger_key);
    ELSIF completed THEN
        known.ledger_key := 'planner_task_complete:' || event_id;
        IF isfinite(occurrence) THEN
            known.ledger_key := known.ledger_key || ':' || calendar_stamp(occurrence);
        END IF;
        IF known.undo_count > 0 THEN
            known.ledger_key := known.ledger_key || ':' || known.undo_count;
        END IF;
        result.reward_capped := (paid_today('planner_task_complete')).paid >= 10;
        result.completed_at := clock();
        result.paid := award('planner_task_complete', 'calendar_event', event_id,
                             CASE WHEN result.reward_capped THEN 0 ELSE 15 END,
                             CASE WHEN result.reward_capped THEN 0 ELSE 5 END,
                             known.ledger_key);
        INSERT INTO calendar_completions AS c (event_id, occurrence, completed_at, xp_awarded, coins_awarded, ledger_key)
        VALUES (complete_event.event_id, complete_event.occurrence, result.completed_at, (result.paid).xp, (result.paid).coins,
                known.ledger_key)
        ON CONFLICT ON CONSTRAINT calendar_completions_pkey DO UPDATE
           SET (completed_at, xp_awarded, coins_awarded, ledger_key)
             = (excluded.completed_at, excluded.xp_awarded, excluded.coins_awarded, excluded.ledger_key);
    ELSIF known.completed_at IS NOT NULL THEN
        PERFORM reverse(known.ledger_key, 'Taken back by the user.');
        UPDATE calendar_completions AS c
           SET completed_at = NULL, ledger_key = NULL, xp_awarded = 0, coins_awarded = 0, undo_count = c.undo_count + 1
         WHERE c.event_id = complete_event.event_id AND c.occurrence = complete_event.occurrence;
        result.completed_at := NULL;
    END IF;
    RETURN result;
END
$$;

-- Refuses a link to what the user does not have.
CREATE OR REPLACE FUNCTION app.require_links(workout_id uuid, habit_id uuid, goal_id uuid) RETURNS boolean
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    -- There are no workouts yet; with its table the training group brings a function that looks for them.
    SELECT (require_links.workout_id IS NULL OR refuse_field('workout_id', 'names no workout of yours'))
       AND (require_links.habit_id IS NULL
            OR EXISTS (SELECT FROM habits AS h WHERE h.id = require_links.habit_id)
            OR refuse_field('habit_id', 'names no habit of yours'))
       AND (require_links.goal_id IS NULL
            OR EXISTS (SELECT FROM goals AS g WHERE g.id = require_links.goal_id)
            OR refuse_field('goal_id', 'names no goal of yours'));
END;

-- When an event is that a request gives an instant or a wall-clock time of (one of each pair), in a zone.
--   All-day: from the local midnight it starts on to the one it ends by, at least one day. questlog.recurrence.placed() is
--   the same where the zone is known before the database is asked.
CREATE OR REPLACE FUNCTION app.calendar_placed(
    zone text, all_day boolean, start_at timestamptz, start_wall timestamp, end_at timestamptz, end_wall timestamp,
    OUT start_time timestamptz, OUT end_time timestamptz
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    start_wall := coalesce(start_wall, start_at AT TIME ZONE zone);
    end_wall := coalesce(end_wall, end_at AT TIME ZONE zone);
    IF all_day THEN
        start_time := first_instant(date_trunc('day', start_wall), zone);
        end_time := first_instant(greatest(date_trunc('day', start_wall) + interval '1 day',
                                           date_trunc('day', end_wall + interval '1 day' - interval '1 second')), zone);
    ELSE
        start_time := coalesce(start_at, first_instant(start_wall, zone));
        end_time := coalesce(end_at, first_instant(end_wall, zone));
    END IF;
    IF coalesce(end_at, first_instant(end_wall, zone)) < coalesce(start_at, first_instant(start_wall, zone)) THEN
        PERFORM refuse_field('end_time', 'is before start_time');
    END IF;
END
$$;

-- Where a list begins and ends. Each bound is an instant, a wall-clock time or a whole local day; without any, a year
-- either side of now.
CREATE OR REPLACE FUNCTION app.calendar_range(
    since_at timestamptz, since_wall timestamp, since_day date, before_at timestamptz, before_wall timestamp, before_day date,
    OUT since timestamptz, OUT before timestamptz
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    days record := day_settings();
    problem text;
BEGIN
    since := coalesce(since_at, first_instant(since_wall, days.zone),
                      lower(day_bounds(since_day, days.zone, days.day_start)), clock() - interval '1 year');
    before := coalesce(before_at, first_instant(before_wall, days.zone),
                       upper(day_bounds(before_day, days.zone, days.day_start)), clock() + interval '1 year');
    IF before < since OR before_day < since_day THEN
        problem := 'is before start_date';
    -- 800 days of 24 hours, or 800 local ones, whichever is more.
    ELSIF before - since > interval '800 days'
          AND (before AT TIME ZONE days.zone) - (since AT TIME ZONE days.zone) > interval '800 days' THEN
        problem := 'is more than 800 days after start_date';
    END IF;
    IF problem IS NOT NULL THEN
        PERFORM refuse_field('end_date', problem);
    END IF;
END
$$;

-- Writes what a request made of the events it has read, if they are still as it read them; else writes nothing and
-- answers null. Series are expanded in Python, so that is how every change of one is written: read, decide, write.
--   seen     {id: updated_at}: the rows the decision rests on. Whoever changes an exception also writes its series.
--   gone     [id] to delete; an exception that moves to another series or occurrence is deleted and kept
--   kept     [row] new or changed, whole
--   moved    {from, to, since, occurrences: {stamp: instant}}: completions from `since` on go over to another series
--   shown    the event to answer; without one an empty object is the answer
CREATE OR REPLACE FUNCTION app.rewrite_calendar(rewrite jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    seen jsonb := rewrite -> 'seen';
    moved jsonb := rewrite -> 'moved';
BEGIN
    PERFORM lock_user();
    PERFORM FROM calendar_events AS e WHERE e.id IN (SELECT k::uuid FROM jsonb_object_keys(seen) AS k) FOR UPDATE;
    IF EXISTS (
        SELECT FROM jsonb_each_text(seen) AS s
          LEFT JOIN calendar_events AS e ON e.user_id = current_user_id() AND e.id = s.key::uuid
         WHERE e.updated_at IS DISTINCT FROM s.value::timestamptz
    ) THEN
        RETURN NULL;
    END IF;
    -- What was new when it was read may have been imported since.
    IF EXISTS (
        SELECT FROM jsonb_populate_recordset(NULL::calendar_events, rewrite -> 'kept') AS k
          JOIN calendar_events AS e ON e.ical_uid = k.ical_uid AND e.id <> k.id AND e.parent_event_id IS NULL
         WHERE k.parent_event_id IS NULL
    ) THEN
        RETURN NULL;
    END IF;
    DELETE FROM calendar_events AS e WHERE e.id IN (SELECT g::uuid FROM jsonb_array_elements_text(rewrite -> 'gone') AS g);
    INSERT INTO calendar_events AS e (
        id, title, description, event_type, start_time, end_time, all_day, timezone, location, color, reminder_minutes,
        workout_id, habit_id, goal_id, recurrence_rule, recurrence_end, series_until, exdates, rdates, parent_event_id,
        original_start, ical_uid, sequence, metadata, created_at)
    SELECT k.id, k.title, k.description, k.event_type, k.start_time, k.end_time, k.all_day, k.timezone, k.location, k.color,
           k.reminder_minutes, k.workout_id, k.habit_id, k.goal_id, k.recurrence_rule, k.recurrence_end, k.series_until,
           k.exdates, k.rdates, k.parent_event_id, k.original_start, k.ical_uid, k.sequence, k.metadata,
           coalesce(k.created_at, clock())
      FROM jsonb_populate_recordset(NULL::calendar_events, rewrite -> 'kept') AS k
        ON CONFLICT (user_id, id) DO UPDATE
       SET (title, description, event_type, start_time, end_time, all_day, timezone, location, color, reminder_minutes,
            workout_id, habit_id, goal_id, recurrence_rule, recurrence_end, series_until, exdates, rdates, ical_uid,
            sequence, metadata)
         = (excluded.title, excluded.description, excluded.event_type, excluded.start_time, excluded.end_time,
            excluded.all_day, excluded.timezone, excluded.location, excluded.color, excluded.reminder_minutes,
            excluded.workout_id, excluded.habit_id, excluded.goal_id, excluded.recurrence_rule, excluded.recurrence_end,
            excluded.series_until, excluded.exdates, excluded.rdates, excluded.ical_uid, excluded.sequence,
            excluded.metadata);
    UPDATE calendar_completions AS c
       SET event_id = (moved ->> 'to')::uuid,
           occurrence = coalesce((moved #>> ARRAY['occurrences', calendar_stamp(c.occurrence)])::timestamptz, c.occurrence)
     WHERE c.event_id = (moved ->> 'from')::uuid AND c.occurrence >= (moved ->> 'since')::timestamptz;
    RETURN coalesce((SELECT calendar_shown(e) FROM calendar_events AS e WHERE e.id = (rewrite ->> 'shown')::uuid), '{}');
END
$$;

-- Takes a habit out of the events that name it, before it is deleted.
CREATE OR REPLACE FUNCTION app.unlink_habit(gone uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE calendar_events SET habit_id = NULL WHERE habit_id = gone;
END;

-- Takes a goal out of the events that name it, before it is deleted.
CREATE OR REPLACE FUNCTION app.unlink_goal(gone uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE calendar_events SET goal_id = NULL WHERE goal_id = gone;
END;
