import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.calendar.conftest import ICS, added, imported, listed, name_of, starts
from tests.conftest import Client, NewUser, User, at_once

EVENT = """UID:one@test
DTSTAMP:20310101T000000Z
DTSTART;TZID=Europe/Berlin:20310505T110000
DTEND;TZID=Europe/Berlin:20310505T113000
SUMMARY:Stand-up
SEQUENCE:2
"""
SERIES = EVENT + "RRULE:FREQ=DAILY;COUNT=4\n"
MOVED = """UID:one@test
RECURRENCE-ID;TZID=Europe/Berlin:20310506T110000
DTSTART;TZID=Europe/Berlin:20310506T150000
DTEND;TZID=Europe/Berlin:20310506T153000
SUMMARY:Late
SEQUENCE:2
"""
COUNTS = ("imported", "updated", "unchanged", "skipped")


def counts(answer: Any) -> tuple[int, ...]:
    return tuple(answer.data[name] for name in COUNTS)


def test_an_event_arrives_whole(user: User) -> None:
    answer = imported(
        user,
        EVENT + "DESCRIPTION:One\\, two\\nthree\nLOCATION:Room 1\nCATEGORIES:MEETING\n"
        "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT1H\nEND:VALARM\n",
    )
    assert answer.data == {"imported": 1, "updated": 0, "unchanged": 0, "removed": 0, "skipped": 0, "problems": []}
    [event] = listed(user)
    shown = ("title", "description", "location", "event_type", "timezone", "reminder_minutes", "start_time", "end_time")
    assert [event[name] for name in shown] == [
        *("Stand-up", "One, two\nthree", "Room 1", "meeting", "Europe/Berlin", 60),
        *("2031-05-05T09:00:00.000000Z", "2031-05-05T09:30:00.000000Z"),
    ]


def test_json_carries_the_same(user: User) -> None:
    text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{EVENT}END:VEVENT\nEND:VCALENDAR"
    assert counts(user.post("/calendar/import", {"ics": text})) == (1, 0, 0, 0)
    # Without a type, braces say what it is.
    assert counts(user.post("/calendar/import", json.dumps({"ics": text}).encode())) == (0, 0, 1, 0)
    assert counts(user.post("/calendar/import", text.encode(), headers={"content-type": ""})) == (0, 0, 1, 0)
    assert counts(
        user.post("/calendar/import", text.encode(), headers={"content-type": "text/calendar; charset=utf-8"})
    ) == (0, 0, 1, 0)


def test_a_series_and_its_exceptions_count_one_each(user: User) -> None:
    assert counts(imported(user, MOVED, SERIES + "EXDATE;TZID=Europe/Berlin:20310507T110000\n")) == (2, 0, 0, 0)
    events = listed(user)
    assert [(event["start_time"][:16], event["title"]) for event in events] == [
        ("2031-05-05T09:00", "Stand-up"),
        ("2031-05-06T13:00", "Late"),
        ("2031-05-08T09:00", "Stand-up"),
    ]
    assert (events[1]["is_exception"], events[1]["original_start"]) == (True, "2031-05-06T09:00:00.000000Z")
    assert counts(imported(user, SERIES + "EXDATE;TZID=Europe/Berlin:20310507T110000\n", MOVED)) == (0, 0, 2, 0)


def test_matches_by_uid_and_sequence(user: User) -> None:
    imported(user, SERIES, MOVED)
    assert counts(imported(user, SERIES.replace("Stand-up", "Stand-down"))) == (0, 1, 0, 0)
    assert listed(user)[0]["title"] == "Stand-down"
    older = SERIES.replace("SEQUENCE:2", "SEQUENCE:1").replace("Stand-up", "Older")
    nothing = {"imported": 0, "updated": 0, "unchanged": 0, "removed": 0, "problems": []}
    assert imported(user, older).data == nothing | {"skipped": 1}
    assert listed(user)[0]["title"] == "Stand-down"
    assert counts(imported(user, SERIES, MOVED.replace("Late", "Later"))) == (0, 2, 0, 0)
    assert [event["title"] for event in listed(user)] == ["Stand-up", "Later", "Stand-up", "Stand-up"]
    # What was edited here is newer than the copy it came from.
    user.put(f"/calendar/{listed(user)[0]['series_id']}", {"title": "Mine"})
    assert counts(imported(user, SERIES)) == (0, 0, 0, 1)
    newer = SERIES.replace("SEQUENCE:2", "SEQUENCE:9").replace("COUNT=4", "COUNT=2")
    assert counts(imported(user, newer)) == (0, 1, 0, 0)
    # The newer version does not have the exception that the first import brought.
    assert starts(user) == ["2031-05-05T09:00", "2031-05-06T09:00"]


def test_our_own_is_known_again(user: User) -> None:
    series = added(
        user, recurrence_rule="FREQ=DAILY;COUNT=3", timezone="Europe/Berlin", habit_id=None, metadata={"a": 1}
    )
    user.put(f"/calendar/{name_of(series, '06')}", {"title": "Moved"})
    before = listed(user)
    text = user.get("/calendar/export.ics").text
    assert counts(user.post("/calendar/import", text.encode(), headers=ICS)) == (0, 0, 2, 0)
    changed = text.replace("SUMMARY:Stand-up", "SUMMARY:Sit-down")
    assert counts(user.post("/calendar/import", changed.encode(), headers=ICS)) == (0, 1, 1, 0)
    after = listed(user)
    assert [event["id"] for event in after] == [event["id"] for event in before]
    assert (after[0]["title"], after[0]["metadata"]) == ("Sit-down", {"a": 1})


def test_someone_elses_uid_is_no_match(user: User, other: User) -> None:
    imported(user, EVENT)
    event = added(user, title="Private")
    assert counts(imported(other, EVENT)) == (1, 0, 0, 0)
    text = user.get("/calendar/export.ics").text
    assert counts(other.post("/calendar/import", text.encode(), headers=ICS)) == (1, 0, 1, 0)
    assert user.get(f"/calendar/{event['id']}").data == event
    other.get(f"/calendar/{event['id']}").refused(404, "not_found")


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("W. Europe Standard Time", "2031-05-05T09:00"),
        ("Eastern Standard Time", "2031-05-05T15:00"),
        ('"Tokyo Standard Time"', "2031-05-05T02:00"),
        ("/freeassociation.sourceforge.net/Tzfile/America/New_York", "2031-05-05T15:00"),
        ("Europe/Berlin", "2031-05-05T09:00"),
        ("UTC", "2031-05-05T11:00"),
    ],
)
def test_zones_by_whatever_name(user: User, zone: str, start: str) -> None:
    imported(user, f"UID:a\nDTSTART;TZID={zone}:20310505T110000\nSUMMARY:x\nRRULE:FREQ=DAILY;COUNT=2\n")
    assert starts(user)[0] == start


def test_floating_times_are_in_the_calendars_zone_or_the_users(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Asia/Tokyo"})
    event = "DTSTART:20310505T110000\nSUMMARY:x\n"
    day = "DTSTART;VALUE=DATE:20310505\nSUMMARY:day\n"
    imported(user, "UID:a\n" + event, "UID:b\n" + day)
    assert starts(user) == ["2031-05-04T15:00", "2031-05-05T02:00"]
    imported(user, "UID:c\n" + event, "UID:d\n" + day, X_WR_TIMEZONE="America/New_York")
    # An all-day event is the user's own zone's.
    assert starts(user) == ["2031-05-04T15:00", "2031-05-04T15:00", "2031-05-05T02:00", "2031-05-05T15:00"]
    assert {event["timezone"] for event in listed(user)} == {"Asia/Tokyo", "America/New_York"}


def test_dates_besides_the_rule(user: User) -> None:
    imported(
        user,
        "UID:a\nDTSTART:20310505T090000Z\nSUMMARY:x\nRRULE:FREQ=DAILY;COUNT=2\nRDATE:20310510T090000Z,20310512T120000Z\n"
        "RDATE;VALUE=PERIOD:20310514T090000Z/PT1H\nEXDATE:20310510T090000Z\n",
        "UID:b\nDTSTART;VALUE=DATE:20310601\nSUMMARY:y\nRDATE;VALUE=DATE:20310603,20310605\n",
        "UID:c\nDTSTART:20310701T090000Z\nDURATION:PT45M\nSUMMARY:z\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20310702\n",
    )
    assert starts(user) == [
        *("2031-05-05T09:00", "2031-05-06T09:00", "2031-05-12T12:00", "2031-05-14T09:00"),
        *("2031-06-01T00:00", "2031-06-03T00:00", "2031-06-05T00:00"),
        *("2031-07-01T09:00", "2031-07-03T09:00"),
    ]
    assert listed(user)[-1]["end_time"] == "2031-07-03T09:45:00.000000Z"
    text = user.get("/calendar/export.ics").text
    # The period of an hour, on a series without a duration, is an exception.
    assert counts(user.post("/calendar/import", text.encode(), headers=ICS)) == (0, 0, 4, 0)


def test_an_instance_counts_and_not_the_period_of_its_occurrence(user: User) -> None:
    series = "UID:a\nDTSTART:20310505T090000Z\nSUMMARY:x\nRDATE;VALUE=PERIOD:20310514T090000Z/PT1H\n"
    instance = "UID:a\nRECURRENCE-ID:20310514T090000Z\nDTSTART:20310514T090000Z\nDTEND:20310514T093000Z\nSUMMARY:y\n"
    assert counts(imported(user, series, instance)) == (2, 0, 0, 0)
    assert (listed(user)[-1]["title"], listed(user)[-1]["end_time"]) == ("y", "2031-05-14T09:30:00.000000Z")
    assert counts(imported(user, series, instance)) == (0, 0, 2, 0)


def test_a_cancelled_occurrence_is_removed(user: User) -> None:
    imported(user, SERIES)
    cancelled = MOVED + "STATUS:CANCELLED\n"
    assert imported(user, cancelled).data["removed"] == 1
    assert len(listed(user)) == 3
    again = imported(user, cancelled).data
    assert {name: again[name] for name in (*COUNTS, "removed")} == dict.fromkeys((*COUNTS, "removed"), 0)
    assert len(listed(user)) == 3


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("UID:a\nSUMMARY:x\n", "DTSTART"),
        ("UID:a\nDTSTART:20311305T090000Z\n", "DTSTART"),
        ("UID:a\nDTSTART;TZID=Nowhere/Town:20310505T090000\n", "Nowhere/Town"),
        ("UID:a\nDTSTART:20310505T090000Z\nDTEND:20310505T080000Z\n", "ends before"),
        ("UID:a\nDTSTART:15000505T090000Z\n", "outside"),
        ("UID:a\nDTSTART:20310505T090000Z\nRRULE:FREQ=SECONDLY\n", "FREQ"),
        ("UID:a\nDTSTART:20310505T090000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\n", "no occurrence"),
        ("UID:a\nDTSTART:20310505T090000Z\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY\n", "one rule"),
        ("UID:one@test\nDTSTART:20310505T090000Z\nRECURRENCE-ID:20310505T093000Z\n", "no occurrence"),
        ("UID:one@test\nDTSTART:20310505T090000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20310506T090000Z\n", "RANGE"),
    ],
)
def test_what_cannot_be_taken_is_told_and_the_rest_is(user: User, event: str, reason: str) -> None:
    answer = imported(user, SERIES, event, "UID:fine\nDTSTART:20320505T090000Z\n").data
    assert [answer[name] for name in COUNTS] == [2, 0, 0, 1]
    [problem] = answer["problems"]
    assert reason in problem["message"]
    assert problem["uid"] == event.partition("\n")[0].removeprefix("UID:")
    assert len(starts(user)) == 5
    assert listed(user)[-1]["title"] == "Untitled"


def test_the_first_fifty_problems_are_told(user: User) -> None:
    answer = imported(user, *(f"UID:{n}\nSUMMARY:x\n" for n in range(60))).data
    assert (answer["skipped"], len(answer["problems"])) == (60, 50)


def test_a_component_given_twice_is_taken_once(user: User) -> None:
    assert counts(imported(user, EVENT, EVENT)) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "BEGIN:VCALENDAR",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR",
        "BEGIN:VEVENT\nEND:VEVENT",
        "END:VCALENDAR",
    ],
)
def test_what_is_no_calendar_is_refused(user: User, text: str) -> None:
    user.post("/calendar/import", text.encode(), headers=ICS).refused(400, "validation_error")
    user.post("/calendar/import", {"ics": text}).refused(400, "validation_error")


def test_what_is_no_import_is_refused(user: User, stranger: Client) -> None:
    user.post("/calendar/import", {}).invalid("ics")
    user.post("/calendar/import", {"ics": 5}).invalid("ics")
    user.post("/calendar/import", b"{", headers={"content-type": "application/json"}).invalid("body")
    user.post("/calendar/import", b"x", headers={"content-type": "image/png"}).refused(415, "unsupported_media_type")
    user.post("/calendar/import", b"BEGIN:VCALENDAR\n\0\nEND:VCALENDAR", headers=ICS).refused(400, "validation_error")
    big = b"BEGIN:VCALENDAR\n" + b"X" * 4_194_304
    assert user.post("/calendar/import", big, headers=ICS).refused(413, "payload_too_large") == {
        "limit_bytes": 4_194_304
    }
    user.post("/calendar/import", {"ics": "X" * 1_048_576}).refused(413, "payload_too_large")
    imported(stranger, EVENT).refused(401, "unauthorized")
    assert listed(user) == []


def test_ten_thousand_components_are_taken_and_one_more_is_not(user: User) -> None:
    events = [f"UID:{n}\nDTSTART:20310505T{n % 24:02}0000Z\nSUMMARY:Event {n}\n" for n in range(10_001)]
    imported(user, *events).refused(400, "validation_error")
    assert counts(imported(user, *events[:10_000])) == (10_000, 0, 0, 0)
    assert counts(imported(user, *events[:10_000])) == (0, 0, 10_000, 0)
    found = user.get("/calendar", query={"date": "2031-05-05"}).data
    assert (len(found["events"]), found["truncated"]) == (2000, True)


def test_imports_at_once_take_each_event_once(user: User) -> None:
    answers = at_once(3, lambda: counts(imported(user, SERIES, MOVED)))
    assert sorted(answers) == [(0, 0, 2, 0), (0, 0, 2, 0), (2, 0, 0, 0)]
    assert len(listed(user)) == 4


def test_a_repeated_import_answers_as_the_first_time(user: User) -> None:
    text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{EVENT}END:VEVENT\nEND:VCALENDAR".encode()
    answers = [user.post("/calendar/import", text, headers={**ICS, "Idempotency-Key": "k"}).data for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[1]["imported"] == 1


def test_a_zone_defined_from_outside_is_not_expanded(user: User) -> None:
    zone = "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19700101T000000\nRRULE:FREQ=SECONDLY\n"
    zone += "TZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
    text = f"BEGIN:VCALENDAR\n{zone}BEGIN:VEVENT\n{SERIES}END:VEVENT\nEND:VCALENDAR"
    assert counts(user.post("/calendar/import", text.encode(), headers=ICS)) == (1, 0, 0, 0)
    assert starts(user)[0] == "2031-05-05T09:00"


# What a VEVENT may hold, in every mixture that makes no sense.
PROPERTIES = [
    "DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID", "SEQUENCE", "CATEGORIES",
    "SUMMARY", "UID", "STATUS", "BEGIN", "END", "TRIGGER", "X-QUESTLOG-TIMEZONE", "X-QUESTLOG-COLOR", "DESCRIPTION",
]  # fmt: skip
PARAMETERS = [
    ";VALUE=DATE", ";VALUE=PERIOD", ";VALUE=TEXT", ";VALUE=INTEGER", ";TZID=Europe/Berlin", ";TZID=", ";X", ';X="',
    ";RANGE=THISANDFUTURE",
]  # fmt: skip
VALUES = [
    "20310505T090000Z", "20310505", "20310505T090000", "00010101T000000", "20310505T090000Z/PT1H",
    "20310505T090000Z,20310506", "PT1H", "-PT15M", "P1W", "P99999999999D", "FREQ=DAILY;COUNT=2",
    "FREQ=DAILY;UNTIL=x", "FREQ=YEARLY;BYDAY=99MO", "5", "-1", "99999999999999999999", ",", "a,b", "\\", "VALARM",
    "VEVENT", "Europe/Berlin", "#8b5cf6", "CANCELLED",
]  # fmt: skip


@settings(max_examples=150)
@given(
    lines=st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from(PROPERTIES), st.sampled_from(["", *PARAMETERS]), st.sampled_from(["", *VALUES])
            ).map(lambda parts: f"{parts[0]}{parts[1]}:{parts[2]}"),
            st.text(max_size=12),
        ),
        max_size=8,
    )
)
def test_no_document_is_a_fault(user: User, lines: list[str]) -> None:
    text = "\n".join(
        ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:f", "DTSTART:20310505T090000Z", *lines, "END:VEVENT", "END:VCALENDAR"]
    )
    answer = user.post("/calendar/import", text.encode(errors="replace"), headers=ICS)
    assert answer.status in (200, 400), (text, answer.text)
    assert user.get("/calendar/export.ics").status == 200


def problems(answer: Any) -> list[tuple[str | None, str]]:
    return [(problem["uid"], problem["message"]) for problem in answer.data["problems"]]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:soon\nEND:VALARM\n", "alarm"),
        ("BEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM\n", "alarm"),
        ("SEQUENCE:two\n", "SEQUENCE"),
        ("DTSTAMP:yesterday\n", "DTSTAMP"),
        ("LAST-MODIFIED:20311305T000000Z\n", "LAST-MODIFIED"),
        ("CATEGORIES\n", "line"),
        ("CATEGORIES;X=:\n", None),
        ("LOCATION;=x:here\n", "LOCATION"),
        ("what is this\n", "line"),
        ("SUMMARY:" + "x" * 201 + "\n", "SUMMARY is longer than 200"),
        ("DESCRIPTION:" + "x" * 5001 + "\n", "DESCRIPTION is longer than 5000"),
        ("LOCATION:" + "x" * 301 + "\n", "LOCATION is longer than 300"),
        ("X-WHATEVER;=:?\n", None),
    ],
)
def test_what_does_not_say_when_is_left_out_and_told(user: User, lines: str, told: str | None) -> None:
    answer = imported(user, "UID:a\nDTSTART:20310505T090000Z\nDTEND:20310505T100000Z\n" + lines)
    assert counts(answer) == (1, 0, 0, 0)
    [event] = listed(user)
    assert (event["start_time"], event["end_time"]) == ("2031-05-05T09:00:00.000000Z", "2031-05-05T10:00:00.000000Z")
    assert (event["reminder_minutes"], event["location"]) == (None, "x" * 300 if told and "300" in told else None)
    assert len(event["title"]) == (200 if told and "200" in told else len("Untitled"))
    found = problems(answer)
    assert len(found) == (told is not None), found
    if told is not None:
        assert found[0][0] == "a"
        assert told in found[0][1]


@pytest.mark.parametrize(
    ("trigger", "minutes"),
    [
        ("TRIGGER:-PT15M", 15),
        ("TRIGGER;RELATED=START:-P1DT1H", 1500),
        ("TRIGGER:-P4W", 40320),
        ("TRIGGER:PT0S", 0),
        # Nothing that can be kept.
        ("TRIGGER:PT15M", None),
        ("TRIGGER;RELATED=END:-PT15M", None),
        ("TRIGGER;VALUE=DATE-TIME:20310505T080000Z", None),
        ("TRIGGER:-P5W", None),
    ],
)
def test_alarms(user: User, trigger: str, minutes: int | None) -> None:
    alarm = f"BEGIN:VALARM\nUID:of-the-alarm\nACTION:DISPLAY\n{trigger}\nEND:VALARM\n"
    answer = imported(user, f"{alarm}UID:own\nDTSTART:20310505T090000Z\n")
    lost = [(None, "VALARM has no place here and was left out: 1")]
    assert problems(answer) == (lost if minutes is None else [])
    assert listed(user)[0]["reminder_minutes"] == minutes
    assert "UID:own" in user.get("/calendar/export.ics").text


@pytest.mark.parametrize(("second", "is_told"), [("-PT15M", False), ("-P1D", True), ("PT5M", True)])
def test_an_event_keeps_one_alarm(user: User, second: str, is_told: bool) -> None:
    alarms = "".join(
        f"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:{trigger}\nEND:VALARM\n" for trigger in ("-PT15M", second, second)
    )
    answer = imported(user, f"{alarms}UID:own\nDTSTART:20310505T090000Z\n")
    assert listed(user)[0]["reminder_minutes"] == 15
    expected = [(None, "VALARM has no place here and was left out: 1")]
    assert problems(answer) == (expected if is_told else [])


def test_an_alarm_that_never_rings_is_no_loss(user: User) -> None:
    # Apple's calendars write one into each event for which the alarm of the calendar is switched off.
    alarm = "BEGIN:VALARM\nACTION:NONE\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z\nEND:VALARM\n"
    assert problems(imported(user, f"{alarm}UID:own\nDTSTART:20310505T090000Z\n")) == []


def test_an_alarms_uid_is_not_its_events(user: User) -> None:
    alarm = "BEGIN:VALARM\nUID:shared\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM\n"
    events = [f"DTSTART:2031050{day}T090000Z\nSUMMARY:{day}\n{alarm}" for day in (5, 6)]
    assert counts(imported(user, *events)) == (2, 0, 0, 0)
    assert counts(imported(user, *events)) == (0, 0, 2, 0)
    assert "UID:shared" not in user.get("/calendar/export.ics").text


def test_a_date_before_the_start_shows_in_every_range(user: User) -> None:
    imported(user, "UID:a\nDTSTART:20310510T090000Z\nRRULE:FREQ=DAILY;COUNT=2\nRDATE:20310501T090000Z\nSUMMARY:x\n")
    imported(
        user, "UID:b\nDTSTART;VALUE=DATE:20310610\nRRULE:FREQ=DAILY;COUNT=2\nRDATE;VALUE=DATE:20310601\nSUMMARY:x\n"
    )
    expected = ["2031-05-01T09:00", "2031-05-10T09:00", "2031-05-11T09:00"]
    expected += ["2031-06-01T00:00", "2031-06-10T00:00", "2031-06-11T00:00"]
    assert starts(user) == expected
    assert starts(user, "2031-04-25", "2031-05-05") == expected[:1]
    assert starts(user, "2031-05-25", "2031-06-05") == expected[3:4]
    for event in listed(user):
        assert user.get(f"/calendar/{event['id']}").data == event


def test_components_of_other_kinds_are_passed_over(user: User) -> None:
    other = "".join(f"BEGIN:{name}\nUID:{name}\nSUMMARY:x\nEND:{name}\n" for name in ("VTODO", "VJOURNAL", "VFREEBUSY"))
    text = f"BEGIN:VCALENDAR\n{other}BEGIN:VEVENT\n{EVENT}END:VEVENT\nEND:VCALENDAR\n"
    answer = user.post("/calendar/import", (text * 2).encode(), headers=ICS)
    assert counts(answer) == (1, 0, 0, 0)
    assert problems(answer) == [
        (None, "VTODO has no place here and was left out: 2"),
        (None, "VJOURNAL has no place here and was left out: 2"),
    ]


BESIDES = """ATTACH:https://x.test/plan.pdf
ATTENDEE;CN=Ada:mailto:ada@x.test
ATTENDEE;CN=Bo:mailto:bo@x.test
COLOR:turquoise
COMMENT:bring the keys
CONFERENCE;VALUE=URI:https://x.test/call
CONTACT:Ada
GEO:52.5;13.4
IMAGE;VALUE=URI:https://x.test/door.png
ORGANIZER:mailto:ada@x.test
RELATED-TO:two@test
RESOURCES:projector
URL:https://x.test/
CATEGORIES:Family,Meeting
"""


def test_what_events_have_besides_is_told_once_for_the_document(user: User) -> None:
    events = [f"UID:{number}\n{BESIDES if number < 2 else 'SEQUENCE:two'}" for number in range(60)]
    many = "".join(f"BEGIN:VEVENT\nDTSTART:20310505T090000Z\n{event}\nEND:VEVENT\n" for event in events)
    answer = user.post("/calendar/import", f"BEGIN:VCALENDAR\n{many}END:VCALENDAR\n".encode(), headers=ICS)
    assert counts(answer) == (60, 0, 0, 0)
    names = dict.fromkeys(re.split("[;:]", line)[0] for line in BESIDES.splitlines())
    expected = [(None, f"{name} has no place here and was left out: 2") for name in names]
    assert (len(problems(answer)), problems(answer)[-len(expected) :]) == (50, expected)
    assert {event["event_type"] for event in listed(user)} == {"meeting", "general"}


def test_what_is_cancelled_loses_nothing(user: User) -> None:
    imported(user, EVENT)
    answer = imported(user, EVENT.replace("SEQUENCE:2", "SEQUENCE:3") + BESIDES + "STATUS:CANCELLED\n")
    assert (answer.data["removed"], problems(answer)) == (1, [])


@pytest.mark.parametrize(
    ("categories", "is_told"),
    [("Meeting", False), ("meeting,MEETING", False), (",", False), ("Family", True), ("Family,Meeting", True)],
)
def test_categories_that_are_no_type_are_told(user: User, categories: str, is_told: bool) -> None:
    answer = imported(user, EVENT + f"CATEGORIES:{categories}\n")
    expected = [(None, "CATEGORIES has no place here and was left out: 1")]
    assert problems(answer) == (expected if is_told else [])


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("text/calendar; charset=us-ascii", "SUMMARY:Café".encode()),
        ("text/calendar; charset=utf-8", "SUMMARY:Café".encode("latin-1")),
        ("text/calendar; charset=utf-16", b"B"),
        ("text/calendar; charset=klingon", b"SUMMARY:x"),
        ("text/calendar; charset=idna", b"SUMMARY:x"),
        ("text/calendar; charset=zlib", b"SUMMARY:x"),
        ("text/calendar", b"SUMMARY:\x81"),
        ("text/calendar", b"SUMMARY:\0"),
    ],
)
def test_bytes_that_are_not_what_they_are_said_to_be_are_refused(user: User, content_type: str, content: bytes) -> None:
    document = (
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20310505T090000Z\n" + content + b"\nEND:VEVENT\nEND:VCALENDAR"
    )
    user.post("/calendar/import", document, headers={"content-type": content_type}).invalid("body")
    assert listed(user) == []


def test_a_zone_that_is_like_no_other_gives_its_offset_and_is_told(user: User) -> None:
    """Summer time in January alone: no zone of the north has it."""
    zone = """BEGIN:VTIMEZONE
TZID:Nowhere
BEGIN:STANDARD
DTSTART:20000201T000000
TZOFFSETFROM:+0400
TZOFFSETTO:+0300
RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20000101T000000
TZOFFSETFROM:+0300
TZOFFSETTO:+0400
RRULE:FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1
END:DAYLIGHT
END:VTIMEZONE
"""
    events = "".join(
        f"BEGIN:VEVENT\nUID:{month}\nDTSTART;TZID=Nowhere:2031{month}10T090000\nSUMMARY:x\nEND:VEVENT\n"
        for month in ("01", "03")
    )
    answer = user.post("/calendar/import", f"BEGIN:VCALENDAR\n{zone}{events}END:VCALENDAR".encode(), headers=ICS)
    assert counts(answer) == (2, 0, 0, 0)
    assert starts(user) == ["2031-01-10T05:00", "2031-03-10T06:00"]
    assert [uid for uid, message in problems(answer) if "Nowhere" in message] == ["01", "03"]
    assert {event["timezone"] for event in listed(user)} == {"Etc/GMT-4", "Etc/GMT-3"}


def test_what_is_imported_can_be_changed(user: User) -> None:
    """Whatever the zone was called, its name here is one that a request may send."""
    names = ["Japan", "EST5EDT", '"(UTC-05:00) Eastern Time (US & Canada)"', "UTC+1", "W. Europe Standard Time"]
    imported(user, *(f"UID:{n}\nDTSTART;TZID={name}:20310505T090000\nSUMMARY:x\n" for n, name in enumerate(names)))
    events = listed(user)
    assert len(events) == len(names)
    for event in events:
        changed = user.put(f"/calendar/{event['id']}", {"timezone": event["timezone"], "title": "y"})
        assert (changed.status, changed.data["start_time"]) == (200, event["start_time"])


def test_what_the_file_never_said_stays_in_exceptions_too(user: User) -> None:
    """An exception that an import brings takes type, colour and reminder of the series as the user set them."""
    imported(user, SERIES)
    habit = user.post("/habits", {"name": "Stretch"}).data["id"]
    path = f"/calendar/{listed(user)[0]['series_id']}"
    user.patch(path, {"event_type": "task", "color": "#010203", "reminder_minutes": 7, "habit_id": habit})
    assert counts(imported(user, MOVED)) == (1, 0, 0, 0)
    late = next(event for event in listed(user) if event["title"] == "Late")
    assert [late[name] for name in ("event_type", "color", "reminder_minutes", "habit_id")] == [
        "task",
        "#010203",
        7,
        habit,
    ]


def test_what_an_earlier_file_said_and_a_later_one_does_not(user: User) -> None:
    said = "CATEGORIES:meeting\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT10M\nEND:VALARM\n"
    imported(user, EVENT + said)
    path = f"/calendar/{listed(user)[0]['id']}"
    user.patch(path, {"event_type": "focus", "reminder_minutes": 30})
    newer = EVENT.replace("SEQUENCE:2", "SEQUENCE:3").replace("Stand-up", "New")
    assert counts(imported(user, newer)) == (0, 1, 0, 0)
    [event] = listed(user)
    assert (event["title"], event["event_type"], event["reminder_minutes"]) == ("New", "focus", 30)
    assert counts(imported(user, newer.replace("SEQUENCE:3", "SEQUENCE:4") + said)) == (0, 1, 0, 0)
    [event] = listed(user)
    assert (event["event_type"], event["reminder_minutes"]) == ("meeting", 10)


def test_one_that_is_no_longer_newer_by_number_is_skipped(user: User) -> None:
    """The number of a version that changed nothing counts too."""
    imported(user, EVENT)
    assert counts(imported(user, EVENT.replace("SEQUENCE:2", "SEQUENCE:7"))) == (0, 0, 1, 0)
    older = EVENT.replace("SEQUENCE:2", "SEQUENCE:5").replace("Stand-up", "Older")
    assert counts(imported(user, older)) == (0, 0, 0, 1)


def test_imports_at_once_of_instances_take_each_once(user: User) -> None:
    answers = at_once(3, lambda: counts(imported(user, MOVED)))
    assert sorted(answers) == [(0, 0, 1, 0), (0, 0, 1, 0), (1, 0, 0, 0)]
    assert len(listed(user)) == 1


def test_a_date_that_the_rule_has_too_shows_once(user: User) -> None:
    imported(
        user, "UID:a\nDTSTART:20310505T090000Z\nRRULE:FREQ=DAILY;COUNT=3\nRDATE:20310506T090000Z,20310506T120000Z\n"
    )
    assert [start[8:13] for start in starts(user)] == ["05T09", "06T09", "06T12", "07T09"]


def test_a_rest_of_more_than_a_day_is_exact(user: User, new_user: NewUser) -> None:
    """Of a day and thirty hours over a change of the clocks; written as two days and six hours it would be another."""
    imported(user, "UID:a\nDTSTART;TZID=Europe/Berlin:20311024T100000\nDURATION:P1DT30H\nSUMMARY:x\n")
    [event] = listed(user)
    assert event["end_time"] == "2031-10-26T14:00:00.000000Z"
    elsewhere = new_user()
    elsewhere.post("/calendar/import", user.get("/calendar/export.ics").text.encode(), headers=ICS)
    assert listed(elsewhere)[0]["end_time"] == event["end_time"]


def test_periods_of_an_all_day_series_are_dates(user: User) -> None:
    imported(user, "UID:a\nDTSTART;VALUE=DATE:20310505\nRDATE;VALUE=PERIOD:20310507T000000/PT3H\nSUMMARY:x\n")
    assert [(event["start_time"][:13], event["end_time"][:13]) for event in listed(user)] == [
        ("2031-05-05T00", "2031-05-06T00"),
        ("2031-05-07T00", "2031-05-08T00"),
    ]


def test_an_end_after_all_calendars_is_none(user: User) -> None:
    imported(user, "UID:a\nDTSTART:20310505T090000Z\nRRULE:FREQ=YEARLY;UNTIL=99991231T235959Z\nSUMMARY:x\n")
    [event] = listed(user, "2031-01-01", "2031-12-31")
    assert event["recurrence_rule"] == "FREQ=YEARLY"


def test_a_leap_second_is_the_one_before(user: User) -> None:
    imported(user, "UID:a\nDTSTART:20310630T235960Z\nSUMMARY:x\n")
    assert listed(user)[0]["start_time"] == "2031-06-30T23:59:59.000000Z"


@pytest.mark.parametrize(
    ("name", "dates", "told"),
    [
        ("EXDATE", ["20310506T090000Z"] * 5_001, "more than 5000"),
        ("RDATE", ["20310506T090000Z"] * 5_001, "more than 5000"),
        (
            "RDATE;VALUE=PERIOD",
            [f"203105{day:02}T{hour:02}0000Z/PT1H" for day in range(6, 28) for hour in range(24)],
            "500 periods",
        ),
    ],
)
def test_an_event_has_so_many_dates(user: User, name: str, dates: list[str], told: str) -> None:
    event = "UID:a\nDTSTART:20310505T090000Z\nRRULE:FREQ=DAILY\n"
    answer = imported(user, f"{event}{name}:{','.join(dates)}\n")
    assert counts(answer) == (0, 0, 0, 1)
    assert told in problems(answer)[0][1]
    assert counts(imported(user, f"{event}{name}:{','.join(dates[:500])}\n")) == (1, 0, 0, 0)


ZONE = """BEGIN:VTIMEZONE
TZID:Custom
BEGIN:DAYLIGHT
DTSTART:19870405T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z
END:DAYLIGHT
BEGIN:DAYLIGHT
DTSTART:20070311T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19671029T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z
END:STANDARD
BEGIN:STANDARD
DTSTART:20071104T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("users", "expected"), [("Asia/Tokyo", "America/New_York"), ("America/Toronto", "America/Toronto")]
)
def test_a_zone_that_is_like_the_users_is_the_users(new_user: NewUser, users: str, expected: str) -> None:
    """Rules of the past that end are no rules of today."""
    user = new_user(settings={"timezone": users})
    event = (
        "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Custom:20311030T090000\nRRULE:FREQ=WEEKLY;COUNT=2\nSUMMARY:x\nEND:VEVENT\n"
    )
    answer = user.post("/calendar/import", f"BEGIN:VCALENDAR\n{ZONE}{event}END:VCALENDAR".encode(), headers=ICS)
    assert (counts(answer), problems(answer)) == ((1, 0, 0, 0), [])
    assert {event["timezone"] for event in listed(user)} == {expected}
    assert starts(user) == ["2031-10-30T13:00", "2031-11-06T14:00"]
