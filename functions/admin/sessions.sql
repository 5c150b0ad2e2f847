-- name: sessions
SELECT s.id, s.kind, s.name, s.id = current_session_id() AS current, s.created_at, s.last_activity_at, s.expires_at,
       s.user_agent, host(s.ip_address) AS ip_address, s.user_id,
       (SELECT u.email FROM users AS u WHERE u.id = s.user_id) AS user_email,
       (SELECT u.name FROM users AS u WHERE u.id = s.user_id) AS user_name
  FROM sessions AS s
 WHERE s.expires_at > clock() AND (s.kind = 'token' OR s.last_activity_at > clock() - %(idle)s::interval)
 ORDER BY s.last_activity_at DESC, s.id
 LIMIT 500;

-- name: sessions_of_user
SELECT s.id, s.kind, s.name, s.id = current_session_id() AS current, s.created_at, s.last_activity_at, s.expires_at,
       s.user_agent, host(s.ip_address) AS ip_address, s.user_id,
       (SELECT u.email FROM users AS u WHERE u.id = s.user_id) AS user_email,
       (SELECT u.name FROM users AS u WHERE u.id = s.user_id) AS user_name
  FROM sessions AS s
 WHERE s.user_id = %(user_id)s
   AND s.expires_at > clock() AND (s.kind = 'token' OR s.last_activity_at > clock() - %(idle)s::interval)
 ORDER BY s.last_activity_at DESC, s.id
 LIMIT 500;

-- name: end_session
WITH gone AS (DELETE FROM sessions AS s WHERE s.id = %(session_id)s RETURNING s.id)
SELECT true AS success, audit('session_revoked', 'delete', %(client)s, '{}', 'success', 'session', gone.id::text) FROM gone;
