-- Statements of one name travel together, and each sees what those before it wrote. Whatever moves the timer begins with
-- lock_user(), and every look at it with settle_focus().

-- name: start
SELECT lock_user();
SELECT end_live_focus();
WITH started AS (
    INSERT INTO focus_sessions AS s (mode, duration_seconds, started_at, ends_at, task_title, tags, library_id)
    SELECT %(mode)s, %(duration_seconds)s, now, now + make_interval(secs => %(duration_seconds)s), %(task_title)s, %(tags)s,
           %(library_id)s
      FROM instant() AS now
     WHERE %(library_id)s::uuid IS NULL
        OR EXISTS (SELECT FROM focus_libraries WHERE id = %(library_id)s)
        OR refuse(404, 'not_found', 'There is no such library.')
    RETURNING s.*
)
SELECT s.*, t.* FROM started AS s, focus_timer(s, s.started_at) AS t;

-- name: active
SELECT settle_focus();
SELECT s.*, t.* FROM focus_sessions AS s, focus_timer(s, clock()) AS t WHERE s.status IN ('active', 'paused');

-- name: sessions
-- The page ends with the last session that there is: to look for more would read all others.
SELECT settle_focus();
SELECT read_in_index_order();
SELECT s.*, t.*
  FROM focus_sessions_where(%(mode)s, %(status)s, %(tag)s, %(from_)s, %(to)s) AS s, focus_timer(s, clock()) AS t
 ORDER BY s.started_at DESC, s.id
 LIMIT CASE WHEN num_nonnulls(%(mode)s::text, %(status)s::text, %(tag)s::text) = 0 THEN %(page_size)s
            ELSE least(%(page_size)s, (SELECT greatest(0, f.total - (%(page)s::bigint - 1) * %(page_size)s)
                                         FROM focus_total(%(mode)s, %(status)s, %(tag)s, %(from_)s, %(to)s) AS f)) END
OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT f.total FROM focus_total(%(mode)s, %(status)s, %(tag)s, %(from_)s, %(to)s) AS f;

-- name: stats
-- The days on which focus sessions ended, from so many days before today on; without a number, all of them. Only the time of
-- sessions that were completed, or whose pause lapsed, is added up; abandoned sessions are only counted.
SELECT settle_focus();
SELECT effective_streak('focus') AS focus_streak;
SELECT local_day(s.ended_at, c.zone, c.day_start) AS date,
       count(*) FILTER (WHERE s.status = 'completed') AS completed,
       count(*) FILTER (WHERE s.status <> 'completed') AS abandoned,
       count(*) FILTER (WHERE s.status <> 'abandoned') AS sessions,
       coalesce(sum(s.actual_seconds) FILTER (WHERE s.status <> 'abandoned'), 0) AS seconds,
       sum(s.xp_awarded)::bigint AS xp,
       sum(s.coins_awarded)::bigint AS coins
  FROM day_settings() AS c, focus_sessions AS s
 WHERE s.mode = 'focus'
   AND s.ended_at >= (SELECT coalesce(lower(day_bounds(local_today() - %(days_back)s::int)), '-infinity'))
 GROUP BY date
 ORDER BY date;

-- name: session
SELECT settle_focus();
SELECT s.*, t.* FROM focus_sessions AS s, focus_timer(s, clock()) AS t WHERE s.id = %(session_id)s;

-- name: change
SELECT lock_user();
SELECT settle_focus();
SELECT change_focus(s, %(changes)s) FROM focus_sessions AS s WHERE s.id = %(session_id)s;
SELECT s.*, t.* FROM focus_sessions AS s, focus_timer(s, clock()) AS t WHERE s.id = %(session_id)s;

-- name: complete
-- No settle_focus() before it: this session, when its time is up, is completed here, so that this request can say that it did it.
-- What the session was awarded is what the reward says.
SELECT (c.session).*, t.*, c.already_completed, r.*
  FROM complete_focus(%(session_id)s) AS c, reward(c.paid) AS r, focus_timer(c.session, clock()) AS t;

-- name: abandon
SELECT lock_user();
SELECT settle_focus();
SELECT abandon_focus(s) FROM focus_sessions AS s WHERE s.id = %(session_id)s;
SELECT s.*, t.* FROM focus_sessions AS s, focus_timer(s, clock()) AS t WHERE s.id = %(session_id)s;

-- name: pause_state
SELECT settle_focus();
SELECT * FROM focus_pause_state;

-- name: pause
SELECT lock_user();
SELECT settle_focus();
SELECT pause_focus(s, %(time_remaining_seconds)s) FROM focus_sessions AS s WHERE s.status = 'active';
SELECT * FROM focus_pause_state;

-- name: resume
-- The answer uses instant(), as resume_focus() does: clock() may be much earlier if the request waited for the lock.
SELECT lock_user();
SELECT settle_focus();
SELECT refuse(404, 'not_found', 'No session is paused.') WHERE NOT EXISTS (SELECT FROM focus_pause_state);
SELECT resume_focus(s) FROM focus_sessions AS s WHERE s.status = 'paused';
SELECT s.*, t.* FROM instant() AS now, focus_sessions AS s, focus_timer(s, now) AS t WHERE s.status IN ('active', 'paused');

-- name: libraries
SELECT l.*, c.*
  FROM focus_libraries AS l, count_tracks(l) AS c
 ORDER BY l.is_favorite DESC, l.created_at DESC, l.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total FROM focus_libraries;

-- name: add_library
-- Under the lock, so that the limit holds for parallel requests too. If the user has a library of this name, it is returned.
SELECT lock_user();
INSERT INTO focus_libraries (name, description, library_type, preset_durations, default_duration, created_at, updated_at)
SELECT %(name)s, %(description)s, %(library_type)s, %(preset_durations)s, %(default_duration)s, now, now
  FROM instant() AS now
 WHERE EXISTS (SELECT FROM focus_libraries WHERE lower(name) = lower(%(name)s))
    OR (SELECT count(*) FROM focus_libraries) < 100
    OR refuse(409, 'limit_reached', 'There are 100 libraries already.', '{"limit": 100}')
ON CONFLICT (user_id, lower(name)) DO NOTHING;
SELECT l.*, c.* FROM focus_libraries AS l, count_tracks(l) AS c WHERE lower(l.name) = lower(%(name)s);

-- name: library
SELECT l.*, c.* FROM focus_libraries AS l, count_tracks(l) AS c WHERE l.id = %(library_id)s;

-- name: change_library
-- Under the lock, so that of two libraries that get one name at once, the second is refused.
SELECT lock_user();
SELECT refuse(409, 'name_taken', 'Another library has this name.')
  FROM focus_libraries WHERE id <> %(library_id)s AND lower(name) = lower(%(changes)s::jsonb ->> 'name');
UPDATE focus_libraries AS l
   SET (name, description, library_type, preset_durations, default_duration, is_favorite)
     = (SELECT name, description, library_type, preset_durations, default_duration, is_favorite
          FROM jsonb_populate_record(l, %(changes)s))
 WHERE id = %(library_id)s;
SELECT l.*, c.* FROM focus_libraries AS l, count_tracks(l) AS c WHERE l.id = %(library_id)s;

-- name: delete_library
-- Under the lock, so that no session is started with the library while it goes.
SELECT lock_user();
UPDATE focus_sessions SET library_id = NULL WHERE library_id = %(library_id)s;
DELETE FROM focus_libraries WHERE id = %(library_id)s RETURNING id;

-- name: toggle_favorite
UPDATE focus_libraries SET is_favorite = NOT is_favorite WHERE id = %(library_id)s;
SELECT l.*, c.* FROM focus_libraries AS l, count_tracks(l) AS c WHERE l.id = %(library_id)s;

-- name: tracks
SELECT id FROM focus_libraries WHERE id = %(library_id)s;
SELECT * FROM focus_library_tracks WHERE library_id = %(library_id)s ORDER BY sort_order;

-- name: add_track
-- Under the lock, so that two tracks added at once follow each other, the limit holds and the reference track stays meanwhile.
SELECT lock_user();
SELECT refuse(404, 'not_found', 'There is no such track.')
 WHERE %(track_id)s::uuid IS NOT NULL AND NOT has_track(%(track_id)s);
INSERT INTO focus_library_tracks (library_id, track_id, track_title, track_url, duration_seconds, sort_order)
SELECT l.id, %(track_id)s, %(track_title)s, %(track_url)s, %(duration_seconds)s, coalesce(placed.last, 0) + 1
  FROM focus_libraries AS l,
       LATERAL (SELECT count(*) AS tracks, max(sort_order) AS last FROM focus_library_tracks WHERE library_id = l.id) AS placed
 WHERE l.id = %(library_id)s
   AND (placed.tracks < 500 OR refuse(409, 'limit_reached', 'The library holds 500 tracks already.', '{"limit": 500}'))
RETURNING *;

-- name: delete_track
DELETE FROM focus_library_tracks WHERE library_id = %(library_id)s AND id = %(track_id)s RETURNING id;
