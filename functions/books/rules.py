"""Statistics of reading: the last twelve months."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from functions.books.models import Goal, Month, MonthRow, ShelfRow, Stats

MONTHS = 12


def last_months(today: date) -> list[str]:
    """The last twelve months, the oldest first, as YYYY-MM."""
    newest = today.year * 12 + today.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(newest - MONTHS + 1, newest + 1)]


def stats(shelf: ShelfRow, rows: Iterable[MonthRow]) -> Stats:
    """The whole document. `rows` hold what was read and what was finished in the last months, and in those to come."""
    pages: Counter[str] = Counter()
    books: Counter[str] = Counter()
    for row in rows:
        month = f"{row.month:%Y-%m}"
        pages[month] += row.pages
        books[month] += row.books
    months = last_months(shelf.today)
    this_year = sum(count for month, count in books.items() if month.startswith(f"{shelf.today:%Y}-"))
    return Stats(
        **shelf.model_dump(exclude={"today", "target"}),
        books_this_year=this_year,
        pages_this_month=sum(count for month, count in pages.items() if month >= months[-1]),
        goal=Goal(year=shelf.today.year, target=shelf.target, completed=this_year),
        months=[Month(month=month, pages=pages[month], books=books[month]) for month in months],
    )
