-- name: sessions
-- OFFSET 0 keeps the planner from a join: each session is looked up by its key.
SELECT s.id, s.kind, s.name, s.scope, s.id = current_session_id() AS current, s.created_at, s.last_activity_at,
       s.expires_at, s.user_agent, host(s.ip_address) AS ip_address, s.user_id, u.email AS user_email, u.name AS user_name
  FROM live_sessions(%(idle)s, %(user_id)s) AS l
 CROSS JOIN LATERAL (
       SELECT o.id, o.kind, o.name, o.scope, o.created_at, o.last_activity_at, o.expires_at, o.user_agent, o.ip_address,
              o.user_id
         FROM sessions AS o WHERE o.user_id = l.user_id AND o.id = l.id OFFSET 0) AS s
 CROSS JOIN LATERAL (SELECT o.email, o.name FROM users AS o WHERE o.id = l.user_id OFFSET 0) AS u
 ORDER BY s.last_activity_at DESC, s.id;

-- name: end_session
WITH gone AS (DELETE FROM sessions AS s WHERE s.id = %(session_id)s RETURNING s.id)
SELECT true AS success, audit('session_revoked', 'delete', %(client)s, '{}', 'success', 'session', gone.id::text) FROM gone;
