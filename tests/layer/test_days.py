"""The user's day (core contract, 1.1): zone, the hour it begins at, both changes of the clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User

ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"),
    *("Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Cairo", "America/Santiago", "Asia/Tehran"),
]


EARLIEST = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())


def day(database: Database, at: str, zone: str, day_start: int) -> date:
    [row] = database.query("SELECT local_day(%s, %s, %s) AS day", at, zone, day_start)
    found: date = row["day"]
    return found


@pytest.mark.parametrize(
    ("at", "zone", "day_start", "expected"),
    [
        ("2031-05-09T23:59:59Z", "UTC", 0, date(2031, 5, 9)),
        ("2031-05-10T00:00:00Z", "UTC", 0, date(2031, 5, 10)),
        ("2031-05-10T03:59:59Z", "UTC", 4, date(2031, 5, 9)),
        ("2031-05-10T04:00:00Z", "UTC", 4, date(2031, 5, 10)),
        ("2031-05-09T15:00:00Z", "Asia/Tokyo", 0, date(2031, 5, 10)),
        ("2031-05-10T09:59:59Z", "Pacific/Kiritimati", 0, date(2031, 5, 10)),
        ("2031-05-10T10:00:00Z", "Pacific/Kiritimati", 0, date(2031, 5, 11)),
        ("2031-05-10T10:59:59Z", "Pacific/Pago_Pago", 0, date(2031, 5, 9)),
        # New York 2026: clocks go forward on March 8 at 07:00Z and back on November 1 at 06:00Z.
        ("2026-03-08T06:59:59Z", "America/New_York", 2, date(2026, 3, 7)),
        ("2026-03-08T07:00:00Z", "America/New_York", 2, date(2026, 3, 8)),
        ("2026-11-01T04:59:59Z", "America/New_York", 1, date(2026, 10, 31)),
        ("2026-11-01T05:00:00Z", "America/New_York", 1, date(2026, 11, 1)),
        ("2026-11-01T06:30:00Z", "America/New_York", 1, date(2026, 11, 1)),
    ],
)
def test_the_day_of_an_instant(database: Database, at: str, zone: str, day_start: int, expected: date) -> None:
    assert day(database, at, zone, day_start) == expected


@pytest.mark.parametrize(
    ("wall", "zone", "expected"),
    [
        ("2026-03-08 02:30", "America/New_York", "2026-03-08T07:30:00+00:00"),  # skipped: the offset before the gap
        ("2026-11-01 01:30", "America/New_York", "2026-11-01T05:30:00+00:00"),  # twice: the first
        ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04T14:45:00+00:00"),  # twice, half an hour apart
        ("2026-11-01 00:30", "America/Havana", "2026-11-01T04:30:00+00:00"),  # midnight itself comes twice
        ("2026-04-24 00:00", "Africa/Cairo", "2026-04-23T22:00:00+00:00"),  # midnight itself is skipped
        ("2026-07-01 12:00", "Europe/Berlin", "2026-07-01T10:00:00+00:00"),
    ],
)
def test_the_instant_of_a_wall_time(database: Database, wall: str, zone: str, expected: str) -> None:
    [row] = database.query("SELECT first_instant(%s, %s) AS at", wall, zone)
    assert row["at"] == datetime.fromisoformat(expected)
    local = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=0)
    assert local.astimezone(UTC) == row["at"], "Python's fold=0 must agree: rules written in Python count on it"


@pytest.mark.parametrize(
    ("on", "zone", "day_start", "hours"),
    [
        (date(2026, 3, 8), "America/New_York", 0, 23),
        (date(2026, 11, 1), "America/New_York", 0, 25),
        (date(2026, 10, 31), "America/New_York", 2, 25),
        (date(2026, 11, 1), "America/New_York", 2, 24),
        (date(2026, 11, 1), "America/Havana", 0, 25),
        (date(2026, 4, 24), "Africa/Cairo", 0, 23),
        (date(2026, 5, 9), "Asia/Kathmandu", 6, 24),
    ],
)
def test_how_long_a_day_is(database: Database, on: date, zone: str, day_start: int, hours: int) -> None:
    [row] = database.query(
        "SELECT extract(epoch FROM upper(d) - lower(d))::int AS seconds FROM day_bounds(%s, %s, %s) AS d",
        on,
        zone,
        day_start,
    )
    assert row["seconds"] == hours * 3600


def test_an_instant_lies_in_its_own_day(database: Database) -> None:
    """Days neither overlap nor leave a gap, whatever the zone does."""
    with psycopg.connect(database.admin_url, autocommit=True) as connection:

        @settings(max_examples=300)
        @given(
            st.integers(EARLIEST, EARLIEST + 20 * 365 * 86400).map(
                lambda seconds: datetime.fromtimestamp(seconds, UTC)
            ),
            st.sampled_from(ZONES),
            st.integers(0, 6),
        )
        def check(at: datetime, zone: str, day_start: int) -> None:
            row = connection.execute(
                """
                SELECT %(at)s <@ day_bounds(d, %(zone)s, %(start)s),
                       upper(day_bounds(d, %(zone)s, %(start)s)) = lower(day_bounds(d + 1, %(zone)s, %(start)s))
                  FROM local_day(%(at)s, %(zone)s, %(start)s) AS d
                """,
                {"at": at, "zone": zone, "start": day_start},
            ).fetchone()
            assert row == (True, True)

        check()


def test_settings_decide(new_user: NewUser, database: Database, clock: Clock) -> None:
    user = new_user(settings={"timezone": "Pacific/Kiritimati", "day_start_hour": 0})
    now = clock.freeze()
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        row = connection.execute("SELECT local_today(), lower(day_bounds(local_today()))").fetchone()
    local = now.astimezone(ZoneInfo("Pacific/Kiritimati"))
    assert row is not None
    assert row[0] == local.date()
    assert row[1] == local.replace(hour=0, minute=0, second=0, microsecond=0)


def test_without_settings_days_are_utc(user: User, database: Database, clock: Clock) -> None:
    now = clock.freeze()
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        row = connection.execute("SELECT local_today(), day_bounds('2031-05-09')").fetchone()
    assert row is not None
    assert row[0] == now.date()
    assert row[1].lower == datetime(2031, 5, 9, tzinfo=UTC)
    assert row[1].upper == datetime(2031, 5, 10, tzinfo=UTC)
