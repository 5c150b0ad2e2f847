SET LOCAL ROLE questlog_owner;

-- For others -----------------------------------------------------------------------------------------------------------

-- What the user is interested in, the most important first: what onboarding was told, or else the setting.
CREATE OR REPLACE FUNCTION app.interests() RETURNS text[]
LANGUAGE sql STABLE
RETURN CASE WHEN EXISTS (SELECT FROM user_interests)
            THEN ARRAY(SELECT i.interest_key FROM user_interests AS i ORDER BY i.priority)
            ELSE ARRAY(SELECT s.interest FROM jsonb_array_elements_text(setting('interests')) WITH ORDINALITY AS s (interest, place)
                        ORDER BY s.place) END;

-- Whether the flow was begun and is neither completed nor skipped.
CREATE OR REPLACE FUNCTION app.onboarding_active() RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_onboarding_state AS s WHERE s.status NOT IN ('completed', 'skipped'));

-- The flow -------------------------------------------------------------------------------------------------------------
-- Whatever changes a user's state runs under lock_user(): of two answers at once, the second one sees the first.

-- The flow that the user is in, or else the one they would begin; no row if there is none.
CREATE OR REPLACE FUNCTION app.onboarding_flow() RETURNS SETOF onboarding_flows
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT f.*
      FROM onboarding_flows AS f
     WHERE f.id = coalesce((SELECT s.flow_id FROM user_onboarding_state AS s WHERE s.status <> 'not_started'),
                           (SELECT a.id FROM onboarding_flows AS a WHERE a.is_active));
END;

-- Begins the flow, or goes on with a skipped one where it stopped. What is in progress or completed stays as it is.
CREATE OR REPLACE FUNCTION app.begin_onboarding() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO user_onboarding_state AS s (flow_id, current_step_id, status, started_at)
    SELECT t.flow_id, t.id, 'in_progress', instant()
      FROM onboarding_flow() AS f JOIN onboarding_steps AS t ON t.flow_id = f.id
     ORDER BY t.step_order
     LIMIT 1
    ON CONFLICT (user_id) DO UPDATE
       SET status = 'in_progress', flow_id = excluded.flow_id,
           current_step_id = coalesce(s.current_step_id, excluded.current_step_id),
           started_at = coalesce(s.started_at, excluded.started_at), skipped_at = NULL, soft_landing_until = NULL
     WHERE s.status IN ('not_started', 'skipped');
END;

-- The values that an answer to a question names, each once and in its order. A value alone counts as a list of one, and
-- null as an empty list. Refuses what is none of the options, too many, and none where one is required.
CREATE OR REPLACE FUNCTION internal.chosen_options(step onboarding_steps, response jsonb) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    sent jsonb := CASE jsonb_typeof(response) WHEN 'array' THEN response WHEN 'null' THEN '[]'
                                              ELSE jsonb_build_array(response) END;
    most int := CASE WHEN step.allows_multiple THEN coalesce(step.max_choices, jsonb_array_length(step.options)) ELSE 1 END;
    chosen text[];
BEGIN
    IF EXISTS (SELECT FROM jsonb_array_elements(sent) AS e (value)
                WHERE NOT step.options @> jsonb_build_array(jsonb_build_object('value', e.value))) THEN
        PERFORM refuse_field('response', 'must name options of this step by their value');
    END IF;
    chosen := ARRAY(SELECT e.value FROM jsonb_array_elements_text(sent) WITH ORDINALITY AS e (value, place)
                     GROUP BY e.value ORDER BY min(e.place));
    IF cardinality(chosen) > most THEN
        PERFORM refuse_field('response', format('must name at most %s of the options', most));
    ELSIF step.required AND chosen = '{}' THEN
        PERFORM refuse_field('response', 'must name at least one of the options');
    END IF;
    RETURN chosen;
END
$$;

-- The text that an answer gives; null for none. Refuses what is no text, too long, or none where one is required.
CREATE OR REPLACE FUNCTION internal.given_text(step onboarding_steps, response jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    given text := nullif(response #>> '{}', '');
BEGIN
    IF jsonb_typeof(response) NOT IN ('string', 'null') THEN
        PERFORM refuse_field('response', 'must be text');
    ELSIF length(given) > 200 THEN
        PERFORM refuse_field('response', 'must have at most 200 characters');
    ELSIF step.required AND given IS NULL THEN
        PERFORM refuse_field('response', 'must not be empty');
    END IF;
    RETURN given;
END
$$;

-- Replaces the user's interests by these, the most important first.
CREATE OR REPLACE FUNCTION internal.replace_interests(keys text[]) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM user_interests AS i WHERE i.interest_key <> ALL (keys);
    INSERT INTO user_interests (interest_key, priority)
    SELECT k.key, k.place FROM unnest(keys) WITH ORDINALITY AS k (key, place)
    ON CONFLICT (user_id, interest_key) DO UPDATE SET priority = excluded.priority;
END;

-- Sets what a step's answer is about.
CREATE OR REPLACE FUNCTION internal.apply_choice(step onboarding_steps, chosen text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF step.sets = 'interests' THEN
        PERFORM replace_interests(chosen);
    ELSIF step.sets IS NOT NULL THEN
        PERFORM change_settings(jsonb_build_object(step.sets, CASE step.sets
            WHEN 'module_weights' THEN (SELECT coalesce(jsonb_object_agg(c.value, 1), '{}') FROM unnest(chosen) AS c (value))
            WHEN 'nudge_intensity' THEN to_jsonb(chosen[1])
            WHEN 'focus_duration' THEN to_jsonb(chosen[1]::int)
            WHEN 'gamification_visible' THEN to_jsonb(chosen[1] <> 'hidden') END));
    END IF;
END
$$;

-- Makes the goal of a title, unless an answer made one before: one an account, also after a reset.
CREATE OR REPLACE FUNCTION internal.make_first_goal(title text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_onboarding_state SET first_goal_made = true WHERE NOT first_goal_made;
    IF FOUND THEN
        PERFORM add_goal(title);
    END IF;
END
$$;

-- Notes an answer and goes on to the next step, if it was the one to be answered now; behind the last, the flow is completed.
CREATE OR REPLACE FUNCTION internal.note_answer(step onboarding_steps, response jsonb) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO user_onboarding_responses AS r (step_id, response) VALUES (step.id, note_answer.response)
    ON CONFLICT (user_id, step_id) DO UPDATE SET response = excluded.response;
    UPDATE user_onboarding_state AS s
       SET current_step_id = n.id,
           status = CASE WHEN n.id IS NULL THEN 'completed' ELSE 'in_progress' END,
           completed_at = CASE WHEN n.id IS NULL THEN instant() END
      FROM (SELECT (SELECT t.id FROM onboarding_steps AS t
                     WHERE t.flow_id = step.flow_id AND t.step_order > step.step_order
                     ORDER BY t.step_order LIMIT 1) AS id) AS n
     WHERE s.current_step_id = step.id;
END;

-- Answers a step of the user's flow, which begins with it if it has not begun, and applies the answer to the account. An
-- optional step is passed with null, which applies nothing. The current step may be answered, and every one before it.
CREATE OR REPLACE FUNCTION app.answer_onboarding(step onboarding_steps, response jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    state user_onboarding_state;
    chosen text[];
    given text;
BEGIN
    SELECT * INTO state FROM user_onboarding_state;
    IF state.status IN ('skipped', 'completed') THEN
        PERFORM refuse(409, 'invalid_state', format('Onboarding is %s.', state.status),
                       jsonb_build_object('status', state.status));
    END IF;
    PERFORM begin_onboarding();
    SELECT * INTO state FROM user_onboarding_state;
    PERFORM refuse(409, 'step_out_of_order', 'There are steps to be answered before this one.',
                   jsonb_build_object('current_step_id', c.id))
       FROM onboarding_steps AS c WHERE c.id = state.current_step_id AND c.step_order < step.step_order;
    IF step.step_type = 'multi_select' THEN
        chosen := chosen_options(step, response);
        IF response <> 'null' THEN
            response := to_jsonb(chosen);
            PERFORM apply_choice(step, chosen);
        END IF;
    ELSIF step.step_type = 'input' THEN
        given := given_text(step, response);
        response := coalesce(to_jsonb(given), 'null');
        IF given IS NOT NULL AND step.sets = 'first_goal' THEN
            PERFORM make_first_goal(given);
        END IF;
    END IF;
    PERFORM note_answer(step, response);
END
$$;
