"""The list of tools: what the routes declare, in as few words as an assistant needs."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from docs.openapi import apis
from docs.tools import TOOLS, text
from docs.tools import tools as declared
from tests.mcp.conftest import Assistant
from tests.support.client import ROOT

NAMES = [tool["listed"]["name"] for tool in declared()]
ASKED_FOR = {
    *("today", "list_habits", "log_habit", "undo_habit", "start_focus", "focus_status", "complete_focus", "plan_day"),
    *("add_task", "complete_task", "add_event", "week", "list_goals", "complete_milestone", "capture", "search_notes"),
    *("log_reading", "log_set", "progress", "reviews_due"),
}
# What the others need: ids, and a session to log sets into.
FINDING = {"log_amount", "show_plan", "list_books", "list_exercises", "start_workout", "complete_workout"}


def test_the_file_is_current() -> None:
    assert TOOLS.read_text("utf-8") == text(), "run `make openapi`"


def test_the_tools_are_those_of_the_contract_and_what_finds_their_ids() -> None:
    assert Counter(NAMES) == Counter({*ASKED_FOR, *FINDING})


def test_the_list_is_short(assistant: Assistant, reader: Assistant) -> None:
    """It is part of every conversation: 12 KiB at most."""
    answer = assistant.ask("tools/list")
    assert [tool["name"] for tool in answer.json["result"]["tools"]] == NAMES
    assert len(answer.content) < 12 * 1024


def test_a_token_that_only_reads_sees_no_tool_that_writes(reader: Assistant) -> None:
    listed = reader.ask("tools/list").json["result"]["tools"]
    reading = {tool["listed"]["name"] for tool in declared() if tool["target"]["method"] == "GET"}
    assert {tool["name"] for tool in listed} == reading
    assert all(tool["annotations"]["readOnlyHint"] for tool in listed)


@pytest.mark.parametrize("tool", declared(), ids=NAMES)
def test_a_tool_is_described(tool: dict[str, Any]) -> None:
    listed, target = tool["listed"], tool["target"]
    Draft202012Validator.check_schema(listed["inputSchema"])
    assert listed["inputSchema"]["type"] == "object"
    assert 10 < len(listed["description"]) < 120
    reads = target["method"] == "GET"
    hints = listed["annotations"]
    assert set(hints) == {"readOnlyHint", "destructiveHint", "idempotentHint"}
    assert hints["readOnlyHint"] is reads
    if reads:
        assert (hints["destructiveHint"], hints["idempotentHint"]) == (False, True)
    # What goes into a path is an id: nothing else is safe there.
    properties = listed["inputSchema"]["properties"]
    for name in (part.strip("{}") for part in target["path"].split("/") if part.startswith("{")):
        assert properties[name] == {"type": "string", "format": "uuid"}
    # What goes into a query has one type, by which it is checked on its way.
    assert not reads or all(isinstance(schema["type"], str) for schema in properties.values())


def test_what_may_take_something_away_says_so() -> None:
    destructive = {tool["listed"]["name"] for tool in declared() if tool["listed"]["annotations"]["destructiveHint"]}
    assert destructive == {"undo_habit", "start_focus"}


def test_no_tool_is_of_a_route_that_an_assistant_may_not_have() -> None:
    """Nothing that deletes for good, buys, exports, or changes settings or tokens."""
    for api in apis():
        for endpoint in api.endpoints:
            if endpoint.tools:
                assert api.name not in {"auth", "admin", "market", "user"}, endpoint.path
                assert endpoint.requires == "member"
                assert (endpoint.method, endpoint.path) == ("DELETE", "/habits/{habit_id}/complete") or (
                    endpoint.method in {"GET", "POST"}
                ), endpoint.path


def test_the_list_is_json_of_one_line(assistant: Assistant) -> None:
    text = assistant.ask("tools/list").text
    assert json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False) == text


def test_the_page_about_assistants() -> None:
    """It names every tool, and what is to be copied from it can be read."""
    page = (ROOT / "docs" / "assistants.md").read_text("utf-8")
    assert {name for name in NAMES if f"`{name}`" not in page} == set()
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [language for language, _ in blocks] == ["js", "json", "json", "json", "json", "python"]
    for language, block in blocks:
        if language == "json":
            assert json.loads(block)
        if language == "python":
            compile(block, "assistants.md", "exec")
