-- A plan is rewritten by the statement that locks its row, so of two writes at once each sees what the other wrote. The
-- timer is settled first: the focus block of a plan is done when a session is. The last two statements of a name return
-- the plan of the day and its items.

-- name: plan
SELECT settle_focus();
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: generate
-- Only Python can say when an event recurs. So where a workout of the day may be an occurrence of a series, this writes
-- nothing and returns what to expand; generate_with then writes.
SELECT settle_focus();
SELECT refuse_field('date', 'must be within 31 days of today') WHERE abs(%(date)s::date - local_today()) > 31;
WITH found AS MATERIALIZED (
    SELECT f.id, f.title, f.start_time, coalesce(f.recurrence_rule, f.series_rule) IS NOT NULL AS recurs
      FROM calendar_day(coalesce(%(date)s::date, local_today())) AS w,
           calendar_found(w.since, w.before, w.first_day, w.last_day, 'workout') AS f
), written AS (
    INSERT INTO daily_plans AS p (date, items)
    SELECT d.day, plan_due(d.day, ARRAY(SELECT f.id::text FROM found AS f ORDER BY f.start_time, f.id LIMIT 2),
                           ARRAY(SELECT f.title FROM found AS f ORDER BY f.start_time, f.id LIMIT 2))
      FROM (SELECT coalesce(%(date)s::date, local_today()) AS day) AS d
     WHERE NOT EXISTS (SELECT FROM found AS f WHERE f.recurs)
    ON CONFLICT (user_id, date) DO UPDATE SET items = plan_merged(p, excluded.items), version = p.version + 1
    RETURNING p.id
)
SELECT EXISTS (SELECT FROM written) AS written, coalesce(%(date)s::date, local_today()) AS day;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT * FROM calendar_day(coalesce(%(date)s::date, local_today()));
SELECT f.*
  FROM calendar_day(coalesce(%(date)s::date, local_today())) AS w,
       calendar_found(w.since, w.before, w.first_day, w.last_day, 'workout') AS f;
SELECT m.*
  FROM calendar_day(coalesce(%(date)s::date, local_today())) AS w, calendar_marks(w.since, w.before, 'workout') AS m;

-- name: generate_with
SELECT settle_focus();
INSERT INTO daily_plans AS p (date, items)
VALUES (%(date)s, plan_due(%(date)s, %(workout_ids)s, %(workout_titles)s))
ON CONFLICT (user_id, date) DO UPDATE SET items = plan_merged(p, excluded.items), version = p.version + 1
RETURNING p.id;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: update
SELECT settle_focus();
WITH written AS (
    INSERT INTO daily_plans AS p (date, notes, items)
    SELECT d.day, %(contents)s::jsonb ->> 'notes', plan_rewritten(NULL, coalesce(%(contents)s::jsonb -> 'items', '[]'))
      FROM (SELECT (SELECT coalesce(%(date)s::date, local_today())) AS day) AS d
     WHERE %(version)s::int IS NULL
        OR EXISTS (SELECT FROM daily_plans AS known WHERE known.date = d.day)
        OR refuse(409, 'conflict', 'There is no plan of that day yet.')
    ON CONFLICT (user_id, date) DO UPDATE
       SET notes = CASE WHEN %(contents)s::jsonb ? 'notes' THEN excluded.notes ELSE p.notes END,
           items = CASE WHEN %(contents)s::jsonb ? 'items' THEN plan_rewritten(p, %(contents)s -> 'items') ELSE p.items END,
           version = p.version + 1
     WHERE %(version)s::int IS NULL
        OR %(version)s = p.version
        OR refuse(409, 'conflict', 'The plan was changed meanwhile.', jsonb_build_object('version', p.version))
    RETURNING p.id
)
SELECT written.id FROM written;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: complete_item
SELECT settle_focus();
WITH ticked AS (
    UPDATE daily_plans AS p
       SET items = plan_changed(p.items, %(item_id)s, jsonb_build_object('completed', %(completed)s::boolean)),
           version = p.version + 1
     WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()))
       AND p.items @> jsonb_build_array(jsonb_build_object('id', %(item_id)s::text))
    RETURNING p.id
)
SELECT ticked.id FROM ticked;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: add_task
SELECT settle_focus();
SELECT add_plan_task((SELECT coalesce(%(date)s::date, local_today())), %(task)s) AS id;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: change_task
SELECT settle_focus();
WITH changed AS (
    UPDATE daily_plans AS p
       SET items = plan_changed(p.items, %(item_id)s, %(changes)s::jsonb - 'date' || '{"edited": true}'),
           version = p.version + 1
     WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()))
       AND p.items @> jsonb_build_array(jsonb_build_object('id', %(item_id)s::text))
    RETURNING p.id
)
SELECT changed.id FROM changed;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: delete_task
SELECT settle_focus();
WITH changed AS (
    UPDATE daily_plans AS p
       SET items = plan_without(p.items, ARRAY[%(item_id)s]), version = p.version + 1
     WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()))
       AND p.items @> jsonb_build_array(jsonb_build_object('id', %(item_id)s::text))
    RETURNING p.id
)
SELECT changed.id FROM changed;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: reorder
-- No id was sent twice, and a plan holds none twice. So the ids are the plan's if they are as many, and none of the plan's is missing.
SELECT settle_focus();
WITH changed AS (
    UPDATE daily_plans AS p
       SET items = plan_reordered(p.items, %(item_ids)s::text[]), version = p.version + 1
     WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()))
       AND (jsonb_array_length(p.items) = cardinality(%(item_ids)s::text[])
                AND NOT EXISTS (SELECT FROM jsonb_array_elements(p.items) AS i WHERE i ->> 'id' <> ALL (%(item_ids)s::text[]))
            OR refuse_field('item_ids', 'must hold the id of each item of the plan'))
    RETURNING p.id
)
SELECT changed.id FROM changed;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: rollover
-- Two plans change, so their rows are locked first, the earlier one first. What is moved is read after that.
SELECT settle_focus();
SELECT refuse_field('from', 'must be before date')
 WHERE coalesce(%(source)s::date, local_today() - 1) >= (SELECT coalesce(%(date)s::date, local_today()));
SELECT p.id FROM daily_plans AS p
 WHERE p.date IN (coalesce(%(source)s::date, local_today() - 1), (SELECT coalesce(%(date)s::date, local_today())))
 ORDER BY p.date FOR UPDATE;
WITH days AS (
    SELECT coalesce(%(source)s::date, local_today() - 1) AS source, (SELECT coalesce(%(date)s::date, local_today())) AS target
), moving AS (
    SELECT i.item, i.position
      FROM days, daily_plans AS p, plan_items(p) AS i
     WHERE p.date = days.source
       AND i.item ->> 'id' LIKE 'task\_%%'
       AND NOT i.completed
       AND NOT EXISTS (SELECT FROM daily_plans AS t
                        WHERE t.date = days.target
                          AND t.items @> jsonb_build_array(jsonb_build_object('id', i.item -> 'id')))
), moved AS (
    SELECT count(*) AS count, coalesce(jsonb_agg(item ORDER BY position), '[]') AS items,
           coalesce(array_agg(item ->> 'id'), '{}') AS ids
      FROM moving
), taken AS (
    UPDATE daily_plans AS p
       SET items = plan_without(p.items, moved.ids), version = p.version + 1
      FROM days, moved
     WHERE p.date = days.source AND moved.count > 0
), placed AS (
    INSERT INTO daily_plans AS p (date, items)
    SELECT days.target, moved.items FROM days, moved
    ON CONFLICT (user_id, date) DO UPDATE
       SET items = p.items || excluded.items, version = p.version + 1
     WHERE excluded.items <> '[]' AND plan_has_room(p.items || excluded.items)
    RETURNING p.id
)
SELECT moved.count AS moved FROM moved;
SELECT p.* FROM daily_plans AS p WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));
SELECT i.* FROM daily_plans AS p, plan_items(p) AS i WHERE p.date = (SELECT coalesce(%(date)s::date, local_today()));

-- name: plans
SELECT settle_focus();
SELECT p.* FROM daily_plans AS p WHERE p.date BETWEEN %(first)s::date AND %(last)s::date ORDER BY p.date;
SELECT p.date, i.*
  FROM daily_plans AS p, plan_items(p) AS i
 WHERE p.date BETWEEN %(first)s::date AND %(last)s::date
 ORDER BY p.date, i.priority, i.position;
