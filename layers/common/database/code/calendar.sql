SET LOCAL ROLE questlog_identity;

-- The first statement of a request for the feed, instead of authenticate(): the secret tells whose calendar it is.
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

-- The stamp that names an occurrence of a series: the instant at which the rule lets it begin, in UTC.
CREATE OR REPLACE FUNCTION app.calendar_stamp(occurrence timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(occurrence AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');

-- The id of an event on the wire: its uuid, and for an occurrence its stamp behind it.
CREATE OR REPLACE FUNCTION internal.calendar_key(event_id uuid, occurrence timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN event_id || CASE WHEN isfinite(occurrence) THEN '_' || calendar_stamp(occurrence) ELSE '' END;

-- What an answer needs besides the event's own row: the rule of the series, for an override, and the time of completion,
-- for a single event or an override. Each row is a lookup by key, whatever the planner estimates: a join of a large
-- calendar with itself takes seconds where the estimate is wrong. CASE and not coalesce(), because under row-level
-- security coalesce() would not be looked up in an index.
CREATE OR REPLACE FUNCTION internal.calendar_added(event_id uuid, series_id uuid, recurrence_id timestamptz)
RETURNS TABLE (series_rule text, series_end timestamptz, completed_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN series_id IS NOT NULL THEN
                (SELECT s.recurrence_rule FROM calendar_events AS s WHERE s.id = series_id) END,
           CASE WHEN series_id IS NOT NULL THEN
                (SELECT s.recurrence_end FROM calendar_events AS s WHERE s.id = series_id) END,
           (SELECT c.completed_at FROM calendar_completions AS c
             WHERE c.event_id = CASE WHEN series_id IS NULL THEN calendar_added.event_id ELSE series_id END
               AND c.occurrence = CASE WHEN series_id IS NULL THEN '-infinity' ELSE recurrence_id END);
END;

-- An event as the answers need it. The added columns come first, so that a new column of the table is the view's last.
CREATE OR REPLACE VIEW app.calendar_rows WITH (security_invoker = true) AS
SELECT a.series_rule, a.series_end, a.completed_at, e.*
  FROM calendar_events AS e, calendar_added(e.id, e.parent_event_id, e.original_start) AS a;

-- The three functions below return where a list begins and ends: as instants, for timed events, and as dates, for all-day
-- ones. Each returns one row; the functions after them take its columns.

-- The local days from `first_day` to `last_day`.
CREATE OR REPLACE FUNCTION internal.calendar_days(
    first date, last date, OUT since timestamptz, OUT before timestamptz, OUT first_day date, OUT last_day date
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT lower(day_bounds(first, d.zone, d.day_start)), upper(day_bounds(last, d.zone, d.day_start)), first, last
      FROM day_settings() AS d;
END;

CREATE OR REPLACE FUNCTION app.calendar_day(
    day date, OUT since timestamptz, OUT before timestamptz, OUT first_day date, OUT last_day date
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.since, d.before, d.first_day, d.last_day FROM calendar_days(day, day) AS d;
END;

-- The week of a day, today's without one, from the weekday that the user's weeks begin at.
CREATE OR REPLACE FUNCTION app.calendar_week(
    day date, OUT since timestamptz, OUT before timestamptz, OUT first_day date, OUT last_day date
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT w.since, w.before, w.first_day, w.last_day
      FROM (SELECT coalesce(calendar_week.day, local_today()) AS chosen) AS d,
           LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM user_settings WHERE key = 'week_start' AND value = '"sunday"')
                                THEN chosen - extract(dow FROM chosen)::int ELSE week_of(chosen) END AS begins) AS b,
           LATERAL calendar_days(begins, begins + 6) AS w;
END;

-- Each bound is an instant, a wall-clock time or a whole local day; without any, a year either side of now.
CREATE OR REPLACE FUNCTION app.calendar_range(
    since_at timestamptz, since_wall timestamp, since_day date, before_at timestamptz, before_wall timestamp, before_day date,
    OUT since timestamptz, OUT before timestamptz, OUT first_day date, OUT last_day date
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
    first_day := coalesce(since_day, (since AT TIME ZONE days.zone)::date);
    last_day := coalesce(before_day, ((before - interval '1 microsecond') AT TIME ZONE days.zone)::date);
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

-- On which days of the year, by UTC, a series with `yearly_on` may begin where it has an occurrence in a window: from the first to
-- the last one and, in a window that goes over the end of a year, from January 1 to the one that is `carried`; 0 in others.
--   Ten days more at either end: an occurrence lasts up to three days, the dates of an all-day event and the instants of a
--   window lie at most three days apart, and leap days and zones move the day of the year by one each.
CREATE OR REPLACE FUNCTION internal.yearly_days(since timestamptz, before timestamptz)
RETURNS TABLE (first int, last int, carried int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN w.whole THEN 1 ELSE w.begins END,
           CASE WHEN w.whole OR w.begins > w.ends THEN 366 ELSE w.ends END,
           CASE WHEN w.whole OR w.begins <= w.ends THEN 0 ELSE w.ends END
      FROM (SELECT extract(doy FROM (since - interval '10 days') AT TIME ZONE 'UTC')::int AS begins,
                   extract(doy FROM (before + interval '10 days') AT TIME ZONE 'UTC')::int AS ends,
                   before - since >= interval '340 days' AS whole) AS w;
END;

-- The series that may have an occurrence in a window. Of those that come back on one day of the year, which may be as many as
-- a user knows people, only those are read whose day is near.
--   The dates of an all-day event and the instants of a window lie at most three days apart: two by their zones, and the
--   hour at which the user's days begin.
CREATE OR REPLACE FUNCTION internal.calendar_series(since timestamptz, before timestamptz, only_type text)
RETURNS SETOF calendar_events
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.*
      FROM (SELECT e.* FROM calendar_events AS e
             WHERE e.recurrence_rule IS NOT NULL AND e.yearly_on IS NULL AND e.series_until IS NULL
             UNION ALL
            SELECT l.* FROM calendar_events AS l
             WHERE l.recurrence_rule IS NOT NULL AND l.yearly_on IS NULL AND l.series_until >= since - interval '3 days'
             UNION ALL
            SELECT y.* FROM calendar_events AS y
             WHERE y.yearly_on >= (SELECT d.first FROM yearly_days(since, before) AS d)
               AND y.yearly_on <= (SELECT d.last FROM yearly_days(since, before) AS d)
             UNION ALL
            SELECT c.* FROM calendar_events AS c
             WHERE c.yearly_on <= (SELECT d.carried FROM yearly_days(since, before) AS d)) AS s
     WHERE (s.series_until IS NULL OR s.series_until >= since - CASE WHEN s.all_day THEN interval '3 days' ELSE '0' END)
       AND least(s.start_time, s.rdates[1]) < before + CASE WHEN s.all_day THEN interval '3 days' ELSE '0' END
       AND (only_type IS NULL OR s.event_type = only_type);
END;

-- The single events and overrides that meet a window, in order.
--   Events that start in the window, or up to 31 days before it, are found by their start. The few that last longer have
--   an index of their own. An override of a removed occurrence is kept in case the occurrence is restored; it is not shown.
CREATE OR REPLACE FUNCTION internal.calendar_singles(
    since timestamptz, before timestamptz, first_day date, last_day date, only_type text
) RETURNS SETOF calendar_events
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.*
      FROM (SELECT n.*
              FROM calendar_events AS n
             WHERE n.recurrence_rule IS NULL
               AND n.start_time >= since - interval '34 days'
               AND n.start_time < before + interval '3 days'
               AND (n.end_time - n.start_time > interval '31 days') IS NOT TRUE
             UNION ALL
            SELECT l.*
              FROM calendar_events AS l
             WHERE l.recurrence_rule IS NULL
               AND l.end_time - l.start_time > interval '31 days'
               AND l.start_time < before + interval '3 days') AS e
     WHERE CASE WHEN e.all_day THEN e.start_date <= last_day AND e.end_date > first_day
                ELSE e.start_time < before AND (e.end_time > since OR e.start_time >= since) END
       AND (only_type IS NULL OR e.event_type = only_type)
       AND CASE WHEN e.parent_event_id IS NULL THEN true
                ELSE (SELECT NOT e.original_start = ANY (s.exdates)
                        FROM calendar_events AS s WHERE s.id = e.parent_event_id) END
     ORDER BY e.start_time, coalesce(e.parent_event_id, e.id), e.original_start NULLS FIRST
     -- One more than a list shows, so that the list can tell that it is cut.
     LIMIT 2001;
END;

-- What a window may contain: the single events and overrides in it, and the series, which questlog.recurrence.listing
-- expands.
CREATE OR REPLACE FUNCTION app.calendar_found(
    since timestamptz, before timestamptz, first_day date, last_day date, only_type text
) RETURNS SETOF calendar_rows
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT a.series_rule, a.series_end, a.completed_at, e.*
      FROM calendar_singles(since, before, first_day, last_day, only_type) AS e,
           calendar_added(e.id, e.parent_event_id, e.original_start) AS a
     UNION ALL
    SELECT NULL, NULL, NULL, s.* FROM calendar_series(since, before, only_type) AS s;
END;

-- Of the series that may be in a window, the occurrences near it that have an override (completed_at is null) and those
-- that are completed. IS TRUE makes Postgres hash the list of each IN; a join could be planned badly (see calendar_added).
CREATE OR REPLACE FUNCTION app.calendar_marks(since timestamptz, before timestamptz, only_type text)
RETURNS TABLE (event_id uuid, recurrence_id timestamptz, completed_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH series AS MATERIALIZED (
        SELECT s.id, coalesce(s.end_time, s.start_time) - s.start_time AS length
          FROM calendar_series(since, before, only_type) AS s
    ), near AS MATERIALIZED (
        SELECT since - max(series.length) - interval '4 days' AS earliest, before + interval '3 days' AS latest FROM series
    )
    SELECT x.parent_event_id, x.original_start, NULL::timestamptz
      FROM calendar_events AS x
     WHERE x.parent_event_id IS NOT NULL
       AND x.original_start >= (SELECT n.earliest FROM near AS n) AND x.original_start < (SELECT n.latest FROM near AS n)
       AND (x.parent_event_id IN (SELECT series.id FROM series)) IS TRUE
     UNION ALL
    SELECT c.event_id, c.occurrence, c.completed_at
      FROM calendar_completions AS c
     WHERE c.completed_at IS NOT NULL
       AND c.occurrence >= (SELECT n.earliest FROM near AS n) AND c.occurrence < (SELECT n.latest FROM near AS n)
       AND (c.event_id IN (SELECT series.id FROM series)) IS TRUE;
END;

-- Whether the event or occurrence with this id on the wire is completed; false if there is none.
CREATE OR REPLACE FUNCTION internal.calendar_done(event_key text) RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE WHEN event_key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(_[0-9]{8}T[0-9]{6}Z)?$' THEN EXISTS (
    SELECT FROM calendar_completions AS c
     WHERE c.event_id = left(event_key, 36)::uuid
       AND calendar_key(c.event_id, c.occurrence) = event_key
       AND c.completed_at IS NOT NULL) ELSE false END;

-- The same for the id of a plan's item, plan_workout_{id}.
CREATE OR REPLACE FUNCTION internal.calendar_item_done(item_key text) RETURNS boolean
LANGUAGE sql STABLE
RETURN starts_with(item_key, 'plan_workout_') AND calendar_done(substr(item_key, length('plan_workout_') + 1));

-- Marks an event or occurrence completed and pays it, or takes both back. The caller holds lock_user().
--   Ten are paid a local day; later ones are completed and pay nothing. One that was paid, and then dropped by a change of
--   its series, is not paid again. No ledger key is used twice: in a series that was shifted, the key that follows from an
--   occurrence's stamp may be the key of another occurrence that was paid before.
CREATE OR REPLACE FUNCTION app.complete_event(
    event_id uuid, occurrence timestamptz, completed boolean,
    OUT completed_at timestamptz, OUT already_completed boolean, OUT reward_capped boolean, OUT paid award_result
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    known calendar_completions;
    base text := 'planner_task_complete:' || event_id
                 || CASE WHEN isfinite(occurrence) THEN ':' || calendar_stamp(occurrence) ELSE '' END;
    times int := 0;
BEGIN
    SELECT * INTO known FROM calendar_completions AS c
     WHERE c.event_id = complete_event.event_id AND c.occurrence = complete_event.occurrence;
    completed_at := known.completed_at;
    already_completed := completed AND known.completed_at IS NOT NULL;
    reward_capped := false;
    IF NOT completed THEN
        IF known.completed_at IS NOT NULL THEN
            PERFORM reverse(known.ledger_key, 'Taken back by the user.');
            UPDATE calendar_completions AS c
               SET completed_at = NULL, ledger_key = NULL, xp_awarded = 0, coins_awarded = 0, undo_count = c.undo_count + 1
             WHERE c.event_id = complete_event.event_id AND c.occurrence = complete_event.occurrence;
            completed_at := NULL;
        END IF;
        RETURN;
    END IF;
    IF known.ledger_key IS NULL THEN
        known.ledger_key := base;
        WHILE (paid_under(known.ledger_key)).xp IS NOT NULL LOOP
            times := times + 1;
            known.ledger_key := base || ':' || times;
        END LOOP;
        reward_capped := (paid_today('planner_task_complete')).paid >= 10;
        paid := award('planner_task_complete', 'calendar_event', event_id,
                      CASE WHEN reward_capped THEN 0 ELSE 15 END, CASE WHEN reward_capped THEN 0 ELSE 5 END,
                      known.ledger_key);
    ELSE
        reward_capped := known.xp_awarded = 0 AND known.coins_awarded = 0;
        paid := paid_under(known.ledger_key);
    END IF;
    IF NOT already_completed THEN
        -- instant() and not clock(): the transaction may have waited for its lock.
        completed_at := instant();
        INSERT INTO calendar_completions AS c (event_id, occurrence, completed_at, xp_awarded, coins_awarded, ledger_key)
        VALUES (complete_event.event_id, complete_event.occurrence, complete_event.completed_at, (complete_event.paid).xp,
                (complete_event.paid).coins, known.ledger_key)
        ON CONFLICT ON CONSTRAINT calendar_completions_pkey DO UPDATE
           SET (completed_at, xp_awarded, coins_awarded, ledger_key)
             = (excluded.completed_at, excluded.xp_awarded, excluded.coins_awarded, excluded.ledger_key);
    END IF;
END
$$;

-- Adds a single event without an end, and returns its id. Other groups add events with it.
CREATE OR REPLACE FUNCTION internal.create_event(title text, description text, start_time timestamptz) RETURNS uuid
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO calendar_events (title, description, start_time, timezone)
    SELECT create_event.title, create_event.description, create_event.start_time, s.zone FROM day_settings() AS s
    RETURNING id;
END;

-- Refuses links to a workout, habit or goal that the user does not have.
CREATE OR REPLACE FUNCTION app.require_links(workout_id uuid, habit_id uuid, goal_id uuid) RETURNS boolean
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT (require_links.workout_id IS NULL
            OR has_workout(require_links.workout_id)
            OR refuse_field('workout_id', 'names no workout of yours'))
       AND (require_links.habit_id IS NULL
            OR EXISTS (SELECT FROM habits AS h WHERE h.id = require_links.habit_id)
            OR refuse_field('habit_id', 'names no habit of yours'))
       AND (require_links.goal_id IS NULL
            OR EXISTS (SELECT FROM goals AS g WHERE g.id = require_links.goal_id)
            OR refuse_field('goal_id', 'names no goal of yours'));
END;

-- Writes the changes that a request has computed from the events it read. Returns false, and writes nothing, where these
-- events have changed since. Python expands series, so every change of a series is written in this way.
--   seen, seen_at    the rows that were read, and their updated_at. Whoever changes an override also writes its series.
--   gone             rows to delete; an override that moves to another series or occurrence is deleted and kept
--   kept             new or changed rows, whole: a JSON array of rows of calendar_events
--   moved, moved_to  completions that become those of another event or occurrence. A null occurrence means a single event.
--   dropped          completions whose occurrence no longer exists. They are cleared; what they paid stays paid.
CREATE OR REPLACE FUNCTION app.rewrite_calendar(
    seen uuid[], seen_at timestamptz[], gone uuid[], kept json, dropped uuid[], dropped_at timestamptz[],
    moved uuid[], moved_at timestamptz[], moved_to uuid[], moved_to_at timestamptz[]
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    taken calendar_completions[];
    violated text;
BEGIN
    PERFORM lock_user();
    PERFORM FROM calendar_events AS e WHERE e.id = ANY (seen) FOR UPDATE;
    IF EXISTS (
        SELECT FROM unnest(seen, seen_at) AS s (id, updated_at)
          LEFT JOIN calendar_events AS e ON e.id = s.id
         WHERE e.updated_at IS DISTINCT FROM s.updated_at
    ) THEN
        RETURN false;
    END IF;
    DELETE FROM calendar_events AS e WHERE e.id = ANY (gone);
    INSERT INTO calendar_events AS e (
        id, title, description, event_type, start_time, end_time, nominal_days, all_day, timezone, location, color,
        reminder_minutes, workout_id, habit_id, goal_id, recurrence_rule, recurrence_end, last_start, series_until, exdates,
        rdates, parent_event_id, original_start, ical_uid, ical_stamp, ical_exdates, lone_recurrence_id, sequence, metadata,
        created_at)
    SELECT k.id, k.title, k.description, k.event_type, k.start_time, k.end_time, k.nominal_days, k.all_day, k.timezone,
           k.location, k.color, k.reminder_minutes, k.workout_id, k.habit_id, k.goal_id, k.recurrence_rule, k.recurrence_end,
           k.last_start, k.series_until, k.exdates, k.rdates, k.parent_event_id, k.original_start, k.ical_uid, k.ical_stamp,
           k.ical_exdates, k.lone_recurrence_id, k.sequence, k.metadata, coalesce(k.created_at, instant())
      FROM json_populate_recordset(NULL::calendar_events, kept) AS k
        ON CONFLICT (user_id, id) DO UPDATE
       SET (title, description, event_type, start_time, end_time, nominal_days, all_day, timezone, location, color,
            reminder_minutes, workout_id, habit_id, goal_id, recurrence_rule, recurrence_end, last_start, series_until,
            exdates, rdates, parent_event_id, original_start, ical_uid, ical_stamp, ical_exdates, lone_recurrence_id,
            sequence, metadata)
         = (excluded.title, excluded.description, excluded.event_type, excluded.start_time, excluded.end_time,
            excluded.nominal_days, excluded.all_day, excluded.timezone, excluded.location, excluded.color,
            excluded.reminder_minutes, excluded.workout_id, excluded.habit_id, excluded.goal_id, excluded.recurrence_rule,
            excluded.recurrence_end, excluded.last_start, excluded.series_until, excluded.exdates, excluded.rdates,
            excluded.parent_event_id, excluded.original_start, excluded.ical_uid, excluded.ical_stamp,
            excluded.ical_exdates, excluded.lone_recurrence_id, excluded.sequence, excluded.metadata);
    UPDATE calendar_completions AS c SET completed_at = NULL
      FROM unnest(dropped, dropped_at) AS d (event_id, occurrence)
     WHERE c.event_id = d.event_id AND c.occurrence = coalesce(d.occurrence, '-infinity') AND c.completed_at IS NOT NULL;
    -- All are deleted before any is inserted: in a shifted series each takes the key of the one after it.
    WITH away AS (
        DELETE FROM calendar_completions AS c USING unnest(moved, moved_at) AS m (event_id, occurrence)
         WHERE c.event_id = m.event_id AND c.occurrence = coalesce(m.occurrence, '-infinity')
        RETURNING c.*
    )
    SELECT array_agg(a) INTO taken FROM away AS a;
    INSERT INTO calendar_completions (
        event_id, occurrence, completed_at, undo_count, xp_awarded, coins_awarded, ledger_key)
    SELECT m.event_id, coalesce(m.occurrence, '-infinity'), t.completed_at, t.undo_count, t.xp_awarded, t.coins_awarded,
           t.ledger_key
      FROM unnest(taken) AS t
      JOIN unnest(moved, moved_at, moved_to, moved_to_at) AS m (was_event_id, was, event_id, occurrence)
        ON m.was_event_id = t.event_id AND coalesce(m.was, '-infinity') = t.occurrence
        -- The row that is there already is one that was dropped above.
        ON CONFLICT ON CONSTRAINT calendar_completions_pkey DO UPDATE
       SET (completed_at, undo_count, xp_awarded, coins_awarded, ledger_key)
         = (excluded.completed_at, excluded.undo_count, excluded.xp_awarded, excluded.coins_awarded, excluded.ledger_key);
    PERFORM plan_event_reminders(ARRAY(
        SELECT k.id FROM json_populate_recordset(NULL::calendar_events, kept) AS k WHERE k.reminder_minutes IS NOT NULL));
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    -- Another request has imported the same event since this one looked for it.
    GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
    IF violated = 'calendar_events_uid' THEN
        RETURN false;
    END IF;
    RAISE;
END
$$;

-- When to look at events with reminders: these, or all of the user's (null). Of a single event or an override, when it is to be
-- reminded of, if that is ahead; of a series its first reminder, or now once that has passed.
CREATE OR REPLACE FUNCTION internal.event_reminder_times(wanted uuid[])
RETURNS TABLE (event_id uuid, due_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.id, greatest(e.due_at, clock())
      FROM (SELECT o.id, o.recurrence_rule, o.series_until,
                   least(o.start_time, o.rdates[1]) - make_interval(mins => o.reminder_minutes) AS due_at
              FROM calendar_events AS o
             WHERE o.user_id = current_user_id() AND o.reminder_minutes IS NOT NULL AND o.id = ANY (wanted)
             UNION ALL
            SELECT o.id, o.recurrence_rule, o.series_until, o.start_time - make_interval(mins => o.reminder_minutes)
              FROM calendar_events AS o
             WHERE wanted IS NULL AND o.user_id = current_user_id() AND o.reminder_minutes IS NOT NULL
               AND o.recurrence_rule IS NULL AND o.start_time > clock()
             UNION ALL
            SELECT o.id, o.recurrence_rule, o.series_until,
                   least(o.start_time, o.rdates[1]) - make_interval(mins => o.reminder_minutes)
              FROM calendar_events AS o
             WHERE wanted IS NULL AND o.user_id = current_user_id() AND o.reminder_minutes IS NOT NULL
               AND o.recurrence_rule IS NOT NULL) AS e
     WHERE CASE WHEN e.recurrence_rule IS NULL THEN e.due_at > clock() ELSE (e.series_until < clock()) IS NOT TRUE END;
END;

-- An event that has a reminder, and when that is; no row where it has none. An override may be done or removed with the
-- occurrence that it stands for. `zone` is null where the user's own is meant.
CREATE OR REPLACE FUNCTION internal.remindable_event(wanted uuid)
RETURNS TABLE (title text, location text, all_day boolean, start_time timestamptz, end_time timestamptz, zone text,
               due_at timestamptz, is_series boolean, is_done boolean, is_removed boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.title, e.location, e.all_day, e.start_time, e.end_time, CASE WHEN e.all_day THEN e.timezone END,
           e.start_time - make_interval(mins => e.reminder_minutes), e.recurrence_rule IS NOT NULL,
           a.completed_at IS NOT NULL,
           EXISTS (SELECT FROM calendar_events AS s WHERE s.id = e.parent_event_id AND e.original_start = ANY (s.exdates))
      FROM calendar_events AS e, calendar_added(e.id, e.parent_event_id, e.original_start) AS a
     WHERE e.user_id = current_user_id() AND e.id = wanted AND e.reminder_minutes IS NOT NULL;
END;

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
