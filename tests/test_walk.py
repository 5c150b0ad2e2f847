"""A walk over every route of the OpenAPI document: a group added later is walked without being named here.

Each group says in `tests/<group>/inhabit.py` how to leave one of everything in an account. The walk proves that this
covers the group, or another user's ids would be refused only because they name nothing.
"""

import importlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from docs.openapi import document
from tests.conftest import Database, NewUser, User
from tests.support.client import Answer, Bearer, Client
from tests.support.minimal import minimal
from tests.support.routes import BODIES, OF_EVERYONE, QUERIES
from tests.support.rows import Row, likely, paths_of, rows_of
from tests.support.users import create_user

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Operation:
    """One method of one path, and a body it takes."""

    method: str
    path: str
    public: bool
    administrative: bool
    """Whether it asks for an entitlement, with which everyone's ids name something."""
    numbers: frozenset[str]
    """The path's parameters that count from 1 below an id, such as the reads of a book."""
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> int:
        """How many values the path takes that are no numbers."""
        return self.path.count("{") - len(self.numbers)

    def ask(
        self, client: Client, *ids: str, prefix: str = "", number: str = "1", body: Any = None, query: Any = None
    ) -> Answer:
        """Make the request with these values in the path."""
        values = iter(ids)
        path = re.sub(r"{(\w+)}", lambda name: number if name[1] in self.numbers else next(values), self.path)
        own = BODIES.get(str(self)) or self.body
        query = {**QUERIES.get(str(self), {}), **(query or {})}
        return client.request(self.method, prefix + path, body=own if body is None else body, query=query)


def operations() -> Iterator[Operation]:
    api = document()
    schemas = api["components"]["schemas"]
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            body = minimal(content["schema"], schemas) if content else None
            security = operation["security"]
            administrative = any(entitlements for way in security for entitlements in way.values())
            numbers = numbers_in_path(operation)
            yield Operation(method.upper(), path, not security, administrative, numbers, body)


def numbers_in_path(operation: dict[str, Any]) -> frozenset[str]:
    parameters = operation.get("parameters", [])
    return frozenset(p["name"] for p in parameters if p["in"] == "path" and p["schema"].get("type") == "integer")


# What takes a name in its path, not an id, and answers the same whether it names something or not.
NAMED = {"DELETE /settings/{key}"}
# Shared content, of which nobody owns an id.
SHARED = (
    "/reference/listening/templates/",
    "/learn/topics/",
    "/learn/lessons/",
    "/learn/drills/",
    "/learn/decks/public/",
)

OPERATIONS = list(operations())
IDENTIFIED = [
    op for op in OPERATIONS if op.parameters and not (op.public or op.administrative) and str(op) not in NAMED
]


def inhabit(user: User) -> None:
    for path in sorted(HERE.glob("*/inhabit.py")):
        importlib.import_module(f"tests.{path.parent.name}.inhabit").inhabit(user)


def everything_of(user: User, database: Database) -> dict[str, list[Any]]:
    """All rows of a user but the session, whose last activity is noted."""
    tables = database.query(
        "SELECT table_name AS name, column_name AS owner FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name IN ('user_id', 'owner_id') AND table_name <> 'sessions'"
        "   AND table_name IN (SELECT tablename FROM pg_tables)"
    )
    return {
        table["name"]: database.query(
            f'SELECT to_jsonb(t) AS row FROM "{table["name"]}" AS t WHERE {table["owner"]} = %s ORDER BY t::text',
            user.id,
        )
        for table in tables
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_without_a_session_only_what_says_so_answers(operation: Operation, stranger: Client) -> None:
    for prefix in ("", "/api"):
        answer = operation.ask(stranger, *[str(uuid4())] * operation.parameters, prefix=prefix)
        if operation.public:
            assert answer.status not in (401, 403), answer.text
        else:
            answer.refused(401, "unauthorized")


@pytest.fixture
def asker(
    request: pytest.FixtureRequest, operation: Operation, database: Database, new_user: NewUser
) -> Iterator[User]:
    """An administrator; in a database without other users for an operation that looks at everyone's rows."""
    if str(operation) not in OF_EVERYONE:
        yield new_user(role="admin")
        return
    untouched: Database = request.getfixturevalue("untouched")
    untouched.set_limits(generous=True)
    untouched.serve()
    with untouched.admin() as connection:
        user = create_user(connection, role="admin")
    yield user
    database.serve()


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_nonsense_is_refused_in_the_envelope(operation: Operation, asker: User) -> None:
    bodies: list[Any] = [
        {},
        {"id": None, "x": []},
        b"[1]",
        b"{",
        b'"text"',
        b"\xff\xfe",
        b'{"a":"\\u0000"}',
        b'{"a":1e999}',
    ]
    bodies += [b'{"a":99999999999999999999}', b'{"a":"\\ud800"}', b"nul", b"[" * 10_000]
    for body, value in itertools.zip_longest(bodies, ["not-a-uuid", "%00", "'", "..", "%F0%9F%8E%89"], fillvalue="0"):
        answer = operation.ask(asker, *[str(value)] * operation.parameters, body=body)
        assert answer.status < 500, (body, value, answer.text)
        if answer.status >= 400 and not answer.is_json_rpc:
            assert answer.error["type"], answer.text


def test_a_token_that_only_reads_changes_nothing(new_user: NewUser, database: Database) -> None:
    """By no route at all, whatever the role; and what only reads is as open to it as to a browser."""
    owner = new_user(role="admin")
    inhabit(owner)
    token = Bearer(owner.post("/auth/sessions", {"name": "Reads", "scope": "read"}).data["token"])
    before = everything_of(owner, database)
    for operation in OPERATIONS:
        if operation.path == "/mcp":
            # Its tools are routes: tests/mcp calls each of them with such a token.
            continue
        answer = operation.ask(token, *[str(uuid4())] * operation.parameters)
        if operation.method == "GET":
            assert answer.status != 401, str(operation)
            assert "may only read" not in answer.text, str(operation)
        elif not operation.public:
            answer.refused(403, "forbidden")
            assert answer.error["message"].startswith("This API token may only read"), str(operation)
    after = everything_of(owner, database)
    # That someone took a copy of everything is noted.
    noted = [row["row"]["action"] for row in after.pop("audit_log") if row not in before["audit_log"]]
    assert set(noted) <= {"read"}
    assert after == {table: rows for table, rows in before.items() if table != "audit_log"}


def test_another_users_ids_name_nothing(new_user: NewUser, database: Database) -> None:
    """Neither ids that are all another user's, nor another user's below one of the caller's own."""
    owner, intruder = new_user(), new_user()
    inhabit(owner)
    inhabit(intruder)
    before = everything_of(owner, database)
    rows = rows_of(owner.id, database)
    own = {row.table: row.id for row in rows_of(intruder.id, database)}
    for operation in IDENTIFIED:
        for path in paths_of(likely(rows, operation.path), operation.parameters):
            *above, last = path
            for values in {tuple(row.id for row in path), (*(own[row.table] for row in above), last.id)}:
                answer = operation.ask(intruder, *values)
                assert answer.status == 404, (str(operation), values, answer.text)
    assert everything_of(owner, database) == before


def test_the_walk_reaches_what_it_is_about(new_user: NewUser, database: Database) -> None:
    """The same ids in their owner's hands name something on every route, or the test before proves nothing."""
    reached = Reach(new_user, database)
    unreached = [str(op) for op in IDENTIFIED if not op.path.startswith(SHARED) and not reached(op)]
    assert unreached == []


# UUIDs to Python or Postgres, and malformed on the wire. For the others see tests/layer/test_wire.py.
FORMS: list[Callable[[str], str]] = [lambda id_: f"{{{id_}}}", lambda id_: f"{id_[:4]}-{id_[4:8]}{id_[9:]}"]


def of_each_table(operation: Operation, rows: list[Row]) -> list[list[str]]:
    """Ids for the operation's path: of each table that may be meant, those of one row."""
    paths = paths_of(likely(rows, operation.path), operation.parameters)
    return [[row.id for row in path] for path in {path[-1].table: path for path in paths}.values()]


def test_an_id_is_written_in_one_form(new_user: NewUser, database: Database) -> None:
    """In any other it is malformed, and names nothing (platform contract, 1.4)."""
    owner = new_user()
    inhabit(owner)
    before = everything_of(owner, database)
    rows = rows_of(owner.id, database)
    for operation in IDENTIFIED:
        for *above, last in of_each_table(operation, rows):
            for form in FORMS:
                answer = operation.ask(owner, *above, quote(form(last)))
                assert answer.status == 404, (str(operation), form(last), answer.text)
    after = everything_of(owner, database)
    # What may have written says so, also where it found nothing to write to.
    assert {name for name in after if after[name] != before[name]} <= {"user_revisions"}


def test_an_id_is_written_in_either_case(new_user: NewUser, database: Database) -> None:
    owner = new_user()
    inhabit(owner)
    rows = rows_of(owner.id, database)
    found = 0
    for operation in (one for one in IDENTIFIED if one.method == "GET" and not one.path.startswith("/settings/")):
        for ids in of_each_table(operation, rows):
            if operation.ask(owner, *ids).status == 200:
                found += 1
                assert operation.ask(owner, *(id_.upper() for id_ in ids)).status == 200, (str(operation), ids)
    assert found > 30


class Reach:
    """Whether an operation names something of its owner.

    One owner serves many operations. Where one of them has removed what the next one names, a new owner is made.
    """

    def __init__(self, new_user: NewUser, database: Database) -> None:
        self.new_user, self.database = new_user, database
        self.move()

    def move(self) -> None:
        self.owner = self.new_user()
        inhabit(self.owner)

    def __call__(self, operation: Operation) -> bool:
        if self.names_something(operation):
            return True
        self.move()
        return self.names_something(operation)

    def names_something(self, operation: Operation) -> bool:
        rows = likely(rows_of(self.owner.id, self.database), operation.path)
        paths = paths_of(rows, operation.parameters)
        return any(operation.ask(self.owner, *(row.id for row in path)).status != 404 for path in paths)
