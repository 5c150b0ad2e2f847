-- A name may hold several statements; they travel together, and the last ones return what the route reads.

-- name: open_state
SELECT count_against_limit('auth:' || %(network)s, %(attempts)s, interval '1 minute') WHERE %(attempts)s > 0;
SELECT open_oauth_state(%(state_hash)s, %(provider)s, %(verifier)s, %(nonce)s, %(redirect)s);

-- name: take_state
SELECT count_against_limit('auth:' || %(network)s, %(attempts)s, interval '1 minute') WHERE %(attempts)s > 0;
SELECT * FROM take_oauth_state(%(state_hash)s, %(provider)s);

-- name: sign_in
SELECT *
  FROM sign_in(%(who)s, %(promote)s, %(new_hash)s, %(lifetime)s, %(former_user)s, %(former_hash)s, %(client)s);

-- name: note_failure
SELECT audit('login_failed', 'create', %(client)s, %(details)s, 'failure', 'session');

-- name: session
SELECT * FROM signed_in_user(%(terms)s);
SELECT expires_at FROM sessions_shown WHERE current;

-- name: me
SELECT * FROM signed_in_user(%(terms)s);

-- name: sign_out
SELECT audit('logout', 'delete', %(client)s, '{}', 'success', 'session', current_session_id()::text);
DELETE FROM sessions WHERE id = current_session_id();

-- name: verify_age
SELECT refuse(403, 'age_verification_required', 'You are not old enough to use this.',
              jsonb_build_object('minimum_age', %(minimum_age)s::int))
 WHERE NOT %(confirmed)s;
SELECT confirm_age(%(client)s);
SELECT %(minimum_age)s::int AS minimum_age;

-- name: accept_tos
SELECT refuse(403, 'age_verification_required', 'You are not old enough to use this.',
              jsonb_build_object('minimum_age', %(minimum_age)s::int))
 WHERE NOT %(old_enough)s;
SELECT refuse(409, 'tos_version_mismatch', 'These are not the current terms.', jsonb_build_object('current', %(terms)s::text))
 WHERE %(version)s::text <> %(terms)s;
SELECT accept_terms(%(terms)s, %(terms_state_age)s, %(client)s);
SELECT tos_version, tos_accepted_at FROM users;

-- name: sessions
SELECT *
  FROM sessions_shown
 WHERE expires_at > clock() AND (kind = 'token' OR last_activity_at > clock() - %(idle)s::interval)
 ORDER BY last_activity_at DESC, id;

-- name: add_token
-- The lock on the user's row makes their requests count one after another.
SELECT FROM users FOR NO KEY UPDATE;
SELECT refuse(409, 'too_many_tokens', 'There are 20 live tokens already; revoke one first.')
  FROM sessions_shown WHERE kind = 'token' AND expires_at > clock() HAVING count(*) >= 20;
INSERT INTO sessions (id, token_hash, kind, name, scope, expires_at, user_agent, ip_address)
VALUES (%(id)s, %(token_hash)s, 'token', %(name)s, %(scope)s, clock() + %(lifetime)s, left(%(client)s ->> 'user_agent', 400),
        (%(client)s ->> 'ip_address')::inet);
SELECT audit('token_created', 'create', %(client)s, '{}', 'success', 'session', %(id)s::text);
SELECT *, current_user_id() AS user_id FROM sessions_shown WHERE id = %(id)s;

-- name: revoke
WITH gone AS (DELETE FROM sessions WHERE id = %(session_id)s RETURNING id)
SELECT count(audit('session_revoked', 'delete', %(client)s, '{}', 'success', 'session', id::text)) AS revoked,
       bool_or(id = current_session_id()) AS current
  FROM gone HAVING count(*) > 0;

-- name: revoke_others
WITH gone AS (DELETE FROM sessions WHERE id <> current_session_id() RETURNING id)
SELECT count(audit('session_revoked', 'delete', %(client)s, '{}', 'success', 'session', id::text)) AS revoked FROM gone;

-- name: admin_status
SELECT role = 'admin' AS is_admin, %(claimable)s AND NOT admin_exists() AS can_claim,
       id, email, name
  FROM users;

-- name: claim
SELECT claim_admin(%(key_is_right)s, %(new_hash)s, %(client)s) AS refusal, current_user_id() AS user_id;
