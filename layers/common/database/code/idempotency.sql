SET LOCAL ROLE questlog_owner;

-- Claims an Idempotency-Key for this transaction. Where the key has a stored answer, PT200 is raised with it. That stops
-- the statements queued behind this one, and the API sends the stored answer again. The advisory lock shows, without
-- waiting, that the first request of the key is still running.
CREATE OR REPLACE FUNCTION app.claim_idempotency_key(presented_key text, presented_fingerprint bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    kept idempotency_keys;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(current_user_id() || ' ' || presented_key, 0)) THEN
        PERFORM refuse(409, 'idempotency_in_progress', 'The first request with this Idempotency-Key is still running.');
    END IF;
    SELECT * INTO kept FROM idempotency_keys
     WHERE user_id = current_user_id() AND key = presented_key AND created_at > clock() - interval '24 hours';
    IF FOUND AND kept.fingerprint <> presented_fingerprint THEN
        PERFORM refuse(422, 'idempotency_mismatch', 'This Idempotency-Key was used for another request.');
    ELSIF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'PT200', MESSAGE = kept.status::text, DETAIL = coalesce(kept.body::text, '');
    END IF;
    INSERT INTO idempotency_keys (key, fingerprint) VALUES (presented_key, presented_fingerprint)
    ON CONFLICT (user_id, key) DO UPDATE
       SET fingerprint = excluded.fingerprint, status = NULL, body = NULL, created_at = clock();
END
$$;
