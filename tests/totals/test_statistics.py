"""Statistics of what is kept by days and months are what Python counts from the rows, wherever a day begins."""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.clock import Clock
from tests.conftest import Database, User

# Where a day begins long before, long after and half an hour beside one of UTC.
ZONES = ["UTC", "Pacific/Auckland", "America/St_Johns"]
NOW = datetime.fromisoformat("2031-05-07T12:00:00Z")


def local_day(moment: datetime, zone: str, day_start: int) -> date:
    return (moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - timedelta(hours=day_start)).date()


# Moments on both sides of each midnight and noon of the last days.
MOMENTS = [NOW - timedelta(hours=6 * n, microseconds=n % 2) for n in range(14)]


# And on both sides of the first moments of months.
MONTHS = [
    first - timedelta(microseconds=before)
    for first in (datetime(2031, month, 1, tzinfo=NOW.tzinfo) for month in (2, 4, 5))
    for before in (0, 1)
]


@pytest.mark.parametrize("zone", ZONES)
def test_spending(user: User, database: Database, clock: Clock, zone: str) -> None:
    clock.set(NOW)
    clock.freeze()
    assert user.put("/user/settings", {"timezone": zone, "day_start_hour": 3}).status == 200
    bought = [(moment, ("custom", "treats")[n % 2], n + 1) for n, moment in enumerate(MOMENTS + MONTHS)]
    database.query(
        """
        INSERT INTO user_purchases (user_id, item_owner, item_id, item_key, item_name, category, is_consumable,
                                    unit_price, quantity, price_paid, uses_total, uses_remaining, purchased_at)
        SELECT %s, i.owner_key, i.id, i.key, i.name, p.category, true, p.price, 1, p.price, 1, 1, p.at
          FROM market_items AS i, unnest(%s::timestamptz[], %s::text[], %s::int[]) AS p (at, category, price)
         WHERE i.key = 'movie_night' AND i.owner_id IS NULL
        """,
        *(user.id, *(list(column) for column in zip(*bought, strict=True))),
    )
    database.query("SELECT count_totals(%s)", user.id)
    today = local_day(NOW, zone, 3)
    # Of seven and eight days, the first one is that of a month or the one before; of 38, so is it a month before.
    for days in (1, 2, 3, 7, 8, 30, 38, 366):
        purchases: Counter[str] = Counter()
        coins: Counter[str] = Counter()
        for moment, category, price in bought:
            if local_day(moment, zone, 3) > today - timedelta(days=days):
                purchases[category] += 1
                coins[category] += price
        shown = user.get("/market/stats", query={"days": days}).data
        assert (shown["purchases"], shown["spent"]) == (purchases.total(), coins.total()), days
        assert {row["category"]: row["purchases"] for row in shown["by_category"]} == purchases
        assert {row["category"]: row["coins"] for row in shown["by_category"]} == coins
