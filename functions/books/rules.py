"""Statistics of reading: streaks of days, and the last twelve months."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from functions.books.models import DayRow, Goal, Month, MonthRow, ShelfRow, Stats

MONTHS = 12
WEEK = timedelta(days=7)


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


def stats(shelf: ShelfRow, today: date, *, days: Sequence[DayRow], goal: Goal, books: Iterable[MonthRow]) -> Stats:
    """The whole document. `days` are the days with a log, in order; `books` is what was finished by month."""
    current, longest = streaks((row.day for row in days), today)
    pages_in: Counter[str] = Counter()
    for row in days:
        pages_in[f"{row.day:%Y-%m}"] += row.pages
    books_in = {f"{row.month:%Y-%m}": row.count for row in books}
    return Stats(
        **shelf.model_dump(),
        current_streak_days=current,
        longest_streak_days=longest,
        books_this_year=goal.completed,
        pages_this_month=sum(row.pages for row in days if row.day >= today.replace(day=1)),
        pages_7d=sum(row.pages for row in days if row.day > today - WEEK),
        goal=goal,
        months=[
            Month(month=month, pages=pages_in[month], books=books_in.get(month, 0)) for month in last_months(today)
        ],
    )
