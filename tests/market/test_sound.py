"""What the table of purchases refuses, and what it takes at the limits (market contract)."""

from tests.conftest import Database, User
from tests.market.shop import bought, earn
from tests.support.soundness import accepted

NOBODY = "'00000000-0000-0000-0000-000000000000'"
REFUSED = [
    "item_owner = gen_random_uuid()",
    "unit_price = -1, price_paid = -1",
    "quantity = 0, price_paid = 0",
    "quantity = 100, price_paid = 100 * unit_price",
    "price_paid = price_paid + 1",
    "uses_total = 0, uses_remaining = 0",
    "uses_remaining = uses_total + 1",
    "uses_remaining = -1",
    "status = 'lost'",
    "status = 'expired'",
    # What is active has a use left; what is redeemed has none, and says since when.
    "uses_remaining = 0",
    "status = 'redeemed', redeemed_at = now()",
    "status = 'redeemed', uses_remaining = 0",
    # Only what was refunded says when and why.
    "refunded_at = now()",
    "refund_reason = 'broken'",
    "status = 'refunded'",
    "status = 'refunded', refund_reason = 'broken'",
    "status = 'refunded', refunded_at = now(), refund_reason = repeat('x', 201)",
    # What is permanent is redeemed when it is bought.
    "is_consumable = false",
    "is_consumable = false, uses_remaining = 0, status = 'redeemed', redeemed_at = now() + interval '1 day'",
    "is_consumable = false, uses_remaining = 0, status = 'refunded', refunded_at = now()",
]
TAKEN = [
    f"item_owner = {NOBODY}",
    "unit_price = 0, price_paid = 0",
    "quantity = 99, price_paid = 99 * unit_price",
    "uses_total = 3, uses_remaining = 3",
    "uses_remaining = 1",
    "status = 'redeemed', uses_remaining = 0, redeemed_at = now()",
    "is_consumable = false, redeemed_at = purchased_at",
    "status = 'refunded', refunded_at = now(), refund_reason = repeat('x', 200)",
    "is_consumable = true, redeemed_at = NULL, uses_remaining = 0, refund_reason = NULL",
    # As it was bought, which is what the totals count.
    "status = 'active', refunded_at = NULL, uses_total = 1, uses_remaining = 1",
    "quantity = 1, unit_price = 50, price_paid = 50",
]


def test_a_purchase_is_sound_whoever_writes_it(user: User, database: Database) -> None:
    earn(database, user, 500)
    purchase = bought(user, "movie_night")
    assert accepted(database, "user_purchases", purchase, REFUSED) == []
    assert accepted(database, "user_purchases", purchase, TAKEN) == TAKEN
