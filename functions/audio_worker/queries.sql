-- The worker logs in as questlog_jobs, which sees all users. So every statement compares the user_id too.

-- name: begin_tick
-- Any number of ticks may run at once. An idle one is this one statement.
SELECT r.id, r.status
  FROM begin_run('analysis',
                 NOT EXISTS (SELECT FROM due_jobs('{audio_analysis,run}', '{analysis}'))
                 AND NOT EXISTS (SELECT FROM lost_jobs('{audio_analysis,run}', '{analysis}')),
                 %(nothing)s) AS r;

-- name: end_tick
-- A run that an administrator has asked for is a tick like this one.
SELECT complete_job(NULL, c.id, c.attempts, %(result)s) FROM claim_due_job('{run}', '{analysis}') AS c WHERE NOT %(has_failed)s;
SELECT end_run(%(run_id)s, %(has_failed)s, %(result)s);

-- name: fail_lost
SELECT fail_lost_analyses(%(reason)s);

-- name: claim
-- The job outlives the analysis of a deleted track: then the track's columns are null.
WITH claimed AS MATERIALIZED (
    SELECT j.user_id, j.id, j.attempts FROM claim_job('audio_analysis', %(job_id)s) AS j
), begun AS (
    UPDATE track_analyses AS a
       SET status = 'running', attempts = c.attempts, started_at = coalesce(a.started_at, clock()), progress = 0
      FROM claimed AS c
     WHERE a.user_id = c.user_id AND a.id = c.id AND a.status IN ('pending', 'running')
    RETURNING a.id, a.track_id, a.analysis_type
)
SELECT c.user_id, c.id, c.attempts AS attempt, b.track_id, b.analysis_type, t.r2_key
  FROM claimed AS c
  LEFT JOIN begun AS b ON true
  LEFT JOIN reference_tracks AS t ON t.user_id = c.user_id AND t.id = b.track_id;

-- name: renew
-- Returns no row if the track was deleted meanwhile.
SELECT hold_job(%(user_id)s, %(job_id)s, %(attempt)s);
SELECT renew_job(%(user_id)s, %(job_id)s);
SELECT renew_run(%(run_id)s);
UPDATE track_analyses AS a SET progress = %(progress)s
 WHERE a.user_id = %(user_id)s AND a.id = %(job_id)s
RETURNING a.id;

-- name: complete
-- One transaction. Everything is inserted from the analysis's row, so for a track that was deleted meanwhile nothing is.
-- The track is locked before its analysis, in the order in which a deletion locks them.
SELECT hold_job(%(user_id)s, %(job_id)s, %(attempt)s);
SELECT FROM reference_tracks AS t WHERE t.user_id = %(user_id)s AND t.id = %(track_id)s FOR UPDATE;
UPDATE track_analyses AS a
   SET status = 'completed', summary = %(summary)s, progress = 1, completed_at = instant()
 WHERE a.user_id = %(user_id)s AND a.id = %(job_id)s;
INSERT INTO analysis_frame_manifests (
    user_id, analysis_id, hop_ms, frame_count, duration_ms, sample_rate, bands, frame_layout, bytes_per_frame,
    chunk_size_frames, total_chunks, fingerprint, analyzer_version)
SELECT a.user_id, a.id, m.hop_ms, m.frame_count, m.duration_ms, m.sample_rate, m.bands, m.frame_layout, m.bytes_per_frame,
       m.chunk_size_frames, m.total_chunks, m.fingerprint, m.analyzer_version
  FROM track_analyses AS a, jsonb_populate_record(NULL::analysis_frame_manifests, %(manifest)s) AS m
 WHERE a.user_id = %(user_id)s AND a.id = %(job_id)s AND m.hop_ms IS NOT NULL;
INSERT INTO analysis_frame_data (user_id, analysis_id, chunk_index, start_frame, end_frame, frame_data)
SELECT a.user_id, a.id, c.*
  FROM track_analyses AS a,
       unnest(%(indexes)s::int[], %(starts)s::int[], %(ends)s::int[], %(chunks)s::bytea[]) AS c
 WHERE a.user_id = %(user_id)s AND a.id = %(job_id)s;
INSERT INTO analysis_events (user_id, analysis_id, seq, event_type, time_ms, duration_ms, confidence, event_data)
SELECT a.user_id, a.id, e.seq - 1, e.type, e.time_ms, e.duration_ms, e.confidence, e.data
  FROM track_analyses AS a,
       unnest(%(types)s::text[], %(times)s::int[], %(durations)s::int[], %(confidences)s::real[], %(data)s::jsonb[])
           WITH ORDINALITY AS e (type, time_ms, duration_ms, confidence, data, seq)
 WHERE a.user_id = %(user_id)s AND a.id = %(job_id)s;
INSERT INTO track_analysis_cache AS c (
    user_id, content_hash, name, source, duration_ms, bpm, key_signature, integrated_lufs, sample_peak_dbfs, rms_dbfs,
    energy, frequency_profile, waveform, sections)
SELECT t.user_id, s.content_sha256, t.name, 'worker', s.duration_ms, s.bpm, s.key, s.integrated_lufs, s.sample_peak_dbfs,
       s.rms_dbfs, s.energy, s.frequency_profile, s.waveform,
       coalesce((SELECT jsonb_agg(p - 'confidence') FROM jsonb_array_elements(s.sections) AS p), '[]')
  FROM reference_tracks AS t,
       jsonb_to_record(%(summary)s) AS s (
           content_sha256 text, duration_ms int, bpm double precision, key text, integrated_lufs double precision,
           sample_peak_dbfs double precision, rms_dbfs double precision, energy double precision, frequency_profile text,
           waveform jsonb, sections jsonb)
 WHERE t.user_id = %(user_id)s AND t.id = %(track_id)s AND %(analysis_type)s::text = 'full'
ON CONFLICT (user_id, content_hash) DO UPDATE
   SET (name, source, duration_ms, bpm, key_signature, integrated_lufs, sample_peak_dbfs, rms_dbfs, energy,
        frequency_profile, waveform, sections)
     = (excluded.name, excluded.source, excluded.duration_ms, excluded.bpm, excluded.key_signature,
        excluded.integrated_lufs, excluded.sample_peak_dbfs, excluded.rms_dbfs, excluded.energy,
        excluded.frequency_profile, excluded.waveform, excluded.sections);
SELECT resize_track(%(user_id)s, %(track_id)s, %(size)s);
UPDATE reference_tracks AS t
   SET content_sha256 = s.content_sha256,
       duration_seconds = coalesce(t.duration_seconds, s.duration_ms / 1000.0),
       sample_rate = coalesce(t.sample_rate, s.sample_rate),
       channels = coalesce(t.channels, s.channels),
       bit_depth = coalesce(t.bit_depth, s.bit_depth),
       bpm = coalesce(t.bpm, s.bpm),
       key_signature = coalesce(t.key_signature, s.key)
  FROM jsonb_to_record(%(summary)s) AS s (
       content_sha256 text, duration_ms int, sample_rate int, channels int, bit_depth int, bpm double precision, key text)
 WHERE t.user_id = %(user_id)s AND t.id = %(track_id)s;
SELECT settle_track(%(user_id)s, %(track_id)s, NULL);
SELECT end_job(%(user_id)s, %(job_id)s, NULL);

-- name: fail
-- The file cannot be measured, and another attempt would not help. `unplayable` says why nothing of it can be decoded, or is null.
SELECT hold_job(%(user_id)s, %(job_id)s, %(attempt)s);
SELECT FROM reference_tracks AS t WHERE t.user_id = %(user_id)s AND t.id = %(track_id)s FOR UPDATE;
UPDATE track_analyses AS a
   SET status = 'failed', completed_at = instant(), error_message = %(reason)s
 WHERE a.user_id = %(user_id)s AND a.id = %(job_id)s;
SELECT resize_track(%(user_id)s, %(track_id)s, %(size)s);
UPDATE reference_tracks AS t
   SET content_sha256 = coalesce(%(content_sha256)s, t.content_sha256),
       duration_seconds = coalesce(t.duration_seconds, %(duration_seconds)s),
       sample_rate = coalesce(t.sample_rate, %(sample_rate)s),
       channels = coalesce(t.channels, %(channels)s),
       bit_depth = coalesce(t.bit_depth, %(bit_depth)s)
 WHERE t.user_id = %(user_id)s AND t.id = %(track_id)s;
SELECT settle_track(%(user_id)s, %(track_id)s, %(unplayable)s);
SELECT end_job(%(user_id)s, %(job_id)s, %(reason)s);

-- name: give_up
-- Ends the job of an analysis that was deleted.
SELECT hold_job(%(user_id)s, %(job_id)s, %(attempt)s);
SELECT end_job(%(user_id)s, %(job_id)s, NULL);

-- name: retry
-- The machine failed. After the last attempt the analysis has failed too.
SELECT hold_job(%(user_id)s, %(job_id)s, %(attempt)s);
WITH retried AS MATERIALIZED (
    SELECT retry_job(%(user_id)s, %(job_id)s, %(error)s) AS is_over
)
UPDATE track_analyses AS a
   SET status = 'failed', completed_at = instant(), error_message = %(reason)s
  FROM retried AS r
 WHERE a.user_id = %(user_id)s AND a.id = %(job_id)s AND r.is_over;
SELECT settle_track(%(user_id)s, %(track_id)s, NULL);
