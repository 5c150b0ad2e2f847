"""Whether Questlog runs, which one it is, what it offers (platform contract, section 3). Also answers for every path
that belongs to no group, with the 404 of the envelope.
"""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from starlette.responses import HTMLResponse, Response

from questlog.api import Api
from questlog.errors import Unavailable
from questlog.release import BUILT_AT, COMMIT, SCHEMA_VERSION, VERSION
from questlog.wire import Instant, ResponseModel

from functions.health import readiness

api = Api(__file__)

HERE = Path(__file__).parent
# For connecting and asking together, so that the answer is out within the two seconds of the platform contract, 3.
DATABASE_SECONDS = 1.5


class Greeting(ResponseModel):
    name: Literal["Questlog"] = "Questlog"
    version: str = VERSION
    docs: str = "/docs"
    openapi: str = "/openapi.json"


class Health(ResponseModel):
    status: Literal["healthy"] = "healthy"
    version: str = VERSION
    schema_version: int
    timestamp: Instant


class Readiness(ResponseModel):
    status: Literal["ready"] = "ready"
    database: Literal["ok"] = "ok"
    schema_version: int


class Release(ResponseModel):
    version: str = VERSION
    schema_version: int
    commit: str | None = COMMIT
    built_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = BUILT_AT


@api.get("/", requires=None, envelope=False)
def greeting() -> Greeting:
    """Return what this is, and where its documentation is."""
    return Greeting()


@api.get("/health", requires=None, envelope=False)
def health() -> Health:
    """Return that this function runs, and the schema version it was built for. It does not ask the database."""
    return Health(schema_version=SCHEMA_VERSION, timestamp=datetime.now(UTC))


@api.get("/health/ready", requires=None, envelope=False)
@api.get("/ready", requires=None, envelope=False)
def ready() -> Readiness:
    """Tell whether requests can be served: the database answers in time, takes writes, and its schema is not behind.

    Else 503, within two seconds whatever the database does.
    """
    [statement] = api.queries.statements("ready", {})
    try:
        version, read_only = readiness.answer(statement.sql, DATABASE_SECONDS)
    except readiness.NotReadyError:
        raise Unavailable({"database": "error", "schema_version": None, "expected": SCHEMA_VERSION}) from None
    database = "error" if read_only == "on" else "ok"
    if database != "ok" or int(version) < SCHEMA_VERSION:
        raise Unavailable({"database": database, "schema_version": int(version), "expected": SCHEMA_VERSION})
    return Readiness(schema_version=int(version))


@api.get("/version", requires=None, envelope=False)
def version() -> Release:
    """Return which release this is."""
    return Release(schema_version=SCHEMA_VERSION)


@api.get("/openapi.json", requires=None, envelope=False)
def openapi() -> Response:
    """Return every route as an OpenAPI 3.1 document."""
    return Response((HERE / "openapi.json").read_bytes(), media_type="application/json")


@api.get("/docs", requires=None, envelope=False)
def docs() -> Response:
    """Return the OpenAPI document as a page to read. It loads no script from elsewhere."""
    page = (HERE / "docs.html").read_text("utf-8")
    return HTMLResponse(page, headers={"Content-Security-Policy": _policy_of(page)})


def _policy_of(page: str) -> str:
    """A content security policy under which the page's own style and script run and nothing else (CSP Level 3)."""

    def source(tag: str) -> str:
        inline = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        return f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'"

    sources = {"script-src": source("script"), "style-src": source("style"), "connect-src": "'self'"}
    closed = dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'")
    return "; ".join(f"{directive} {allowed}" for directive, allowed in (closed | sources).items())


handler = api.handler
