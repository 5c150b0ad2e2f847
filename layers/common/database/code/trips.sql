SET LOCAL ROLE questlog_owner;

-- Statements of one trip know of each other only what they wrote. Where one decides which row the others are about, it
-- remembers its id, for this transaction.
CREATE OR REPLACE FUNCTION app.remember(id uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('app.remembered', coalesce(id::text, ''), true);
    RETURN id;
END
$$;

-- The id that a statement before this one remembered; null when none did.
CREATE OR REPLACE FUNCTION app.remembered() RETURNS uuid
LANGUAGE sql STABLE
RETURN nullif(current_setting('app.remembered', true), '')::uuid;
