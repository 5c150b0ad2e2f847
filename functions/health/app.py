"""Health, version and documentation (platform contract, section 3). Every path that belongs to no group comes here too,
and gets 404 in the envelope.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from starlette.responses import Response

from questlog.api import Api
from questlog.errors import Unavailable
from questlog.release import BUILT_AT, COMMIT, SCHEMA_VERSION, VERSION
from questlog.wire import Instant, ResponseModel

from functions.health import readiness, reference

api = Api(__file__)

HERE = Path(__file__).parent
# For connecting and asking together: the answer must be sent within two seconds (platform contract, 3).
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
    """Return a page that shows this document and tries its routes, with the session of the browser that opens it."""
    return reference.page()


@api.get("/docs/{asset}", requires=None, envelope=False)
def docs_asset(asset: str) -> Response:
    """Return the script or the style of that page; nothing of it comes from elsewhere."""
    return reference.asset(asset)


handler = api.handler
