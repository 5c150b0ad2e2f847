SET LOCAL ROLE questlog_owner;

-- What the user has come to: one row, also for a user without a ledger.
CREATE OR REPLACE FUNCTION app.progress_overview() RETURNS TABLE (
    total_xp bigint, current_level int, current_xp bigint, xp_to_next_level bigint, xp_remaining bigint,
    total_skill_stars bigint, active_days int, coins bigint, total_earned bigint, total_spent bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.total_xp, s.level, s.total_xp - l.begins, l.cost, l.begins + l.cost - s.total_xp,
           s.stars, s.active_days, s.coins, s.earned, s.spent
      FROM (SELECT coalesce(p.total_xp, 0) AS total_xp, coalesce(p.current_level, 1) AS level,
                   coalesce(p.total_skill_stars, 0) AS stars, coalesce(p.active_days, 0) AS active_days,
                   coalesce(w.coins, 0) AS coins,
                   coalesce(w.total_earned, 0) AS earned, coalesce(w.total_spent, 0) AS spent
              FROM (VALUES (true)) AS always
              LEFT JOIN user_progress AS p ON true
              LEFT JOIN user_wallet AS w ON true) AS s
     CROSS JOIN LATERAL (SELECT level_floor(s.level) AS begins, level_cost(s.level) AS cost OFFSET 0) AS l;
END;

-- Progress as it is polled. plpgsql, here and below, keeps the plan of its query between requests.
CREATE OR REPLACE FUNCTION app.progress_shown() RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
                   'level', p.current_level,
                   'total_xp', p.total_xp,
                   'current_xp', p.current_xp,
                   'xp_to_next_level', p.xp_to_next_level,
                   'xp_remaining', p.xp_remaining,
                   'xp_progress_percent', 100.0::double precision * p.current_xp / p.xp_to_next_level,
                   'coins', p.coins,
                   'streak_days', effective_streak('daily_activity'))
          FROM progress_overview() AS p);
END
$$;

-- Everything a profile page says in numbers.
CREATE OR REPLACE FUNCTION app.summary_shown() RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT to_jsonb(p) || jsonb_build_object(
                   'xp_progress_percent', 100 * p.current_xp / p.xp_to_next_level,
                   'achievement_count', (SELECT count(*) FROM user_achievements),
                   'current_streak', s.current_streak,
                   'longest_streak', s.longest_streak,
                   'streak_at_risk', s.at_risk,
                   'streak_shields', shields_held())
          FROM progress_overview() AS p, effective_streaks() AS s
         WHERE s.streak_type = 'daily_activity');
END
$$;

-- The achievements a user may know of, and how far each is: archived ones and hidden ones only once they are earned.
--   Progress is that of the fact the definition watches, as it stands now; a level counts the levels gained on the way,
--   and an event has happened or not. What is earned is complete for ever, whatever the fact does later.
CREATE OR REPLACE FUNCTION app.achievements_shown() RETURNS TABLE (
    definition achievement_definitions, earned boolean, earned_at timestamptz, notified boolean,
    progress bigint, progress_max bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d, a.achievement_key IS NOT NULL, a.earned_at, a.notified,
           CASE WHEN a.achievement_key IS NOT NULL THEN g.goal ELSE least(g.goal, greatest(0, coalesce(f.value, 0) - g.base)) END,
           g.goal
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
END;
