SET LOCAL ROLE questlog_owner;

-- When a review took place: at the time given, or now. A time up to five minutes ahead of now becomes now: the client's
-- clock is fast.
CREATE OR REPLACE FUNCTION app.review_time(given timestamptz) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    now timestamptz := instant();
BEGIN
    IF given > now + interval '300 seconds' OR given < now - interval '20 years' THEN
        PERFORM refuse_field('reviewed_at', 'must be within the last 20 years, and at most 5 minutes ahead');
    END IF;
    RETURN least(given, now);
END
$$;

-- The cards that are asked for next, of all decks or of one: learning cards as they are due, then reviews and new cards
-- within the day's limits. `place` counts from 1.
CREATE OR REPLACE FUNCTION app.queued_cards(deck uuid, most int) RETURNS TABLE (card_id uuid, place bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT q.id, row_number() OVER (ORDER BY q.kind, q.due, q.created_at, q.position, q.id)
      FROM cards_today() AS t,
           LATERAL (
               SELECT c.id, 1 AS kind, c.due, c.created_at, c.position FROM due_cards(deck, 'learning', clock(), most) AS c
               UNION ALL
               SELECT c.id, 1, c.due, c.created_at, c.position FROM due_cards(deck, 'relearning', clock(), most) AS c
               UNION ALL
               SELECT c.id, 2, c.due, c.created_at, c.position
                 FROM due_cards(deck, 'review', t.last_instant, least(most, t.reviews_left)) AS c
               UNION ALL
               SELECT c.id, 3, c.due, c.created_at, c.position FROM new_cards(deck, least(most, t.new_left)) AS c) AS q
     ORDER BY 2
     LIMIT most;
END;

-- How many different cards were reviewed on a local day.
CREATE OR REPLACE FUNCTION internal.cards_reviewed(day date) RETURNS bigint
LANGUAGE sql STABLE
RETURN (
    SELECT r.cards
      FROM (SELECT day_bounds(day) AS span OFFSET 0) AS b,
           LATERAL (SELECT count(DISTINCT s.card_id) AS cards FROM standing_reviews(lower(b.span), upper(b.span)) AS s) AS r);

-- Pays a review of today once ten cards were reviewed or the queue is empty, and one of yesterday, that was made offline,
-- once ten were; each day once. Null where nothing is paid.
CREATE OR REPLACE FUNCTION internal.pay_review(review uuid, day date, today date, reviewed bigint) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    queue record;
BEGIN
    IF day < today - 1 OR day > today THEN
        RETURN NULL;
    ELSIF reviewed < 10 THEN
        IF day < today THEN
            RETURN NULL;
        END IF;
        SELECT * INTO queue FROM queued_cards(NULL, 1);
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    IF (paid_today('review_session', day)).paid > 0 THEN
        RETURN NULL;
    END IF;
    RETURN pay_learning('review_session', 'review', review, 15, 5, 'review:' || day, NULL, 0,
                        jsonb_build_object('cards_reviewed', reviewed), day);
END
$$;

-- What the first review of a client's id paid; null where it paid nothing. Refuses where it was another review.
CREATE OR REPLACE FUNCTION internal.repeated_review(r flashcard_reviews, card uuid, given_rating int) RETURNS award_result
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- The user's time zone may have changed since, so the day that was paid may be any of these.
    day date := local_day(r.reviewed_at);
    keys text[] := ARRAY['review:' || day - 1, 'review:' || day, 'review:' || day + 1];
    paid_key text;
BEGIN
    IF r.card_id <> card OR r.rating <> given_rating THEN
        PERFORM refuse(422, 'idempotency_mismatch', 'This client_id stands for another review.');
    END IF;
    SELECT l.idempotency_key INTO paid_key FROM points_ledger AS l WHERE l.idempotency_key = ANY (keys) AND l.source_id = r.id;
    RETURN CASE WHEN FOUND THEN paid_under(paid_key) END;
END
$$;

-- Refuses a review of a card that is suspended, that has changed since it was read, or that has a later review.
CREATE OR REPLACE FUNCTION internal.require_reviewable(
    c flashcards, at timestamptz, known_reps int, known_seq bigint, expected int
) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF c.suspended_at IS NOT NULL THEN
        PERFORM refuse(409, 'card_suspended', 'This card is suspended.');
    ELSIF c.reps <> known_reps OR c.log_seq <> known_seq OR c.reps <> expected THEN
        PERFORM refuse(409, 'card_changed', 'This card was reviewed or changed meanwhile.', jsonb_build_object('reps', c.reps));
    ELSIF at < c.last_review THEN
        PERFORM refuse(409, 'review_out_of_order', 'This card has a later review.', jsonb_build_object(
            'last_review', to_char(c.last_review AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'reps', c.reps));
    END IF;
END
$$;

-- Writes a review: the card as it is from now on, and the row of the log that says why.
CREATE OR REPLACE FUNCTION internal.write_review(
    c flashcards, given_rating int, at timestamptz, elapsed int, duration int, client uuid, used_scheduler jsonb,
    next_state text, next_step int, next_stability double precision, next_difficulty double precision,
    next_due timestamptz, next_interval int, next_lapses int, leech boolean, now timestamptz
) RETURNS flashcard_reviews
LANGUAGE plpgsql AS $$
DECLARE
    r flashcard_reviews;
BEGIN
    WITH reviewed AS (
        UPDATE flashcards AS f
           SET state = next_state, step = next_step, stability = next_stability, difficulty = next_difficulty, due = next_due,
               last_review = at, interval_days = next_interval, reps = f.reps + 1, lapses = next_lapses,
               leech = write_review.leech, suspended_at = CASE WHEN write_review.leech THEN now END, buried_until = NULL,
               log_seq = coalesce((SELECT max(l.seq) FROM flashcard_reviews AS l), 0) + 1
         WHERE f.id = c.id AND f.reps = c.reps AND f.log_seq = c.log_seq
        RETURNING f.*
    )
    INSERT INTO flashcard_reviews (
        seq, card_id, kind, rating, reviewed_at, duration_ms, client_id, elapsed_days, scheduler,
        state_before, step_before, stability_before, difficulty_before, due_before, last_review_before, interval_days_before,
        reps_before, lapses_before, buried_until_before,
        state_after, step_after, stability_after, difficulty_after, due_after, last_review_after, interval_days_after,
        reps_after, lapses_after, became_leech, created_at)
    SELECT f.log_seq, c.id, 'review', given_rating, at, duration, client, elapsed, used_scheduler,
           c.state, c.step, c.stability, c.difficulty, c.due, c.last_review, c.interval_days, c.reps, c.lapses, c.buried_until,
           f.state, f.step, f.stability, f.difficulty, f.due, f.last_review, f.interval_days, f.reps, f.lapses, f.leech, now
      FROM reviewed AS f
    RETURNING * INTO STRICT r;
    PERFORM count_cards(c.deck_id, 0, CASE c.state WHEN 'new' THEN -1 ELSE 0 END, leech::int);
    RETURN r;
END
$$;

-- Records a review of a card, unless the card is not any more what the schedule was computed from. The same `client` again
-- changes nothing, and returns what the first one did. Returns no row where there is no such card.
--   next_*      the schedule after the review            known_*   the state that it was computed from
--   elapsed     local days since the last review         expected  the reps that the client believes the card to have
CREATE OR REPLACE FUNCTION app.record_review(
    card uuid, given_rating int, at timestamptz, elapsed int, duration int, client uuid, expected int,
    known_reps int, known_seq bigint, used_scheduler jsonb, next_state text, next_step int, next_stability double precision,
    next_difficulty double precision, next_due timestamptz, next_interval int, next_lapses int, leech boolean,
    OUT review_id uuid, OUT rating int, OUT state_before text, OUT interval_days int, OUT due timestamptz, OUT became_leech boolean,
    OUT reviewed_today bigint, OUT now timestamptz, OUT paid award_result
) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    c flashcards;
    r flashcard_reviews;
    today date;
    day date;
BEGIN
    PERFORM lock_user();
    now := instant();
    today := local_day(now);
    SELECT * INTO c FROM flashcards AS f WHERE f.id = card AND f.deleted_at IS NULL AND f.deck_status <> 'deleted';
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO r FROM flashcard_reviews AS l WHERE l.client_id = client;
    IF FOUND THEN
        paid := repeated_review(r, card, given_rating);
        reviewed_today := cards_reviewed(today);
    ELSE
        PERFORM require_reviewable(c, at, known_reps, known_seq, expected);
        r := write_review(c, given_rating, at, elapsed, duration, client, used_scheduler, next_state, next_step, next_stability,
                          next_difficulty, next_due, next_interval, next_lapses, leech, now);
        day := local_day(at);
        reviewed_today := cards_reviewed(today);
        paid := pay_review(r.id, day, today, CASE day WHEN today THEN reviewed_today ELSE cards_reviewed(day) END);
    END IF;
    review_id := r.id;
    rating := r.rating;
    state_before := r.state_before;
    interval_days := r.interval_days_after;
    due := r.due_after;
    became_leech := r.became_leech;
    RETURN NEXT;
END
$$;

-- Writes an undo: the card as it was before the review, and the row of the log that points to it. What was done to the card
-- since by hand stays: a burial, or another suspension than that of the leech which the review made of it.
CREATE OR REPLACE FUNCTION internal.write_undo(r flashcard_reviews, c flashcards) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    WITH undone AS (
        UPDATE flashcards AS f
           SET state = r.state_before, step = r.step_before, stability = r.stability_before, difficulty = r.difficulty_before,
               due = r.due_before, last_review = r.last_review_before, interval_days = r.interval_days_before,
               reps = r.reps_before, lapses = r.lapses_before, buried_until = coalesce(f.buried_until, r.buried_until_before),
               leech = false, suspended_at = CASE WHEN NOT (f.leech AND r.became_leech) THEN f.suspended_at END,
               log_seq = coalesce((SELECT max(l.seq) FROM flashcard_reviews AS l), 0) + 1
         WHERE f.id = c.id
        RETURNING f.*
    )
    INSERT INTO flashcard_reviews (
        seq, card_id, kind, undoes, reviewed_at,
        state_before, step_before, stability_before, difficulty_before, due_before, last_review_before, interval_days_before,
        reps_before, lapses_before, buried_until_before,
        state_after, step_after, stability_after, difficulty_after, due_after, last_review_after, interval_days_after,
        reps_after, lapses_after)
    SELECT f.log_seq, c.id, 'undo', r.id, r.reviewed_at,
           c.state, c.step, c.stability, c.difficulty, c.due, c.last_review, c.interval_days, c.reps, c.lapses, c.buried_until,
           f.state, f.step, f.stability, f.difficulty, f.due, f.last_review, f.interval_days, f.reps, f.lapses
      FROM undone AS f;
END;

-- Whether a row of the log is a review that can be undone: it was not, and its card is there and was not reset since.
-- It is called row by row, and costs enough for the planner to look at as few rows as it can: the newest first.
CREATE OR REPLACE FUNCTION internal.is_undoable(r flashcard_reviews) RETURNS boolean
LANGUAGE sql STABLE COST 1000
RETURN r.kind = 'review'
       AND NOT EXISTS (SELECT FROM flashcard_reviews AS u WHERE u.undoes = r.id)
       AND EXISTS (SELECT FROM flashcards AS c
                    WHERE c.id = r.card_id AND c.reset_seq < r.seq AND c.deleted_at IS NULL AND c.deck_status <> 'deleted');

-- Takes back the newest review that is left: of a card, or of all. Refuses a review that is not the newest left of its card.
-- Returns the review.
CREATE OR REPLACE FUNCTION app.undo_review(card uuid, review uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    r flashcard_reviews;
    before flashcards;
BEGIN
    PERFORM lock_user();
    IF review IS NOT NULL THEN
        SELECT l.card_id INTO card FROM flashcard_reviews AS l
         WHERE l.id = review AND l.kind = 'review' AND l.card_id = coalesce(card, l.card_id);
    END IF;
    IF (review IS NOT NULL OR card IS NOT NULL) AND NOT EXISTS (SELECT FROM cards AS c WHERE c.id = card) THEN
        PERFORM refuse(404, 'not_found', 'There is no such card or review.');
    END IF;
    -- Two statements, because each has an index of its own in this order.
    IF card IS NULL THEN
        SELECT l.* INTO r FROM flashcard_reviews AS l WHERE is_undoable(l) ORDER BY l.seq DESC LIMIT 1;
    ELSE
        SELECT l.* INTO r FROM flashcard_reviews AS l WHERE l.card_id = card AND is_undoable(l) ORDER BY l.seq DESC LIMIT 1;
    END IF;
    IF NOT FOUND OR r.id <> review THEN
        PERFORM refuse(409, 'nothing_to_undo', CASE WHEN review IS NULL THEN 'There is no review to undo.'
                                                    ELSE 'This is not the newest review of its card that is left.' END);
    END IF;
    SELECT * INTO before FROM flashcards AS c WHERE c.id = r.card_id;
    PERFORM write_undo(r, before);
    PERFORM recount_cards(ARRAY[before], ARRAY(SELECT c FROM flashcards AS c WHERE c.id = r.card_id));
    RETURN r.id;
END
$$;

-- Statistics --------------------------------------------------------------------------------------------------------

-- The user's cards that statistics are about: of one deck, or of all that are not archived.
CREATE OR REPLACE FUNCTION app.counted_cards(deck uuid) RETURNS TABLE (
    state text, suspended boolean, interval_days int, stability double precision, elapsed_days int, due timestamptz,
    deck_status text
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.state, c.suspended, c.interval_days, c.stability, greatest(c.elapsed_days, 0), c.due, c.deck_status
      FROM cards AS c
     WHERE (deck IS NULL AND c.deck_status = 'open') OR c.deck_id = deck;
END;

-- The reviews of the last local days, today included, each with its day: of cards that are in a deck, or of all.
CREATE OR REPLACE FUNCTION app.recent_reviews(deck uuid, days int)
RETURNS TABLE (day date, state_before text, passed boolean, duration_ms int)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT local_day(r.reviewed_at, s.zone, s.day_start), r.state_before, r.rating > 1, r.duration_ms
      FROM (SELECT d.zone, d.day_start, local_today() AS today FROM day_settings() AS d OFFSET 0) AS s,
           LATERAL (SELECT lower(day_bounds(s.today - days + 1, s.zone, s.day_start)) AS since,
                           upper(day_bounds(s.today, s.zone, s.day_start)) AS before OFFSET 0) AS span,
           LATERAL (SELECT * FROM standing_reviews(span.since, span.before) OFFSET 0) AS r
     WHERE deck IS NULL OR r.card_id IN (SELECT c.id FROM flashcards AS c WHERE c.deck_id = deck);
END;

-- Deletes the schedule of lessons and drills that are not here: an import may bring it from where they were.
CREATE OR REPLACE FUNCTION internal.forget_unknown_reviews() RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM learn_review_items AS r
     WHERE r.item_id NOT IN (SELECT l.id FROM learn_lessons AS l UNION ALL SELECT d.id FROM learn_drills AS d);
END;
