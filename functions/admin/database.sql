-- name: tables
SELECT c.relname AS name, greatest(c.reltuples, 0)::bigint AS row_count, pg_total_relation_size(c.oid) AS size_bytes
  FROM pg_class AS c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND has_any_column_privilege(c.oid, 'SELECT')
 ORDER BY c.relname;

-- name: table
-- The second statement refuses a name that is not a table's, before the name is used.
SELECT set_config('statement_timeout', '20s', true);
SELECT refuse(404, 'not_found', 'There is no such table.')
 WHERE NOT EXISTS (SELECT FROM table_columns(%(name)s));
SELECT audit('db_viewed', 'read', %(client)s, jsonb_build_object('table', %(name)s::text), 'success', 'database');
SELECT c.name FROM table_columns(%(name)s) AS c ORDER BY c.place;
SELECT table_total(%(name)s) AS total;
SELECT r.row FROM table_rows(%(name)s, %(limit)s, %(offset)s) AS r (row);

-- name: health
SELECT set_config('statement_timeout', '25s', true);
SELECT k.* FROM known_integrity() AS k;
SELECT c.*, clock() AS now, pg_size_pretty(pg_database_size(current_database())) AS total_size_estimate,
       (SELECT coalesce(max(m.version::int), 0) FROM schema_migrations AS m) AS schema_version,
       (SELECT min(r.started_at) FROM job_runs AS r) AS first_started_at
  FROM health_counts() AS c;
SELECT s.name, s.every_seconds, s.last_started_at FROM schedule_states() AS s ORDER BY s.name;
SELECT t.* FROM table_sizes(NOT ledger_is_long()) AS t;
