-- Whatever changes a book begins with lock_user(): its page, status and reads change one request at a time.

-- name: books
SELECT b.*, book_progress(b) AS progress_percent
  FROM books AS b
 WHERE (%(status)s::text IS NULL OR b.status = %(status)s)
   AND (%(tag)s::text IS NULL OR EXISTS (SELECT FROM unnest(b.tags) AS t WHERE lower(t) = lower(%(tag)s)))
   AND (%(search)s::text IS NULL
        OR strpos(lower(concat_ws(E'\n', b.title, b.author)), lower(%(search)s)) > 0)
 ORDER BY CASE WHEN %(sort)s = 'title' THEN lower(b.title) WHEN %(sort)s = 'author' THEN lower(b.author) END,
          CASE WHEN %(sort)s = 'rating' THEN b.rating END DESC NULLS LAST,
          CASE WHEN %(sort)s = 'finished' THEN b.finished_at END DESC NULLS LAST,
          b.created_at DESC, b.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total
  FROM books AS b
 WHERE (%(status)s::text IS NULL OR b.status = %(status)s)
   AND (%(tag)s::text IS NULL OR EXISTS (SELECT FROM unnest(b.tags) AS t WHERE lower(t) = lower(%(tag)s)))
   AND (%(search)s::text IS NULL
        OR strpos(lower(concat_ws(E'\n', b.title, b.author)), lower(%(search)s)) > 0);

-- name: add
SELECT lock_user();
SELECT refuse(409, 'limit_reached', 'There are 5000 books already.', '{"limit": 5000}')
 WHERE (SELECT sum(t.total) FROM totals_of('books') AS t) >= 5000;
WITH added AS (INSERT INTO books (id, title) VALUES (%(id)s, %(title)s) RETURNING *)
SELECT move_total('books', book_kind(a), 1) FROM added AS a;
SELECT change_book(b, %(sent)s) FROM books AS b WHERE b.id = %(id)s;
SELECT b.*, book_progress(b) AS progress_percent FROM books AS b WHERE b.id = %(id)s;

-- name: book
SELECT b.*, book_progress(b) AS progress_percent FROM books AS b WHERE b.id = %(book_id)s;

-- name: change
SELECT lock_user();
SELECT change_book(b, %(sent)s) FROM books AS b WHERE b.id = %(book_id)s;
SELECT b.*, book_progress(b) AS progress_percent FROM books AS b WHERE b.id = %(book_id)s;

-- name: delete
SELECT lock_user();
INSERT INTO deleted_imports (kind, import_key)
SELECT 'book', import_key FROM books WHERE id = %(book_id)s AND import_key IS NOT NULL
ON CONFLICT DO NOTHING;
SELECT uncount_book(b.id) FROM books AS b WHERE b.id = %(book_id)s;
DELETE FROM books WHERE id = %(book_id)s RETURNING true AS deleted;

-- name: reads
SELECT id FROM books WHERE id = %(book_id)s;
SELECT read_number, started_at, finished_at FROM book_reads WHERE book_id = %(book_id)s ORDER BY read_number DESC;

-- name: change_read
SELECT lock_user();
SELECT change_read(b, %(read_number)s, %(sent)s)
  FROM books AS b JOIN book_reads AS r ON r.user_id = b.user_id AND r.book_id = b.id
 WHERE b.id = %(book_id)s AND r.read_number = %(read_number)s;
SELECT read_number, started_at, finished_at FROM book_reads WHERE book_id = %(book_id)s AND read_number = %(read_number)s;
SELECT b.*, book_progress(b) AS progress_percent FROM books AS b WHERE b.id = %(book_id)s;

-- name: goal
SELECT g.*
  FROM (SELECT coalesce(%(year)s::int, extract(year FROM local_today())::int) AS year OFFSET 0) AS y, reading_goal(y.year) AS g;

-- name: set_goal
DELETE FROM reading_goals
 WHERE year = coalesce(%(year)s::int, extract(year FROM local_today())::int) AND %(target)s::int IS NULL;
INSERT INTO reading_goals (year, target)
SELECT coalesce(%(year)s::int, extract(year FROM local_today())::int), %(target)s::int WHERE %(target)s::int IS NOT NULL
ON CONFLICT (user_id, year) DO UPDATE SET target = excluded.target;
SELECT g.* FROM reading_goal(coalesce(%(year)s::int, extract(year FROM local_today())::int)) AS g;

-- name: sessions
SELECT read_in_index_order();
SELECT s.*, (SELECT b.title FROM books AS b WHERE b.user_id = s.user_id AND b.id = s.book_id) AS book_title
  FROM reading_sessions AS s
 ORDER BY s.logged_at DESC, s.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT coalesce(sum(t.total), 0)::bigint AS total FROM totals_of('reading') AS t;

-- name: book_sessions
-- BETWEEN, so that the book is part of the order that is asked for: the index of a book's sessions has it, and no other index has.
SELECT read_in_index_order();
SELECT id FROM books WHERE id = %(book_id)s;
SELECT s.*
  FROM reading_sessions AS s
 WHERE s.book_id BETWEEN %(book_id)s AND %(book_id)s
 ORDER BY s.book_id, s.logged_at DESC, s.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total FROM reading_sessions WHERE book_id = %(book_id)s;

-- name: log
SELECT lock_user();
SELECT l.session_id, l.book_completed, r.*
  FROM books AS b,
       log_reading(b, %(pages_read)s::int, %(duration_minutes)s::int, %(notes)s::text, %(logged_at)s::timestamptz) AS l,
       reward(VARIADIC l.paid) AS r
 WHERE b.id = %(book_id)s;
-- The newest session with this content is the one that was written now, or that the first of two clicks wrote.
SELECT s.*
  FROM reading_sessions AS s
 WHERE s.book_id = %(book_id)s
   AND (s.pages_read, s.duration_minutes, s.notes, s.sent_at)
       IS NOT DISTINCT FROM (%(pages_read)s::int, %(duration_minutes)s::int, %(notes)s::text, %(logged_at)s::timestamptz)
 ORDER BY s.created_at DESC
 LIMIT 1;
SELECT b.*, book_progress(b) AS progress_percent FROM books AS b WHERE b.id = %(book_id)s;

-- name: change_session
SELECT lock_user();
SELECT change_reading(s, %(sent)s) FROM reading_sessions AS s WHERE s.id = %(session_id)s AND s.book_id = %(book_id)s;
SELECT s.* FROM reading_sessions AS s WHERE s.id = %(session_id)s AND s.book_id = %(book_id)s;
SELECT b.*, book_progress(b) AS progress_percent FROM books AS b WHERE b.id = %(book_id)s;

-- name: delete_session
SELECT lock_user();
SELECT s.id, delete_reading(s) FROM reading_sessions AS s WHERE s.id = %(session_id)s AND s.book_id = %(book_id)s;
SELECT b.*, book_progress(b) AS progress_percent FROM books AS b WHERE b.id = %(book_id)s;

-- name: stats
-- The shelf is kept by kinds of books, what logs add up to by months, and their days in a row; the pages of a week are read.
WITH now AS MATERIALIZED (SELECT local_today() AS today)
SELECT n.today, b.*, l.*, s.current AS current_streak_days, s.longest AS longest_streak_days,
       (SELECT coalesce(sum(t.amount), 0)::bigint FROM totals_of('reading_minutes') AS t) AS total_reading_minutes,
       (SELECT coalesce(sum(r.pages_read), 0) FROM reading_sessions AS r
         WHERE r.unit = 'page' AND r.local_date > n.today - 7) AS pages_7d,
       (SELECT g.target FROM reading_goals AS g WHERE g.year = extract(year FROM n.today)::int) AS target
  FROM now AS n, run_streaks('reading', n.today) AS s,
       (SELECT coalesce(sum(k.total), 0)::bigint AS total_books,
               coalesce(sum(k.total) FILTER (WHERE k.parts[2] = 'read'), 0)::bigint AS books_completed,
               coalesce(sum(k.total) FILTER (WHERE k.parts[1] = 'reading'), 0)::bigint AS books_reading,
               round(sum(k.total * nullif(k.parts[3], '')::numeric)
                     / nullif(sum(k.total) FILTER (WHERE k.parts[3] <> ''), 0), 2) AS average_rating
          FROM (SELECT t.total, string_to_array(t.kind, '/') AS parts FROM totals_of('books') AS t) AS k) AS b,
       (SELECT coalesce(sum(t.total), 0)::bigint AS reading_sessions,
               coalesce(sum(t.amount) FILTER (WHERE t.kind = 'page'), 0)::bigint AS total_pages_read
          FROM totals_of('reading') AS t) AS l;
-- From the first of twelve months on. A month is cut from the local time, and not from local_day(): of the books of a year, the
-- casts in between cost as much as reading them.
WITH d AS MATERIALIZED (
    SELECT s.zone, make_interval(hours => s.day_start) AS day_start,
           date_trunc('month', local_day(clock(), s.zone, s.day_start)::timestamp) - interval '11 months' AS first
      FROM day_settings() AS s
)
SELECT t.day AS month, t.amount AS pages, 0 AS books
  FROM totals_of('reading') AS t
 WHERE t.kind = 'page' AND t.day >= (SELECT d.first::date FROM d)
 UNION ALL
SELECT m.month::date, 0, m.books
  FROM (SELECT date_trunc('month', (r.finished_at AT TIME ZONE d.zone) - d.day_start) AS month, count(*) AS books
          FROM d, book_reads AS r
         WHERE r.finished_at >= (SELECT first_instant(d.first + d.day_start, d.zone) FROM d)
         GROUP BY 1) AS m;

-- name: importable
-- The version is read first, so that a change after it is noticed when the plan is written.
SELECT d.zone, instant() AS now, shelf_version() AS version FROM day_settings() AS d;
SELECT id, import_key, import_digest, title, author, isbn, unit, total_pages, current_page, status,
       rating IS NOT NULL AS has_rating, notes IS NOT NULL AS has_notes, tags <> '{}' AS has_tags, times_read
  FROM books
 ORDER BY created_at DESC, id;
SELECT import_key FROM deleted_imports WHERE kind = 'book';

-- name: import
SELECT lock_user();
SELECT import_books(%(version)s, %(rows)s) AS written;

-- name: export
SELECT b.id, b.import_key, b.title, b.author, b.isbn, CASE b.unit WHEN 'page' THEN b.total_pages END AS total_pages, b.status,
       b.rating, b.notes, b.tags, b.times_read, local_day(r.last, d.zone, d.day_start) AS finished,
       local_day(b.created_at, d.zone, d.day_start) AS added
  FROM day_settings() AS d, books AS b
  LEFT JOIN (SELECT book_id, max(finished_at) AS last FROM book_reads GROUP BY book_id) AS r ON r.book_id = b.id
 ORDER BY b.created_at DESC, b.id;
