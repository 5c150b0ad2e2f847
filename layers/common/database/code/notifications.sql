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

-- The key under which the directory lists a browser.
CREATE OR REPLACE FUNCTION internal.push_key(endpoint text) RETURNS text
LANGUAGE sql STABLE
RETURN encode(sha256(convert_to(endpoint, 'UTF8')), 'hex');

SET LOCAL ROLE questlog_identity;

-- Stores the caller's browser. A browser has one endpoint, and gets the messages of the user who subscribed last: so the endpoint
-- is removed from any other user. 409 limit_reached for an eleventh browser.
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

-- The next instant, after another, at which a clock in a zone shows a time of day. A date may be one that the zone left out.
CREATE OR REPLACE FUNCTION internal.next_time_of_day(wall text, after timestamptz, zone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT min(t.at)
          FROM generate_series(0, 2) AS n,
               LATERAL (SELECT first_instant((after AT TIME ZONE zone)::date + n + wall::time, zone) AS at) AS t
         WHERE t.at > after);

-- The last such instant, up to another.
CREATE OR REPLACE FUNCTION internal.last_time_of_day(wall text, until timestamptz, zone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT max(t.at)
          FROM generate_series(-2, 0) AS n,
               LATERAL (SELECT first_instant((until AT TIME ZONE zone)::date + n + wall::time, zone) AS at) AS t
         WHERE t.at <= until);

-- When to warn that a streak may break: three hours before a day ends, the next time after an instant.
CREATE OR REPLACE FUNCTION internal.next_streak_warning(after timestamptz, zone text, day_start int) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT min(w.at)
          FROM generate_series(0, 2) AS n,
               LATERAL (SELECT upper(day_bounds(local_day(after, zone, day_start) + n, zone, day_start))
                               - interval '3 hours' AS at) AS w
         WHERE w.at > after);

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

-- After events, of which some may be series or overrides, have come or changed. Of a series that has begun, the look at the
-- next tick finds the next occurrence: that takes an expansion.
CREATE OR REPLACE FUNCTION app.plan_event_reminders(events uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF wants_reminders(notification_settings()) THEN
        PERFORM plan_reminder('event', e.due_at, e.event_id) FROM event_reminder_times(events) AS e;
    END IF;
END
$$;

-- After a quest has come or changed.
CREATE OR REPLACE FUNCTION app.plan_quest_reminder(quest uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF wants_reminders(notification_settings()) THEN
        PERFORM plan_reminder('quest', q.due_at, q.quest_id) FROM quest_reminder_times(quest) AS q;
    END IF;
END
$$;

-- Has the user be told soon of what lies in their inbox as a note: `of_source` says what it is about. It runs with the rights
-- of who calls it: an administrator's request, or a job's.
CREATE OR REPLACE FUNCTION internal.plan_news(recipient uuid, of_source text, note uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO reminders (user_id, source, source_id, due_at) VALUES (recipient, of_source, note, instant())
    ON CONFLICT DO NOTHING;
END;

-- The time of day at which reviews are reminded of.
CREATE OR REPLACE FUNCTION internal.reviews_time() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN '09:00';

-- Plans all reminders of the user anew: after a change of the settings, of the zone or of where the day begins, after an
-- import, and when a browser is stored.
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
    PERFORM plan_reminder('event', e.due_at, e.event_id) FROM event_reminder_times(NULL) AS e;
    PERFORM plan_reminder('quest', q.due_at, q.quest_id) FROM quest_reminder_times(NULL) AS q;
    PERFORM plan_reminder('daily', next_time_of_day(known ->> 'daily_reminder_time', clock(), zone)),
            plan_reminder('streak', next_streak_warning(clock(), zone, (known ->> 'day_start_hour')::int)),
            plan_reminder('reviews', next_time_of_day(reviews_time(), clock(), zone));
END
$$;

-- Looking ----------------------------------------------------------------------------------------------------------------
-- Each function below looks at one thing of the user of the transaction, at the time of the transaction:
--   is_due      whether a message is to be sent now
--   next_at     when to look again; null: never
--   occasion    with the source and its id, what no second message is made of: a day, or an occurrence
--   expires_at  from when on the message has no use
--   facts       what the message says

CREATE OR REPLACE FUNCTION internal.look_at_habit(
    habit uuid, zone text, day_start int,
    OUT is_due boolean, OUT next_at timestamptz, OUT occasion text, OUT expires_at timestamptz, OUT facts jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    found_habit record;
    day date;
BEGIN
    is_due := false;
    SELECT h.name, h.reminder_time INTO found_habit FROM habit_reminder_times(habit) AS h;
    IF FOUND THEN
        next_at := next_time_of_day(found_habit.reminder_time, clock(), zone);
        day := local_day(last_time_of_day(found_habit.reminder_time, clock(), zone), zone, day_start);
        occasion := day;
        expires_at := upper(day_bounds(day, zone, day_start));
        is_due := expires_at > clock() AND is_habit_pending(habit, day);
        facts := jsonb_build_object('name', found_habit.name);
    END IF;
END
$$;

-- A single event or an override. Of a series is_due is null: which occurrence is next takes an expansion.
CREATE OR REPLACE FUNCTION internal.look_at_event(
    event uuid,
    OUT is_due boolean, OUT next_at timestamptz, OUT occasion text, OUT expires_at timestamptz, OUT facts jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    e record;
BEGIN
    is_due := false;
    SELECT * INTO e FROM remindable_event(event);
    IF NOT FOUND THEN
        RETURN;
    ELSIF e.is_series THEN
        is_due := NULL;
        RETURN;
    ELSIF e.due_at > clock() THEN
        next_at := e.due_at;
        RETURN;
    END IF;
    occasion := calendar_stamp(e.start_time);
    expires_at := greatest(coalesce(e.end_time, e.start_time), e.start_time + interval '15 minutes');
    is_due := expires_at > clock() AND NOT e.is_done AND NOT e.is_removed;
    facts := jsonb_build_object('title', e.title, 'location', e.location, 'all_day', e.all_day, 'start', e.start_time,
                                'zone', e.zone);
END
$$;

-- What is due on the day, in one message. An hour late it is dropped.
CREATE OR REPLACE FUNCTION internal.look_at_day(
    time_of_day text, zone text, day_start int,
    OUT is_due boolean, OUT next_at timestamptz, OUT occasion text, OUT expires_at timestamptz, OUT facts jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    day date := local_day(clock(), zone, day_start);
    habits text[];
    reviews bigint;
    tasks bigint;
BEGIN
    next_at := next_time_of_day(time_of_day, clock(), zone);
    occasion := day;
    expires_at := upper(day_bounds(day, zone, day_start));
    is_due := coalesce(last_time_of_day(time_of_day, clock(), zone) > clock() - interval '1 hour', false);
    IF is_due THEN
        habits := ARRAY(SELECT h.name FROM habits_on(day) AS h WHERE h.pending ORDER BY h.sort_order, h.habit_id);
        reviews := reviews_due();
        tasks := (SELECT p.total - p.completed FROM sync_plan() AS p);
        is_due := cardinality(habits) + reviews + tasks > 0;
        facts := jsonb_build_object('habits', habits, 'reviews', reviews, 'tasks', tasks);
    END IF;
END
$$;

-- The daily streak, where nothing has been done for it today. An hour late it is dropped.
CREATE OR REPLACE FUNCTION internal.look_at_streak(
    zone text, day_start int,
    OUT is_due boolean, OUT next_at timestamptz, OUT occasion text, OUT expires_at timestamptz, OUT facts jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    day date := local_day(clock(), zone, day_start);
    streak record;
BEGIN
    next_at := next_streak_warning(clock(), zone, day_start);
    occasion := day;
    expires_at := upper(day_bounds(day, zone, day_start));
    is_due := expires_at - clock() <= interval '3 hours' AND expires_at - clock() > interval '2 hours';
    IF is_due THEN
        SELECT s.at_risk, s.current_streak INTO streak
          FROM effective_streaks() AS s WHERE s.streak_type = 'daily_activity';
        is_due := coalesce(streak.at_risk AND streak.current_streak > 0, false);
        facts := jsonb_build_object('days', streak.current_streak);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION internal.look_at_reviews(
    zone text, day_start int,
    OUT is_due boolean, OUT next_at timestamptz, OUT occasion text, OUT expires_at timestamptz, OUT facts jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    day date := local_day(last_time_of_day(reviews_time(), clock(), zone), zone, day_start);
    waiting bigint;
BEGIN
    next_at := next_time_of_day(reviews_time(), clock(), zone);
    occasion := day;
    expires_at := upper(day_bounds(day, zone, day_start));
    is_due := expires_at > clock();
    IF is_due THEN
        waiting := reviews_due();
        is_due := waiting > 0;
        facts := jsonb_build_object('count', waiting);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION internal.look_at_quest(
    quest uuid,
    OUT is_due boolean, OUT next_at timestamptz, OUT occasion text, OUT expires_at timestamptz, OUT facts jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    q record;
BEGIN
    is_due := false;
    SELECT * INTO q FROM quest_reminder_times(quest);
    IF FOUND AND q.expires_at - clock() > interval '24 hours' THEN
        next_at := q.due_at;
    ELSIF FOUND THEN
        occasion := calendar_stamp(q.expires_at);
        expires_at := q.expires_at;
        is_due := is_quest_open(quest);
        facts := jsonb_build_object('title', q.title, 'expires_at', q.expires_at);
    END IF;
END
$$;

-- A note in the inbox, unless it was read meanwhile.
CREATE OR REPLACE FUNCTION internal.look_at_note(
    note uuid,
    OUT is_due boolean, OUT next_at timestamptz, OUT occasion text, OUT expires_at timestamptz, OUT facts jsonb
)
LANGUAGE plpgsql AS $$
BEGIN
    occasion := 'once';
    expires_at := clock() + interval '7 days';
    facts := (SELECT jsonb_build_object('title', n.title, 'text', n.description) FROM unread_note(note) AS n);
    is_due := facts IS NOT NULL;
END
$$;

-- Until when a time lies in the quiet hours; null where it does not.
CREATE OR REPLACE FUNCTION internal.quiet_until(at timestamptz, quiet jsonb, zone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT CASE
            WHEN CASE WHEN q.begins < q.ends THEN w.wall >= q.begins AND w.wall < q.ends
                      ELSE w.wall >= q.begins OR w.wall < q.ends END
            THEN next_time_of_day(quiet ->> 'to', at, zone) END
          FROM (SELECT (at AT TIME ZONE zone)::time AS wall) AS w,
               (SELECT (quiet ->> 'from')::time AS begins, (quiet ->> 'to')::time AS ends) AS q);

-- Looks at a reminder as its user, and says where a message would go: to these browsers, and by mail.
--   `room` is how many messages the user may still be sent on this day. A test is sent at any hour and is not counted. In the quiet
--   hours a note is put off until they end, and everything else is dropped. While everything is paused only events are reminded of,
--   since they take place all the same, and notes are sent.
--   No row while the user is being deleted: the deletion would wait for the reminder, and this for the user.
CREATE OR REPLACE FUNCTION app.look_at_reminder(r reminders, push_available boolean, email_available boolean)
RETURNS TABLE (is_due boolean, next_at timestamptz, occasion text, expires_at timestamptz, facts jsonb, zone text,
               is_quiet boolean, room bigint, browsers uuid[], by_email boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    known jsonb;
    day_start int;
    may boolean;
    seen record;
    quiet timestamptz;
    day tstzrange;
BEGIN
    PERFORM set_config('app.user_id', r.user_id::text, true);
    SELECT u.approved INTO may FROM users AS u WHERE u.id = r.user_id FOR KEY SHARE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    known := notification_settings();
    IF r.source <> 'test' AND NOT (may AND wants_reminders(known)) THEN
        -- If the user wants messages again, the reminders are planned anew.
        RETURN QUERY SELECT false, NULL::timestamptz, NULL, NULL::timestamptz, NULL::jsonb, NULL, false, 0::bigint,
                            '{}'::uuid[], false;
        RETURN;
    END IF;
    zone := known ->> 'timezone';
    day_start := (known ->> 'day_start_hour')::int;
    CASE r.source
        WHEN 'habit' THEN SELECT * INTO seen FROM look_at_habit(r.source_id, zone, day_start);
        WHEN 'event' THEN SELECT * INTO seen FROM look_at_event(r.source_id);
        WHEN 'daily' THEN SELECT * INTO seen FROM look_at_day(known ->> 'daily_reminder_time', zone, day_start);
        WHEN 'streak' THEN SELECT * INTO seen FROM look_at_streak(zone, day_start);
        WHEN 'reviews' THEN SELECT * INTO seen FROM look_at_reviews(zone, day_start);
        WHEN 'quest' THEN SELECT * INTO seen FROM look_at_quest(r.source_id);
        WHEN 'test' THEN
            SELECT true AS is_due, NULL::timestamptz AS next_at, 'once' AS occasion,
                   clock() + interval '1 hour' AS expires_at, '{}'::jsonb AS facts INTO seen;
        ELSE SELECT * INTO seen FROM look_at_note(r.source_id);
    END CASE;
    IF r.source <> 'test' THEN
        quiet := quiet_until(clock(), known -> 'quiet_hours', zone);
        day := day_bounds(local_day(clock(), zone, day_start), zone, day_start);
    END IF;
    RETURN QUERY
    SELECT CASE WHEN r.source IN ('daily', 'streak', 'reviews', 'quest')
                THEN seen.is_due AND NOT is_paused(r.user_id, NULL, local_day(clock(), zone, day_start))
                ELSE seen.is_due END,
           CASE WHEN r.source IN ('export', 'feedback') THEN quiet ELSE seen.next_at END, seen.occasion,
           seen.expires_at, seen.facts, zone, quiet IS NOT NULL,
           CASE WHEN r.source = 'test' THEN 1
                ELSE (known ->> 'max_notifications_per_day')::bigint
                     - (SELECT count(*) FROM notification_outbox AS o
                         WHERE o.user_id = r.user_id AND o.created_at >= lower(day) AND o.kind <> 'test') END,
           CASE WHEN push_available AND (known -> 'push_notifications')::boolean
                THEN ARRAY(SELECT s.id FROM live_subscriptions() AS s) ELSE '{}' END,
           email_available AND (known -> 'email_notifications')::boolean;
END
$$;

-- Locks the reminders that have been due for longest, at most so many, until the end of the transaction; another sender gets
-- others. The caller has to give each its next time.
CREATE OR REPLACE FUNCTION app.due_reminders(most int, push_available boolean, email_available boolean)
RETURNS TABLE (user_id uuid, source text, source_id uuid, due_at timestamptz, now timestamptz, is_due boolean,
               next_at timestamptz, occasion text, expires_at timestamptz, facts jsonb, zone text, is_quiet boolean, room bigint,
               browsers uuid[], by_email boolean)
LANGUAGE plpgsql AS $$
DECLARE
    r reminders;
BEGIN
    FOR r IN SELECT d.* FROM reminders AS d WHERE d.due_at <= clock() ORDER BY d.due_at LIMIT most FOR UPDATE SKIP LOCKED LOOP
        RETURN QUERY SELECT r.user_id, r.source, r.source_id, r.due_at, clock(), s.*
                       FROM look_at_reminder(r, push_available, email_available) AS s;
    END LOOP;
    PERFORM set_config('app.user_id', '', true);
END
$$;
REVOKE EXECUTE ON FUNCTION app.look_at_reminder, app.due_reminders
    FROM questlog_app, questlog_auth, questlog_operator, questlog_admin;

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

-- Turns the mails of a user off whose signed token the caller has checked. Returns whether there is such a user.
CREATE OR REPLACE FUNCTION app.unsubscribe_from_mail(of_user uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM set_config('app.user_id', of_user::text, true), set_config('app.scope', 'own', true);
    IF NOT EXISTS (SELECT FROM users AS u WHERE u.id = of_user) THEN
        RETURN false;
    END IF;
    PERFORM change_settings('{"email_notifications": false}');
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION app.unsubscribe_from_mail FROM questlog_auth, questlog_operator, questlog_admin, questlog_jobs;
