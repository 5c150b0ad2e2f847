-- The timer is settled first, in a statement of its own: the rest has to see what that pays.

-- name: facts
-- Plans are counted, since for EXISTS the planner may read those of all days into a hash.
SELECT settle_focus();
SELECT clock() AS now,
       s.*,
       (SELECT count(*) FROM daily_plans AS p WHERE p.date = d.today) > 0 AS plan_exists,
       EXISTS (SELECT FROM focus_sessions WHERE status IN ('active', 'paused')) AS focus_active,
       EXISTS (SELECT FROM users WHERE local_day(created_at) = d.today) AS made_today,
       interests() AS interests,
       setting('module_weights') AS module_weights,
       setting('nudge_intensity') AS nudge_intensity,
       setting('focus_duration') AS focus_duration,
       setting('gamification_visible') AS gamification_visible,
       onboarding_active() AS onboarding_active
  FROM (SELECT local_today() AS today OFFSET 0) AS d, day_summary(d.today) AS s;
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT local_today());
SELECT * FROM newest_activity();
SELECT * FROM activity_counts(clock() - interval '14 days');

-- name: summary
SELECT settle_focus();
SELECT s.* FROM (SELECT local_today() AS today OFFSET 0) AS d, day_summary(d.today) AS s;
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT local_today());
