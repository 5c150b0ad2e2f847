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
      FROM (SELECT t.file_size_bytes AS bytes FROM reference_tracks AS t WHERE t.r2_key <> key
             UNION ALL
            SELECT i.declared_bytes FROM upload_intents AS i
             WHERE i.r2_key <> key AND i.consumed_at IS NULL AND i.created_at > instant() - interval '15 minutes') AS u;
    RETURN used + bytes <= storage_quota()
        OR refuse(409, 'quota_exceeded', 'There is no room for a file of this size.',
                  jsonb_build_object('quota_bytes', storage_quota(), 'used_bytes', used));
END
$$;

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
--   Each row repeats whose they are and how many there are; a page past the end is one row without a track. No row: nobody
--   has the address, or nothing of theirs is shared.
CREATE OR REPLACE FUNCTION app.browse_tracks(address text, page int, page_size int) RETURNS TABLE (
    user_email text, user_name text, total bigint, track reference_tracks
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    WITH owner AS MATERIALIZED (
        SELECT u.id, d.key, u.name, u.id = current_user_id() AS is_caller
          FROM user_directory AS d JOIN users AS u ON u.id = d.user_id
         WHERE d.kind = 'email' AND d.key = lower(btrim(address)) AND u.approved
    ), counted AS MATERIALIZED (
        SELECT count(*) AS total
          FROM owner AS o JOIN reference_tracks AS t ON t.user_id = o.id
         WHERE o.is_caller OR t.visibility = 'shared'
    ), paged AS MATERIALIZED (
        SELECT t
          FROM owner AS o JOIN reference_tracks AS t ON t.user_id = o.id
         WHERE o.is_caller OR t.visibility = 'shared'
         ORDER BY t.created_at DESC, t.id DESC
         LIMIT page_size OFFSET (page::bigint - 1) * page_size
    )
    SELECT o.key, o.name, c.total, p.t
      FROM owner AS o CROSS JOIN counted AS c LEFT JOIN paged AS p ON true
     WHERE o.is_caller OR c.total > 0
     ORDER BY (p.t).created_at DESC, (p.t).id DESC;
END;
