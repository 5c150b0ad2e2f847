SET LOCAL ROLE questlog_owner;

-- The awards that were not taken back. Without what was spent, and without counter-entries.
CREATE OR REPLACE VIEW app.standing_awards WITH (security_invoker = true) AS
SELECT l.* FROM points_ledger AS l
 WHERE l.reverses IS NULL
   AND l.coins >= 0
   AND NOT EXISTS (SELECT FROM points_ledger AS r WHERE r.user_id = l.user_id AND r.reverses = l.id);

-- The user's level, XP and coins. One row, also for a user without a ledger.
CREATE OR REPLACE VIEW app.level_progress WITH (security_invoker = true) AS
SELECT s.level, s.total_xp, s.total_xp - l.begins AS current_xp, l.cost AS xp_to_next_level,
       l.begins + l.cost - s.total_xp AS xp_remaining, s.total_skill_stars, s.active_days,
       s.coins, s.total_earned, s.total_spent
  FROM (SELECT coalesce(p.current_level, 1) AS level, coalesce(p.total_xp, 0) AS total_xp,
               coalesce(p.total_skill_stars, 0) AS total_skill_stars, coalesce(p.active_days, 0) AS active_days,
               coalesce(w.coins, 0) AS coins, coalesce(w.total_earned, 0) AS total_earned,
               coalesce(w.total_spent, 0) AS total_spent
          FROM (VALUES (current_user_id())) AS u (user_id)
          LEFT JOIN user_progress AS p ON p.user_id = u.user_id
          LEFT JOIN user_wallet AS w ON w.user_id = u.user_id) AS s
 -- OFFSET 0: each is computed once, not once per use
 CROSS JOIN LATERAL (SELECT level_floor(s.level) AS begins, level_cost(s.level) AS cost OFFSET 0) AS l;
