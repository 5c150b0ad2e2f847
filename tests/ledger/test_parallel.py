"""Many connections at once: rules 3 and 12 of the contract's 1.2."""

import random
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.ledger.conftest import Ledger, NewLedger


def together(ledgers: list[Ledger], call: Callable[[Ledger, int], Any], times: int) -> list[Any]:
    """Results or errors of `times` calls, each connection taking its turns, all connections at once."""

    def turns(number: int) -> list[Any]:
        outcomes: list[Any] = []
        for turn in range(number, times, len(ledgers)):
            try:
                outcomes.append(call(ledgers[number], turn))
            except psycopg.Error as error:
                outcomes.append(error)
        return outcomes

    with ThreadPoolExecutor(len(ledgers)) as pool:
        return [outcome for outcomes in pool.map(turns, range(len(ledgers))) for outcome in outcomes]


@pytest.fixture
def eight(ledger: Ledger, new_ledger: NewLedger) -> list[Ledger]:
    return [ledger, *(new_ledger(of=ledger) for _ in range(7))]


def test_forty_awards_sum_exactly_and_chain_without_gap(ledger: Ledger, new_ledger: NewLedger) -> None:
    """The first of them all, too: the rows they lock do not exist yet."""
    forty = [ledger, *(new_ledger(of=ledger) for _ in range(39))]
    results = together(forty, lambda one, _: one.award("admin_adjustment", 10, 5), 40)
    assert all(isinstance(result, dict) for result in results), results
    assert sorted(result["total_xp"] for result in results) == list(range(10, 401, 10))
    assert sorted(result["balance"] for result in results) == list(range(5, 201, 5))
    entries = ledger.entries()
    assert [entry["total_xp_after"] for entry in entries] == list(range(10, 401, 10))
    assert [entry["coins_after"] for entry in entries] == list(range(5, 201, 5))
    assert sum(result["leveled_up"] for result in results) == 2


def test_one_key_pays_once(eight: list[Ledger]) -> None:
    results = together(eight, lambda one, _: one.award("focus_complete", 10, 5, idempotency_key="k"), 8)
    assert sorted(result["replayed"] for result in results) == [False] + [True] * 7
    first = next(result for result in results if not result["replayed"])
    assert all(result | {"replayed": False} == first for result in results)
    assert len(eight[0].entries()) == 2  # and the first session's achievement


def test_one_reversal(eight: list[Ledger]) -> None:
    eight[0].award(idempotency_key="k")
    results = together(eight, lambda one, _: one.reverse("k"), 8)
    assert sorted(result["replayed"] for result in results) == [False] + [True] * 7
    assert eight[0].value("SELECT coins FROM user_wallet") == 0


def test_coins_are_spent_once(eight: list[Ledger]) -> None:
    eight[0].award(coins=23)
    results = together(eight, lambda one, _: one.spend(5), 16)
    refused = [result for result in results if not isinstance(result, dict)]
    assert (len(results) - len(refused), eight[0].value("SELECT coins FROM user_wallet")) == (4, 3)
    assert {error.sqlstate for error in refused} == {"PT409"}


def test_a_daily_cap_holds(eight: list[Ledger]) -> None:
    """Read and award in one statement, as routes do."""
    capped = """
        WITH today AS (SELECT paid < 3 AS room FROM paid_today('workout_complete'))
        SELECT (award('workout_complete', 'workout', NULL, CASE WHEN room THEN 50 ELSE 0 END,
                      CASE WHEN room THEN 25 ELSE 0 END, %s)).xp AS xp
          FROM today
    """
    results = together(eight, lambda one, turn: one.value(capped, f"workout_complete:{turn}"), 16)
    assert sorted(results) == [0] * 13 + [50] * 3
    assert eight[0].value("SELECT value FROM user_counters WHERE counter = 'workouts_completed'") == 16


def test_users_do_not_wait_for_each_other(ledger: Ledger, new_ledger: NewLedger) -> None:
    other = new_ledger()
    with ledger.connection.transaction():
        ledger.award("focus_complete")
        other.connection.execute("SET lock_timeout = '1s'")
        assert not other.award("focus_complete")["replayed"]


def test_the_lock_of_a_route_is_the_lock_of_an_award(ledger: Ledger, new_ledger: NewLedger) -> None:
    second = new_ledger(of=ledger)
    second.connection.execute("SET lock_timeout = '50ms'")
    with ledger.connection.transaction():
        ledger.value("SELECT lock_user()")
        for call in (second.award, lambda: second.value("SELECT lock_user()"), lambda: second.reverse("k")):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                call()
    assert second.award()["balance"] == 5


def test_a_thousand_random_operations_add_up(eight: list[Ledger]) -> None:
    keys = [f"k{n}" for n in range(150)]
    events = ["focus_complete", "habit_complete", "quest_complete", "admin_adjustment", "book_complete"]

    def operation(one: Ledger, turn: int) -> Any:
        dice = random.Random(turn)
        match dice.randrange(10):
            case 0 | 1:
                return one.spend(dice.randrange(1, 60), idempotency_key=dice.choice(keys))
            case 2:
                return one.reverse(dice.choice(keys))
            case 3:
                return one.reverse("achievement:first_focus")
            case _:
                event = dice.choice(events)
                return one.award(
                    event,
                    *(dice.randrange(200), dice.randrange(30)),
                    idempotency_key=dice.choice([*keys, secrets.token_hex(8)]),
                    counters={"focus_minutes": dice.randrange(9)},
                    skill_stars=dice.randrange(3),
                    day=one.day(dice.randrange(5)),
                )

    eight[0].boost(2)
    outcomes = together(eight, operation, 1000)
    errors = {outcome.sqlstate for outcome in outcomes if isinstance(outcome, psycopg.Error)}
    assert errors <= {"PT404", "PT409", "PT422"}, errors
    assert sum(isinstance(outcome, dict) for outcome in outcomes) > 300
    assert eight[0].problems() == []
