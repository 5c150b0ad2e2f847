-- A name may hold several statements; they travel together, and the last one's row is the answer, or the column `answer` is.
-- settle_focus() is a statement of its own before the rest because a statement cannot see what functions it calls write.

-- name: start
SELECT lock_user();
SELECT settle_focus();
SELECT end_focus(s, 'abandoned', 'superseded', clock()) FROM focus_sessions AS s WHERE status IN ('active', 'paused');
WITH started AS (
    INSERT INTO focus_sessions AS s (mode, duration_seconds, ends_at, task_title, tags, library_id)
    SELECT %(mode)s, %(duration_seconds)s, clock() + make_interval(secs => %(duration_seconds)s), %(task_title)s, %(tags)s,
           %(library_id)s
     WHERE %(library_id)s::uuid IS NULL
        OR EXISTS (SELECT FROM focus_libraries WHERE id = %(library_id)s)
        OR refuse(404, 'not_found', 'There is no such library.')
    RETURNING s.*
)
SELECT focus_shown(started) AS answer FROM started;

-- name: active
SELECT settle_focus();
SELECT (SELECT focus_shown(s) FROM focus_sessions AS s WHERE status IN ('active', 'paused')) AS session,
       (SELECT to_jsonb(p) FROM focus_pause_state AS p) AS pause_state;

-- name: sessions
SELECT settle_focus();
WITH found AS (
    SELECT s AS session
      FROM focus_sessions AS s, day_settings() AS c
     WHERE (%(mode)s::text IS NULL OR s.mode = %(mode)s)
       AND (%(status)s::text IS NULL OR s.status = %(status)s)
       AND (%(tag)s::text IS NULL OR %(tag)s = ANY (s.tags))
       AND (%(from_)s::date IS NULL OR s.started_at >= lower(day_bounds(%(from_)s, c.zone, c.day_start)))
       AND (%(to)s::date IS NULL OR s.started_at < upper(day_bounds(%(to)s, c.zone, c.day_start)))
), shown AS (
    SELECT session FROM found
     ORDER BY (session).started_at DESC, (session).id
     LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s
)
SELECT coalesce(jsonb_agg(focus_shown(session) ORDER BY (session).started_at DESC, (session).id), '[]') AS sessions,
       (SELECT count(*) FROM found) AS total,
       %(page)s::bigint AS page,
       %(page_size)s::bigint AS page_size
  FROM shown;

-- name: stats
-- What counts as focused time ended completed or by a lapsed pause; abandoned sessions are only counted.
SELECT settle_focus();
WITH ended AS (
    SELECT s.*, local_day(s.ended_at, c.zone, c.day_start) AS day, s.status <> 'abandoned' AS counts
      FROM focus_sessions AS s, day_settings() AS c
     WHERE s.mode = 'focus'
       AND s.ended_at >= coalesce(lower(day_bounds(local_today() - %(days_back)s::int, c.zone, c.day_start)), '-infinity')
), days AS (
    SELECT day, sum(actual_seconds) AS seconds, count(*) AS sessions FROM ended WHERE counts GROUP BY day
)
SELECT count(*) FILTER (WHERE status = 'completed') AS completed_sessions,
       count(*) FILTER (WHERE status <> 'completed') AS abandoned_sessions,
       count(*) AS total_sessions,
       coalesce(sum(actual_seconds) FILTER (WHERE counts), 0) AS total_focus_seconds,
       coalesce(sum(xp_awarded), 0) AS total_xp_earned,
       coalesce(sum(coins_awarded), 0) AS total_coins_earned,
       coalesce(sum(actual_seconds) FILTER (WHERE counts) / nullif(count(*) FILTER (WHERE counts), 0), 0)
           AS average_session_seconds,
       (SELECT count(*) FROM days) AS days_active,
       effective_streak('focus') AS focus_streak,
       coalesce((SELECT jsonb_agg(d ORDER BY day) FROM days AS d), '[]') AS by_day
  FROM ended;

-- name: session
SELECT settle_focus();
SELECT focus_shown(s) AS answer FROM focus_sessions AS s WHERE id = %(session_id)s;

-- name: change
SELECT settle_focus();
WITH changed AS (
    UPDATE focus_sessions AS s
       SET (task_title, notes, tags)
         = (SELECT task_title, notes, tags FROM jsonb_populate_record(s, %(changes)s))
     WHERE id = %(session_id)s
    RETURNING s.*
)
SELECT focus_shown(changed) AS answer FROM changed;

-- name: complete
-- No settling first: a session past its end is completed here, so that this request may say it did.
SELECT lock_user();
SELECT focus_shown(ended.session) AS session, ended.already_completed, r.*
  FROM focus_sessions AS s, complete_focus(s) AS ended, reward(ended.paid) AS r
 WHERE s.id = %(session_id)s;

-- name: abandon
SELECT lock_user();
SELECT settle_focus();
SELECT refuse(409, 'invalid_state', 'This session has ended already.', jsonb_build_object('status', status))
  FROM focus_sessions WHERE id = %(session_id)s AND status IN ('completed', 'expired');
SELECT end_focus(s, 'abandoned', 'user', clock())
  FROM focus_sessions AS s WHERE id = %(session_id)s AND status IN ('active', 'paused');
SELECT focus_shown(s) AS answer FROM focus_sessions AS s WHERE id = %(session_id)s;

-- name: pause_state
SELECT settle_focus();
SELECT * FROM focus_pause_state;

-- name: pause
SELECT lock_user();
SELECT settle_focus();
SELECT p.* FROM focus_sessions AS s, pause_focus(s, %(time_remaining_seconds)s) AS p WHERE s.status IN ('active', 'paused');

-- name: resume
SELECT lock_user();
SELECT settle_focus();
DELETE FROM focus_pause_state;
WITH resumed AS (
    UPDATE focus_sessions AS s
       SET status = 'active',
           ends_at = clock() + make_interval(secs => paused_remaining_seconds),
           paused_total_seconds = paused_total_seconds + extract(epoch FROM clock() - paused_at),
           paused_at = NULL,
           paused_remaining_seconds = NULL
     WHERE status = 'paused'
    RETURNING s.*
)
SELECT focus_shown(resumed) AS answer FROM resumed;

-- name: libraries
WITH shown AS (
    SELECT l AS library FROM focus_libraries AS l
     ORDER BY is_favorite DESC, created_at DESC, id
     LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s
)
SELECT coalesce(jsonb_agg(focus_library_shown(library)
                          ORDER BY (library).is_favorite DESC, (library).created_at DESC, (library).id), '[]') AS libraries,
       (SELECT count(*) FROM focus_libraries) AS total,
       %(page)s::bigint AS page,
       %(page_size)s::bigint AS page_size
  FROM shown;

-- name: add_library
-- A name the user has already answers the library that has it; under the lock, so that the limit holds in parallel.
SELECT lock_user();
INSERT INTO focus_libraries (name, description, library_type, preset_durations, default_duration)
SELECT %(name)s, %(description)s, %(library_type)s, %(preset_durations)s, %(default_duration)s
 WHERE EXISTS (SELECT FROM focus_libraries WHERE lower(name) = lower(%(name)s))
    OR (SELECT count(*) FROM focus_libraries) < 100
    OR refuse(409, 'limit_reached', 'There are 100 libraries already.', '{"limit": 100}')
ON CONFLICT (user_id, lower(name)) DO NOTHING;
SELECT focus_library_shown(l) AS answer FROM focus_libraries AS l WHERE lower(name) = lower(%(name)s);

-- name: library
SELECT focus_library_shown(l) AS answer FROM focus_libraries AS l WHERE id = %(library_id)s;

-- name: change_library
SELECT lock_user();
SELECT refuse(409, 'name_taken', 'Another library has this name.')
  FROM focus_libraries WHERE id <> %(library_id)s AND lower(name) = lower(%(changes)s::jsonb ->> 'name');
WITH changed AS (
    UPDATE focus_libraries AS l
       SET (name, description, library_type, preset_durations, default_duration, is_favorite)
         = (SELECT name, description, library_type, preset_durations, default_duration, is_favorite
              FROM jsonb_populate_record(l, %(changes)s))
     WHERE id = %(library_id)s
    RETURNING l.*
)
SELECT focus_library_shown(changed) AS answer FROM changed;

-- name: delete_library
UPDATE focus_sessions SET library_id = NULL WHERE library_id = %(library_id)s;
DELETE FROM focus_libraries WHERE id = %(library_id)s RETURNING id;

-- name: toggle_favorite
WITH changed AS (
    UPDATE focus_libraries AS l SET is_favorite = NOT is_favorite WHERE id = %(library_id)s RETURNING l.*
)
SELECT focus_library_shown(changed) AS answer FROM changed;

-- name: tracks
SELECT coalesce((SELECT jsonb_agg(t ORDER BY sort_order) FROM focus_library_tracks AS t WHERE library_id = l.id), '[]')
           AS tracks,
       (SELECT count(*) FROM focus_library_tracks WHERE library_id = l.id) AS total
  FROM focus_libraries AS l WHERE id = %(library_id)s;

-- name: add_track
-- The library's row is locked, so that two tracks added at once follow each other and the limit holds.
SELECT refuse(404, 'not_found', 'There is no such track.') WHERE %(track_id)s::uuid IS NOT NULL;
SELECT id FROM focus_libraries WHERE id = %(library_id)s FOR UPDATE;
INSERT INTO focus_library_tracks (library_id, track_id, track_title, track_url, duration_seconds, sort_order)
SELECT l.id, %(track_id)s, %(track_title)s, %(track_url)s, %(duration_seconds)s, coalesce(placed.max, 0) + 1
  FROM focus_libraries AS l,
       LATERAL (SELECT count(*), max(sort_order) FROM focus_library_tracks WHERE library_id = l.id) AS placed
 WHERE l.id = %(library_id)s
   AND (placed.count < 500 OR refuse(409, 'limit_reached', 'The library holds 500 tracks already.', '{"limit": 500}'))
RETURNING *;

-- name: delete_track
DELETE FROM focus_library_tracks WHERE library_id = %(library_id)s AND id = %(track_id)s RETURNING id;
