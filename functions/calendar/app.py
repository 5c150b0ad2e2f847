"""Calendar: events that recur by RFC 5545 rules, are done for a reward, and travel as iCalendar (planning contract, 2).

An occurrence of a series goes by {uuid}_{stamp}. Whether a stamp names one takes an expansion, which is Python's, so
what changes a series reads first, decides, and writes if nothing has changed meanwhile: two trips, as the design lists.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Conflict, Failure, Invalid, NotFound
from questlog.identity import Token, new_secret, secret_hash
from questlog.incoming import MAX_BODY, json_object
from questlog.recurrence import Moment, Occurrence, Series, between, occurs, shown
from questlog.settings import settings
from questlog.wire import Success

from functions.calendar import rules
from functions.calendar.models import (
    WHEN,
    Clock,
    Completed,
    Completing,
    Completion,
    Editable,
    Event,
    EventChange,
    EventId,
    EventKey,
    Events,
    EventsQuery,
    Fed,
    Feed,
    FeedState,
    Found,
    FoundBetween,
    FoundWeek,
    Importable,
    Imported,
    NewEvent,
    NewFeed,
    Rewritten,
    Scope,
    ScopeQuery,
    Week,
    WeekQuery,
)
from functions.calendar.rules import Rewrite

api = Api(__file__)

# How often a change is decided anew when another one was quicker.
ATTEMPTS: Final = 3
CALENDAR_TYPE: Final = "text/calendar; charset=utf-8"
NO_LINKS: Final = {"workout_id": None, "habit_id": None, "goal_id": None}


@api.get("/calendar", etag=True)
def events(db: Db, query: EventsQuery) -> Events:
    """What happens between two times or on a day, occurrences one by one; without bounds, a year either side of now."""
    with admitted(db):
        first, last = rules.bounds(query)
    limits = {**moment("since", first), **moment("before", last)}
    found = db.one(FoundBetween, "events", event_type=query.event_type, **limits)
    listed, truncated = between(dict(found))
    return Events(events=[Event.model_validate(event) for event in listed], truncated=truncated)


@api.get("/calendar/week")
def week(db: Db, query: WeekQuery) -> Week:
    """The seven days around a date, from the weekday the user's weeks begin at."""
    found = db.one(FoundWeek, "week", date=query.date)
    listed, _ = between(found.found)
    events = [Event.model_validate(event) for event in listed]
    return Week(events=events, week_start=found.week_start, week_end=found.week_end)


@api.post("/calendar")
def add(db: Db, body: NewEvent) -> Event:
    """A new event. A series whose zone is not sent takes two trips: it is in the user's, and expanded in Python."""
    links = body.model_dump(include=set(NO_LINKS))
    if body.timezone is None and body.recurrence_rule is None and body.recurrence_end is None:
        sent = body.model_dump(exclude={"start_time", "end_time"})
        times = {**moment("start", midnight(body.start_time)), **moment("end", midnight(body.end_time))}
        return db.one(Event, "add", **sent, **times)
    if body.timezone is None:
        event = rules.made(body, db.one(Clock, "clock").zone)
    else:
        with admitted(db):
            event = rules.made(body, body.timezone)
    rewrite = Rewrite(seen=[], kept=[event], shown=event.id)
    return Event.model_validate(db.one(Rewritten, "rewrite", rewrite=rewrite.document(), **links).event)


@api.get("/calendar/{event_id}")
def event(db: Db, event_id: EventKey) -> Event:
    """An event, a series, or one occurrence of a series."""
    return as_found(db.one(Found, "event", event=event_id.event, occurrence=event_id.occurrence), event_id)


@api.put("/calendar/{event_id}")
@api.patch("/calendar/{event_id}")
def change(db: Db, event_id: EventKey, query: ScopeQuery, body: EventChange) -> Event:
    """Change an event, or this occurrence, or this and the following ones; answers what was changed.

    Two trips where it decides when things happen or what a series is made of: that takes an expansion.
    """
    scope = query.scope or default_scope(event_id)
    if not body.model_fields_set:
        return event(db, event_id)
    if event_id.occurrence is None and scope == "all" and not body.model_fields_set & WHEN:
        changes = {**NO_LINKS, **body.changes()}
        links = {name: changes[name] for name in NO_LINKS}
        return db.one(Event, "change", event=event_id.event, changes=body.changes(), **links)
    links = {**NO_LINKS, **body.model_dump(include=set(NO_LINKS))}
    return Event.model_validate(
        rewritten(db, event_id, lambda found: rules.edited(found, body, scope, event_id.occurrence), **links)
    )


@api.delete("/calendar/{event_id}")
def delete(db: Db, event_id: EventKey, query: ScopeQuery) -> Success:
    """Remove an event, or of a series this occurrence or also the following ones, which takes two trips."""
    scope = query.scope or default_scope(event_id)
    occurrence = event_id.occurrence
    if occurrence is None:
        return db.one(Success, "delete", event=event_id.event, scope=scope)
    rewritten(db, event_id, lambda found: rules.removed(found, scope, occurrence), **NO_LINKS)
    return Success()


@api.post("/calendar/{event_id}/restore")
def restore(db: Db, event_id: EventKey) -> Event:
    """Bring a removed occurrence back; what was not removed is answered as it is."""
    return as_found(db.one(Found, "restore", event=event_id.event, occurrence=event_id.occurrence), event_id)


@api.post("/calendar/{event_id}/complete")
def complete(db: Db, event_id: EventKey, body: Completing) -> Completion:
    """Mark an event or occurrence done and pay it, or take both back; a replay answers with what was paid at first.

    Two trips for an occurrence: that there is one takes an expansion.
    """
    asked = {"event": event_id.event, "occurrence": event_id.occurrence}
    for _ in range(ATTEMPTS):
        found = None if event_id.occurrence is None else db.one(Found, "event", **asked)
        occurrence = None if found is None else as_found(found, event_id)
        seen = None if found is None else found.event["updated_at"]
        done = db.maybe(Completed, "complete", **asked, completed=body.completed, seen=seen)
        if done is not None:
            event = Event.model_validate(done.event) if occurrence is None else occurrence
            return Completion(
                **done.model_dump(exclude={"event", "completed_at"}),
                event=event.model_copy(update={"completed_at": done.completed_at}),
            )
        if found is None:
            raise NotFound
    raise overtaken()


@api.get("/calendar/feed")
def feed_state(db: Db) -> FeedState:
    """Whether there is a feed, since when, and when it was read last."""
    return db.one(FeedState, "feed_state")


@api.post("/calendar/feed", store_response=False)
def make_feed(db: Db) -> Feed:
    """A new address for the feed, shown this once; the one before is dead at once."""
    secret = new_secret()
    made = db.one(NewFeed, "make_feed", token_hash=secret_hash(secret))
    url = f"{settings().public_url}/calendar/feed/{Token(made.user_id, secret)}.ics"
    return Feed(url=url, created_at=made.created_at)


@api.delete("/calendar/feed")
def delete_feed(db: Db) -> Success:
    """Close the feed; its address is dead at once."""
    return db.one(Success, "delete_feed")


@api.get("/calendar/feed/{token}.ics", requires=None)
def feed(db: Db, token: str) -> Response:
    """The calendar as iCalendar, a year back and all that is to come, to whoever knows the secret; else 404."""
    return calendar(db.opened_by("open_feed", **Token.read(token).parameters))


@api.get("/calendar/export.ics")
def export(db: Db) -> Response:
    """The same document for the user, to keep."""
    return calendar(db, "attachment; filename=questlog.ics")


@api.post("/calendar/import")
def import_events(db: Db, request: Request, content: bytes) -> Imported:
    """Take the events of an iCalendar document, as it is or as {"ics": text}.

    Two trips: what is there decides, event by event, what is written.
    """
    text = document_text(db, request, content)
    from functions.calendar import ical, merging  # noqa: PLC0415 - only what reads or writes .ics pays for it

    with admitted(db):
        try:
            uids = ical.uids_in(text)
        except ical.NotCalendar as problem:
            raise Invalid([("body", str(problem))]) from None
    for _ in range(ATTEMPTS):
        found = db.one(Importable, "importable", uids=dict.fromkeys(uids))
        rewrite, outcome = merging.merged(found, ical.read(text, found.zone))
        if not rewrite.kept:
            return outcome
        if db.one(Rewritten, "rewrite", rewrite=rewrite.document(), **NO_LINKS).event is not None:
            return outcome
    raise overtaken()


handler = api.handler


def default_scope(event_id: EventId) -> Scope:
    return "all" if event_id.occurrence is None else "this"


def moment(name: str, value: Moment | None) -> dict[str, Any]:
    """A time as the statements take it: an instant, a wall-clock time, or a day."""
    is_time = isinstance(value, datetime)
    is_instant = isinstance(value, datetime) and value.tzinfo is not None
    return {
        f"{name}_at": value if is_instant else None,
        f"{name}_wall": value if is_time and not is_instant else None,
        f"{name}_day": None if is_time else value,
    }


def midnight(value: Moment | None) -> Moment | None:
    """A date as the wall-clock time it stands for."""
    return datetime.combine(value, time.min) if value is not None and not isinstance(value, datetime) else value


@contextmanager
def admitted(db: Db) -> Iterator[None]:
    """What is wrong with the input is told only to those who may make the request."""
    try:
        yield
    except Invalid:
        db.authenticate_only()
        raise


def as_found(found: Found, event_id: EventId) -> Event:
    """The event asked for; NotFound where its series has no such occurrence."""
    series_row, occurrence = found.event, event_id.occurrence
    if occurrence is None:
        return Event.model_validate(series_row)
    if series_row["recurrence_rule"] is None:
        raise NotFound
    series = Series.of(series_row)
    if not occurs(series, occurrence):
        raise NotFound
    if found.exception is not None:
        return Event.model_validate(found.exception)
    one = shown(series_row, Occurrence(occurrence, series.end_of(occurrence)))
    return Event.model_validate({**one, "completed_at": found.completed_at})


def rewritten(db: Db, event_id: EventId, decide: Callable[[Editable], Rewrite], **links: Any) -> dict[str, Any]:
    """Read an event, decide, and write unless another request was quicker; then again. The event that was asked for."""
    for _ in range(ATTEMPTS):
        found = db.one(Editable, "editable", event=event_id.event, occurrence=event_id.occurrence)
        event = db.one(Rewritten, "rewrite", rewrite=decide(found).document(), **links).event
        if event is not None:
            return event
    raise overtaken()


def overtaken() -> Conflict:
    return Conflict("conflict", "Other changes to these events keep coming in between; try again.")


def calendar(db: Db, disposition: str = "inline") -> Response:
    """The user's events as an iCalendar document."""
    from functions.calendar import ical  # noqa: PLC0415 - only what reads or writes .ics pays for it

    document = ical.written(db.one(Fed, "fed").events, datetime.now(UTC))
    headers = {"Content-Type": CALENDAR_TYPE, "Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(document, headers=headers)


def document_text(db: Db, request: Request, content: bytes) -> str:
    """The iCalendar text of a request, whichever way it was sent."""
    text: Any
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "text/calendar" or not (media_type or content.startswith(b"{")):
        if len(content) > MAX_BODY:
            raise Failure(413, "payload_too_large", "The body is larger than 1 MiB.", {"limit_bytes": MAX_BODY})
        field, text = "body", content.decode("utf-8", "replace")
    else:
        field, text = "ics", json_object(request, content).get("ics")
    with admitted(db):
        if not isinstance(text, str):
            raise Invalid([(field, "must be the text of an iCalendar document")])
        if "\0" in text:
            raise Invalid([(field, "must not contain U+0000")])
    return text
