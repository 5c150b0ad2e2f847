"""POST /market/redeem: uses, boosts, and what expires."""

import secrets
from datetime import datetime, timedelta

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.market.shop import bought, earn, redeem, refund, reward, shared_item
from tests.support.ledger import award


def test_a_use(database: Database, user: User) -> None:
    earn(database, user, 100)
    purchase = bought(user, "movie_night", 2)
    first = redeem(user, purchase).data
    assert (first["item_key"], first["effect"], first["active_effect"]) == ("movie_night", None, None)
    assert (first["status"], first["uses_remaining"]) == ("active", 1)
    [row] = user.get("/market/history").data["purchases"]
    assert row["redeemed_at"] is None, "not used up"
    last = redeem(user, purchase).data
    assert (last["status"], last["uses_remaining"]) == ("redeemed", 0)
    [row] = user.get("/market/history").data["purchases"]
    assert row["redeemed_at"] == last["redeemed_at"]
    redeem(user, purchase).refused(409, "already_redeemed")


def test_bad_input_and_strangers(database: Database, user: User, other: User, stranger: Client) -> None:
    earn(database, user, 50)
    purchase = bought(user, "movie_night")
    for body in ({}, {"purchase_id": "x"}, {"purchase_id": None}):
        user.post("/market/redeem", body).invalid("purchase_id")
    redeem(other, purchase).refused(404, "not_found")
    redeem(stranger, purchase).refused(401, "unauthorized")
    assert redeem(user, purchase).status == 200


def test_one_use_and_many_at_once(database: Database, user: User) -> None:
    earn(database, user, 50)
    purchase = bought(user, "movie_night")
    answers = at_once(8, lambda: redeem(user, purchase))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7


def test_redeem_and_refund_at_once(database: Database, user: User) -> None:
    earn(database, user, 50)
    purchase = bought(user, "movie_night")
    turns = iter([redeem, refund] * 3)
    answers = at_once(6, lambda: next(turns)(user, purchase))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 5


def test_a_permanent_item_and_a_shield_are_not_redeemed_by_hand(database: Database, user: User) -> None:
    earn(database, user, 200)
    redeem(user, bought(user, "theme_ocean")).refused(409, "already_redeemed")
    redeem(user, bought(user, "streak_shield")).refused(409, "automatic_item")


def test_what_expires(database: Database, user: User, clock: Clock) -> None:
    earn(database, user, 20)
    item = reward(user, valid_days=2)
    clock.freeze()
    purchase = bought(user, item["id"])
    clock.advance(timedelta(days=2) - timedelta(seconds=1))
    assert user.get("/market/inventory").data["total"] == 1
    assert user.get(f"/market/items/{item['id']}").data["owned"] == 1
    clock.advance(timedelta(seconds=1))
    assert redeem(user, purchase).refused(409, "expired")["expires_at"]
    refund(user, purchase).refused(409, "expired")
    assert user.get("/market/inventory").data["total"] == 0
    assert user.get(f"/market/items/{item['id']}").data["owned"] == 0
    assert user.get("/market/history", query={"status": "expired"}).data["total"] == 1
    assert user.get("/market/history", query={"status": "active"}).data["total"] == 0


# Boosts --------------------------------------------------------------------------------------------------------------


def paid(database: Database, user: User, xp: int, key: str, event: str = "lesson_complete") -> int:
    credited: int = award(database, user, event, xp=xp, key=key)["xp"]
    return credited


def test_a_boost_doubles_what_is_boostable(database: Database, user: User, clock: Clock) -> None:
    earn(database, user, 25)
    clock.freeze()
    redeemed = redeem(user, bought(user, "xp_boost_1h")).data
    assert redeemed["effect"] == {"type": "xp_multiplier", "factor": 2, "seconds": 3600}
    effect = redeemed["active_effect"]
    assert (effect["type"], effect["factor"], effect["item_key"]) == ("xp_multiplier", 2, "xp_boost_1h")
    lasted = datetime.fromisoformat(effect["ends_at"]) - datetime.fromisoformat(effect["started_at"])
    assert lasted == timedelta(hours=1)
    assert user.get("/market").data["effects"] == [effect]
    clock.advance(timedelta(hours=1) - timedelta(seconds=1))
    assert paid(database, user, 30, "a") == 60
    assert paid(database, user, 30, "b", "quest_complete") == 30
    clock.advance(timedelta(seconds=1))
    assert paid(database, user, 30, "c") == 30
    assert paid(database, user, 30, "a") == 60, "a replay returns what was paid"
    assert user.get("/market").data["effects"] == []


def test_the_same_factor_extends(database: Database, user: User) -> None:
    earn(database, user, 125)
    first = redeem(user, bought(user, "xp_boost_1h")).data["active_effect"]
    second = redeem(user, bought(user, "xp_boost_24h")).data["active_effect"]
    assert (second["id"], second["started_at"]) == (first["id"], first["started_at"])
    longer = datetime.fromisoformat(second["ends_at"]) - datetime.fromisoformat(first["ends_at"])
    assert longer == timedelta(days=1)
    assert user.get("/market/inventory").data["effects"] == [second]


def test_another_factor_has_to_wait(database: Database, user: User, clock: Clock) -> None:
    key = f"test_{secrets.token_hex(6)}"
    shared_item(database, key, effect_json='{"type": "xp_multiplier", "factor": 3, "seconds": 60}')
    earn(database, user, 100)
    clock.freeze()
    redeem(user, bought(user, "xp_boost_1h"))
    triple = bought(user, key)
    redeem(user, triple).refused(409, "effect_active")
    assert user.get("/market/inventory").data["purchases"][0]["uses_remaining"] == 1
    clock.advance(timedelta(hours=1))
    assert redeem(user, triple).data["active_effect"]["factor"] == 3


def test_boosts_of_other_factors_at_once(database: Database, user: User) -> None:
    key = f"test_{secrets.token_hex(6)}"
    shared_item(database, key, effect_json='{"type": "xp_multiplier", "factor": 3, "seconds": 60}')
    earn(database, user, 60)
    purchases = {bought(user, "xp_boost_1h"), bought(user, key)}
    waiting = iter(purchases)
    answers = at_once(2, lambda: redeem(user, next(waiting)))
    [refused] = [answer for answer in answers if answer.status != 200]
    refused.refused(409, "effect_active")
    [running] = user.get("/market").data["effects"]
    left = {row["id"] for row in user.get("/market/inventory").data["purchases"]}
    assert left == purchases - {running["purchase_id"]}, "the refused one is not used"


def test_an_achievement_is_paid_plainly(database: Database, user: User) -> None:
    earn(database, user, 25)
    redeem(user, bought(user, "xp_boost_1h"))
    award(database, user, "lesson_complete", xp=30)
    [achievement] = database.query(
        "SELECT xp FROM points_ledger WHERE user_id = %s AND idempotency_key = 'achievement:first_lesson'", user.id
    )
    assert achievement == {"xp": 50}


@pytest.mark.parametrize("at_a_time", [4])
def test_boosts_redeemed_at_once_are_one(database: Database, user: User, at_a_time: int) -> None:
    earn(database, user, 25 * at_a_time)
    purchases = iter([bought(user, "xp_boost_1h") for _ in range(at_a_time)])
    answers = at_once(at_a_time, lambda: redeem(user, next(purchases)))
    assert {answer.status for answer in answers} == {200}
    [effect] = user.get("/market").data["effects"]
    lasts = datetime.fromisoformat(effect["ends_at"]) - datetime.fromisoformat(effect["started_at"])
    assert lasts == timedelta(hours=at_a_time)
