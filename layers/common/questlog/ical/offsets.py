"""When the clocks of a time zone change."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

_STEP: Final = timedelta(days=14)
_SECOND: Final = timedelta(seconds=1)


class Change(NamedTuple):
    """An instant, and the offset from UTC that clocks have from then on."""

    at: datetime
    offset: timedelta


def changes_between(zone: str, since: datetime, before: datetime) -> list[Change]:
    """The changes of a zone's offset between two instants, to the second; two within two weeks may be missed."""
    tz = ZoneInfo(zone)
    found = []
    at, offset = since, since.astimezone(tz).utcoffset()
    while at < before:
        low, high = at, min(at + _STEP, before)
        at = high
        if high.astimezone(tz).utcoffset() == offset:
            continue
        while high - low > _SECOND:
            middle = low + (high - low) // (2 * _SECOND) * _SECOND
            low, high = (middle, high) if middle.astimezone(tz).utcoffset() == offset else (low, middle)
        at, offset = high, high.astimezone(tz).utcoffset()
        assert offset is not None
        found.append(Change(high, offset))
    return found
