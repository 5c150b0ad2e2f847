"""Accounts with a history of years, and a database of many users: what the figure `scale` is measured on."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psycopg

from questlog.db import Queries

from bench.stage import Stage
from bench.training import with_history
from tests.support.routes import inhabit
from tests.support.users import User

STATEMENTS: Final = Queries(Path(__file__).with_name("population.sql"))
# The statements that give an account its rows, in the order of their names in the file.
OF_AN_ACCOUNT: Final = tuple(name for name in STATEMENTS if name not in ("crowd", "totals"))
# What tests leave in an account through the routes. Tracks need a bucket, which is not here: their rows are written.
INHABITED: Final = (
    *("exercise", "programs", "learn", "infobase", "ideas", "inbox", "market", "bookmarks", "onboarding", "focus"),
)
# What was paid through the routes makes room for the history, whose rows count from 1.
PAID: Final = (
    *("points_ledger", "user_progress", "user_wallet", "user_streaks", "user_skills", "user_counters"),
    *("user_achievements", "ledger_days", "ledger_blocks", "ledger_marks"),
)


@dataclass(frozen=True)
class Size:
    """How many rows an account has. `days` is how far back its history reaches."""

    ledger: int
    days: int
    habits: int
    goals: int
    quests: int
    quest_days: int
    series: int
    events: int
    focus: int
    activity: int
    books: int
    notes: int
    tracks: int
    workouts: int


# A page of each list is full in each of them, so that they show as many rows as the others wherever a list has pages.
SMALL: Final = Size(100, 30, 5, 5, 25, 3, 10, 60, 60, 60, 50, 60, 50, 20)
USUAL: Final = Size(10_000, 365, 20, 50, 50, 60, 50, 1_000, 1_000, 1_000, 100, 500, 100, 200)
HEAVY: Final = Size(1_000_000, 1_095, 100, 450, 500, 365, 2_000, 10_000, 10_000, 50_000, 1_000, 10_000, 1_000, 2_000)


def account(stage: Stage, size: Size) -> User:
    """A new user with so many rows of everything; on the boards."""
    user = with_history(stage, size.workouts)
    user.put("/user/settings", {"profile_public": True})
    for group in INHABITED:
        inhabit(group, user)
    with _past_all_guards(stage) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        for table in PAID:
            connection.execute(f"DELETE FROM {table} WHERE user_id = %s".encode(), [user.id])
        for name in OF_AN_ACCOUNT:
            for statement in STATEMENTS.statements(name, asdict(size)):
                connection.execute(*statement)
    return user


def crowd(stage: Stage, users: int, rows: int) -> None:
    """So many other users with so many payments each; half of them are on the boards."""
    with _past_all_guards(stage) as connection:
        for statement in STATEMENTS.statements("crowd", {"users": users, "rows": rows}):
            connection.execute(*statement)


def settle(stage: Stage) -> None:
    """Write what the ledger keeps beside its rows, for all who lack it, and make the planner know the tables."""
    with _past_all_guards(stage) as connection:
        for statement in STATEMENTS.statements("totals", {}):
            connection.execute(*statement)
    stage.query("VACUUM ANALYZE")


def _past_all_guards(stage: Stage) -> psycopg.Connection:
    """A connection of the superuser whose writes fire no trigger and check no foreign key."""
    connection = psycopg.connect(stage.admin_url, autocommit=True)
    connection.execute("SET session_replication_role = replica")
    return connection
