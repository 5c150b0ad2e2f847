"""Statistics of reading: streaks of days, and the last twelve months."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from functions.books.models import DayRow, Goal, LogTotals, Month, MonthRow, ShelfRow, Stats

MONTHS = 12


def streaks(days: Iterable[date], today: date) -> tuple[int, int]:
    """The current and the longest run of days; `days` are in order. The current one ends today or yesterday."""
    run = longest = 0
    last: date | None = None
    for day in days:
        run = run + 1 if last is not None and day == last + timedelta(days=1) else 1
        longest = max(longest, run)
        last = day
    stands = last is not None and last >= today - timedelta(days=1)
    return (run if stands else 0), longest


def last_months(today: date) -> list[str]:
    """The last twelve months, the oldest first, as YYYY-MM."""
    newest = today.year * 12 + today.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(newest - MONTHS + 1, newest + 1)]


def stats(
    shelf: ShelfRow,
    totals: LogTotals,
    *,
    days: Sequence[DayRow],
    goal: Goal,
    pages: Iterable[MonthRow],
    books: Iterable[MonthRow],
) -> Stats:
    """The whole document; `pages` and `books` are what was read and finished by month."""
    current, longest = streaks((row.day for row in days), totals.today)
    pages_in = {f"{row.month:%Y-%m}": row.count for row in pages}
    books_in = {f"{row.month:%Y-%m}": row.count for row in books}
    return Stats(
        **shelf.model_dump(),
        **totals.model_dump(exclude={"today"}),
        current_streak_days=current,
        longest_streak_days=longest,
        books_this_year=goal.completed,
        goal=goal,
        months=[
            Month(month=month, pages=pages_in.get(month, 0), books=books_in.get(month, 0))
            for month in last_months(totals.today)
        ],
    )
