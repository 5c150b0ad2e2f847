"""Statistics of reading: the last twelve months."""

from collections.abc import Iterable
from datetime import date

from functions.books.models import Goal, Month, MonthRow, ShelfRow, Stats

MONTHS = 12


def last_months(today: date) -> list[str]:
    """The last twelve months, the oldest first, as YYYY-MM."""
    newest = today.year * 12 + today.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(newest - MONTHS + 1, newest + 1)]


def stats(shelf: ShelfRow, *, pages: Iterable[MonthRow], goal: Goal, books: Iterable[MonthRow]) -> Stats:
    """The whole document. `pages` is what was read and `books` what was finished, each by month."""
    pages_in = {f"{row.month:%Y-%m}": row.count for row in pages}
    books_in = {f"{row.month:%Y-%m}": row.count for row in books}
    months = last_months(shelf.today)
    return Stats(
        **shelf.model_dump(exclude={"today"}),
        books_this_year=goal.completed,
        pages_this_month=sum(count for month, count in pages_in.items() if month >= months[-1]),
        goal=goal,
        months=[Month(month=month, pages=pages_in.get(month, 0), books=books_in.get(month, 0)) for month in months],
    )
