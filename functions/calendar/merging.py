"""What an import makes of the events that are there: a pure function of both (planning contract, 2, rule 13)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from questlog.ical.writing import exported_rule, uid_of
from questlog.recurrence.listing import EventRow
from questlog.recurrence.rule import rule_of
from questlog.recurrence.series import occurs
from questlog.recurrence.times import date_of, instant, stamp, wall_clock

from functions.calendar.carrying import Carried, carried
from functions.calendar.ical.reading import Document, Entry
from functions.calendar.models import Imported, Problem
from functions.calendar.rewrite import Drop, Move, Rewrite
from functions.calendar.schedule import NO_RECURRENCE

MAX_PROBLEMS: Final = 50
_TEXTS: Final = ("title", "description", "location")
_TIMES: Final = ("start_time", "end_time", "nominal_days", "all_day", "timezone")
_REPEATED: Final = ("recurrence_rule", "recurrence_end", "last_start", "series_until", "rdates")
# What a user sets too; it stays where a document says nothing of it.
_USERS: Final = ("event_type", "color", "reminder_minutes")
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class There(NamedTuple):
    """The user's events that have the UIDs of an import, their overrides, and their completions."""

    events: Sequence[EventRow]
    completed: dict[UUID, list[datetime | None]]


def merged(there: There, document: Document) -> tuple[Rewrite, Imported]:
    """The rows to write, and the outcome for each component of the document."""
    merge = _Merge(there)
    for uid, why in document.problems:
        merge.skip(uid, why)
    by_uid: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in document.entries:
        by_uid[entry.uid].append(entry)
    for uid, entries in by_uid.items():
        merge.take(uid, entries)
    return merge.rewrite(), merge.outcome()


class _Merge:
    """An import on its way through a document. A component that counts adds one to one count."""

    def __init__(self, there: There) -> None:
        self._there = {row.id: row for row in there.events}
        self._completed = there.completed
        self._masters: dict[str, EventRow] = {}
        self._lone: defaultdict[str, dict[str, EventRow]] = defaultdict(dict)
        self._overrides: defaultdict[UUID, dict[datetime, EventRow]] = defaultdict(dict)
        for row in there.events:
            if row.parent_event_id is not None:
                self._overrides[row.parent_event_id][row.recurrence_id] = row
            elif row.lone_recurrence_id is not None:
                self._lone[uid_of(row)][row.lone_recurrence_id] = row
            else:
                self._masters[uid_of(row)] = row
        self._kept: dict[UUID, EventRow] = {}
        self._gone: set[UUID] = set()
        self._moves: list[Move] = []
        self._drops: list[Drop] = []
        self._counts = {"imported": 0, "updated": 0, "unchanged": 0, "removed": 0, "skipped": 0}
        self._problems: list[Problem] = []

    def skip(self, uid: str | None, why: str | None = None) -> None:
        """Count a component that is not imported, and report why."""
        self._counts["skipped"] += 1
        if why is not None:
            self._tell(uid, why)

    def take(self, uid: str, entries: Sequence[Entry]) -> None:
        """Import all components of a UID: an event or a series, and its overrides."""
        master = _newest(entry for entry in entries if entry.recurrence_id is None)
        instances = [entry for entry in entries if entry.recurrence_id is not None]
        series = self._masters.get(uid)
        if master is not None:
            self._tell_notes(master)
            if master.cancelled:
                return self._cancel(uid, master)
            series = self._take_master(master, instances)
        if series is not None and series.recurrence_rule is not None:
            by_occurrence = _by_occurrence(instances, series)
            if master is not None:
                self._adopt(uid, series, master, set(by_occurrence))
            for at, entry in by_occurrence.items():
                series = self._take_instance(series, at, entry)
            return None
        for key, entry in _by_key(instances).items():
            self._take_lone(uid, key, entry)
        return None

    def rewrite(self) -> Rewrite:
        """What is to be written."""
        touched = {*self._kept, *self._gone, *(row.parent_event_id for row in self._kept.values())}
        return Rewrite(
            seen=[row for row_id, row in self._there.items() if row_id in touched],
            kept=list(self._kept.values()),
            gone=list(self._gone),
            moves=self._moves,
            drops=self._drops,
        )

    def outcome(self) -> Imported:
        """What became of the components."""
        return Imported(**self._counts, problems=self._problems)

    def _tell(self, uid: str | None, what: str) -> None:
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(uid=uid, message=what))

    def _tell_notes(self, entry: Entry) -> None:
        for note in entry.notes:
            self._tell(entry.uid, note)

    def _keep(self, row: EventRow, count: str) -> None:
        self._counts[count] += 1
        self._kept[row.id] = row

    def _cancel(self, uid: str, entry: Entry) -> None:
        """Delete the event with a UID, unless it is newer than its cancellation. It is counted only if it existed."""
        known = self._masters.get(uid)
        if known is not None and _is_older(entry, known):
            return self.skip(uid)
        for row in [*([] if known is None else [known]), *self._lone[uid].values()]:
            self._counts["removed"] += 1
            self._gone.add(row.id)
        return None

    def _take_master(self, master: Entry, instances: Sequence[Entry]) -> EventRow:
        """The event or series after the import."""
        known = self._masters.get(master.uid)
        if known is None:
            row = _versioned(master.event, master)
            left_out = {*row.exdates, *_cancelled(instances, row)}
            row = row.model_copy(update={"exdates": sorted(left_out), "ical_exdates": sorted(left_out)})
            self._keep(row, "imported")
        elif master.version.sequence < known.sequence:
            self.skip(master.uid)
            return known
        else:
            row = self._updated(known, master, instances)
        explicit = _by_occurrence(instances, row) if master.periods else {}
        for at, end in self._new_periods(row, master, set(explicit)):
            override = self._overrides[row.id].get(at) or _override_of(row, at)
            override = override.model_copy(update={"end_time": end, "nominal_days": None, "ical_uid": master.uid})
            self._kept[override.id] = self._overrides[row.id][at] = override
        return row

    def _updated(self, known: EventRow, master: Entry, instances: Sequence[Entry]) -> EventRow:
        """A known event or series after the import: the document's, with what the user set and removed."""
        given = _where_known(master, known)
        row = _overlaid(known, given, master)
        row = row.model_copy(update={name: getattr(given, name) for name in _REPEATED})
        is_newer = _is_newer(master, known)
        carry = carried(known, row, self._overrides[known.id].values(), self._completed.get(known.id, []))
        if row.recurrence_rule is None:
            row = row.model_copy(update=NO_RECURRENCE)
        else:
            cancelled = _cancelled(instances, row)
            by_document = {*given.exdates, *cancelled}
            if not is_newer:
                # A newer version may have left out more occurrences than this older document does.
                by_document |= {carry.ids[at] for at in known.ical_exdates if at in carry.ids}
            by_user = {carry.ids[at] for at in set(known.exdates) - set(known.ical_exdates) if at in carry.ids}
            left_out = {"exdates": sorted(by_document | by_user), "ical_exdates": sorted(by_document)}
            row = row.model_copy(update=left_out)
            self._counts["removed"] += sum(_is_there(known, at) for at in cancelled)
        mentioned = {*_by_occurrence(instances, row), *master.periods} if row.recurrence_rule else set()
        drops = {
            override.id
            for override in self._overrides[known.id].values()
            if is_newer and override.ical_uid and carry.ids.get(override.recurrence_id) not in mentioned
        }
        self._carried_overrides(known, row, carry, drops)
        if _told(known) != _told(row) or drops or self._new_periods(row, master, mentioned - set(master.periods)):
            self._moves += carry.moves
            self._drops += carry.drops
            self._keep(row, "updated")
            return row
        self._counts["unchanged"] += 1
        if row.sequence > known.sequence:
            self._kept[row.id] = row
        return known

    def _carried_overrides(self, known: EventRow, row: EventRow, carry: Carried, drops: set[UUID]) -> None:
        """The overrides of a series that the document changes, at their new times, without those to drop."""
        there: dict[datetime, EventRow] = {}
        for override in self._overrides[known.id].values():
            if override.id in drops or not carry.keeps(override):
                self._gone.add(override.id)
                continue
            texts = {name: getattr(row, name) for name in _TEXTS if getattr(override, name) == getattr(known, name)}
            changed = override.model_copy(update=texts | carry.times_of(override))
            if changed != override:
                self._kept[override.id] = changed
            if not carry.leaves(override):
                self._gone.add(override.id)
            there[changed.recurrence_id] = changed
        self._overrides[known.id] = there

    def _new_periods(self, row: EventRow, master: Entry, explicit: set[datetime]) -> list[tuple[datetime, datetime]]:
        """The RDATEs of a length of their own that have no override yet, or one that an import gave another length."""
        new = []
        for at, end in master.periods.items():
            known = self._overrides[row.id].get(at)
            is_new = known is None or (known.ical_uid is not None and known.end_time != end)
            if is_new and at not in explicit and at not in row.exdates:
                new.append((at, end))
        return new

    def _adopt(self, uid: str, series: EventRow, master: Entry, mentioned: set[datetime]) -> None:
        """Turn instances that were imported before their series into overrides, unless a newer series lacks them."""
        for key, lone in list(self._lone[uid].items()):
            at = _occurrence_of(key, series)
            if not occurs(series.series, at):
                continue
            del self._lone[uid][key]
            self._kept.setdefault(series.id, series)
            is_left_out = at not in mentioned and master.version.sequence > lone.sequence
            if is_left_out or at in self._overrides[series.id]:
                self._gone.add(lone.id)
                continue
            place = {"parent_event_id": series.id, "original_start": at, "lone_recurrence_id": None}
            self._kept[lone.id] = self._overrides[series.id][at] = lone.model_copy(update=place)
            self._moves += [Move(lone.id, done, series.id, at) for done in self._completed.get(lone.id, [])]

    def _take_instance(self, series: EventRow, at: datetime, entry: Entry) -> EventRow:
        """Import an instance of a series. Returns the series after it."""
        self._tell_notes(entry)
        if not occurs(series.series, at):
            self.skip(entry.uid, "stands for what is no occurrence of its series")
            return series
        if entry.cancelled:
            return self._remove(series, at, entry)
        if at in series.exdates:
            self.skip(entry.uid, "stands for an occurrence that was removed")
            return series
        known = self._overrides[series.id].get(at)
        given = _where_known(entry, series)
        row = _overlaid(known or _override_of(series, at), given, entry).model_copy(update={"ical_uid": entry.uid})
        if self._weigh(known, row, entry):
            self._overrides[series.id][at] = row
            # The series is written too, so that a request that has read it before finds that it has changed.
            self._kept.setdefault(series.id, series)
        return series

    def _remove(self, series: EventRow, at: datetime, entry: Entry) -> EventRow:
        """The series without an occurrence that was cancelled, which is counted only if it existed."""
        if at in series.exdates:
            return series
        self._counts["removed"] += 1
        override = self._overrides[series.id].get(at)
        if override is not None and override.ical_uid:
            self._kept.pop(override.id, None)
            self._gone.add(override.id)
        left_out = {"exdates": sorted([*series.exdates, at]), "ical_exdates": sorted({*series.ical_exdates, at})}
        version = {"sequence": max(series.sequence, entry.version.sequence)}
        series = self._kept[series.id] = series.model_copy(update=left_out | version)
        return series

    def _take_lone(self, uid: str, key: str, entry: Entry) -> None:
        """Import an instance without its series: as a single event, which keeps the recurrence id."""
        self._tell_notes(entry)
        known = self._lone[uid].get(key)
        if entry.cancelled:
            if known is not None:
                self._counts["removed"] += 1
                self._gone.add(known.id)
            return
        given = entry.event if known is None else _where_known(entry, known)
        row = _overlaid(known or given, given, entry).model_copy(update={"lone_recurrence_id": key})
        self._weigh(known, row, entry)

    def _weigh(self, known: EventRow | None, row: EventRow, entry: Entry) -> bool:
        """Compare a component with the stored event and count the outcome. Returns whether it is to be written."""
        if known is None:
            self._keep(row, "imported")
        elif entry.version.sequence < known.sequence:
            self.skip(entry.uid)
            return False
        elif _told(known) == _told(row):
            self._counts["unchanged"] += 1
            return False
        else:
            self._keep(row, "updated")
        return True


def _newest(entries: Iterable[Entry]) -> Entry | None:
    """The newest of several versions of one component; of two equal ones the later in the document."""

    def age(numbered: tuple[int, Entry]) -> tuple[int, datetime, datetime, int]:
        number, entry = numbered
        version = entry.version
        return version.sequence, version.stamp or _NEVER, version.modified or _NEVER, number

    return max(enumerate(entries), key=age, default=(0, None))[1]


def _by_occurrence(instances: Iterable[Entry], series: EventRow) -> dict[datetime, Entry]:
    """A document's instances of a series by their recurrence ids, each in its newest version."""
    found: defaultdict[datetime, list[Entry]] = defaultdict(list)
    for entry in instances:
        assert entry.recurrence_id is not None
        found[entry.recurrence_id.in_series(series)].append(entry)
    return {at: newest for at, entries in found.items() if (newest := _newest(entries)) is not None}


def _by_key(instances: Iterable[Entry]) -> dict[str, Entry]:
    """A document's instances without a series by their recurrence ids, each in its newest version."""
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in instances:
        assert entry.recurrence_id is not None
        in_dates = entry.event.all_day or not isinstance(entry.recurrence_id.moment, datetime)
        found[f"{entry.recurrence_id.day:%Y%m%d}" if in_dates else stamp(entry.recurrence_id.at)].append(entry)
    return {key: newest for key, entries in found.items() if (newest := _newest(entries)) is not None}


def _occurrence_of(key: str, series: EventRow) -> datetime:
    """The occurrence of a series for which an instance stands that was imported before the series."""
    day = date.fromisoformat(key[:8])
    if series.all_day:
        return instant(day, series.timezone)
    if "T" in key:
        return datetime.fromisoformat(key)
    return instant(datetime.combine(day, wall_clock(series.start_time, series.timezone).time()), series.timezone)


def _cancelled(instances: Iterable[Entry], series: EventRow) -> set[datetime]:
    """The occurrences of a series that a document cancels."""
    if series.recurrence_rule is None:
        return set()
    by_occurrence = _by_occurrence(instances, series)
    return {at for at, entry in by_occurrence.items() if entry.cancelled and occurs(series.series, at)}


def _is_there(row: EventRow, at: datetime) -> bool:
    return row.recurrence_rule is not None and occurs(row.series.without(row.exdates), at)


def _is_newer(entry: Entry, known: EventRow) -> bool:
    """Whether a document has a newer version than the one that is known."""
    if entry.version.sequence != known.sequence:
        return entry.version.sequence > known.sequence
    return (entry.version.written or _NEVER) > (known.ical_stamp or datetime.max.replace(tzinfo=UTC))


def _is_older(entry: Entry, known: EventRow) -> bool:
    """Whether what is known is newer, by its number and by when it was written."""
    return entry.version.sequence < known.sequence and (entry.version.written or _NEVER) <= (known.ical_stamp or _NEVER)


def _where_known(entry: Entry, known: EventRow) -> EventRow:
    """The event that a document describes. An all-day one gets the zone of the stored event, since it is dates only."""
    event = entry.event
    if not (event.all_day and known.all_day) or "timezone" in entry.says or event.timezone == known.timezone:
        return event

    def there(at: datetime) -> datetime:
        return instant(date_of(at, event.timezone), known.timezone)

    single = ("start_time", "end_time", "recurrence_end", "last_start", "series_until")
    changes: dict[str, Any] = {name: there(at) for name in single if (at := getattr(event, name)) is not None}
    lists = {name: [there(at) for at in getattr(event, name)] for name in ("exdates", "rdates")}
    return event.model_copy(update={**changes, **lists, "timezone": known.timezone})


def _overlaid(base: EventRow, given: EventRow, entry: Entry) -> EventRow:
    """An event with what a document says of it; what the user has set stays where it says nothing."""
    said = {name: getattr(given, name) for name in (*_TEXTS, *_TIMES, *(name for name in _USERS if name in entry.says))}
    return _versioned(base.model_copy(update=said), entry)


def _versioned(row: EventRow, entry: Entry) -> EventRow:
    written = entry.version.written or row.ical_stamp
    return row.model_copy(update={"sequence": entry.version.sequence, "ical_stamp": written})


def _override_of(series: EventRow, at: datetime) -> EventRow:
    """An override that changes nothing of an occurrence yet."""
    place = {"id": uuid4(), "parent_event_id": series.id, "original_start": at, "created_at": None}
    times = {"start_time": at, "end_time": series.end_of(at)}
    return series.model_copy(update={**NO_RECURRENCE, **place, **times})


def _told(row: EventRow) -> dict[str, Any]:
    """The properties of an event that iCalendar has, in a normal form by which two versions are compared."""
    told: dict[str, Any] = {name: getattr(row, name) for name in (*_TEXTS, *_TIMES, *_USERS)}
    if row.recurrence_rule is not None:
        rule = rule_of(exported_rule(row.series))
        until = rule.until_date(row.timezone) if row.all_day else rule.until_instant(row.timezone)
        told["rule"] = (rule.freq, rule.interval, rule.count, until, rule.week_start)
        told["days"] = {name: _unsigned(values) for name, values in rule.parts.items()}
        told["dates"] = (set(row.exdates), set(row.rdates))
    return told


def _unsigned(values: Iterable[str]) -> set[str]:
    return {value.removeprefix("+").removeprefix("0") for value in values}
