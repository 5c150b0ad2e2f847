-- Statements of one name travel together, and each sees what those before it wrote. Whatever changes a goal or its
-- milestones begins with lock_user(), so that progress is counted while nothing else moves. What writes a row itself also calls
-- revise_goals().

-- name: goals
SELECT g.*, goal_is_overdue(g, today) AS is_overdue
  FROM local_today() AS today, goals AS g
 WHERE %(status)s::text IS NULL OR g.status = %(status)s
 ORDER BY g.priority DESC, g.created_at DESC, g.id;
SELECT m.*
  FROM goals AS g JOIN goal_milestones AS m ON m.goal_id = g.id
 WHERE %(status)s::text IS NULL OR g.status = %(status)s
 ORDER BY m.goal_id, m.sort_order;

-- name: goals_page
SELECT g.*, goal_is_overdue(g, today) AS is_overdue
  FROM local_today() AS today, goals AS g
 WHERE %(status)s::text IS NULL OR g.status = %(status)s
 ORDER BY g.priority DESC, g.created_at DESC, g.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT m.*
  FROM (SELECT g.id
          FROM goals AS g
         WHERE %(status)s::text IS NULL OR g.status = %(status)s
         ORDER BY g.priority DESC, g.created_at DESC, g.id
         LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS g,
       LATERAL (SELECT o.* FROM goal_milestones AS o WHERE o.goal_id = g.id OFFSET 0) AS m
 ORDER BY m.goal_id, m.sort_order;
SELECT count(*) AS total FROM goals AS g WHERE %(status)s::text IS NULL OR g.status = %(status)s;

-- name: add
SELECT lock_user();
SELECT g.*, goal_is_overdue(g, today) AS is_overdue
  FROM local_today() AS today,
       add_goal(%(title)s, %(description)s, %(category)s, %(target_date)s, %(priority)s) AS g;

-- name: goal
SELECT g.*, goal_is_overdue(g, today) AS is_overdue FROM local_today() AS today, goals AS g WHERE g.id = %(goal_id)s;
SELECT * FROM goal_milestones WHERE goal_id = %(goal_id)s ORDER BY sort_order;

-- name: change
SELECT lock_user();
UPDATE goals AS g
   SET (title, description, category, target_date, priority)
     = (SELECT title, description, category, target_date, priority FROM jsonb_populate_record(g, %(changes)s))
 WHERE id = %(goal_id)s;
SELECT revise_goals() FROM goals WHERE id = %(goal_id)s;
SELECT r.*
  FROM goals AS g, move_goal(g, %(changes)s::jsonb ->> 'status') AS paid, reward(paid) AS r
 WHERE g.id = %(goal_id)s;
SELECT g.*, goal_is_overdue(g, today) AS is_overdue FROM local_today() AS today, goals AS g WHERE g.id = %(goal_id)s;
SELECT * FROM goal_milestones WHERE goal_id = %(goal_id)s ORDER BY sort_order;

-- name: delete
SELECT lock_user();
SELECT unlink_goal(%(goal_id)s);
SELECT revise_goals() FROM goals WHERE id = %(goal_id)s;
DELETE FROM goals WHERE id = %(goal_id)s RETURNING id;

-- name: add_milestone
SELECT lock_user();
SELECT m.*
  FROM goals AS g, add_milestone(g, %(title)s, %(description)s, %(target_date)s) AS m
 WHERE g.id = %(goal_id)s;

-- name: reorder
SELECT lock_user();
SELECT refuse_field('ids', 'must name every milestone of the goal once')
  FROM goals AS g
 WHERE g.id = %(goal_id)s
   AND ARRAY(SELECT id FROM goal_milestones WHERE goal_id = g.id ORDER BY id)
    <> ARRAY(SELECT id FROM unnest(%(ids)s::uuid[]) AS id ORDER BY id);
UPDATE goal_milestones AS m SET sort_order = o.place
  FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS o (id, place)
 WHERE m.goal_id = %(goal_id)s AND m.id = o.id AND m.sort_order <> o.place;
SELECT revise_goals() FROM goals WHERE id = %(goal_id)s;
SELECT g.*, goal_is_overdue(g, today) AS is_overdue FROM local_today() AS today, goals AS g WHERE g.id = %(goal_id)s;
SELECT * FROM goal_milestones WHERE goal_id = %(goal_id)s ORDER BY sort_order;

-- name: change_milestone
SELECT revise_goals() FROM goal_milestones WHERE id = %(milestone_id)s;
UPDATE goal_milestones AS m
   SET (title, description, target_date)
     = (SELECT title, description, target_date FROM jsonb_populate_record(m, %(changes)s))
 WHERE id = %(milestone_id)s
RETURNING *;

-- name: delete_milestone
SELECT lock_user();
SELECT m.id, delete_milestone(m) AS goal_progress FROM goal_milestones AS m WHERE id = %(milestone_id)s;

-- name: complete_milestone
SELECT lock_user();
SELECT c.goal_progress, c.goal_completed, c.already_completed, r.*
  FROM goal_milestones AS m, complete_milestone(m) AS c, reward(VARIADIC c.paid) AS r
 WHERE m.id = %(milestone_id)s;
SELECT * FROM goal_milestones WHERE id = %(milestone_id)s;

-- name: uncomplete_milestone
SELECT lock_user();
SELECT uncomplete_milestone(m) AS goal_progress FROM goal_milestones AS m WHERE id = %(milestone_id)s;
SELECT * FROM goal_milestones WHERE id = %(milestone_id)s;
