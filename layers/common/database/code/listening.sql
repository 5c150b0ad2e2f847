SET LOCAL ROLE questlog_owner;

-- Whatever changes something here runs under the user's lock: limits, trials, checklists and links hold in parallel.

-- Annotations and regions ----------------------------------------------------------------------------------------------

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

CREATE OR REPLACE FUNCTION app.require_room_for_annotation(track uuid) RETURNS boolean
LANGUAGE sql
RETURN (SELECT count(*) FROM track_annotations AS a WHERE a.track_id = track) < 2000
    OR refuse(409, 'limit_reached', 'The track has 2000 annotations already.', '{"limit": 2000}');

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

-- Takes an annotation that is about to be deleted out of the checklists that refer to it.
CREATE OR REPLACE FUNCTION app.unlink_annotation(annotation uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE listening_session_items AS i SET annotation_id = NULL WHERE i.annotation_id = annotation;
END;

-- Adds a session to the totals (1), or takes it away (-1); one that is in progress is in none. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION app.count_listening(s listening_sessions, change int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF s.status <> 'in_progress' THEN
        PERFORM move_total('listening', s.status, change);
    END IF;
    IF s.status = 'completed' THEN
        PERFORM move_total('listening_tracks', s.track_id::text, change, s.completed_on),
                move_total('listening_ms', 'all', change * s.listened_ms, s.completed_on);
    END IF;
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
    -- Its sessions go with it.
    SELECT count_listening(s, -1) FROM listening_sessions AS s WHERE s.track_id = track;
END;

-- What analyses say ----------------------------------------------------------------------------------------------------

-- The newest completed full analysis of a track: the one with frames.
CREATE OR REPLACE FUNCTION app.full_analysis(track uuid) RETURNS SETOF track_analyses
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT a.* FROM track_analyses AS a
     WHERE a.track_id = track AND a.analysis_type = 'full' AND a.status = 'completed'
     ORDER BY a.created_at DESC, a.id DESC
     LIMIT 1;
END;

-- What an analysis says beside its frames.
CREATE OR REPLACE FUNCTION app.analysis_facts(a track_analyses) RETURNS TABLE (
    channels int, duration_ms int, bpm double precision, bpm_confidence double precision, sections jsonb
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (a.summary -> 'channels')::int, (a.summary -> 'duration_ms')::int, (a.summary ->> 'bpm')::double precision,
           (a.summary -> 'bpm_confidence')::double precision, a.summary -> 'sections';
END;

-- The frames of a region, in chunks as they are stored.
CREATE OR REPLACE FUNCTION app.frames_of_region(region uuid) RETURNS TABLE (
    region_id uuid, from_ms int, to_ms int, hop_ms int, duration_ms int, start_frame int, frame_data bytea
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.id, r.start_time_ms, r.end_time_ms, m.hop_ms, m.duration_ms, d.start_frame, d.frame_data
      FROM track_regions AS r
     CROSS JOIN LATERAL full_analysis(r.track_id) AS a
      JOIN analysis_frame_manifests AS m ON m.user_id = a.user_id AND m.analysis_id = a.id
      JOIN analysis_frame_data AS d
        ON d.user_id = m.user_id AND d.analysis_id = m.analysis_id
       AND d.chunk_index BETWEEN r.start_time_ms / (m.hop_ms * m.chunk_size_frames)
                             AND (r.end_time_ms - 1) / (m.hop_ms * m.chunk_size_frames)
     WHERE r.id = region;
END;

-- Comparisons ----------------------------------------------------------------------------------------------------------

-- Refuses tracks and regions of a comparison that do not fit. `sent` are the fields that were sent.
CREATE OR REPLACE FUNCTION internal.check_regions(c listening_comparisons, sent jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    side text;
    region uuid;
    track uuid;
    track_of_region uuid;
BEGIN
    FOREACH side IN ARRAY ARRAY['a', 'b'] LOOP
        region := CASE side WHEN 'a' THEN c.region_a_id ELSE c.region_b_id END;
        track := CASE side WHEN 'a' THEN c.track_a_id ELSE c.track_b_id END;
        CONTINUE WHEN region IS NULL;
        SELECT r.track_id INTO track_of_region FROM track_regions AS r WHERE r.id = region;
        IF NOT FOUND THEN
            PERFORM refuse(404, 'not_found', 'There is no such region.');
        ELSIF track_of_region <> track THEN
            PERFORM refuse_field('region_' || side || '_id', 'must be a region of this side''s track');
        END IF;
    END LOOP;
    -- A deleted region leaves its comparison as it is: only who asks for regions now needs both.
    IF c.match_mode = 'region' AND (c.region_a_id IS NULL OR c.region_b_id IS NULL)
       AND sent ?| ARRAY['match_mode', 'region_a_id', 'region_b_id'] THEN
        PERFORM refuse_field('match_mode', 'needs a region on both sides');
    END IF;
END
$$;

-- Adds a comparison of what was sent.
CREATE OR REPLACE FUNCTION app.add_comparison(new_id uuid, sent jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    c listening_comparisons := jsonb_populate_record(NULL::listening_comparisons, sent);
BEGIN
    IF c.track_a_id = c.track_b_id THEN
        PERFORM refuse_field('track_b_id', 'must be another track than track_a_id');
    ELSIF (SELECT count(*) FROM reference_tracks AS t WHERE t.id IN (c.track_a_id, c.track_b_id)) < 2 THEN
        PERFORM refuse(404, 'not_found', 'There is no such track.');
    ELSIF (SELECT count(*) FROM listening_comparisons) >= 200 THEN
        PERFORM refuse(409, 'limit_reached', 'There are 200 comparisons already.', '{"limit": 200}');
    END IF;
    c.match_mode := coalesce(c.match_mode, CASE WHEN c.region_a_id IS NOT NULL AND c.region_b_id IS NOT NULL
                                                THEN 'region' ELSE 'integrated' END);
    PERFORM check_regions(c, sent);
    INSERT INTO listening_comparisons (
        id, name, track_a_id, track_b_id, region_a_id, region_b_id, offset_ms, match_mode, target_lufs, blind, blind_swap,
        switch_interval_ms)
    VALUES (new_id, c.name, c.track_a_id, c.track_b_id, c.region_a_id, c.region_b_id, coalesce(c.offset_ms, 0), c.match_mode,
            c.target_lufs, coalesce(c.blind, false), random() < 0.5, c.switch_interval_ms);
END
$$;

-- Changes a comparison by the fields that were sent. Blind once more, it begins a new round: votes stay, X and Y are drawn.
CREATE OR REPLACE FUNCTION app.change_comparison(c listening_comparisons, changes jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    n listening_comparisons := jsonb_populate_record(c, changes);
BEGIN
    PERFORM check_regions(n, changes);
    IF changes ? 'blind' THEN
        n.revealed_at := NULL;
        IF n.blind AND (NOT c.blind OR c.revealed_at IS NOT NULL) THEN
            n.blind_swap := random() < 0.5;
        END IF;
    END IF;
    UPDATE listening_comparisons AS t
       SET (name, region_a_id, region_b_id, offset_ms, match_mode, target_lufs, blind, blind_swap, revealed_at,
            switch_interval_ms, notes, verdict)
         = (n.name, n.region_a_id, n.region_b_id, n.offset_ms, n.match_mode, n.target_lufs, n.blind, n.blind_swap,
            n.revealed_at, n.switch_interval_ms, n.notes, n.verdict)
     WHERE t.id = c.id;
END
$$;

-- Votes in a comparison's present trial and opens the next one, for which X and Y are drawn anew.
--   A trial that was voted already returns its vote and changes nothing.
CREATE OR REPLACE FUNCTION app.cast_vote(
    c listening_comparisons, preferred text, aspect text, note text, wanted int
) RETURNS comparison_votes
LANGUAGE plpgsql AS $$
DECLARE
    vote comparison_votes;
    hidden boolean := c.blind AND c.revealed_at IS NULL;
BEGIN
    IF wanted < c.trial THEN
        SELECT v.* INTO STRICT vote FROM comparison_votes AS v WHERE v.comparison_id = c.id AND v.trial = wanted;
        RETURN vote;
    ELSIF wanted > c.trial THEN
        PERFORM refuse_field('trial', format('must be at most %s, the present trial', c.trial));
    ELSIF c.revealed_at IS NOT NULL THEN
        PERFORM refuse(409, 'already_revealed', 'This round is revealed; begin a new blind round to vote again.');
    ELSIF NOT preferred = ANY (CASE WHEN hidden THEN ARRAY['x', 'y', 'tie'] ELSE ARRAY['a', 'b', 'tie'] END) THEN
        PERFORM refuse_field('preferred', CASE WHEN hidden THEN 'must be x, y or tie' ELSE 'must be a, b or tie' END);
    ELSIF c.trial > 1000 THEN
        PERFORM refuse(409, 'limit_reached', 'There are 1000 votes already.', '{"limit": 1000}');
    END IF;
    INSERT INTO comparison_votes AS v (comparison_id, trial, preferred, preferred_as_sent, aspect, note)
    VALUES (c.id, c.trial,
            CASE preferred WHEN 'x' THEN CASE WHEN c.blind_swap THEN 'b' ELSE 'a' END
                           WHEN 'y' THEN CASE WHEN c.blind_swap THEN 'a' ELSE 'b' END
                           ELSE preferred END,
            preferred, aspect, note)
    RETURNING v.* INTO STRICT vote;
    UPDATE listening_comparisons AS t SET trial = c.trial + 1, blind_swap = random() < 0.5 WHERE t.id = c.id;
    RETURN vote;
END
$$;

-- A page of the comparisons, of one track where it is given, the last changed first.
CREATE OR REPLACE FUNCTION app.comparisons_page(track uuid, page int, page_size int) RETURNS TABLE (id uuid)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.id FROM listening_comparisons AS c
     WHERE track IS NULL OR c.track_a_id = track OR c.track_b_id = track
     ORDER BY c.updated_at DESC, c.id DESC
     LIMIT page_size OFFSET (page::bigint - 1) * page_size;
END;

-- Comparisons with the names of what they compare, and their votes counted.
CREATE OR REPLACE FUNCTION app.comparisons_shown(ids uuid[]) RETURNS TABLE (
    id uuid, user_id uuid, name text, offset_ms int, match_mode text, target_lufs double precision, blind boolean,
    revealed boolean, blind_swap boolean, trial int, switch_interval_ms int, notes text, verdict text,
    created_at timestamptz, updated_at timestamptz,
    track_a_id uuid, name_a text, artist_a text, duration_a double precision, status_a text, key_a text,
    track_b_id uuid, name_b text, artist_b text, duration_b double precision, status_b text, key_b text,
    region_a_id uuid, region_name_a text, start_a int, end_a int, region_b_id uuid, region_name_b text, start_b int, end_b int,
    votes_a bigint, votes_b bigint, votes_tie bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.id, c.user_id, c.name, c.offset_ms, c.match_mode, c.target_lufs, c.blind,
           c.revealed_at IS NOT NULL, c.blind_swap, c.trial, c.switch_interval_ms, c.notes, c.verdict,
           c.created_at, c.updated_at,
           a.id, a.name, a.artist, a.duration_seconds, a.status, a.r2_key,
           b.id, b.name, b.artist, b.duration_seconds, b.status, b.r2_key,
           p.id, p.name, p.start_time_ms, p.end_time_ms, q.id, q.name, q.start_time_ms, q.end_time_ms,
           v.a, v.b, v.tie
      FROM listening_comparisons AS c
      JOIN reference_tracks AS a ON a.user_id = c.user_id AND a.id = c.track_a_id
      JOIN reference_tracks AS b ON b.user_id = c.user_id AND b.id = c.track_b_id
      LEFT JOIN track_regions AS p ON p.user_id = c.user_id AND p.id = c.region_a_id
      LEFT JOIN track_regions AS q ON q.user_id = c.user_id AND q.id = c.region_b_id
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE w.preferred = 'a') AS a, count(*) FILTER (WHERE w.preferred = 'b') AS b,
                  count(*) FILTER (WHERE w.preferred = 'tie') AS tie
             FROM comparison_votes AS w WHERE w.user_id = c.user_id AND w.comparison_id = c.id) AS v
     WHERE c.id = ANY (ids);
END;

-- What was measured of the tracks that comparisons compare: of each the newest full analysis or, where there is none, the
-- newest one of loudness alone. No row for a track without either.
CREATE OR REPLACE FUNCTION app.measures_compared(ids uuid[]) RETURNS TABLE (track_id uuid, is_full boolean, summary jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.track_id, m.is_full, m.summary
      FROM (SELECT c.track_a_id AS track_id FROM listening_comparisons AS c WHERE c.id = ANY (ids)
             UNION
            SELECT c.track_b_id FROM listening_comparisons AS c WHERE c.id = ANY (ids)) AS t
     CROSS JOIN LATERAL (
           SELECT a.analysis_type = 'full' AS is_full, a.summary - ARRAY['waveform', 'sections'] AS summary
             FROM track_analyses AS a
            WHERE a.track_id = t.track_id AND a.status = 'completed' AND a.analysis_type IN ('full', 'loudness')
            ORDER BY a.analysis_type = 'full' DESC, a.created_at DESC, a.id DESC
            LIMIT 1) AS m;
END;

-- The frames of the regions whose loudness comparisons match.
CREATE OR REPLACE FUNCTION app.frames_compared(ids uuid[]) RETURNS TABLE (
    region_id uuid, from_ms int, to_ms int, hop_ms int, duration_ms int, start_frame int, frame_data bytea
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT f.region_id, f.from_ms, f.to_ms, f.hop_ms, f.duration_ms, f.start_frame, f.frame_data
      FROM (SELECT c.region_a_id AS id FROM listening_comparisons AS c
             WHERE c.id = ANY (ids) AND c.match_mode = 'region' AND c.region_a_id IS NOT NULL
             UNION
            SELECT c.region_b_id FROM listening_comparisons AS c
             WHERE c.id = ANY (ids) AND c.match_mode = 'region' AND c.region_b_id IS NOT NULL) AS r
     CROSS JOIN LATERAL frames_of_region(r.id) AS f
     ORDER BY f.region_id, f.start_frame;
END;

-- Listening sessions ---------------------------------------------------------------------------------------------------

-- Adds items behind those a session has. Refuses more than 50 in all.
CREATE OR REPLACE FUNCTION internal.add_items(session uuid, prompts text[], categories text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    last int := coalesce((SELECT max(i.position) FROM listening_session_items AS i WHERE i.session_id = session), 0);
BEGIN
    IF last + cardinality(prompts) > 50 THEN
        PERFORM refuse(409, 'limit_reached', 'A checklist has at most 50 items.', '{"limit": 50}');
    END IF;
    INSERT INTO listening_session_items (session_id, position, prompt, category)
    SELECT session, last + p.place, p.prompt, p.category
      FROM unnest(prompts, categories) WITH ORDINALITY AS p (prompt, category, place);
END
$$;

-- The ids of a page of the sessions, the last started first.
CREATE OR REPLACE FUNCTION app.sessions_page(track uuid, wanted_status text, page int, page_size int) RETURNS TABLE (id uuid)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.id FROM listening_sessions AS s
     WHERE (track IS NULL OR s.track_id = track) AND (wanted_status IS NULL OR s.status = wanted_status)
     ORDER BY s.started_at DESC, s.id DESC
     LIMIT page_size OFFSET (page::bigint - 1) * page_size;
END;

-- Starts a session of a track, unless one is in progress or there is no such track.
--   `sent` holds the fields of the session; a template's prompt comes first where `with_prompt`.
CREATE OR REPLACE FUNCTION app.start_listening(
    track uuid, sent jsonb, prompts text[], categories text[], with_prompt boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    s listening_sessions := jsonb_populate_record(NULL::listening_sessions, sent);
    template listening_prompt_templates;
    fits boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM reference_tracks AS t WHERE t.id = track)
       OR EXISTS (SELECT FROM listening_sessions AS r WHERE r.track_id = track AND r.status = 'in_progress') THEN
        RETURN;
    END IF;
    SELECT t.* INTO template FROM listening_prompt_templates AS t WHERE t.id = s.template_id AND t.is_active;
    IF s.template_id IS NOT NULL AND NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is no such template.');
    END IF;
    IF s.region_id IS NOT NULL THEN
        SELECT r.track_id = track INTO fits FROM track_regions AS r WHERE r.id = s.region_id;
        IF NOT FOUND THEN
            PERFORM refuse(404, 'not_found', 'There is no such region.');
        ELSIF NOT fits THEN
            PERFORM refuse_field('region_id', 'must be a region of the track');
        END IF;
    END IF;
    IF s.comparison_id IS NOT NULL THEN
        SELECT track IN (c.track_a_id, c.track_b_id) INTO fits FROM listening_comparisons AS c WHERE c.id = s.comparison_id;
        IF NOT FOUND THEN
            PERFORM refuse(404, 'not_found', 'There is no such comparison.');
        ELSIF NOT fits THEN
            PERFORM refuse_field('comparison_id', 'must be a comparison of the track');
        END IF;
    END IF;
    INSERT INTO listening_sessions (track_id, comparison_id, template_id, region_id, goal)
    VALUES (track, s.comparison_id, s.template_id, s.region_id, s.goal)
    RETURNING id INTO STRICT s.id;
    IF with_prompt AND template.id IS NOT NULL THEN
        PERFORM add_items(s.id, ARRAY[template.prompt_text], ARRAY[template.category]);
    END IF;
    PERFORM add_items(s.id, prompts, categories);
END
$$;

-- Changes a session by the fields that were sent: `changes` without the checklist, `changed_items` each with its id, and
-- items that are added. A session that has ended takes only notes, takeaway and rating.
CREATE OR REPLACE FUNCTION app.change_listening(
    s listening_sessions, changes jsonb, changed_items jsonb[], prompts text[], categories text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    n listening_sessions := jsonb_populate_record(s, changes);
BEGIN
    IF s.status <> 'in_progress'
       AND (changes - ARRAY['notes', 'takeaway', 'rating'] <> '{}' OR changed_items IS NOT NULL OR prompts IS NOT NULL) THEN
        PERFORM refuse(409, 'session_closed', 'The session has ended.', jsonb_build_object('status', s.status));
    END IF;
    UPDATE listening_sessions AS t
       SET goal = n.goal, notes = n.notes, takeaway = n.takeaway, rating = n.rating,
           listened_ms = t.listened_ms + coalesce((changes -> 'listened_ms_delta')::int, 0),
           loops = t.loops + coalesce((changes -> 'loops_delta')::int, 0),
           switches = t.switches + coalesce((changes -> 'switches_delta')::int, 0)
     WHERE t.id = s.id;
    PERFORM change_items(s.id, changed_items);
    PERFORM add_items(s.id, prompts, categories);
END
$$;

-- Changes items of a session by the fields that were sent of each.
CREATE OR REPLACE FUNCTION internal.change_items(session uuid, changed_items jsonb[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    changed record;
    i listening_session_items;
BEGIN
    FOR changed IN SELECT e.fields, e.place FROM unnest(changed_items) WITH ORDINALITY AS e (fields, place) LOOP
        SELECT * INTO i FROM listening_session_items AS x
         WHERE x.session_id = session AND x.id = (changed.fields ->> 'id')::uuid;
        IF NOT FOUND THEN
            PERFORM refuse_field(format('items.%s.id', changed.place - 1), 'is no item of this session');
        END IF;
        i := jsonb_populate_record(i, changed.fields);
        IF i.annotation_id IS NOT NULL AND NOT EXISTS (SELECT FROM track_annotations AS a WHERE a.id = i.annotation_id) THEN
            PERFORM refuse(404, 'not_found', 'There is no such annotation.');
        END IF;
        UPDATE listening_session_items AS x
           SET (checked, response, score, annotation_id) = (i.checked, i.response, i.score, i.annotation_id)
         WHERE x.id = i.id;
    END LOOP;
END
$$;

-- Whether an item of a checklist is answered.
CREATE OR REPLACE FUNCTION app.is_answered(i listening_session_items) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN i.checked OR i.response IS NOT NULL OR i.score IS NOT NULL;

-- Why a session is not paid; null when it is. The cap is counted in the ledger, under the user's lock.
CREATE OR REPLACE FUNCTION internal.reason_against_reward(s listening_sessions) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE
        WHEN s.listened_ms < 180000 THEN 'too_short'
        WHEN NOT EXISTS (SELECT FROM track_annotations AS a WHERE a.track_id = s.track_id AND a.created_at >= s.started_at)
             AND (SELECT count(*) FROM listening_session_items AS i WHERE i.session_id = s.id AND is_answered(i)) < 3
             THEN 'nothing_noted'
        WHEN (paid_today('listening_complete')).paid >= 3 THEN 'daily_limit' END;
END
$$;

-- Completes a session and pays it: returns the award, and none where the session was too short or nothing was noted.
--   Over the cap the award is of 0 XP and 0 coins: it counts, and pays nothing. A completed session returns what it was paid.
CREATE OR REPLACE FUNCTION app.complete_listening(s listening_sessions, changes jsonb) RETURNS award_result[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    n listening_sessions := jsonb_populate_record(s, changes);
    key text := 'listening_session:' || s.id;
    at timestamptz := instant();
    reason text;
    paid award_result;
BEGIN
    IF s.status = 'completed' THEN
        RETURN ARRAY[paid_under(key)];
    ELSIF s.status = 'abandoned' THEN
        PERFORM refuse(409, 'session_closed', 'The session was abandoned.', jsonb_build_object('status', s.status));
    END IF;
    reason := reason_against_reward(s);
    IF reason IS NULL OR reason = 'daily_limit' THEN
        paid := award('listening_complete', 'listening_session', s.id,
                      CASE WHEN reason IS NULL THEN 15 ELSE 0 END, CASE WHEN reason IS NULL THEN 5 ELSE 0 END, key,
                      counters => jsonb_build_object('listening_minutes', s.listened_ms / 60000));
    END IF;
    UPDATE listening_sessions AS t
       SET status = 'completed', ended_at = at, completed_on = local_day(at), reward_reason = reason,
           notes = n.notes, takeaway = n.takeaway, rating = n.rating,
           xp_awarded = coalesce(paid.xp, 0), coins_awarded = coalesce(paid.coins, 0)
     WHERE t.id = s.id
    RETURNING t.* INTO STRICT s;
    PERFORM count_listening(s, 1);
    RETURN ARRAY[paid];
END
$$;

-- Ends a session unpaid; an abandoned one stays as it is.
CREATE OR REPLACE FUNCTION app.abandon_listening(s listening_sessions) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF s.status = 'completed' THEN
        PERFORM refuse(409, 'session_closed', 'The session is completed.', jsonb_build_object('status', s.status));
    END IF;
    UPDATE listening_sessions AS t SET status = 'abandoned', ended_at = instant()
     WHERE t.id = s.id AND t.status = 'in_progress'
    RETURNING t.* INTO s;
    IF FOUND THEN
        PERFORM count_listening(s, 1);
    END IF;
END
$$;

-- How many local days in a row, up to today or yesterday, have a completed session. Its cost is that of the streak alone.
CREATE OR REPLACE FUNCTION app.listening_streak() RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE days AS (
        SELECT max(s.completed_on) AS day FROM listening_sessions AS s WHERE s.status = 'completed'
         UNION ALL
        SELECT d.day - 1
          FROM days AS d,
               -- A lookup for each day: EXISTS would be planned as a join with the days of the whole history.
               LATERAL (SELECT FROM listening_sessions AS s WHERE s.status = 'completed' AND s.completed_on = d.day - 1 LIMIT 1) AS l
    )
    SELECT CASE WHEN max(d.day) >= local_today() - 1 THEN count(d.day) ELSE 0 END FROM days AS d;
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
