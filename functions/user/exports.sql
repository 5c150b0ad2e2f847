-- name: export
-- All rows are read by the last statement, so they are of one moment.
SELECT audit('data_export', 'read', %(client)s, '{"inline": true}');
SELECT clock() AS exported_at, u.id AS user_id, u.email FROM users AS u WHERE u.id = current_user_id();
SELECT name, line FROM export_rows(%(most_bytes)s);

-- name: request_export
SELECT remember(request_export(%(include_audio)s, %(client)s));
SELECT e.* FROM exports_now AS e WHERE e.id = remembered();

-- name: exports
-- Five a day for 30 days at most.
SELECT e.* FROM exports_now AS e ORDER BY e.created_at DESC, e.id;

-- name: export_by_id
SELECT e.* FROM exports_now AS e WHERE e.id = %(export_id)s;

-- name: delete_export
SELECT object_key FROM delete_export(%(export_id)s) AS object_key;
