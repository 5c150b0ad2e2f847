SET LOCAL ROLE questlog_owner;

-- The awards that stand: no spends, no counter-entries, nothing that was taken back.
CREATE OR REPLACE VIEW app.standing_awards WITH (security_invoker = true) AS
SELECT l.* FROM points_ledger AS l
 WHERE l.reverses IS NULL
   AND l.coins >= 0
   AND NOT EXISTS (SELECT FROM points_ledger AS r WHERE r.user_id = l.user_id AND r.reverses = l.id);
