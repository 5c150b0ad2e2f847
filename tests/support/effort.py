"""Limits of work, in CPU seconds of the machine that they were chosen on: on a slower or busier one they are longer."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

# What _loop() takes on that machine: an x86-64 of 2024, Python 3.11.
_LOOP_SECONDS: Final = 0.006


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail when the block takes more of this process's CPU time. The machine is measured before and after.

    The collector is off meanwhile: it would look through all that other tests have left.
    """
    slowness = _slowness()
    gc.disable()
    try:
        started = time.process_time()
        yield
        took = time.process_time() - started
    finally:
        gc.enable()
    limit = seconds * max(1, slowness, _slowness())
    assert took <= limit, f"{took:.2f} s of CPU, where {limit:.2f} s are enough"


def cost(call: Callable[[], object]) -> float:
    """CPU seconds of a call: the lesser of two, which a busy machine disturbs less.

    The collector is off meanwhile: it would look through all that other tests have left.
    """
    gc.disable()
    try:
        return min(_cpu(call), _cpu(call)) / max(1, _slowness())
    finally:
        gc.enable()


def _slowness() -> float:
    """How many times slower than that machine this one is now."""
    return min(_loop() for _ in range(3)) / _LOOP_SECONDS


def _cpu(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _loop() -> float:
    started = time.process_time()
    total = 0
    for number in range(100_000):
        total += number % 7
    return time.process_time() - started
