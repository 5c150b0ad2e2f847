-- Each list has an index that begins with what it is narrowed by; what is optional beside that only filters.

-- name: audit
SELECT *
  FROM audit_shown AS a
 WHERE a.created_at >= %(from_)s AND a.created_at < %(to)s
   AND (%(status)s::text IS NULL OR a.status = %(status)s)
 ORDER BY a.created_at DESC, a.id DESC
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count_audit(%(user_id)s, %(event_type)s, %(resource_type)s, %(status)s, %(from_)s, %(to)s) AS total;

-- name: audit_of_event
SELECT *
  FROM audit_shown AS a
 WHERE a.event_type = %(event_type)s AND a.created_at >= %(from_)s AND a.created_at < %(to)s
   AND (%(resource_type)s::text IS NULL OR a.resource_type = %(resource_type)s)
   AND (%(status)s::text IS NULL OR a.status = %(status)s)
 ORDER BY a.created_at DESC, a.id DESC
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count_audit(%(user_id)s, %(event_type)s, %(resource_type)s, %(status)s, %(from_)s, %(to)s) AS total;

-- name: audit_of_resource
SELECT *
  FROM audit_shown AS a
 WHERE a.resource_type = %(resource_type)s AND a.created_at >= %(from_)s AND a.created_at < %(to)s
   AND (%(status)s::text IS NULL OR a.status = %(status)s)
 ORDER BY a.created_at DESC, a.id DESC
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count_audit(%(user_id)s, %(event_type)s, %(resource_type)s, %(status)s, %(from_)s, %(to)s) AS total;

-- name: audit_of_refusals
-- The index is of what did not succeed.
SELECT *
  FROM audit_shown AS a
 WHERE a.status = %(status)s AND a.status <> 'success' AND a.created_at >= %(from_)s AND a.created_at < %(to)s
   AND (%(event_type)s::text IS NULL OR a.event_type = %(event_type)s)
   AND (%(resource_type)s::text IS NULL OR a.resource_type = %(resource_type)s)
 ORDER BY a.created_at DESC, a.id DESC
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count_audit(%(user_id)s, %(event_type)s, %(resource_type)s, %(status)s, %(from_)s, %(to)s) AS total;

-- name: audit_of_user
SELECT *
  FROM audit_shown AS a
 WHERE a.user_id = %(user_id)s AND a.created_at >= %(from_)s AND a.created_at < %(to)s
   AND (%(event_type)s::text IS NULL OR a.event_type = %(event_type)s)
   AND (%(resource_type)s::text IS NULL OR a.resource_type = %(resource_type)s)
   AND (%(status)s::text IS NULL OR a.status = %(status)s)
 ORDER BY a.created_at DESC, a.id DESC
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count_audit(%(user_id)s, %(event_type)s, %(resource_type)s, %(status)s, %(from_)s, %(to)s) AS total;

-- name: event_types
-- From each type straight to the next one in the index: DISTINCT would read the whole trail.
WITH RECURSIVE types AS (
    (SELECT a.event_type FROM audit_log AS a ORDER BY a.event_type LIMIT 1)
     UNION ALL
    SELECT (SELECT a.event_type FROM audit_log AS a WHERE a.event_type > t.event_type ORDER BY a.event_type LIMIT 1)
      FROM types AS t
     WHERE t.event_type IS NOT NULL
)
SELECT t.event_type FROM types AS t WHERE t.event_type IS NOT NULL;
