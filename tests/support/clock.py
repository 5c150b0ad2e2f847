"""The time at which tests that count days begin."""

from datetime import UTC, datetime, timedelta

# A Wednesday, at an hour that is far from the next day in UTC.
NOON = datetime(2031, 5, 7, 12, tzinfo=UTC)


def ahead(days: int) -> str:
    """The date so many days after NOON's."""
    return str(NOON.date() + timedelta(days=days))
