"""What a cold start spends on imports, in instructions: the same number on every run, which no time is.

A fresh interpreter imports one function as Lambda would, under `valgrind --tool=cachegrind`, which counts every
instruction (callgrind counts the same, at twice the price), and stops there: Lambda never waits for an interpreter to
clear up. What a bare interpreter needs is subtracted, because it is spent before any of our code, and would make
everything look closer together than it is.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

from bench.figure import Figure
from tests.support.environment import ENVIRONMENT

ROOT: Final = Path(__file__).parents[1]
# These start from a schedule or a queue, where nobody waits, and need what a request must not pay for.
NOT_REQUESTS: Final = frozenset({"jobs", "audio_worker"})
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
NOT_IN_THE_LAYER: Final = ("awscrt", "OpenSSL")

# What others start with, by the module it needs.
ALTERNATIVES: Final = {
    "FastAPI + Mangum + psycopg": ("fastapi", "import psycopg, fastapi\nfrom mangum import Mangum"),
    "the reference and botocore's URL signer": ("botocore", f"{REFERENCE}\nfrom botocore.auth import S3SigV4QueryAuth"),
    "the reference and a boto3 client": ("boto3", f"{REFERENCE}\nimport boto3\nboto3.client('s3', region_name='auto')"),
}
# FastAPI is no dependency, so this one was measured once: FastAPI 0.165 on Python 3.11, the other packages as locked.
RECORDED: Final = {"FastAPI + Mangum + psycopg": 1.76}


def request_functions() -> list[str]:
    """The groups whose functions answer requests."""
    groups = {app.parent.name for app in (ROOT / "functions").glob("*/app.py")}
    return sorted(groups - NOT_REQUESTS)


def can_count() -> bool:
    """Whether there is a valgrind to count with."""
    return shutil.which("valgrind") is not None


@cache
def instructions(code: str) -> int:
    """The instructions of a fresh interpreter that runs `code`, beyond those of one that runs nothing."""
    return _counted(code) - _bare()


def of_function(group: str) -> int:
    """The instructions of importing a group's function."""
    return instructions(f"import functions.{group}.app")


@cache
def _bare() -> int:
    return _counted("pass")


def _counted(code: str) -> int:
    command = python(f"{code}\nimport os\nos._exit(0)")
    # Once for the bytecode, which in Lambda is part of the layer.
    run_as_lambda(command)
    counter = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    counted = re.search(r"I\s+refs:\s+([\d,]+)", run_as_lambda([*counter, *command]))
    assert counted is not None
    return int(counted[1].replace(",", ""))


def python(code: str) -> list[str]:
    """The command that runs `code` with what the layer has."""
    return [sys.executable, "-c", f"import sys\nsys.modules.update(dict.fromkeys({NOT_IN_THE_LAYER}))\n{code}"]


def run_as_lambda(command: list[str]) -> str:
    """Run a command with the environment a function has, and nothing of ours; all that it prints."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **ENVIRONMENT,
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_REGION": "eu-central-1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'common'}",
    }
    done = subprocess.run(
        command, env=environment, cwd="/", check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.stdout


def measure() -> Figure:
    """Every function, and what else there is, against the reference."""
    figure = Figure(
        "Cold import",
        f"Instructions retired by importing a function in a fresh interpreter, against the reference: {_packages()}. "
        f"The suite holds every request function to {BUDGET:.2f}.",
        ("import", "million instructions", "against the reference"),
    )
    if not can_count():
        return figure.without_rows("there is no valgrind here")
    named = {"the reference": REFERENCE, **{f"functions.{g}": f"import functions.{g}.app" for g in request_functions()}}
    named |= {name: code for name, (module, code) in ALTERNATIVES.items() if importlib.util.find_spec(module)}
    with ThreadPoolExecutor(2) as pool:
        counts = dict(zip(named, pool.map(instructions, named.values()), strict=True))
    for name, count in counts.items():
        figure.add(name, f"{count / 1e6:.0f}", f"{count / counts['the reference']:.2f}")
    for name, ratio in RECORDED.items():
        if name not in counts:
            figure.add(f"{name} (recorded)", "", f"{ratio:.2f}")
    return figure


def _packages() -> str:
    return "psycopg, pydantic, Starlette, Mangum and Powertools' Logger"
