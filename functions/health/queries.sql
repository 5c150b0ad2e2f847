-- name: ready
SELECT coalesce(max(version::int), 0), current_setting('transaction_read_only') FROM schema_migrations;
