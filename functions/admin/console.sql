-- name: note_query
SELECT audit('db_query', 'read', %(client)s, %(details)s, %(status)s, 'database') IS NOT NULL AS audited;
