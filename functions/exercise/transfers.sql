-- name: importable
-- The version is read first, so that a change after it is noticed when the plan is written.
SELECT d.zone, training_version() AS version FROM day_settings() AS d;
SELECT id, import_key, import_digest, workout_name, started_at, completed_at FROM workout_sessions WHERE status = 'completed';
SELECT import_key FROM deleted_imports WHERE kind = 'workout_session';
SELECT id, name, slug, equipment, import_key, merged_into, deleted_at IS NOT NULL AS is_deleted
  FROM library()
 ORDER BY created_at, id;

-- name: import
-- A file may hold more sets than are written within the time of a login's statements.
SELECT set_config('statement_timeout', '15s', true) WHERE current_setting('statement_timeout')::interval < '15s';
SELECT lock_user();
SELECT * FROM import_sessions(%(version)s, %(rows)s, %(dry_run)s);

-- name: export
SELECT c.zone FROM day_settings() AS c;
SELECT s.*
  FROM workout_sessions AS s
 WHERE s.status = 'completed'
   AND (%(from_)s::date IS NULL OR s.started_at >= (SELECT lower(day_bounds(%(from_)s))))
   AND (%(to)s::date IS NULL OR s.started_at < (SELECT upper(day_bounds(%(to)s))))
 ORDER BY s.started_at DESC, s.id;
SELECT x.*
  FROM workout_sessions AS s JOIN named_sets AS x ON x.session_id = s.id
 WHERE s.status = 'completed'
   AND (%(from_)s::date IS NULL OR s.started_at >= (SELECT lower(day_bounds(%(from_)s))))
   AND (%(to)s::date IS NULL OR s.started_at < (SELECT upper(day_bounds(%(to)s))))
 ORDER BY x.logged_at, x.id;
