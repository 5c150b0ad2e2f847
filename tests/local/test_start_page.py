"""The start page and its data: shown to browsers on this machine, and to nobody else's page."""

from pathlib import Path
from typing import Any

import pytest

from local.history import History
from local.service import free_port
from local.status import documents
from local.template import Schedule
from tests.conftest import Database, User
from tests.local.echo import Ask, Stack

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def test_a_browser_gets_the_page_and_a_program_the_functions_document(stack: Stack, database: Database) -> None:
    async def test(ask: Ask) -> None:
        for method, path in (("GET", "/"), ("HEAD", "/"), ("GET", "/__push"), ("HEAD", "/__push")):
            page = await ask(method, path, headers=HTML)
            assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
        assert stack.exchanges == []
        for accept in ("*/*", "application/json"):
            assert (await ask("GET", "/", headers={"accept": accept})).json()["path"] == "/"
        assert (await ask("POST", "/", headers=HTML)).json()["path"] == "/"
        assert (await ask("GET", "/other", headers=HTML)).json()["path"] == "/other"

    stack.run(test, database_url=database.admin_url)


@pytest.mark.parametrize("path", ["/__status", "/__docs/runbook.md", "/__push.js"])
def test_nobody_else_reads_it(stack: Stack, database: Database, path: str) -> None:
    async def test(ask: Ask) -> None:
        own = {"host": "localhost:8080"}
        assert (await ask("GET", path, headers={"host": "evil.example"})).status_code == 421
        for foreign in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "http://localhost:3000"},
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"origin": "https://localhost:8080"},
        ):
            refused = await ask("GET", path, headers=own | foreign)
            assert refused.status_code == 403, foreign
            assert "access-control-allow-origin" not in refused.headers
        for mine in (
            {},
            {"sec-fetch-site": "none"},
            {"sec-fetch-site": "same-origin"},
            {"origin": "http://localhost:8080", "sec-fetch-site": "same-origin"},
        ):
            shown = await ask("GET", path, headers=own | mine)
            assert shown.status_code == 200, mine
            assert shown.headers["cross-origin-resource-policy"] == "same-origin"
            assert shown.headers["cache-control"] == "no-store"
            assert "access-control-allow-origin" not in shown.headers
        assert (await ask("OPTIONS", path, headers={"origin": "http://evil.example"})).status_code == 405
        assert (await ask("POST", path)).status_code == 405

    stack.run(test, database_url=database.admin_url)
    assert stack.exchanges == [], "the page's own requests are not counted"


def test_it_shows_the_last_requests_of_a_function_with_their_trips(stack: Stack, database: Database) -> None:
    shown: list[dict[str, Any]] = []

    async def test(ask: Ask) -> None:
        [before] = (await ask("GET", "/__status")).json()["functions"]
        assert before == {"group": "echo", "state": "not started", "requests": 0, "errors": 0, "last": []}
        await ask("GET", "/logs?2")
        for _ in range(11):
            await ask("POST", "/<script>alert(1)</script>")
        shown.extend((await ask("GET", "/__status")).json()["functions"])
        await ask("GET", "/refuse")
        [refused] = (await ask("GET", "/__status")).json()["functions"]
        assert (refused["state"], refused["errors"], refused["last"][0]["status"]) == ("running", 0, 404)
        await ask("GET", "/raise")
        [after] = (await ask("GET", "/__status")).json()["functions"]
        assert (after["state"], after["requests"], after["errors"]) == ("failing", 14, 1)
        assert (after["last"][0]["status"], after["last"][0]["trips"]) == (500, None)

    stack.run(test, database_url=database.admin_url)
    [echo] = shown
    assert (echo["group"], echo["state"], echo["requests"], echo["errors"]) == ("echo", "running", 12, 0)
    assert len(echo["last"]) == 10
    newest = echo["last"][0]
    assert (newest["method"], newest["path"]) == ("POST", "/<script>alert(1)</script>")
    assert (newest["status"], newest["trips"], newest["cold"]) == (200, None, False)
    assert newest["milliseconds"] >= 0


def test_it_shows_the_clock_the_jobs_and_the_schedules(stack: Stack, database: Database, user: User) -> None:
    database.query(
        "INSERT INTO jobs (user_id, kind, run_after) VALUES (%s, 'export', instant() + interval '1 day')", user.id
    )

    async def test(ask: Ask) -> None:
        while not stack.runs:
            await ask("GET", "/")
        status = (await ask("GET", "/__status")).json()
        assert status["clock"]["now"].endswith("Z")
        assert status["clock"]["is_moved"] is False
        assert status["jobs"]["queued"] >= 1
        assert {"export"} <= {job["kind"] for job in status["jobs"]["open"]}
        [schedule] = status["schedules"]
        assert (schedule["name"], schedule["group"], schedule["every_seconds"]) == ("Clean", "echo", 3600)
        assert schedule["last"]["has_failed"] is False
        assert status["documents"] == documents()

    try:
        stack.run(test, database_url=database.admin_url, schedules=(Schedule("Clean", 3600, None),))
    finally:
        database.query("DELETE FROM jobs WHERE user_id = %s", user.id)


def test_it_says_what_is_down_and_shows_no_password(stack: Stack, database: Database) -> None:
    nowhere = free_port()
    gone = f"postgresql://postgres:sesame@127.0.0.1:{nowhere}/questlog"

    async def test(ask: Ask) -> None:
        answer = await ask("GET", "/__status")
        status = answer.json()
        assert {one["name"]: one["state"] for one in status["services"]} == {"database": "down", "bucket": "down"}
        assert (status["clock"], status["jobs"]) == (None, None)
        assert "sesame" not in answer.text

    stack.run(test, database_url=gone, services={"bucket": f"http://localhost:{nowhere}"})

    async def up(ask: Ask) -> None:
        answer = await ask("GET", "/__status")
        [database_shown] = answer.json()["services"]
        assert database_shown["state"] == "ok"
        assert "@" not in answer.text

    stack.run(up, database_url=database.admin_url)


def test_only_the_documents_are_read(stack: Stack, database: Database) -> None:
    async def test(ask: Ask) -> None:
        assert (await ask("GET", "/__docs/runbook.md")).text.startswith("# Runbook")
        for name in ("%2e%2e/README.md", "..%2fREADME.md", "openapi.py", "nothing.md", "", "%2fetc%2fpasswd"):
            assert (await ask("GET", f"/__docs/{name}")).status_code == 404, name

    stack.run(test, database_url=database.admin_url)


def test_the_summary_counts_and_knows_the_slowest(stack: Stack) -> None:
    """The request that starts the function does not make its route slow."""

    async def test(ask: Ask) -> None:
        await ask("GET", "/logs?3")
        for path in ("/logs?1", "/logs?1", "/raise"):
            await ask("GET", path)

    stack.run(test)
    history: History = stack.history
    assert (history.requests, history.refused, history.errors) == (4, 0, 1)
    [route] = history.slowest(5)
    assert (route.route, route.requests) == ("GET /logs", 2)
    assert route.seconds < next(one.seconds for one in stack.exchanges if one.cold)
