-- Rows of years, written past triggers and row-level security by the superuser, so that millions take minutes. Checks and
-- unique keys hold all the same. What is kept beside the rows is written as the routes would have kept it.

-- name: crowd
-- Users of whom every second one is on the boards; nobody signs in as one of them.
INSERT INTO users (id, email, name)
SELECT md5('crowd:' || n)::uuid, 'crowd-' || n || '@questlog.test', 'Crowd ' || n FROM generate_series(1, %(users)s) AS n;
INSERT INTO user_settings (user_id, key, value)
SELECT md5('crowd:' || n)::uuid, 'profile_public', 'true' FROM generate_series(2, %(users)s, 2) AS n;
-- Five payments a day, up to today for two of three users; of different amounts, so that the boards have an order.
INSERT INTO points_ledger (user_id, seq, event_type, source_type, base_xp, bonus_xp, xp, coins, skill_stars, counters,
                           metadata, level_after, coins_after, total_xp_after, streak_after, idempotency_key, local_date,
                           created_at)
SELECT p.user_id, n, 'focus_complete', 'bench', p.xp, 0, p.xp, 2, 0, '{"focus_sessions": 1}', '{}', level_for(n * p.xp),
       2 * n, n * p.xp, n, 'bench:' || n, d.day, d.day + time '12:00'
  FROM (SELECT md5('crowd:' || n)::uuid AS user_id, 5 + n %% 97 AS xp, n %% 3 = 0 AS left_long_ago
          FROM generate_series(1, %(users)s) AS n) AS p,
       generate_series(1, %(rows)s) AS n,
       LATERAL (SELECT (clock() AT TIME ZONE 'UTC')::date - (%(rows)s - n) / 5 - CASE WHEN p.left_long_ago THEN 90 ELSE 0 END
                           AS day) AS d;

-- name: history
INSERT INTO points_ledger (seq, event_type, source_type, base_xp, bonus_xp, xp, coins, skill_key, skill_stars, counters,
                           metadata, level_after, coins_after, total_xp_after, streak_after, idempotency_key, local_date,
                           created_at)
SELECT n, (ARRAY['habit_complete', 'focus_complete', 'quest_complete', 'milestone_complete', 'reading_session'])[1 + n %% 5],
       'bench', 10, 0, 10, 2, 'discipline', 0, '{"focus_minutes": 25}', '{}', level_for(10 * n), 2 * n, 10 * n, 1,
       'bench:' || n, d.day, d.day + interval '1 s' * (n %% 86000)
  FROM generate_series(1, %(ledger)s) AS n,
       LATERAL (SELECT (clock() AT TIME ZONE 'UTC')::date - 1 - ((%(ledger)s - n)::bigint * %(days)s / %(ledger)s)::int
                           AS day) AS d;

-- Achievements of the last day, which paid nothing.
WITH earned AS (
    INSERT INTO points_ledger (seq, event_type, source_type, base_xp, bonus_xp, xp, coins, skill_stars, counters, metadata,
                               level_after, coins_after, total_xp_after, streak_after, idempotency_key, local_date, created_at)
    SELECT %(ledger)s + a.place, 'achievement', 'achievement', 0, 0, 0, 0, 0, '{"achievements_earned": 1}', '{}',
           level_for(10 * %(ledger)s), 2 * %(ledger)s, 10 * %(ledger)s, 1, 'achievement:' || a.key, d.day, d.day + time '23:59'
      FROM (SELECT key, row_number() OVER (ORDER BY sort_order) AS place FROM achievement_definitions WHERE is_active) AS a,
           (SELECT (clock() AT TIME ZONE 'UTC')::date - 1 AS day) AS d
     WHERE a.place <= %(achievements)s
    RETURNING id, idempotency_key, created_at
)
INSERT INTO user_achievements (achievement_key, earned_at, notified, ledger_id)
SELECT substr(e.idempotency_key, length('achievement:') + 1), e.created_at, true, e.id FROM earned AS e;

-- name: habits
INSERT INTO habits (name, sort_order, created_on, streak, streak_through, longest_streak)
SELECT 'Habit ' || n, n, d.today - %(days)s, %(days)s, d.today - 1, %(days)s
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, generate_series(1, %(habits)s) AS n;
INSERT INTO habit_completions (habit_id, completed_date, ordinal, completed_at)
SELECT h.id, d.today - n, 1, (d.today - n) + time '12:00'
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, habits AS h, generate_series(1, %(days)s) AS n
 WHERE h.user_id = current_user_id();

-- Pauses of each habit for four days, and of everything for a week. Each was told when it was over.
INSERT INTO habit_pauses (habit_id, starts_on, ends_on, told_at, created_at)
SELECT h.id, p.day, p.day + 3, p.day + 4, p.day + 4
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, habits AS h,
       generate_series(10, %(days)s, least(100, %(days)s / 2)) AS n,
       LATERAL (SELECT d.today - n AS day) AS p
 WHERE h.user_id = current_user_id() AND h.name LIKE 'Habit %%';
INSERT INTO habit_pauses (starts_on, ends_on, told_at, created_at)
SELECT p.day, p.day + 6, p.day + 7, p.day + 7
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, generate_series(20, %(days)s, 180) AS n,
       LATERAL (SELECT d.today - n AS day) AS p;

-- name: goals
-- Every fifth is reached; of the others half of the milestones are.
INSERT INTO goals (title, description, priority, target_date, status, progress, completed_at)
SELECT 'Goal ' || n, 'Why it matters.', n %% 100, (clock() + interval '1 year')::date, s.status,
       CASE s.status WHEN 'completed' THEN 100 ELSE 50 END, CASE s.status WHEN 'completed' THEN clock() END
  FROM generate_series(1, %(goals)s) AS n,
       LATERAL (SELECT CASE n %% 5 WHEN 0 THEN 'completed' ELSE 'active' END AS status) AS s;
INSERT INTO goal_milestones (goal_id, title, sort_order, is_completed, completed_at)
SELECT g.id, 'Milestone ' || n, n, r.reached, CASE WHEN r.reached THEN clock() - interval '1 d' * (11 - n) END
  FROM goals AS g, generate_series(1, 10) AS n, LATERAL (SELECT n <= 5 OR g.status = 'completed' AS reached) AS r
 WHERE g.user_id = current_user_id() AND g.title LIKE 'Goal %%';

-- name: quests
INSERT INTO quests (title, category, xp_reward, coin_reward, is_repeatable, repeat_frequency, target)
SELECT 'Quest ' || n, 'bench', 10, 5, true, 'daily', 1 + n %% 2 FROM generate_series(1, %(quests)s) AS n;
INSERT INTO user_quest_progress (quest_id, period_key, period_start, status, progress, accepted_at, completed_at, streak_count,
                                 quest_created_at)
SELECT q.id, to_char(d.today - n, 'YYYY-MM-DD'), d.today - n, 'completed', q.target, d.today - n, d.today - n,
       %(quest_days)s - n + 1, q.created_at
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, quests AS q, generate_series(1, %(quest_days)s) AS n
 WHERE q.user_id = current_user_id() AND q.category = 'bench';
INSERT INTO user_quest_progress (quest_id, period_key, period_start, status, accepted_at, target, quest_created_at)
SELECT q.id, to_char(d.today, 'YYYY-MM-DD'), d.today, 'accepted', d.today, q.target, q.created_at
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, quests AS q
 WHERE q.user_id = current_user_id() AND q.category = 'bench';
-- Quests that are done once, and were. Their ids come last: what is asked of one quest is asked of one with a history.
INSERT INTO quests (id, title, category, xp_reward, coin_reward, created_at)
SELECT overlay(gen_random_uuid()::text PLACING 'ffff' FROM 1)::uuid, 'Errand ' || n, 'errand', 10, 5,
       clock() - interval '1 d' - n * (interval '1 d' * %(days)s / %(errands)s)
  FROM generate_series(1, %(errands)s) AS n;
INSERT INTO user_quest_progress (quest_id, period_key, status, progress, accepted_at, completed_at, xp_awarded, coins_awarded,
                                 quest_created_at)
SELECT q.id, 'once', 'completed', 1, q.created_at, q.created_at + interval '1 h', 10, 5, q.created_at
  FROM quests AS q WHERE q.user_id = current_user_id() AND q.category = 'errand';
INSERT INTO user_quest_progress (universal_quest_id, period_key, period_start, status, progress, completed_at)
SELECT u.id, to_char(d.today - n, 'YYYY-MM-DD'), d.today - n, 'completed', u.target, d.today - n
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, universal_quests AS u, generate_series(1, %(quest_days)s) AS n
 WHERE u.quest_type = 'daily';

-- name: calendar
-- Series of which one in %(series)s / 10 has an occurrence on a day of this week; and single events of years.
INSERT INTO calendar_events (title, start_time, end_time, timezone, recurrence_rule)
SELECT 'Series ' || n, s.at, s.at + interval '45 min', 'Europe/Berlin', 'FREQ=YEARLY'
  FROM (SELECT date_trunc('hour', clock()) AS hour) AS h, generate_series(11, %(series)s) AS n,
       LATERAL (SELECT h.hour - interval '2 years' + interval '30 d' + interval '1 h' * (n %% 7000) AS at) AS s;
INSERT INTO calendar_events (title, start_time, end_time, timezone, recurrence_rule)
SELECT 'Daily ' || n, s.at, s.at + interval '45 min', 'Europe/Berlin', 'FREQ=DAILY'
  FROM (SELECT date_trunc('day', clock()) AS day) AS h, generate_series(1, least(10, %(series)s)) AS n,
       LATERAL (SELECT h.day - interval '1 d' * %(days)s + interval '1 h' * n AS at) AS s;
INSERT INTO calendar_events (title, start_time, end_time, timezone)
SELECT 'Event ' || n, s.at, s.at + interval '45 min', 'Europe/Berlin'
  FROM (SELECT date_trunc('hour', clock()) AS hour) AS h, generate_series(1, %(events)s) AS n,
       LATERAL (SELECT h.hour + interval '1 h' - interval '13 h' * n AS at) AS s;
INSERT INTO calendar_completions (event_id, occurrence, completed_at, ledger_key)
SELECT e.id, e.start_time + interval '1 d' * n, e.start_time + interval '1 d' * n, 'bench:' || n
  FROM calendar_events AS e, generate_series(1, %(days)s - 1) AS n
 WHERE e.user_id = current_user_id() AND e.recurrence_rule = 'FREQ=DAILY';
INSERT INTO calendar_completions (event_id, completed_at, ledger_key)
SELECT e.id, e.end_time, 'bench:' || e.id
  FROM calendar_events AS e
 WHERE e.user_id = current_user_id() AND e.title LIKE 'Event %%' AND e.end_time < clock() - interval '1 d';

-- name: plans
-- What a day is planned with by itself, and a task.
INSERT INTO daily_plans (date, items)
SELECT (clock() AT TIME ZONE 'UTC')::date - n, i.items
  FROM generate_series(0, %(days)s) AS n,
       (SELECT jsonb_agg(plan_item(jsonb_build_object('id', p.id, 'type', p.type, 'title', p.title, 'completed', false,
                                                      'priority', 90 + 10 * p.place)) ORDER BY p.place) AS items
          FROM (SELECT k.*, row_number() OVER (ORDER BY k.kind, k.title) AS place
                  FROM ((SELECT 1 AS kind, 'plan_focus' AS id, 'focus' AS type, 'Focus block' AS title)
                         UNION ALL
                        (SELECT 2, 'plan_habit_' || h.id, 'habit', h.name
                           FROM habits AS h WHERE h.user_id = current_user_id() AND h.name LIKE 'Habit %%'
                          ORDER BY h.sort_order LIMIT 5)
                         UNION ALL
                        (SELECT 3, 'plan_quest_' || q.id, 'quest', q.title
                           FROM quests AS q WHERE q.user_id = current_user_id() AND q.category = 'bench'
                          ORDER BY q.title LIMIT 3)
                         UNION ALL
                        (SELECT 4, 'task_' || gen_random_uuid(), 'focus', 'Call home')) AS k) AS p) AS i;

-- name: focus
INSERT INTO focus_sessions (duration_seconds, actual_seconds, status, end_reason, started_at, completed_at, ended_at,
                            xp_awarded, coins_awarded, tags)
SELECT 1500, 1500, 'completed', 'timer', s.at, s.at + interval '1500 s', s.at + interval '1500 s', 25, 5, '{deep}'
  FROM generate_series(1, %(focus)s) AS n,
       LATERAL (SELECT date_trunc('day', clock()) - interval '1 h' - n * (interval '1 d' * %(days)s / %(focus)s) AS at) AS s;
INSERT INTO activity_events (event_type, created_at)
SELECT 'page_view', clock() - n * (interval '1 d' * %(days)s / %(activity)s) FROM generate_series(1, %(activity)s) AS n;

-- name: books
INSERT INTO books (title, author, total_pages, current_page, status, started_at, finished_at, times_read, created_at)
SELECT 'Book ' || n, 'Author ' || n %% 50, 300, 300, 'completed', clock() - interval '1 d' * n - interval '9 d',
       clock() - interval '1 d' * n, 1, clock() - interval '1 d' * n - interval '10 d'
  FROM generate_series(1, %(books)s) AS n;
INSERT INTO books (title, total_pages, status, started_at) VALUES ('The one that is read', 50000, 'reading', clock());
INSERT INTO book_reads (book_id, read_number, started_at, finished_at)
SELECT b.id, 1, b.started_at, b.finished_at FROM books AS b WHERE b.user_id = current_user_id() AND b.status = 'completed';
INSERT INTO reading_sessions (book_id, pages_read, duration_minutes, logged_at, local_date, start_page, end_page, unit,
                              read_number, xp_awarded, coins_awarded)
SELECT b.id, 30, 30, b.finished_at - interval '1 d' * n, (b.finished_at - interval '1 d' * n)::date, 270 - 30 * n,
       300 - 30 * n, 'page', 1, 6, 3
  FROM books AS b, generate_series(0, 9) AS n WHERE b.user_id = current_user_id() AND b.status = 'completed';

-- name: notes
INSERT INTO ideas (title, content, tags, created_at)
SELECT 'Idea ' || n, 'A bridge in seven eighths.', '{song}', clock() - interval '1 h' * n FROM generate_series(1, %(notes)s) AS n;
INSERT INTO inbox_items (title, created_at, is_read)
SELECT 'Item ' || n, clock() - interval '1 h' * n, n > 20 FROM generate_series(1, %(notes)s) AS n;
INSERT INTO user_references (title, url, tags, created_at)
SELECT 'Reference ' || n, 'https://questlog.test/', '{mixing}', clock() - interval '1 h' * n
  FROM generate_series(1, %(notes)s) AS n;
INSERT INTO infobase_entries (title, content, version, updated_at)
SELECT 'Entry ' || n, 'Leave headroom.', 4, clock() - interval '1 h' * n FROM generate_series(1, %(notes)s) AS n;
INSERT INTO infobase_versions (entry_id, version, title, content, written_at, replaced_at)
SELECT e.id, n, e.title, 'Leave room.', e.updated_at - interval '1 h' * (5 - n), e.updated_at - interval '1 h' * (4 - n)
  FROM infobase_entries AS e, generate_series(1, 3) AS n
 WHERE e.user_id = current_user_id() AND e.version = 4;
-- The search index, as an import makes it; the owner of the functions is held by row-level security, and the superuser is not.
DELETE FROM search_words WHERE user_id = current_user_id();
DELETE FROM search_documents WHERE user_id = current_user_id();
SET ROLE questlog_owner;
SELECT index_infobase(), index_ideas();
RESET ROLE;

-- name: purchases
-- Rewards of one's own take turns with a shared item. Every hundredth purchase has not been redeemed.
INSERT INTO market_items (owner_id, key, name, price_coins, limit_period, sort_order)
SELECT current_user_id(), 'reward-' || n, 'Reward ' || n, 10 + n, 'day', n FROM generate_series(1, %(rewards)s) AS n;
INSERT INTO user_purchases (item_owner, item_id, item_key, item_name, category, is_consumable, unit_price, quantity, price_paid,
                            uses_total, uses_remaining, status, purchased_at, redeemed_at)
SELECT i.owner_key, i.id, i.key, i.name, i.category, true, 0, 1, 0, 1, h.uses,
       CASE h.uses WHEN 0 THEN 'redeemed' ELSE 'active' END, h.at, CASE h.uses WHEN 0 THEN h.at END
  FROM (SELECT k.*, row_number() OVER () - 1 AS place, count(*) OVER () AS items
          FROM ((SELECT * FROM market_items AS s WHERE s.owner_id IS NULL AND s.is_consumable ORDER BY s.key LIMIT 1)
                 UNION ALL
                (SELECT * FROM market_items AS s WHERE s.owner_id = current_user_id() AND s.name LIKE 'Reward %%')) AS k) AS i,
       generate_series(1, %(notes)s) AS n,
       LATERAL (SELECT clock() - n * (interval '1 d' * %(days)s / %(notes)s) AS at, (n %% 100 = 0)::int AS uses) AS h
 WHERE n %% i.items = i.place;

-- name: tracks
INSERT INTO reference_tracks (name, r2_key, file_size_bytes, mime_type, status, duration_seconds, content_sha256, created_at)
SELECT 'Track ' || n, current_user_id() || '/audio/' || gen_random_uuid() || '.wav', 1000, 'audio/wav', 'ready', 60,
       lpad(to_hex(n), 64, '0'), clock() - n * (interval '1 d' * %(days)s / %(tracks)s)
  FROM generate_series(1, %(tracks)s) AS n;
INSERT INTO track_analysis_cache (content_hash, name, source, duration_ms)
SELECT lpad(to_hex(n), 64, '0'), 'Track ' || n, 'worker', 60000 FROM generate_series(0, %(tracks)s) AS n;
INSERT INTO track_annotations (track_id, start_time_ms, title, color, created_at)
SELECT t.id, 100 * n, 'Note ' || n, '#ffffff', t.created_at
  FROM reference_tracks AS t, generate_series(1, 10) AS n WHERE t.user_id = current_user_id();
INSERT INTO track_regions (track_id, start_time_ms, end_time_ms, name, color)
SELECT t.id, 500 * n, 500 * n + 3000, 'Region ' || n, '#ffffff'
  FROM reference_tracks AS t, generate_series(1, 10) AS n WHERE t.user_id = current_user_id();
-- Each was analysed, and they are compared in pairs, by a region or as a whole.
INSERT INTO track_analyses (track_id, analysis_type, version, status, progress, summary, started_at, completed_at, created_at)
SELECT t.id, 'full', '1', 'completed', 1, %(summary)s, t.created_at, t.created_at, t.created_at
  FROM reference_tracks AS t WHERE t.user_id = current_user_id();
INSERT INTO analysis_frame_manifests (analysis_id, hop_ms, frame_count, duration_ms, sample_rate, bands, frame_layout,
                                      bytes_per_frame, chunk_size_frames, total_chunks, fingerprint, analyzer_version)
SELECT a.id, m.hop_ms, m.frame_count, m.duration_ms, m.sample_rate, m.bands, m.frame_layout, m.bytes_per_frame,
       m.chunk_size_frames, m.total_chunks, m.fingerprint, m.analyzer_version
  FROM track_analyses AS a, jsonb_populate_record(NULL::analysis_frame_manifests, %(frames)s) AS m
 WHERE a.user_id = current_user_id();
INSERT INTO analysis_frame_data (analysis_id, chunk_index, start_frame, end_frame, frame_data)
SELECT a.id, c.number - 1, c.start, c.end, c.data
  FROM track_analyses AS a,
       unnest(%(starts)s::int[], %(ends)s::int[], %(chunks)s::bytea[]) WITH ORDINALITY AS c (start, "end", data, number)
 WHERE a.user_id = current_user_id();
INSERT INTO analysis_events (analysis_id, seq, time_ms, event_type)
SELECT a.id, b.seq, b.time_ms, 'beat'
  FROM track_analyses AS a, unnest(%(beats)s::int[]) WITH ORDINALITY AS b (time_ms, seq) WHERE a.user_id = current_user_id();
INSERT INTO listening_comparisons (track_a_id, track_b_id, region_a_id, region_b_id, match_mode, trial, created_at, updated_at)
SELECT t.id, t.next, r.a, r.b, CASE WHEN r.a IS NULL THEN 'integrated' ELSE 'region' END, 11, t.created_at, t.created_at
  FROM (SELECT k.id, lead(k.id) OVER (ORDER BY k.created_at DESC) AS next, k.created_at,
               row_number() OVER (ORDER BY k.created_at DESC) AS place
          FROM reference_tracks AS k WHERE k.user_id = current_user_id()) AS t,
       LATERAL (SELECT min(g.id::text) FILTER (WHERE g.track_id = t.id)::uuid AS a,
                       min(g.id::text) FILTER (WHERE g.track_id = t.next)::uuid AS b
                  FROM track_regions AS g
                 WHERE g.user_id = current_user_id() AND g.track_id IN (t.id, t.next) AND t.place %% 2 = 0) AS r
 WHERE t.place <= %(comparisons)s;
INSERT INTO comparison_votes (comparison_id, trial, preferred, preferred_as_sent, created_at)
SELECT c.id, n, 'a', 'a', c.created_at
  FROM listening_comparisons AS c, generate_series(1, 10) AS n WHERE c.user_id = current_user_id();
INSERT INTO listening_sessions (track_id, status, listened_ms, started_at, ended_at, completed_on)
SELECT t.id, 'completed', 60000, t.created_at - interval '1 h' * n, t.created_at, t.created_at::date
  FROM reference_tracks AS t, generate_series(1, 10) AS n WHERE t.user_id = current_user_id();
INSERT INTO listening_session_items (session_id, position, prompt, category, checked)
SELECT s.id, n, 'What changed?', 'mixing', true
  FROM listening_sessions AS s, generate_series(1, 3) AS n WHERE s.user_id = current_user_id();

-- name: drills
-- An attempt of each drill on each day.
INSERT INTO drill_attempts (drill_id, ordinal, score, correct_count, total_count, time_seconds, created_at)
SELECT d.id, n, 80, 8, 10, 60, clock() - interval '1 d' * (%(days)s - n + 1)
  FROM learn_drills AS d, generate_series(1, %(days)s) AS n;
INSERT INTO user_drill_stats (drill_id, total_attempts, correct_answers, best_score, score_sum, current_streak, best_streak,
                              last_attempt_at, last_attempt_day, total_time_seconds)
SELECT d.id, %(days)s, 8 * %(days)s, 80, 80 * %(days)s, %(days)s, %(days)s, clock() - interval '1 d',
       (clock() AT TIME ZONE 'UTC')::date - 1, 60 * %(days)s
  FROM learn_drills AS d;

-- name: programs
-- Workouts, and programs of six weeks that are over: of the days on three workouts each, the last was left out.
INSERT INTO workouts (name, created_at)
SELECT 'Workout ' || n, clock() - interval '1 d' * n FROM generate_series(1, 3 * %(programs)s) AS n;
INSERT INTO workout_sections (workout_id, name, section_type, sort_order)
SELECT w.id, 'Main', 'main', 0 FROM workouts AS w WHERE w.user_id = current_user_id() AND w.name LIKE 'Workout %%';
INSERT INTO workout_exercises (section_id, exercise_owner, exercise_id, sets, sort_order)
SELECT s.id, e.owner_key, e.id, 3, e.place
  FROM workouts AS w JOIN workout_sections AS s ON s.user_id = w.user_id AND s.workout_id = w.id,
       (SELECT owner_key, id, row_number() OVER (ORDER BY slug) AS place
          FROM exercises WHERE is_builtin ORDER BY slug LIMIT 5) AS e
 WHERE w.user_id = current_user_id() AND w.name LIKE 'Workout %%';
INSERT INTO training_programs (name, duration_weeks, days_per_week, started_at, completed_at, current_week, current_day,
                               created_at)
SELECT 'Program ' || n, 6, 3, s.at, s.at + interval '42 d', 6, 3, s.at
  FROM generate_series(1, %(programs)s) AS n,
       LATERAL (SELECT clock() - interval '43 d' - n * (interval '1 d' * %(days)s / %(programs)s) AS at) AS s;
INSERT INTO program_weeks (program_id, week_number, name)
SELECT p.id, n, 'Week ' || n
  FROM training_programs AS p, generate_series(1, 6) AS n WHERE p.user_id = current_user_id() AND p.name LIKE 'Program %%';
INSERT INTO program_workouts (program_week_id, workout_id, day_number, order_index, status, session_id, completed_at)
SELECT k.id, k.workout_id, k.day, 0, k.status, s.id, s.completed_at
  FROM (SELECT w.id, o.workout_id, d.day, CASE d.day WHEN 3 THEN 'skipped' ELSE 'completed' END AS status,
               row_number() OVER (ORDER BY w.id, d.day) AS place
          FROM training_programs AS p JOIN program_weeks AS w ON w.user_id = p.user_id AND w.program_id = p.id,
               generate_series(1, 3) AS d (day),
               (SELECT id AS workout_id FROM workouts WHERE user_id = current_user_id() AND name = 'Workout 1') AS o
         WHERE p.user_id = current_user_id() AND p.name LIKE 'Program %%') AS k
  LEFT JOIN (SELECT id, completed_at, row_number() OVER (ORDER BY started_at DESC) AS place, count(*) OVER () AS sessions
               FROM workout_sessions WHERE user_id = current_user_id() AND status = 'completed') AS s
    ON k.status = 'completed' AND s.place = 1 + k.place %% s.sessions;

-- name: messages
-- Messages of the 90 days that they are kept, each sent to a browser and by mail.
INSERT INTO notification_outbox (seq, kind, dedupe_key, title, body, path, created_at, expires_at)
SELECT n, 'habit', 'bench:' || n, 'Habit ' || n, 'It is time.', '/habits', s.at, s.at + interval '1 d'
  FROM generate_series(1, %(messages)s) AS n,
       LATERAL (SELECT clock() - interval '1 d' - (%(messages)s - n) * interval '88 d' / %(messages)s AS at) AS s;
INSERT INTO notification_deliveries (message_id, channel, subscription_id, status, attempts, run_after, finished_at)
SELECT o.id, c.channel, c.subscription, 'delivered', 1, o.created_at, o.created_at
  FROM notification_outbox AS o,
       (SELECT 'push' AS channel, s.id AS subscription FROM push_subscriptions AS s WHERE s.user_id = current_user_id()
         UNION ALL SELECT 'email', NULL) AS c
 WHERE o.user_id = current_user_id();
INSERT INTO feedback (feedback_type, title, description, status, resolved_at, created_at)
SELECT 'bug', 'Report ' || n, 'After a pause.', 'resolved', s.at + interval '1 h', s.at
  FROM generate_series(1, %(reports)s) AS n,
       LATERAL (SELECT clock() - n * (interval '1 d' * %(days)s / %(reports)s) AS at) AS s;
INSERT INTO reading_goals (year, target)
SELECT extract(year FROM clock())::int - n, 20 FROM generate_series(0, %(days)s / 365) AS n;

-- name: totals
INSERT INTO user_totals (user_id, list, day, kind, total, amount)
SELECT user_id, list, day, kind, total, amount FROM recounted_totals
ON CONFLICT (user_id, list, day, kind) DO UPDATE SET total = excluded.total, amount = excluded.amount;
INSERT INTO user_runs (user_id, list, first_day, last_day)
SELECT user_id, list, first_day, last_day FROM recounted_runs
ON CONFLICT (user_id, list, first_day) DO UPDATE SET last_day = excluded.last_day;
INSERT INTO ledger_days (user_id, day, xp, coins_earned, coins_spent, events, first_seq, last_seq)
SELECT * FROM recounted_days AS r WHERE NOT EXISTS (SELECT FROM ledger_days AS d WHERE d.user_id = r.user_id);
INSERT INTO ledger_blocks (user_id, last_seq, event_type, count)
SELECT * FROM recounted_blocks AS r WHERE NOT EXISTS (SELECT FROM ledger_blocks AS b WHERE b.user_id = r.user_id)
 ORDER BY r.user_id, r.last_seq;
INSERT INTO user_progress (user_id, total_xp, current_level, active_days, last_active_day)
SELECT l.user_id, sum(l.xp), level_for(sum(l.xp)::bigint), count(DISTINCT l.local_date), max(l.local_date)
  FROM points_ledger AS l WHERE NOT EXISTS (SELECT FROM user_progress AS p WHERE p.user_id = l.user_id)
 GROUP BY l.user_id;
INSERT INTO user_wallet (user_id, coins, total_earned)
SELECT l.user_id, sum(l.coins), sum(l.coins)
  FROM points_ledger AS l WHERE NOT EXISTS (SELECT FROM user_wallet AS w WHERE w.user_id = l.user_id)
 GROUP BY l.user_id;
-- Few have long streaks, and many short ones.
INSERT INTO user_streaks (user_id, streak_type, current_streak, longest_streak, last_activity_date)
SELECT l.user_id, 'daily_activity', k.streak, k.streak, max(l.local_date)
  FROM points_ledger AS l,
       LATERAL (SELECT 1 + floor(500 * (abs(hashtext(l.user_id::text)) %% 1000 / 1000.0) ^ 4)::int AS streak) AS k
 WHERE NOT EXISTS (SELECT FROM user_streaks AS s WHERE s.user_id = l.user_id)
 GROUP BY l.user_id, k.streak;
UPDATE user_streaks AS s SET pauses_until = p.last
  FROM (SELECT user_id, max(ends_on) AS last FROM habit_pauses WHERE habit_id IS NULL GROUP BY user_id) AS p
 WHERE p.user_id = s.user_id;
INSERT INTO leaderboard_scores (user_id, board, first_day, score, score_before)
SELECT r.user_id, r.board, r.first_day, r.score, r.score_before
  FROM recounted_scores AS r JOIN user_settings AS s ON s.user_id = r.user_id AND s.key = 'profile_public' AND s.value = 'true'
ON CONFLICT (user_id, board) DO UPDATE
   SET (first_day, score, score_before) = (excluded.first_day, excluded.score, excluded.score_before);
INSERT INTO user_skills (user_id, skill_key, xp)
SELECT l.user_id, l.skill_key, sum(l.xp) FROM points_ledger AS l
 WHERE l.skill_key IS NOT NULL AND NOT EXISTS (SELECT FROM user_skills AS s WHERE s.user_id = l.user_id)
 GROUP BY l.user_id, l.skill_key;
INSERT INTO user_counters (user_id, counter, value)
SELECT l.user_id, c.key, sum(c.value::bigint) FROM points_ledger AS l, jsonb_each(l.counters) AS c
 WHERE NOT EXISTS (SELECT FROM user_counters AS s WHERE s.user_id = l.user_id)
 GROUP BY l.user_id, c.key;
UPDATE user_progress AS p
   SET total_skill_stars = (SELECT coalesce(sum(s.xp / 10), 0) FROM user_skills AS s WHERE s.user_id = p.user_id),
       latest_day = (SELECT max(d.day) FROM ledger_days AS d WHERE d.user_id = p.user_id),
       on_boards = EXISTS (SELECT FROM leaderboard_scores AS s WHERE s.user_id = p.user_id);
