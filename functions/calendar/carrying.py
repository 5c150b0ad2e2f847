"""Carries removals, overrides and completions over to a changed series (planning contract, 2, rule 8).

They belong to occurrences, and an occurrence is known by its recurrence id: the instant at which the rule puts it. So
after a change of the rule or of the start, each occurrence that has one of them needs its new recurrence id. In a
shift, which keeps rule, zone and all_day and changes the start, the n-th occurrence stays the n-th. After any other
change, an occurrence is the one at the same instant, or in an all-day series the one on the same date. An occurrence
without a new recurrence id no longer exists: its removal and override are deleted, its completion is cleared and stays
paid. The cleared completion goes where the occurrence would be, so that an occurrence which a later change brings back
there is not paid again.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple

from questlog.recurrence.listing import EventRow
from questlog.recurrence.rule import rule_of
from questlog.recurrence.series import occurs, rule_starts
from questlog.recurrence.times import date_of, instant, moved, wall_clock, wall_difference

from functions.calendar.rewrite import Drop, Move

_SECOND: Final = timedelta(seconds=1)


class CarryOver(NamedTuple):
    """A series before and after a change, and the occurrences of it that have an override or a completion.

    `new_ids` holds the recurrence ids before and after the change, of occurrences that still exist. It knows those that
    were removed, overridden or completed. `places` says of those that were completed where they are after the change,
    or would be if they still existed. `completed` has None for the completion of a single event.
    """

    before: EventRow
    after: EventRow
    is_shift: bool
    new_ids: dict[datetime, datetime]
    places: dict[datetime, datetime]
    completed: list[datetime | None]
    overridden: list[datetime]

    def of(self, occurrences: Iterable[datetime]) -> set[datetime]:
        """The new recurrence ids of these occurrences, as far as they still exist."""
        return {self.new_ids[at] for at in occurrences if at in self.new_ids}

    @property
    def exdates(self) -> list[datetime]:
        """The removed occurrences that the series still has."""
        return sorted(self.of(self.before.exdates))

    @property
    def loses_any(self) -> bool:
        """Whether an occurrence that was overridden or completed no longer exists."""
        return any(at not in self.new_ids for at in [*self.completed, *self.overridden] if at is not None)

    @property
    def moves(self) -> list[Move]:
        """The completions that become those of another event or occurrence, also those that are cleared by it."""
        new_ids = {at: self._completion_after(at) for at in self.completed}
        kept: dict[datetime | None, Any] = {}
        taken = set()
        # Those of occurrences that still exist come first; no two go to one place.
        for at, new_id in sorted(new_ids.items(), key=lambda item: item[1] is _GONE):
            place = self.places.get(at, at) if new_id is _GONE and at is not None else new_id
            if place not in taken:
                kept[at] = place
                taken.add(place)
        return [
            Move(self.before.id, at, self.after.id, new_id)
            for at, new_id in kept.items()
            if (at, self.before.id) != (new_id, self.after.id)
        ]

    @property
    def drops(self) -> list[Drop]:
        """The completions whose occurrence no longer exists."""
        return [Drop(self.before.id, at) for at in self.completed if self._completion_after(at) is _GONE]

    def keeps(self, override: EventRow) -> bool:
        """Whether the occurrence that an override stands for still exists."""
        return override.recurrence_id in self.new_ids

    def stays(self, override: EventRow) -> bool:
        """Whether an override stands for the same occurrence of the same event as before."""
        return self.before.id == self.after.id and self.new_ids.get(override.recurrence_id) == override.recurrence_id

    def changes_of(self, override: EventRow) -> dict[str, Any]:
        """The changed times of an override, and the occurrence that it stands for now.

        An override at the time and of the length that its series gave it follows the series; other times stay.
        """
        before, after = override.recurrence_id, self.new_ids[override.recurrence_id]
        changes: dict[str, Any] = {"parent_event_id": self.after.id, "original_start": after}
        if override.start_time == before and override.all_day == self.after.all_day:
            changes["start_time"], changes["timezone"] = after, self.after.timezone
            follows = override.end_time == self.before.end_of(before)
            changes["end_time"] = self.after.end_of(after) if follows else override.end_of(after)
            changes["nominal_days"] = self.after.nominal_days if follows else override.nominal_days
        return {name: value for name, value in changes.items() if getattr(override, name) != value}

    def _completion_after(self, at: datetime | None) -> Any:
        """What a completion is of afterwards: a recurrence id, None for a single event, or _GONE."""
        if at is None:
            return self.after.start_time if self.after.recurrence_rule else None
        if self.after.recurrence_rule is None:
            # Of a series that becomes a single event the first occurrence is left.
            return None if at == self.before.start_time else _GONE
        return self.new_ids.get(at, _GONE)


_GONE: Final = object()


def carry_over(
    before: EventRow, after: EventRow, overrides: Iterable[EventRow], completed: Iterable[datetime | None]
) -> CarryOver:
    """What becomes of the occurrences of a series, or of its rest, in the series that it changes into."""
    completed = list(completed)
    overridden = [override.recurrence_id for override in overrides]
    done = {at for at in completed if at is not None}
    if before.recurrence_rule is None or after.recurrence_rule is None:
        is_moved = _is_moved(before, after)
        places = _places_after_shift(before, after, done) if is_moved else _same_times(before, after, done)
        return CarryOver(before, after, False, {}, places, completed, overridden)
    wanted = {*before.exdates, *overridden, *done}
    if _is_shift(before, after):
        new_ids, places = _ids_after_shift(before, after, wanted), _places_after_shift(before, after, done)
        return CarryOver(before, after, True, new_ids, places, completed, overridden)
    places = _same_times(before, after, wanted)
    new_ids = {at: place for at, place in places.items() if occurs(after.series, place)}
    return CarryOver(before, after, False, new_ids, places, completed, overridden)


def _is_shift(before: EventRow, after: EventRow) -> bool:
    """Whether only the start has changed."""
    same_pattern = rule_of(before.recurrence_rule or "").pattern == rule_of(after.recurrence_rule or "").pattern
    return same_pattern and _is_moved(before, after)


def _is_moved(before: EventRow, after: EventRow) -> bool:
    """Whether the start has changed, and neither the zone nor that it is all-day."""
    same = (before.timezone, before.all_day) == (after.timezone, after.all_day)
    return same and before.start_time != after.start_time


def with_bounds_moved(before: EventRow, after: EventRow) -> EventRow:
    """A series that was shifted, with its UNTIL and recurrence_end shifted as far."""
    zone = after.timezone
    by = wall_difference(before.start_time, after.start_time, zone)
    rule = rule_of(after.recurrence_rule or "")
    changes: dict[str, Any] = {}
    if after.recurrence_end is not None:
        changes["recurrence_end"] = moved(after.recurrence_end, by, zone)
    last = rule.until_date(zone) if after.all_day else rule.until_instant(zone)
    if isinstance(last, datetime):
        changes["recurrence_rule"] = rule.with_until(f"{moved(last, by, zone):%Y%m%dT%H%M%SZ}").text
    elif last is not None:
        changes["recurrence_rule"] = rule.with_until(f"{last + by:%Y%m%d}").text
    return after.model_copy(update=changes)


def rdates_after(before: EventRow, after: EventRow) -> dict[datetime, datetime]:
    """The dates of RDATE, each with its new value after a change: shifted as far as the start, or on the same date."""
    zone = after.timezone
    if before.all_day == after.all_day:
        by = wall_difference(before.start_time, after.start_time, zone)
        return {at: moved(at, by, zone) for at in before.rdates}
    time_of_day = time.min if after.all_day else wall_clock(after.start_time, zone).time()
    dates = {at: datetime.combine(date_of(at, before.timezone), time_of_day) for at in before.rdates}
    return {at: instant(moment, zone) for at, moment in dates.items()}


def _ids_after_shift(before: EventRow, after: EventRow, wanted: set[datetime]) -> dict[datetime, datetime]:
    """The new recurrence ids of the wanted occurrences: the n-th of the rule stays the n-th, an RDATE is shifted.

    An instant that is both is taken as an occurrence of the rule.
    """
    if not wanted:
        return {}
    rdates = rdates_after(before, after)
    dates = {at: new_id for at, new_id in rdates.items() if new_id in after.rdates and at in wanted}
    nth_to_nth = zip(
        rule_starts(before.series, before.start_time, max(wanted) + _SECOND),
        rule_starts(after.series, after.start_time, after.series.until + _SECOND),
        strict=False,
    )
    return dates | {at: new_id for at, new_id in nth_to_nth if at in wanted}


def _places_after_shift(before: EventRow, after: EventRow, wanted: set[datetime]) -> dict[datetime, datetime]:
    """The instants that lie as far from the wanted ones as the new start from the old one."""
    by = wall_difference(before.start_time, after.start_time, after.timezone)
    return {at: moved(at, by, after.timezone) for at in wanted}


def _same_times(before: EventRow, after: EventRow, wanted: set[datetime]) -> dict[datetime, datetime]:
    """The wanted instants; in an all-day series the midnights of the same dates."""
    in_dates = before.all_day and after.all_day
    return {at: instant(date_of(at, before.timezone), after.timezone) if in_dates else at for at in wanted}
