"""A figure: what was measured, how to read it, and the numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Group
from rich.table import Table


@dataclass
class Figure:
    """One table; the first column says what a row is about, the others hold numbers."""

    title: str
    reading: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)  # what each shows, and its file beside the document
    missing: str | None = None

    def add(self, *cells: object) -> None:
        """Append a row."""
        assert len(cells) == len(self.columns)
        self.rows.append(tuple(str(cell) for cell in cells))

    def without_rows(self, reason: str) -> "Figure":
        """The figure where it cannot be measured."""
        self.missing = reason
        return self

    def table(self) -> Group:
        """The figure for a terminal."""
        table = Table(title=self.title, title_justify="left", title_style="bold")
        for position, column in enumerate(self.columns):
            table.add_column(column, justify="right" if position else "left")
        for row in self.rows:
            table.add_row(*row)
        note = f"not measured: {self.missing}" if self.missing else self.reading
        return Group(table, note, *(f"- {line}" for line in self.notes), "")

    def markdown(self) -> Iterator[str]:
        """The figure for the document, line by line."""
        yield from (f"## {self.title}", "", self.reading, "")
        if self.missing:
            yield from (f"Not measured in this run: {self.missing}.", "")
            return
        yield from (_line(self.columns), _line(["---", *["---:"] * (len(self.columns) - 1)]))
        yield from (_line(row) for row in self.rows)
        yield ""
        for shows, file in self.pictures:
            yield from (f"![{shows}]({file})", "")
        if self.notes:
            yield from (*(f"- {line}" for line in self.notes), "")


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"
