-- migrate:up
-- Calendar: events, and series of them by RFC 5545 rules. What falls on which day is expanded by questlog.recurrence, in
-- wall-clock time of the event's zone; here lie the rows, what was done, and who may read the feed.
--
--   a single event   parent_event_id and recurrence_rule null
--   a series         recurrence_rule set; start_time is its first occurrence, and always fits the rule
--   an exception     parent_event_id set: stands for the occurrence of the series that was to begin at original_start
--
-- An occurrence is named by the instant it was to begin at first, whatever an exception made of it: {series}_{stamp}.
SET LOCAL ROLE questlog_owner;

CREATE TABLE calendar_events (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) <= 5000),
    event_type text NOT NULL DEFAULT 'general' CHECK (event_type IN (
        'general', 'meeting', 'appointment', 'workout', 'focus', 'habit', 'goal', 'task', 'reminder', 'other')),
    start_time timestamptz NOT NULL CHECK (isfinite(start_time)),
    end_time timestamptz CHECK (end_time >= start_time AND isfinite(end_time)),
    all_day boolean NOT NULL DEFAULT false,
    timezone text NOT NULL,
    location text CHECK (length(location) <= 300),
    color text CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    reminder_minutes int CHECK (reminder_minutes BETWEEN 0 AND 40320),
    -- The training group's migration adds its table, and with it the key and the index; until then it stays null.
    workout_id uuid,
    habit_id uuid,
    goal_id uuid,
    recurrence_rule text CHECK (length(recurrence_rule) BETWEEN 1 AND 500),
    recurrence_end timestamptz CHECK (isfinite(recurrence_end)),
    -- The end of the last occurrence; null where there is none.
    series_until timestamptz CHECK (isfinite(series_until)),
    exdates timestamptz[] NOT NULL DEFAULT '{}',
    rdates timestamptz[] NOT NULL DEFAULT '{}',
    parent_event_id uuid,
    original_start timestamptz CHECK (isfinite(original_start)),
    ical_uid text CHECK (length(ical_uid) BETWEEN 1 AND 1000),
    -- RFC 5545, 3.8.7.4: counts the revisions, so that an older copy is known when it is imported.
    sequence int NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    metadata jsonb CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, parent_event_id, original_start),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits ON DELETE SET NULL (habit_id),
    FOREIGN KEY (user_id, goal_id) REFERENCES goals ON DELETE SET NULL (goal_id),
    FOREIGN KEY (user_id, parent_event_id) REFERENCES calendar_events ON DELETE CASCADE,
    CHECK ((parent_event_id IS NULL) = (original_start IS NULL)),
    CHECK (parent_event_id IS NULL OR recurrence_rule IS NULL),
    CHECK (recurrence_rule IS NOT NULL
           OR (recurrence_end IS NULL AND series_until IS NULL AND exdates = '{}' AND rdates = '{}')),
    CHECK (NOT all_day OR end_time IS NOT NULL)
);
CREATE UNIQUE INDEX calendar_events_uid ON calendar_events (user_id, ical_uid) WHERE parent_event_id IS NULL;
CREATE INDEX calendar_events_start ON calendar_events (user_id, start_time);
CREATE INDEX calendar_events_series ON calendar_events (user_id) WHERE recurrence_rule IS NOT NULL;
CREATE INDEX calendar_events_habit ON calendar_events (user_id, habit_id) WHERE habit_id IS NOT NULL;
CREATE INDEX calendar_events_goal ON calendar_events (user_id, goal_id) WHERE goal_id IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON calendar_events FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL isolate('calendar_events');
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_events TO questlog_app;

CREATE TABLE calendar_completions (
    user_id uuid NOT NULL DEFAULT me() REFERENCES users ON DELETE CASCADE,
    event_id uuid NOT NULL,
    -- Of a single event: -infinity, so that the key holds for it too.
    occurrence timestamptz NOT NULL DEFAULT '-infinity',
    completed_at timestamptz,
    undo_count int NOT NULL DEFAULT 0 CHECK (undo_count >= 0),
    xp_awarded bigint NOT NULL DEFAULT 0 CHECK (xp_awarded >= 0),
    coins_awarded bigint NOT NULL DEFAULT 0 CHECK (coins_awarded >= 0),
    -- What it was paid under: when a series is split the completion moves to another event, the payment does not.
    ledger_key text CHECK (length(ledger_key) BETWEEN 1 AND 200),
    PRIMARY KEY (user_id, event_id, occurrence),
    FOREIGN KEY (user_id, event_id) REFERENCES calendar_events ON DELETE CASCADE,
    CHECK ((completed_at IS NULL) = (ledger_key IS NULL))
);
CALL isolate('calendar_completions');
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_completions TO questlog_app;

CREATE TABLE calendar_feeds (
    user_id uuid PRIMARY KEY DEFAULT me() REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);
CALL isolate('calendar_feeds');
CREATE POLICY identity ON calendar_feeds TO questlog_identity USING (true);
-- Every column but the hash: only open_calendar_feed() ever compares it.
REVOKE SELECT ON calendar_feeds FROM questlog_admin, questlog_jobs;
GRANT SELECT (user_id, created_at, last_used_at) ON calendar_feeds TO questlog_app, questlog_admin, questlog_jobs;
GRANT INSERT, UPDATE, DELETE ON calendar_feeds TO questlog_app;
GRANT SELECT, UPDATE ON calendar_feeds TO questlog_identity;

-- The first statement of a request for the feed, in the place of authenticate(): the secret says whose it is.
-- A use is noted at most every five minutes, like other activity.
CREATE FUNCTION open_calendar_feed(presented_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    feed calendar_feeds;
BEGIN
    SELECT f.* INTO feed
      FROM calendar_feeds AS f JOIN users AS u ON u.id = f.user_id
     WHERE f.token_hash = presented_hash AND u.approved;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is nothing here.');
    END IF;
    PERFORM set_config('app.user_id', feed.user_id::text, true), set_config('app.scope', 'own', true);
    IF feed.last_used_at IS NULL OR feed.last_used_at < now() - interval '5 minutes' THEN
        UPDATE calendar_feeds SET last_used_at = now() WHERE user_id = feed.user_id;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION open_calendar_feed(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_calendar_feed(bytea) TO questlog_app;
ALTER FUNCTION open_calendar_feed(bytea) OWNER TO questlog_identity;

-- How an occurrence is told from the others of its series: the instant it was to begin at first.
CREATE FUNCTION calendar_stamp(occurrence timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(occurrence AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');

-- The name an event goes by: its id, and for an occurrence the stamp.
CREATE FUNCTION calendar_key(event_id uuid, occurrence timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN event_id || CASE WHEN isfinite(occurrence) THEN '_' || calendar_stamp(occurrence) ELSE '' END;

-- An event as the wire shows it, and with it everything the row holds. An exception goes by its occurrence's name.
CREATE FUNCTION calendar_shown(e calendar_events) RETURNS jsonb
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
CREATE FUNCTION calendar_between(since timestamptz, before timestamptz, only_type text DEFAULT NULL) RETURNS jsonb
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
CREATE FUNCTION calendar_workouts(day date) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT calendar_between(lower(b), upper(b), 'workout') FROM day_bounds(day) AS b);

-- Whether an event or occurrence is done, by its name on the wire; false for what names nothing.
CREATE FUNCTION calendar_done(event_key text) RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE WHEN event_key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(_[0-9]{8}T[0-9]{6}Z)?$' THEN EXISTS (
    SELECT FROM calendar_completions AS c
     WHERE c.event_id = left(event_key, 36)::uuid
       AND calendar_key(c.event_id, c.occurrence) = event_key
       AND c.completed_at IS NOT NULL) ELSE false END;

-- The same for the id of a plan's item, plan_workout_{name}.
CREATE FUNCTION calendar_item_done(item_key text) RETURNS boolean
LANGUAGE sql STABLE
RETURN starts_with(item_key, 'plan_workout_') AND calendar_done(substr(item_key, length('plan_workout_') + 1));

-- What is done of what lies on a local day, by the times it has there: moved occurrences count where they moved to.
CREATE FUNCTION calendar_done_on(day date) RETURNS TABLE (event_id uuid, occurrence timestamptz)
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

CREATE TYPE calendar_completing AS (
    completed_at timestamptz, already_completed boolean, reward_capped boolean, paid award_result);

-- Marks an event or occurrence done and pays it, or takes both back. The caller holds lock_progress().
--   Ten are paid a local day; more than those count and pay nothing.
CREATE FUNCTION complete_event(event_id uuid, occurrence timestamptz, completed boolean) RETURNS calendar_completing
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
        result.completed_at := now();
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
CREATE FUNCTION require_links(workout_id uuid, habit_id uuid, goal_id uuid) RETURNS boolean
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
CREATE FUNCTION calendar_placed(
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
CREATE FUNCTION calendar_range(
    since_at timestamptz, since_wall timestamp, since_day date, before_at timestamptz, before_wall timestamp, before_day date,
    OUT since timestamptz, OUT before timestamptz
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    clock record := my_clock();
    problem text;
BEGIN
    since := coalesce(since_at, first_instant(since_wall, clock.zone),
                      lower(day_bounds(since_day, clock.zone, clock.day_start)), now() - interval '1 year');
    before := coalesce(before_at, first_instant(before_wall, clock.zone),
                       upper(day_bounds(before_day, clock.zone, clock.day_start)), now() + interval '1 year');
    IF before < since OR before_day < since_day THEN
        problem := 'is before start_date';
    -- 800 days of 24 hours, or 800 local ones, whichever is more.
    ELSIF before - since > interval '800 days'
          AND (before AT TIME ZONE clock.zone) - (since AT TIME ZONE clock.zone) > interval '800 days' THEN
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
CREATE FUNCTION rewrite_calendar(rewrite jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    seen jsonb := rewrite -> 'seen';
    moved jsonb := rewrite -> 'moved';
BEGIN
    PERFORM lock_progress();
    PERFORM FROM calendar_events AS e WHERE e.id IN (SELECT k::uuid FROM jsonb_object_keys(seen) AS k) FOR UPDATE;
    IF EXISTS (
        SELECT FROM jsonb_each_text(seen) AS s
          LEFT JOIN calendar_events AS e ON e.user_id = me() AND e.id = s.key::uuid
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
           coalesce(k.created_at, now())
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
