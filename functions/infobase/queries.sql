-- Statements of one name travel together, and each sees what those before it wrote. Only functions write entries: each takes
-- the user's lock, and brings the search index to what the entry then says.

-- name: entries
SELECT read_in_index_order();
SELECT * FROM infobase_entries
 WHERE deleted_at IS NULL
   AND (%(category)s::text IS NULL OR category = %(category)s)
   AND (%(tag)s::text IS NULL OR lower(%(tag)s) IN (SELECT lower(t) FROM unnest(tags) AS t))
   AND (%(pinned)s::boolean IS NULL OR is_pinned = %(pinned)s)
 ORDER BY is_pinned DESC, updated_at DESC, id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count_documents('infobase', infobase_filters(%(category)s, %(tag)s, %(pinned)s, false)) AS total;

-- name: entries_sorted
-- The same in another order, or of the trash.
SELECT * FROM infobase_entries
 WHERE (deleted_at IS NOT NULL) = %(trash)s
   AND (%(category)s::text IS NULL OR category = %(category)s)
   AND (%(tag)s::text IS NULL OR lower(%(tag)s) IN (SELECT lower(t) FROM unnest(tags) AS t))
   AND (%(pinned)s::boolean IS NULL OR is_pinned = %(pinned)s)
 ORDER BY is_pinned DESC, CASE WHEN %(sort)s::text = 'title' THEN lower(title) END,
          CASE WHEN %(sort)s::text = 'created' THEN created_at ELSE updated_at END DESC, id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count_documents('infobase', infobase_filters(%(category)s, %(tag)s, %(pinned)s, %(trash)s)) AS total;

-- name: search
SELECT f.total, f.patterns, e.*
  FROM search_page('infobase', %(texts)s::text[], %(groups)s::int[], %(excluded)s::boolean[], %(quoted)s::boolean[],
                   %(prefixed)s::int, infobase_filters(%(category)s, %(tag)s, %(pinned)s, %(trash)s), %(page_size)s, (%(page)s::bigint - 1) * %(page_size)s) AS f
  -- OFFSET 0 keeps the planner from a join: each entry is looked up by its key.
  LEFT JOIN LATERAL (SELECT * FROM infobase_entries AS o WHERE o.id = f.id OFFSET 0) AS e ON true
 ORDER BY f.place;

-- name: facets
SELECT substr(t.kind, 11) COLLATE "default" AS category, t.total AS count
  FROM totals_of('infobase') AS t WHERE starts_with(t.kind, '/category/') AND t.total > 0
 ORDER BY count DESC, category;
SELECT min(substr(t.kind, 6) COLLATE "default") AS tag, sum(t.total)::bigint AS count
  FROM totals_of('infobase') AS t WHERE starts_with(t.kind, '/tag/') AND t.total > 0
 GROUP BY lower(substr(t.kind, 6) COLLATE "default") ORDER BY count DESC, tag;

-- name: add
SELECT add_infobase_entry(%(id)s, %(title)s, %(content)s, %(category)s, %(tags)s::text[], %(is_pinned)s);
SELECT * FROM infobase_entries WHERE id = %(id)s;

-- name: entry
SELECT * FROM infobase_entries WHERE id = %(entry_id)s AND deleted_at IS NULL;

-- name: change
SELECT change_infobase_entry(%(entry_id)s, %(sent)s, %(expected_version)s);
SELECT * FROM infobase_entries WHERE id = %(entry_id)s AND deleted_at IS NULL;

-- name: delete
SELECT d.success FROM delete_infobase_entry(%(entry_id)s, %(permanent)s) AS d;

-- name: restore
SELECT restore_infobase_entry(%(entry_id)s);
SELECT * FROM infobase_entries WHERE id = %(entry_id)s AND deleted_at IS NULL;

-- name: versions
-- OFFSET 0: by its id alone. A plan made for a small account would read all entries that are not deleted, in their index.
SELECT e.id FROM (SELECT id, deleted_at FROM infobase_entries WHERE id = %(entry_id)s OFFSET 0) AS e WHERE e.deleted_at IS NULL;
SELECT version, title, content, replaced_at FROM infobase_versions WHERE entry_id = %(entry_id)s ORDER BY version DESC
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total FROM infobase_versions WHERE %(limit)s::bigint IS NOT NULL AND entry_id = %(entry_id)s;

-- name: restore_version
SELECT r.id FROM restore_infobase_version(%(entry_id)s, %(version)s) AS r;
SELECT * FROM infobase_entries WHERE id = %(entry_id)s;

-- name: export
SELECT * FROM infobase_export(%(part)s);
