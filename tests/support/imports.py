"""What a cold start spends on imports, in instructions: the same number on every run, which no time is.

`valgrind --tool=cachegrind` counts every instruction of a process (callgrind counts the same, at twice the price). One
process forks for each thing to import, and a fork goes on counting from where its parent stands, so what many imports
have in common is run once: all functions fork from an interpreter that has imported the layer, which each of them does
first. A fork stops after its import, because Lambda never waits for an interpreter to clear up. What a bare interpreter
needs is subtracted: it is spent before any of our code, and would make everything look closer together than it is.
The collector is off for all of them, as it is for our functions while they start (questlog.cold_start).
"""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.client import ROOT
from tests.support.environment import ENVIRONMENT

# These start from a schedule or a queue, where nobody waits, and need what a request must not pay for.
NOT_REQUESTS: Final = frozenset({"jobs", "audio_worker", "notifier"})
BUDGET: Final = 1.10

# By name: `import starlette` and `import pydantic` alone load next to nothing.
REFERENCE: Final = """
import psycopg
from psycopg.rows import dict_row
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from mangum import Mangum
from aws_lambda_powertools import Logger
"""

# What botocore uses where it is installed. It is here, through the tools for development, and not in the layer.
_NOT_IN_THE_LAYER: Final = ("awscrt", "OpenSSL")

# Forks for each of `alone`, then imports the layer and forks for each of `on_the_layer`; a line for each fork.
_PROGRAM: Final = f"""
import gc, os, sys
gc.disable()
sys.modules.update(dict.fromkeys({_NOT_IN_THE_LAYER}))

def fork(name, code):
    child = os.fork()
    if child == 0:
        exec(code, {{}})
        print(repr((name, os.getpid(), [name for name, module in sys.modules.items() if module])), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        os._exit(1)

alone, on_the_layer = eval(sys.argv[1])
for name, code in alone.items():
    fork(name, code)
import questlog.api
for name, code in on_the_layer.items():
    fork(name, code)
os._exit(0)
"""


class Imported(NamedTuple):
    """What an import loaded, and how many instructions it took; 0 where they were not counted."""

    modules: frozenset[str]
    instructions: int


def request_functions() -> dict[str, str]:
    """The import of each function that answers requests, by its group, or by the module that it imports on demand."""
    groups = {app.parent.name for app in (ROOT / "functions").glob("*/app.py")}
    found = {group: f"import functions.{group}.app" for group in sorted(groups - NOT_REQUESTS)}
    for group in tuple(found):
        for module in importlib.import_module(f"functions.{group}.app").api.on_demand.values():
            found[module.removeprefix("functions.")] = f"{found[group]}, {module}"
    return found


def can_count() -> bool:
    """Whether there is a valgrind to count with."""
    return shutil.which("valgrind") is not None


def load(alone: Mapping[str, str], on_the_layer: Mapping[str, str], *, count: bool) -> dict[str, Imported]:
    """Run each piece of code in a fork of its own, with what a function has in Lambda.

    Those `on_the_layer` are pieces that import the layer first. With `count` their instructions are counted.
    """
    command = [sys.executable, "-c", _PROGRAM, repr((dict(alone), dict(on_the_layer)))]
    # The first run writes the bytecode, which in Lambda is part of the layer.
    lines = _run(command)
    counts: dict[str, int] = {}
    if count:
        with tempfile.TemporaryDirectory() as folder:
            counter = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
            for name, process, _ in _run([*counter, f"--log-file={folder}/%p", *command]):
                counts[name] = _instructions(Path(folder, str(process)))
    return {name: Imported(frozenset(modules), counts.get(name, 0)) for name, _, modules in lines}


def cost(alone: Mapping[str, str], on_the_layer: Mapping[str, str]) -> dict[str, int]:
    """The instructions of each import, beyond those of an interpreter that imports nothing."""
    loaded = load({"": "", **alone}, on_the_layer, count=True)
    bare = loaded.pop("").instructions
    return {name: imported.instructions - bare for name, imported in loaded.items()}


def _run(command: list[str]) -> list[tuple[str, int, list[str]]]:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **ENVIRONMENT,
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_REGION": "eu-central-1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'common'}",
    }
    done = subprocess.run(command, env=environment, cwd="/", check=True, text=True, stdout=subprocess.PIPE)
    return [ast.literal_eval(line) for line in done.stdout.splitlines()]


def _instructions(log: Path) -> int:
    """What valgrind says of a process."""
    counted = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text())
    assert counted is not None
    return int(counted[1].replace(",", ""))
