"""A user through any sequence of days, completions, pauses and shields, beside a model that knows only the rules."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Answer, Database, NewUser, User
from tests.pauses.conftest import days
from tests.pauses.model import Model
from tests.support import factories
from tests.support.clock import NOON
from tests.support.ledger import purchase

Step = tuple[str, int, int | None]

# The days are counted from the present one; a last day of None is no last day.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sleep"), st.integers(1, 3), st.none()),
        st.tuples(st.just("do"), st.none(), st.none()),
        st.tuples(st.sampled_from(["pause", "change"]), st.integers(-7, 4), st.integers(-7, 40) | st.none()),
        st.tuples(st.sampled_from(["end", "shield"]), st.none(), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=20)
@given(steps=STEPS)
def test_streaks_are_what_the_rules_make_of_them(
    new_user: NewUser, database: Database, clock: Clock, *, steps: list[Step]
) -> None:
    clock.set(NOON)
    user, model = new_user(), Model()
    habit = factories.habit(user, xp_reward=1, coin_reward=0)["id"]
    pauses: list[str] = []  # the ids of the model's, in its order
    for minute, (step, first, last) in enumerate(steps, 1):
        if step == "sleep":
            model.today += first
        clock.set(NOON + timedelta(days=model.today, minutes=minute))
        if step == "do":
            assert user.post(f"/habits/{habit}/complete").data["already_completed"] == (model.today in model.active)
            model.do()
        elif step == "shield":
            purchase(database, user.id, "streak_shield", 1)
            model.shields += 1
        elif step == "pause":
            _pause(user, model, pauses, first, last)
        elif step == "change" and pauses:
            _change(user, model, pauses[-1], first, last)
        elif step == "end" and pauses:
            _end(user, model, pauses)
        _compare(user, model, habit)


def _pause(user: User, model: Model, pauses: list[str], first: int, last: int | None) -> None:
    first += model.today
    sent = days(first, None if last is None else model.today + last)
    end = model.last_open_day(first, model.pauses) if last is None else model.today + last
    answer = user.post("/pauses", sent)
    if end < first:
        answer.invalid("to")
    elif _agrees(answer, model.refused(first, end, model.pauses)):
        model.pause(first, end)
        pauses.append(answer.data["id"])


def _change(user: User, model: Model, pause_id: str, first: int, last: int | None) -> None:
    """The latest pause takes other days."""
    first += model.today
    old_first, old_last = model.pauses[-1]
    others = model.pauses[:-1]
    end = model.last_open_day(first, others) if last is None else model.today + last
    answer = user.patch(f"/pauses/{pause_id}", days(first) | (days(None, end) if last is not None else {"to": None}))
    if old_last < model.today:
        answer.refused(409, "invalid_state")
    elif old_first < model.today and first > old_first:
        answer.invalid("from")
    elif last is not None and (end < first or (old_first < model.today and end < model.today - 1)):
        answer.invalid("to")
    elif _agrees(answer, model.refused(first, end, others)):
        model.change(len(others), first, end)


def _end(user: User, model: Model, pauses: list[str]) -> None:
    """The latest pause is deleted, or ends yesterday."""
    first, last = model.pauses[-1]
    answer = user.delete(f"/pauses/{pauses[-1]}")
    if last < model.today:
        answer.refused(409, "invalid_state")
        return
    assert answer.status == 200, answer.text
    model.end(len(pauses) - 1)
    if first >= model.today:
        pauses.pop()


def _agrees(answer: Answer, refusal: str | None) -> bool:
    """Whether it was done; it must be refused as the model says, if it does."""
    if refusal is not None:
        answer.refused(409, refusal)
        return False
    assert answer.status == 200, answer.text
    return True


def _compare(user: User, model: Model, habit: str) -> None:
    shown: dict[str, Any] = {streak["streak_type"]: streak["current_streak"] for streak in user.get("/streaks").json}
    assert shown["daily_activity"] == model.streak(daily=True)
    assert shown["habit"] == model.streak(daily=False)
    seen = user.get(f"/habits/{habit}").data
    assert seen["current_streak"] == model.habit_streak()
    assert (seen["paused_until"] is not None) == model.paused(model.today)
    assert seen["due_today"] == (not model.paused(model.today))
