"""What the list shows and what the feed says, held against each other by another program's reading of the feed."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events  # type: ignore[import-untyped] # it ships no types
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st
from icalendar import Calendar

from questlog.recurrence.rule import rule_of
from questlog.recurrence.series import Series, fitted, occurrences, occurs
from questlog.recurrence.times import instant

from tests.calendar.conftest import ICS, at, listed
from tests.conftest import NewUser, User

# With and without summer time, on both halves of the earth, half an hour of it, at midnight, and none.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Tokyo",
    "Asia/Beirut",
]
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def examples(number: int) -> settings:
    """So many examples; not made smaller when one fails, since each is a dozen requests."""
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(
        max_examples=number,
        deadline=None,
        suppress_health_check=quiet,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )


def some(values: list[Any], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(
        lambda v: ",".join(map(str, v))
    )


def numbers(largest: int) -> list[int]:
    return [*range(1, largest + 1), *range(-largest, 0)]


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that RFC 5545 gives a meaning, and that dateutil reads as it does."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"INTERVAL": str(draw(st.integers(1, 4)))}
    numbered = [f"{n}{day}" for n in (1, 2, -1, 5) for day in WEEKDAYS]
    choices: dict[str, dict[str, st.SearchStrategy[str]]] = {
        "DAILY": {"BYDAY": some(WEEKDAYS), "BYMONTH": some(numbers(12)[:12]), "BYMONTHDAY": some(numbers(31))},
        "WEEKLY": {"BYDAY": some(WEEKDAYS), "BYMONTH": some(numbers(12)[:12])},
        "MONTHLY": {
            "BYDAY": st.one_of(some(WEEKDAYS), some(numbered)),
            "BYMONTHDAY": some(numbers(31)),
            "BYMONTH": some(numbers(12)[:12]),
        },
        "YEARLY": {
            "BYDAY": some(WEEKDAYS),
            "BYMONTH": some(numbers(12)[:12]),
            "BYMONTHDAY": some(numbers(31)),
            "BYYEARDAY": some(numbers(366)),
            "BYWEEKNO": some(numbers(53)),
        },
    }
    for name in draw(st.lists(st.sampled_from(sorted(choices[freq])), max_size=2, unique=True)):
        parts[name] = draw(choices[freq][name])
    if freq in ("MONTHLY", "YEARLY") and len(parts) > 1 and draw(st.booleans()):
        parts["BYSETPOS"] = draw(some([1, 2, -1, -2], 2))
    if draw(st.booleans()):
        parts["WKST"] = draw(st.sampled_from(WEEKDAYS))
    end = draw(st.sampled_from(["", "COUNT", "UNTIL", "UNTIL date"]))
    if end == "COUNT":
        parts["COUNT"] = str(draw(st.integers(1, 40)))
    elif end:
        until = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(hours=draw(st.integers(0, 15_000)))
        parts["UNTIL"] = until.strftime("%Y%m%d" if end == "UNTIL date" else "%Y%m%dT%H%M%SZ")
    return ";".join([f"FREQ={freq}", *(f"{name}={value}" for name, value in parts.items())])


@st.composite
def series(draw: st.DrawFn) -> dict[str, Any]:
    zone = draw(st.sampled_from(ZONES))
    # Nights in which clocks change are as likely as all others together.
    night = st.sampled_from(["2031-03-30", "2031-10-26", "2031-03-09", "2031-11-02", "2031-04-06", "2031-09-07"])
    day = draw(st.one_of(night, st.dates(date(2031, 1, 1), date(2031, 12, 31)).map(str)))
    body: dict[str, Any] = {"title": "Series", "timezone": zone, "recurrence_rule": draw(rules())}
    if draw(st.booleans()):
        body |= {"start_time": day, "all_day": True}
    else:
        time = draw(
            st.sampled_from(["00:00:00", "00:30:00", "01:30:00", "02:00:00", "02:30:00", "03:00:00", "17:45:30"])
        )
        body |= {"start_time": f"{day}T{time}"}
    if draw(st.integers(0, 3)) == 0:
        body["recurrence_end"] = str(draw(st.dates(date(2031, 3, 1), date(2033, 1, 1))))
    return body


def read(document: str, zone: str, since: datetime, before: datetime) -> list[datetime]:
    """The starts another program finds in a document; of all-day events midnight in the zone."""
    day = timedelta(days=1)
    found = recurring_ical_events.of(Calendar.from_ical(document)).between(since - day, before + day)
    begin = sorted(instant(event["DTSTART"].dt, zone) for event in found)
    return [start for start in begin if since <= start < before]


@pytest.fixture
def reader(new_user: NewUser) -> User:
    return new_user(settings={"timezone": "Europe/Paris"})


def forget(user: User) -> None:
    for event in listed(user, "2030-12-01", "2033-02-01"):
        user.delete(f"/calendar/{event['series_id'] or event['id']}")


def disturb(user: User, steps: list[tuple[str, int, int]]) -> None:
    """Remove, move and split: each step names what to do, with which of the occurrences, and by how many hours."""
    for step, pick, hours in steps:
        found = [event for event in listed(user, "2030-12-01", "2033-02-01") if event["is_recurring"]]
        if not found:
            break
        chosen = found[pick % len(found)]
        path = f"/calendar/{chosen['id']}"
        moved = {"start_time": (at(chosen["start_time"]) + timedelta(hours=hours)).isoformat(), "title": "Moved"}
        match step:
            case "remove":
                assert user.delete(path).status == 200
            case "move":
                assert user.put(path, moved).status == 200
            case "split":
                # Refused where the rule has nothing left to say.
                assert user.put(path, moved, query={"scope": "following"}).status in (200, 400)
            case "cut":
                assert user.delete(path, query={"scope": "following"}).status == 200
            case "shift":
                assert user.put(path, moved, query={"scope": "all"}).status in (200, 400)


STEPS = st.lists(
    st.tuples(st.sampled_from(["remove", "move", "split", "cut", "shift"]), st.integers(0, 60), st.integers(-30, 30)),
    max_size=6,
)


@examples(60)
@given(body=series(), steps=STEPS)
def test_list_and_feed_agree(reader: User, body: dict[str, Any], steps: list[tuple[str, int, int]]) -> None:
    """For any series, with occurrences removed, moved and split off."""
    note(f"{body} {steps}")
    forget(reader)
    answer = reader.post("/calendar", body)
    assume(answer.status == 200)
    disturb(reader, steps)
    since, before = datetime(2031, 1, 5, tzinfo=UTC), datetime(2032, 12, 28, tzinfo=UTC)
    ours = [at(event["start_time"]) for event in listed(reader, since.isoformat(), before.isoformat())]
    theirs = read(reader.get("/calendar/export.ics").text, body["timezone"], since, before)
    # All-day events are in a list by their dates, which may begin behind its last instant.
    assert [start for start in ours if since <= start < before] == theirs


@examples(25)
@given(body=series(), steps=STEPS)
def test_an_export_comes_back_the_same_elsewhere(
    reader: User, new_user: NewUser, body: dict[str, Any], steps: list[tuple[str, int, int]]
) -> None:
    note(f"{body} {steps}")
    forget(reader)
    answer = reader.post("/calendar", body | {"reminder_minutes": 15, "color": "#8b5cf6", "description": "a;b,c\nd\\e"})
    assume(answer.status == 200)
    disturb(reader, steps)
    document = reader.get("/calendar/export.ics").text.encode()
    elsewhere = new_user(settings={"timezone": "America/Los_Angeles"})
    first = elsewhere.post("/calendar/import", document, headers=ICS).data
    assert first == first | {"updated": 0, "unchanged": 0, "skipped": 0, "problems": []}
    same = (
        "title",
        "description",
        "start_time",
        "end_time",
        "all_day",
        "timezone",
        "color",
        "reminder_minutes",
        "is_exception",
    )

    def shown(user: User) -> list[list[Any]]:
        """What is in a list, but for its ends: which dates an instant lies on depends on the reader's zone."""
        events = listed(user, "2030-12-30T00:00Z", "2033-01-03T00:00Z")
        inner = [event for event in events if "2031-01-01" <= event["start_time"] < "2033-01-01"]
        return sorted([event[name] for name in same] for event in inner)

    assert shown(elsewhere) == shown(reader)
    theirs = elsewhere.get("/calendar/export.ics").text.encode()
    for user, text in ((reader, document), (elsewhere, document), (elsewhere, theirs)):
        again = user.post("/calendar/import", text, headers=ICS).data
        assert again == first | {"imported": 0, "unchanged": first["imported"]}


def test_nine_stays_nine_when_the_clocks_change(user: User) -> None:
    zone = ZoneInfo("Europe/Berlin")
    body = {
        "title": "Weekly",
        "start_time": "2031-01-06T09:00",
        "timezone": str(zone),
        "recurrence_rule": "FREQ=WEEKLY",
    }
    assert user.post("/calendar", body).status == 200
    events = listed(user, "2031-01-01", "2031-12-31")
    assert len(events) == 52
    assert {at(event["start_time"]).astimezone(zone).strftime("%a %H:%M") for event in events} == {"Mon 09:00"}
    assert {event["start_time"][11:16] for event in events} == {"08:00", "07:00"}


@given(rule=rules(), years=st.integers(0, 30))
@settings(max_examples=200)
def test_a_late_window_is_what_counting_up_to_it_gives(rule: str, years: int) -> None:
    """Expansion leaves out what lies before the window; dateutil alone starts at the beginning."""
    assume("UNTIL" not in rule or rule.endswith("Z"))
    start = datetime(2001 + years, 3, 7, 9, tzinfo=UTC)
    body = Series(start=start, end=None, all_day=False, zone="UTC", rule=rule_of(rule))
    try:
        whole = fitted(body)
    except ValueError:
        assume(False)
        raise
    since, before = datetime(2031, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)
    ours = [one.start for one in occurrences(whole, since, before)]
    expansion = itertools.takewhile(lambda at: at < before, rrulestr(rule, dtstart=whole.start))
    theirs = [at for at in expansion if at >= since]
    assert ours == theirs
    assert all(occurs(whole, at) for at in theirs[:20])
    assert not any(occurs(whole, at + timedelta(minutes=1)) for at in theirs[:20])
