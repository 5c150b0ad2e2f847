"""import_ledger(): rule 13 of the contract's 1.2. As the job that restores an export, for a user it has set."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.ledger.conftest import Ledger, NewLedger, refused

Rows = list[dict[str, Any]]


def exported(ledger: Ledger) -> Rows:
    """As an export writes them: all columns but the user and the identity, in order."""
    rows: Rows = ledger.value("SELECT jsonb_agg(to_jsonb(l) - 'user_id' - 'seq' ORDER BY seq) FROM points_ledger AS l")
    return rows


@pytest.fixture
def rows(ledger: Ledger) -> Rows:
    ledger.award("focus_complete", 60, 12, counters={"focus_minutes": 60}, skill_stars=1, idempotency_key="first")
    ledger.boost()
    ledger.award("goal_complete", 4000, 20, idempotency_key="second", day=ledger.day(3))
    ledger.award("book_complete", 0, 0)
    ledger.spend(5, idempotency_key="purchase")
    ledger.spend(6)
    ledger.reverse("second", "why")
    ledger.reverse("purchase")
    return exported(ledger)


@pytest.fixture
def importer(new_ledger: NewLedger) -> Ledger:
    """A new account, seen by the job that fills it."""
    return new_ledger(of=new_ledger(), role="questlog_jobs")


def bring(importer: Ledger, rows: Any) -> int:
    brought: int = importer.value("SELECT import_ledger(%s)", Jsonb(rows))
    return brought


def test_an_export_comes_back_as_it_was(ledger: Ledger, rows: Rows, importer: Ledger) -> None:
    assert bring(importer, rows) == len(rows)
    # Achievements and streaks are tables of the export's own.
    importer.database.query(
        "INSERT INTO user_achievements SELECT %s, achievement_key, earned_at, notified, ledger_id"
        "  FROM user_achievements WHERE user_id = %s",
        *(importer.user_id, ledger.user_id),
    )
    before, after = ledger.state(), importer.state()
    del before["user_streaks"], after["user_streaks"]
    for state in (before, after):
        for row in (row for table in state.values() for row in table):
            row.pop("user_id")
            row.pop("seq", None)
        for table in state.values():
            table.sort(key=str)
    assert after == before
    assert [entry["id"] for entry in importer.entries()] == [entry["id"] for entry in ledger.entries()], (
        "the order is kept"
    )
    assert importer.problems() == []


def test_life_goes_on_after_an_import(rows: Rows, importer: Ledger, new_ledger: NewLedger) -> None:
    bring(importer, rows)
    importer.database.query(
        "INSERT INTO user_achievements (user_id, achievement_key, ledger_id)"
        " SELECT user_id, metadata ->> 'key', id FROM points_ledger WHERE user_id = %s AND event_type = 'achievement'",
        importer.user_id,
    )
    again = new_ledger(of=importer)
    first = again.award("focus_complete", 60, 12, skill_stars=1, idempotency_key="first")
    assert first["replayed"]
    assert [achievement["key"] for achievement in first["achievements"]] == ["first_focus"]
    assert again.award(xp=1)["total_xp"] == rows[-1]["total_xp_after"] + 1
    assert again.problems() == []


def test_an_empty_export_is_an_empty_account(importer: Ledger) -> None:
    assert bring(importer, []) == 0
    assert importer.problems() == []


def test_an_older_export_gets_defaults(rows: Rows, importer: Ledger) -> None:
    for row in rows:
        del row["streak_after"]
    assert bring(importer, rows) == len(rows)
    importer.database.query("DELETE FROM users WHERE id = %s", importer.user_id)  # its achievements are not here


def test_another_users_id_in_a_row_is_not_believed(ledger: Ledger, rows: Rows, importer: Ledger) -> None:
    before = ledger.state()
    bring(importer, [row | {"user_id": str(ledger.user_id)} for row in rows])
    assert ledger.state() == before
    assert len(importer.entries()) == len(rows)
    importer.database.query("DELETE FROM users WHERE id = %s", importer.user_id)


def test_an_account_with_a_ledger_is_refused(ledger: Ledger, rows: Rows, new_ledger: NewLedger) -> None:
    before = ledger.state()
    with refused(409, "conflict"):
        bring(new_ledger(of=ledger, role="questlog_jobs"), rows)
    assert ledger.state() == before


def change(number: int, **fields: Any) -> Callable[[Rows], Any]:
    return lambda rows: [row | fields if n == number else row for n, row in enumerate(rows)]


@pytest.mark.parametrize(
    "tamper",
    [
        change(2, coins_after=999_999),
        change(2, total_xp_after=1),
        change(2, level_after=30),
        change(2, xp=5, base_xp=5),
        change(2, coins=1),
        change(0, xp=61),
        change(0, coins=-1, coins_after=-1),
        change(0, counters=[]),
        change(0, counters={"x": "y"}),
        change(0, id="no uuid"),
        change(0, id=None),
        change(0, created_at=None),
        change(0, idempotency_key=None),
        change(1, idempotency_key="first"),
        change(0, skill_key="no_such_skill"),
        lambda rows: [row | {"reverses": None} for row in rows],
        lambda rows: [row | {"reverses": None, "event_type": "goal_complete"} for row in rows],
        lambda rows: [row | ({"reverses": rows[0]["id"]} if row["reverses"] else {}) for row in rows],
        lambda rows: [row | ({"counters": {}} if row["reverses"] else {}) for row in rows],
        lambda rows: [row | ({"cause_id": rows[-1]["id"]} if row["cause_id"] else {}) for row in rows],
        lambda rows: rows[::-1],
        lambda rows: rows[1:],
        lambda rows: rows[:2] + rows[3:],
        lambda rows: [*rows, rows[0]],
        lambda rows: {"rows": rows},
        lambda _: ["row"],
        lambda _: None,
    ],
)
def test_what_does_not_add_up_is_refused_whole(rows: Rows, importer: Ledger, tamper: Callable[[Rows], Any]) -> None:
    with refused(400, "invalid_backup") as told:
        bring(importer, tamper(rows))
    assert told.details["problem"]
    assert not any(importer.state().values())
