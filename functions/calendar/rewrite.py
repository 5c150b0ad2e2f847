"""The result of a change: rows to write and to delete, and completions to move. rewrite_calendar() writes it."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from questlog.recurrence.listing import EventRow

# What another table or the database itself says of an event.
_NOT_WRITTEN: Final = {"updated_at", "series_rule", "series_end", "completed_at"}


@cache
def _rows() -> TypeAdapter[list[EventRow]]:
    """Made at the first change: to make it takes a cold start longer than the rest of this module."""
    return TypeAdapter(list[EventRow])


class Move(NamedTuple):
    """A completion that goes over to another event or occurrence; None stands for the one of a single event."""

    event_id: UUID
    recurrence_id: datetime | None
    to_event_id: UUID
    to_recurrence_id: datetime | None


class Drop(NamedTuple):
    """A completion whose occurrence no longer exists: it is cleared, and what was paid stays paid."""

    event_id: UUID
    recurrence_id: datetime | None


class Rewrite(NamedTuple):
    """Rows to write if those `seen` are still as they were read; `shown` is the one to return."""

    seen: Sequence[EventRow]
    kept: Sequence[EventRow] = ()
    gone: Sequence[UUID] = ()
    moves: Sequence[Move] = ()
    drops: Sequence[Drop] = ()
    shown: UUID | None = None

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.kept or self.gone)

    def parameters(self) -> dict[str, Any]:
        """What the statement `rewrite` takes."""
        return {
            "seen": [row.id for row in self.seen],
            "seen_at": [row.updated_at for row in self.seen],
            "gone": list(self.gone),
            "kept": _rows().dump_json(list(self.kept), exclude={"__all__": _NOT_WRITTEN}).decode(),
            "dropped": [drop.event_id for drop in self.drops],
            "dropped_at": [drop.recurrence_id for drop in self.drops],
            "moved": [move.event_id for move in self.moves],
            "moved_at": [move.recurrence_id for move in self.moves],
            "moved_to": [move.to_event_id for move in self.moves],
            "moved_to_at": [move.to_recurrence_id for move in self.moves],
            "shown": self.shown,
        }
