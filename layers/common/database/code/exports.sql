SET LOCAL ROLE questlog_owner;

-- What an export holds ---------------------------------------------------------------------------------------------------

-- The tables of users that an export leaves out: secrets (sessions, accounts, feeds and browsers), the working state of requests and
-- jobs (jobs, idempotency keys, rate limits, revisions, exports and imports, messages and their deliveries), the operators' tables
-- (audit, directory), and what is derived from other tables (the search index, sums of days and blocks, what awards
-- note, scores of boards, reminders). Every other table with a user_id or owner_id is exported.
CREATE OR REPLACE FUNCTION internal.left_out_of_exports() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY['accounts', 'audit_log', 'calendar_feeds', 'idempotency_keys', 'jobs', 'leaderboard_scores', 'ledger_blocks',
             'ledger_days', 'ledger_marks', 'notification_deliveries', 'notification_outbox', 'oauth_states', 'push_subscriptions',
             'rate_limits', 'reminders', 'search_documents', 'search_words', 'sessions', 'user_directory', 'user_exports',
             'user_imports', 'user_revisions', 'user_runs', 'user_totals'];

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

-- The title of the note in the inbox that an export is ready. The note has the export's id.
CREATE OR REPLACE FUNCTION app.export_note_title() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'Your export is ready';

-- The SQL condition of the rows `t` that an export holds, for a table of which it does not hold all. The note that an export is
-- ready is left out, as the export itself is: it is written after the archive, so an account would never equal its archive.
-- The condition looks at the note alone, because a backup has notes but no exports.
CREATE OR REPLACE FUNCTION app.exported_condition(table_name text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE table_name
    WHEN 'inbox_items' THEN format(' AND NOT (t.item_type = %L AND t.title = %L)', 'notification', export_note_title())
    ELSE ''
END;

-- The tables of an export by name: the column of the owner; the columns that are exported, in their order, and their types;
-- the columns that order the rows; and two statements with the user as $1, for the rows as JSON and for their cells as text.
-- Left out are the owner, which is the user of the export, and columns that the database makes by itself.
CREATE OR REPLACE FUNCTION app.export_tables()
RETURNS TABLE (name text, owner text, columns text[], types text[], ordering text[], json_rows text, cell_rows text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT c.relname::text, o.attname::text, x.columns, x.types, k.ordering,
           format('SELECT row_to_json(r)::text AS line FROM %I AS t, LATERAL (SELECT %s) AS r WHERE t.%I = $1%s ORDER BY %s',
                  c.relname, x.named, o.attname, exported_condition(c.relname), k.sorted),
           format('SELECT %s FROM %I AS t WHERE t.%I = $1%s ORDER BY %s',
                  x.cells, c.relname, o.attname, exported_condition(c.relname), k.sorted)
      FROM pg_class AS c
      JOIN pg_attribute AS o
        ON o.attrelid = c.oid AND o.attname IN ('user_id', 'owner_id') AND NOT o.attisdropped
     CROSS JOIN LATERAL (
           SELECT array_agg(v.name ORDER BY v.place) AS columns,
                  array_agg(v.type ORDER BY v.place) AS types,
                  string_agg(format('%s AS %I', v.value, v.name), ', ' ORDER BY v.place) AS named,
                  string_agg(exported_cell(v.value, v.type), ', ' ORDER BY v.place) AS cells
             FROM (SELECT a.attname::text AS name, a.attnum AS place, plain_type(a.atttypid) AS type,
                          exported_value(a.attname, plain_type(a.atttypid)) AS value
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

-- How many rows of each table an export of a user holds.
CREATE OR REPLACE FUNCTION app.export_row_counts(of_user uuid) RETURNS TABLE (name text, row_count bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    exported record;
BEGIN
    FOR exported IN SELECT t.name, t.owner FROM export_tables() AS t LOOP
        name := exported.name;
        EXECUTE format('SELECT count(*) FROM %I AS t WHERE t.%I = $1%s', exported.name, exported.owner,
                       exported_condition(exported.name))
           INTO row_count USING of_user;
        RETURN NEXT;
    END LOOP;
END
$$;

-- The rows of an export of the caller in one answer, as JSON: for each table by name a row without a line, and then its rows.
-- 413 payload_too_large where they have more than so many bytes. All of them are of one moment, that of the statement.
CREATE OR REPLACE FUNCTION app.export_rows(most_bytes bigint) RETURNS TABLE (name text, line text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    exported record;
    size bigint := 0;
BEGIN
    FOR exported IN SELECT t.name, t.json_rows FROM export_tables() AS t LOOP
        name := exported.name;
        line := NULL;
        RETURN NEXT;
        FOR line IN EXECUTE exported.json_rows USING current_user_id() LOOP
            size := size + octet_length(line) + 1;
            IF size > most_bytes THEN
                PERFORM refuse(413, 'payload_too_large',
                               'The export would be larger than 4 MiB. Ask for a file with POST /user/exports.',
                               jsonb_build_object('limit_bytes', most_bytes));
            END IF;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;

-- Exports as files -------------------------------------------------------------------------------------------------------

-- The exports as they are now: one that is past its time has expired, whether the clean-up was there or not. One that can be
-- imported has at most the 5 GiB that an import takes.
CREATE OR REPLACE VIEW app.exports_now WITH (security_invoker = true) AS
SELECT e.id, e.include_audio, e.progress, e.object_key, e.size_bytes, e.sha256, e.row_count, e.error_type, e.error_message,
       e.created_at, e.started_at, e.finished_at, e.expires_at,
       CASE WHEN e.status = 'ready' AND e.expires_at <= clock() THEN 'expired' ELSE e.status END AS status,
       e.size_bytes <= 5368709120 AS importable
  FROM user_exports AS e;

-- Asks for an export. Returns its id, or that of the one that is queued or running. 429 for the sixth within 24 hours.
CREATE OR REPLACE FUNCTION app.request_export(wants_audio boolean, client jsonb) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    export uuid;
BEGIN
    PERFORM lock_user();
    SELECT e.id INTO export FROM user_exports AS e WHERE e.status IN ('queued', 'running');
    IF NOT FOUND THEN
        PERFORM count_within('export:' || current_user_id(), 5, interval '24 hours');
        INSERT INTO user_exports AS e (include_audio) VALUES (wants_audio) RETURNING e.id INTO export;
        PERFORM enqueue_job(export, 'export', 5);
        PERFORM audit('data_export', 'create', client, jsonb_build_object('include_audio', wants_audio), 'success', 'export',
                      export::text);
    END IF;
    RETURN export;
END
$$;

-- Deletes an export of the caller, and stops the job that writes it. Returns the key of its object; no row: there is none.
-- A worker may still be writing the object. It lives for at most 15 minutes, so what it leaves is deleted after that.
CREATE OR REPLACE FUNCTION app.delete_export(wanted uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    -- The job first, in the order of the worker that ends both, or the two could end in a deadlock.
    PERFORM cancel_job(wanted);
    -- The note that it is ready goes with it.
    PERFORM delete_note(current_user_id(), wanted) WHERE EXISTS (SELECT FROM user_exports AS e WHERE e.id = wanted);
    RETURN QUERY
    WITH gone AS (
        DELETE FROM user_exports AS e WHERE e.id = wanted RETURNING e.object_key, e.status
    ), listed AS (
        INSERT INTO storage_deletions (object_key, run_after)
        SELECT g.object_key,
               instant() + CASE WHEN g.status IN ('queued', 'running') THEN interval '16 minutes' ELSE interval '0' END
          FROM gone AS g
    )
    SELECT g.object_key FROM gone AS g;
END
$$;

-- For the jobs -----------------------------------------------------------------------------------------------------------

-- Has an export show that its archive is there. The caller holds the job. Nothing else of the account changes: once the archive
-- is imported elsewhere, both accounts hold the same.
CREATE OR REPLACE FUNCTION app.finish_export(owner uuid, export_id uuid, bytes bigint, digest text, exported_rows bigint)
RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE user_exports AS e
       SET status = 'ready', progress = 100, size_bytes = bytes, sha256 = digest, row_count = exported_rows,
           finished_at = t.at, expires_at = t.at + interval '7 days'
      FROM (SELECT instant() AS at) AS t
     WHERE e.user_id = owner AND e.id = export_id;
    SELECT notify_user(owner, export_note_title(), 'It can be downloaded for 7 days.', item_id => export_id, news => 'export');
END;

-- Has an export show that it has failed, in the transaction that ends its job.
CREATE OR REPLACE FUNCTION app.fail_export(owner uuid, export_id uuid, reason_type text, reason text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE user_exports AS e
       SET status = 'failed', error_type = reason_type, error_message = left(reason, 500), finished_at = instant()
     WHERE e.user_id = owner AND e.id = export_id AND e.status IN ('queued', 'running');
END;

-- Has an export that has failed wait for its job again.
CREATE OR REPLACE FUNCTION app.requeue_export(owner uuid, export_id uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE user_exports AS e
       SET status = 'queued', progress = 0, error_type = NULL, error_message = NULL, started_at = NULL, finished_at = NULL
     WHERE e.user_id = owner AND e.id = export_id AND e.status = 'failed';
END;
REVOKE EXECUTE ON FUNCTION app.requeue_export FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

-- Ends exports that are past their time; their objects are listed to be deleted. Returns how many.
CREATE OR REPLACE FUNCTION app.expire_exports(most int) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
    WITH past AS (
        UPDATE user_exports AS e
           SET status = 'expired'
         WHERE (e.user_id, e.id) IN (SELECT p.user_id, p.id FROM user_exports AS p
                                      WHERE p.status = 'ready' AND p.expires_at <= clock()
                                      ORDER BY p.expires_at LIMIT most FOR UPDATE SKIP LOCKED)
        RETURNING e.object_key
    ), listed AS (
        INSERT INTO storage_deletions (object_key) SELECT p.object_key FROM past AS p
    )
    SELECT count(*) FROM past;
END;

-- Deletes the rows of exports that were asked for 30 days ago and are over. Returns how many.
CREATE OR REPLACE FUNCTION app.forget_exports(most int) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
    WITH gone AS (
        DELETE FROM user_exports AS e
         WHERE (e.user_id, e.id) IN (SELECT p.user_id, p.id FROM user_exports AS p
                                      WHERE p.status IN ('failed', 'expired') AND p.created_at < clock() - interval '30 days'
                                      ORDER BY p.created_at LIMIT most FOR UPDATE SKIP LOCKED)
        RETURNING e.user_id, e.id
    )
    -- OFFSET 0: the revision is raised first, as the user's own requests do it. Else the two could wait for each other.
    SELECT count(*)
      FROM (SELECT g.user_id, g.id, revise_user(g.user_id) FROM gone AS g OFFSET 0) AS r, delete_note(r.user_id, r.id);
END;

REVOKE EXECUTE ON FUNCTION app.finish_export, app.fail_export, app.expire_exports, app.forget_exports
    FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;
REVOKE EXECUTE ON FUNCTION app.request_export, app.delete_export
    FROM questlog_auth, questlog_operator, questlog_admin, questlog_jobs;
