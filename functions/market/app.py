"""Market: what earned coins buy (market contract, part 1)."""

from uuid import uuid4

from questlog.api import Api
from questlog.db import Db
from questlog.paging import PageOrAll
from questlog.wire import Total

from functions.market import rules
from functions.market.models import (
    Bought,
    Buying,
    Categories,
    CategoryCount,
    CategorySpending,
    Coins,
    Deleted,
    Effect,
    Equipment,
    Equipping,
    History,
    HistoryQuery,
    Inventory,
    ItemChange,
    ItemsQuery,
    Market,
    MarketItem,
    MarketItems,
    Movement,
    NewItem,
    Order,
    Redeemed,
    Redeeming,
    Redemption,
    Refund,
    Refunded,
    Refunding,
    Saving,
    SavingGoal,
    Shields,
    Stats,
    StatsQuery,
    TransactionRow,
    Transactions,
    TransactionsQuery,
    Unlock,
    UserPurchase,
    Wallet,
    Worn,
)
from functions.market.rules import ItemName

api = Api(__file__)


@api.get("/market")
def overview(db: Db) -> Market:
    """Return the shop window: items, wallet, newest purchases, saving goal, running effects, shields."""
    items, wallet, purchases, goal, effects, shields = db.each(
        (list[MarketItem], Wallet, list[UserPurchase], list[MarketItem], list[Effect], Shields), "overview"
    )
    return Market(
        items=items,
        wallet=wallet,
        recent_purchases=purchases,
        saving_goal=rules.saving_goal(goal[0] if goal else None, wallet),
        effects=effects,
        streak_shields=shields.streak_shields,
    )


@api.get("/market/items")
def items(db: Db, query: ItemsQuery) -> MarketItems:
    """List the items on sale, all or a page: shared ones first, then the user's own.

    With `archived`, list the user's archived rewards instead. `total` counts the items of all pages.
    """
    filters = query.model_dump(exclude={"page", "page_size"})
    found, count = db.each((list[MarketItem], Total), "items", **filters, **query.bounds)
    return {"items": found, "total": count.total if query.is_paged else len(found), **query.place}


@api.post("/market/items", errors={409: ["limit_reached"]})
def add_item(db: Db, body: NewItem) -> MarketItem:
    """Add a reward of the user's own, last in the order. 409 limit_reached when there are 200."""
    item_id = uuid4()
    return db.one(MarketItem, "add_item", id=item_id, key=rules.own_key(item_id), **body.model_dump())


@api.put("/market/items/order", errors={404: ["not_found"]})
def order_items(db: Db, body: Order) -> MarketItems:
    """Put the user's own rewards in the order of `ids`; 404 when one is not the user's, and then nothing moves."""
    found = db.many(MarketItem, "order_items", ids=body.ids)
    return {"items": found, "total": len(found)}


@api.get("/market/items/{item}")
def item(db: Db, item: str) -> MarketItem:
    """Return one item, by its key or its id."""
    return db.one(MarketItem, "item", **ItemName.of(item)._asdict())


@api.patch("/market/items/{item}", errors={403: ["forbidden"], 409: ["limit_reached"]})
def change_item(db: Db, item: str, body: ItemChange) -> MarketItem:
    """Change a reward of the user's own; what was bought keeps its name and price. A shared item is 403 forbidden."""
    changes = body.changes()
    archived = changes.pop("archived", None)
    return db.one(MarketItem, "change_item", **ItemName.of(item)._asdict(), changes=changes, archived=archived)


@api.delete("/market/items/{item}", errors={403: ["forbidden"]})
def archive_item(db: Db, item: str) -> Deleted:
    """Archive a reward of the user's own; what was bought stays usable. A shared item is 403 forbidden."""
    return db.one(Deleted, "archive_item", **ItemName.of(item)._asdict())


@api.get("/market/categories")
def categories(db: Db) -> Categories:
    """Count the items on sale by category."""
    found = db.many(CategoryCount, "categories")
    return Categories(categories=found, total=sum(one.count for one in found))


@api.post(
    "/market/purchase",
    errors={
        403: ["level_too_low"],
        404: ["not_found"],
        409: ["not_available", "limit_reached", "out_of_stock", "insufficient_coins"],
    },
)
def purchase(db: Db, body: Buying) -> Bought:
    """Buy units of an item. Two equal requests are two purchases, unless they carry one Idempotency-Key."""
    purchase_id = uuid4()
    bought, wallet = db.each(
        (UserPurchase, Coins),
        "purchase",
        purchase_id=purchase_id,
        quantity=body.quantity,
        **ItemName.of(body.item_key)._asdict(),
    )
    return Bought(
        purchase_id=purchase_id,
        item_key=bought.item_key,
        price_paid=bought.price_paid,
        new_balance=wallet.coins,
        purchase=bought,
    )


@api.post(
    "/market/redeem",
    errors={
        404: ["not_found"],
        409: ["already_redeemed", "expired", "already_refunded", "automatic_item", "effect_active"],
    },
)
def redeem(db: Db, body: Redeeming) -> Redeemed:
    """Take one use of a purchase. A boost starts at once, or extends the running one of its factor."""
    redemption, bought, effects = db.each(
        (Redemption, UserPurchase, list[Effect]), "redeem", purchase_id=body.purchase_id
    )
    return Redeemed(
        purchase_id=bought.id,
        item_key=bought.item_key,
        redeemed_at=redemption.redeemed_at,
        effect=redemption.effect,
        status=bought.status,
        uses_remaining=bought.uses_remaining,
        active_effect=next((effect for effect in effects if effect.id == redemption.active_effect), None),
    )


@api.post(
    "/market/refund",
    errors={404: ["not_found"], 409: ["already_refunded", "already_redeemed", "expired", "refund_window_closed"]},
)
def refund(db: Db, body: Refunding) -> Refunded:
    """Refund a purchase of the last 24 hours, in full, if nothing of it was used."""
    back, bought, wallet = db.each(
        (Refund, UserPurchase, Coins), "refund", purchase_id=body.purchase_id, reason=body.reason
    )
    return Refunded(purchase_id=bought.id, item_key=bought.item_key, new_balance=wallet.coins, **back.model_dump())


@api.get("/market/history")
def history(db: Db, query: HistoryQuery) -> History:
    """List the purchases, newest first."""
    name = ItemName.of(query.item) if query.item else ItemName("", None)
    purchases, total = db.each(
        (list[UserPurchase], Total),
        "history",
        status=query.status,
        key=name.key or None,
        id=name.id,
        page=query.page,
        page_size=query.page_size,
    )
    return History(purchases=purchases, total=total.total, page=query.page, page_size=query.page_size)


@api.get("/market/inventory")
def inventory(db: Db, query: PageOrAll) -> Inventory:
    """List what the user can use: purchases with uses left, running effects, unlocks, what is equipped.

    All purchases are listed or a page of them, newest first, and `total` counts those of all pages.
    The rest of the answer is always whole.
    """
    purchases, count, effects, unlocks, worn, shields = db.each(
        (list[UserPurchase], Total, list[Effect], list[Unlock], list[Worn], Shields), "inventory", **query.bounds
    )
    return {
        "purchases": purchases,
        "total": count.total if query.is_paged else len(purchases),
        "effects": effects,
        "unlocks": unlocks,
        "equipped": rules.equipment(worn),
        "streak_shields": shields.streak_shields,
        **query.place,
    }


@api.put("/market/equipped", errors={404: ["not_found"], 409: ["not_owned"]})
def equip(db: Db, body: Equipping) -> Equipment:
    """Put items on that the user owns; null takes off, and what is absent stays."""
    return rules.equipment(db.many(Worn, "equip", changes=body.changes()))


@api.get("/market/wallet")
def wallet(db: Db) -> Wallet:
    """Return the coins, what was earned and spent for life, and the level."""
    return db.one(Wallet, "wallet")


@api.get("/market/wallet/transactions")
def transactions(db: Db, query: TransactionsQuery) -> Transactions:
    """List the rows of the ledger that moved coins, newest first."""
    rows = db.many(TransactionRow, "transactions", before=query.cursor, limit=query.limit)
    return rules.transactions(rows, query.limit)


@api.put("/market/goal", errors={404: ["not_found"]})
def set_goal(db: Db, body: Saving) -> SavingGoal | None:
    """Choose the item to save for; null for none."""
    name = ItemName.of(body.item_key) if body.item_key else ItemName("", None)
    goal, wallet = db.each((list[MarketItem], Wallet), "set_goal", key=name.key or None, id=name.id)
    return rules.saving_goal(goal[0] if goal else None, wallet)


@api.get("/market/stats")
def stats(db: Db, query: StatsQuery) -> Stats:
    """Return what was spent, refunded and earned in the last days."""
    movement, spending = db.each((Movement, list[CategorySpending]), "stats", days=query.days)
    return rules.stats(movement, spending)


handler = api.handler
