-- migrate:up
-- Onboarding: the first run of the app as a flow of steps. The flow is data that all users share; here also lies how far
-- each user is, what they answered, and what they are interested in.
SET LOCAL ROLE questlog_owner;

CREATE TABLE onboarding_flows (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    version int NOT NULL DEFAULT 1 CHECK (version >= 1),
    is_active boolean NOT NULL DEFAULT false
);
-- The one that new users begin.
CREATE UNIQUE INDEX onboarding_flows_active ON onboarding_flows (is_active) WHERE is_active;

CREATE TABLE onboarding_steps (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    flow_id text NOT NULL REFERENCES onboarding_flows ON DELETE CASCADE,
    step_order int NOT NULL CHECK (step_order >= 1),
    step_type text NOT NULL CHECK (step_type IN ('welcome', 'tour', 'input', 'multi_select', 'action', 'completion')),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 2000),
    target_selector text CHECK (length(target_selector) BETWEEN 1 AND 200),
    target_route text CHECK (length(target_route) BETWEEN 1 AND 200),
    fallback_content text CHECK (length(fallback_content) BETWEEN 1 AND 2000),
    -- [{value, label}], of which an answer names values.
    options jsonb CHECK (jsonb_typeof(options) = 'array' AND jsonb_array_length(options) BETWEEN 1 AND 50),
    allows_multiple boolean NOT NULL DEFAULT false,
    -- The most values an answer may name; null for all of them.
    max_choices int CHECK (max_choices >= 1),
    required boolean NOT NULL DEFAULT false,
    action_type text CHECK (length(action_type) BETWEEN 1 AND 40),
    action_config jsonb CHECK (jsonb_typeof(action_config) = 'object'),
    -- What of the account an answer sets: the interests, a setting, or the first goal.
    sets text CHECK (sets IN ('interests', 'module_weights', 'nudge_intensity', 'focus_duration', 'gamification_visible',
                              'first_goal')),
    UNIQUE (flow_id, step_order),
    CHECK ((step_type = 'multi_select') = (options IS NOT NULL)),
    CHECK (allows_multiple OR max_choices IS NULL),
    CHECK (sets IS NULL OR step_type = CASE sets WHEN 'first_goal' THEN 'input' ELSE 'multi_select' END),
    CHECK (allows_multiple OR sets NOT IN ('interests', 'module_weights')),
    CHECK (NOT allows_multiple OR sets NOT IN ('nudge_intensity', 'focus_duration', 'gamification_visible'))
);
GRANT SELECT ON onboarding_flows, onboarding_steps
    TO questlog_app, questlog_operator, questlog_jobs, questlog_admin, questlog_console;

-- How far a user is. No row says that they have not begun.
CREATE TABLE user_onboarding_state (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    flow_id text NOT NULL REFERENCES onboarding_flows,
    -- The step to be answered next; of a flow that was skipped, where it goes on; null before it was begun and once it is
    -- completed.
    current_step_id text REFERENCES onboarding_steps,
    status text NOT NULL CHECK (status IN ('not_started', 'in_progress', 'completed', 'skipped')),
    can_resume boolean NOT NULL DEFAULT true,
    started_at timestamptz,
    completed_at timestamptz,
    skipped_at timestamptz,
    -- Until when a client that was told to skip the flow shows less than usual.
    soft_landing_until timestamptz,
    -- Whether an answer has made the first goal: a reset lets the user answer again, and makes no second one.
    first_goal_made boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    CHECK (CASE status WHEN 'not_started' THEN current_step_id IS NULL AND started_at IS NULL
                       WHEN 'in_progress' THEN current_step_id IS NOT NULL AND started_at IS NOT NULL
                       WHEN 'completed' THEN current_step_id IS NULL AND started_at IS NOT NULL
                       WHEN 'skipped' THEN (current_step_id IS NULL) = (started_at IS NULL) END),
    CHECK ((completed_at IS NOT NULL) = (status = 'completed')),
    CHECK ((skipped_at IS NOT NULL) = (status = 'skipped')),
    CHECK ((soft_landing_until IS NOT NULL) = (status = 'skipped'))
);
CREATE TRIGGER touch BEFORE UPDATE ON user_onboarding_state FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('user_onboarding_state');
GRANT SELECT, INSERT, UPDATE, DELETE ON user_onboarding_state TO questlog_app;

-- What a user answered; JSON null where a step was passed.
CREATE TABLE user_onboarding_responses (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    step_id text NOT NULL REFERENCES onboarding_steps,
    response jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, step_id)
);
CREATE TRIGGER touch BEFORE UPDATE ON user_onboarding_responses FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('user_onboarding_responses');
GRANT SELECT, INSERT, UPDATE, DELETE ON user_onboarding_responses TO questlog_app;

CREATE TABLE user_interests (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    interest_key text NOT NULL CHECK (length(interest_key) BETWEEN 1 AND 100),
    -- 1 is the most important.
    priority int NOT NULL CHECK (priority >= 1),
    created_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, interest_key)
);
CALL enable_row_security('user_interests');
GRANT SELECT, INSERT, UPDATE, DELETE ON user_interests TO questlog_app;

-- The flow there is from the start. Can be run again: rows that exist are left alone, and another flow that was made the
-- active one stays it.
INSERT INTO onboarding_flows (id, name, is_active)
VALUES ('main', 'Getting started', NOT EXISTS (SELECT FROM onboarding_flows WHERE is_active))
ON CONFLICT DO NOTHING;

INSERT INTO onboarding_steps (
    id, flow_id, step_order, step_type, title, description, target_selector, target_route, fallback_content, options,
    allows_multiple, max_choices, required, action_type, action_config, sets)
VALUES
    ('step_welcome', 'main', 1, 'welcome', 'Welcome to Questlog',
     'A few questions shape the app around you. You can leave at any time and go on later, and change every answer.',
     NULL, NULL, NULL, NULL, false, NULL, true, NULL, NULL, NULL),
    ('step_interests', 'main', 2, 'multi_select', 'What do you want more of?',
     'Choose up to three, the most important one first.',
     NULL, NULL, NULL,
     '[{"value": "focus", "label": "Focused work"}, {"value": "learning", "label": "Learning"},
       {"value": "music", "label": "Music"}, {"value": "fitness", "label": "Fitness"},
       {"value": "habits", "label": "Good habits"}, {"value": "creativity", "label": "Creativity"}]',
     true, 3, true, NULL, NULL, 'interests'),
    ('step_modules', 'main', 3, 'multi_select', 'Which parts of the app do you want at hand?',
     'They come first on your dashboard. All the others stay where they are.',
     NULL, NULL, NULL,
     '[{"value": "focus", "label": "Focus timer"}, {"value": "quests", "label": "Quests"},
       {"value": "ignitions", "label": "Ignitions"}, {"value": "learn", "label": "Lessons"},
       {"value": "ideas", "label": "Ideas"}, {"value": "wins", "label": "Wins"}, {"value": "plan", "label": "Daily plan"}]',
     true, NULL, false, NULL, NULL, 'module_weights'),
    ('step_nudge', 'main', 4, 'multi_select', 'How should the app encourage you?',
     'It decides how often you are reminded, and in which tone.',
     NULL, NULL, NULL,
     '[{"value": "gentle", "label": "Gently"}, {"value": "standard", "label": "As usual"},
       {"value": "energetic", "label": "With energy"}]',
     false, NULL, true, NULL, NULL, 'nudge_intensity'),
    ('step_focus_duration', 'main', 5, 'multi_select', 'How long do you like to focus?',
     'The timer begins with this many minutes. Short is a good start.',
     NULL, NULL, NULL,
     '[{"value": "5", "label": "5 minutes"}, {"value": "10", "label": "10 minutes"}, {"value": "25", "label": "25 minutes"},
       {"value": "45", "label": "45 minutes"}]',
     false, NULL, true, NULL, NULL, 'focus_duration'),
    ('step_gamification', 'main', 6, 'multi_select', 'How much of the game do you want to see?',
     'XP, coins and levels are counted in any case.',
     NULL, NULL, NULL,
     '[{"value": "always", "label": "All of it"}, {"value": "subtle", "label": "A little"},
       {"value": "hidden", "label": "Nothing"}]',
     false, NULL, true, NULL, NULL, 'gamification_visible'),
    ('step_first_goal', 'main', 7, 'input', 'What do you want to reach?',
     'One sentence is enough. It becomes your first goal, and you can add milestones later.',
     NULL, NULL, NULL, NULL, false, NULL, false, NULL, NULL, 'first_goal'),
    ('step_today_tour', 'main', 8, 'tour', 'Your day on one page',
     'What is planned, what is due and how far you are: it all comes together here.',
     '[data-tour="today"]', '/today', 'The page Today shows your plan, your habits and your streak.', NULL, false, NULL,
     false, NULL, NULL, NULL),
    ('step_first_focus', 'main', 9, 'action', 'Try a first focus session',
     'Choose one thing, start the timer, and stay with it until the bell.',
     NULL, NULL, NULL, NULL, false, NULL, false, 'navigate', '{"route": "/focus"}', NULL),
    ('step_done', 'main', 10, 'completion', 'You are ready',
     'Everything is set up. Your first day has begun.',
     NULL, NULL, NULL, NULL, false, NULL, true, NULL, NULL, NULL)
ON CONFLICT DO NOTHING;
