SET LOCAL ROLE questlog_owner;

-- All functions that change something here run under the user's lock, so that limits and checklists hold in parallel.

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
    -- Held: an administrator may delete it at this moment, and then the session could not be written.
    SELECT t.* INTO template FROM listening_prompt_templates AS t WHERE t.id = s.template_id AND t.is_active FOR KEY SHARE;
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
