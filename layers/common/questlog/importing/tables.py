"""CSV files of other apps, read within limits.

The first line decides which delimiter the file has, and its names which columns. Each row keeps the number of the line
on which it starts, so that the user can find a problem in the file.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from questlog.importing.problems import Problems, TooLarge, Unreadable
from questlog.importing.values import plain_spaces

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_COLUMNS: Final = 1_000
MAX_ROWS: Final = 100_000
MAX_CELL: Final = 131_072
# A line that is added at the end of every file. If it does not come back as a row, a quote was never closed. No file
# holds it itself, since one with NUL in it is refused.
_END: Final = "\0"


class Row:
    """One row. `row["weight"]` is the text of a column, empty where the file or the row has none."""

    __slots__ = ("_columns", "cells", "line")

    def __init__(self, line: int, cells: list[str], columns: Mapping[str, int]) -> None:
        self.line = line
        self.cells = cells
        self._columns = columns

    def __getitem__(self, name: str) -> str:
        index = self._columns.get(name)
        return "" if index is None or index >= len(self.cells) else self.cells[index]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows under a header. `columns` holds the normalised names: lower case, single spaces."""

    header: list[str]
    columns: dict[str, int]
    lines: list[tuple[int, list[str]]]

    def rows(self, aliases: Mapping[str, str], problems: Problems) -> Iterator[Row]:
        """The rows that are not empty. `aliases` maps the normalised names of columns to the names used by the caller.

        A row whose cells do not match the header is left out and added to the problems: a spreadsheet that quotes a
        whole line makes one cell of it, an editor that drops quotes makes too many.
        """
        columns: dict[str, int] = {}
        for name, index in self.columns.items():
            columns.setdefault(aliases.get(name, name), index)
        for line, cells in self.lines:
            if len(cells) == 1:
                problems.tell(line, None, "The line is one cell: a spreadsheet has put the whole of it in quotes.")
            elif any(cells[len(self.header) :]):
                problems.tell(line, None, "The line has more cells than the header: its quotes are missing.")
            else:
                yield Row(line, cells, columns)

    def found(self) -> str:
        """The first columns of the header, cut short, for a message."""
        names = ", ".join(plain_spaces(name)[:30] or "(empty)" for name in self.header[:8])
        return f"{names}, ..." if len(self.header) > 8 else names


def normalised(name: str) -> str:
    """The name of a column as it is compared: without regard to case and spacing."""
    return plain_spaces(name).casefold()


def decoded(data: bytes, limit: int = MAX_BYTES) -> str:
    """The text of a file, without its byte order mark. Raises TooLarge, or Unreadable if it is not UTF-8."""
    if len(data) > limit:
        raise TooLarge(f"is larger than {limit // 1024 // 1024} MiB", limit)
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("is not text in UTF-8") from None
    if "\0" in text:
        raise Unreadable("is not text in UTF-8")
    return text


def read_table(data: bytes) -> Table:
    """The table in a CSV file. Raises Unreadable if it has less than two columns, TooLarge beyond the limits."""
    (_, header), *lines = read_lines(data)
    if len(header) == 1:
        raise Unreadable(f"has only one column, {plain_spaces(header[0])[:60]}")
    columns: dict[str, int] = {}
    for index, name in enumerate(header):
        columns.setdefault(normalised(name), index)
    return Table(header, columns, lines)


def read_lines(data: bytes) -> list[tuple[int, list[str]]]:
    """Each row of a CSV file that is not empty, and the line on which it starts; at least one.

    The delimiter is the comma, semicolon or tab that the first line has most of outside quotes. Raises Unreadable if
    there is no text, TooLarge for too many bytes, columns or rows, or a cell that is too long.
    """
    text = decoded(data)
    lines = []
    for line, cells in _rows(text, _delimiter(text.lstrip())):
        if len(cells) > MAX_COLUMNS:
            raise TooLarge(f"has {len(cells):,} columns; at most {MAX_COLUMNS:,} are read")
        if any(map(str.strip, cells)):
            lines.append((line, cells))
    if not lines:
        raise Unreadable("is empty")
    return lines


def _delimiter(text: str) -> str:
    counts = dict.fromkeys(",;\t", 0)
    quoted = False
    for letter in text[:MAX_CELL]:
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter in counts:
            counts[letter] += 1
        elif not quoted and letter in "\r\n":
            break
    return max(counts, key=lambda delimiter: counts[delimiter])


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row and the line it starts on."""
    csv.field_size_limit(MAX_CELL)
    ended = text if text.endswith(("\n", "\r")) else text + "\n"
    reader = csv.reader(chain(io.StringIO(ended, newline=""), [_END]), delimiter=delimiter)
    line = 1
    for number in range(MAX_ROWS + 2):
        try:
            cells = next(reader)
        except csv.Error:
            raise TooLarge(
                f"has a cell of more than {MAX_CELL:,} characters at line {line}, or a quote there that is not closed"
            ) from None
        if cells == [_END]:
            return
        if cells and cells[-1].endswith(_END):
            raise Unreadable(f"has a quote at line {line} that is not closed")
        if number > MAX_ROWS:
            raise TooLarge(f"has more than {MAX_ROWS:,} rows")
        yield line, cells
        line = reader.line_num + 1
