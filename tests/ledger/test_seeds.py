"""The seeds are the contract's tables, and running them again undoes nobody's work."""

from pathlib import Path

import psycopg

from tests.ledger.conftest import Ledger

SEEDS = Path(__file__).parents[2] / "layers/common/database/migrations/0006_ledger_seeds.sql"


def test_achievements(ledger: Ledger) -> None:
    found = ledger.rows(
        "SELECT key, category, icon, reward_xp, reward_coins, sort_order, is_hidden FROM achievement_definitions"
        " WHERE is_built_in ORDER BY sort_order"
    )
    assert [tuple(row.values()) for row in found] == [
        ("first_focus", "focus", "zap", 25, 10, 1, False),
        ("focus_10", "focus", "zap", 100, 25, 2, False),
        ("focus_100", "focus", "crown", 500, 100, 3, False),
        ("deep_work", "focus", "clock", 100, 50, 4, False),
        ("streak_3", "streak", "flame", 50, 15, 10, False),
        ("streak_7", "streak", "flame", 150, 35, 11, False),
        ("streak_30", "streak", "fire", 500, 150, 12, False),
        ("streak_100", "streak", "trophy", 2000, 500, 13, True),
        ("first_habit", "habit", "check", 25, 10, 20, False),
        ("habit_streak_7", "habit", "repeat", 150, 50, 21, False),
        ("first_book", "reading", "book", 200, 50, 30, False),
        ("books_10", "reading", "library", 1000, 200, 31, False),
        ("first_workout", "fitness", "dumbbell", 50, 25, 40, False),
        ("first_pr", "fitness", "medal", 100, 50, 41, False),
        ("first_lesson", "learning", "graduation", 50, 15, 50, False),
        ("quests_10", "quest", "scroll", 50, 25, 60, False),
        ("goals_5", "goal", "flag", 100, 50, 61, False),
        ("level_5", "level", "star", 0, 50, 70, False),
        ("level_10", "level", "star", 0, 100, 71, False),
    ]


def test_skills(ledger: Ledger) -> None:
    found = ledger.rows(
        "SELECT key, name, category, icon, max_level, sort_order FROM skill_definitions"
        " WHERE is_built_in ORDER BY sort_order"
    )
    assert [tuple(row.values()) for row in found] == [
        ("focus", "Focus", "mental", "brain", 100, 1),
        ("discipline", "Discipline", "mental", "target", 100, 2),
        ("strength", "Strength", "physical", "dumbbell", 100, 3),
        ("endurance", "Endurance", "physical", "heart", 100, 4),
        ("creativity", "Creativity", "creative", "palette", 100, 5),
        ("knowledge", "Knowledge", "mental", "book", 100, 6),
    ]


def test_events(ledger: Ledger) -> None:
    """Streaks and boosts are looked at where they are used."""
    found = ledger.rows("SELECT event_type, kind, default_skill, counter FROM event_definitions ORDER BY event_type")
    assert [tuple(row.values()) for row in found] == [
        ("achievement", "award", None, "achievements_earned"),
        ("admin_adjustment", "award", None, None),
        ("book_complete", "award", "knowledge", "books_completed"),
        ("break_complete", "award", None, "breaks_taken"),
        ("drill_complete", "award", "knowledge", "drills_completed"),
        ("focus_complete", "award", "focus", "focus_sessions"),
        ("focus_partial", "award", "focus", None),
        ("goal_complete", "award", "discipline", "goals_completed"),
        ("habit_complete", "award", "discipline", "habits_completed"),
        ("lesson_complete", "award", "knowledge", "lessons_completed"),
        ("listening_complete", "award", "knowledge", "listening_sessions"),
        ("market_purchase", "spend", None, None),
        ("market_refund", "reversal", None, None),
        ("milestone_complete", "award", "discipline", "milestones_completed"),
        ("personal_record", "award", "strength", "personal_records"),
        ("planner_task_complete", "award", "discipline", "planner_tasks_completed"),
        ("quest_complete", "award", None, "quests_completed"),
        ("reading_session", "award", "knowledge", "reading_sessions"),
        ("reversal", "reversal", None, None),
        ("review_session", "award", "knowledge", "review_sessions"),
        ("workout_complete", "award", "strength", "workouts_completed"),
    ]


def test_running_them_again_keeps_what_administrators_made_of_them(ledger: Ledger) -> None:
    with psycopg.connect(ledger.database.admin_url) as connection:
        connection.execute(
            "UPDATE achievement_definitions SET name = 'Ours', is_active = false WHERE key = 'first_focus'"
        )
        connection.execute("UPDATE skill_definitions SET name = 'Ours', max_level = 7 WHERE key = 'focus'")
        connection.execute(
            "UPDATE event_definitions SET boostable = false, counter = NULL WHERE event_type = 'focus_complete'"
        )
        tables = ("achievement_definitions", "skill_definitions")
        edited = [connection.execute(f"SELECT * FROM {table} ORDER BY key".encode()).fetchall() for table in tables]
        for _ in range(2):
            connection.execute(SEEDS.read_text().encode())
            connection.execute("RESET ROLE")
        again = [connection.execute(f"SELECT * FROM {table} ORDER BY key".encode()).fetchall() for table in tables]
        assert again == edited
        event = connection.execute(
            "SELECT boostable, counter FROM event_definitions WHERE event_type = 'focus_complete'"
        ).fetchone()
        assert event == (True, "focus_sessions")
        connection.rollback()
