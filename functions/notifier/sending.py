"""Sends messages from the outbox to browsers and mailboxes.

1. Claim deliveries that are due. The claim counts the attempt and sets the time of the next one, in case this one is
   killed.
2. Send them, many at once, since nearly all of the time is spent waiting for responses.
3. Store the outcome of each.

If the sender is killed between 2 and 3, the deliveries are sent once more under the same topic: a copy that was not
shown yet is replaced, and one that was shown is shown again in its place.
"""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aws_lambda_powertools import Logger

from questlog.db import Connection

from functions.notifier.mailing import mail
from functions.notifier.outcome import ATTEMPTS, EXPIRED, FAILED, GONE, Outcome
from functions.notifier.pushing import push
from functions.notifier.statements import execute

# How many are sent at once.
AT_ONCE: Final = 32
# The size of a batch: even if all of it times out, that is well within the five minutes of a claim.
BATCH: Final = 200
_log: Final = Logger(service="notifier")


def send(connection: Connection) -> Counter[str]:
    """Send a batch of due deliveries. Returns how many had each outcome."""
    claimed = execute(connection, "claim", most=BATCH)
    if not claimed:
        return Counter()
    with ThreadPoolExecutor(min(AT_ONCE, len(claimed))) as pool:
        outcomes = [*pool.map(_sent, claimed)]
    results = [
        {
            "user_id": str(delivery["user_id"]),
            "id": str(delivery["id"]),
            "subscription_id": delivery["subscription_id"] and str(delivery["subscription_id"]),
            "outcome": outcome.status,
            "wait": outcome.wait,
        }
        for delivery, outcome in zip(claimed, outcomes, strict=True)
    ]
    execute(connection, "settle", results=results)
    return Counter(outcome.status for outcome in outcomes)


def _sent(delivery: Mapping[str, Any]) -> Outcome:
    """The outcome of one delivery. An unforeseen error fails this one alone, and is logged without its content."""
    ttl = int((delivery["expires_at"] - delivery["now"]).total_seconds())
    if ttl <= 0:
        return EXPIRED
    if delivery["attempts"] > ATTEMPTS:
        # Each attempt was killed before it could say what came of it.
        return FAILED
    try:
        if delivery["channel"] == "push":
            return push(delivery, ttl)
        return mail(delivery) if delivery["address"] is not None else GONE
    except Exception as error:  # noqa: BLE001 - the outcomes of the other deliveries are still to be stored
        _log.error("delivery", channel=delivery["channel"], error=type(error).__name__)
        return FAILED
