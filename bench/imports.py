"""What a cold start spends on imports, in instructions."""

import importlib.util
from typing import Final

from bench.figure import Figure
from tests.support.imports import BUDGET, REFERENCE, can_count, cost, request_functions

# What others start with, by the module it needs.
ALTERNATIVES: Final = {
    "FastAPI + Mangum + psycopg": ("fastapi", "import psycopg, fastapi\nfrom mangum import Mangum"),
    "the reference and botocore's URL signer": ("botocore", f"{REFERENCE}\nfrom botocore.auth import S3SigV4QueryAuth"),
    "the reference and a boto3 client": ("boto3", f"{REFERENCE}\nimport boto3\nboto3.client('s3', region_name='auto')"),
}
# FastAPI is no dependency, so this one was measured once: FastAPI 0.165 on Python 3.11, the other packages as locked.
RECORDED: Final = {"FastAPI + Mangum + psycopg": 1.76}


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
    alone = {name: code for name, (module, code) in ALTERNATIVES.items() if importlib.util.find_spec(module)}
    functions = {f"functions.{group}": code for group, code in request_functions().items()}
    counts = cost({"the reference": REFERENCE, **alone}, functions)
    for name in ("the reference", *functions, *alone):
        figure.add(name, f"{counts[name] / 1e6:.0f}", f"{counts[name] / counts['the reference']:.2f}")
    for name, ratio in RECORDED.items():
        if name not in counts:
            figure.add(f"{name} (recorded)", "", f"{ratio:.2f}")
    return figure


def _packages() -> str:
    return "psycopg, pydantic, Starlette, Mangum and Powertools' Logger"
