"""The market against a model: buying, redeeming, refunding and replaying, while the clock moves."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.market.shop import buy, earn, redeem, refund, reward

PRICES = {"movie_night": 50, "theme_ocean": 50, "streak_shield": 150}


class Market(RuleBasedStateMachine):
    """The model: the balance, and of each purchase what was paid, what is left, and when it was made."""

    purchases = Bundle("purchases")

    def __init__(self, database: Database, new_user: NewUser, clock: Clock) -> None:
        super().__init__()
        self._database, self._new_user, self._clock = database, new_user, clock

    @initialize()
    def begin(self) -> None:
        self.user: User = self._new_user()
        self.now = datetime.fromisoformat("2031-05-08T12:00:00+00:00")
        self._clock.freeze()
        self._clock.set(self.now)
        self.own = reward(self.user, price_coins=30, limit_per_user=2, valid_days=1)["key"]
        self.prices = {**PRICES, self.own: 30}
        self.balance = 0
        self.made: dict[str, dict[str, Any]] = {}

    @rule(amount=st.integers(1, 200))
    def earn(self, amount: int) -> None:
        earn(self._database, self.user, amount)
        self.balance += amount

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self._clock.set(self.now)

    @rule(target=purchases, item=st.sampled_from([*PRICES, "own"]), quantity=st.integers(1, 3), key=st.booleans())
    def buy(self, item: str, quantity: int, key: bool) -> str | None:
        item = self.own if item == "own" else item
        headers = {"Idempotency-Key": secrets.token_hex(8)} if key else {}
        answer = buy(self.user, item, quantity, headers=headers)
        refusal = self._refusal(item, quantity)
        if refusal is not None:
            assert (answer.status, answer.error["type"]) == refusal
            return None
        data = answer.data
        price = self.prices[item] * quantity
        self.balance -= price
        assert (data["price_paid"], data["new_balance"]) == (price, self.balance)
        if key:
            assert buy(self.user, item, quantity, headers=headers).data == data
        permanent = item == "theme_ocean"
        self.made[data["purchase_id"]] = {
            "item": item,
            "quantity": quantity,
            "paid": price,
            "left": 0 if permanent else quantity,
            "used": 0,
            "at": self.now,
            "refunded": False,
        }
        purchase_id: str = data["purchase_id"]
        return purchase_id

    def _refusal(self, item: str, quantity: int) -> tuple[int, str] | None:
        if item == "theme_ocean" and quantity > 1:
            return 400, "validation_error"
        if self._counted(item) + quantity > {"theme_ocean": 1, "streak_shield": 3, self.own: 2}.get(item, 99**9):
            return 409, "limit_reached"
        return (409, "insufficient_coins") if self.balance < self.prices[item] * quantity else None

    def _counted(self, item: str) -> int:
        mine = [one for one in self.made.values() if one["item"] == item and not one["refunded"]]
        if item == "streak_shield":
            return sum(one["left"] for one in mine)
        if item == self.own:
            return sum(one["quantity"] for one in mine if one["at"].date() == self.now.date())
        return sum(one["quantity"] for one in mine)

    def _expired(self, one: dict[str, Any]) -> bool:
        return bool(one["item"] == self.own and one["left"] > 0 and self.now >= one["at"] + timedelta(days=1))

    @rule(purchase=purchases)
    def redeem(self, purchase: str | None) -> None:
        if purchase is None:
            return
        one, answer = self.made[purchase], redeem(self.user, purchase)
        if one["refunded"]:
            answer.refused(409, "already_refunded")
        elif one["left"] == 0:
            answer.refused(409, "already_redeemed")
        elif self._expired(one):
            answer.refused(409, "expired")
        elif one["item"] == "streak_shield":
            answer.refused(409, "automatic_item")
        else:
            one["left"] -= 1
            one["used"] += 1
            assert answer.data["uses_remaining"] == one["left"]

    @rule(purchase=purchases)
    def refund(self, purchase: str | None) -> None:
        if purchase is None:
            return
        one, answer = self.made[purchase], refund(self.user, purchase)
        if one["refunded"]:
            answer.refused(409, "already_refunded")
        elif one["used"]:
            answer.refused(409, "already_redeemed")
        elif self._expired(one):
            answer.refused(409, "expired")
        elif self.now >= one["at"] + timedelta(days=1):
            answer.refused(409, "refund_window_closed")
        else:
            one["refunded"] = True
            self.balance += one["paid"]
            assert answer.data["new_balance"] == self.balance

    @invariant()
    def the_balance_is_the_models(self) -> None:
        if hasattr(self, "user"):
            assert self.user.get("/market/wallet").data["coins"] == self.balance


@pytest.mark.usefixtures("user")
def test_the_market_follows_its_model(database: Database, new_user: NewUser, clock: Clock) -> None:
    quick = settings(
        max_examples=12,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
    )

    class OnThisDatabase(Market):
        def __init__(self) -> None:
            super().__init__(database, new_user, clock)

    run_state_machine_as_test(OnThisDatabase, settings=quick)
