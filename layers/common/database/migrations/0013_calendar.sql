-- migrate:up
-- Calendar: events, and series of them by RFC 5545 rules. What falls on which day is expanded by questlog.recurrence, in
-- wall-clock time of the event's zone; here lie the rows, what was done, and who may read the feed.
--
--   a single event   parent_event_id and recurrence_rule null
--   a series         recurrence_rule set; start_time is its first occurrence, and always fits the rule
--   an override      parent_event_id set: stands for the occurrence of the series that was to begin at original_start
--
-- An occurrence is named by the instant it was to begin at first, whatever an override made of it: {series}_{stamp}.
-- An all-day event is dates. Its times, and those that name its occurrences, are the midnights of its own zone.
SET LOCAL ROLE questlog_owner;

CREATE TABLE calendar_events (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) <= 5000),
    event_type text NOT NULL DEFAULT 'general' CHECK (event_type IN (
        'general', 'meeting', 'appointment', 'workout', 'focus', 'habit', 'goal', 'task', 'reminder', 'other')),
    start_time timestamptz NOT NULL CHECK (isfinite(start_time)),
    end_time timestamptz CHECK (end_time >= start_time AND isfinite(end_time)),
    all_day boolean NOT NULL DEFAULT false,
    timezone text NOT NULL,
    -- The first and the exclusive last date of an all-day event: it stands on these wherever days are asked for.
    start_date date GENERATED ALWAYS AS (CASE WHEN all_day THEN (start_time AT TIME ZONE timezone)::date END) STORED,
    end_date date GENERATED ALWAYS AS (CASE WHEN all_day THEN (end_time AT TIME ZONE timezone)::date END) STORED,
    -- Of a duration that an imported file gave in days, the days (RFC 5545, 3.3.6): they are counted by the clock.
    nominal_days int CHECK (nominal_days BETWEEN 0 AND 40000),
    location text CHECK (length(location) <= 300),
    color text CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    reminder_minutes int CHECK (reminder_minutes BETWEEN 0 AND 40320),
    -- Its foreign key and its index come with the table of workouts.
    workout_id uuid,
    habit_id uuid,
    goal_id uuid,
    recurrence_rule text CHECK (length(recurrence_rule) BETWEEN 1 AND 500),
    recurrence_end timestamptz CHECK (isfinite(recurrence_end)),
    -- The last start that the rule gives, so that no reader counts up to it; null where there is none.
    last_start timestamptz CHECK (isfinite(last_start)),
    -- The end of the last occurrence; null where there is none.
    series_until timestamptz CHECK (isfinite(series_until)),
    exdates timestamptz[] NOT NULL DEFAULT '{}',
    rdates timestamptz[] NOT NULL DEFAULT '{}',
    -- The day of the year, by UTC, on which a series of at most three days comes back: such as birthdays, whose rule names no
    -- day or the one that it began on. Null of a series that may have other days.
    yearly_on int GENERATED ALWAYS AS (CASE
        WHEN recurrence_rule ~ '^FREQ=YEARLY(;(INTERVAL|COUNT|UNTIL|WKST)=[^;]+|;BYMONTH=\d+;BYMONTHDAY=\d+)*$'
             AND rdates = '{}' AND (end_time - start_time > interval '3 days') IS NOT TRUE
        THEN extract(doy FROM start_time AT TIME ZONE 'UTC')::int END) STORED,
    parent_event_id uuid,
    original_start timestamptz CHECK (isfinite(original_start)),
    -- Of what an import brought: its UID, when that version of it was written, and which of the exdates it left out. An
    -- override has a UID only as long as the user has not changed it.
    ical_uid text CHECK (length(ical_uid) BETWEEN 1 AND 1000),
    ical_stamp timestamptz CHECK (isfinite(ical_stamp)),
    ical_exdates timestamptz[] NOT NULL DEFAULT '{}',
    -- Of an instance that was imported without its series: the date or the UTC time that it stands for.
    lone_recurrence_id text CHECK (lone_recurrence_id ~ '^[0-9]{8}(T[0-9]{6}Z)?$'),
    -- RFC 5545, 3.8.7.4: counts the revisions, so that an older copy is known when it is imported.
    sequence int NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    metadata jsonb CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits,
    FOREIGN KEY (user_id, goal_id) REFERENCES goals,
    -- Deferrable, so that an import may insert an override before its series.
    FOREIGN KEY (user_id, parent_event_id) REFERENCES calendar_events ON DELETE CASCADE DEFERRABLE,
    CHECK ((parent_event_id IS NULL) = (original_start IS NULL)),
    CHECK (parent_event_id IS NULL OR recurrence_rule IS NULL),
    CHECK (recurrence_rule IS NOT NULL
           OR (recurrence_end IS NULL AND last_start IS NULL AND series_until IS NULL AND exdates = '{}' AND rdates = '{}')),
    CHECK (NOT all_day OR end_time IS NOT NULL),
    CHECK (lone_recurrence_id IS NULL OR (parent_event_id IS NULL AND recurrence_rule IS NULL AND ical_uid IS NOT NULL))
);
CREATE UNIQUE INDEX calendar_events_uid ON calendar_events (user_id, ical_uid, lone_recurrence_id) NULLS NOT DISTINCT
 WHERE parent_event_id IS NULL AND ical_uid IS NOT NULL;
-- Each of the indexes below covers some rows only, so that the primary key is the only index for a look-up by id. Plans are
-- kept, and one made while the table was small could otherwise use an index that reads the whole account.
CREATE UNIQUE INDEX calendar_events_override ON calendar_events (user_id, parent_event_id, original_start)
 WHERE parent_event_id IS NOT NULL;
CREATE INDEX calendar_events_original ON calendar_events (user_id, original_start) WHERE parent_event_id IS NOT NULL;
-- A list reads the events that start in it, or up to 31 days before it, by the first index; longer ones by the second.
CREATE INDEX calendar_events_start ON calendar_events (user_id, start_time) WHERE recurrence_rule IS NULL;
CREATE INDEX calendar_events_long ON calendar_events (user_id, start_time)
 WHERE recurrence_rule IS NULL AND end_time - start_time > interval '31 days';
CREATE INDEX calendar_events_series ON calendar_events (user_id, series_until)
 WHERE recurrence_rule IS NOT NULL AND yearly_on IS NULL;
CREATE INDEX calendar_events_yearly ON calendar_events (user_id, yearly_on) WHERE yearly_on IS NOT NULL;
CREATE INDEX calendar_events_habit ON calendar_events (user_id, habit_id) WHERE habit_id IS NOT NULL;
CREATE INDEX calendar_events_goal ON calendar_events (user_id, goal_id) WHERE goal_id IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON calendar_events FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('calendar_events');
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_events TO questlog_app;

CREATE TABLE calendar_completions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    event_id uuid NOT NULL,
    -- Of a single event: -infinity, so that the key holds for it too.
    occurrence timestamptz NOT NULL DEFAULT '-infinity',
    completed_at timestamptz,
    undo_count int NOT NULL DEFAULT 0 CHECK (undo_count >= 0),
    xp_awarded bigint NOT NULL DEFAULT 0 CHECK (xp_awarded >= 0),
    coins_awarded bigint NOT NULL DEFAULT 0 CHECK (coins_awarded >= 0),
    -- What it was paid under: when a series is split the completion moves to another event, the payment does not. It stays
    -- where a change of the series takes the occurrence away, so that none is paid twice.
    ledger_key text CHECK (length(ledger_key) BETWEEN 1 AND 200),
    PRIMARY KEY (user_id, event_id, occurrence),
    FOREIGN KEY (user_id, event_id) REFERENCES calendar_events ON DELETE CASCADE,
    CHECK (completed_at IS NULL OR ledger_key IS NOT NULL)
);
CREATE INDEX calendar_completions_occurrence ON calendar_completions (user_id, occurrence) WHERE completed_at IS NOT NULL;
CALL enable_row_security('calendar_completions');
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_completions TO questlog_app;

CREATE TABLE calendar_feeds (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT clock(),
    last_used_at timestamptz
);
CALL enable_row_security('calendar_feeds');
CREATE POLICY identity ON calendar_feeds TO questlog_identity USING (true);

-- Every column but the hash: only open_calendar_feed() ever compares it. The jobs copy it into backups.
REVOKE SELECT ON calendar_feeds FROM questlog_admin, questlog_console;
GRANT SELECT (user_id, created_at, last_used_at) ON calendar_feeds TO questlog_app, questlog_admin, questlog_console;
GRANT INSERT, UPDATE, DELETE ON calendar_feeds TO questlog_app;
GRANT SELECT, UPDATE ON calendar_feeds TO questlog_identity;

