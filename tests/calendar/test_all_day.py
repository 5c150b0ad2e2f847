"""An all-day event is dates: it stands on its own dates, wherever the user is and whenever the user's days begin."""

from datetime import date, timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.calendar.conftest import added, imported, listed
from tests.conftest import NewUser, User

MOVES: list[dict[str, Any]] = [
    {"timezone": "Pacific/Kiritimati"},
    {"timezone": "Pacific/Pago_Pago", "day_start_hour": 6},
    {"timezone": "Asia/Kathmandu", "day_start_hour": 3},
]
DAYS = [date(2031, 5, 1) + timedelta(days=number) for number in range(12)]


def on_days(user: User) -> dict[str, list[str]]:
    """What each of the days lists, by titles."""
    found = {}
    for day in DAYS:
        titles = [event["title"] for event in user.get("/calendar", query={"date": f"{day}"}).data["events"]]
        if titles:
            found[f"{day:%d}"] = sorted(titles)
    return found


@pytest.fixture(params=["own", "imported"])
def user(request: pytest.FixtureRequest, new_user: NewUser) -> User:
    """Someone in Honolulu with a day, three days, and every other day, made by hand or by an import."""
    user = new_user(settings={"timezone": "Pacific/Honolulu"})
    if request.param == "own":
        for title, body in {
            "day": {"start_time": "2031-05-03"},
            "days": {"start_time": "2031-05-05", "end_time": "2031-05-08"},
            "other": {"start_time": "2031-05-09", "recurrence_rule": "FREQ=DAILY;INTERVAL=2;COUNT=2"},
        }.items():
            assert user.post("/calendar", {"title": title, "all_day": True, **body}).status == 200
    else:
        imported(
            user,
            "UID:a\nDTSTART;VALUE=DATE:20310503\nSUMMARY:day",
            "UID:b\nDTSTART;VALUE=DATE:20310505\nDTEND;VALUE=DATE:20310508\nSUMMARY:days",
            "UID:c\nDTSTART;VALUE=DATE:20310509\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=2\nSUMMARY:other",
            X_WR_TIMEZONE="Pacific/Kiritimati",
        )
    return user


STANDS = {"03": ["day"], "05": ["days"], "06": ["days"], "07": ["days"], "09": ["other"], "11": ["other"]}


@pytest.mark.parametrize("move", MOVES, ids=["east", "west and late", "between and late"])
def test_stands_on_its_dates_after_a_move(user: User, move: dict[str, Any]) -> None:
    assert on_days(user) == STANDS
    assert user.put("/user/settings", move).status == 200
    assert on_days(user) == STANDS
    week = user.get("/calendar/week", query={"date": "2031-05-04"}).data
    assert [event["title"] for event in week["events"]] == ["day"]
    week = user.get("/calendar/week", query={"date": "2031-05-05"}).data
    assert [event["title"] for event in week["events"]] == ["days", "other", "other"]
    assert [event["title"] for event in listed(user, "2031-05-08", "2031-05-10")] == ["other"]


def test_the_plan_of_a_day_has_its_all_day_workouts(new_user: NewUser, clock: Clock) -> None:
    clock.set("2031-05-05T02:00:00Z")
    user = new_user(settings={"timezone": "America/Los_Angeles", "day_start_hour": 5})
    day = added(user, title="Day", start_time="2031-05-06", all_day=True, event_type="workout", timezone="Asia/Tokyo")
    rule = {"recurrence_rule": "FREQ=DAILY;INTERVAL=3"}
    added(user, title="Third", start_time="2031-05-03", all_day=True, event_type="workout", timezone="UTC", **rule)
    # Half past three in the night belongs to the day before.
    night = {"start_time": "2031-05-07T03:30", "timezone": "America/Los_Angeles"}
    added(user, title="Night", event_type="workout", **night)

    def workouts(day: str) -> list[str]:
        plan = user.post("/daily-plan", {"action": "generate", "date": day}).json["plan"]
        return [item["title"] for item in plan["items"] if item["type"] == "workout"]

    assert workouts("2031-05-04") == workouts("2031-05-05") == workouts("2031-05-07") == []
    assert workouts("2031-05-06") == ["Day", "Third"], "two at most"
    user.delete(f"/calendar/{day['id']}")
    assert workouts("2031-05-06") == ["Third", "Night"]


def test_instants_as_bounds_take_the_dates_they_lie_on(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Asia/Tokyo", "day_start_hour": 4})
    added(user, title="day", start_time="2031-05-05", all_day=True, timezone="America/New_York")
    for since, before, found in (
        ("2031-05-04T15:00:00Z", "2031-05-04T15:00:01Z", 1),
        ("2031-05-04T14:00:00Z", "2031-05-04T15:00:00Z", 0),
        ("2031-05-05T14:59:59Z", "2031-05-05T16:00:00Z", 1),
        ("2031-05-05T15:00:00Z", "2031-05-05T16:00:00Z", 0),
        ("2031-05-05T00:00", "2031-05-06T00:00", 1),
        ("2031-05-06T00:00", "2031-05-07T00:00", 0),
    ):
        assert len(listed(user, since, before)) == found, (since, before)


def test_what_was_done_on_a_date_is_done_wherever_the_user_is(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Europe/Berlin"})
    body = {"title": "x", "start_time": "2031-05-05", "all_day": True, "recurrence_rule": "FREQ=DAILY;COUNT=5"}
    assert user.post("/calendar", body).status == 200
    second = listed(user)[1]
    user.post(f"/calendar/{second['id']}/complete")
    user.delete(f"/calendar/{listed(user)[2]['id']}")
    user.put("/user/settings", {"timezone": "America/Los_Angeles"})
    found = [(event["id"], event["completed_at"] is not None) for event in listed(user)]
    assert [done for _, done in found] == [False, True, False, False]
    assert found[1][0] == second["id"]


@pytest.mark.parametrize(
    ("before", "after", "midnight"),
    [
        ("Asia/Tokyo", "America/New_York", "{:02}T04:00:00.000000Z"),
        ("America/New_York", "UTC", "{:02}T00:00:00.000000Z"),
    ],
)
def test_another_zone_for_an_all_day_series_keeps_its_dates(
    new_user: NewUser, before: str, after: str, midnight: str
) -> None:
    """Removed, changed and done dates are the same dates in the new zone, and so is the last one."""
    user = new_user(settings={"timezone": "UTC"})
    series = added(
        user, start_time="2031-05-01", all_day=True, timezone=before,
        recurrence_rule="FREQ=DAILY", recurrence_end="2031-05-06",
    )  # fmt: skip
    ids = [event["id"] for event in listed(user)]
    user.put(f"/calendar/{ids[1]}", {"title": "Changed"})
    user.delete(f"/calendar/{ids[2]}")
    user.post(f"/calendar/{ids[3]}/complete")
    user.put(f"/calendar/{series['id']}", {"timezone": after})
    events = listed(user)
    assert [event["start_time"] for event in events] == [f"2031-05-{midnight.format(day)}" for day in (1, 2, 4, 5, 6)]
    assert [event["title"] for event in events] == ["Stand-up", "Changed", "Stand-up", "Stand-up", "Stand-up"]
    assert [event["completed_at"] is not None for event in events] == [False, False, True, False, False]
    assert events[1]["original_start"] == events[1]["start_time"]
