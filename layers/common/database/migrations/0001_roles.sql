-- migrate:up
-- The roles. Run by an administrator of the server; every later migration begins with SET LOCAL ROLE questlog_owner.
--
--   questlog_owner     owns schemas and tables; cannot log in and, being no superuser, is itself held by row-level security
--   questlog_identity  owns the few functions that look at sessions and accounts before it is known who asks
--   questlog_board     owns the functions that read what users chose to show to others
--   questlog_restorer  owns the function that inserts rows of a backup, whose ever they are
--   questlog_admin     what a request of the admin function turns into once the user's role has been checked
--   questlog_app       login of the request functions
--   questlog_auth      login of the auth function alone: looks at sessions, signs in, makes administrators
--   questlog_operator  login of the admin function alone
--   questlog_jobs      login of the scheduled work
--   questlog_console   login of the administrators' read-only SQL
--
-- Roles belong to the server, not to a database, so a second database on the same server finds them made.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['questlog_owner', 'questlog_identity', 'questlog_board', 'questlog_restorer', 'questlog_admin']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        END IF;
    END LOOP;
    FOREACH role_name IN ARRAY
        ARRAY['questlog_app', 'questlog_auth', 'questlog_operator', 'questlog_jobs', 'questlog_console']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        END IF;
        EXECUTE format('ALTER ROLE %I SET timezone = ''UTC''', role_name);
        EXECUTE format('ALTER ROLE %I SET search_path = app, public', role_name);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
    END LOOP;
    -- Limits are set on the roles: behind a transaction pooler a setting of a connection does not last.
    FOREACH role_name IN ARRAY ARRAY['questlog_app', 'questlog_auth', 'questlog_operator'] LOOP
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''5s''', role_name);
        EXECUTE format('ALTER ROLE %I SET lock_timeout = ''4s''', role_name);
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''10s''', role_name);
        -- Statements here are short and many: compiling one costs more than running it.
        EXECUTE format('ALTER ROLE %I SET jit = off', role_name);
        -- A statement is planned once per connection, not six times: planning was half the cost of a new connection.
        EXECUTE format('ALTER ROLE %I SET plan_cache_mode = force_generic_plan', role_name);
        -- Every request reads little. Without its limit known, a plan would start workers for twenty rows, at 10 ms each time.
        EXECUTE format('ALTER ROLE %I SET max_parallel_workers_per_gather = 0', role_name);
    END LOOP;
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT questlog_owner TO %I', current_user);
END
$$;

-- INHERIT FALSE: a policy written for a role also holds for everyone who inherits from it, so an inherited membership
-- would let the owner, and every request, see what only the inner role may.
GRANT questlog_identity TO questlog_owner WITH INHERIT FALSE, SET TRUE;
GRANT questlog_board TO questlog_owner WITH INHERIT FALSE, SET TRUE;
GRANT questlog_restorer TO questlog_owner WITH INHERIT FALSE, SET TRUE;
GRANT questlog_admin TO questlog_operator WITH INHERIT FALSE, SET TRUE;

ALTER ROLE questlog_console SET statement_timeout = '5s';
ALTER ROLE questlog_console SET lock_timeout = '1s';
ALTER ROLE questlog_console SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE questlog_console SET max_parallel_workers_per_gather = 0;
ALTER ROLE questlog_console SET jit = off;
ALTER ROLE questlog_console SET default_transaction_read_only = on;

-- Three schemas say who may call what. public: tables, and the functions that tables need. app: what requests may call.
-- internal: what only the functions of app call; no login may look inside.
CREATE SCHEMA app;
CREATE SCHEMA internal;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE, USAGE ON SCHEMA public, app, internal
    TO questlog_owner, questlog_identity, questlog_board, questlog_restorer;
GRANT USAGE ON SCHEMA public, app TO questlog_admin, questlog_app, questlog_auth, questlog_operator, questlog_jobs,
    questlog_console;

-- Extensions stand beside: what they bring is nobody's to call. Both come with Postgres: pg_trgm finds a part of a word by an
-- index, and with btree_gist a constraint can refuse spans of days that overlap.
CREATE SCHEMA IF NOT EXISTS extensions;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO questlog_owner;

-- Large objects are files that anyone may make, outside of row-level security.
REVOKE ALL ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea), lo_import(text), lo_import(text, oid)
    FROM PUBLIC;
-- A login may end the backends of its own role: one request could end all others.
REVOKE ALL ON FUNCTION pg_terminate_backend(int, bigint), pg_cancel_backend(int) FROM PUBLIC;

-- What is written to the log of changes is there for good, also by a transaction that only reads.
DO $$
DECLARE
    writing regprocedure;
BEGIN
    FOR writing IN SELECT oid FROM pg_proc WHERE proname = 'pg_logical_emit_message' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', writing);
    END LOOP;
END
$$;

-- A DO block may catch the cancellation of its statement, and so outlive its time. Those who own functions write them in it.
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO questlog_owner, questlog_identity, questlog_board, questlog_restorer;

-- The runner's own table of versions: GET /ready compares it with the version built in.
GRANT SELECT ON schema_migrations TO PUBLIC;
