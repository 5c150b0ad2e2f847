"""What a call of a tool costs more than the request of its route."""

import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any, Final
from unittest.mock import patch

from bench.figure import Figure
from bench.stage import Stage
from functions.mcp import gateway
from functions.mcp.gateway import Answer
from functions.mcp.tools import request_of, tools
from tests.support.client import gateway_event, group_of, send
from tests.support.users import User

ROUNDS: Final = 300
CALLS: Final[dict[str, dict[str, Any]]] = {
    "progress": {},
    "today": {},
    "list_habits": {},
    "capture": {"title": "Ask Ada about the bell"},
}


def measure(stage: Stage) -> Figure:
    """Calls of tools, their routes and an empty request, in turns."""
    figure = Figure(
        "A call of a tool",
        "CPU time of the functions in microseconds, the median of requests in turns, for a user with 20 habits. The "
        "route is the request as any client makes it. The empty request is GET /health: what every hop has, before "
        "anything is done in it. The call is POST /mcp with the route's answer at hand. The first and "
        "the last together may cost 1.2 times the route and one hop: an empty request, and an exchange over HTTP.",
        ("tool", "route", "empty request", "call", "(route + call - empty) / route"),
    )
    user = stage.new_user()
    for number in range(20):
        user.post("/habits", {"name": f"Habit {number}"})
    for name, arguments in CALLS.items():
        route, empty, call = _costs(user, name, arguments)
        figure.add(name, f"{route:.0f}", f"{empty:.0f}", f"{call:.0f}", f"{1 + (call - empty) / route:.2f}")
    return figure


def _costs(user: User, name: str, arguments: dict[str, Any]) -> tuple[float, float, float]:
    """What the route, the empty request and the tool's own function cost."""
    asked = request_of(tools()[name], arguments)
    headers = {"authorization": f"Bearer {user.token}"}
    params = {"name": name, "arguments": arguments}
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    event = gateway_event(asked.method, asked.path, headers=headers, body=asked.body)
    answer = send(event, group_of(asked.path))
    assert answer.status == 200, answer.text
    at_hand = Answer(200, True, answer.content)
    route = _asking(event)
    empty = _asking(gateway_event("GET", "/health", headers=headers))
    call = _asking(gateway_event("POST", "/mcp", headers=headers, body=message))
    taken: tuple[list[float], ...] = ([], [], [])
    with patch.object(gateway, "ask", lambda *_: at_hand):
        called = send(gateway_event("POST", "/mcp", headers=headers, body=message), "mcp")
        assert '"isError":false' in called.text, called.text
        gc.disable()
        for _ in range(ROUNDS):
            for one, costs in zip((route, empty, call), taken, strict=True):
                costs.append(_cpu(one))
        gc.enable()
    first, second, third = (statistics.median(costs) for costs in taken)
    return first, second, third


def _asking(event: dict[str, Any]) -> Callable[[], object]:
    group = group_of(event["rawPath"])
    return lambda: send(event, group)


def _cpu(call: Callable[[], object]) -> float:
    """Microseconds of this thread."""
    started = time.thread_time_ns()
    call()
    return (time.thread_time_ns() - started) / 1000
