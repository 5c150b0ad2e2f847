SET LOCAL ROLE questlog_owner;

-- What an idea is, beside its words: what a search may be narrowed to, in the form that infobase_filters() has.
CREATE OR REPLACE FUNCTION internal.idea_filters_of(i ideas) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[CASE WHEN i.is_archived THEN '/archived' ELSE '/open' END,
             CASE WHEN i.is_pinned THEN '/pinned' ELSE '/unpinned' END,
             '/category/' || i.category]
       || ARRAY(SELECT '/tag/' || lower(t.tag) FROM unnest(i.tags) AS t (tag));

-- The same for a list that is narrowed to some of these; null narrows nothing.
CREATE OR REPLACE FUNCTION app.idea_filters(category text, tag text, archived boolean) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(ARRAY[CASE WHEN archived THEN '/archived' ELSE '/open' END,
                          '/category/' || category, '/tag/' || lower(tag)], NULL);

-- Brings the search index to what an idea now says. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.index_idea(i ideas) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT index_document('ideas', i.id, i.title, i.tags, coalesce(i.content, ''), idea_filters_of(i), i.updated_at);
END;

-- Makes the search index of ideas that have none: of an account that was filled by an import. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.index_ideas() RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO search_documents (source, number, id, vectors, filters, changed_at)
    SELECT 'ideas', row_number() OVER (ORDER BY i.created_at, i.id) - 1, i.id,
           search_vectors(i.title, i.tags, coalesce(i.content, '')), idea_filters_of(i), i.updated_at
      FROM ideas AS i;
    SELECT index_all_words('ideas');
END;

-- The tags of an idea that has a mood: the mood is one of them, unless there are 20 others, and a mood that it had is none
-- any more.
CREATE OR REPLACE FUNCTION internal.tags_with_mood(tags text[], old_mood text, mood text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE WHEN mood IS NULL OR lower(mood) IN (SELECT lower(t) FROM unnest(k.kept) AS t) OR cardinality(k.kept) >= 20
                THEN k.kept ELSE k.kept || mood END
      FROM (SELECT ARRAY(SELECT t.tag FROM unnest(tags) WITH ORDINALITY AS t (tag, place)
                          WHERE lower(old_mood) = lower(mood) OR (lower(t.tag) = lower(old_mood)) IS NOT TRUE
                          ORDER BY t.place) AS kept) AS k);

-- Writes an idea down, and returns its id. Under an id that the user has an idea of already, nothing is written. It is how
-- others make ideas too. 409 limit_reached when there are 20,000.
CREATE OR REPLACE FUNCTION internal.create_idea(
    new_id uuid, title text, content text, category text, tags text[], musical_key text DEFAULT NULL, bpm int DEFAULT NULL,
    mood text DEFAULT NULL, is_pinned boolean DEFAULT false
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    made ideas;
BEGIN
    PERFORM lock_user();
    IF NOT EXISTS (SELECT FROM ideas AS i WHERE i.id = new_id) THEN
        PERFORM require_room_in_search('ideas', 20000);
        INSERT INTO ideas AS i (id, title, content, category, tags, is_pinned, key, bpm, mood, created_at, updated_at)
        SELECT new_id, title, content, category, tags_with_mood(tags, NULL, mood), is_pinned, musical_key, bpm, mood, t.at, t.at
          FROM instant() AS t (at)
        RETURNING i.* INTO made;
        PERFORM index_idea(made);
    END IF;
    RETURN new_id;
END
$$;

CREATE OR REPLACE FUNCTION app.add_idea(
    new_id uuid, title text, content text, category text, tags text[], musical_key text, bpm int, mood text, is_pinned boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM create_idea(new_id, title, content, category, tags, musical_key, bpm, mood, is_pinned);
END
$$;

-- Changes the fields of an idea that were sent; what changes nothing is not written.
CREATE OR REPLACE FUNCTION app.change_idea(idea uuid, sent jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    i ideas;
    n ideas;
BEGIN
    PERFORM lock_user();
    SELECT * INTO i FROM ideas AS k WHERE k.id = idea;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    n := jsonb_populate_record(i, sent);
    IF sent ? 'mood' THEN
        n.tags := tags_with_mood(n.tags, i.mood, n.mood);
    END IF;
    IF n IS DISTINCT FROM i THEN
        UPDATE ideas AS k
           SET title = n.title, content = n.content, category = n.category, tags = n.tags, is_pinned = n.is_pinned,
               is_archived = n.is_archived, key = n.key, bpm = n.bpm, mood = n.mood
         WHERE k.id = idea
        RETURNING k.* INTO n;
        PERFORM index_idea(n);
    END IF;
END
$$;

-- Deletes an idea; what it was made into stays. Returns no row where there is no such idea.
CREATE OR REPLACE FUNCTION app.delete_idea(idea uuid, OUT success boolean) RETURNS SETOF boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM lock_user();
    DELETE FROM ideas AS i WHERE i.id = idea;
    IF FOUND THEN
        PERFORM unindex_document('ideas', idea);
        success := true;
        RETURN NEXT;
    END IF;
END
$$;

-- Makes an idea into something else. What of this type it was made into before is kept, and made anew if it was deleted for
-- good. The caller holds lock_user().
CREATE OR REPLACE FUNCTION app.promote_idea(i ideas, target_type text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF promoted_exists(target_type, i.promoted ->> target_type) IS NOT TRUE THEN
        UPDATE ideas AS k
           SET promoted = i.promoted || jsonb_build_object(target_type, promote(
                   target_type, i.title, i.content, i.tags, NULL,
                   CASE target_type WHEN 'quest' THEN 'ideas' ELSE i.category END, NULL))
         WHERE k.id = i.id;
    END IF;
END
$$;
