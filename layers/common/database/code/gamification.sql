SET LOCAL ROLE questlog_owner;

-- The numbers of a profile page.
CREATE OR REPLACE VIEW app.own_summary WITH (security_invoker = true) AS
SELECT p.total_xp, p.level AS current_level, p.current_xp, p.xp_to_next_level, p.xp_remaining,
       p.coins, p.total_earned, p.total_spent, p.total_skill_stars,
       (SELECT count(*) FROM user_achievements) AS achievement_count,
       s.current_streak, s.longest_streak, s.at_risk AS streak_at_risk, shields_held() AS streak_shields
  FROM level_progress AS p, effective_streaks() AS s
 WHERE s.streak_type = 'daily_activity';

-- The achievements that the user may see, with the progress of each. Archived and hidden ones are shown once they are
-- earned.
--   Progress is the present value of what the definition watches: a counter, a streak, or the levels gained. An event has
--   happened or not. An earned achievement stays complete, whatever that value becomes later.
CREATE OR REPLACE VIEW app.own_achievements WITH (security_invoker = true) AS
SELECT d.key, d.name, d.description, d.category, d.icon, d.trigger_type, d.trigger_config, d.reward_xp, d.reward_coins,
       d.is_hidden, d.sort_order, d.created_at,
       a.achievement_key IS NOT NULL AS earned, a.earned_at,
       CASE WHEN a.achievement_key IS NOT NULL THEN g.goal ELSE least(g.goal, greatest(0, coalesce(f.value, 0) - g.base)) END
           AS progress,
       g.goal AS progress_max
  FROM achievement_definitions AS d
  LEFT JOIN user_achievements AS a ON a.achievement_key = d.key
  LEFT JOIN (
        SELECT 'counter:' || c.counter AS fact, c.value FROM user_counters AS c
         UNION ALL
        SELECT 'streak:' || s.streak_type, s.current_streak FROM effective_streaks() AS s
         UNION ALL
        SELECT 'level', p.current_level FROM user_progress AS p) AS f ON f.fact = d.watches
 CROSS JOIN LATERAL (SELECT CASE d.trigger_type WHEN 'level' THEN 1 ELSE 0 END AS base) AS b
 CROSS JOIN LATERAL (SELECT b.base, greatest(1, d.threshold - b.base) AS goal) AS g
 WHERE a.achievement_key IS NOT NULL OR (d.is_active AND NOT d.is_hidden);

-- The rows of the ledger, and whether each has been taken back.
CREATE OR REPLACE VIEW app.ledger_entries WITH (security_invoker = true) AS
SELECT l.user_id, l.seq, l.id, l.event_type, l.source_type, l.source_id, l.xp, l.bonus_xp, l.coins, l.skill_key,
       l.coins_after, l.total_xp_after, l.level_after, l.reason, l.reverses, l.cause_id, l.local_date, l.created_at,
       -- Looked up by index for each row. For a join Postgres would read all reversals of the user.
       (SELECT true FROM points_ledger AS r WHERE r.user_id = l.user_id AND r.reverses = l.id) IS NOT NULL AS reversed
  FROM points_ledger AS l;

-- True where a client may log one more activity on this local day. With 500 it refuses, until the next day begins.
CREATE OR REPLACE FUNCTION app.activity_has_room() RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    today tstzrange := day_bounds(local_today());
BEGIN
    RETURN (SELECT count(*) FROM activity_events WHERE created_at >= lower(today) AND created_at < upper(today)) < 500
        OR refuse(429, 'rate_limited', 'That is enough activity for one day.',
                  jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch FROM upper(today) - clock())))::int));
END
$$;
