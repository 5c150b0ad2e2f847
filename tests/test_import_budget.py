"""Cold starts stay short: what a request function imports is counted, and what it must never import is named."""

import pytest

from tests.support import imports

# Each of these costs every cold start, and has a cheaper way to the same end.
FORBIDDEN = {
    "fastapi": "half as much again as everything we import; the layer's Api does what of it we need",
    "boto3": "a client reads and parses AWS's service descriptions; boto3 is for jobs",
    "botocore.session": "the same; URLs are signed with botocore.auth alone",
    "botocore.client": "the same",
    "botocore.loaders": "the same",
    "aws_xray_sdk": "Powertools' Tracer brings it",
    "aws_lambda_powertools.utilities.parser": "pydantic does its work",
    "aws_lambda_powertools.utilities.idempotency": "the ledger and claim_idempotency_key() do its work",
    "aws_lambda_powertools.utilities.parameters": "settings come from the environment; it brings boto3",
    "html.entities": "a table as large as a group's models; imported where the bucket lists keys",
    "icalendar": "imported where a calendar is read or written, not before",
    "dateutil": "imported where a recurrence is expanded, not before",
    "fsrs.optimizer": "fits weights, for which it wants torch; cards are scheduled with the default ones",
    "cryptography": "15 MB of it",
    "sqlalchemy": "queries are SQL",
    "requests": "a client for the few calls to others is in the standard library",
    "httpx": "the same",
    "aiohttp": "the same",
    "urllib.request": "imported where a provider is asked, not before",
    "psycopg_pool": "an execution environment serves one request at a time, on one connection",
    "pydantic.v1": "a second pydantic",
    "pydantic.functional_serializers": "a hundredth of a start; questlog.wire shows instants without it",
    "pydantic.networks": "brings e-mail validation and idna; an address is text with a length and an @",
    "starlette.applications": "brings the middleware stack; a Router under Mangum is enough",
    "starlette.routing": "compiles an expression for each path; questlog.routing compares segments",
    "starlette.testclient": "for tests",
    "concurrent.futures.thread": "a thread pool per request costs more than the request",
    "multiprocessing": "there is no /dev/shm in Lambda",
    "numpy": "audio is the audio worker's",
    "yaml": "nothing of ours is written in it",
}


def test_functions_import_nothing_heavy() -> None:
    loaded = imports.load({}, imports.request_functions(), count=False)
    assert loaded.keys() == imports.request_functions().keys()
    found = {
        group: {name: FORBIDDEN[name] for name in imported.modules & FORBIDDEN.keys()}
        for group, imported in loaded.items()
    }
    assert {group: heavy for group, heavy in found.items() if heavy} == {}


@pytest.mark.skipif(not imports.can_count(), reason="instructions are counted by valgrind, which is not installed")
def test_functions_stay_within_the_import_budget() -> None:
    """All of them in one test, because they are counted in one process. `make bench` shows each of them."""
    counts = imports.cost({"the reference": imports.REFERENCE}, imports.request_functions())
    reference = counts.pop("the reference")
    ratios = {group: round(count / reference, 3) for group, count in counts.items()}
    assert {group: ratio for group, ratio in ratios.items() if ratio > imports.BUDGET} == {}
