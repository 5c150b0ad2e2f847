"""The routes /admin-access/*: how an installation gets its first administrator."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.auth.conftest import Audited, Configure, fill_limit
from tests.conftest import ENVIRONMENT, Database, NewUser, User, at_once
from tests.support.client import Answer, Client

KEY = ENVIRONMENT["ADMIN_CLAIM_KEY"]
CLAIM = "/admin-access/claim"


@pytest.fixture(autouse=True)
def _no_administrator(database: Database) -> Iterator[None]:
    """Other tests' users may be administrators of this database."""
    demote = "UPDATE users SET role = 'user' WHERE role = 'admin'"
    database.query(demote)
    yield
    database.query(demote)


def token_of(answer: Answer) -> str:
    attributes = answer.cookie("__Host-session")
    [token] = attributes - {"path=/", "httponly", "samesite=lax", "max-age=2592000", "secure"}
    return token


def role_of(database: Database, user: User) -> Any:
    return database.query("SELECT role FROM users WHERE id = %s", user.id)[0]["role"]


def test_status_and_check(user: User, other: User) -> None:
    who = {"id": str(user.id), "email": user.email, "name": "Test"}
    assert user.get("/admin-access/status").json == {"isAdmin": False, "canClaim": True, "user": who}
    assert user.get("/admin-access/check").json == {"is_admin": False, "can_claim": True}
    claimed = Client(token_of(user.post(CLAIM, {"claimKey": KEY})))
    assert claimed.get("/admin-access/status").json == {"isAdmin": True, "canClaim": False, "user": who}
    assert claimed.get("/admin-access/check").json == {"is_admin": True, "can_claim": False}
    assert other.get("/admin-access/check").json == {"is_admin": False, "can_claim": False}


def test_claiming(user: User, database: Database, audited: Audited) -> None:
    [session] = database.query("SELECT id, expires_at FROM sessions WHERE user_id = %s", user.id)
    answer = user.post(CLAIM, {"claimKey": KEY})
    assert answer.status == 200
    assert answer.json == {"success": True, "message": "You are an administrator now."}
    assert audited(answer) == [("admin_claimed", "success", {})]
    user.get("/auth/me").refused(401, "unauthorized")
    claimed = Client(token_of(answer))
    assert claimed.get("/auth/me").json["is_admin"] is True
    assert database.query("SELECT id, expires_at FROM sessions WHERE user_id = %s", user.id) == [session]


@pytest.mark.parametrize("key", ["wrong", KEY + "x", KEY[:-1], KEY.upper(), "ü"])
def test_a_wrong_key(user: User, database: Database, audited: Audited, key: str) -> None:
    answer = user.post(CLAIM, {"claimKey": key})
    answer.refused(403, "forbidden")
    assert answer.cookies == ()
    assert audited(answer) == [("admin_claim_denied", "denied", {"reason": "wrong_key"})]
    assert role_of(database, user) == "user"
    assert user.get("/auth/me").status == 200


def test_claiming_is_off_without_a_key(user: User, database: Database, configure: Configure, audited: Audited) -> None:
    configure(ADMIN_CLAIM_KEY=None)
    assert user.get("/admin-access/check").json == {"is_admin": False, "can_claim": False}
    answer = user.post(CLAIM, {"claimKey": KEY})
    answer.refused(403, "forbidden")
    assert audited(answer)[0][:2] == ("admin_claim_denied", "denied")
    assert role_of(database, user) == "user"


def test_only_while_there_is_no_administrator(
    user: User, new_user: NewUser, database: Database, audited: Audited
) -> None:
    new_user(role="admin")
    answer = user.post(CLAIM, {"claimKey": KEY})
    answer.refused(409, "admin_exists")
    assert answer.cookies == ()
    assert audited(answer) == [("admin_claim_denied", "denied", {"reason": "admin_exists"})]
    user.post(CLAIM, {"claimKey": "wrong"}).refused(403, "forbidden")
    assert role_of(database, user) == "user"


def test_a_suspended_administrator_does_not_count(user: User, new_user: NewUser, database: Database) -> None:
    """Nobody could administrate otherwise (platform contract, 7.5)."""
    suspended = new_user(role="admin")
    assert user.get("/admin-access/check").json == {"is_admin": False, "can_claim": False}
    database.query("UPDATE users SET approved = false WHERE id = %s", suspended.id)
    assert user.get("/admin-access/check").json == {"is_admin": False, "can_claim": True}
    assert user.post(CLAIM, {"claimKey": KEY}).status == 200
    assert role_of(database, user) == "admin"


def test_of_many_claims_at_once_one_wins(new_user: NewUser, database: Database) -> None:
    users = [new_user() for _ in range(5)]
    waiting = list(users)
    answers = at_once(5, lambda: waiting.pop().post(CLAIM, {"claimKey": KEY}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert [role_of(database, user) for user in users].count("admin") == 1


def test_one_claim_twice_at_once(user: User, database: Database) -> None:
    answers = at_once(2, lambda: user.post(CLAIM, {"claimKey": KEY}))
    [won] = [answer for answer in answers if answer.status == 200]
    [lost] = [answer for answer in answers if answer.status != 200]
    assert lost.error["type"] in ("unauthorized", "admin_exists")
    assert Client(token_of(won)).get("/auth/me").json["is_admin"] is True


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "claim"}])
def test_five_wrong_keys_an_hour(
    user: User, other: User, database: Database, audited: Audited, headers: dict[str, str]
) -> None:
    bucket = f"claim:{user.id}"
    for _ in range(2):
        user.post(CLAIM, {"claimKey": "wrong"}, headers=headers).refused(403, "forbidden")
    assert sum(row["count"] for row in database.query("SELECT count FROM rate_limits WHERE bucket = %s", bucket)) == 2
    fill_limit(database, bucket, "1 hour", 4)
    user.post(CLAIM, {"claimKey": "wrong"}, headers=headers).refused(403, "forbidden")
    fill_limit(database, bucket, "1 hour", 5)
    for key in ("wrong", KEY):
        answer = user.post(CLAIM, {"claimKey": key}, headers=headers)
        answer.refused(429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 3600
        assert audited(answer) == []
    assert role_of(database, user) == "user"
    assert other.post(CLAIM, {"claimKey": KEY}).status == 200


def test_wrong_keys_at_once_are_counted_each(user: User, database: Database) -> None:
    fill_limit(database, f"claim:{user.id}", "1 hour", 2)
    answers = at_once(8, lambda: user.post(CLAIM, {"claimKey": "wrong"}))
    assert sorted(answer.status for answer in answers) == [403] * 3 + [429] * 5


def test_a_right_key_counts_for_nothing(user: User, new_user: NewUser, database: Database) -> None:
    new_user(role="admin")
    for _ in range(7):
        user.post(CLAIM, {"claimKey": KEY}).refused(409, "admin_exists")


@pytest.mark.parametrize(
    "body", [{}, {"claimKey": ""}, {"claimKey": "  "}, {"claimKey": 5}, {"claimKey": None}, {"claim_key": KEY}]
)
def test_no_key(user: User, database: Database, body: Any) -> None:
    user.post(CLAIM, body).invalid("claimKey")
    assert database.query("SELECT 1 FROM rate_limits WHERE bucket = %s", f"claim:{user.id}") == []


def test_without_a_session(stranger: Client) -> None:
    stranger.get("/admin-access/status").refused(401, "unauthorized")
    stranger.get("/admin-access/check").refused(401, "unauthorized")
    stranger.post(CLAIM, {"claimKey": KEY}).refused(401, "unauthorized")


def test_a_suspended_user_cannot(user: User, database: Database) -> None:
    database.query("UPDATE users SET approved = false WHERE id = %s", user.id)
    user.post(CLAIM, {"claimKey": KEY}).refused(401, "unauthorized")


def test_the_key_reaches_no_log(
    user: User, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    user.post(CLAIM, {"claimKey": "a-wrong-key"})
    user.post(CLAIM, {"claimKey": KEY})
    printed = "".join(capfd.readouterr()) + caplog.text
    assert "a-wrong-key" not in printed
    assert KEY not in printed
