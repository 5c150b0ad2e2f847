SET LOCAL ROLE questlog_owner;

-- What an export holds ---------------------------------------------------------------------------------------------------

-- The tables of users that an export leaves out: what lets somebody in (sessions, accounts, secrets of feeds), what serves
-- the machine (jobs, keys and windows of requests, exports and imports), what is the operators' (audit, directory), and what
-- is derived from other tables (the search of the infobase). Every other table with a user_id or owner_id is exported.
CREATE OR REPLACE FUNCTION internal.left_out_of_exports() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY['accounts', 'audit_log', 'calendar_feeds', 'idempotency_keys', 'jobs', 'oauth_states', 'rate_limits',
             'search_documents', 'search_words', 'sessions', 'user_directory', 'user_exports', 'user_imports'];

-- The SQL of a column of the table `t` as it stands in an export of the user $1. Times are text in UTC with microseconds (or
-- infinity), bytes are base64 without line breaks, the user's own id is "me", and keys of objects lose the user's prefix.
CREATE OR REPLACE FUNCTION internal.exported_value(column_name text, column_type text) RETURNS text
LANGUAGE sql STABLE
RETURN format(
    CASE
        WHEN column_type = 'timestamp with time zone'
            THEN $$coalesce(to_char(t.%1$I AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), t.%1$I::text)$$
        WHEN column_type = 'timestamp with time zone[]'
            THEN $$CASE WHEN t.%1$I IS NOT NULL THEN ARRAY(
                       SELECT coalesce(to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.at::text)
                         FROM unnest(t.%1$I) WITH ORDINALITY AS e (at, place) ORDER BY e.place) END$$
        WHEN column_type = 'uuid' THEN $$CASE WHEN t.%1$I = $1 THEN 'me' ELSE t.%1$I::text END$$
        WHEN column_type = 'bytea' THEN $$translate(encode(t.%1$I, 'base64'), E'\n', '')$$
        WHEN column_name IN ('r2_key', 'object_key')
            THEN $$CASE WHEN starts_with(t.%1$I, $1 || '/') THEN substr(t.%1$I, 38) ELSE t.%1$I END$$
        ELSE 't.%1$I'
    END, column_name);

-- The SQL of the same as the text of a cell of a table. A text that a spreadsheet would run as a formula gets a leading
-- apostrophe; lists and documents are JSON.
CREATE OR REPLACE FUNCTION internal.exported_cell(exported_value text, column_type text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN column_type IN ('text', 'bytea')
        THEN format($$regexp_replace(%s, '^[=+@\t\r\n＝＋－＠-]', '''\&')$$, exported_value)
    WHEN column_type LIKE '%[]' THEN format('to_json(%s)::text', exported_value)
    ELSE format('(%s)::text', exported_value)
END;

-- The tables of an export by name: the column of the owner; the columns that are exported, in their order, and their types;
-- the columns that order the rows; and two statements with the user as $1, for the rows as JSON and for their cells as text.
-- Left out are the owner, which is the user of the export, and columns that the database makes by itself.
CREATE OR REPLACE FUNCTION app.export_tables()
RETURNS TABLE (name text, owner text, columns text[], types text[], ordering text[], json_rows text, cell_rows text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT c.relname::text, o.attname::text, x.columns, x.types, k.ordering,
           format('SELECT row_to_json(r)::text AS line FROM %I AS t, LATERAL (SELECT %s) AS r WHERE t.%I = $1 ORDER BY %s',
                  c.relname, x.named, o.attname, k.sorted),
           format('SELECT %s FROM %I AS t WHERE t.%I = $1 ORDER BY %s', x.cells, c.relname, o.attname, k.sorted)
      FROM pg_class AS c
      JOIN pg_attribute AS o
        ON o.attrelid = c.oid AND o.attname IN ('user_id', 'owner_id') AND NOT o.attisdropped
     CROSS JOIN LATERAL (
           SELECT array_agg(v.name ORDER BY v.place) AS columns,
                  array_agg(v.type ORDER BY v.place) AS types,
                  string_agg(format('%s AS %I', v.value, v.name), ', ' ORDER BY v.place) AS named,
                  string_agg(exported_cell(v.value, v.type), ', ' ORDER BY v.place) AS cells
             FROM (SELECT a.attname::text AS name, a.attnum AS place, format_type(a.atttypid, NULL) AS type,
                          exported_value(a.attname, format_type(a.atttypid, NULL)) AS value
                     FROM pg_attribute AS a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                      AND a.attname <> o.attname AND a.attgenerated = '' AND a.attidentity = '') AS v) AS x
     CROSS JOIN LATERAL (
           SELECT coalesce(array_agg(w.name ORDER BY w.place), '{}') AS ordering,
                  coalesce(string_agg(format('t.%I', w.name), ', ' ORDER BY w.place), format('t.%I', o.attname)) AS sorted
             FROM (SELECT a.attname::text AS name, p.place
                     FROM pg_index AS i
                    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS p (number, place)
                     JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.number
                    WHERE i.indrelid = c.oid AND i.indisprimary AND c.relname <> 'points_ledger'
                      AND a.attname NOT IN (o.attname, 'owner_key')
                    UNION ALL
                   -- The ledger in the order in which it was written: each row goes on from the balance of the one before.
                   SELECT 'seq', 1 WHERE c.relname = 'points_ledger') AS w) AS k
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
       AND c.relname <> ALL (left_out_of_exports())
     ORDER BY c.relname COLLATE "C";
END;
