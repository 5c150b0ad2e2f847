-- A double-entry transfer, the least that deserves the name: what `award` is measured against. Two accounts locked in
-- order, their balances moved, and a transfer with two entries that carry the balance after them. It knows no keys, users,
-- levels, streaks or achievements.
CREATE TABLE bench_accounts (
    id bigint PRIMARY KEY,
    balance bigint NOT NULL DEFAULT 0
);
CREATE TABLE bench_transfers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_account bigint NOT NULL REFERENCES bench_accounts,
    to_account bigint NOT NULL REFERENCES bench_accounts,
    amount bigint NOT NULL CHECK (amount > 0),
    created_at timestamptz NOT NULL DEFAULT clock(),
    CHECK (from_account <> to_account)
);
CREATE TABLE bench_entries (
    transfer_id bigint NOT NULL REFERENCES bench_transfers,
    account_id bigint NOT NULL REFERENCES bench_accounts,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    PRIMARY KEY (transfer_id, account_id)
);
CREATE INDEX ON bench_entries (account_id, transfer_id DESC);

CREATE FUNCTION bench_transfer(from_account bigint, to_account bigint, moved bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM FROM bench_accounts WHERE id IN (from_account, to_account) ORDER BY id FOR UPDATE;
    INSERT INTO bench_transfers (from_account, to_account, amount) VALUES (from_account, to_account, moved)
    RETURNING id INTO made;
    WITH moved_balances AS (
        UPDATE bench_accounts AS a
           SET balance = a.balance + CASE a.id WHEN to_account THEN moved ELSE -moved END
         WHERE a.id IN (from_account, to_account)
        RETURNING a.id, a.balance
    )
    INSERT INTO bench_entries (transfer_id, account_id, amount, balance_after)
    SELECT made, b.id, CASE b.id WHEN to_account THEN moved ELSE -moved END, b.balance FROM moved_balances AS b;
    RETURN made;
END
$$;

GRANT SELECT, INSERT, UPDATE ON bench_accounts, bench_transfers, bench_entries TO questlog_app;
