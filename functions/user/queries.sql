-- change_settings() is a statement of its own: a statement does not see what the functions it calls write.

-- name: profile
SELECT p.*, coalesce(p.tos_version = %(terms)s, false) AS tos_accepted FROM own_profile AS p;
SELECT provider, created_at AS linked_at FROM accounts ORDER BY created_at, id;

-- name: change_profile
UPDATE users AS u
   SET (name, image) = (SELECT name, image FROM jsonb_populate_record(u, %(changes)s));
SELECT p.*, coalesce(p.tos_version = %(terms)s, false) AS tos_accepted FROM own_profile AS p;
SELECT provider, created_at AS linked_at FROM accounts ORDER BY created_at, id;

-- name: stats
SELECT p.level, p.total_xp, p.coins, p.active_days, s.current_streak, s.longest_streak,
       (SELECT count(*) FROM user_achievements) AS achievements,
       local_day(u.created_at) AS member_since
  FROM users AS u, level_progress AS p, effective_streaks() AS s
 WHERE s.streak_type = 'daily_activity';
SELECT counter, value FROM user_counters;

-- name: user_settings
SELECT key, value FROM settings_now();

-- name: change_user_settings
SELECT change_settings(%(changes)s);
SELECT key, value FROM settings_now();

-- name: settings
SELECT * FROM user_settings ORDER BY key LIMIT %(limit)s OFFSET %(offset)s;
SELECT key, value FROM settings_now();
SELECT count(*) AS total FROM user_settings;

-- name: setting
SELECT %(key)s::text AS key, s.value FROM (SELECT setting(%(key)s) AS value) AS s WHERE s.value IS NOT NULL;

-- name: set_one
SELECT change_settings(%(changes)s, zone_field => 'value');
SELECT %(key)s::text AS key, setting(%(key)s) AS value;

-- name: set_many
SELECT change_settings(%(changes)s);
SELECT * FROM user_settings ORDER BY key;
SELECT key, value FROM settings_now();

-- name: unset
SELECT unset_setting(%(key)s);

-- name: cancel_jobs
SELECT cancel_jobs(current_user_id());

-- name: delete_user
-- Deleting the rows of years by cascade may take longer than the statement timeout of requests.
SELECT set_config('statement_timeout', '25s', true);
SELECT true AS success, delete_user(%(client)s);
