-- migrate:up
-- Books: a shelf, the progress in each book, and the log of what was read. A book's page and status follow from what is
-- logged and what its user says; each time it is finished is kept as a read.
SET LOCAL ROLE questlog_owner;

CREATE TABLE books (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    author text CHECK (length(author) BETWEEN 1 AND 300),
    isbn text CHECK (length(isbn) BETWEEN 1 AND 20),
    cover_url text CHECK (cover_url ~ '^https?://' AND length(cover_url) <= 2000),
    genre text CHECK (length(genre) BETWEEN 1 AND 60),
    -- What the total, the page and new logs count in.
    unit text NOT NULL DEFAULT 'page' CHECK (unit IN ('page', 'minute', 'percent')),
    total_pages int CHECK (total_pages BETWEEN 1 AND 50000),
    current_page int NOT NULL DEFAULT 0 CHECK (current_page BETWEEN 0 AND 50000),
    status text NOT NULL DEFAULT 'want_to_read' CHECK (status IN ('want_to_read', 'reading', 'completed', 'abandoned')),
    started_at timestamptz,
    finished_at timestamptz,
    rating numeric(2, 1) CHECK (rating BETWEEN 0.5 AND 5 AND rating * 2 = trunc(rating * 2)),
    notes text CHECK (length(notes) BETWEEN 1 AND 10000),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    -- How many rows of book_reads there are, counted as they come and go.
    times_read int NOT NULL DEFAULT 0 CHECK (times_read >= 0),
    import_key text CHECK (length(import_key) BETWEEN 1 AND 320),
    -- What the file said; null once the user has changed something, and where the user had the book before.
    import_digest bytea CHECK (length(import_digest) = 16),
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, import_key),
    CHECK (current_page <= total_pages),
    CHECK (unit <> 'percent' OR total_pages = 100),
    CHECK (finished_at IS NULL OR status = 'completed'),
    CHECK (finished_at >= started_at),
    CHECK (status <> 'want_to_read' OR (current_page = 0 AND started_at IS NULL)),
    CHECK (status <> 'completed' OR times_read >= 1),
    CHECK (import_digest IS NULL OR import_key IS NOT NULL)
);
CREATE INDEX books_recent ON books (user_id, created_at DESC);
CREATE TRIGGER touch BEFORE UPDATE ON books FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('books');
GRANT SELECT, INSERT, UPDATE, DELETE ON books TO questlog_app;

-- Each time a book was finished; both dates may be unknown.
CREATE TABLE book_reads (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    book_id uuid NOT NULL,
    read_number int NOT NULL CHECK (read_number >= 1),
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, book_id, read_number),
    FOREIGN KEY (user_id, book_id) REFERENCES books ON DELETE CASCADE,
    CHECK (finished_at >= started_at)
);
CREATE INDEX book_reads_finished ON book_reads (user_id, finished_at);
CALL enable_row_security('book_reads');
GRANT SELECT, INSERT, UPDATE, DELETE ON book_reads TO questlog_app;

CREATE TABLE reading_sessions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    book_id uuid NOT NULL,
    pages_read int NOT NULL CHECK (pages_read BETWEEN 1 AND 5000),
    duration_minutes int CHECK (duration_minutes BETWEEN 0 AND 1440),
    notes text CHECK (length(notes) BETWEEN 1 AND 10000),
    logged_at timestamptz NOT NULL,
    -- The local day of logged_at, in the zone the user was in.
    local_date date NOT NULL,
    start_page int NOT NULL CHECK (start_page BETWEEN 0 AND 50000),
    end_page int NOT NULL CHECK (end_page BETWEEN start_page AND 50000),
    unit text NOT NULL CHECK (unit IN ('page', 'minute', 'percent')),
    read_number int NOT NULL CHECK (read_number >= 1),
    -- The status from which this log took the book; null where the book was being read, or was completed.
    status_before text CHECK (status_before IN ('want_to_read', 'abandoned')),
    xp_awarded bigint NOT NULL DEFAULT 0 CHECK (xp_awarded >= 0),
    coins_awarded bigint NOT NULL DEFAULT 0 CHECK (coins_awarded >= 0),
    -- Whether this log brought the first completion of its book.
    counted_book boolean NOT NULL DEFAULT false,
    -- What was sent as logged_at: null where the server's time was taken. A double click sends the same.
    sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, book_id) REFERENCES books ON DELETE CASCADE
);
CREATE INDEX reading_sessions_recent ON reading_sessions (user_id, logged_at DESC, id);
CREATE INDEX reading_sessions_book ON reading_sessions (user_id, book_id, logged_at DESC, id);
-- The pages of the last days are read in the index, and whether a day has a log.
CREATE INDEX reading_sessions_day ON reading_sessions (user_id, local_date) INCLUDE (unit, pages_read);
CALL enable_row_security('reading_sessions');
GRANT SELECT, INSERT, UPDATE, DELETE ON reading_sessions TO questlog_app;

CREATE TABLE reading_goals (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    year int NOT NULL CHECK (year BETWEEN 1970 AND 9999),
    target int NOT NULL CHECK (target BETWEEN 1 AND 1000),
    PRIMARY KEY (user_id, year)
);
CALL enable_row_security('reading_goals');
GRANT SELECT, INSERT, UPDATE, DELETE ON reading_goals TO questlog_app;
