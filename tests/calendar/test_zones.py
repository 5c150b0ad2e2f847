"""Names of time zones as files have them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from questlog.ical.offsets import changes_between
from questlog.recurrence.times import known_zone

from functions.calendar.ical.zones import zone_of

DISPLAYED = {
    "(UTC-10:00) Hawaii": -10,
    "(UTC-09:00) Alaska": -9,
    "(UTC-08:00) Pacific Time (US & Canada)": -8,
    "(UTC-08:00) Baja California": -8,
    "(UTC-07:00) Arizona": -7,
    "(UTC-06:00) Guadalajara, Mexico City, Monterrey": -6,
    "(UTC-06:00) Saskatchewan": -6,
    "(UTC-05:00) Bogota, Lima, Quito, Rio Branco": -5,
    "(UTC-05:00) Indiana (East)": -5,
    "(UTC-04:00) Atlantic Time (Canada)": -4,
    "(UTC-03:30) Newfoundland": -3.5,
    "(UTC) Dublin, Edinburgh, Lisbon, London": 0,
    "(UTC) Coordinated Universal Time": 0,
    "(UTC+01:00) West Central Africa": 1,
    "(UTC+01:00) Brussels, Copenhagen, Madrid, Paris": 1,
    "(GMT+02:00) Athens, Bucharest": 2,
    "(UTC+03:00) Moscow, St. Petersburg": 3,
    "(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi": 5.5,
    "(UTC+08:00) Beijing, Chongqing, Hong Kong, Urumqi": 8,
    "(UTC+10:00) Canberra, Melbourne, Sydney": 10,
    "(UTC+12:00) Auckland, Wellington": 12,
}


@pytest.mark.parametrize("name", DISPLAYED)
def test_what_windows_shows(name: str) -> None:
    zone = zone_of(name)
    assert zone is not None
    assert known_zone(zone)
    offsets = [datetime(2031, month, 15, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    assert min(offset for offset in offsets if offset is not None) == timedelta(hours=DISPLAYED[name])


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/BERLIN ", "Europe/Berlin"),
        ('"Europe/Berlin"', "Europe/Berlin"),
        ("/Europe/Berlin/", "Europe/Berlin"),
        ("/a/b/c/America/Indiana/Knox", "America/Indiana/Knox"),
        ("x/Japan", "Asia/Tokyo"),
        ("GB-Eire", "Europe/London"),
        ("MST7MDT", "America/Denver"),
        ("Etc/UTC", "UTC"),
        ("GMT", "UTC"),
        ("Z", "UTC"),
        ("w. europe standard time", "Europe/Berlin"),
        ("Argentina Standard Time", "America/Buenos_Aires"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("Berlin", None),
        ("Customized Time Zone", None),
        ("Standard Time", None),
        ("(UTC+01:00) Neverland", None),
        ("(UTC+09:00) Berlin", None),
        ("", None),
        ("/", None),
        ("Factory", None),
        ("Eastern Standard Time 2", None),
    ],
)
def test_names(name: str, zone: str | None) -> None:
    assert zone_of(name) == zone
    assert zone is None or known_zone(zone)


def test_changes_are_found_to_the_second() -> None:
    found = changes_between("Europe/Berlin", datetime(2031, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC))
    assert found == [
        (datetime(2031, 3, 30, 1, tzinfo=UTC), timedelta(hours=2)),
        (datetime(2031, 10, 26, 1, tzinfo=UTC), timedelta(hours=1)),
    ]
    # A month of winter time within the summer: Ramadan in Morocco.
    assert (
        len(changes_between("Africa/Casablanca", datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)))
        == 2
    )
    assert changes_between("Asia/Tokyo", datetime(2031, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)) == []
