"""A series that moves takes along what was changed, removed, ticked and paid, the n-th occurrence as the n-th."""

from typing import Any

import pytest

from tests.calendar.conftest import added, imported, listed, name_of, wallet
from tests.conftest import Database, User


def days(user: User) -> list[tuple[str, str, bool]]:
    """Day and hour, title, and whether it is done."""
    return [(event["start_time"][5:13], event["title"], event["completed_at"] is not None) for event in listed(user)]


def shown(*entries: str) -> list[tuple[str, str, bool]]:
    """Entries such as "05-06T09 Late done"."""
    return [(entry.split()[0], entry.split()[1], entry.endswith(" done")) for entry in entries]


def test_an_all_day_series_by_two_days(user: User, database: Database) -> None:
    series = added(user, title="Day", start_time="2031-05-05", all_day=True, recurrence_rule="FREQ=DAILY;COUNT=4")
    user.put(f"/calendar/{name_of(series, '06', '00')}", {"title": "Changed"})
    user.delete(f"/calendar/{name_of(series, '07', '00')}")
    user.post(f"/calendar/{name_of(series, '08', '00')}/complete")
    user.put(f"/calendar/{series['id']}", {"start_time": "2031-05-07"})
    assert days(user) == shown("05-07T00 Day", "05-08T00 Changed", "05-10T00 Day done")
    again = user.post(f"/calendar/{name_of(series, '10', '00')}/complete").data
    assert (again["already_completed"], again["xp_awarded"]) == (True, 15)
    assert wallet(user, database) == (15, 5)


def test_a_start_that_does_not_fit_takes_the_nth_to_the_nth(user: User) -> None:
    """On Mondays and Wednesdays: moved to a Tuesday it begins on the Wednesday, and each goes to the next place."""
    series = added(user, recurrence_rule="FREQ=WEEKLY;BYDAY=MO,WE;COUNT=5")
    user.put(f"/calendar/{name_of(series, '07')}", {"title": "Second"})
    user.delete(f"/calendar/{name_of(series, '12')}")
    user.post(f"/calendar/{name_of(series, '14')}/complete")
    user.put(f"/calendar/{series['id']}", {"start_time": "2031-05-06T09:00:00Z"})
    assert days(user) == shown("05-07T09 Stand-up", "05-12T09 Second", "05-19T09 Stand-up done", "05-21T09 Stand-up")


def test_months_of_other_lengths(user: User) -> None:
    """From the 31st, which not every month has, to the first, which every month has."""
    series = added(user, start_time="2031-01-31T09:00:00Z", recurrence_rule="FREQ=MONTHLY;COUNT=3")
    march = name_of(series, "0331")
    user.post(f"/calendar/{march}/complete")
    user.put(f"/calendar/{series['id']}", {"start_time": "2031-02-01T09:00:00Z"})
    assert days(user) == shown("02-01T09 Stand-up", "03-01T09 Stand-up done", "04-01T09 Stand-up")


def test_an_exception_keeps_the_time_it_was_given_and_follows_where_it_was_not(user: User) -> None:
    series = added(user, end_time="2031-05-05T10:00:00Z", recurrence_rule="FREQ=DAILY;COUNT=4")
    user.put(f"/calendar/{name_of(series, '06')}", {"start_time": "2031-05-06T20:00:00Z"})
    user.put(f"/calendar/{name_of(series, '07')}", {"title": "Renamed"})
    user.put(f"/calendar/{name_of(series, '08')}", {"end_time": "2031-05-08T12:00:00Z"})
    user.put(f"/calendar/{series['id']}", {"start_time": "2031-05-05T11:00:00Z"})
    events = listed(user)
    assert [(event["start_time"][8:13], event["end_time"][8:13]) for event in events] == [
        ("05T11", "05T12"),
        ("06T20", "06T21"),
        ("07T11", "07T12"),
        ("08T11", "08T14"),
    ]
    assert [event["original_start"][8:13] for event in events] == ["05T11", "06T11", "07T11", "08T11"]


@pytest.mark.parametrize("by", ["all", "following"])
def test_nothing_is_pushed_past_the_end(user: User, database: Database, by: str) -> None:
    """Where the last occurrence is ticked, an UNTIL that would cut it off moves along."""
    series = added(user, recurrence_rule="FREQ=DAILY;UNTIL=20310507T090000Z")
    user.post(f"/calendar/{name_of(series, '07')}/complete")
    change = {"start_time": "2031-05-06T15:00:00Z"}
    user.put(f"/calendar/{name_of(series, '06')}", change, query={"scope": by})
    first = "05-05T15" if by == "all" else "05-05T09"
    assert days(user) == shown(f"{first} Stand-up", "05-06T15 Stand-up", "05-07T15 Stand-up done")
    assert wallet(user, database) == (15, 5)


def test_a_place_that_was_paid_pays_the_occurrence_that_comes_there(user: User, database: Database) -> None:
    """The second is paid and moves on; the first moves to where it was, and is paid under a key of its own."""
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=3")
    user.post(f"/calendar/{name_of(series, '06')}/complete")
    user.put(f"/calendar/{series['id']}", {"start_time": "2031-05-06T09:00:00Z"})
    assert days(user) == shown("05-06T09 Stand-up", "05-07T09 Stand-up done", "05-08T09 Stand-up")
    first = user.post(f"/calendar/{name_of(series, '06')}/complete").data
    assert (first["already_completed"], first["xp_awarded"]) == (False, 15)
    assert wallet(user, database) == (30, 10)
    undone = user.post(f"/calendar/{name_of(series, '07')}/complete", {"completed": False}).data
    assert undone["event"]["completed_at"] is None
    assert wallet(user, database) == (15, 5)
    user.post(f"/calendar/{name_of(series, '06')}/complete", {"completed": False})
    assert wallet(user, database) == (0, 0)


def test_ticks_next_to_each_other_all_move(user: User, database: Database) -> None:
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=5")
    for day in ("05", "06", "07", "08"):
        user.post(f"/calendar/{name_of(series, day)}/complete")
        if day in ("06", "07"):
            user.put(f"/calendar/{name_of(series, day)}", {"title": f"Day {day}"})
    for start, first in (("2031-05-06T09:00:00Z", 6), ("2031-05-04T09:00:00Z", 4)):
        user.put(f"/calendar/{series['id']}", {"start_time": start})
        found = days(user)
        assert [day for day, _, done in found if done] == [f"05-{first + n:02}T09" for n in range(4)]
        assert [title for _, title, _ in found][1:3] == ["Day 06", "Day 07"]
    assert wallet(user, database) == (60, 20)


def test_what_was_paid_and_dropped_is_not_paid_again(user: User, database: Database) -> None:
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=4")
    name = name_of(series, "06")
    user.post(f"/calendar/{name}/complete")
    user.put(f"/calendar/{series['id']}", {"recurrence_rule": "FREQ=DAILY;INTERVAL=2;COUNT=4"})
    user.get(f"/calendar/{name}").refused(404, "not_found")
    assert wallet(user, database) == (15, 5), "what was paid stays paid"
    user.put(f"/calendar/{series['id']}", {"recurrence_rule": "FREQ=DAILY;COUNT=4"})
    assert user.get(f"/calendar/{name}").data["completed_at"] is None
    again = user.post(f"/calendar/{name}/complete").data
    assert (again["event"]["completed_at"] is not None, again["xp_awarded"]) == (True, 15)
    assert wallet(user, database) == (15, 5)
    user.post(f"/calendar/{name}/complete", {"completed": False})
    assert wallet(user, database) == (0, 0)
    user.post(f"/calendar/{name}/complete")
    assert wallet(user, database) == (15, 5)


EVERY_OTHER_DAY = {"recurrence_rule": "FREQ=DAILY;INTERVAL=2;COUNT=3"}
EVERY_DAY = {"recurrence_rule": "FREQ=DAILY;COUNT=5"}


def test_what_a_split_drops_is_not_paid_again(user: User, database: Database) -> None:
    """The rest of the series is another event, and knows what its dropped occurrences paid."""
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=6")
    user.post(f"/calendar/{name_of(series, '08')}/complete")
    rest = user.put(f"/calendar/{name_of(series, '07')}", EVERY_OTHER_DAY, query={"scope": "following"}).data
    user.get(f"/calendar/{name_of(rest, '08')}").refused(404, "not_found")
    assert wallet(user, database) == (15, 5), "what was paid stays paid"
    user.put(f"/calendar/{rest['id']}", EVERY_DAY)
    assert user.get(f"/calendar/{name_of(rest, '08')}").data["completed_at"] is None
    again = user.post(f"/calendar/{name_of(rest, '08')}/complete").data
    assert (again["already_completed"], again["xp_awarded"]) == (False, 15)
    assert wallet(user, database) == (15, 5)
    user.post(f"/calendar/{name_of(rest, '08')}/complete", {"completed": False})
    assert wallet(user, database) == (0, 0)


def test_what_is_dropped_is_known_where_the_series_goes(user: User, database: Database) -> None:
    """Also where the series is moved before the rule brings the occurrence back."""
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=5")
    path = f"/calendar/{series['id']}"
    user.post(f"/calendar/{name_of(series, '06')}/complete")
    user.post(f"/calendar/{name_of(series, '07')}/complete")
    user.put(path, EVERY_OTHER_DAY)
    user.put(path, {"start_time": "2031-05-05T11:00:00Z"})
    user.put(path, EVERY_DAY)
    assert [day for day, _, done in days(user) if done] == ["05-07T11"]
    user.post(f"/calendar/{name_of(series, '06', '11')}/complete")
    assert wallet(user, database) == (30, 10)


def test_what_is_dropped_is_known_on_its_date_in_another_zone(user: User, database: Database) -> None:
    series = added(user, start_time="2031-05-05", all_day=True, recurrence_rule="FREQ=DAILY;COUNT=5")
    path = f"/calendar/{series['id']}"
    user.post(f"/calendar/{name_of(series, '06', '00')}/complete")
    user.put(path, EVERY_OTHER_DAY)
    user.put(path, {"timezone": "America/New_York"})
    user.put(path, EVERY_DAY)
    again = user.post(f"/calendar/{name_of(series, '06', '04')}/complete").data
    assert (again["already_completed"], again["xp_awarded"]) == (False, 15)
    assert wallet(user, database) == (15, 5)


@pytest.mark.parametrize(
    ("change", "sixth"),
    [({"start_time": "2031-05-05T11:00:00Z"}, ("06", "11")), ({"timezone": "Asia/Tokyo"}, ("06", "09"))],
    ids=["start", "zone"],
)
def test_what_is_dropped_is_known_after_a_time_as_a_single_event(
    user: User, database: Database, change: dict[str, str], sixth: tuple[str, str]
) -> None:
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=5")
    path = f"/calendar/{series['id']}"
    for day in ("05", "06"):
        user.post(f"/calendar/{name_of(series, day)}/complete")
    user.put(path, {"recurrence_rule": None})
    user.put(path, change)
    user.put(path, EVERY_DAY)
    again = user.post(f"/calendar/{name_of(series, *sixth)}/complete").data
    assert (again["already_completed"], again["xp_awarded"]) == (False, 15)
    assert wallet(user, database) == (30, 10)


def test_a_shift_that_also_shortens_pays_none_again(user: User, database: Database) -> None:
    """Each of the ticks goes a day on; the second and the third are beyond the end until the series is long again."""
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=3")
    for day in ("05", "06", "07"):
        user.post(f"/calendar/{name_of(series, day)}/complete")
    change = {"start_time": "2031-05-06T09:00:00Z", "recurrence_rule": "FREQ=DAILY;COUNT=1"}
    user.put(f"/calendar/{series['id']}", change)
    assert days(user) == shown("05-06T09 Stand-up done")
    user.put(f"/calendar/{series['id']}", EVERY_DAY)
    for day in ("07", "08"):
        user.post(f"/calendar/{name_of(series, day)}/complete")
    assert wallet(user, database) == (45, 15)
    user.post(f"/calendar/{name_of(series, '09')}/complete")
    assert wallet(user, database) == (60, 20)


def test_a_tick_stays_when_a_series_becomes_single_and_back(user: User, database: Database) -> None:
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=3")
    path = f"/calendar/{series['id']}"
    user.post(f"/calendar/{name_of(series, '05')}/complete")
    user.post(f"/calendar/{name_of(series, '06')}/complete")
    assert user.put(path, {"recurrence_rule": None}).data["completed_at"] is not None
    assert days(user) == shown("05-05T09 Stand-up done")
    user.put(path, {"recurrence_rule": "FREQ=DAILY;COUNT=3"})
    assert days(user) == shown("05-05T09 Stand-up done", "05-06T09 Stand-up", "05-07T09 Stand-up")
    assert user.post(f"/calendar/{name_of(series, '05')}/complete").data["already_completed"] is True
    user.post(f"/calendar/{name_of(series, '06')}/complete")
    assert wallet(user, database) == (30, 10)


def test_a_text_for_all_spares_what_an_exception_was_given(user: User) -> None:
    series = added(user, location="Room 1", recurrence_rule="FREQ=DAILY;COUNT=4")
    user.put(f"/calendar/{name_of(series, '06')}", {"title": "Own"})
    user.put(f"/calendar/{name_of(series, '07')}", {"location": "Room 2"})
    user.put(f"/calendar/{name_of(series, '08')}", {"reminder_minutes": 5, "color": None})
    changes = {"title": "All", "location": None, "reminder_minutes": 10, "color": "#000000", "event_type": "task"}
    # By the bare id in one statement, and by an occurrence in Python.
    for path, query in ((series["id"], {}), (name_of(series, "05"), {"scope": "all"})):
        user.put(f"/calendar/{path}", changes, query=query)
        events = listed(user)
        assert [event["title"] for event in events] == ["All", "Own", "All", "All"]
        assert [event["location"] for event in events] == [None, None, "Room 2", None]
        assert [event["reminder_minutes"] for event in events] == [10, 10, 10, 5]
        assert {(event["color"], event["event_type"]) for event in events} == {("#000000", "task")}
        changes = {**changes, "title": "All"}


def test_what_a_user_sets_makes_no_new_version(user: User) -> None:
    """A file with the same SEQUENCE is taken after a reminder was set, and no more after the title was changed."""
    series = "UID:a\nDTSTAMP:2031010{}T000000Z\nDTSTART:20310505T090000Z\nRRULE:FREQ=DAILY;COUNT=2\nSUMMARY:{}\n"
    imported(user, series.format(1, "First"))
    path = f"/calendar/{listed(user)[0]['series_id']}"
    user.patch(path, {"reminder_minutes": 5, "color": "#112233", "event_type": "task", "metadata": {"a": 1}})
    assert imported(user, series.format(2, "Second")).data["updated"] == 1
    [first, _] = listed(user)
    assert [first[name] for name in ("title", "reminder_minutes", "color", "event_type", "metadata")] == [
        "Second", 5, "#112233", "task", {"a": 1},
    ]  # fmt: skip
    user.patch(path, {"title": "Mine"})
    assert imported(user, series.format(3, "Third")).data["skipped"] == 1
    assert listed(user)[0]["title"] == "Mine"


SERIES = """UID:a
SEQUENCE:{sequence}
DTSTART;TZID=Europe/Berlin:{start}
RRULE:FREQ=WEEKLY;COUNT=4
SUMMARY:Class
"""


@pytest.fixture
def series(user: User) -> dict[str, Any]:
    """An imported series of four Mondays: the second renamed, the third removed, the fourth done."""
    imported(user, SERIES.format(sequence=0, start="20311013T100000"))
    events = listed(user)
    user.put(f"/calendar/{events[1]['id']}", {"title": "Renamed"})
    user.delete(f"/calendar/{events[2]['id']}")
    user.post(f"/calendar/{events[3]['id']}/complete")
    return events[0]


def test_a_shift_that_comes_by_import(user: User, series: dict[str, Any], database: Database) -> None:
    """Over a change of the clocks, on the 26th of October: by a day and an hour of the wall clock."""
    # One version for each of the two edits.
    outcome = imported(user, SERIES.format(sequence=2, start="20311014T110000")).data
    assert (outcome["updated"], outcome["removed"], outcome["problems"]) == (1, 0, [])
    assert days(user) == shown("10-14T09 Class", "10-21T09 Renamed", "11-04T10 Class done")
    done = listed(user)[-1]
    assert done["series_id"] == series["series_id"]
    assert user.post(f"/calendar/{done['id']}/complete").data["already_completed"] is True
    assert wallet(user, database) == (15, 5)
    again = imported(user, SERIES.format(sequence=2, start="20311014T110000")).data
    assert (again["updated"], again["unchanged"]) == (0, 1)


def test_a_removed_occurrence_stays_removed_when_the_file_has_a_newer_version(user: User, series: object) -> None:
    newer = SERIES.format(sequence=5, start="20311013T100000") + "EXDATE;TZID=Europe/Berlin:20311013T100000\n"
    imported(user, newer)
    assert days(user) == shown("10-20T08 Renamed", "11-03T09 Class done")
    # A version that takes its EXDATE back brings that occurrence back, and not the one that the user removed.
    imported(user, SERIES.format(sequence=6, start="20311013T100000"))
    assert days(user) == shown("10-13T08 Class", "10-20T08 Renamed", "11-03T09 Class done")


def test_an_imported_exception_that_the_user_changed_is_the_users(user: User) -> None:
    moved = """UID:a
RECURRENCE-ID;TZID=Europe/Berlin:20311020T100000
DTSTART;TZID=Europe/Berlin:20311021T100000
SUMMARY:Class
"""
    imported(user, SERIES.format(sequence=0, start="20311013T100000"), moved)
    user.put(f"/calendar/{listed(user)[1]['id']}", {"title": "Mine"})
    imported(user, SERIES.format(sequence=5, start="20311013T100000"))
    assert days(user)[1] == ("10-21T08", "Mine", False)


def test_an_import_that_ends_a_series_keeps_the_first_tick(user: User, database: Database) -> None:
    imported(user, SERIES.format(sequence=0, start="20311013T100000"))
    for event in listed(user)[:2]:
        user.post(f"/calendar/{event['id']}/complete")
    single = SERIES.format(sequence=1, start="20311013T100000").replace("RRULE:FREQ=WEEKLY;COUNT=4\n", "")
    imported(user, single)
    assert days(user) == shown("10-13T08 Class done")
    assert wallet(user, database) == (30, 10)


def test_an_instance_that_was_done_is_done_in_its_series(user: User, database: Database) -> None:
    when = "RECURRENCE-ID;TZID=Europe/Berlin:20311020T100000\nDTSTART;TZID=Europe/Berlin:20311021T100000"
    imported(user, f"UID:a\n{when}\nSUMMARY:Class")
    user.post(f"/calendar/{listed(user)[0]['id']}/complete")
    imported(user, SERIES.format(sequence=0, start="20311013T100000"))
    assert days(user)[1] == ("10-21T08", "Class", True)
    assert len(listed(user)) == 4
    assert user.post(f"/calendar/{listed(user)[1]['id']}/complete").data["already_completed"] is True
    assert wallet(user, database) == (15, 5)


def test_a_date_beside_the_rule_goes_along(user: User, database: Database) -> None:
    """Changed and done, and removed: they are the series' dates too, though no rule counts them."""
    extra = "RDATE:20310520T120000Z,20310522T120000Z,20310524T120000Z"
    imported(user, f"UID:a\nDTSTART:20310505T090000Z\nRRULE:FREQ=DAILY;COUNT=2\n{extra}\nSUMMARY:x\n")
    events = listed(user)
    user.put(f"/calendar/{events[2]['id']}", {"title": "Changed"})
    user.post(f"/calendar/{events[2]['id']}/complete")
    user.delete(f"/calendar/{events[3]['id']}")
    user.put(f"/calendar/{events[0]['series_id']}", {"start_time": "2031-05-06T10:00:00Z"})
    assert days(user) == shown("05-06T10 x", "05-07T10 x", "05-21T13 Changed done", "05-25T13 x")
    assert wallet(user, database) == (15, 5)


DAYS_LONG = "UID:a\nDTSTART;TZID=Europe/Berlin:20311004T200000\nDURATION:P1D\n{}SUMMARY:x\n"


def test_an_end_that_is_sent_is_exact(user: User) -> None:
    """A day by the clock that was given another end lasts hours, also where the clocks change."""
    imported(user, DAYS_LONG.format(""))
    path = f"/calendar/{listed(user)[0]['id']}"
    assert user.put(path, {"start_time": "2031-10-25T20:00"}).data["end_time"] == "2031-10-26T19:00:00.000000Z"
    user.put(path, {"start_time": "2031-10-04T20:00", "end_time": "2031-10-05T20:00"})
    assert user.put(path, {"start_time": "2031-10-25T20:00"}).data["end_time"] == "2031-10-26T18:00:00.000000Z"


def test_an_exception_follows_how_the_end_of_its_series_is_meant(user: User) -> None:
    imported(user, DAYS_LONG.format("RRULE:FREQ=WEEKLY;COUNT=4\n"))
    events = listed(user)
    user.put(f"/calendar/{events[1]['id']}", {"title": "Renamed"})
    user.put(f"/calendar/{events[0]['series_id']}", {"end_time": "2031-10-05T20:00"})
    moved = user.put(f"/calendar/{events[1]['id']}", {"start_time": "2031-10-25T20:00"}).data
    assert moved["end_time"] == "2031-10-26T18:00:00.000000Z"


def test_the_same_file_after_a_move_is_unchanged(user: User) -> None:
    """An all-day event keeps its dates and its zone, wherever its file is read again."""
    text = "UID:a\nDTSTART;VALUE=DATE:20310505\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20310506\nSUMMARY:x\n"
    imported(user, text)
    before = listed(user)
    user.put("/user/settings", {"timezone": "Pacific/Auckland"})
    assert imported(user, text).data["unchanged"] == 1
    assert listed(user) == before
    outcome = imported(user, text.replace("SUMMARY:x", "SUMMARY:y")).data
    assert outcome["updated"] == 1
    after = listed(user)
    assert [event["start_time"] for event in after] == [event["start_time"] for event in before]
    assert {event["title"] for event in after} == {"y"}


def test_a_cancellation_is_the_newer_word(user: User) -> None:
    """The file it came after stays older than it, however late that was written again."""
    series = SERIES.format(sequence=0, start="20311013T100000")
    cancelled = "UID:a\nSEQUENCE:1\nSTATUS:CANCELLED\nRECURRENCE-ID;TZID=Europe/Berlin:20311020T100000\n"
    cancelled += "DTSTART;TZID=Europe/Berlin:20311020T100000\n"
    imported(user, series + "DTSTAMP:20310101T000000Z\n")
    assert imported(user, cancelled).data["removed"] == 1
    assert imported(user, series + "DTSTAMP:20310909T000000Z\n").data["skipped"] == 1
    assert [day for day, _, _ in days(user)] == ["10-13T08", "10-27T09", "11-03T09"]


def test_what_a_cancellation_removes_comes_back_as_the_user_had_it(user: User) -> None:
    imported(user, SERIES.format(sequence=0, start="20311013T100000"))
    second = listed(user)[1]
    user.put(f"/calendar/{second['id']}", {"title": "Mine"})
    cancelled = "UID:a\nSEQUENCE:9\nRECURRENCE-ID;TZID=Europe/Berlin:20311020T100000\nDTSTART:20311020T080000Z\n"
    assert imported(user, cancelled, METHOD="CANCEL").data["removed"] == 1
    assert len(listed(user)) == 3
    assert user.post(f"/calendar/{second['id']}/restore").data["title"] == "Mine"
