-- name: reports
WITH found AS (
    SELECT * FROM feedback WHERE %(status)s::text IS NULL OR status = %(status)s
), shown AS (
    SELECT * FROM found
     ORDER BY created_at DESC, id
     LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s
)
SELECT coalesce(jsonb_agg(s ORDER BY created_at DESC, id), '[]') AS feedback,
       (SELECT count(*) FROM found) AS total,
       %(page)s::bigint AS page,
       %(page_size)s::bigint AS page_size
  FROM shown AS s;

-- name: add
-- Under the user's lock, so that limit and double click hold in parallel too.
SELECT lock_user();
SELECT refuse_feedback_over_limit()
 WHERE NOT EXISTS (SELECT FROM same_feedback(%(type)s, %(title)s, %(description)s));
INSERT INTO feedback (feedback_type, title, description, priority, metadata)
SELECT %(type)s, %(title)s, %(description)s, %(priority)s, %(metadata)s
 WHERE NOT EXISTS (SELECT FROM same_feedback(%(type)s, %(title)s, %(description)s));
SELECT * FROM same_feedback(%(type)s, %(title)s, %(description)s) LIMIT 1;

-- name: report
SELECT * FROM feedback WHERE id = %(report_id)s;

-- name: withdraw
-- One statement: an administrator who answers at this moment is seen.
DELETE FROM feedback
 WHERE id = %(report_id)s
   AND (status = 'open'
        OR refuse(409, 'invalid_state', 'This report is being answered already.', jsonb_build_object('status', status)))
RETURNING true AS success;
