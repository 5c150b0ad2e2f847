-- migrate:up
-- The universal quests there are from the start. Can be run again: they are content that administrators edit or archive,
-- so rows that exist are left alone. Their ids follow from their keys, so that an account's progress finds its quest in
-- any installation.
SET LOCAL ROLE questlog_owner;

INSERT INTO universal_quests (
    id, key, title, description, category, difficulty, quest_type, xp_reward, coin_reward, target, target_type, skill_key,
    sort_order, is_built_in)
SELECT md5('universal_quest:' || s.key)::uuid, s.*, true
  FROM (VALUES
       ('daily_focus', 'Twenty-five quiet minutes', 'Give one thing your whole attention for 25 minutes today.',
        'focus', 'easy', 'daily', 50, 10, 25, 'focus_minutes', 'focus', 1),
       ('daily_habit', 'Keep one promise', 'Complete one of your habits today.',
        'habit', 'starter', 'daily', 25, 5, 1, 'habits_completed', 'discipline', 2),
       ('daily_move', 'A quarter hour on your feet', 'Train for 15 minutes today, in whatever way you like.',
        'fitness', 'easy', 'daily', 40, 8, 15, 'exercise_minutes', 'endurance', 3),
       ('weekly_focus', 'Three deep hours', 'Spend 180 minutes in focus this week.',
        'focus', 'hard', 'weekly', 200, 50, 180, 'focus_minutes', 'focus', 4),
       ('weekly_habits', 'Five clean days', 'Complete every habit that is due on five days of this week.',
        'habit', 'hard', 'weekly', 150, 35, 5, 'perfect_habit_days', 'discipline', 5),
       ('weekly_training', 'Train three times', 'Complete three workouts this week.',
        'fitness', 'hard', 'weekly', 175, 40, 3, 'workouts_completed', 'strength', 6),
       ('weekly_reading', 'An hour with a book', 'Read for 60 minutes this week.',
        'reading', 'medium', 'weekly', 100, 25, 60, 'reading_minutes', 'knowledge', 7),
       ('monthly_focus', 'Twenty hours of depth', 'Spend 1200 minutes in focus this month.',
        'focus', 'epic', 'monthly', 500, 150, 1200, 'focus_minutes', 'focus', 8),
       ('monthly_streak', 'Thirty days unbroken', 'Bring your daily streak to 30 days this month.',
        'streak', 'epic', 'monthly', 750, 200, 30, 'streak_days', 'discipline', 9)
       ) AS s (key, title, description, category, difficulty, quest_type, xp_reward, coin_reward, target, target_type,
               skill_key, sort_order)
ON CONFLICT DO NOTHING; -- neither by the id, where an administrator has changed the key
