from typing import Any
from uuid import uuid4

import pytest

from tests.calendar.conftest import added, listed, name_of, starts
from tests.conftest import Client, Database, NewUser, User

FIELDS = {
    "id", "title", "description", "event_type", "start_time", "end_time", "all_day", "timezone", "location", "color",
    "reminder_minutes", "created_at", "updated_at", "workout_id", "habit_id", "goal_id", "recurrence_rule",
    "recurrence_end", "is_recurring", "series_id", "original_start", "is_exception", "completed_at", "metadata",
}  # fmt: skip


def test_a_plain_event_is_answered_whole(user: User) -> None:
    event = user.post("/calendar", {"title": " Dentist ", "start_time": "2031-05-09T10:00:00+02:00"}).data
    assert set(event) == FIELDS
    assert {name: event[name] for name in FIELDS - {"id", "created_at", "updated_at"}} == {
        "title": "Dentist",
        "description": None,
        "event_type": "general",
        "start_time": "2031-05-09T08:00:00.000000Z",
        "end_time": None,
        "all_day": False,
        "timezone": "UTC",
        "location": None,
        "color": None,
        "reminder_minutes": None,
        "workout_id": None,
        "habit_id": None,
        "goal_id": None,
        "recurrence_rule": None,
        "recurrence_end": None,
        "is_recurring": False,
        "series_id": None,
        "original_start": None,
        "is_exception": False,
        "completed_at": None,
        "metadata": None,
    }
    assert user.get(f"/calendar/{event['id']}").data == event
    assert listed(user) == [event]


def test_everything_there_is_to_say(user: User) -> None:
    habit = user.post("/habits", {"name": "Stretch"}).data["id"]
    goal = user.post("/goals", {"title": "Supple"}).data["id"]
    body = {
        "title": "x" * 200,
        "start_time": "2031-05-09T08:00:00Z",
        "end_time": "2031-05-09T09:30:00Z",
        "event_type": "workout",
        "description": "d" * 5000,
        "timezone": "Europe/Berlin",
        "location": "l" * 300,
        "habit_id": habit,
        "goal_id": goal,
        "color": "#8b5cF6",
        "reminder_minutes": 40320,
        "metadata": {"sets": [1, 2, {"reps": 5}]},
    }
    event = user.post("/calendar", body).data
    shown = {name: event[name] for name in body}
    assert shown == body | {"start_time": "2031-05-09T08:00:00.000000Z", "end_time": "2031-05-09T09:30:00.000000Z"}
    user.delete(f"/habits/{habit}")
    user.delete(f"/goals/{goal}")
    kept = user.get(f"/calendar/{event['id']}").data
    assert (kept["habit_id"], kept["goal_id"], kept["title"]) == (None, None, "x" * 200)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": None}, "title"),
        ({"start_time": None}, "start_time"),
        ({"start_time": "tomorrow"}, "start_time"),
        ({"start_time": 1999999999}, "start_time"),
        ({"start_time": "2031-02-30"}, "start_time"),
        ({"start_time": "2031-05-09T25:00:00Z"}, "start_time"),
        ({"start_time": "20310509T080000Z"}, "start_time"),
        ({"start_time": "0001-01-01"}, "start_time"),
        ({"start_time": "9999-12-31T23:59:59Z"}, "start_time"),
        ({"end_time": "2031-05-09T07:59:59Z"}, "end_time"),
        ({"end_time": "2031-05-09T07:59:59Z", "timezone": "Asia/Tokyo"}, "end_time"),
        ({"end_time": ""}, "end_time"),
        ({"all_day": "yes"}, "all_day"),
        ({"event_type": "party"}, "event_type"),
        ({"description": "d" * 5001}, "description"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "europe/berlin"}, "timezone"),
        ({"timezone": "EST"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "UTC+3"}, "timezone"),
        ({"location": "l" * 301}, "location"),
        ({"color": "red"}, "color"),
        ({"color": "#12345"}, "color"),
        ({"reminder_minutes": -1}, "reminder_minutes"),
        ({"reminder_minutes": 40321}, "reminder_minutes"),
        ({"reminder_minutes": "5"}, "reminder_minutes"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"x": "y" * 16_384}}, "metadata"),
        ({"recurrence_rule": "FREQ=" + "DAILY;" * 100}, "recurrence_rule"),
        ({"recurrence_end": "2032-01-01"}, "recurrence_end"),
        ({"recurrence_end": "soon", "recurrence_rule": "FREQ=DAILY"}, "recurrence_end"),
        ({"workout_id": str(uuid4())}, "workout_id"),
        ({"habit_id": str(uuid4())}, "habit_id"),
        ({"goal_id": str(uuid4())}, "goal_id"),
        ({"goal_id": "x"}, "goal_id"),
        ({"goal_id": str(uuid4()), "timezone": "UTC", "recurrence_rule": "FREQ=DAILY"}, "goal_id"),
    ],
)
def test_bad_input_is_named(user: User, changes: dict[str, Any], field: str) -> None:
    user.post("/calendar", {"title": "x", "start_time": "2031-05-09T08:00:00Z", **changes}).invalid(field)
    assert listed(user) == []
    event = user.post("/calendar", {"title": "x", "start_time": "2031-05-09T08:00:00Z"}).data
    user.patch(f"/calendar/{event['id']}", changes).invalid(field)
    assert user.get(f"/calendar/{event['id']}").data == event


def test_what_is_missing_is_named(user: User) -> None:
    user.post("/calendar", {}).invalid("title", "start_time")


def test_links_to_what_is_someone_elses_are_refused(user: User, other: User) -> None:
    habit = other.post("/habits", {"name": "Stretch"}).data["id"]
    user.post("/calendar", {"title": "x", "start_time": "2031-05-09", "habit_id": habit}).invalid("habit_id")
    event = added(user)
    user.put(f"/calendar/{event['id']}", {"habit_id": habit}).invalid("habit_id")
    user.put(f"/calendar/{event['id']}", {"habit_id": habit, "start_time": "2031-05-10"}).invalid("habit_id")
    assert user.get(f"/calendar/{event['id']}").data == event


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize(
    ("sent", "start", "end"),
    [
        ({"start_time": "2031-07-09T08:00"}, "2031-07-09T06:00", None),
        ({"start_time": "2031-01-09 08:00:00"}, "2031-01-09T07:00", None),
        ({"start_time": "2031-07-09"}, "2031-07-08T22:00", None),
        ({"start_time": "2031-07-09", "end_time": "2031-07-09T01:00"}, "2031-07-08T22:00", "2031-07-08T23:00"),
        ({"start_time": "2031-07-09T08:00:00.999999Z"}, "2031-07-09T08:00", None),
        # skipped by the clocks: the offset before the gap; shown twice: the first
        ({"start_time": "2031-03-30T02:30"}, "2031-03-30T01:30", None),
        ({"start_time": "2031-10-26T02:30"}, "2031-10-26T00:30", None),
        # an instant is an instant
        ({"start_time": "2031-10-26T01:30:00Z"}, "2031-10-26T01:30", None),
        ({"start_time": "2031-07-09", "all_day": True}, "2031-07-08T22:00", "2031-07-09T22:00"),
        ({"start_time": "2031-07-09T15:00", "all_day": True}, "2031-07-08T22:00", "2031-07-09T22:00"),
        ({"start_time": "2031-07-08T22:30:00Z", "all_day": True}, "2031-07-08T22:00", "2031-07-09T22:00"),
        (
            {"start_time": "2031-07-09", "end_time": "2031-07-09", "all_day": True},
            "2031-07-08T22:00",
            "2031-07-09T22:00",
        ),
        (
            {"start_time": "2031-07-09", "end_time": "2031-07-11", "all_day": True},
            "2031-07-08T22:00",
            "2031-07-10T22:00",
        ),
        (
            {"start_time": "2031-07-09", "end_time": "2031-07-11T00:01", "all_day": True},
            "2031-07-08T22:00",
            "2031-07-11T22:00",
        ),
        ({"start_time": "2031-03-30", "all_day": True}, "2031-03-29T23:00", "2031-03-30T22:00"),
    ],
)
def test_times_are_read_in_the_events_zone(
    new_user: NewUser, zone: str | None, sent: dict[str, Any], start: str, end: str | None
) -> None:
    """The zone sent or, without one, the user's: both the same, the first read in Python and the second in SQL."""
    user = new_user(settings={"timezone": "Asia/Tokyo" if zone else "Europe/Berlin"})
    event = user.post("/calendar", {"title": "x", **sent, **({"timezone": zone} if zone else {})}).data
    assert event["timezone"] == "Europe/Berlin"
    assert event["start_time"] == f"{start}:00.000000Z"
    assert event["end_time"] == (end and f"{end}:00.000000Z")


def test_a_range_is_half_open(user: User) -> None:
    point = added(user, title="point", start_time="2031-05-05T09:00:00Z")["id"]
    span = added(user, title="span", start_time="2031-05-05T09:00:00Z", end_time="2031-05-05T10:00:00Z")["id"]
    empty = added(user, title="empty", start_time="2031-05-05T09:00:00Z", end_time="2031-05-05T09:00:00Z")["id"]
    series = added(
        user,
        title="series",
        start_time="2031-05-04T09:00:00Z",
        end_time="2031-05-04T10:00:00Z",
        recurrence_rule="FREQ=DAILY",
    )
    occurrence = name_of(series, "05")
    everything = {point, span, empty, occurrence}
    for since, before, found in (
        ("2031-05-05T09:00:00Z", "2031-05-05T09:00:01Z", everything),
        ("2031-05-05T08:00:00Z", "2031-05-05T09:00:00Z", set()),
        ("2031-05-05T09:00:01Z", "2031-05-05T11:00:00Z", {span, occurrence}),
        ("2031-05-05T10:00:00Z", "2031-05-05T11:00:00Z", set()),
        ("2031-05-05T09:00:00Z", "2031-05-05T09:00:00Z", set()),
    ):
        assert {event["id"] for event in listed(user, since, before)} == found, (since, before)


def test_days_are_the_users_and_the_last_is_whole(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Asia/Tokyo"})
    for hour in ("2031-05-04T14:59:59Z", "2031-05-04T15:00:00Z", "2031-05-05T14:59:59Z", "2031-05-05T15:00:00Z"):
        added(user, start_time=hour)
    assert starts(user, "2031-05-05", "2031-05-05") == ["2031-05-04T15:00", "2031-05-05T14:59"]
    by_date = user.get("/calendar", query={"date": "2031-05-05"}).data
    assert by_date == {"events": listed(user, "2031-05-05", "2031-05-05"), "truncated": False}
    assert starts(user, "2031-05-05T00:00", "2031-05-06T00:00:00+09:00") == ["2031-05-04T15:00", "2031-05-05T14:59"]
    assert user.get("/calendar", query={"date": "2031-05-05T23:00:00Z"}).data == by_date


def test_without_bounds_a_year_either_side_of_now(user: User, database: Database) -> None:
    [row] = database.query(
        "SELECT ARRAY(SELECT to_char(now() + d * interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI:SSOF:00')"
        " FROM unnest(ARRAY[-367, -364, 0, 364, 367]) AS d) AS days"
    )
    names = [added(user, title=day, start_time=day)["title"] for day in row["days"]]
    assert [event["title"] for event in user.get("/calendar").data["events"]] == names[1:4]


def test_lists_by_start_then_id_and_by_type(user: User) -> None:
    late = added(user, start_time="2031-05-05T10:00:00Z", event_type="workout")["id"]
    same = [added(user)["id"] for _ in range(4)]
    assert [event["id"] for event in listed(user)] == [*sorted(same), late]
    assert [event["id"] for event in listed(user, event_type="workout")] == [late]
    assert listed(user, event_type="focus") == []
    assert len(listed(user, event_type="")) == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start_date": "2031-05-05"}, "end_date"),
        ({"end_date": "2031-05-05"}, "start_date"),
        ({"start_date": "2031-05-05", "end_date": "2031-05-04"}, "end_date"),
        ({"start_date": "2031-05-05T01:00:00Z", "end_date": "2031-05-05T00:00:00Z"}, "end_date"),
        ({"start_date": "2031-01-01", "end_date": "2033-03-11"}, "end_date"),
        ({"start_date": "2031-01-01T00:00:00Z", "end_date": "2033-03-11T00:00:01Z"}, "end_date"),
        ({"start_date": "x", "end_date": "2033-03-11"}, "start_date"),
        ({"date": "x"}, "date"),
        ({"date": "0001-01-01"}, "date"),
        ({"date": "2031-05-05", "start_date": "2031-05-05", "end_date": "2031-05-05"}, "date"),
        ({"event_type": "party"}, "event_type"),
    ],
)
def test_bad_ranges_are_named(user: User, query: dict[str, str], field: str) -> None:
    user.get("/calendar", query=query).invalid(field)


def test_eight_hundred_days_are_no_more_than_eight_hundred(user: User) -> None:
    assert listed(user, "2031-01-01", "2033-03-10") == []
    assert listed(user, "2031-01-01T00:00:00Z", "2033-03-11T00:00:00Z") == []


def test_is_polled_by_tag(user: User) -> None:
    event = added(user, recurrence_rule="FREQ=DAILY;COUNT=3")
    query = {"start_date": "2031-05-01", "end_date": "2031-05-31"}
    first = user.get("/calendar", query=query)
    assert first.headers["cache-control"] == "private, no-cache"
    tag = {"If-None-Match": first.headers["etag"]}
    assert user.get("/calendar", query=query, headers=tag).status == 304
    user.post(f"/calendar/{name_of(event, '06')}/complete")
    assert user.get("/calendar", query=query, headers=tag).status == 200


def test_a_week_begins_where_the_settings_say(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Asia/Tokyo"})
    added(user, start_time="2031-05-04T14:59:00Z", title="Sunday")
    added(user, start_time="2031-05-04T15:00:00Z", title="Monday")
    added(user, start_time="2031-05-11T14:59:00Z", title="next Sunday")
    week = user.get("/calendar/week", query={"date": "2031-05-07"}).data
    assert (week["week_start"], week["week_end"]) == ("2031-05-05", "2031-05-11")
    assert [event["title"] for event in week["events"]] == ["Monday", "next Sunday"]
    user.put("/user/settings", {"week_start": "sunday"})
    week = user.get("/calendar/week", query={"date": "2031-05-07"}).data
    assert (week["week_start"], week["week_end"]) == ("2031-05-04", "2031-05-10")
    assert [event["title"] for event in week["events"]] == ["Sunday", "Monday"]
    sunday = user.get("/calendar/week", query={"date": "2031-05-04"}).data
    assert sunday["week_start"] == "2031-05-04"
    assert set(user.get("/calendar/week").data) == {"events", "week_start", "week_end"}
    user.get("/calendar/week", query={"date": "someday"}).invalid("date")


def test_changes_keep_what_is_absent_and_clear_what_is_null(user: User) -> None:
    event = added(user, end_time="2031-05-05T10:00:00Z", location="Room 1", metadata={"a": 1})
    path = f"/calendar/{event['id']}"
    changed = user.patch(path, {"location": None, "description": " notes "}).data
    assert changed == event | {"location": None, "description": "notes", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > event["updated_at"]
    assert user.put(path, {"end_time": None}).data["end_time"] is None
    assert user.patch(path, {"status": "done"}, query={"scope": "all"}).data == user.get(path).data
    user_id = str(uuid4())
    renamed = user.put(path, {"title": "Other", "user_id": user_id, "ical_uid": "x", "id": user_id, "sequence": 9}).data
    assert (renamed["id"], renamed["title"]) == (event["id"], "Other")


def test_a_new_start_keeps_the_duration(user: User) -> None:
    event = added(user, end_time="2031-05-05T10:15:00Z", timezone="Europe/Berlin")
    path = f"/calendar/{event['id']}"
    moved = user.patch(path, {"start_time": "2031-06-01T12:00"}).data
    assert (moved["start_time"], moved["end_time"]) == ("2031-06-01T10:00:00.000000Z", "2031-06-01T11:15:00.000000Z")
    user.patch(path, {"end_time": "2031-06-01T09:00:00Z"}).invalid("end_time")
    all_day = added(user, start_time="2031-05-05", end_time="2031-05-08", all_day=True, timezone="Europe/Berlin")
    # Three days, over the change of the clocks too.
    moved = user.patch(f"/calendar/{all_day['id']}", {"start_time": "2031-10-25"}).data
    assert (moved["start_time"], moved["end_time"]) == ("2031-10-24T22:00:00.000000Z", "2031-10-27T23:00:00.000000Z")


def test_an_all_day_event_keeps_its_dates_in_another_zone(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "America/New_York"})
    event = added(user, start_time="2031-05-05", all_day=True, timezone="Europe/Berlin")
    moved = user.patch(f"/calendar/{event['id']}", {"timezone": "Asia/Tokyo"}).data
    assert (moved["start_time"], moved["end_time"]) == ("2031-05-04T15:00:00.000000Z", "2031-05-05T15:00:00.000000Z")
    # Null is what absence was at first: the user's own.
    moved = user.patch(f"/calendar/{event['id']}", {"timezone": None}).data
    assert (moved["timezone"], moved["start_time"]) == ("America/New_York", "2031-05-05T04:00:00.000000Z")
    timed = user.patch(f"/calendar/{event['id']}", {"all_day": False}).data
    assert (timed["start_time"], timed["end_time"]) == ("2031-05-05T04:00:00.000000Z", "2031-05-06T04:00:00.000000Z")


def test_deleting_is_for_good(user: User) -> None:
    event = added(user)
    assert user.delete(f"/calendar/{event['id']}").data == {"success": True}
    user.get(f"/calendar/{event['id']}").refused(404, "not_found")
    user.delete(f"/calendar/{event['id']}").refused(404, "not_found")
    user.delete(f"/calendar/{added(user)['id']}", query={"scope": "some"}).invalid("scope")


def test_a_repeated_create_adds_one(user: User) -> None:
    body = {"title": "x", "start_time": "2031-05-09T08:00:00Z", "recurrence_rule": "FREQ=DAILY", "timezone": "UTC"}
    first, again = (user.post("/calendar", body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert again.json == first.json
    assert again.headers["idempotent-replay"] == "true"
    assert len(listed(user, "2031-05-09", "2031-05-09")) == 1


def test_someone_elses_is_absent_on_every_verb(user: User, other: User, stranger: Client, database: Database) -> None:
    single = added(user)
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=5")
    user.put(f"/calendar/{name_of(series, '06')}", {"title": "Moved"})
    user.delete(f"/calendar/{name_of(series, '07')}")
    rows = "SELECT to_jsonb(e) AS row FROM calendar_events AS e WHERE user_id = %s ORDER BY id"
    before = database.query(rows, user.id)
    [exception] = database.query(
        "SELECT id FROM calendar_events WHERE user_id = %s AND parent_event_id IS NOT NULL", user.id
    )
    names = [single["id"], series["id"], *(name_of(series, day) for day in ("05", "06", "07")), str(exception["id"])]
    for client, status, error in ((other, 404, "not_found"), (stranger, 401, "unauthorized")):
        for name in names:
            path = f"/calendar/{name}"
            for answer in (
                client.get(path),
                client.put(path, {"title": "mine"}),
                client.patch(path, {"start_time": "2031-05-10"}, query={"scope": "following"}),
                client.patch(path, {"start_time": "2031-05-10"}, query={"scope": "all"}),
                client.delete(path),
                client.delete(path, query={"scope": "all"}),
                client.post(f"{path}/restore"),
                client.post(f"{path}/complete"),
            ):
                answer.refused(status, error)
    assert database.query(rows, user.id) == before
    assert listed(other) == []
    # The row behind an exception has no name of its own, for its owner either.
    user.get(f"/calendar/{exception['id']}").refused(404, "not_found")


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "%00",
        "20310505T090000Z",
        "00000000-0000-4000-8000-000000000000_",
        "00000000-0000-4000-8000-000000000000_20310505",
        "00000000-0000-4000-8000-000000000000_20311305T090000Z",
    ],
)
def test_what_is_no_id_names_nothing(user: User, name: str) -> None:
    user.get(f"/calendar/{name}").refused(404, "not_found")
    user.put(f"/calendar/{name}", {"title": "x"}).refused(404, "not_found")
    user.delete(f"/calendar/{name}").refused(404, "not_found")


def test_an_event_may_be_a_workout_of_the_users(user: User, other: User) -> None:
    event = {"title": "Legs", "start_time": "2031-05-05T09:00:00Z"}
    workout = user.post("/exercise/workouts", {"name": "Legs"}).data["id"]
    assert user.post("/calendar", event | {"workout_id": workout}).data["workout_id"] == workout
    other.post("/calendar", event | {"workout_id": workout}).invalid("workout_id")
    user.delete(f"/exercise/workouts/{workout}")
    user.post("/calendar", event | {"workout_id": workout}).invalid("workout_id")


@pytest.mark.parametrize("all_day", [False, True])
def test_what_lasts_for_months_is_in_every_part_of_it(user: User, all_day: bool) -> None:
    for title, start, end in (
        ("short", "2031-05-01", "2031-06-01"),
        ("long", "2031-01-10", "2031-12-20"),
        ("longer", "2029-01-10", "2033-12-20"),
    ):
        added(user, title=title, start_time=start, end_time=end, all_day=all_day)

    def titles(day: str) -> list[str]:
        return [event["title"] for event in user.get("/calendar", query={"date": day}).data["events"]]

    assert titles("2031-05-31") == ["longer", "long", "short"]
    assert titles("2031-06-01") == titles("2031-12-19") == ["longer", "long"]
    assert titles("2031-12-20") == titles("2033-12-19") == ["longer"]
    assert titles("2033-12-20") == titles("2029-01-09") == []
