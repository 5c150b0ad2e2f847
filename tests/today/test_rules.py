"""The dashboard's decisions, as what they are: functions of counts and times."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.today.models import Activity, PlanItem
from functions.today.rules import (
    MODULES,
    interest_primer,
    module_of,
    module_uses,
    next_item,
    quick_picks,
    resume_last,
)

NOW = datetime(2031, 5, 9, 12, tzinfo=UTC)
NAMES = [module.module for module in MODULES]


@pytest.mark.parametrize(
    ("event_types", "module"),
    [
        (["focus_complete", "focus_partial", "break_complete", "client:focus_complete"], "focus"),
        (["workout_complete", "personal_record", "client:personal_record"], "exercise"),
        (["lesson_complete", "drill_complete", "review_session", "listening_complete"], "learn"),
        (["habit_complete", "client:habit_seen"], "habits"),
        (["quest_complete"], "quests"),
        (["milestone_complete", "goal_complete"], "goals"),
        (["planner_task_complete"], "planner"),
        (
            ["reading_session", "book_complete", "page_view", "personal_records", "refocus_", "habit", "client:", ""],
            None,
        ),
    ],
)
def test_events_belong_to_modules(event_types: list[str], module: str | None) -> None:
    for event_type in event_types:
        found = module_of(event_type)
        assert (found and found.module) == module, event_type


def test_modules_as_they_are_shown() -> None:
    assert [module[:3] for module in MODULES] == [
        ("focus", "/focus", "Focus"),
        ("exercise", "/exercise", "Exercise"),
        ("learn", "/learn", "Learn"),
        ("habits", "/habits", "Habits"),
        ("quests", "/quests", "Quests"),
        ("goals", "/goals", "Goals"),
        ("planner", "/planner", "Planner"),
    ]


def test_uses_are_summed_by_module() -> None:
    uses = {"focus_complete": 2, "break_complete": 1, "client:focus_complete": 1, "book_complete": 9}
    assert module_uses(uses) == Counter(focus=4)


def picks(pending: int = 0, active: int = 0, **used: int) -> list[tuple[str, int]]:
    return [(pick.module, pick.count) for pick in quick_picks(Counter(used), pending, active)]


def test_two_quick_picks_at_most() -> None:
    assert picks() == []
    assert picks(focus=2) == []
    assert picks(focus=3) == [("focus", 3)]
    assert picks(focus=3, learn=5, goals=4) == [("learn", 5), ("goals", 4)]
    assert picks(focus=3, learn=3, goals=3) == [("focus", 3), ("learn", 3)]
    assert picks(pending=2, active=1) == [("habits", 2), ("quests", 1)]
    assert picks(active=1) == [("quests", 1)]
    assert picks(focus=3, pending=2, active=1) == [("focus", 3), ("habits", 2)]
    assert picks(habits=3, pending=2, active=1) == [("habits", 3), ("quests", 1)]
    assert picks(habits=2, pending=1) == [("habits", 1)]


@given(
    used=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 50)),
    pending=st.integers(0, 5),
    active=st.integers(0, 5),
)
def test_quick_picks_name_each_module_once_and_never_a_zero(used: dict[str, int], pending: int, active: int) -> None:
    found = picks(pending, active, **used)
    offered = {name for name, count in used.items() if count >= 3}
    offered |= ({"habits"} if pending else set()) | ({"quests"} if active else set())
    assert len(found) == min(2, len(offered))
    assert len({module for module, _ in found}) == len(found)
    assert all(count > 0 for _, count in found)
    often = [count for module, count in found if used.get(module, 0) >= 3]
    assert often == sorted(often, reverse=True)
    assert often == sorted((count for count in used.values() if count >= 3), reverse=True)[:2]


def test_the_last_module_is_resumed_for_a_day() -> None:
    newest = Activity(event_type="client:quest_seen", at=NOW - timedelta(hours=24) + timedelta(seconds=1))
    resumed = resume_last(newest, NOW)
    assert resumed is not None
    assert (resumed.module, resumed.route, resumed.label) == ("quests", "/quests", "Quests")
    assert resumed.last_used == newest.at
    assert resume_last(newest, NOW + timedelta(seconds=1)) is None
    assert resume_last(Activity(event_type="book_complete", at=NOW), NOW) is None
    assert resume_last(None, NOW) is None


@pytest.mark.parametrize(
    ("used", "primer"),
    [
        ({}, None),
        ({"learn": 4}, None),
        ({"learn": 5}, "learn"),
        ({"learn": 5, "focus": 50}, "learn"),
        ({"focus": 9}, None),
        ({"focus": 10}, "hub"),
        ({"focus": 10, "learn": 2}, "hub"),
        ({"focus": 10, "learn": 3}, None),
    ],
)
def test_the_primer(used: dict[str, int], primer: str | None) -> None:
    found = interest_primer(Counter(used))
    assert (found and found.type) == primer
    if found:
        expected = {"learn": ("/learn", "Keep learning"), "hub": ("/hub", "Browse shortcuts")}
        assert (found.route, found.label) == expected[found.type]


def item(**fields: object) -> PlanItem:
    given = {"id": "a", "type": "quest", "title": "A", "action_url": "/quests", "completed": False, "priority": 1}
    return PlanItem.model_validate({**given, **fields})


def test_next_is_the_first_that_is_not_completed() -> None:
    items = [item(id="a", completed=True), item(id="b"), item(id="c")]
    found = next_item(items)
    assert found is not None
    assert found.id == "b"
    assert next_item(items[:1]) is None
