"""Requests and responses of the market routes."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema

from questlog.cursor import place_of
from questlog.paging import PageOrAll, PagePlace
from questlog.wire import Body, Flag, Instant, Page, PageSize, Query, ResponseModel, Row, Trimmed, absent, blank_is_null

Period = Literal["ever", "day", "held"]
Status = Literal["active", "redeemed", "expired", "refunded"]
Slot = Literal["theme", "avatar"]

Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=80)]
Price = Annotated[int, Field(ge=1, le=1_000_000)]
Description = Annotated[Trimmed, StringConstraints(max_length=500), AfterValidator(blank_is_null)]
Category = Annotated[Trimmed, StringConstraints(min_length=1, max_length=40)]
Icon = Annotated[Trimmed, StringConstraints(min_length=1, max_length=40)]
Limit = Annotated[int, Field(ge=1, le=99)]
ValidDays = Annotated[int, Field(ge=1, le=365)]
# An administrator may give an item a key of 100 characters (platform contract, 7).
ItemKey = Annotated[Trimmed, StringConstraints(min_length=1, max_length=100)]


class ItemsQuery(PageOrAll):
    category: Annotated[str, StringConstraints(max_length=40)] | None = None
    q: Annotated[Trimmed, StringConstraints(max_length=80)] | None = None
    affordable: Flag | None = None
    archived: Flag = False


class NewItem(Body):
    name: Annotated[Name, Field(examples=["An evening off"])]
    price_coins: Annotated[Price, Field(examples=[40])]
    description: Description | None = None
    category: Category = "custom"
    icon: Icon | None = None
    limit_per_user: Limit | None = None
    limit_period: Period = "day"
    valid_days: ValidDays | None = None


class ItemChange(Body):
    name: Name = absent()
    price_coins: Price = absent()
    description: Description | None = absent()
    category: Category = absent()
    icon: Icon | None = absent()
    limit_per_user: Limit | None = absent()
    limit_period: Period = absent()
    valid_days: ValidDays | None = absent()
    archived: bool = absent()


def _each_once(ids: list[UUID]) -> list[UUID]:
    if len(set(ids)) < len(ids):
        raise ValueError("must name each reward once")
    return ids


class Order(Body):
    ids: Annotated[list[UUID], Field(max_length=200), AfterValidator(_each_once)]


class Buying(Body):
    item_key: Annotated[ItemKey, Field(examples=["theme_midnight"])]
    quantity: Limit = 1


class Redeeming(Body):
    purchase_id: UUID


class Refunding(Body):
    purchase_id: UUID
    reason: Annotated[Trimmed, StringConstraints(max_length=200), AfterValidator(blank_is_null)] | None = None


class HistoryQuery(Query):
    status: Status | None = None
    item: Annotated[str, StringConstraints(max_length=100)] | None = None
    page: Page = 1
    page_size: PageSize = 20


class Equipping(Body):
    theme: ItemKey | None = absent()
    avatar: ItemKey | None = absent()


class TransactionsQuery(Query):
    cursor: Annotated[int, PlainValidator(place_of), WithJsonSchema({"type": "string"})] | None = None
    limit: PageSize = 20


class Saving(Body):
    item_key: Annotated[ItemKey | None, Field(examples=["xp_boost_1h"])]


class StatsQuery(Query):
    days: Annotated[int, Field(ge=1, le=366)] = 30


class MarketItem(ResponseModel):
    id: UUID
    key: str
    name: str
    description: str | None
    category: str
    price_coins: int
    icon: str | None
    available: bool
    limit_per_user: int | None
    limit_period: Period
    requires_level: int | None
    effect_json: dict[str, Any] | None
    is_own: bool
    is_consumable: bool
    uses_per_purchase: int
    remaining_stock: int | None
    valid_days: int | None
    rarity: Literal["common", "rare", "epic", "legendary"]
    owned: int
    archived: bool
    sort_order: int
    created_at: Instant
    updated_at: Instant


class MarketItems(PagePlace):
    items: list[MarketItem]
    total: int


class CategoryCount(ResponseModel):
    key: str
    count: int


class Categories(ResponseModel):
    categories: list[CategoryCount]
    total: int


class UserPurchase(ResponseModel):
    id: UUID
    item_id: UUID
    item_key: str
    item_name: str
    category: str
    unit_price: int
    quantity: int
    price_paid: int
    status: Status
    uses_total: int
    uses_remaining: int
    purchased_at: Instant
    redeemed_at: Instant | None
    expires_at: Instant | None
    refunded_at: Instant | None
    refundable_until: Instant | None


class Wallet(ResponseModel):
    coins: int
    lifetime_coins: int
    lifetime_spent: int
    total_xp: int
    level: int


class Coins(Row):
    """What is in the wallet."""

    coins: int


class Effect(ResponseModel):
    id: UUID
    type: Literal["xp_multiplier"]
    factor: float
    started_at: Instant
    ends_at: Instant
    purchase_id: UUID
    item_key: str


class SavingGoal(ResponseModel):
    item: MarketItem
    have: int
    need: int
    missing: int
    percent: int


class Shields(Row):
    streak_shields: int


class Market(ResponseModel):
    items: list[MarketItem]
    wallet: Wallet
    recent_purchases: list[UserPurchase]
    saving_goal: SavingGoal | None
    effects: list[Effect]
    streak_shields: int


class Bought(ResponseModel):
    purchase_id: UUID
    item_key: str
    price_paid: int
    new_balance: int
    purchase: UserPurchase


class Redemption(Row):
    """One use that was taken, and the running effect it started or extended."""

    redeemed_at: Instant
    effect: dict[str, Any] | None
    active_effect: UUID | None


class Redeemed(ResponseModel):
    purchase_id: UUID
    item_key: str
    redeemed_at: Instant
    effect: dict[str, Any] | None
    status: Status
    uses_remaining: int
    active_effect: Effect | None


class Refund(Row):
    """The coins that came back, and when."""

    refunded_coins: int
    refunded_at: Instant


class Refunded(ResponseModel):
    purchase_id: UUID
    item_key: str
    refunded_coins: int
    new_balance: int
    refunded_at: Instant


class History(ResponseModel):
    purchases: list[UserPurchase]
    total: int
    page: int
    page_size: int


class Unlock(ResponseModel):
    item_key: str
    slot: Slot
    value: str


class Worn(Row):
    """What is in a slot."""

    slot: Slot
    item_key: str


class Equipment(ResponseModel):
    theme: str | None = None
    avatar: str | None = None


class Inventory(PagePlace):
    purchases: list[UserPurchase]
    total: int
    effects: list[Effect]
    unlocks: list[Unlock]
    equipped: Equipment
    streak_shields: int


class Deleted(ResponseModel):
    deleted: bool


class TransactionRow(Row):
    """A row of the ledger that moved coins, with its place in it."""

    id: UUID
    seq: int
    event_type: str
    coins: int
    coins_after: int
    reason: str | None
    created_at: Instant


class Transaction(ResponseModel):
    id: UUID
    event_type: str
    coins: int
    coins_after: int
    reason: str | None
    created_at: Instant


class Transactions(ResponseModel):
    transactions: list[Transaction]
    next_cursor: str | None


class Movement(Row):
    """Coins that the ledger shows for the days asked for."""

    refunded: int
    earned: int


class CategorySpending(ResponseModel):
    category: str
    purchases: int
    coins: int


class Stats(ResponseModel):
    spent: int
    refunded: int
    earned: int
    purchases: int
    by_category: list[CategorySpending]
