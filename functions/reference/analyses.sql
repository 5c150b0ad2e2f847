-- name: start
-- The track's row is the lock: parallel starts find the first one's analysis.
SELECT t.* FROM reference_tracks AS t WHERE t.id = %(track_id)s FOR UPDATE;
SELECT a.*
  FROM reference_tracks AS t, start_analysis(t, %(analysis_type)s, %(version)s, %(force)s) AS a
 WHERE t.id = %(track_id)s AND t.status <> 'uploading';

-- name: arrive_and_start
SELECT lock_user();
SELECT track_arrived(%(track_id)s, %(size)s, %(duration_seconds)s, %(sample_rate)s, %(channels)s, %(bit_depth)s);
SELECT FROM reference_tracks AS t WHERE t.id = %(track_id)s FOR UPDATE;
SELECT a.*
  FROM reference_tracks AS t, start_analysis(t, %(analysis_type)s, %(version)s, %(force)s) AS a
 WHERE t.id = %(track_id)s;

-- name: latest
SELECT a.* FROM latest_analysis(%(track_id)s, %(type)s) AS a;

-- name: analyses
SELECT t.id FROM reference_tracks AS t WHERE t.id = %(track_id)s;
SELECT a.*
  FROM track_analyses AS a
 WHERE a.track_id = %(track_id)s
 ORDER BY a.created_at DESC, a.id
 LIMIT 100;

-- name: waveform
SELECT a.summary -> 'waveform' AS waveform, (a.summary ->> 'duration_ms')::int AS duration_ms,
       (a.summary ->> 'sample_rate')::int AS sample_rate, a.completed_at
  FROM latest_analysis(%(track_id)s, NULL) AS a
 WHERE a.status = 'completed';

-- name: cached
-- The hash is a subquery of its own: an index is asked for what is known before, under row-level security.
SELECT c.*,
       (SELECT t.id FROM reference_tracks AS t
         WHERE t.content_sha256 = c.content_hash
         ORDER BY t.id = %(track_id)s DESC, t.created_at, t.id
         LIMIT 1) AS track_id
  FROM track_analysis_cache AS c
 WHERE c.content_hash = (SELECT coalesce(
       %(content_hash)s, (SELECT t.content_sha256 FROM reference_tracks AS t WHERE t.id = %(track_id)s)));

-- name: cache
INSERT INTO track_analysis_cache AS c (
    content_hash, name, source, duration_ms, bpm, key_signature, integrated_lufs, sample_peak_dbfs, rms_dbfs, energy,
    frequency_profile, waveform, sections)
SELECT s.content_hash, s.name, 'client', s.duration_ms, s.bpm, s.key_signature, s.integrated_lufs, s.sample_peak_dbfs,
       s.rms_dbfs, s.energy, s.frequency_profile, s.waveform, coalesce(s.sections, '[]')
  FROM jsonb_populate_record(NULL::track_analysis_cache, %(sent)s) AS s
ON CONFLICT (user_id, content_hash) DO UPDATE
   SET (name, duration_ms, bpm, key_signature, integrated_lufs, sample_peak_dbfs, rms_dbfs, energy, frequency_profile,
        waveform, sections)
     = (excluded.name, excluded.duration_ms, excluded.bpm, excluded.key_signature, excluded.integrated_lufs,
        excluded.sample_peak_dbfs, excluded.rms_dbfs, excluded.energy, excluded.frequency_profile, excluded.waveform,
        excluded.sections)
 WHERE c.source = 'client';
SELECT c.*,
       (SELECT t.id FROM reference_tracks AS t
         WHERE t.content_sha256 = c.content_hash
         ORDER BY t.created_at, t.id
         LIMIT 1) AS track_id
  FROM track_analysis_cache AS c
 WHERE c.content_hash = %(sent)s::jsonb ->> 'content_hash';
