SET LOCAL ROLE questlog_owner;

-- Stores an id for the later statements of the trip, in a setting of this transaction. The statements of a trip share
-- nothing but what they write, so the one that decides which row the others are about has to leave its id here.
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
