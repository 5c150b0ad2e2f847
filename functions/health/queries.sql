-- name: patience
-- In place of who asks, how long to wait: a database that needs longer than this is not ready.
SELECT set_config('statement_timeout', '2s', true);

-- name: ready
SELECT max(version::int) AS schema_version FROM schema_migrations;
