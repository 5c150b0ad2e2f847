"""Ticks of the sender, in this process."""

from types import SimpleNamespace

from functions.notifier import worker
from tests.support.client import log_in


def tick(milliseconds: int = 300_000) -> dict[str, int]:
    """One tick. Returns what was done, without what was not."""
    log_in("notifier")
    done = worker.handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds))
    return {name: count for name, count in done.items() if count}
