"""What a change makes of a calendar's events: pure functions of the rows that were read and of what was asked.

A change has a scope: `this` occurrence (an exception is written), this and the `following` (the series is split), or
`all`. What is to be written comes as a Rewrite, which rewrite_calendar() carries out if nothing has changed meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from questlog.errors import Invalid, NotFound
from questlog.recurrence import (
    ONCE,
    Moment,
    count_before,
    fitted,
    instant,
    last_end,
    occurrences,
    occurs,
    placed,
    shifted,
    stamp,
    wall_clock,
)

from functions.calendar.models import Editable, EventChange, EventsQuery, NewEvent, Scope, Stored

# What a series is taken apart by when it changes: exceptions and removals name occurrences that are gone then.
_SCHEDULE = ("start_time", "recurrence_rule", "timezone", "all_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Rows to write if those `seen` are still as they were; `shown` is the one to answer. See rewrite_calendar()."""

    seen: Sequence[Stored]
    kept: Sequence[Stored] = ()
    gone: Sequence[UUID] = ()
    moved: dict[str, Any] | None = None
    shown: UUID | None = None

    def document(self) -> dict[str, Any]:
        """What rewrite_calendar() takes."""
        return {
            "seen": {
                str(row.id): row.model_dump(mode="json", include={"updated_at"})["updated_at"] for row in self.seen
            },
            "kept": [row.model_dump(mode="json", exclude={"updated_at"}) for row in self.kept],
            "gone": [str(row_id) for row_id in self.gone],
            "moved": self.moved,
            "shown": None if self.shown is None else str(self.shown),
        }


def bounds(query: EventsQuery) -> tuple[Moment | None, Moment | None]:
    """Where a list begins and ends, a date standing for the whole of its day. Invalid for half of an answer."""
    if query.date is not None:
        if query.start_date is not None or query.end_date is not None:
            raise Invalid([("date", "does not go with start_date and end_date")])
        return query.date, query.date
    for name, given, needed in (
        ("end_date", query.start_date, query.end_date),
        ("start_date", query.end_date, query.start_date),
    ):
        if given is not None and needed is None:
            raise Invalid([(name, "is needed too: a list has two bounds or none")])
    return query.start_date, query.end_date


def made(body: NewEvent, zone: str) -> Stored:
    """The event that a request describes, in its zone."""
    start, end = _placed(body.start_time, body.end_time, all_day=body.all_day, zone=zone)
    sent = body.model_dump(exclude={"start_time", "end_time", "timezone", "recurrence_end"})
    event = Stored(
        id=uuid4(),
        timezone=zone,
        start_time=start,
        end_time=end,
        recurrence_end=_bound(body.recurrence_end, zone),
        **sent,
    )
    return _fitted(event)


def edited(found: Editable, body: EventChange, scope: Scope, occurrence: datetime | None) -> Rewrite:
    """What a change of an event comes to. NotFound for an occurrence that there is not, Invalid for what cannot be."""
    _require(found.event, occurrence, scope)
    if occurrence is None or scope == "all" or (scope == "following" and _is_first(found.event, occurrence)):
        return _edited_all(found, body, occurrence)
    if scope == "this":
        return _edited_this(found, body, occurrence)
    return _edited_following(found, body, occurrence)


def removed(found: Editable, scope: Scope, occurrence: datetime) -> Rewrite:
    """What removing from an occurrence on, or it alone, or all, comes to. NotFound as for `edited`."""
    row = found.event
    _require(row, occurrence, scope)
    if scope == "this":
        return Rewrite(seen=[row], kept=[_revised(row, exdates=[*row.exdates, occurrence])])
    if scope == "all" or _is_first(row, occurrence):
        return Rewrite(seen=[row], gone=[row.id])
    later = [x.id for x in found.exceptions if original_of(x) >= occurrence]
    return Rewrite(seen=[row], kept=[_ended(row, occurrence)], gone=later)


def _edited_all(found: Editable, body: EventChange, occurrence: datetime | None) -> Rewrite:
    row = found.event
    target = row if occurrence is None else _at(row, occurrence)
    times = _times(target, body, found.zone)
    by = _difference(target, times)
    if target is not row:
        times |= _shifted_times(row, times, by)
    changed = _fitted(_revised(row, **body.plain, **times, **_recurrence(row, body, times["timezone"])))
    if changed.recurrence_rule and changed.all_day == row.all_day:
        changed = changed.model_copy(update={"rdates": shifted(row.rdates, by, changed.timezone)})
    else:
        changed = changed.model_copy(update={"rdates": []})
    if any(getattr(changed, name) != getattr(row, name) for name in _SCHEDULE):
        changed = changed.model_copy(update={"exdates": []})
        return Rewrite(seen=[row], kept=[_lasting(changed)], gone=[x.id for x in found.exceptions], shown=row.id)
    kept, gone = [_lasting(changed)], []
    for exception in found.exceptions:
        if not occurs(changed.series, original_of(exception)):
            gone.append(exception.id)
        elif body.plain:
            kept.append(_revised(exception, **body.plain))
    return Rewrite(seen=[row], kept=kept, gone=gone, shown=row.id)


def _edited_this(found: Editable, body: EventChange, occurrence: datetime) -> Rewrite:
    for field in ("recurrence_rule", "recurrence_end"):
        if field in body.model_fields_set:
            raise Invalid([(field, "belongs to the series: change it with scope following or all")])
    row = found.event
    exception = next((x for x in found.exceptions if x.original_start == occurrence), None)
    if exception is None:
        of_its_own = {"id": uuid4(), "parent_event_id": row.id, "original_start": occurrence, "created_at": None}
        exception = _single(_at(row, occurrence)).model_copy(update=of_its_own)
    exception = _revised(exception, **body.plain, **_times(exception, body, found.zone))
    # The series is written too, so that whoever has read it before knows that it is not the same.
    return Rewrite(seen=[row], kept=[_revised(row), exception], shown=exception.id)


def _edited_following(found: Editable, body: EventChange, occurrence: datetime) -> Rewrite:
    row = found.event
    target = _at(row, occurrence).model_copy(update=_rest(row, occurrence))
    times = _times(target, body, found.zone)
    by = _difference(target, times)
    of_its_own = {"id": uuid4(), "ical_uid": None, "sequence": 0, "created_at": None}
    recurrence = _recurrence(target, body, times["timezone"])
    new = _fitted(target.model_copy(update={**body.plain, **times, **recurrence, **of_its_own}))

    def moved(starts: Sequence[datetime]) -> dict[datetime, datetime]:
        """Of the occurrences from this one on, those that the new series has too, and when it has them."""
        later = [start for start in starts if start >= occurrence]
        there = zip(later, shifted(later, by, new.timezone) if by else later, strict=True)
        return {old: now for old, now in there if new.recurrence_rule and occurs(new.series, now)}

    extra = [start for start in row.rdates if start >= occurrence] if new.recurrence_rule else []
    new = new.model_copy(update={"rdates": shifted(extra, by, new.timezone)})
    new = _lasting(new.model_copy(update={"exdates": list(moved(row.exdates).values())}))
    originals = moved([original_of(x) for x in found.exceptions])
    taken = [
        _revised(x, **body.plain, parent_event_id=new.id, original_start=originals[original_of(x)])
        for x in found.exceptions
        if x.original_start in originals
    ]
    done = {stamp(old): now.isoformat() for old, now in moved(found.completions).items()}
    if new.recurrence_rule is None:
        done[stamp(occurrence)] = "-infinity"
    return Rewrite(
        seen=[row],
        kept=[_ended(row, occurrence), new, *taken],
        gone=[x.id for x in found.exceptions if original_of(x) >= occurrence],
        moved={"from": str(row.id), "to": str(new.id), "since": occurrence.isoformat(), "occurrences": done},
        shown=new.id,
    )


def _require(row: Stored, occurrence: datetime | None, scope: Scope) -> None:
    if occurrence is None:
        if scope == "this" and row.recurrence_rule:
            raise Invalid([("scope", "this is for one occurrence: send its id")])
    elif not row.recurrence_rule or occurrence in row.exdates or not occurs(row.series, occurrence):
        raise NotFound


def _is_first(row: Stored, occurrence: datetime) -> bool:
    """Whether nothing of the series comes before: what was removed is not there."""
    series = replace(row.series, removed=frozenset(row.exdates))
    return not occurrences(series, row.start_time - timedelta(days=1), occurrence, 1)


def _at(row: Stored, occurrence: datetime) -> Stored:
    """The series as if it began with an occurrence."""
    return row.model_copy(update={"start_time": occurrence, "end_time": row.series.end_of(occurrence)})


def _single(row: Stored) -> Stored:
    nothing: dict[str, Any] = {
        "recurrence_rule": None,
        "recurrence_end": None,
        "series_until": None,
        "exdates": [],
        "rdates": [],
    }
    return row.model_copy(update={**nothing, "ical_uid": None})


def _revised(row: Stored, **changes: Any) -> Stored:
    return row.model_copy(update={**changes, "sequence": row.sequence + 1})


def original_of(exception: Stored) -> datetime:
    """The occurrence that an exception stands for."""
    assert exception.original_start is not None
    return exception.original_start


def _ended(row: Stored, before: datetime) -> Stored:
    """The series without what begins at an instant or later."""
    return _lasting(
        _revised(
            row,
            recurrence_end=before - timedelta(seconds=1),
            exdates=[start for start in row.exdates if start < before],
            rdates=[start for start in row.rdates if start < before],
        )
    )


def _rest(row: Stored, occurrence: datetime) -> dict[str, Any]:
    """The rule for what is left of a series from an occurrence on; where COUNT counts it is the remainder."""
    rule = row.series.rule
    if rule.count is not None:
        left = rule.count - count_before(row.series, occurrence)
        return {"recurrence_rule": rule.counting(left).text if left > 0 else ONCE}
    until = row.series.until
    return {} if until >= occurrence else {"recurrence_rule": ONCE, "recurrence_end": None}


def _times(row: Stored, body: EventChange, users_zone: str) -> dict[str, Any]:
    """When an event is after a change. A new start alone keeps the duration; all-day events keep their dates."""
    sent = body.model_fields_set
    zone = (body.timezone or users_zone) if "timezone" in sent else row.timezone
    all_day = body.all_day if "all_day" in sent else row.all_day
    in_days = row.all_day and all_day
    start: Moment = row.start_time
    if "start_time" in sent:
        start = body.start_time
    elif in_days:
        start = _date(row.start_time, row.timezone)
    end: Moment | None = row.end_time
    if "end_time" in sent:
        end = body.end_time
    elif row.end_time is not None and in_days:
        days = _date(row.end_time, row.timezone) - _date(row.start_time, row.timezone)
        end = _date(instant(start, zone), zone) + days
    elif row.end_time is not None and "start_time" in sent:
        end = instant(start, zone) + (row.end_time - row.start_time)
    starts, ends = _placed(start, end, all_day=all_day, zone=zone)
    return {"start_time": starts, "end_time": ends, "all_day": all_day, "timezone": zone}


def _difference(before: Stored, after: dict[str, Any]) -> timedelta:
    """How far a change moves an event on the wall clock of its new zone."""
    zone = after["timezone"]
    return wall_clock(after["start_time"], zone) - wall_clock(before.start_time, zone)


def _shifted_times(row: Stored, times: dict[str, Any], by: timedelta) -> dict[str, Any]:
    """The start and end of a series of which one occurrence has moved to these times."""
    zone, end = times["timezone"], times["end_time"]
    [start] = shifted([row.start_time], by, zone)
    if end is not None and times["all_day"]:
        end = instant(_date(start, zone) + (_date(end, zone) - _date(times["start_time"], zone)), zone)
    elif end is not None:
        end = start + (end - times["start_time"])
    return {"start_time": start, "end_time": end}


def _recurrence(row: Stored, body: EventChange, zone: str) -> dict[str, Any]:
    """The rule and its bound after a change."""
    sent = body.model_fields_set
    rule = body.recurrence_rule if "recurrence_rule" in sent else row.recurrence_rule
    if rule is None and "recurrence_end" not in sent:
        return {"recurrence_rule": None, "recurrence_end": None}
    bound = _bound(body.recurrence_end, zone) if "recurrence_end" in sent else row.recurrence_end
    return {"recurrence_rule": rule, "recurrence_end": bound}


def _bound(end: Moment | None, zone: str) -> datetime | None:
    """The last instant that a recurrence_end admits; a date is the whole day."""
    if end is None or isinstance(end, datetime):
        return None if end is None else instant(end, zone)
    return instant(end + timedelta(days=1), zone) - timedelta(seconds=1)


def _fitted(event: Stored) -> Stored:
    """The event; a series is moved to the first instant that fits its rule. Invalid where none does."""
    if event.recurrence_rule is None:
        if event.recurrence_end is not None:
            raise Invalid([("recurrence_end", "needs a recurrence_rule")])
        return event.model_copy(update={"series_until": None, "exdates": [], "rdates": []})
    try:
        series = fitted(event.series)
    except ValueError as error:
        raise Invalid([("recurrence_rule", str(error))]) from None
    return _lasting(event.model_copy(update={"start_time": series.start, "end_time": series.end}))


def _lasting(event: Stored) -> Stored:
    """The event with the end of its last occurrence, if it is a series."""
    until = last_end(event.series) if event.recurrence_rule else None
    return event.model_copy(update={"series_until": until})


def _placed(start: Moment, end: Moment | None, *, all_day: bool, zone: str) -> tuple[datetime, datetime | None]:
    try:
        return placed(start, end, all_day=all_day, zone=zone)
    except ValueError as error:
        raise Invalid([("end_time", str(error))]) from None


def _date(at: datetime, zone: str) -> date:
    return wall_clock(at, zone).date()
