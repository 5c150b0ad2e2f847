"""What holds on every route (platform contract, section 1), asked of every operation of the API's document."""

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest

from docs.openapi import apis, document
from tests.conftest import Client, Database, NewUser, User
from tests.support.rows import Row, likely, paths_of, rows_of
from tests.test_walk import OPERATIONS, Operation, everything_of, inhabit

# What is open to who has agreed to nothing (1.17): data can be taken or removed.
OPEN: Final = ("/auth/", "/admin-access/", "/user/export")
OPEN_TOO: Final = {"GET /user/profile", "DELETE /user/delete"}
# After these the caller is another, or has agreed.
CHANGES_THE_CALLER: Final = {
    *("POST /auth/verify-age", "POST /auth/accept-tos", "POST /auth/signout", "POST /auth/logout"),
    *("DELETE /user/delete", "POST /admin-access/claim"),
}
# Public, and different with a session.
SHOWS_THE_CALLER: Final = {"GET /auth/session", "POST /auth/signout", "POST /auth/logout"}

# Python and pydantic take more of these for whole numbers than JSON does.
NO_NUMBERS: Final = ("x", "1.5", "1.0", "1_0", "+1", " 1", "1 ", "1e1", "0x1", "\u0661", "-", "--1", "\0")
NOT_IN_A_QUERY: Final = {
    "page": ("0", "-1", "1000001"),
    "page_size": ("0", "-1", "101"),
    "limit": ("0", "-1"),
    "cursor": ("x", "AAAA", "\u00e9", "\0", "a" * 5_000, "bnVsbA", "W10", "WzFd", "-1", "9" * 30),
}


def unknown(operation: Operation) -> list[str]:
    """Ids for the operation's path that name nothing."""
    return [str(uuid4())] * operation.parameters


def query_of(operation: Operation) -> dict[str, dict[str, Any]]:
    """The schemas of what the operation takes in its query, by their names."""
    described = document()["paths"][operation.path][operation.method.lower()]
    return {one["name"]: one["schema"] for one in described["parameters"] if one["in"] == "query"}


def not_in(name: str, schema: dict[str, Any]) -> tuple[str, ...]:
    """What a parameter of a query does not take."""
    types = [member.get("type") for member in (schema, *schema.get("anyOf", ()))]
    return (*NOT_IN_A_QUERY.get(name, ()), *(NO_NUMBERS if "integer" in types else ()))


def found_by(operation: Operation, user: User, rows: list[Row]) -> tuple[str, ...] | None:
    """Ids of the user's that the operation finds; None where it finds none."""
    if operation.parameters == 0:
        return ()
    paths = paths_of(likely(rows, operation.path), operation.parameters)
    ids = (tuple(row.id for row in path) for path in paths)
    return next((one for one in ids if operation.ask(user, *one).status != 404), None)


# Consent (1.17) ------------------------------------------------------------------------------------------------------


def is_open(operation: Operation) -> bool:
    return operation.path.startswith(OPEN) or str(operation) in OPEN_TOO


@pytest.mark.parametrize("missing", ["age_verification_required", "tos_required"])
def test_who_has_agreed_to_nothing_may_take_or_remove_data_and_no_more(
    new_user: NewUser, database: Database, missing: str
) -> None:
    def newcomer() -> User:
        user = new_user(role="admin", consented=missing == "tos_required")
        database.query("UPDATE users SET tos_version = 'before' WHERE id = %s AND tos_version IS NOT NULL", user.id)
        return user

    user = newcomer()
    for operation in (one for one in OPERATIONS if not one.public):
        answer = operation.ask(user, *unknown(operation))
        if not is_open(operation):
            answer.refused(403, missing)
        elif answer.status >= 400:
            assert answer.error["type"] not in ("age_verification_required", "tos_required"), str(operation)
        if str(operation) in CHANGES_THE_CALLER:
            user = newcomer()


# Forgery (1.13) ------------------------------------------------------------------------------------------------------


def test_another_site_changes_nothing_by_any_route(new_user: NewUser, database: Database) -> None:
    user = new_user(role="admin")
    inhabit(user)
    before = everything_of(user, database)
    forged = Client(user.token, origin="https://evil.test")
    for operation in OPERATIONS:
        if operation.method != "GET":
            operation.ask(forged, *unknown(operation)).refused(403, "csrf_violation")
    after = everything_of(user, database)
    noted = [row["row"]["event_type"] for row in after.pop("audit_log") if row not in before["audit_log"]]
    assert set(noted) == {"csrf_violation"}
    assert after == {table: rows for table, rows in before.items() if table != "audit_log"}


# Caches (1.10, 1.11) -------------------------------------------------------------------------------------------------


def test_no_cache_keeps_what_a_session_sees(new_user: NewUser, database: Database) -> None:
    """But the user's own may keep what has a tag, to ask whether it still holds."""
    user = new_user(role="admin")
    inhabit(user)
    rows = rows_of(user.id, database)
    found = 0
    for operation in (one for one in OPERATIONS if not one.public or str(one) in SHOWS_THE_CALLER):
        ids = found_by(operation, user, rows) if operation.method == "GET" else None
        answer = operation.ask(user, *(unknown(operation) if ids is None else ids))
        kept = {"no-store", "private, no-cache"} if "etag" in answer.headers else {"no-store"}
        assert answer.headers["cache-control"] in kept, (str(operation), answer.status)
        found += answer.status == 200
        if str(operation) in CHANGES_THE_CALLER:
            user = new_user(role="admin")
    assert found > 100


# Methods (1.1) -------------------------------------------------------------------------------------------------------


def test_a_method_that_a_path_does_not_take(user: User, stranger: Client) -> None:
    """Refused before anything else: the body, the session, the forgery."""
    methods: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        methods.setdefault(operation.path, set()).add(operation.method)
    of_path = {operation.path: operation for operation in OPERATIONS}
    forged = Client(user.token, origin="https://evil.test")
    for path, taken in methods.items():
        known = of_path[path]
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"} - taken:
            other = Operation(method, path, known.public, known.administrative, known.numbers, None)
            for client in (stranger, forged):
                answer = other.ask(client, *unknown(known), body=b"{")
                answer.refused(405, "method_not_allowed")
                assert {*answer.headers["allow"].split(", ")} - {"HEAD"} == taken, path


# Numbers, pages and cursors (1.7, 1.8) -------------------------------------------------------------------------------


def test_numbers_limits_and_cursors_that_are_none(new_user: NewUser, database: Database) -> None:
    user = new_user(role="admin")
    inhabit(user)
    rows = rows_of(user.id, database)
    held: Counter[str] = Counter()
    for operation in (one for one in OPERATIONS if one.method == "GET"):
        refused = {name: values for name, schema in query_of(operation).items() if (values := not_in(name, schema))}
        ids = found_by(operation, user, rows) if refused else None
        if ids is not None:
            held.update(refused.keys())
            for name, value in [(name, value) for name, values in refused.items() for value in values]:
                answer = operation.ask(user, *ids, query={name: value})
                fields = {entry["field"] for entry in answer.refused(400, "validation_error")["fields"]}
                assert name in fields, (str(operation), name, value)
    assert held["page"] > 30
    assert held["page_size"] > 30
    assert held["limit"] > 5
    assert held["days"] > 5
    assert held["cursor"] > 2
    assert held.keys() >= {"offset", "older_than_days", "part", "points", "weeks", "year"}


def test_numbers_in_a_path_that_are_none(new_user: NewUser, database: Database) -> None:
    """404, below an id that names something."""
    user = new_user(role="admin")
    inhabit(user)
    rows = rows_of(user.id, database)
    found = [(one, ids) for one in OPERATIONS if one.numbers if (ids := found_by(one, user, rows))]
    for operation, ids in found:
        for number in ("1_", "0_1", "+1", "%201", "1%20", "1.0", "x", "\u0661"):
            operation.ask(user, *ids, number=number).refused(404, "not_found")
    assert len(found) > 2


# Logs and errors (1.3, 1.9, section 8) -------------------------------------------------------------------------------

MARK: Final = "zebra4711"


def marked(value: Any) -> Any:
    """The least a body holds, with the mark in each of its texts."""
    if isinstance(value, dict):
        return {key: marked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [marked(inner) for inner in value]
    return MARK if value == "x" else value


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What all groups log from now on, every line of it."""
    lines = io.StringIO()
    loggers = [logging.getLogger(name) for name in {api.name for api in apis()}]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        [handler] = logger.handlers
        monkeypatch.setattr(handler, "stream", lines)
        logger.setLevel(logging.DEBUG)
    yield lines
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_no_log_and_no_error_holds_what_was_sent_or_who_sent_it(
    new_user: NewUser, database: Database, logged: io.StringIO
) -> None:
    users = [new_user(role="admin") for _ in range(2)]
    inhabit(users[-1])
    errors = []
    for operation in OPERATIONS:
        for body in (marked(operation.body), {MARK: MARK, "name": MARK * 500, "title": [MARK]}):
            query = {"q": MARK, "search": MARK, "cursor": MARK, "redirect_uri": MARK}
            answer = operation.ask(users[-1], *[MARK] * operation.parameters, body=body, query=query)
            if (
                answer.status >= 400 and "query_failed" not in answer.text
            ):  # the console says what is wrong with its SQL
                errors.append(answer.text)
            if answer.status == 401 or str(operation) in CHANGES_THE_CALLER:
                users.append(new_user(role="admin"))
    lines = logged.getvalue()
    assert len(lines.splitlines()) >= len(OPERATIONS)
    secrets = [secret for user in users for secret in (user.token or "", user.email)]
    assert [secret for secret in (MARK, *secrets) if secret in lines] == []
    assert [(secret, error) for secret in secrets for error in errors if secret in error] == []
    assert [error for error in errors if re.search(r"\b(SELECT|INSERT|UPDATE|psycopg|Traceback)\b", error)] == []
    details = database.query(
        "SELECT event_type, details FROM audit_log WHERE details::text ~ '@|questlog.test' OR details::text LIKE %s",
        f"%{MARK}%",
    )
    # What an administrator asks the database is kept without its literals, and names of columns are none.
    assert {row["event_type"] for row in details} <= {"db_query"}
