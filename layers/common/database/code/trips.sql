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

-- Has the later statements of the trip planned without a sort where an index has the order that they ask for. Whatever shows a page
-- of a list that may be long calls it before. A plan is kept for every account, and the planner expects the list of an average
-- one: where that is short, reading all of it and sorting looks as cheap as reading an index, and for a long list is not.
--   Aggregates of distinct or ordered values are to choose their index as ever, by what they read.
CREATE OR REPLACE FUNCTION app.read_in_index_order() RETURNS text[]
LANGUAGE sql VOLATILE
RETURN ARRAY[set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
             set_config('enable_presorted_aggregate', 'off', true)];
