SET LOCAL ROLE questlog_owner;

-- Whole seconds the timer has run by `at`: since the start, without the paused time, at most the duration.
CREATE OR REPLACE FUNCTION app.focus_active_seconds(s focus_sessions, at timestamptz) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN s.ended_at IS NOT NULL THEN s.actual_seconds
    ELSE least(s.duration_seconds,
               greatest(0, floor(extract(epoch FROM coalesce(s.paused_at, at) - s.started_at) - s.paused_total_seconds)))::int
END;

CREATE OR REPLACE FUNCTION app.focus_remaining_seconds(s focus_sessions, at timestamptz) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN CASE s.status
    WHEN 'active' THEN greatest(0, ceil(extract(epoch FROM s.ends_at - at)))::int
    WHEN 'paused' THEN s.paused_remaining_seconds
    ELSE 0
END;

-- When a live session ends by itself: an active one at zero, a paused one after an hour.
CREATE OR REPLACE FUNCTION app.focus_expires_at(s focus_sessions) RETURNS timestamptz
LANGUAGE sql IMMUTABLE
RETURN coalesce(s.ends_at, s.paused_at + interval '3600 seconds');

-- A session as the wire shows it.
CREATE OR REPLACE FUNCTION app.focus_shown(s focus_sessions) RETURNS jsonb
LANGUAGE sql STABLE
RETURN to_jsonb(s) || jsonb_build_object(
    'expires_at', focus_expires_at(s),
    'actual_seconds', focus_active_seconds(s, clock()),
    'time_remaining_seconds', focus_remaining_seconds(s, clock()));

-- Pays an ended session, once: called again it answers what was paid the first time. Null when it earns nothing.
--   Within max(15 s, a twentieth) of its end a session counts in full. Under a minute nothing is paid, and a break is
--   paid in full or not at all.
CREATE OR REPLACE FUNCTION app.pay_focus(s focus_sessions) RETURNS award_result
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
            day => local_day(s.ended_at));
    END IF;
    RETURN award(
        'break_complete', 'focus_session', s.id,
        CASE s.mode WHEN 'break' THEN 2 ELSE 3 END, CASE s.mode WHEN 'break' THEN 0 ELSE 1 END, 'break_complete:' || s.id,
        metadata => jsonb_build_object('duration_seconds', seconds),
        day => local_day(s.ended_at));
END
$$;

-- Ends a live session at an instant and pays what it earned.
CREATE OR REPLACE FUNCTION app.end_focus(s focus_sessions, new_status text, reason text, at timestamptz) RETURNS focus_ending
LANGUAGE plpgsql AS $$
DECLARE
    ending focus_ending;
BEGIN
    s.actual_seconds := focus_active_seconds(s, at);
    s.status := new_status;
    s.end_reason := reason;
    s.ended_at := at;
    s.completed_at := CASE new_status WHEN 'completed' THEN at END;
    s.abandoned_at := CASE new_status WHEN 'abandoned' THEN at END;
    s.ends_at := NULL;
    s.paused_at := NULL;
    s.paused_remaining_seconds := NULL;
    ending.paid := pay_focus(s);
    s.xp_awarded := coalesce((ending.paid).xp, 0);
    s.coins_awarded := coalesce((ending.paid).coins, 0);
    UPDATE focus_sessions
       SET (actual_seconds, status, end_reason, ended_at, completed_at, abandoned_at, ends_at, paused_at,
            paused_remaining_seconds, xp_awarded, coins_awarded)
         = (s.actual_seconds, s.status, s.end_reason, s.ended_at, s.completed_at, s.abandoned_at, s.ends_at, s.paused_at,
            s.paused_remaining_seconds, s.xp_awarded, s.coins_awarded)
     WHERE id = s.id;
    DELETE FROM focus_pause_state WHERE session_id = s.id;
    ending.session := s;
    ending.already_completed := false;
    RETURN ending;
END
$$;

-- Ends the live session if its time has come while nobody looked: every read and write of the timer does this first.
-- Looks without a lock, since nearly always there is nothing to do and polls must not write.
CREATE OR REPLACE FUNCTION app.settle_focus() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    s focus_sessions;
BEGIN
    PERFORM FROM focus_sessions AS f WHERE f.status IN ('active', 'paused') AND focus_expires_at(f) <= clock();
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM lock_user();
    SELECT * INTO s FROM focus_sessions AS f WHERE f.status IN ('active', 'paused') AND focus_expires_at(f) <= clock();
    IF s.status = 'active' THEN
        PERFORM end_focus(s, 'completed', 'timer', s.ends_at);
    ELSIF s.status = 'paused' THEN
        PERFORM end_focus(s, 'expired', 'pause_lapsed', focus_expires_at(s));
    END IF;
END
$$;

-- Completes a session on its user's word, or, past its end, at its end. A completed one answers as the first time.
CREATE OR REPLACE FUNCTION app.complete_focus(s focus_sessions) RETURNS focus_ending
LANGUAGE plpgsql AS $$
BEGIN
    IF s.status = 'completed' THEN
        RETURN (s, pay_focus(s), true)::focus_ending;
    ELSIF s.status = 'paused' AND focus_expires_at(s) <= clock() THEN
        s.status := 'expired'; -- as the next look at it will find
    END IF;
    IF s.status IN ('abandoned', 'expired') THEN
        PERFORM refuse(409, 'invalid_state', 'This session has ended already.', jsonb_build_object('status', s.status));
    ELSIF s.status = 'active' AND s.ends_at <= clock() THEN
        RETURN end_focus(s, 'completed', 'timer', s.ends_at);
    END IF;
    RETURN end_focus(s, 'completed', 'user', clock());
END
$$;

-- Stops the clock. A client may show a slightly other remainder than the server: within 30 seconds its figure holds.
CREATE OR REPLACE FUNCTION app.pause_focus(s focus_sessions, shown_seconds int) RETURNS focus_pause_state
LANGUAGE plpgsql AS $$
DECLARE
    remaining int := focus_remaining_seconds(s, clock());
    state focus_pause_state;
BEGIN
    IF s.status = 'active' THEN
        remaining := least(s.duration_seconds, greatest(0, remaining - 30, least(remaining + 30, coalesce(shown_seconds, remaining))));
        UPDATE focus_sessions
           SET status = 'paused', paused_at = clock(), ends_at = NULL, paused_remaining_seconds = remaining
         WHERE id = s.id;
        INSERT INTO focus_pause_state (session_id, mode, time_remaining_seconds, paused_at)
        VALUES (s.id, s.mode, remaining, clock());
    END IF;
    SELECT * INTO state FROM focus_pause_state WHERE session_id = s.id;
    RETURN state;
END
$$;

-- A library as the wire shows it; its tracks are counted, not remembered.
CREATE OR REPLACE FUNCTION app.focus_library_shown(l focus_libraries) RETURNS jsonb
LANGUAGE sql STABLE
RETURN to_jsonb(l) || jsonb_build_object(
    'tracks_count', (SELECT count(*) FROM focus_library_tracks AS t WHERE t.library_id = l.id));
