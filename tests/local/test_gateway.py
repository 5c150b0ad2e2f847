"""A function behind the gateway lives as it does in Lambda: real processes, real sockets, the real runtime client."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import child
from local.clock import Clock
from local.gateway import BODY_LIMIT, Gateway, Server
from local.history import Run
from local.runtime import FunctionFailed, Runtime
from local.template import Function, Schedule
from tests.local.echo import APP, Ask, Stack
from tests.local.processes import alive


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """A clock that nobody has moved: these tests ask whether it was."""
    clock.reset()
    return clock


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
        async with asyncio.timeout(120):
            while alive(pid):
                await asyncio.sleep(0.01)
        assert (await ask("GET", "/")).json()["pid"] != pid

    stack.run(test)


def test_what_waits_for_a_process_when_all_is_stopped_starts_no_other(tmp_path: Path) -> None:
    function = Function("EchoFunction", "echo", "functions.echo.app.handler", 60, 128)

    async def test() -> None:
        runtime = Runtime(function, {}, tmp_path / "echo.log", root=tmp_path)
        runtime._process = child.start(["sleep", "60"], output=subprocess.DEVNULL)  # which asks for no event
        invoked = asyncio.create_task(runtime.invoke({}))
        await asyncio.sleep(0)
        runtime.close()
        with pytest.raises(FunctionFailed, match="echo has been stopped"):
            await invoked
        assert not runtime.is_running

    with closing(asyncio.new_event_loop()) as loop:
        loop.run_until_complete(test())


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
        async with asyncio.timeout(120):
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
        async with asyncio.timeout(120):
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


def test_the_report_tells_what_the_function_logged(stack: Stack) -> None:
    """Trips as the log line of that request has them; no line is no number; a start is told."""

    async def test(ask: Ask) -> None:
        for path in ("/logs?2", "/quiet", "/logs?0"):
            assert (await ask("GET", path)).status_code == 200

    stack.run(test)
    told = [(one.trips, one.cold, one.route) for one in stack.exchanges]
    assert told == [(2, True, "GET /logs"), (None, False, None), (0, False, None)]


def test_a_path_is_reported_without_what_a_terminal_obeys(stack: Stack) -> None:
    async def test(ask: Ask) -> None:
        await ask("GET", "/%1b[2Jx%e2%80%aey%0az")
        await ask("GET", "/" + "long " * 1000)

    stack.run(test)
    first, second = (exchange.path for exchange in stack.exchanges)
    assert first == "/\N{REPLACEMENT CHARACTER}[2Jx\N{REPLACEMENT CHARACTER}y\N{REPLACEMENT CHARACTER}z"
    assert second.startswith("/long long")
    assert len(second) == 300
