"""The state of a merge: the stored events with the UIDs of a document, and what the merge makes of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from questlog.ical.writing import uid_of
from questlog.recurrence.listing import EventRow

from functions.calendar.models import Imported, Problem
from functions.calendar.rewrite import Drop, Move, Rewrite

MAX_PROBLEMS: Final = 50

# What an import counts a component as.
Count: TypeAlias = Literal["imported", "updated", "unchanged", "removed", "skipped"]
Completed: TypeAlias = Mapping[UUID, list[datetime | None]]
"""The completed occurrences of events, by the event's id; None stands for a single event."""


class StoredEvents:
    """The stored events, by what a component of the document is compared with.

    masters    single events and series, by UID
    lone       instances that were imported without their series, by UID and by `lone_recurrence_id`
    overrides  by the id of their series, and by the occurrence that they stand for. The merge adds and removes some
    """

    def __init__(self, rows: Sequence[EventRow], completed: Completed) -> None:
        self.rows = rows
        self.completed = completed
        self.masters: dict[str, EventRow] = {}
        self.lone: defaultdict[str, dict[str, EventRow]] = defaultdict(dict)
        self.overrides: defaultdict[UUID, dict[datetime, EventRow]] = defaultdict(dict)
        for row in rows:
            if row.parent_event_id is not None:
                self.overrides[row.parent_event_id][row.recurrence_id] = row
            elif row.lone_recurrence_id is not None:
                self.lone[uid_of(row)][row.lone_recurrence_id] = row
            else:
                self.masters[uid_of(row)] = row


class Outcome:
    """What is to be written, and how many components were counted as what. Each component adds one to one count."""

    def __init__(self) -> None:
        self.moves: list[Move] = []
        self.drops: list[Drop] = []
        self._written: dict[UUID, EventRow] = {}
        self._deleted: set[UUID] = set()
        self._counts: dict[Count, int] = dict.fromkeys(("imported", "updated", "unchanged", "removed", "skipped"), 0)
        self._problems: list[Problem] = []
        self._sums: list[Problem] = []

    def write(self, row: EventRow, count: Count | None = None) -> None:
        """Write a row, new or changed; with `count`, count the component that it was made of."""
        self._written[row.id] = row
        if count is not None:
            self.count(count)

    def touch(self, series: EventRow) -> None:
        """Write a series of which only overrides change, so that a request that has read it before notices."""
        self._written.setdefault(series.id, series)

    def delete(self, row_id: UUID) -> None:
        """Delete a stored row. If it is written too, it is deleted first, so that it is not in its own way."""
        self._deleted.add(row_id)

    def withdraw(self, row_id: UUID) -> None:
        """Delete a row, and do not write it if this merge was about to."""
        self._written.pop(row_id, None)
        self._deleted.add(row_id)

    def count(self, what: Count, components: int = 1) -> None:
        """Count components."""
        self._counts[what] += components

    def skip(self, uid: str | None, why: str | None = None) -> None:
        """Count a component that is not imported; with a reason, report it."""
        self.count("skipped")
        if why is not None:
            self.report(uid, why)

    def report(self, uid: str | None, message: str) -> None:
        """Add to the problems that are shown to the user, of which the first 50 are kept."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(uid=uid, message=message))

    def sum_up(self, message: str) -> None:
        """Add a problem of the whole document. It is among the first 50 however many others there are."""
        self._sums.append(Problem(uid=None, message=message))

    def rewrite(self, rows: Sequence[EventRow]) -> Rewrite:
        """The rows to write and to delete. `rows` are the stored ones: those that are touched must not have changed."""
        series = {row.parent_event_id for row in self._written.values()}
        touched = {*self._written, *self._deleted, *series}
        return Rewrite(
            seen=[row for row in rows if row.id in touched],
            kept=list(self._written.values()),
            gone=list(self._deleted),
            moves=self.moves,
            drops=self.drops,
        )

    def imported(self) -> Imported:
        """The counts and the problems."""
        problems = [*self._problems[: MAX_PROBLEMS - len(self._sums)], *self._sums]
        return Imported(**self._counts, problems=problems)
