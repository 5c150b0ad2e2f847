from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, User
from tests.support.factories import quest as added


def test_the_newest_first_and_in_pages(user: User, clock: Clock) -> None:
    quest = added(user, is_repeatable=True)
    path = f"/quests/{quest['id']}"
    assert user.get(f"{path}/history").data == {"completions": [], "total": 0, "page": 1, "page_size": 50}
    for _ in range(61):
        user.post(f"{path}/complete")
        clock.advance("P1D")
    first = user.get(f"{path}/history").data
    assert (len(first["completions"]), first["total"]) == (50, 61)
    keys = [row["period_key"] for row in first["completions"]]
    assert keys == sorted(keys, reverse=True)
    assert keys[0] == "2031-07-08"
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


def test_yesterday_stays(user: User, clock: Clock) -> None:
    path = f"/quests/{added(user, is_repeatable=True)['id']}"
    first = user.post(f"{path}/complete").data["quest"]
    before = user.get(f"{path}/history").data
    clock.advance("P1D")
    assert user.get(f"{path}/history").data == before
    user.post(f"{path}/complete")
    user.post(f"{path}/reopen")
    assert user.get(f"{path}/history").data == before
    assert [row["period_key"] for row in before["completions"]] == [first["period_key"]]


@given(day=st.dates(date(1970, 1, 1), date(2999, 12, 31)))
@settings(max_examples=60)
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
