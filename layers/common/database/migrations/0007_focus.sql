-- migrate:up
-- Focus: a timer the server owns, one per user, that survives closed tabs.
SET LOCAL ROLE questlog_owner;

CREATE TABLE focus_libraries (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 2000),
    library_type text NOT NULL DEFAULT 'custom' CHECK (length(library_type) BETWEEN 1 AND 40),
    is_favorite boolean NOT NULL DEFAULT false,
    preset_durations int[] NOT NULL DEFAULT '{}'
        CHECK (cardinality(preset_durations) <= 10 AND 1 <= ALL (preset_durations) AND 240 >= ALL (preset_durations)),
    default_duration int CHECK (default_duration BETWEEN 1 AND 240),
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX focus_libraries_name ON focus_libraries (user_id, lower(name));
CREATE TRIGGER touch BEFORE UPDATE ON focus_libraries FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('focus_libraries');
GRANT SELECT, INSERT, UPDATE, DELETE ON focus_libraries TO questlog_app;

CREATE TABLE focus_library_tracks (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    library_id uuid NOT NULL,
    track_id uuid, -- a reference track, where the user has named one
    track_title text NOT NULL CHECK (length(track_title) BETWEEN 1 AND 200),
    track_url text CHECK (track_url LIKE 'https://%' AND length(track_url) <= 2000),
    duration_seconds int CHECK (duration_seconds BETWEEN 0 AND 86400),
    sort_order int NOT NULL,
    added_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, library_id) REFERENCES focus_libraries ON DELETE CASCADE
);
CREATE INDEX focus_library_tracks_order ON focus_library_tracks (user_id, library_id, sort_order);
CREATE INDEX focus_library_tracks_reference ON focus_library_tracks (user_id, track_id) WHERE track_id IS NOT NULL;
CALL enable_row_security('focus_library_tracks');
GRANT SELECT, INSERT, DELETE, UPDATE (track_id) ON focus_library_tracks TO questlog_app;

CREATE TABLE focus_sessions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    mode text NOT NULL DEFAULT 'focus',
    duration_seconds int NOT NULL,
    started_at timestamptz NOT NULL DEFAULT instant(),
    ends_at timestamptz,
    paused_at timestamptz,
    paused_total_seconds double precision NOT NULL DEFAULT 0,
    paused_remaining_seconds int,
    completed_at timestamptz,
    abandoned_at timestamptz,
    ended_at timestamptz,
    status text NOT NULL DEFAULT 'active',
    end_reason text,
    actual_seconds int NOT NULL DEFAULT 0,
    xp_awarded bigint NOT NULL DEFAULT 0,
    coins_awarded bigint NOT NULL DEFAULT 0,
    task_title text,
    notes text,
    tags text[] NOT NULL DEFAULT '{}',
    library_id uuid,
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, library_id) REFERENCES focus_libraries
);

-- Whether a session is sound, seen by itself. It is one function and not a score of CHECKs, and it takes the row and not a score
-- of columns, because Postgres reads the text of each CHECK anew for every INSERT and UPDATE.
--   It has a search path of its own, since rows are written by requests and by functions that have one: where another one holds
--   than the last time, Postgres makes the plan anew.
--   What only some sessions have is looked at in an IF of its own: Postgres makes a condition ready where it is reached, and that takes
-- longer than to evaluate it. IS NULL takes no time.
CREATE FUNCTION sound_focus_session(s focus_sessions) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    sound boolean := s.mode IN ('focus', 'break', 'long_break')
       AND s.duration_seconds BETWEEN 1 AND 14400
       AND s.paused_total_seconds >= 0
       AND s.actual_seconds BETWEEN 0 AND s.duration_seconds
       AND s.xp_awarded >= 0
       AND s.coins_awarded >= 0
       AND (s.task_title IS NULL OR length(s.task_title) BETWEEN 1 AND 200)
       AND cardinality(s.tags) <= 10;
BEGIN
    IF s.notes IS NOT NULL THEN
        sound := sound AND length(s.notes) <= 2000;
    END IF;
    -- Each status has the moments that belong to it, and no others.
    IF s.ended_at IS NOT NULL THEN
        RETURN sound AND s.end_reason IS NOT NULL AND s.end_reason IN ('user', 'timer', 'superseded', 'pause_lapsed')
           AND s.ends_at IS NULL AND s.paused_at IS NULL AND s.paused_remaining_seconds IS NULL
           AND CASE s.status
               WHEN 'completed' THEN s.completed_at IS NOT NULL AND s.abandoned_at IS NULL
               WHEN 'abandoned' THEN s.abandoned_at IS NOT NULL AND s.completed_at IS NULL
               ELSE s.status = 'expired' AND s.completed_at IS NULL AND s.abandoned_at IS NULL
           END;
    END IF;
    sound := sound AND s.completed_at IS NULL AND s.abandoned_at IS NULL AND s.end_reason IS NULL;
    IF s.status = 'active' THEN
        RETURN sound AND s.ends_at IS NOT NULL AND s.paused_at IS NULL AND s.paused_remaining_seconds IS NULL;
    END IF;
    RETURN sound AND s.status = 'paused' AND s.ends_at IS NULL AND s.paused_at IS NOT NULL
       AND s.paused_remaining_seconds IS NOT NULL AND s.paused_remaining_seconds BETWEEN 0 AND 14400;
END
$$;
ALTER TABLE focus_sessions ADD CHECK (sound_focus_session(focus_sessions));
CREATE UNIQUE INDEX focus_sessions_one_live ON focus_sessions (user_id) WHERE status IN ('active', 'paused');
CREATE INDEX focus_sessions_started ON focus_sessions (user_id, started_at DESC, id);
CREATE INDEX focus_sessions_ended ON focus_sessions (user_id, ended_at) WHERE mode = 'focus';
CREATE INDEX focus_sessions_library ON focus_sessions (user_id, library_id) WHERE library_id IS NOT NULL;
CALL enable_row_security('focus_sessions');
GRANT SELECT, INSERT, UPDATE ON focus_sessions TO questlog_app;

CREATE TABLE focus_pause_state (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    session_id uuid NOT NULL,
    mode text NOT NULL CHECK (mode IN ('focus', 'break', 'long_break')),
    time_remaining_seconds int NOT NULL CHECK (time_remaining_seconds BETWEEN 0 AND 14400),
    paused_at timestamptz NOT NULL,
    FOREIGN KEY (user_id, session_id) REFERENCES focus_sessions ON DELETE CASCADE
);
CALL enable_row_security('focus_pause_state');
GRANT SELECT, INSERT, UPDATE, DELETE ON focus_pause_state TO questlog_app;
GRANT DELETE ON focus_pause_state TO questlog_jobs;
