-- name: reports
SELECT read_in_index_order();
SELECT * FROM feedback
 WHERE %(status)s::text IS NULL OR status = %(status)s
 ORDER BY created_at DESC, id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total FROM feedback WHERE %(status)s::text IS NULL OR status = %(status)s;

-- name: add
-- Under the user's lock, so that the daily limit and the rule against double clicks hold for parallel requests too.
SELECT lock_user();
WITH known AS MATERIALIZED (
    SELECT * FROM same_feedback(%(type)s, %(title)s, %(description)s)
), added AS (
    INSERT INTO feedback (feedback_type, title, description, priority, metadata, created_at, updated_at)
    SELECT %(type)s, %(title)s, %(description)s, %(priority)s, %(metadata)s, t.at, t.at
      FROM instant() AS t (at)
     WHERE CASE WHEN EXISTS (SELECT FROM known) THEN false ELSE feedback_has_room() END
    RETURNING *
)
SELECT * FROM known
 UNION ALL
SELECT * FROM added;

-- name: report
SELECT * FROM feedback WHERE id = %(report_id)s;

-- name: withdraw
-- One statement, so that it sees the answer that an administrator gives at this moment.
DELETE FROM feedback
 WHERE id = %(report_id)s
   AND (status = 'open'
        OR refuse(409, 'invalid_state', 'This report is being answered already.', jsonb_build_object('status', status)))
RETURNING true AS success, move_count('feedback', ARRAY[status, feedback_type], created_at, -1);
