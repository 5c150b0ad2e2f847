SET LOCAL ROLE questlog_owner;

-- How many bytes the tracks of a user may have together: 5 GiB.
CREATE OR REPLACE FUNCTION app.storage_quota() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 5368709120;

-- Whether the user has room for so many bytes under a key: beside all other tracks, and beside the uploads that others of
-- the last 15 minutes may still bring. Refuses when not. The caller holds lock_user().
CREATE OR REPLACE FUNCTION app.require_storage_room(bytes bigint, key text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    used bigint;
BEGIN
    SELECT coalesce(sum(u.bytes), 0) INTO used
      FROM (SELECT k.amount AS bytes FROM totals_of('tracks') AS k
             UNION ALL
            SELECT -t.file_size_bytes FROM reference_tracks AS t WHERE t.r2_key = key
             UNION ALL
            SELECT i.declared_bytes FROM upload_intents AS i
             WHERE i.r2_key <> key AND i.consumed_at IS NULL AND i.created_at > instant() - interval '15 minutes') AS u;
    RETURN used + bytes <= storage_quota()
        OR refuse(409, 'quota_exceeded', 'There is no room for a file of this size.',
                  jsonb_build_object('quota_bytes', storage_quota(), 'used_bytes', used));
END
$$;

-- Whether the user has a track. Others ask it of tracks that theirs point at.
CREATE OR REPLACE FUNCTION app.has_track(track uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM reference_tracks AS t WHERE t.id = track);

-- Notes how large the file of a track turned out to be, in the user's bytes too; null is not known. It may be another file than was
-- registered: an upload's URL takes files for 15 minutes. The caller holds the track's row.
CREATE OR REPLACE FUNCTION app.resize_track(owner uuid, track uuid, size bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT move_total('tracks', 'all', 0, owner => t.user_id, amount_change => size - t.file_size_bytes)
      FROM reference_tracks AS t
     WHERE t.user_id = resize_track.owner AND t.id = track AND t.file_size_bytes <> size;
    UPDATE reference_tracks AS t SET file_size_bytes = size
     WHERE t.user_id = resize_track.owner AND t.id = track AND t.file_size_bytes <> size;
END;

-- Notes that the file of a track is in the bucket at last, its size, and what its first bytes say. The caller holds
-- lock_user().
CREATE OR REPLACE FUNCTION app.track_arrived(
    track uuid, size bigint, seconds double precision, rate int, channel_count int, depth int
) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    WITH arrived AS (
        UPDATE reference_tracks AS t
           SET status = 'ready', file_size_bytes = size,
               duration_seconds = coalesce(t.duration_seconds, seconds),
               sample_rate = coalesce(t.sample_rate, rate),
               channels = coalesce(t.channels, channel_count),
               bit_depth = coalesce(t.bit_depth, depth)
          FROM (SELECT k.id, k.file_size_bytes FROM reference_tracks AS k WHERE k.id = track) AS announced
         WHERE t.id = announced.id AND t.status = 'uploading' AND require_storage_room(size, t.r2_key)
        RETURNING size - announced.file_size_bytes AS larger
    )
    SELECT move_total('tracks', 'all', 0, amount_change => a.larger) FROM arrived AS a;
END;

-- Starts an analysis of a track that the caller has locked, and returns it. One that is pending or running is returned
-- instead, and so is a completed one of this version, unless a new one is asked for by force.
CREATE OR REPLACE FUNCTION app.start_analysis(t reference_tracks, wanted_type text, wanted_version text, force boolean)
RETURNS SETOF track_analyses
LANGUAGE plpgsql AS $$
DECLARE
    new_id uuid;
BEGIN
    RETURN QUERY
    SELECT a.*
      FROM track_analyses AS a
     WHERE a.track_id = t.id AND a.analysis_type = wanted_type
       AND (a.status IN ('pending', 'running') OR (a.status = 'completed' AND a.version = wanted_version AND NOT force))
     ORDER BY a.status = 'completed', a.created_at DESC, a.id
     LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO track_analyses AS a (track_id, analysis_type, version) VALUES (t.id, wanted_type, wanted_version)
    RETURNING a.id INTO new_id;
    PERFORM enqueue_job(new_id, 'audio_analysis', 3);
    PERFORM settle_track(t.user_id, t.id, NULL);
    RETURN QUERY SELECT a.* FROM track_analyses AS a WHERE a.id = new_id;
END
$$;

-- Queues the analyses that have not ended: an import brings them without their jobs.
CREATE OR REPLACE FUNCTION internal.resume_analyses() RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT enqueue_job(a.id, 'audio_analysis', 3) FROM track_analyses AS a WHERE a.status IN ('pending', 'running');
END;

-- Gives a track the status that its analyses leave it in: processing while one is pending or running, then ready, or error
-- with the reason.
CREATE OR REPLACE FUNCTION app.settle_track(owner uuid, track uuid, reason text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE reference_tracks AS t
       SET status = s.status, error_message = CASE s.status WHEN 'error' THEN reason END
      FROM (SELECT CASE
                   WHEN EXISTS (SELECT FROM track_analyses AS a
                                 WHERE a.user_id = owner AND a.track_id = track AND a.status IN ('pending', 'running'))
                   THEN 'processing'
                   WHEN reason IS NOT NULL THEN 'error'
                   ELSE 'ready'
                   END AS status) AS s
     WHERE t.user_id = owner AND t.id = track;
END;

-- Ends the analyses whose last worker was lost.
CREATE OR REPLACE FUNCTION app.fail_lost_analyses(reason text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    lost record;
BEGIN
    FOR lost IN SELECT j.user_id, j.id FROM fail_lost_jobs('audio_analysis') AS j LOOP
        UPDATE track_analyses AS a SET status = 'failed', completed_at = clock(), error_message = reason
         WHERE a.user_id = lost.user_id AND a.id = lost.id;
        PERFORM settle_track(a.user_id, a.track_id, NULL)
           FROM track_analyses AS a WHERE a.user_id = lost.user_id AND a.id = lost.id;
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION app.fail_lost_analyses FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;

-- Puts an analysis that has failed back to where it waits for its job. 409 superseded where another one of the same track and
-- type is under way.
CREATE OR REPLACE FUNCTION app.requeue_analysis(owner uuid, analysis uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    a track_analyses;
BEGIN
    SELECT t.* INTO a FROM track_analyses AS t WHERE t.user_id = owner AND t.id = analysis;
    IF EXISTS (SELECT FROM track_analyses AS o
                WHERE o.user_id = owner AND o.track_id = a.track_id AND o.analysis_type = a.analysis_type
                  AND o.status IN ('pending', 'running'))
    THEN
        PERFORM refuse(409, 'superseded', 'A newer job does the same.');
    END IF;
    UPDATE track_analyses AS t
       SET status = 'pending', progress = 0, attempts = 0, error_message = NULL, started_at = NULL, completed_at = NULL
     WHERE t.user_id = owner AND t.id = analysis;
    PERFORM settle_track(owner, a.track_id, NULL);
END
$$;
REVOKE EXECUTE ON FUNCTION app.requeue_analysis FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

-- The newest completed analysis of a track, else the newest of any status; of one type, or of any.
CREATE OR REPLACE FUNCTION app.latest_analysis(track uuid, wanted_type text) RETURNS SETOF track_analyses
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT a.*
      FROM track_analyses AS a
     WHERE a.track_id = track AND (wanted_type IS NULL OR a.analysis_type = wanted_type)
     ORDER BY a.status = 'completed' DESC, a.created_at DESC, a.id
     LIMIT 1;
END;

-- What is read of others: their shared tracks, by the role that sees nothing else of theirs.
SET LOCAL ROLE questlog_board;

-- A track as the caller may see it: an own one, or another user's shared one.
CREATE OR REPLACE FUNCTION app.visible_track(wanted uuid) RETURNS SETOF reference_tracks
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT t.* FROM reference_tracks AS t WHERE t.user_id = current_user_id() AND t.id = wanted
     UNION ALL
    SELECT t.*
      FROM reference_tracks AS t JOIN users AS u ON u.id = t.user_id
     WHERE t.id = wanted AND t.visibility = 'shared' AND t.user_id <> current_user_id() AND u.approved;
END;

-- A page of the tracks of the user with this e-mail address: all of one's own, the shared ones of others, newest first.
--   Each row repeats whose they are and how many others have shared; of one's own there is a total. A page past the end is one
--   row without a track. No row: nobody has the address, or nothing of theirs is shared.
--   The owner is a value to the page, not a row of a join, and sorts are forbidden as read_in_index_order() forbids them: so the
--   page is read in the order of its index.
CREATE OR REPLACE FUNCTION app.browse_tracks(address text, page int, page_size int) RETURNS TABLE (
    user_email text, user_name text, is_caller boolean, shared bigint, track reference_tracks
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
SET enable_sort = off SET enable_incremental_sort = off
BEGIN ATOMIC
    WITH owner AS MATERIALIZED (
        SELECT u.id, d.key, u.name, u.id = current_user_id() AS is_caller
          FROM user_directory AS d JOIN users AS u ON u.id = d.user_id
         WHERE d.kind = 'email' AND d.key = lower(btrim(address)) AND u.approved
    ), counted AS MATERIALIZED (
        SELECT count(*) AS shared
          FROM owner AS o JOIN reference_tracks AS t ON t.user_id = o.id
         WHERE NOT o.is_caller AND t.visibility = 'shared'
    ), paged AS MATERIALIZED (
        SELECT t
          FROM reference_tracks AS t
         WHERE t.user_id = (SELECT o.id FROM owner AS o)
           AND ((SELECT o.is_caller FROM owner AS o) OR t.visibility = 'shared')
         ORDER BY t.created_at DESC, t.id DESC
         LIMIT page_size OFFSET (page::bigint - 1) * page_size
    )
    SELECT o.key, o.name, o.is_caller, c.shared, p.t
      FROM owner AS o CROSS JOIN counted AS c LEFT JOIN paged AS p ON true
     WHERE o.is_caller OR c.shared > 0
     ORDER BY (p.t).created_at DESC, (p.t).id DESC;
END;
