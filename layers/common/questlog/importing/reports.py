"""What a route that imports answers (imports contract, Report)."""

from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on


class ImportProblem(TypedDict):
    """Something in the file that was not taken, or not as it stands there."""

    line: int | None
    name: str | None
    message: str


class ImportReport(TypedDict):
    """What became of the workouts, books or habits of a file: the four numbers together are all that it holds."""

    format: str
    imported: int
    updated: int
    unchanged: int
    skipped: int
    problems: list[ImportProblem]
    dry_run: bool
