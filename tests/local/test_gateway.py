"""A function behind the gateway lives as it does in Lambda: real processes, real sockets, the real runtime client."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.clock import Clock
from local.gateway import BODY_LIMIT, Exchange, Gateway, Run, Server
from local.runtime import Runtime
from local.template import Function, Route, Schedule
from tests.local.processes import alive

APP = """
import json, os, time

STARTED = time.time()

def handler(event, context):
    path = event.get("rawPath", "/tick")
    began = time.time()
    if path == "/tick":
        with open(os.environ["TICKS"], "a") as file:
            file.write(json.dumps(event) + "\\n")
    if path == "/sleep":
        time.sleep(float(event["rawQueryString"]))
    if path == "/raise" or event.get("schedule") == "broken":
        raise RuntimeError("no")
    if path == "/exit":
        os._exit(3)
    if path == "/nonsense":
        return {"statusCode": "many"}
    body = {
        "path": path, "pid": os.getpid(), "started": STARTED, "began": began, "ended": time.time(), "version": 1,
        "cookies": event.get("cookies"), "body": event.get("body"), "left_ms": context.get_remaining_time_in_millis(),
        "name": context.function_name, "environment": dict(os.environ),
    }
    return {"statusCode": 200, "headers": {"content-length": "1"}, "body": json.dumps(body)}
"""

Ask = Callable[..., Awaitable[httpx.Response]]


class Stack:
    """A gateway over one function, `echo`, whose code is in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.app = folder / "functions" / "echo" / "app.py"
        self.app.parent.mkdir(parents=True)
        self.app.write_text(APP)
        self.ticks = folder / "ticks"
        self.folder = folder
        self.exchanges: list[Exchange] = []
        self.runs: list[Run] = []

    def run(
        self,
        test: Callable[[Ask], Awaitable[None]],
        *,
        timeout_seconds: int = 60,
        session: Callable[[], str] | None = None,
        clock: Clock | None = None,
        schedules: tuple[Schedule, ...] = (),
    ) -> None:
        """Start the gateway, let `test` ask it, stop it."""
        function = Function(
            "EchoFunction",
            "echo",
            "functions.echo.app.handler",
            timeout_seconds,
            128,
            routes=(Route("ANY", "$default"),),
            schedules=schedules,
        )

        async def life() -> None:
            runtime = Runtime(function, {"TICKS": str(self.ticks)}, self.folder / "echo.log", root=self.folder)
            gateway = Gateway([runtime], report=self.exchanges.append, session=session, clock=clock)
            server = Server(gateway, [runtime], port=0)
            serving = asyncio.create_task(server.run_until_stopped(0.05, self.runs.append))
            try:
                while not server.started:
                    await asyncio.sleep(0.01)
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=120) as client:
                    await test(client.request)
            finally:
                server.should_exit = True
                await serving

        # Not asyncio.run: it takes away the loop of the thread, on which handlers run that other tests call.
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(life())
        finally:
            loop.close()


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def test_a_connection_is_taken_before_the_server_serves() -> None:
    """`make run` prints that it is ready a moment before: a busy machine makes that moment long."""
    server = Server(Gateway([], report=print), [], port=0)
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5):
            pass
    finally:
        for listener in server._sockets:
            listener.close()


def test_one_process_serves_request_after_request_and_ends_with_the_stack(stack: Stack) -> None:
    seen: list[dict[str, Any]] = []

    async def test(ask: Ask) -> None:
        for _ in range(3):
            answer = await ask("GET", "/a%20b")
            assert answer.status_code == 200
            assert answer.headers["content-length"] == str(len(answer.content))
            seen.append(answer.json())

    stack.run(test)
    assert [one["path"] for one in seen] == ["/a b"] * 3
    assert len({one["pid"] for one in seen}) == 1
    assert 0 < seen[0]["left_ms"] <= 60_000
    assert not alive(seen[0]["pid"])
    assert [(one.status, one.group) for one in stack.exchanges] == [(200, "echo")] * 3


def test_the_environment_is_lambdas_and_the_templates_and_nobody_elses(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_OWN", "1")

    async def test(ask: Ask) -> None:
        environment = (await ask("GET", "/")).json()["environment"]
        assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "echo"
        assert environment["TICKS"] == str(stack.ticks)
        assert "MY_OWN" not in environment

    stack.run(test)


def test_a_token_in_a_path_is_not_reported(stack: Stack) -> None:
    token = "a_-" * 21 + "A"

    async def test(ask: Ask) -> None:
        assert (await ask("GET", f"/calendar/feed/{token}.ics")).json()["path"] == f"/calendar/feed/{token}.ics"

    stack.run(test)
    assert [exchange.path for exchange in stack.exchanges] == ["/calendar/feed/....ics"]


def test_requests_of_one_function_wait_for_each_other(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        answers = [one.json() for one in await asyncio.gather(*(ask("GET", "/sleep?0.1") for _ in range(3)))]
        first, second, third = sorted(answers, key=lambda one: float(one["began"]))
        assert first["ended"] <= second["began"] < second["ended"] <= third["began"]

    stack.run(test)


def test_changed_code_is_started_anew(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        before = (await ask("GET", "/")).json()
        stack.app.write_text(APP.replace('"version": 1', '"version": 22'))
        after = (await ask("GET", "/")).json()
        assert (before["version"], after["version"]) == (1, 22)
        assert before["pid"] != after["pid"]
        assert not alive(before["pid"])

    stack.run(test)


def test_a_killed_process_is_started_anew(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        pid = (await ask("GET", "/")).json()["pid"]
        os.kill(pid, signal.SIGKILL)
        while alive(pid):
            await asyncio.sleep(0.01)
        assert (await ask("GET", "/")).json()["pid"] != pid

    stack.run(test)


def test_a_timeout_kills_the_process_and_answers_503(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        pid = (await ask("GET", "/")).json()["pid"]
        answer = await ask("GET", "/sleep?3600")
        assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
        assert not alive(pid)
        assert (await ask("GET", "/")).status_code == 200

    stack.run(test, timeout_seconds=3)
    assert stack.exchanges[1].problem == "echo took more than 3 s"


@pytest.mark.parametrize("path", ["/raise", "/exit", "/nonsense"])
def test_a_failure_answers_500_and_the_next_request_works(stack: Stack, path: str) -> None:
    async def test(ask: Ask) -> None:
        answer = await ask("GET", path)
        assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
        assert (await ask("GET", "/")).status_code == 200

    stack.run(test)
    assert stack.exchanges[0].problem


def test_code_that_cannot_be_imported_answers_500_until_it_is_mended(stack: Stack) -> None:
    stack.app.write_text("import nothing_of_this_name\n")

    async def test(ask: Ask) -> None:
        assert (await ask("GET", "/")).status_code == 500
        stack.app.write_text(APP)
        assert (await ask("GET", "/")).status_code == 200

    stack.run(test)
    assert "nothing_of_this_name" in (stack.folder / "echo.log").read_text()


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", "0.0.0.0", ""]
)
def test_a_foreign_host_is_refused(stack: Stack, host: str) -> None:
    async def test(ask: Ask) -> None:
        assert (await ask("GET", "/", headers={"host": host})).status_code == 421

    stack.run(test)
    assert stack.exchanges == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"])
def test_a_local_host_is_served(stack: Stack, host: str) -> None:
    async def test(ask: Ask) -> None:
        assert (await ask("GET", "/", headers={"host": host})).status_code == 200

    stack.run(test)


def test_an_event_is_as_large_as_lambda_takes(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        headers = {"content-type": "application/octet-stream"}
        assert (await ask("POST", "/", content=b"x" * (5 * 1024 * 1024), headers=headers)).status_code == 413

    stack.run(test)


def test_the_body_limit_is_api_gateways(stack: Stack) -> None:
    async def chunks() -> Any:
        for _ in range(11):
            yield b"x" * (1024 * 1024)

    async def test(ask: Ask) -> None:
        assert (await ask("POST", "/", content=b"x" * (BODY_LIMIT + 1))).status_code == 413
        assert (await ask("POST", "/", content=chunks())).status_code == 413
        assert (await ask("POST", "/", content=b"hello", headers={"content-type": "text/plain"})).json()[
            "body"
        ] == "hello"

    stack.run(test)


def test_the_session_goes_to_requests_that_bring_nothing(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        assert (await ask("GET", "/")).json()["cookies"] == ["session=token"]
        assert (await ask("GET", "/", headers={"cookie": "session=mine"})).json()["cookies"] == ["session=mine"]
        assert (await ask("GET", "/", headers={"authorization": "Bearer x"})).json()["cookies"] is None

    stack.run(test, session=lambda: "token")


def test_other_cookies_do_not_stand_in_the_way_of_the_session(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        foreign = {"cookie": "theme=dark; oauth_state_0=x"}
        assert (await ask("GET", "/", headers=foreign)).json()["cookies"] == [
            *("theme=dark", "oauth_state_0=x", "session=token"),
        ]

    stack.run(test, session=lambda: "token")


def test_the_clock_is_shown_and_moved(stack: Stack, clock: Clock) -> None:
    async def test(ask: Ask) -> None:
        shown = (await ask("GET", "/__clock")).json()
        assert set(shown) == {"now"}
        assert abs(datetime.fromisoformat(shown["now"]) - datetime.now(UTC)) < timedelta(minutes=5)
        moved = await ask("PUT", "/__clock", json={"now": "2031-03-29T22:00:00Z"})
        assert (moved.status_code, moved.json()["now"][:16]) == (200, "2031-03-29T22:00")
        assert (await ask("PUT", "/__clock", json={"advance": "P1D"})).json()["now"][:13] == "2031-03-30T22"
        assert clock.moved()
        assert (await ask("GET", "/__clock")).json()["now"][:13] == "2031-03-30T22"
        await ask("PUT", "/__clock", json={"now": None})
        assert not clock.moved()

    stack.run(test, clock=clock)


@pytest.mark.parametrize("body", [{}, [], None, {"now": 1}, {"now": "soon"}, {"advance": "a while"}, {"advance": None}])
def test_what_does_not_move_the_clock_is_refused(stack: Stack, clock: Clock, body: object) -> None:
    async def test(ask: Ask) -> None:
        answer = await ask("PUT", "/__clock", json=body)
        assert answer.status_code == 400
        assert answer.json()["message"]
        assert (await ask("PUT", "/__clock", content=b"{")).status_code == 400
        assert (await ask("DELETE", "/__clock")).status_code == 405

    stack.run(test, clock=clock)
    assert not clock.moved()


def test_schedules_tick(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        while not stack.ticks.exists() or len(stack.ticks.read_text().splitlines()) < 3:
            await asyncio.sleep(0.02)

    stack.run(test, schedules=(Schedule("Queue", 60, '{"schedule": "queue"}'), Schedule("Clean", 3600, None)))
    ticks = [json.loads(line) for line in stack.ticks.read_text().splitlines()]
    assert ticks.count({"schedule": "queue"}) >= 2
    assert [one["detail-type"] for one in ticks if "detail-type" in one] == ["Scheduled Event"]
    runs = [(one.group, one.schedule.name, one.problem) for one in stack.runs]
    assert runs.count(("echo", "Queue", None)) >= 2
    assert runs.count(("echo", "Clean", None)) == 1
    assert stack.runs[0].result["statusCode"] == 200


def test_a_run_that_fails_is_reported_and_ticked_again(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        while len(stack.runs) < 2:
            await asyncio.sleep(0.02)

    stack.run(test, schedules=(Schedule("Queue", 60, '{"schedule": "broken"}'),))
    for one in stack.runs:
        assert one.problem is not None
        assert "echo failed" in one.problem
        assert not one.is_idle


@pytest.mark.parametrize(
    ("result", "is_idle"),
    [({"jobs": 0}, True), ({}, True), (None, True), ({"deleted": 0, "failed": 1}, False), ({"jobs": 2}, False)],
)
def test_an_idle_run_did_nothing(result: Any, is_idle: bool) -> None:
    assert Run("jobs", Schedule("Queue", 60, None), 0.1, result).is_idle == is_idle
