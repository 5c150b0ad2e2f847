-- Statements of one name travel together, and each sees what those before it wrote. Only functions write ideas: each takes
-- the user's lock, and brings the search index to what the idea then says.

-- name: ideas
SELECT read_in_index_order();
SELECT * FROM ideas
 WHERE is_archived = %(archived)s
   AND (%(category)s::text IS NULL OR category = %(category)s)
   AND (%(tag)s::text IS NULL OR lower(%(tag)s) IN (SELECT lower(t) FROM unnest(tags) AS t))
 ORDER BY is_pinned DESC, created_at DESC, id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count_documents('ideas', idea_filters(%(category)s, %(tag)s, %(archived)s)) AS total;

-- name: search
SELECT f.total, i.*
  FROM search_page('ideas', %(texts)s::text[], %(groups)s::int[], %(excluded)s::boolean[], %(quoted)s::boolean[],
                   %(prefixed)s::int, idea_filters(%(category)s, %(tag)s, %(archived)s), %(page_size)s,
                   (%(page)s::bigint - 1) * %(page_size)s) AS f
  -- OFFSET 0 keeps the planner from a join: each idea is looked up by its key.
  LEFT JOIN LATERAL (SELECT * FROM ideas AS o WHERE o.id = f.id OFFSET 0) AS i ON true
 ORDER BY f.place;

-- name: add
SELECT add_idea(%(id)s, %(title)s, %(content)s, %(category)s, %(tags)s::text[], %(key)s, %(bpm)s, %(mood)s, %(is_pinned)s);
SELECT * FROM ideas WHERE id = %(id)s;

-- name: idea
SELECT * FROM ideas WHERE id = %(idea_id)s;

-- name: change
SELECT change_idea(%(idea_id)s, %(sent)s);
SELECT * FROM ideas WHERE id = %(idea_id)s;

-- name: delete
SELECT d.success FROM delete_idea(%(idea_id)s) AS d;

-- name: promote
SELECT lock_user();
SELECT promote_idea(i, %(to)s) FROM ideas AS i WHERE i.id = %(idea_id)s;
SELECT * FROM ideas WHERE id = %(idea_id)s;
