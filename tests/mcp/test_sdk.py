"""The official SDK's client against the local stack, in each of its modes: it lists the tools, and calls every one."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import httpx2
import psycopg
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult
from psycopg.rows import dict_row

from functions.mcp.tools import tools
from tests.support.stack import Stack
from tests.support.users import create_user

# One worker has the stack.
pytestmark = pytest.mark.xdist_group("browser")

MODES = {"legacy": "2025-11-25", "auto": "2026-07-28", "2026-07-28": "2026-07-28"}


@pytest.fixture(scope="module")
def browser(running: Stack) -> Iterator[httpx.Client]:
    """Somebody's browser, signed in to the stack."""
    with psycopg.connect(running.database, row_factory=dict_row) as connection:
        user = create_user(connection)
    cookies = {"session": user.token or ""}
    with httpx.Client(base_url=running.gateway, cookies=cookies, timeout=120) as browser:
        yield browser


def token(browser: httpx.Client, scope: str = "write") -> str:
    answer = browser.post("/auth/sessions", json={"name": "Assistant", "scope": scope})
    made: str = answer.raise_for_status().json()["data"]["token"]
    return made


class Assistant:
    """What an assistant does in one session with the SDK's client."""

    def __init__(self, gateway: str, token: str, mode: str) -> None:
        self.gateway, self.token, self.mode = gateway, token, mode
        self.called: set[str] = set()

    async def session(self, ids: dict[str, str]) -> None:
        headers = {"authorization": f"Bearer {self.token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=120) as http:
            transport = streamable_http_client(f"{self.gateway}/mcp", http_client=http)
            async with Client(transport, mode=self.mode) as self.client:
                assert self.client.protocol_version == MODES[self.mode]
                listed = (await self.client.list_tools()).tools
                assert [tool.name for tool in listed] == [*tools()]
                await self.day(ids)

    async def done(self, tool: str, **arguments: Any) -> Any:
        """What the route of a tool answered."""
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        assert not result.is_error, (tool, result.content)
        self.called.add(tool)
        return result.structured_content

    async def day(self, ids: dict[str, str]) -> None:
        for tool in ("today", "list_habits", "list_goals", "week", "progress", "reviews_due", "search_notes"):
            await self.done(tool)
        await self.done("log_habit", habit_id=ids["habit"], notes="By heart")
        await self.done("undo_habit", habit_id=ids["habit"])
        logged = await self.done("log_amount", habit_id=ids["water"], amount=0.25)
        assert logged["data"]["amount_period"] > 0
        started = await self.done("start_focus", duration_seconds=1500, task_title="Write")
        status = await self.done("focus_status")
        assert status["data"]["session"]["id"] == started["data"]["id"]
        await self.done("complete_focus", session_id=started["data"]["id"])
        await self.done("add_task", title="Call Ada")
        await self.done("plan_day")
        plan = await self.done("show_plan")
        task = next(item["id"] for item in plan["plan"]["items"] if item["title"] == "Call Ada")
        await self.done("complete_task", item_id=task)
        await self.done(
            "add_event", title="Dentist", start_time="2031-05-01T09:00:00Z", end_time="2031-05-01T10:00:00Z"
        )
        await self.done("complete_milestone", milestone_id=ids["milestone"])
        await self.done("capture", title="Ask about the bell")
        books = await self.done("list_books", status="reading")
        await self.done("log_reading", book_id=books["data"]["books"][0]["id"], pages_read=1)
        await self.done("start_workout")
        exercises = await self.done("list_exercises", search="squat")
        await self.done("log_set", exercise_id=exercises["data"]["exercises"][0]["id"], reps=5, weight_kg=60)
        await self.done("complete_workout", rating=4)


@pytest.fixture(scope="module")
def ids(browser: httpx.Client) -> dict[str, str]:
    """What an assistant finds."""

    def add(path: str, **body: Any) -> str:
        made: str = browser.post(path, json=body).raise_for_status().json()["data"]["id"]
        return made

    add("/books", title="Dune", total_pages=600, status="reading")
    water = add("/habits", name="Water", kind="amount", target_amount=2, unit="l")
    goal = add("/goals", title="Run")
    milestone = add(f"/goals/{goal}/milestones", title="5 km")
    return {"habit": add("/habits", name="Read"), "water": water, "milestone": milestone}


@pytest.mark.parametrize("mode", MODES)
def test_every_tool_is_called(running: Stack, browser: httpx.Client, ids: dict[str, str], mode: str) -> None:
    assistant = Assistant(running.gateway, token(browser), mode)
    with ThreadPoolExecutor(1) as pool:  # this thread has a loop of its own, which Mangum uses
        pool.submit(asyncio.run, assistant.session(ids)).result()
    assert assistant.called == set(tools())


def test_what_the_client_makes_of_refusals(running: Stack, browser: httpx.Client) -> None:
    reading = Assistant(running.gateway, token(browser, "read"), "auto")

    async def session() -> None:
        headers = {"authorization": f"Bearer {reading.token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=120) as http:
            transport = streamable_http_client(f"{running.gateway}/mcp", http_client=http)
            async with Client(transport) as client:
                listed = (await client.list_tools()).tools
                assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed)
                result = await client.call_tool("capture", {"title": "x"})
                assert isinstance(result, CallToolResult)
                assert result.is_error
                with pytest.raises(MCPError, match="There is no such tool"):
                    await client.call_tool("buy", {})
                await asyncio.to_thread(browser.delete, "/auth/sessions")
                with pytest.raises(MCPError):
                    await client.call_tool("progress", {})

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, session()).result()
