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

-- name: habits
INSERT INTO habits (name, sort_order, created_on, streak, streak_through, longest_streak)
SELECT 'Habit ' || n, n, d.today - %(days)s, %(days)s, d.today - 1, %(days)s
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, generate_series(1, %(habits)s) AS n;
INSERT INTO habit_completions (habit_id, completed_date, ordinal, completed_at)
SELECT h.id, d.today - n, 1, (d.today - n) + time '12:00'
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, habits AS h, generate_series(1, %(days)s) AS n
 WHERE h.user_id = current_user_id();

-- name: goals
INSERT INTO goals (title, description, priority, target_date)
SELECT 'Goal ' || n, 'Why it matters.', n %% 100, (clock() + interval '1 year')::date FROM generate_series(1, %(goals)s) AS n;
INSERT INTO goal_milestones (goal_id, title, sort_order)
SELECT g.id, 'Milestone ' || n, n FROM goals AS g, generate_series(1, 10) AS n WHERE g.user_id = current_user_id();

-- name: quests
INSERT INTO quests (title, category, xp_reward, coin_reward, is_repeatable, repeat_frequency, target)
SELECT 'Quest ' || n, 'bench', 10, 5, true, 'daily', 1 + n %% 2 FROM generate_series(1, %(quests)s) AS n;
INSERT INTO user_quest_progress (quest_id, period_key, period_start, status, progress, accepted_at, completed_at, streak_count)
SELECT q.id, to_char(d.today - n, 'YYYY-MM-DD'), d.today - n, 'completed', q.target, d.today - n, d.today - n,
       %(quest_days)s - n + 1
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, quests AS q, generate_series(1, %(quest_days)s) AS n
 WHERE q.user_id = current_user_id();
INSERT INTO user_quest_progress (quest_id, period_key, period_start, status, accepted_at, target)
SELECT q.id, to_char(d.today, 'YYYY-MM-DD'), d.today, 'accepted', d.today, q.target
  FROM (SELECT (clock() AT TIME ZONE 'UTC')::date AS today) AS d, quests AS q WHERE q.user_id = current_user_id();
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
INSERT INTO daily_plans (date, items)
SELECT (clock() AT TIME ZONE 'UTC')::date - n, '[]' FROM generate_series(1, %(days)s) AS n;

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
INSERT INTO infobase_entries (title, content, updated_at)
SELECT 'Entry ' || n, 'Leave headroom.', clock() - interval '1 h' * n FROM generate_series(1, %(notes)s) AS n;
-- The search index, as an import makes it; the owner of the functions is held by row-level security, and the superuser is not.
DELETE FROM search_words WHERE user_id = current_user_id();
DELETE FROM search_documents WHERE user_id = current_user_id();
SET ROLE questlog_owner;
SELECT index_infobase(), index_ideas();
RESET ROLE;

-- name: purchases
-- Every hundredth has not been redeemed.
INSERT INTO user_purchases (item_owner, item_id, item_key, item_name, category, is_consumable, unit_price, quantity, price_paid,
                            uses_total, uses_remaining, status, purchased_at, redeemed_at)
SELECT i.owner_key, i.id, i.key, i.name, i.category, true, 0, 1, 0, 1, h.uses, CASE h.uses WHEN 0 THEN 'redeemed' ELSE 'active' END,
       h.at, CASE h.uses WHEN 0 THEN h.at END
  FROM (SELECT * FROM market_items AS i WHERE i.owner_id IS NULL AND i.is_consumable ORDER BY i.key LIMIT 1) AS i,
       generate_series(1, %(notes)s) AS n,
       LATERAL (SELECT clock() - interval '1 h' * n AS at, (n %% 100 = 0)::int AS uses) AS h;

-- name: tracks
INSERT INTO reference_tracks (name, r2_key, file_size_bytes, mime_type, status, duration_seconds, created_at)
SELECT 'Track ' || n, current_user_id() || '/audio/' || gen_random_uuid() || '.wav', 1000, 'audio/wav', 'ready', 60,
       clock() - interval '1 h' * n
  FROM generate_series(1, %(tracks)s) AS n;
INSERT INTO track_annotations (track_id, start_time_ms, title, color, created_at)
SELECT t.id, 100 * n, 'Note ' || n, '#ffffff', t.created_at
  FROM reference_tracks AS t, generate_series(1, 10) AS n WHERE t.user_id = current_user_id();
INSERT INTO listening_sessions (track_id, status, listened_ms, started_at, ended_at, completed_on)
SELECT t.id, 'completed', 60000, t.created_at - interval '1 h' * n, t.created_at, t.created_at::date
  FROM reference_tracks AS t, generate_series(1, 10) AS n WHERE t.user_id = current_user_id();

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
