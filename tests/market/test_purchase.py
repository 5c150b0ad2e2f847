"""POST /market/purchase: what is checked, in which order, and what buying leaves behind."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.market.shop import bought, buy, coins, earn, redeem, refund, reward, shared_item
from tests.support.locks import is_waited_for
from tests.support.threads import in_thread


def new_key() -> str:
    return f"test_{secrets.token_hex(6)}"


def test_a_consumable(database: Database, user: User) -> None:
    earn(database, user, 100)
    data = buy(user, "movie_night").data
    assert (data["item_key"], data["price_paid"], data["new_balance"]) == ("movie_night", 50, 50)
    purchase = data["purchase"]
    assert purchase["id"] == data["purchase_id"]
    assert (purchase["status"], purchase["uses_total"], purchase["uses_remaining"]) == ("active", 1, 1)
    assert (purchase["unit_price"], purchase["quantity"], purchase["redeemed_at"]) == (50, 1, None)
    assert purchase["expires_at"] is None
    [row] = database.query(
        "SELECT coins, idempotency_key FROM points_ledger WHERE user_id = %s AND event_type = 'market_purchase'",
        user.id,
    )
    assert row == {"coins": -50, "idempotency_key": f"purchase:{data['purchase_id']}"}
    [item] = [item for item in user.get("/market/items").data["items"] if item["key"] == "movie_night"]
    assert item["owned"] == 1


def test_several_units(database: Database, user: User) -> None:
    earn(database, user, 150)
    data = buy(user, "movie_night", 3).data
    assert (data["price_paid"], data["new_balance"]) == (150, 0)
    assert (data["purchase"]["uses_total"], data["purchase"]["uses_remaining"]) == (3, 3)


def test_a_permanent_item_is_redeemed_at_once(database: Database, user: User) -> None:
    earn(database, user, 50)
    purchase = buy(user, "theme_ocean").data["purchase"]
    assert (purchase["status"], purchase["uses_remaining"]) == ("redeemed", 0)
    assert purchase["redeemed_at"] == purchase["purchased_at"]
    assert user.get("/market/inventory").data["unlocks"] == [
        {"item_key": "theme_ocean", "slot": "theme", "value": "ocean"}
    ]
    assert buy(user, "theme_ocean").refused(409, "limit_reached") == {"limit": 1, "period": "ever"}


def test_a_free_item_writes_no_ledger_row(database: Database, user: User) -> None:
    assert buy(user, "theme_midnight").data["new_balance"] == 0
    assert database.query("SELECT 1 FROM points_ledger WHERE user_id = %s", user.id) == []


def test_by_id(database: Database, user: User) -> None:
    earn(database, user, 50)
    item = user.get("/market/items/movie_night").data
    assert buy(user, item["id"]).data["item_key"] == "movie_night"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "item_key"),
        ({"item_key": " "}, "item_key"),
        ({"item_key": 7}, "item_key"),
        ({"item_key": "movie_night", "quantity": 0}, "quantity"),
        ({"item_key": "movie_night", "quantity": 100}, "quantity"),
        ({"item_key": "movie_night", "quantity": "1"}, "quantity"),
        ({"item_key": "theme_ocean", "quantity": 2}, "quantity"),
    ],
)
def test_bad_input(database: Database, user: User, body: dict[str, Any], field: str) -> None:
    earn(database, user, 1000)
    user.post("/market/purchase", body).invalid(field)
    assert coins(user) == 1000


def test_no_session(stranger: Client) -> None:
    buy(stranger, "movie_night").refused(401, "unauthorized")


def test_someone_elses_reward(database: Database, user: User, other: User) -> None:
    earn(database, user, 100)
    theirs = reward(other)
    buy(user, theirs["id"]).refused(404, "not_found")
    buy(user, theirs["key"]).refused(404, "not_found")
    buy(user, "no_such_item").refused(404, "not_found")


def test_the_order_of_the_refusals(database: Database, user: User) -> None:
    """Each time the first reason is taken away, the next one shows."""
    key = new_key()
    shared_item(
        database,
        key,
        price_coins=500,
        is_active=False,
        requires_level=3,
        limit_per_user=1,
        total_stock=1,
        remaining_stock=0,
    )

    def change(assignment: str) -> None:
        database.query(f"UPDATE market_items SET {assignment} WHERE key = %s", key)

    buy(user, key).refused(409, "not_available")
    change("is_active = true")
    assert buy(user, key).refused(403, "level_too_low") == {"need": 3, "have": 1}
    change("requires_level = 1")
    assert buy(user, key, 2).refused(409, "limit_reached") == {"limit": 1, "period": "ever"}
    assert buy(user, key).refused(409, "out_of_stock") == {"remaining": 0}
    change("remaining_stock = 1")
    assert buy(user, key).refused(409, "insufficient_coins") == {"need": 500, "have": 0}
    [item] = database.query("SELECT remaining_stock FROM market_items WHERE key = %s", key)
    assert item == {"remaining_stock": 1}, "a refused purchase takes nothing"
    assert database.query("SELECT 1 FROM user_purchases WHERE user_id = %s", user.id) == []


def test_the_sale_window(database: Database, user: User, clock: Clock) -> None:
    earn(database, user, 100)
    key = new_key()
    # Frozen, so that what is asked at an edge of the window is asked at that instant.
    clock.freeze()
    opens = clock.now() + timedelta(days=1)
    shared_item(database, key, available_from=opens, available_until=opens + timedelta(days=1))
    buy(user, key).refused(409, "not_available")
    clock.set(opens)
    assert buy(user, key).status == 200
    clock.set(opens + timedelta(days=1))
    buy(user, key).refused(409, "not_available")


def test_a_daily_limit_is_of_the_users_day(database: Database, new_user: NewUser, clock: Clock) -> None:
    user = new_user(settings={"timezone": "Asia/Tokyo", "day_start_hour": 4})
    earn(database, user, 100)
    item = reward(user, limit_per_user=2)
    clock.set("2031-05-08T18:59:00Z")
    bought(user, item["id"], 2)
    buy(user, item["id"]).refused(409, "limit_reached")
    clock.set("2031-05-08T19:00:00Z")
    assert buy(user, item["id"]).status == 200, "in Tokyo it is four in the morning"


def test_what_is_held_counts_by_units(database: Database, user: User) -> None:
    earn(database, user, 1000)
    key = new_key()
    shared_item(database, key, uses_per_purchase=2, limit_per_user=2, limit_period="held")
    purchase = bought(user, key, 2)
    buy(user, key).refused(409, "limit_reached")
    redeem(user, purchase)
    buy(user, key).refused(409, "limit_reached")
    redeem(user, purchase)
    assert buy(user, key).status == 200
    assert user.get(f"/market/items/{key}").data["owned"] == 2


def test_refunded_units_count_no_more(database: Database, user: User) -> None:
    earn(database, user, 100)
    item = reward(user, limit_per_user=1)
    refund(user, bought(user, item["id"]))
    assert buy(user, item["id"]).status == 200


def test_one_key_buys_once(database: Database, user: User) -> None:
    earn(database, user, 500)
    answers = at_once(10, lambda: buy(user, "movie_night", headers={"Idempotency-Key": "one"}))
    purchases = {answer.data["purchase_id"] for answer in answers if answer.status == 200}
    assert len(purchases) == 1
    assert {answer.status for answer in answers} <= {200, 409}
    assert coins(user) == 450
    assert len(database.query("SELECT 1 FROM user_purchases WHERE user_id = %s", user.id)) == 1


def test_twenty_buyers_with_money_for_seven(database: Database, user: User) -> None:
    earn(database, user, 7 * 50)
    answers = at_once(20, lambda: buy(user, "movie_night"))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [409] * 13
    for answer in answers:
        if answer.status == 409:
            answer.refused(409, "insufficient_coins")
    assert coins(user) == 0
    assert len(database.query("SELECT 1 FROM user_purchases WHERE user_id = %s", user.id)) == 7


@pytest.mark.parametrize(("limit", "period"), [(1, "ever"), (3, "day"), (3, "held")])
def test_a_limit_holds_at_once(database: Database, user: User, limit: int, period: str) -> None:
    earn(database, user, 1000)
    key = new_key()
    shared_item(database, key, limit_per_user=limit, limit_period=period)
    answers = at_once(7, lambda: buy(user, key))
    assert sorted(answer.status for answer in answers) == [200] * limit + [409] * (7 - limit)
    for answer in answers:
        if answer.status == 409:
            assert answer.refused(409, "limit_reached") == {"limit": limit, "period": period}
    assert coins(user) == 1000 - 10 * limit


def test_a_permanent_item_is_bought_once_at_once(database: Database, user: User) -> None:
    earn(database, user, 500)
    answers = at_once(5, lambda: buy(user, "theme_ocean"))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert coins(user) == 450


def test_large_amounts(database: Database, user: User) -> None:
    for _ in range(3):
        earn(database, user, 1_000_000)
    item = reward(user, price_coins=1_000_000)["id"]
    details = buy(user, item, 99).refused(409, "insufficient_coins")
    assert details == {"need": 99_000_000, "have": 3_000_000}
    data = buy(user, item, 3).data
    assert (data["price_paid"], data["new_balance"]) == (3_000_000, 0)
    assert refund(user, data["purchase_id"]).data["new_balance"] == 3_000_000


def test_the_last_five_of_a_stock(database: Database, new_user: NewUser) -> None:
    key = new_key()
    shared_item(database, key, total_stock=5, remaining_stock=5)
    buyers = [new_user() for _ in range(12)]
    for buyer in buyers:
        earn(database, buyer, 10)
    queue = iter(buyers)
    answers = at_once(12, lambda: buy(next(queue), key))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [409] * 7
    assert database.query("SELECT remaining_stock FROM market_items WHERE key = %s", key) == [{"remaining_stock": 0}]


@pytest.mark.parametrize(("method", "path"), [("POST", "/market/purchase"), ("PUT", "/market/goal")])
def test_an_item_that_is_deleted_at_this_moment(method: str, path: str, database: Database, user: User) -> None:
    """The request waits for the deletion, and then finds no such item."""
    key = new_key()
    shared_item(database, key)
    earn(database, user, 10)
    with psycopg.connect(database.admin_url) as deleting, ThreadPoolExecutor(1) as pool:
        deleting.execute("DELETE FROM market_items WHERE key = %s", [key])
        answer = pool.submit(in_thread, lambda: user.request(method, path, body={"item_key": key}))
        while not is_waited_for(database, deleting.info.backend_pid):
            assert not answer.done(), "it did not wait"
            time.sleep(0.01)
        deleting.commit()
        answer.result().refused(404, "not_found")
    assert coins(user) == 10


def test_nothing_can_be_bought_past_the_functions(database: Database, user: User) -> None:
    """Requests read purchases and effects; only the functions of the market write them."""
    rights = database.query(
        """
        SELECT table_name, privilege_type FROM information_schema.table_privileges
         WHERE grantee IN ('questlog_app', 'PUBLIC') AND privilege_type <> 'SELECT'
           AND table_name IN ('user_purchases', 'user_effects', 'streak_shield_uses')
        """
    )
    assert rights == []
