SET LOCAL ROLE questlog_owner;

-- Asking for backups and restores ----------------------------------------------------------------------------------------

-- Queues a backup; while one is queued or running, returns that one.
CREATE OR REPLACE FUNCTION app.begin_backup(version int, client jsonb) RETURNS SETOF backups
LANGUAGE plpgsql AS $$
DECLARE
    wanted uuid := gen_random_uuid();
BEGIN
    -- Two requests at once: the second sees what the first has queued.
    PERFORM pg_advisory_xact_lock(hashtextextended('backups', 0));
    RETURN QUERY SELECT b.* FROM backups AS b WHERE b.status IN ('queued', 'running');
    IF NOT FOUND THEN
        PERFORM enqueue_operator_job(wanted, 'backup');
        PERFORM audit('backup_created', 'create', client, '{}', 'success', 'backup', wanted::text);
        RETURN QUERY INSERT INTO backups AS b (id, schema_version) VALUES (wanted, version) RETURNING b.*;
    END IF;
END
$$;

-- Makes room for a backup that an administrator uploads.
CREATE OR REPLACE FUNCTION app.announce_backup(wanted uuid, size bigint, version int, client jsonb) RETURNS SETOF backups
LANGUAGE sql
BEGIN ATOMIC
    SELECT audit('resource_created', 'create', client, '{}', 'success', 'backup', wanted::text);
    INSERT INTO backups AS b (id, status, size_bytes, schema_version)
    VALUES (wanted, 'awaiting_upload', size, version)
    RETURNING b.*;
END;

-- Deletes a backup; its object goes through the retry table, and a job that works at it stops. Returns whether there was
-- one. 409 restore_running while it is being restored.
CREATE OR REPLACE FUNCTION app.delete_backup(wanted uuid, client jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('backups', 0));
    IF EXISTS (SELECT FROM restores AS r WHERE r.backup_id = wanted AND r.status IN ('queued', 'running')) THEN
        PERFORM refuse(409, 'restore_running', 'This backup is being restored.');
    END IF;
    DELETE FROM backups AS b WHERE b.id = wanted;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM jobs AS j WHERE j.owner_key = job_owner_key(NULL) AND j.id = wanted;
    INSERT INTO storage_deletions (object_key) VALUES (backup_key(wanted));
    PERFORM audit('resource_deleted', 'delete', client, '{}', 'success', 'backup', wanted::text);
    RETURN true;
END
$$;
-- The object that holds a backup.
CREATE OR REPLACE FUNCTION app.backup_key(backup uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'backups/' || backup || '.zip';

-- Queues a restore. `uploaded` says that the announced object was found in the bucket, whole. No row for an unknown backup;
-- 409 not_ready, 409 restore_running while another one is under way, and 409 not_empty where somebody would be replaced.
CREATE OR REPLACE FUNCTION app.begin_restore(backup uuid, restore_mode text, uploaded boolean) RETURNS SETOF restores
LANGUAGE plpgsql AS $$
DECLARE
    wanted uuid := gen_random_uuid();
    found backups;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('backups', 0));
    SELECT b.* INTO found FROM backups AS b WHERE b.id = backup FOR UPDATE;
    IF found.id IS NULL THEN
        RETURN;
    ELSIF found.status <> 'ready' AND NOT (found.status = 'awaiting_upload' AND uploaded) THEN
        PERFORM refuse(409, 'not_ready', 'This backup is not there yet.');
    ELSIF EXISTS (SELECT FROM restores AS r WHERE r.status IN ('queued', 'running')) THEN
        PERFORM refuse(409, 'restore_running', 'Another restore is under way.');
    ELSIF restore_mode = 'replace' AND EXISTS (SELECT FROM users AS u WHERE u.id <> current_user_id()) THEN
        PERFORM refuse(409, 'not_empty', 'Only an installation whose only user is you can be replaced.');
    END IF;
    PERFORM enqueue_operator_job(wanted, 'restore');
    RETURN QUERY INSERT INTO restores AS r (id, backup_id, mode) VALUES (wanted, backup, restore_mode) RETURNING r.*;
END
$$;

-- A job that has failed is tried again, and what it works for is queued again.
CREATE OR REPLACE FUNCTION app.requeue_backup(wanted uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE backups AS b SET status = 'queued', finished_at = NULL, error = NULL WHERE b.id = wanted AND b.status = 'failed';
END;

CREATE OR REPLACE FUNCTION app.requeue_restore(wanted uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE restores AS r SET status = 'queued', finished_at = NULL, error_type = NULL, error = NULL
     WHERE r.id = wanted AND r.status = 'failed';
END;

REVOKE EXECUTE ON FUNCTION app.begin_backup, app.announce_backup, app.delete_backup, app.begin_restore, app.requeue_backup,
    app.requeue_restore FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

-- What a backup holds ----------------------------------------------------------------------------------------------------

-- The tables that a backup leaves out: sessions and other secrets, the working state of requests and jobs, revisions, the
-- backups themselves, and the directory, which is made anew from the users, their accounts and their browsers.
CREATE OR REPLACE FUNCTION internal.left_out_of_backups() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY['backups', 'counted_lists', 'idempotency_keys', 'job_runs', 'jobs', 'list_counts', 'oauth_states', 'rate_limits',
             'restores', 'schema_code', 'schema_migrations', 'sessions', 'shared_revision', 'user_directory', 'user_exports',
             'user_imports', 'user_revisions'];

-- The SQL of a column of the table `t` as it stands in a backup: times are text in UTC with microseconds (or infinity), bytes
-- are base64 without line breaks, and keys of objects lose their owner's prefix, as in an export.
CREATE OR REPLACE FUNCTION internal.backup_value(column_name text, column_type text) RETURNS text
LANGUAGE sql STABLE
RETURN format(
    CASE
        WHEN column_type = 'timestamp with time zone'
            THEN $$coalesce(to_char(t.%1$I AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), t.%1$I::text)$$
        WHEN column_type = 'bytea' THEN $$translate(encode(t.%1$I, 'base64'), E'\n', '')$$
        WHEN column_name = 'r2_key'
            THEN $$CASE WHEN starts_with(t.%1$I, t.user_id || '/') THEN substr(t.%1$I, 38) ELSE t.%1$I END$$
        ELSE 't.%1$I'
    END, column_name);

-- The tables of a backup, by name: their columns in order, without those that the database makes by itself; the columns of
-- the primary key, by which the rows are ordered; the column of the row's owner, `id` of users, null where there is none;
-- the tables whose rows have to be there before theirs; and the statement that returns each row as one JSON text.
-- The ledger is ordered as it was written, since each row goes on from the balance of the one before.
CREATE OR REPLACE FUNCTION app.backup_tables()
RETURNS TABLE (name text, columns text[], ordering text[], owner text, parents text[], json_rows text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT c.relname::text, x.columns, k.ordering,
           CASE WHEN c.relname = 'users' THEN 'id'
                ELSE (SELECT a.attname::text FROM pg_attribute AS a
                       WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'owner_id') AND NOT a.attisdropped) END,
           ARRAY(SELECT DISTINCT p.relname::text
                   FROM pg_constraint AS f JOIN pg_class AS p ON p.oid = f.confrelid
                  WHERE f.contype = 'f' AND NOT f.condeferrable AND f.conrelid = c.oid AND f.confrelid <> c.oid),
           format('SELECT row_to_json(r)::text AS line FROM %I AS t, LATERAL (SELECT %s) AS r ORDER BY %s',
                  c.relname, x.named, k.sorted)
      FROM pg_class AS c
     CROSS JOIN LATERAL (
           SELECT array_agg(a.attname::text ORDER BY a.attnum) AS columns,
                  string_agg(format('%s AS %I', backup_value(a.attname, plain_type(a.atttypid)), a.attname), ', '
                             ORDER BY a.attnum) AS named
             FROM pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              AND a.attgenerated = '' AND a.attidentity = '') AS x
     CROSS JOIN LATERAL (
           SELECT array_agg(a.attname::text ORDER BY p.place) AS ordering,
                  string_agg(format('t.%I', a.attname), ', ' ORDER BY p.place) AS sorted
             FROM pg_index AS i
            CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS p (number, place)
             JOIN pg_attribute AS a
               ON a.attrelid = c.oid
              AND a.attnum = CASE WHEN c.relname = 'points_ledger' AND p.place = 2
                                  THEN (SELECT s.attnum FROM pg_attribute AS s WHERE s.attrelid = c.oid AND s.attname = 'seq')
                                  ELSE p.number END
            WHERE i.indrelid = c.oid AND i.indisprimary) AS k
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
       AND c.relname <> ALL (left_out_of_backups())
     ORDER BY c.relname COLLATE "C";
END;

-- Restoring --------------------------------------------------------------------------------------------------------------

-- Of the users of a backup, [{id, email}], those who are not restored: somebody here has their id, their e-mail address in
-- any case, or one of their accounts, [{user_id, provider, subject}]; or they have been erased.
SET LOCAL ROLE questlog_identity;
CREATE OR REPLACE FUNCTION app.unrestorable_users(people jsonb, their_accounts jsonb) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT p.id
      FROM jsonb_to_recordset(people) AS p (id uuid, email text)
     WHERE EXISTS (SELECT FROM users AS u WHERE u.id = p.id)
        OR EXISTS (SELECT FROM user_directory AS d JOIN users AS u ON u.id = d.user_id
                    WHERE d.kind = 'email' AND d.key = lower(p.email))
        OR EXISTS (SELECT FROM erasures AS e WHERE e.user_hash = sha256(convert_to(p.id::text, 'UTF8')))
    UNION
    SELECT a.user_id
      FROM jsonb_to_recordset(their_accounts) AS a (user_id uuid, provider text, subject text)
      JOIN user_directory AS d ON d.kind = a.provider AND d.key = a.subject
      JOIN users AS u ON u.id = d.user_id;
END;
REVOKE EXECUTE ON FUNCTION app.unrestorable_users FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;
SET LOCAL ROLE questlog_owner;

-- Inserts rows of a backup into one of its tables. Returns how many are new. `owner` is the column that says whose a row is, null
-- where the table has none. Users, accounts and browsers are listed in the directory.
--   What is nobody's may be here already, as may rows of the audit trail, which outlive their users; a user who is new has no
--   other rows yet.
SET LOCAL ROLE questlog_restorer;
CREATE OR REPLACE FUNCTION app.restore_rows(target text, owner text, sent text[], rows jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    owned jsonb := rows;
    shared jsonb := '[]';
    inserted bigint;
    total bigint := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM backup_tables() AS t WHERE t.name = target AND t.owner IS NOT DISTINCT FROM restore_rows.owner
                    AND t.columns @> sent)
    THEN
        PERFORM misuse('These rows cannot be restored.');
    END IF;
    IF owner IS NULL OR target = 'audit_log' THEN
        owned := '[]';
        shared := rows;
    ELSIF owner = 'owner_id' THEN
        SELECT coalesce(jsonb_agg(e.value ORDER BY e.place) FILTER (WHERE e.value ->> 'owner_id' IS NOT NULL), '[]'),
               coalesce(jsonb_agg(e.value ORDER BY e.place) FILTER (WHERE e.value ->> 'owner_id' IS NULL), '[]')
          INTO owned, shared
          FROM jsonb_array_elements(rows) WITH ORDINALITY AS e (value, place);
    END IF;
    IF owned <> '[]' THEN
        EXECUTE import_statement(target, sent, format('f.%I::uuid', owner), false) USING owned;
        GET DIAGNOSTICS total = ROW_COUNT;
    END IF;
    IF shared <> '[]' THEN
        EXECUTE import_statement(target, sent, 'NULL::uuid', true) USING shared;
        GET DIAGNOSTICS inserted = ROW_COUNT;
        total := total + inserted;
    END IF;
    IF target = 'users' THEN
        INSERT INTO user_directory (kind, key, user_id)
        SELECT 'email', lower(p.email), p.id FROM jsonb_to_recordset(rows) AS p (id uuid, email text)
        ON CONFLICT (kind, key) DO UPDATE SET user_id = excluded.user_id;
    ELSIF target = 'accounts' THEN
        INSERT INTO user_directory (kind, key, user_id)
        SELECT a.provider, a.subject, a.user_id FROM jsonb_to_recordset(rows) AS a (user_id uuid, provider text, subject text)
        ON CONFLICT (kind, key) DO UPDATE SET user_id = excluded.user_id;
    ELSIF target = 'push_subscriptions' THEN
        INSERT INTO user_directory (kind, key, user_id)
        SELECT 'push', push_key(b.endpoint), b.user_id FROM jsonb_to_recordset(rows) AS b (user_id uuid, endpoint text)
        ON CONFLICT (kind, key) DO NOTHING;
    END IF;
    RETURN total;
END
$$;
REVOKE EXECUTE ON FUNCTION app.restore_rows FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;
SET LOCAL ROLE questlog_owner;

-- Empties every table that a backup fills, except the objects that wait to be deleted and the list of erased users. Users' tables
-- are emptied by deleting the only user; if another user has a row that points at shared content, this fails.
CREATE OR REPLACE FUNCTION app.empty_installation(only_user uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    target text;
    pending text[] := ARRAY(SELECT t.name FROM backup_tables() AS t
                             WHERE coalesce(t.owner, 'owner_id') = 'owner_id' AND t.name NOT IN ('erasures', 'storage_deletions'));
BEGIN
    PERFORM set_config('app.user_id', only_user::text, true);
    DELETE FROM users AS u WHERE u.id = only_user;
    DELETE FROM user_directory;
    -- Shared rows are nobody's. What points at others goes before them.
    PERFORM set_config('app.user_id', '00000000-0000-0000-0000-000000000000', true);
    WHILE pending <> '{}' LOOP
        FOR target IN SELECT t.name FROM backup_tables() AS t
                       WHERE t.name = ANY (pending)
                         AND NOT EXISTS (SELECT FROM backup_tables() AS o WHERE o.name = ANY (pending) AND t.name = ANY (o.parents))
        LOOP
            EXECUTE format('DELETE FROM %I', target);
            pending := array_remove(pending, target);
        END LOOP;
    END LOOP;
    PERFORM set_config('app.user_id', '', true);
END
$$;
REVOKE EXECUTE ON FUNCTION app.empty_installation
    FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;

-- The first problem in the ledgers of all users; null if there is none.
CREATE OR REPLACE FUNCTION app.first_ledger_problem() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT a.problem FROM ledger_audit AS a LIMIT 1);

-- Stores users as erased, by the hashes of their ids in lower-case hex. The bucket also lists those who were erased after the backup.
CREATE OR REPLACE FUNCTION app.note_erasures(hashes text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO erasures (user_hash)
    SELECT decode(h.hash, 'hex') FROM unnest(hashes) AS h (hash)
    ON CONFLICT DO NOTHING;
END;

-- Ends a restore: it is done, an uploaded backup is ready from now on, and whoever asked for it is named in the audit trail.
CREATE OR REPLACE FUNCTION app.finish_restore(wanted uuid, version int, counts jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    ended restores;
BEGIN
    UPDATE restores AS r
       SET status = 'done', finished_at = instant(), original_version = version,
           restored_version = (SELECT max(m.version)::int FROM schema_migrations AS m), results = counts
     WHERE r.id = wanted
    RETURNING r.* INTO STRICT ended;
    IF ended.mode <> 'verify' THEN
        PERFORM forget_counts();
        PERFORM revise_restored();
    END IF;
    -- Only now it is known that what was uploaded is a backup.
    UPDATE backups AS b SET status = 'ready', finished_at = instant(), schema_version = version
     WHERE b.id = ended.backup_id AND b.status = 'awaiting_upload';
    PERFORM set_config('app.user_id', coalesce(ended.requested_by::text, ''), true);
    PERFORM audit('backup_restored', 'restore', '{}', jsonb_build_object('mode', ended.mode), 'success', 'restore', wanted::text);
END
$$;
REVOKE EXECUTE ON FUNCTION app.note_erasures, app.finish_restore
    FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;
