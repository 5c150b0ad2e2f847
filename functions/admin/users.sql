-- Statements of one name travel together, and each sees what those before it wrote.

-- name: users
-- OFFSET 0 keeps the planner from a join: each user of the page is looked up by key.
SELECT u.*, coalesce(u.tos_version = %(terms)s, false) AS tos_accepted
  FROM users_page(%(role)s, %(page_size)s, (%(page)s::bigint - 1) * %(page_size)s)
       WITH ORDINALITY AS p (id, place)
 CROSS JOIN LATERAL (SELECT * FROM users_shown AS s WHERE s.id = p.id OFFSET 0) AS u
 ORDER BY p.place;
SELECT count_users(%(role)s) AS total;

-- name: found_users
-- One search gives both the page and the total. A page behind the last one has the total too.
WITH found AS MATERIALIZED (
    SELECT f.id, f.place FROM search_users(%(search)s, %(role)s) WITH ORDINALITY AS f (id, place)
)
SELECT u.*, coalesce(u.tos_version = %(terms)s, false) AS tos_accepted, (SELECT count(*) FROM found) AS found
  FROM (SELECT f.* FROM found AS f ORDER BY f.place LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s) AS p
 CROSS JOIN LATERAL (SELECT * FROM users_shown AS s WHERE s.id = p.id OFFSET 0) AS u
 ORDER BY p.place;
SELECT CASE WHEN %(page)s > 1 THEN (SELECT count(*) FROM search_users(%(search)s, %(role)s)) ELSE 0 END AS total;

-- name: user_statistics
SELECT s.name, s.value FROM known_statistics(%(terms)s) AS s WHERE s.part = 'users';

-- name: user
SELECT u.*, coalesce(u.tos_version = %(terms)s, false) AS tos_accepted FROM users_shown AS u WHERE u.id = %(user_id)s;

-- name: change_user
SELECT change_user(%(user_id)s, %(role)s, %(approved)s, %(client)s);
SELECT u.*, coalesce(u.tos_version = %(terms)s, false) AS tos_accepted FROM users_shown AS u WHERE u.id = %(user_id)s;

-- name: adjust_user
SELECT * FROM adjust_user(%(user_id)s, %(xp)s, %(coins)s, %(reason)s, %(client)s);

-- name: cancel_jobs
-- The caller's own jobs are left, since the deletion of the caller will be refused.
SELECT cancel_jobs(%(user_id)s) WHERE %(user_id)s <> current_user_id();

-- name: delete_user
-- Deleting the rows of years by cascade may take longer than the statement timeout of requests. The tables are counted before.
SELECT set_config('statement_timeout', '25s', true);
SELECT count_tables_of(%(user_id)s) AS tables_cleaned;
SELECT true AS success WHERE delete_other_user(%(user_id)s, %(client)s);

-- name: abandoned
-- Each account is looked at once; every row holds the total.
WITH found AS MATERIALIZED (
    SELECT a.id, a.place, count(*) OVER () AS abandoned
      FROM abandoned_users(clock() - %(days)s * interval '1 day', NULL) WITH ORDINALITY AS a (id, place)
)
SELECT u.*, coalesce(u.tos_version = %(terms)s, false) AS tos_accepted, f.abandoned
  FROM (SELECT * FROM found AS f ORDER BY f.place LIMIT 1000) AS f
 CROSS JOIN LATERAL (SELECT * FROM users_shown AS s WHERE s.id = f.id OFFSET 0) AS u
 ORDER BY f.place;
SELECT count_users(NULL) AS total;

-- name: delete_abandoned
SELECT set_config('statement_timeout', '25s', true);
SELECT d.id FROM delete_abandoned_users(clock() - %(days)s * interval '1 day', %(ids)s::uuid[], %(client)s) AS d (id);
