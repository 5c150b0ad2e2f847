-- Whatever changes something begins with lock_user(): one session of a track is in progress, deltas add up, and it is paid
-- once, in parallel too.

-- name: templates
SELECT t.*
  FROM listening_prompt_templates AS t
 WHERE t.is_active
   AND (%(category)s::text IS NULL OR t.category = %(category)s)
   AND (%(difficulty)s::text IS NULL OR t.difficulty = %(difficulty)s)
 ORDER BY t.category, t.display_order, t.id;

-- name: template
SELECT t.* FROM listening_prompt_templates AS t WHERE t.id = %(template_id)s AND t.is_active;
SELECT p.id, p.name, p.preset_type, p.config
  FROM listening_prompt_presets AS p
 WHERE p.template_id = %(template_id)s AND p.is_active
 ORDER BY p.name, p.id;

-- name: start
-- The session that is in progress now is the one that was started, or was there already.
SELECT lock_user();
SELECT start_listening(%(track_id)s, %(sent)s, %(prompts)s, %(categories)s, %(with_prompt)s);
SELECT s.* FROM listening_sessions AS s WHERE s.track_id = %(track_id)s AND s.status = 'in_progress';
SELECT i.*
  FROM listening_sessions AS s JOIN listening_session_items AS i ON i.user_id = s.user_id AND i.session_id = s.id
 WHERE s.track_id = %(track_id)s AND s.status = 'in_progress'
 ORDER BY i.position;

-- name: sessions
-- An index has all that the page is made of. OFFSET 0: a lookup by key for each session of it, whatever the planner expects.
-- The range and its order leave it the index of the key alone.
SELECT read_in_index_order();
SELECT s.*
  FROM sessions_page(%(track_id)s, %(status)s, %(page)s, %(page_size)s) AS p,
       LATERAL (SELECT k.* FROM listening_sessions AS k WHERE k.id BETWEEN p.id AND p.id ORDER BY k.id OFFSET 0) AS s
 ORDER BY s.started_at DESC, s.id DESC;
SELECT i.*
  FROM sessions_page(%(track_id)s, %(status)s, %(page)s, %(page_size)s) AS p,
       LATERAL (SELECT k.* FROM listening_session_items AS k WHERE k.session_id = p.id OFFSET 0) AS i
 ORDER BY i.position;
-- Those in progress are at most one of a track, and have an index.
SELECT CASE WHEN %(track_id)s::uuid IS NOT NULL
            THEN (SELECT count(*)
                    FROM listening_sessions AS s
                   WHERE s.track_id = %(track_id)s AND (%(status)s::text IS NULL OR s.status = %(status)s))
            ELSE (SELECT coalesce(sum(t.total), 0)::bigint
                    FROM totals_of('listening') AS t WHERE %(status)s::text IS NULL OR t.kind = %(status)s)
                 + (SELECT count(*)
                      FROM listening_sessions AS s
                     WHERE s.status = 'in_progress' AND (%(status)s::text IS NULL OR %(status)s::text = 'in_progress'))
       END AS total;

-- name: session
SELECT s.* FROM listening_sessions AS s WHERE s.id = %(session_id)s;
SELECT i.* FROM listening_session_items AS i WHERE i.session_id = %(session_id)s ORDER BY i.position;

-- name: change_session
SELECT lock_user();
SELECT change_listening(s, %(changes)s, %(changed_items)s::jsonb[], %(prompts)s, %(categories)s)
  FROM listening_sessions AS s WHERE s.id = %(session_id)s;
SELECT s.* FROM listening_sessions AS s WHERE s.id = %(session_id)s;
SELECT i.* FROM listening_session_items AS i WHERE i.session_id = %(session_id)s ORDER BY i.position;

-- name: delete_session
SELECT lock_user();
SELECT unlink_listening_session(s.id) FROM listening_sessions AS s WHERE s.id = %(session_id)s;
SELECT count_listening(s, -1) FROM listening_sessions AS s WHERE s.id = %(session_id)s;
DELETE FROM listening_sessions AS s WHERE s.id = %(session_id)s RETURNING true AS success;

-- name: complete
SELECT lock_user();
SELECT r.*
  FROM listening_sessions AS s, complete_listening(s, %(changes)s) AS p, reward(VARIADIC p) AS r
 WHERE s.id = %(session_id)s;
SELECT s.reward_reason AS reason, coalesce(t.expected_observations, '[]') AS expected_observations
  FROM listening_sessions AS s LEFT JOIN listening_prompt_templates AS t ON t.id = s.template_id
 WHERE s.id = %(session_id)s;
SELECT s.* FROM listening_sessions AS s WHERE s.id = %(session_id)s;
SELECT i.* FROM listening_session_items AS i WHERE i.session_id = %(session_id)s ORDER BY i.position;

-- name: abandon
SELECT lock_user();
SELECT abandon_listening(s) FROM listening_sessions AS s WHERE s.id = %(session_id)s;
SELECT s.* FROM listening_sessions AS s WHERE s.id = %(session_id)s;
SELECT i.* FROM listening_session_items AS i WHERE i.session_id = %(session_id)s ORDER BY i.position;

-- name: summary
-- Annotations are kept by the day of UTC; the days of the user begin within one, of which the rest is counted.
WITH span AS MATERIALIZED (
    SELECT n.today, n.today - %(days)s::int AS day_before, lower(day_bounds(n.today - %(days)s::int + 1)) AS since
      FROM (SELECT local_today() AS today OFFSET 0) AS n
)
SELECT l.*, k.tracks, r.current AS streak_days,
       (SELECT coalesce(sum(t.total), 0)::bigint FROM totals_of('annotations') AS t WHERE t.day > utc_day(p.since))
       + (SELECT count(*) FROM track_annotations AS a
           WHERE a.created_at >= p.since AND a.created_at < next_utc_day(p.since)) AS annotations
  FROM span AS p, run_streaks('listening', p.today) AS r,
       LATERAL (SELECT coalesce(sum(t.total), 0)::bigint AS sessions, coalesce(div(sum(t.amount), 60000), 0)::bigint AS minutes
                  FROM totals_of('listening_days') AS t WHERE t.day > p.day_before) AS l,
       LATERAL (SELECT coalesce(sum(t.total), 0)::bigint AS tracks
                  FROM totals_of('listened_tracks') AS t WHERE t.day > p.day_before) AS k;
-- OFFSET 0: the items are looked up session by session, since a join may read all that the user has.
SELECT i.category, count(*) AS answered
  FROM listening_sessions AS s,
       LATERAL (SELECT k.* FROM listening_session_items AS k WHERE k.session_id = s.id OFFSET 0) AS i
 WHERE s.status = 'completed' AND s.completed_on > (SELECT local_today() - %(days)s::int) AND is_answered(i)
 GROUP BY i.category
 ORDER BY i.category;
