"""An import, from the bytes that were sent to the rows to write. Only its route loads this module, since icalendar is
large."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from questlog.errors import Invalid
from questlog.recurrence.listing import EventRow

from functions.calendar.ical.reading import events_of, read, uid_of
from functions.calendar.ical.text import Component, NotCalendar, calendars, unfolded
from functions.calendar.merging import merged
from functions.calendar.models import Completions, Imported
from functions.calendar.rewrite import Rewrite


def parsed(document: bytes, charset: str | None) -> list[Component]:
    """The VCALENDARs of a document. Raises Invalid if it is not iCalendar."""
    try:
        return calendars(unfolded(document, charset))
    except NotCalendar as problem:
        raise Invalid([("body", str(problem))]) from None


def uids_in(found: Iterable[Component]) -> list[str]:
    """The UIDs of the events of a document, each once."""
    return list(dict.fromkeys(uid_of(event) for calendar in found for event in events_of(calendar)))


def imported(
    found: Sequence[Component], users_zone: str, rows: Sequence[EventRow], completions: Iterable[Completions]
) -> tuple[Rewrite, Imported]:
    """The rows to write for a document, and the outcome for each of its components."""
    completed: dict[UUID, list[datetime | None]] = {}
    for completion in completions:
        completed.setdefault(completion.event_id, []).append(completion.recurrence_id)
    return merged(rows, completed, read(found, users_zone))
