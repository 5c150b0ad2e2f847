-- What falls when is expanded in Python (questlog.recurrence), so reads answer rows and series as candidates, and changes
-- of series are decided there and written by rewrite_calendar() if nothing has changed meanwhile.

-- name: events
SELECT calendar_between(r.since, r.before, %(event_type)s) AS answer
  FROM calendar_range(%(since_at)s, %(since_wall)s, %(since_day)s, %(before_at)s, %(before_wall)s, %(before_day)s) AS r;

-- name: week
SELECT w.begins AS week_start, w.begins + 6 AS week_end,
       calendar_between(lower(day_bounds(w.begins)), upper(day_bounds(w.begins + 6))) AS found
  FROM (SELECT coalesce(%(date)s, local_today()) AS day) AS d,
       LATERAL (SELECT EXISTS (SELECT FROM user_settings WHERE key = 'week_start' AND value = '"sunday"') AS on_sunday) AS s,
       LATERAL (SELECT CASE WHEN on_sunday THEN day - extract(dow FROM day)::int ELSE week_of(day) END AS begins) AS w;

-- name: clock
SELECT zone FROM day_settings();

-- name: add
-- A single event whose zone was not sent is placed here, since only the database knows the user's.
SELECT require_links(%(workout_id)s, %(habit_id)s, %(goal_id)s);
WITH added AS (
    INSERT INTO calendar_events AS e (
        title, description, event_type, start_time, end_time, all_day, timezone, location, color, reminder_minutes,
        habit_id, goal_id, metadata)
    SELECT %(title)s, %(description)s, %(event_type)s, p.start_time, p.end_time, %(all_day)s, c.zone, %(location)s,
           %(color)s, %(reminder_minutes)s, %(habit_id)s, %(goal_id)s, %(metadata)s
      FROM day_settings() AS c,
           calendar_placed(c.zone, %(all_day)s, %(start_at)s, %(start_wall)s, %(end_at)s, %(end_wall)s) AS p
    RETURNING e.*
)
SELECT calendar_shown(added) AS answer FROM added;

-- name: event
SELECT calendar_shown(e) AS event,
       (SELECT calendar_shown(x) FROM calendar_events AS x WHERE x.parent_event_id = e.id AND x.original_start = %(occurrence)s)
           AS exception,
       (SELECT c.completed_at FROM calendar_completions AS c WHERE c.event_id = e.id AND c.occurrence = %(occurrence)s)
           AS completed_at
  FROM calendar_events AS e WHERE e.id = %(event)s AND e.parent_event_id IS NULL;

-- name: change
-- What does not say when the event is, of a series for its exceptions too.
SELECT require_links(%(workout_id)s, %(habit_id)s, %(goal_id)s);
UPDATE calendar_events AS e
   SET (title, description, event_type, location, color, reminder_minutes, habit_id, goal_id, metadata, sequence)
     = (SELECT title, description, event_type, location, color, reminder_minutes, habit_id, goal_id, metadata, e.sequence + 1
          FROM jsonb_populate_record(e, %(changes)s))
 WHERE (e.id, e.parent_event_id IS NULL) = (%(event)s, true) OR e.parent_event_id = %(event)s;
SELECT calendar_shown(e) AS answer FROM calendar_events AS e WHERE e.id = %(event)s AND e.parent_event_id IS NULL;

-- name: editable
SELECT to_jsonb(e) AS event,
       coalesce((SELECT jsonb_agg(to_jsonb(x)) FROM calendar_events AS x WHERE x.parent_event_id = e.id), '[]') AS exceptions,
       coalesce((SELECT jsonb_agg(c.occurrence) FROM calendar_completions AS c
                  WHERE c.event_id = e.id AND c.occurrence >= %(occurrence)s), '[]') AS completions,
       (SELECT zone FROM day_settings()) AS zone
  FROM calendar_events AS e WHERE e.id = %(event)s AND e.parent_event_id IS NULL;

-- name: rewrite
SELECT require_links(%(workout_id)s, %(habit_id)s, %(goal_id)s);
SELECT rewrite_calendar(%(rewrite)s) AS event;

-- name: delete
SELECT refuse_field('scope', 'this is for one occurrence: send its id')
  FROM calendar_events WHERE id = %(event)s AND recurrence_rule IS NOT NULL AND %(scope)s = 'this';
DELETE FROM calendar_events WHERE id = %(event)s AND parent_event_id IS NULL RETURNING true AS success;

-- name: restore
UPDATE calendar_events
   SET exdates = array_remove(exdates, %(occurrence)s), sequence = sequence + 1
 WHERE id = %(event)s AND parent_event_id IS NULL AND %(occurrence)s = ANY (exdates);
SELECT calendar_shown(e) AS event,
       (SELECT calendar_shown(x) FROM calendar_events AS x WHERE x.parent_event_id = e.id AND x.original_start = %(occurrence)s)
           AS exception,
       (SELECT c.completed_at FROM calendar_completions AS c WHERE c.event_id = e.id AND c.occurrence = %(occurrence)s)
           AS completed_at
  FROM calendar_events AS e WHERE e.id = %(event)s AND e.parent_event_id IS NULL;

-- name: complete
-- No row: there is no such event, or it is not what it was when it was `seen`.
SELECT lock_user();
SELECT refuse_field('id', 'a series is done occurrence by occurrence: send the id of one')
  FROM calendar_events
 WHERE id = %(event)s AND parent_event_id IS NULL AND recurrence_rule IS NOT NULL AND %(occurrence)s::timestamptz IS NULL;
SELECT calendar_shown(e) AS event, done.completed_at, done.already_completed, done.reward_capped, r.*
  FROM calendar_events AS e,
       complete_event(e.id, coalesce(%(occurrence)s::timestamptz, '-infinity'), %(completed)s) AS done,
       reward(done.paid) AS r
 WHERE e.id = %(event)s AND e.parent_event_id IS NULL AND e.updated_at = coalesce(%(seen)s::timestamptz, e.updated_at);

-- name: feed_state
SELECT count(*) = 1 AS active, max(created_at) AS created_at, max(last_used_at) AS last_used_at FROM calendar_feeds;

-- name: make_feed
INSERT INTO calendar_feeds (token_hash) VALUES (%(token_hash)s)
ON CONFLICT (user_id) DO UPDATE SET token_hash = %(token_hash)s, created_at = clock(), last_used_at = NULL
RETURNING user_id, created_at;

-- name: delete_feed
WITH deleted AS (DELETE FROM calendar_feeds RETURNING user_id)
SELECT true AS success FROM (SELECT count(*) FROM deleted) AS d;

-- name: open_feed
SELECT open_calendar_feed(%(token_user)s, %(token_hash)s);

-- name: fed
-- A series with one occurrence in reach is there whole: to a reader of the feed its exceptions are nothing without it.
-- By window, here and below: for a join of a large calendar with itself, an estimate gone wrong takes seconds.
SELECT coalesce(jsonb_agg(to_jsonb(event) ORDER BY series, (event).original_start NULLS FIRST), '[]') AS events
  FROM (SELECT e AS event, coalesce(e.parent_event_id, e.id) AS series,
               bool_or(coalesce(CASE WHEN e.recurrence_rule IS NULL THEN coalesce(e.end_time, e.start_time) ELSE e.series_until END
                                >= clock() - interval '1 year', true))
                   OVER (PARTITION BY coalesce(e.parent_event_id, e.id)) AS in_reach
          FROM calendar_events AS e) AS w
 WHERE in_reach;

-- name: importable
-- `uids` is an object with the identifiers for its keys, which is faster to look into than a long array.
SELECT (SELECT zone FROM day_settings()) AS zone, coalesce(jsonb_agg(to_jsonb(event)), '[]') AS events
  FROM (SELECT e AS event,
               bool_or(e.parent_event_id IS NULL AND %(uids)s::jsonb ? coalesce(e.ical_uid, e.id || '@questlog'))
                   OVER (PARTITION BY coalesce(e.parent_event_id, e.id)) AS is_met
          FROM calendar_events AS e) AS w
 WHERE is_met;
