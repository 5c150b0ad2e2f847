"""The clock moves for tests and on the local stack, and a deployed database has no way to move it."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from local.clock import Clock, ClockError
from tests.conftest import Database, User
from tests.support import factories

BODIES = """
    SELECT p.proname AS name, p.provolatile AS volatility, p.prosecdef AS definer,
           pg_get_function_sqlbody(p.oid) AS body, pg_get_functiondef(p.oid) AS definition
      FROM pg_proc AS p WHERE p.proname IN ('clock', 'instant') ORDER BY p.proname
"""


def shown(database: Database) -> tuple[datetime, datetime]:
    """What clock() and instant() return to a request."""
    with psycopg.connect(database.app_url) as connection:
        row = connection.execute("SELECT clock(), instant()").fetchone()
        assert row is not None
        return row[0], row[1]


def test_a_migrated_database_has_the_servers_time_and_nothing_to_shift_it(untouched: Database) -> None:
    bodies = {row["name"]: row for row in untouched.query(BODIES)}
    assert {name: row["body"].strip() for name, row in bodies.items()} == {
        "clock": "RETURN now()",
        "instant": "RETURN clock_timestamp()",
    }
    assert untouched.query("SELECT FROM pg_namespace WHERE nspname = 'local'") == []
    read = untouched.query(
        """
        SELECT DISTINCT refobjid::regclass FROM pg_depend
         WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_class'::regclass
           AND objid IN ('clock()'::regprocedure, 'instant()'::regprocedure)
        """
    )
    assert read == [], "what tells the time must read no table"


@pytest.mark.parametrize("role", ["questlog_app", "questlog_auth", "questlog_operator", "questlog_jobs"])
def test_no_login_can_move_it(database: Database, clock: Clock, role: str) -> None:
    clock.advance("1 day")
    for statement in (
        "UPDATE local.clock SET shift = '0'",
        "INSERT INTO local.clock DEFAULT VALUES",
        "CREATE OR REPLACE FUNCTION public.clock() RETURNS timestamptz LANGUAGE sql RETURN now()",
        "CREATE SCHEMA another",
    ):
        with (
            psycopg.connect(database.url(role), autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())


def test_it_is_moved_and_goes_on(database: Database, clock: Clock) -> None:
    clock.set("2031-03-29T22:00:00Z")
    before, after = shown(database), shown(database)
    for earlier, later in zip(before, after, strict=True):
        assert datetime(2031, 3, 29, 22, tzinfo=UTC) < earlier < later < datetime(2031, 3, 29, 22, 5, tzinfo=UTC)
    moved = clock.advance("P1DT2H")
    assert timedelta(days=1, hours=2) < moved - after[0] < timedelta(days=1, hours=2, minutes=5)
    # A day is 24 hours, also where the administrator's session would see a change of daylight saving time.
    assert clock.advance(timedelta(days=-1)) < clock.set(datetime(2031, 4, 1, tzinfo=UTC))


def test_it_stops(database: Database, clock: Clock) -> None:
    clock.set("2031-03-29T22:00:00Z")
    stopped = clock.freeze()
    assert shown(database) == (stopped, stopped)
    assert clock.now() == stopped
    assert clock.advance("59 seconds") - stopped == timedelta(seconds=59)
    assert shown(database) == (stopped + timedelta(seconds=59),) * 2
    assert clock.set("2031-01-01T00:00:00Z") == clock.now() == datetime(2031, 1, 1, tzinfo=UTC)


def test_it_is_put_back_to_what_the_migrations_made(database: Database, untouched: Database) -> None:
    clock = Clock(database.admin)
    real = clock.now()
    clock.freeze()
    clock.advance("10 years")
    clock.reset()
    assert database.query(BODIES) == untouched.query(BODIES)
    assert timedelta() <= clock.now() - real < timedelta(minutes=5)
    clock.reset()  # once more changes nothing


@pytest.mark.parametrize("wrong", ["yesterday-ish", "", "infinity", "P9999Y", "-P200Y"])
def test_what_is_no_time_is_refused_and_changes_nothing(clock: Clock, wrong: str) -> None:
    before = clock.advance("1 day")
    with pytest.raises(ClockError):
        clock.advance(wrong)
    with pytest.raises(ClockError):
        clock.set(wrong)
    assert timedelta() <= clock.now() - before < timedelta(minutes=5)


def test_sessions_and_terms_outlive_a_moved_clock(user: User, clock: Clock) -> None:
    made = factories.habit(user)
    clock.advance("30 years")
    [habit] = user.get("/habits").data["habits"]
    assert habit["id"] == made["id"]
    assert factories.habit(user)["created_at"] > str(clock.now().year - 1)
