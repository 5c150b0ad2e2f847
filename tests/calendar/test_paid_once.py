"""However a series is changed, ticked and split, the occurrence of a date is paid once."""

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.calendar.conftest import added, at, listed, wallet
from tests.conftest import Answer, Database, NewUser, User

EVERY_DAY = {"recurrence_rule": "FREQ=DAILY;COUNT=6"}
EVERY_OTHER_DAY = {"recurrence_rule": "FREQ=DAILY;INTERVAL=2;COUNT=3"}
ZONES = ("UTC", "Asia/Tokyo", "America/New_York")
ASKED = ["thin out", "fill up", "split", "split hour", "hour", "undo", "single", "zone", "remove", "move", "complete"]
STEPS = st.lists(st.tuples(st.sampled_from(ASKED), st.integers(0, 11)), min_size=2, max_size=10)


def date_of(event: dict[str, Any]) -> date:
    """The date of an occurrence, in UTC for a timed one, whose date no step here changes."""
    start = at(event["original_start"] or event["start_time"])
    return start.astimezone(ZoneInfo(event["timezone"])).date() if event["all_day"] else start.date()


def requests(user: User, event: dict[str, Any], number: int) -> dict[str, Callable[[], Answer]]:
    """What a step may ask of an occurrence or its series, besides completing it."""
    occurrence = f"/calendar/{event['id']}"
    whole = f"/calendar/{event['series_id'] or event['id']}"
    asked: dict[str, Callable[[], Answer]] = {
        "undo": lambda: user.post(f"{occurrence}/complete", {"completed": False}),
        "thin out": lambda: user.put(whole, EVERY_OTHER_DAY),
        "fill up": lambda: user.put(whole, EVERY_DAY),
        "split": lambda: user.put(occurrence, EVERY_OTHER_DAY, query={"scope": "following"}),
        "single": lambda: user.put(whole, {"recurrence_rule": None}),
        "zone": lambda: user.put(whole, {"timezone": ZONES[number % len(ZONES)]}),
    }
    if event["series_id"] is not None:
        asked["remove"] = lambda: user.delete(occurrence)
    if event["series_id"] is not None and not event["all_day"]:
        day, hour = event["original_start"][:10], f"T{8 + number:02}:00:00Z"
        first = user.get(whole).data["start_time"][:10]
        asked |= {
            "hour": lambda: user.put(whole, {"start_time": first + hour}),
            "split hour": lambda: user.put(occurrence, {"start_time": day + hour}, query={"scope": "following"}),
            "move": lambda: user.put(occurrence, {"start_time": f"{day}T22:{number:02}:00Z"}),
        }
    return asked


@pytest.mark.parametrize("all_day", [False, True])
@settings(max_examples=15)
@given(steps=STEPS)
def test_no_date_is_paid_twice(
    new_user: NewUser, database: Database, *, all_day: bool, steps: list[tuple[str, int]]
) -> None:
    """After a split the steps are of the rest: the first part would have dates of its own beside those of the rest."""
    user = new_user()
    start = "2031-05-05" if all_day else "2031-05-05T12:00:00Z"
    series = added(user, start_time=start, all_day=all_day, **EVERY_DAY)["id"]
    done: set[date] = set()
    for step, number in [("complete", 0), *steps, ("fill up", 0), ("complete", 0)]:
        events = listed(user, "2031-05-01", "2031-05-25")
        rest = [event for event in events if event["id"].startswith(series)]
        if step == "complete":
            for event in events:
                assert user.post(f"/calendar/{event['id']}/complete").status == 200
            done |= {date_of(event) for event in events}
        elif rest and (ask := requests(user, rest[number % len(rest)], number).get(step)):
            answer = ask()
            assert answer.status in (200, 400), "a rule or a start that leaves nothing is refused"
            if step.startswith("split") and answer.status == 200:
                series = answer.data["id"][:36]
        xp, coins = wallet(user, database)
        assert xp == 3 * coins <= 15 * len(done)
