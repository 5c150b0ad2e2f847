"""What a user sees who has done nothing yet, to the letter; and that looking writes nothing."""

import pytest

from tests.conftest import Client, Database, User

PATHS = (
    "/gamification/summary",
    "/gamification/stats",
    "/gamification/teaser",
    "/gamification/achievements",
    "/gamification/ledger",
    "/gamification/history",
    "/gamification/rules",
    "/gamification/leaderboard",
    "/leaderboard/xp",
    "/leaderboard/streaks",
    "/progress",
    "/streaks",
    "/skills",
    "/skills/user",
    "/achievements",
    "/achievements/user",
    "/activity",
)
SUMMARY = {
    "total_xp": 0,
    "current_level": 1,
    "current_xp": 0,
    "xp_to_next_level": 100,
    "xp_remaining": 100,
    "xp_progress_percent": 0,
    "coins": 0,
    "total_earned": 0,
    "total_spent": 0,
    "total_skill_stars": 0,
    "achievement_count": 0,
    "current_streak": 0,
    "longest_streak": 0,
    "streak_at_risk": False,
    "streak_shields": 0,
}


@pytest.mark.parametrize("path", PATHS)
def test_needs_a_session(stranger: Client, path: str) -> None:
    stranger.get(path).refused(401, "unauthorized")


@pytest.mark.parametrize("path", PATHS)
def test_looking_writes_nothing(user: User, database: Database, path: str) -> None:
    assert user.get(path).status == 200
    tables = database.query(
        "SELECT table_name AS name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'user_id'"
        "   AND table_name NOT IN ('sessions', 'user_directory')"  # a user without a session asks for nothing
        "   AND table_name IN (SELECT tablename FROM pg_tables)"
    )
    for table in tables:
        rows = database.query(f'SELECT count(*) AS rows FROM "{table["name"]}" WHERE user_id = %s', user.id)
        assert rows == [{"rows": 0}], table


def test_summary(user: User) -> None:
    assert user.get("/gamification/summary").data == SUMMARY


def test_stats(user: User) -> None:
    assert user.get("/gamification/stats").data == SUMMARY | {"counters": {}, "effects": []}


def test_progress(user: User) -> None:
    assert user.get("/progress").json == {
        "xp": 0,
        "level": 1,
        "coins": 0,
        "current_xp": 0,
        "xp_to_next_level": 100,
        "xp_remaining": 100,
        "xp_progress_percent": 0,
        "streak_days": 0,
        "longest_streak": 0,
        "total_skill_stars": 0,
    }


def test_streaks(user: User) -> None:
    assert user.get("/streaks").json == [
        {
            "streak_type": streak_type,
            "current_streak": 0,
            "longest_streak": 0,
            "last_activity_date": None,
            "active": False,
            "at_risk": False,
            "protected": False,
        }
        for streak_type in ("daily_activity", "focus", "habit", "workout", "learning", "reading")
    ]


def test_lists(user: User) -> None:
    assert user.get("/gamification/ledger").data == {"entries": [], "next_cursor": None}
    assert user.get("/achievements/user").json == []
    assert user.get("/activity").json == []
    assert len(user.get("/gamification/history").data["days"]) == 30


def test_user_skills(user: User) -> None:
    skills = user.get("/skills/user").json
    assert [skill["skill_key"] for skill in skills] == [
        *("focus", "discipline", "strength", "endurance", "creativity", "knowledge")
    ]
    assert skills[0] == {
        "skill_key": "focus",
        "name": "Focus",
        "category": "mental",
        "icon": "brain",
        "color": "#6366f1",
        "xp": 0,
        "current_stars": 0,
        "current_level": 1,
        "max_level": 100,
        "xp_in_level": 0,
        "xp_to_next_level": 100,
    }


def test_board(user: User) -> None:
    me = {"rank": 1, "name": "Test", "value": 0, "level": 1, "is_me": True}
    assert user.get("/gamification/leaderboard").data == {
        "board": "xp",
        "period": "all",
        "opted_in": False,
        "entries": [me],
        "me": me,
    }
