SET LOCAL ROLE questlog_owner;

-- Searching the index. A search comes as clauses, each a word or several words in a row, as questlog/searching.py cuts it;
-- a document must have all clauses of one group, and none that the group excludes.

-- The clauses of a search as words, in the order of their places in the clause, with the stems of those that may be English.
-- A stop word that stands alone counts only where the search asks for nothing else.
CREATE OR REPLACE FUNCTION internal.search_tokens(texts text[], excluded boolean[], quoted boolean[], prefixed int)
RETURNS TABLE (clause int, place int, word text, stem text, is_prefix boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH tokens AS (
        SELECT c.clause::int AS clause, l.lexeme AS word, l.stems[1] AS stem,
               row_number() OVER (PARTITION BY c.clause ORDER BY p.position)::int AS place,
               count(*) OVER (PARTITION BY c.clause) AS places,
               l.stems = '{}' AND NOT excluded[c.clause] AND NOT quoted[c.clause] AS is_stop_word,
               NOT excluded[c.clause] AS is_wanted
          FROM unnest(texts) WITH ORDINALITY AS c (text, clause),
               LATERAL (SELECT t.lexeme, t.positions,
                               CASE WHEN t.lexeme ~ '^[a-z]{2,}$' THEN ts_lexize('english_stem', t.lexeme) END AS stems
                          FROM unnest(to_tsvector('simple', search_text(c.text))) AS t) AS l,
               unnest(l.positions) AS p (position)
    )
    SELECT t.clause, t.place, t.word, t.stem,
           coalesce(t.clause = prefixed AND t.place = t.places AND length(t.word) >= 2, false)
      FROM tokens AS t
     WHERE (t.is_stop_word AND t.places = 1) IS NOT TRUE
        OR NOT EXISTS (SELECT FROM tokens AS o WHERE o.is_wanted AND (o.is_stop_word AND o.places = 1) IS NOT TRUE);
END;

-- The words of the user's documents that a word of a search stands for: itself, those of the same English stem, and those
-- that begin with it. A stem is cut by a letter before it is looked for: hoping has the stem hope. What stands before the
-- word and behind it is read apart, so that a word which many documents have is not read twice.
CREATE OR REPLACE FUNCTION internal.search_words_like(home text, looked_for text, stem text, is_prefix boolean)
RETURNS TABLE (word text, block int, entries bigint, headings bigint, titles bigint, by_prefix boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT w.word, w.block, w.entries, w.headings, w.titles, false
      FROM search_words AS w WHERE w.source = home AND w.word = looked_for
     UNION ALL
    SELECT w.word, w.block, w.entries, w.headings, w.titles, false
      FROM search_words AS w
     WHERE w.source = home AND w.word >= left(stem, greatest(2, length(stem) - 1)) AND w.word < looked_for
       AND ts_lexize('english_stem', w.word) = ARRAY[stem]
     UNION ALL
    SELECT w.word, w.block, w.entries, w.headings, w.titles, false
      FROM search_words AS w
     WHERE w.source = home AND w.word > looked_for AND w.word < left(stem, greatest(2, length(stem) - 1)) || chr(1114111)
       AND ts_lexize('english_stem', w.word) = ARRAY[stem]
     UNION ALL
    SELECT w.word, w.block, w.entries, w.headings, w.titles, true
      FROM search_words AS w
     WHERE is_prefix AND w.source = home AND w.word > looked_for
       AND w.word < looked_for || chr(1114111);
END;

-- What each clause looks for, by its number; null where a clause is left out. It is the text of a tsquery in which `~` stands
-- for the weights to look in: ('mix':~ | 'mixing':~) <-> ('drum':~ | 'dru':*~).
CREATE OR REPLACE FUNCTION internal.search_patterns(
    home text, texts text[], excluded boolean[], quoted boolean[], prefixed int
) RETURNS text[]
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH alternatives AS (
        SELECT t.clause, t.place,
               concat_ws(' | ', '''' || t.word || CASE WHEN t.is_prefix THEN ''':*~' ELSE ''':~' END,
                         string_agg(DISTINCT '''' || w.word || ''':~', ' | ')) AS pattern
          FROM search_tokens(texts, excluded, quoted, prefixed) AS t
          LEFT JOIN LATERAL (
               SELECT l.word FROM search_words_like(home, t.word, t.stem, false) AS l
                WHERE l.word <> t.word) AS w ON true
         GROUP BY t.clause, t.place, t.word, t.is_prefix
    )
    SELECT array_agg(p.pattern ORDER BY c.clause)
      FROM generate_series(1, cardinality(texts)) AS c (clause)
      LEFT JOIN (SELECT a.clause, string_agg('(' || a.pattern || ')', ' <-> ' ORDER BY a.place) AS pattern
                   FROM alternatives AS a GROUP BY a.clause) AS p ON p.clause = c.clause;
END;

CREATE OR REPLACE FUNCTION internal.search_query(pattern text, weights text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(pattern, '~', weights)::tsquery;

-- The query by which a clause is ranked. To rank a phrase that repeats a word takes many seconds if a long document repeats it
-- too. So such a phrase is ranked by its different words, wherever they are.
CREATE OR REPLACE FUNCTION internal.search_ranking(pattern text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN count(*) = count(DISTINCT p.place) THEN pattern ELSE string_agg(DISTINCT p.place, ' & ') END
      FROM regexp_split_to_table(pattern, ' <-> ') AS p (place);
END;

-- The documents that match a clause, as bits by block. Whether words follow each other is only in the vectors, so the vectors of the
-- documents that have all words of a phrase are read, in one pass over the index for each phrase: a lookup for each document takes
-- three times as long.
CREATE OR REPLACE FUNCTION internal.search_clauses(
    home text, texts text[], excluded boolean[], quoted boolean[], prefixed int, patterns text[]
) RETURNS TABLE (clause int, block int, entries bigint, headings bigint, titles bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH placed AS (
        SELECT t.clause, t.places, t.place, w.block,
               bit_or(w.entries) AS entries, bit_or(w.headings) AS headings, bit_or(w.titles) AS titles
          FROM (SELECT s.*, count(*) OVER (PARTITION BY s.clause) AS places
                  FROM search_tokens(texts, excluded, quoted, prefixed) AS s) AS t,
               search_words_like(home, t.word, t.stem, t.is_prefix) AS w
         GROUP BY t.clause, t.places, t.place, w.block
    ), candidates AS MATERIALIZED (
        SELECT p.clause, p.places, p.block,
               bit_and(p.entries) AS entries, bit_and(p.headings) AS headings, bit_and(p.titles) AS titles
          FROM placed AS p
         GROUP BY p.clause, p.places, p.block HAVING count(*) = p.places
    ), phrases AS MATERIALIZED (
        -- Null where no document has all words there: then none is looked at for it.
        SELECT c.clause, search_query(patterns[c.clause], 'ABCD') AS anywhere,
               CASE WHEN bool_or(c.headings <> 0) THEN search_query(patterns[c.clause], 'AB') END AS heading,
               CASE WHEN bool_or(c.titles <> 0) THEN search_query(patterns[c.clause], 'A') END AS title,
               array_agg(c.block * 64 + b.bit) AS numbers
          FROM candidates AS c, generate_series(0, 63) AS b (bit)
         WHERE c.places > 1 AND (c.entries >> b.bit) & 1 = 1
         GROUP BY c.clause
    )
    SELECT c.clause, c.block, c.entries, c.headings, c.titles FROM candidates AS c WHERE c.places = 1
     UNION ALL
    SELECT p.clause, d.number / 64, bit_or(d.bit), coalesce(bit_or(d.bit) FILTER (WHERE d.in_heading), 0),
           coalesce(bit_or(d.bit) FILTER (WHERE d.in_title), 0)
      FROM phrases AS p,
           -- OFFSET 0: only what is found of a document is carried to the grouping, and not its vectors.
           LATERAL (SELECT k.number, 1::bigint << k.number % 64 AS bit,
                           k.vectors[1] @@ p.heading AS in_heading, k.vectors[1] @@ p.title AS in_title
                      FROM search_documents AS k
                     WHERE k.source = home AND k.number = ANY (p.numbers)
                       AND (k.vectors[1] @@ p.anywhere
                            OR cardinality(k.vectors) > 1
                               AND EXISTS (SELECT FROM unnest(k.vectors[2:]) AS v (vector) WHERE v.vector @@ p.anywhere))
                    OFFSET 0) AS d
     GROUP BY p.clause, d.number / 64;
END;

-- The documents that a search finds, as bits by block; a group that only excludes something begins with all that there are.
CREATE OR REPLACE FUNCTION internal.search_hits(
    home text, texts text[], groups int[], excluded boolean[], quoted boolean[], prefixed int, patterns text[], filters text[]
) RETURNS TABLE (block int, entries bigint, headings bigint, titles bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH filtered AS MATERIALIZED (
        SELECT w.block, bit_and(w.entries) AS entries
          FROM search_words AS w
         WHERE w.source = home AND w.word = ANY (filters)
         GROUP BY w.block HAVING count(*) = cardinality(filters)
    ), clauses AS MATERIALIZED (
        SELECT c.* FROM search_clauses(home, texts, excluded, quoted, prefixed, patterns) AS c
    ), asked AS (
        SELECT g.number AS group_number, count(*) FILTER (WHERE NOT excluded[g.clause]) AS required
          FROM unnest(groups) WITH ORDINALITY AS g (number, clause) WHERE patterns[g.clause] IS NOT NULL GROUP BY g.number
    ), grouped AS (
        SELECT a.group_number, f.block, f.entries AS filtered,
               count(*) FILTER (WHERE NOT excluded[c.clause]) = a.required AS has_all,
               coalesce(bit_and(c.entries) FILTER (WHERE NOT excluded[c.clause]), -1) AS entries,
               coalesce(bit_and(c.headings) FILTER (WHERE NOT excluded[c.clause]), -1) AS headings,
               coalesce(bit_and(c.titles) FILTER (WHERE NOT excluded[c.clause]), -1) AS titles,
               coalesce(bit_or(c.entries) FILTER (WHERE excluded[c.clause]), 0) AS denied
          FROM asked AS a CROSS JOIN filtered AS f
          LEFT JOIN clauses AS c ON c.block = f.block AND groups[c.clause] = a.group_number
         GROUP BY a.group_number, a.required, f.block, f.entries
    )
    SELECT g.block, bit_or(g.entries & ~g.denied & g.filtered), bit_or(g.headings & ~g.denied & g.filtered),
           bit_or(g.titles & ~g.denied & g.filtered)
      FROM grouped AS g WHERE g.has_all
     GROUP BY g.block;
END;

-- How many documents there are to which all of these filters apply: a bit for each of 64, so that 10,000 documents are 160 rows.
CREATE OR REPLACE FUNCTION app.count_documents(home text, filters text[]) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(sum(bit_count(f.entries::bit(64))), 0)
              FROM (SELECT bit_and(w.entries) AS entries
                      FROM search_words AS w
                     WHERE w.source = home AND w.word = ANY (filters)
                     GROUP BY w.block HAVING count(*) = cardinality(filters)) AS f);
END
$$;

-- A page of what a search finds, how much there is in all, and the patterns of the clauses, for highlights. It has a row
-- without an id where the page is empty.
--   First come documents with all of the search in their title, then those with all of it in title or tags, then the rest;
--   each by ts_rank_cd, then the last change. Of more than 200 the rest follow behind, the newest first: to rank all of what
--   a common word finds would take longer the more there is.
CREATE OR REPLACE FUNCTION app.search_page(
    home text, texts text[], groups int[], excluded boolean[], quoted boolean[], prefixed int, filters text[],
    page_size int, skipped bigint
) RETURNS TABLE (id uuid, place bigint, total bigint, patterns text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    looked_for text[] := search_patterns(home, texts, excluded, quoted, prefixed);
    ranking tsquery := (
        SELECT search_query(string_agg('(' || g.pattern || ')', ' | '), 'ABCD')
          FROM (SELECT string_agg(DISTINCT '(' || search_ranking(p.pattern) || ')', ' & ') AS pattern
                  FROM unnest(looked_for, groups, excluded) AS p (pattern, group_number, is_excluded)
                 WHERE NOT p.is_excluded GROUP BY p.group_number) AS g);
BEGIN
    RETURN QUERY
    WITH hits AS MATERIALIZED (
        SELECT h.* FROM search_hits(home, texts, groups, excluded, quoted, prefixed, looked_for, filters) AS h
    ), classed AS (
        SELECT h.block, c.class, c.bits,
               sum(bit_count(c.bits::bit(64))) OVER (ORDER BY c.class, h.block DESC) - bit_count(c.bits::bit(64)) AS before
          FROM hits AS h,
               LATERAL (VALUES (1, h.titles), (2, h.headings & ~h.titles), (3, h.entries & ~h.headings)) AS c (class, bits)
         WHERE c.bits <> 0
    ), listed AS MATERIALIZED (
        SELECT c.block * 64 + b.bit AS number, c.class
          FROM classed AS c, generate_series(0, 63) AS b (bit)
         WHERE c.before < greatest(200, skipped + page_size) AND (c.bits >> b.bit) & 1 = 1
         ORDER BY class, number DESC
         LIMIT greatest(200, skipped + page_size)
    ), ranked AS (
        SELECT CASE WHEN d.number = ANY (ARRAY(SELECT f.number FROM listed AS f WHERE f.class = 1 LIMIT 200)) THEN 1
                    WHEN d.number = ANY (ARRAY(SELECT f.number FROM listed AS f WHERE f.class = 2 LIMIT 200)) THEN 2
                    ELSE 3 END AS class, d.number, d.changed_at,
               CASE WHEN cardinality(d.vectors) = 1 THEN ts_rank_cd(d.vectors[1], ranking)
                    ELSE (SELECT sum(ts_rank_cd(v.vector, ranking)) FROM unnest(d.vectors) AS v (vector)) END AS rank
          FROM search_documents AS d
         WHERE d.source = home AND d.number = ANY (ARRAY(SELECT f.number FROM listed AS f LIMIT 200))
    ), placed AS (
        SELECT o.number, row_number() OVER (
                   ORDER BY o.class, o.rank DESC NULLS LAST, o.changed_at DESC NULLS LAST, o.number DESC) AS place
          FROM (SELECT r.class, r.rank, r.changed_at, r.number FROM ranked AS r
                 UNION ALL
                SELECT l.class, NULL, NULL, l.number FROM (SELECT * FROM listed OFFSET 200) AS l) AS o
    )
    SELECT (SELECT d.id FROM search_documents AS d WHERE d.source = home AND d.number = p.number), p.place, t.total, looked_for
      FROM (SELECT coalesce(sum(bit_count(h.entries::bit(64))), 0)::bigint AS total FROM hits AS h) AS t
      LEFT JOIN (SELECT * FROM placed ORDER BY place LIMIT page_size OFFSET skipped) AS p ON true;
END
$$;
