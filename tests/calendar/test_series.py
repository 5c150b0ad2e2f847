import pytest

from tests.calendar.conftest import added, listed, name_of, starts
from tests.conftest import NewUser, User
from tests.support.effort import at_most


def test_each_occurrence_has_a_name_of_its_own(user: User) -> None:
    series = added(user, end_time="2031-05-05T10:00:00Z", recurrence_rule="FREQ=DAILY;COUNT=3")
    assert (series["is_recurring"], series["series_id"], series["original_start"]) == (True, None, None)
    events = listed(user)
    assert [event["id"] for event in events] == [name_of(series, day) for day in ("05", "06", "07")]
    second = events[1]
    assert second == series | {
        "id": name_of(series, "06"),
        "series_id": series["id"],
        "start_time": "2031-05-06T09:00:00.000000Z",
        "end_time": "2031-05-06T10:00:00.000000Z",
        "original_start": "2031-05-06T09:00:00.000000Z",
    }
    assert user.get(f"/calendar/{second['id']}").data == second
    assert user.get(f"/calendar/{series['id']}").data == series
    for stamp in ("20310508T090000Z", "20310504T090000Z", "20310506T090001Z", "15000101T000000Z", "99991231T235959Z"):
        user.get(f"/calendar/{series['id']}_{stamp}").refused(404, "not_found")
    single = added(user)
    user.get(f"/calendar/{single['id']}_20310505T090000Z").refused(404, "not_found")


def test_a_rule_is_stored_without_blanks_and_in_capitals(user: User) -> None:
    event = added(user, recurrence_rule=" rrule:freq=weekly; byday=mo,\tWE ;count=3 ")
    assert event["recurrence_rule"] == "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3"
    assert added(user, recurrence_rule="  ")["recurrence_rule"] is None


@pytest.mark.parametrize(
    "rule",
    [
        "WEEKLY",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;COUNT=5",
        "COUNT=5",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;BYMINUTE=9",
        "FREQ=DAILY;BYSECOND=9",
        "FREQ=DAILY;BYEASTER=0",
        "FREQ=DAILY;X-NAME=1",
        "FREQ=DAILY;COUNT=2;UNTIL=20320101",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;COUNT=",
        "FREQ=DAILY;COUNT",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=1001",
        "FREQ=DAILY;INTERVAL=1.5",
        "FREQ=DAILY;INTERVAL=٣",
        "FREQ=MONTHLY;BYMONTHDAY=٣",
        "FREQ=DAILY;UNTIL=2031050٣",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;;COUNT=1",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;UNTIL=20310230",
        "FREQ=DAILY;UNTIL=20310505T250000Z",
        "FREQ=DAILY;UNTIL=00010101",
        "FREQ=WEEKLY;BYDAY=MON",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=MONTHLY;BYDAY=54MO",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYMONTH=-1",
        "FREQ=YEARLY;BYYEARDAY=367",
        "FREQ=YEARLY;BYWEEKNO=54",
        "FREQ=MONTHLY;BYWEEKNO=5",
        "FREQ=DAILY;BYYEARDAY=5",
        "FREQ=WEEKLY;BYMONTHDAY=5",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=WEEKLY;WKST=XX",
        # well formed, and never
        "FREQ=DAILY;UNTIL=20310504",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=6",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    ],
)
def test_what_is_no_rule_for_events_is_refused_at_once(user: User, rule: str) -> None:
    user.post(
        "/calendar", {"title": "warm", "start_time": "2031-05-05", "timezone": "UTC", "recurrence_rule": "FREQ=DAILY"}
    )
    body = {"title": "x", "start_time": "2031-05-05T09:00:00Z", "timezone": "UTC", "recurrence_rule": rule}
    with at_most(0.2):
        answer = user.post("/calendar", body)
    answer.invalid("recurrence_rule")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;COUNT=1000;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=DAILY;COUNT=1000;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;INTERVAL=1000",
        "FREQ=YEARLY;INTERVAL=1000;COUNT=1000",
        "FREQ=DAILY;UNTIL=21991201",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    ],
)
def test_rare_and_long_rules_are_no_work_to_list(user: User, rule: str) -> None:
    added(user, start_time="1900-01-01T09:00:00Z")
    added(user, start_time="1700-01-01T09:00:00Z", recurrence_rule="FREQ=DAILY")
    listed(user)  # the first request builds what later ones use
    with at_most(0.6):
        added(user, recurrence_rule=rule)
        assert len(listed(user, "2150-01-01", "2150-12-31")) >= 365
        listed(user)


def test_a_start_that_does_not_fit_moves_forward(user: User) -> None:
    event = added(user, end_time="2031-05-05T09:45:00Z", recurrence_rule="FREQ=WEEKLY;BYDAY=TH,FR;COUNT=3")
    assert (event["start_time"], event["end_time"]) == ("2031-05-08T09:00:00.000000Z", "2031-05-08T09:45:00.000000Z")
    assert starts(user) == ["2031-05-08T09:00", "2031-05-09T09:00", "2031-05-15T09:00"]
    # The second of a Monday, a Wednesday and a Friday is the Wednesday, whichever of them a start is near.
    positions = added(user, start_time="2032-05-03T09:00:00Z", recurrence_rule="FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2")
    assert positions["start_time"] == "2032-05-05T09:00:00.000000Z"
    assert starts(user, "2032-05-01", "2032-05-21") == [f"2032-05-{day}T09:00" for day in ("05", "12", "19")]


def test_plain_and_numbered_weekdays_are_both_meant(user: User) -> None:
    """dateutil takes such a list for the days that are both."""
    added(user, start_time="2031-05-01T09:00:00Z", recurrence_rule="FREQ=MONTHLY;BYDAY=MO,1TH;COUNT=6")
    assert [day[8:10] for day in starts(user)] == ["01", "05", "12", "19", "26", "02"]


@pytest.mark.parametrize(
    ("end", "days"),
    [
        ({"recurrence_rule": "FREQ=DAILY;UNTIL=20310507T090000Z"}, 3),
        ({"recurrence_rule": "FREQ=DAILY;UNTIL=20310507T085959Z"}, 2),
        ({"recurrence_rule": "FREQ=DAILY;UNTIL=20310507T110000"}, 3),
        ({"recurrence_rule": "FREQ=DAILY;UNTIL=20310507T105959"}, 2),
        ({"recurrence_rule": "FREQ=DAILY;UNTIL=20310507"}, 3),
        ({"recurrence_rule": "FREQ=DAILY", "recurrence_end": "2031-05-07"}, 3),
        ({"recurrence_rule": "FREQ=DAILY", "recurrence_end": "2031-05-07T09:00:00Z"}, 3),
        ({"recurrence_rule": "FREQ=DAILY", "recurrence_end": "2031-05-07T10:59:59"}, 2),
        ({"recurrence_rule": "FREQ=DAILY;COUNT=9", "recurrence_end": "2031-05-07"}, 3),
        ({"recurrence_rule": "FREQ=DAILY;UNTIL=20310506", "recurrence_end": "2031-05-07"}, 2),
    ],
)
def test_bounds_are_inclusive(user: User, end: dict[str, str], days: int) -> None:
    added(user, timezone="Europe/Berlin", **end)
    assert len(starts(user)) == days


def test_a_time_the_clocks_skip_or_show_twice(user: User) -> None:
    added(user, start_time="2031-03-29T02:30", timezone="Europe/Berlin", recurrence_rule="FREQ=DAILY;COUNT=3")
    added(user, start_time="2031-10-25T02:30", timezone="Europe/Berlin", recurrence_rule="FREQ=DAILY;COUNT=3")
    assert starts(user) == [
        *("2031-03-29T01:30", "2031-03-30T01:30", "2031-03-31T00:30"),
        *("2031-10-25T00:30", "2031-10-26T00:30", "2031-10-27T01:30"),
    ]


def test_a_duration_is_kept_to_the_second_and_days_in_days(user: User) -> None:
    added(
        user,
        start_time="2031-03-29T23:00",
        end_time="2031-03-30T05:00",
        timezone="Europe/Berlin",
        recurrence_rule="FREQ=WEEKLY;COUNT=2",
    )
    # Five hours by the clock of that night are the hours that passed.
    assert [event["end_time"][:16] for event in listed(user)] == ["2031-03-30T03:00", "2031-04-06T02:00"]
    days = added(user, start_time="2031-10-25", end_time="2031-10-27", all_day=True, timezone="Europe/Berlin",
                 recurrence_rule="FREQ=DAILY;INTERVAL=2;COUNT=2")  # fmt: skip
    events = [event for event in listed(user) if event["series_id"] == days["id"]]
    assert [(event["start_time"][:13], event["end_time"][:13]) for event in events] == [
        ("2031-10-24T22", "2031-10-26T23"),
        ("2031-10-26T23", "2031-10-28T23"),
    ]


def test_lists_are_cut_and_say_so(user: User) -> None:
    added(user, start_time="2030-01-01T09:00:00Z", recurrence_rule="FREQ=DAILY")
    query = {"start_date": "2031-01-01", "end_date": "2032-12-30"}
    whole = user.get("/calendar", query=query).data
    assert (len(whole["events"]), whole["truncated"]) == (730, False)
    cut = user.get("/calendar", query=query | {"end_date": "2032-12-31"}).data
    assert (cut["events"], cut["truncated"]) == (whole["events"], True)
    for hour in ("10", "11"):
        added(user, start_time=f"2030-01-01T{hour}:00:00Z", recurrence_rule="FREQ=DAILY")
    cut = user.get("/calendar", query=query).data
    assert (len(cut["events"]), cut["truncated"]) == (2000, True)
    order = [(event["start_time"], event["id"]) for event in cut["events"]]
    assert order == sorted(order)


def test_the_users_zone_is_a_series_too(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Europe/Berlin"})
    body = {"title": "x", "start_time": "2031-03-29T09:00", "recurrence_rule": "FREQ=DAILY;COUNT=2"}
    assert user.post("/calendar", body).data["timezone"] == "Europe/Berlin"
    assert starts(user) == ["2031-03-29T08:00", "2031-03-30T07:00"]
    user.post("/calendar", body | {"end_time": "2031-03-28"}).invalid("end_time")
    user.post("/calendar", body | {"recurrence_rule": "FREQ=DAILY;UNTIL=20310101"}).invalid("recurrence_rule")


def test_the_longest_day_reaches_into_a_window(user: User) -> None:
    """A day by the clock has 25 hours when summer time ends: an hour more than the first one had."""
    body = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Berlin:20311020T200000\nDURATION:P1D\n"
    body += "RRULE:FREQ=WEEKLY;BYDAY=MO,SA\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR"
    user.post("/calendar/import", body.encode(), headers={"content-type": "text/calendar"})
    assert starts(user, "2031-10-26T18:30:00Z", "2031-10-26T18:45:00Z") == ["2031-10-25T18:00"]
    assert starts(user, "2031-10-26T19:00:00Z", "2031-10-26T19:15:00Z") == []


def test_a_day_that_a_zone_left_out_is_no_occurrence_of_its_own(user: User) -> None:
    """Samoa went from the 29th of December 2011 to the 31st."""
    added(user, start_time="2011-12-29", all_day=True, timezone="Pacific/Apia", recurrence_rule="FREQ=DAILY;COUNT=4")
    assert starts(user, "2011-12-25", "2012-01-05") == ["2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"]
