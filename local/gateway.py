"""The HTTP API: every request becomes an event, goes to the function whose route it is, and comes back as an answer.

One server listens for browsers and, on a port per function, for the functions' processes; the port a request came in by
tells which it is. All of them refuse a foreign Host: a page of someone else's, whose name is made to point here, could
otherwise read through a visitor's browser what is meant for this machine alone.
"""

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from local.clock import Clock, ClockError
from local.events import Router, decoded_path, http_event, http_response, schedule_event
from local.runtime import FunctionFailed, FunctionTimedOut, Runtime
from local.template import Schedule

BODY_LIMIT = 10 * 1024 * 1024  # API Gateway's own
# Lambda's: the JSON of an event, and the JSON of an answer.
EVENT_LIMIT = 6 * 1024 * 1024
ANSWER_LIMIT = 6 * 1024 * 1024 + 100
CLOCK_PATH = "/__clock"  # no route of the API begins with an underscore
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


# A secret of a calendar feed, which would open it for whoever reads the console.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answered request, for the report. `path` shows no token; `problem` is set when the gateway itself had to
    answer.
    """

    method: str
    path: str
    status: int
    seconds: float
    group: str | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a schedule, for the report: what the function returned, or the problem why it did not."""

    group: str
    schedule: Schedule
    seconds: float
    result: Any = None
    problem: str | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do: everything that was counted is 0."""
        return self.problem is None and not any(
            self.result.values() if isinstance(self.result, dict) else [self.result]
        )


class Gateway:
    """The ASGI application behind all the ports. `report` is told of every request. `session` returns the token of a
    live session, for requests without credentials of their own; GET and PUT /__clock show and move the `clock`.
    """

    def __init__(
        self,
        runtimes: Iterable[Runtime],
        *,
        report: Callable[[Exchange], None],
        session: Callable[[], str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._runtimes = {runtime.function.name: runtime for runtime in runtimes}
        self._router = Router(runtime.function for runtime in self._runtimes.values())
        self._report = report
        self._session = session
        self._clock = clock

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
        else:
            response = await self._answer(request)
        with suppress(ClientDisconnect):
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        started = time.perf_counter()
        path = decoded_path(request.scope["raw_path"].decode("latin-1"))
        group, problem = None, None
        body = await _body(request)
        match = self._router.match(request.method, path)
        response: Response
        if body is None:
            response = _refusal(413, "Request Entity Too Large")
        elif match is None:
            response = _refusal(404, "Not Found")
        else:
            function, route, parameters = match
            group = function.group
            runtime = self._runtimes[function.name]
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
            try:
                response = await _invoked(runtime, event)
                if response.status_code >= 500:
                    problem = f"see {runtime.log}"
            except FunctionTimedOut as error:
                response, problem = _refusal(503, "Service Unavailable"), str(error)
            except FunctionFailed as error:
                response, problem = _refusal(500, "Internal Server Error"), str(error)
            except ValueError as error:
                response, problem = _refusal(500, "Internal Server Error"), f"{group} answered no valid answer: {error}"
        seconds = time.perf_counter() - started
        self._report(Exchange(request.method, _TOKEN.sub("...", path), response.status_code, seconds, group, problem))
        return response

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

    async def run_until_stopped(self, every_minute: float, report: Callable[[Run], None]) -> None:
        """Serve, and tick the template's schedules, until a signal comes or `should_exit` is set.

        `report` is told of every run of a schedule.
        """
        ticks = [
            asyncio.create_task(_tick(runtime, schedule, every_minute, report))
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


async def _tick(runtime: Runtime, schedule: Schedule, every_minute: float, report: Callable[[Run], None]) -> None:
    """Invoke the function on its schedule. What AWS runs each minute, its shortest rate, runs every few seconds."""
    pause = every_minute if schedule.every_seconds == 60 else schedule.every_seconds
    while True:
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
        result = json.loads(await runtime.invoke(schedule_event(schedule, runtime.function)))
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


async def _invoked(runtime: Runtime, event: dict[str, Any]) -> Response:
    """The function's answer, within what Lambda carries each way."""
    if len(json.dumps(event, ensure_ascii=False).encode()) > EVENT_LIMIT:
        return _refusal(413, "Request Too Long")
    answer = await runtime.invoke(event)
    if len(answer) > ANSWER_LIMIT:
        raise ValueError(f"{len(answer)} bytes are more than Lambda carries")
    return http_response(answer)


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


def _refusal(status: int, message: str) -> Response:
    """An answer of the gateway itself, in API Gateway's form."""
    return JSONResponse({"message": message}, status_code=status)


def _listen(port: int, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    """A socket that takes connections on the loopback address of the family.

    It listens from now on, not from when the server serves: between the two, a program that read that the stack is
    ready would be refused. Such a connection waits.
    """
    # The protocol is named, or asyncio does not know the socket for TCP and leaves Nagle's 40 ms in every exchange.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1" if family == socket.AF_INET else "::1", port))
    listener.listen()
    return listener


def _listen_to_ipv6(port: int) -> list[socket.socket]:
    """The same port of ::1, which `localhost` may mean to a browser; nothing on a machine without IPv6."""
    try:
        return [_listen(port, socket.AF_INET6)]
    except OSError:
        return []
