-- migrate:up
-- How many rows the long lists of a user have. See ../code/totals.sql.
SET LOCAL ROLE questlog_owner;

-- How many rows of a list there are of each kind. Each row is of one kind, but for the last two lists:
--   references   open, archived
--   inbox        what is stored of an item: see inbox_kind()
--   focus        mode/status of sessions that have ended, by the month of UTC in which they started
--   purchases    the stored status
--   reading      all
--   listening    status of sessions that have ended
--   focus_tags   each tag of a focus session that has ended, by the same month
--   infobase     /category/ and /tag/ with the category and each tag of an entry that is not in the trash
-- fillfactor: nearly every write changes a total and no key, and then a row stays on its page.
CREATE TABLE user_totals (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    list text NOT NULL CHECK (list IN ('references', 'inbox', 'focus', 'focus_tags', 'purchases', 'reading', 'listening', 'infobase')),
    kind text NOT NULL,
    month date NOT NULL DEFAULT '-infinity',
    total bigint NOT NULL,
    PRIMARY KEY (user_id, list, kind, month)
) WITH (fillfactor = 50);
CALL enable_row_security('user_totals');
GRANT SELECT, INSERT, UPDATE ON user_totals TO questlog_app;

-- Administrators and jobs leave notes in a user's inbox, and take them away.
GRANT SELECT, INSERT, UPDATE ON user_totals TO questlog_admin, questlog_jobs;
