-- name: manifest
SELECT m.* FROM analysis_frame_manifests AS m WHERE m.analysis_id = %(analysis_id)s;

-- name: window
-- Chunks that hold a frame of the span; a chunk's frames follow from its number.
SELECT m.* FROM analysis_frame_manifests AS m WHERE m.analysis_id = %(analysis_id)s;
SELECT d.chunk_index, d.start_frame, d.end_frame, d.frame_data
  FROM analysis_frame_manifests AS m
  JOIN analysis_frame_data AS d
    ON d.analysis_id = m.analysis_id
   AND d.chunk_index >= %(from_ms)s / m.hop_ms / m.chunk_size_frames
   AND d.chunk_index <= (%(to_ms)s - 1) / m.hop_ms / m.chunk_size_frames
 WHERE m.analysis_id = %(analysis_id)s
 ORDER BY d.chunk_index;

-- name: chunk
SELECT m.* FROM analysis_frame_manifests AS m WHERE m.analysis_id = %(analysis_id)s;
SELECT d.chunk_index, d.start_frame, d.end_frame, d.frame_data
  FROM analysis_frame_data AS d
 WHERE d.analysis_id = %(analysis_id)s AND d.chunk_index = %(number)s;

-- name: events
SELECT m.analysis_id AS id FROM analysis_frame_manifests AS m WHERE m.analysis_id = %(analysis_id)s;
SELECT e.event_type, e.time_ms, e.duration_ms, e.confidence, e.event_data AS data
  FROM analysis_events AS e
 WHERE e.analysis_id = %(analysis_id)s
   AND (%(from_ms)s::int IS NULL OR e.time_ms >= %(from_ms)s)
   AND (%(to_ms)s::int IS NULL OR e.time_ms <= %(to_ms)s)
   AND (%(event_type)s::text IS NULL OR e.event_type = %(event_type)s)
 ORDER BY e.time_ms, e.seq;
