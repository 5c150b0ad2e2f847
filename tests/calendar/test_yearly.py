"""Series that come back on one day of the year: lists find them by that day, and miss none."""

from typing import Any

import pytest

from tests.calendar.conftest import added, listed
from tests.conftest import Database, User

# When a series begins, and what else it is made of: near leap days and the ends of years, where days of the year move.
SERIES: list[dict[str, Any]] = [
    {"start_time": "2024-02-29T09:00:00Z"},
    {"start_time": "2024-03-01T00:30:00Z", "timezone": "Pacific/Kiritimati"},
    {"start_time": "2023-12-31T23:30:00Z", "end_time": "2024-01-03T23:30:00Z"},
    {"start_time": "2024-01-01T11:30:00Z", "timezone": "Pacific/Pago_Pago"},
    {"start_time": "2011-12-31T10:30:00Z", "timezone": "Pacific/Apia"},
    {"start_time": "2024-12-30", "end_time": "2025-01-02", "all_day": True, "timezone": "Pacific/Kiritimati"},
    {"start_time": "2024-12-31", "all_day": True, "timezone": "Pacific/Pago_Pago"},
    {"start_time": "2024-05-06T22:00:00Z", "timezone": "America/New_York"},
]
# Windows that begin or end beside occurrences of these.
WINDOWS = [
    ("2026-12-31", "2026-12-31"),
    ("2027-01-01", "2027-01-01"),
    ("2027-01-02", "2027-01-03"),
    ("2027-01-04", "2027-12-27"),
    ("2027-12-28", "2028-01-02"),
    ("2028-02-28", "2028-03-01"),
    ("2028-03-02", "2029-02-27"),
    ("2028-05-06", "2028-05-07"),
]


@pytest.mark.parametrize("rule", ["FREQ=YEARLY", "FREQ=YEARLY;INTERVAL=1;WKST=SU", "FREQ=YEARLY;COUNT=20"])
def test_a_yearly_series_is_listed_as_one_of_each_twelfth_month(user: User, database: Database, rule: str) -> None:
    for number, fields in enumerate(SERIES):
        added(user, **fields, title=f"{number} by the year", recurrence_rule=rule)
        added(user, **fields, title=f"{number} by the month", recurrence_rule="FREQ=MONTHLY;INTERVAL=12")
    known = database.query(
        "SELECT count(*) FILTER (WHERE yearly_on IS NOT NULL) AS yearly, count(*) AS all FROM calendar_events"
        " WHERE user_id = %s",
        user.id,
    )
    assert known == [{"yearly": len(SERIES), "all": 2 * len(SERIES)}]
    for since, until in WINDOWS:
        events = listed(user, since, until)
        of = {
            way: [(e["title"][0], e["start_time"]) for e in events if e["title"].endswith(way)]
            for way in ("year", "month")
        }
        assert sorted(of["year"]) == sorted(of["month"]), (since, until)
    assert {event["title"][0] for event in listed(user, "2026-12-01", "2029-01-31")} == set("01234567")


@pytest.mark.parametrize(
    ("rule", "yearly_on"),
    [
        ("FREQ=YEARLY;UNTIL=20400101", 125),
        ("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=5;INTERVAL=2", 125),
        ("FREQ=YEARLY;BYMONTH=5", None),
        ("FREQ=YEARLY;BYMONTHDAY=5", None),
        ("FREQ=YEARLY;BYMONTH=5,11;BYMONTHDAY=5", None),
        ("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=5,6", None),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=1MO", None),
        ("FREQ=MONTHLY", None),
    ],
)
def test_only_a_rule_with_one_day_of_the_year_has_one(
    user: User, database: Database, rule: str, yearly_on: int | None
) -> None:
    event = added(user, recurrence_rule=rule)
    [row] = database.query("SELECT yearly_on FROM calendar_events WHERE id = %s", event["id"])
    assert row["yearly_on"] == yearly_on


def test_a_series_that_lasts_longer_or_has_further_dates_has_no_day(user: User, database: Database) -> None:
    long, further = (added(user, end_time=end, recurrence_rule="FREQ=YEARLY") for end in ("2031-05-08T09:00:01Z", None))
    database.query("UPDATE calendar_events SET rdates = '{2031-08-01 09:00Z}' WHERE id = %s", further["id"])
    assert database.query("SELECT DISTINCT yearly_on FROM calendar_events WHERE user_id = %s", user.id) == [
        {"yearly_on": None}
    ]
    assert [event["id"][:36] for event in listed(user, "2032-05-08", "2032-05-08")] == [long["id"]]
    assert [event["id"][:36] for event in listed(user, "2031-08-01", "2031-08-01")] == [further["id"]]
