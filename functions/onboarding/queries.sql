-- Statements of one name travel together, and each sees what those before it wrote. Whatever changes the user's state begins
-- with lock_user(), so that two answers at once advance by one step.

-- name: onboarding
SELECT * FROM user_onboarding_state;
SELECT f.id, f.name, (SELECT count(*) FROM onboarding_steps AS t WHERE t.flow_id = f.id) AS total_steps
  FROM onboarding_flow() AS f;
SELECT t.*, t.step_order AS "order", r.step_id IS NOT NULL AS is_answered,
       EXISTS (SELECT FROM user_onboarding_state AS s WHERE s.current_step_id = t.id) AS is_current
  FROM onboarding_flow() AS f
  JOIN onboarding_steps AS t ON t.flow_id = f.id
  LEFT JOIN user_onboarding_responses AS r ON r.step_id = t.id
 ORDER BY t.step_order;

-- name: start
SELECT lock_user();
SELECT begin_onboarding();
SELECT * FROM user_onboarding_state;
SELECT t.*, t.step_order AS "order" FROM user_onboarding_state AS s JOIN onboarding_steps AS t ON t.id = s.current_step_id;

-- name: answer
SELECT lock_user();
SELECT t.id, answer_onboarding(t, %(answer)s::jsonb -> 'response')
  FROM onboarding_flow() AS f JOIN onboarding_steps AS t ON t.flow_id = f.id
 WHERE t.id = %(step_id)s;
SELECT * FROM user_onboarding_state;
SELECT t.*, t.step_order AS "order" FROM user_onboarding_state AS s JOIN onboarding_steps AS t ON t.id = s.current_step_id;

-- name: skip
SELECT lock_user();
SELECT refuse(409, 'invalid_state', 'Onboarding is completed.', '{"status": "completed"}')
  FROM user_onboarding_state WHERE status = 'completed';
INSERT INTO user_onboarding_state AS s (flow_id, status, skipped_at, soft_landing_until)
SELECT f.id, 'skipped', now, now + make_interval(hours => %(hours)s) FROM onboarding_flow() AS f, instant() AS now
ON CONFLICT (user_id) DO UPDATE
   SET status = 'skipped', flow_id = excluded.flow_id, skipped_at = excluded.skipped_at,
       soft_landing_until = excluded.soft_landing_until, can_resume = true
 WHERE s.status <> 'skipped';
SELECT soft_landing_until FROM user_onboarding_state;

-- name: reset
SELECT lock_user();
DELETE FROM user_onboarding_responses;
UPDATE user_onboarding_state
   SET status = 'not_started', current_step_id = NULL, started_at = NULL, completed_at = NULL, skipped_at = NULL,
       soft_landing_until = NULL, can_resume = true;
SELECT true AS success;
