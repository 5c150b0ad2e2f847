-- The jobs log in as questlog_jobs, which sees all users. So every statement compares the user_id too.

-- name: begin
UPDATE user_exports AS e
   SET status = 'running', started_at = coalesce(e.started_at, instant()), progress = 0
 WHERE e.user_id = %(owner)s AND e.id = %(job_id)s AND e.status IN ('queued', 'running')
RETURNING e.include_audio, e.object_key;

-- name: progress
UPDATE user_exports AS e SET progress = %(progress)s
 WHERE e.user_id = %(owner)s AND e.id = %(job_id)s AND e.status = 'running';

-- name: account
SELECT clock() AS exported_at, u.id, u.email, u.name, u.image, u.created_at, u.age_verified_at, u.tos_version,
       u.tos_accepted_at,
       coalesce((SELECT s.time_zone FROM user_settings AS s WHERE s.user_id = u.id AND s.key = 'timezone'), 'UTC') AS timezone,
       coalesce((SELECT p.total_xp FROM user_progress AS p WHERE p.user_id = u.id), 0) AS total_xp,
       coalesce((SELECT w.coins FROM user_wallet AS w WHERE w.user_id = u.id), 0) AS coins
  FROM users AS u
 WHERE u.id = %(owner)s;

-- name: providers
SELECT a.provider, a.created_at AS linked_at FROM accounts AS a WHERE a.user_id = %(owner)s ORDER BY a.created_at, a.id;

-- name: row_counts
SELECT c.name, c.row_count FROM export_row_counts(%(owner)s) AS c;

-- name: tracks
SELECT t.id, t.name, t.r2_key, t.mime_type, t.file_size_bytes FROM reference_tracks AS t WHERE t.user_id = %(owner)s ORDER BY t.id;

-- name: zones
SELECT e.timezone, min(e.start_time) AS since
  FROM calendar_events AS e
 WHERE e.user_id = %(owner)s AND NOT e.all_day AND e.timezone <> 'UTC'
 GROUP BY e.timezone;

-- name: events
SELECT e.*
  FROM calendar_events AS e
 WHERE e.user_id = %(owner)s
 ORDER BY coalesce(e.parent_event_id, e.id), e.original_start NULLS FIRST;

-- name: finish
SELECT finish_export(%(owner)s, %(job_id)s, %(size_bytes)s, %(sha256)s, %(row_count)s);

-- name: fail
SELECT fail_export(%(owner)s, %(job_id)s, %(error_type)s, %(message)s);
