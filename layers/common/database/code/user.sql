SET LOCAL ROLE questlog_owner;

-- The user who asks, as they see themselves.
CREATE OR REPLACE VIEW app.own_profile WITH (security_invoker = true) AS
SELECT u.id, u.email, u.name, u.image, u.role, u.created_at,
       coalesce(u.last_activity_at, u.created_at) AS last_activity_at,
       u.age_verified_at IS NOT NULL AS age_verified,
       u.tos_version,
       d.zone AS timezone,
       p.level, p.total_xp, p.coins
  FROM users AS u, day_settings() AS d, level_progress AS p
 WHERE u.id = current_user_id();
