"""A function in a process of its own, as Lambda starts one: what its start does, and what its first request costs."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tests.support.client import ROOT
from tests.support.environment import ENVIRONMENT

_PROGRAM = """
import importlib, json, sys
from types import SimpleNamespace
handler = importlib.import_module(f"functions.{sys.argv[1]}.app").handler
context = SimpleNamespace(function_name="test", memory_limit_in_mb=256, invoked_function_arn="", aws_request_id="test")
print(json.dumps("started"), flush=True)
for event in sys.stdin:
    print(json.dumps(handler(json.loads(event), context)), flush=True)
"""


class FreshFunction:
    """The function of a group, started with an environment of its own; it has finished its start once this is entered.

    `starts_as` is what Lambda says of the start in AWS_LAMBDA_INITIALIZATION_TYPE; empty outside Lambda.
    """

    def __init__(self, group: str, database_url: str, starts_as: str = "", **variables: str) -> None:
        self._command = [sys.executable, "-c", _PROGRAM, group]
        self._environment: Mapping[str, str] = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **ENVIRONMENT,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'common'}",
            "DATABASE_URL": database_url,
            "AWS_LAMBDA_INITIALIZATION_TYPE": starts_as,
            **variables,
        }

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.log: list[dict[str, Any]] = []
        assert self._read() == "started"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What the handler returns for an event. What it logs meanwhile is added to `log`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = self._read()
        return answer

    def _read(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if not (isinstance(said, dict) and "level" in said):
                return said
            self.log.append(said)
        raise AssertionError("the function has ended")
