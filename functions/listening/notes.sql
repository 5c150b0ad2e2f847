-- Whatever changes something begins with lock_user(): limits and links hold in parallel.

-- name: annotations
-- The items of the list are counted only where a page of it is asked for.
SELECT t.id FROM visible_track(%(track_id)s) AS t;
SELECT a.*
  FROM (SELECT own.* FROM track_annotations AS own WHERE own.track_id = %(track_id)s
         UNION ALL
        SELECT others.* FROM public_annotations(%(track_id)s) AS others) AS a
 WHERE %(category)s::text IS NULL OR a.category = %(category)s
 ORDER BY a.start_time_ms, a.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total
  FROM (SELECT own.category FROM track_annotations AS own WHERE own.track_id = %(track_id)s
         UNION ALL
        SELECT others.category FROM public_annotations(%(track_id)s) AS others) AS a
 WHERE %(limit)s::bigint IS NOT NULL AND (%(category)s::text IS NULL OR a.category = %(category)s);

-- name: add_annotation
SELECT lock_user();
SELECT require_span((%(sent)s ->> 'start_time_ms')::int, (%(sent)s ->> 'end_time_ms')::int, %(sent)s);
INSERT INTO track_annotations AS a (
    track_id, session_id, start_time_ms, end_time_ms, title, content, category, color, is_private)
SELECT t.id, s.session_id, s.start_time_ms, s.end_time_ms, s.title, s.content, k.category,
       coalesce(s.color, annotation_color(k.category)), coalesce(s.is_private, true)
  FROM reference_tracks AS t,
       jsonb_populate_record(NULL::track_annotations, %(sent)s) AS s,
       LATERAL (SELECT coalesce(s.category, 'general') AS category) AS k
 WHERE t.id = %(track_id)s AND (s.session_id IS NULL OR require_listening_session(s.session_id))
   AND ((SELECT count(*) FROM track_annotations AS k WHERE k.track_id = %(track_id)s) < 2000
        OR refuse(409, 'limit_reached', 'The track has 2000 annotations already.', '{"limit": 2000}'))
RETURNING a.*, move_total('annotations', 'all', 1, utc_day(a.created_at));

-- name: annotations_csv
SELECT t.id FROM reference_tracks AS t WHERE t.id = %(track_id)s;
SELECT a.* FROM track_annotations AS a WHERE a.track_id = %(track_id)s ORDER BY a.start_time_ms, a.id;

-- name: annotation
SELECT a.* FROM track_annotations AS a WHERE a.id = %(annotation_id)s;

-- name: change_annotation
SELECT lock_user();
SELECT n.* FROM track_annotations AS a, change_annotation(a, %(changes)s) AS n WHERE a.id = %(annotation_id)s;

-- name: delete_annotation
SELECT lock_user();
UPDATE listening_session_items AS i SET annotation_id = NULL WHERE i.annotation_id = %(annotation_id)s;
DELETE FROM track_annotations AS a WHERE a.id = %(annotation_id)s
RETURNING true AS success, move_total('annotations', 'all', -1, utc_day(a.created_at));

-- name: regions
SELECT t.id FROM reference_tracks AS t WHERE t.id = %(track_id)s;
SELECT r.* FROM track_regions AS r WHERE r.track_id = %(track_id)s ORDER BY r.start_time_ms, r.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total FROM track_regions AS r WHERE %(limit)s::bigint IS NOT NULL AND r.track_id = %(track_id)s;

-- name: add_region
SELECT lock_user();
SELECT require_span((%(sent)s ->> 'start_time_ms')::int, (%(sent)s ->> 'end_time_ms')::int, %(sent)s);
INSERT INTO track_regions AS r (track_id, start_time_ms, end_time_ms, name, section_type, color, is_loop, notes)
SELECT t.id, s.start_time_ms, s.end_time_ms, s.name, k.section_type, coalesce(s.color, region_color(k.section_type)),
       coalesce(s.is_loop, false), s.notes
  FROM reference_tracks AS t,
       jsonb_populate_record(NULL::track_regions, %(sent)s) AS s,
       LATERAL (SELECT coalesce(s.section_type, 'custom') AS section_type) AS k
 WHERE t.id = %(track_id)s AND require_room_for_region(t.id)
RETURNING r.*;

-- name: region
SELECT r.* FROM track_regions AS r WHERE r.id = %(region_id)s;

-- name: change_region
SELECT lock_user();
SELECT n.* FROM track_regions AS r, change_region(r, %(changes)s) AS n WHERE r.id = %(region_id)s;

-- name: delete_region
SELECT lock_user();
SELECT unlink_region(r.id) FROM track_regions AS r WHERE r.id = %(region_id)s;
DELETE FROM track_regions AS r WHERE r.id = %(region_id)s RETURNING true AS success;

-- name: metrics
SELECT r.start_time_ms, r.end_time_ms FROM track_regions AS r WHERE r.id = %(region_id)s;
SELECT s.*
  FROM track_regions AS r, full_analysis(r.track_id) AS a, analysis_facts(a) AS s
 WHERE r.id = %(region_id)s;
SELECT f.* FROM frames_of_region(%(region_id)s) AS f ORDER BY f.start_frame;

-- name: suggestions
SELECT t.duration_seconds, t.bpm FROM reference_tracks AS t WHERE t.id = %(track_id)s;
SELECT s.* FROM full_analysis(%(track_id)s) AS a, analysis_facts(a) AS s;
SELECT e.time_ms
  FROM full_analysis(%(track_id)s) AS a
  JOIN analysis_events AS e ON e.user_id = a.user_id AND e.analysis_id = a.id
 WHERE e.event_type = 'downbeat'
 ORDER BY e.time_ms;
