-- The timer is settled first, in a statement of its own: the rest has to see what that pays.

-- name: poll
SELECT * FROM sync_poll(%(seen)s, %(seen_shared)s, %(until)s);

-- name: progress
SELECT settle_focus();
SELECT * FROM sync_progress();

-- name: badges
SELECT settle_focus();
SELECT * FROM sync_badges();

-- name: focus_status
SELECT settle_focus();
SELECT * FROM sync_focus();

-- name: plan_status
SELECT settle_focus();
SELECT * FROM sync_plan();

-- name: state
SELECT settle_focus();
SELECT v.domain, v.version, false AS changed, clock() AS server_time FROM sync_versions() AS v;

-- name: changes
-- The domains that changed are noted for this transaction, so that the statements after it read nothing of the others.
SELECT settle_focus();
WITH versions AS MATERIALIZED (
    SELECT v.domain, v.version, %(client_versions)s::jsonb ->> v.domain IS DISTINCT FROM v.version AS changed
      FROM sync_versions() AS v
), noted AS MATERIALIZED (
    SELECT set_config('app.sync_domains', coalesce(string_agg(domain, ',') FILTER (WHERE changed AND %(include_data)s), ''),
                      true) AS domains
      FROM versions
)
SELECT v.domain, v.version, v.changed, clock() AS server_time FROM versions AS v, noted;
SELECT * FROM sync_progress() WHERE sync_asks('progress');
SELECT * FROM sync_badges() WHERE sync_asks('badges');
SELECT * FROM sync_focus() WHERE sync_asks('focus');
SELECT * FROM sync_plan() WHERE sync_asks('plan');
SELECT h.*
  FROM habits_shown(local_today()) AS h
 WHERE sync_asks('habits') AND h.is_active
 ORDER BY h.sort_order, h.created_at, h.id;
SELECT g.*, goal_is_overdue(g, d.today) AS is_overdue
  FROM (SELECT local_today() AS today OFFSET 0) AS d, goals AS g
 WHERE sync_asks('goals')
 ORDER BY g.priority DESC, g.created_at DESC, g.id;
SELECT * FROM goal_milestones WHERE sync_asks('goals') ORDER BY goal_id, sort_order;
-- only the first page of the list, since a user may have any number of quests
SELECT q.*, count(*) OVER () AS total
  FROM quests_now AS q
 WHERE sync_asks('quests')
 ORDER BY q.kind DESC, q.sort_order, q.created_at DESC, q.id
 LIMIT 100;
SELECT s.key, s.value
  FROM settings_now() AS s
 WHERE sync_asks('settings') AND user_setting_defaults() ? s.key;
