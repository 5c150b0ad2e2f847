-- migrate:up
-- What the ledger knows from the start. Can be run again: events belong to the code and are set to what it expects;
-- skills and achievements are content that administrators edit or archive, so rows that exist are left alone.
SET LOCAL ROLE questlog_owner;

INSERT INTO skill_definitions (key, name, description, category, icon, color, max_level, sort_order, is_built_in) VALUES
    ('focus', 'Focus', 'Staying with one thing until it is done.', 'mental', 'brain', '#6366f1', 100, 1, true),
    ('discipline', 'Discipline', 'Doing what you said you would.', 'mental', 'target', '#f59e0b', 100, 2, true),
    ('strength', 'Strength', 'Lifting more than last month.', 'physical', 'dumbbell', '#ef4444', 100, 3, true),
    ('endurance', 'Endurance', 'Going further before you need a rest.', 'physical', 'heart', '#ec4899', 100, 4, true),
    ('creativity', 'Creativity', 'Making things that were not there before.', 'creative', 'palette', '#8b5cf6', 100, 5, true),
    ('knowledge', 'Knowledge', 'Reading, learning and remembering it.', 'mental', 'book', '#10b981', 100, 6, true)
ON CONFLICT (key) DO NOTHING;

INSERT INTO streak_types (streak_type, sort_order) VALUES
    ('daily_activity', 1), ('focus', 2), ('habit', 3), ('workout', 4), ('learning', 5), ('reading', 6)
ON CONFLICT (streak_type) DO NOTHING;

INSERT INTO counters (counter) VALUES
    ('focus_sessions'), ('focus_minutes'), ('breaks_taken'), ('habits_completed'), ('perfect_habit_days'),
    ('milestones_completed'), ('goals_completed'), ('quests_completed'), ('planner_tasks_completed'),
    ('workouts_completed'), ('exercise_minutes'), ('personal_records'), ('reading_sessions'), ('reading_minutes'),
    ('pages_read'), ('books_completed'), ('lessons_completed'), ('drills_completed'), ('review_sessions'),
    ('cards_reviewed'), ('listening_sessions'), ('listening_minutes'), ('achievements_earned')
ON CONFLICT (counter) DO NOTHING;

INSERT INTO event_definitions (event_type, kind, default_skill, streak_types, counter, boostable) VALUES
    ('focus_complete', 'award', 'focus', '{daily_activity,focus}', 'focus_sessions', true),
    ('focus_partial', 'award', 'focus', '{daily_activity,focus}', NULL, true),
    ('break_complete', 'award', NULL, '{}', 'breaks_taken', false),
    ('habit_complete', 'award', 'discipline', '{daily_activity,habit}', 'habits_completed', true),
    ('milestone_complete', 'award', 'discipline', '{daily_activity}', 'milestones_completed', true),
    ('goal_complete', 'award', 'discipline', '{daily_activity}', 'goals_completed', true),
    ('quest_complete', 'award', NULL, '{daily_activity}', 'quests_completed', false),
    ('planner_task_complete', 'award', 'discipline', '{daily_activity}', 'planner_tasks_completed', true),
    ('workout_complete', 'award', 'strength', '{daily_activity,workout}', 'workouts_completed', true),
    ('personal_record', 'award', 'strength', '{daily_activity}', 'personal_records', true),
    ('reading_session', 'award', 'knowledge', '{daily_activity,reading}', 'reading_sessions', true),
    ('book_complete', 'award', 'knowledge', '{daily_activity}', 'books_completed', true),
    ('lesson_complete', 'award', 'knowledge', '{daily_activity,learning}', 'lessons_completed', true),
    ('drill_complete', 'award', 'knowledge', '{daily_activity,learning}', 'drills_completed', true),
    ('review_session', 'award', 'knowledge', '{daily_activity,learning}', 'review_sessions', true),
    ('listening_complete', 'award', 'knowledge', '{daily_activity,learning}', 'listening_sessions', true),
    ('achievement', 'award', NULL, '{}', 'achievements_earned', false),
    ('admin_adjustment', 'award', NULL, '{}', NULL, false),
    ('market_purchase', 'spend', NULL, '{}', NULL, false),
    ('reversal', 'reversal', NULL, '{}', NULL, false),
    ('market_refund', 'reversal', NULL, '{}', NULL, false)
ON CONFLICT (event_type) DO UPDATE
   SET kind = excluded.kind,
       default_skill = excluded.default_skill,
       streak_types = excluded.streak_types,
       counter = excluded.counter,
       boostable = excluded.boostable;

INSERT INTO achievement_definitions (
    key, name, description, category, icon, trigger_type, trigger_config, reward_xp, reward_coins, sort_order, is_hidden,
    is_built_in)
VALUES
    ('first_focus', 'First spark', 'Finish your first focus session.', 'focus', 'zap',
     'counter', '{"counter": "focus_sessions", "count": 1}', 25, 10, 1, false, true),
    ('focus_10', 'Finding the rhythm', 'Finish 10 focus sessions.', 'focus', 'zap',
     'counter', '{"counter": "focus_sessions", "count": 10}', 100, 25, 2, false, true),
    ('focus_100', 'Unshakeable', 'Finish 100 focus sessions.', 'focus', 'crown',
     'counter', '{"counter": "focus_sessions", "count": 100}', 500, 100, 3, false, true),
    ('deep_work', 'Deep water', 'Stay in one focus session for an hour.', 'focus', 'clock',
     'event', '{"event_type": "focus_complete", "min": {"duration_seconds": 3600}}', 100, 50, 4, false, true),
    ('streak_3', 'Three in a row', 'Be active on 3 days running.', 'streak', 'flame',
     'streak', '{"streak_type": "daily_activity", "count": 3}', 50, 15, 10, false, true),
    ('streak_7', 'A whole week', 'Be active on 7 days running.', 'streak', 'flame',
     'streak', '{"streak_type": "daily_activity", "count": 7}', 150, 35, 11, false, true),
    ('streak_30', 'A month of days', 'Be active on 30 days running.', 'streak', 'fire',
     'streak', '{"streak_type": "daily_activity", "count": 30}', 500, 150, 12, false, true),
    ('streak_100', 'One hundred', 'Be active on 100 days running.', 'streak', 'trophy',
     'streak', '{"streak_type": "daily_activity", "count": 100}', 2000, 500, 13, true, true),
    ('first_habit', 'A promise kept', 'Complete a habit for the first time.', 'habit', 'check',
     'counter', '{"counter": "habits_completed", "count": 1}', 25, 10, 20, false, true),
    ('habit_streak_7', 'Second nature', 'Bring one habit to a streak of 7.', 'habit', 'repeat',
     'event', '{"event_type": "habit_complete", "min": {"habit_streak": 7}}', 150, 50, 21, false, true),
    ('first_book', 'The last page', 'Read a book to its end.', 'reading', 'book',
     'counter', '{"counter": "books_completed", "count": 1}', 200, 50, 30, false, true),
    ('books_10', 'A full shelf', 'Read 10 books to their end.', 'reading', 'library',
     'counter', '{"counter": "books_completed", "count": 10}', 1000, 200, 31, false, true),
    ('first_workout', 'Warmed up', 'Complete your first workout.', 'fitness', 'dumbbell',
     'counter', '{"counter": "workouts_completed", "count": 1}', 50, 25, 40, false, true),
    ('first_pr', 'Better than before', 'Beat one of your own records.', 'fitness', 'medal',
     'counter', '{"counter": "personal_records", "count": 1}', 100, 50, 41, false, true),
    ('first_lesson', 'Lesson one', 'Complete your first lesson.', 'learning', 'graduation',
     'counter', '{"counter": "lessons_completed", "count": 1}', 50, 15, 50, false, true),
    ('quests_10', 'Adventurer', 'Complete 10 quests.', 'quest', 'scroll',
     'counter', '{"counter": "quests_completed", "count": 10}', 50, 25, 60, false, true),
    ('goals_5', 'Far horizons', 'Reach 5 goals.', 'goal', 'flag',
     'counter', '{"counter": "goals_completed", "count": 5}', 100, 50, 61, false, true),
    ('level_5', 'Level five', 'Reach level 5.', 'level', 'star',
     'level', '{"level": 5}', 0, 50, 70, false, true),
    ('level_10', 'Level ten', 'Reach level 10.', 'level', 'star',
     'level', '{"level": 10}', 0, 100, 71, false, true)
ON CONFLICT (key) DO NOTHING;
