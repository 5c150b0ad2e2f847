"""Changes and removals of an event, with its overrides and completions: pure functions of the rows that were read.

A change has a scope: `this` occurrence (an override is written), this and the `following` (the series is split), or
`all`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from questlog.errors import Invalid, NotFound
from questlog.recurrence.listing import EventRow
from questlog.recurrence.rule import ONCE
from questlog.recurrence.series import count_before, occurs, starts
from questlog.recurrence.times import moved, wall_difference

from functions.calendar.carrying import CarryOver, carry_over, rdates_after, with_bounds_moved
from functions.calendar.models import Deciding, EventChange, Scope
from functions.calendar.rewrite import Rewrite
from functions.calendar.schedule import NO_RECURRENCE, NOT_IMPORTED, in_rhythm, recurrence_after, times_after, with_end

# What iCalendar does not count as another version of an event (RFC 5545, 3.8.7.4).
_ONLY_OURS: Final = frozenset(
    {"event_type", "color", "reminder_minutes", "workout_id", "habit_id", "goal_id", "metadata"}
)
_SECOND: Final = timedelta(seconds=1)


def edited(found: Deciding, body: EventChange, scope: Scope, recurrence_id: datetime | None) -> Rewrite:
    """The rows to write for a change of an event. Raises NotFound for an unknown occurrence, Invalid for bad input."""
    _require(found.event, recurrence_id, scope)
    if recurrence_id is None or scope == "all" or (scope == "following" and _is_first(found.event, recurrence_id)):
        return _edited_all(found, body, recurrence_id)
    if scope == "this":
        return _edited_this(found, body, recurrence_id)
    return _edited_following(found, body, recurrence_id)


def removed(found: Deciding, scope: Scope, recurrence_id: datetime) -> Rewrite:
    """The rows to write to remove an occurrence, also the following ones, or all. Raises NotFound as `edited` does."""
    row = found.event
    _require(row, recurrence_id, scope)
    if scope == "this":
        return Rewrite(seen=[row], kept=[revised(row, exdates=[*row.exdates, recurrence_id])])
    if scope == "all" or _is_first(row, recurrence_id):
        return Rewrite(seen=[row], gone=[row.id])
    later = [override.id for override in found.overrides if override.recurrence_id >= recurrence_id]
    return Rewrite(seen=[row], kept=[_ended(row, recurrence_id)], gone=later)


def revised(row: EventRow, **changes: Any) -> EventRow:
    """The row with changes, as a new version of it where they show in iCalendar."""
    is_version = not changes or not changes.keys() <= _ONLY_OURS
    return row.model_copy(update={**changes, "sequence": row.sequence + is_version})


def _edited_all(found: Deciding, body: EventChange, recurrence_id: datetime | None) -> Rewrite:
    row = found.event
    times = times_after(row if recurrence_id is None else _from(row, recurrence_id), body, found.zone)
    if recurrence_id is not None:
        times |= _times_of_first(row, recurrence_id, times)
    changed = in_rhythm(revised(row, **body.plain, **times, **recurrence_after(row, body, times["timezone"])))
    changed, carry = _carried_along(row, changed, found.overrides, found.completed)
    overrides = [(old, _overridden(old, row, body, carry)) for old in found.overrides if carry.keeps(old)]
    return Rewrite(
        seen=[row],
        kept=[changed, *(new for old, new in overrides if new is not old)],
        # An override that stands for another occurrence now is deleted too: it may take the place of the next one.
        gone=[override.id for override in found.overrides if not carry.stays(override)],
        moves=carry.moves,
        drops=carry.drops,
        shown=row.id,
    )


def _edited_this(found: Deciding, body: EventChange, recurrence_id: datetime) -> Rewrite:
    for field in ("recurrence_rule", "recurrence_end"):
        if field in body.model_fields_set:
            raise Invalid([(field, "belongs to the series: change it with scope following or all")])
    row = found.event
    override = next((other for other in found.overrides if other.recurrence_id == recurrence_id), None)
    if override is None:
        of_its_own = {"id": uuid4(), "parent_event_id": row.id, "original_start": recurrence_id, "created_at": None}
        override = _from(row, recurrence_id).model_copy(update={**NO_RECURRENCE, **of_its_own})
    # From now on the override is the user's own, even if it came with an import.
    changes = {**body.plain, **times_after(override, body, found.zone), **NOT_IMPORTED}
    # The series is written too, so that a request that has read it before finds that it has changed.
    return Rewrite(seen=[row], kept=[revised(row), revised(override, **changes)], shown=override.id)


def _edited_following(found: Deciding, body: EventChange, recurrence_id: datetime) -> Rewrite:
    row = found.event
    rest = _from(row, recurrence_id).model_copy(update=_rest_of_rule(row, recurrence_id))
    times = times_after(rest, body, found.zone)
    of_its_own = {"id": uuid4(), **NOT_IMPORTED, "sequence": 0, "created_at": None}
    recurrence = recurrence_after(rest, body, times["timezone"])
    new = in_rhythm(rest.model_copy(update={**body.plain, **times, **recurrence, **of_its_own}))
    later = [override for override in found.overrides if override.recurrence_id >= recurrence_id]
    completed = [at for at in found.completed if at is not None and at >= recurrence_id]
    new, carry = _carried_along(rest, new, later, completed)
    return Rewrite(
        seen=[row],
        kept=[
            _ended(row, recurrence_id),
            new,
            *(_overridden(override, rest, body, carry) for override in later if carry.keeps(override)),
        ],
        gone=[override.id for override in later],
        moves=carry.moves,
        drops=carry.drops,
        shown=new.id,
    )


def _carried_along(
    before: EventRow, after: EventRow, overrides: Iterable[EventRow], completed: Iterable[datetime | None]
) -> tuple[EventRow, CarryOver]:
    """The changed series with the removals that still apply, and the changes of its overrides and completions.

    Where a shift would push an occurrence that was changed or completed past the end of the series, the end moves too.
    """
    if after.recurrence_rule is None:
        return after, carry_over(before, after, overrides, completed)
    rdates = sorted(rdates_after(before, after).values())
    after = with_end(after.model_copy(update={"rdates": rdates}))
    carry = carry_over(before, after, overrides, completed)
    if carry.is_shift and carry.loses_any:
        after = with_end(with_bounds_moved(before, after))
        carry = carry_over(before, after, overrides, completed)
    return after.model_copy(update={"exdates": carry.exdates}), carry


def _overridden(override: EventRow, before: EventRow, body: EventChange, carry: CarryOver) -> EventRow:
    """An override after a change of the whole series: times and texts of its own stay."""
    texts = {name: value for name, value in body.plain.items() if getattr(override, name) == getattr(before, name)}
    changes = texts | carry.changes_of(override)
    return revised(override, **changes) if changes else override


def _require(row: EventRow, recurrence_id: datetime | None, scope: Scope) -> None:
    if recurrence_id is None:
        if scope == "this" and row.recurrence_rule:
            raise Invalid([("scope", "this is for one occurrence: send its id")])
    elif not row.recurrence_rule or recurrence_id in row.exdates or not occurs(row.series, recurrence_id):
        raise NotFound


def _is_first(row: EventRow, recurrence_id: datetime) -> bool:
    """Whether the series has no earlier occurrence; removed ones do not count."""
    series = row.series.without(row.exdates)
    earliest = min([row.start_time, *row.rdates])
    return next(starts(series, earliest, recurrence_id), None) is None


def _from(row: EventRow, recurrence_id: datetime) -> EventRow:
    """The series as if it began with an occurrence."""
    return row.model_copy(update={"start_time": recurrence_id, "end_time": row.end_of(recurrence_id)})


def _ended(row: EventRow, before: datetime) -> EventRow:
    """The series without the occurrences that begin at an instant or later."""
    return with_end(
        revised(
            row,
            recurrence_end=before - _SECOND,
            exdates=[at for at in row.exdates if at < before],
            rdates=[at for at in row.rdates if at < before],
        )
    )


def _rest_of_rule(row: EventRow, recurrence_id: datetime) -> dict[str, Any]:
    """The rule and the further dates of a series from an occurrence on; COUNT is reduced to the remaining number."""
    series = row.series
    rest: dict[str, Any] = {
        "last_start": None,
        "exdates": [at for at in row.exdates if at >= recurrence_id],
        "rdates": [at for at in row.rdates if at >= recurrence_id],
    }
    if series.rule.count is not None:
        left = series.rule.count - count_before(series, recurrence_id)
        return rest | {"recurrence_rule": series.rule.with_count(left).text if left > 0 else ONCE}
    return rest if series.until >= recurrence_id else rest | {"recurrence_rule": ONCE, "recurrence_end": None}


def _times_of_first(row: EventRow, recurrence_id: datetime, times: dict[str, Any]) -> dict[str, Any]:
    """The start and end of a series of which one occurrence has moved to these times."""
    zone = times["timezone"]
    by = wall_difference(recurrence_id, times["start_time"], zone)
    occurrence = row.model_copy(update=times)
    start = moved(row.start_time, by, zone)
    return {"start_time": start, "end_time": occurrence.end_of(start)}
