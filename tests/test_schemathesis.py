"""Requests made up from the API's document, and answers held to it by every check of schemathesis that applies.

Each group is one run of its engine, with the document's examples and two made-up requests for each route.
SCHEMATHESIS_CASES=10000 makes up so many over all routes, right ones and wrong ones, and adds the two phases that take
longest: every edge of every field, and requests about what earlier ones have made.
"""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
import schemathesis
from schemathesis import AuthContext, Case, CheckContext
from schemathesis import Response as Answered
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.schemas import BaseSchema
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from docs.openapi import DOCUMENT
from tests.conftest import NewUser
from tests.support import bucket, logins
from tests.support.client import Answer, gateway_event, invoke
from tests.support.refusals import is_plain

CASES: Final = int(os.environ.get("SCHEMATHESIS_CASES", "0"))
# After these the session is over, and a new user takes the place of the one who had it.
ENDS_THE_SESSION: Final = re.compile(r"POST /auth/(signout|logout)|DELETE /(auth/sessions|user/delete)")
# Stands for the session's token, which is another one after a sign-out.
SIGNED_IN: Final = "Bearer signed-in"

CONFIG: Final[dict[str, Any]] = {
    "seed": 11,
    # Report all that a run finds, not only the first of each route.
    "continue-on-failure": True,
    "checks": {
        # What depends on several fields, on the account or on a list of zones is no part of a schema: 400 is right.
        "positive_data_acceptance": {"enabled": False},
    },
    "phases": {"coverage": {"enabled": CASES > 0}, "stateful": {"enabled": CASES > 0}},
}


DOCUMENT_AS_CHECKED_IN: Final[dict[str, Any]] = json.loads(DOCUMENT.read_text("utf-8"))
ROUTES: Final = sum(len(methods) for methods in DOCUMENT_AS_CHECKED_IN["paths"].values())
GROUPS: Final = sorted(
    {tag for path in DOCUMENT_AS_CHECKED_IN["paths"].values() for route in path.values() for tag in route["tags"]}
)


@schemathesis.check
def field_messages_are_sentences(_context: CheckContext, response: Answered, case: Case[Any]) -> None:
    """What is wrong with a field is said in a plain sentence (platform contract, 1.3), and so is the whole refusal."""
    if response.status_code < 400 or case.method == "HEAD":
        return
    error = response.json()["error"]
    # An error of JSON-RPC has no details.
    fields = error.get("details", {}).get("fields", [])
    assert len(fields) <= 20
    for message in (error["message"], *(field["message"] for field in fields)):
        assert is_plain(message), message
    assert error["message"].endswith("."), error["message"]


@schemathesis.check
def percentages_have_two_decimals(_context: CheckContext, response: Answered, _case: Case[Any]) -> None:
    if response.status_code == 200 and "json" in "".join(response.headers.get("content-type", ())):
        for name, value in numbers_of(response.json()):
            assert "percent" not in name or value == round(value, 2), (name, value)


def numbers_of(document: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Each number of a JSON document with the name it has there."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from numbers_of(value, key)
    elif isinstance(document, list):
        for value in document:
            yield from numbers_of(value, name)
    elif isinstance(document, float):
        yield name, document


class SignedIn:
    """Signs every request that is not to be tried without a session."""

    def get(self, _case: Case[Any], _context: AuthContext) -> str:
        return SIGNED_IN

    def set(self, case: Case[Any], data: str, _context: AuthContext) -> None:
        case.headers["Authorization"] = data


def api_of(group: str) -> BaseSchema:
    """The group's part of the document."""
    paths = {
        path: of_group
        for path, methods in DOCUMENT_AS_CHECKED_IN["paths"].items()
        if (of_group := {method: route for method, route in methods.items() if group in route["tags"]})
    }
    generation = {"database": "none", "no-shrink": True, "max-examples": -(-CASES // ROUTES) or 2}
    config = SchemathesisConfig.from_dict({**CONFIG, "generation": generation})
    api = schemathesis.openapi.from_dict({**DOCUMENT_AS_CHECKED_IN, "paths": paths}, config=config)
    api.auth(refresh_interval=None)(SignedIn)
    return api


class Functions:
    """The functions behind the gateway as one ASGI application, which is what schemathesis can call.

    It has threads of its own. Requests go to one thread, which holds one connection, as an execution environment does.
    """

    def __init__(self, new_user: NewUser) -> None:
        self._new_user = new_user
        self._user = new_user()
        self._loop = asyncio.new_event_loop()
        # Mangum runs a request on its thread's loop.
        self._thread = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(self._loop,))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = await asyncio.wrap_future(self._thread.submit(self._ask, request, await request.body()))
        response = Response(answer.content, answer.status, answer.headers)
        await response(scope, receive, send)

    def _ask(self, request: Request, body: bytes) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name not in ("cookie", "content-length")}
        if headers.get("authorization") == SIGNED_IN:
            headers["authorization"] = f"Bearer {self._user.token}"
        method, path, query = request.method, request.url.path, request.url.query
        event = gateway_event(method, path, query=query, headers=headers, cookies=request.cookies, body=body)
        answer = invoke(event)
        if ENDS_THE_SESSION.match(f"{method} {path}"):
            self._user = self._new_user()
        return answer

    def close(self) -> None:
        self._thread.submit(logins.leave).result()
        self._thread.shutdown()
        self._loop.close()


@pytest.fixture
def functions(new_user: NewUser) -> Iterator[Functions]:
    bucket.serve()
    functions = Functions(new_user)
    yield functions
    functions.close()


@pytest.mark.parametrize("group", GROUPS)
def test_answers_are_what_the_document_says(group: str, functions: Functions) -> None:
    api = api_of(group)
    api.app = functions
    asked = 0
    found: list[str] = []
    for event in from_schema(api).execute():
        if isinstance(event, events.ScenarioFinished):
            asked += len(event.recorder.interactions)
            found += failures(event.recorder)
        elif isinstance(event, events.NonFatalError):
            found.append(f"{event.label}: {event.info.message}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    assert found == [], "\n\n".join(found)
    assert asked > 0


def failures(recorder: ScenarioRecorder) -> Iterator[str]:
    """What the checks found in a scenario, with the request that shows it."""
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                yield f"{check.name}: {failure.operation}: {failure.message}\n{check.failure_info.code_sample}"
