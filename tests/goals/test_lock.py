"""Whatever changes a goal or its milestones waits for the user's lock: progress is counted while nothing else moves."""

from collections.abc import Callable

import pytest

from tests.conftest import Answer, Database, User
from tests.goals.conftest import complete
from tests.support import factories
from tests.support.locks import after_a_wait

# Of a goal and its one milestone, which is completed. None of these pays: a payment takes the lock by itself.
CHANGES: dict[str, Callable[[User, str, str], Answer]] = {
    "add": lambda user, *_: user.post("/goals", {"title": "Run"}),
    "change": lambda user, goal, _: user.patch(f"/goals/{goal}", {"status": "active"}),
    "delete": lambda user, goal, _: user.delete(f"/goals/{goal}"),
    "add a milestone": lambda user, goal, _: user.post(f"/goals/{goal}/milestones", {"title": "two"}),
    "reorder": lambda user, goal, milestone: user.put(f"/goals/{goal}/milestones/order", {"ids": [milestone]}),
    "delete a milestone": lambda user, _, milestone: user.delete(f"/goals/milestones/{milestone}"),
    "complete": lambda user, _, milestone: user.post(f"/goals/milestones/{milestone}/complete"),
    "uncomplete": lambda user, _, milestone: user.post(f"/goals/milestones/{milestone}/uncomplete"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_waits_for_another(user: User, database: Database, name: str) -> None:
    goal = factories.goal(user, "one")
    [milestone] = goal["milestones"]
    complete(user, milestone)
    answer, _ = after_a_wait(database, user, lambda: CHANGES[name](user, goal["id"], milestone["id"]))
    assert answer.status == 200, answer.text
