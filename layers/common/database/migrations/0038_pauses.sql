-- migrate:up
-- Pauses: spans of days on which a habit, or everything, rests.
SET LOCAL ROLE questlog_owner;

CREATE TABLE habit_pauses (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- null: everything
    habit_id uuid,
    starts_on date NOT NULL,
    -- The last day. Of an open pause it is the last one that the limits allow, so every pause ends.
    ends_on date NOT NULL,
    is_open boolean NOT NULL DEFAULT false,
    -- When its days were told, the first ones last. What was done on them before that counts for streaks.
    told_at timestamptz NOT NULL DEFAULT instant(),
    created_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, habit_id) REFERENCES habits ON DELETE CASCADE,
    CHECK (ends_on - starts_on BETWEEN 0 AND 365),
    -- Everything is a scope of its own: a habit may have a pause within a pause of everything.
    CONSTRAINT habit_pauses_overlap EXCLUDE USING gist (
        user_id WITH =,
        coalesce(habit_id, '00000000-0000-0000-0000-000000000000') WITH =,
        daterange(starts_on, ends_on, '[]') WITH &&)
);
CREATE INDEX habit_pauses_of_habit ON habit_pauses (user_id, habit_id, ends_on);
-- The last day of the latest one: lists of habits look for pauses only where one may matter.
CREATE INDEX habit_pauses_latest ON habit_pauses (user_id, ends_on);
-- The board of streaks asks who has paused of late, whoever it is.
CREATE INDEX habit_pauses_of_everything ON habit_pauses (ends_on) WHERE habit_id IS NULL;
CALL enable_row_security('habit_pauses');
CREATE POLICY board ON habit_pauses FOR SELECT TO questlog_board USING (habit_id IS NULL);
-- Requests write pauses only by the functions that check the limits.
GRANT SELECT ON habit_pauses TO questlog_app;
GRANT SELECT (user_id, habit_id, starts_on, ends_on) ON habit_pauses TO questlog_board;
