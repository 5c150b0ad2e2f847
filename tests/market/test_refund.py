"""POST /market/refund: the whole price back, once, within a day, if nothing was used."""

import secrets
from datetime import timedelta

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.market.shop import bought, buy, coins, earn, redeem, refund, reward, shared_item


def test_a_refund(database: Database, user: User) -> None:
    earn(database, user, 100)
    purchase = bought(user, "movie_night", 2)
    data = refund(user, purchase, reason=" A mistake ").data
    assert (data["purchase_id"], data["item_key"]) == (purchase, "movie_night")
    assert (data["refunded_coins"], data["new_balance"]) == (100, 100)
    [row] = user.get("/market/history").data["purchases"]
    assert (row["status"], row["refunded_at"], row["refundable_until"]) == ("refunded", data["refunded_at"], None)
    [entry] = database.query(
        "SELECT event_type, coins, reason FROM points_ledger WHERE user_id = %s AND reverses IS NOT NULL", user.id
    )
    assert entry == {"event_type": "market_refund", "coins": 100, "reason": "A mistake"}
    wallet = user.get("/market/wallet").data
    assert (wallet["lifetime_coins"], wallet["lifetime_spent"]) == (100, 0)
    refund(user, purchase).refused(409, "already_refunded")
    redeem(user, purchase).refused(409, "already_refunded")
    assert user.get("/market").data["recent_purchases"] == []


def test_bad_input_and_strangers(database: Database, user: User, other: User, stranger: Client) -> None:
    earn(database, user, 50)
    purchase = bought(user, "movie_night")
    user.post("/market/refund", {}).invalid("purchase_id")
    refund(user, purchase, reason="x" * 201).invalid("reason")
    refund(other, purchase).refused(404, "not_found")
    refund(stranger, purchase).refused(401, "unauthorized")
    assert coins(user) == 0


def test_a_used_one(database: Database, user: User) -> None:
    earn(database, user, 100)
    purchase = bought(user, "movie_night", 2)
    redeem(user, purchase)
    refund(user, purchase).refused(409, "already_redeemed")
    assert user.get("/market/history").data["purchases"][0]["refundable_until"] is None


def test_the_window(database: Database, user: User, clock: Clock) -> None:
    earn(database, user, 100)
    clock.freeze()
    first, second = bought(user, "movie_night"), bought(user, "movie_night")
    clock.advance(timedelta(days=1) - timedelta(seconds=1))
    assert refund(user, first).status == 200
    clock.advance(timedelta(seconds=1))
    refund(user, second).refused(409, "refund_window_closed")
    [row] = user.get("/market/history", query={"status": "active"}).data["purchases"]
    assert row["refundable_until"] is None


def test_a_permanent_item_is_taken_off(database: Database, user: User) -> None:
    earn(database, user, 50)
    purchase = bought(user, "theme_ocean")
    assert user.put("/market/equipped", {"theme": "theme_ocean"}).data == {"theme": "theme_ocean", "avatar": None}
    assert refund(user, purchase).status == 200
    inventory = user.get("/market/inventory").data
    assert (inventory["unlocks"], inventory["equipped"]) == ([], {"theme": None, "avatar": None})
    user.put("/market/equipped", {"theme": "theme_ocean"}).refused(409, "not_owned")
    assert buy(user, "theme_ocean").status == 200, "bought, refunded, and bought again"


def test_a_free_purchase(user: User) -> None:
    purchase = bought(user, "theme_midnight")
    assert refund(user, purchase).data["refunded_coins"] == 0
    assert user.get("/market/wallet/transactions").data["transactions"] == []


def test_the_stock_comes_back(database: Database, user: User) -> None:
    earn(database, user, 20)
    key = f"test_{secrets.token_hex(6)}"
    shared_item(database, key, total_stock=2, remaining_stock=2)
    purchase = bought(user, key, 2)
    refund(user, purchase)
    assert user.get(f"/market/items/{key}").data["remaining_stock"] == 2


def test_refunds_at_once(database: Database, user: User) -> None:
    earn(database, user, 50)
    purchase = bought(user, "movie_night")
    answers = at_once(8, lambda: refund(user, purchase))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert coins(user) == 50


def test_refunds_at_once_bring_the_stock_back_once(database: Database, user: User) -> None:
    earn(database, user, 20)
    key = f"test_{secrets.token_hex(6)}"
    shared_item(database, key, total_stock=3, remaining_stock=3)
    purchase = bought(user, key, 2)
    answers = at_once(5, lambda: refund(user, purchase))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 4
    assert user.get(f"/market/items/{key}").data["remaining_stock"] == 3


def test_a_reward_that_was_archived_meanwhile(database: Database, user: User) -> None:
    earn(database, user, 10)
    item = reward(user)["id"]
    purchase = bought(user, item)
    user.delete(f"/market/items/{item}")
    assert refund(user, purchase).data["new_balance"] == 10
    assert user.get("/market/history").data["purchases"][0]["status"] == "refunded"


def test_the_market_itself_pays_nothing(database: Database, user: User) -> None:
    earn(database, user, 300)
    redeem(user, bought(user, "movie_night"))
    refund(user, bought(user, "spa_evening"))
    rows = database.query(
        "SELECT event_type, xp, coins, counters FROM points_ledger WHERE user_id = %s ORDER BY seq", user.id
    )
    assert [(row["event_type"], row["xp"], row["coins"]) for row in rows[1:]] == [
        ("market_purchase", 0, -50),
        ("market_purchase", 0, -120),
        ("market_refund", 0, 120),
    ]
    assert [row["counters"] for row in rows[1:]] == [{}] * 3
    assert user.get("/market/wallet").data["total_xp"] == 0
