-- migrate:up
-- A user's settings. Two of them define the user's day, in which "today", streaks and periods of quests are counted. The
-- constraints say what a setting may be; the models of the routes check the same first, with better messages.
SET LOCAL ROLE questlog_owner;

-- The time zones that a user may choose. The view pg_timezone_names reads a file per zone, which is too slow for a request.
CREATE TABLE time_zones (
    name text PRIMARY KEY
);
INSERT INTO time_zones (name)
SELECT name FROM pg_timezone_names
 WHERE name = 'UTC' OR (name LIKE '%/%' AND name !~ '^(posix|right)/')
ON CONFLICT DO NOTHING;
GRANT SELECT ON time_zones
    TO questlog_app, questlog_auth, questlog_operator, questlog_jobs, questlog_admin, questlog_console;

CREATE TABLE user_settings (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    key text NOT NULL CHECK (key ~ '^[A-Za-z0-9_.:-]{1,255}$'),
    value jsonb NOT NULL,
    -- A zone that Postgres does not know would fail every statement that needs the user's day, also the boards of others.
    time_zone text GENERATED ALWAYS AS (CASE key WHEN 'timezone' THEN value #>> '{}' END) STORED REFERENCES time_zones,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, key),
    CHECK (key <> 'day_start_hour' OR value IN ('0', '1', '2', '3', '4', '5', '6')),
    CHECK (key <> 'timezone' OR jsonb_typeof(value) = 'string'),
    CONSTRAINT known_settings_fit CHECK (CASE
        WHEN key IN ('notifications_enabled', 'email_notifications', 'push_notifications', 'profile_public', 'show_activity',
                     'gamification_visible') THEN jsonb_typeof(value) = 'boolean'
        WHEN key = 'theme' THEN value IN ('"light"', '"dark"', '"system"')
        WHEN key = 'week_start' THEN value IN ('"monday"', '"sunday"')
        WHEN key = 'nudge_intensity' THEN value IN ('"gentle"', '"standard"', '"energetic"')
        WHEN key = 'locale' THEN jsonb_typeof(value) = 'string' AND value #>> '{}' ~ '^[A-Za-z0-9-]{2,35}$'
        WHEN key = 'daily_reminder_time' THEN value #>> '{}' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
        WHEN key = 'quiet_hours' THEN
            (value ->> 'from' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$' AND value ->> 'to' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
             AND value ->> 'from' <> value ->> 'to') IS TRUE
        WHEN key = 'max_notifications_per_day' THEN value @? '$ ? (@ >= 0 && @ <= 50 && @.floor() == @)'
        WHEN key = 'focus_duration' THEN value @? '$ ? (@ >= 1 && @ <= 240 && @.floor() == @)'
        WHEN key = 'module_weights' THEN jsonb_typeof(value) = 'object' AND NOT value @? '$.* ? (@.type() != "number")'
        WHEN key = 'interests' THEN jsonb_typeof(value) = 'array' AND NOT value @? 'strict $[*] ? (@.type() != "string")'
        ELSE true
    END)
);
-- Finds the users who chose to be shown without reading their other settings.
CREATE INDEX user_settings_public ON user_settings (user_id) WHERE key = 'profile_public' AND value = 'true';
CREATE TRIGGER touch BEFORE UPDATE ON user_settings FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('user_settings');
-- Written by change_settings() and unset_setting() alone, which keep the streaks when the user's days move.
GRANT SELECT ON user_settings TO questlog_app;
GRANT SELECT ON user_settings TO questlog_auth, questlog_operator;
