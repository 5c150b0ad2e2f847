SET LOCAL ROLE questlog_owner;

-- Settings and channels --------------------------------------------------------------------------------------------------

-- The settings that say when and how the user is reminded, as an object: what is stored over the defaults.
CREATE OR REPLACE FUNCTION internal.notification_settings() RETURNS jsonb
LANGUAGE sql STABLE
RETURN setting_defaults() || coalesce(
    (SELECT jsonb_object_agg(s.key, s.value) FROM user_settings AS s
      WHERE s.user_id = (SELECT current_user_id())
        AND s.key IN ('notifications_enabled', 'push_notifications', 'email_notifications', 'daily_reminder_time',
                      'quiet_hours', 'max_notifications_per_day', 'timezone', 'day_start_hour')), '{}');

-- The user's browsers that may be sent to.
CREATE OR REPLACE FUNCTION internal.live_subscriptions() RETURNS SETOF push_subscriptions
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.* FROM push_subscriptions AS s
     WHERE s.user_id = current_user_id() AND (s.expires_at <= clock()) IS NOT TRUE;
END;

-- Whether the user wants messages and there is a way for them. Who does not has no reminders, and costs nothing.
CREATE OR REPLACE FUNCTION internal.wants_reminders(known jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN (known -> 'notifications_enabled')::boolean
   AND ((known -> 'email_notifications')::boolean
        OR ((known -> 'push_notifications')::boolean AND EXISTS (SELECT FROM live_subscriptions())));

-- Browsers ---------------------------------------------------------------------------------------------------------------

-- Under which key the directory lists a browser.
CREATE OR REPLACE FUNCTION internal.push_key(endpoint text) RETURNS text
LANGUAGE sql STABLE
RETURN encode(sha256(convert_to(endpoint, 'UTF8')), 'hex');

SET LOCAL ROLE questlog_identity;

-- Stores the caller's browser. Its endpoint replaces what was stored of it before, also for another user: a browser has one
-- endpoint, and whoever uses it now is who its messages are for. 409 limit_reached for an eleventh one.
CREATE OR REPLACE FUNCTION app.subscribe(
    sent_endpoint text, sent_p256dh text, sent_auth text, until timestamptz, agent text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    directory_key text := push_key(sent_endpoint);
    caller uuid := current_user_id();
    former uuid;
BEGIN
    -- Two users of one browser, or two requests of one user, one after the other.
    PERFORM pg_advisory_xact_lock(hashtextextended('push ' || directory_key, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('push subscriptions of ' || caller, 0));
    SELECT d.user_id INTO former FROM user_directory AS d WHERE d.kind = 'push' AND d.key = directory_key;
    IF former <> caller THEN
        DELETE FROM push_subscriptions AS s WHERE s.user_id = former AND s.endpoint = sent_endpoint;
    END IF;
    INSERT INTO user_directory (kind, key, user_id) VALUES ('push', directory_key, caller)
    ON CONFLICT (kind, key) DO UPDATE SET user_id = excluded.user_id;
    INSERT INTO push_subscriptions AS s (user_id, endpoint, p256dh, auth, expires_at, user_agent)
    VALUES (caller, sent_endpoint, sent_p256dh, sent_auth, until, left(agent, 400))
    ON CONFLICT (user_id, endpoint) DO UPDATE
       SET (p256dh, auth, expires_at, user_agent, failing)
         = (excluded.p256dh, excluded.auth, excluded.expires_at, excluded.user_agent, false);
    IF (SELECT count(*) FROM push_subscriptions AS s WHERE s.user_id = caller) > 10 THEN
        PERFORM refuse(409, 'limit_reached', 'There are 10 browsers already; remove one first.', '{"limit": 10}');
    END IF;
    PERFORM plan_reminders();
END
$$;
REVOKE EXECUTE ON FUNCTION app.subscribe FROM questlog_auth, questlog_operator, questlog_admin, questlog_jobs;

SET LOCAL ROLE questlog_owner;

-- Planning ---------------------------------------------------------------------------------------------------------------
-- A row of `reminders` says when to look. The functions below are called by the statements that change the things; what is
-- done, deleted or paused meanwhile is found by the look, so such changes need no call.

-- The instants around another at which a clock in a zone shows a time of day, one for each date.
CREATE OR REPLACE FUNCTION internal.times_of_day(wall text, around timestamptz, zone text) RETURNS SETOF timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT first_instant((around AT TIME ZONE zone)::date + n + wall::time, zone) FROM generate_series(-2, 2) AS n;
END;

-- The next instant of a time of day, after another.
CREATE OR REPLACE FUNCTION internal.next_time_of_day(wall text, after timestamptz, zone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT min(t) FROM times_of_day(wall, after, zone) AS t WHERE t > after);

-- Says when to look at a thing; nothing where `due` is null. A row that is due already is left to the look, which moves it.
CREATE OR REPLACE FUNCTION internal.plan_reminder(
    of_source text, due timestamptz, of_id uuid DEFAULT '00000000-0000-0000-0000-000000000000'
) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO reminders AS r (source, source_id, due_at) SELECT of_source, of_id, due WHERE due IS NOT NULL
    ON CONFLICT (user_id, source, source_id) DO UPDATE SET due_at = excluded.due_at WHERE r.due_at > clock();
END;

-- After a habit has come or changed: its time of day, null where it has none.
CREATE OR REPLACE FUNCTION app.plan_habit_reminder(habit uuid, time_of_day text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    known jsonb;
BEGIN
    IF time_of_day IS NULL THEN
        RETURN;
    END IF;
    known := notification_settings();
    IF wants_reminders(known) THEN
        PERFORM plan_reminder('habit', next_time_of_day(time_of_day, clock(), known ->> 'timezone'), habit);
    END IF;
END
$$;

-- Plans all reminders of the user anew: after a change of the settings, of the zone or of where the day begins, after an
-- import, and when the first browser is stored.
CREATE OR REPLACE FUNCTION app.plan_reminders() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    known jsonb := notification_settings();
    zone text := known ->> 'timezone';
BEGIN
    IF NOT wants_reminders(known) THEN
        RETURN;
    END IF;
    PERFORM plan_reminder('habit', next_time_of_day(h.reminder_time, clock(), zone), h.habit_id)
       FROM habit_reminder_times(NULL) AS h;
    PERFORM plan_reminder('daily', next_time_of_day(known ->> 'daily_reminder_time', clock(), zone));
END
$$;

-- Reading ----------------------------------------------------------------------------------------------------------------

-- Has a message to the user made that says that messages arrive. Returns to how many places it will go. 429 for a sixth in a
-- minute.
CREATE OR REPLACE FUNCTION app.send_test(push_available boolean, email_available boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    known jsonb := notification_settings();
    places bigint := 0;
BEGIN
    PERFORM count_against_limit('test_notification:' || current_user_id(), 5, interval '1 minute');
    IF NOT (known -> 'notifications_enabled')::boolean THEN
        RETURN 0;
    END IF;
    IF push_available AND (known -> 'push_notifications')::boolean THEN
        places := places + (SELECT count(*) FROM live_subscriptions());
    END IF;
    IF email_available AND (known -> 'email_notifications')::boolean THEN
        places := places + 1;
    END IF;
    IF places > 0 THEN
        PERFORM plan_reminder('test', clock(), gen_random_uuid());
    END IF;
    RETURN places;
END
$$;
REVOKE EXECUTE ON FUNCTION app.send_test FROM questlog_auth, questlog_operator, questlog_admin, questlog_jobs;
