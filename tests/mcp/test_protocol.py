"""What is said in JSON-RPC, revision by revision. The models of the official SDK judge the answers, and for what is
wrong with a message its server says which error it is.
"""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool
from mcp_types.methods import parse_server_result

from functions.mcp import protocol
from tests.conftest import Client, NewUser, User
from tests.mcp.conftest import LATEST, META, STATELESS, Assistant, token_of
from tests.support.client import Answer, Bearer
from tests.support.loopback import Loopback

HANDSHAKE = ("2025-03-26", "2025-06-18", LATEST)
REVISIONS = (*HANDSHAKE, STATELESS)
HELLO = {"capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def failed(answer: Answer, status: int, code: int, id_: Any = 1) -> Any:
    """Assert an error of JSON-RPC, and return it."""
    document = answer.json
    assert (answer.status, document["error"]["code"]) == (status, code), answer.text
    assert set(document) == {"jsonrpc", "id", "error"}
    assert document["jsonrpc"] == "2.0"
    assert document["id"] == id_
    assert type(document["id"]) is type(id_)
    return document["error"]


# What each revision has ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", HANDSHAKE)
def test_the_handshake(assistant: Assistant, revision: str) -> None:
    """The client names the revision in the request, not in the header."""
    answer = assistant.send(
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": revision, **HELLO}},
        mcp_protocol_version="",
    )
    result = answer.json["result"]
    parse_server_result("initialize", revision, result)
    assert (answer.json["id"], result["protocolVersion"]) == (0, revision)
    assert set(result) == {"protocolVersion", "capabilities", "serverInfo", "instructions"}
    assert result["capabilities"] == {"tools": {}}
    assert "mcp-session-id" not in answer.headers


@pytest.mark.parametrize("asked", ["2024-11-05", STATELESS, "2099-01-01", "latest", ""])
def test_a_handshake_for_another_revision_is_offered_the_newest(assistant: Assistant, asked: str) -> None:
    result = assistant.ask("initialize", {"protocolVersion": asked, **HELLO}).json["result"]
    assert result["protocolVersion"] == LATEST


@pytest.mark.parametrize(
    "params",
    [
        {},
        HELLO,
        {"protocolVersion": 1, **HELLO},
        {"protocolVersion": LATEST, "clientInfo": HELLO["clientInfo"]},
        {"protocolVersion": LATEST, "capabilities": [], "clientInfo": HELLO["clientInfo"]},
        {"protocolVersion": LATEST, "capabilities": {}},
        {"protocolVersion": LATEST, "capabilities": {}, "clientInfo": {"name": "tests"}},
        {"protocolVersion": LATEST, "capabilities": {}, "clientInfo": "tests"},
    ],
)
def test_a_handshake_that_lacks_something(assistant: Assistant, params: dict[str, Any]) -> None:
    failed(assistant.ask("initialize", params), 200, protocol.INVALID_PARAMS)


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_list_of_tools(own_gateway: Loopback, user: User, revision: str) -> None:
    result = Assistant(token_of(user), revision).ask("tools/list").json["result"]
    listed = parse_server_result("tools/list", revision, result)
    assert isinstance(listed, ListToolsResult)
    assert len(listed.tools) > 20
    assert ("ttlMs" in result, "resultType" in result) == (revision == STATELESS,) * 2


def test_discovery(own_gateway: Loopback, user: User) -> None:
    result = Assistant(token_of(user), STATELESS).ask("server/discover").json["result"]
    parse_server_result("server/discover", STATELESS, result)
    assert result["supportedVersions"] == [STATELESS, LATEST, "2025-06-18", "2025-03-26"]
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "questlog"
    assert result["cacheScope"] == "private"


@pytest.mark.parametrize("revision", HANDSHAKE)
def test_a_ping(own_gateway: Loopback, user: User, revision: str) -> None:
    assert Assistant(token_of(user), revision).ask("ping").json == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize(
    ("revision", "method", "status"),
    [
        *[(revision, "server/discover", 200) for revision in HANDSHAKE],
        *[
            (LATEST, method, 200)
            for method in ("resources/list", "prompts/list", "logging/setLevel", "", "tools/call ")
        ],
        *[(STATELESS, method, 404) for method in ("initialize", "ping", "resources/list", "subscriptions/listen")],
    ],
)
def test_a_method_that_a_revision_does_not_have(
    own_gateway: Loopback, user: User, revision: str, method: str, status: int
) -> None:
    failed(Assistant(token_of(user), revision).ask(method), status, protocol.METHOD_NOT_FOUND)


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_result_of_a_call(own_gateway: Loopback, user: User, revision: str) -> None:
    result = Assistant(token_of(user), revision).ask("tools/call", {"name": "progress"}).json["result"]
    parse_server_result("tools/call", revision, result)
    # The first revision has text alone.
    assert ("structuredContent" in result) == (revision != "2025-03-26")
    assert json.loads(result["content"][0]["text"])["level"] == 1
    assert ("resultType" in result) == (revision == STATELESS)


# Revisions and headers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["2024-11-05", "2099-01-01", "x", "2025-11-25,2025-11-25", "2025-11-25 "])
def test_a_revision_that_is_not_known(assistant: Assistant, revision: str) -> None:
    error = failed(assistant.send(LIST, mcp_protocol_version=revision), 400, protocol.UNSUPPORTED_REVISION)
    assert error["data"] == {"supported": [STATELESS, LATEST, "2025-06-18", "2025-03-26"], "requested": revision}


def test_without_a_header_it_is_the_first_revision(assistant: Assistant) -> None:
    answer = assistant.send([LIST, {**LIST, "id": 2}], mcp_protocol_version="")
    assert [one["id"] for one in answer.json] == [1, 2]


def messages() -> dict[str, tuple[Any, dict[str, str]]]:
    """What is wrong with a request of 2026-07-28, one thing at a time."""
    named = {"mcp-protocol-version": STATELESS, "mcp-method": "tools/list"}
    right = {**LIST, "params": {"_meta": META}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"_meta": META, "name": "nothing"}}
    revision, capabilities = [*META][:2]
    without_id = {"jsonrpc": "2.0", "method": "tools/list"}
    return {
        "no JSON": (b"{", named),
        "too deep": (b"[" * 10_000, named),
        "no meta": (LIST, named),
        "empty meta": ({**LIST, "params": {"_meta": {}}}, named),
        "meta of a wrong type": ({**LIST, "params": {"_meta": 1}}, named),
        "no revision": ({**LIST, "params": {"_meta": {capabilities: {}}}}, named),
        "no capabilities": ({**LIST, "params": {"_meta": {revision: STATELESS}}}, named),
        "another revision in the request": ({**LIST, "params": {"_meta": {**META, revision: LATEST}}}, named),
        "no method in the header": (right, {"mcp-protocol-version": STATELESS}),
        "another method in the header": (right, {**named, "mcp-method": "tools/call"}),
        "another method's case": (right, {**named, "mcp-method": "Tools/List"}),
        "no name in the header": (call, {**named, "mcp-method": "tools/call"}),
        "another name in the header": (call, {**named, "mcp-method": "tools/call", "mcp-name": "today"}),
        "the name badly encoded": (call, {**named, "mcp-method": "tools/call", "mcp-name": "=?base64?%?="}),
        "a batch": ([right], named),
        "an empty batch": ([], named),
        "a response": ({"jsonrpc": "2.0", "id": 1, "result": {}}, named),
        "no version of JSON-RPC": ({"id": 1, "method": "tools/list"}, named),
        "another version of JSON-RPC": ({**right, "jsonrpc": "1.0"}, named),
        "null as id": ({**right, "id": None}, named),
        "true as id": ({**right, "id": True}, named),
        "a fraction as id": ({**right, "id": 1.5}, named),
        "a list as id": ({**right, "id": [1]}, named),
        "no method": ({"jsonrpc": "2.0", "id": 1}, named),
        "a method of a wrong type": ({**right, "method": 1}, named),
        "params of a wrong type": ({**right, "params": [1]}, named),
        "text": ("tools/list", named),
        "null": (b"null", named),
        "an unknown method": ({**right, "method": "x"}, {**named, "mcp-method": "x"}),
        "an unknown revision": (
            {**LIST, "params": {"_meta": {**META, revision: "2030-01-01"}}},
            {**named, "mcp-protocol-version": "2030-01-01"},
        ),
        "a notification": (without_id, named),
        "a notification of no known kind": ({"jsonrpc": "2.0", "method": "x"}, named),
        "a notification without a method": ({"jsonrpc": "2.0"}, named),
        "a notification of an unknown revision": (without_id, {"mcp-protocol-version": "2030-01-01"}),
        "right": (right, named),
        "right, with the name encoded": (
            {**call, "params": {"_meta": META, "name": "progress"}},
            {**named, "mcp-method": "tools/call", "mcp-name": "=?base64?cHJvZ3Jlc3M=?="},
        ),
    }


def test_the_sdks_server_says_the_same_of_every_message(assistant: Assistant) -> None:
    """The status, and the code of the error, of what is right and wrong with requests of 2026-07-28."""
    with ThreadPoolExecutor(1) as pool:  # this thread has a loop of its own, which Mangum uses
        expected = pool.submit(asyncio.run, asked_of_the_sdk(messages())).result()
    ours = {}
    for name, (message, headers) in messages().items():
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        answer = Bearer(assistant.token).post("/mcp", body, headers=headers)
        ours[name] = verdict(answer.status, answer.text)
    assert ours == expected


def verdict(status: int, text: str) -> tuple[int, int | None]:
    document = json.loads(text) if text else {}
    return status, document.get("error", {}).get("code")


async def asked_of_the_sdk(messages: dict[str, tuple[Any, dict[str, str]]]) -> dict[str, tuple[int, int | None]]:
    """What the SDK's own server, which has the tool `progress`, answers to the same messages."""
    server = await sdk_server()
    manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
    transport = httpx.ASGITransport(manager.handle_request)
    accepts = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    found = {}
    async with manager.run(), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for name, (message, headers) in messages.items():
            body = message if isinstance(message, bytes) else json.dumps(message).encode()
            answer = await client.post("/mcp", content=body, headers={**accepts, **headers})
            found[name] = verdict(answer.status_code, answer.text)
    return found


async def sdk_server() -> Server[Any]:
    async def list_tools(_context: Any, _params: Any) -> ListToolsResult:
        return ListToolsResult(tools=[Tool(name="progress", input_schema={"type": "object"})])

    async def call_tool(_context: Any, _params: Any) -> CallToolResult:
        return CallToolResult(content=[TextContent(text="{}")])

    return Server("oracle", on_list_tools=list_tools, on_call_tool=call_tool)


# Messages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", [0, -1, 1, 2**53, 2**70, "", "1", "a", "ü", "x" * 5_000, "\u0000", '"\\'])
def test_an_id_comes_back_as_it_was(assistant: Assistant, id_: Any) -> None:
    answer = assistant.ask("ping", id_=id_)
    assert answer.json == {"jsonrpc": "2.0", "id": id_, "result": {}}


@pytest.mark.parametrize("id_", [None, True, 1.5, 1.0, [], {}, [1]])
@pytest.mark.parametrize("revision", HANDSHAKE)
def test_what_is_no_id(own_gateway: Loopback, user: User, revision: str, id_: Any) -> None:
    failed(Assistant(token_of(user), revision).ask("ping", id_=id_), 400, protocol.INVALID_REQUEST, None)


@pytest.mark.parametrize(
    ("message", "id_"),
    [
        ({}, None),
        ({"id": 1, "method": "ping"}, 1),
        ({"jsonrpc": 2.0, "id": 1, "method": "ping"}, 1),
        ({"jsonrpc": "2.0", "id": "a"}, "a"),
        ({"jsonrpc": "2.0", "id": 1, "method": None}, 1),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": None}, 1),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": "x"}, 1),
        ({"jsonrpc": "2.0", "method": 1}, None),
        ("ping", None),
        (1, None),
        (None, None),
    ],
)
def test_what_is_no_message(assistant: Assistant, message: Any, id_: Any) -> None:
    failed(assistant.send(json.dumps(message).encode()), 400, protocol.INVALID_REQUEST, id_)


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"a":"\\ud800"}', b"[" * 100_000, b'{"a":' * 5_000, b"nul", b'{"a":NaN}', b'{"id":1']
)
def test_what_is_no_json(assistant: Assistant, body: bytes) -> None:
    failed(assistant.send(body), 400, protocol.PARSE_ERROR, None)


def test_a_body_that_is_too_large_or_of_another_type(assistant: Assistant) -> None:
    assistant.send(b" " * 1_048_577).refused(413, "payload_too_large")
    assistant.send(b"{}", content_type="text/plain").refused(415, "unsupported_media_type")
    failed(assistant.send(b""), 400, protocol.INVALID_REQUEST, None)
    # A body of a megabyte that is a message is read.
    padding = " " * (1_048_576 - len(json.dumps(LIST)))
    assert assistant.send((json.dumps(LIST) + padding).encode()).status == 200


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "x", "tools/list"])
def test_a_notification_is_owed_nothing(own_gateway: Loopback, user: User, revision: str, method: str) -> None:
    answer = Assistant(token_of(user), revision).send({"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}})
    assert (answer.status, answer.text) == (202, "")


def test_a_call_without_an_id_is_not_made(assistant: Assistant, own_gateway: Loopback) -> None:
    message = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "capture", "arguments": {"title": "x"}}}
    assert assistant.send(message).status == 202
    assert own_gateway.hops == []


@pytest.mark.parametrize("revision", HANDSHAKE)
def test_a_response_is_owed_nothing(own_gateway: Loopback, user: User, revision: str) -> None:
    outcomes: list[dict[str, Any]] = [{"result": {}}, {"error": {"code": 1, "message": "x"}}]
    for outcome in outcomes:
        assert Assistant(token_of(user), revision).send({"jsonrpc": "2.0", "id": 1, **outcome}).status == 202


# Batches -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def first(own_gateway: Loopback, user: User) -> Assistant:
    """A client of the only revision with batches."""
    return Assistant(token_of(user), "2025-03-26")


def test_a_batch(first: Assistant, own_gateway: Loopback) -> None:
    ping = {"jsonrpc": "2.0", "method": "ping"}
    call = {"jsonrpc": "2.0", "id": "c", "method": "tools/call", "params": {"name": "progress"}}
    answer = first.send([{**ping, "id": 1}, ping, call, {**ping, "id": None}, 7, {**ping, "id": 2, "method": "x"}])
    assert answer.status == 200
    found = [(one["id"], one.get("error", {}).get("code")) for one in answer.json]
    wrong = (None, protocol.INVALID_REQUEST)
    assert found == [(1, None), ("c", None), wrong, wrong, (2, protocol.METHOD_NOT_FOUND)]
    assert [hop.path for hop in own_gateway.hops] == ["/progress"]


def test_a_batch_that_is_owed_nothing(first: Assistant) -> None:
    ping = {"jsonrpc": "2.0", "method": "ping"}
    answer = first.send([ping, ping])
    assert (answer.status, answer.text) == (202, "")


def test_a_batch_has_a_length(first: Assistant) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert len(first.send([ping] * 20).json) == 20
    failed(first.send([ping] * 21), 400, protocol.INVALID_REQUEST, None)
    failed(first.send([]), 400, protocol.INVALID_REQUEST, None)


def test_there_is_no_handshake_in_a_batch(first: Assistant) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-03-26", **HELLO}}
    [answer] = first.send([hello]).json
    assert answer["error"]["code"] == protocol.INVALID_REQUEST


@pytest.mark.parametrize("revision", ["2025-06-18", LATEST, STATELESS])
def test_later_revisions_have_no_batches(own_gateway: Loopback, user: User, revision: str) -> None:
    failed(Assistant(token_of(user), revision).send([LIST]), 400, protocol.INVALID_REQUEST, None)


# Who asks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["initialize", "ping", "tools/list", "tools/call", "x", "notifications/initialized"])
def test_a_stranger_is_told_nothing(own_gateway: Loopback, stranger: Client, method: str) -> None:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": {"name": "progress"}}
    if not method.startswith("notifications"):
        message["id"] = 1
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": f"Bearer {'A' * 64}"}):
        stranger.post("/mcp", message, headers=headers).refused(401, "unauthorized")


@pytest.mark.parametrize("params", [{"name": "nothing"}, {"name": "log_habit", "arguments": {"habit_id": "x"}}, {}])
def test_a_stranger_is_not_told_what_is_wrong_with_a_call(
    own_gateway: Loopback, stranger: Client, params: dict[str, Any]
) -> None:
    for token in ("", "A" * 64):
        headers = {"authorization": f"Bearer {token}"}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        stranger.post("/mcp", message, headers=headers).refused(401, "unauthorized")


def test_a_token_that_was_revoked(assistant: Assistant, user: User, own_gateway: Loopback) -> None:
    assert assistant.done("progress")["level"] == 1
    user.delete("/auth/sessions")
    for method, params in (("tools/call", {"name": "progress"}), ("tools/list", {}), ("ping", {})):
        assistant.ask(method, params).refused(401, "unauthorized")


def test_who_has_not_accepted_the_terms(own_gateway: Loopback, new_user: NewUser) -> None:
    newcomer = new_user(consented=False)
    assistant = Assistant(token_of(newcomer))
    assistant.ask("tools/list").refused(403, "age_verification_required")
    assert assistant.refused("progress")["type"] == "age_verification_required"


def test_only_allowed_origins(assistant: Assistant, own_gateway: Loopback) -> None:
    for allowed in ("https://questlog.test", "http://localhost:3000", own_gateway.url):
        assert assistant.send(LIST, origin=allowed).status == 200
    for foreign in ("https://evil.test", "null", "https://questlog.test.evil.test", "http://questlog.test", "x"):
        assistant.send(LIST, origin=foreign).refused(403, "forbidden")
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "progress"}}
    assistant.send(call, origin="https://evil.test").refused(403, "forbidden")
    assert own_gateway.hops == []


def test_there_is_no_stream_and_no_session(assistant: Assistant) -> None:
    for method in ("GET", "DELETE", "PUT"):
        answer = Bearer(assistant.token).request(method, "/mcp")
        answer.refused(405, "method_not_allowed")
        assert answer.headers["allow"] == "POST"
    # A session that someone made up is nobody's.
    assert assistant.send(LIST, mcp_session_id=str(uuid4())).status == 200
    assert Bearer(assistant.token).post("/api/mcp", LIST).status == 200
    Bearer(assistant.token).post("/mcp/x", LIST).refused(404, "not_found")


def test_nothing_is_kept_by_caches(assistant: Assistant) -> None:
    assert assistant.ask("tools/list").headers["cache-control"] == "no-store"
    assert assistant.ask("tools/call", {"name": "today"}).headers["cache-control"] == "no-store"
