SET LOCAL ROLE questlog_owner;

-- The id of the workout, habit or quest that a generated item stands for: the uuid after the prefix of the item's id.
-- Null where there is none. It is declared STABLE because pg_input_is_valid() is STABLE: Postgres does not inline a function that is
-- declared IMMUTABLE and calls a STABLE one.
CREATE OR REPLACE FUNCTION internal.plan_source(item_id text, prefix text) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN starts_with(item_id, prefix) AND pg_input_is_valid(substr(item_id, length(prefix) + 1), 'uuid')
            THEN substr(item_id, length(prefix) + 1)::uuid END;

-- The path in the app that items of a type lead to.
CREATE OR REPLACE FUNCTION internal.plan_route(item_type text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE item_type WHEN 'focus' THEN '/focus' WHEN 'quest' THEN '/quests' WHEN 'workout' THEN '/exercise'
                      WHEN 'learning' THEN '/learn' WHEN 'habit' THEN '/habits' END;

-- The items of a plan, in their order: by priority, then by position. An item is completed when the user has ticked it,
-- or when what it stands for is done on the plan's date; of a quest that comes back, in the period that has that date, since
-- the one before may be claimed on it too. Its action_url is its own if that is a path in the app, else that of its type.
--   OFFSET 0: each item is looked up by its key. Otherwise the planner may read all that the user has ever done, for each item or
-- into a hash.
CREATE OR REPLACE FUNCTION app.plan_items(p daily_plans) RETURNS TABLE (
    id text, type text, title text, description text, duration int, action_url text, completed boolean, priority int,
    "position" bigint, item jsonb
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT i.item ->> 'id', i.item ->> 'type', i.item ->> 'title', i.item ->> 'description', (i.item -> 'duration')::int,
           CASE WHEN i.item ->> 'action_url' ~ '^/(focus$|quests|exercise|learn|habits|planner|goals|hub)'
                THEN i.item ->> 'action_url' ELSE plan_route(i.item ->> 'type') END,
           (i.item -> 'completed')::boolean
           OR CASE
               WHEN i.item ->> 'id' = 'plan_focus' THEN EXISTS (
                   SELECT FROM focus_sessions AS s
                    WHERE s.mode = 'focus' AND s.status = 'completed'
                      AND s.ended_at >= lower(d.bounds) AND s.ended_at < upper(d.bounds))
               WHEN starts_with(i.item ->> 'id', 'plan_habit_') THEN EXISTS (
                   SELECT FROM habit_done(plan_source(i.item ->> 'id', 'plan_habit_'), p.date) OFFSET 0)
               WHEN starts_with(i.item ->> 'id', 'plan_quest_') THEN EXISTS (
                   SELECT FROM (SELECT plan_source(i.item ->> 'id', 'plan_quest_') AS quest OFFSET 0) AS w,
                               unnest(d.periods) AS k (period_key),
                               LATERAL (SELECT q.completed_at FROM user_quest_progress AS q
                                         WHERE q.quest_id = w.quest AND q.period_key = k.period_key
                                         UNION ALL
                                        SELECT q.completed_at FROM user_quest_progress AS q
                                         WHERE q.universal_quest_id = w.quest AND q.period_key = k.period_key OFFSET 0) AS q
                    WHERE q.completed_at >= lower(d.bounds) AND q.completed_at < upper(d.bounds))
               WHEN starts_with(i.item ->> 'id', 'plan_workout_') THEN calendar_item_done(i.item ->> 'id')
               ELSE false
           END,
           (i.item -> 'priority')::int, i.position, i.item
      FROM jsonb_array_elements(p.items) WITH ORDINALITY AS i (item, position),
           -- The periods that have the day: by their keys a quest is looked up without the history of years.
           (SELECT day_bounds(p.date) AS bounds,
                   ARRAY['once', quest_period_key('daily', p.date), quest_period_key('weekly', p.date),
                         quest_period_key('monthly', p.date)] AS periods OFFSET 0) AS d
     ORDER BY (i.item -> 'priority')::int, i.position;
END;

-- The functions below read the items alone, so that an UPDATE can compute the new items from the row that it has locked.

-- An item as it is stored: without the keys that are null, and with its type's address unless it has one of its own.
CREATE OR REPLACE FUNCTION app.plan_item(draft jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object('action_url', plan_route(draft ->> 'type')) || jsonb_strip_nulls(draft);

CREATE OR REPLACE FUNCTION app.plan_changed(items jsonb, item_id text, changes jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT jsonb_agg(CASE i.item ->> 'id' WHEN item_id THEN plan_item(i.item || changes) ELSE i.item END ORDER BY i.position)
          FROM jsonb_array_elements(items) WITH ORDINALITY AS i (item, position));

CREATE OR REPLACE FUNCTION app.plan_without(items jsonb, ids text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_agg(i.item ORDER BY i.position), '[]')
          FROM jsonb_array_elements(items) WITH ORDINALITY AS i (item, position)
         WHERE i.item ->> 'id' <> ALL (ids));

-- The items in the order of `ids`. The plan's priorities stay the same numbers and are given to the items in the new order,
-- so that an item that is generated later still finds its place among them.
CREATE OR REPLACE FUNCTION app.plan_reordered(items jsonb, ids text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_agg(i.item || jsonb_build_object('priority', r.priority) ORDER BY r.place), '[]')
          FROM (SELECT e.item -> 'priority' AS priority, row_number() OVER (ORDER BY e.item -> 'priority') AS place
                  FROM jsonb_array_elements(items) AS e (item)) AS r
          JOIN jsonb_array_elements(items) AS i (item) ON ids[r.place] = i.item ->> 'id');

-- The plan's items replaced by those that were sent. A generated item that is sent back unchanged does not count as edited.
-- An item that was shown as completed because its source is done is not ticked by sending it back.
CREATE OR REPLACE FUNCTION app.plan_rewritten(p daily_plans, sent jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (
    SELECT coalesce(jsonb_agg(
               CASE WHEN known.item - '{completed,edited}'::text[] = s.item - 'completed' THEN known.item
                    ELSE s.item || '{"edited": true}' END
               || jsonb_build_object('completed', CASE WHEN (s.item -> 'completed')::boolean AND known.completed
                                                       THEN known.item -> 'completed' ELSE s.item -> 'completed' END)
               ORDER BY s.position), '[]')
      FROM (SELECT plan_item(e.item) AS item, e.position
              FROM jsonb_array_elements(sent) WITH ORDINALITY AS e (item, position)) AS s
      LEFT JOIN plan_items(p) AS known ON known.id = s.item ->> 'id');

-- Whether a plan may hold so many items. Refuses, naming the field, when it may not.
CREATE OR REPLACE FUNCTION app.plan_has_room(items jsonb, field text DEFAULT 'date') RETURNS boolean
LANGUAGE sql VOLATILE
RETURN jsonb_array_length(items) <= 50 OR refuse_field(field, 'has a plan without room: it may hold 50 items');

-- Adds a task of the user's own at the end of a day's plan, which is made if there is none, and returns its id.
CREATE OR REPLACE FUNCTION app.add_plan_task(day date, draft jsonb, field text DEFAULT 'date') RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    WITH task AS MATERIALIZED (
        SELECT plan_item(draft || jsonb_build_object('id', 'task_' || gen_random_uuid())) AS item
    ), written AS (
        INSERT INTO daily_plans AS p (date, items)
        SELECT add_plan_task.day, jsonb_build_array(task.item) FROM task
        ON CONFLICT (user_id, date) DO UPDATE
           SET items = p.items || excluded.items, version = p.version + 1
         WHERE plan_has_room(p.items || excluded.items, field)
        RETURNING p.id
    )
    SELECT task.item ->> 'id' FROM written, task;
END;

-- What is due on a day, as items: a focus block, up to 2 workouts, 5 habits and 3 quests, and the reviews if there are
-- any. The day's workouts come as ids and titles, in the order of their times.
CREATE OR REPLACE FUNCTION app.plan_due(day date, workout_ids text[], workout_titles text[]) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH due (kind, place, id, type, title, duration) AS (
        SELECT 1, 1::bigint, 'plan_focus', 'focus', 'Focus block',
               setting('focus_duration')::int
         UNION ALL
        SELECT 2, w.place, 'plan_workout_' || w.id, 'workout', w.title, NULL
          FROM unnest(workout_ids, workout_titles) WITH ORDINALITY AS w (id, title, place)
         WHERE w.place <= 2
         UNION ALL
        SELECT 3, h.place, 'plan_habit_' || h.habit_id, 'habit', h.name, NULL
          FROM (SELECT o.habit_id, o.name, row_number() OVER (ORDER BY o.sort_order, o.habit_id) AS place
                  FROM habits_on(plan_due.day) AS o WHERE o.pending) AS h
         WHERE h.place <= 5
         UNION ALL
        SELECT 4, q.place, 'plan_quest_' || q.quest_id, 'quest', q.title, NULL
          FROM (SELECT n.id AS quest_id, n.title,
                       row_number() OVER (ORDER BY n.kind DESC, n.sort_order, n.accepted_at, n.id) AS place
                  FROM quests_now AS n
                 WHERE (n.kind = 'user' AND n.status = 'accepted')
                    OR (n.kind = 'universal' AND n.period = 'daily'
                        -- of the period that the day is, which need not be the present one
                        AND NOT EXISTS (SELECT FROM user_quest_progress AS u
                                         WHERE u.universal_quest_id = n.id
                                           AND u.period_key = quest_period_key('daily', plan_due.day)
                                           AND u.status IN ('completed', 'abandoned')))) AS q
         WHERE q.place <= 3
         UNION ALL
        SELECT 5, 1, 'plan_learning', 'learning', 'Review what is due', NULL WHERE reviews_due() > 0
    )
    SELECT jsonb_agg(r.item || jsonb_build_object('priority', 90 + 10 * r.place) ORDER BY r.place)
      FROM (SELECT plan_item(jsonb_build_object('id', due.id, 'type', due.type, 'title', due.title,
                                                'duration', due.duration, 'completed', false)) AS item,
                   row_number() OVER (ORDER BY due.kind, due.place) AS place
              FROM due) AS r;
END;

-- The plan's items after the plan is generated again. Items that are due again keep their tick, edits and priority. The
-- user's own items stay, and so do items that are no longer due but were completed or edited. What is newly due is added
-- behind them, as far as the plan has room.
CREATE OR REPLACE FUNCTION app.plan_merged(p daily_plans, due jsonb) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH due_items AS (
        SELECT d.item, d.position FROM jsonb_array_elements(due) WITH ORDINALITY AS d (item, position)
    ), merged AS (
        SELECT 1 AS part, i.position,
               CASE WHEN d.item IS NULL OR i.item ? 'edited' THEN i.item
                    ELSE d.item || jsonb_build_object('priority', i.item -> 'priority', 'completed', i.item -> 'completed')
               END AS item
          FROM plan_items(p) AS i
          LEFT JOIN due_items AS d ON d.item -> 'id' = i.item -> 'id'
         WHERE d.item IS NOT NULL OR NOT starts_with(i.item ->> 'id', 'plan_') OR i.item ? 'edited' OR i.completed
         UNION ALL
        SELECT 2, d.position, d.item
          FROM due_items AS d
         WHERE NOT p.items @> jsonb_build_array(jsonb_build_object('id', d.item -> 'id'))
    )
    SELECT coalesce(jsonb_agg(m.item ORDER BY m.part, m.position), '[]')
      FROM (SELECT * FROM merged ORDER BY part, position LIMIT 50) AS m;
END;
