-- migrate:up
-- Training programs: weeks of numbered days, and on each day the workouts to be done.
SET LOCAL ROLE questlog_owner;

CREATE TABLE training_programs (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text CHECK (length(description) BETWEEN 1 AND 2000),
    duration_weeks int NOT NULL CHECK (duration_weeks BETWEEN 1 AND 52),
    days_per_week int NOT NULL CHECK (days_per_week BETWEEN 1 AND 7),
    difficulty text NOT NULL DEFAULT 'intermediate' CHECK (difficulty IN ('beginner', 'intermediate', 'advanced')),
    goal text NOT NULL DEFAULT 'general' CHECK (length(goal) BETWEEN 1 AND 120),
    template_key text CHECK (length(template_key) BETWEEN 1 AND 40),
    is_active boolean NOT NULL DEFAULT false,
    started_at timestamptz,
    completed_at timestamptz,
    -- The day that is to be trained next; of a completed program its last day.
    current_week int NOT NULL DEFAULT 1,
    current_day int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    CHECK (current_week BETWEEN 1 AND duration_weeks),
    CHECK (current_day BETWEEN 1 AND days_per_week),
    CHECK (NOT is_active OR started_at IS NOT NULL),
    CHECK (completed_at IS NULL OR started_at IS NOT NULL),
    CHECK (completed_at IS NULL OR NOT is_active)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX training_programs_one_active ON training_programs (user_id) WHERE is_active;
CREATE TRIGGER touch BEFORE UPDATE ON training_programs FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('training_programs');
GRANT SELECT, INSERT ON training_programs TO questlog_app;

CREATE TABLE program_weeks (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    program_id uuid NOT NULL,
    week_number int NOT NULL CHECK (week_number BETWEEN 1 AND 52),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    is_deload boolean NOT NULL DEFAULT false,
    notes text CHECK (length(notes) BETWEEN 1 AND 2000),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, program_id, week_number),
    FOREIGN KEY (user_id, program_id) REFERENCES training_programs ON DELETE CASCADE
);
CALL enable_row_security('program_weeks');
GRANT SELECT, INSERT ON program_weeks TO questlog_app;

-- The slots: a workout on a day of a week.
CREATE TABLE program_workouts (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    program_week_id uuid NOT NULL,
    workout_id uuid NOT NULL,
    day_number int NOT NULL CHECK (day_number BETWEEN 1 AND 7),
    order_index int NOT NULL CHECK (order_index BETWEEN 0 AND 27),
    -- How hard it is to be, beside the workout as it is planned. Null until it is set: then a deload week is easier.
    intensity_modifier numeric(3, 2) CHECK (intensity_modifier BETWEEN 0.1 AND 2),
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'completed', 'skipped')),
    session_id uuid,
    completed_at timestamptz,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, program_week_id, day_number, workout_id),
    FOREIGN KEY (user_id, program_week_id) REFERENCES program_weeks ON DELETE CASCADE,
    FOREIGN KEY (user_id, workout_id) REFERENCES workouts,
    FOREIGN KEY (user_id, session_id) REFERENCES workout_sessions,
    CHECK ((session_id IS NOT NULL) = (status = 'completed')),
    CHECK ((completed_at IS NOT NULL) = (status = 'completed'))
) WITH (fillfactor = 80);
CREATE INDEX program_workouts_workout ON program_workouts (user_id, workout_id);
CREATE INDEX program_workouts_session ON program_workouts (user_id, session_id) WHERE session_id IS NOT NULL;
CALL enable_row_security('program_workouts');
GRANT SELECT ON program_workouts TO questlog_app;

-- A session may have been started for a slot. Deferrable: a slot points at its session too, and an import has to begin with one
-- of them.
ALTER TABLE workout_sessions ADD FOREIGN KEY (user_id, program_workout_id) REFERENCES program_workouts DEFERRABLE NOT VALID;

-- Programs to begin with. `document` says which workouts they are made of, exercises by slug, and for each week which of
-- the workouts, counted from 0, is done on which day; the weeks repeat.
CREATE TABLE program_templates (
    key text PRIMARY KEY CHECK (key ~ '^[a-z][a-z0-9_]{0,39}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 2000),
    difficulty text NOT NULL CHECK (difficulty IN ('beginner', 'intermediate', 'advanced')),
    goal text NOT NULL CHECK (length(goal) BETWEEN 1 AND 120),
    duration_weeks int NOT NULL CHECK (duration_weeks BETWEEN 1 AND 52),
    days_per_week int NOT NULL CHECK (days_per_week BETWEEN 1 AND 7),
    document jsonb NOT NULL,
    sort_order int NOT NULL
);
GRANT SELECT ON program_templates TO questlog_app, questlog_jobs, questlog_admin, questlog_console;

INSERT INTO program_templates (
    sort_order, key, name, description, difficulty, goal, duration_weeks, days_per_week, document)
VALUES
(1, 'full_body_start', 'Full body, from the start',
 'Two workouts for the whole body that take turns, three days a week. Begin with weights that feel easy, and add a little whenever all sets reach the upper number of repetitions.',
 'beginner', 'general', 6, 3, $${
  "workout_type": "strength", "section_type": "main", "deload_weeks": [],
  "weeks": [[0, 1, 0], [1, 0, 1]],
  "workouts": [
   {"name": "Full body A", "exercises": [
    {"slug": "barbell-squat", "sets": 3, "reps_min": 5, "reps_max": 8, "rest_seconds": 150},
    {"slug": "barbell-bench-press-medium-grip", "sets": 3, "reps_min": 5, "reps_max": 8, "rest_seconds": 150},
    {"slug": "seated-cable-rows", "sets": 3, "reps_min": 8, "reps_max": 12, "rest_seconds": 90},
    {"slug": "plank", "sets": 3, "duration_seconds": 30, "rest_seconds": 60}]},
   {"name": "Full body B", "exercises": [
    {"slug": "romanian-deadlift", "sets": 3, "reps_min": 6, "reps_max": 10, "rest_seconds": 150},
    {"slug": "standing-military-press", "sets": 3, "reps_min": 6, "reps_max": 10, "rest_seconds": 120},
    {"slug": "wide-grip-lat-pulldown", "sets": 3, "reps_min": 8, "reps_max": 12, "rest_seconds": 90},
    {"slug": "crunches", "sets": 3, "reps_min": 12, "reps_max": 20, "rest_seconds": 60}]}]
 }$$),
(2, 'upper_lower', 'Upper and lower body',
 'Four days a week: upper body, lower body, and both again with other exercises. Weeks 4 and 8 are lighter, so that you come back stronger.',
 'intermediate', 'hypertrophy', 8, 4, $${
  "workout_type": "strength", "section_type": "main", "deload_weeks": [4, 8],
  "weeks": [[0, 1, 2, 3]],
  "workouts": [
   {"name": "Upper 1", "exercises": [
    {"slug": "barbell-bench-press-medium-grip", "sets": 4, "reps_min": 6, "reps_max": 10, "rest_seconds": 150},
    {"slug": "bent-over-barbell-row", "sets": 4, "reps_min": 6, "reps_max": 10, "rest_seconds": 150},
    {"slug": "dumbbell-shoulder-press", "sets": 3, "reps_min": 8, "reps_max": 12, "rest_seconds": 120},
    {"slug": "dumbbell-bicep-curl", "sets": 3, "reps_min": 10, "reps_max": 15, "rest_seconds": 60},
    {"slug": "triceps-pushdown", "sets": 3, "reps_min": 10, "reps_max": 15, "rest_seconds": 60}]},
   {"name": "Lower 1", "exercises": [
    {"slug": "barbell-squat", "sets": 4, "reps_min": 5, "reps_max": 8, "rest_seconds": 180},
    {"slug": "romanian-deadlift", "sets": 3, "reps_min": 8, "reps_max": 12, "rest_seconds": 150},
    {"slug": "leg-press", "sets": 3, "reps_min": 10, "reps_max": 15, "rest_seconds": 120},
    {"slug": "standing-calf-raises", "sets": 4, "reps_min": 10, "reps_max": 15, "rest_seconds": 60}]},
   {"name": "Upper 2", "exercises": [
    {"slug": "incline-dumbbell-press", "sets": 4, "reps_min": 8, "reps_max": 12, "rest_seconds": 120},
    {"slug": "pullups", "sets": 4, "reps_min": 5, "reps_max": 10, "rest_seconds": 150},
    {"slug": "one-arm-dumbbell-row", "sets": 3, "reps_min": 8, "reps_max": 12, "rest_seconds": 90},
    {"slug": "face-pull", "sets": 3, "reps_min": 12, "reps_max": 20, "rest_seconds": 60}]},
   {"name": "Lower 2", "exercises": [
    {"slug": "barbell-deadlift", "sets": 3, "reps_min": 3, "reps_max": 6, "rest_seconds": 180},
    {"slug": "dumbbell-lunges", "sets": 3, "reps_min": 8, "reps_max": 12, "rest_seconds": 90},
    {"slug": "lying-leg-curls", "sets": 3, "reps_min": 10, "reps_max": 15, "rest_seconds": 90},
    {"slug": "seated-calf-raise", "sets": 4, "reps_min": 12, "reps_max": 20, "rest_seconds": 60}]}]
 }$$),
(3, 'home_circuit', 'Circuit at home',
 'Six exercises without equipment, done one after the other, three days a week. Rest when you need to, and go round until every set is done.',
 'beginner', 'endurance', 4, 3, $${
  "workout_type": "mixed", "section_type": "circuit", "deload_weeks": [],
  "weeks": [[0, 0, 0]],
  "workouts": [
   {"name": "Home circuit", "exercises": [
    {"slug": "bodyweight-squat", "sets": 3, "reps_min": 12, "reps_max": 20, "rest_seconds": 60},
    {"slug": "pushups", "sets": 3, "reps_min": 6, "reps_max": 15, "rest_seconds": 60},
    {"slug": "butt-lift-bridge", "sets": 3, "reps_min": 12, "reps_max": 20, "rest_seconds": 60},
    {"slug": "superman", "sets": 3, "reps_min": 10, "reps_max": 15, "rest_seconds": 60},
    {"slug": "side-bridge", "sets": 3, "duration_seconds": 30, "rest_seconds": 60},
    {"slug": "mountain-climbers", "sets": 3, "duration_seconds": 30, "rest_seconds": 60}]}]
 }$$)
ON CONFLICT (key) DO NOTHING;
