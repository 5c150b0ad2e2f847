-- Statements of one name travel together, and each sees what those before it wrote. A topic, lesson or drill is found by its
-- key or its id.

-- name: overview
SELECT * FROM learn_summary();
SELECT * FROM reviews_waiting();
SELECT * FROM topic_states ORDER BY sort_order, key;
SELECT * FROM lesson_states
 WHERE status <> 'completed'
 ORDER BY started_at DESC NULLS LAST, topic_order, topic_key, sort_order, key
 LIMIT 1;

-- name: progress
SELECT * FROM learn_summary();

-- name: topics
SELECT * FROM topic_states ORDER BY sort_order, key;

-- name: topic
SELECT * FROM topic_states WHERE id = topic_named(%(topic)s);
SELECT * FROM lesson_states WHERE topic_id = topic_named(%(topic)s) ORDER BY sort_order, key;
SELECT * FROM drill_states WHERE topic_id = topic_named(%(topic)s) ORDER BY sort_order, key;

-- name: lessons
SELECT * FROM lesson_states
 WHERE (%(q)s::text IS NULL OR strpos(lower(title), lower(%(q)s)) > 0 OR strpos(lower(description), lower(%(q)s)) > 0)
   AND (%(topic)s::text IS NULL OR topic_id = topic_named(%(topic)s))
   AND (%(difficulty)s::text IS NULL OR difficulty = %(difficulty)s)
   AND (%(status)s::text IS NULL OR status = %(status)s)
 ORDER BY topic_order, topic_key, sort_order, key;

-- name: lesson
SELECT * FROM lesson_states WHERE id = lesson_named(%(lesson)s);
SELECT * FROM lesson_states WHERE id = lesson_named(%(lesson)s);
SELECT content_markdown, quiz_json, audio_r2_key FROM learn_lessons WHERE id = lesson_named(%(lesson)s);

-- name: start
SELECT start_lesson(lesson_named(%(lesson)s));
SELECT * FROM lesson_states WHERE id = lesson_named(%(lesson)s);

-- name: gradable_lesson
SELECT l.id, l.quiz_json, r.stability, r.difficulty, coalesce(r.reps, 0) AS reps,
       local_today() - local_day(r.last_review) AS elapsed_days
  FROM learn_lessons AS l LEFT JOIN learn_review_items AS r ON r.item_type = 'lesson' AND r.item_id = l.id
 WHERE l.id = lesson_named(%(lesson)s);

-- name: complete
SELECT c.is_first_completion, r.*
  FROM complete_lesson(%(lesson_id)s, %(given)s, %(graded)s, %(stability)s, %(difficulty)s, %(days)s, %(reps)s) AS c,
       reward(c.paid) AS r;
SELECT * FROM lesson_states WHERE id = %(lesson_id)s;

-- name: drills
SELECT * FROM drill_states
 WHERE (%(topic)s::text IS NULL OR topic_id = topic_named(%(topic)s))
   AND (%(drill_type)s::text IS NULL OR drill_type = %(drill_type)s)
 ORDER BY topic_order, topic_key, sort_order, key;

-- name: drill
SELECT read_in_index_order();
SELECT s.*, d.config_json AS config
  FROM drill_states AS s JOIN learn_drills AS d USING (id)
 WHERE s.id = drill_named(%(drill)s);
SELECT * FROM drill_attempts WHERE drill_id = drill_named(%(drill)s) ORDER BY ordinal DESC LIMIT 20;

-- name: playable_drill
SELECT d.id, d.xp_reward, r.stability, r.difficulty, coalesce(r.reps, 0) AS reps,
       local_today() - local_day(r.last_review) AS elapsed_days
  FROM learn_drills AS d LEFT JOIN learn_review_items AS r ON r.item_type = 'drill' AND r.item_id = d.id
 WHERE d.id = drill_named(%(drill)s);

-- name: submit
SELECT s.is_new_best, s.best_score, s.streak_continued, s.new_streak, r.*
  FROM submit_drill(%(drill_id)s, %(score)s, %(correct_count)s, %(total_count)s, %(time_seconds)s, %(xp)s, %(stability)s,
                    %(difficulty)s, %(days)s, %(reps)s) AS s,
       reward(s.paid) AS r;

-- name: review
SELECT * FROM reviews_waiting();
SELECT l.* FROM courses_due AS r JOIN lesson_states AS l ON l.id = r.item_id
 WHERE r.item_type = 'lesson' ORDER BY r.due, l.topic_order, l.sort_order, l.key LIMIT 20;
SELECT d.* FROM courses_due AS r JOIN drill_states AS d ON d.id = r.item_id
 WHERE r.item_type = 'drill' ORDER BY r.due, d.topic_order, d.sort_order, d.key LIMIT 20;

-- name: decks
SELECT * FROM decks WHERE archived = %(archived)s ORDER BY lower(name), id;

-- name: add_deck
SELECT lock_user();
SELECT require_room_for_deck();
WITH added AS (
    INSERT INTO flashcard_decks (name, description, category, desired_retention, created_at, updated_at)
    SELECT %(name)s, %(description)s, %(category)s, %(desired_retention)s, now, now FROM instant() AS now
    RETURNING *)
SELECT a.*, false AS archived, 0 AS due_count FROM added AS a;

-- name: deck
SELECT * FROM decks WHERE id = %(deck_id)s;

-- name: change_deck
SELECT lock_user();
UPDATE flashcard_decks AS d
   SET (name, description, category, desired_retention, archived_at)
     = (SELECT c.name, c.description, c.category, c.desired_retention,
               CASE WHEN %(archived)s::boolean THEN coalesce(d.archived_at, clock())
                    WHEN %(archived)s::boolean IS NULL THEN d.archived_at END
          FROM jsonb_populate_record(d, %(changes)s) AS c)
 WHERE d.id = %(deck_id)s AND d.deleted_at IS NULL;
SELECT * FROM decks WHERE id = %(deck_id)s;

-- name: delete_deck
SELECT lock_user();
UPDATE flashcard_decks SET deleted_at = instant() WHERE id = %(deck_id)s AND deleted_at IS NULL RETURNING true AS deleted;

-- name: restore_deck
SELECT lock_user();
SELECT restore_deck(%(deck_id)s);
SELECT * FROM decks WHERE id = %(deck_id)s;

-- name: public_decks
SELECT * FROM public_decks ORDER BY sort_order, key;

-- name: public_deck
SELECT * FROM public_decks WHERE key = starter_named(%(key)s);
SELECT * FROM starter_cards WHERE deck_key = starter_named(%(key)s) ORDER BY position;

-- name: copy_deck
SELECT deck_id, copied FROM copy_starter(%(key)s);
SELECT * FROM decks WHERE starter_key = starter_named(%(key)s);

-- name: cards
-- All cards of a deck have the deck's status. It is compared because the index that has this order begins with it.
SELECT read_in_index_order();
SELECT card_count AS total FROM flashcard_decks WHERE id = %(deck_id)s AND deleted_at IS NULL;
SELECT * FROM cards WHERE deck_id = %(deck_id)s
 ORDER BY deck_status, created_at, position, id
 LIMIT %(page_size)s OFFSET %(page_size)s * (%(page)s::bigint - 1);

-- name: cards_found
SELECT require_deck(%(deck_id)s);
SELECT count(*) AS total FROM cards_found(%(deck_id)s, %(q)s, %(tag)s, %(state)s);
SELECT * FROM cards_found(%(deck_id)s, %(q)s, %(tag)s, %(state)s)
 ORDER BY created_at, position, id
 LIMIT %(page_size)s OFFSET %(page_size)s * (%(page)s::bigint - 1);

-- name: add_card
SELECT add_card(%(id)s, %(deck_id)s, %(front)s, %(back)s, %(hint)s, %(tags)s);
SELECT * FROM cards WHERE id = %(id)s;

-- name: card
SELECT * FROM cards WHERE id = %(card_id)s;

-- name: change_card
SELECT change_card(%(card_id)s, %(changes)s);
SELECT * FROM cards WHERE id = %(card_id)s;

-- name: delete_card
SELECT change_cards(ARRAY[%(card_id)s::uuid], 'delete', NULL, NULL) > 0 AS deleted;

-- name: change_cards
SELECT change_cards(%(ids)s, %(action)s, %(deck_id)s, %(tags)s) AS affected;

-- name: add_lesson_cards
SELECT created, skipped FROM add_lesson_cards(lesson_named(%(lesson)s), %(deck_id)s, %(question_ids)s);

-- name: import_cards
SELECT require_deck(%(deck_id)s);
SELECT created, updated, skipped FROM import_cards(%(deck_id)s, %(on_duplicate)s, %(cards)s, %(dry_run)s);

-- name: export
SELECT read_in_index_order();
SELECT id FROM decks WHERE id = %(deck_id)s;
SELECT id, front, back, hint, tags, guid FROM cards WHERE deck_id = %(deck_id)s
 ORDER BY deck_status, created_at, position, id
 LIMIT 5000 OFFSET 5000 * (%(page)s::bigint - 1);

-- name: due
SELECT read_in_index_order();
SELECT require_deck(%(deck_id)s);
SELECT *, clock() AS now FROM queue_counts(%(deck_id)s);
SELECT * FROM learn_settings();
SELECT c.*, d.desired_retention
  FROM queued_cards(%(deck_id)s, %(limit)s) AS q
  JOIN cards AS c ON c.id = q.card_id
  JOIN flashcard_decks AS d ON d.id = c.deck_id
 ORDER BY q.place;

-- name: reviewable_card
SELECT c.*, d.desired_retention, t.at, local_day(t.at) - local_day(c.last_review) AS days_since
  FROM review_time(%(reviewed_at)s) AS t (at), cards AS c JOIN flashcard_decks AS d ON d.id = c.deck_id
 WHERE c.id = %(card_id)s;
SELECT * FROM learn_settings();

-- name: record_review
SELECT r.review_id, r.rating, r.state_before, r.interval_days, r.due, r.became_leech AS leech, r.reviewed_today, r.now, w.*
  FROM record_review(
           %(card_id)s, %(rating)s, %(at)s, %(days_since)s, %(duration_ms)s, %(client_id)s, %(expected_reps)s, %(reps)s,
           %(log_seq)s, %(scheduler)s, %(state)s, %(step)s, %(stability)s, %(difficulty)s, %(due)s, %(interval_days)s,
           %(lapses)s, %(leech)s) AS r,
       reward(r.paid) AS w;
SELECT c.*, d.desired_retention FROM cards AS c JOIN flashcard_decks AS d ON d.id = c.deck_id WHERE c.id = %(card_id)s;

-- name: undo
-- The card is that of the newest row of the log, which the first statement wrote.
SELECT undo_review(%(card_id)s, %(review_id)s) AS undone_review_id;
SELECT * FROM cards WHERE id = (SELECT card_id FROM flashcard_reviews ORDER BY seq DESC LIMIT 1);

-- name: reviews
SELECT read_in_index_order();
SELECT id FROM cards WHERE id = %(card_id)s;
SELECT r.*, r.interval_days_after AS interval_days,
       EXISTS (SELECT FROM flashcard_reviews AS u WHERE u.undoes = r.id) AS undone
  FROM flashcard_reviews AS r
 WHERE r.card_id = %(card_id)s AND r.seq < (SELECT coalesce(%(before)s::bigint, 9223372036854775807))
 ORDER BY r.seq DESC
 LIMIT %(limit)s + 1;

-- name: stats
SELECT require_deck(%(deck_id)s);
SELECT count(*) AS total, count(*) FILTER (WHERE state = 'new') AS new, count(*) FILTER (WHERE state = 'learning') AS learning,
       count(*) FILTER (WHERE state = 'review') AS review, count(*) FILTER (WHERE state = 'relearning') AS relearning,
       count(*) FILTER (WHERE suspended) AS suspended,
       count(*) FILTER (WHERE state = 'review' AND interval_days >= 21) AS mature,
       avg(power(1 + %(factor)s::float8 * elapsed_days / stability, %(decay)s::float8)) AS average_retrievability
  FROM counted_cards(%(deck_id)s);
SELECT local_today() AS today;
SELECT day AS date, count(*) AS reviews, count(*) FILTER (WHERE passed) AS passed,
       count(*) FILTER (WHERE state_before = 'new') AS new,
       count(*) FILTER (WHERE state_before = 'review') AS recalls,
       count(*) FILTER (WHERE state_before = 'review' AND passed) AS recalled,
       coalesce(sum(duration_ms), 0) AS duration_ms
  FROM recent_reviews(%(deck_id)s, %(days)s)
 GROUP BY day;

-- name: forecast
SELECT require_deck(%(deck_id)s);
SELECT local_today() AS today;
-- All overdue cards are counted under yesterday. To work out the local day of each would cost more than to read the card.
SELECT CASE WHEN c.due >= s.begins THEN local_day(c.due, s.zone, s.day_start) ELSE s.today - 1 END AS date, count(*) AS due
  FROM (SELECT d.zone, d.day_start, t.today, lower(day_bounds(t.today, d.zone, d.day_start)) AS begins
          FROM day_settings() AS d, (SELECT local_today() AS today OFFSET 0) AS t OFFSET 0) AS s,
       counted_cards(%(deck_id)s) AS c
 WHERE c.due < (SELECT upper(day_bounds(local_today() + %(days)s - 1))) AND NOT c.suspended AND c.deck_status = 'open'
 GROUP BY 1;

-- name: settings
SELECT * FROM learn_settings();

-- name: change_settings
SELECT lock_user();
INSERT INTO user_learn_settings (desired_retention, maximum_interval, new_per_day, reviews_per_day, learning_steps,
                                 relearning_steps, leech_threshold, fuzz)
SELECT n.desired_retention, n.maximum_interval, n.new_per_day, n.reviews_per_day, n.learning_steps, n.relearning_steps,
       n.leech_threshold, n.fuzz
  FROM learn_settings() AS s, jsonb_populate_record((current_user_id(), s.*)::user_learn_settings, %(changes)s) AS n
ON CONFLICT (user_id) DO UPDATE
   SET desired_retention = excluded.desired_retention, maximum_interval = excluded.maximum_interval,
       new_per_day = excluded.new_per_day, reviews_per_day = excluded.reviews_per_day,
       learning_steps = excluded.learning_steps, relearning_steps = excluded.relearning_steps,
       leech_threshold = excluded.leech_threshold, fuzz = excluded.fuzz;
SELECT * FROM learn_settings();
