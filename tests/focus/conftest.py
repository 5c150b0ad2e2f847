from datetime import timedelta

import pytest

from local.clock import Clock


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """The clock, stopped at noon of tomorrow: a timer runs exactly as long as its test says, and on one day."""
    clock.set((clock.now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0))
    clock.freeze()
    return clock
