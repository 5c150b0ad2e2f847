-- migrate:up
-- Who there is. Run by an administrator of the server; every later migration begins with SET LOCAL ROLE questlog_owner.
--
--   questlog_owner     owns schema and functions; cannot log in and, being no superuser, is itself held by row-level security
--   questlog_identity  owns the few functions that look at sessions and accounts before it is known who asks
--   questlog_board     owns the functions that read what users chose to show to others
--   questlog_admin     what a request turns into once an administrator's entitlement has been checked
--   questlog_app       login of the request functions
--   questlog_jobs      login of the scheduled work
--   questlog_console   login of the administrators' read-only SQL
--
-- Roles belong to the server, not to a database, so a second database on the same server finds them made.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['questlog_owner', 'questlog_identity', 'questlog_board', 'questlog_admin'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        END IF;
    END LOOP;
    FOREACH role_name IN ARRAY ARRAY['questlog_app', 'questlog_jobs', 'questlog_console'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        END IF;
        EXECUTE format('ALTER ROLE %I SET timezone = ''UTC''', role_name);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
    END LOOP;
    EXECUTE format('GRANT questlog_owner TO %I', current_user);
END
$$;

-- INHERIT FALSE: a policy written for a role also holds for everyone who inherits from it, so an inherited membership
-- would let the owner, and every request, see what only the inner role may.
GRANT questlog_identity TO questlog_owner WITH INHERIT FALSE, SET TRUE;
GRANT questlog_board TO questlog_owner WITH INHERIT FALSE, SET TRUE;
GRANT questlog_admin TO questlog_app WITH INHERIT FALSE, SET TRUE;

-- Limits live on the roles: a setting made per connection would not survive a transaction pooler.
ALTER ROLE questlog_app SET statement_timeout = '5s';
ALTER ROLE questlog_app SET lock_timeout = '4s';
ALTER ROLE questlog_app SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE questlog_console SET statement_timeout = '5s';
ALTER ROLE questlog_console SET default_transaction_read_only = on;
-- Statements here are short and many: compiling one costs more than running it.
ALTER ROLE questlog_app SET jit = off;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE, USAGE ON SCHEMA public TO questlog_owner;
GRANT CREATE, USAGE ON SCHEMA public TO questlog_identity, questlog_board;
GRANT USAGE ON SCHEMA public TO questlog_admin, questlog_app, questlog_jobs, questlog_console;
-- The runner's own table of versions: GET /ready compares it with the version built in.
GRANT SELECT ON schema_migrations TO PUBLIC;
