-- name: usage
SELECT coalesce(sum(t.total), 0)::bigint AS tracks, coalesce(sum(t.amount), 0)::bigint AS bytes, storage_quota() AS quota_bytes
  FROM totals_of('tracks') AS t;

-- name: init_upload
-- Under the user's lock, so that the quota holds for parallel uploads too.
SELECT lock_user();
INSERT INTO upload_intents (r2_key, mime_type, filename, declared_bytes, expires_at)
SELECT k.r2_key, %(mime_type)s, %(filename)s, %(file_size)s, instant() + %(lifetime)s
  FROM (SELECT concat(current_user_id(), '/audio/', gen_random_uuid(), '.', %(extension)s::text) AS r2_key) AS k
 WHERE require_storage_room(%(file_size)s, k.r2_key)
RETURNING r2_key, mime_type;

-- name: registration
-- A key is taken once: that of a track which was deleted would make one without a file.
SELECT i.r2_key, i.mime_type FROM upload_intents AS i WHERE i.r2_key = %(r2_key)s AND i.consumed_at IS NULL;
SELECT t.* FROM reference_tracks AS t WHERE t.r2_key = %(r2_key)s;

-- name: register
-- A second registration of the same key waits for the first one, and then changes nothing. The clean-up may have taken the
-- key and its object meanwhile: then there is no track.
SELECT lock_user();
SELECT FROM upload_intents AS i WHERE i.r2_key = %(r2_key)s FOR UPDATE;
WITH registered AS (
    INSERT INTO reference_tracks AS t (
        name, description, r2_key, file_size_bytes, mime_type, duration_seconds, artist, album, genre, bpm, key_signature, tags,
        status, sample_rate, channels, bit_depth)
    SELECT d.name, d.description, %(r2_key)s, %(size)s, %(mime_type)s, coalesce(d.duration_seconds, %(duration_seconds)s),
           d.artist, d.album, d.genre, d.bpm, d.key_signature, coalesce(d.tags, '{}'), %(status)s, %(sample_rate)s,
           %(channels)s, %(bit_depth)s
      FROM upload_intents AS i, jsonb_populate_record(NULL::reference_tracks, %(described)s) AS d
     WHERE i.r2_key = %(r2_key)s AND require_storage_room(%(size)s, %(r2_key)s)
    ON CONFLICT (user_id, r2_key) DO NOTHING
    RETURNING t.file_size_bytes
)
SELECT move_total('tracks', 'all', 1, amount_change => r.file_size_bytes) FROM registered AS r;
UPDATE upload_intents AS i SET consumed_at = instant() WHERE i.r2_key = %(r2_key)s AND i.consumed_at IS NULL;
SELECT t.* FROM reference_tracks AS t WHERE t.r2_key = %(r2_key)s;

-- name: arrive
SELECT lock_user();
SELECT track_arrived(%(track_id)s, %(size)s, %(duration_seconds)s, %(sample_rate)s, %(channels)s, %(bit_depth)s);
SELECT t.* FROM reference_tracks AS t WHERE t.id = %(track_id)s;

-- name: tracks
-- All of them: without conditions the planner knows that a page is short, and takes it from the index.
SELECT read_in_index_order();
SELECT t.*
  FROM reference_tracks AS t
 ORDER BY t.created_at DESC, t.id DESC
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT coalesce(sum(t.total), 0)::bigint AS total FROM totals_of('tracks') AS t;

-- name: tracks_where
SELECT read_in_index_order();
SELECT t.*
  FROM reference_tracks AS t
 WHERE (%(status)s::text IS NULL OR t.status = %(status)s)
   AND (%(tag)s::text IS NULL OR t.tags @> ARRAY[%(tag)s::text])
   AND (%(q)s::text IS NULL OR position(lower(%(q)s) IN lower(concat_ws(E'\n', t.name, t.artist, t.album))) > 0)
 ORDER BY t.created_at DESC, t.id DESC
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total
  FROM reference_tracks AS t
 WHERE (%(status)s::text IS NULL OR t.status = %(status)s)
   AND (%(tag)s::text IS NULL OR t.tags @> ARRAY[%(tag)s::text])
   AND (%(q)s::text IS NULL OR position(lower(%(q)s) IN lower(concat_ws(E'\n', t.name, t.artist, t.album))) > 0);

-- name: track
SELECT t.*, t.user_id = current_user_id() AS is_own FROM visible_track(%(track_id)s) AS t;
SELECT n.* FROM notes_of_track(%(track_id)s) AS n;
SELECT a.* FROM latest_analysis(%(track_id)s, NULL) AS a;

-- name: visible_track
SELECT t.*, t.user_id = current_user_id() AS is_own FROM visible_track(%(track_id)s) AS t;

-- name: change
UPDATE reference_tracks AS t
   SET (name, description, duration_seconds, artist, album, genre, bpm, key_signature, tags, visibility)
     = (SELECT c.name, c.description, c.duration_seconds, c.artist, c.album, c.genre, c.bpm, c.key_signature, c.tags,
               c.visibility
          FROM jsonb_populate_record(t, %(changes)s) AS c)
 WHERE t.id = %(track_id)s
RETURNING t.*;

-- name: delete
-- The track is deleted by one statement: with the row its key is on the list of what is to be deleted, whatever becomes of
-- the request.
SELECT lock_user();
SELECT unlink_track(%(track_id)s), unlink_library_tracks(%(track_id)s);
WITH gone AS (DELETE FROM reference_tracks AS t WHERE t.id = %(track_id)s RETURNING t.r2_key, t.file_size_bytes)
SELECT g.r2_key, delete_object_later(g.r2_key), move_total('tracks', 'all', -1, amount_change => -g.file_size_bytes)
  FROM gone AS g;

-- name: browse
SELECT b.user_email, b.user_name,
       CASE WHEN b.is_caller THEN (SELECT coalesce(sum(t.total), 0)::bigint FROM totals_of('tracks') AS t) ELSE b.shared END AS total
  FROM browse_tracks(%(email)s, %(page)s, %(page_size)s) AS b
 LIMIT 1;
SELECT (b.track).*, (b.track).user_id = current_user_id() AS is_own
  FROM browse_tracks(%(email)s, %(page)s, %(page_size)s) AS b
 WHERE (b.track).id IS NOT NULL;
