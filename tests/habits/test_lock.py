"""Whatever changes a user's habits waits for the user's lock: what one change counts, no other changes meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Answer, Database, User
from tests.support import factories
from tests.support.locks import after_a_wait, assert_level_is_of_after_the_wait

# None of these pays: a payment takes the lock by itself.
CHANGES: dict[str, Callable[[User, str], Answer]] = {
    "add": lambda user, _: user.post("/habits", {"name": "Run"}),
    "change": lambda user, habit: user.patch(habit, {"name": "Run"}),
    "delete": lambda user, habit: user.delete(habit),
    "archive": lambda user, habit: user.post(f"{habit}/archive"),
    "restore": lambda user, habit: user.post(f"{habit}/restore"),
    "complete": lambda user, habit: user.post(f"{habit}/complete"),
    "undo": lambda user, habit: user.delete(f"{habit}/complete"),
    "skip": lambda user, habit: user.post(f"{habit}/skip"),
    "unskip": lambda user, habit: user.delete(f"{habit}/skip"),
    "reorder": lambda user, habit: user.put("/habits/order", {"ids": [habit.rpartition("/")[2]]}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_waits_for_another(user: User, database: Database, name: str) -> None:
    habit: dict[str, Any] = factories.habit(user, target_count=3)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    answer, _ = after_a_wait(database, user, lambda: CHANGES[name](user, path))
    assert answer.status == 200, answer.text


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_amount_waits_for_another(user: User, database: Database, method: str) -> None:
    path = f"/habits/{factories.habit(user, kind='amount', target_amount=8)['id']}/log"
    answer, _ = after_a_wait(database, user, lambda: user.request(method, path, body={"amount": 1}))
    assert answer.data["amount_period"] == 1


def test_the_level_and_the_streak_are_those_of_after_the_wait(user: User, database: Database) -> None:
    """The first of two completions of a day pays nothing."""
    assert_level_is_of_after_the_wait(database, user, f"/habits/{factories.habit(user, target_count=2)['id']}/complete")
