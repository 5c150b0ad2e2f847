-- migrate:up
-- The functions that tables need: for defaults, policies, checks and triggers. None of them reads a table, so that the
-- tables can be created, restored and spread over servers in any order. All other functions are in ../code.

-- What a function's schema says about who may call it, for each role that owns functions: those of app are for the logins;
-- those of public for all but the administrators' SQL, which calls none of ours; those of internal for whoever can name
-- them, which is nobody (no login has USAGE on it). A function of app that fewer may call takes the right away in the file
-- that defines it.
DO $$
DECLARE
    owner text;
BEGIN
    FOREACH owner IN ARRAY ARRAY['questlog_owner', 'questlog_identity', 'questlog_board', 'questlog_restorer'] LOOP
        EXECUTE format('SET LOCAL ROLE %I', owner);
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public, internal, app GRANT EXECUTE ON FUNCTIONS
            TO questlog_owner, questlog_identity, questlog_board, questlog_restorer,
               questlog_app, questlog_auth, questlog_operator, questlog_admin, questlog_jobs;
        ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES
            TO questlog_app, questlog_auth, questlog_operator, questlog_admin, questlog_jobs;
        RESET ROLE;
    END LOOP;
END
$$;
SET LOCAL ROLE questlog_owner;

-- A backup fills every table.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO questlog_restorer;

-- The one source of time. clock() is the transaction's time; instant() is this moment, for what is read after a wait for a
-- lock. The tests and the local stack install others that add a shift; these are the ones of a deployed database.
CREATE FUNCTION clock() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN now();

CREATE FUNCTION instant() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN clock_timestamp();

-- The user of this transaction, set by authenticate(); null before it, so that no policy admits anything.
CREATE FUNCTION current_user_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.user_id', true), '')::uuid;

-- The session of this transaction, set by authenticate().
CREATE FUNCTION current_session_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.session_id', true), '')::uuid;

-- What authenticate() granted: 'own', or 'admin'.
CREATE FUNCTION granted_scope() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN current_setting('app.scope', true);

-- Sets updated_at, whatever statement writes the row: to this moment, not to the transaction's time, so that it is not
-- before an update that this one waited for.
CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := instant();
    RETURN NEW;
END
$$;

-- Makes a table a user's table. Every one calls it, so that none forgets a part; the catalogue test looks for the result.
-- The second policy is for another role, not another condition: OR-ed into the first it would cost every request its index.
CREATE PROCEDURE enable_row_security(target regclass)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY own ON %s USING (user_id = current_user_id()) WITH CHECK (user_id = current_user_id())',
                   target);
    EXECUTE format('CREATE POLICY admin ON %s TO questlog_admin USING (granted_scope() = ''admin'')', target);
    EXECUTE format('CREATE POLICY jobs ON %s TO questlog_jobs USING (true)', target);
    EXECUTE format('CREATE POLICY restored ON %s TO questlog_restorer USING (true)', target);
    EXECUTE format('CREATE POLICY console ON %s FOR SELECT TO questlog_console USING (true)', target);
    EXECUTE format('GRANT SELECT ON %s TO questlog_admin, questlog_jobs, questlog_console', target);
END
$$;

-- Makes a table one of shared and own rows. Its key begins with owner_key: the owner, or the zero UUID for what belongs to
-- nobody and everyone may read. Rows of other tables point at (owner_key, id), since a foreign key is checked past
-- row-level security.
CREATE PROCEDURE enable_shared_row_security(target regclass)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY own ON %s USING (owner_key = current_user_id()) WITH CHECK (owner_key = current_user_id())',
                   target);
    EXECUTE format('CREATE POLICY shared ON %s FOR SELECT USING (owner_key = ''00000000-0000-0000-0000-000000000000'')',
                   target);
    EXECUTE format('CREATE POLICY admin ON %s TO questlog_admin USING (granted_scope() = ''admin'')', target);
    EXECUTE format('CREATE POLICY jobs ON %s TO questlog_jobs USING (true)', target);
    EXECUTE format('CREATE POLICY restored ON %s TO questlog_restorer USING (true)', target);
    EXECUTE format('CREATE POLICY console ON %s FOR SELECT TO questlog_console USING (true)', target);
    EXECUTE format('GRANT SELECT ON %s TO questlog_admin, questlog_jobs, questlog_console', target);
END
$$;

-- Makes a table append only, to its owner as well.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = '42501', MESSAGE = format('%s is append only: %s is refused.', TG_TABLE_NAME, TG_OP);
END
$$;

-- Rows may go by the cascade of a deleted user, and then this trigger runs inside the one that cascades.
CREATE FUNCTION refuse_deletion() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION USING
            ERRCODE = '42501', MESSAGE = format('%s is append only: only a deleted user''s rows go.', TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;

CREATE PROCEDURE make_append_only(target regclass)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER no_update BEFORE UPDATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', target);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                   target);
    EXECUTE format('CREATE TRIGGER no_delete BEFORE DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion()',
                   target);
END
$$;
