SET LOCAL ROLE questlog_owner;

-- Decks -------------------------------------------------------------------------------------------------------------

-- The decks there are, with what is in them. Cards of an archived deck are never due.
CREATE OR REPLACE VIEW app.decks WITH (security_invoker = true) AS
SELECT d.id, d.name, d.description, d.category, d.desired_retention, d.archived_at IS NOT NULL AS archived, d.starter_key,
       d.card_count, d.new_count, due.cards AS due_count, d.suspended_count, d.created_at, d.updated_at
  FROM (SELECT upper(day_bounds(local_today())) AS ends OFFSET 0) AS today,
       flashcard_decks AS d,
       LATERAL (
           SELECT count(*) AS cards FROM flashcards AS c
            WHERE c.deck_id = d.id AND c.deck_status = 'open' AND c.suspended_at IS NULL AND c.deleted_at IS NULL
              AND ((c.state IN ('learning', 'relearning') AND c.due <= clock()) OR (c.state = 'review' AND c.due < today.ends))
              AND (c.buried_until > clock()) IS NOT TRUE) AS due
 WHERE d.deleted_at IS NULL;

-- Refuses a deck that does not exist. Null is no deck, and is admitted.
CREATE OR REPLACE FUNCTION app.require_deck(deck uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN deck IS NULL
        OR EXISTS (SELECT FROM flashcard_decks AS d WHERE d.id = deck AND d.deleted_at IS NULL)
        OR refuse(404, 'not_found', 'There is no such deck.');
END
$$;

-- Refuses one deck more than a user may have. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION app.require_room_for_deck() RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(*) FROM flashcard_decks AS d WHERE d.deleted_at IS NULL) < 200
        OR refuse(409, 'limit_reached', 'There are 200 decks already.', '{"limit": 200}');
END
$$;

-- Brings back a deck that was deleted in the last 30 days, with its cards as they were. Where its starter deck was copied
-- again meanwhile, it is the copy no longer.
CREATE OR REPLACE FUNCTION app.restore_deck(deck uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_room_for_deck()
       FROM flashcard_decks AS d WHERE d.id = deck AND d.deleted_at > clock() - interval '30 days';
    UPDATE flashcard_decks AS d
       SET deleted_at = NULL,
           starter_key = CASE WHEN NOT EXISTS (SELECT FROM flashcard_decks AS o
                                                WHERE o.starter_key = d.starter_key AND o.deleted_at IS NULL)
                              THEN d.starter_key END
     WHERE d.id = deck AND d.deleted_at > clock() - interval '30 days';
END
$$;

-- The starter decks, each with its copy among the user's decks, if there is one.
CREATE OR REPLACE VIEW app.public_decks WITH (security_invoker = true) AS
SELECT s.key, s.name, s.description, s.category, s.sort_order,
       (SELECT count(*) FROM starter_cards AS c WHERE c.deck_key = s.key) AS card_count,
       (SELECT d.id FROM flashcard_decks AS d WHERE d.starter_key = s.key AND d.deleted_at IS NULL) AS copied_deck_id
  FROM starter_decks AS s;

-- The key of the starter deck that a client names. Where no key matches, - in the name is read as _.
CREATE OR REPLACE FUNCTION app.starter_named(wanted text) RETURNS text
LANGUAGE sql STABLE
RETURN (
    SELECT s.key FROM starter_decks AS s
     WHERE s.key IN (wanted, replace(wanted, '-', '_')) ORDER BY s.key = wanted DESC LIMIT 1);

-- Copies a starter deck, unless there is a copy already. Returns no row where there is no such deck.
CREATE OR REPLACE FUNCTION app.copy_starter(wanted text, OUT deck_id uuid, OUT copied boolean) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz;
    made int;
BEGIN
    PERFORM lock_user();
    at := instant();
    SELECT p.copied_deck_id, p.copied_deck_id IS NULL INTO deck_id, copied
      FROM public_decks AS p WHERE p.key = starter_named(wanted);
    IF NOT FOUND THEN
        RETURN;
    ELSIF copied THEN
        PERFORM require_room_for_deck();
        INSERT INTO flashcard_decks (name, description, category, starter_key, created_at, updated_at)
        SELECT s.name, s.description, s.category, s.key, at, at FROM starter_decks AS s WHERE s.key = starter_named(wanted)
        RETURNING id INTO deck_id;
        INSERT INTO flashcards (deck_id, front, back, hint, tags, position, created_at, updated_at)
        SELECT copy_starter.deck_id, c.front, c.back, c.hint, c.tags, c.position, at, at
          FROM starter_cards AS c WHERE c.deck_key = starter_named(wanted);
        GET DIAGNOSTICS made = ROW_COUNT;
        PERFORM count_cards(deck_id, made, made, 0);
    END IF;
    RETURN NEXT;
END
$$;

-- Counting cards ----------------------------------------------------------------------------------------------------

-- Adds to what a deck counts of its cards: all of them, the new ones, and the suspended ones.
CREATE OR REPLACE FUNCTION internal.count_cards(deck uuid, cards int, fresh int, suspended int) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE flashcard_decks AS d
       SET card_count = d.card_count + cards, new_count = d.new_count + fresh, suspended_count = d.suspended_count + suspended
     WHERE d.id = deck AND (cards, fresh, suspended) <> (0, 0, 0);
END;

-- The same for a change of some cards, from their rows before and after it.
CREATE OR REPLACE FUNCTION internal.recount_cards(before flashcards[], after flashcards[]) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT count_cards(t.deck_id, t.cards::int, t.fresh::int, t.suspended::int)
      FROM (SELECT s.deck_id, sum(s.sign) AS cards,
                   sum(CASE WHEN s.suspended_at IS NULL AND s.state = 'new' THEN s.sign ELSE 0 END) AS fresh,
                   sum(CASE WHEN s.suspended_at IS NOT NULL THEN s.sign ELSE 0 END) AS suspended
              FROM (SELECT -1 AS sign, b.deck_id, b.state, b.suspended_at FROM unnest(before) AS b WHERE b.deleted_at IS NULL
                    UNION ALL
                    SELECT 1, a.deck_id, a.state, a.suspended_at FROM unnest(after) AS a WHERE a.deleted_at IS NULL) AS s
             GROUP BY s.deck_id) AS t;
END;

-- Refuses more cards than a deck may hold. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.require_room_for_cards(deck uuid, more bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT d.card_count + more <= 10000 FROM flashcard_decks AS d WHERE d.id = deck)
        OR refuse(409, 'limit_reached', 'A deck holds at most 10000 cards.', '{"limit": 10000}');
END
$$;

-- Cards -------------------------------------------------------------------------------------------------------------

-- The cards that are not deleted. `buried_until` is null once it has passed. `elapsed_days` counts the local days since
-- the last review.
CREATE OR REPLACE VIEW app.cards WITH (security_invoker = true) AS
SELECT c.id, c.deck_id, c.front, c.back, c.hint, c.tags, c.guid, c.state, c.step, c.due, c.stability, c.difficulty, c.last_review,
       today.day - local_day(c.last_review, today.zone, today.day_start) AS elapsed_days, c.interval_days, c.reps, c.lapses,
       c.suspended_at IS NOT NULL AS suspended, c.leech,
       CASE WHEN c.buried_until > clock() THEN c.buried_until END AS buried_until, c.log_seq, c.reset_seq, c.deck_status,
       c.position, c.created_at, c.updated_at
  FROM (SELECT s.zone, s.day_start, local_day(clock(), s.zone, s.day_start) AS day FROM day_settings() AS s OFFSET 0) AS today,
       flashcards AS c
 WHERE c.deleted_at IS NULL AND c.deck_status <> 'deleted';

-- The cards of a deck that hold a text, have a tag, and are in a state, or suspended, leech or due; null asks for nothing.
CREATE OR REPLACE FUNCTION app.cards_found(deck uuid, q text, wanted_tag text, wanted_state text) RETURNS SETOF app.cards
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.*
      FROM (SELECT t.last_instant FROM cards_today() AS t OFFSET 0) AS today, cards AS c
     WHERE c.deck_id = deck
       AND (q IS NULL OR strpos(lower(c.front), lower(q)) > 0 OR strpos(lower(c.back), lower(q)) > 0)
       AND (wanted_tag IS NULL OR wanted_tag = ANY (c.tags))
       AND CASE wanted_state
           WHEN 'suspended' THEN c.suspended
           WHEN 'leech' THEN c.leech
           WHEN 'due' THEN NOT c.suspended AND c.buried_until IS NULL AND c.deck_status = 'open'
                AND ((c.state IN ('learning', 'relearning') AND c.due <= clock())
                     OR (c.state = 'review' AND c.due <= today.last_instant))
           ELSE c.state = coalesce(wanted_state, c.state)
       END;
END;

-- Adds a card. Under an id that the user has a card of already, nothing is added.
CREATE OR REPLACE FUNCTION app.add_card(new_id uuid, deck uuid, front text, back text, hint text, tags text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz;
BEGIN
    PERFORM lock_user();
    at := instant();
    PERFORM require_deck(deck);
    IF EXISTS (SELECT FROM cards AS c WHERE c.id = new_id) THEN
        RETURN;
    ELSIF EXISTS (SELECT FROM flashcards AS c WHERE c.id = new_id) THEN
        PERFORM refuse(409, 'conflict', 'A card that was deleted had this id.');
    END IF;
    PERFORM require_room_for_cards(deck, 1);
    INSERT INTO flashcards (id, deck_id, deck_status, front, back, hint, tags, created_at, updated_at)
    SELECT new_id, d.id, d.status, front, back, hint, tags, at, at FROM flashcard_decks AS d WHERE d.id = deck;
    PERFORM count_cards(deck, 1, 1, 0);
END
$$;

-- Moves cards into a deck. A card from a question of a lesson remains known as that, unless the deck has one of the same
-- question.
CREATE OR REPLACE FUNCTION internal.move_cards(ids uuid[], deck uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_deck(deck);
    PERFORM require_room_for_cards(deck, (SELECT count(*) FROM flashcards AS c WHERE c.id = ANY (ids) AND c.deck_id <> deck));
    UPDATE flashcards AS c
       SET deck_id = d.id, deck_status = d.status,
           source_lesson_id = CASE WHEN m.keeps_source THEN c.source_lesson_id END,
           source_question_id = CASE WHEN m.keeps_source THEN c.source_question_id END
      FROM flashcard_decks AS d,
           (SELECT i.id,
                   row_number() OVER (PARTITION BY i.source_lesson_id, i.source_question_id ORDER BY i.created_at, i.id) = 1
                   AND NOT EXISTS (SELECT FROM flashcards AS o
                                    WHERE o.deck_id = deck AND o.deleted_at IS NULL AND o.source_lesson_id = i.source_lesson_id
                                      AND o.source_question_id = i.source_question_id) AS keeps_source
              FROM flashcards AS i WHERE i.id = ANY (ids) AND i.deck_id <> deck) AS m
     WHERE d.id = deck AND c.id = m.id;
END
$$;

-- Suspends cards, or takes that back. A card that is no longer suspended is no leech any more, until it lapses again.
CREATE OR REPLACE FUNCTION internal.suspend_cards(ids uuid[], suspended boolean) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE flashcards AS c
       SET suspended_at = CASE WHEN suspended THEN coalesce(c.suspended_at, clock()) END, leech = c.leech AND suspended
     WHERE c.id = ANY (ids);
END;

-- Changes what is written on a card, where it lies, and whether it is asked for. Its schedule stays.
CREATE OR REPLACE FUNCTION app.change_card(card uuid, changes jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    before flashcards;
BEGIN
    PERFORM lock_user();
    SELECT c.* INTO before FROM flashcards AS c WHERE c.id = card AND c.deleted_at IS NULL AND c.deck_status <> 'deleted';
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF changes ? 'deck_id' THEN
        PERFORM move_cards(ARRAY[card], (changes ->> 'deck_id')::uuid);
    END IF;
    IF changes ? 'suspended' THEN
        PERFORM suspend_cards(ARRAY[card], (changes -> 'suspended')::boolean);
    END IF;
    IF changes ?| '{front,back,hint,tags}' THEN
        UPDATE flashcards AS c
           SET (front, back, hint, tags) = (SELECT n.front, n.back, n.hint, n.tags FROM jsonb_populate_record(c, changes) AS n)
         WHERE c.id = card;
    END IF;
    PERFORM recount_cards(ARRAY[before], ARRAY(SELECT c FROM flashcards AS c WHERE c.id = card));
END
$$;

-- Does the same to up to 500 cards. Nothing is done where one of them is not the user's.
CREATE OR REPLACE FUNCTION app.change_cards(ids uuid[], action text, deck uuid, given_tags text[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    before flashcards[];
BEGIN
    PERFORM lock_user();
    before := ARRAY(SELECT c FROM flashcards AS c
                     WHERE c.id = ANY (ids) AND c.deleted_at IS NULL AND c.deck_status <> 'deleted');
    IF cardinality(before) < (SELECT count(DISTINCT i) FROM unnest(ids) AS i) THEN
        PERFORM refuse(404, 'not_found', 'One of these is no card of yours.');
    END IF;
    CASE action
        WHEN 'suspend' THEN PERFORM suspend_cards(ids, true);
        WHEN 'unsuspend' THEN PERFORM suspend_cards(ids, false);
        WHEN 'bury' THEN
            UPDATE flashcards AS c SET buried_until = upper(day_bounds(local_today())) WHERE c.id = ANY (ids);
        WHEN 'unbury' THEN
            UPDATE flashcards AS c SET buried_until = NULL WHERE c.id = ANY (ids);
        WHEN 'reset' THEN
            UPDATE flashcards AS c
               SET state = 'new', step = NULL, stability = NULL, difficulty = NULL, due = NULL, last_review = NULL,
                   interval_days = 0, reps = 0, lapses = 0, leech = false, reset_seq = c.log_seq
             WHERE c.id = ANY (ids);
        WHEN 'delete' THEN
            UPDATE flashcards AS c SET deleted_at = instant() WHERE c.id = ANY (ids);
        WHEN 'move' THEN PERFORM move_cards(ids, deck);
        WHEN 'tag' THEN
            UPDATE flashcards AS c
               SET tags = c.tags || ARRAY(SELECT t FROM unnest(given_tags) AS t WHERE t <> ALL (c.tags))
             WHERE c.id = ANY (ids)
               AND (cardinality(c.tags) + (SELECT count(*) FROM unnest(given_tags) AS t WHERE t <> ALL (c.tags)) <= 20
                    OR refuse_field('tags', 'would be more than 20 on one of the cards'));
        WHEN 'untag' THEN
            UPDATE flashcards AS c
               SET tags = ARRAY(SELECT t.tag FROM unnest(c.tags) WITH ORDINALITY AS t (tag, place)
                                 WHERE t.tag <> ALL (given_tags) ORDER BY t.place)
             WHERE c.id = ANY (ids);
    END CASE;
    PERFORM recount_cards(before, ARRAY(SELECT c FROM flashcards AS c WHERE c.id = ANY (ids)));
    RETURN cardinality(before);
END
$$;

-- Makes cards of the questions of a completed lesson: of those named, or of all. A question that the deck has a card of is
-- skipped. Returns no row where there is no such lesson.
CREATE OR REPLACE FUNCTION app.add_lesson_cards(lesson uuid, deck uuid, question_ids text[], OUT created int, OUT skipped int)
RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz;
    asked jsonb[];
    missing jsonb[];
    l record;
BEGIN
    PERFORM lock_user();
    at := instant();
    SELECT s.status, s.topic_key, i.quiz_json INTO l
      FROM lesson_states AS s JOIN learn_lessons AS i ON i.id = s.id WHERE s.id = lesson;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM require_deck(deck);
    IF l.status <> 'completed' THEN
        PERFORM refuse(409, 'lesson_not_completed', 'Complete the lesson first: its cards show the right answers.');
    ELSIF l.quiz_json IS NULL THEN
        PERFORM refuse(409, 'no_quiz', 'This lesson has no quiz.');
    END IF;
    asked := ARRAY(SELECT q.question FROM jsonb_array_elements(l.quiz_json -> 'questions') WITH ORDINALITY AS q (question, place)
                    WHERE question_ids IS NULL OR q.question ->> 'id' = ANY (question_ids)
                    ORDER BY q.place);
    IF cardinality(asked) < (SELECT count(DISTINCT i) FROM unnest(question_ids) AS i) THEN
        PERFORM refuse_field('question_ids', 'must be questions of this lesson');
    END IF;
    missing := ARRAY(SELECT a.question FROM unnest(asked) WITH ORDINALITY AS a (question, place)
                      WHERE NOT EXISTS (SELECT FROM flashcards AS c
                                         WHERE c.deck_id = deck AND c.deleted_at IS NULL AND c.source_lesson_id = lesson
                                           AND c.source_question_id = a.question ->> 'id')
                      ORDER BY a.place);
    created := cardinality(missing);
    skipped := cardinality(asked) - created;
    PERFORM require_room_for_cards(deck, created);
    INSERT INTO flashcards (deck_id, deck_status, front, back, tags, position, source_lesson_id, source_question_id,
                            created_at, updated_at)
    SELECT d.id, d.status, m.question ->> 'prompt' || E'\n\n' || o.listed,
           concat_ws(E'\n\n', o.right_ones, m.question ->> 'explanation'), ARRAY[left(l.topic_key, 40)], m.place,
           lesson, m.question ->> 'id', at, at
      FROM flashcard_decks AS d,
           unnest(missing) WITH ORDINALITY AS m (question, place),
           LATERAL (
               SELECT string_agg(chr(64 + p.place::int) || ') ' || p.option, E'\n' ORDER BY p.place) AS listed,
                      string_agg(chr(64 + p.place::int) || ') ' || p.option, E'\n' ORDER BY p.place)
                          FILTER (WHERE m.question -> 'right' @> to_jsonb(p.place - 1)) AS right_ones
                 FROM jsonb_array_elements_text(m.question -> 'options') WITH ORDINALITY AS p (option, place)) AS o
     WHERE d.id = deck;
    PERFORM count_cards(deck, created, created, 0);
    RETURN NEXT;
END
$$;

-- Imports -----------------------------------------------------------------------------------------------------------

-- A text as fronts are compared: without regard to case. The characters replaced are those of which lower() keeps two forms.
CREATE OR REPLACE FUNCTION internal.case_folded(t text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(translate(lower(t), 'ςſ', 'σs'), 'ß', 'ss');

-- For each group of a file's rows (see import_cards), the card of the deck that it stands for: the one of its guid, else
-- the oldest one of its front. Two cards that both have a guid are not compared by their fronts. An update gives a card the
-- guid and the front of one group; to other groups of its former front it is another card. Nothing is found by its front to
-- be kept.
-- No nested loops: the planner does not know how many rows a file has, and would compare each of them with each card.
CREATE OR REPLACE FUNCTION internal.imported_cards(deck uuid, on_duplicate text, cards jsonb)
RETURNS TABLE (place bigint, card_id uuid, by_guid boolean)
LANGUAGE sql STABLE SET enable_nestloop = off
BEGIN ATOMIC
    WITH file AS MATERIALIZED (
        SELECT g.place, g.item ->> 'guid' AS guid, case_folded(g.item ->> 'known_front') AS front
          FROM jsonb_array_elements(cards -> 'groups') WITH ORDINALITY AS g (item, place)
    ), known AS MATERIALIZED (
        SELECT c.id, c.guid, case_folded(c.front) AS front, row_number() OVER (ORDER BY c.created_at, c.position, c.id) AS age
          FROM flashcards AS c WHERE c.deck_id = deck AND c.deleted_at IS NULL
    ), guids AS MATERIALIZED (
        SELECT DISTINCT ON (f.place) f.place, k.id FROM file AS f JOIN known AS k ON k.guid = f.guid ORDER BY f.place, k.age
    ), fronts AS MATERIALIZED (
        SELECT DISTINCT ON (f.place) f.place, k.id
          FROM file AS f
          JOIN known AS k ON k.front = f.front AND (k.guid IS NULL OR f.guid IS NULL)
          LEFT JOIN guids AS g ON g.place = f.place
         WHERE g.place IS NULL AND on_duplicate <> 'keep'
         ORDER BY f.place, k.age
    )
    SELECT g.place, g.id, true FROM guids AS g
    UNION ALL
    SELECT r.place, r.id, false
      FROM (SELECT f.*, row_number() OVER (PARTITION BY f.id ORDER BY f.place) AS claim FROM fronts AS f) AS r
     WHERE on_duplicate = 'skip' OR (r.claim = 1 AND r.id NOT IN (SELECT g.id FROM guids AS g));
END;

-- Adds the cards of a file to a deck. `cards` holds groups of rows that stand for one card:
--   known_front, guid         what a card of the deck is found by
--   front, back, hint, tags   what the last of the rows says
--   rows                      how many rows there are
--   is_renamed                whether a later one gave the card another front
-- What the deck has already is skipped or updated, or with 'keep' added once more. With `dry_run` nothing is written.
CREATE OR REPLACE FUNCTION app.import_cards(
    deck uuid, on_duplicate text, cards jsonb, dry_run boolean, OUT created bigint, OUT updated bigint, OUT skipped bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz;
    duplicates bigint;
BEGIN
    PERFORM lock_user();
    at := instant();
    WITH file AS MATERIALIZED (
        SELECT f.*, k.card_id, k.by_guid, k.card_id IS NULL OR on_duplicate = 'keep' AS is_new,
               k.card_id IS NULL AND row_number() OVER (PARTITION BY f.guid ORDER BY f.place) = 1 AS keeps_guid
          FROM ROWS FROM (jsonb_to_recordset(cards -> 'groups')
                          AS (front text, back text, hint text, tags text[], guid text, rows int, is_renamed boolean))
               WITH ORDINALITY AS f (front, back, hint, tags, guid, rows, is_renamed, place)
          LEFT JOIN imported_cards(deck, on_duplicate, cards) AS k ON k.place = f.place
    ), added AS (
        INSERT INTO flashcards (deck_id, deck_status, front, back, hint, tags, guid, position, created_at, updated_at)
        SELECT d.id, d.status, f.front, f.back, f.hint, f.tags, CASE WHEN f.keeps_guid THEN f.guid END, f.place, at, at
          FROM flashcard_decks AS d, file AS f
         WHERE d.id = deck AND f.is_new AND NOT dry_run
    ), changed AS (
        UPDATE flashcards AS c
           SET front = CASE WHEN f.by_guid OR f.is_renamed THEN f.front ELSE c.front END, back = f.back, hint = f.hint,
               tags = f.tags, guid = coalesce(c.guid, f.guid)
          FROM file AS f
         WHERE c.id = f.card_id AND on_duplicate = 'update' AND NOT dry_run
    )
    SELECT count(*) FILTER (WHERE f.is_new), coalesce(sum(f.rows), 0) - count(*) FILTER (WHERE f.is_new)
      INTO created, duplicates
      FROM file AS f;
    PERFORM require_room_for_cards(deck, created);
    IF NOT dry_run THEN
        PERFORM count_cards(deck, created::int, created::int, 0);
    END IF;
    updated := CASE on_duplicate WHEN 'update' THEN duplicates ELSE 0 END;
    skipped := duplicates - updated;
END
$$;
