"""Turns due reminders into messages in the outbox; a batch is one transaction.

1. Lock reminders that are due, each with the result of looking at it (due_reminders in code/notifications.sql).
2. Expand the series among the events, to find the occurrence to remind of now, and the next one.
3. Store the messages, one for each dedupe key, and give the reminders their next time.

A batch that is killed has done nothing. A reminder that is looked at twice makes no second message. One that cannot be
made a message is logged and left out, since the reminders of other users are in the same batch.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from aws_lambda_powertools import Logger

from questlog.db import Connection
from questlog.notifications import channels
from questlog.wire import Row, rfc3339

from functions.notifier.series import SeriesRow, looked_at
from functions.notifier.statements import execute
from functions.notifier.texts import text_of

# The size of a batch: small, so that a request that changes one of its reminders waits only for a moment.
BATCH: Final = 500
_log: Final = Logger(service="notifier")


class Reminder(Row):
    """A due reminder with the result of looking at it. For a series `is_due` is None."""

    user_id: UUID
    source: str
    source_id: UUID
    due_at: datetime
    now: datetime
    is_due: bool | None
    next_at: datetime | None
    occasion: str | None
    expires_at: datetime | None
    facts: dict[str, Any] | None
    zone: str | None
    is_quiet: bool
    room: int
    browsers: list[UUID]
    by_email: bool

    @property
    def key(self) -> dict[str, Any]:
        """The reminder as parameters of a statement."""
        return {"user_id": str(self.user_id), "source": self.source, "source_id": str(self.source_id)}


def remind(connection: Connection) -> Counter[str]:
    """Process a batch. Returns how many reminders were looked at and how many messages were made."""
    here = channels()
    with connection.transaction():
        rows = execute(
            connection, "due", most=BATCH, push_available=here.push_available, email_available=here.email_available
        )
        reminders = [Reminder.model_validate(row) for row in rows]
        if not reminders:
            return Counter()
        reminders = [*_with_series(connection, reminders)]
        messages = _messages(reminders)
        [stored] = execute(connection, "store", messages=messages) if messages else [{"stored": 0}]
        execute(connection, "move", moves=[_move(reminder) for reminder in reminders])
    return Counter(reminders=len(reminders), messages=stored["stored"])


def _with_series(connection: Connection, reminders: Iterable[Reminder]) -> Iterable[Reminder]:
    """The reminders, with those of series looked at too."""
    reminders = [*reminders]
    series = [reminder for reminder in reminders if reminder.is_due is None]
    found: Mapping[tuple[UUID, UUID], SeriesRow] = {}
    if series:
        rows = execute(
            connection,
            "series",
            users=[reminder.user_id for reminder in series],
            events=[reminder.source_id for reminder in series],
        )
        found = {(row["user_id"], row["id"]): SeriesRow.model_validate(row) for row in rows}
    for reminder in reminders:
        if reminder.is_due is None:
            row = found.get((reminder.user_id, reminder.source_id))
            yield reminder.model_copy(update=_seen(row, reminder))
        else:
            yield reminder


def _seen(row: SeriesRow | None, reminder: Reminder) -> dict[str, Any]:
    """What looking at a series returns. One that is gone or cannot be expanded is not reminded of until it changes."""
    nothing = {"is_due": False, "next_at": None}
    try:
        return looked_at(row, reminder.due_at, reminder.now) if row else nothing
    except Exception as error:  # noqa: BLE001 - the reminders of others are in the batch
        _log.error("reminder", source=reminder.source, error=type(error).__name__)
        return nothing


def _messages(reminders: Iterable[Reminder]) -> list[dict[str, Any]]:
    """The messages of those that are due, not in quiet hours, within what the user may be sent on a day."""
    made: Counter[UUID] = Counter()
    messages: list[dict[str, Any]] = []
    for reminder in reminders:
        if not reminder.is_due or reminder.is_quiet or not (reminder.browsers or reminder.by_email):
            continue
        if reminder.source != "test":
            if made[reminder.user_id] >= reminder.room:
                continue
            made[reminder.user_id] += 1
        try:
            messages.append(_message(reminder, len(messages)))
        except Exception as error:  # noqa: BLE001 - the reminders of others are in the batch
            _log.error("reminder", source=reminder.source, error=type(error).__name__)
    return messages


def _message(reminder: Reminder, place: int) -> dict[str, Any]:
    assert reminder.facts is not None
    assert reminder.expires_at is not None
    text = text_of(reminder.source, reminder.facts, reminder.zone or "UTC")
    return {
        "user_id": str(reminder.user_id),
        "id": str(uuid4()),
        "place": place,
        "kind": reminder.source,
        "dedupe_key": f"{reminder.source}:{reminder.source_id}:{reminder.occasion}",
        **text._asdict(),
        "expires_at": rfc3339(reminder.expires_at),
        "browsers": [str(browser) for browser in reminder.browsers],
        "by_email": reminder.by_email,
    }


def _move(reminder: Reminder) -> dict[str, Any]:
    return reminder.key | {"next_at": reminder.next_at and rfc3339(reminder.next_at)}
