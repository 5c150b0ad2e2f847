-- The timer is settled first, in a statement of its own: the rest has to see what that pays.

-- name: poll
SELECT settle_focus();
SELECT progress_shown() AS progress, b.badges, f.focus, p.plan, clock() AS server_time
  FROM sync_badges() AS b, sync_focus() AS f, sync_plan() AS p;

-- name: progress
SELECT settle_focus();
SELECT progress_shown() AS answer;

-- name: badges
SELECT settle_focus();
SELECT badges AS answer FROM sync_badges();

-- name: focus_status
SELECT settle_focus();
SELECT focus AS answer FROM sync_focus();

-- name: plan_status
SELECT settle_focus();
SELECT plan AS answer FROM sync_plan();

-- name: state
SELECT settle_focus();
SELECT jsonb_object_agg(v.domain, v.version) AS versions, clock() AS server_time FROM sync_versions() AS v;

-- name: changes
-- FILTER comes before what it filters: only what is answered is made.
SELECT settle_focus();
SELECT coalesce(jsonb_object_agg(v.domain, CASE WHEN %(include_data)s THEN sync_data(v.domain) END)
                FILTER (WHERE %(client_versions)s::jsonb ->> v.domain IS DISTINCT FROM v.version), '{}') AS updates,
       jsonb_object_agg(v.domain, v.version) AS versions,
       clock() AS server_time
  FROM sync_versions() AS v;
