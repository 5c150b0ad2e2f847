-- The timer is settled first, in a statement of its own: the rest has to see what that pays.

-- name: facts
SELECT settle_focus();
WITH today AS MATERIALIZED (
    SELECT d.day, (SELECT plan_shown(p) FROM daily_plans AS p WHERE p.date = d.day) AS plan
      FROM (SELECT local_today() AS day) AS d
)
SELECT clock() AS now,
       s.summary,
       t.plan,
       EXISTS (SELECT FROM focus_sessions WHERE status IN ('active', 'paused')) AS focus_active,
       (SELECT local_day(created_at) = t.day FROM users) AS made_today,
       (SELECT to_jsonb(n) FROM newest_activity() AS n) AS newest,
       (SELECT coalesce(jsonb_object_agg(u.event_type, u.count), '{}')
          FROM (SELECT event_type, count(*) FROM activities(clock() - interval '14 days') GROUP BY event_type) AS u) AS uses,
       interests() AS interests,
       jsonb_build_object('module_weights', setting('module_weights'),
                          'nudge_intensity', setting('nudge_intensity'),
                          'focus_duration', setting('focus_duration'),
                          'gamification_visible', setting('gamification_visible')) AS preferences,
       onboarding_active() AS onboarding_active
  FROM today AS t, day_summary(t.day, t.plan) AS s;

-- name: summary
SELECT settle_focus();
WITH today AS MATERIALIZED (
    SELECT d.day, (SELECT plan_shown(p) FROM daily_plans AS p WHERE p.date = d.day) AS plan
      FROM (SELECT local_today() AS day) AS d
)
SELECT s.summary AS answer FROM today AS t, day_summary(t.day, t.plan) AS s;
