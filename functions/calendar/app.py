"""Calendar: events that recur by RFC 5545 rules, are done for a reward, and travel as iCalendar (planning contract, 2).

The id of an occurrence of a series is {uuid}_{stamp}. Series are expanded in Python, also to tell whether a stamp names
an occurrence. So a route that changes a series reads first, decides, and writes if nothing has changed meanwhile: two
trips, as the design lists.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from questlog.api import LARGEST_ANSWER, Api, Tool
from questlog.binding import json_object
from questlog.db import Db
from questlog.errors import Conflict, Failure, Invalid, NotFound
from questlog.identity import BROWSER_MEMBER, Token, new_secret, secret_hash
from questlog.recurrence.listing import EventRow, Mark, Occurrence, Window, between, event_key, single
from questlog.recurrence.series import occurs
from questlog.recurrence.times import Moment
from questlog.settings import settings
from questlog.wire import Success

from functions.calendar.edits import edited, removed
from functions.calendar.models import (
    WHEN,
    Completed,
    Completing,
    Completion,
    Completions,
    Deciding,
    Event,
    EventChange,
    EventId,
    EventKey,
    Events,
    EventsQuery,
    ExportQuery,
    Feed,
    FeedState,
    Imported,
    NewEvent,
    NewFeed,
    Now,
    Rewritten,
    Scope,
    ScopeQuery,
    UserZone,
    Week,
    WeekQuery,
)
from functions.calendar.rewrite import Rewrite
from functions.calendar.schedule import depends_on_zone, list_bounds, made

api = Api(__file__)

# How often a change is decided anew because another request has changed the events meanwhile.
ATTEMPTS: Final = 3
MAX_DOCUMENT: Final = 4 * 1_048_576
LARGEST_LIST: Final = LARGEST_ANSWER * 9 // 10
CALENDAR_TYPE: Final = "text/calendar; charset=utf-8"
ATTACHMENT: Final = "attachment; filename=questlog.ics"
NO_LINKS: Final = {"workout_id": None, "habit_id": None, "goal_id": None}


@api.get("/calendar", etag=True)
def events(db: Db, query: EventsQuery) -> Events:
    """List what happens between two times or on a day, each occurrence by itself; by default, a year either side."""
    with authenticating_before_errors(db):
        first, last = list_bounds(query)
    limits = {**moment("since", first), **moment("before", last)}
    found = db.each((Window, list[EventRow], list[Mark]), "events", event_type=query.event_type, **limits)
    listed, truncated = between(*found)
    events = shown(listed)
    return Events(events=events, truncated=truncated or len(events) < len(listed))


@api.get(
    "/calendar/week",
    tools=[
        Tool("week", "The events of the week of a date.", arguments=("date",)),
    ],
)
def week(db: Db, query: WeekQuery) -> Week:
    """List the events of the week of a date, which begins on the weekday that the user has set."""
    window, rows, marks = db.each((Window, list[EventRow], list[Mark]), "week", date=query.date)
    listed, _ = between(window, rows, marks)
    return Week(events=shown(listed), week_start=window.first_day, week_end=window.last_day)


@api.post(
    "/calendar",
    tools=[
        Tool(
            "add_event",
            "Add an event to the calendar, or a series by an RRULE of iCalendar.",
            arguments=(
                "title",
                "start_time",
                "end_time",
                "all_day",
                "event_type",
                "description",
                "location",
                "timezone",
                "recurrence_rule",
                "reminder_minutes",
            ),
        ),
    ],
)
def add(db: Db, body: NewEvent) -> Event:
    """Add an event. Two trips where no zone is sent: the times are placed in Python once the user's zone is known."""
    links = body.model_dump(include=set(NO_LINKS))
    if body.timezone is None and not depends_on_zone(body):
        with authenticating_before_errors(db):
            event = made(body, "UTC")
        return Event.of(single(db.one(EventRow, "add", **event.model_dump())))
    if body.timezone is None:
        event = made(body, db.one(UserZone, "zone").zone)
    else:
        with authenticating_before_errors(db):
            event = made(body, body.timezone)
    _, rows = db.each(
        (Rewritten, list[EventRow]), "rewrite", **Rewrite(seen=[], kept=[event], shown=event.id).parameters(), **links
    )
    return Event.of(single(rows[0]))


@api.get("/calendar/{event_id}")
def event(db: Db, event_id: EventKey) -> Event:
    """Return an event, a series, or one occurrence of a series."""
    return Event.of(occurrence_of(event_id, *_read(db, "event", event_id)))


@api.put("/calendar/{event_id}", errors={409: ["conflict"]})
@api.patch("/calendar/{event_id}", errors={409: ["conflict"]})
def change(db: Db, event_id: EventKey, query: ScopeQuery, body: EventChange) -> Event:
    """Change an event, or this occurrence, or this and the following ones; returns what was changed.

    Two trips where it decides when things happen or what a series is made of: that takes an expansion.
    """
    scope = query.scope or default_scope(event_id)
    if not body.model_fields_set:
        return event(db, event_id)
    if event_id.recurrence_id is None and scope == "all" and not body.model_fields_set & WHEN:
        changes = body.changes()
        links = {name: changes.get(name) for name in NO_LINKS}
        return Event.of(single(db.one(EventRow, "change", event=event_id.event, changes=changes, **links)))
    links = {**NO_LINKS, **body.model_dump(include=set(NO_LINKS), exclude_unset=True)}
    row = rewritten(db, event_id, lambda found: edited(found, body, scope, event_id.recurrence_id), **links)
    assert row is not None
    return Event.of(single(row))


@api.delete("/calendar/{event_id}", errors={409: ["conflict"]})
def delete(db: Db, event_id: EventKey, query: ScopeQuery) -> Success:
    """Remove an event, or of a series this occurrence or also the following ones, which takes two trips."""
    scope = query.scope or default_scope(event_id)
    recurrence_id = event_id.recurrence_id
    if recurrence_id is None:
        return db.one(Success, "delete", event=event_id.event, scope=scope)
    rewritten(db, event_id, lambda found: removed(found, scope, recurrence_id), **NO_LINKS)
    return Success()


@api.post("/calendar/{event_id}/restore")
def restore(db: Db, event_id: EventKey) -> Event:
    """Bring a removed occurrence back; what was not removed is returned as it is."""
    return Event.of(occurrence_of(event_id, *_read(db, "restore", event_id)))


@api.post("/calendar/{event_id}/complete", errors={409: ["conflict", "insufficient_coins"]})
def complete(db: Db, event_id: EventKey, body: Completing) -> Completion:
    """Mark an event or occurrence done and pay it, or take both back; a replay returns what was paid at first.

    Two trips for an occurrence: that there is one takes an expansion.
    """
    for _ in range(ATTEMPTS):
        occurrence = seen = None
        if event_id.recurrence_id is not None:
            found = _read(db, "event", event_id)
            occurrence, seen = occurrence_of(event_id, *found), found[0].updated_at
        done, rows = db.each(
            (list[Completed], list[EventRow]), "complete", **_ids(event_id), completed=body.completed, seen=seen
        )
        if done:
            event = Event.of(occurrence or single(rows[0]))
            return Completion(
                **done[0].model_dump(exclude={"completed_at"}),
                event=event.model_copy(update={"completed_at": done[0].completed_at}),
            )
        if occurrence is None:
            raise NotFound
    raise too_many_changes()


@api.get("/calendar/feed")
def feed_state(db: Db) -> FeedState:
    """Return whether there is a feed, since when, and when it was last read."""
    return db.one(FeedState, "feed_state")


@api.post("/calendar/feed", requires=BROWSER_MEMBER, store_response=False)
def make_feed(db: Db) -> Feed:
    """Make a new address for the feed, which only this answer shows. The former address stops working at once."""
    secret = new_secret()
    made = db.one(NewFeed, "make_feed", token_hash=secret_hash(secret))
    url = f"{settings().public_url}/calendar/feed/{Token(made.user_id, secret)}.ics"
    return Feed(url=url, created_at=made.created_at)


@api.delete("/calendar/feed")
def delete_feed(db: Db) -> Success:
    """Close the feed. Its address stops working at once."""
    return db.one(Success, "delete_feed")


@api.get("/calendar/feed/{token}.ics", requires=None, errors={413: ["answer_too_large"]})
def feed(db: Db, token: str) -> Response:
    """Return the calendar as iCalendar, from a year ago on, to anyone who has the secret; 404 for a wrong secret."""
    now, rows = db.opened_by("open_feed", **Token.read(token).parameters).each((Now, list[EventRow]), "fed")
    return calendar(rows, now.now, "inline")


@api.get("/calendar/export.ics", errors={404: ["not_found"], 413: ["answer_too_large"]})
def export(db: Db, query: ExportQuery) -> Response:
    """Return the same document as a file, or a part of it that fits into one import, with a Link to the next part."""
    now, rows = db.each((Now, list[EventRow]), "fed")
    if query.part is None:
        return calendar(rows, now.now, ATTACHMENT)
    from questlog.ical.writing import in_parts  # noqa: PLC0415 - only what reads or writes .ics pays for it

    parts = in_parts(rows)
    if query.part > len(parts):
        raise NotFound("There is no such part.")
    response = calendar(parts[query.part - 1], now.now, ATTACHMENT)
    if query.part < len(parts):
        following = f"{settings().public_url}/calendar/export.ics?part={query.part + 1}"
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


@api.post("/calendar/import", errors={409: ["conflict"]})
def import_events(db: Db, request: Request, content: bytes) -> Imported:
    """Take the events of an iCalendar document, as it is or as {"ics": text}.

    Two trips: what is there decides, event by event, what is written.
    """
    document, charset = sent_document(db, request, content)
    from functions.calendar import importing  # noqa: PLC0415 - only what reads or writes .ics pays for it

    with authenticating_before_errors(db):
        calendars = importing.parsed(document, charset)
    for _ in range(ATTEMPTS):
        zone, rows, completions = db.each(
            (UserZone, list[EventRow], list[Completions]), "importable", uids=importing.uids_in(calendars)
        )
        rewrite, outcome = importing.imported(calendars, zone.zone, rows, completions)
        if not rewrite.writes:
            return outcome
        written, _rows = db.each((Rewritten, list[EventRow]), "rewrite", **rewrite.parameters(), **NO_LINKS)
        if written.written:
            return outcome
    raise too_many_changes()


handler = api.handler


def default_scope(event_id: EventId) -> Scope:
    """The scope of a change without one: this occurrence, or all of an event."""
    return "all" if event_id.recurrence_id is None else "this"


def moment(name: str, value: Moment | None) -> dict[str, Any]:
    """A time as a parameter of the statements: an instant, a wall-clock time, or a day."""
    is_time = isinstance(value, datetime)
    is_instant = isinstance(value, datetime) and value.tzinfo is not None
    return {
        f"{name}_at": value if is_instant else None,
        f"{name}_wall": value if is_time and not is_instant else None,
        f"{name}_day": None if is_time else value,
    }


def shown(occurrences: Sequence[Occurrence]) -> list[Event]:
    """The occurrences as the wire shows them, without the last ones if their texts are too long for one answer."""
    room = LARGEST_LIST
    sizes: dict[UUID, int] = {}
    events: list[Event] = []
    for occurrence in occurrences:
        row = occurrence.row
        if row.id not in sizes:
            sizes[row.id] = 1_000 + len(to_json([row.title, row.description, row.location, row.metadata]))
        room -= sizes[row.id]
        if room < 0:
            break
        events.append(Event.of(occurrence))
    return events


@contextmanager
def authenticating_before_errors(db: Db) -> Iterator[None]:
    """Raises errors of the input only after the caller is authenticated."""
    try:
        yield
    except Invalid:
        db.authenticate_only()
        raise


def occurrence_of(event_id: EventId, row: EventRow, overrides: list[EventRow], completions: list[Mark]) -> Occurrence:
    """The event with this id. Raises NotFound if its series has no such occurrence."""
    recurrence_id = event_id.recurrence_id
    if recurrence_id is None:
        return single(row)
    if row.recurrence_rule is None or not occurs(row.series.without(row.exdates), recurrence_id):
        raise NotFound
    if overrides:
        return single(overrides[0])
    completed_at = completions[0].completed_at if completions else None
    name, end = event_key(row.id, recurrence_id), row.end_of(recurrence_id)
    return Occurrence(recurrence_id, name, end, row, recurrence_id, completed_at)


def rewritten(db: Db, event_id: EventId, decide: Callable[[Deciding], Rewrite], **links: Any) -> EventRow | None:
    """Read an event, decide, and write; again if it has changed meanwhile. Returns the event to show, if any."""
    for _ in range(ATTEMPTS):
        row, overrides, completions, zone = db.each(
            (EventRow, list[EventRow], list[Completions], UserZone), "deciding", event=event_id.event
        )
        found = Deciding(row, overrides, [completion.recurrence_id for completion in completions], zone.zone)
        written, rows = db.each((Rewritten, list[EventRow]), "rewrite", **decide(found).parameters(), **links)
        if written.written:
            return rows[0] if rows else None
    raise too_many_changes()


def too_many_changes() -> Conflict:
    """The refusal of a change that others have overtaken at each attempt."""
    return Conflict("conflict", "Other changes to these events keep coming in between; try again.")


def calendar(rows: Sequence[EventRow], now: datetime, disposition: str) -> Response:
    """Events as an iCalendar document. Raises Failure answer_too_large if it is too large for an answer."""
    from questlog.ical.writing import written  # noqa: PLC0415 - only what reads or writes .ics pays for it

    document = written(rows, now)
    # Lambda returns the document as a JSON string, in which each of these takes one byte more.
    if len(document) + sum(map(document.count, (b"\r", b"\n", b'"', b"\\"))) > LARGEST_ANSWER:
        message = "The calendar would be larger than 5 MiB; ask for its parts, from part=1 on."
        raise Failure(413, "answer_too_large", message, {"limit_bytes": LARGEST_ANSWER})
    headers = {"Content-Type": CALENDAR_TYPE, "Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(document, headers=headers)


def _read(db: Db, name: str, event_id: EventId) -> tuple[EventRow, list[EventRow], list[Mark]]:
    """An event, and of an occurrence its override and its completion, if there are any."""
    return db.each((EventRow, list[EventRow], list[Mark]), name, **_ids(event_id))


def _ids(event_id: EventId) -> dict[str, Any]:
    return {"event": event_id.event, "recurrence_id": event_id.recurrence_id}


def sent_document(db: Db, request: Request, content: bytes) -> tuple[bytes, str | None]:
    """The bytes of the iCalendar document that was sent, whichever way, and their charset where it is declared."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    media_type = media_type.strip().lower()
    if media_type == "text/calendar" or not (media_type or content.startswith(b"{")):
        if len(content) > MAX_DOCUMENT:
            raise Failure(413, "payload_too_large", "The document is larger than 4 MiB.", {"limit_bytes": MAX_DOCUMENT})
        charset = re.search(r'(?:^|;)\s*charset="?([^";\s]+)', parameters, re.IGNORECASE)
        return content, charset[1] if charset else None
    with authenticating_before_errors(db):
        text = json_object(request, content).get("ics")
        if not isinstance(text, str):
            raise Invalid([("ics", "must be the text of an iCalendar document")])
    return text.encode(), "utf-8"
