SET LOCAL ROLE questlog_owner;

-- What an entry is, beside its words: what lists may be narrowed to. A tag is the same whatever its case.
CREATE OR REPLACE FUNCTION internal.infobase_filters_of(e infobase_entries) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[CASE WHEN e.deleted_at IS NULL THEN '/open' ELSE '/trash' END,
             CASE WHEN e.is_pinned THEN '/pinned' ELSE '/unpinned' END,
             '/category/' || e.category]
       || ARRAY(SELECT '/tag/' || lower(t.tag) FROM unnest(e.tags) AS t (tag));

-- The same for a list that is narrowed to some of these; null narrows nothing.
CREATE OR REPLACE FUNCTION app.infobase_filters(category text, tag text, pinned boolean, trash boolean) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(ARRAY[CASE WHEN trash THEN '/trash' ELSE '/open' END,
                          CASE WHEN pinned THEN '/pinned' WHEN NOT pinned THEN '/unpinned' END,
                          '/category/' || category, '/tag/' || lower(tag)], NULL);

-- Brings the search index to what an entry now says. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.index_infobase_entry(e infobase_entries) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT index_document('infobase', e.id, e.title, e.tags, e.content, infobase_filters_of(e), e.updated_at);
END;

-- Makes the search index of entries that have none: of an account that was filled by an import. The caller holds the user's
-- lock.
CREATE OR REPLACE FUNCTION internal.index_infobase() RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO search_documents (source, number, id, vectors, filters, changed_at)
    SELECT 'infobase', row_number() OVER (ORDER BY e.created_at, e.id) - 1, e.id, search_vectors(e.title, e.tags, e.content),
           infobase_filters_of(e), e.updated_at
      FROM infobase_entries AS e;
    SELECT index_all_words('infobase');
END;

-- Makes an entry, and returns its id. Under an id that the user has an entry of already, nothing is made. It is how others
-- make entries too. 409 limit_reached when there are 20,000.
CREATE OR REPLACE FUNCTION internal.create_infobase_entry(
    new_id uuid, title text, content text, category text, tags text[], is_pinned boolean DEFAULT false
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    made infobase_entries;
BEGIN
    PERFORM lock_user();
    IF NOT EXISTS (SELECT FROM infobase_entries AS e WHERE e.id = new_id) THEN
        PERFORM require_room_in_search('infobase', 20000);
        INSERT INTO infobase_entries AS e (id, title, content, category, tags, is_pinned, created_at, updated_at)
        SELECT new_id, title, content, category, tags, is_pinned, t.at, t.at FROM instant() AS t (at)
        RETURNING e.* INTO made;
        PERFORM index_infobase_entry(made);
        PERFORM move_kinds('infobase', '{}', infobase_kinds(made));
    END IF;
    RETURN new_id;
END
$$;

CREATE OR REPLACE FUNCTION app.add_infobase_entry(
    new_id uuid, title text, content text, category text, tags text[], is_pinned boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM create_infobase_entry(new_id, title, content, category, tags, is_pinned);
END
$$;

-- Stores the text of an entry that is being replaced. Beyond 20 former texts one is deleted: the newest five stay, and of the
-- others the one that was current for the shortest time goes. So an hour of automatic saves does not remove yesterday's text.
CREATE OR REPLACE FUNCTION internal.keep_infobase_version(e infobase_entries) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO infobase_versions (entry_id, version, title, content, written_at, replaced_at)
    VALUES (e.id, e.version, e.title, e.content,
            coalesce((SELECT max(k.replaced_at) FROM infobase_versions AS k WHERE k.entry_id = e.id), e.created_at),
            instant());
    DELETE FROM infobase_versions AS v
     USING (SELECT s.version
              FROM (SELECT k.version, row_number() OVER (ORDER BY k.version DESC) AS age,
                           k.replaced_at - k.written_at AS stood
                      FROM infobase_versions AS k WHERE k.entry_id = e.id) AS s
             WHERE s.age > 5
             ORDER BY s.stood, s.version
             LIMIT greatest(0, (SELECT count(*) FROM infobase_versions AS k WHERE k.entry_id = e.id) - 20)) AS gone
     WHERE v.entry_id = e.id AND v.version = gone.version;
END
$$;

-- Changes the fields of an entry that were sent; what changes nothing is not written. 409 conflict when `expected` is not
-- the version that is replaced.
CREATE OR REPLACE FUNCTION app.change_infobase_entry(entry uuid, sent jsonb, expected int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    e infobase_entries;
    n infobase_entries;
BEGIN
    PERFORM lock_user();
    SELECT * INTO e FROM infobase_entries AS k WHERE k.id = entry AND k.deleted_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    ELSIF expected <> e.version THEN
        PERFORM refuse(409, 'conflict', 'This entry was changed meanwhile.', jsonb_build_object('version', e.version));
    END IF;
    n := jsonb_populate_record(e, sent);
    IF n = e THEN
        RETURN;
    ELSIF (n.title, n.content) <> (e.title, e.content) THEN
        PERFORM keep_infobase_version(e);
    END IF;
    UPDATE infobase_entries AS k
       SET title = n.title, content = n.content, category = n.category, tags = n.tags, is_pinned = n.is_pinned,
           version = e.version + 1
     WHERE k.id = entry
    RETURNING k.* INTO n;
    PERFORM index_infobase_entry(n);
    PERFORM move_kinds('infobase', infobase_kinds(e), infobase_kinds(n));
END
$$;

-- Moves an entry to the trash, or deletes it for good, from there as well. Returns no row where there is no such entry.
CREATE OR REPLACE FUNCTION app.delete_infobase_entry(entry uuid, permanent boolean, OUT success boolean) RETURNS SETOF boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    e infobase_entries;
BEGIN
    PERFORM lock_user();
    PERFORM move_kinds('infobase', infobase_kinds(k), '{}') FROM infobase_entries AS k WHERE k.id = entry;
    IF permanent THEN
        DELETE FROM infobase_entries AS k WHERE k.id = entry RETURNING k.* INTO e;
    ELSE
        UPDATE infobase_entries AS k SET deleted_at = instant() WHERE k.id = entry AND k.deleted_at IS NULL
        RETURNING k.* INTO e;
    END IF;
    IF e.id IS NULL THEN
        RETURN;
    ELSIF permanent THEN
        PERFORM unindex_document('infobase', e.id);
    ELSE
        PERFORM index_infobase_entry(e);
    END IF;
    success := true;
    RETURN NEXT;
END
$$;

-- Deletes an entry for good that has been in the trash of its owner for 30 days; whether it did. For the clean-up, which finds
-- such entries of all users.
CREATE OR REPLACE FUNCTION app.empty_infobase_trash(owner uuid, entry uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM set_config('app.user_id', owner::text, true);
    PERFORM lock_user();
    -- Once more under the lock: its owner may have taken it back.
    PERFORM FROM infobase_entries AS e WHERE e.id = entry AND e.deleted_at < clock() - interval '30 days';
    RETURN FOUND AND (SELECT d.success FROM delete_infobase_entry(entry, true) AS d);
END
$$;
REVOKE EXECUTE ON FUNCTION app.empty_infobase_trash FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;

-- Takes an entry back from the trash.
CREATE OR REPLACE FUNCTION app.restore_infobase_entry(entry uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    e infobase_entries;
BEGIN
    PERFORM lock_user();
    UPDATE infobase_entries AS k SET deleted_at = NULL WHERE k.id = entry AND k.deleted_at IS NOT NULL RETURNING k.* INTO e;
    IF FOUND THEN
        PERFORM index_infobase_entry(e);
        PERFORM move_kinds('infobase', '{}', infobase_kinds(e));
    END IF;
END
$$;

-- Gives an entry a former text again; the one it has becomes a former text. Returns no row where there is no such version.
CREATE OR REPLACE FUNCTION app.restore_infobase_version(entry uuid, wanted int, OUT id uuid) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM lock_user();
    FOR id IN
        SELECT v.entry_id FROM infobase_versions AS v JOIN infobase_entries AS e ON e.id = v.entry_id AND e.deleted_at IS NULL
         WHERE v.entry_id = entry AND v.version = wanted
    LOOP
        PERFORM change_infobase_entry(entry, (SELECT jsonb_build_object('title', v.title, 'content', v.content)
                                                FROM infobase_versions AS v WHERE v.entry_id = entry AND v.version = wanted), NULL);
        RETURN NEXT;
    END LOOP;
END
$$;

-- The entries in the order of their making, in parts that each fit into an answer as a ZIP archive: of one part whole, of
-- the others without content. All are listed, since the name of each file depends on the ones before it.
--   A file costs its content, and a header and a directory entry with its name.
CREATE OR REPLACE FUNCTION app.infobase_export(wanted int) RETURNS TABLE (
    part bigint, title text, content text, category text, tags text[], is_pinned boolean, created_at timestamptz,
    updated_at timestamptz
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.part, e.title, CASE WHEN p.part = wanted THEN e.content END, e.category, e.tags, e.is_pinned, e.created_at, e.updated_at
      FROM (SELECT k.id, 1 + sum(octet_length(k.content) + octet_length(k.tags::text) + 1500)
                                 OVER (ORDER BY k.created_at, k.id) / 3500000 AS part
              FROM infobase_entries AS k WHERE k.deleted_at IS NULL) AS p
      JOIN infobase_entries AS e ON e.id = p.id
     ORDER BY e.created_at, e.id;
END;
