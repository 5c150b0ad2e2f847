"""Levels: the contract's 1.3, against Python's integers."""

from itertools import accumulate
from math import isqrt

import pytest

from tests.ledger.conftest import Ledger, refused

TOP = 250_100
COSTS = [isqrt(10000 * level**3) for level in range(1, TOP)]
FLOORS = [0, *accumulate(COSTS)]
"""FLOORS[n] is the total XP at which level n + 1 begins."""


def test_the_contracts_own_figures(ledger: Ledger) -> None:
    assert ledger.value("SELECT array_agg(level_cost(n)) FROM unnest(ARRAY[1, 2, 3, 4, 5, 10]) AS n") == [
        *(100, 282, 519, 800, 1118, 3162)
    ]
    assert ledger.value("SELECT array_agg(level_floor(n)) FROM unnest(ARRAY[1, 2, 3, 4, 5, 10, 20, 30]) AS n") == [
        *(0, 100, 382, 901, 1701, 11102, 67128, 189018)
    ]


def test_every_cost_is_the_integer_root(ledger: Ledger) -> None:
    """All of them: where a root lies just below an integer cannot be guessed."""
    found = ledger.value("SELECT array_agg(level_cost(n) ORDER BY n) FROM generate_series(1, %s) AS n", TOP - 1)
    assert found == COSTS


def test_every_boundary_of_a_life_time(ledger: Ledger) -> None:
    found = ledger.rows(
        "SELECT n, level_floor(n) AS floor, level_for(level_floor(n)) AS at, level_for(level_floor(n) - 1) AS before"
        "  FROM generate_series(1, 1200) AS n ORDER BY n"
    )
    assert [tuple(row.values()) for row in found] == [(n, FLOORS[n - 1], n, max(1, n - 1)) for n in range(1, 1201)]


@pytest.mark.parametrize(
    "level",
    [
        499,
        500,
        501,
        502,
        1000,
        1001,
        1500,
        1501,
        9999,
        10_000,
        10_001,
        77_777,
        228_653,
        249_999,
        250_000,
        250_001,
        250_090,
    ],
)
def test_boundaries_far_beyond(ledger: Ledger, level: int) -> None:
    floor = FLOORS[level - 1]
    assert ledger.row(
        "SELECT level_floor(%s) AS floor, level_for(%s) AS at, level_for(%s) AS before, level_for(%s) AS last",
        *(level, floor, floor - 1, FLOORS[level] - 1),
    ) == {"floor": floor, "at": level, "before": level - 1, "last": level}


def test_a_level_is_found_fast_at_any_height(ledger: Ledger) -> None:
    """Within the statement timeout by far: at most 500 steps from a known level."""
    assert ledger.value("SELECT level_for(%s)", 10**15) == next(n for n in range(1, TOP) if FLOORS[n] > 10**15)
    ledger.connection.execute("SET statement_timeout = '2s'")
    ledger.value("SELECT sum(level_for(1000000000000000 - n)) FROM generate_series(1, 100) AS n")


def test_there_is_no_level_below_one(ledger: Ledger) -> None:
    assert ledger.value("SELECT level_for(-5)") == 1
    with refused("22023"):
        ledger.value("SELECT level_floor(0)")
