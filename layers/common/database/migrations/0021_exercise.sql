-- migrate:up
-- Training: a library of exercises, workouts made of them, sessions with their sets, and personal records.
SET LOCAL ROLE questlog_owner;

-- Built-in exercises have no owner and are everyone's. A foreign key is checked past row-level security, so what points at
-- an exercise carries its owner too: owner_key, which for a built-in one is the zero UUID.
CREATE TABLE exercises (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    owner_id uuid DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    owner_key uuid NOT NULL
        GENERATED ALWAYS AS (coalesce(owner_id, '00000000-0000-0000-0000-000000000000')) STORED,
    slug text CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    category text NOT NULL CHECK (length(category) BETWEEN 1 AND 40),
    primary_muscles text[] NOT NULL DEFAULT '{}' CHECK (cardinality(primary_muscles) <= 20),
    secondary_muscles text[] NOT NULL DEFAULT '{}' CHECK (cardinality(secondary_muscles) <= 20),
    equipment text[] NOT NULL DEFAULT '{}' CHECK (cardinality(equipment) <= 20),
    description text CHECK (length(description) BETWEEN 1 AND 2000),
    instructions text CHECK (length(instructions) BETWEEN 1 AND 10000),
    force text CHECK (force IN ('push', 'pull', 'static')),
    level text CHECK (level IN ('beginner', 'intermediate', 'expert')),
    mechanic text CHECK (mechanic IN ('compound', 'isolation')),
    is_builtin boolean NOT NULL GENERATED ALWAYS AS (owner_id IS NULL) STORED,
    -- Changed by an administrator: the next release's list leaves it as it is.
    is_edited boolean NOT NULL DEFAULT false CHECK (NOT is_edited OR owner_id IS NULL),
    -- The name in a file that an import has made the exercise for.
    import_key text CHECK (length(import_key) BETWEEN 1 AND 320),
    merged_into_owner uuid,
    merged_into uuid,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (owner_key, id),
    UNIQUE (owner_key, slug),
    UNIQUE (owner_key, import_key),
    -- Deferrable, so that an import may insert an exercise before the one that it was merged into.
    FOREIGN KEY (merged_into_owner, merged_into) REFERENCES exercises (owner_key, id) DEFERRABLE,
    CHECK ((slug IS NOT NULL) = (owner_id IS NULL)),
    CHECK ((merged_into IS NULL) = (merged_into_owner IS NULL)),
    CHECK (merged_into IS NULL OR deleted_at IS NOT NULL),
    CHECK (merged_into_owner IN (owner_id, '00000000-0000-0000-0000-000000000000'))
);
CREATE INDEX exercises_names ON exercises (owner_key, lower(name));
CREATE INDEX exercises_merged ON exercises (merged_into_owner, merged_into) WHERE merged_into IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON exercises FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
-- A deleted user's rows are found by it.
CREATE INDEX exercises_owner ON exercises (owner_id) WHERE owner_id IS NOT NULL;
CALL enable_shared_row_security('exercises');
-- The library is brought in line with a release by the owner's functions alone: app.seed_exercises().
CREATE POLICY seeds ON exercises TO questlog_owner USING (owner_id IS NULL) WITH CHECK (owner_id IS NULL);
GRANT SELECT, INSERT, UPDATE ON exercises TO questlog_app;
GRANT INSERT, UPDATE, DELETE ON exercises TO questlog_admin;

CREATE TABLE workouts (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text CHECK (length(description) BETWEEN 1 AND 2000),
    duration_minutes int CHECK (duration_minutes BETWEEN 1 AND 1440),
    difficulty text NOT NULL DEFAULT 'intermediate' CHECK (difficulty IN ('beginner', 'intermediate', 'advanced')),
    workout_type text NOT NULL DEFAULT 'strength'
        CHECK (workout_type IN ('strength', 'cardio', 'hiit', 'flexibility', 'mixed')),
    is_template boolean NOT NULL DEFAULT false,
    is_quick boolean NOT NULL DEFAULT false,
    -- Of its completed sessions; counted as they come, since a workout may have thousands.
    times_performed int NOT NULL DEFAULT 0 CHECK (times_performed >= 0),
    last_performed_at timestamptz,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    CHECK ((times_performed = 0) = (last_performed_at IS NULL)),
    CHECK (NOT is_quick OR deleted_at IS NULL)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX workouts_quick ON workouts (user_id) WHERE is_quick;
CREATE INDEX workouts_recent ON workouts (user_id, updated_at DESC) WHERE deleted_at IS NULL;
-- To perform a workout is not to change it.
CREATE TRIGGER touch
    BEFORE UPDATE OF name, description, duration_minutes, difficulty, workout_type, is_template, deleted_at ON workouts
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('workouts');
GRANT SELECT, INSERT, UPDATE ON workouts TO questlog_app;

CREATE TABLE workout_sections (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    workout_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    section_type text NOT NULL CHECK (section_type IN ('warmup', 'main', 'cooldown', 'superset', 'circuit')),
    sort_order int NOT NULL CHECK (sort_order >= 0),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, workout_id, sort_order),
    FOREIGN KEY (user_id, workout_id) REFERENCES workouts ON DELETE CASCADE
);
CALL enable_row_security('workout_sections');
GRANT SELECT, INSERT, DELETE ON workout_sections TO questlog_app;

CREATE TABLE workout_exercises (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    section_id uuid NOT NULL,
    exercise_owner uuid NOT NULL CHECK (exercise_owner IN (user_id, '00000000-0000-0000-0000-000000000000')),
    exercise_id uuid NOT NULL,
    sets int NOT NULL CHECK (sets BETWEEN 1 AND 50),
    reps_min int CHECK (reps_min BETWEEN 1 AND 1000),
    reps_max int CHECK (reps_max BETWEEN 1 AND 1000),
    weight_kg numeric(7, 3) CHECK (weight_kg BETWEEN -500 AND 2000),
    duration_seconds int CHECK (duration_seconds BETWEEN 1 AND 86400),
    rest_seconds int CHECK (rest_seconds BETWEEN 0 AND 3600),
    notes text CHECK (length(notes) BETWEEN 1 AND 500),
    sort_order int NOT NULL CHECK (sort_order >= 0),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, section_id, sort_order),
    FOREIGN KEY (user_id, section_id) REFERENCES workout_sections ON DELETE CASCADE,
    FOREIGN KEY (exercise_owner, exercise_id) REFERENCES exercises (owner_key, id),
    CHECK (reps_min <= reps_max)
);
CREATE INDEX workout_exercises_exercise ON workout_exercises (exercise_owner, exercise_id);
CALL enable_row_security('workout_exercises');
GRANT SELECT, INSERT, DELETE ON workout_exercises TO questlog_app;

CREATE TABLE workout_sessions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    workout_id uuid NOT NULL,
    program_workout_id uuid,
    -- The workout as it was at the start; it may be renamed.
    workout_name text NOT NULL,
    -- strength, cardio, hiit, flexibility or mixed
    workout_type text NOT NULL,
    -- active, completed or abandoned
    status text NOT NULL DEFAULT 'active',
    started_at timestamptz NOT NULL,
    completed_at timestamptz,
    abandoned_at timestamptz,
    -- When the server was asked to begin, to resume and to end it; the user may say that it was at other times.
    opened_at timestamptz NOT NULL DEFAULT instant(),
    closed_at timestamptz,
    -- The user's day of started_at when that was written.
    local_date date NOT NULL,
    duration_seconds int,
    notes text,
    rating int,
    intensity_modifier numeric(3, 2),
    -- Of its working sets; kept with the row, so that statistics need not read every set there is.
    total_sets int NOT NULL DEFAULT 0,
    total_volume_kg numeric(14, 3) NOT NULL DEFAULT 0,
    xp_awarded bigint NOT NULL DEFAULT 0,
    coins_awarded bigint NOT NULL DEFAULT 0,
    is_completed boolean NOT NULL GENERATED ALWAYS AS (status = 'completed') STORED,
    import_key text,
    -- What the file said; null once the user has changed something.
    import_digest bytea,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, import_key),
    -- What session_exercises repeats.
    UNIQUE (user_id, id, started_at, is_completed),
    FOREIGN KEY (user_id, workout_id) REFERENCES workouts
) WITH (fillfactor = 80);

-- Whether a session of training is sound, seen by itself; see sound_habit() for why it is one function.
CREATE FUNCTION sound_workout_session(s workout_sessions) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    sound boolean := length(s.workout_name) BETWEEN 1 AND 120
        AND s.workout_type IN ('strength', 'cardio', 'hiit', 'flexibility', 'mixed')
        AND s.status IN ('active', 'completed', 'abandoned')
        AND (s.completed_at IS NOT NULL) = (s.status = 'completed')
        AND (s.abandoned_at IS NOT NULL) = (s.status = 'abandoned')
        AND (s.closed_at IS NULL) = (s.status = 'active')
        AND s.total_sets >= 0 AND s.total_volume_kg >= 0 AND s.xp_awarded >= 0 AND s.coins_awarded >= 0;
BEGIN
    IF num_nonnulls(s.completed_at, s.duration_seconds, s.notes, s.rating, s.intensity_modifier, s.import_key,
                    s.import_digest) = 0 THEN
        RETURN sound;
    END IF;
    RETURN sound
       AND (s.completed_at IS NULL OR s.completed_at >= s.started_at)
       AND (s.duration_seconds IS NULL OR (s.duration_seconds BETWEEN 0 AND 43200 AND s.status = 'completed'))
       AND (s.notes IS NULL OR length(s.notes) BETWEEN 1 AND 2000)
       AND (s.rating IS NULL OR s.rating BETWEEN 1 AND 5)
       AND (s.intensity_modifier IS NULL OR s.intensity_modifier BETWEEN 0.1 AND 2)
       AND (s.import_key IS NULL OR length(s.import_key) BETWEEN 1 AND 320)
       -- 16 bytes: what the file said.
       AND (s.import_digest IS NULL OR (length(s.import_digest) = 16 AND s.import_key IS NOT NULL));
END
$$;
ALTER TABLE workout_sessions ADD CHECK (sound_workout_session(workout_sessions));
CREATE UNIQUE INDEX workout_sessions_one_active ON workout_sessions (user_id) WHERE status = 'active';
CREATE INDEX workout_sessions_started ON workout_sessions (user_id, started_at DESC, id);
CREATE INDEX workout_sessions_workout ON workout_sessions (user_id, workout_id);
CREATE INDEX workout_sessions_slot ON workout_sessions (user_id, program_workout_id) WHERE program_workout_id IS NOT NULL;
CREATE INDEX workout_sessions_closed ON workout_sessions (user_id, closed_at DESC) WHERE status = 'completed';
CREATE INDEX workout_sessions_uncompleted ON workout_sessions (user_id) WHERE status <> 'completed';
CREATE INDEX workout_sessions_days ON workout_sessions (user_id, local_date) WHERE status = 'completed';
CALL enable_row_security('workout_sessions');
GRANT SELECT ON workout_sessions TO questlog_app;

-- What the completed sessions with a working set add up to, by the Monday of their week; kept, so that all-time statistics
-- read ten years as 500 rows.
CREATE TABLE training_weeks (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    week_start date NOT NULL CHECK (extract(isodow FROM week_start) = 1),
    workouts int NOT NULL CHECK (workouts >= 1),
    sets int NOT NULL CHECK (sets >= 1),
    seconds bigint NOT NULL CHECK (seconds >= 0),
    volume_kg numeric(17, 3) NOT NULL CHECK (volume_kg >= 0),
    PRIMARY KEY (user_id, week_start)
);
CALL enable_row_security('training_weeks');
GRANT SELECT ON training_weeks TO questlog_app;

-- The exercises of a session. It repeats of the session what is asked for by exercise: the last time it was done, how
-- often it was done, and whether a set is later than all others.
CREATE TABLE session_exercises (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    session_id uuid NOT NULL,
    exercise_owner uuid NOT NULL CHECK (exercise_owner IN (user_id, '00000000-0000-0000-0000-000000000000')),
    exercise_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    is_completed boolean NOT NULL,
    PRIMARY KEY (user_id, session_id, exercise_owner, exercise_id),
    FOREIGN KEY (user_id, session_id, started_at, is_completed)
        REFERENCES workout_sessions (user_id, id, started_at, is_completed) ON UPDATE CASCADE ON DELETE CASCADE,
    FOREIGN KEY (exercise_owner, exercise_id) REFERENCES exercises (owner_key, id)
) WITH (fillfactor = 80);
CREATE INDEX session_exercises_history ON session_exercises (user_id, exercise_id, is_completed, started_at DESC, session_id);
CREATE INDEX session_exercises_exercise ON session_exercises (exercise_owner, exercise_id);
CALL enable_row_security('session_exercises');
GRANT SELECT ON session_exercises TO questlog_app;

CREATE TABLE exercise_sets (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL,
    exercise_owner uuid NOT NULL,
    exercise_id uuid NOT NULL,
    set_number int NOT NULL,
    -- What the request asked for, by which a double click is known.
    requested_number int,
    reps int,
    weight_kg numeric(7, 3),
    duration_seconds int,
    distance_m numeric(10, 3),
    rpe numeric(3, 1),
    is_warmup boolean NOT NULL DEFAULT false,
    is_dropset boolean NOT NULL DEFAULT false,
    is_failure boolean NOT NULL DEFAULT false,
    notes text,
    logged_at timestamptz NOT NULL DEFAULT instant(),
    -- Whether it counts: for totals, records and rewards.
    is_working boolean NOT NULL GENERATED ALWAYS AS (
        NOT is_warmup
        AND (coalesce(reps, 0) >= 1 OR coalesce(duration_seconds, 0) >= 1 OR coalesce(distance_m, 0) > 0)) STORED,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, session_id, exercise_owner, exercise_id, set_number),
    FOREIGN KEY (user_id, session_id, exercise_owner, exercise_id) REFERENCES session_exercises ON DELETE CASCADE
) WITH (fillfactor = 90);

-- Whether a set is sound, seen by itself; see sound_habit() for why it is one function.
CREATE FUNCTION sound_set(x exercise_sets) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    sound boolean := x.set_number >= 1 AND num_nonnulls(x.reps, x.duration_seconds, x.distance_m) >= 1
        AND (x.reps IS NULL OR x.reps BETWEEN 0 AND 10000)
        AND (x.weight_kg IS NULL OR x.weight_kg BETWEEN -500 AND 2000);
BEGIN
    IF num_nonnulls(x.duration_seconds, x.distance_m, x.rpe, x.notes) = 0 THEN
        RETURN sound;
    END IF;
    RETURN sound
       AND (x.duration_seconds IS NULL OR x.duration_seconds BETWEEN 0 AND 86400)
       AND (x.distance_m IS NULL OR x.distance_m BETWEEN 0 AND 1000000)
       -- In steps of a half.
       AND (x.rpe IS NULL OR (x.rpe BETWEEN 1 AND 10 AND x.rpe * 2 = trunc(x.rpe * 2)))
       AND (x.notes IS NULL OR length(x.notes) BETWEEN 1 AND 500);
END
$$;
ALTER TABLE exercise_sets ADD CHECK (sound_set(exercise_sets));
CALL enable_row_security('exercise_sets');
GRANT SELECT ON exercise_sets TO questlog_app;

CREATE TABLE personal_records (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    set_id uuid NOT NULL,
    exercise_owner uuid NOT NULL CHECK (exercise_owner IN (user_id, '00000000-0000-0000-0000-000000000000')),
    exercise_id uuid NOT NULL,
    record_type text NOT NULL
        CHECK (record_type IN ('max_weight', 'est_1rm', 'max_volume', 'max_reps', 'max_distance', 'max_duration')),
    value numeric(12, 3) NOT NULL,
    unit text NOT NULL GENERATED ALWAYS AS (CASE record_type
        WHEN 'max_weight' THEN 'kg'
        WHEN 'est_1rm' THEN 'kg'
        WHEN 'max_volume' THEN 'kg_reps'
        WHEN 'max_reps' THEN 'reps'
        WHEN 'max_distance' THEN 'm'
        WHEN 'max_duration' THEN 'seconds'
    END) STORED,
    previous_value numeric(12, 3),
    achieved_at timestamptz NOT NULL,
    is_current boolean NOT NULL,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, set_id, record_type),
    FOREIGN KEY (user_id, set_id) REFERENCES exercise_sets ON DELETE CASCADE,
    FOREIGN KEY (exercise_owner, exercise_id) REFERENCES exercises (owner_key, id),
    CHECK (value > previous_value)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX personal_records_current ON personal_records (user_id, exercise_id, record_type) WHERE is_current;
CREATE INDEX personal_records_exercise ON personal_records (exercise_owner, exercise_id);
CREATE INDEX personal_records_current_recent ON personal_records (user_id, achieved_at DESC, id) WHERE is_current;
CREATE INDEX personal_records_recent ON personal_records (user_id, achieved_at DESC, id);
CREATE INDEX personal_records_history ON personal_records (user_id, exercise_id, achieved_at DESC);
CALL enable_row_security('personal_records');
GRANT SELECT ON personal_records TO questlog_app;
