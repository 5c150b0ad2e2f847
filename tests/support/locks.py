"""A request that has to wait for the user's lock, made on purpose."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import LiteralString, TypeVar

import psycopg

from tests.support.database import Database
from tests.support.threads import at_once
from tests.support.users import User

T = TypeVar("T")


def after_a_wait(
    database: Database, user: User, call: Callable[[], T], *, meanwhile: LiteralString = "SELECT"
) -> tuple[T, datetime]:
    """The result of a call that began while another transaction held the user's lock, and when that was released.

    `meanwhile` is what that transaction does while the call waits. Fails when the call does not wait for the lock.
    """
    with psycopg.connect(database.app_url) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        holder.execute("SELECT app.lock_user()")
        result = pool.submit(at_once, 1, call)
        while not is_waited_for(database, holder.info.backend_pid):
            assert not result.done(), "it did not wait"
            time.sleep(0.01)
        holder.execute(meanwhile)
        row = holder.execute("SELECT instant()").fetchone()
        assert row is not None
        holder.commit()
        return result.result()[0], row[0]


def assert_level_is_of_after_the_wait(database: Database, user: User, path: str) -> None:
    """Assert that a POST which pays nothing says the present level and streak, and not those of when it came."""
    answer, _ = after_a_wait(
        database,
        user,
        lambda: user.post(path).data,
        meanwhile="SELECT app.award('goal_complete', 'test', gen_random_uuid(), 5000, 0, 'meanwhile')",
    )
    level = user.get("/progress").json["level"]
    assert level > 1
    assert (answer["xp_awarded"], answer["new_level"], answer["streak"]) == (0, level, 1)


def is_waited_for(database: Database, holder: int) -> bool:
    """Whether a transaction waits for what the one of this backend holds."""
    rows = database.query(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))) AS waits", holder
    )
    return bool(rows[0]["waits"])
