-- For each of these lists there is an index that begins with the columns of its filter.

-- name: feedback
-- Reports that wait for an administrator come first; among them and among the others the newest.
SELECT read_in_index_order();
SELECT f.*, (SELECT u.email FROM users AS u WHERE u.id = f.user_id) AS user_email
  FROM feedback AS f
 ORDER BY feedback_turn(f.status), f.created_at DESC, f.id, f.user_id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count_feedback(NULL, NULL) AS total;

-- name: feedback_of_type
SELECT read_in_index_order();
SELECT f.*, (SELECT u.email FROM users AS u WHERE u.id = f.user_id) AS user_email
  FROM feedback AS f
 WHERE f.feedback_type = %(type)s
 ORDER BY feedback_turn(f.status), f.created_at DESC, f.id, f.user_id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count_feedback(NULL, %(type)s) AS total;

-- name: feedback_of_status
SELECT read_in_index_order();
SELECT f.*, (SELECT u.email FROM users AS u WHERE u.id = f.user_id) AS user_email
  FROM feedback AS f
 WHERE f.status = %(status)s
 ORDER BY f.created_at DESC, f.id, f.user_id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count_feedback(%(status)s, NULL) AS total;

-- name: feedback_of_status_and_type
SELECT read_in_index_order();
SELECT f.*, (SELECT u.email FROM users AS u WHERE u.id = f.user_id) AS user_email
  FROM feedback AS f
 WHERE f.status = %(status)s AND f.feedback_type = %(type)s
 ORDER BY f.created_at DESC, f.id, f.user_id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count_feedback(%(status)s, %(type)s) AS total;

-- name: report
SELECT f.*, (SELECT u.email FROM users AS u WHERE u.id = f.user_id) AS user_email
  FROM report_by_id(%(report_id)s) AS f;

-- name: answer_report
SELECT audit('resource_updated', 'update', %(client)s, %(details)s, 'success', 'feedback', f.id::text)
  FROM answer_feedback(%(report_id)s, %(sent)s) AS f;
SELECT f.*, (SELECT u.email FROM users AS u WHERE u.id = f.user_id) AS user_email
  FROM report_by_id(%(report_id)s) AS f;
