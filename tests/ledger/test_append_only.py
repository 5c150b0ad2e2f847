"""Nothing changes or removes a row of the ledger but the deletion of its user; and only its functions write."""

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.ledger.conftest import BALANCES, Ledger, NewLedger

OWNER_ROLES = ["questlog_owner", "postgres"]


def as_role(ledger: Ledger, role: str) -> psycopg.Connection[dict[str, object]]:
    connection = psycopg.connect(ledger.database.admin_url, row_factory=dict_row)
    if role != "postgres":
        connection.execute(f"SET ROLE {role}".encode())
    connection.execute("SELECT set_config('app.user_id', %s, false)", [str(ledger.user_id)])
    return connection


@pytest.mark.parametrize("role", OWNER_ROLES)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE points_ledger SET coins = coins",
        "UPDATE points_ledger SET reason = 'x' WHERE false",
        "DELETE FROM points_ledger",
        "DELETE FROM points_ledger WHERE user_id = current_user_id()",
        "TRUNCATE points_ledger",
        "TRUNCATE users CASCADE",
    ],
)
def test_even_its_owner_cannot_change_it(ledger: Ledger, role: str, change: str) -> None:
    ledger.award()
    before = ledger.entries()
    with as_role(ledger, role) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(change.encode())
    assert caught.value.sqlstate == "42501"
    assert ledger.entries() == before


def test_the_owner_without_a_user_deletes_nothing(ledger: Ledger) -> None:
    ledger.award()
    with as_role(ledger, "questlog_owner") as connection:
        connection.execute("SELECT set_config('app.user_id', '', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM points_ledger")
    assert len(ledger.entries()) == 1


def removable(ledger: Ledger) -> None:
    ledger.award("focus_complete", 500, 50, idempotency_key="k")
    ledger.spend(3)
    ledger.award(idempotency_key="r")
    ledger.reverse("r")
    ledger.boost()


@pytest.mark.parametrize("how", ["superuser", "superuser as someone", "owner as the user", "identity"])
def test_a_deleted_user_takes_the_rows_along(ledger: Ledger, new_ledger: NewLedger, how: str) -> None:
    removable(ledger)
    bystander = new_ledger()
    bystander.award()
    kept = bystander.state()
    delete = "DELETE FROM users WHERE id = %s"
    if how == "superuser":
        ledger.database.query(delete, ledger.user_id)
    else:
        role = {"superuser as someone": "postgres", "owner as the user": "questlog_owner"}.get(how, "questlog_identity")
        with as_role(ledger, "postgres") as connection:
            if how == "identity":  # a role that sees all users, and no one's ledger
                connection.execute("SELECT set_config('app.user_id', '', false)")
            connection.execute(f"SET LOCAL ROLE {role}".encode())
            assert connection.execute(delete, [ledger.user_id]).rowcount == 1
    assert not any(ledger.state().values())
    assert bystander.state() == kept


def test_deleting_the_user_and_failing_brings_all_back(ledger: Ledger) -> None:
    removable(ledger)
    before = ledger.state()
    with as_role(ledger, "postgres") as connection:
        connection.execute("DELETE FROM users WHERE id = %s", [ledger.user_id])
        connection.rollback()
    assert ledger.state() == before


@pytest.mark.parametrize("table", [*BALANCES, "user_effects", "streak_shield_uses"])
@pytest.mark.parametrize("verb", ["INSERT", "UPDATE", "DELETE"])
def test_requests_cannot_write_what_the_ledger_adds_up_to(ledger: Ledger, table: str, verb: str) -> None:
    assert not ledger.value("SELECT has_table_privilege(current_user, %s, %s)", table, verb)


def test_having_seen_an_achievement_is_all_a_request_may_note(ledger: Ledger) -> None:
    ledger.award("focus_complete")
    ledger.rows("UPDATE user_achievements SET notified = true")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ledger.rows("UPDATE user_achievements SET earned_at = now()")


CALLED = {"award", "spend", "reverse", "paid_today", "paid_under", "lock_user"}
STEPS = [
    "use_shields",
    "advance_quests",
    "retreat_quests",
    "move_streaks",
    "move_streak",
    "own_progress",
    "known_event",
    "all_counters",
    "boosted",
    "move_skill",
    "move_wallet",
    "require_coins",
    "post",
    "move_counters",
    "full_result_of",
    "replay",
    "pay",
    "earn_achievements",
]


@pytest.mark.parametrize(
    "role",
    ["questlog_app", "questlog_auth", "questlog_operator", "questlog_jobs", "questlog_admin", "questlog_console"],
)
def test_who_may_call_what(ledger: Ledger, role: str) -> None:
    """Who may call a function must also be able to name it: without USAGE on its schema nobody can."""
    may = {
        row["proname"]
        for row in ledger.database.query(
            "SELECT proname FROM pg_proc WHERE pronamespace IN ('app'::regnamespace, 'internal'::regnamespace)"
            " AND has_schema_privilege(%s, pronamespace, 'USAGE')"
            " AND has_function_privilege(%s, oid, 'EXECUTE') AND proname = ANY (%s)",
            *(role, role, [*CALLED, *STEPS, "import_ledger"]),
        )
    }
    expected = {
        "questlog_jobs": CALLED | {"import_ledger"},
        "questlog_admin": CALLED | {"import_ledger"},
        "questlog_console": set(),
    }
    assert may == expected.get(role, CALLED)


def test_the_functions_that_write_cannot_be_led_astray(ledger: Ledger) -> None:
    """Each runs as an owner held by row-level security; temporary tables, which no login may make, come last."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ledger.rows("CREATE TEMPORARY TABLE user_wallet AS SELECT 1000000::bigint AS coins")
    definers = ledger.database.query(
        "SELECT p.proname, r.rolname, r.rolsuper OR r.rolbypassrls AS unbound, p.proconfig FROM pg_proc AS p"
        " JOIN pg_roles AS r ON r.oid = p.proowner WHERE p.prosecdef AND p.proname = ANY (%s)",
        [*CALLED, "import_ledger", "effective_streak", "effective_streaks"],
    )
    assert len(definers) == 9
    for definer in definers:
        assert (definer["rolname"], definer["unbound"]) == ("questlog_owner", False)
        assert definer["proconfig"] == ["search_path=pg_catalog, app, internal, public, pg_temp"]
