-- migrate:up
-- Learning: courses that all users share, with what each has done of them, and the users' own flashcards. When something
-- comes back for review is decided by FSRS-6 in Python; here lies what it decided, and the log that it follows from.
SET LOCAL ROLE questlog_owner;

-- Courses -----------------------------------------------------------------------------------------------------------

CREATE TABLE learn_topics (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    description text CHECK (length(description) BETWEEN 1 AND 1000),
    category text NOT NULL DEFAULT 'theory' CHECK (category IN ('theory', 'practice')),
    icon text CHECK (length(icon) BETWEEN 1 AND 40),
    color text CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    sort_order int NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    is_built_in boolean NOT NULL DEFAULT false
);

-- Whether this is a question of a quiz: {id, prompt, options: [text], multiple, right: [index], explanation}. The limits
-- leave room for a flashcard of it, which holds 4000 characters on each side.
CREATE FUNCTION is_question(question jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN (question @? 'strict $ ? (
              @.id.type() == "string" && @.prompt.type() == "string" && @.multiple.type() == "boolean"
              && @.options.type() == "array" && @.options.size() >= 2 && @.options.size() <= 8
              && @.right.type() == "array" && @.right.size() >= 1)') IS NOT TRUE THEN false
    ELSE length(question ->> 'id') BETWEEN 1 AND 64
         AND length(question ->> 'prompt') BETWEEN 1 AND 1000
         AND NOT EXISTS (SELECT FROM jsonb_array_elements(question -> 'options') AS o (option)
                          WHERE jsonb_typeof(o.option) <> 'string' OR length(o.option #>> '{}') NOT BETWEEN 1 AND 300)
         -- each index at most once, and of an option that there is
         AND question -> 'right' <@ to_jsonb(ARRAY(SELECT generate_series(0, jsonb_array_length(question -> 'options') - 1)))
         AND jsonb_array_length(question -> 'right') = (SELECT count(DISTINCT r) FROM jsonb_array_elements(question -> 'right') AS r)
         AND ((question -> 'multiple')::boolean OR jsonb_array_length(question -> 'right') = 1)
         AND CASE jsonb_typeof(question -> 'explanation')
                 WHEN 'string' THEN length(question ->> 'explanation') BETWEEN 1 AND 1000
                 ELSE question ->> 'explanation' IS NULL
             END
END;

CREATE FUNCTION is_quiz(quiz jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN (quiz @? 'strict $ ? (@.questions.type() == "array" && @.questions.size() >= 1 && @.questions.size() <= 50)')
         IS NOT TRUE THEN false
    ELSE (SELECT bool_and(is_question(q)) AND count(DISTINCT q ->> 'id') = count(*)
            FROM jsonb_array_elements(quiz -> 'questions') AS q)
END;

CREATE TABLE learn_lessons (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic_id uuid NOT NULL REFERENCES learn_topics,
    key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 1000),
    content_markdown text CHECK (length(content_markdown) BETWEEN 1 AND 100000),
    duration_minutes int NOT NULL CHECK (duration_minutes BETWEEN 1 AND 240),
    difficulty text NOT NULL CHECK (difficulty IN ('beginner', 'intermediate', 'advanced')),
    -- With the right answers: what is sent to a browser before it has answered leaves them out.
    quiz_json jsonb CHECK (quiz_json IS NULL OR is_quiz(quiz_json)),
    xp_reward int NOT NULL DEFAULT 30 CHECK (xp_reward BETWEEN 0 AND 500),
    coin_reward int NOT NULL DEFAULT 15 CHECK (coin_reward BETWEEN 0 AND 250),
    skill_key text NOT NULL DEFAULT 'knowledge' REFERENCES skill_definitions,
    skill_star_reward int NOT NULL DEFAULT 0 CHECK (skill_star_reward BETWEEN 0 AND 100),
    audio_r2_key text CHECK (length(audio_r2_key) BETWEEN 1 AND 1024),
    sort_order int NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    is_built_in boolean NOT NULL DEFAULT false
);
CREATE INDEX learn_lessons_topic ON learn_lessons (topic_id, sort_order);

CREATE TABLE learn_drills (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic_id uuid NOT NULL REFERENCES learn_topics,
    key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 1000),
    drill_type text NOT NULL
        CHECK (drill_type IN ('interval', 'chord', 'rhythm', 'scale', 'recall', 'sequence', 'timing')),
    config_json jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config_json) = 'object'),
    difficulty text NOT NULL DEFAULT 'beginner' CHECK (difficulty IN ('beginner', 'intermediate', 'advanced')),
    duration_seconds int NOT NULL DEFAULT 60 CHECK (duration_seconds BETWEEN 10 AND 3600),
    xp_reward int NOT NULL DEFAULT 5 CHECK (xp_reward BETWEEN 0 AND 500),
    sort_order int NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    is_built_in boolean NOT NULL DEFAULT false
);
CREATE INDEX learn_drills_topic ON learn_drills (topic_id, sort_order);

CREATE TABLE starter_decks (
    key text PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text CHECK (length(description) BETWEEN 1 AND 2000),
    category text CHECK (length(category) BETWEEN 1 AND 40),
    sort_order int NOT NULL DEFAULT 0
);

CREATE TABLE starter_cards (
    deck_key text NOT NULL REFERENCES starter_decks ON DELETE CASCADE,
    position int NOT NULL CHECK (position >= 1),
    front text NOT NULL CHECK (length(front) BETWEEN 1 AND 4000),
    back text NOT NULL CHECK (length(back) BETWEEN 1 AND 4000),
    hint text CHECK (length(hint) BETWEEN 1 AND 500),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    PRIMARY KEY (deck_key, position)
);
GRANT SELECT ON learn_topics, learn_lessons, learn_drills, starter_decks, starter_cards
    TO questlog_app, questlog_operator, questlog_jobs, questlog_admin, questlog_console;
GRANT INSERT, UPDATE, DELETE ON learn_topics, learn_lessons, learn_drills, starter_decks, starter_cards TO questlog_admin;

-- What a user has done of the courses ---------------------------------------------------------------------------------

-- A lesson without a row here is not started.
CREATE TABLE user_lesson_progress (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    lesson_id uuid NOT NULL REFERENCES learn_lessons,
    status text NOT NULL DEFAULT 'in_progress' CHECK (status IN ('in_progress', 'completed')),
    started_at timestamptz NOT NULL DEFAULT clock(),
    completed_at timestamptz,
    -- The score given last, graded or the user's own estimate; the best one counts graded scores alone.
    quiz_score int CHECK (quiz_score BETWEEN 0 AND 100),
    best_quiz_score int CHECK (best_quiz_score BETWEEN 0 AND 100),
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    PRIMARY KEY (user_id, lesson_id),
    CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CHECK ((status = 'completed') = (attempts > 0))
);

CREATE TABLE user_drill_stats (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    drill_id uuid NOT NULL REFERENCES learn_drills,
    total_attempts int NOT NULL CHECK (total_attempts >= 1),
    correct_answers bigint NOT NULL CHECK (correct_answers >= 0),
    best_score int NOT NULL CHECK (best_score BETWEEN 0 AND 100),
    score_sum bigint NOT NULL CHECK (score_sum >= 0),
    -- Local days in a row with an attempt, up to last_attempt_day. Whether they still count depends on the day of reading.
    current_streak int NOT NULL CHECK (current_streak >= 1),
    best_streak int NOT NULL CHECK (best_streak >= current_streak),
    last_attempt_at timestamptz NOT NULL,
    last_attempt_day date NOT NULL,
    total_time_seconds bigint NOT NULL CHECK (total_time_seconds >= 0),
    PRIMARY KEY (user_id, drill_id),
    CHECK (score_sum <= 100 * total_attempts::bigint)
);

CREATE TABLE drill_attempts (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    drill_id uuid NOT NULL REFERENCES learn_drills,
    -- Counts the user's attempts of the drill from 1.
    ordinal int NOT NULL CHECK (ordinal >= 1),
    score int NOT NULL CHECK (score BETWEEN 0 AND 100),
    correct_count int NOT NULL CHECK (correct_count BETWEEN 0 AND total_count),
    total_count int NOT NULL CHECK (total_count BETWEEN 1 AND 1000),
    time_seconds int NOT NULL CHECK (time_seconds BETWEEN 0 AND 86400),
    created_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, drill_id, ordinal)
);
CALL make_append_only('drill_attempts');

-- When a lesson or drill comes back.
CREATE TABLE learn_review_items (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    item_type text NOT NULL CHECK (item_type IN ('lesson', 'drill')),
    item_id uuid NOT NULL,
    stability double precision NOT NULL CHECK (stability >= 0.001),
    difficulty double precision NOT NULL CHECK (difficulty BETWEEN 1 AND 10),
    due timestamptz NOT NULL,
    last_review timestamptz NOT NULL,
    reps int NOT NULL CHECK (reps >= 1),
    PRIMARY KEY (user_id, item_type, item_id)
);
CREATE INDEX learn_review_items_due ON learn_review_items (user_id, due);

-- What lessons, drills and reviews have paid: the sum of their rows in the ledger, kept so that no page adds them up.
CREATE TABLE user_learn_totals (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    xp_earned bigint NOT NULL CHECK (xp_earned >= 0)
);

-- Flashcards --------------------------------------------------------------------------------------------------------

CREATE TABLE user_learn_settings (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    desired_retention double precision NOT NULL CHECK (desired_retention BETWEEN 0.70 AND 0.97),
    maximum_interval int NOT NULL CHECK (maximum_interval BETWEEN 30 AND 36500),
    new_per_day int NOT NULL CHECK (new_per_day BETWEEN 0 AND 999),
    reviews_per_day int NOT NULL CHECK (reviews_per_day BETWEEN 0 AND 9999),
    -- Minutes.
    learning_steps int[] NOT NULL
        CHECK (cardinality(learning_steps) <= 5 AND 1 <= ALL (learning_steps) AND 1440 >= ALL (learning_steps)),
    relearning_steps int[] NOT NULL
        CHECK (cardinality(relearning_steps) <= 5 AND 1 <= ALL (relearning_steps) AND 1440 >= ALL (relearning_steps)),
    leech_threshold int NOT NULL CHECK (leech_threshold BETWEEN 2 AND 50),
    fuzz boolean NOT NULL
);

CREATE TABLE flashcard_decks (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text CHECK (length(description) BETWEEN 1 AND 2000),
    category text CHECK (length(category) BETWEEN 1 AND 40),
    desired_retention double precision CHECK (desired_retention BETWEEN 0.70 AND 0.97),
    starter_key text CHECK (length(starter_key) BETWEEN 1 AND 100),
    -- Of its cards that are not deleted: all, the new ones that are not suspended, and the suspended ones. Counted as they
    -- change, since a list of decks would have to read every card.
    card_count int NOT NULL DEFAULT 0 CHECK (card_count >= 0),
    new_count int NOT NULL DEFAULT 0 CHECK (new_count >= 0),
    suspended_count int NOT NULL DEFAULT 0 CHECK (suspended_count >= 0),
    archived_at timestamptz,
    deleted_at timestamptz,
    status text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN archived_at IS NOT NULL THEN 'archived' ELSE 'open' END) STORED,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, id, status),
    CHECK (new_count + suspended_count <= card_count)
);
CREATE UNIQUE INDEX flashcard_decks_starter ON flashcard_decks (user_id, starter_key)
    WHERE starter_key IS NOT NULL AND deleted_at IS NULL;
-- Not when its cards are counted: what they do is no change of the deck.
CREATE TRIGGER touch BEFORE UPDATE ON flashcard_decks FOR EACH ROW
    WHEN ((OLD.card_count, OLD.new_count, OLD.suspended_count) = (NEW.card_count, NEW.new_count, NEW.suspended_count))
    EXECUTE FUNCTION touch_updated_at();

CREATE TABLE flashcards (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    deck_id uuid NOT NULL,
    -- Its deck's, which the foreign key keeps: the queue of a day finds its cards by an index, however many others lie in
    -- archived decks.
    deck_status text NOT NULL DEFAULT 'open',
    front text NOT NULL CHECK (length(front) BETWEEN 1 AND 4000),
    back text NOT NULL CHECK (length(back) BETWEEN 1 AND 4000),
    hint text CHECK (length(hint) BETWEEN 1 AND 500),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    -- What the note is called in the program it came from.
    guid text CHECK (length(guid) BETWEEN 1 AND 200),
    -- The order of cards that came in one file, or with one copy.
    position int NOT NULL DEFAULT 0,
    source_lesson_id uuid REFERENCES learn_lessons,
    source_question_id text CHECK (length(source_question_id) BETWEEN 1 AND 64),
    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'learning', 'review', 'relearning')),
    step int CHECK (step >= 0),
    stability double precision CHECK (stability >= 0.001),
    difficulty double precision CHECK (difficulty BETWEEN 1 AND 10),
    due timestamptz,
    last_review timestamptz,
    interval_days int NOT NULL DEFAULT 0 CHECK (interval_days >= 0),
    reps int NOT NULL DEFAULT 0 CHECK (reps >= 0),
    lapses int NOT NULL DEFAULT 0 CHECK (lapses >= 0),
    leech boolean NOT NULL DEFAULT false,
    suspended_at timestamptz,
    buried_until timestamptz,
    -- The newest row of the log that is about this card, and the newest one from before it was reset; 0 where there is none.
    log_seq bigint NOT NULL DEFAULT 0 CHECK (log_seq >= 0),
    reset_seq bigint NOT NULL DEFAULT 0 CHECK (reset_seq BETWEEN 0 AND log_seq),
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, deck_id, deck_status) REFERENCES flashcard_decks (user_id, id, status) ON UPDATE CASCADE,
    CHECK ((source_lesson_id IS NULL) = (source_question_id IS NULL)),
    CHECK (CASE state
        WHEN 'new' THEN num_nonnulls(stability, difficulty, due, last_review) = 0
                        AND interval_days = 0 AND reps = 0 AND lapses = 0
        ELSE num_nulls(stability, difficulty, due, last_review) = 0 AND reps >= 1
    END),
    CHECK ((state IN ('learning', 'relearning')) = (step IS NOT NULL)),
    CHECK (NOT leech OR suspended_at IS NOT NULL)
);
-- The queue of all decks, and of one: by state, then by due; new cards, whose due is null, in the order they were made.
CREATE INDEX flashcards_queue ON flashcards (user_id, state, due, created_at, position)
    WHERE suspended_at IS NULL AND deleted_at IS NULL AND deck_status = 'open';
CREATE INDEX flashcards_deck_queue ON flashcards (user_id, deck_id, state, due, created_at, position)
    WHERE suspended_at IS NULL AND deleted_at IS NULL;
CREATE INDEX flashcards_deck ON flashcards (user_id, deck_id, deck_status, created_at, position, id);
CREATE UNIQUE INDEX flashcards_source ON flashcards (user_id, deck_id, source_lesson_id, source_question_id)
    WHERE source_lesson_id IS NOT NULL AND deleted_at IS NULL;
-- Not when its deck is archived: that changes no card.
CREATE TRIGGER touch BEFORE UPDATE ON flashcards FOR EACH ROW
    WHEN (OLD.deck_status = NEW.deck_status OR OLD.deck_id <> NEW.deck_id) EXECUTE FUNCTION touch_updated_at();

-- What was reviewed and what was taken back. Replaying a card's rows, those behind its last reset, gives its state: each
-- row holds the schedule before it and after it, and the scheduler that led from the one to the other.
CREATE TABLE flashcard_reviews (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- Counts per user, under the user's lock.
    seq bigint NOT NULL CHECK (seq >= 1),
    card_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('review', 'undo')),
    rating int CHECK (rating BETWEEN 1 AND 4),
    -- Of an undo, the time of the review that it takes back: so each day can be counted from its own rows.
    reviewed_at timestamptz NOT NULL,
    duration_ms int CHECK (duration_ms BETWEEN 0 AND 3600000),
    client_id uuid,
    undoes uuid,
    -- Local days since the card's last review: in state review, the days that the scheduler was told.
    elapsed_days int CHECK (elapsed_days >= 0),
    scheduler jsonb CHECK (jsonb_typeof(scheduler) = 'object'),
    state_before text NOT NULL CHECK (state_before IN ('new', 'learning', 'review', 'relearning')),
    step_before int,
    stability_before double precision,
    difficulty_before double precision,
    due_before timestamptz,
    last_review_before timestamptz,
    interval_days_before int NOT NULL,
    reps_before int NOT NULL,
    lapses_before int NOT NULL,
    buried_until_before timestamptz,
    state_after text NOT NULL CHECK (state_after IN ('new', 'learning', 'review', 'relearning')),
    step_after int,
    stability_after double precision,
    difficulty_after double precision,
    due_after timestamptz,
    last_review_after timestamptz,
    interval_days_after int NOT NULL,
    reps_after int NOT NULL,
    lapses_after int NOT NULL,
    became_leech boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, card_id) REFERENCES flashcards,
    CHECK ((kind = 'undo') = (undoes IS NOT NULL)),
    CHECK ((kind = 'review') = (rating IS NOT NULL AND scheduler IS NOT NULL)),
    CHECK (kind = 'review' OR num_nonnulls(duration_ms, client_id) = 0)
);
CREATE UNIQUE INDEX flashcard_reviews_order ON flashcard_reviews (user_id, seq);
CREATE INDEX flashcard_reviews_card ON flashcard_reviews (user_id, card_id, seq DESC);
CREATE INDEX flashcard_reviews_time ON flashcard_reviews (user_id, reviewed_at);
CREATE UNIQUE INDEX flashcard_reviews_client ON flashcard_reviews (user_id, client_id) WHERE client_id IS NOT NULL;
CREATE UNIQUE INDEX flashcard_reviews_undone ON flashcard_reviews (user_id, undoes) WHERE undoes IS NOT NULL;
CALL make_append_only('flashcard_reviews');

CALL enable_row_security('user_lesson_progress');
CALL enable_row_security('user_drill_stats');
CALL enable_row_security('drill_attempts');
CALL enable_row_security('learn_review_items');
CALL enable_row_security('user_learn_totals');
CALL enable_row_security('user_learn_settings');
CALL enable_row_security('flashcard_decks');
CALL enable_row_security('flashcards');
CALL enable_row_security('flashcard_reviews');
GRANT SELECT ON user_lesson_progress, user_drill_stats, drill_attempts, learn_review_items, user_learn_totals,
    user_learn_settings, flashcard_decks, flashcards, flashcard_reviews TO questlog_app;
GRANT INSERT, UPDATE ON user_learn_settings, flashcard_decks TO questlog_app;
