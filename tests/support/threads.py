"""Several requests at the same moment."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.support import logins

T = TypeVar("T")


def at_once(times: int, call: Callable[[], T]) -> list[T]:
    """The results of `times` calls that start together, each in a thread: an execution environment of its own."""
    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(in_thread, call) for _ in range(times)]]


def in_thread(call: Callable[[], T]) -> T:
    """The result of a call that makes requests, in a thread that was started for it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # Mangum runs a request on its thread's loop
    try:
        return call()
    finally:
        loop.close()
        logins.leave()
