-- Endpoints and keys of browsers are secrets: a request stores them by subscribe(), and cannot read them.

-- name: subscriptions
SELECT id, user_agent, created_at, last_delivered_at, failing FROM push_subscriptions ORDER BY created_at, id;

-- name: subscribe
SELECT subscribe(%(endpoint)s, %(p256dh)s, %(auth)s, %(expires_at)s, %(user_agent)s);
SELECT id, user_agent, created_at, last_delivered_at, failing FROM push_subscriptions ORDER BY created_at, id;

-- name: unsubscribe_browser
DELETE FROM push_subscriptions WHERE id = %(subscription_id)s RETURNING true AS success;

-- name: test
SELECT send_test(%(push_available)s, %(email_available)s) AS queued;

-- name: messages
SELECT read_in_index_order();
SELECT id, seq, kind, title, body, path, created_at
  FROM notification_outbox
 WHERE seq < %(before)s
 ORDER BY seq DESC
 LIMIT %(limit)s;
SELECT d.message_id, d.channel, d.subscription_id, d.status, d.attempts, d.finished_at
  FROM (SELECT o.id FROM notification_outbox AS o WHERE o.seq < %(before)s ORDER BY o.seq DESC LIMIT %(limit)s) AS p,
       LATERAL (SELECT w.* FROM notification_deliveries AS w WHERE w.message_id = p.id OFFSET 0) AS d
 ORDER BY d.message_id, d.channel, d.id;

-- name: unsubscribe
SELECT true AS success FROM unsubscribe_from_mail(%(user_id)s) AS known WHERE known;
