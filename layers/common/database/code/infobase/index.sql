SET LOCAL ROLE questlog_owner;

-- The search index of the infobase and of whatever else is searched like it: what is written to it. search.sql reads it.

-- A text with a letter for each emoji. The parser of Postgres leaves emoji out: rare Han characters stand for them.
CREATE OR REPLACE FUNCTION internal.search_emoji(original text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN original ~ '[\u2600-\u27BF\U0001F1E6-\U0001F1FF\U0001F300-\U0001FAFF]' THEN (
    SELECT string_agg(coalesce(m.part[1], chr(ascii(m.part[2]) + CASE WHEN ascii(m.part[2]) < 65536 THEN 131072 ELSE 20480 END)),
                      '' ORDER BY m.place)
      FROM regexp_matches(original, '([^\u2600-\u27BF\U0001F1E6-\U0001F1FF\U0001F300-\U0001FAFF]+)|(.)', 'g')
           WITH ORDINALITY AS m (part, place))
    ELSE original END;

-- What search_text() does with more than ASCII. Two vowels, of Thai and of Lao, remain one character each. The colours of
-- skin are marks that may be left out, as accents are.
CREATE OR REPLACE FUNCTION internal.search_text_beyond_ascii(original text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT regexp_replace(
        regexp_replace(
            replace(replace(replace(replace(lower(f.folded), 'ς', 'σ'), 'ß', 'ss'),
                            U&'\0E4D\0E32', U&'\0E33'), U&'\0ECD\0EB2', U&'\0EB3'),
            '[\u0080-\u00BF\u00D7\u00F7\u02C2-\u02DF\u055A-\u055F\u0589\u05BE\u05F3\u05F4\u060C\u061B\u061F\u066A-\u066D\u06D4'
            '\u0964\u0965\u2000-\u206F\u20A0-\u20CF\u2190-\u2BFF\u2E00-\u2E7F\u3000-\u3004\u3008-\u3020\u3030\uFE10-\uFE6F'
            '\uFFF0-\uFFFF\U0001F000-\U0001FAFF]+', ' ', 'g'),
        '([\u0E00-\u0EFF\u1000-\u109F\u1100-\u11FF\u1780-\u17FF\u2E80-\u2FDF\u3005-\u3007\u3021-\u302F\u3031-\u9FFF'
        '\uA960-\uA97F\uAC00-\uD7FF\uF900-\uFAFF\U00020000-\U0003FFFF])', ' \1 ', 'g')
      FROM (SELECT search_emoji(normalize(regexp_replace(
                       normalize(original, NFKD),
                       '[\u00AD\u0300-\u036F\u0591-\u05C7\u0610-\u061A\u0640\u064B-\u065F\u0670\u200C\u200D\u2060'
                       '\uFE00-\uFE0F\uFEFF\U0001F3FB-\U0001F3FF]',
                       '', 'g'), NFKC)) AS folded) AS f;
END;

-- A text as its words are compared: lower case, without accents and other marks that may be left out, one form for each
-- character, and blanks for punctuation and symbols.
--   The parser of Postgres would take a/b for a path, <b> for a tag that it leaves out, and -5 for a number, and what it takes
--   for a letter beyond ASCII depends on the locale of the database: it gets to see nothing but words. Scripts that write no
--   blanks between words (Han, Kana, Hangul, Thai, Lao, Burmese, Khmer) get one around each character; a search for some of
--   them is one for these characters in a row.
CREATE OR REPLACE FUNCTION internal.search_text(original text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(
    CASE WHEN original ~ '[^\u0001-\u007F]' THEN search_text_beyond_ascii(original) ELSE lower(original) END,
    '[\u0001-\u001F\u0021-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u007F]+', ' ', 'g');

-- The vectors of a document: of its title and tags with the beginning of its content, and of the rest of a long content in
-- pieces of 1,200 words. Each piece begins 200 words before the end of the one before, so that a phrase that lies across is
-- whole in one of them: a search has at most 200 characters. Between title, tags and content are gaps that no phrase reaches over.
CREATE OR REPLACE FUNCTION internal.search_vectors(title text, tags text[], content text) RETURNS tsvector[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH content_words AS MATERIALIZED (
        SELECT string_to_array(trim(regexp_replace(search_text(content), ' +', ' ', 'g')), ' ') AS words
    ), pieces AS MATERIALIZED (
        SELECT f.first, to_tsvector('simple', array_to_string(w.words[f.first:f.first + 1199], ' ')) AS vector
          FROM content_words AS w, generate_series(1, greatest(1, cardinality(w.words) - 200), 1000) AS f (first)
    )
    SELECT array_agg(CASE WHEN p.first > 1 THEN p.vector
                          ELSE setweight(to_tsvector('simple', search_text(title)), 'A') || '''/'':100'::tsvector
                               || setweight(to_tsvector('simple', search_text(array_to_string(tags, ' '))), 'B')
                               || '''/'':100'::tsvector || p.vector END ORDER BY p.first)
      FROM pieces AS p;
END;

-- The words and filters that a document is found by, and whether a word is in its title or tags, and in its title.
CREATE OR REPLACE FUNCTION internal.search_words_of(vectors tsvector[], filters text[])
RETURNS TABLE (word text, in_heading boolean, in_title boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT l.lexeme, bool_or(l.weights && '{A,B}'), bool_or('A' = ANY (l.weights))
      FROM unnest(vectors) AS v (vector), unnest(v.vector) AS l
     WHERE l.lexeme <> '/'
     GROUP BY l.lexeme
     UNION ALL
    SELECT f.filter, false, false FROM (SELECT DISTINCT unnest(filters)) AS f (filter);
END;

-- Writes what became of a document to the words: of a new one all words are added, of one that goes all are removed, and of
-- one that changed only those are written that it gained or lost. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.write_search_words(
    home text, number int, old_vectors tsvector[], old_filters text[], new_vectors tsvector[], new_filters text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    document_block int := number / 64;
    document_bit bigint := 1::bigint << number % 64;
    lost text[] := ARRAY(SELECT o.word FROM search_words_of(old_vectors, old_filters) AS o
                         EXCEPT
                         SELECT n.word FROM search_words_of(new_vectors, new_filters) AS n);
BEGIN
    DELETE FROM search_words AS w
     WHERE w.source = home AND w.word = ANY (lost) AND w.block = document_block
       AND w.entries = document_bit;
    UPDATE search_words AS w
       SET entries = w.entries & ~document_bit, headings = w.headings & ~document_bit, titles = w.titles & ~document_bit
     WHERE w.source = home AND w.word = ANY (lost) AND w.block = document_block;
    INSERT INTO search_words AS w (source, word, block, entries, headings, titles)
    SELECT home, g.word, document_block, document_bit,
           CASE WHEN g.in_heading THEN document_bit ELSE 0 END, CASE WHEN g.in_title THEN document_bit ELSE 0 END
      FROM (SELECT * FROM search_words_of(new_vectors, new_filters)
            EXCEPT
            SELECT * FROM search_words_of(old_vectors, old_filters)) AS g
    ON CONFLICT (user_id, source, word, block) DO UPDATE
       SET entries = w.entries | excluded.entries,
           headings = (w.headings & ~document_bit) | excluded.headings,
           titles = (w.titles & ~document_bit) | excluded.titles;
END
$$;

-- Makes a document, new or changed, found by what it now says. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.index_document(
    home text, document_id uuid, title text, tags text[], content text, filters text[], changed_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    known search_documents;
    made search_documents;
BEGIN
    SELECT * INTO known FROM search_documents AS d WHERE d.source = home AND d.id = document_id;
    INSERT INTO search_documents AS d (source, number, id, vectors, filters, changed_at)
    VALUES (home,
            coalesce(known.number, (SELECT max(o.number) + 1 FROM search_documents AS o WHERE o.source = home), 0),
            document_id, search_vectors(title, tags, content), filters, changed_at)
    ON CONFLICT ON CONSTRAINT search_documents_pkey DO UPDATE
       SET vectors = excluded.vectors, filters = excluded.filters, changed_at = excluded.changed_at
    RETURNING d.* INTO made;
    PERFORM write_search_words(home, made.number, known.vectors, known.filters, made.vectors, made.filters);
END
$$;

-- Makes the words of a table whose documents stand in the index, and none of whose words do: of many documents at once it costs
-- a fraction of what index_document() costs one by one. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.index_all_words(home text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO search_words (source, word, block, entries, headings, titles)
    SELECT d.source, w.word, d.number / 64, bit_or(b.bit),
           bit_or(CASE WHEN w.in_heading THEN b.bit ELSE 0 END), bit_or(CASE WHEN w.in_title THEN b.bit ELSE 0 END)
      FROM search_documents AS d,
           LATERAL (SELECT 1::bigint << d.number % 64 AS bit) AS b,
           search_words_of(d.vectors, d.filters) AS w
     WHERE d.source = home
     GROUP BY d.source, w.word, d.number / 64;
END;

-- Takes documents that are deleted for good out of the index. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.unindex_document(home text, document_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    known search_documents;
BEGIN
    DELETE FROM search_documents AS d WHERE d.source = home AND d.id = document_id RETURNING d.* INTO known;
    PERFORM write_search_words(home, known.number, known.vectors, known.filters, '{}', '{}');
END
$$;

-- Refuses a document more than a user may have. The caller holds the user's lock. Every document is pinned or not.
CREATE OR REPLACE FUNCTION internal.require_room_in_search(home text, most int) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(sum(bit_count(w.entries::bit(64))), 0) < most
              FROM search_words AS w
             WHERE w.source = home AND w.word IN ('/pinned', '/unpinned'))
        OR refuse(409, 'limit_reached', format('There are %s of these already.', most), jsonb_build_object('limit', most));
END
$$;
