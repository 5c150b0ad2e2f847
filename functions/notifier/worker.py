"""The sender of notifications: every minute, makes messages of the reminders that are due, and sends them.

It may be killed at any line: see reminding.py and sending.py. Only one run works at a time, so that the daily limit of
a user's messages holds; what is not done when its time is up is done by the next run.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from aws_lambda_powertools import Logger

from questlog import db
from questlog.db import Db, Queries
from questlog.errors import Failure, Interrupted
from questlog.settings import settings
from questlog.wire import Row

from functions.notifier.pushing import require_key_pair
from functions.notifier.reminding import remind
from functions.notifier.sending import send

# A run begins nothing more when so little of its time is left: a batch of deliveries that all hang takes that long.
LAST_BATCH_MS: Final = 90_000
NOTHING: Final = {"reminders": 0, "messages": 0, "delivered": 0, "failed": 0, "gone": 0, "expired": 0, "later": 0}

_queries: Final = Queries(Path(__file__).with_name("queries.sql"))
_log: Final = Logger(service="notifier")


class Tick(Row):
    """A run of the schedule, which is done already where nothing is due."""

    id: UUID
    status: Literal["running", "done"]


class Kept(Row):
    """Whether the run still holds its lease."""

    has_run: bool


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """One tick. Returns how many reminders were looked at, how many messages made, and what came of deliveries."""
    del event
    settings()
    require_key_pair()
    database = Db(_queries)
    tick = database.maybe(Tick, "begin", nothing=NOTHING)
    if tick is None or tick.status == "done":
        return dict(NOTHING)
    try:
        done = NOTHING | _run(database, tick, context.get_remaining_time_in_millis)
    except Exception as error:
        # If it was the database that failed, this fails too, and the lease runs out instead.
        with suppress(Interrupted, Failure):
            result = {"error": f"It failed with {type(error).__name__}."}
            database.many(Row, "end", run_id=tick.id, has_failed=True, result=result)
        raise
    database.many(Row, "end", run_id=tick.id, has_failed=False, result=done)
    _log.info("reminders", done=done)
    return done


def _run(database: Db, tick: Tick, remaining_ms: Callable[[], int]) -> Counter[str]:
    """Remind and send by turns while there is time, so that no message waits for all reminders."""
    done: Counter[str] = Counter()
    while remaining_ms() > LAST_BATCH_MS:
        reminded = remind(db.connection())
        sent = send(db.connection())
        done += reminded + sent
        if not reminded and not sent:
            break
        if not database.one(Kept, "renew", run_id=tick.id).has_run:
            break
    return done
