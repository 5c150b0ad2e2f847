"""An export comes in parts that each fit into one import, and no answer is larger than it may be."""

import re
from typing import Any
from uuid import UUID

import pytest

from questlog.ical import writing
from questlog.recurrence.listing import EventRow

from tests.calendar.conftest import ICS, added, at, imported, listed, name_of
from tests.conftest import Client, NewUser, User

PUBLIC = "https://api.questlog.test"


def parts_of(user: User) -> list[str]:
    """The parts of an export, found by the links from each to the next."""
    parts = []
    path: str | None = "/calendar/export.ics?part=1"
    while path is not None:
        name, _, query = path.partition("?")
        answer = user.get(name, query={"part": query.removeprefix("part=")})
        assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        assert answer.headers["content-disposition"].startswith("attachment")
        parts.append(answer.text)
        link = re.fullmatch(rf'<{PUBLIC}(/calendar/export\.ics\?part=\d+)>; rel="next"', answer.headers.get("link", ""))
        path = link[1] if link else None
    return parts


def test_parts_come_back_the_same_elsewhere(user: User, new_user: NewUser, monkeypatch: pytest.MonkeyPatch) -> None:
    """With parts of five components: three series with their exceptions, and single events between them."""
    monkeypatch.setattr(writing, "MAX_COMPONENTS", 5)
    for number in range(3):
        series = added(user, title=f"Series {number}", recurrence_rule="FREQ=DAILY;COUNT=6", timezone="Asia/Tokyo")
        for day in ("06", "07", "08")[: number + 1]:
            user.put(f"/calendar/{name_of(series, day)}", {"title": f"Changed {number}"})
        added(user, title=f"Single {number}", start_time="2031-06-05", all_day=True)
    parts = parts_of(user)
    whole = user.get("/calendar/export.ics").text
    counts = [part.count("BEGIN:VEVENT") for part in parts]
    assert sum(counts) == whole.count("BEGIN:VEVENT") == 12
    assert len(parts) >= 3
    assert max(counts) <= 5
    for part in parts:
        # A series and its exceptions are never apart.
        uids = re.findall(r"UID:(\S+)", part)
        assert all(whole.count(f"UID:{uid}") == part.count(f"UID:{uid}") for uid in uids)
        assert part.startswith("BEGIN:VCALENDAR")
    elsewhere = new_user(settings={"timezone": "America/Lima"})
    for part in reversed(parts):
        answer = elsewhere.post("/calendar/import", part.encode(), headers=ICS).data
        assert (answer["skipped"], answer["problems"]) == (0, [])
    fields = ("title", "start_time", "end_time", "all_day", "timezone", "is_exception")

    def shown(reader: User) -> list[list[Any]]:
        return sorted([event[name] for name in fields] for event in listed(reader))

    assert shown(elsewhere) == shown(user)


def test_an_empty_calendar_has_one_part(user: User, stranger: Client) -> None:
    assert [part.count("BEGIN:") for part in parts_of(user)] == [1]
    user.get("/calendar/export.ics", query={"part": "2"}).refused(404, "not_found")
    for wrong in ("0", "-1", "x", "1001"):
        user.get("/calendar/export.ics", query={"part": wrong}).invalid("part")
    stranger.get("/calendar/export.ics", query={"part": "1"}).refused(401, "unauthorized")


def row(text: str, **fields: Any) -> EventRow:
    start = at("2031-05-05T09:00:00Z")
    made = {"id": "00000000-0000-4000-8000-000000000001", "timezone": "Europe/Berlin", "start_time": start, **fields}
    return EventRow(title=text[:200], description=text, location=text[:300], created_at=start, updated_at=start, **made)


@pytest.mark.parametrize("text", ["x" * 5000, ";,\\" * 1666, "\n" * 5000, "🎻" * 5000, "ü;" * 2500], ids=repr)
def test_what_is_written_is_never_more_than_was_reckoned(text: str) -> None:
    """Texts that grow when they are escaped and folded, with an alarm and dates: by this parts are cut."""
    dates = [at(f"2031-05-{day:02}T09:00:00Z") for day in range(6, 29)]
    event = row(text, recurrence_rule="FREQ=DAILY", exdates=dates, rdates=dates, reminder_minutes=15, color="#112233")
    events = [event.model_copy(update={"id": UUID(int=n)}) for n in range(3)]
    written = writing.written(events, at("2031-05-05T09:00:00Z"))
    assert len(written) < 3 * writing._most_bytes(event) + writing._ZONE_BYTES


def test_parts_are_cut_by_size_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row("x" * 5000, id=f"00000000-0000-4000-8000-{number:012}") for number in range(700)]
    parts = writing.in_parts(rows)
    assert sum(map(len, parts)) == 700
    assert len(parts) > 1
    for part in parts:
        assert len(writing.written(part, at("2031-05-05T09:00:00Z"))) <= 3 * 1_048_576


def test_what_an_answer_cannot_hold_is_refused_or_cut(user: User) -> None:
    """Six megabytes of texts: the list ends before, and says so; the whole export says to ask for its parts."""
    text = "x" * 5000
    events = [f"UID:{n}\nDTSTART:20310505T090000Z\nSUMMARY:{n}\nDESCRIPTION:{text}\n" for n in range(1_200)]
    for some in (events[:700], events[700:]):
        assert imported(user, *some).data["skipped"] == 0
    answer = user.get("/calendar", query={"date": "2031-05-05"})
    assert answer.status == 200
    assert len(answer.text) <= 5 * 1_048_576
    assert answer.data["truncated"] is True
    assert 700 < len(answer.data["events"]) < 1_200
    assert len(user.get("/calendar/week", query={"date": "2031-05-05"}).data["events"]) < 1_200
    details = user.get("/calendar/export.ics").refused(413, "answer_too_large")
    assert details == {"limit_bytes": 5 * 1_048_576}
    parts = parts_of(user)
    assert len(parts) >= 3
    assert sum(part.count("BEGIN:VEVENT") for part in parts) == 1_200
