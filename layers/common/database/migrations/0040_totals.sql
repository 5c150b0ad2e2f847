-- migrate:up
-- How many rows the long lists of a user have. See ../code/totals.sql.
SET LOCAL ROLE questlog_owner;

-- The lists that have totals. It is a domain and no CHECK of the table, because Postgres reads the text of a CHECK anew for every change
-- of a total, and looks at lists that have not changed. Compared byte by byte: a comparison of words takes many times as long.
-- squawk-ignore ban-create-domain-with-constraint
CREATE DOMAIN total_list AS text COLLATE "C" CHECK (value IN (
    'references', 'inbox', 'infobase', 'purchases', 'spending', 'spending_months', 'books', 'reading', 'reading_minutes', 'focus',
    'focus_tags', 'listening', 'listening_days', 'listened_tracks', 'annotations', 'tracks'));

-- How many rows of a list there are of each kind:
--   references        open, archived
--   inbox             what is stored of an item: see inbox_kind()
--   infobase          /category/ and /tag/ with the category and each tag of the entries that are not in the trash
--   purchases         the stored status, and the same with the item: see purchase_kinds()
--   spending          the category, by the day of UTC; `amount` is the coins
--   spending_months   the same by the first day of the month of UTC
--   books             the status, whether it was read, and the rating: see book_kind()
--   reading           the unit, by the first day of the month of the log; `amount` is what was read
--   reading_minutes   all that took minutes; `amount` is how many
--   focus             mode/status of sessions that have ended; `day` is the first one of the month of UTC in which they started
--   focus_tags        mode/status/tag for each tag of such sessions, by the same month
--   listening         the status of sessions that have ended
--   listening_days    all that were completed, by the user's day; `amount` is the milliseconds
--   listened_tracks   all tracks with such sessions, by the last day with one
--   annotations       all, by the day of UTC
--   tracks            all; `amount` is the bytes
-- fillfactor: nearly every write changes a total and no key, and then a row stays on its page.
CREATE TABLE user_totals (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    list total_list NOT NULL,
    day date NOT NULL DEFAULT '-infinity',
    kind text COLLATE "C" NOT NULL,
    total bigint NOT NULL,
    -- What the rows of a kind add up to, where that is kept too.
    amount bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, list, day, kind)
) WITH (fillfactor = 50);
CALL enable_row_security('user_totals');
GRANT SELECT, INSERT, UPDATE ON user_totals TO questlog_app;

-- Days in a row on each of which something was done: what a streak is read from. See ../code/totals.sql.
--   reading     a log, on its local day
--   listening   a completed session
CREATE TABLE user_runs (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    list text COLLATE "C" NOT NULL CHECK (list IN ('reading', 'listening')),
    first_day date NOT NULL,
    last_day date NOT NULL CHECK (last_day >= first_day),
    PRIMARY KEY (user_id, list, first_day)
);
CALL enable_row_security('user_runs');
GRANT SELECT, INSERT, UPDATE, DELETE ON user_runs TO questlog_app;

-- Administrators and jobs leave notes in a user's inbox, and take them away.
GRANT SELECT, INSERT, UPDATE ON user_totals TO questlog_admin, questlog_jobs;
