SET LOCAL ROLE questlog_owner;

-- Lists say how many rows they have on all pages. To count the rows of a history of years takes many times as long as to read
-- a page of it, so the number is kept: whoever inserts or deletes rows of such a list, or changes their kind, calls
-- move_total() in the same transaction, and the request for the list adds up a few kinds. What a list is narrowed to without
-- being a kind is counted at the request. total_audit holds the totals against the rows: db-health and the tests read it.

-- Adds to the total of a kind of row, and to what such rows add up to. The caller holds lock_user(), unless this is all that it
-- moves: two who move several totals in different orders would wait for each other.
CREATE OR REPLACE FUNCTION app.move_total(
    wanted text, of_kind text, change bigint, on_day date DEFAULT '-infinity', owner uuid DEFAULT current_user_id(),
    amount_change bigint DEFAULT 0
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_totals AS t SET total = t.total + change, amount = t.amount + amount_change
     WHERE t.user_id = owner AND t.list = wanted AND t.day = on_day AND t.kind = of_kind;
    IF NOT FOUND THEN
        INSERT INTO user_totals AS t (user_id, list, day, kind, total, amount)
        VALUES (owner, wanted, on_day, of_kind, change, amount_change)
        ON CONFLICT (user_id, list, day, kind)
        DO UPDATE SET total = t.total + excluded.total, amount = t.amount + excluded.amount;
    END IF;
END
$$;

-- The same for several totals in one statement: `moves` are rows with what is added to each, no two of them to the same.
CREATE OR REPLACE FUNCTION app.move_totals(moves user_totals[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_totals AS t (user_id, list, day, kind, total, amount)
    SELECT m.user_id, m.list, m.day, m.kind, m.total, m.amount FROM unnest(moves) AS m
    ON CONFLICT (user_id, list, day, kind) DO UPDATE SET total = t.total + excluded.total, amount = t.amount + excluded.amount;
END
$$;

-- Moves a row from one kind to another, where they differ; in the order of the kinds, so that two who move a row there and
-- back at once do not wait for each other. The caller has locked the row, or the user.
CREATE OR REPLACE FUNCTION app.move_row(wanted text, old_kind text, new_kind text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF old_kind <> new_kind THEN
        PERFORM move_total(wanted, m.kind, m.change)
           FROM (VALUES (old_kind, -1), (new_kind, 1)) AS m (kind, change) ORDER BY m.kind;
    END IF;
END
$$;

-- The same for a row that is counted under several kinds; those that it has before and after stay as they are. The caller holds
-- lock_user().
CREATE OR REPLACE FUNCTION internal.move_kinds(wanted text, old_kinds text[], new_kinds text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF old_kinds <> new_kinds THEN
        PERFORM move_total(wanted, m.kind, m.change)
           FROM (SELECT k.kind, sum(k.change) AS change
                   FROM (SELECT unnest(old_kinds), -1 UNION ALL SELECT unnest(new_kinds), 1) AS k (kind, change)
                  GROUP BY k.kind HAVING sum(k.change) <> 0) AS m;
    END IF;
END
$$;

-- The totals of a list. It is inlined.
CREATE OR REPLACE FUNCTION app.totals_of(wanted text) RETURNS TABLE (day date, kind text, total bigint, amount bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.day, t.kind, t.total, t.amount FROM user_totals AS t WHERE t.list = wanted;
END;

-- Runs of days -----------------------------------------------------------------------------------------------------------

-- Notes that something was done on a day: the day makes the run of the day before it longer, or that of the day after, or makes
-- one of both. The caller holds lock_user().
CREATE OR REPLACE FUNCTION app.add_day(wanted text, day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    before user_runs;
    follows date;
BEGIN
    SELECT r.* INTO before FROM user_runs AS r
     WHERE r.list = wanted AND r.first_day <= day ORDER BY r.first_day DESC LIMIT 1;
    IF before.last_day >= day THEN
        RETURN;
    END IF;
    DELETE FROM user_runs AS r WHERE r.list = wanted AND r.first_day = day + 1 RETURNING r.last_day INTO follows;
    IF before.last_day = day - 1 THEN
        UPDATE user_runs AS r SET last_day = coalesce(follows, day) WHERE r.list = wanted AND r.first_day = before.first_day;
    ELSE
        INSERT INTO user_runs (list, first_day, last_day) VALUES (wanted, day, coalesce(follows, day));
    END IF;
END
$$;

-- Notes that nothing is left of what was done on a day: its run ends before it, and another begins after it. The caller holds
-- lock_user().
CREATE OR REPLACE FUNCTION app.remove_day(wanted text, day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    run user_runs;
BEGIN
    DELETE FROM user_runs AS r
     WHERE r.list = wanted AND r.last_day >= day
       AND r.first_day = (SELECT max(k.first_day) FROM user_runs AS k WHERE k.list = wanted AND k.first_day <= day)
    RETURNING r.* INTO run;
    INSERT INTO user_runs (list, first_day, last_day)
    SELECT wanted, k.first_day, k.last_day
      FROM (VALUES (run.first_day, day - 1), (day + 1, run.last_day)) AS k (first_day, last_day)
     WHERE k.first_day <= k.last_day;
END
$$;

-- How many days the last run has, 0 where it ended before yesterday, and how many the longest has.
CREATE OR REPLACE FUNCTION app.run_streaks(wanted text, today date) RETURNS TABLE (current int, longest int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce((SELECT CASE WHEN r.last_day >= today - 1 THEN r.last_day - r.first_day + 1 ELSE 0 END
                       FROM user_runs AS r WHERE r.list = wanted ORDER BY r.first_day DESC LIMIT 1), 0),
           coalesce((SELECT max(r.last_day - r.first_day + 1) FROM user_runs AS r WHERE r.list = wanted), 0);
END;

-- The kinds --------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION app.reference_kind(is_archived boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN is_archived THEN 'archived' ELSE 'open' END;

CREATE OR REPLACE FUNCTION app.inbox_kind(is_archived boolean, is_processed boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN is_archived THEN 'archived' ELSE 'current' END || CASE WHEN is_processed THEN '/processed' ELSE '' END;

CREATE OR REPLACE FUNCTION app.focus_kind(mode text, status text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN mode || '/' || status;

-- The key of the period that a day is in: 2031-05-09, 2031-W19 (ISO 8601), 2031-05 or once.
CREATE OR REPLACE FUNCTION internal.quest_period_key(period text, day date) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE period
    WHEN 'daily' THEN to_char(day, 'YYYY-MM-DD')
    WHEN 'weekly' THEN to_char(day, 'IYYY-"W"IW')
    WHEN 'monthly' THEN to_char(day, 'YYYY-MM')
    ELSE 'once'
END;

-- How long the period is that a key of quests names.
CREATE OR REPLACE FUNCTION app.quest_period(period_key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE length(period_key) WHEN 10 THEN 'daily' WHEN 8 THEN 'weekly' WHEN 7 THEN 'monthly' ELSE 'once' END;

-- The keys of the periods that users are in, or come to be in again when they change their zone or the start of their day: a
-- user's day begins up to 14 hours before the day of UTC, and ends up to 18 hours after it. One more day is for requests that
-- have waited past midnight.
CREATE OR REPLACE FUNCTION internal.quest_keys_in_reach() RETURNS SETOF text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT quest_period_key(f.frequency, (clock() AT TIME ZONE 'UTC')::date + n)
      FROM generate_series(-1, 2) AS n, unnest(ARRAY['once', 'daily', 'weekly', 'monthly']) AS f (frequency);
END;

CREATE OR REPLACE FUNCTION app.focus_tag_kind(mode text, status text, tag text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN mode || '/' || status || '/' || tag;

-- Two kinds: the status alone, which counts the purchases of all items, and the status with the id of the item and its key. No key
-- has a slash. The id is cast because to join a uuid and a text is STABLE, and then Postgres does not inline the function.
CREATE OR REPLACE FUNCTION app.purchase_kinds(status text, item_id uuid, item_key text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[status, status || '/' || item_id::text || '/' || item_key];

-- The status, whether it was ever finished, and the rating: completed/read/4.5. A book without one has nothing behind the last slash.
CREATE OR REPLACE FUNCTION app.book_kind(b books) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN b.status || CASE WHEN b.times_read > 0 THEN '/read/' ELSE '/unread/' END || coalesce(b.rating::text, '');

-- What the infobase has an entry under; nothing for one that is in the trash, and for null.
CREATE OR REPLACE FUNCTION app.infobase_kinds(e infobase_entries) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN e.id IS NOT NULL AND e.deleted_at IS NULL
            THEN ARRAY['/category/' || e.category] || ARRAY(SELECT '/tag/' || t.tag FROM unnest(e.tags) AS t (tag))
            ELSE '{}' END;

-- The month of UTC in which a moment lies: its first day.
CREATE OR REPLACE FUNCTION app.month_of(at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_trunc('month', at AT TIME ZONE 'UTC')::date;

-- The first day of the month of a day.
CREATE OR REPLACE FUNCTION app.month_of_day(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_trunc('month', day::timestamp)::date;

-- The minutes that a log of reading took: its own where it counts in minutes and says nothing else.
CREATE OR REPLACE FUNCTION app.log_minutes(unit text, amount int, duration_minutes int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(duration_minutes, CASE unit WHEN 'minute' THEN amount END, 0);

-- The day of UTC in which a moment lies.
CREATE OR REPLACE FUNCTION app.utc_day(at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (at AT TIME ZONE 'UTC')::date;

-- The moment at which the day of UTC after that of a moment begins: what is kept by days of UTC counts whole from then on.
CREATE OR REPLACE FUNCTION app.next_utc_day(at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (date_trunc('day', at AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC';

-- What the totals say ----------------------------------------------------------------------------------------------------

-- All totals as the rows have them.
CREATE OR REPLACE VIEW app.recounted_totals WITH (security_invoker = true) AS
SELECT r.user_id, 'references' AS list, '-infinity'::date AS day, reference_kind(r.is_archived) AS kind, count(*) AS total,
       0::bigint AS amount
  FROM user_references AS r GROUP BY 1, 4
 UNION ALL
SELECT i.user_id, 'inbox', '-infinity', inbox_kind(i.is_archived, i.processed_at IS NOT NULL), count(*), 0
  FROM inbox_items AS i GROUP BY 1, 4
 UNION ALL
SELECT f.user_id, 'focus', month_of(f.started_at), focus_kind(f.mode, f.status), count(*), 0
  FROM focus_sessions AS f WHERE f.ended_at IS NOT NULL GROUP BY 1, 3, 4
 UNION ALL
SELECT f.user_id, 'focus_tags', month_of(f.started_at), focus_tag_kind(f.mode, f.status, t.tag), count(*), 0
  FROM focus_sessions AS f, LATERAL (SELECT DISTINCT unnest(f.tags) AS tag) AS t
 WHERE f.ended_at IS NOT NULL GROUP BY 1, 3, 4
 UNION ALL
SELECT p.user_id, 'purchases', '-infinity', k.kind, count(*), 0
  FROM user_purchases AS p, unnest(purchase_kinds(p.status, p.item_id, p.item_key)) AS k (kind) GROUP BY 1, 4
 UNION ALL
SELECT p.user_id, 'spending', utc_day(p.purchased_at), p.category, count(*), sum(p.price_paid)::bigint
  FROM user_purchases AS p GROUP BY 1, 3, 4
 UNION ALL
SELECT p.user_id, 'spending_months', month_of(p.purchased_at), p.category, count(*), sum(p.price_paid)::bigint
  FROM user_purchases AS p GROUP BY 1, 3, 4
 UNION ALL
SELECT b.user_id, 'books', '-infinity', book_kind(b), count(*), 0 FROM books AS b GROUP BY 1, 4
 UNION ALL
SELECT r.user_id, 'reading', month_of_day(r.local_date), r.unit, count(*), sum(r.pages_read) FROM reading_sessions AS r GROUP BY 1, 3, 4
 UNION ALL
SELECT r.user_id, 'reading_minutes', '-infinity', 'all', count(*), sum(log_minutes(r.unit, r.pages_read, r.duration_minutes))
  FROM reading_sessions AS r WHERE log_minutes(r.unit, r.pages_read, r.duration_minutes) > 0 GROUP BY 1
 UNION ALL
SELECT l.user_id, 'listening', '-infinity', l.status, count(*), 0
  FROM listening_sessions AS l WHERE l.ended_at IS NOT NULL GROUP BY 1, 4
 UNION ALL
SELECT l.user_id, 'listening_days', l.completed_on, 'all', count(*), sum(l.listened_ms)::bigint
  FROM listening_sessions AS l WHERE l.status = 'completed' GROUP BY 1, 3
 UNION ALL
SELECT t.user_id, 'listened_tracks', t.last_day, 'all', count(*), 0
  FROM (SELECT l.user_id, max(l.completed_on) AS last_day
          FROM listening_sessions AS l WHERE l.status = 'completed' GROUP BY l.user_id, l.track_id) AS t GROUP BY 1, 3
 UNION ALL
SELECT a.user_id, 'annotations', utc_day(a.created_at), 'all', count(*), 0 FROM track_annotations AS a GROUP BY 1, 3
 UNION ALL
SELECT e.user_id, 'infobase', '-infinity', k.kind, count(*), 0
  FROM infobase_entries AS e, unnest(infobase_kinds(e)) AS k (kind) GROUP BY 1, 4
 UNION ALL
SELECT t.user_id, 'tracks', '-infinity', 'all', count(*), sum(t.file_size_bytes)::bigint FROM reference_tracks AS t GROUP BY 1;

-- All runs as the rows have them: of days in a row, each minus its place in the row is the same day.
CREATE OR REPLACE VIEW app.recounted_runs WITH (security_invoker = true) AS
SELECT k.user_id, k.list, min(k.day) AS first_day, max(k.day) AS last_day
  FROM (SELECT d.user_id, d.list, d.day, d.day - row_number() OVER (PARTITION BY d.user_id, d.list ORDER BY d.day)::int AS run
          FROM (SELECT r.user_id, 'reading' AS list, r.local_date AS day FROM reading_sessions AS r
                 UNION
                SELECT l.user_id, 'listening', l.completed_on FROM listening_sessions AS l WHERE l.status = 'completed') AS d) AS k
 GROUP BY k.user_id, k.list, k.run;

-- The rows of own quests that have not what lists and quest_counts() ask of their quest, each with what it should have: when the
-- quest was made and, of an open row, the target, both null where the quest is done in other periods by now; of an open row also
-- when it expires. No list shows a row again whose period is out of reach, and a quest of years has a thousand of them.
CREATE OR REPLACE VIEW app.outdated_quest_rows WITH (security_invoker = true) AS
SELECT p.user_id, p.id, p.quest_id, p.period_key, r.target, r.expires_at, r.quest_created_at
  FROM user_quest_progress AS p
  JOIN quests AS q ON q.user_id = p.user_id AND q.id = p.quest_id,
       LATERAL (SELECT p.status IN ('available', 'accepted') AS is_open,
                       quest_period(p.period_key) = coalesce(q.repeat_frequency, 'once') AS is_present) AS s,
       LATERAL (SELECT CASE WHEN NOT s.is_open THEN p.target WHEN s.is_present THEN q.target END AS target,
                       CASE WHEN s.is_open THEN q.expires_at ELSE p.expires_at END AS expires_at,
                       CASE WHEN s.is_present THEN q.created_at END AS quest_created_at) AS r
 WHERE p.period_key = ANY (ARRAY(SELECT k.period_key FROM quest_keys_in_reach() AS k (period_key)))
   AND (p.target IS DISTINCT FROM r.target
        OR p.expires_at IS DISTINCT FROM r.expires_at
        OR p.quest_created_at IS DISTINCT FROM r.quest_created_at);

-- Where a total is not what the rows say: nowhere.
CREATE OR REPLACE VIEW app.total_audit WITH (security_invoker = true) AS
SELECT user_id, format('The %s of %s, %s, %s is kept as %s and counted as %s.', k.what, list, day, kind, k.kept, k.counted) AS problem
  FROM user_totals AS t FULL JOIN recounted_totals AS r USING (user_id, list, day, kind),
       LATERAL (VALUES ('total', t.total, r.total), ('amount', t.amount, r.amount)) AS k (what, kept, counted)
 WHERE coalesce(k.kept, 0) <> coalesce(k.counted, 0)
 UNION ALL
SELECT user_id, format('The run of %s from %s is kept until %s and counted until %s.', list, first_day, t.last_day, r.last_day)
  FROM user_runs AS t FULL JOIN recounted_runs AS r USING (user_id, list, first_day)
 WHERE t.last_day IS DISTINCT FROM r.last_day
 UNION ALL
SELECT o.user_id, format('Of the quest %s, the row of %s is not as the quest.', o.quest_id, o.period_key)
  FROM outdated_quest_rows AS o;

-- Counts the rows of an account that was filled by an import anew. The caller holds lock_user().
CREATE OR REPLACE FUNCTION internal.count_totals(owner uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO user_totals AS t (user_id, list, day, kind, total, amount)
    SELECT r.user_id, r.list, r.day, r.kind, r.total, r.amount FROM recounted_totals AS r WHERE r.user_id = owner
    ON CONFLICT (user_id, list, day, kind) DO UPDATE SET total = excluded.total, amount = excluded.amount;
    DELETE FROM user_runs AS r WHERE r.user_id = owner;
    INSERT INTO user_runs (user_id, list, first_day, last_day)
    SELECT r.user_id, r.list, r.first_day, r.last_day FROM recounted_runs AS r WHERE r.user_id = owner;
    UPDATE user_quest_progress AS p
       SET target = o.target, expires_at = o.expires_at, quest_created_at = o.quest_created_at
      FROM outdated_quest_rows AS o
     WHERE o.user_id = owner AND p.user_id = owner AND p.id = o.id;
END;

-- Counts one list of the user's anew, after a change of many of its rows. The caller holds lock_user().
CREATE OR REPLACE FUNCTION app.recount_list(wanted text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE user_totals AS t SET total = 0, amount = 0 WHERE t.list = wanted;
    INSERT INTO user_totals AS t (user_id, list, day, kind, total, amount)
    SELECT r.user_id, r.list, r.day, r.kind, r.total, r.amount FROM recounted_totals AS r WHERE r.list = wanted
    ON CONFLICT (user_id, list, day, kind) DO UPDATE SET total = excluded.total, amount = excluded.amount;
END;
