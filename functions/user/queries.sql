-- A name may hold several statements; they travel together, and the last one's row is the answer, or the column `answer` is.
-- change_settings() is a statement of its own: a statement does not see what functions it calls write.

-- name: profile
SELECT profile_shown(u, %(terms)s) AS answer FROM users AS u;

-- name: change_profile
WITH changed AS (
    UPDATE users AS u
       SET (name, image) = (SELECT name, image FROM jsonb_populate_record(u, %(changes)s))
    RETURNING u.*
)
SELECT profile_shown(changed, %(terms)s) AS answer FROM changed;

-- name: stats
-- Days of counter-entries, spendings and breaks are no active days; a day whose award was taken back stays one, as in
-- the streak.
SELECT p.current_level AS level,
       p.total_xp,
       p.coins,
       s.current_streak,
       s.longest_streak,
       (SELECT count(DISTINCT l.local_date)
          FROM points_ledger AS l JOIN event_definitions AS e USING (event_type)
         WHERE 'daily_activity' = ANY (e.streak_types)) AS active_days,
       c.*,
       (SELECT count(*) FROM user_achievements) AS achievements,
       (SELECT local_day(created_at) FROM users) AS member_since
  FROM progress_overview() AS p, effective_streaks() AS s, (
       SELECT coalesce(sum(value) FILTER (WHERE counter = 'focus_sessions'), 0) AS focus_sessions,
              coalesce(sum(value) FILTER (WHERE counter = 'focus_minutes'), 0) AS focus_minutes,
              coalesce(sum(value) FILTER (WHERE counter = 'habits_completed'), 0) AS habit_completions,
              coalesce(sum(value) FILTER (WHERE counter = 'goals_completed'), 0) AS goals_completed,
              coalesce(sum(value) FILTER (WHERE counter = 'quests_completed'), 0) AS quests_completed,
              coalesce(sum(value) FILTER (WHERE counter = 'workouts_completed'), 0) AS workouts_completed,
              coalesce(sum(value) FILTER (WHERE counter = 'books_completed'), 0) AS books_finished,
              coalesce(sum(value) FILTER (WHERE counter = 'pages_read'), 0) AS pages_read,
              coalesce(sum(value) FILTER (WHERE counter = 'lessons_completed'), 0) AS lessons_completed
         FROM user_counters) AS c
 WHERE s.streak_type = 'daily_activity';

-- name: user_settings
SELECT settings_shown() AS answer;

-- name: change_user_settings
SELECT change_settings(%(changes)s);
SELECT settings_shown() AS answer;

-- name: settings
SELECT coalesce(jsonb_agg(s ORDER BY key), '[]') AS settings,
       setting_defaults() || coalesce(jsonb_object_agg(key, value), '{}') AS data
  FROM user_settings AS s;

-- name: setting
SELECT %(key)s::text AS key, s.value FROM (SELECT setting(%(key)s) AS value) AS s WHERE s.value IS NOT NULL;

-- name: set_one
SELECT change_settings(%(changes)s, zone_field => 'value');
SELECT %(key)s::text AS key, setting(%(key)s) AS value, true AS updated;

-- name: set_many
SELECT change_settings(%(changes)s);
SELECT coalesce(jsonb_agg(s ORDER BY key), '[]') AS settings,
       setting_defaults() || coalesce(jsonb_object_agg(key, value), '{}') AS data
  FROM user_settings AS s;

-- name: unset
DELETE FROM user_settings WHERE key = %(key)s;
