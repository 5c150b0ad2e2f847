SET LOCAL ROLE questlog_owner;

-- All functions that change something here run under the user's lock, so that limits and links hold in parallel.

-- The color of an annotation that was given none.
CREATE OR REPLACE FUNCTION app.annotation_color(category text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE category WHEN 'technique' THEN '#3b82f6' WHEN 'mix' THEN '#10b981' WHEN 'mastering' THEN '#8b5cf6'
                     WHEN 'arrangement' THEN '#f59e0b' WHEN 'production' THEN '#ef4444' ELSE '#6b7280' END;

-- The color of a region that was given none.
CREATE OR REPLACE FUNCTION app.region_color(section_type text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE section_type WHEN 'intro' THEN '#4ade80' WHEN 'verse' THEN '#60a5fa' WHEN 'chorus' THEN '#f472b6'
                         WHEN 'bridge' THEN '#fbbf24' WHEN 'breakdown' THEN '#a78bfa' WHEN 'buildup' THEN '#fb923c'
                         WHEN 'drop' THEN '#ef4444' WHEN 'outro' THEN '#6b7280' ELSE '#94a3b8' END;

-- Refuses a span of time that does not end after it starts. `changes` are the fields that were sent: one of them is named.
CREATE OR REPLACE FUNCTION app.require_span(start_ms int, end_ms int, changes jsonb) RETURNS boolean
LANGUAGE sql
RETURN coalesce(end_ms > start_ms, true)
    OR CASE WHEN changes ? 'end_time_ms' THEN refuse_field('end_time_ms', 'must be after start_time_ms')
            ELSE refuse_field('start_time_ms', 'must be before end_time_ms') END;

CREATE OR REPLACE FUNCTION app.require_room_for_region(track uuid) RETURNS boolean
LANGUAGE sql
RETURN (SELECT count(*) FROM track_regions AS r WHERE r.track_id = track) < 500
    OR refuse(409, 'limit_reached', 'The track has 500 regions already.', '{"limit": 500}');

-- Whether a session that something refers to is the user's, or none is referred to. Refuses another one.
CREATE OR REPLACE FUNCTION app.require_listening_session(session uuid) RETURNS boolean
LANGUAGE sql
RETURN session IS NULL OR EXISTS (SELECT FROM listening_sessions AS s WHERE s.id = session)
    OR refuse(404, 'not_found', 'There is no such listening session.');

-- Changes an annotation by the fields that were sent.
CREATE OR REPLACE FUNCTION app.change_annotation(a track_annotations, changes jsonb) RETURNS track_annotations
LANGUAGE plpgsql AS $$
DECLARE
    n track_annotations := jsonb_populate_record(a, changes);
BEGIN
    PERFORM require_span(n.start_time_ms, n.end_time_ms, changes);
    IF changes ? 'session_id' THEN
        PERFORM require_listening_session(n.session_id);
    END IF;
    UPDATE track_annotations AS t
       SET (session_id, start_time_ms, end_time_ms, title, content, category, color, is_private)
         = (n.session_id, n.start_time_ms, n.end_time_ms, n.title, n.content, n.category,
            coalesce(n.color, annotation_color(n.category)), n.is_private)
     WHERE t.id = a.id
    RETURNING t.* INTO STRICT n;
    RETURN n;
END
$$;

-- Changes a region by the fields that were sent.
CREATE OR REPLACE FUNCTION app.change_region(r track_regions, changes jsonb) RETURNS track_regions
LANGUAGE plpgsql AS $$
DECLARE
    n track_regions := jsonb_populate_record(r, changes);
BEGIN
    PERFORM require_span(n.start_time_ms, n.end_time_ms, changes);
    UPDATE track_regions AS t
       SET (start_time_ms, end_time_ms, name, section_type, color, is_loop, notes)
         = (n.start_time_ms, n.end_time_ms, n.name, n.section_type, coalesce(n.color, region_color(n.section_type)),
            n.is_loop, n.notes)
     WHERE t.id = r.id
    RETURNING t.* INTO STRICT n;
    RETURN n;
END
$$;

-- Takes a region that is about to be deleted out of what refers to it.
CREATE OR REPLACE FUNCTION app.unlink_region(region uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE listening_comparisons AS c
       SET region_a_id = nullif(c.region_a_id, region), region_b_id = nullif(c.region_b_id, region)
     WHERE c.region_a_id = region OR c.region_b_id = region;
    UPDATE listening_sessions AS s SET region_id = NULL WHERE s.region_id = region;
END;

-- Takes a comparison that is about to be deleted out of the sessions that used it.
CREATE OR REPLACE FUNCTION app.unlink_comparison(comparison uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE listening_sessions AS s SET comparison_id = NULL WHERE s.comparison_id = comparison;
END;

-- Takes a session that is about to be deleted out of the annotations that were written in it.
CREATE OR REPLACE FUNCTION app.unlink_listening_session(session uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE track_annotations AS a SET session_id = NULL WHERE a.session_id = session;
END;

-- Adds a session that has just ended to the totals and its day to the runs (1), or takes one away that is about to be deleted (-1).
-- The caller holds the user's lock.
CREATE OR REPLACE FUNCTION app.count_listening(s listening_sessions, change int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    day_beside date;
BEGIN
    IF s.status = 'abandoned' THEN
        PERFORM move_total('listening', 'abandoned', change);
    ELSIF s.status = 'completed' THEN
        SELECT max(o.completed_on) INTO day_beside
          FROM listening_sessions AS o WHERE o.track_id = s.track_id AND o.status = 'completed' AND o.id <> s.id;
        PERFORM move_totals(array_agg(ROW(s.user_id, m.list, m.day, m.kind, m.total, m.amount)::user_totals))
           FROM (SELECT 'listening' AS list, '-infinity'::date AS day, 'completed' AS kind, change AS total, 0::bigint AS amount
                  UNION ALL
                 SELECT 'listening_days', s.completed_on, 'all', change, change * s.listened_ms
                  UNION ALL
                 -- A track is counted on its last day: on this one, or on the last one beside it.
                 SELECT 'listened_tracks', d.day, 'all', d.change, 0
                   FROM (VALUES (s.completed_on, change), (day_beside, -change)) AS d (day, change)
                  WHERE d.day IS NOT NULL AND (day_beside < s.completed_on) IS NOT FALSE) AS m;
        IF change > 0 THEN
            PERFORM add_day('listening', s.completed_on);
        ELSIF NOT EXISTS (SELECT FROM totals_of('listening_days') AS t WHERE t.day = s.completed_on AND t.total > 0) THEN
            PERFORM remove_day('listening', s.completed_on);
        END IF;
    END IF;
END
$$;

-- Deletes the sessions of a track, one after another, since each leaves the totals by those that are beside it.
CREATE OR REPLACE FUNCTION app.delete_sessions_of(track uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    s listening_sessions;
BEGIN
    FOR s IN SELECT k.* FROM listening_sessions AS k WHERE k.track_id = track LOOP
        PERFORM count_listening(s, -1);
        DELETE FROM listening_sessions AS k WHERE k.id = s.id;
    END LOOP;
END
$$;

-- Takes a track that is about to be deleted, with all that is noted of it, out of what stays: sessions and annotations of
-- other tracks may refer to its comparisons, sessions and annotations.
CREATE OR REPLACE FUNCTION app.unlink_track(track uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE listening_sessions AS s SET comparison_id = NULL
      FROM listening_comparisons AS c
     WHERE c.id = s.comparison_id AND (c.track_a_id = track OR c.track_b_id = track);
    UPDATE track_annotations AS a SET session_id = NULL
      FROM listening_sessions AS s
     WHERE s.id = a.session_id AND s.track_id = track;
    UPDATE listening_session_items AS i SET annotation_id = NULL
      FROM track_annotations AS a
     WHERE a.id = i.annotation_id AND a.track_id = track;
    -- Its sessions and annotations go with it.
    SELECT delete_sessions_of(track);
    SELECT move_total('annotations', 'all', -count(*), utc_day(a.created_at))
      FROM track_annotations AS a WHERE a.track_id = track GROUP BY utc_day(a.created_at);
END;

-- What is read of others: public annotations of shared tracks, by the role that sees nothing else of theirs.
SET LOCAL ROLE questlog_board;

-- The public annotations of another user's shared track.
CREATE OR REPLACE FUNCTION app.public_annotations(track uuid) RETURNS SETOF track_annotations
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT a.*
      FROM visible_track(track) AS t JOIN track_annotations AS a ON a.user_id = t.user_id AND a.track_id = t.id
     WHERE t.user_id <> current_user_id() AND NOT a.is_private;
END;

SET LOCAL ROLE questlog_owner;

-- How many annotations of a track the caller sees, and how many regions: of another user's shared track the public
-- annotations, and no region.
CREATE OR REPLACE FUNCTION app.notes_of_track(track uuid) RETURNS TABLE (annotation_count bigint, region_count bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM track_annotations AS a WHERE a.track_id = track)
           + (SELECT count(*) FROM public_annotations(track)),
           (SELECT count(*) FROM track_regions AS r WHERE r.track_id = track);
END;
