SET LOCAL ROLE questlog_owner;

-- All functions that change something here run under the user's lock, so that limits and trials hold in parallel.

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
