SET LOCAL ROLE questlog_owner;

-- Courses -----------------------------------------------------------------------------------------------------------
-- What administrators have removed is in no list and no count. What users have done of it stays in the tables.

-- The lessons, with what the user has done of each.
CREATE OR REPLACE VIEW app.lesson_states WITH (security_invoker = true) AS
SELECT l.id, l.topic_id, t.key AS topic_key, l.key, l.title, l.description, l.duration_minutes, l.difficulty, l.xp_reward,
       l.coin_reward, l.quiz_json IS NOT NULL AS has_quiz, l.audio_r2_key IS NOT NULL AS has_audio,
       coalesce(p.status, 'not_started') AS status, p.started_at, p.completed_at, p.quiz_score, p.best_quiz_score,
       coalesce(p.attempts, 0) AS attempts, t.sort_order AS topic_order, l.sort_order
  FROM learn_lessons AS l
  JOIN learn_topics AS t ON t.id = l.topic_id
  LEFT JOIN user_lesson_progress AS p ON p.lesson_id = l.id
 WHERE l.is_active AND t.is_active;

-- The drills, with what the user has done of each. A streak lasts until a whole day has passed without an attempt.
CREATE OR REPLACE VIEW app.drill_states WITH (security_invoker = true) AS
SELECT d.id, d.topic_id, t.key AS topic_key, d.key, d.title, d.description, d.drill_type, d.difficulty, d.duration_seconds,
       d.xp_reward, s.best_score, CASE WHEN s.last_attempt_day >= today.day - 1 THEN s.current_streak ELSE 0 END AS current_streak,
       coalesce(s.best_streak, 0) AS best_streak, coalesce(s.total_attempts, 0) AS attempts, s.last_attempt_at,
       s.score_sum::double precision / s.total_attempts AS average_score, t.sort_order AS topic_order, d.sort_order
  FROM (SELECT local_today() AS day OFFSET 0) AS today,
       learn_drills AS d
  JOIN learn_topics AS t ON t.id = d.topic_id
  LEFT JOIN user_drill_stats AS s ON s.drill_id = d.id
 WHERE d.is_active AND t.is_active;

-- The topics, with the numbers of their lessons and drills.
CREATE OR REPLACE VIEW app.topic_states WITH (security_invoker = true) AS
SELECT t.id, t.key, t.name, t.description, t.category, t.icon, t.sort_order, coalesce(l.lessons, 0) AS lesson_count,
       coalesce(l.completed, 0) AS completed_count, coalesce(d.drills, 0) AS drill_count
  FROM learn_topics AS t
  LEFT JOIN (SELECT s.topic_id, count(*) AS lessons, count(*) FILTER (WHERE s.status = 'completed') AS completed
               FROM lesson_states AS s GROUP BY s.topic_id) AS l ON l.topic_id = t.id
  LEFT JOIN (SELECT i.topic_id, count(*) AS drills
               FROM learn_drills AS i WHERE i.is_active GROUP BY i.topic_id) AS d ON d.topic_id = t.id
 WHERE t.is_active;

-- A text as a uuid; null where it is none in its form on the wire. Postgres alone would also take it in braces, and with hyphens
-- elsewhere or nowhere.
CREATE OR REPLACE FUNCTION internal.uuid_in_text(given text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN given ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN given::uuid END;

-- A topic, lesson or drill by what a client calls it: its key, or its id. Where no key matches, - reads as _. Null for none.
CREATE OR REPLACE FUNCTION app.topic_named(wanted text) RETURNS uuid
LANGUAGE sql STABLE
RETURN (
    SELECT t.id FROM learn_topics AS t
     WHERE t.is_active AND (t.key IN (wanted, replace(wanted, '-', '_')) OR t.id = uuid_in_text(wanted))
     ORDER BY t.key = wanted DESC
     LIMIT 1);

CREATE OR REPLACE FUNCTION app.lesson_named(wanted text) RETURNS uuid
LANGUAGE sql STABLE
RETURN (
    SELECT l.id FROM learn_lessons AS l JOIN learn_topics AS t ON t.id = l.topic_id
     WHERE l.is_active AND t.is_active AND (l.key IN (wanted, replace(wanted, '-', '_')) OR l.id = uuid_in_text(wanted))
     ORDER BY l.key = wanted DESC
     LIMIT 1);

CREATE OR REPLACE FUNCTION app.drill_named(wanted text) RETURNS uuid
LANGUAGE sql STABLE
RETURN (
    SELECT d.id FROM learn_drills AS d JOIN learn_topics AS t ON t.id = d.topic_id
     WHERE d.is_active AND t.is_active AND (d.key IN (wanted, replace(wanted, '-', '_')) OR d.id = uuid_in_text(wanted))
     ORDER BY d.key = wanted DESC
     LIMIT 1);

-- What the user has done so far. Days and streaks are local; XP is what lessons, drills and reviews have paid.
CREATE OR REPLACE FUNCTION app.learn_summary() RETURNS TABLE (
    topics_started bigint, lessons_completed bigint, total_lessons bigint, drills_practiced bigint, total_xp_earned bigint,
    current_streak_days int, longest_streak_days int, cards_reviewed_today bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM topic_states AS t
             WHERE EXISTS (SELECT FROM lesson_states AS i WHERE i.topic_id = t.id AND i.status <> 'not_started')
                OR EXISTS (SELECT FROM drill_states AS i WHERE i.topic_id = t.id AND i.attempts > 0)),
           l.completed, l.total,
           (SELECT count(*) FROM drill_states AS i WHERE i.attempts > 0),
           coalesce((SELECT t.xp_earned FROM user_learn_totals AS t), 0),
           s.current_streak, s.longest_streak,
           (SELECT c.reviewed FROM cards_today() AS c)
      FROM (SELECT count(*) FILTER (WHERE i.status = 'completed') AS completed, count(*) AS total FROM lesson_states AS i) AS l,
           effective_streaks() AS s
     WHERE s.streak_type = 'learning';
END;

-- The lessons and drills that come back today or came back earlier.
CREATE OR REPLACE VIEW app.courses_due WITH (security_invoker = true) AS
SELECT r.item_type, r.item_id, r.due
  FROM (SELECT upper(day_bounds(local_today())) AS ends OFFSET 0) AS today, learn_review_items AS r
 WHERE r.due < today.ends;

-- How many lessons, drills and cards are due for review.
CREATE OR REPLACE FUNCTION app.reviews_waiting() RETURNS TABLE (lessons bigint, drills bigint, cards bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM courses_due AS d JOIN lesson_states AS l ON l.id = d.item_id WHERE d.item_type = 'lesson'),
           (SELECT count(*) FROM courses_due AS d JOIN drill_states AS i ON i.id = d.item_id WHERE d.item_type = 'drill'),
           cards_due();
END;

-- Their sum.
CREATE OR REPLACE FUNCTION app.reviews_due() RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT w.lessons + w.drills + w.cards FROM reviews_waiting() AS w);

-- Pays for something learned, and counts what it paid. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.pay_learning(
    event_type text, source_type text, source_id uuid, xp int, coins int, idempotency_key text, skill_key text,
    skill_stars int, counters jsonb, day date
) RETURNS award_result
LANGUAGE plpgsql AS $$
DECLARE
    paid award_result := award(event_type, source_type, source_id, xp, coins, idempotency_key, skill_key, skill_stars,
                               counters, day => day);
BEGIN
    IF NOT paid.replayed THEN
        INSERT INTO user_learn_totals AS t (xp_earned) VALUES (paid.xp)
        ON CONFLICT (user_id) DO UPDATE SET xp_earned = t.xp_earned + excluded.xp_earned;
    END IF;
    RETURN paid;
END
$$;

-- Schedules a lesson or drill, once a local day: what was computed from an older state than the present one, or on the
-- day of the last review, is dropped.
CREATE OR REPLACE FUNCTION internal.schedule_item(
    kind text, item uuid, next_stability double precision, next_difficulty double precision, days int, reps_before int,
    at timestamptz, today date
) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO learn_review_items AS r (item_type, item_id, stability, difficulty, due, last_review, reps)
    SELECT kind, item, next_stability, next_difficulty, at + make_interval(days => days), at, 1
    ON CONFLICT (user_id, item_type, item_id) DO UPDATE
       SET stability = excluded.stability, difficulty = excluded.difficulty, due = excluded.due,
           last_review = excluded.last_review, reps = r.reps + 1
     WHERE r.reps = reps_before AND local_day(r.last_review) < today;
END;

-- Starts a lesson; one that was started before stays as it is. The lesson is held, since an administrator may delete it at this
-- moment: then nothing is started.
CREATE OR REPLACE FUNCTION app.start_lesson(lesson uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    INSERT INTO user_lesson_progress (lesson_id)
    SELECT l.id FROM learn_lessons AS l WHERE l.id = lesson FOR KEY SHARE
    ON CONFLICT DO NOTHING;
END;

-- Completes a lesson; the first time pays. `graded` is the score of answers, `given` the score of this completion. The
-- last four arguments are the lesson's next schedule, and the number of reviews it was computed after.
CREATE OR REPLACE FUNCTION app.complete_lesson(
    lesson uuid, given int, graded int, stability double precision, difficulty double precision, days int, reps_before int,
    OUT is_first_completion boolean, OUT paid award_result
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz;
    today date;
    l learn_lessons;
BEGIN
    PERFORM lock_user();
    at := instant();
    today := local_day(at);
    -- Held: an administrator may delete it at this moment, and then the progress of it could not be written.
    SELECT * INTO l FROM learn_lessons AS i WHERE i.id = lesson FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is no such lesson.');
    END IF;
    is_first_completion := NOT EXISTS (SELECT FROM user_lesson_progress AS p WHERE p.lesson_id = lesson AND p.status = 'completed');
    INSERT INTO user_lesson_progress AS p (lesson_id, status, started_at, completed_at, quiz_score, best_quiz_score, attempts)
    VALUES (lesson, 'completed', at, at, given, graded, 1)
    ON CONFLICT (user_id, lesson_id) DO UPDATE
       SET status = 'completed',
           completed_at = coalesce(p.completed_at, excluded.completed_at),
           quiz_score = coalesce(excluded.quiz_score, p.quiz_score),
           best_quiz_score = greatest(p.best_quiz_score, excluded.best_quiz_score),
           attempts = p.attempts + 1;
    PERFORM schedule_item('lesson', lesson, stability, difficulty, days, reps_before, at, today);
    IF is_first_completion THEN
        paid := pay_learning('lesson_complete', 'lesson', lesson, l.xp_reward, l.coin_reward, 'lesson:' || lesson,
                             l.skill_key, l.skill_star_reward, '{}', today);
    END IF;
END
$$;

-- Records an attempt of a drill. The first of a local day pays `xp`; days only ever go forward, so a day that was paid
-- for is not paid again when the user's clock is set back.
CREATE OR REPLACE FUNCTION app.submit_drill(
    drill uuid, score int, correct int, total int, seconds int, xp int,
    stability double precision, difficulty double precision, days int, reps_before int,
    OUT is_new_best boolean, OUT best_score int, OUT streak_continued boolean, OUT new_streak int, OUT paid award_result
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    at timestamptz;
    today date;
    known user_drill_stats;
    missed int;
BEGIN
    PERFORM lock_user();
    at := instant();
    today := local_day(at);
    -- Held, as a lesson is.
    PERFORM FROM learn_drills AS d WHERE d.id = drill FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is no such drill.');
    END IF;
    SELECT * INTO known FROM user_drill_stats AS s WHERE s.drill_id = drill;
    missed := today - 1 - known.last_attempt_day;
    is_new_best := coalesce(score > known.best_score, true);
    best_score := greatest(score, known.best_score);
    streak_continued := coalesce(missed <= 0, false);
    new_streak := CASE WHEN missed < 0 THEN known.current_streak WHEN missed = 0 THEN known.current_streak + 1 ELSE 1 END;
    INSERT INTO drill_attempts (drill_id, ordinal, score, correct_count, total_count, time_seconds, created_at)
    VALUES (drill, coalesce(known.total_attempts, 0) + 1, score, correct, total, seconds, at);
    INSERT INTO user_drill_stats AS s (
        drill_id, total_attempts, correct_answers, best_score, score_sum, current_streak, best_streak, last_attempt_at,
        last_attempt_day, total_time_seconds)
    VALUES (drill, 1, correct, score, score, 1, 1, at, today, seconds)
    ON CONFLICT (user_id, drill_id) DO UPDATE
       SET total_attempts = s.total_attempts + 1,
           correct_answers = s.correct_answers + excluded.correct_answers,
           best_score = greatest(s.best_score, excluded.best_score),
           score_sum = s.score_sum + excluded.score_sum,
           current_streak = new_streak,
           best_streak = greatest(s.best_streak, new_streak),
           last_attempt_at = excluded.last_attempt_at,
           last_attempt_day = greatest(s.last_attempt_day, excluded.last_attempt_day),
           total_time_seconds = s.total_time_seconds + excluded.total_time_seconds;
    PERFORM schedule_item('drill', drill, stability, difficulty, days, reps_before, at, today);
    IF known.drill_id IS NULL OR missed >= 0 THEN
        paid := pay_learning('drill_complete', 'drill', drill, xp, 0, 'drill:' || drill || ':' || today, NULL, 0, '{}', today);
    END IF;
END
$$;
