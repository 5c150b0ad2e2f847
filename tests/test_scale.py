"""The arithmetic of docs/scale.md: counted anew from the measured figures it names, in docs/bench-capacity.md."""

import re
from typing import Final

from tests.support.client import ROOT

USERS: Final = {"1 thousand": 10**3, "100 thousand": 10**5, "10 million": 10**7, "1 billion": 10**9}
ACTIVE: Final = 0.2
PEAK: Final = 3
SECONDS_OF_A_REQUEST: Final = 0.01
# US dollars; the page says for what.
OF_A_MILLION_REQUESTS: Final = 1.27
DAY: Final = 86_400
NEW: Final = "a new user, paid 5 times"
YEAR: Final = "a year's account"


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def measured(row: str, column: int = -1) -> float:
    """The number in a row of the measured tables."""
    [line] = [line for line in document("bench-capacity.md").splitlines() if line.startswith(f"| {row} |")]
    return float(line.strip("| ").split("|")[column])


def counted() -> dict[str, list[str]]:
    """The rows of the page's table."""
    active = [users * ACTIVE for users in USERS.values()]
    idle = [users - some for users, some in zip(USERS.values(), active, strict=True)]
    per_day = measured("together", 1)
    per_second = [some * per_day / DAY * PEAK for some in active]
    weight = [some * measured(YEAR) + others * measured(NEW) for some, others in zip(active, idle, strict=True)]
    database = measured("together") / 1000
    month = [some * per_day * 30 / 1e6 * OF_A_MILLION_REQUESTS for some in active]
    return {
        "active on a day": [short(some) for some in active],
        "requests a second, at the peak": [short(rate) for rate in per_second],
        "at work at once, at the peak": [short(rate * SECONDS_OF_A_REQUEST) for rate in per_second],
        "cores of the database, at the peak": [short(some * database / DAY * PEAK) for some in active],
        "data after a year": [in_bytes(size) for size in weight],
        "requests, dollars a month": [short(cost) for cost in month],
    }


def short(number: float) -> str:
    """Two significant digits, with thousands set apart."""
    rounded = float(f"{number:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def in_bytes(size: float) -> str:
    """Two significant digits in a unit of a thousand others."""
    units = iter(("B", "kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while size >= 1000:
        size, unit = size / 1000, next(units)
    return f"{short(size)} {unit}"


def test_the_page_counts_with_what_was_measured() -> None:
    page = document("scale.md")
    for what, values in counted().items():
        line = f"| {what} | {' | '.join(values)} |"
        assert line in page, f"docs/scale.md should say: {line}"


def test_the_page_quotes_what_was_measured() -> None:
    """Each number of the page that stands beside the name of a measured row is that row's."""
    quoted = dict(re.findall(r"^- ([^:\n]+): \*\*([\d,.]+)\*\*", document("scale.md"), re.MULTILINE))
    assert quoted == {
        NEW: f"{measured(NEW):,.0f}",
        "a row of the ledger": f"{measured('a row of the ledger'):,.0f}",
        YEAR: f"{measured(YEAR):,.0f}",
        "requests of an active day": f"{measured('together', 1):,.0f}",
        "milliseconds of the database for them": f"{measured('together'):,.0f}",
    }
