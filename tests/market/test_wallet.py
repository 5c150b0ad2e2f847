"""The wallet, its transactions, the saving goal, what is equipped, history and statistics."""

from datetime import timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User
from tests.market.shop import bought, buy, coins, earn, redeem, refund, reward
from tests.support.paging import has_pages


def test_a_new_user(user: User) -> None:
    data = user.get("/market").data
    assert set(data) == {"items", "wallet", "recent_purchases", "saving_goal", "effects", "streak_shields"}
    assert data["wallet"] == {"coins": 0, "lifetime_coins": 0, "lifetime_spent": 0, "total_xp": 0, "level": 1}
    assert (data["recent_purchases"], data["saving_goal"], data["effects"]) == ([], None, [])
    stats = user.get("/market/stats").data
    assert stats == {"spent": 0, "refunded": 0, "earned": 0, "purchases": 0, "by_category": []}


def test_the_wallet(database: Database, user: User) -> None:
    earn(database, user, 200, xp=150)
    bought(user, "movie_night")
    refund(user, bought(user, "spa_evening"))
    assert user.get("/market/wallet").data == {
        "coins": 150,
        "lifetime_coins": 200,
        "lifetime_spent": 50,
        "total_xp": 150,
        "level": 2,
    }
    assert user.get("/market").data["wallet"] == user.get("/market/wallet").data


def test_ten_recent_purchases(database: Database, user: User) -> None:
    earn(database, user, 110)
    item = reward(user)
    made = [bought(user, item["id"]) for _ in range(11)]
    assert [row["id"] for row in user.get("/market").data["recent_purchases"]] == made[:0:-1]


def all_transactions(user: User, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = user.get("/market/wallet/transactions", query={"limit": limit, "cursor": cursor}).data
        assert len(page["transactions"]) <= limit
        found += page["transactions"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_transactions_explain_every_coin(database: Database, user: User, limit: int) -> None:
    earn(database, user, 300)
    earn(database, user, 0, xp=20)
    refund(user, bought(user, "movie_night"), reason="No")
    bought(user, "spa_evening")
    found = all_transactions(user, limit)
    assert [(row["event_type"], row["coins"], row["coins_after"], row["reason"]) for row in found] == [
        ("market_purchase", -120, 180, "Spa evening"),
        ("market_refund", 50, 300, "No"),
        ("market_purchase", -50, 250, "Movie night"),
        ("admin_adjustment", 300, 300, None),
    ]
    assert sum(row["coins"] for row in found) == coins(user)


def test_bad_cursors(user: User) -> None:
    for cursor in ("x", "AAAAAAAAAAAAAAAA", "1", "é"):
        user.get("/market/wallet/transactions", query={"cursor": cursor}).invalid("cursor")
    user.get("/market/wallet/transactions", query={"limit": 101}).invalid("limit")


def test_a_saving_goal(database: Database, user: User, other: User) -> None:
    earn(database, user, 30)
    goal = user.put("/market/goal", {"item_key": "spa_evening"}).data
    assert goal["item"]["key"] == "spa_evening"
    assert {name: goal[name] for name in ("have", "need", "missing", "percent")} == {
        "have": 30,
        "need": 120,
        "missing": 90,
        "percent": 25,
    }
    assert user.get("/market").data["saving_goal"] == goal
    earn(database, user, 100)
    assert user.get("/market").data["saving_goal"]["percent"] == 100
    assert user.get("/market").data["saving_goal"]["missing"] == 0
    assert user.put("/market/goal", {"item_key": "theme_midnight"}).data["percent"] == 100, "it is free"
    own = reward(user)
    assert user.put("/market/goal", {"item_key": own["id"]}).data["item"]["id"] == own["id"]
    user.put("/market/goal", {"item_key": "nothing"}).refused(404, "not_found")
    other.put("/market/goal", {"item_key": own["key"]}).refused(404, "not_found")
    user.put("/market/goal", {}).invalid("item_key")
    assert user.get("/market").data["saving_goal"]["item"]["id"] == own["id"]
    assert user.put("/market/goal", {"item_key": None}).data is None
    assert user.get("/market").data["saving_goal"] is None


def test_equipping(database: Database, user: User, other: User) -> None:
    earn(database, user, 1000, xp=2000)
    for key in ("theme_ocean", "theme_forest", "avatar_crown", "movie_night"):
        bought(user, key)
    put = user.put("/market/equipped", {"theme": "theme_ocean", "avatar": "avatar_crown"})
    assert put.data == {"theme": "theme_ocean", "avatar": "avatar_crown"}
    assert user.put("/market/equipped", {"theme": "theme_forest"}).data["avatar"] == "avatar_crown"
    assert user.put("/market/equipped", {"avatar": None}).data == {"theme": "theme_forest", "avatar": None}
    assert user.get("/market/inventory").data["equipped"] == {"theme": "theme_forest", "avatar": None}
    user.put("/market/equipped", {"theme": "theme_sunset"}).refused(409, "not_owned")
    user.put("/market/equipped", {"theme": "nothing"}).refused(404, "not_found")
    user.put("/market/equipped", {"theme": "avatar_crown"}).invalid("theme")
    user.put("/market/equipped", {"theme": "movie_night"}).invalid("theme")
    user.put("/market/equipped", {"theme": "theme_ocean", "avatar": "nothing"}).refused(404, "not_found")
    assert user.put("/market/equipped", {}).data == {"theme": "theme_forest", "avatar": None}, "all or nothing"
    other.put("/market/equipped", {"theme": "theme_ocean"}).refused(409, "not_owned")


def test_the_history(database: Database, user: User, other: User) -> None:
    earn(database, user, 500)
    first, second, third = bought(user, "movie_night"), bought(user, "theme_ocean"), bought(user, "movie_night")
    refund(user, third)

    def ids(**query: Any) -> list[str]:
        found = user.get("/market/history", query=query).data
        assert found["total"] == len(found["purchases"])
        return [row["id"] for row in found["purchases"]]

    assert ids() == [third, second, first]
    assert ids(status="active") == [first]
    assert ids(status="redeemed") == [second]
    assert ids(status="refunded") == [third]
    assert ids(status="expired") == []
    assert ids(item="movie_night") == [third, first]
    assert ids(item="movie_night", status="active") == [first]
    assert ids(item="movie_night", status="refunded") == [third]
    assert ids(item="theme_ocean", status="refunded") == []
    assert ids(item=user.get("/market/items/theme_ocean").data["id"]) == [second]
    assert ids(item=user.get("/market/items/theme_ocean").data["id"], status="redeemed") == [second]
    page = user.get("/market/history", query={"page": 2, "page_size": 2}).data
    assert ([row["id"] for row in page["purchases"]], page["total"]) == ([first], 3)
    assert (page["page"], page["page_size"]) == (2, 2)
    assert ids(item="k" * 100) == [], "a key may have 100 characters"
    user.get("/market/history", query={"item": "k" * 101}).invalid("item")
    user.get("/market/history", query={"status": "lost"}).invalid("status")
    user.get("/market/history", query={"page_size": 101}).invalid("page_size")
    assert other.get("/market/history").data["total"] == 0


def test_the_inventory_has_pages(database: Database, user: User, clock: Clock) -> None:
    earn(database, user, 500)
    clock.freeze()
    bought(user, reward(user, valid_days=1)["id"])
    bought(user, "theme_ocean")
    clock.advance(timedelta(hours=23))
    redeem(user, bought(user, "xp_boost_24h"))
    for item in ("movie_night", "streak_shield", "movie_night"):
        bought(user, item)
    clock.advance(timedelta(hours=1) - timedelta(seconds=1))
    assert user.get("/market/inventory", query={"page_size": 2}).data["total"] == 4
    user.put("/market/equipped", {"theme": "theme_ocean"})
    clock.advance(timedelta(seconds=1))
    has_pages(user, "/market/inventory", "purchases")


def test_statistics(database: Database, user: User, clock: Clock) -> None:
    clock.set("2031-05-08T12:00:00Z")
    earn(database, user, 1000)
    bought(user, "spa_evening")
    clock.advance(timedelta(days=9))
    earn(database, user, 5)
    bought(user, "movie_night", 2)
    refund(user, bought(user, "movie_night"))
    bought(user, "theme_midnight")
    stats = user.get("/market/stats", query={"days": 9}).data
    assert (stats["spent"], stats["refunded"], stats["earned"], stats["purchases"]) == (150, 50, 5, 3)
    assert stats["by_category"] == [
        {"category": "entertainment", "purchases": 2, "coins": 150},
        {"category": "theme", "purchases": 1, "coins": 0},
    ]
    whole = user.get("/market/stats", query={"days": 10}).data
    assert (whole["spent"], whole["earned"], whole["purchases"]) == (270, 1005, 4)
    user.get("/market/stats", query={"days": 367}).invalid("days")


@pytest.mark.parametrize("path", ["/market/history", "/market/inventory", "/market/wallet", "/market/stats"])
def test_no_session(stranger: Client, path: str) -> None:
    stranger.get(path).refused(401, "unauthorized")


def test_what_an_archived_goal_shows(user: User) -> None:
    own = reward(user)
    user.put("/market/goal", {"item_key": own["id"]})
    user.delete(f"/market/items/{own['id']}")
    assert user.get("/market").data["saving_goal"]["item"]["archived"] is True
    assert buy(user, own["id"]).status == 409
