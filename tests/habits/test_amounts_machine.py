"""One habit with amounts through any sequence of days, zones, amounts and claims, beside a model that knows the rules.

The audit of the ledger is looked at after every test.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Database, NewUser, User
from tests.habits.conftest import EAST, WEST, Later, Today, ledger, travel
from tests.support import factories

# By how many days the zones are ahead, at noon in UTC.
AHEAD = {WEST: 0, EAST: 1}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sleep"), st.integers(1, 9), st.just(0)),
        st.tuples(st.just("travel"), st.sampled_from([0, 1]), st.just(0)),
        st.tuples(st.sampled_from(["log", "log", "correct"]), st.integers(0, 3), st.integers(-30, 60)),
        st.tuples(st.sampled_from(["undo", "complete"]), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("claim"), st.just(0), st.just(0)),
    ),
    max_size=24,
)


@dataclass
class Model:
    """A habit with amounts in tenths, by days; what was paid, by the first days of periods."""

    direction: str
    period: str
    target: int
    created: date
    rows: dict[date, list[tuple[int, bool]]] = field(default_factory=dict)
    paid: set[date] = field(default_factory=set)
    # The days on which paid rows stand, with their places: such a row takes its payment along.
    payers: dict[date, tuple[date, int]] = field(default_factory=dict)

    def first(self, day: date) -> date:
        if self.period == "day":
            return day
        return day - timedelta(day.weekday()) if self.period == "week" else day.replace(day=1)

    def last(self, day: date) -> date:
        after = {"day": timedelta(1), "week": timedelta(7), "month": timedelta(32)}[self.period]
        return self.first(self.first(day) + after) - timedelta(1)

    def sum_of(self, day: date) -> int:
        return sum(amount for amount, _ in self.rows.get(day, []))

    def total(self, day: date) -> int:
        return sum(self.sum_of(other) for other in self.rows if self.first(other) == self.first(day))

    def met(self, day: date) -> bool:
        return self.direction == "at_least" and self.total(day) >= self.target

    def passed(self, day: date) -> bool:
        return self.direction == "at_most" and self.total(day) > self.target

    def allows(self, day: date, today: date) -> bool:
        return day == today or (today - timedelta(7) <= day < today and day >= self.created)

    def add(self, day: date, amount: int, today: date, *, correction: bool) -> None:
        if amount == 0:
            return
        rows = self.rows.setdefault(day, [])
        if correction and rows and rows[-1][1]:
            rows[-1] = (rows[-1][0] + amount, True)
        else:
            rows.append((amount, correction))
        self.settle(day, (day, len(rows)), today, lessened=amount < 0)

    def settle(self, day: date, row: tuple[date, int], today: date, *, lessened: bool) -> None:
        period = self.first(day)
        if self.met(day) and period not in self.paid and period == self.first(today):
            self.paid.add(period)
            self.payers[period] = row
        elif self.direction == "at_least" and lessened and not self.met(day):
            self.paid.discard(period)
            self.payers.pop(period, None)

    def undo(self, day: date, today: date) -> None:
        period, place = self.first(day), (day, len(self.rows[day]))
        amount, _ = self.rows[day].pop()
        newest = max(((d, len(r)) for d, r in self.rows.items() if r and self.first(d) == period), default=place)
        if self.payers.get(period) == place:
            if self.met(day):
                self.payers[period] = newest
            else:
                self.paid.discard(period)
                del self.payers[period]
        else:
            self.settle(day, newest, today, lessened=amount > 0)

    def claim(self, today: date) -> str | None:
        """Why a claim is refused; None when it is paid."""
        ended = self.first(today) - timedelta(1)
        if self.direction == "at_least":
            return "invalid_state"
        if ended < self.created:
            return "period_open"
        if self.first(ended) in self.paid:
            return "already_completed"
        if self.passed(ended):
            return "limit_exceeded"
        self.paid.add(self.first(ended))
        return None

    def streak(self, today: date) -> int:
        """Counted period by period, backwards. Of a limit the open period only counts where it is passed."""
        if self.direction == "at_least":
            reached = {self.first(day) for day, rows in self.rows.items() if rows and self.met(day)}
            at = max(reached, default=None)
            if at is None or self.last(at) < self.first(today) - timedelta(1):
                return 0
            length = 0
            while at in reached:
                length, at = length + 1, self.first(at - timedelta(1))
            return length
        if any(self.passed(day) for day in self.rows if self.first(day) >= self.first(today)):
            return 0
        length, day = 0, self.first(today) - timedelta(1)
        while day >= self.created and not self.passed(day):
            length, day = length + 1, self.first(day) - timedelta(1)
        return length


@dataclass
class Walk:
    """A user and the model, which take the same steps."""

    user: User
    path: str
    model: Model
    ahead: int = 0

    def log(self, day: date, now: date, amount: int) -> None:
        answer = self.user.post(f"{self.path}/log", {"amount": amount / 10, "date": str(day)})
        if amount == 0 or self.model.sum_of(day) + amount < 0:
            answer.invalid("amount")
            return
        self.model.add(day, amount, now, correction=False)
        assert tenths(answer.data["amount_period"]) == self.model.total(day)
        assert answer.data["completed"] == self.model.met(day)
        assert answer.data["within_limit"] == (not self.model.passed(day))

    def correct(self, day: date, now: date, amount: int) -> None:
        answer = self.user.put(f"{self.path}/log", {"amount": abs(amount) / 10, "date": str(day)})
        assert answer.status == 200, answer.text
        self.model.add(day, abs(amount) - self.model.sum_of(day), now, correction=True)

    def complete(self, day: date, now: date, _: int) -> None:
        answer = self.user.post(f"{self.path}/complete", {"date": str(day)})
        assert answer.data["already_completed"] == (self.model.direction == "at_most" or self.model.met(day))
        if self.model.direction == "at_least":
            self.model.add(day, max(self.model.target - self.model.total(day), 0), now, correction=False)

    def undo(self, day: date, now: date, _: int) -> None:
        answer = self.user.delete(f"{self.path}/complete", {"date": str(day)})
        assert answer.status == (200 if self.model.rows.get(day) else 404)
        if self.model.rows.get(day):
            self.model.undo(day, now)

    def claim(self, now: date) -> None:
        answer, refused = self.user.post(f"{self.path}/kept"), self.model.claim(now)
        outcome = answer.json.get("error", {}).get("type")
        assert (answer.status, outcome) == ((409, refused) if refused else (200, None))

    def take(self, step: str, number: int, amount: int, now: date) -> None:
        """Take a step that is no move of the clock or the user."""
        day = now - timedelta(number)
        if step == "claim":
            self.claim(now)
        elif self.model.allows(day, now):
            {"log": self.log, "correct": self.correct, "complete": self.complete, "undo": self.undo}[step](
                day, now, amount
            )
        else:
            ask = self.user.delete if step == "undo" else self.user.post
            ask(f"{self.path}/complete", {"date": str(day)}).invalid("date")

    def check(self, now: date, *, is_furthest: bool) -> None:
        """Compare what is shown with the model.

        A streak of where it was tomorrow stands for who is back, although that day is open again.
        """
        shown = self.user.get(self.path).data
        assert tenths(shown["amount_period"]) == self.model.total(now)
        assert shown["completed_today"] == (bool(self.model.rows.get(now)) and self.model.met(now))
        assert shown["longest_streak"] >= shown["current_streak"]
        if is_furthest:
            assert shown["current_streak"] == self.model.streak(now)


def tenths(amount: float) -> Decimal:
    return Decimal(str(amount)) * 10


@settings(max_examples=25)
@given(
    steps=STEPS,
    direction=st.sampled_from(["at_least", "at_most"]),
    period=st.sampled_from(["day", "day", "week", "month"]),
    target=st.integers(1, 50),
)
def test_amounts_are_what_the_rules_make_of_them(
    new_user: NewUser,
    database: Database,
    later: Later,
    today: Today,
    *,
    steps: list[tuple[str, int, int]],
    direction: str,
    period: str,
    target: int,
) -> None:
    user = new_user()
    fields: dict[str, Any] = {"kind": "amount", "direction": direction, "period": period, "target_amount": target / 10}
    made = factories.habit(user, **fields, xp_reward=1, coin_reward=1)
    walk = Walk(user, f"/habits/{made['id']}", Model(direction, period, target, today()))
    furthest = today()
    for step, number, amount in steps:
        if step == "sleep":
            later(user, number)
        elif step == "travel":
            zone = [WEST, EAST][number]
            travel(user, zone)
            walk.ahead = AHEAD[zone]
        now = today() + timedelta(walk.ahead)
        if step not in ("sleep", "travel"):
            walk.take(step, number, amount, now)
        walk.check(now, is_furthest=now >= furthest)
        furthest = max(furthest, now)
        assert sum(coins for _, _, coins in ledger(user, database)) == len(walk.model.paid)
    days = user.get(f"{walk.path}/history", query={"from": str(walk.model.created), "to": str(furthest)}).data["days"]
    assert {day["date"]: tenths(day["amount"]) for day in days if day["amount"] is not None} == {
        str(day): walk.model.sum_of(day) for day, rows in walk.model.rows.items() if rows
    }
