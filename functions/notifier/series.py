"""The occurrence of a series that is to be reminded of, and when the next one is."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from pydantic import AwareDatetime

from questlog.recurrence.listing import EventRow
from questlog.recurrence.series import Span, occurrences
from questlog.recurrence.times import LAST, stamp

# An event without an end has passed so long after its start.
_SHORTEST: Final = timedelta(minutes=15)
_SECOND: Final = timedelta(seconds=1)
# If the sender did not run for longer than this, older occurrences are not reminded of afterwards.
_FURTHEST_BACK: Final = timedelta(days=1)


class SeriesRow(EventRow):
    """A series with a reminder; `settled` are its occurrences that are done or have an override of their own."""

    user_id: UUID
    settled: list[AwareDatetime]


def looked_at(row: SeriesRow, due_at: datetime, now: datetime) -> dict[str, Any]:
    """What looking at a single event would return, for the occurrence to remind of between `due_at` and now.

    If several were missed, only the last one is reminded of, and none that has passed.
    """
    ahead = timedelta(minutes=row.reminder_minutes or 0)
    series = row.series.without({*row.exdates, *row.settled})
    since = max(due_at, now - _FURTHEST_BACK) + ahead
    now_starting = now + ahead
    # Expansions count in whole seconds.
    near = occurrences(series, since - _SECOND, now_starting + _SECOND)
    passed = [span for span in near if since <= span.start <= now_starting]
    upcoming = (span for span in occurrences(series, now_starting - _SECOND, LAST) if span.start > now_starting)
    following = next(islice(upcoming, 1), None)
    seen: dict[str, Any] = {"is_due": False, "next_at": following and following.start - ahead}
    if passed and (expires_at := _end(passed[-1])) > now:
        start = passed[-1].start
        seen |= {
            "is_due": True,
            "occasion": stamp(start),
            "expires_at": expires_at,
            "facts": {
                "title": row.title,
                "location": row.location,
                "all_day": row.all_day,
                "start": start.isoformat(),
                "zone": row.timezone if row.all_day else None,
            },
        }
    return seen


def _end(span: Span) -> datetime:
    return max(span.end or span.start, span.start + _SHORTEST)
