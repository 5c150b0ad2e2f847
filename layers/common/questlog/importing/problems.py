"""What went wrong while a file was read: the problems of single rows, and the refusals of the whole file."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

# How many problems a report shows (imports contract, Report).
SHOWN: Final = 50
_LONGEST_NAME: Final = 120


class Refused(Exception):
    """The whole file is refused. The message completes a sentence whose subject is the file: "is not a ZIP file"."""


class Unreadable(Refused):
    """The file does not have the format that it should have."""


class TooLarge(Refused):
    """The file holds more than may be read at once. `limit_bytes` is set if it has too many bytes."""

    def __init__(self, message: str, limit_bytes: int | None = None) -> None:
        super().__init__(message)
        self.limit_bytes = limit_bytes


class UnitNeeded(Refused):
    """The file holds numbers and does not name their unit; `parameter` is the query parameter that has to name it."""

    def __init__(self, parameter: str) -> None:
        super().__init__("is needed: the file holds such values and does not name their unit")
        self.parameter = parameter


class Problem(NamedTuple):
    """Something in the file that was not imported, or was changed on import.

    `line` counts lines of the file from 1, null where there are none (JSON); `name` is the workout, book or habit.
    """

    line: int | None
    name: str | None
    message: str


@dataclass(slots=True)
class Problems:
    """The first 50 problems of a file; with all of them a broken file of 4 MiB would get a report of 4 MiB.

    `sums` are among the 50 however many problems single rows have: each counts all losses of a kind.
    """

    listed: list[Problem] = field(default_factory=list)
    sums: list[Problem] = field(default_factory=list)

    def tell(self, line: int | None, name: str | None, message: str) -> None:
        """Add a problem; beyond the first 50 nothing is kept."""
        if len(self.listed) < SHOWN:
            self.listed.append(Problem(line, name[:_LONGEST_NAME] if name else None, message))

    def sum_up(self, message: str, count: int) -> None:
        """Add a problem of the whole file, with how often it occurs; nothing if it never does."""
        if count:
            self.sums.append(Problem(None, None, f"{message}: {count}."))

    def in_order(self) -> list[Problem]:
        """The problems by line, those that belong to no line last."""
        of_rows = sorted(
            self.listed[: SHOWN - len(self.sums)], key=lambda problem: (problem.line is None, problem.line or 0)
        )
        return [*of_rows, *self.sums]
