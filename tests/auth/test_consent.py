"""POST /auth/verify-age and POST /auth/accept-tos."""

from typing import Any

import pytest

from tests.auth.conftest import Audited, Configure
from tests.conftest import Database, NewUser, User, at_once
from tests.support.client import Client


@pytest.fixture
def newcomer(new_user: NewUser) -> User:
    return new_user(consented=False)


def consent_of(database: Database, user: User) -> Any:
    [row] = database.query("SELECT age_verified_at, tos_version, tos_accepted_at FROM users WHERE id = %s", user.id)
    return row


NOTHING = {"age_verified_at": None, "tos_version": None, "tos_accepted_at": None}


def test_the_gate(newcomer: User) -> None:
    newcomer.get("/focus/active").refused(403, "age_verification_required")
    newcomer.post("/auth/verify-age", {"is_16_or_older": True})
    assert newcomer.get("/focus/active").refused(403, "tos_required") == {"current": "1.0"}
    newcomer.post("/auth/accept-tos", {"accepted": True})
    assert newcomer.get("/focus/active").status == 200


def test_what_is_open_without_consent(newcomer: User) -> None:
    for path in ("/auth/session", "/auth/me", "/auth/sessions", "/admin-access/status", "/admin-access/check"):
        assert newcomer.get(path).status == 200, path
    assert newcomer.post("/auth/sessions", {"name": "Script"}).status == 200
    assert newcomer.delete("/auth/sessions").status == 200


@pytest.mark.parametrize(
    "body",
    [{"is_16_or_older": True}, {"is_13_or_older": True}, {"is_16_or_older": True, "is_13_or_older": True, "x": False}],
)
def test_old_enough(newcomer: User, database: Database, audited: Audited, body: dict[str, bool]) -> None:
    answer = newcomer.post("/auth/verify-age", body)
    assert answer.data == {"age_verified": True, "minimum_age": 16}
    assert newcomer.get("/auth/me").json["ageVerified"] is True
    assert audited(answer) == [("age_verified", "success", {})]
    assert answer.cookies == (), "age keeps the token"
    at = consent_of(database, newcomer)["age_verified_at"]
    again = newcomer.post("/auth/verify-age", body)
    assert again.data == answer.data
    assert audited(again) == []
    assert consent_of(database, newcomer)["age_verified_at"] == at


@pytest.mark.parametrize(
    "body", [{"is_16_or_older": False}, {"is_13_or_older": False}, {"is_16_or_older": False, "is_13_or_older": True}]
)
def test_too_young(newcomer: User, database: Database, configure: Configure, body: dict[str, bool]) -> None:
    configure(MINIMUM_AGE="14")
    assert newcomer.post("/auth/verify-age", body).refused(403, "age_verification_required") == {"minimum_age": 14}
    assert consent_of(database, newcomer) == NOTHING


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        (None, "body"),
        ({"age": 20}, "body"),
        ({"is_16_or_older": None}, "is_16_or_older"),
        ({"is_16_or_older": "true"}, "is_16_or_older"),
        ({"is_13_or_older": 1}, "is_13_or_older"),
    ],
)
def test_no_answer_about_age(newcomer: User, database: Database, body: Any, field: str) -> None:
    newcomer.post("/auth/verify-age", body).invalid(field)
    assert consent_of(database, newcomer) == NOTHING


@pytest.mark.parametrize("body", [{"accepted": True}, {"accepted": True, "version": "1.0"}])
def test_accepting(newcomer: User, database: Database, audited: Audited, body: dict[str, Any]) -> None:
    answer = newcomer.post("/auth/accept-tos", body)
    assert answer.data["tos_accepted"] is True
    assert answer.data["tos_version"] == "1.0"
    assert answer.data["tos_accepted_at"].endswith("Z")
    assert newcomer.get("/auth/me").json["tosAccepted"] is True
    assert audited(answer) == [("tos_accepted", "success", {"version": "1.0"}), ("age_verified", "success", {})]
    assert newcomer.get("/focus/active").status == 200, "the terms state the age"
    assert answer.cookies == ()
    again = newcomer.post("/auth/accept-tos", body)
    assert again.data == answer.data, "when it was first accepted stays"
    assert audited(again) == []


def test_terms_that_do_not_state_the_age(newcomer: User, configure: Configure) -> None:
    configure(TERMS_STATE_AGE="false")
    assert newcomer.post("/auth/accept-tos", {"accepted": True}).status == 200
    newcomer.get("/focus/active").refused(403, "age_verification_required")


def test_accepting_too_young(newcomer: User, database: Database) -> None:
    answer = newcomer.post("/auth/accept-tos", {"accepted": True, "is_16_or_older": False})
    assert answer.refused(403, "age_verification_required") == {"minimum_age": 16}
    assert consent_of(database, newcomer) == NOTHING


def test_a_new_version(user: User, database: Database, configure: Configure) -> None:
    configure(TOS_VERSION="2.0")
    user.get("/focus/active").refused(403, "tos_required")
    stale = user.post("/auth/accept-tos", {"accepted": True, "version": "1.0"})
    assert stale.refused(409, "tos_version_mismatch") == {"current": "2.0"}
    assert consent_of(database, user)["tos_version"] == "1.0"
    assert user.post("/auth/accept-tos", {"accepted": True, "version": "2.0"}).data["tos_version"] == "2.0"
    assert user.get("/focus/active").status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"accepted": False}, "accepted"),
        ({}, "accepted"),
        ({"accepted": None}, "accepted"),
        ({"accepted": 1}, "accepted"),
        ({"accepted": "true"}, "accepted"),
        ({"accepted": True, "version": 1}, "version"),
    ],
)
def test_not_accepting(newcomer: User, database: Database, body: Any, field: str) -> None:
    newcomer.post("/auth/accept-tos", body).invalid(field)
    assert consent_of(database, newcomer) == NOTHING


@pytest.mark.parametrize("path", ["/auth/verify-age", "/auth/accept-tos"])
def test_without_a_session(stranger: Client, path: str) -> None:
    stranger.post(path, {}).refused(401, "unauthorized")
    stranger.post(path, b"{").refused(400, "validation_error")


def test_at_once(newcomer: User, database: Database) -> None:
    answers = at_once(4, lambda: newcomer.post("/auth/accept-tos", {"accepted": True}))
    assert len({answer.text for answer in answers}) == 1
    rows = database.query("SELECT 1 FROM audit_log WHERE user_id = %s AND event_type = 'tos_accepted'", newcomer.id)
    assert len(rows) == 1


def test_an_api_token_may_consent_for_its_user(newcomer: User) -> None:
    token = newcomer.post("/auth/sessions", {"name": "Script"}).data["token"]
    headers = {"authorization": f"Bearer {token}"}
    assert Client().post("/auth/verify-age", {"is_16_or_older": True}, headers=headers).status == 200
