-- name: references
SELECT read_in_index_order();
SELECT r.*
  FROM user_references AS r
 WHERE r.is_archived = %(archived)s
   AND (%(category)s::text IS NULL OR r.category = %(category)s)
   AND (%(tag)s::text IS NULL OR %(tag)s = ANY (r.tags))
   AND (%(q)s::text IS NULL OR strpos(lower(concat_ws(E'\n', r.title, r.content)), lower(%(q)s)) > 0)
 ORDER BY r.is_pinned DESC, r.created_at DESC, r.id DESC
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT CASE WHEN num_nonnulls(%(category)s::text, %(tag)s::text, %(q)s::text) = 0
            THEN (SELECT coalesce(sum(t.total), 0)::bigint FROM totals_of('references') AS t WHERE t.kind = reference_kind(%(archived)s))
            ELSE (SELECT count(*)
                    FROM user_references AS r
                   WHERE r.is_archived = %(archived)s
                     AND (%(category)s::text IS NULL OR r.category = %(category)s)
                     AND (%(tag)s::text IS NULL OR %(tag)s = ANY (r.tags))
                     AND (%(q)s::text IS NULL OR strpos(lower(concat_ws(E'\n', r.title, r.content)), lower(%(q)s)) > 0))
       END AS total;

-- name: add
-- The lock makes the user's requests wait for each other, so that the limit holds in parallel.
SELECT lock_user();
SELECT move_total('references', reference_kind(false), 1)
 WHERE (SELECT coalesce(sum(t.total), 0) < 10000 FROM totals_of('references') AS t)
    OR refuse(409, 'limit_reached', 'There are 10000 bookmarks already.', '{"limit": 10000}');
INSERT INTO user_references (title, content, url, category, tags, is_pinned)
VALUES (%(title)s, %(content)s, %(url)s, %(category)s, %(tags)s, %(is_pinned)s)
RETURNING *;

-- name: reference
SELECT * FROM user_references WHERE id = %(reference_id)s;

-- name: change
-- Under the lock, so that the bookmark is neither changed nor deleted between the statements.
SELECT lock_user();
SELECT move_row('references', reference_kind(r.is_archived), reference_kind(c.is_archived))
  FROM user_references AS r, jsonb_populate_record(r, %(changes)s) AS c
 WHERE r.id = %(reference_id)s;
UPDATE user_references AS r
   SET (title, content, url, category, tags, is_pinned, is_archived)
     = (SELECT c.title, c.content, c.url, c.category, c.tags, c.is_pinned, c.is_archived
          FROM jsonb_populate_record(r, %(changes)s) AS c)
 WHERE r.id = %(reference_id)s
RETURNING r.*;

-- name: delete
SELECT lock_user();
WITH gone AS (DELETE FROM user_references AS r WHERE r.id = %(reference_id)s RETURNING r.id, r.is_archived)
SELECT g.id, move_total('references', reference_kind(g.is_archived), -1) FROM gone AS g;
