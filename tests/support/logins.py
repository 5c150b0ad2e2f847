"""The connections of functions that no request uses at the moment, by login.

In Lambda a function keeps one connection and is one login. Here one process is all functions in turn, and a thread that
is started for one request is an execution environment of its own. A new connection has to plan everything anew, which
takes longer than most tests do, so what one has opened the next one goes on with.
"""

from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from psycopg.pq import TransactionStatus

from questlog import db

# So many of one login are kept; at most so many are of use to threads that are started together.
_MOST: Final = 8

_idle: Final[dict[tuple[str, ...], list[db.Connection]]] = {}
_lock: Final = Lock()


def use(url: str) -> None:
    """Have this thread's next request go over a connection of this login, if one is idle; otherwise it opens one."""
    held = db.held_connection()
    if held is not None and _login(held) == _wanted(url):
        return
    leave()
    with _lock:
        idle = _idle.get(_wanted(url), [])
        # The last one that was left is the likeliest to know the statements that come.
        db._held.connection = idle.pop() if idle else None


def leave() -> None:
    """Leave this thread's connection, if it has one that still stands, to whoever asks for its login next."""
    held = db.held_connection()
    if held is None or held.info.transaction_status != TransactionStatus.IDLE:
        db.disconnect()
        return
    db._held.connection = None
    with _lock:
        idle = _idle.setdefault(_login(held), [])
        idle.append(held)
        superfluous = idle[:-_MOST]
        del idle[:-_MOST]
    for connection in superfluous:
        connection.close()


def disconnect() -> None:
    """Close this thread's connection and all that are idle: whatever is asked next, is asked over a new one."""
    db.disconnect()
    with _lock:
        closing = [connection for idle in _idle.values() for connection in idle]
        _idle.clear()
    for connection in closing:
        connection.close()


def _login(connection: db.Connection) -> tuple[str, ...]:
    info = connection.info
    return info.user, info.host, str(info.port), info.dbname


def _wanted(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    return parts.username or "", parts.hostname or "", str(parts.port or 5432), parts.path.removeprefix("/")
