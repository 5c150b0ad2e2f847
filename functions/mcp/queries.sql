-- name: scope
SELECT session_scope() AS scope;
