-- migrate:up
-- How many rows the long lists of the administration have. See ../code/counts.sql.
SET LOCAL ROLE questlog_owner;

-- The lists whose rows have been counted: those that were made before `counted_until`.
CREATE TABLE counted_lists (
    list text PRIMARY KEY CHECK (list IN ('users', 'feedback', 'audit', 'statistics')),
    counted_until timestamptz NOT NULL
);

-- How many of those rows there are of each kind:
--   users       {role}
--   feedback    {status, feedback_type}
--   audit       {event_type, resource_type or '', status}, of each day in UTC
--   statistics  {part, name}: the numbers of GET /admin/stats
CREATE TABLE list_counts (
    list text NOT NULL REFERENCES counted_lists ON DELETE CASCADE,
    day date NOT NULL DEFAULT '-infinity',
    kind text[] NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (list, day, kind)
);

-- The clean-up counts. Who takes away or changes a row that was counted says so: see move_count().
GRANT SELECT ON counted_lists, list_counts TO questlog_admin, questlog_identity, questlog_console;
GRANT SELECT, INSERT, UPDATE, DELETE ON counted_lists, list_counts TO questlog_jobs;
