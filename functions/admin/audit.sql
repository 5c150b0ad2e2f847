-- name: audit
-- OFFSET 0 keeps the planner from a join: each entry is looked up by its key.
SELECT a.*
  FROM audit_page(%(user_id)s, %(event_type)s, %(resource_type)s, %(status)s, %(from_)s, %(to)s, %(limit)s, %(offset)s)
       WITH ORDINALITY AS p (id, place)
 CROSS JOIN LATERAL (SELECT * FROM audit_shown AS s WHERE s.id = p.id OFFSET 0) AS a
 ORDER BY p.place;
SELECT count_audit(%(user_id)s, %(event_type)s, %(resource_type)s, %(status)s, %(from_)s, %(to)s) AS total;

-- name: event_types
-- Skips in the index from each type to the next one: DISTINCT would read the whole trail.
WITH RECURSIVE types AS (
    (SELECT a.event_type FROM audit_log AS a ORDER BY a.event_type LIMIT 1)
     UNION ALL
    SELECT (SELECT a.event_type FROM audit_log AS a WHERE a.event_type > t.event_type ORDER BY a.event_type LIMIT 1)
      FROM types AS t
     WHERE t.event_type IS NOT NULL
)
SELECT t.event_type FROM types AS t WHERE t.event_type IS NOT NULL;
