"""What the tests of the market do again and again: earn coins, buy, redeem, refund."""

from typing import Any

from tests.conftest import Answer, Client, Database, User
from tests.support.ledger import award


def earn(database: Database, user: User, coins: int, xp: int = 0) -> None:
    """Put coins into the user's wallet, by an event that counts for nothing else."""
    award(database, user, "admin_adjustment", coins=coins, xp=xp)


def buy(user: Client, item: str, quantity: int = 1, **options: Any) -> Answer:
    return user.post("/market/purchase", {"item_key": item, "quantity": quantity}, **options)


def bought(user: Client, item: str, quantity: int = 1) -> str:
    """The id of a purchase that succeeded."""
    purchase_id: str = buy(user, item, quantity).data["purchase_id"]
    return purchase_id


def redeem(user: Client, purchase_id: str) -> Answer:
    return user.post("/market/redeem", {"purchase_id": purchase_id})


def refund(user: Client, purchase_id: str, **body: Any) -> Answer:
    return user.post("/market/refund", {"purchase_id": purchase_id, **body})


def reward(user: Client, **fields: Any) -> dict[str, Any]:
    """A reward of the user's own."""
    made: dict[str, Any] = user.post("/market/items", {"name": "An hour off", "price_coins": 10, **fields}).data
    return made


def coins(user: Client) -> int:
    balance: int = user.get("/market/wallet").data["coins"]
    return balance


def shared_item(database: Database, key: str, **columns: Any) -> None:
    """A shared item, made by an administrator, as long as the test's database lives."""
    values = {"key": key, "name": key, "price_coins": 10, **columns}
    names = ", ".join(values)
    places = ", ".join(["%s"] * len(values))
    database.query(f"INSERT INTO market_items ({names}) VALUES ({places})", *values.values())
