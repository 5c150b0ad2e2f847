"""Every way in which a request can fail, and the envelope in which all of them are sent.

Failure                     status, type, message, details
├── Invalid                 400 validation_error, details.fields
├── Unauthorized            401 unauthorized
├── Forbidden               403 forbidden, csrf_violation
├── NotFound                404 not_found: absent, malformed id and not yours are the same
├── Conflict                409 conflict and its named kinds
├── Unavailable             503 unavailable
│   └── PoolerUnfit         a pooler that keeps no prepared statements; the log says what is missing
└── (plain)                 what the database refuses with PTnnn, 405, 413, 415, 422, 429

Interrupted                 the trip to the database ended before its outcome was known; becomes Unavailable
Replay                      not a failure: an answer is stored for this Idempotency-Key
Unchanged                   not a failure either: the client has this answer already
DatabaseFault               a database error nobody foresaw: 500, and only its code in the log
└── Overtaken               another request may have deleted what this one refers to; it is sent once more
"""

import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_json

# No error is larger than 16 KiB, so a list of fields is kept to 20 entries, their paths to 200 characters, and all of
# it to 15 KiB: names that users give their own fields may take four bytes a character (platform contract, 1.3).
MAX_FIELDS: Final = 20
_LONGEST_PATH: Final = 200
_ROOM_FOR_FIELDS: Final = 15_360


class Failure(Exception):
    """An answer that is an error.

    `message` is one plain sentence for people, `details` a JSON object for programs; neither holds SQL, tokens or
    addresses.
    """

    def __init__(self, status: int, error_type: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(error_type)
        self.status = status
        self.type = error_type
        self.message = message
        self.details = dict(details or {})

    @property
    def headers(self) -> dict[str, str]:
        """Headers the status requires: Retry-After with 429 (RFC 6585, 4), Allow with 405 (RFC 9110, 15.5.6)."""
        if self.status == 429:
            return {"Retry-After": str(self.details.get("retry_after", 1))}
        if self.status == 405:
            return {"Allow": ", ".join(self.details["allowed"])}
        return {}

    def document(self, request_id: str) -> dict[str, Any]:
        """The one envelope of every error."""
        return {
            "error": {"type": self.type, "message": self.message, "details": self.details},
            "request_id": request_id,
        }


class Invalid(Failure):
    """Bad input; `fields` are pairs of a dotted path into body, query or path, and what is wrong there.

    At most 20 are listed; of more, the last entry says how many are left out.
    """

    def __init__(self, fields: Sequence[tuple[str, str]], message: str = "Some of what was sent is not valid.") -> None:
        room = MAX_FIELDS
        listed = _listed(fields, room)
        while len(to_json(listed)) > _ROOM_FOR_FIELDS:
            room -= 1
            listed = _listed(fields, room)
        super().__init__(400, "validation_error", message, {"fields": listed})


def _listed(fields: Sequence[tuple[str, str]], room: int) -> list[dict[str, str]]:
    """The fields as the envelope lists them, in at most `room` entries."""
    shown = fields if len(fields) <= room else fields[: room - 1]
    listed = [{"field": field[:_LONGEST_PATH], "message": problem} for field, problem in shown]
    if len(shown) < len(fields):
        more = len(fields) - len(shown)
        listed.append({"field": "body", "message": f"{more} more fields are not valid"})
    return listed


class Unauthorized(Failure):
    def __init__(self) -> None:
        super().__init__(401, "unauthorized", "Sign in to do this.")


class Forbidden(Failure):
    def __init__(self, message: str, error_type: str = "forbidden") -> None:
        super().__init__(403, error_type, message)


class NotFound(Failure):
    def __init__(self, message: str = "There is nothing here.") -> None:
        super().__init__(404, "not_found", message)


class Conflict(Failure):
    def __init__(self, error_type: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(409, error_type, message, details)


class Unavailable(Failure):
    def __init__(self, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(503, "unavailable", "The service is not available right now; try again.", details)


class PoolerUnfit(Unavailable):
    """The pooler in front of Postgres keeps no prepared statements. The caller sees no more than a 503."""

    remedy = (
        "The pooler in front of Postgres keeps no prepared statements. Use PgBouncer 1.21 or newer and set"
        " max_prepared_statements = 500, or connect to Postgres directly."
    )


class Interrupted(Exception):
    """The trip ended before its outcome was known; with `nothing_applied` it is certain that it changed nothing."""

    def __init__(self, *, nothing_applied: bool) -> None:
        super().__init__()
        self.nothing_applied = nothing_applied


class Replay(Exception):
    """An answer is stored for the Idempotency-Key: its `status` and the JSON text of its body, empty for none."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__()
        self.status = status
        self.body = body


class Unchanged(Exception):
    """The client already has the current document; `tag` is the ETag that it sent, with its quotes."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag = tag


class DatabaseFault(Exception):
    """An error of the database that no rule foresaw, reduced to what may be logged: no message, no values.

    `process` is the id of the server's process, under which the server's own log has the message. Behind a pooler it is
    the pooler's number instead.
    """

    process: int | None = None

    def __init__(self, sqlstate: str | None, constraint: str | None) -> None:
        super().__init__(sqlstate, constraint)
        self._said = f"sqlstate {sqlstate}, constraint {constraint}"

    def __str__(self) -> str:
        return f"{self._said}, process {self.process}"


class Overtaken(DatabaseFault):
    """A foreign key was broken. Most likely another request has just deleted the row that this one refers to.

    The request is sent once more: it then finds that the row is gone, and says so. A fault of ours occurs again.
    """


# Shown in place of the message of an error that nobody foresaw, which may quote what a user sent.
UNFORESEEN: Final = "It failed because of a fault on our side, which is in our log."


def without_values(error: BaseException) -> dict[str, Any]:
    """An exception for the log: its type and where it came from. Not its message, which may quote what a user sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": str(error) if isinstance(error, DatabaseFault) else type(error).__name__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }
