SET LOCAL ROLE questlog_owner;

-- Everything here runs under the user's lock: the page, the status and the reads of a book change one request at a time.

-- The number of the read that is under way, or of the last one where the book is completed.
CREATE OR REPLACE FUNCTION internal.read_number(b books) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE b.status WHEN 'completed' THEN b.times_read ELSE b.times_read + 1 END;

-- The most a book's page can be.
CREATE OR REPLACE FUNCTION internal.last_page(b books) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(b.total_pages, 50000);

-- A percentage of a book, null when its length is unknown.
CREATE OR REPLACE FUNCTION app.book_progress(b books) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 100 * b.current_page / b.total_pages;

-- Writes what its user has made of a book, which was another one before; no later import takes it back.
CREATE OR REPLACE FUNCTION internal.save_book(was books, b books) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT move_row('books', book_kind(was), book_kind(b));
    UPDATE books
       SET (title, author, isbn, cover_url, genre, unit, total_pages, current_page, status, started_at, finished_at, rating,
            notes, tags, times_read, import_digest)
         = (b.title, b.author, b.isbn, b.cover_url, b.genre, b.unit, b.total_pages, b.current_page, b.status, b.started_at,
            b.finished_at, b.rating, b.notes, b.tags, b.times_read, NULL)
     WHERE id = b.id;
END;

-- The book once it is completed: at its last page, with one more read. The first completion of a book with a reading
-- session counts for achievements.
CREATE OR REPLACE FUNCTION internal.completed_book(b books, finished timestamptz) RETURNS books
LANGUAGE plpgsql AS $$
BEGIN
    IF finished < b.started_at THEN
        PERFORM refuse_field('finished_at', 'must not be before started_at');
    END IF;
    b.status := 'completed';
    b.finished_at := finished;
    b.current_page := coalesce(b.total_pages, b.current_page);
    b.times_read := b.times_read + 1;
    INSERT INTO book_reads (book_id, read_number, started_at, finished_at)
    VALUES (b.id, b.times_read, b.started_at, b.finished_at);
    RETURN b;
END
$$;

-- The book once its last completion is undone: its status is reading again.
CREATE OR REPLACE FUNCTION internal.reopened_book(b books) RETURNS books
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM book_reads AS r WHERE r.book_id = b.id AND r.read_number = b.times_read;
    b.status := 'reading';
    b.finished_at := NULL;
    b.times_read := b.times_read - 1;
    RETURN b;
END
$$;

-- Counts the first completion of a book that has a reading session, and returns what that brought; null for later ones.
CREATE OR REPLACE FUNCTION internal.count_book(b books) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    key text := 'book_complete:' || b.id;
BEGIN
    IF b.status = 'completed' AND EXISTS (SELECT FROM reading_sessions AS s WHERE s.book_id = b.id)
        AND (paid_under(key)).ledger_id IS NULL
    THEN
        RETURN award('book_complete', 'book', b.id, 0, 0, key);
    END IF;
    RETURN NULL;
END
$$;

-- The book at another page: at the last one it is completed, and a completed one below it is being read again.
CREATE OR REPLACE FUNCTION internal.book_at_page(b books, page int) RETURNS books
LANGUAGE plpgsql AS $$
BEGIN
    b.current_page := greatest(0, least(page, last_page(b)));
    IF b.status = 'completed' AND b.current_page < b.total_pages THEN
        RETURN reopened_book(b);
    ELSIF b.status <> 'completed' AND b.current_page = b.total_pages THEN
        RETURN completed_book(b, greatest(b.started_at, coalesce(
            (SELECT max(s.logged_at) FROM reading_sessions AS s WHERE s.book_id = b.id AND s.read_number = read_number(b)),
            instant())));
    END IF;
    RETURN b;
END
$$;

-- Changes a book by the fields that were sent (training contract, 3, rules 1 to 3 and 10).
--   1. A new unit rescales the page; a percentage has 100 for its total.
--   2. The page has to fit the total; a lower total alone pulls it down.
--   3. The status that was sent decides, or else the page: at the last page the book is completed.
--   4. Dates have to fit the status, and those of a completed book are its last read's.
CREATE OR REPLACE FUNCTION app.change_book(b books, sent jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    n books := jsonb_populate_record(b, sent - 'status');
    wanted text := nullif(sent ->> 'status', b.status);
    page_sent boolean := sent ? 'current_page';
BEGIN
    IF n.unit <> b.unit AND NOT sent ? 'total_pages' THEN
        n.total_pages := NULL;
    END IF;
    IF n.unit = 'percent' THEN
        IF n.total_pages <> 100 THEN
            PERFORM refuse_field('total_pages', 'must be 100 for a book that counts in percent');
        END IF;
        n.total_pages := 100;
    END IF;
    IF n.unit <> b.unit AND NOT page_sent THEN
        n.current_page := coalesce((b.current_page::bigint * n.total_pages / b.total_pages)::int, 0);
    END IF;
    IF page_sent AND n.current_page > last_page(n) THEN
        PERFORM refuse_field('current_page', format('must be at most %s', last_page(n)));
    END IF;
    n.current_page := least(n.current_page, last_page(n));

    IF wanted IS NOT NULL THEN
        n := book_with_status(b, n, wanted, sent);
    ELSIF b.status = 'completed' AND NOT page_sent THEN
        n.current_page := coalesce(n.total_pages, n.current_page);
    ELSIF page_sent THEN
        IF n.status = 'want_to_read' AND n.current_page > 0 THEN
            n.status := 'reading';
            n.started_at := coalesce(n.started_at, instant());
        END IF;
        IF NOT (sent ? 'status') THEN
            n := book_at_page(n, n.current_page);
        END IF;
        IF n.status = 'completed' AND b.status <> 'completed' AND sent ? 'finished_at' THEN
            n.finished_at := (sent ->> 'finished_at')::timestamptz;
        END IF;
    END IF;
    IF n.status <> 'completed' AND sent ->> 'finished_at' IS NOT NULL THEN
        PERFORM refuse_field('finished_at', 'is only for a completed book');
    ELSIF n.status = 'want_to_read' AND sent ->> 'started_at' IS NOT NULL THEN
        PERFORM refuse_field('started_at', 'is only for a book that was begun');
    ELSIF n.finished_at < n.started_at THEN
        PERFORM refuse_field('finished_at', 'must not be before started_at');
    END IF;
    IF n.status = 'completed' THEN
        UPDATE book_reads AS r SET started_at = n.started_at, finished_at = n.finished_at
         WHERE r.book_id = n.id AND r.read_number = n.times_read;
    END IF;
    PERFORM save_book(b, n);
    PERFORM count_book(n);
END
$$;

-- The book in another status than before: `b` as it was, `n` with the fields that were sent.
CREATE OR REPLACE FUNCTION internal.book_with_status(b books, n books, wanted text, sent jsonb) RETURNS books
LANGUAGE plpgsql AS $$
BEGIN
    IF wanted = 'completed' THEN
        RETURN completed_book(n, CASE WHEN sent ? 'finished_at' THEN n.finished_at ELSE greatest(n.started_at, instant()) END);
    END IF;
    n.finished_at := (sent ->> 'finished_at')::timestamptz;
    IF wanted = 'reading' THEN
        IF b.status = 'completed' AND NOT sent ? 'current_page' THEN
            n.current_page := 0;
        END IF;
        n.started_at := coalesce((sent ->> 'started_at')::timestamptz,
                                 CASE WHEN b.status <> 'completed' THEN n.started_at END, instant());
    ELSIF wanted = 'want_to_read' THEN
        IF (sent -> 'current_page')::int > 0 THEN
            PERFORM refuse_field('current_page', 'must be 0 for a book that is wanted');
        END IF;
        n.current_page := 0;
        n.started_at := NULL;
    END IF;
    n.status := wanted;
    RETURN n;
END
$$;

-- A reading session in pages, for its reward: a minute counts as half a page, a percent as three.
CREATE OR REPLACE FUNCTION internal.pages_worth(amount int, unit text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE unit WHEN 'minute' THEN amount / 2 WHEN 'percent' THEN amount * 3 ELSE amount END;

-- Pays a log: XP for every fifth page and coins for every tenth, from reading at most 200 XP and 100 coins a local day.
CREATE OR REPLACE FUNCTION internal.pay_reading(s reading_sessions) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    pages int := pages_worth(s.pages_read, s.unit);
    paid record := paid_today('reading_session');
    minutes int := log_minutes(s.unit, s.pages_read, s.duration_minutes);
    counted jsonb := '{}';
BEGIN
    IF s.unit = 'page' THEN
        counted := counted || jsonb_build_object('pages_read', s.pages_read);
    END IF;
    IF minutes > 0 THEN
        counted := counted || jsonb_build_object('reading_minutes', minutes);
    END IF;
    RETURN award('reading_session', 'reading_session', s.id,
                 greatest(0, least(greatest(1, pages / 5), 200 - paid.xp)),
                 greatest(0, least(pages / 10, 100 - paid.coins)),
                 'reading_session:' || s.id, counters => counted);
END
$$;

-- Adds a log to the totals (1), or takes it away (-1); its row has been written, or is gone.
CREATE OR REPLACE FUNCTION internal.count_log(s reading_sessions, change int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    minutes int := log_minutes(s.unit, s.pages_read, s.duration_minutes);
BEGIN
    PERFORM move_total('reading', s.unit, change, month_of_day(s.local_date), amount_change => change * s.pages_read);
    IF minutes > 0 THEN
        PERFORM move_total('reading_minutes', 'all', change, amount_change => change * minutes);
    END IF;
    IF change > 0 THEN
        PERFORM add_day('reading', s.local_date);
    ELSIF NOT EXISTS (SELECT FROM reading_sessions AS r WHERE r.local_date = s.local_date) THEN
        PERFORM remove_day('reading', s.local_date);
    END IF;
END
$$;

-- Takes a book that is about to be deleted out of the totals, and its logs.
CREATE OR REPLACE FUNCTION app.uncount_book(book uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    SELECT move_total('books', book_kind(b), -1) FROM books AS b WHERE b.id = book;
    SELECT move_total('reading', g.unit, -g.logs, g.month, amount_change => -g.read)
      FROM (SELECT s.unit, month_of_day(s.local_date) AS month, count(*) AS logs, sum(s.pages_read) AS read
              FROM reading_sessions AS s WHERE s.book_id = book GROUP BY s.unit, month_of_day(s.local_date)) AS g;
    SELECT move_total('reading_minutes', 'all', -count(*), amount_change => -sum(m.minutes))
      FROM (SELECT log_minutes(s.unit, s.pages_read, s.duration_minutes) AS minutes
              FROM reading_sessions AS s WHERE s.book_id = book) AS m
     WHERE m.minutes > 0
    HAVING count(*) > 0;
    SELECT remove_day('reading', d.local_date)
      FROM (SELECT DISTINCT s.local_date FROM reading_sessions AS s WHERE s.book_id = book) AS d
     WHERE NOT EXISTS (SELECT FROM reading_sessions AS o WHERE o.local_date = d.local_date AND o.book_id <> book);
END;

-- Logs what was read of a book, moves it and pays. The same log again within 10 seconds returns the first one.
--   `paid` holds the reward and, where the log completed the book for the first time, what that brought.
CREATE OR REPLACE FUNCTION app.log_reading(
    b books, pages int, minutes int, note text, sent_time timestamptz,
    OUT session_id uuid, OUT book_completed boolean, OUT paid award_result[]
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    moment timestamptz := instant();
    s reading_sessions;
    was CONSTANT books := b;
    was_completed boolean := b.status = 'completed';
BEGIN
    SELECT * INTO s FROM reading_sessions AS r
     WHERE r.book_id = b.id AND r.created_at > moment - interval '10 seconds'
       AND (r.pages_read, r.duration_minutes, r.notes, r.sent_at) IS NOT DISTINCT FROM (pages, minutes, note, sent_time);
    IF FOUND THEN
        session_id := s.id;
        book_completed := was_completed AND s.read_number = b.times_read AND s.end_page = b.total_pages
                          AND s.start_page < s.end_page;
        paid := ARRAY[
            paid_under('reading_session:' || s.id),
            CASE WHEN s.counted_book THEN paid_under('book_complete:' || b.id) END];
        RETURN;
    ELSIF sent_time > moment THEN
        PERFORM refuse_field('logged_at', 'must not be in the future');
    END IF;
    s.logged_at := coalesce(sent_time, moment);
    INSERT INTO reading_sessions (
        book_id, pages_read, duration_minutes, notes, logged_at, local_date, start_page, end_page, unit, read_number,
        status_before, sent_at, created_at)
    VALUES (
        b.id, pages, minutes, note, s.logged_at, local_day(s.logged_at), b.current_page,
        CASE WHEN was_completed THEN b.current_page ELSE least(b.current_page + pages, last_page(b)) END,
        b.unit, read_number(b), CASE WHEN b.status IN ('want_to_read', 'abandoned') THEN b.status END, sent_time, moment)
    RETURNING * INTO s;
    PERFORM count_log(s, 1);
    IF NOT was_completed THEN
        b.status := 'reading';
        b.started_at := least(b.started_at, s.logged_at);
        b := book_at_page(b, s.end_page);
    END IF;
    PERFORM save_book(was, b);
    paid := ARRAY[pay_reading(s), count_book(b)];
    UPDATE reading_sessions AS r
       SET xp_awarded = (paid[1]).xp, coins_awarded = (paid[1]).coins, counted_book = (paid[2]).ledger_id IS NOT NULL
     WHERE r.id = s.id;
    session_id := s.id;
    book_completed := b.status = 'completed' AND NOT was_completed;
END
$$;

-- Moves a book by what became of one of its logs; a log of an earlier read, or in another unit, moves nothing. Nor does any log
-- move a book that is only wanted: its page is 0 whatever was read of it.
CREATE OR REPLACE FUNCTION internal.move_book(s reading_sessions, pages int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    was books;
    b books;
BEGIN
    SELECT * INTO was FROM books AS k WHERE k.id = s.book_id;
    b := was;
    IF pages <> 0 AND s.unit = b.unit AND s.read_number = read_number(b) AND b.status <> 'want_to_read' THEN
        b := book_at_page(b, b.current_page + pages);
        PERFORM save_book(was, b);
        PERFORM count_book(b);
    END IF;
END
$$;

-- Changes a log by the fields that were sent; what it was paid stays.
CREATE OR REPLACE FUNCTION app.change_reading(s reading_sessions, sent jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    n reading_sessions := jsonb_populate_record(s, sent);
BEGIN
    IF n.logged_at > instant() THEN
        PERFORM refuse_field('logged_at', 'must not be in the future');
    END IF;
    IF n.pages_read <> s.pages_read AND s.end_page > s.start_page THEN
        SELECT least(s.start_page + n.pages_read, last_page(b)) INTO n.end_page FROM books AS b WHERE b.id = s.book_id;
        n.end_page := greatest(n.end_page, n.start_page);
    END IF;
    UPDATE reading_sessions AS r
       SET pages_read = n.pages_read, duration_minutes = n.duration_minutes, notes = n.notes, logged_at = n.logged_at,
           local_date = CASE WHEN n.logged_at = s.logged_at THEN s.local_date ELSE local_day(n.logged_at) END,
           end_page = n.end_page
     WHERE r.id = s.id
    RETURNING r.* INTO STRICT n;
    IF (n.pages_read, n.duration_minutes, n.local_date) IS DISTINCT FROM (s.pages_read, s.duration_minutes, s.local_date) THEN
        PERFORM count_log(n, 1), count_log(s, -1);
    END IF;
    PERFORM move_book(s, n.end_page - s.end_page);
END
$$;

-- Puts a book back on the shelf from which a log took it that is gone: where nothing was logged of it since, and it is at the page
-- where it was.
CREATE OR REPLACE FUNCTION internal.put_back_book(s reading_sessions) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    was books;
    b books;
BEGIN
    IF s.status_before IS NULL OR EXISTS (
        SELECT FROM reading_sessions AS r
         WHERE r.book_id = s.book_id AND r.read_number = s.read_number AND r.created_at > s.created_at)
    THEN
        RETURN;
    END IF;
    SELECT * INTO was FROM books AS k WHERE k.id = s.book_id;
    b := was;
    IF b.status = 'reading' AND (read_number(b), b.unit, b.current_page) = (s.read_number, s.unit, s.start_page) THEN
        b.status := s.status_before;
        IF b.status = 'want_to_read' THEN
            b.started_at := NULL;
        END IF;
        PERFORM save_book(was, b);
    END IF;
END
$$;

-- Deletes a log and moves the book back; what it was paid stays.
CREATE OR REPLACE FUNCTION app.delete_reading(s reading_sessions) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    DELETE FROM reading_sessions AS r WHERE r.id = s.id;
    PERFORM count_log(s, -1);
    PERFORM move_book(s, s.start_page - s.end_page);
    PERFORM put_back_book(s);
END
$$;

-- Changes the dates of a read and, where it is the last one of a completed book, the book's.
CREATE OR REPLACE FUNCTION app.change_read(b books, number int, sent jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    r book_reads;
BEGIN
    SELECT * INTO r FROM book_reads AS k WHERE k.book_id = b.id AND k.read_number = number;
    r := jsonb_populate_record(r, sent);
    IF r.finished_at < r.started_at THEN
        PERFORM refuse_field('finished_at', 'must not be before started_at');
    END IF;
    UPDATE book_reads AS k SET started_at = r.started_at, finished_at = r.finished_at
     WHERE k.book_id = b.id AND k.read_number = number;
    UPDATE books AS k SET import_digest = NULL WHERE k.id = b.id AND k.import_digest IS NOT NULL;
    UPDATE books AS k SET started_at = r.started_at, finished_at = r.finished_at
     WHERE k.id = b.id AND k.status = 'completed' AND k.times_read = number;
END
$$;

-- The instants between which a local year lies.
CREATE OR REPLACE FUNCTION app.year_bounds(year int) RETURNS tstzrange
LANGUAGE sql STABLE
RETURN tstzrange(lower(day_bounds(make_date(year, 1, 1))), upper(day_bounds(make_date(year, 12, 31))));

-- The goal of a year, and how many reads were finished in it.
CREATE OR REPLACE FUNCTION app.reading_goal(wanted int) RETURNS TABLE (year int, target int, completed bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH y AS MATERIALIZED (SELECT year_bounds(wanted) AS bounds)
    SELECT wanted, (SELECT g.target FROM reading_goals AS g WHERE g.year = wanted), count(*)
      FROM book_reads AS r
     WHERE r.finished_at >= (SELECT lower(y.bounds) FROM y) AND r.finished_at < (SELECT upper(y.bounds) FROM y);
END;

-- Imports -------------------------------------------------------------------------------------------------------------

-- A number that changes whenever a book is added, deleted or changed. The latest updated_at would not do: of two changes, the
-- one that began first may be committed last.
CREATE OR REPLACE FUNCTION app.shelf_version() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(hashtextextended(b.id::text || b.xmin::text, 0)), 0)::text FROM books AS b);

-- Writes what an import has planned, unless the shelf is no longer what it was when it was read. Returns whether it was
-- written. `rows` holds, as rows of books:
--   imported   new books               filled   what books of the user had nothing in; null keeps what there is
--   updated    books as the file has them now
-- and `reads`, the reads of all these. Nothing is paid and nothing is counted for them.
CREATE OR REPLACE FUNCTION app.import_books(seen text, rows jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF seen <> shelf_version() THEN
        RETURN false;
    END IF;
    INSERT INTO books (
        id, title, author, isbn, total_pages, current_page, status, started_at, finished_at, rating, notes, tags, times_read,
        import_key, import_digest, created_at)
    SELECT k.id, k.title, k.author, k.isbn, k.total_pages, CASE k.status WHEN 'completed' THEN coalesce(k.total_pages, 0) ELSE 0 END,
           k.status, k.started_at, k.finished_at, k.rating, k.notes, k.tags, k.times_read, k.import_key, k.import_digest,
           k.created_at
      FROM jsonb_populate_recordset(NULL::books, rows -> 'imported') AS k;
    UPDATE books AS b
       SET (title, author, isbn, total_pages, current_page, status, started_at, finished_at, rating, notes, tags, times_read,
            import_digest)
         = (k.title, k.author, k.isbn, k.total_pages,
            CASE k.status WHEN 'completed' THEN coalesce(k.total_pages, 0) ELSE 0 END, k.status, k.started_at, k.finished_at,
            k.rating, k.notes, k.tags, k.times_read, k.import_digest)
      FROM jsonb_populate_recordset(NULL::books, rows -> 'updated') AS k
     WHERE b.id = k.id;
    UPDATE books AS b
       SET (author, isbn, total_pages, current_page, status, started_at, finished_at, rating, notes, tags, times_read,
            import_key)
         = (coalesce(b.author, k.author), coalesce(b.isbn, k.isbn), coalesce(b.total_pages, k.total_pages),
            CASE coalesce(k.status, b.status)
                WHEN 'completed' THEN coalesce(b.total_pages, k.total_pages, b.current_page)
                ELSE b.current_page
            END,
            coalesce(k.status, b.status), coalesce(b.started_at, k.started_at), coalesce(b.finished_at, k.finished_at),
            coalesce(b.rating, k.rating), coalesce(b.notes, k.notes), coalesce(k.tags, b.tags),
            coalesce(k.times_read, b.times_read), coalesce(b.import_key, k.import_key))
      FROM jsonb_populate_recordset(NULL::books, rows -> 'filled') AS k
     WHERE b.id = k.id;
    DELETE FROM book_reads AS r
     USING jsonb_populate_recordset(NULL::books, rows -> 'updated') AS k
     WHERE r.book_id = k.id;
    INSERT INTO book_reads (book_id, read_number, started_at, finished_at)
    SELECT k.book_id, k.read_number, k.started_at, k.finished_at
      FROM jsonb_populate_recordset(NULL::book_reads, rows -> 'reads') AS k;
    PERFORM recount_list('books');
    RETURN true;
END
$$;
