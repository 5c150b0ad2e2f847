"""Every date and time that a route takes, at the edges of the calendar (platform contract, 1.7).

The fields are found in the API's document, so that a route added later is held to it too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from docs.openapi import document
from tests.conftest import Database, NewUser, User
from tests.support.client import Answer
from tests.support.minimal import minimal
from tests.support.routes import BODIES
from tests.support.rows import likely, paths_of, rows_of
from tests.test_walk import Operation, inhabit, operations

Schema = dict[str, Any]
Make = Callable[[Any], Any]

# Within the years once in UTC, or not; and what is no time at all.
INSIDE: Final = {
    "date": ("1600-01-01", "2199-12-31"),
    "date-time": ("1600-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z", "2200-01-01T00:30:00+01:00"),
}
OUTSIDE: Final = {
    "date": ("0001-01-01", "1599-12-31", "2200-01-01", "9999-12-31"),
    "date-time": (
        "0001-01-01T00:00:00+14:00",
        "1599-12-31T23:59:59Z",
        "1600-01-01T00:30:00+01:00",
        "2200-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
    ),
}
NO_TIMES: Final = (1_900_000_000, "1900000000", 1e308, "-1", "infinity", "now", True)


@dataclass(frozen=True)
class Field:
    """A date or time of a route, and the query or body that holds a value there beside the least the route needs."""

    operation: Operation
    name: str
    format: str
    in_query: bool
    make: Make

    def __str__(self) -> str:
        return f"{self.operation} {self.name}"

    def ask(self, user: User, value: Any, *ids: str) -> Answer:
        sent = self.make(value)
        if self.in_query:
            return self.operation.ask(user, *ids, query=sent)
        own = BODIES.get(str(self.operation))
        return self.operation.ask(user, *ids, body={**own, **sent} if isinstance(own, dict) else sent)


def places(schema: Schema, schemas: Schema) -> Iterator[tuple[str, str, Make]]:
    """Each date or time that a schema admits: its dotted path, its format, and what makes a value that holds one."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if schema.get("format") in INSIDE:
        yield "", schema["format"], lambda value: value
    for member in schema.get("anyOf", []):
        yield from places(member, schemas)
    for name, inner in schema.get("properties", {}).items():
        for path, kind, make in places(inner, schemas):
            yield f"{name}.{path}".strip("."), kind, in_object(schema, schemas, name, make)
    for path, kind, make in places(schema["items"], schemas) if "items" in schema else ():
        yield f"0.{path}".strip("."), kind, in_list(make)


def in_object(schema: Schema, schemas: Schema, name: str, make: Make) -> Make:
    return lambda value: {**minimal(schema, schemas), name: make(value)}


def in_list(make: Make) -> Make:
    return lambda value: [make(value)]


def fields() -> Iterator[Field]:
    api = document()
    schemas = api["components"]["schemas"]
    for operation in operations():
        described = api["paths"][operation.path][operation.method.lower()]
        query = {p["name"]: p["schema"] for p in described["parameters"] if p["in"] == "query"}
        body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        required = [p["name"] for p in described["parameters"] if p["in"] == "query" and p.get("required")]
        for schema, in_query in (({"type": "object", "properties": query, "required": required}, True), (body, False)):
            for name, kind, make in places(schema, schemas):
                yield Field(operation, name, kind, in_query, make)


FIELDS = list(fields())


def test_fields_of_both_kinds_are_found() -> None:
    assert {field.format for field in FIELDS} == {"date", "date-time"}
    assert {field.in_query for field in FIELDS} == {True, False}


def ids_found_by(operation: Operation, user: User, database: Database) -> tuple[str, ...]:
    """Ids of the user's that the operation finds, if there are any."""
    paths = paths_of(likely(rows_of(user.id, database), operation.path), operation.parameters)
    ids = (tuple(row.id for row in path) for path in paths)
    return next((one for one in ids if operation.ask(user, *one, body={}).status != 404), ())


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_no_time_at_the_edge_is_a_fault(field: Field, new_user: NewUser) -> None:
    user = new_user(role="admin")
    ids = ["00000000-0000-4000-8000-000000000000"] * field.operation.parameters
    for value in (*OUTSIDE[field.format], *NO_TIMES):
        answer = field.ask(user, value, *ids)
        assert answer.status == 400, (value, answer.text)
        assert field.name in {entry["field"] for entry in answer.error["details"]["fields"]}, (value, answer.text)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_what_is_derived_from_the_edges(zone: str, new_user: NewUser, database: Database) -> None:
    """In the zones whose days begin first and last; a fault here is a time beyond what Python or Postgres holds."""
    user = new_user(role="admin")
    inhabit(user)
    user.put("/user/settings", {"timezone": zone, "day_start_hour": 6})
    by_name = {str(field.operation): field.operation for field in FIELDS}
    found = {name: ids_found_by(operation, user, database) for name, operation in by_name.items()}
    faults = [
        (str(field), value, answer.text)
        for field in FIELDS
        for ids in [found[str(field.operation)]]
        for value in INSIDE[field.format]
        if len(ids) == field.operation.parameters and (answer := field.ask(user, value, *ids)).status >= 500
    ]
    assert faults == []
