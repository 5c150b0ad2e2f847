"""What a cold start spends on imports, in instructions."""

from typing import Final

from bench.figure import Figure
from tests.support.imports import BUDGET, REFERENCE, can_count, cost, request_functions

# What others start with.
ALTERNATIVES: Final = {
    "FastAPI + Mangum + psycopg": "import psycopg, fastapi\nfrom mangum import Mangum",
    "the usual stack (`bench/peer`)": "import bench.peer.app",
    "the reference and botocore's URL signer": f"{REFERENCE}\nfrom botocore.auth import S3SigV4QueryAuth",
    "the reference and a boto3 client": f"{REFERENCE}\nimport boto3\nboto3.client('s3', region_name='auto')",
}


def measure() -> Figure:
    """Every function, and what else there is, against the reference."""
    figure = Figure(
        "Cold import",
        f"Instructions retired by importing a function in a fresh interpreter, against the reference: {_packages()}. "
        "The garbage collector is off for all of them. "
        f"The suite holds every request function to {BUDGET:.2f}.",
        ("import", "million instructions", "against the reference"),
    )
    if not can_count():
        return figure.without_rows("there is no valgrind here")
    functions = {f"functions.{group}": code for group, code in request_functions().items()}
    counts = cost({"the reference": REFERENCE, **ALTERNATIVES}, functions)
    for name in ("the reference", *functions, *ALTERNATIVES):
        figure.add(name, f"{counts[name] / 1e6:.0f}", f"{counts[name] / counts['the reference']:.2f}")
    return figure


def _packages() -> str:
    return "psycopg, pydantic, Starlette, Mangum and Powertools' Logger"
