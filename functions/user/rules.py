"""The statistics and settings of a user, from the rows that hold them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from functions.user.models import Counter, Setting

# Which counter of the ledger each field of the statistics shows.
COUNTERS: Final[Mapping[str, str]] = {
    "focus_sessions": "focus_sessions",
    "focus_minutes": "focus_minutes",
    "habit_completions": "habits_completed",
    "goals_completed": "goals_completed",
    "quests_completed": "quests_completed",
    "workouts_completed": "workouts_completed",
    "books_finished": "books_completed",
    "pages_read": "pages_read",
    "lessons_completed": "lessons_completed",
}


def counted(counters: Iterable[Counter]) -> dict[str, int]:
    """The fields of the statistics that show a counter; 0 where the user has none."""
    values = {counter.counter: counter.value for counter in counters}
    return {field: values.get(counter, 0) for field, counter in COUNTERS.items()}


def effective(known: Iterable[Setting], stored: Iterable[Setting] = ()) -> dict[str, Any]:
    """The value of each known setting as it holds now, and of each other setting that is stored."""
    return {setting.key: setting.value for setting in [*known, *stored]}
