-- migrate:up
-- User: the profile, and one store of settings behind two kinds of routes. What settings there are, what each is when
-- nobody set it and what it may be stands here; the wire's own checks only say it more kindly.
SET LOCAL ROLE questlog_owner;

-- The zones a user may live in. pg_timezone_names reads a file per zone at every look, too slow for a request.
CREATE TABLE time_zones (
    name text PRIMARY KEY
);
INSERT INTO time_zones (name)
SELECT name FROM pg_timezone_names
 WHERE name = 'UTC' OR (name LIKE '%/%' AND name !~ '^(posix|right)/')
ON CONFLICT DO NOTHING;
GRANT SELECT ON time_zones TO questlog_app, questlog_jobs, questlog_admin;

-- A zone Postgres does not know would fail every statement that asks for the user's day, boards of others included.
-- squawk-ignore adding-field-with-default -- before the first release
ALTER TABLE user_settings ADD COLUMN time_zone text GENERATED ALWAYS AS (CASE key WHEN 'timezone' THEN value #>> '{}' END) STORED;
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid -- before the first release
ALTER TABLE user_settings ADD FOREIGN KEY (time_zone) REFERENCES time_zones;

-- squawk-ignore constraint-missing-not-valid -- before the first release
ALTER TABLE user_settings ADD CONSTRAINT known_settings_fit CHECK (CASE
    WHEN key IN ('notifications_enabled', 'email_notifications', 'push_notifications', 'profile_public', 'show_activity',
                 'gamification_visible') THEN jsonb_typeof(value) = 'boolean'
    WHEN key = 'theme' THEN value IN ('"light"', '"dark"', '"system"')
    WHEN key = 'week_start' THEN value IN ('"monday"', '"sunday"')
    WHEN key = 'nudge_intensity' THEN value IN ('"gentle"', '"standard"', '"energetic"')
    WHEN key = 'locale' THEN jsonb_typeof(value) = 'string' AND value #>> '{}' ~ '^[A-Za-z0-9-]{2,35}$'
    WHEN key = 'daily_reminder_time' THEN value #>> '{}' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
    WHEN key = 'focus_duration' THEN value @? '$ ? (@ >= 1 && @ <= 240 && @.floor() == @)'
    WHEN key = 'module_weights' THEN jsonb_typeof(value) = 'object' AND NOT value @? '$.* ? (@.type() != "number")'
    WHEN key = 'interests' THEN jsonb_typeof(value) = 'array' AND NOT value @? 'strict $[*] ? (@.type() != "string")'
    ELSE true
END);

-- The settings of the typed routes.
CREATE FUNCTION user_setting_defaults() RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{
    "notifications_enabled": true, "email_notifications": true, "push_notifications": false, "theme": "system",
    "timezone": "UTC", "locale": "en", "profile_public": false, "show_activity": true, "daily_reminder_time": null,
    "day_start_hour": 0, "week_start": "monday"
}'::jsonb;

-- All settings that mean something here.
CREATE FUNCTION setting_defaults() RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN user_setting_defaults() || '{
    "focus_duration": 25, "nudge_intensity": "standard", "gamification_visible": true, "module_weights": {}, "interests": []
}'::jsonb;

-- A setting as it holds now, its default included; null for a key that is neither known nor stored.
CREATE FUNCTION setting(key text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT s.value FROM user_settings AS s WHERE s.key = setting.key), setting_defaults() -> key);
END
$$;

-- The typed settings as they hold now.
CREATE FUNCTION settings_shown() RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN user_setting_defaults() || coalesce((
        SELECT jsonb_object_agg(s.key, s.value) FROM user_settings AS s WHERE user_setting_defaults() ? s.key), '{}');
END
$$;

-- Stores what is given, key by key, so that changes of other keys at the same time stay; null resets a known key. All
-- or nothing: an unknown zone is 400 naming `zone_field`, the 201st key 409 too_many_settings.
CREATE FUNCTION change_settings(changes jsonb, zone_field text DEFAULT 'timezone') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    zone text := changes ->> 'timezone';
    held int;
BEGIN
    IF zone IS NOT NULL AND NOT EXISTS (SELECT FROM time_zones AS z WHERE z.name = zone) THEN
        PERFORM refuse(400, 'validation_error', 'Some of what was sent is not valid.', jsonb_build_object(
            'fields', jsonb_build_array(jsonb_build_object(
                'field', zone_field, 'message', 'must be UTC or a name of the IANA time zone database, such as Europe/Berlin'))));
    END IF;
    PERFORM lock_progress();
    SELECT count(*) INTO held FROM user_settings;
    DELETE FROM user_settings AS s
     USING jsonb_each(changes) AS c
     WHERE s.key = c.key AND c.value = 'null' AND setting_defaults() ? c.key;
    INSERT INTO user_settings AS s (key, value)
    SELECT c.key, c.value FROM jsonb_each(changes) AS c WHERE c.value <> 'null' OR NOT setting_defaults() ? c.key
    ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value;
    PERFORM refuse(409, 'too_many_settings', 'There are 200 settings already; delete some first.', '{"limit": 200}')
       FROM user_settings HAVING count(*) > greatest(held, 200);
END
$$;

-- A user as they see themselves; `terms` are the current ones.
CREATE FUNCTION profile_shown(u users, terms text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN to_jsonb(u) || (
    SELECT jsonb_build_object(
               'last_activity_at', coalesce(u.last_activity_at, u.created_at),
               'age_verified', u.age_verified_at IS NOT NULL,
               'tos_accepted', u.tos_version IS NOT DISTINCT FROM terms,
               'timezone', setting('timezone'),
               'level', p.current_level,
               'total_xp', p.total_xp,
               'coins', p.coins,
               'providers', (SELECT coalesce(jsonb_agg(jsonb_build_object('provider', a.provider, 'linked_at', a.created_at)
                                                       ORDER BY a.created_at, a.id), '[]')
                               FROM accounts AS a))
      FROM my_progress() AS p);
