SET LOCAL ROLE questlog_owner;

-- The timer ---------------------------------------------------------------------------------------------------------
-- Functions of a session and a moment, without a look at a table: the planner inlines them. date_part() and not extract(),
-- whose numeric costs several times as much.

-- Whole seconds the timer has run by `at`: since the start, without the paused time, at most the duration.
CREATE OR REPLACE FUNCTION internal.focus_active_seconds(s focus_sessions, at timestamptz) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN s.ended_at IS NOT NULL THEN s.actual_seconds
    ELSE least(s.duration_seconds,
               greatest(0, floor(date_part('epoch', coalesce(s.paused_at, at) - s.started_at) - s.paused_total_seconds)::int))
END;

-- Whole seconds until the timer reaches zero; it stands still while paused, and is 0 once the session has ended.
CREATE OR REPLACE FUNCTION app.focus_remaining_seconds(s focus_sessions, at timestamptz) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE s.status
    WHEN 'active' THEN greatest(0, ceil(date_part('epoch', s.ends_at - at))::int)
    WHEN 'paused' THEN s.paused_remaining_seconds
    ELSE 0
END;

-- When a live session ends by itself: a running one at zero, a paused one after an hour. Null once it has ended.
-- STABLE, as adding an interval is: a function that promises more than its body is not inlined.
CREATE OR REPLACE FUNCTION app.focus_expires_at(s focus_sessions) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(s.ends_at, s.paused_at + interval '3600 seconds');

-- What the wire shows of a session beside its own columns. `active_seconds` is shown as actual_seconds: the column of that
-- name is 0 until the session ends.
CREATE OR REPLACE FUNCTION app.focus_timer(s focus_sessions, at timestamptz)
RETURNS TABLE (expires_at timestamptz, active_seconds int, time_remaining_seconds int)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT focus_expires_at(s), focus_active_seconds(s, focus_timer.at), focus_remaining_seconds(s, focus_timer.at);
END;

-- Lists -------------------------------------------------------------------------------------------------------------

-- The user's sessions: of a mode, of a status, with a tag, started on the local days `first` to `last`. Null is any. The days are
-- bounds of the index also where they are open, so a page of long ago does not read what came after.
CREATE OR REPLACE FUNCTION app.focus_sessions_where(
    wanted_mode text, wanted_status text, wanted_tag text, first date, last date
) RETURNS SETOF focus_sessions
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.*
      FROM focus_sessions AS s
     WHERE (wanted_mode IS NULL OR s.mode = wanted_mode)
       AND (wanted_status IS NULL OR s.status = wanted_status)
       AND (wanted_tag IS NULL OR wanted_tag = ANY (s.tags))
       AND s.started_at >= (SELECT CASE WHEN first IS NULL THEN '-infinity' ELSE lower(day_bounds(first)) END)
       AND s.started_at < (SELECT CASE WHEN last IS NULL THEN 'infinity' ELSE upper(day_bounds(last)) END);
END;

-- How many sessions focus_sessions_where() returns. Those that have ended are kept by the month of UTC in which they started, which
-- does not depend on the user's zone: whole months are added up, and the rest of the span is counted, before the first of them
-- (`head_end`) and after the last one (`tail_start`).
CREATE OR REPLACE FUNCTION app.focus_total(wanted_mode text, wanted_status text, wanted_tag text, first date, last date)
RETURNS TABLE (total bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN wanted_tag IS NULL
           THEN (SELECT coalesce(sum(t.total), 0)::bigint
                   FROM totals_of('focus') AS t
                  WHERE t.day >= utc_day(p.head_end) AND t.day < utc_day(p.tail_start)
                    AND (wanted_mode IS NULL OR split_part(t.kind, '/', 1) = wanted_mode)
                    AND (wanted_status IS NULL OR split_part(t.kind, '/', 2) = wanted_status))
           ELSE (SELECT coalesce(sum(t.total), 0)::bigint
                   FROM totals_of('focus_tags') AS t
                  WHERE t.day >= utc_day(p.head_end) AND t.day < utc_day(p.tail_start)
                    AND t.kind = ANY (ARRAY(SELECT focus_tag_kind(m.mode, s.status, wanted_tag)
                                              FROM (VALUES ('focus'), ('break'), ('long_break')) AS m (mode),
                                                   (VALUES ('completed'), ('expired'), ('abandoned')) AS s (status)
                                             WHERE (wanted_mode IS NULL OR m.mode = wanted_mode)
                                               AND (wanted_status IS NULL OR s.status = wanted_status))))
           END
           + (SELECT count(*) FROM focus_sessions_where(wanted_mode, wanted_status, wanted_tag, NULL, NULL) AS s
               WHERE s.ended_at IS NOT NULL AND s.started_at >= p.since AND s.started_at < p.head_end)
           + (SELECT count(*) FROM focus_sessions_where(wanted_mode, wanted_status, wanted_tag, NULL, NULL) AS s
               WHERE s.ended_at IS NOT NULL AND s.started_at >= p.tail_start AND s.started_at < p.until)
           + (SELECT count(*) FROM focus_sessions_where(wanted_mode, wanted_status, wanted_tag, NULL, NULL) AS s
               WHERE s.status IN ('active', 'paused') AND s.started_at >= p.since AND s.started_at < p.until)
      FROM (SELECT b.since, b.until, least(b.until, m.opens) AS head_end, greatest(least(b.until, m.opens), m.closes) AS tail_start
              FROM (SELECT CASE WHEN first IS NULL THEN '-infinity' ELSE lower(day_bounds(first)) END AS since,
                           CASE WHEN last IS NULL THEN 'infinity' ELSE upper(day_bounds(last)) END AS until OFFSET 0) AS b,
                   -- the first month that begins after the span does, and the one in which the span ends
                   LATERAL (SELECT (date_trunc('month', b.since AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC' AS opens,
                                   date_trunc('month', b.until AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS closes) AS m
            OFFSET 0) AS p;
END;

-- How many tracks a library has. They are counted at each read, so that the number cannot be wrong.
CREATE OR REPLACE FUNCTION app.count_tracks(l focus_libraries) RETURNS TABLE (tracks_count bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT count(*) FROM focus_library_tracks AS t WHERE t.library_id = l.id;
END;

-- Takes a reference track out of the libraries that name it, before it is deleted: what they say of it themselves stays.
CREATE OR REPLACE FUNCTION app.unlink_library_tracks(gone uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE focus_library_tracks SET track_id = NULL WHERE track_id = gone;
END;

-- Changes -----------------------------------------------------------------------------------------------------------
-- All run under the user's lock, and take the time after it, so that no moment is before the one it follows.

-- Pays an ended session, once: a second call returns what the first one paid. Null when the session earns nothing.
--   A session that ends within max(15 s, a twentieth) of its duration counts in full. Less than a minute is not paid,
--   and a break is paid in full or not at all. The award is of the local day on which the session ended, which the caller may know.
CREATE OR REPLACE FUNCTION internal.pay_focus(s focus_sessions, day date DEFAULT NULL) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    seconds int := CASE
        WHEN s.actual_seconds >= s.duration_seconds - greatest(15, s.duration_seconds / 20) THEN s.duration_seconds
        ELSE s.actual_seconds
    END;
    in_full boolean := seconds = s.duration_seconds AND s.status = 'completed';
BEGIN
    IF seconds < 60 OR s.status NOT IN ('completed', 'expired') OR (s.mode <> 'focus' AND NOT in_full) THEN
        RETURN NULL;
    ELSIF s.mode = 'focus' THEN
        RETURN award(
            CASE s.status WHEN 'completed' THEN 'focus_complete' ELSE 'focus_partial' END, 'focus_session', s.id,
            greatest(5, seconds / 60), greatest(2, seconds / 300), 'focus_complete:' || s.id,
            counters => jsonb_build_object('focus_minutes', seconds / 60),
            metadata => jsonb_build_object('duration_seconds', seconds),
            day => coalesce(pay_focus.day, local_day(s.ended_at)));
    END IF;
    RETURN award(
        'break_complete', 'focus_session', s.id,
        CASE s.mode WHEN 'break' THEN 2 ELSE 3 END, CASE s.mode WHEN 'break' THEN 0 ELSE 1 END, 'break_complete:' || s.id,
        metadata => jsonb_build_object('duration_seconds', seconds),
        day => coalesce(pay_focus.day, local_day(s.ended_at)));
END
$$;

-- What a session that has ended adds to the totals of its tags (1), or takes away from them (-1), as move_totals() takes it. It is a
-- loop, since a statement would take many times as long.
CREATE OR REPLACE FUNCTION internal.focus_tag_totals(s focus_sessions, change int) RETURNS user_totals[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    month date := month_of(s.started_at);
    seen text[] := '{}';
    tag text;
    moves user_totals[] := '{}';
BEGIN
    FOREACH tag IN ARRAY s.tags LOOP
        IF tag <> ALL (seen) THEN
            seen := seen || tag;
            moves := moves || ROW(s.user_id, 'focus_tags', month, focus_tag_kind(s.mode, s.status, tag), change, 0)::user_totals;
        END IF;
    END LOOP;
    RETURN moves;
END
$$;

-- Ends a live session at a moment, from when on it is among the totals of its list. Returns the session, and what it was paid, null
-- for nothing. `day` is the local day of the moment, where the caller knows it.
CREATE OR REPLACE FUNCTION internal.end_focus(
    INOUT s focus_sessions, new_status text, reason text, at timestamptz, day date DEFAULT NULL, OUT paid award_result
)
LANGUAGE plpgsql AS $$
DECLARE
    was_paused boolean := s.paused_at IS NOT NULL;
BEGIN
    s.actual_seconds := focus_active_seconds(s, at);
    s.status := new_status;
    s.ended_at := at;
    paid := pay_focus(s, day);
    UPDATE focus_sessions AS f
       SET status = new_status,
           end_reason = reason,
           actual_seconds = s.actual_seconds,
           ended_at = at,
           completed_at = CASE new_status WHEN 'completed' THEN at END,
           abandoned_at = CASE new_status WHEN 'abandoned' THEN at END,
           ends_at = NULL,
           paused_at = NULL,
           paused_remaining_seconds = NULL,
           xp_awarded = coalesce(paid.xp, 0),
           coins_awarded = coalesce(paid.coins, 0)
     WHERE f.id = s.id
    RETURNING f.* INTO s;
    IF was_paused THEN
        DELETE FROM focus_pause_state AS p WHERE p.session_id = s.id;
    END IF;
    PERFORM move_totals(
        ROW(s.user_id, 'focus', month_of(s.started_at), focus_kind(s.mode, s.status), 1, 0)::user_totals || focus_tag_totals(s, 1));
END
$$;

-- Ends a session whose time is up, at the moment it was: a running one is completed, a paused one expires.
CREATE OR REPLACE FUNCTION internal.end_overdue_focus(s focus_sessions) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF s.status = 'active' THEN
        PERFORM end_focus(s, 'completed', 'timer', s.ends_at);
    ELSE
        PERFORM end_focus(s, 'expired', 'pause_lapsed', focus_expires_at(s));
    END IF;
END
$$;

-- Ends the live session if its time is up. Every read and write of the timer begins with this. It is a statement of its own
-- there, because a statement does not see what the functions it calls have written.
--   It looks without the lock first: nearly always there is nothing to end, and polls should not wait for each other.
CREATE OR REPLACE FUNCTION app.settle_focus() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    s focus_sessions;
BEGIN
    PERFORM FROM focus_sessions AS f
     WHERE f.status IN ('active', 'paused') AND focus_expires_at(f) <= instant();
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM lock_user();
    SELECT * INTO s FROM focus_sessions AS f
     WHERE f.status IN ('active', 'paused') AND focus_expires_at(f) <= instant();
    IF FOUND THEN
        PERFORM end_overdue_focus(s);
    END IF;
END
$$;

-- Ends the live session, if there is one, to make room for another: where its time is not up, it is abandoned.
CREATE OR REPLACE FUNCTION app.end_live_focus() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz := instant();
    s focus_sessions;
BEGIN
    SELECT * INTO s FROM focus_sessions AS f WHERE f.status IN ('active', 'paused');
    IF focus_expires_at(s) <= at THEN
        PERFORM end_overdue_focus(s);
    ELSIF s.id IS NOT NULL THEN
        PERFORM end_focus(s, 'abandoned', 'superseded', at);
    END IF;
END
$$;

-- Completes a session, under the user's lock: now or, when its time is up, at its end. Returns the session after it. `paid` is null when
-- it earned nothing; a session that was completed already gets what was paid the first time. Without such a session it returns no
-- row.
CREATE OR REPLACE FUNCTION app.complete_focus(wanted uuid)
RETURNS TABLE (already_completed boolean, paid award_result, session focus_sessions)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    before record;
    ended record;
    at timestamptz;
    reason text := 'user';
    -- The lock, before anything is read. As an expression it costs a fourth less than as a statement.
    locked user_progress := own_progress();
BEGIN
    -- With the settings that say which day it is: to ask for the day costs as much as to read the session.
    SELECT f AS session, d.zone, d.day_start INTO before FROM focus_sessions AS f, own_days() AS d WHERE f.id = wanted;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    session := before.session;
    IF session.status NOT IN ('active', 'paused') THEN
        -- Another one may run, and its time may be up. There is never more than one.
        PERFORM settle_focus();
    END IF;
    at := instant();
    already_completed := session.status = 'completed';
    IF session.status = 'paused' AND focus_expires_at(session) <= at THEN
        session.status := 'expired'; -- settle_focus() will end it so
    END IF;
    IF session.status IN ('abandoned', 'expired') THEN
        PERFORM refuse(409, 'invalid_state', 'This session has ended already.', jsonb_build_object('status', session.status));
    END IF;
    IF already_completed THEN
        paid := pay_focus(session);
        RETURN NEXT;
        RETURN;
    END IF;
    IF session.ends_at <= at THEN
        at := session.ends_at;
        reason := 'timer';
    END IF;
    ended := end_focus(session, 'completed', reason, at, local_day(at, before.zone, before.day_start));
    session := ended.s;
    paid := ended.paid;
    RETURN NEXT;
END
$$;

-- Ends a session unpaid. An abandoned one stays as it is; one that ended otherwise is refused.
CREATE OR REPLACE FUNCTION app.abandon_focus(s focus_sessions) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF s.status IN ('completed', 'expired') THEN
        PERFORM refuse(409, 'invalid_state', 'This session has ended already.', jsonb_build_object('status', s.status));
    ELSIF s.status <> 'abandoned' THEN
        PERFORM end_focus(s, 'abandoned', 'user', instant());
    END IF;
END
$$;

-- Changes the title, the notes and the tags of a session by the fields that were sent.
CREATE OR REPLACE FUNCTION app.change_focus(s focus_sessions, changes jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    n focus_sessions := jsonb_populate_record(s, changes);
BEGIN
    UPDATE focus_sessions AS f SET task_title = n.task_title, notes = n.notes, tags = n.tags WHERE f.id = s.id;
    IF s.ended_at IS NOT NULL AND s.tags <> n.tags THEN
        PERFORM move_totals(focus_tag_totals(s, -1)), move_totals(focus_tag_totals(n, 1));
    END IF;
END
$$;

-- Pauses a running session. `shown_seconds` is the remainder that the client shows; where it is within 30 seconds of the
-- server's, it is kept.
CREATE OR REPLACE FUNCTION app.pause_focus(s focus_sessions, shown_seconds int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := instant();
    remaining int := focus_remaining_seconds(s, at);
BEGIN
    remaining := least(s.duration_seconds,
                       greatest(0, remaining - 30, least(remaining + 30, coalesce(shown_seconds, remaining))));
    UPDATE focus_sessions AS f
       SET status = 'paused', paused_at = at, ends_at = NULL, paused_remaining_seconds = remaining
     WHERE f.id = s.id;
    INSERT INTO focus_pause_state (session_id, mode, time_remaining_seconds, paused_at)
    VALUES (s.id, s.mode, remaining, at);
END
$$;

-- Resumes a paused session: its remainder runs on, and the pause is left out of the time that is paid.
CREATE OR REPLACE FUNCTION app.resume_focus(s focus_sessions) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := instant();
BEGIN
    UPDATE focus_sessions AS f
       SET status = 'active',
           ends_at = at + make_interval(secs => s.paused_remaining_seconds),
           -- greatest(): a server's clock may be set back during a pause, which would give it a negative length.
           paused_total_seconds = f.paused_total_seconds + greatest(0, date_part('epoch', at - s.paused_at)),
           paused_at = NULL,
           paused_remaining_seconds = NULL
     WHERE f.id = s.id;
    DELETE FROM focus_pause_state AS p WHERE p.session_id = s.id;
END
$$;
