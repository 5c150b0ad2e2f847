"""Edit one, the following, or all; remove and restore: on series without an end, with COUNT and with UNTIL."""

from typing import Any

import pytest

from tests.calendar.conftest import added, at, listed, name_of, starts
from tests.conftest import Database, User, at_once

RULES = ["FREQ=DAILY", "FREQ=DAILY;COUNT=6", "FREQ=DAILY;UNTIL=20310510T090000Z"]
# What each of them has from the 5th to the 10th of May.
DAYS = ["05", "06", "07", "08", "09", "10"]


def days(user: User) -> list[str]:
    """The days, and where it is not nine the hours, of what is listed in those days."""
    found = listed(user, "2031-05-05", "2031-05-10")
    return [
        event["start_time"][8:10] + ("" if event["start_time"][11:13] == "09" else event["start_time"][10:13])
        for event in found
    ]


@pytest.fixture(params=RULES, ids=["endless", "count", "until"])
def series(request: pytest.FixtureRequest, user: User) -> dict[str, Any]:
    return added(user, end_time="2031-05-05T09:30:00Z", recurrence_rule=request.param)


def test_edit_one(user: User, series: dict[str, Any]) -> None:
    name = name_of(series, "07")
    moved = user.put(f"/calendar/{name}", {"title": "Late", "start_time": "2031-05-08T20:00:00Z"}).data
    assert moved == user.get(f"/calendar/{name}").data
    assert (moved["id"], moved["title"], moved["is_exception"], moved["is_recurring"]) == (name, "Late", True, True)
    assert (moved["series_id"], moved["original_start"]) == (series["id"], "2031-05-07T09:00:00.000000Z")
    assert (moved["start_time"], moved["end_time"]) == ("2031-05-08T20:00:00.000000Z", "2031-05-08T20:30:00.000000Z")
    assert moved["recurrence_rule"] == series["recurrence_rule"]
    assert days(user) == ["05", "06", "08", "08T20", "09", "10"]
    again = user.patch(f"/calendar/{name}", {"start_time": "2031-05-07T11:00:00Z"}).data
    assert (again["id"], again["title"]) == (name, "Late")
    assert days(user) == ["05", "06", "07T11", "08", "09", "10"]
    bare = user.get(f"/calendar/{series['id']}").data
    assert bare == series | {"updated_at": bare["updated_at"]}
    for field in ("recurrence_rule", "recurrence_end"):
        user.put(f"/calendar/{name}", {field: None}).invalid(field)


@pytest.mark.parametrize("scope", ["this", "following", "all"])
def test_a_change_of_nothing_changes_nothing(user: User, series: dict[str, Any], scope: str) -> None:
    name = name_of(series, "07")
    before = listed(user)
    assert (
        user.put(f"/calendar/{name}", {"status": "x"}, query={"scope": scope}).data
        == user.get(f"/calendar/{name}").data
    )
    user.put(f"/calendar/{series['id']}_20310507T091500Z", {}, query={"scope": scope}).refused(404, "not_found")
    assert listed(user) == before


def test_an_exception_may_leave_the_series_behind(user: User, series: dict[str, Any]) -> None:
    user.put(f"/calendar/{name_of(series, '10')}", {"start_time": "2032-08-01T09:00:00Z"})
    assert days(user) == DAYS[:-1]
    [moved] = [event for event in listed(user, "2032-08-01", "2032-08-01") if event["is_exception"]]
    assert moved["id"] == name_of(series, "10")


def test_edit_following(user: User, series: dict[str, Any]) -> None:
    user.put(f"/calendar/{name_of(series, '06')}", {"title": "Before"})
    user.put(f"/calendar/{name_of(series, '09')}", {"title": "After", "start_time": "2031-05-09T12:00:00Z"})
    user.delete(f"/calendar/{name_of(series, '10')}")
    user.post(f"/calendar/{name_of(series, '08')}/complete")
    name = name_of(series, "07")
    new = user.put(f"/calendar/{name}", {"location": "Room 2"}, query={"scope": "following"}).data
    assert "_" not in new["id"]
    assert new["id"] != series["id"]
    assert (new["start_time"], new["location"], new["title"]) == ("2031-05-07T09:00:00.000000Z", "Room 2", "Stand-up")
    if "COUNT" in series["recurrence_rule"]:
        assert new["recurrence_rule"] == "FREQ=DAILY;COUNT=4"
    events = listed(user, "2031-05-05", "2031-05-10")
    assert [(event["series_id"], event["title"], event["location"]) for event in events] == [
        (series["id"], "Stand-up", None),
        (series["id"], "Before", None),
        (new["id"], "Stand-up", "Room 2"),
        (new["id"], "Stand-up", "Room 2"),
        (new["id"], "After", "Room 2"),
    ]
    # exceptions, removals and completions from there on have moved along
    assert [event["is_exception"] for event in events] == [False, True, False, False, True]
    assert [event["completed_at"] is not None for event in events] == [False, False, False, True, False]
    assert events[4]["start_time"] == "2031-05-09T12:00:00.000000Z"
    user.get(f"/calendar/{name}").refused(404, "not_found")
    user.get(f"/calendar/{name_of(new, '10')}").refused(404, "not_found")
    assert user.post(f"/calendar/{name_of(new, '10')}/restore").data["location"] == "Room 2"
    assert days(user)[-1] == "10"
    tail = len(listed(user, "2031-05-11", "2031-05-20"))
    assert tail == (10 if series["recurrence_rule"] == "FREQ=DAILY" else 0)


def test_edit_following_may_move_them(user: User, series: dict[str, Any]) -> None:
    user.put(f"/calendar/{name_of(series, '09')}", {"title": "Other"})
    user.delete(f"/calendar/{name_of(series, '10')}")
    user.post(f"/calendar/{name_of(series, '08')}/complete")
    change = {"start_time": "2031-05-07T15:00:00Z"}
    new = user.patch(f"/calendar/{name_of(series, '07')}", change, query={"scope": "following"}).data
    events = listed(user, "2031-05-05", "2031-05-10")
    assert [event["id"] for event in events] == [
        *(name_of(series, day) for day in ("05", "06")),
        *(name_of(new, day, "15") for day in ("07", "08")),
        name_of(new, "09", "15"),
    ]
    assert [event["end_time"][11:16] for event in events[2:4]] == ["15:30", "15:30"]
    # The exception still stands at its own time for the occurrence of that day, the removed one is still removed.
    assert (events[4]["is_exception"], events[4]["title"]) == (True, "Other")
    assert events[3]["completed_at"] is not None


def test_a_split_series_is_paid_as_before(user: User, series: dict[str, Any]) -> None:
    paid = user.post(f"/calendar/{name_of(series, '08')}/complete").data
    new = user.patch(f"/calendar/{name_of(series, '07')}", {"title": "New"}, query={"scope": "following"}).data
    again = user.post(f"/calendar/{name_of(new, '08')}/complete").data
    assert (again["already_completed"], again["xp_awarded"], again["coins_awarded"]) == (True, 15, 5)
    assert again["achievements_unlocked"] == paid["achievements_unlocked"]
    undone = user.post(f"/calendar/{name_of(new, '08')}/complete", {"completed": False}).data
    assert undone["event"]["completed_at"] is None
    assert user.get("/progress").json["xp"] == 0


def test_edit_following_from_the_first_is_edit_all(user: User, series: dict[str, Any]) -> None:
    changed = user.put(f"/calendar/{name_of(series, '05')}", {"title": "All"}, query={"scope": "following"}).data
    assert (changed["id"], changed["title"]) == (series["id"], "All")
    assert {event["title"] for event in listed(user, "2031-05-05", "2031-05-10")} == {"All"}
    assert (
        user.put(f"/calendar/{series['id']}", {"title": "Too"}, query={"scope": "following"}).data["id"] == series["id"]
    )


def test_edit_following_with_another_rule(user: User, series: dict[str, Any]) -> None:
    change = {"recurrence_rule": "FREQ=DAILY;INTERVAL=2;COUNT=2"}
    user.put(f"/calendar/{name_of(series, '07')}", change, query={"scope": "following"})
    assert starts(user) == [f"2031-05-{day}T09:00" for day in ("05", "06", "07", "09")]


def test_edit_following_may_end_the_series(user: User, series: dict[str, Any]) -> None:
    user.post(f"/calendar/{name_of(series, '07')}/complete")
    change = {"recurrence_rule": None, "title": "Last"}
    last = user.put(f"/calendar/{name_of(series, '07')}", change, query={"scope": "following"}).data
    assert (last["is_recurring"], last["completed_at"] is not None) == (False, True)
    assert [event["title"] for event in listed(user)] == ["Stand-up", "Stand-up", "Last"]
    assert user.post(f"/calendar/{last['id']}/complete").data["already_completed"] is True


def test_edit_all(user: User, series: dict[str, Any]) -> None:
    user.put(f"/calendar/{name_of(series, '06')}", {"start_time": "2031-05-06T12:00:00Z"})
    user.delete(f"/calendar/{name_of(series, '08')}")
    changed = user.put(f"/calendar/{series['id']}", {"title": "Daily", "color": "#000000"}).data
    assert (changed["id"], changed["title"], changed["recurrence_rule"]) == (
        series["id"],
        "Daily",
        series["recurrence_rule"],
    )
    # Nothing was said about when, so exceptions and removals stay.
    assert days(user) == ["05", "06T12", "07", "09", "10"]
    assert {(event["title"], event["color"]) for event in listed(user, "2031-05-05", "2031-05-10")} == {
        ("Daily", "#000000")
    }
    longer = user.patch(f"/calendar/{series['id']}", {"end_time": "2031-05-05T11:00:00Z"}).data
    assert longer["end_time"] == "2031-05-05T11:00:00.000000Z"
    assert days(user) == ["05", "06T12", "07", "09", "10"]


def test_edit_all_by_an_occurrence_shifts_the_series(user: User, series: dict[str, Any]) -> None:
    change = {"start_time": "2031-05-07T10:00:00Z", "end_time": "2031-05-07T12:00:00Z"}
    changed = user.put(f"/calendar/{name_of(series, '07')}", change, query={"scope": "all"}).data
    assert (changed["id"], changed["start_time"]) == (series["id"], "2031-05-05T10:00:00.000000Z")
    assert changed["end_time"] == "2031-05-05T12:00:00.000000Z"
    # At ten the last one is past the UNTIL at nine.
    expected = DAYS[:-1] if "UNTIL" in series["recurrence_rule"] else DAYS
    assert days(user) == [f"{day}T10" for day in expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"start_time": "2031-05-05T08:00:00Z"}, ["05T08", "06T12", "07T08", "09T08", "10T08"]),
        ({"recurrence_rule": "FREQ=DAILY;INTERVAL=2;COUNT=3"}, ["05", "07", "09"]),
        ({"timezone": "Asia/Tokyo"}, ["05", "06T12", "07", "09", "10"]),
    ],
    ids=["start", "rule", "zone"],
)
def test_another_schedule_keeps_what_is_still_there(
    user: User, series: dict[str, Any], change: dict[str, str], expected: list[str]
) -> None:
    user.put(f"/calendar/{name_of(series, '06')}", {"start_time": "2031-05-06T12:00:00Z"})
    user.delete(f"/calendar/{name_of(series, '08')}")
    user.post(f"/calendar/{name_of(series, '07')}/complete")
    user.put(f"/calendar/{series['id']}", change)
    assert days(user) == expected
    done = [event["id"] for event in listed(user, "2031-05-05", "2031-05-10") if event["completed_at"]]
    assert done == [name_of(series, "07", "08" if "start_time" in change else "09")]
    user.put(f"/calendar/{series['id']}", {"start_time": "2031-05-05T09:00:00Z"})
    [again] = [event["id"] for event in listed(user, "2031-05-05", "2031-05-10") if event["completed_at"]]
    assert again == name_of(series, "07"), "completions stay"


def test_all_day_is_a_schedule_too(user: User, series: dict[str, Any]) -> None:
    user.delete(f"/calendar/{name_of(series, '08')}")
    changed = user.put(f"/calendar/{series['id']}", {"all_day": True}).data
    assert (changed["start_time"], changed["end_time"]) == (
        "2031-05-05T00:00:00.000000Z",
        "2031-05-06T00:00:00.000000Z",
    )
    assert days(user) == [f"{day}T00" for day in DAYS]


def test_a_series_becomes_a_single_event_and_back(user: User, series: dict[str, Any]) -> None:
    user.delete(f"/calendar/{name_of(series, '08')}")
    single = user.put(f"/calendar/{series['id']}", {"recurrence_rule": None}).data
    assert (single["is_recurring"], single["recurrence_rule"]) == (False, None)
    assert [event["id"] for event in listed(user)] == [series["id"]]
    user.put(f"/calendar/{series['id']}", {"recurrence_rule": "FREQ=DAILY;COUNT=2"})
    assert days(user) == ["05", "06"]


def test_a_nearer_end_drops_what_lies_behind_it(user: User, series: dict[str, Any]) -> None:
    user.put(f"/calendar/{name_of(series, '06')}", {"title": "Stays"})
    user.put(f"/calendar/{name_of(series, '09')}", {"start_time": "2031-05-07T12:00:00Z"})
    user.put(f"/calendar/{series['id']}", {"recurrence_end": "2031-05-07"})
    assert days(user) == ["05", "06", "07"]
    assert listed(user)[1]["title"] == "Stays"


def test_remove_one_and_restore(user: User, series: dict[str, Any]) -> None:
    name = name_of(series, "07")
    assert user.delete(f"/calendar/{name}").data == {"success": True}
    assert days(user) == ["05", "06", "08", "09", "10"]
    for answer in (
        user.get(f"/calendar/{name}"),
        user.put(f"/calendar/{name}", {"title": "x"}),
        user.delete(f"/calendar/{name}"),
        user.post(f"/calendar/{name}/complete"),
    ):
        answer.refused(404, "not_found")
    restored = user.post(f"/calendar/{name}/restore").data
    assert restored == user.get(f"/calendar/{name}").data
    assert restored["id"] == name
    assert days(user) == DAYS
    assert user.post(f"/calendar/{name}/restore").data == restored
    user.post(f"/calendar/{series['id']}_20310507T100000Z/restore").refused(404, "not_found")
    assert user.post(f"/calendar/{series['id']}/restore").data["id"] == series["id"]


def test_what_was_moved_comes_back_as_it_was(user: User, series: dict[str, Any]) -> None:
    name = name_of(series, "07")
    moved = user.put(f"/calendar/{name}", {"start_time": "2031-05-07T12:00:00Z", "title": "Moved"}).data
    user.delete(f"/calendar/{name}")
    assert days(user) == ["05", "06", "08", "09", "10"]
    assert user.post(f"/calendar/{name}/restore").data == moved
    assert days(user) == ["05", "06", "07T12", "08", "09", "10"]


def test_remove_following(user: User, series: dict[str, Any]) -> None:
    user.put(f"/calendar/{name_of(series, '09')}", {"start_time": "2031-05-06T12:00:00Z"})
    user.delete(f"/calendar/{name_of(series, '05')}")
    user.delete(f"/calendar/{name_of(series, '07')}", query={"scope": "following"})
    assert starts(user) == ["2031-05-06T09:00"]
    # What is left is the first: nothing comes before it.
    user.delete(f"/calendar/{name_of(series, '06')}", query={"scope": "following"})
    user.get(f"/calendar/{series['id']}").refused(404, "not_found")


def test_remove_all(user: User, series: dict[str, Any], database: Database) -> None:
    user.put(f"/calendar/{name_of(series, '06')}", {"title": "x"})
    user.post(f"/calendar/{name_of(series, '07')}/complete")
    user.delete(f"/calendar/{series['id']}", query={"scope": "this"}).invalid("scope")
    user.put(f"/calendar/{series['id']}", {"title": "y"}, query={"scope": "this"}).invalid("scope")
    assert user.delete(f"/calendar/{name_of(series, '08')}", query={"scope": "all"}).status == 200
    for table in ("calendar_events", "calendar_completions"):
        assert database.query(f"SELECT user_id FROM {table} WHERE user_id = %s", user.id) == []
    assert user.get("/progress").json["coins"] > 0, "what was paid stays"


@pytest.mark.parametrize("scope", ["this", "following", "all"])
def test_a_stamp_without_an_occurrence_is_absent(user: User, series: dict[str, Any], scope: str) -> None:
    path = f"/calendar/{series['id']}_20310507T091500Z"
    user.put(path, {"title": "x"}, query={"scope": scope}).refused(404, "not_found")
    user.delete(path, query={"scope": scope}).refused(404, "not_found")
    user.put(f"/calendar/{name_of(series, '07')}", {"title": "x"}, query={"scope": "most"}).invalid("scope")
    assert days(user) == DAYS


def test_a_move_that_leaves_nothing_is_refused(user: User) -> None:
    series = added(user, recurrence_rule="FREQ=DAILY;UNTIL=20310510T090000Z")
    user.put(f"/calendar/{series['id']}", {"start_time": "2031-06-01T09:00:00Z"}).invalid("recurrence_rule")
    late = {"start_time": "2031-06-01T09:00:00Z"}
    user.put(f"/calendar/{name_of(series, '09')}", late, query={"scope": "following"}).invalid("recurrence_rule")
    assert days(user) == DAYS


def test_edits_at_once_all_count(user: User) -> None:
    """Each is decided on what the one before it left: none is lost, and none is made of what is no longer so."""
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=6")
    waiting = iter(DAYS)
    answers = at_once(3, lambda: user.delete(f"/calendar/{name_of(series, next(waiting))}").status)
    assert answers == [200] * 3
    assert days(user) == DAYS[3:]


def test_splits_at_once_lose_nothing(user: User) -> None:
    series = added(user, recurrence_rule="FREQ=DAILY")
    path = f"/calendar/{name_of(series, '08')}"
    answers = at_once(3, lambda: user.put(path, {"title": "New"}, query={"scope": "following"}).status)
    # The first splits; for the others there is no such occurrence any more.
    assert sorted(answers) == [200, 404, 404]
    assert days(user) == DAYS


def test_another_users_series_is_untouched_by_a_split(user: User, other: User) -> None:
    mine = added(user, recurrence_rule="FREQ=DAILY;COUNT=3")
    theirs = added(other, recurrence_rule="FREQ=DAILY;COUNT=3")
    for scope in ("this", "following", "all"):
        other.put(f"/calendar/{name_of(mine, '06')}", {"title": "x"}, query={"scope": scope}).refused(404, "not_found")
        other.delete(f"/calendar/{name_of(mine, '06')}", query={"scope": scope}).refused(404, "not_found")
    assert len(starts(user)) == len(starts(other)) == 3
    assert at(theirs["start_time"]) == at(mine["start_time"])
