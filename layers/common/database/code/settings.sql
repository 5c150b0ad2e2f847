SET LOCAL ROLE questlog_owner;

-- The settings of the typed routes.
CREATE OR REPLACE FUNCTION app.user_setting_defaults() RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{
    "notifications_enabled": true, "email_notifications": false, "push_notifications": false, "theme": "system",
    "timezone": "UTC", "locale": "en", "profile_public": false, "show_activity": true, "daily_reminder_time": null,
    "quiet_hours": null, "max_notifications_per_day": 6, "day_start_hour": 0, "week_start": "monday"
}'::jsonb;

-- The defaults of all settings that Questlog itself reads.
CREATE OR REPLACE FUNCTION app.setting_defaults() RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN user_setting_defaults() || '{
    "focus_duration": 25, "nudge_intensity": "standard", "gamification_visible": true, "module_weights": {}, "interests": []
}'::jsonb;

-- Every known setting with its present value.
CREATE OR REPLACE FUNCTION app.settings_now() RETURNS TABLE (key text, value jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.key, coalesce(s.value, d.value)
      FROM jsonb_each(setting_defaults()) AS d
      LEFT JOIN user_settings AS s ON s.key = d.key;
END;

-- The present value of a setting: what is stored, or the default; null for a key that is neither stored nor known.
CREATE OR REPLACE FUNCTION app.setting(key text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT s.value FROM user_settings AS s WHERE s.key = setting.key), setting_defaults() -> key);
END
$$;

-- Stores the given settings; other keys stay, also where another request changes them at the same time. Null resets a
-- known key. All or nothing: an unknown time zone is 400 and names `zone_field`, a 201st key is 409 too_many_settings.
--   It runs as the owner, because a change may move the user's days, and then the streaks have to be moved too. For that
--   reason requests cannot write settings except by this function and unset_setting().
CREATE OR REPLACE FUNCTION app.change_settings(changes jsonb, zone_field text DEFAULT 'timezone') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    zone text := changes ->> 'timezone';
    today date;
    changed_at timestamptz;
    held int;
BEGIN
    IF zone IS NOT NULL AND NOT EXISTS (SELECT FROM time_zones AS z WHERE z.name = zone) THEN
        PERFORM refuse_field(zone_field, 'must be UTC or a name of the IANA time zone database, such as Europe/Berlin');
    END IF;
    PERFORM lock_user();
    today := local_today();
    changed_at := instant();
    SELECT count(*) INTO held FROM user_settings;
    DELETE FROM user_settings AS s
     USING jsonb_each(changes) AS c
     WHERE s.key = c.key AND c.value = 'null' AND setting_defaults() ? c.key;
    INSERT INTO user_settings AS s (key, value, created_at, updated_at)
    SELECT c.key, c.value, changed_at, changed_at
      FROM jsonb_each(changes) AS c
     WHERE c.value <> 'null' OR NOT setting_defaults() ? c.key
    ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value;
    PERFORM refuse(409, 'too_many_settings', 'There are 200 settings already; delete some first.', '{"limit": 200}')
       FROM user_settings HAVING count(*) > greatest(held, 200);
    PERFORM carry_streaks(today);
    PERFORM show_on_boards(setting('profile_public') = 'true');
    PERFORM plan_reminders();
END
$$;

-- Deletes a stored setting, if there is one. A known key then has its default again.
CREATE OR REPLACE FUNCTION app.unset_setting(unset_key text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    today date;
BEGIN
    PERFORM lock_user();
    today := local_today();
    DELETE FROM user_settings AS s WHERE s.key = unset_key;
    PERFORM carry_streaks(today);
    PERFORM show_on_boards(setting('profile_public') = 'true');
    PERFORM plan_reminders();
END
$$;
