"""Streaks: the contract's 1.5."""

from datetime import timedelta

import psycopg
import pytest

from tests.ledger.conftest import Ledger
from tests.support.ledger import purchase


def streak(ledger: Ledger, streak_type: str = "daily_activity") -> tuple[int, int, int]:
    """(current, longest, how many days back the last one was), as stored."""
    row = ledger.row("SELECT * FROM user_streaks WHERE streak_type = %s", streak_type)
    return row["current_streak"], row["longest_streak"], (ledger.today - row["last_activity_date"]).days


@pytest.mark.parametrize(
    ("days_back", "expected"),
    [
        ([0], (1, 1, 0)),
        ([0, 0], (1, 1, 0)),
        ([1, 0], (2, 2, 0)),
        ([2, 0], (1, 1, 0)),
        ([4, 3, 2, 0], (1, 3, 0)),
        ([4, 3, 2, 0, -1], (2, 3, -1)),
        ([0, 1], (1, 1, 0)),
        ([2, 1, 3, 0], (3, 3, 0)),
        ([9, 8, 7, 6, 2, 1, 0], (3, 4, 0)),
    ],
)
def test_a_day_after_the_last_adds_one_a_gap_begins_anew(
    ledger: Ledger, days_back: list[int], expected: tuple[int, int, int]
) -> None:
    for back in days_back:
        ledger.award(day=ledger.day(back))
    assert streak(ledger) == expected


def test_what_moves_no_streak_returns_the_streak_as_it_stands_today(ledger: Ledger) -> None:
    passed = ledger.day(5)
    assert [ledger.award(day=passed)["streak"] for _ in range(2)] == [0, 0]
    assert ledger.award("break_complete", day=passed)["streak"] == 0
    assert [ledger.award(day=ledger.today)["streak"] for _ in range(2)] == [1, 1]
    assert ledger.award("break_complete")["streak"] == 1


def test_each_event_moves_its_own_streaks(ledger: Ledger) -> None:
    for event in ledger.rows(
        "SELECT event_type FROM event_definitions WHERE kind = 'award' AND event_type <> 'achievement'"
    ):
        ledger.award(event["event_type"], day=ledger.day(0))
    types = {
        r["streak_type"]: r["streak_types"]
        for r in ledger.rows(
            "SELECT s.streak_type, array_agg(event_type ORDER BY event_type) AS streak_types"
            "  FROM event_definitions, unnest(streak_types) AS s (streak_type) GROUP BY 1"
        )
    }
    assert types.pop("daily_activity") == [
        *("book_complete", "drill_complete", "focus_complete", "focus_partial", "goal_complete", "habit_complete"),
        *("lesson_complete", "listening_complete", "milestone_complete", "personal_record", "planner_task_complete"),
        *("quest_complete", "reading_session", "review_session", "workout_complete"),
    ]
    assert types == {
        "focus": ["focus_complete", "focus_partial"],
        "habit": ["habit_complete"],
        "workout": ["workout_complete"],
        "reading": ["reading_session"],
        "learning": ["drill_complete", "lesson_complete", "listening_complete", "review_session"],
    }
    assert len(ledger.rows("SELECT * FROM user_streaks")) == 6


@pytest.mark.parametrize("event_type", ["break_complete", "admin_adjustment"])
def test_what_is_no_activity(ledger: Ledger, event_type: str) -> None:
    assert ledger.award(event_type)["streak"] == 0
    assert ledger.rows("SELECT * FROM user_streaks") == []


@pytest.mark.parametrize(
    ("last", "shown", "active", "at_risk"),
    [(0, 2, True, False), (1, 2, True, True), (2, 0, False, False), (9, 0, False, False)],
)
def test_what_is_shown(ledger: Ledger, last: int, shown: int, active: bool, at_risk: bool) -> None:
    ledger.award("focus_complete", day=ledger.day(last + 1))
    result = ledger.award("focus_complete", day=ledger.day(last))
    before = ledger.state()
    assert result["streak"] == shown
    streaks = {r.pop("streak_type"): r for r in ledger.rows("SELECT * FROM effective_streaks()")}
    assert list(streaks) == ["daily_activity", "focus", "habit", "workout", "learning", "reading"]
    for streak_type in ("daily_activity", "focus"):
        assert streaks[streak_type] == {
            "current_streak": shown,
            "longest_streak": 2,
            "last_activity_date": ledger.day(last),
            "active": active,
            "at_risk": at_risk,
            "protected": False,
        }
        assert ledger.value("SELECT effective_streak(%s)", streak_type) == shown
    assert streaks["habit"] == {
        "current_streak": 0,
        "longest_streak": 0,
        "last_activity_date": None,
        "active": False,
        "at_risk": False,
        "protected": False,
    }
    assert ledger.value("SELECT effective_streak('habit')") == 0
    assert ledger.value("SELECT streak FROM reward(NULL::award_result)") == shown
    assert ledger.state() == before, "a read writes nothing"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "America/Los_Angeles", "UTC"])
@pytest.mark.parametrize("day_start", [0, 6])
def test_a_streak_is_shown_by_the_users_own_clock(ledger: Ledger, zone: str, day_start: int) -> None:
    """Whatever the time of day is where the test runs."""
    ledger.database.query("DELETE FROM user_settings WHERE user_id = %s", ledger.user_id)
    ledger.database.query(
        "INSERT INTO user_settings (user_id, key, value)"
        " VALUES (%s, 'timezone', to_jsonb(%s::text)), (%s, 'day_start_hour', %s)",
        *(ledger.user_id, zone, ledger.user_id, psycopg.types.json.Json(day_start)),
    )
    today = ledger.value("SELECT local_today()")
    for back, shown in ((2, 0), (1, 1), (0, 1)):
        ledger.database.query("DELETE FROM user_streaks WHERE user_id = %s", ledger.user_id)
        result = ledger.award(day=today - timedelta(days=back))
        assert (result["streak"], ledger.value("SELECT effective_streak()")) == (shown, shown)


def test_a_zone_that_takes_the_day_back_changes_no_streak(ledger: Ledger) -> None:
    ledger.award(day=ledger.day(0))
    ledger.award(day=ledger.day(-1))
    ledger.award(day=ledger.day(0))
    assert streak(ledger) == (2, 2, -1)


@pytest.mark.parametrize(
    ("shields", "missed", "current", "left"),
    [(0, 1, 1, 0), (1, 1, 3, 0), (2, 1, 3, 1), (1, 2, 1, 1), (2, 2, 3, 0), (3, 3, 3, 0), (3, 0, 3, 3)],
)
def test_shields_bridge_the_whole_gap_or_none(
    ledger: Ledger, shields: int, missed: int, current: int, left: int
) -> None:
    last = missed + 1
    if shields:
        purchase(ledger.database, ledger.user_id, "streak_shield", shields)
    ledger.award("focus_complete", day=ledger.day(last + 1))
    ledger.award("focus_complete", day=ledger.day(last))
    before = ledger.rows("SELECT * FROM effective_streaks() WHERE streak_type = 'daily_activity'")[0]
    saved = missed <= shields
    assert before["current_streak"] == (2 if saved else 0)
    assert before["protected"] == (saved and missed > 0)
    assert (before["active"], before["at_risk"]) == (saved, saved)
    assert ledger.value("SELECT effective_streak()") == before["current_streak"]
    assert ledger.value("SELECT effective_streak('focus')") == (2 if missed == 0 else 0), "only the daily one"
    # read twice: a read uses no shield
    assert ledger.award("focus_complete", day=ledger.today)["streak"] == current
    used = ledger.rows("SELECT day FROM streak_shield_uses ORDER BY day")
    bridged = [ledger.day(back) for back in range(last - 1, 0, -1)] if saved else []
    assert [row["day"] for row in used] == bridged
    assert shields - len(used) == left
    assert streak(ledger, "focus") == (3 if missed == 0 else 1, 3 if missed == 0 else 2, 0)
    focus = ledger.value("SELECT effective_streak('focus')")
    assert focus == (3 if missed == 0 else 1)
