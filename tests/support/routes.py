"""Every route of every group as something to ask: a group added later is asked without being named here."""

import hashlib
import importlib
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter

from questlog.api import Endpoint
from questlog.identity import SAFE_METHODS

from docs.openapi import apis
from tests.support.client import Answer, Client
from tests.support.minimal import minimal

# Public routes that have nothing to ask the database.
NO_TRIP: Mapping[str, str] = {
    "GET /": "constants",
    "GET /health": "says that the function runs, database or not",
    "GET /version": "constants of the build",
    "GET /openapi.json": "a file",
    "GET /docs": "a file",
    "GET /docs/{asset}": "a file",
    "GET /notifications/unsubscribe/{token}": "a page, for a token that the function checks by itself",
    "POST /notifications/unsubscribe/{token}": "a token without our signature is refused before anything is asked",
    "GET /auth/providers": "the function's own settings",
    "GET /auth/azure": "this provider is not configured in the tests, which the function knows by itself",
}

# Routes of members that return what the function knows by itself, once it is known who asks.
ONLY_ASKS_WHO = {"GET /notifications/key"}

# Routes that read, decide in Python or elsewhere, and then write: two trips at most.
TWO_TRIPS: Mapping[str, str] = {
    "GET /auth/callback/{provider}": "takes the state, asks the provider who this is, then begins the session",
    "POST /calendar": "what is said without a time zone is placed in the user's by Python, once it is known",
    "PUT /calendar/{event_id}": "what a change to a series moves takes its expansion",
    "PATCH /calendar/{event_id}": "the same",
    "DELETE /calendar/{event_id}": "the same, for an occurrence and those that follow it",
    "POST /calendar/{event_id}/complete": "that a series has this occurrence takes its expansion",
    "POST /calendar/import": "what is there decides, event by event, what is written",
    "POST /books/import": "the same, book by book",
    "POST /habits/import": "the same, habit by habit",
    "POST /exercise/import": "the same, workout by workout",
    "POST /learn/lessons/{lesson}/complete": "a quiz is graded, and a review scheduled, in Python",
    "POST /learn/drills/{drill}/submit": "a review is scheduled in Python",
    "POST /learn/cards/{card_id}/review": "a review is scheduled in Python",
    "POST /reference/tracks": "the bucket is looked at once it is known that the key is the caller's",
    "GET /reference/tracks/{track_id}/stream": "the file of a track that was registered too early may have arrived",
    "GET /reference/tracks/{track_id}/play": "the same",
    "POST /reference/tracks/{track_id}/analysis": "the same",
    "DELETE /user/delete": "the user's jobs are cancelled first, in a statement that is committed",
    "DELETE /admin/users/{user_id}": "the same",
    "POST /user/imports/{import_id}/start": "the bucket is looked at once it is known that the import is the caller's",
    "POST /daily-plan": "which workouts recur on the day takes their expansion",
}

# Routes that look at the rows of everyone: a worker's database has thousands of users when the suite is nearly over.
OF_EVERYONE = {"GET /admin/db-health"}

# What a route has to be asked to reach its statement, where its schema does not say so.
QUERIES: Mapping[str, Mapping[str, str]] = {
    "GET /analysis": {"content_hash": "0" * 64},
    "GET /frames/analysis/{analysis_id}/frames": {"from_ms": "0", "to_ms": "1000"},
    "GET /auth/callback/{provider}": {"error": "access_denied", "state": "of-nobody"},
}
# A built-in exercise, whose id follows from its slug.
PLANK = str(UUID(hashlib.md5(b"questlog:exercise:plank").hexdigest()))
BODIES: Mapping[str, Any] = {
    "POST /mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
    "POST /exercise/sessions/log-set": {"exercise_id": PLANK, "duration_seconds": 60},
    "POST /exercise/sessions/{session_id}/sets": {"exercise_id": PLANK, "duration_seconds": 60},
    "POST /exercise/{exercise_id}/merge": {"into": PLANK},
    "POST /calendar/import": {"ics": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nEND:VCALENDAR\r\n"},
    "POST /books/import": {"csv": "Title,Author,Exclusive Shelf\nDune,Frank Herbert,read\n"},
    "POST /learn/decks/{deck_id}/import": {"format": "csv", "text": "front,back\ncat,Katze\n"},
    "POST /exercise/import": {
        "csv": "Date,Exercise Name,Set Order,Weight (kg),Reps\n2031-05-01 18:30:00,Squat (Barbell),1,100,5\n"
    },
    "POST /habits/import": {"tasks": {"dailys": [{"id": "d", "text": "Read"}]}},
    "PATCH /settings": {"theme": "dark"},
    "POST /reference/tracks/{track_id}/regions": {"start_time_ms": 0, "end_time_ms": 1, "name": "x"},
    "POST /reference/upload/init": {"filename": "tone.wav", "mime_type": "audio/wav", "file_size": 1000},
}


@dataclass(frozen=True)
class Route:
    """One method of one path, with a query and a body that it takes."""

    group: str
    endpoint: Endpoint

    def __str__(self) -> str:
        return f"{self.endpoint.method} {self.endpoint.path}"

    @property
    def public(self) -> bool:
        return self.endpoint.requires is None

    @property
    def trips(self) -> int:
        """How many round trips a request may take."""
        if str(self) in NO_TRIP:
            return 0
        return 2 if str(self) in TWO_TRIPS else 1

    @property
    def takes_key(self) -> bool:
        """Whether an Idempotency-Key means anything here."""
        return not (self.public or not self.endpoint.store_response or self.endpoint.method in SAFE_METHODS)

    @cached_property
    def identified_by(self) -> list[str]:
        """The names of the path's parameters that are ids."""
        return [name for name in self._in_path if name.endswith("_id")]

    @property
    def _in_path(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.endpoint.path)

    @cached_property
    def _other_values(self) -> dict[str, str]:
        """Values for the path's parameters that are no ids: a provider, a key, a date."""
        parameters = self.endpoint.parameters
        return {name: str(_smallest(parameters.get(name, str))) for name in self._in_path}

    @cached_property
    def _parts(self) -> dict[tuple[str, bool], Any]:
        """What _part() has made of the route's schemas, which takes as long as several requests."""
        return {}

    def _part(self, name: str, *, whole: bool) -> Any:
        """The query or body to send: the smallest there is, or with `whole` one that leaves no field out."""
        if name not in self.endpoint.parameters:
            return None
        if (name, whole) not in self._parts:
            self._parts[name, whole] = _smallest(self.endpoint.parameters[name], whole=whole)
        return self._parts[name, whole]

    def ask(
        self,
        client: Client,
        ids: Sequence[str] = (),
        *,
        whole: bool = False,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make the request; without `ids` for things that do not exist."""
        named = zip(self.identified_by, ids or [str(uuid4()) for _ in self.identified_by], strict=True)
        values = {**self._other_values, **dict(named)}
        path = re.sub(r"{(\w+)}", lambda match: values[match[1]], self.endpoint.path)
        headers = {**(headers or {}), **({"idempotency-key": key} if key else {})}
        query = QUERIES.get(str(self)) or self._part("query", whole=whole)
        body = BODIES.get(str(self)) or self._part("body", whole=whole)
        return client.request(self.endpoint.method, path, query=query, body=body, headers=headers)


def routes() -> Iterator[Route]:
    """The routes there are, group by group."""
    for api in apis():
        for endpoint in api.endpoints:
            yield Route(api.name, endpoint)


def inhabit(group: str, client: Client) -> None:
    """Leave one of everything the group keeps in the client's account, where its tests say how."""
    if importlib.util.find_spec(f"tests.{group}.inhabit") is not None:
        importlib.import_module(f"tests.{group}.inhabit").inhabit(client)


def _smallest(annotation: Any, *, whole: bool = False) -> Any:
    """The smallest value of a type as JSON; with `whole` no field is left out."""
    schema = TypeAdapter(annotation).json_schema()
    definitions = schema.get("$defs", {})
    if whole:
        for model in (schema, *definitions.values()):
            model["required"] = list(model.get("properties", {}))
    return minimal(schema, definitions)
