"""A counting proxy between psycopg and Postgres: how many round trips a request costs, and what a slow line would do.

    with Proxy(url) as proxy:
        connection = psycopg.connect(proxy.url, autocommit=True)
        before = proxy.trips
        connection.execute("SELECT 1")
        assert proxy.trips - before == 1

A trip is a change of direction: the client speaks after the server has spoken. Bytes alone would not count the same
twice. psycopg hands over a pipeline statement by statement, so on a fast line the server may refuse the first while the
last is still on its way, and a client that waited once would look as if it had waited twice. So the proxy keeps what a
client sends until it ends in a message after which a client waits, and passes it on whole.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

# Frontend messages (PostgreSQL, "Message Formats") after which nobody waits, because the server answers none of them
# before a Sync or a Flush: Parse, Bind, Describe, Execute, Close.
_MORE_TO_COME: Final = frozenset(b"PBDEC")
# Nor after a Flush that follows a Sync at once: there is nothing left to flush. psycopg leaves a pipeline that way.
_SYNC: Final = ord("S")
_FLUSH: Final = ord("H")
# Execute and the simple Query.
_STATEMENTS: Final = frozenset(b"EQ")
# The first message of a connection may ask for encryption instead: SSLRequest and GSSENCRequest.
_ENCRYPTION: Final = (80877103, 80877104)


class Proxy:
    """Carries bytes between clients of `url` and its server, and counts how often a client speaks after the server has.

    `delay` is one way's, in seconds: it makes a trip twice that longer. Opening a connection takes trips too, several
    with a password, so read `trips` before and after on a connection that stands.

    `watch` is told how many statements a client has sent, before the server hears of the last of them; where it returns
    False, the server never does: the line is cut.
    """

    def __init__(self, url: str, *, delay: float = 0.0, watch: Callable[[int], bool] = lambda _: True) -> None:
        self._server_url = url
        self._delay = delay
        self._count = _Count()
        self._watch = watch
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._in_thread(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for end in self._ends:
            # To close a socket does not wake the thread that waits for it.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def url(self) -> str:
        """The database's URL by way of this proxy."""
        return self.on_the_way_to(self._server_url)

    @property
    def trips(self) -> int:
        """Round trips so far. One is counted before the server hears of it, so never after its answer has arrived."""
        return self._count.trips

    @property
    def statements(self) -> int:
        """Statements sent so far."""
        return self._count.statements

    def on_the_way_to(self, url: str) -> str:
        """The URL of another database of the server, or of another role, by way of this proxy."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{login}{at}127.0.0.1:{self._listener.getsockname()[1]}").geturl()

    def _in_thread(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        target = urlsplit(self._server_url)
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((target.hostname or "127.0.0.1", target.port or 5432))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._ends.append(end)
                self._in_thread(_Line(client, server, self._count, self._delay, self._watch).carry)


class _Count:
    """What all connections of a proxy add to, each in its thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.trips = 0
        self.statements = 0

    def add(self, *, trips: int = 0, statements: int = 0) -> None:
        with self._lock:
            self.trips += trips
            self.statements += statements


def waits(before: int, kind: int) -> bool:
    """Whether a client may wait for an answer after a message of this kind; `before` is the kind of the one before."""
    return kind not in _MORE_TO_COME and not (kind == _FLUSH and before == _SYNC)


class _Line:
    """One connection's two ends, and who spoke last."""

    def __init__(
        self, client: socket.socket, server: socket.socket, count: _Count, delay: float, watch: Callable[[int], bool]
    ) -> None:
        self._watch = watch
        self._client = client
        self._server = server
        self._count = count
        self._delay = delay
        self._speaker = server
        self._kept = bytearray()
        self._last = 0

    def carry(self) -> None:
        """Carry what is said until either end hangs up."""
        with self._client, self._server, contextlib.suppress(OSError):
            self._say(self._client, self._greeting())
            while True:
                for end in select.select([self._client, self._server], [], [])[0]:
                    said = end.recv(1 << 20)
                    if not said:
                        return
                    self._say(end, self._complete(said) if end is self._client else said)

    def _say(self, speaker: socket.socket, words: bytes) -> None:
        if not words:
            return
        if speaker is not self._speaker:
            self._speaker = speaker
            self._count.add(trips=speaker is self._client)
            time.sleep(self._delay)
        (self._server if speaker is self._client else self._client).sendall(words)

    def _greeting(self) -> bytes:
        """The connection's first message. Encryption is declined: what is to be counted must be read."""
        while True:
            length = self._exactly(4)
            rest = self._exactly(int.from_bytes(length) - 4)
            if int.from_bytes(rest[:4]) not in _ENCRYPTION:
                return length + rest
            self._client.sendall(b"N")

    def _exactly(self, count: int) -> bytes:
        words = self._client.recv(count, socket.MSG_WAITALL)
        if len(words) < count:
            raise ConnectionError
        return words

    def _complete(self, said: bytes) -> bytes:
        """What may be passed on: up to the last message after which the client may be waiting. The rest is kept."""
        self._kept += said
        position = end = executed = seen = 0
        before = self._last
        while position + 5 <= len(self._kept):
            kind = self._kept[position]
            position += 1 + int.from_bytes(self._kept[position + 1 : position + 5])
            seen += kind in _STATEMENTS
            if position <= len(self._kept) and waits(before, kind):
                end, executed = position, seen
                self._last = kind
            before = kind
        words = bytes(self._kept[:end])
        del self._kept[:end]
        self._count.add(statements=executed)
        if executed and not self._watch(self._count.statements):
            raise ConnectionError
        return words
