"""Merges an iCalendar document into a user's events (planning contract, 2, rule 13).

The components of the document are taken by UID: first the master, which is a single event or a series, and then the
instances, which stand for single occurrences of a series. Of several versions of a component the newest counts, and one
with a lower SEQUENCE than the stored event is skipped. A stored event gets what the document says of it, and keeps what
only the user has set: links and colors that the document does not mention, removed occurrences, overrides, completions.
An instance whose series is not there is stored as a single event (a lone instance), and becomes an override when its
series is imported later. Nothing is written here: the result is a Rewrite, and counts of what became of the components.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from questlog.recurrence.listing import EventRow
from questlog.recurrence.series import occurs

from functions.calendar.carrying import CarryOver, carry_over
from functions.calendar.components import (
    TEXTS,
    by_lone_id,
    by_occurrence,
    cancelled_occurrences,
    differ,
    in_stored_zone,
    is_left,
    is_newer,
    is_older,
    new_override,
    newest,
    occurrence_of,
    overlaid,
    versioned,
)
from functions.calendar.ical.reading import Document, Entry
from functions.calendar.merge_state import Completed, Outcome, StoredEvents
from functions.calendar.models import Imported
from functions.calendar.rewrite import Move, Rewrite
from functions.calendar.schedule import NO_RECURRENCE

_RECURRENCE: Final = ("recurrence_rule", "recurrence_end", "last_start", "series_until", "rdates")


def merged(rows: Sequence[EventRow], completed: Completed, document: Document) -> tuple[Rewrite, Imported]:
    """The rows to write, and what became of each component of the document.

    `rows` are the user's events with the UIDs of the document, and their overrides; `completed` their completions.
    """
    merge = _Merge(StoredEvents(rows, completed))
    for uid, why in document.problems:
        merge.outcome.skip(uid, why)
    for name, count in document.losses.items():
        merge.outcome.sum_up(f"{name} has no place here and was left out: {count}")
    by_uid: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in document.entries:
        by_uid[entry.uid].append(entry)
    for uid, entries in by_uid.items():
        merge.take(uid, entries)
    return merge.outcome.rewrite(rows), merge.outcome.imported()


class _Merge:
    """A merge on its way through a document."""

    def __init__(self, stored: StoredEvents) -> None:
        self.outcome = Outcome()
        self._stored = stored

    def take(self, uid: str, entries: Sequence[Entry]) -> None:
        """Merge all components of a UID."""
        master = newest(entry for entry in entries if entry.recurrence_id is None)
        instances = [entry for entry in entries if entry.recurrence_id is not None]
        if master is None:
            event = self._stored.masters.get(uid)
        else:
            self._report_notes(master)
            if master.cancelled:
                self._cancel(uid, master)
                return
            event = self._take_master(master, instances)
        if event is None or event.recurrence_rule is None:
            for lone_id, instance in by_lone_id(instances).items():
                self._take_lone(uid, lone_id, instance)
        else:
            self._take_instances(event, master, by_occurrence(instances, event))

    def _report_notes(self, entry: Entry) -> None:
        for note in entry.notes:
            self.outcome.report(entry.uid, note)

    # Masters ----------------------------------------------------------------------------------------------------------

    def _cancel(self, uid: str, master: Entry) -> None:
        """Delete the event of a UID, unless it is newer than its cancellation. It is counted only if it existed."""
        stored = self._stored.masters.get(uid)
        if stored is not None and is_older(master, stored):
            self.outcome.skip(uid)
            return
        for row in [*([] if stored is None else [stored]), *self._stored.lone[uid].values()]:
            self.outcome.count("removed")
            self.outcome.delete(row.id)

    def _take_master(self, master: Entry, instances: Sequence[Entry]) -> EventRow:
        """Merge a single event or a series. Returns it as it is stored afterwards."""
        stored = self._stored.masters.get(master.uid)
        if stored is None:
            event = self._add(master, instances)
        elif master.version.sequence < stored.sequence:
            self.outcome.skip(master.uid)
            return stored
        else:
            event = self._update(stored, master, instances)
        if master.periods:
            self._write_periods(event, master, set(by_occurrence(instances, event)))
        return event

    def _add(self, master: Entry, instances: Sequence[Entry]) -> EventRow:
        """The new event or series, without the occurrences that the document leaves out or cancels."""
        event = versioned(master.event, master)
        removed = sorted({*event.exdates, *cancelled_occurrences(instances, event)})
        event = event.model_copy(update={"exdates": removed, "ical_exdates": removed})
        self.outcome.write(event, "imported")
        return event

    def _update(self, stored: EventRow, master: Entry, instances: Sequence[Entry]) -> EventRow:
        """A stored event or series after the import: the document's, with what the user has set and removed."""
        described = in_stored_zone(master, stored)
        event = overlaid(stored, described, master)
        event = event.model_copy(update={name: getattr(described, name) for name in _RECURRENCE})
        overrides = self._stored.overrides[stored.id].values()
        carry = carry_over(stored, event, overrides, self._stored.completed.get(stored.id, []))
        cancelled = cancelled_occurrences(instances, event)
        event = event.model_copy(update=_removals(stored, event, carry, master, {*described.exdates, *cancelled}))
        self.outcome.count("removed", sum(is_left(stored, at) for at in cancelled))
        explicit = set(by_occurrence(instances, event)) if event.recurrence_rule else set()
        withdrawn = self._withdrawn(stored, master, carry, {*explicit, *master.periods})
        self._carry_overrides(stored, event, carry, withdrawn)
        if differ(stored, event) or withdrawn or self._new_periods(event, master, explicit):
            self.outcome.moves += carry.moves
            self.outcome.drops += carry.drops
            self.outcome.write(event, "updated")
            return event
        self.outcome.count("unchanged")
        if event.sequence > stored.sequence:
            self.outcome.write(event)
        return stored

    def _withdrawn(self, stored: EventRow, master: Entry, carry: CarryOver, mentioned: set[datetime]) -> set[UUID]:
        """The imported overrides of a series that a newer version of it no longer mentions."""
        if not is_newer(master, stored):
            return set()
        return {
            override.id
            for override in self._stored.overrides[stored.id].values()
            if override.ical_uid and carry.new_ids.get(override.recurrence_id) not in mentioned
        }

    def _carry_overrides(self, stored: EventRow, event: EventRow, carry: CarryOver, withdrawn: set[UUID]) -> None:
        """Give the overrides of a changed series their new times and texts; delete those that stand for nothing now."""
        overrides: dict[datetime, EventRow] = {}
        for override in self._stored.overrides[stored.id].values():
            if override.id in withdrawn or not carry.keeps(override):
                self.outcome.delete(override.id)
                continue
            texts = {name: getattr(event, name) for name in TEXTS if getattr(override, name) == getattr(stored, name)}
            changed = override.model_copy(update=texts | carry.changes_of(override))
            if changed != override:
                self.outcome.write(changed)
            if not carry.stays(override):
                self.outcome.delete(override.id)
            overrides[changed.recurrence_id] = changed
        self._stored.overrides[stored.id] = overrides

    def _new_periods(self, event: EventRow, master: Entry, explicit: set[datetime]) -> dict[datetime, datetime]:
        """The ends of the RDATEs with a length of their own that have no override, or an imported one with another end.

        An occurrence for which the document has an instance too is left to the instance.
        """
        new = {}
        for at, end in master.periods.items():
            override = self._stored.overrides[event.id].get(at)
            is_new = override is None or (override.ical_uid is not None and override.end_time != end)
            if is_new and at not in explicit and at not in event.exdates:
                new[at] = end
        return new

    def _write_periods(self, event: EventRow, master: Entry, explicit: set[datetime]) -> None:
        """Write an override for each RDATE that has a length of its own."""
        overrides = self._stored.overrides[event.id]
        for at, end in self._new_periods(event, master, explicit).items():
            length = {"end_time": end, "nominal_days": None, "ical_uid": master.uid}
            overrides[at] = (overrides.get(at) or new_override(event, at)).model_copy(update=length)
            self.outcome.write(overrides[at])

    # Instances --------------------------------------------------------------------------------------------------------

    def _take_instances(self, series: EventRow, master: Entry | None, instances: dict[datetime, Entry]) -> None:
        """Merge the instances of a series, by their occurrences."""
        if master is not None:
            self._adopt(series, master, set(instances))
        for at, instance in instances.items():
            self._report_notes(instance)
            if not occurs(series.series, at):
                self.outcome.skip(instance.uid, "stands for what is no occurrence of its series")
            elif instance.cancelled:
                series = self._remove(series, at, instance)
            elif at in series.exdates:
                self.outcome.skip(instance.uid, "stands for an occurrence that was removed")
            else:
                self._override(series, at, instance)

    def _adopt(self, series: EventRow, master: Entry, mentioned: set[datetime]) -> None:
        """Turn the lone instances of a series that is imported now into overrides.

        A newer series that does not mention an instance has withdrawn it: the lone instance is deleted.
        """
        overrides = self._stored.overrides[series.id]
        for lone_id, lone in list(self._stored.lone[master.uid].items()):
            at = occurrence_of(lone_id, series)
            if not occurs(series.series, at):
                continue
            del self._stored.lone[master.uid][lone_id]
            self.outcome.touch(series)
            is_left_out = at not in mentioned and master.version.sequence > lone.sequence
            if is_left_out or at in overrides:
                self.outcome.delete(lone.id)
                continue
            place = {"parent_event_id": series.id, "original_start": at, "lone_recurrence_id": None}
            overrides[at] = lone.model_copy(update=place)
            self.outcome.write(overrides[at])
            completed = self._stored.completed.get(lone.id, [])
            self.outcome.moves += [Move(lone.id, done, series.id, at) for done in completed]

    def _remove(self, series: EventRow, at: datetime, instance: Entry) -> EventRow:
        """Remove a cancelled occurrence, which is counted only if it existed. Returns the series without it."""
        if at in series.exdates:
            return series
        override = self._stored.overrides[series.id].get(at)
        if override is not None and override.ical_uid:
            self.outcome.withdraw(override.id)
        removed = {
            "exdates": sorted([*series.exdates, at]),
            "ical_exdates": sorted({*series.ical_exdates, at}),
            "sequence": max(series.sequence, instance.version.sequence),
        }
        series = series.model_copy(update=removed)
        self.outcome.write(series, "removed")
        return series

    def _override(self, series: EventRow, at: datetime, instance: Entry) -> None:
        """Write the override that an instance describes."""
        stored = self._stored.overrides[series.id].get(at)
        base = new_override(series, at) if stored is None else stored
        override = overlaid(base, in_stored_zone(instance, series), instance)
        override = override.model_copy(update={"ical_uid": instance.uid})
        if self._write_if_changed(stored, override, instance):
            self._stored.overrides[series.id][at] = override
            self.outcome.touch(series)

    def _take_lone(self, uid: str, lone_id: str, instance: Entry) -> None:
        """Merge an instance without its series: as a single event, which keeps the recurrence id."""
        self._report_notes(instance)
        stored = self._stored.lone[uid].get(lone_id)
        if instance.cancelled:
            if stored is not None:
                self.outcome.count("removed")
                self.outcome.delete(stored.id)
            return
        described = instance.event if stored is None else in_stored_zone(instance, stored)
        row = overlaid(described if stored is None else stored, described, instance)
        self._write_if_changed(stored, row.model_copy(update={"lone_recurrence_id": lone_id}), instance)

    def _write_if_changed(self, stored: EventRow | None, row: EventRow, instance: Entry) -> bool:
        """Write what an instance makes of the stored event, and count it. Returns whether anything is written."""
        if stored is None:
            self.outcome.write(row, "imported")
        elif instance.version.sequence < stored.sequence:
            self.outcome.skip(instance.uid)
            return False
        elif differ(stored, row):
            self.outcome.write(row, "updated")
        else:
            self.outcome.count("unchanged")
            return False
        return True


def _removals(
    stored: EventRow, event: EventRow, carry: CarryOver, master: Entry, left_out: set[datetime]
) -> dict[str, Any]:
    """The removed occurrences of a series after an import: those the document leaves out, and those the user removed.

    `stored` is the series before the import and `event` the one after it. A single event has no occurrences.
    """
    if event.recurrence_rule is None:
        return NO_RECURRENCE
    by_document = set(left_out)
    if not is_newer(master, stored):
        # A newer version may have left out more occurrences than this older document does.
        by_document |= carry.of(stored.ical_exdates)
    by_user = carry.of(set(stored.exdates) - set(stored.ical_exdates))
    return {"exdates": sorted(by_document | by_user), "ical_exdates": sorted(by_document)}
