"""Carries removals, overrides and completions over to a changed series (planning contract, 2, rule 8).

A shift keeps rule, zone and all_day and changes the start: the n-th occurrence stays the n-th, and keeps its removal,
override and completion. After any other change, an occurrence is the one at the same instant, or in an all-day series
on the same date; those of occurrences that no longer exist are dropped.
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


class Carried(NamedTuple):
    """The occurrences of a series before a change, and which ones they are afterwards."""

    before: EventRow
    after: EventRow
    is_shift: bool
    ids: dict[datetime, datetime]
    completed: list[datetime | None]
    overridden: list[datetime]

    @property
    def exdates(self) -> list[datetime]:
        """The removals that the series still has."""
        return sorted(self.ids[at] for at in self.before.exdates if at in self.ids)

    @property
    def loses(self) -> bool:
        """Whether an occurrence that was changed or completed no longer exists."""
        return any(at not in self.ids for at in [*self.completed, *self.overridden] if at is not None)

    @property
    def moves(self) -> list[Move]:
        """The completions that become those of another event or occurrence."""
        moves = []
        for at in self.completed:
            there = self._there(at)
            if there is not _NOWHERE and (at, self.before.id) != (there, self.after.id):
                moves.append(Move(self.before.id, at, self.after.id, there))
        return moves

    @property
    def drops(self) -> list[Drop]:
        """The completions whose occurrence no longer exists."""
        return [Drop(self.before.id, at) for at in self.completed if self._there(at) is _NOWHERE]

    def keeps(self, override: EventRow) -> bool:
        """Whether the occurrence that an override stands for is still there."""
        return override.recurrence_id in self.ids

    def leaves(self, override: EventRow) -> bool:
        """Whether the override still stands for the occurrence it stood for, of the same series."""
        return self.before.id == self.after.id and self.ids.get(override.recurrence_id) == override.recurrence_id

    def times_of(self, override: EventRow) -> dict[str, Any]:
        """The changed times of an override, and the occurrence that it stands for now.

        An override at the time and of the length that its series gave it follows the series; other times stay.
        """
        before, after = override.recurrence_id, self.ids[override.recurrence_id]
        changes: dict[str, Any] = {"parent_event_id": self.after.id, "original_start": after}
        if override.start_time == before and override.all_day == self.after.all_day:
            changes["start_time"], changes["timezone"] = after, self.after.timezone
            follows = override.end_time == self.before.end_of(before)
            changes["end_time"] = self.after.end_of(after) if follows else override.end_of(after)
            changes["nominal_days"] = self.after.nominal_days if follows else override.nominal_days
        return {name: value for name, value in changes.items() if getattr(override, name) != value}

    def _there(self, at: datetime | None) -> Any:
        """The recurrence id of the occurrence afterwards: an instant, None for a single event, or _NOWHERE."""
        if at is None:
            return self.after.start_time if self.after.recurrence_rule else None
        if self.after.recurrence_rule is None:
            # Of a series that becomes a single event the first occurrence is left.
            return None if at == self.before.start_time else _NOWHERE
        return self.ids.get(at, _NOWHERE)


_NOWHERE: Final = object()


def carried(
    before: EventRow, after: EventRow, overrides: Iterable[EventRow], completed: Iterable[datetime | None]
) -> Carried:
    """The occurrences of a series, or of its rest, in the series that it becomes."""
    completed = list(completed)
    overridden = [override.recurrence_id for override in overrides]
    if before.recurrence_rule is None or after.recurrence_rule is None:
        return Carried(before, after, False, {}, completed, overridden)
    is_shift = (
        rule_of(before.recurrence_rule).pattern == rule_of(after.recurrence_rule).pattern
        and (before.timezone, before.all_day) == (after.timezone, after.all_day)
        and before.start_time != after.start_time
    )
    named = {*before.exdates, *overridden, *(at for at in completed if at is not None)}
    if not is_shift:
        return Carried(before, after, False, _same_as_before(before, after, named), completed, overridden)
    further = {at: there for at, there in rdates_after(before, after).items() if there in after.rdates and at in named}
    return Carried(before, after, True, further | _nth_to_nth(before, after, named), completed, overridden)


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


def _nth_to_nth(before: EventRow, after: EventRow, named: set[datetime]) -> dict[datetime, datetime]:
    """These occurrences of the rule, each with the one that has the same number afterwards."""
    if not named:
        return {}
    one_by_one = zip(
        rule_starts(before.series, before.start_time, max(named) + _SECOND),
        rule_starts(after.series, after.start_time, after.series.until + _SECOND),
        strict=False,
    )
    return {at: there for at, there in one_by_one if at in named}


def _same_as_before(before: EventRow, after: EventRow, named: set[datetime]) -> dict[datetime, datetime]:
    """These occurrences, as far as they still exist: at the same instant, in an all-day series on the same date."""
    ids = {}
    series = after.series
    for at in named:
        there = instant(date_of(at, before.timezone), after.timezone) if before.all_day and after.all_day else at
        if occurs(series, there):
            ids[at] = there
    return ids
