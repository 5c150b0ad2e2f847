from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Database, User
from tests.quests.conftest import Pass, added

LENGTHS = {"daily": "1 day", "weekly": "7 days", "monthly": "1 month"}


def complete_in(database: Database, user: User, quest: dict[str, Any], *back: int) -> None:
    """Leave completions of a quest so many of its periods before the present one."""
    database.query(
        """
        INSERT INTO user_quest_progress (
            user_id, quest_id, period_key, period_start, status, progress, completed_at, xp_awarded)
        SELECT %s, %s, quest_period_key(period, day), day, 'completed', 1, day + interval '12 h', 10
          FROM (SELECT q.period, (quest_period_start(q.period, local_today()) - n * q.length)::date AS day
                  FROM (SELECT %s AS period, %s::interval AS length) AS q, unnest(%s::int[]) AS n) AS d
        """,
        *(user.id, quest["id"], quest["period"], LENGTHS[quest["period"]], list(back)),
    )


def test_the_newest_first_and_in_pages(user: User, database: Database) -> None:
    quest = added(user, is_repeatable=True)
    path = f"/quests/{quest['id']}"
    assert user.get(f"{path}/history").data == {"completions": [], "total": 0, "page": 1, "page_size": 50}
    complete_in(database, user, quest, *range(1, 61))
    user.post(f"{path}/complete")
    first = user.get(f"{path}/history").data
    assert (len(first["completions"]), first["total"]) == (50, 61)
    keys = [row["period_key"] for row in first["completions"]]
    assert keys == sorted(keys, reverse=True)
    assert set(first["completions"][0]) == {"period_key", "completed_at", "xp_awarded", "coins_awarded"}
    assert (first["completions"][0]["xp_awarded"], first["completions"][0]["coins_awarded"]) == (10, 5)
    rest = user.get(f"{path}/history", query={"page": 2}).data
    assert len({row["period_key"] for row in first["completions"] + rest["completions"]}) == 61
    user.get(f"{path}/history", query={"page_size": 101}).invalid("page_size")
    user.get(f"{path}/history", query={"page": "first"}).invalid("page")


def test_only_completions_are_history(user: User) -> None:
    path = f"/quests/{added(user, target=2)['id']}"
    user.post(f"{path}/progress")
    assert user.get(f"{path}/history").data["total"] == 0


def test_yesterday_stays(early: User, tomorrow: Pass) -> None:
    path = f"/quests/{added(early, is_repeatable=True)['id']}"
    first = early.post(f"{path}/complete").data["quest"]
    before = early.get(f"{path}/history").data
    tomorrow(early)
    assert early.get(f"{path}/history").data == before
    early.post(f"{path}/complete")
    early.post(f"{path}/reopen")
    assert early.get(f"{path}/history").data == before
    assert [row["period_key"] for row in before["completions"]] == [first["period_key"]]


@pytest.mark.parametrize("frequency", ["daily", "weekly", "monthly"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(back=st.sets(st.integers(0, 14)))
def test_a_streak_is_periods_without_a_gap(user: User, database: Database, frequency: str, back: set[int]) -> None:
    quest = added(user, is_repeatable=True, repeat_frequency=frequency)
    complete_in(database, user, quest, *back)
    run = 0 if 0 in back else 1
    while run in back:
        run += 1
    expected = run if 0 in back else run - 1
    assert user.get(f"/quests/{quest['id']}").data["streak_count"] == expected


def test_a_streak_counts_periods_of_the_present_length_only(user: User, database: Database) -> None:
    quest = added(user, is_repeatable=True, repeat_frequency="weekly")
    path = f"/quests/{quest['id']}"
    complete_in(database, user, quest, 0, 1, 2)
    assert user.get(path).data["streak_count"] == 3
    assert user.patch(path, {"repeat_frequency": "daily"}).data["streak_count"] == 0
    assert user.patch(path, {"is_repeatable": False}).data["streak_count"] == 0
    assert user.patch(path, {"is_repeatable": True, "repeat_frequency": "weekly"}).data["streak_count"] == 3


@given(day=st.dates(date(1970, 1, 1), date(2999, 12, 31)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_periods_by_the_calendar(database: Database, day: date) -> None:
    [row] = database.query(
        """
        SELECT quest_period_key('daily', d) AS daily, quest_period_key('weekly', d) AS weekly,
               quest_period_key('monthly', d) AS monthly, quest_period_key('once', d) AS once,
               quest_period_start('daily', d) AS day, quest_period_start('weekly', d) AS monday,
               quest_period_start('monthly', d) AS first, quest_period_start('once', d) AS never
          FROM (SELECT %s::date AS d) AS x
        """,
        day,
    )
    year, week, weekday = day.isocalendar()
    assert row == {
        "daily": day.isoformat(),
        "weekly": f"{year}-W{week:02}",
        "monthly": f"{day.year:04}-{day.month:02}",
        "once": "once",
        "day": day,
        "monday": day - timedelta(days=weekday - 1),
        "first": day.replace(day=1),
        "never": None,
    }
