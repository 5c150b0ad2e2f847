"""The HTTP API: every request becomes an event, goes to the function whose route it is, and comes back as an answer.

One server listens for browsers and, on a port per function, for the functions' processes; the port of a request tells
which it is. All of them refuse a foreign Host. Otherwise the page of another site, whose name is made to point to this
machine (DNS rebinding), could read the stack's data through the developer's browser.
"""

import asyncio
import errno
import json
import re
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, NamedTuple

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from local.clock import Clock, ClockError
from local.events import Router, decoded_path, http_event, http_response, schedule_event
from local.history import Exchange, Run, told
from local.runtime import FunctionFailed, FunctionTimedOut, Invoked, Runtime
from local.service import PortTaken
from local.start_page import StartPage
from local.template import Schedule

BODY_LIMIT = 10 * 1024 * 1024  # API Gateway's own
# Lambda's: the JSON of an event, and the JSON of an answer.
EVENT_LIMIT = 6 * 1024 * 1024
ANSWER_LIMIT = 6 * 1024 * 1024 + 100
CLOCK_PATH = "/__clock"  # no route of the API begins with an underscore
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


# The secret in the path of a calendar feed, which must not be printed.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}")
_LONGEST_PATH = 300


class Gateway:
    """The ASGI application behind all the ports. `report` is told of every request. `session` returns the token of a
    live session, for requests without credentials of their own; GET and PUT /__clock show and move the `clock`;
    `start_page` answers for itself and for what it shows.
    """

    def __init__(
        self,
        runtimes: Iterable[Runtime],
        *,
        report: Callable[[Exchange], None],
        session: Callable[[], str] | None = None,
        clock: Clock | None = None,
        start_page: StartPage | None = None,
    ) -> None:
        self._runtimes = {runtime.function.name: runtime for runtime in runtimes}
        self._router = Router(runtime.function for runtime in self._runtimes.values())
        self._report = report
        self._session = session
        self._clock = clock
        self._start_page = start_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']} here")
        request = Request(scope, receive)
        runtime = next((one for one in self._runtimes.values() if one.port == scope["server"][1]), None)
        if not _LOCAL_HOST.fullmatch(request.headers.get("host", "")):
            response: Response = _refusal(421, "Misdirected Request")
        elif runtime is not None:
            response = await runtime.serve(request)
        elif self._clock is not None and request.url.path == CLOCK_PATH:
            response = await self._show_clock(request, self._clock)
        elif self._start_page is not None and (page := await self._start_page.response(request)) is not None:
            response = page
        else:
            response = await self._answer(request)
        with suppress(ClientDisconnect):
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        started = time.perf_counter()
        path = decoded_path(request.scope["raw_path"].decode("latin-1"))
        body = await _body(request)
        match = self._router.match(request.method, path)
        if body is None:
            outcome = _Outcome(_refusal(413, "Request Entity Too Large"))
        elif match is None:
            outcome = _Outcome(_refusal(404, "Not Found"))
        else:
            function, route, parameters = match
            event = http_event(
                route,
                parameters,
                method=request.method,
                raw_path=request.scope["raw_path"].decode("latin-1"),
                query=request.scope["query_string"].decode("latin-1"),
                headers=await self._headers(request),
                body=body,
                source_ip=request.client.host if request.client else "127.0.0.1",
            )
            outcome = await _outcome(self._runtimes[function.name], event)
        logged = told(outcome.invoked.logged if outcome.invoked is not None else b"")
        self._report(
            Exchange(
                method=request.method,
                path=_shown(path),
                status=outcome.response.status_code,
                seconds=time.perf_counter() - started,
                group=match[0].group if match is not None and body is not None else None,
                problem=outcome.problem,
                route=logged.route,
                trips=logged.trips,
                cold=outcome.invoked is not None and outcome.invoked.cold,
            )
        )
        return outcome.response

    async def _show_clock(self, request: Request, clock: Clock) -> Response:
        """The time of the stack, moved first by the body of a PUT: `{"now": ...}` or `{"advance": "P1D"}`.

        `{"now": null}` puts the clock back to the real time. Another site's page cannot do this: a browser asks before
        it sends a PUT there, and is not allowed.
        """
        if request.method not in ("GET", "PUT"):
            return _refusal(405, "Method Not Allowed")
        try:
            if request.method == "PUT":
                await run_in_threadpool(_move, clock, await request.json())
            now = await run_in_threadpool(clock.now)
        except ValueError as error:  # a ClockError, or a body that is no JSON
            return _refusal(400, str(error))
        return JSONResponse({"now": now.isoformat().replace("+00:00", "Z")})

    async def _headers(self, request: Request) -> list[tuple[str, str]]:
        """The request's headers; with a session where it brings neither a session nor a bearer."""
        headers = request.headers.items()
        if self._session is None or "session" in request.cookies or "authorization" in request.headers:
            return headers
        return [*headers, ("cookie", f"session={await run_in_threadpool(self._session)}")]


class Server(uvicorn.Server):
    """The gateway with its sockets. Stopping it ends the functions first, since each of them holds a request open."""

    def __init__(self, gateway: Gateway, runtimes: list[Runtime], *, port: int) -> None:
        super().__init__(
            uvicorn.Config(gateway, log_config=None, access_log=False, lifespan="off", server_header=False)
        )
        self._runtimes = runtimes
        self._sockets = [_listen(port), *(_listen(0) for _ in runtimes)]
        self.port = int(self._sockets[0].getsockname()[1])
        for runtime, listener in zip(runtimes, self._sockets[1:], strict=True):
            runtime.port = int(listener.getsockname()[1])
        self._sockets += _listen_to_ipv6(self.port)

    async def run_until_stopped(
        self,
        every_minute: float,
        report: Callable[[Run], None],
        working: Callable[[str], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        """Serve, and tick the template's schedules, until a signal comes or `should_exit` is set.

        `report` is told of every run of a schedule; `working` is entered with its name for as long as it lasts.
        """
        ticks = [
            asyncio.create_task(_tick(runtime, schedule, every_minute, report, working))
            for runtime in self._runtimes
            for schedule in runtime.function.schedules
        ]
        try:
            await self.serve(sockets=self._sockets)
        finally:
            for tick in ticks:
                tick.cancel()
            await asyncio.gather(*ticks, return_exceptions=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the functions, then the server."""
        for runtime in self._runtimes:
            runtime.close()
        await super().shutdown(sockets)


async def _tick(
    runtime: Runtime,
    schedule: Schedule,
    every_minute: float,
    report: Callable[[Run], None],
    working: Callable[[str], AbstractContextManager[Any]],
) -> None:
    """Invoke the function on its schedule. What AWS runs each minute, its shortest rate, runs every few seconds."""
    pause = every_minute if schedule.every_seconds == 60 else schedule.every_seconds
    while True:
        with working(f"{runtime.function.group}: {schedule.name.lower()}"):
            run = await _run(runtime, schedule)
        if runtime.is_closed:  # it was ended with the stack, which is no failure
            return
        report(run)
        await asyncio.sleep(pause)


async def _run(runtime: Runtime, schedule: Schedule) -> Run:
    """Run a schedule once. One that fails is ticked again as it would be on AWS."""
    started = time.perf_counter()
    result, problem = None, None
    try:
        result = json.loads((await runtime.invoke(schedule_event(schedule, runtime.function))).answer)
    except FunctionFailed as error:
        problem = str(error)
    return Run(runtime.function.group, schedule, time.perf_counter() - started, result, problem)


def _move(clock: Clock, wanted: object) -> None:
    match wanted:
        case {"now": None}:
            clock.reset()
        case {"now": str() as moment}:
            clock.set(moment)
        case {"advance": str() as duration}:
            clock.advance(duration)
        case _:
            raise ClockError('Send {"now": a timestamp or null} or {"advance": a duration such as "P1D"}.')


class _Outcome(NamedTuple):
    """The response to a request; what is wrong, where something is; and what came of the invocation, if it ended."""

    response: Response
    problem: str | None = None
    invoked: Invoked | None = None


async def _outcome(runtime: Runtime, event: dict[str, Any]) -> _Outcome:
    """The outcome of a request to a function, within Lambda's limits of size."""
    if len(json.dumps(event, ensure_ascii=False).encode()) > EVENT_LIMIT:
        return _Outcome(_refusal(413, "Request Too Long"))
    group = runtime.function.group
    try:
        invoked = await runtime.invoke(event)
        response = http_response(_carried(invoked.answer))
    except FunctionTimedOut as error:
        return _Outcome(_refusal(503, "Service Unavailable"), str(error))
    except FunctionFailed as error:
        return _Outcome(_refusal(500, "Internal Server Error"), str(error))
    except ValueError as error:
        return _Outcome(_refusal(500, "Internal Server Error"), f"{group} answered no valid answer: {error}")
    return _Outcome(response, f"see {runtime.log}" if response.status_code >= 500 else None, invoked)


def _carried(answer: bytes) -> bytes:
    if len(answer) > ANSWER_LIMIT:
        raise ValueError(f"{len(answer)} bytes are more than Lambda carries")
    return answer


async def _body(request: Request) -> bytes | None:
    """The body, or None when there is more of it than API Gateway takes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > BODY_LIMIT:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            return None
    return bytes(body)


def _shown(path: str) -> str:
    """A path as it may be printed: without control characters, which a terminal obeys, and not too long."""
    harmless = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in path)
    return _TOKEN.sub("...", harmless)[:_LONGEST_PATH]


def _refusal(status: int, message: str) -> Response:
    """An answer of the gateway itself, in API Gateway's form."""
    return JSONResponse({"message": message}, status_code=status)


def check_port(port: int) -> None:
    """Raise PortTaken if another program listens on the port. Called before anything slow is started."""
    _listen(port).close()


def _listen(port: int, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    """A socket that takes connections on the loopback address of the family.

    It listens from now on. If it did so only when the server serves, a program that sees "ready" a moment before would
    be refused; this way its connection waits.
    """
    # The protocol is named, or asyncio does not know the socket for TCP and leaves Nagle's 40 ms in every exchange.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1" if family == socket.AF_INET else "::1", port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port) from None
        raise
    listener.listen()
    return listener


def _listen_to_ipv6(port: int) -> list[socket.socket]:
    """The same port of ::1, which `localhost` may mean to a browser; nothing on a machine without IPv6."""
    try:
        return [_listen(port, socket.AF_INET6)]
    except (PortTaken, OSError):
        return []
