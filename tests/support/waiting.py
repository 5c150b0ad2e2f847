"""What another thread or another process does a moment later: a test waits for it, and says so when it never comes."""

import time
from collections.abc import Callable
from typing import Final

# Far longer than anything takes on a busy machine.
_PATIENCE_SECONDS: Final = 120


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait until the condition holds; fail with `what` should have come when it does not in two minutes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"after {_PATIENCE_SECONDS} s there is still not: {what}"
        time.sleep(0.01)
