-- migrate:up
-- Whether what a user is shown may have changed since they looked. See ../code/revisions.sql.
SET LOCAL ROLE questlog_owner;

-- Every request that may write raises its user's revision. It begins anywhere, so that a database that was restored does not
-- come again to a revision that a client has seen.
CREATE TABLE user_revisions (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    revision bigint NOT NULL DEFAULT floor(random() * 1e17),
    -- The revision in which a goal or one of its milestones was written last, and a quest of the user's own.
    goals bigint NOT NULL DEFAULT 0,
    quests bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CALL enable_row_security('user_revisions');
GRANT SELECT, INSERT, UPDATE ON user_revisions TO questlog_app;

-- What all users are shown, and who writes for them: administrators and restores raise this one.
CREATE TABLE shared_revision (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    revision bigint NOT NULL DEFAULT floor(random() * 1e17),
    -- The revision in which a backup was restored last: then the rows of users are others, and who wrote them last is not known.
    restored bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO shared_revision DEFAULT VALUES;
GRANT SELECT ON shared_revision TO questlog_app, questlog_admin, questlog_jobs, questlog_console;

-- Administrators and jobs leave notes in a user's inbox.
GRANT SELECT, INSERT, UPDATE ON user_revisions TO questlog_admin, questlog_jobs;
