import base64
import hashlib
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from icalendar import Calendar

from tests.calendar.conftest import added, name_of
from tests.conftest import Client, Database, NewUser, User, at_once

PUBLIC = "https://api.questlog.test"


def opened(user: User) -> str:
    """The path of a feed just made."""
    url: str = user.post("/calendar/feed").data["url"]
    assert url.startswith(f"{PUBLIC}/calendar/feed/")
    return url.removeprefix(PUBLIC)


def events_of(text: str) -> list[Any]:
    calendar = Calendar.from_ical(text)
    return [part for part in calendar.subcomponents if part.name == "VEVENT"]


def test_a_feed_is_shown_once(user: User, stranger: Client, database: Database) -> None:
    assert user.get("/calendar/feed").data == {"active": False, "created_at": None, "last_used_at": None}
    made = user.post("/calendar/feed", headers={"Idempotency-Key": "k"}).data
    assert set(made) == {"url", "created_at"}
    token = made["url"].rpartition("/")[2].removesuffix(".ics")
    assert re.fullmatch("[A-Za-z0-9_-]{64}", token)
    # The user's id, so that the row is found by its key, and a secret of which only the digest is stored.
    content = base64.urlsafe_b64decode(token)
    assert content[:16] == user.id.bytes
    [row] = database.query("SELECT token_hash FROM calendar_feeds WHERE user_id = %s", user.id)
    assert row["token_hash"] == hashlib.sha256(content[16:]).digest()
    assert database.query("SELECT key FROM idempotency_keys WHERE user_id = %s", user.id) == []
    assert user.get("/calendar/feed").data == {"active": True, "created_at": made["created_at"], "last_used_at": None}
    path = made["url"].removeprefix(PUBLIC)
    for prefix in ("", "/api"):
        answer = stranger.get(f"{prefix}{path}")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert user.get("/calendar/feed").data["last_used_at"] is not None


def test_a_replaced_or_closed_feed_is_gone_at_once(user: User, stranger: Client) -> None:
    first = opened(user)
    second = opened(user)
    stranger.get(first).refused(404, "not_found")
    assert stranger.get(second).status == 200
    assert user.delete("/calendar/feed").data == {"success": True}
    stranger.get(second).refused(404, "not_found")
    assert user.get("/calendar/feed").data["active"] is False
    assert user.delete("/calendar/feed").data == {"success": True}
    third = opened(user)
    assert stranger.get(third).status == 200
    stranger.get(first).refused(404, "not_found")


def test_a_feed_opens_nothing_else(user: User, other: User, stranger: Client, database: Database) -> None:
    added(user, title="Mine")
    added(other, title="Theirs")
    path = opened(user)
    token = path.rpartition("/")[2].removesuffix(".ics")
    assert [str(event["SUMMARY"]) for event in events_of(stranger.get(path).text)] == ["Mine"]
    # Whoever else is signed in, the address says whose it is.
    assert [str(event["SUMMARY"]) for event in events_of(other.get(path).text)] == ["Mine"]
    for client in (Client(token=token), stranger):
        client.get("/calendar").refused(401, "unauthorized")
        client.get("/calendar/export.ics").refused(401, "unauthorized")
    stranger.post(path).refused(405, "method_not_allowed")
    for wrong in (token[:-1], token.lower(), "x", "'"):
        stranger.get(f"/calendar/feed/{wrong}.ics").refused(404, "not_found")
    stranger.get(path.removesuffix(".ics")).refused(404, "not_found")
    database.query("UPDATE users SET approved = false WHERE id = %s", user.id)
    stranger.get(path).refused(404, "not_found")


def test_feeds_made_at_once_leave_one(user: User, stranger: Client) -> None:
    paths = at_once(4, lambda: opened(user))
    assert [stranger.get(path).status for path in paths].count(200) == 1


def test_an_export_is_the_same_document_to_keep(user: User, stranger: Client) -> None:
    added(user, recurrence_rule="FREQ=DAILY")
    answer = user.get("/calendar/export.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.text == stranger.get(opened(user)).text
    stranger.get("/calendar/export.ics").refused(401, "unauthorized")


def test_what_an_event_says_in_a_feed(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Asia/Tokyo"})
    body: dict[str, Any] = {
        "title": "Stand-up, daily; with \\ and\nlines",
        "end_time": "2031-05-05T09:30:00Z",
        "timezone": "Europe/Berlin",
        "event_type": "meeting",
        "description": "ü" * 100,
        "location": "Room 1",
        "reminder_minutes": 15,
        "color": "#8b5cf6",
        "recurrence_rule": "FREQ=DAILY;COUNT=5",
    }
    event = added(user, **body)
    user.put(f"/calendar/{name_of(event, '07')}", {"start_time": "2031-05-07T12:00:00Z", "title": "Late"})
    user.delete(f"/calendar/{name_of(event, '08')}")
    added(user, title="Holiday", start_time="2031-05-05", end_time="2031-05-07", all_day=True)
    text = user.get("/calendar/export.ics").text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    calendar = Calendar.from_ical(text)
    assert [zone["TZID"] for zone in calendar.subcomponents if zone.name == "VTIMEZONE"] == ["Europe/Berlin"]
    found = {str(part["SUMMARY"]): part for part in events_of(text)}
    series, late, holiday = found[body["title"]], found["Late"], found["Holiday"]
    assert series["UID"] == late["UID"] == f"{event['id']}@questlog"
    lines = text.replace("\r\n ", "").split("\r\n")
    for line in (
        "DTSTART;TZID=Europe/Berlin:20310505T110000",
        "DTEND;TZID=Europe/Berlin:20310505T113000",
        "RRULE:FREQ=DAILY;COUNT=5;WKST=MO",
        "EXDATE;TZID=Europe/Berlin:20310508T110000",
        "RECURRENCE-ID;TZID=Europe/Berlin:20310507T110000",
        "DTSTART;TZID=Europe/Berlin:20310507T140000",
        "CATEGORIES:meeting",
        "LOCATION:Room 1",
        "TRIGGER:-PT15M",
        "DTSTART;VALUE=DATE:20310505",
        "DTEND;VALUE=DATE:20310507",
    ):
        assert line in lines, line
    assert str(series["DESCRIPTION"]) == body["description"]
    assert int(series["SEQUENCE"]) == 2, "one for each of the two edits"
    assert series["LAST-MODIFIED"].dt <= datetime.now(UTC)
    assert "RRULE" not in late
    assert "RRULE" not in holiday


def test_a_removed_exception_is_only_left_out(user: User) -> None:
    event = added(user, recurrence_rule="FREQ=DAILY;COUNT=5")
    user.put(f"/calendar/{name_of(event, '07')}", {"title": "Late"})
    user.delete(f"/calendar/{name_of(event, '07')}")
    text = user.get("/calendar/export.ics").text
    assert len(events_of(text)) == 1
    assert "EXDATE:20310507T090000Z" in text


@pytest.mark.parametrize(
    ("end", "written"),
    [
        ({"recurrence_rule": "FREQ=DAILY"}, "RRULE:FREQ=DAILY;WKST=MO"),
        ({"recurrence_rule": "FREQ=DAILY;INTERVAL=2", "recurrence_end": "2031-05-08T09:00:00Z"},
         "RRULE:FREQ=DAILY;UNTIL=20310508T090000Z;INTERVAL=2;WKST=MO"),
        ({"recurrence_rule": "FREQ=DAILY;COUNT=9", "recurrence_end": "2031-05-08"}, "RRULE:FREQ=DAILY;COUNT=4;WKST=MO"),
        ({"recurrence_rule": "FREQ=DAILY;UNTIL=20310508", "all_day": True}, "RRULE:FREQ=DAILY;UNTIL=20310508;WKST=MO"),
    ],
)  # fmt: skip
def test_a_rule_is_written_with_its_true_end(user: User, end: dict[str, Any], written: str) -> None:
    added(user, **end)
    [line] = [line for line in user.get("/calendar/export.ics").text.split("\r\n") if line.startswith("RRULE")]
    assert set(line.removeprefix("RRULE:").split(";")) == set(written.removeprefix("RRULE:").split(";"))


def test_the_changes_of_the_clocks_are_told(user: User) -> None:
    added(user, timezone="Europe/Berlin")
    text = user.get("/calendar/export.ics").text
    assert len(Calendar.from_ical(text).walk("VTIMEZONE")) == 1
    summer, winter = (
        text.replace("\r\n ", "").partition(f"BEGIN:{name}")[2].partition("END:")[0]
        for name in ("DAYLIGHT\r\nDTSTART:2031", "STANDARD")
    )
    # Local times of the clock that is about to change: from two to three, and from three back to two.
    for observance, hour, before, after in ((summer, "02", "+0100", "+0200"), (winter, "03", "+0200", "+0100")):
        assert set(re.findall(r"T(\d\d)0000", observance)) == {hour}
        assert f"TZOFFSETFROM:{before}\r\nTZOFFSETTO:{after}" in observance


def test_covers_a_year_back_and_all_that_is_to_come(user: User, database: Database) -> None:
    [row] = database.query("SELECT to_char(now() - interval '400 days', 'YYYY-MM-DD') AS long_ago")
    [near] = database.query("SELECT to_char(now() - interval '300 days', 'YYYY-MM-DD') AS day")
    added(user, title="over", start_time=row["long_ago"])
    added(user, title="over too", start_time=row["long_ago"], recurrence_rule="FREQ=DAILY;COUNT=10")
    added(user, title="goes on", start_time=row["long_ago"], recurrence_rule="FREQ=DAILY;COUNT=50")
    added(user, title="endless", start_time=row["long_ago"], recurrence_rule="FREQ=DAILY")
    added(user, title="near", start_time=near["day"])
    added(user, title="far", start_time="2150-01-01")
    moved = added(user, title="moved", start_time=row["long_ago"], recurrence_rule="FREQ=DAILY;COUNT=2")
    user.put(f"/calendar/{moved['id']}_{row['long_ago'].replace('-', '')}T000000Z", {"start_time": near["day"]})
    found = sorted(str(event["SUMMARY"]) for event in events_of(user.get("/calendar/export.ics").text))
    assert found == ["endless", "far", "goes on", "moved", "moved", "near"]
