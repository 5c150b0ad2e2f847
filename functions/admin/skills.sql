-- name: skills
SELECT * FROM skills_shown AS s ORDER BY s.display_order, s.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total FROM skill_definitions;

-- name: skill
SELECT * FROM skills_shown AS s WHERE s.id = %(skill_id)s;

-- name: put_skill
SELECT put_skill(%(skill_id)s, %(fields)s, %(sent)s, %(client)s);
SELECT * FROM skills_shown AS s WHERE s.id = %(skill_id)s;

-- name: change_skill
SELECT change_skill(%(skill_id)s, %(sent)s, %(client)s);
SELECT * FROM skills_shown AS s WHERE s.id = %(skill_id)s;

-- name: delete_skill
SELECT d.archived FROM delete_skill(%(skill_id)s, %(client)s) AS d;
