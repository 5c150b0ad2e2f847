"""Many reminders that are due in one minute: a few batches, or NOTIFIER_ROWS=100000 to measure as many."""

import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from questlog import db

from functions.notifier.reminding import BATCH, remind
from local.clock import Clock
from tests.conftest import Database
from tests.notifier.ticking import tick
from tests.support.client import log_in
from tests.support.clock import NOON
from tests.support.proxy import Proxy

ROWS = int(os.environ.get("NOTIFIER_ROWS", str(BATCH * 2 + 10)))

# Users with a browser and a habit at noon, all in one statement.
STAGE = """
    WITH made AS (
        INSERT INTO users (email, name) SELECT 'many-' || n || '@questlog.test', 'Many' FROM generate_series(1, %s) AS n
        RETURNING id
    ), set AS (
        INSERT INTO user_settings (user_id, key, value) SELECT id, 'push_notifications', 'true' FROM made
    ), subscribed AS (
        INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth)
        SELECT id, 'https://fcm.googleapis.com/' || id, repeat('A', 87), repeat('A', 22) FROM made
    ), habits AS (
        INSERT INTO habits (user_id, name, reminder_time, sort_order, created_on)
        SELECT id, 'Stretch', '12:00', 1, '2031-05-01' FROM made RETURNING user_id, id
    )
    INSERT INTO reminders (user_id, source, source_id, due_at)
    SELECT user_id, 'habit', id, '2031-05-07 12:00:00Z' FROM habits
"""


@pytest.fixture
def many(database: Database, clock: Clock, noon: None) -> Iterator[None]:
    database.query(STAGE, ROWS)
    yield
    database.query("DELETE FROM users WHERE email LIKE 'many-%%'")


@pytest.mark.usefixtures("many")
def test_many_are_worked_off_in_batches(database: Database) -> None:
    """Each batch is a transaction of a few statements, and no reminder is left or looked at twice."""
    log_in("notifier")
    done: Counter[str] = Counter()
    began, batches = time.monotonic(), 0
    while reminded := remind(db.connection()):
        done += reminded
        batches += 1
    print(f"{ROWS} reminders in {time.monotonic() - began:.1f} s, {batches} batches")
    assert done == {"reminders": ROWS, "messages": ROWS}
    assert batches == -(-ROWS // BATCH)
    [row] = database.query("SELECT count(*) AS total FROM notification_deliveries WHERE status = 'queued'")
    assert row["total"] == ROWS
    [row] = database.query("SELECT count(*) AS due FROM reminders WHERE due_at <= %s", NOON)
    assert row["due"] == 0


def test_an_idle_tick_is_one_statement_and_one_trip(database: Database) -> None:
    with Proxy(database.app_url) as proxy:
        database.serve(proxy.on_the_way_to)
        tick()
        before = proxy.trips, proxy.statements
        assert tick() == {}
        assert (proxy.trips - before[0], proxy.statements - before[1]) == (1, 1)
    database.serve()
