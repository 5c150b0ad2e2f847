SET LOCAL ROLE questlog_owner;

-- Whether an account is empty --------------------------------------------------------------------------------------------

-- The rows that signing in, the first steps and reading leave in an account. An account that has no others counts as empty, and
-- an import replaces these.
CREATE OR REPLACE FUNCTION internal.replaced_by_imports() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY['user_interests', 'user_onboarding_responses', 'user_onboarding_state', 'user_progress', 'user_settings',
             'user_wallet'];

-- Tables that the ledger fills itself while its rows are imported. Rows of the export are added only where it did not.
CREATE OR REPLACE FUNCTION internal.made_by_ledger() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY['user_counters', 'user_progress', 'user_skills', 'user_wallet'];

-- How many rows the user has in each exported table that has any, by name. What an import replaces is not counted.
CREATE OR REPLACE FUNCTION internal.account_rows() RETURNS TABLE (name text, total bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner text;
BEGIN
    FOR name, owner IN SELECT t.name, t.owner FROM export_tables() AS t WHERE t.name <> ALL (replaced_by_imports()) LOOP
        EXECUTE format('SELECT count(*) FROM %I AS t WHERE t.%I = current_user_id()%s', name, owner, exported_condition(name))
           INTO total;
        IF total > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

-- Refuses with 409 account_not_empty where a table has more rows of the user than `brought` says: {table: rows}.
CREATE OR REPLACE FUNCTION internal.require_account_of(brought jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    others jsonb := (SELECT jsonb_object_agg(r.name, r.total) FROM account_rows() AS r
                      WHERE r.total > coalesce((brought ->> r.name)::bigint, 0));
BEGIN
    IF others IS NOT NULL THEN
        PERFORM refuse(409, 'account_not_empty',
            'Only an empty account can be filled by an import. Delete this account and sign in again to get an empty one.',
            jsonb_build_object('tables', others));
    END IF;
END
$$;

-- The same for an account that has to be empty.
CREATE OR REPLACE FUNCTION app.require_empty_account() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM require_account_of('{}');
END
$$;

-- Beginning --------------------------------------------------------------------------------------------------------------

-- Queues an import whose file is there. One that was started before stays as it is. 409 account_not_empty, and 409
-- import_running while another one is queued or running.
CREATE OR REPLACE FUNCTION app.start_import(wanted uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM lock_user();
    IF EXISTS (SELECT FROM user_imports AS i WHERE i.id = wanted AND i.status = 'awaiting_upload') THEN
        PERFORM require_empty_account();
        IF EXISTS (SELECT FROM user_imports AS i WHERE i.status IN ('queued', 'running')) THEN
            PERFORM refuse(409, 'import_running', 'Another import is under way.');
        END IF;
        UPDATE user_imports AS i SET status = 'queued' WHERE i.id = wanted;
        PERFORM enqueue_job(wanted, 'import', 5);
    END IF;
END
$$;

-- Objects in the bucket --------------------------------------------------------------------------------------------------

-- Lists objects that are about to be written, so that none is forgotten if the import is killed: after a day they are deleted.
-- settle_import() takes those off the list that are in use; fail_import() has the others deleted at once.
-- Returns false if one of them is being deleted at this moment, because an earlier import had written it and failed.
CREATE OR REPLACE FUNCTION app.expect_imported_objects(keys text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(keys) AS k (key) WHERE NOT starts_with(k.key, current_user_id() || '/')) THEN
        PERFORM misuse('An object can only be written for the user whose it is.');
    END IF;
    -- A run that claims a row to delete its object raises `attempts` and puts off the next attempt.
    IF EXISTS (SELECT FROM storage_deletions AS s
                WHERE s.object_key = ANY (keys) AND s.attempts > 0 AND s.last_error IS NULL AND s.run_after > instant())
    THEN
        RETURN false;
    END IF;
    DELETE FROM storage_deletions AS s WHERE s.object_key = ANY (keys);
    INSERT INTO storage_deletions (object_key, run_after)
    SELECT k.key, instant() + interval '24 hours' FROM unnest(keys) AS k (key);
    RETURN true;
END
$$;

-- Loading ----------------------------------------------------------------------------------------------------------------

-- The tables that an import fills by name: their columns, and the tables whose rows have to be there before theirs. Keys that
-- are checked at the end of the transaction ask for no order.
CREATE OR REPLACE FUNCTION app.import_tables() RETURNS TABLE (name text, columns text[], parents text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT t.name, t.columns,
           ARRAY(SELECT DISTINCT p.relname::text
                   FROM pg_constraint AS k JOIN pg_class AS p ON p.oid = k.confrelid
                  WHERE k.contype = 'f' AND NOT k.condeferrable
                    AND k.conrelid = to_regclass(format('public.%I', t.name)))
           || CASE WHEN t.name = ANY (made_by_ledger()) THEN ARRAY['points_ledger'] ELSE '{}' END
      FROM export_tables() AS t;
END;

-- Makes the account ready to be filled, in the transaction that fills it. 409 account_not_empty.
CREATE OR REPLACE FUNCTION app.open_import() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    replaced text;
BEGIN
    SET CONSTRAINTS ALL DEFERRED;
    PERFORM lock_user();
    PERFORM require_empty_account();
    FOREACH replaced IN ARRAY replaced_by_imports() LOOP
        EXECUTE format('DELETE FROM %I WHERE user_id = current_user_id()', replaced);
    END LOOP;
END
$$;

-- The SQL of a column's value in the row `f` of an export: the inverse of exported_value(). `owner` is the SQL of whose row it is.
CREATE OR REPLACE FUNCTION internal.imported_value(column_name text, column_type text, is_required boolean, owner text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN format(
    CASE
        WHEN column_type = 'uuid' THEN $$CASE f.%1$I WHEN 'me' THEN %2$s ELSE f.%1$I::uuid END$$
        WHEN column_type = 'bytea' THEN $$decode(f.%1$I, 'base64')$$
        WHEN column_name IN ('r2_key', 'object_key') THEN $$%2$s || '/' || f.%1$I$$
        -- The null of JSON, which an export cannot tell from no value.
        WHEN column_type = 'jsonb' AND is_required THEN $$coalesce(f.%1$I, 'null')$$
        ELSE 'f.%1$I'
    END, column_name, owner);

-- For each key of a table by which a row points at another one: the SQL that says whether the row `r` can do so; whether the
-- other one may come later, because the key is checked at the end of the transaction; and whether it is of the same table.
-- The key to the user is left out: the user is here.
CREATE OR REPLACE FUNCTION internal.import_conditions(target text)
RETURNS TABLE (condition text, may_come_later boolean, is_in_table boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT format('(%s OR EXISTS (SELECT FROM %s AS p WHERE %s))',
                  string_agg(format('r.%I IS NULL', a.attname), ' OR '), k.confrelid::regclass,
                  string_agg(format('p.%I = r.%I', b.attname, a.attname), ' AND ')),
           k.condeferrable, k.confrelid = k.conrelid
      FROM pg_constraint AS k
     CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair (here, there)
      JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = pair.here
      JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = pair.there
     WHERE k.contype = 'f' AND k.confrelid <> 'users'::regclass AND k.conrelid = to_regclass(format('public.%I', target))
     GROUP BY k.oid, k.confrelid, k.conrelid, k.condeferrable;
END;

-- The column that says whose the rows of a table are; null unless an import fills the table.
CREATE OR REPLACE FUNCTION internal.owner_column(target text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT a.attname::text
          FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass(format('public.%I', target)) AND a.attname IN ('user_id', 'owner_id')
           AND NOT a.attisdropped AND target <> ALL (left_out_of_exports()));

-- The statement that inserts rows of an export, a JSON array as $1, into a table; `sent` are the columns that the export has.
-- Others get their defaults. A row is left out where it points at a row that is not here.
--   i  the columns that are inserted; r  with the columns that the table makes of them, which keys may be made of too
-- `owner` is the SQL of whose a row is. With `skips_present`, rows are left out that are here by one of their keys.
CREATE OR REPLACE FUNCTION internal.import_statement(target text, sent text[], owner text, skips_present boolean) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT format('INSERT INTO %I (%s) SELECT %s FROM (SELECT i.*%s FROM (SELECT %s FROM jsonb_to_recordset($1) AS f (%s)) AS i)'
                  ' AS r WHERE %s%s',
                  target,
                  string_agg(format('%I', v.name), ', ' ORDER BY v.place) FILTER (WHERE NOT v.is_made),
                  string_agg(format('r.%I', v.name), ', ' ORDER BY v.place) FILTER (WHERE NOT v.is_made),
                  string_agg(format(', (%s) AS %I', v.standard, v.name), '' ORDER BY v.place) FILTER (WHERE v.is_made),
                  string_agg(format('%s AS %I', v.value, v.name), ', ' ORDER BY v.place) FILTER (WHERE NOT v.is_made),
                  string_agg(format('%I %s', v.name, v.sent_type), ', ' ORDER BY v.place) FILTER (WHERE v.name = ANY (sent)),
                  (SELECT coalesce(string_agg(k.condition, ' AND '), 'true')
                     FROM import_conditions(target) AS k WHERE NOT k.may_come_later),
                  CASE WHEN skips_present OR target = ANY (made_by_ledger()) THEN ' ON CONFLICT DO NOTHING' ELSE '' END)
      FROM (SELECT a.attname::text AS name, a.attnum AS place, a.attgenerated <> '' AS is_made,
                   pg_get_expr(d.adbin, d.adrelid) AS standard,
                   CASE WHEN a.attname IN ('r2_key', 'object_key') OR t.type IN ('uuid', 'bytea') THEN 'text'
                        ELSE t.type END AS sent_type,
                   CASE WHEN a.attname IN ('user_id', 'owner_id') AND a.attname <> ALL (sent) THEN owner
                        -- What is nobody's has keys of objects as they are.
                        WHEN a.attname = ANY (sent) AND t.type = 'text' AND owner_column(target) IS NULL
                            THEN format('f.%I', a.attname)
                        WHEN a.attname = ANY (sent) THEN imported_value(a.attname, t.type, a.attnotnull, owner)
                        ELSE format('(%s)::%s', coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL'), t.type)
                   END AS value
              FROM pg_class AS c
              JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             CROSS JOIN LATERAL (SELECT format_type(a.atttypid, a.atttypmod) AS type) AS t
             WHERE c.oid = to_regclass(format('public.%I', target))) AS v;
END;

-- Inserts rows of an export, a JSON array, into an exported table of the user; `sent` are the columns that the rows have. Rows
-- that point at something that is not here are left out. The ledger has a function of its own: import_ledger().
CREATE OR REPLACE FUNCTION app.import_rows(target text, sent text[], rows jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF target = 'points_ledger' OR owner_column(target) IS NULL THEN
        PERFORM misuse('These rows cannot be imported.');
    END IF;
    EXECUTE import_statement(target, array_remove(sent, owner_column(target)), 'current_user_id()', false) USING rows;
END
$$;

-- The same for rows of the ledger, in their order: see import_ledger(). A skill that is not here is taken out of its rows, which
-- cannot be left out themselves: the balances follow each other.
CREATE OR REPLACE FUNCTION app.import_ledger_rows(rows jsonb, is_first boolean, is_last boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    unknown text[] := ARRAY(SELECT DISTINCT e.value ->> 'skill_key' FROM jsonb_array_elements(rows) AS e
                             WHERE e.value ->> 'skill_key' NOT IN (SELECT d.key FROM skill_definitions AS d));
BEGIN
    IF unknown <> '{}' THEN
        rows := (SELECT jsonb_agg(CASE WHEN e.value ->> 'skill_key' = ANY (unknown)
                                       THEN e.value || '{"skill_key": null, "skill_stars": 0}' ELSE e.value END
                                  ORDER BY e.place)
                   FROM jsonb_array_elements(rows) WITH ORDINALITY AS e (value, place));
    END IF;
    PERFORM import_ledger(rows, is_first, is_last);
END
$$;

-- Ends the import of a table: leaves out what only its own rows can tell, such as rows that point at rows of the same table that
-- were left out. Returns how many rows are there.
CREATE OR REPLACE FUNCTION app.close_imported_table(target text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    pruning text;
    total bigint;
BEGIN
    IF target = 'learn_review_items' THEN
        PERFORM forget_unknown_reviews();
    END IF;
    FOR pruning IN SELECT format('DELETE FROM %I AS r WHERE NOT %s', target, k.condition)
                     FROM import_conditions(target) AS k WHERE k.is_in_table LOOP
        LOOP
            EXECUTE pruning;
            GET DIAGNOSTICS total = ROW_COUNT;
            EXIT WHEN total = 0;
        END LOOP;
    END LOOP;
    EXECUTE format('SELECT count(*) FROM %I WHERE %I = current_user_id()', target, owner_column(target)) INTO total;
    RETURN total;
END
$$;

-- Ending -----------------------------------------------------------------------------------------------------------------

-- Has the file of an import deleted after a while.
CREATE OR REPLACE FUNCTION internal.discard_import_file(wanted uuid, delay interval) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM storage_deletions AS s USING user_imports AS i WHERE i.id = wanted AND s.object_key = i.object_key;
    INSERT INTO storage_deletions (object_key, run_after)
    SELECT i.object_key, instant() + delay FROM user_imports AS i WHERE i.id = wanted;
END;

-- The last step of the transaction that fills an account. `brought` says how many rows of each table are there, `left_out`
-- how many of the export are not; `person` has the name and the image of the profile.
--   What is derived from the rows is made, and the ledger is checked. At the very end the user's row is locked, for which every
--   transaction waits that is adding a row to the account; then nothing else may be there.
CREATE OR REPLACE FUNCTION app.settle_import(wanted uuid, person jsonb, brought jsonb, left_out jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM index_infobase();
    PERFORM index_ideas();
    PERFORM resume_analyses();
    PERFORM plan_reminders();
    PERFORM count_own_feedback(1);
    PERFORM count_totals(current_user_id());
    PERFORM show_on_boards(false), show_on_boards(setting('profile_public') = 'true');
    PERFORM require_sound_ledger();
    UPDATE users AS u SET name = person ->> 'name', image = person ->> 'image' WHERE u.id = current_user_id();
    -- An export without audio: what was ready is a file that is not there yet.
    UPDATE reference_tracks AS t SET status = 'uploading'
     WHERE t.status = 'ready' AND NOT EXISTS (SELECT FROM storage_deletions AS s WHERE s.object_key = t.r2_key);
    DELETE FROM storage_deletions AS s WHERE s.object_key IN (SELECT t.r2_key FROM reference_tracks AS t);
    UPDATE user_imports AS i
       SET status = 'done', progress = 100, finished_at = instant(), counts = brought, skipped = left_out
     WHERE i.id = wanted;
    PERFORM revise_user(current_user_id()), revise_goals(), revise_quests();
    PERFORM discard_import_file(wanted, interval '0');
    PERFORM audit('data_import', 'import', '{}', resource_type => 'import', resource_id => wanted::text);
    PERFORM FROM users AS u WHERE u.id = current_user_id() FOR UPDATE;
    PERFORM require_account_of(brought);
END
$$;

-- Notes that an import has failed. What it has brought to the bucket is deleted; its own file a day later, so that an
-- administrator can have it tried again.
CREATE OR REPLACE FUNCTION app.fail_import(wanted uuid, reason_type text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    UPDATE user_imports AS i
       SET status = 'failed', finished_at = instant(), error_type = reason_type, error_message = reason
     WHERE i.id = wanted;
    -- What waits without an attempt so far is what expect_imported_objects() has listed.
    UPDATE storage_deletions AS s SET run_after = instant()
     WHERE starts_with(s.object_key, current_user_id() || '/audio/') AND s.attempts = 0 AND s.run_after > instant();
    PERFORM discard_import_file(wanted, interval '24 hours');
END
$$;

-- Queues an import again that has failed.
CREATE OR REPLACE FUNCTION app.requeue_import(owner uuid, wanted uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE user_imports AS i
       SET status = 'queued', progress = 0, started_at = NULL, finished_at = NULL, error_type = NULL, error_message = NULL
     WHERE i.user_id = owner AND i.id = wanted;
END;

REVOKE EXECUTE ON FUNCTION app.require_empty_account, app.expect_imported_objects, app.import_tables, app.open_import,
    app.import_rows, app.import_ledger_rows, app.close_imported_table, app.settle_import, app.fail_import
    FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;
REVOKE EXECUTE ON FUNCTION app.start_import FROM questlog_auth, questlog_operator, questlog_admin, questlog_jobs;
REVOKE EXECUTE ON FUNCTION app.requeue_import FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
