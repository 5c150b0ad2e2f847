from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.cursor import cursor_at
from questlog.wire import percentage

from functions.gamification.models import ClosestAchievement, HistoryDay, NumberedEntry
from functions.gamification.rules import every_day, page_of, tease

TODAY = date(2031, 3, 2)


def moved(day: date, xp: int) -> HistoryDay:
    return HistoryDay(date=day, xp=xp, coins_earned=0, coins_spent=0, events=1)


def entry(seq: int) -> NumberedEntry:
    fields: dict[str, Any] = dict.fromkeys(NumberedEntry.model_fields)
    return NumberedEntry.model_construct(**fields | {"seq": seq})


@given(days=st.integers(1, 366), back=st.sets(st.integers(0, 400)))
def test_every_day_is_there_once_whatever_moved(days: int, back: set[int]) -> None:
    shown = every_day(TODAY, days, [moved(TODAY - timedelta(days=n), 1 + n) for n in back])
    assert [day.date for day in shown] == [TODAY - timedelta(days=n) for n in reversed(range(days))]
    assert {(TODAY - day.date).days: day.xp for day in shown if day.xp} == {n: 1 + n for n in back if n < days}
    assert all(day.events == (day.xp > 0) for day in shown)


@pytest.mark.parametrize(
    ("rows", "limit", "shown", "cursor"),
    [
        ([], 3, [], None),
        ([9, 8], 3, [9, 8], None),
        ([9, 8, 7], 3, [9, 8, 7], None),
        ([9, 8, 7, 5], 3, [9, 8, 7], cursor_at(7)),
        ([9, 8], 1, [9], cursor_at(9)),
    ],
)
def test_a_page_ends_where_the_next_one_begins(
    rows: list[int], limit: int, shown: list[int], cursor: str | None
) -> None:
    page = page_of([entry(seq) for seq in rows], limit)
    assert [row.seq for row in page.entries if isinstance(row, NumberedEntry)] == shown
    assert page.next_cursor == cursor


@pytest.mark.parametrize(
    ("trigger_type", "trigger_config", "label"),
    [
        ("counter", {"counter": "perfect_habit_days", "count": 10}, "3 of 10 perfect habit days"),
        ("level", {"level": 11}, "3 of 10 levels gained"),
        ("event", {"event_type": "focus_complete", "min": {"duration_seconds": 3600}}, "3 of 10 done"),
        ("streak", {"streak_type": "daily_activity", "count": 10}, "3 of 10 days in a row"),
        ("streak", {"streak_type": "reading", "count": 10}, "3 of 10 reading days in a row"),
    ],
)
def test_a_progress_in_words(trigger_type: str, trigger_config: dict[str, Any], label: str) -> None:
    achievement = ClosestAchievement(
        id="wanted",
        key="wanted",
        name="Wanted",
        description=None,
        category="test",
        icon=None,
        reward_xp=0,
        reward_coins=0,
        is_hidden=False,
        sort_order=1,
        trigger_type=trigger_type,
        trigger_config=trigger_config,
        created_at=datetime(2031, 1, 1, tzinfo=UTC),
        progress=3,
        progress_max=10,
    )
    shown = tease(achievement)
    assert (shown.progress, shown.progress_max, shown.progress_label) == (3, 10, label)


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [
        (0, 7, 0),
        (1, 3, 33.33),
        (2, 3, 66.66),
        (7, 7, 100),
        (99_999, 100_000, 99.99),
        (0, 0, 0),
        (5, 0, 0),
        (1, 8, 12.5),
    ],
)
def test_a_percentage_is_rounded_down_to_two_decimals(part: int, whole: int, percent: float) -> None:
    assert percentage(part, whole) == percent


@given(whole=st.integers(1, 10**15), data=st.data())
def test_a_percentage_is_never_too_much_and_hardly_too_little(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    percent = percentage(part, whole)
    assert 0 <= percent <= 100
    assert (percent == 100) == (part == whole)
    hundredths = round(percent * 100)
    assert hundredths * whole <= 10_000 * part < (hundredths + 1) * whole
