SET LOCAL ROLE questlog_owner;

-- How the user's cards are scheduled. One row, also for a user who never changed anything.
CREATE OR REPLACE FUNCTION app.learn_settings() RETURNS TABLE (
    desired_retention double precision, maximum_interval int, new_per_day int, reviews_per_day int, learning_steps int[],
    relearning_steps int[], leech_threshold int, fuzz boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(s.desired_retention, 0.9), coalesce(s.maximum_interval, 3650), coalesce(s.new_per_day, 10),
           coalesce(s.reviews_per_day, 200), coalesce(s.learning_steps, '{1,10}'), coalesce(s.relearning_steps, '{10}'),
           coalesce(s.leech_threshold, 8), coalesce(s.fuzz, true)
      FROM (SELECT) AS always LEFT JOIN user_learn_settings AS s ON true;
END;

-- The reviews of a span of time that were not undone. The row of an undo has the time of its review, so it lies in the
-- same span.
-- To be called in a subquery of its own, to which the span is given from outside: as a join, the planner takes the span for
-- a ninth of all reviews and reads them all.
CREATE OR REPLACE FUNCTION app.standing_reviews(since timestamptz, before timestamptz)
RETURNS TABLE (card_id uuid, state_before text, rating int, reviewed_at timestamptz, duration_ms int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.card_id, r.state_before, r.rating, r.reviewed_at, r.duration_ms
      FROM flashcard_reviews AS r
     WHERE r.reviewed_at >= since AND r.reviewed_at < before AND r.kind = 'review'
       AND r.id NOT IN (SELECT u.undoes FROM flashcard_reviews AS u
                         WHERE u.reviewed_at >= since AND u.reviewed_at < before AND u.undoes IS NOT NULL);
END;

-- The cards of the present local day: how many were reviewed, and how many reviews and new cards are left of the day's.
CREATE OR REPLACE FUNCTION app.cards_today()
RETURNS TABLE (last_instant timestamptz, reviewed bigint, reviews_left bigint, new_left bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT upper(day.bounds) - interval '1 microsecond', r.cards, greatest(s.reviews_per_day - r.reviews, 0),
           greatest(s.new_per_day - r.introduced, 0)
      FROM (SELECT day_bounds(local_today()) AS bounds OFFSET 0) AS day,
           learn_settings() AS s,
           LATERAL (
               SELECT count(DISTINCT d.card_id) AS cards,
                      count(DISTINCT d.card_id) FILTER (WHERE d.state_before = 'review') AS reviews,
                      count(DISTINCT d.card_id) FILTER (WHERE d.state_before = 'new') AS introduced
                 FROM standing_reviews(lower(day.bounds), upper(day.bounds)) AS d) AS r;
END;

-- The first of the user's cards in a state that are due until an instant; the function after it, the first new ones. Cards
-- that are suspended, buried or in an archived deck are left out. Each function has a half for all decks and one for one
-- deck. Only one half runs; it reads as many cards as it returns, by an index of its own. That for all decks holds cards of open
-- decks alone. (SELECT 'open') is not a constant to the planner, so for one deck it cannot take that index.
CREATE OR REPLACE FUNCTION internal.due_cards(deck uuid, wanted text, until timestamptz, most bigint) RETURNS SETOF flashcards
LANGUAGE sql STABLE
BEGIN ATOMIC
    (SELECT c.* FROM flashcards AS c
      WHERE deck IS NULL AND c.state = wanted AND c.due <= until AND c.deck_status = 'open'
        AND c.suspended_at IS NULL AND c.deleted_at IS NULL AND (c.buried_until > clock()) IS NOT TRUE
      ORDER BY c.due, c.created_at, c.position LIMIT most)
    UNION ALL
    (SELECT c.* FROM flashcards AS c
      WHERE c.deck_id = deck AND c.state = wanted AND c.due <= until AND c.deck_status = (SELECT 'open')
        AND c.suspended_at IS NULL AND c.deleted_at IS NULL AND (c.buried_until > clock()) IS NOT TRUE
      ORDER BY c.due, c.created_at, c.position LIMIT most);
END;

CREATE OR REPLACE FUNCTION internal.new_cards(deck uuid, most bigint) RETURNS SETOF flashcards
LANGUAGE sql STABLE
BEGIN ATOMIC
    (SELECT c.* FROM flashcards AS c
      WHERE deck IS NULL AND c.state = 'new' AND c.deck_status = 'open'
        AND c.suspended_at IS NULL AND c.deleted_at IS NULL AND (c.buried_until > clock()) IS NOT TRUE
      ORDER BY c.due, c.created_at, c.position LIMIT most)
    UNION ALL
    (SELECT c.* FROM flashcards AS c
      WHERE c.deck_id = deck AND c.state = 'new' AND c.deck_status = (SELECT 'open')
        AND c.suspended_at IS NULL AND c.deleted_at IS NULL AND (c.buried_until > clock()) IS NOT TRUE
      ORDER BY c.due, c.created_at, c.position LIMIT most);
END;

-- When the first learning card of all decks, or of one, comes that is not due yet.
CREATE OR REPLACE FUNCTION internal.next_learning_due(deck uuid, wanted text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (
    SELECT min(c.due) FROM flashcards AS c
     WHERE (deck IS NULL OR c.deck_id = deck) AND c.state = wanted AND c.due > clock() AND c.deck_status = 'open'
       AND c.suspended_at IS NULL AND c.deleted_at IS NULL AND (c.buried_until > clock()) IS NOT TRUE);

-- The queue of all decks, or of one: how many cards of each kind the day's limits admit, and when the earliest learning
-- card comes that is not due yet.
CREATE OR REPLACE FUNCTION app.queue_counts(deck uuid)
RETURNS TABLE (learning bigint, review bigint, new bigint, reviews_left bigint, new_left bigint, next_learning_due timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM due_cards(deck, 'learning', clock(), NULL))
           + (SELECT count(*) FROM due_cards(deck, 'relearning', clock(), NULL)),
           (SELECT count(*) FROM due_cards(deck, 'review', t.last_instant, t.reviews_left)),
           (SELECT count(*) FROM new_cards(deck, t.new_left)),
           t.reviews_left, t.new_left,
           least(next_learning_due(deck, 'learning'), next_learning_due(deck, 'relearning'))
      FROM cards_today() AS t;
END;

-- How many cards wait for review, within the day's limits. New ones do not wait.
CREATE OR REPLACE FUNCTION internal.cards_due() RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT q.learning + q.review FROM queue_counts(NULL) AS q);
