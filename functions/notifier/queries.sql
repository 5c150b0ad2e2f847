-- The sender logs in as questlog_jobs, which sees all users.

-- name: begin
SELECT r.id, r.status
  FROM begin_run('reminders',
                 NOT EXISTS (SELECT FROM reminders AS d WHERE d.due_at <= clock())
                 AND NOT EXISTS (SELECT FROM notification_deliveries AS d WHERE d.status = 'queued' AND d.run_after <= clock())
                 AND NOT EXISTS (SELECT FROM due_jobs('{run}', '{reminders}'))
                 AND NOT EXISTS (SELECT FROM lost_jobs('{run}', '{reminders}')),
                 %(nothing)s) AS r;

-- name: renew
SELECT renew_run(%(run_id)s) AS has_run;

-- name: end
-- A run that an administrator has asked for is a tick like this one.
SELECT complete_job(NULL, c.id, c.attempts, %(result)s) FROM claim_due_job('{run}', '{reminders}') AS c WHERE NOT %(has_failed)s;
SELECT end_run(%(run_id)s, %(has_failed)s, %(result)s);

-- name: due
-- The same few statements run for each of many users, so they are planned once, as on the logins of requests.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true);
SELECT * FROM due_reminders(%(most)s, %(push_available)s, %(email_available)s);

-- name: series
-- The series among the reminders that are held, each with the occurrences near its reminder that are done or have an override.
SELECT e.user_id, e.id, e.title, e.location, e.start_time, e.end_time, e.nominal_days, e.all_day, e.timezone,
       e.reminder_minutes, e.recurrence_rule, e.recurrence_end, e.last_start, e.series_until, e.exdates, e.rdates,
       ARRAY(SELECT o.original_start FROM calendar_events AS o
              WHERE o.user_id = e.user_id AND o.parent_event_id = e.id AND o.original_start > clock() - interval '60 days')
       || ARRAY(SELECT c.occurrence FROM calendar_completions AS c
                 WHERE c.user_id = e.user_id AND c.event_id = e.id AND c.completed_at IS NOT NULL
                   AND c.occurrence > clock() - interval '60 days') AS settled
  FROM unnest(%(users)s::uuid[], %(events)s::uuid[]) AS w (user_id, event_id)
  JOIN calendar_events AS e ON e.user_id = w.user_id AND e.id = w.event_id
 WHERE e.reminder_minutes IS NOT NULL;

-- name: store
-- Inserts messages, one for each dedupe key, with a delivery for each of the user's browsers and mailbox.
WITH made AS MATERIALIZED (
    SELECT m.*, row_number() OVER (PARTITION BY m.user_id ORDER BY m.place) AS number
      FROM jsonb_to_recordset(%(messages)s) AS m (
           user_id uuid, id uuid, place int, kind text, dedupe_key text, title text, body text, path text,
           expires_at timestamptz, browsers uuid[], by_email boolean)
), stored AS (
    INSERT INTO notification_outbox (user_id, id, seq, kind, dedupe_key, title, body, path, expires_at)
    SELECT m.user_id, m.id, m.number + coalesce((SELECT max(o.seq) FROM notification_outbox AS o WHERE o.user_id = m.user_id), 0),
           m.kind, m.dedupe_key, m.title, m.body, m.path, m.expires_at
      FROM made AS m
    ON CONFLICT (user_id, dedupe_key) DO NOTHING
    RETURNING user_id, id
), placed AS (
    INSERT INTO notification_deliveries (user_id, message_id, channel, subscription_id)
    SELECT s.user_id, s.id, 'push', b.browser
      FROM stored AS s JOIN made AS m ON m.user_id = s.user_id AND m.id = s.id, unnest(m.browsers) AS b (browser)
     UNION ALL
    SELECT s.user_id, s.id, 'email', NULL
      FROM stored AS s JOIN made AS m ON m.user_id = s.user_id AND m.id = s.id
     WHERE m.by_email
)
SELECT count(*) AS stored FROM stored;

-- name: move
-- Moves the reminders that were looked at to their next time, or deletes them.
WITH moves AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(moves)s) AS m (user_id uuid, source text, source_id uuid, next_at timestamptz)
), moved AS (
    UPDATE reminders AS r SET due_at = m.next_at
      FROM moves AS m
     WHERE (r.user_id, r.source, r.source_id) = (m.user_id, m.source, m.source_id) AND m.next_at IS NOT NULL
)
DELETE FROM reminders AS r
 USING moves AS m
 WHERE (r.user_id, r.source, r.source_id) = (m.user_id, m.source, m.source_id) AND m.next_at IS NULL;

-- name: claim
-- Claiming a delivery also sets its next attempt: one that is lost meanwhile is sent once more.
WITH due AS MATERIALIZED (
    SELECT d.user_id, d.id
      FROM notification_deliveries AS d
     WHERE d.status = 'queued' AND d.run_after <= clock()
     ORDER BY d.run_after
     LIMIT %(most)s
       FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE notification_deliveries AS d
       SET attempts = d.attempts + 1, run_after = clock() + interval '5 minutes'
      FROM due AS w
     WHERE d.user_id = w.user_id AND d.id = w.id
    RETURNING d.user_id, d.id, d.message_id, d.channel, d.subscription_id, d.attempts
)
SELECT c.user_id, c.id, c.channel, c.subscription_id, c.attempts, clock() AS now,
       o.dedupe_key, o.kind, o.title, o.body, o.path, o.expires_at,
       s.endpoint, s.p256dh, s.auth,
       CASE WHEN c.channel = 'email' AND EXISTS (
                SELECT FROM user_settings AS e
                 WHERE e.user_id = c.user_id AND e.key = 'email_notifications' AND e.value = 'true')
            THEN u.email END AS address
  FROM claimed AS c
  JOIN notification_outbox AS o ON o.user_id = c.user_id AND o.id = c.message_id
  JOIN users AS u ON u.id = c.user_id
  LEFT JOIN push_subscriptions AS s ON s.user_id = c.user_id AND s.id = c.subscription_id;

-- name: settle
-- Stores the outcome of deliveries. A browser whose subscription has ended gets no more of them.
WITH results AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(results)s) AS r (user_id uuid, id uuid, subscription_id uuid, outcome text, wait int)
), settled AS (
    UPDATE notification_deliveries AS d
       SET status = CASE r.outcome WHEN 'later' THEN 'queued' ELSE r.outcome END,
           finished_at = CASE WHEN r.outcome <> 'later' THEN instant() END,
           run_after = CASE r.outcome WHEN 'later' THEN instant() + make_interval(secs => r.wait) ELSE d.run_after END
      FROM results AS r
     WHERE d.user_id = r.user_id AND d.id = r.id AND d.status = 'queued'
), gone AS (
    DELETE FROM push_subscriptions AS s
     USING results AS r
     WHERE s.user_id = r.user_id AND s.id = r.subscription_id AND r.outcome = 'gone'
)
UPDATE push_subscriptions AS s
   SET failing = r.failing,
       last_delivered_at = CASE WHEN r.failing THEN s.last_delivered_at ELSE instant() END
  FROM (SELECT b.user_id, b.subscription_id, bool_and(b.outcome <> 'delivered') AS failing
          FROM results AS b
         WHERE b.subscription_id IS NOT NULL AND b.outcome IN ('delivered', 'failed', 'later')
         GROUP BY b.user_id, b.subscription_id) AS r
 WHERE s.user_id = r.user_id AND s.id = r.subscription_id;
