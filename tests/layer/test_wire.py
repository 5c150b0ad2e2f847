"""What holds on every route (platform contract, section 1), tried on a few."""

import json
import re
from urllib.parse import quote
from uuid import UUID

import pytest

from questlog.identity import session_cookie_name

from tests.conftest import Client, Database, NewUser, User
from tests.support.client import gateway_event, invoke

ALLOWED = "https://questlog.test"


@pytest.mark.parametrize("path", ["/nope", "/focus/a/b/c/d", "/focusing", "/api", "/api/nope", "/health/", "/focus/"])
def test_an_unknown_path_is_404_with_or_without_a_session(path: str, user: User, stranger: Client) -> None:
    for client in (user, stranger):
        answer = client.get(path)
        if path == "/api":
            assert answer.json["name"] == "Questlog"
        else:
            answer.refused(404, "not_found")


def test_a_known_path_names_the_methods_it_takes(stranger: Client) -> None:
    answer = stranger.put("/focus/pause", {})
    answer.refused(405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, POST"


def test_head_is_get(user: User) -> None:
    assert user.request("HEAD", "/focus/active").status == 200


def test_both_prefixes_are_the_same_route(user: User) -> None:
    assert user.get("/api/focus").json == user.get("/focus").json


@pytest.mark.parametrize(
    ("content", "content_type", "status", "error"),
    [
        (b"{", "application/json", 400, "validation_error"),
        (b"\xff", "application/json", 400, "validation_error"),
        (b"[]", "application/json", 400, "validation_error"),
        (b"null", "application/json", 400, "validation_error"),
        (b'{"a": NaN}', "application/json", 400, "validation_error"),
        (b'{"task_title": "a\\u0000b"}', "application/json", 400, "validation_error"),
        (b'{"task_title": "\\ud800"}', "application/json", 400, "validation_error"),
        (b'{"a\\u0000": 1}', "application/json", 400, "validation_error"),
        (b'{"x": 9223372036854775808}', "application/json", 400, "validation_error"),
        (b'{"x": {"y": [-9223372036854775809]}}', "application/json", 400, "validation_error"),
        (b'{"x": 1e999}', "application/json", 400, "validation_error"),
        (b"[" * 100_000, "application/json", 400, "validation_error"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b" " * 1_048_577, "application/json", 413, "payload_too_large"),
        (b" " * 1_048_577, "text/plain", 413, "payload_too_large"),
    ],
    ids=str,
)
def test_a_malformed_body(user: User, content: bytes, content_type: str, status: int, error: str) -> None:
    # A malformed body is refused before anyone is asked who they are.
    for client in (user, Client()):
        client.post("/focus", content, headers={"content-type": content_type}).refused(status, error)
    assert user.get("/focus").data["total"] == 0


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "text/plain"),
        (b"{}", "application/json; charset=utf-8"),
        (b"{}", "application/merge-patch+json"),
        (b'{"unknown": {"deep": [1, 2.5, true, null]}}', "application/json"),
        (b'{"task_title": "' + b"\\ud83d\\ude00" + b'"}', "APPLICATION/JSON"),
        (b" " * (1_048_576 - 2) + b"{}", "application/json"),
    ],
    ids=["empty", "charset", "+json", "unknown fields", "surrogate pair", "1 MiB exactly"],
)
def test_a_body_that_is_fine(user: User, content: bytes, content_type: str) -> None:
    assert user.post("/focus", content, headers={"content-type": content_type}).status == 200


def test_a_body_without_a_content_type_is_json(user: User) -> None:
    event = gateway_event(
        "POST", "/focus", cookies={session_cookie_name(): user.token or ""}, body=b'{"mode": "break"}'
    )
    del event["headers"]["content-type"]
    assert invoke(event).data["mode"] == "break"


def test_fields_that_are_nobodys_change_nothing(user: User, other: User, database: Database) -> None:
    body = {"user_id": str(other.id), "role": "admin", "coins": 10**6, "xp": 10**6, "xp_awarded": 9, "is_admin": True}
    session = user.post("/focus", body).data
    assert session["xp_awarded"] == 0
    [row] = database.query(
        "SELECT user_id, role FROM focus_sessions JOIN users ON users.id = user_id WHERE user_id = %s", user.id
    )
    assert row == {"user_id": user.id, "role": "user"}


@pytest.mark.parametrize("value", ["true", "false", "1", "0"])
def test_booleans_in_a_query(user: User, value: str) -> None:
    assert user.get("/focus", query={"stats": value}).status == 200


@pytest.mark.parametrize("value", ["yes", "True", "on", "2", "\x00"])
def test_other_booleans_in_a_query(user: User, value: str) -> None:
    user.get("/focus", query={"stats": value}).invalid("stats")


def test_refusals_come_in_order(new_user: NewUser, stranger: Client) -> None:
    fresh = new_user(consented=False)
    foreign = {"Origin": "https://evil.test"}
    bad = {"mode": "nap"}
    Client(fresh.token).post("/focus", b"{", headers=foreign).refused(400, "validation_error")
    Client(fresh.token).post("/focus", bad, headers=foreign).refused(403, "csrf_violation")
    Client("forged").post("/focus", bad).refused(401, "unauthorized")
    Client(fresh.token).post("/focus", bad).refused(403, "age_verification_required")
    Client(fresh.token).post("/focus/not-a-uuid/complete").refused(403, "age_verification_required")
    stranger.post("/focus/not-a-uuid/complete").refused(401, "unauthorized")


def test_a_request_keeps_its_id_or_is_given_one(user: User, stranger: Client) -> None:
    for given in ("abc-1.2_3", "x" * 64):
        assert user.get("/focus", headers={"X-Request-ID": given}).headers["x-request-id"] == given
    for given in ("", "x" * 65, "a b", "é", 'a"b'):
        UUID(user.get("/focus", headers={"X-Request-ID": given}).headers["x-request-id"])
    refused = stranger.get("/focus", headers={"X-Request-ID": "mine"})
    assert refused.json["request_id"] == refused.headers["x-request-id"] == "mine"


def test_every_answer_carries_the_headers(user: User, stranger: Client) -> None:
    tag = user.get("/focus/active").headers["etag"]
    answers = [
        user.get("/focus"),
        user.get("/focus/active", headers={"If-None-Match": tag}),
        stranger.get("/focus"),
        stranger.get("/nope"),
        stranger.put("/health"),
        stranger.request("OPTIONS", "/focus"),
        stranger.get("/auth/signin/azure"),
    ]
    assert [answer.status for answer in answers] == [200, 304, 401, 404, 405, 204, 302]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["x-request-id"])
        assert "origin" in answer.headers["vary"].lower()
    assert answers[0].headers["cache-control"] == answers[2].headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/focus", "/nope", "/health", "/api/focus/x/y"])
def test_preflights_ask_nobody(stranger: Client, path: str) -> None:
    allowed = Client(origin=ALLOWED).request("OPTIONS", path)
    assert (allowed.status, allowed.text) == (204, "")
    assert allowed.headers["access-control-allow-origin"] == ALLOWED
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert allowed.headers["access-control-max-age"] == "7200"
    assert allowed.headers["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert "Idempotency-Key" in allowed.headers["access-control-allow-headers"]
    for origin in ("https://evil.test", "https://questlog.test.evil.test", "https://questlog.test:444", "null"):
        foreign = Client(origin=origin).request("OPTIONS", path)
        assert foreign.status == 204
        assert not [name for name in foreign.headers if name.startswith("access-control")]


def test_cors_names_one_origin_and_what_scripts_may_read(user: User) -> None:
    seen = user.get("/focus", headers={"Origin": ALLOWED}).headers
    assert seen["access-control-allow-origin"] == ALLOWED
    for name in ("X-Request-ID", "ETag", "Content-Disposition", "Retry-After", "Idempotent-Replay"):
        assert name in seen["access-control-expose-headers"]
    assert "access-control-allow-origin" not in user.get("/focus", headers={"Origin": "https://evil.test"}).headers


@pytest.mark.parametrize("site", [None, "same-origin", "none", "same-site", "cross-site"])
@pytest.mark.parametrize(
    "origin",
    [None, ALLOWED, "null", "https://evil.test", "https://questlog.test:444", "https://questlog.test.evil.test"],
)
@pytest.mark.parametrize("by", ["cookie", "bearer", "both"])
def test_forgery(user: User, site: str | None, origin: str | None, by: str) -> None:
    headers = {"Sec-Fetch-Site": site or "", "Origin": origin or ""}
    if by != "cookie":
        headers["Authorization"] = f"Bearer {user.token}"
    client = Client(None if by == "bearer" else user.token)
    answer = client.post("/focus/libraries", {"name": "x"}, headers=headers)
    fine = by != "cookie" or site in ("same-origin", "none") or origin == ALLOWED or (site is None and origin is None)
    if fine:
        assert answer.status == 200
    else:
        answer.refused(403, "csrf_violation")
    assert client.get("/focus", headers=headers).status == 200


def test_a_forgery_is_in_its_users_audit_trail(user: User, database: Database) -> None:
    headers = {"Origin": "https://evil.test", "X-Request-ID": "forged-1"}
    user.post("/focus", {}, headers=headers).refused(403, "csrf_violation")
    Client("nobody's").post("/focus", {}, headers=headers).refused(403, "csrf_violation")
    rows = database.query(
        "SELECT user_id, event_type, status, host(ip_address) AS ip FROM audit_log WHERE request_id = 'forged-1'"
    )
    assert rows == [{"user_id": user.id, "event_type": "csrf_violation", "status": "denied", "ip": "192.0.2.1"}]


def test_a_bearer_decides_who_it_is(user: User, other: User) -> None:
    library = other.post("/focus/libraries", {"name": "Other's"}).data["id"]
    both = user.get(f"/focus/libraries/{library}", headers={"Authorization": f"Bearer {other.token}"})
    assert both.data["id"] == library
    user.get("/focus", headers={"Authorization": "Bearer forged"}).refused(401, "unauthorized")


@pytest.mark.parametrize(
    "page", ["0", "-1", "x", "1.5", "99999999999999999999", " ", "1.0", "1_0", " 1", "1e1", "+1", "\u0661"]
)
def test_pages_that_are_none(user: User, page: str) -> None:
    user.get("/focus", query={"page": page}).invalid("page")


@pytest.mark.parametrize("form", ["{{{}}}", "urn:uuid:{}", "uuid:{}", " {}", "{} ", "{}0", "({})"])
def test_ids_that_are_none(user: User, form: str) -> None:
    """A UUID has one form: other programs' spellings of one are malformed in a path (1.4), and no value in a query."""
    library = user.post("/focus/libraries", {"name": "Mine"}).data["id"]
    for id_ in (form.format(library), form.format(library.replace("-", ""))):
        user.get(f"/focus/libraries/{quote(id_)}").refused(404, "not_found")
        user.get("/learn/cards/due", query={"deck_id": id_}).invalid("deck_id")
    for id_ in (library.replace("-", ""), library.replace("-", "_"), f"{library[:-2]}_1"):
        user.get(f"/focus/libraries/{id_}").refused(404, "not_found")
    assert user.get(f"/focus/libraries/{library.upper()}").data["id"] == library


def test_an_absurd_page_is_empty(user: User) -> None:
    assert user.get("/focus", query={"page": 1_000_000, "page_size": 100}).data["sessions"] == []


def test_nothing_leaks_from_a_fault(
    user: User, database: Database, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A constraint nobody foresaw: 500 without a word of SQL, and a log line without a value."""
    database.query("ALTER TABLE focus_libraries ADD CONSTRAINT surprise CHECK (name <> 'boom-4711') NOT VALID")
    try:
        answer = user.post("/focus/libraries", {"name": "boom-4711"})
    finally:
        database.query("ALTER TABLE focus_libraries DROP CONSTRAINT surprise")
    assert answer.refused(500, "internal_error") == {}
    printed = capsys.readouterr().out + caplog.text + json.dumps(answer.json)
    assert "boom-4711" not in printed
    assert "INSERT" not in printed
    assert user.token
    assert user.token not in printed
