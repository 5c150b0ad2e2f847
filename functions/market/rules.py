"""What the market shows of its rows: names of items, the saving goal, statistics."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from questlog.cursor import cursor_at
from questlog.wire import uuid_of

from functions.market.models import (
    CategorySpending,
    Equipment,
    MarketItem,
    Movement,
    SavingGoal,
    Stats,
    Transaction,
    TransactionRow,
    Transactions,
    Wallet,
    Worn,
)


class ItemName(NamedTuple):
    """What a client calls an item: its key or, where the text is one, its id."""

    key: str
    id: UUID | None

    @classmethod
    def of(cls, text: str) -> "ItemName":
        """The name as parameters of a statement."""
        try:
            return cls(text, uuid_of(text))
        except ValueError:
            return cls(text, None)


def own_key(item_id: UUID) -> str:
    """The key of a user's own reward: `own_` and the first 12 hexadecimal digits of its id."""
    return f"own_{item_id.hex[:12]}"


def saving_goal(item: MarketItem | None, wallet: Wallet) -> SavingGoal | None:
    """How far the coins reach for an item; percent is rounded down, and 100 when they suffice."""
    if item is None:
        return None
    need = item.price_coins
    return SavingGoal(
        item=item,
        have=wallet.coins,
        need=need,
        missing=max(0, need - wallet.coins),
        percent=100 if wallet.coins >= need else 100 * wallet.coins // need,
    )


def equipment(worn: Iterable[Worn]) -> Equipment:
    """What is in each slot."""
    return Equipment(**{one.slot: one.item_key for one in worn})


def transactions(rows: Sequence[TransactionRow], limit: int) -> Transactions:
    """A page of at most `limit` rows; `rows` holds one more where there is a next page."""
    shown = rows[:limit]
    return Transactions(
        transactions=[Transaction(**row.model_dump(exclude={"seq"})) for row in shown],
        next_cursor=cursor_at(shown[-1].seq) if len(rows) > limit else None,
    )


def stats(movement: Movement, spending: Sequence[CategorySpending]) -> Stats:
    """Statistics of some days; what was spent is counted without regard to later refunds."""
    return Stats(
        spent=sum(one.coins for one in spending),
        refunded=movement.refunded,
        earned=movement.earned,
        purchases=sum(one.purchases for one in spending),
        by_category=list(spending),
    )
