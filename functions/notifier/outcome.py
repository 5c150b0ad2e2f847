"""The outcome of sending a message to one browser or address."""

from typing import Literal, NamedTuple

# The most attempts of a delivery.
ATTEMPTS = 5
_FIRST_WAIT_SECONDS = 30
_LONGEST_WAIT_SECONDS = 6 * 3600


class Outcome(NamedTuple):
    """`later` is tried again after `wait` seconds; `gone`: the browser or address takes no messages any more."""

    status: Literal["delivered", "failed", "gone", "expired", "later"]
    wait: int = 0


DELIVERED = Outcome("delivered")
FAILED = Outcome("failed")
GONE = Outcome("gone")
EXPIRED = Outcome("expired")


def tried_again(attempts: int, asked_for: int | None = None) -> Outcome:
    """Later, after the time that the service asks for or twice as long each time; failed after the last attempt."""
    if attempts >= ATTEMPTS:
        return FAILED
    wait = asked_for if asked_for is not None else _FIRST_WAIT_SECONDS * 2 ** (attempts - 1)
    return Outcome("later", max(1, min(wait, _LONGEST_WAIT_SECONDS)))
