"""The assistant's door with the product's own gateway behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from questlog.settings import settings

from functions.mcp import gateway as hop
from tests.conftest import Database, User
from tests.support.client import Answer, Bearer
from tests.support.loopback import Loopback, loopback

LATEST = "2025-11-25"
STATELESS = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": STATELESS,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
}


@dataclass(frozen=True)
class Assistant:
    """A client of the door with a token, in one revision."""

    token: str
    revision: str = LATEST

    def send(self, message: Any, **headers: str) -> Answer:
        """The answer to a message, or to bytes that are none."""
        own = {"mcp-protocol-version": self.revision, **{name.replace("_", "-"): v for name, v in headers.items()}}
        return Bearer(self.token).post("/mcp", message, headers=own)

    def ask(self, method: str, params: Any = None, id_: Any = 1) -> Answer:
        """The answer to a request, with all that the revision demands."""
        message = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params or {}}
        if self.revision != STATELESS:
            return self.send(message)
        message["params"] = {"_meta": META, **message["params"]}
        named = {"mcp_name": message["params"]["name"]} if method == "tools/call" else {}
        return self.send(message, mcp_method=method, **named)

    def call(self, tool: str, id_: Any = 1, **arguments: Any) -> Any:
        """The result of a call of a tool."""
        answer = self.ask("tools/call", {"name": tool, "arguments": arguments}, id_)
        assert answer.status == 200, answer.text
        return answer.json["result"]

    def done(self, tool: str, id_: Any = 1, **arguments: Any) -> Any:
        """What the route of a tool answered."""
        result = self.call(tool, id_, **arguments)
        assert result["isError"] is False, result
        return result["structuredContent"]

    def refused(self, tool: str, id_: Any = 1, **arguments: Any) -> Any:
        """The error of a call that fails, which is also said as text."""
        result = self.call(tool, id_, **arguments)
        assert result["isError"] is True, result
        error = result["structuredContent"]["error"]
        assert result["content"][0]["text"].startswith(error["message"])
        return error


def token_of(user: User, scope: str = "write") -> str:
    token: str = user.post("/auth/sessions", {"name": "Assistant", "scope": scope}).data["token"]
    return token


@pytest.fixture(scope="module")
def listening(database: Database) -> Iterator[Loopback]:
    with loopback() as gateway:
        yield gateway


@pytest.fixture
def own_gateway(listening: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """The gateway at which the door calls the routes, and what it was asked in this test."""
    monkeypatch.setenv("PUBLIC_URL", listening.url)
    settings.cache_clear()
    listening.hops.clear()
    listening.answers.clear()
    yield listening
    hop.disconnect()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def assistant(own_gateway: Loopback, user: User) -> Assistant:
    return Assistant(token_of(user))


@pytest.fixture
def reader(own_gateway: Loopback, user: User) -> Assistant:
    """One whose token only reads."""
    return Assistant(token_of(user, "read"))
