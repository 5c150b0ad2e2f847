"""The routes of users (platform contract, section 7)."""

import hashlib
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from questlog.settings import settings

from tests.admin.conftest import audited, while_it_waits
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.support.factories import report
from tests.support.ledger import award, payments, wallet
from tests.support.rows import rows_of

USER = {
    *(
        "id",
        "email",
        "name",
        "image",
        "role",
        "approved",
        "age_verified",
        "tos_accepted",
        "last_activity_at",
        "created_at",
    ),
    *("level", "total_xp", "coins"),
}


def named(database: Database, user: User, name: str) -> User:
    database.query("UPDATE users SET name = %s WHERE id = %s", name, user.id)
    return user


def shown(admin: User, **query: Any) -> list[str]:
    """The ids that a list shows, in its order."""
    answer = admin.get("/admin/users", query=query)
    assert answer.status == 200, answer.text
    return [user["id"] for user in answer.json["users"]]


# One user ------------------------------------------------------------------------------------------------------------


def test_a_user(admin: User, user: User, database: Database) -> None:
    award(database, user, xp=400, coins=7)
    shown = admin.get(f"/admin/users/{user.id}").json
    assert set(shown) == USER
    assert (shown["id"], shown["email"], shown["name"]) == (str(user.id), user.email, "Test")
    assert (shown["role"], shown["approved"], shown["age_verified"], shown["tos_accepted"]) == (
        "user",
        True,
        True,
        True,
    )
    assert (shown["level"], shown["total_xp"], shown["coins"]) == (3, 400, 7)
    assert shown["created_at"].endswith("Z")


def test_someone_who_has_not_begun(admin: User, new_user: NewUser) -> None:
    shown = admin.get(f"/admin/users/{new_user(consented=False).id}").json
    assert (shown["age_verified"], shown["tos_accepted"], shown["last_activity_at"]) == (False, False, None)
    assert (shown["level"], shown["total_xp"], shown["coins"]) == (1, 0, 0)


def test_terms_of_an_earlier_version_are_not_accepted(admin: User, user: User, database: Database) -> None:
    database.query("UPDATE users SET tos_version = 'before' WHERE id = %s", user.id)
    assert admin.get(f"/admin/users/{user.id}").json["tos_accepted"] is False
    assert settings().tos_version != "before"


@pytest.mark.parametrize("unknown", ["00000000-0000-4000-8000-00000000000f", "nobody"])
def test_an_unknown_user(admin: User, unknown: str) -> None:
    admin.get(f"/admin/users/{unknown}").refused(404, "not_found")
    admin.patch(f"/admin/users/{unknown}", {"role": "moderator"}).refused(404, "not_found")
    admin.post(f"/admin/users/{unknown}/adjustments", {"xp": 1, "reason": "x"}).refused(404, "not_found")
    admin.delete(f"/admin/users/{unknown}").refused(404, "not_found")


# The list ------------------------------------------------------------------------------------------------------------


def test_the_newest_come_first(admin: User, new_user: NewUser) -> None:
    made = [str(new_user().id) for _ in range(3)]
    assert shown(admin, page_size=3) == made[::-1]
    answer = admin.get("/admin/users").json
    assert (answer["page"], answer["page_size"]) == (1, 50)
    assert set(answer["users"][0]) == USER


def test_pages_hold_everyone_once(admin: User, new_user: NewUser) -> None:
    made = {str(new_user().id) for _ in range(5)}
    total = admin.get("/admin/users", query={"page_size": 1}).json["total"]
    pages = [shown(admin, page=page, page_size=2) for page in range(1, total // 2 + 2)]
    everyone = [user for page in pages for user in page]
    assert len(everyone) == len(set(everyone)) == total
    assert made <= set(everyone)
    assert shown(admin, page=1_000_000) == []


def test_a_role(admin: User, moderator: User, user: User, database: Database) -> None:
    answer = admin.get("/admin/users", query={"role": "moderator", "page_size": 100}).json
    assert str(moderator.id) in [one["id"] for one in answer["users"]]
    assert {one["role"] for one in answer["users"]} == {"moderator"}
    [row] = database.query("SELECT count(*) FROM users WHERE role = 'moderator'")
    assert answer["total"] == row["count"]
    assert str(user.id) not in shown(admin, role="admin", page_size=100)


@pytest.fixture
def word() -> str:
    """A word that no other user's name holds."""
    return "q" + uuid4().hex[:10]


def test_search_in_name_and_email(admin: User, new_user: NewUser, database: Database, word: str) -> None:
    by_name = named(database, new_user(), f"Ada {word.upper()} Lovelace")
    by_email = new_user()
    database.query("UPDATE users SET email = %s WHERE id = %s", f"{word.title()}@questlog.test", by_email.id)
    new_user()
    assert shown(admin, search=word) == [str(by_email.id), str(by_name.id)]
    assert shown(admin, search=word[2:-2].upper()) == [str(by_email.id), str(by_name.id)]
    assert shown(admin, search=f" {word} ", page_size=1) == [str(by_email.id)]
    answer = admin.get("/admin/users", query={"search": word, "page_size": 1, "page": 2}).json
    assert ([one["id"] for one in answer["users"]], answer["total"]) == ([str(by_name.id)], 2)


def test_search_within_a_role(admin: User, new_user: NewUser, database: Database, word: str) -> None:
    named(database, new_user(), word)
    moderator = named(database, new_user(role="moderator"), word)
    answer = admin.get("/admin/users", query={"search": word, "role": "moderator"}).json
    assert ([one["id"] for one in answer["users"]], answer["total"]) == ([str(moderator.id)], 1)


@pytest.mark.parametrize("special", ["%", "_", "\\", "'"])
def test_special_characters_are_ordinary(
    admin: User, new_user: NewUser, database: Database, word: str, special: str
) -> None:
    plain, holding = named(database, new_user(), f"{word}xy"), named(database, new_user(), f"{word}{special}y")
    assert shown(admin, search=f"{word}{special}y") == [str(holding.id)]
    assert shown(admin, search=f"{word}{special}") == [str(holding.id)]
    assert str(plain.id) in shown(admin, search=word)


def test_search_beyond_ascii(admin: User, new_user: NewUser, database: Database, word: str) -> None:
    asked = named(database, new_user(), f"{word} Grüße 音楽")
    assert shown(admin, search=f"{word} grüße 音") == [str(asked.id)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"role": "king"}, "role"),
        ({"page": 0}, "page"),
        ({"page": 1_000_001}, "page"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"search": "x" * 201}, "search"),
    ],
)
def test_bad_queries(admin: User, query: dict[str, Any], field: str) -> None:
    admin.get("/admin/users", query=query).invalid(field)


# In numbers ----------------------------------------------------------------------------------------------------------


def test_the_users_in_numbers(admin: User, new_user: NewUser, database: Database) -> None:
    before = admin.get("/admin/users/stats").json
    assert set(before) == {"total_users", "tos_accepted", "admins", "active_7d", "active_30d"}
    new_user(role="admin")
    new_user(consented=False)
    week, month, gone = new_user(), new_user(), new_user()
    for user, days in ((week, 6), (month, 8), (gone, 31)):
        database.query(
            "UPDATE users SET last_activity_at = clock() - %s * interval '1 day' WHERE id = %s", *(days, user.id)
        )
    after = admin.get("/admin/users/stats").json
    assert {name: after[name] - before[name] for name in before} == {
        "total_users": 5,
        "tos_accepted": 4,
        "admins": 1,
        "active_7d": 1,
        "active_30d": 2,
    }


# Role and access -----------------------------------------------------------------------------------------------------


def test_a_role_is_given_at_once(admin: User, user: User, database: Database) -> None:
    answer = admin.patch(f"/admin/users/{user.id}", {"role": "moderator"})
    assert (answer.status, answer.json["role"], set(answer.json)) == (200, "moderator", USER)
    assert user.get("/auth/me").json["role"] == "moderator"
    [row] = audited(database, answer)
    assert (row["event_type"], row["user_id"], row["action"], row["status"]) == (
        *("role_changed", admin.id),
        *("update", "success"),
    )
    assert row["details"] == {"from": "user", "to": "moderator"}
    assert (row["resource_type"], row["resource_id"]) == ("user", str(user.id))


def test_who_is_suspended_is_out_at_once(admin: User, user: User, database: Database) -> None:
    token = user.post("/auth/sessions", {"name": "Script"}).data["token"]
    answer = admin.patch(f"/admin/users/{user.id}", {"approved": False})
    assert answer.json["approved"] is False
    user.get("/user/profile").refused(401, "unauthorized")
    Client().get("/focus", headers={"authorization": f"Bearer {token}"}).refused(401, "unauthorized")
    assert database.query("SELECT 1 FROM sessions WHERE user_id = %s", user.id) == []
    [row] = audited(database, answer)
    assert (row["event_type"], row["resource_id"]) == ("user_suspended", str(user.id))


def test_who_is_readmitted_has_to_sign_in(admin: User, user: User, database: Database) -> None:
    admin.patch(f"/admin/users/{user.id}", {"approved": False})
    answer = admin.patch(f"/admin/users/{user.id}", {"approved": True})
    assert answer.json["approved"] is True
    user.get("/user/profile").refused(401, "unauthorized")
    [row] = audited(database, answer)
    assert (row["event_type"], row["details"]) == ("resource_updated", {"approved": True})


@pytest.mark.parametrize("body", [{}, {"role": "user"}, {"approved": True}, {"coins": 5, "email": "x@questlog.test"}])
def test_what_changes_nothing(admin: User, user: User, database: Database, body: dict[str, Any]) -> None:
    before = admin.get(f"/admin/users/{user.id}").json
    answer = admin.patch(f"/admin/users/{user.id}", body)
    assert answer.json == before
    assert audited(database, answer) == []
    assert user.get("/user/profile").status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "king"}, "role"),
        ({"role": None}, "role"),
        ({"approved": "no"}, "approved"),
        ({"approved": None}, "approved"),
    ],
)
def test_bad_changes(admin: User, user: User, body: dict[str, Any], field: str) -> None:
    admin.patch(f"/admin/users/{user.id}", body).invalid(field)


def test_nobody_changes_or_deletes_themselves(admin: User, new_user: NewUser, database: Database) -> None:
    new_user(role="admin")
    for body in ({"role": "user"}, {"approved": False}, {}):
        admin.patch(f"/admin/users/{admin.id}", body).refused(409, "self")
    admin.delete(f"/admin/users/{admin.id}").refused(409, "self")
    [row] = database.query("SELECT role, approved FROM users WHERE id = %s", admin.id)
    assert row == {"role": "admin", "approved": True}


@pytest.fixture
def two_admins(new_user: NewUser, database: Database) -> tuple[User, User]:
    """The only two administrators who could sign in; a third is suspended, and does not count."""
    database.query("UPDATE users SET role = 'user' WHERE role = 'admin'")
    one, two, suspended = (new_user(role="admin") for _ in range(3))
    database.query("UPDATE users SET approved = false WHERE id = %s", suspended.id)
    return one, two


@pytest.mark.parametrize(
    ("method", "body"),
    [("PATCH", {"role": "user"}), ("PATCH", {"approved": False}), ("DELETE", None)],
    ids=["demote", "suspend", "delete"],
)
def test_two_who_take_each_other_away_leave_one(
    two_admins: tuple[User, User], database: Database, method: str, body: Any
) -> None:
    """Whoever comes second finds no other administrator, or is none any more."""
    pairs = [two_admins, two_admins[::-1]]

    def attack() -> int:
        attacker, target = pairs.pop()
        return attacker.request(method, f"/admin/users/{target.id}", body=body).status

    statuses = sorted(at_once(2, attack))
    assert statuses[0] == 200
    assert statuses[1] in (401, 403, 404, 409)
    left = database.query("SELECT id FROM users WHERE role = 'admin' AND approved")
    assert len(left) == 1
    assert left[0]["id"] in [admin.id for admin in two_admins]


def test_the_last_administrator_is_guarded_under_the_lock(two_admins: tuple[User, User], database: Database) -> None:
    """The second request has passed its role's check, and waits for the lock while the first one commits."""
    one, two = two_admins
    answer = while_it_waits(
        database,
        "SELECT pg_advisory_xact_lock(hashtextextended('administrators', 0))",
        lambda: two.patch(f"/admin/users/{one.id}", {"role": "user"}),
        f"UPDATE users SET role = 'user' WHERE id = '{two.id}'",
    )
    answer.refused(409, "last_admin")
    [row] = database.query("SELECT role FROM users WHERE id = %s", one.id)
    assert row["role"] == "admin"


# Adjustments ---------------------------------------------------------------------------------------------------------


def test_an_adjustment(admin: User, user: User, database: Database) -> None:
    award(database, user, xp=10, coins=3)
    answer = admin.post(f"/admin/users/{user.id}/adjustments", {"xp": 50, "coins": 20, "reason": " Lost in March. "})
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"success", "message", "audit_id", "coins", "total_xp"}
    assert (answer.json["success"], answer.json["coins"], answer.json["total_xp"]) == (True, 23, 60)
    assert wallet(database, user) == (60, 23)
    assert payments(database, user, "admin_adjustment") == [("admin_adjustment", 50, 20)]
    [row] = database.query(
        "SELECT * FROM points_ledger WHERE event_type = 'admin_adjustment' AND user_id = %s", user.id
    )
    assert row["idempotency_key"] == f"admin_adjustment:{answer.json['audit_id']}"
    assert row["reason"] == "Lost in March."
    assert wallet(database, admin) == (0, 0)


def test_an_adjustment_is_audited_as_the_administrators(admin: User, user: User, database: Database) -> None:
    answer = admin.post(f"/admin/users/{user.id}/adjustments", {"coins": 5, "reason": "A gift"})
    [row] = audited(database, answer)
    assert (str(row["id"]), row["user_id"]) == (answer.json["audit_id"], admin.id)
    assert (row["event_type"], row["resource_type"], row["resource_id"]) == ("resource_updated", "user", str(user.id))
    assert row["details"] == {"xp": 0, "coins": 5}
    assert row["session_id"] is not None


def test_nothing_but_the_payment_runs_as_the_user(admin: User, user: User, database: Database) -> None:
    """What the request leaves behind beside the ledger is the administrator's: also the answer under its key."""
    before = rows_of(user.id, database)
    key = {"Idempotency-Key": "gift"}
    answer = admin.post(f"/admin/users/{user.id}/adjustments", {"coins": 5, "reason": "A gift"}, headers=key)
    assert answer.status == 200
    new = [row.table for row in rows_of(user.id, database) if row not in before]
    assert new == ["points_ledger"]
    keys = database.query(
        "SELECT user_id, status FROM idempotency_keys WHERE user_id IN (%s, %s)", *(user.id, admin.id)
    )
    assert keys == [{"user_id": admin.id, "status": 200}]
    # The next statement of the same transaction is the administrator's again.
    with psycopg.connect(database.admin_url) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(admin.id)])
        connection.execute("SELECT * FROM adjust_user(%s, 1, 1, 'x', '{}')", [user.id])
        connection.execute("SELECT * FROM adjust_user(%s, 1, 1, 'x', '{}')", [uuid4()])
        row = connection.execute("SELECT current_user_id()").fetchone()
        connection.rollback()
    assert row == (admin.id,)


def test_a_replay_pays_once(admin: User, user: User, database: Database) -> None:
    key = {"Idempotency-Key": "gift"}
    path, body = f"/admin/users/{user.id}/adjustments", {"xp": 5, "reason": "A gift"}
    first, second = (admin.post(path, body, headers=key) for _ in range(2))
    assert (second.json, second.headers.get("idempotent-replay")) == (first.json, "true")
    admin.post(path, {**body, "xp": 6}, headers=key).refused(422, "idempotency_mismatch")
    assert wallet(database, user) == (5, 0)
    admin.post(path, body)
    assert wallet(database, user) == (10, 0)


def test_two_at_once_add_up(admin: User, user: User, database: Database) -> None:
    path = f"/admin/users/{user.id}/adjustments"
    answers = at_once(4, lambda: admin.post(path, {"xp": 5, "coins": 1, "reason": "A gift"}).json)
    assert sorted(answer["coins"] for answer in answers) == [1, 2, 3, 4]
    assert wallet(database, user) == (20, 4)


def test_an_adjustment_of_ones_own(admin: User, database: Database) -> None:
    assert admin.post(f"/admin/users/{admin.id}/adjustments", {"coins": 1, "reason": "x"}).json["coins"] == 1
    assert wallet(database, admin) == (0, 1)


def test_an_adjustment_is_no_activity(admin: User, user: User, database: Database) -> None:
    admin.post(f"/admin/users/{user.id}/adjustments", {"xp": 100_000, "coins": 100_000, "reason": "x" * 500})
    assert user.get("/streaks").status == 200
    assert database.query("SELECT 1 FROM user_streaks WHERE user_id = %s", user.id) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x"}, "coins"),
        ({"xp": 0, "coins": 0, "reason": "x"}, "coins"),
        ({"xp": -1, "coins": 5, "reason": "x"}, "xp"),
        ({"xp": 100_001, "reason": "x"}, "xp"),
        ({"coins": 100_001, "reason": "x"}, "coins"),
        ({"coins": "5", "reason": "x"}, "coins"),
        ({"coins": 5}, "reason"),
        ({"coins": 5, "reason": "  "}, "reason"),
        ({"coins": 5, "reason": "x" * 501}, "reason"),
    ],
)
def test_bad_adjustments(admin: User, user: User, database: Database, body: dict[str, Any], field: str) -> None:
    admin.post(f"/admin/users/{user.id}/adjustments", body).invalid(field)
    assert wallet(database, user) == (0, 0)


# Deletion ------------------------------------------------------------------------------------------------------------


def tables_of_users(database: Database) -> list[str]:
    """The tables whose rows are users', which the audit trail and the directory of users are not."""
    rows = database.query(
        "SELECT table_name AS name FROM information_schema.columns JOIN pg_tables ON tablename = table_name"
        " WHERE table_schema = 'public' AND column_name = 'user_id'"
    )
    return [row["name"] for row in rows if row["name"] not in ("audit_log", "user_directory")]


def has_rows(database: Database, table: str, user: User) -> bool:
    return database.query(f'SELECT 1 FROM "{table}" WHERE user_id = %s LIMIT 1', user.id) != []


def test_a_deletion_takes_everything(admin: User, user: User, database: Database) -> None:
    award(database, user, xp=5)
    report(user)
    held = [table for table in tables_of_users(database) if has_rows(database, table, user)]
    assert {"sessions", "points_ledger", "user_wallet", "feedback"} <= set(held)
    answer = admin.delete(f"/admin/users/{user.id}")
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"success", "message", "tables_cleaned"}
    assert answer.json["tables_cleaned"] == 1 + len(held)
    assert database.query("SELECT 1 FROM users WHERE id = %s", user.id) == []
    assert [table for table in held if has_rows(database, table, user)] == []
    user.get("/user/profile").refused(401, "unauthorized")
    assert database.query("SELECT 1 FROM user_directory WHERE user_id = %s", user.id) == []
    [deletion] = database.query("SELECT * FROM storage_deletions WHERE object_key = %s", f"{user.id}/")
    assert deletion["is_prefix"]
    admin.delete(f"/admin/users/{user.id}").refused(404, "not_found")


def test_a_deletion_leaves_a_hash_and_who_did_it(admin: User, user: User, database: Database) -> None:
    admin.patch(f"/admin/users/{user.id}", {"role": "moderator"})
    user.post("/auth/sessions", {"name": "Script"})
    answer = admin.delete(f"/admin/users/{user.id}")
    digest = hashlib.sha256(str(user.id).encode()).digest()
    [row] = audited(database, answer)
    assert (row["event_type"], row["action"], row["user_id"]) == ("user_deleted", "delete", admin.id)
    assert (row["details"], row["resource_id"]) == ({"user_hash": digest.hex()}, None)
    assert database.query("SELECT 1 FROM erasures WHERE user_hash = %s", digest) != []
    named = database.query(
        "SELECT to_jsonb(a)::text AS row FROM audit_log AS a WHERE to_jsonb(a)::text LIKE %s", f"%{user.id}%"
    )
    assert named == []


def test_what_others_did_to_each_other_is_not_forgotten(
    admin: User, user: User, other: User, database: Database
) -> None:
    answer = admin.patch(f"/admin/users/{other.id}", {"role": "moderator"})
    admin.delete(f"/admin/users/{user.id}")
    [row] = audited(database, answer)
    assert (row["resource_id"], row["user_id"]) == (str(other.id), admin.id)


def test_of_two_deletions_at_once_the_second_finds_nobody(admin: User, user: User) -> None:
    assert sorted(at_once(3, lambda: admin.delete(f"/admin/users/{user.id}").status)) == [200, 404, 404]


def test_a_key_is_not_kept_for_a_deletion(admin: User, user: User) -> None:
    """It takes two trips, of which the first is committed before the second begins."""
    key = {"Idempotency-Key": "gone"}
    assert admin.delete(f"/admin/users/{user.id}", headers=key).status == 200
    admin.delete(f"/admin/users/{user.id}", headers=key).refused(404, "not_found")


def test_jobs_end_before_the_deletion_begins(admin: User, user: User, database: Database) -> None:
    """A job that holds the user's row learns that it is cancelled while the deletion waits for it."""
    database.query("INSERT INTO jobs (user_id, kind) VALUES (%s, 'export')", user.id)
    answer = while_it_waits(
        database,
        f"SELECT 1 FROM users WHERE id = '{user.id}' FOR KEY SHARE",
        lambda: admin.delete(f"/admin/users/{user.id}"),
        f"SELECT 1 / (NOT EXISTS (SELECT FROM jobs WHERE user_id = '{user.id}'))::int",
    )
    assert answer.status == 200, answer.text


# Keys ----------------------------------------------------------------------------------------------------------------


def test_two_administrators_with_the_same_key_keep_their_own_answers(
    admin: User, new_user: NewUser, database: Database
) -> None:
    """Their requests may see everyone's rows, and so everyone's keys."""
    second, target = new_user(role="admin"), new_user()
    key = {"Idempotency-Key": "the-same"}
    path = f"/admin/users/{target.id}/adjustments"
    gave = admin.post(path, {"coins": 1, "reason": "one"}, headers=key)
    gave_too = second.post(path, {"coins": 10, "reason": "two"}, headers=key)
    assert (gave.json["coins"], gave_too.json["coins"]) == (1, 11)
    assert admin.post(path, {"coins": 1, "reason": "one"}, headers=key).json == gave.json
    assert second.post(path, {"coins": 10, "reason": "two"}, headers=key).json == gave_too.json
    assert wallet(database, target) == (0, 11)
    kept = database.query("SELECT user_id, body FROM idempotency_keys WHERE key = 'the-same'")
    assert {row["user_id"]: row["body"] for row in kept} == {admin.id: gave.json, second.id: gave_too.json}
