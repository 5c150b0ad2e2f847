"""The rows of a table as members of an archive, read from the database by COPY, which streams them one by one.

The database does all the formatting, which is fast and exact. The blocks have about 256 KiB; only a row that is larger
makes a larger block.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from psycopg import Connection

BLOCK_BYTES: Final = 256 * 1024

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# Neither character can be in a JSON text, in which control characters are escaped. So COPY quotes nothing.
_JSON_LINES: Final = "FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02'"
_CELLS: Final = "FORMAT csv"

OnRows = Callable[[int], None]
"""Called with the number of rows that were just read; it may stop the reading."""


def json_blocks(connection: Connection[Any], statement: str, on_rows: OnRows) -> Iterator[bytes]:
    """A JSON array with a row on each line, of a statement whose rows are one JSON text each."""
    opening, block = b"[\n", b""
    for rows in _batches(connection, statement, _JSON_LINES):
        on_rows(len(rows))
        if block:
            yield block
        block = opening + b"".join(rows)[:-1].replace(b"\n", b",\n")
        opening = b",\n"
    yield block + b"\n]\n" if block else b"[]\n"


def csv_blocks(connection: Connection[Any], columns: list[str], statement: str, on_rows: OnRows) -> Iterator[bytes]:
    """A table as RFC 4180 has it, with a byte order mark, of a statement whose columns are the texts of the cells."""
    block = _BYTE_ORDER_MARK + ",".join(columns).encode() + b"\r\n"
    for rows in _batches(connection, statement, _CELLS):
        on_rows(len(rows))
        if len(block) >= BLOCK_BYTES:
            yield block
            block = b""
        block += b"".join([row[:-1] + b"\r\n" for row in rows])
    yield block


def _batches(connection: Connection[Any], statement: str, options: str) -> Iterator[list[bytes]]:
    """The rows in the form of COPY, each with a line feed at its end, in lists of about BLOCK_BYTES."""
    batch: list[bytes] = []
    size = 0
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT ({options})".encode()) as copy:
        for row in copy:
            batch.append(bytes(row))
            size += len(row)
            if size >= BLOCK_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
