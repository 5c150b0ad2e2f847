-- Statements of one name travel together, and each sees what those before it wrote. A topic, lesson or drill goes by its
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
INSERT INTO user_lesson_progress (lesson_id)
SELECT id FROM lesson_named(%(lesson)s) AS id WHERE id IS NOT NULL
ON CONFLICT DO NOTHING;
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
