"""When an event is: its times, its rule and its end, from what a request says and what was there before."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from questlog.errors import Invalid
from questlog.recurrence.listing import EventRow
from questlog.recurrence.series import fitted, last_end, last_start
from questlog.recurrence.times import FIRST, LAST, Moment, date_of, instant, placed

from functions.calendar.models import EventChange, EventsQuery, NewEvent

# What a single event and an override have nothing of.
NO_RECURRENCE: dict[str, Any] = {
    "recurrence_rule": None,
    "recurrence_end": None,
    "last_start": None,
    "series_until": None,
    "exdates": [],
    "ical_exdates": [],
    "rdates": [],
}
# What is the user's own has nothing of an import.
NOT_IMPORTED: dict[str, Any] = {"ical_uid": None, "ical_stamp": None, "ical_exdates": []}


def list_bounds(query: EventsQuery) -> tuple[Moment | None, Moment | None]:
    """The bounds of a list; a date stands for its whole day. Raises Invalid if only one bound is given."""
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


def depends_on_zone(body: NewEvent) -> bool:
    """Whether the event's times depend on its zone: they do not if only instants were sent."""
    return (
        body.all_day
        or body.recurrence_rule is not None
        or body.recurrence_end is not None
        or any(not _is_instant(moment) for moment in (body.start_time, body.end_time) if moment is not None)
    )


def made(body: NewEvent, zone: str) -> EventRow:
    """The event that a request describes, in its zone. Invalid for what cannot be."""
    start, end = event_times(body.start_time, body.end_time, all_day=body.all_day, zone=zone)
    sent = body.model_dump(exclude={"start_time", "end_time", "timezone", "recurrence_end"})
    event = EventRow(
        id=uuid4(),
        timezone=zone,
        start_time=start,
        end_time=end,
        recurrence_end=_last_instant(body.recurrence_end, zone),
        **sent,
    )
    return in_rhythm(event)


def times_after(row: EventRow, body: EventChange, users_zone: str) -> dict[str, Any]:
    """When an event is after a change. A new start alone keeps the duration; all-day events keep their dates."""
    sent = body.model_fields_set
    zone = (body.timezone or users_zone) if "timezone" in sent else row.timezone
    all_day = body.all_day if "all_day" in sent else row.all_day
    in_dates = row.all_day and all_day
    start: Moment = row.start_time
    if "start_time" in sent:
        start = body.start_time
    elif in_dates:
        start = date_of(row.start_time, row.timezone)
    end: Moment | None = row.end_time
    nominal_days = None if all_day or "end_time" in sent else row.nominal_days
    if "end_time" in sent:
        end = body.end_time
    elif row.end_time is not None and in_dates:
        dates = date_of(row.end_time, row.timezone) - date_of(row.start_time, row.timezone)
        end = date_of(instant(start, zone), zone) + dates
    elif "start_time" in sent:
        end = row.model_copy(update={"timezone": zone}).end_of(instant(start, zone))
    starts, ends = event_times(start, end, all_day=all_day, zone=zone)
    return {
        "start_time": starts,
        "end_time": ends,
        "all_day": all_day,
        "timezone": zone,
        "nominal_days": nominal_days,
    }


def recurrence_after(row: EventRow, body: EventChange, zone: str) -> dict[str, Any]:
    """The rule and the bound of an event after a change, in the zone it has then."""
    sent = body.model_fields_set
    rule = body.recurrence_rule if "recurrence_rule" in sent else row.recurrence_rule
    if rule is None and "recurrence_end" not in sent:
        return {"recurrence_rule": None, "recurrence_end": None}
    if "recurrence_end" in sent:
        bound = _last_instant(body.recurrence_end, zone)
    elif row.all_day and row.recurrence_end is not None:
        bound = _last_instant(date_of(row.recurrence_end, row.timezone), zone)
    else:
        bound = row.recurrence_end
    return {"recurrence_rule": rule, "recurrence_end": bound}


def in_rhythm(event: EventRow) -> EventRow:
    """The event; a series is moved to the first instant that fits its rule. Raises Invalid if none does."""
    if event.recurrence_rule is None:
        if event.recurrence_end is not None:
            raise Invalid([("recurrence_end", "needs a recurrence_rule")])
        return event.model_copy(update=NO_RECURRENCE)
    unknown = event.model_copy(update={"last_start": None})
    try:
        series = fitted(unknown.series)
    except ValueError as error:
        raise Invalid([("recurrence_rule", str(error))]) from None
    return with_end(unknown.model_copy(update={"start_time": series.start, "end_time": series.end}))


def with_end(event: EventRow) -> EventRow:
    """The event with its last start and the end of its last occurrence, if it is a series."""
    if event.recurrence_rule is None:
        return event
    series = event.series._replace(last_start=None)
    series = series._replace(last_start=last_start(series))
    return event.model_copy(update={"last_start": series.last_start, "series_until": last_end(series)})


def event_times(start: Moment, end: Moment | None, *, all_day: bool, zone: str) -> tuple[datetime, datetime | None]:
    """When an event starts and ends. Raises Invalid if the end is before the start, or a time out of range."""
    try:
        starts, ends = placed(start, end, all_day=all_day, zone=zone)
    except ValueError as error:
        raise Invalid([("end_time", str(error))]) from None
    for name, at in (("start_time", starts), ("end_time", ends)):
        if at is not None and not FIRST <= at <= LAST:
            raise Invalid([(name, f"must lie in the years {FIRST.year} to {LAST.year}, in UTC")])
    return starts, ends


def _is_instant(moment: Moment) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None


def _last_instant(end: Moment | None, zone: str) -> datetime | None:
    """The last instant that a recurrence_end admits; a date is the whole day."""
    if end is None or isinstance(end, datetime):
        return None if end is None else instant(end, zone)
    return instant(end + timedelta(days=1), zone) - timedelta(seconds=1)
