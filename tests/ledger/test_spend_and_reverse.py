"""spend() and reverse(): rules 10 and 11 of the contract's 1.2."""

from typing import Any

import pytest

from tests.ledger.conftest import Ledger, NewLedger, refused


def wallet(ledger: Ledger) -> tuple[int, int, int]:
    row = ledger.row("SELECT coins, total_earned, total_spent FROM user_wallet")
    return row["coins"], row["total_earned"], row["total_spent"]


def test_spending_moves_coins_and_nothing_else(ledger: Ledger) -> None:
    ledger.award(xp=150, coins=30)
    before = ledger.state()
    result = ledger.spend(30, idempotency_key="purchase:1", reason="A hat")
    assert (
        result
        | {
            "replayed": False,
            "xp": 0,
            "coins": -30,
            "leveled_up": False,
            "new_level": 2,
            "total_xp": 150,
            "balance": 0,
            "streak": 1,
            "achievements": [],
        }
        == result
    )
    assert wallet(ledger) == (0, 30, 30)
    after = ledger.state()
    unchanged = set(before) - {"points_ledger", "user_wallet"}
    assert {table: after[table] for table in unchanged} == {table: before[table] for table in unchanged}


def test_a_spend_above_the_balance_changes_nothing(ledger: Ledger) -> None:
    ledger.award(coins=29)
    before = ledger.state()
    with refused(409, "insufficient_coins") as told:
        ledger.spend(30)
    assert told.details == {"need": 30, "have": 29}
    assert ledger.state() == before


def test_the_first_spend_of_a_new_user_leaves_no_rows(ledger: Ledger) -> None:
    with refused(409, "insufficient_coins") as told:
        ledger.spend(99_000_000)
    assert told.details == {"need": 99_000_000, "have": 0}
    assert not any(ledger.state().values())


@pytest.mark.parametrize("coins", [0, -1, None, 10**9 + 1])
def test_coins_to_spend_are_positive(ledger: Ledger, coins: int | None) -> None:
    ledger.award()
    with refused("22023"):
        ledger.spend(coins)


@pytest.mark.parametrize(
    "bad",
    [
        {"event_type": "goal_complete"},
        {"event_type": "nothing"},
        {"idempotency_key": "reverse:x"},
        {"idempotency_key": "k" * 201},
        {"source_type": None},
        {"metadata": [1]},
    ],
)
def test_misuse_of_spend(ledger: Ledger, bad: dict[str, Any]) -> None:
    ledger.award()
    with refused("22023"):
        ledger._call(
            "spend",
            {"coins": 1, "event_type": "market_purchase", "source_type": "x", "source_id": None, "idempotency_key": "k"}
            | bad,
        )


def test_a_spend_and_an_award_do_not_share_a_key(ledger: Ledger) -> None:
    ledger.award(idempotency_key="k")
    with refused(422, "idempotency_mismatch"):
        ledger.spend(1, idempotency_key="k")


def test_reversing_an_award_undoes_all_but_streaks_and_achievements(ledger: Ledger) -> None:
    ledger.award("focus_complete", 50, 10, counters={"focus_minutes": 9})
    before = ledger.state()
    ledger.boost(2)
    paid = ledger.award(
        "focus_complete",
        777,
        44,
        skill_key="creativity",
        skill_stars=3,
        counters={"focus_minutes": 5},
        idempotency_key="k",
    )
    assert paid["new_level"] > 1
    result = ledger.reverse("k", "a mistake")
    assert (
        result
        | {
            "replayed": False,
            "xp": -2 * 777,
            "bonus_xp": -777,
            "coins": -44,
            "skill_key": "creativity",
            "leveled_up": False,
            "new_level": 1,
            "total_xp": 75,
            "balance": 20,
            "streak": 1,
            "achievements": [],
        }
        == result
    )
    original, entry = ledger.entries()[-2:]
    assert (entry["event_type"], entry["idempotency_key"], entry["reverses"], entry["reason"]) == (
        "reversal",
        "reverse:k",
        original["id"],
        "a mistake",
    )
    assert (entry["skill_stars"], entry["counters"]) == (-3, {"focus_minutes": -5, "focus_sessions": -1})
    assert (entry["source_type"], entry["source_id"]) == (original["source_type"], original["source_id"])
    after = ledger.state()
    for row in after["user_progress"] + after["user_wallet"] + before["user_progress"] + before["user_wallet"]:
        row.pop("updated_at")
    after["user_skills"] = [row for row in after["user_skills"] if row["xp"]]
    del after["points_ledger"], before["points_ledger"]
    assert after == before


def test_reversing_a_spend_is_a_refund(ledger: Ledger) -> None:
    ledger.award(coins=30)
    ledger.spend(30, idempotency_key="purchase:1")
    result = ledger.reverse("purchase:1")
    assert (result["coins"], result["balance"]) == (30, 30)
    assert ledger.entries()[-1]["event_type"] == "market_refund"
    assert wallet(ledger) == (30, 30, 0)


def test_reversing_again_answers_the_first_time(ledger: Ledger) -> None:
    ledger.award(xp=500, idempotency_key="k")
    first = ledger.reverse("k", "one")
    ledger.award(xp=9)
    before = ledger.state()
    assert ledger.reverse("k", "two") == first | {"replayed": True}
    assert ledger.state() == before


def test_the_award_replayed_after_its_reversal_stays_reversed(ledger: Ledger) -> None:
    first = ledger.award(xp=500, idempotency_key="k")
    ledger.reverse("k")
    assert ledger.award(xp=500, idempotency_key="k") == first | {"replayed": True}
    assert ledger.value("SELECT total_xp FROM user_progress") == 0


def test_what_cannot_be_reversed(ledger: Ledger, new_ledger: NewLedger) -> None:
    new_ledger().award(idempotency_key="theirs")
    ledger.award(idempotency_key="k")
    ledger.reverse("k")
    before = ledger.state()
    for key in ("nothing", "theirs"):
        with refused(404, "not_found"):
            ledger.reverse(key)
    with refused(409, "not_reversible"):
        ledger.reverse("reverse:k")
    assert ledger.state() == before


def test_coins_already_spent_cannot_be_taken_back(ledger: Ledger) -> None:
    ledger.award(coins=10, idempotency_key="k")
    ledger.spend(3)
    before = ledger.state()
    with refused(409, "insufficient_coins") as told:
        ledger.reverse("k")
    assert told.details == {"need": 10, "have": 7}
    assert ledger.state() == before


def test_the_longest_key_can_be_reversed(ledger: Ledger) -> None:
    ledger.award(idempotency_key="k" * 200)
    ledger.reverse("k" * 200)
    assert len(ledger.entries()[-1]["idempotency_key"]) == 208


def test_a_reversal_is_of_today_whatever_its_award_was(ledger: Ledger) -> None:
    ledger.award(idempotency_key="k", day=ledger.day(5))
    ledger.reverse("k")
    assert [entry["local_date"] for entry in ledger.entries()] == [ledger.day(5), ledger.today]


def test_paid_today_counts_what_was_paid_and_kept(ledger: Ledger) -> None:
    def paid(event_type: str = "goal_complete", back: int = 0) -> tuple[int, int, int]:
        row = ledger.row("SELECT * FROM paid_today(%s, %s)", event_type, ledger.day(back))
        return row["paid"], row["xp"], row["coins"]

    assert paid() == (0, 0, 0)
    ledger.award(xp=10, coins=0, idempotency_key="a")
    ledger.award(xp=0, coins=4, idempotency_key="b")
    ledger.award(xp=0, coins=0)
    ledger.award("milestone_complete", 9, 9)
    ledger.award(xp=7, coins=7, day=ledger.day(1))
    assert paid() == (2, 10, 4)
    ledger.reverse("b")
    assert paid() == (1, 10, 0)
    assert paid(back=1) == (1, 7, 7)
    ledger.boost(3)
    ledger.award(xp=5, coins=1)
    assert paid() == (2, 15, 1), "what the boost added is not from this day's allowance"
    assert ledger.row("SELECT paid FROM paid_today('goal_complete')") == {"paid": 2}
