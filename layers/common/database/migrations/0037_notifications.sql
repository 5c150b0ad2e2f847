-- migrate:up
-- Notifications: when each thing is to be reminded of, the messages that were made of it, where each message goes, and the
-- browsers that take messages.
SET LOCAL ROLE questlog_owner;

-- When to look next at a thing that a user may be reminded of. The look asks whether it is still due, and moves the row on.
-- What is not about one thing (the day, the streak, the reviews) has the zero UUID.
CREATE TABLE reminders (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    source text NOT NULL CHECK (source IN (
        'habit', 'event', 'daily', 'streak', 'reviews', 'quest', 'export', 'feedback', 'test')),
    source_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    due_at timestamptz NOT NULL CHECK (isfinite(due_at)),
    PRIMARY KEY (user_id, source, source_id)
) WITH (fillfactor = 80);
-- The sender takes what is due, whose ever it is.
CREATE INDEX reminders_due ON reminders (due_at);
CALL enable_row_security('reminders');
GRANT SELECT ON reminders TO questlog_app;
GRANT INSERT, UPDATE, DELETE ON reminders TO questlog_jobs;
-- Administrators answer feedback, and its author is told.
GRANT INSERT ON reminders TO questlog_admin;

-- A browser that takes messages: its PushSubscription (W3C Push API). The endpoint and the keys are secrets: who has them can
-- send to the browser. Requests write them by subscribe() and cannot read them.
CREATE TABLE push_subscriptions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    endpoint text NOT NULL CHECK (length(endpoint) BETWEEN 1 AND 2000 AND endpoint ~ '^[!-~]+$'),
    -- base64url without padding: a point of P-256, and 16 random bytes (RFC 8291, 3.1).
    p256dh text NOT NULL CHECK (p256dh ~ '^[A-Za-z0-9_-]{87}$'),
    auth text NOT NULL CHECK (auth ~ '^[A-Za-z0-9_-]{22}$'),
    expires_at timestamptz,
    user_agent text CHECK (length(user_agent) BETWEEN 1 AND 400),
    created_at timestamptz NOT NULL DEFAULT clock(),
    last_delivered_at timestamptz,
    -- Whether the last message could not be delivered.
    failing boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, endpoint)
);
-- A browser is one user's at a time: the directory says whose, by the hash of the endpoint.
CALL enable_row_security('push_subscriptions');
CREATE POLICY identity ON push_subscriptions TO questlog_identity USING (true);
REVOKE SELECT ON push_subscriptions FROM questlog_admin, questlog_console;
GRANT SELECT (user_id, id, expires_at, user_agent, created_at, last_delivered_at, failing) ON push_subscriptions
    TO questlog_app, questlog_admin, questlog_console;
GRANT DELETE ON push_subscriptions TO questlog_app;
GRANT UPDATE (last_delivered_at, failing), DELETE ON push_subscriptions TO questlog_jobs;
GRANT SELECT, INSERT, UPDATE, DELETE ON push_subscriptions TO questlog_identity;

-- A message to a user. Its dedupe key says of what and of which day or occurrence it is, so that none is made twice.
CREATE TABLE notification_outbox (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- The place in the user's list of messages.
    seq bigint NOT NULL CHECK (seq > 0),
    kind text NOT NULL CHECK (kind IN (
        'habit', 'event', 'daily', 'streak', 'reviews', 'quest', 'export', 'feedback', 'test')),
    dedupe_key text NOT NULL CHECK (length(dedupe_key) BETWEEN 1 AND 200),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 1000),
    path text NOT NULL CHECK (path ~ '^/[a-z]+(/[A-Za-z0-9_-]+)*$'),
    created_at timestamptz NOT NULL DEFAULT clock(),
    -- From then on the message has no use, and is not sent any more.
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, dedupe_key),
    UNIQUE (user_id, seq)
);
-- The day's messages of a user are counted.
CREATE INDEX notification_outbox_recent ON notification_outbox (user_id, created_at);
-- The clean-up takes old ones, whose ever they are. By date: an index on the time itself would tempt a plan that was made while
-- the table was small to count a user's messages among those of all.
CREATE INDEX notification_outbox_age ON notification_outbox (((created_at AT TIME ZONE 'UTC')::date));
CALL enable_row_security('notification_outbox');
GRANT SELECT ON notification_outbox TO questlog_app;
GRANT INSERT, UPDATE, DELETE ON notification_outbox TO questlog_jobs;

-- Where a message goes: to one of the user's browsers, or by mail. A browser may be gone while its delivery stays.
CREATE TABLE notification_deliveries (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    message_id uuid NOT NULL,
    channel text NOT NULL CHECK (channel IN ('push', 'email')),
    subscription_id uuid,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'delivered', 'failed', 'gone', 'expired')),
    -- Raised before each attempt, and `run_after` moved on with it: what is lost under way is tried again.
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    run_after timestamptz NOT NULL DEFAULT clock(),
    finished_at timestamptz,
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, message_id) REFERENCES notification_outbox ON DELETE CASCADE,
    CHECK ((channel = 'push') = (subscription_id IS NOT NULL)),
    CHECK ((status = 'queued') = (finished_at IS NULL))
);
CREATE INDEX notification_deliveries_message ON notification_deliveries (user_id, message_id);
CREATE INDEX notification_deliveries_due ON notification_deliveries (run_after) WHERE status = 'queued';
CALL enable_row_security('notification_deliveries');
GRANT SELECT ON notification_deliveries TO questlog_app;
GRANT INSERT, UPDATE, DELETE ON notification_deliveries TO questlog_jobs;
