"""The routes of abandoned accounts (platform contract, section 7)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.admin.conftest import audited, while_it_waits
from tests.conftest import Database, NewUser, User
from tests.support.factories import report

Abandoned = Callable[..., User]


@pytest.fixture
def abandoned(new_user: NewUser, database: Database) -> Abandoned:
    """Makes an account that was made and never begun, so many days ago."""

    def make(days: int = 31, role: str = "user") -> User:
        user = new_user(role=role, consented=False)
        aged(database, user, days)
        return user

    return make


@pytest.fixture(autouse=True)
def _nobody_else(database: Database) -> None:
    """Other tests leave accounts that never began."""
    database.query("DELETE FROM users WHERE age_verified_at IS NULL OR tos_accepted_at IS NULL")


def aged(database: Database, user: User, days: int) -> None:
    database.query(
        "UPDATE users SET created_at = clock() - %s * interval '1 day' - interval '1 minute' WHERE id = %s",
        *(days, user.id),
    )


def listed(admin: User, **query: Any) -> list[str]:
    answer = admin.get("/admin/cleanup-users", query=query)
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"users", "count", "total_users"}
    assert answer.json["count"] == len(answer.json["users"])
    return [user["id"] for user in answer.json["users"]]


def ids(*users: User) -> list[str]:
    return [str(user.id) for user in users]


def test_abandoned_accounts_are_listed_oldest_first(admin: User, user: User, abandoned: Abandoned) -> None:
    young, old, older = abandoned(29), abandoned(30), abandoned(400)
    assert listed(admin) == ids(older, old)
    assert listed(admin, older_than_days=0) == ids(older, old, young)
    assert listed(admin, older_than_days=365) == ids(older)
    assert listed(admin, older_than_days=3650) == []
    answer = admin.get("/admin/cleanup-users").json
    assert answer["users"][0] == admin.get(f"/admin/users/{older.id}").json
    assert answer["total_users"] == admin.get("/admin/users").json["total"]
    assert str(user.id) not in listed(admin, older_than_days=0)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("tos_version = '1', tos_accepted_at = clock(), age_verified_at = clock()", False),
        ("tos_version = '1', tos_accepted_at = clock()", True),
        ("age_verified_at = clock()", True),
        ("role = 'moderator'", False),
        ("role = 'admin'", False),
        ("last_activity_at = clock() - interval '29 days'", False),
        ("last_activity_at = clock() - interval '31 days'", True),
        ("approved = false", True),
    ],
)
def test_who_counts_as_abandoned(
    admin: User, abandoned: Abandoned, database: Database, change: str, shown: bool
) -> None:
    user = abandoned()
    database.query(f"UPDATE users SET {change} WHERE id = %s", user.id)
    assert (str(user.id) in listed(admin)) == shown


def test_only_empty_accounts(admin: User, user: User, database: Database, abandoned: Abandoned) -> None:
    """Empty as for an import: settings, progress and wallet do not count, everything else does."""
    report(user)
    aged(database, user, 400)
    database.query("UPDATE users SET age_verified_at = NULL, last_activity_at = NULL WHERE id = %s", user.id)
    assert listed(admin) == []
    begun = abandoned()
    for table in ("user_progress", "user_wallet"):
        database.query(f"INSERT INTO {table} (user_id) VALUES (%s)", begun.id)
    database.query("INSERT INTO user_settings (user_id, key, value) VALUES (%s, 'theme', '\"dark\"')", begun.id)
    assert listed(admin) == ids(begun)
    assert admin.delete("/admin/cleanup-users").json == {"deleted": 1, "ids": ids(begun)}


def test_they_are_deleted_for_good(admin: User, user: User, abandoned: Abandoned, database: Database) -> None:
    old, older, young = abandoned(), abandoned(60), abandoned(3)
    answer = admin.delete("/admin/cleanup-users")
    assert (answer.status, answer.json) == (200, {"deleted": 2, "ids": ids(older, old)})
    left = database.query("SELECT id FROM users WHERE id = ANY (%s)", [old.id, older.id, young.id, user.id])
    assert {row["id"] for row in left} == {young.id, user.id}
    rows = audited(database, answer)
    assert [(row["event_type"], row["user_id"]) for row in rows] == [("user_deleted", admin.id)] * 2
    assert database.query("SELECT 1 FROM storage_deletions WHERE object_key = %s", f"{old.id}/") != []
    assert admin.delete("/admin/cleanup-users").json == {"deleted": 0, "ids": []}


def test_only_those_that_are_named_and_abandoned(admin: User, user: User, abandoned: Abandoned) -> None:
    first, second, young = abandoned(), abandoned(), abandoned(3)
    named = [*ids(first, young, user, admin), str(uuid4())]
    assert admin.delete("/admin/cleanup-users", {"ids": named}).json == {"deleted": 1, "ids": ids(first)}
    assert admin.delete("/admin/cleanup-users", {"ids": []}).json == {"deleted": 0, "ids": []}
    assert listed(admin) == ids(second)
    assert admin.delete("/admin/cleanup-users", {"older_than_days": 2}).json["deleted"] == 2


def test_at_most_1000(admin: User, database: Database) -> None:
    database.query(
        "INSERT INTO users (email, name, created_at)"
        " SELECT n || '@crowd.test', 'x', clock() - interval '1 year' - n * interval '1 minute'"
        "   FROM generate_series(1, 1001) AS n"
    )
    answer = admin.get("/admin/cleanup-users").json
    assert (len(answer["users"]), answer["count"]) == (1000, 1001)
    assert answer["users"][0]["email"] == "1001@crowd.test"
    deleted = admin.delete("/admin/cleanup-users").json
    assert (deleted["deleted"], len(deleted["ids"])) == (1000, 1000)
    [left] = admin.get("/admin/cleanup-users").json["users"]
    assert left["email"] == "1@crowd.test"


def test_who_comes_back_at_that_moment_stays(admin: User, abandoned: Abandoned, database: Database) -> None:
    """A sign-in holds the user's row; once it is done, they are no longer abandoned."""
    user, other = abandoned(), abandoned()
    answer = while_it_waits(
        database,
        f"UPDATE users SET last_activity_at = clock() WHERE id = '{user.id}'",
        lambda: admin.delete("/admin/cleanup-users"),
    )
    assert answer.json == {"deleted": 1, "ids": ids(other)}
    assert database.query("SELECT 1 FROM users WHERE id = %s", user.id) != []


@pytest.mark.parametrize("days", [-1, 3651, 1.5, "x"])
def test_bad_days(admin: User, days: Any) -> None:
    admin.get("/admin/cleanup-users", query={"older_than_days": days}).invalid("older_than_days")
    admin.delete("/admin/cleanup-users", {"older_than_days": days}).invalid("older_than_days")


def test_bad_ids(admin: User) -> None:
    admin.delete("/admin/cleanup-users", {"ids": ["me"]}).invalid("ids.0")
    admin.delete("/admin/cleanup-users", {"ids": [str(UUID(int=0))] * 1001}).invalid("ids")
