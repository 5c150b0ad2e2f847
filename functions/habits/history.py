"""Habits with their history as files of other apps hold them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from questlog.importing.problems import Problems
from questlog.importing.values import clean, clean_line

from functions.habits.models import EVERY_DAY, MOST_AMOUNT, Direction, Frequency, Kind, Period

Difficulty = Literal["easy", "medium", "hard"]

# The limits of our own tables (core contract, 4; planning contract, 1); longer text is cut, which the report says.
LONGEST_NAME: Final = 120
LONGEST_TEXT: Final = 2_000
LONGEST_TITLE_OF_QUEST: Final = 200
LONGEST_TEXT_OF_QUEST: Final = 5_000
DUE_ON: Final = "\nDue on {:%Y-%m-%d}."
LONGEST_CATEGORY: Final = 40
LONGEST_UNIT: Final = 20
LARGEST_AMOUNT: Final = Decimal(MOST_AMOUNT)
# The smallest amount, as the target of a habit for which any amount is enough.
LEAST_AMOUNT: Final = Decimal("0.001")
# An index over a longer key would be refused by the database.
_LONGEST_KEY: Final = 300


class HabitDay(NamedTuple):
    """A day on which a habit was done or skipped, or that has an amount, whether it is enough or not."""

    day: date
    is_done: bool
    notes: str | None = None
    amount: Decimal | None = None

    @property
    def is_skip(self) -> bool:
        return not self.is_done and self.amount is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedHabit:
    """A habit with its days, oldest first. `created_on` is the first day the file knows of it, if it knows any."""

    import_key: str
    line: int | None
    name: str
    description: str | None = None
    frequency: Frequency = "daily"
    target_count: int = 1
    custom_days: list[int] = field(default_factory=lambda: EVERY_DAY)
    color: str | None = None
    category: str | None = None
    is_active: bool = True
    kind: Kind = "check"
    direction: Direction = "at_least"
    target_amount: Decimal | None = None
    unit: str | None = None
    period: Period = "day"
    created_on: date | None = None
    days: list[HabitDay] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedQuest:
    """A task that is done once. It is due on a date, or on the user's date at an instant; its text has room for it."""

    import_key: str
    title: str
    description: str | None
    difficulty: Difficulty
    category: str | None = None
    due: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What a file holds: `skipped` counts its habits that are not among `habits`."""

    format: str
    habits: list[ImportedHabit]
    quests: list[ImportedQuest]
    skipped: int
    problems: Problems


def import_key(source: str, *parts: str) -> str:
    """The key by which a later import recognises the habit or quest."""
    return f"{source}:{'|'.join(parts)}"[:_LONGEST_KEY]


def name_of(text: str, line: int | None, problems: Problems, longest: int = LONGEST_NAME) -> str:
    """A name, cut to the longest that we keep; a cut becomes a problem."""
    return _cut(clean_line(text), longest, line, text, problems)


def text_of(
    parts: Iterable[str], line: int | None, name: str, problems: Problems, longest: int = LONGEST_TEXT
) -> str | None:
    """Several texts as one, each on a line of its own, cut to the longest that we keep; a cut becomes a problem."""
    return _cut("\n".join(filter(None, map(clean, parts))), longest, line, name, problems) or None


def category_of(text: str, name: str, problems: Problems) -> str | None:
    """A category, cut to the longest that we keep; a cut becomes a problem."""
    return _cut(text, LONGEST_CATEGORY, None, name, problems) or None


def _cut(text: str, longest: int, line: int | None, name: str, problems: Problems) -> str:
    if len(text) > longest:
        problems.tell(line, clean_line(name), f"Text was cut to {longest:,} characters.")
    return text[:longest].rstrip()


class Days:
    """The days of a habit, each once. If a day has two entries, one that is done or has an amount wins over a skip."""

    def __init__(self) -> None:
        self._days: dict[date, HabitDay] = {}

    def add(self, day: HabitDay) -> None:
        known = self._days.get(day.day)
        if known is None or (known.is_skip and not day.is_skip):
            self._days[day.day] = day

    def in_order(self) -> list[HabitDay]:
        return [self._days[day] for day in sorted(self._days)]
