SET LOCAL ROLE questlog_owner;

-- Has an object of the bucket deleted, in case the caller cannot do it at once. Only the caller's own.
CREATE OR REPLACE FUNCTION app.delete_object_later(key text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF starts_with(key, current_user_id() || '/') THEN
        INSERT INTO storage_deletions (object_key) VALUES (key);
    ELSE
        PERFORM misuse('An object can only be deleted by the user whose it is.');
    END IF;
END
$$;
