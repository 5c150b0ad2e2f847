"""What an import makes of the events that are there: a pure function of both (planning contract, 2.13)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from questlog.recurrence.listing import EventRow
from questlog.recurrence.rule import rule_of
from questlog.recurrence.series import occurs

from functions.calendar.ical import Document, Entry, exported_rule, uid_of
from functions.calendar.models import Imported, Problem
from functions.calendar.rewrite import Rewrite

MAX_PROBLEMS: Final = 50
# What iCalendar tells of an event. Links, metadata and, where another program wrote it, the colour are ours and stay.
_DESCRIBED: Final = (
    "title",
    "description",
    "location",
    "event_type",
    "start_time",
    "end_time",
    "all_day",
    "timezone",
    "reminder_minutes",
)
_REPEATED: Final = ("recurrence_rule", "recurrence_end", "last_start", "series_until", "exdates", "rdates")


def merged(found: Sequence[EventRow], document: Document) -> tuple[Rewrite, Imported]:
    """The rows to write, and what became of each component of the document."""
    merge = _Merge(found)
    for uid, why in document.problems:
        merge.skip(uid, why)
    # An exception may stand before its series.
    for entry in sorted(document.entries, key=lambda entry: entry.recurrence_id is not None):
        if entry.recurrence_id is None:
            merge.take(entry)
        else:
            merge.take_exception(entry)
    return merge.rewrite(), merge.outcome()


class _Merge:
    """An import on its way through a document; every component adds one to one count."""

    def __init__(self, found: Sequence[EventRow]) -> None:
        self._there = {row.id: row for row in found}
        self._masters = {uid_of(row): row for row in found if row.parent_event_id is None}
        self._exceptions = {
            (row.parent_event_id, row.recurrence_id): row for row in found if row.parent_event_id is not None
        }
        self._kept: dict[UUID, EventRow] = {}
        self._gone: list[UUID] = []
        self._taken: set[str] = set()
        self._counts = {"imported": 0, "updated": 0, "unchanged": 0, "skipped": 0}
        self._problems: list[Problem] = []

    def skip(self, uid: str | None, why: str) -> None:
        """Count a component that cannot be taken."""
        self._counts["skipped"] += 1
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(uid=uid, message=why))

    def take(self, entry: Entry) -> None:
        """A single event, or a series."""
        if entry.cancelled:
            return self.skip(entry.uid, "is cancelled")
        if entry.uid in self._taken:
            return self.skip(entry.uid, "is there twice")
        self._taken.add(entry.uid)
        known = self._masters.get(entry.uid)
        row = self._compared(known, entry.event)
        if row is None:
            return None
        self._masters[entry.uid] = self._kept[row.id] = row
        for (parent, original), exception in list(self._exceptions.items()):
            if parent == row.id and not (row.recurrence_rule and occurs(row.series, original)):
                self._gone.append(exception.id)
                del self._exceptions[parent, original]
        return None

    def take_exception(self, entry: Entry) -> None:
        """What became of one occurrence of a series."""
        master = self._masters.get(entry.uid)
        if master is None or master.recurrence_rule is None:
            return self.skip(entry.uid, "its series is not there")
        original = entry.original_in(master)
        if not occurs(master.series, original):
            return self.skip(entry.uid, "stands for what is no occurrence of its series")
        if original in master.exdates:
            if entry.cancelled:
                self._counts["unchanged"] += 1
                return None
            return self.skip(entry.uid, "stands for an occurrence that was removed")
        if entry.cancelled:
            self._counts["updated"] += 1
            master = master.model_copy(update={"exdates": [*master.exdates, original]})
        else:
            place = {"parent_event_id": master.id, "original_start": original}
            row = self._compared(self._exceptions.get((master.id, original)), entry.event.model_copy(update=place))
            if row is None:
                return None
            self._exceptions[master.id, original] = self._kept[row.id] = row
        # Written too, so that whoever has read the series before knows that it is not the same.
        self._masters[entry.uid] = self._kept[master.id] = master
        return None

    def _compared(self, known: EventRow | None, given: EventRow) -> EventRow | None:
        """Count what is given against what is known; the row to write, if any."""
        if known is None:
            self._counts["imported"] += 1
            return given
        if given.sequence < known.sequence:
            self._counts["skipped"] += 1
            return None
        if _told(known) == _told(given):
            self._counts["unchanged"] += 1
            return None
        self._counts["updated"] += 1
        changes = {name: getattr(given, name) for name in (*_DESCRIBED, *_REPEATED)}
        return known.model_copy(update={**changes, "sequence": given.sequence, "color": given.color or known.color})

    def rewrite(self) -> Rewrite:
        """What is to be written."""
        seen = [self._there[row_id] for row_id in self._kept if row_id in self._there]
        return Rewrite(seen=seen, kept=list(self._kept.values()), gone=self._gone)

    def outcome(self) -> Imported:
        """What became of the components."""
        return Imported(**self._counts, problems=self._problems)


def _told(row: EventRow) -> dict[str, Any]:
    """What iCalendar tells of an event, in one form whatever the wording."""
    told = {name: getattr(row, name) for name in _DESCRIBED}
    if row.recurrence_rule is not None:
        rule = rule_of(exported_rule(row.series))
        told["rule"] = (rule.freq, rule.interval, rule.count, rule.until_instant(row.timezone), rule.week_start)
        told["days"] = {name: _unsigned(values) for name, values in rule.parts.items()}
        told["dates"] = (set(row.exdates), set(row.rdates))
    return told


def _unsigned(values: Iterable[str]) -> set[str]:
    return {value.removeprefix("+").removeprefix("0") for value in values}
