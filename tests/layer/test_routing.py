"""Which resource a path names, and what its parameters are."""

import asyncio
from contextlib import closing

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from questlog.routing import Resource, Router

PATHS = (
    "/habits/{habit_id}",
    "/habits",
    "/habits/stats",
    "/{group}/stats/all",
    "/habits/{habit_id}/{date}",
    "/f/{key}.ics",
)


def routed(path: str) -> tuple[str, dict[str, str]] | None:
    """The resource that a request to the path comes to, and the parameters that it finds; None for no resource."""
    reached: list[tuple[str, dict[str, str]]] = []

    def call(request: Request, _content: bytes) -> Response:
        reached.append((request.scope["questlog.route"], request.path_params))
        return Response()

    async def otherwise(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return None

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        return None

    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    router = Router([Resource(path, {"GET": call}) for path in PATHS], otherwise)
    # Not by asyncio.run(), which leaves its thread without a loop: requests of later tests would find none.
    with closing(asyncio.new_event_loop()) as loop:
        loop.run_until_complete(router(scope, receive, send))
    return reached[0] if reached else None


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/habits", "/habits", {}),
        ("/habits/1", "/habits/{habit_id}", {"habit_id": "1"}),
        ("/habits/stats", "/habits/stats", {}),
        ("/habits/{habit_id}", "/habits/{habit_id}", {"habit_id": "{habit_id}"}),
        ("/habits/1/2", "/habits/{habit_id}/{date}", {"habit_id": "1", "date": "2"}),
        # The first literal segment decides.
        ("/habits/stats/all", "/habits/{habit_id}/{date}", {"habit_id": "stats", "date": "all"}),
        ("/goals/stats/all", "/{group}/stats/all", {"group": "goals"}),
        ("/f/a.b.ics", "/f/{key}.ics", {"key": "a.b"}),
        ("/f/.ics.ics", "/f/{key}.ics", {"key": ".ics"}),
    ],
)
def test_a_path_names_a_resource(path: str, resource: str, parameters: dict[str, str]) -> None:
    assert routed(path) == (resource, parameters)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/habits/",
        "//habits",
        "/habits/1/",
        "/habits\n",
        "/Habits",
        "/habits/1/2/3",
        "/f/.ics",
        "/f/a",
        "/f/a.ICS",
    ],
)
def test_a_path_names_nothing(path: str) -> None:
    assert routed(path) is None
