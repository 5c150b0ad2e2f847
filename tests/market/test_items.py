"""/market/items and /market/categories: what is on sale, and rewards of the user's own."""

import secrets
from datetime import timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.market.shop import bought, buy, earn, redeem, reward, shared_item
from tests.support.paging import has_pages

FIELDS = {
    *("id", "key", "name", "description", "category", "price_coins", "icon", "available", "limit_per_user"),
    *("requires_level", "effect_json", "created_at", "limit_period", "is_own", "is_consumable", "uses_per_purchase"),
    *("remaining_stock", "valid_days", "rarity", "owned", "archived", "sort_order", "updated_at"),
}
SEEDED = {
    "theme_midnight": 0,
    "theme_ocean": 50,
    "theme_forest": 50,
    "theme_sunset": 100,
    "xp_boost_1h": 25,
    "xp_boost_24h": 100,
    "streak_shield": 150,
    "avatar_crown": 500,
    "avatar_wings": 750,
    "avatar_halo": 1000,
    "takeout_dinner": 100,
    "movie_night": 50,
    "spa_evening": 120,
}


def listed(user: Client, **query: Any) -> list[dict[str, Any]]:
    data = user.get("/market/items", query=query).data
    items: list[dict[str, Any]] = data["items"]
    assert data["total"] == len(items)
    return items


def keys(user: Client, **query: Any) -> list[str]:
    return [item["key"] for item in listed(user, **query)]


def test_the_shelf_of_a_new_user(user: User) -> None:
    items = {item["key"]: item for item in listed(user) if item["key"] in SEEDED}
    assert {key: item["price_coins"] for key, item in items.items()} == SEEDED
    assert all(set(item) == FIELDS for item in items.values())
    assert all(item["available"] and item["owned"] == 0 and not item["is_own"] for item in items.values())
    assert items["avatar_halo"]["requires_level"] == 10
    assert items["streak_shield"]["effect_json"] == {"type": "streak_shield", "days": 1}
    assert (items["streak_shield"]["limit_per_user"], items["streak_shield"]["limit_period"]) == (3, "held")


def test_the_order(user: User) -> None:
    own = [reward(user, name=name, price_coins=1)["key"] for name in ("B", "A")]
    found = keys(user)
    assert found[-2:] == own, "own rewards come last, in the order they were made"
    places = [found.index(key) for key in ("theme_midnight", "theme_ocean", "xp_boost_1h", "avatar_crown")]
    assert places == sorted(places)


def test_filters(database: Database, user: User) -> None:
    earn(database, user, 50)
    reward(user, name="Ocean walk", price_coins=60, category="fun")
    assert set(keys(user, category="theme")) == {"theme_midnight", "theme_ocean", "theme_forest", "theme_sunset"}
    assert keys(user, q="OCEAN")[0] == "theme_ocean"
    assert len(keys(user, q="ocean")) == 2
    assert keys(user, q="%") == []
    assert set(keys(user, affordable="true", category="theme")) == {"theme_midnight", "theme_ocean", "theme_forest"}
    assert keys(user, affordable="false", category="theme") == ["theme_sunset"]
    user.get("/market/items", query={"affordable": "maybe"}).invalid("affordable")


def test_the_list_has_pages(database: Database, user: User) -> None:
    earn(database, user, 50)
    affordable = {"category": "fun", "q": "walk", "affordable": "true"}
    for name in ("A walk", "A long walk", "A walk at night"):
        reward(user, name=name, price_coins=50, category="fun")
    reward(user, name="Flying", price_coins=50, category="fun")
    reward(user, name="A walk in Rome", price_coins=51, category="fun")
    reward(user, name="A walk", price_coins=50, category="custom")
    user.delete(f"/market/items/{reward(user, name='A walk', price_coins=50, category='fun')['id']}")
    has_pages(user, "/market/items", "items", **affordable)


def test_the_list_of_archived_rewards_has_pages(user: User) -> None:
    for name in ("A", "B", "C"):
        user.delete(f"/market/items/{reward(user, name=name)['id']}")
    reward(user)
    has_pages(user, "/market/items", "items", archived="true")


def test_an_item_by_key_and_id(user: User, other: User) -> None:
    item = user.get("/market/items/theme_ocean").data
    assert user.get(f"/market/items/{item['id']}").data == item
    own = reward(user)
    assert user.get(f"/market/items/{own['key']}").data == own
    for name in (own["id"], own["key"], "nothing", "%00", secrets.token_hex(16)):
        other.get(f"/market/items/{name}").refused(404, "not_found")


def test_a_reward_of_ones_own(user: User) -> None:
    made = reward(user, name="  Nap ", description=" ", icon="bed", limit_per_user=2, valid_days=7)
    assert made["key"] == f"own_{made['id'].replace('-', '')[:12]}"
    assert (made["name"], made["description"], made["icon"]) == ("Nap", None, "bed")
    assert (made["is_own"], made["is_consumable"], made["uses_per_purchase"]) == (True, True, 1)
    assert (made["limit_per_user"], made["limit_period"], made["valid_days"]) == (2, "day", 7)
    assert (made["category"], made["rarity"], made["effect_json"]) == ("custom", "common", None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"price_coins": 5}, "name"),
        ({"name": "x"}, "price_coins"),
        ({"name": " ", "price_coins": 5}, "name"),
        ({"name": "x" * 81, "price_coins": 5}, "name"),
        ({"name": "x", "price_coins": 0}, "price_coins"),
        ({"name": "x", "price_coins": 1_000_001}, "price_coins"),
        ({"name": "x", "price_coins": 5, "description": "x" * 501}, "description"),
        ({"name": "x", "price_coins": 5, "category": ""}, "category"),
        ({"name": "x", "price_coins": 5, "icon": "x" * 41}, "icon"),
        ({"name": "x", "price_coins": 5, "limit_per_user": 100}, "limit_per_user"),
        ({"name": "x", "price_coins": 5, "limit_period": "week"}, "limit_period"),
        ({"name": "x", "price_coins": 5, "valid_days": 366}, "valid_days"),
    ],
)
def test_what_a_reward_may_not_be(user: User, body: dict[str, Any], field: str) -> None:
    user.post("/market/items", body).invalid(field)
    assert not [item for item in listed(user) if item["is_own"]]


def test_nobody_gives_themselves_a_boost(user: User) -> None:
    sneaky = {"effect_json": {"type": "xp_multiplier", "factor": 100, "seconds": 9}, "owner_id": None, "is_own": False}
    made = reward(user, **sneaky)
    assert (made["effect_json"], made["is_own"]) == (None, True)
    changed = user.patch(f"/market/items/{made['id']}", {**sneaky, "uses_per_purchase": 100, "key": "theme_ocean"}).data
    assert {name: changed[name] for name in made if name != "updated_at"} == {
        name: made[name] for name in made if name != "updated_at"
    }


def test_changing_a_reward(database: Database, user: User) -> None:
    earn(database, user, 100)
    made = reward(user, description="Old", valid_days=3)
    purchase = bought(user, made["id"])
    changed = user.patch(f"/market/items/{made['key']}", {"name": "New", "price_coins": 20, "description": None}).data
    assert (changed["name"], changed["price_coins"], changed["description"]) == ("New", 20, None)
    assert changed["valid_days"] == 3
    [row] = user.get("/market/history").data["purchases"]
    assert (row["id"], row["item_name"], row["price_paid"]) == (purchase, made["name"], 10)
    assert buy(user, made["id"]).data["price_paid"] == 20
    user.patch(f"/market/items/{made['id']}", {"name": None}).invalid("name")


def test_archiving(database: Database, user: User) -> None:
    earn(database, user, 100)
    made = reward(user)
    purchase = bought(user, made["id"])
    path = f"/market/items/{made['id']}"
    assert user.delete(path).data == {"deleted": True}
    assert user.delete(path).data == {"deleted": True}
    assert made["key"] not in keys(user)
    assert keys(user, archived="true") == [made["key"]]
    assert (user.get(path).data["archived"], user.get(path).data["available"]) == (True, False)
    buy(user, made["id"]).refused(409, "not_available")
    assert redeem(user, purchase).status == 200
    assert user.patch(path, {"archived": False}).data["archived"] is False
    assert buy(user, made["id"]).status == 200


def test_shared_items_and_those_of_others(user: User, other: User) -> None:
    theirs = reward(other)
    for call in (lambda path: user.patch(path, {"name": "Mine"}), user.delete):
        call("/market/items/theme_ocean").refused(403, "forbidden")
        call(f"/market/items/{theirs['id']}").refused(404, "not_found")
        call("/market/items/nothing").refused(404, "not_found")
    assert other.get(f"/market/items/{theirs['id']}").data == theirs


def test_two_hundred_rewards(database: Database, user: User) -> None:
    database.query(
        """
        INSERT INTO market_items (owner_id, key, name, price_coins, limit_period)
        SELECT %s, 'own_' || n, 'Reward', 1, 'day' FROM generate_series(1, 199) AS n
        """,
        user.id,
    )
    answers = at_once(4, lambda: user.post("/market/items", {"name": "x", "price_coins": 1}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    own = [item for item in listed(user) if item["is_own"]]
    assert len(own) == 200
    user.delete(f"/market/items/{own[0]['id']}")
    reward(user)
    user.patch(f"/market/items/{own[0]['id']}", {"archived": False}).refused(409, "limit_reached")
    ids = [item["id"] for item in listed(user) if item["is_own"]]
    assert [item["id"] for item in user.put("/market/items/order", {"ids": ids[::-1]}).data["items"]] == ids[::-1]
    user.put("/market/items/order", {"ids": [*ids, own[0]["id"]]}).invalid("ids")


def test_ordering(user: User, other: User) -> None:
    first, second, third = (reward(user, name=name)["id"] for name in "abc")
    data = user.put("/market/items/order", {"ids": [third, first]}).data
    assert [item["id"] for item in data["items"]] == [third, first, second]
    assert data["total"] == 3
    user.put("/market/items/order", {"ids": [first, first]}).invalid("ids")
    theirs = reward(other)["id"]
    shared = user.get("/market/items/theme_ocean").data["id"]
    for foreign in (theirs, shared):
        user.put("/market/items/order", {"ids": [second, foreign]}).refused(404, "not_found")
    assert [item["id"] for item in listed(user) if item["is_own"]] == [third, first, second]


def test_what_is_available(database: Database, user: User, clock: Clock) -> None:
    """What could be bought now, if level and coins sufficed."""
    clock.freeze()
    clock.set("2031-05-08T12:00:00Z")
    earn(database, user, 20)
    later = clock.now() + timedelta(hours=1)
    shelf: dict[str, dict[str, Any]] = {
        "dear": {"price_coins": 1_000_000, "requires_level": 99},
        "sold_out": {"total_stock": 1, "remaining_stock": 0},
        "last_one": {"total_stock": 9, "remaining_stock": 1},
        "comes": {"available_from": later},
        "goes": {"available_until": later},
        "once_a_day": {"limit_per_user": 1, "limit_period": "day"},
        "one_held": {"limit_per_user": 1, "limit_period": "held"},
    }
    suffix = secrets.token_hex(6)
    for name, columns in shelf.items():
        shared_item(database, f"{name}_{suffix}", **columns)

    def available() -> set[str]:
        found = {item["key"]: item["available"] for item in listed(user)}
        assert found == {key: user.get(f"/market/items/{key}").data["available"] for key in found}
        return {name for name in shelf if found[f"{name}_{suffix}"]}

    assert available() == {"dear", "last_one", "goes", "once_a_day", "one_held"}
    bought(user, f"once_a_day_{suffix}")
    held = bought(user, f"one_held_{suffix}")
    assert available() == {"dear", "last_one", "goes"}
    clock.set(later)
    redeem(user, held)
    assert available() == {"dear", "last_one", "comes", "one_held"}
    clock.set("2031-05-09T00:00:00Z")
    assert available() == {"dear", "last_one", "comes", "one_held", "once_a_day"}


def test_categories(user: User) -> None:
    before = {row["key"]: row["count"] for row in user.get("/market/categories").data["categories"]}
    reward(user, category="fun")
    user.delete(f"/market/items/{reward(user, category='fun')['id']}")
    data = user.get("/market/categories").data
    assert {row["key"]: row["count"] for row in data["categories"]} == {**before, "fun": 1}
    assert [row["key"] for row in data["categories"]] == sorted(row["key"] for row in data["categories"])
    assert data["total"] == sum(row["count"] for row in data["categories"])


def test_an_item_taken_off_the_shelf(database: Database, user: User) -> None:
    key = f"test_{secrets.token_hex(6)}"
    shared_item(database, key, is_active=False)
    assert key not in keys(user)
    user.get(f"/market/items/{key}").refused(404, "not_found")


@pytest.mark.parametrize("path", ["/market", "/market/items", "/market/items/theme_ocean", "/market/categories"])
def test_no_session(stranger: Client, path: str) -> None:
    stranger.get(path).refused(401, "unauthorized")
