-- What falls when is expanded in Python (questlog.recurrence), so reads return rows that may be in a list, and changes of
-- series are decided there and written by rewrite_calendar() if nothing has changed meanwhile.

-- name: events
SELECT * FROM calendar_range(%(since_at)s, %(since_wall)s, %(since_day)s, %(before_at)s, %(before_wall)s, %(before_day)s);
SELECT f.*
  FROM calendar_range(%(since_at)s, %(since_wall)s, %(since_day)s, %(before_at)s, %(before_wall)s, %(before_day)s) AS w,
       calendar_found(w.since, w.before, w.first_day, w.last_day, %(event_type)s) AS f;
SELECT m.*
  FROM calendar_range(%(since_at)s, %(since_wall)s, %(since_day)s, %(before_at)s, %(before_wall)s, %(before_day)s) AS w,
       calendar_marks(w.since, w.before, %(event_type)s) AS m;

-- name: week
SELECT * FROM calendar_week(%(date)s);
SELECT f.* FROM calendar_week(%(date)s) AS w, calendar_found(w.since, w.before, w.first_day, w.last_day, NULL) AS f;
SELECT m.* FROM calendar_week(%(date)s) AS w, calendar_marks(w.since, w.before, NULL) AS m;

-- name: zone
SELECT zone FROM day_settings();

-- name: add
-- A single event whose times are instants: its zone is only stored. Without one it is the user's.
SELECT require_links(%(workout_id)s, %(habit_id)s, %(goal_id)s);
INSERT INTO calendar_events (
    id, title, description, event_type, start_time, end_time, timezone, location, color, reminder_minutes, workout_id, habit_id,
    goal_id, metadata)
SELECT %(id)s, %(title)s, %(description)s, %(event_type)s, %(start_time)s, %(end_time)s, s.zone, %(location)s, %(color)s,
       %(reminder_minutes)s, %(workout_id)s, %(habit_id)s, %(goal_id)s, %(metadata)s
  FROM day_settings() AS s;
SELECT plan_event_reminders(ARRAY[%(id)s::uuid]) WHERE %(reminder_minutes)s::int IS NOT NULL;
SELECT * FROM calendar_rows WHERE id = %(id)s;

-- name: event
SELECT * FROM calendar_rows WHERE id = %(event)s AND parent_event_id IS NULL;
SELECT * FROM calendar_rows WHERE parent_event_id = %(event)s AND original_start = %(recurrence_id)s;
SELECT event_id, occurrence AS recurrence_id, completed_at FROM calendar_completions
 WHERE event_id = %(event)s AND occurrence = %(recurrence_id)s AND completed_at IS NOT NULL;

-- name: change
-- Changes every field but those that say when the event is. The overrides of a series get the change too, except in fields
-- that they changed themselves. Only a change of the texts raises the event's SEQUENCE for iCalendar.
SELECT require_links(%(workout_id)s, %(habit_id)s, %(goal_id)s);
UPDATE calendar_events AS e
   SET title = CASE WHEN e.title = s.title THEN n.title ELSE e.title END,
       description = CASE WHEN e.description IS NOT DISTINCT FROM s.description THEN n.description ELSE e.description END,
       event_type = CASE WHEN e.event_type = s.event_type THEN n.event_type ELSE e.event_type END,
       location = CASE WHEN e.location IS NOT DISTINCT FROM s.location THEN n.location ELSE e.location END,
       color = CASE WHEN e.color IS NOT DISTINCT FROM s.color THEN n.color ELSE e.color END,
       reminder_minutes = CASE WHEN e.reminder_minutes IS NOT DISTINCT FROM s.reminder_minutes THEN n.reminder_minutes
                               ELSE e.reminder_minutes END,
       workout_id = CASE WHEN e.workout_id IS NOT DISTINCT FROM s.workout_id THEN n.workout_id ELSE e.workout_id END,
       habit_id = CASE WHEN e.habit_id IS NOT DISTINCT FROM s.habit_id THEN n.habit_id ELSE e.habit_id END,
       goal_id = CASE WHEN e.goal_id IS NOT DISTINCT FROM s.goal_id THEN n.goal_id ELSE e.goal_id END,
       metadata = CASE WHEN e.metadata IS NOT DISTINCT FROM s.metadata THEN n.metadata ELSE e.metadata END,
       sequence = e.sequence + (%(changes)s::jsonb ?| '{title,description,location}')::int
  FROM calendar_events AS s, jsonb_populate_record(s, %(changes)s) AS n
 WHERE s.id = %(event)s AND s.parent_event_id IS NULL AND (e.id = s.id OR e.parent_event_id = s.id);
SELECT plan_event_reminders(ARRAY(SELECT e.id FROM calendar_events AS e WHERE e.id = %(event)s
                                   UNION ALL
                                  SELECT o.id FROM calendar_events AS o WHERE o.parent_event_id = %(event)s))
 WHERE %(changes)s::jsonb ->> 'reminder_minutes' IS NOT NULL;
SELECT * FROM calendar_rows WHERE id = %(event)s AND parent_event_id IS NULL;

-- name: deciding
SELECT * FROM calendar_rows WHERE id = %(event)s AND parent_event_id IS NULL;
SELECT * FROM calendar_rows WHERE parent_event_id = %(event)s;
SELECT event_id, nullif(occurrence, '-infinity') AS recurrence_id FROM calendar_completions WHERE event_id = %(event)s;
SELECT zone FROM day_settings();

-- name: rewrite
SELECT require_links(%(workout_id)s, %(habit_id)s, %(goal_id)s);
SELECT rewrite_calendar(%(seen)s, %(seen_at)s, %(gone)s, %(kept)s, %(dropped)s, %(dropped_at)s, %(moved)s, %(moved_at)s,
                        %(moved_to)s, %(moved_to_at)s) AS written;
SELECT * FROM calendar_rows WHERE id = %(shown)s;

-- name: delete
SELECT refuse_field('scope', 'this is for one occurrence: send its id')
  FROM calendar_events WHERE id = %(event)s AND recurrence_rule IS NOT NULL AND %(scope)s = 'this';
DELETE FROM calendar_events WHERE id = %(event)s AND parent_event_id IS NULL RETURNING true AS success;

-- name: restore
UPDATE calendar_events
   SET exdates = array_remove(exdates, %(recurrence_id)s), sequence = sequence + 1
 WHERE id = %(event)s AND parent_event_id IS NULL AND %(recurrence_id)s = ANY (exdates);
SELECT plan_event_reminders(ARRAY[%(event)s::uuid]);
SELECT * FROM calendar_rows WHERE id = %(event)s AND parent_event_id IS NULL;
SELECT * FROM calendar_rows WHERE parent_event_id = %(event)s AND original_start = %(recurrence_id)s;
SELECT event_id, occurrence AS recurrence_id, completed_at FROM calendar_completions
 WHERE event_id = %(event)s AND occurrence = %(recurrence_id)s AND completed_at IS NOT NULL;

-- name: complete
-- Returns no row if there is no such event, or it has changed since it was `seen`.
SELECT lock_user();
SELECT refuse_field('id', 'a series is done occurrence by occurrence: send the id of one')
  FROM calendar_events
 WHERE id = %(event)s AND parent_event_id IS NULL AND recurrence_rule IS NOT NULL
   AND %(recurrence_id)s::timestamptz IS NULL;
SELECT done.completed_at, done.already_completed, done.reward_capped, r.*
  FROM calendar_events AS e,
       complete_event(e.id, coalesce(%(recurrence_id)s::timestamptz, '-infinity'), %(completed)s) AS done,
       reward(done.paid) AS r
 WHERE e.id = %(event)s AND e.parent_event_id IS NULL
   AND (%(seen)s::timestamptz IS NULL OR e.updated_at = %(seen)s);
SELECT * FROM calendar_rows WHERE id = %(event)s AND parent_event_id IS NULL;

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
-- If one occurrence of a series is in the feed's span, the feed has the series with all overrides, which mean nothing without it.
-- A window function instead of a join: a badly estimated join of a large calendar with itself takes seconds.
SELECT clock() AS now;
SELECT f.*
  FROM (SELECT e.*,
               bool_or(coalesce(CASE WHEN e.recurrence_rule IS NULL THEN coalesce(e.end_time, e.start_time) ELSE e.series_until END
                                >= clock() - interval '1 year', true))
                   OVER (PARTITION BY coalesce(e.parent_event_id, e.id)) AS in_reach
          FROM calendar_events AS e) AS f
 WHERE f.in_reach
 ORDER BY coalesce(f.parent_event_id, f.id), f.original_start NULLS FIRST;

-- name: importable
-- IN with a subquery is looked up by hash; a long array would be searched for each row.
SELECT zone FROM day_settings();
SELECT f.*
  FROM (SELECT e.*,
               bool_or(e.parent_event_id IS NULL
                       AND coalesce(e.ical_uid, e.id || '@questlog') IN (SELECT unnest(%(uids)s::text[])))
                   OVER (PARTITION BY coalesce(e.parent_event_id, e.id)) AS is_met
          FROM calendar_events AS e) AS f
 WHERE f.is_met;
SELECT c.event_id, nullif(c.occurrence, '-infinity') AS recurrence_id
  FROM calendar_completions AS c
 WHERE c.event_id IN (SELECT e.id FROM calendar_events AS e
                       WHERE coalesce(e.ical_uid, e.id || '@questlog') IN (SELECT unnest(%(uids)s::text[])));
