from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Database, NewUser, User, at_once
from tests.quests.conftest import paid, run_out, universal
from tests.support.factories import quest as added
from tests.support.ledger import wallet
from tests.support.locks import after_a_wait


def bring_to(user: User, database: Database, state: str, **fields: Any) -> str:
    """The path of a quest in a state."""
    quest = added(user, target=2, **fields)
    path = f"/quests/{quest['id']}"
    if state != "available":
        move = {"accepted": "accept", "completed": "complete", "abandoned": "abandon", "expired": "accept"}[state]
        user.post(f"{path}/{move}")
    if state == "expired":
        run_out(database, quest["id"])
    assert user.get(path).data["status"] == state
    return path


MOVED = {
    "available": ("accepted", "abandoned", "completed", "accepted", 409),
    "accepted": ("accepted", "abandoned", "completed", "accepted", 409),
    "completed": (409, 409, "completed", 409, "accepted"),
    "abandoned": ("accepted", "abandoned", 409, 409, 409),
    "expired": (409, 409, 409, 409, 409),
}


@pytest.mark.parametrize("state", MOVED)
def test_every_move_from_every_state(user: User, database: Database, state: str) -> None:
    for move, after in zip(("accept", "abandon", "complete", "progress", "reopen"), MOVED[state], strict=True):
        path = bring_to(user, database, state)
        before = user.get(path).data
        answer = user.post(f"{path}/{move}", {"progress": 1} if move == "progress" else {})
        if after == 409:
            if state == "expired":
                answer.refused(409, "quest_expired")
            else:
                assert answer.refused(409, "invalid_state") == {"status": state}
            assert user.get(path).data == before
        else:
            quest = answer.data["quest"] if move in ("complete", "progress") else answer.data
            assert quest["status"] == after
            assert user.get(path).data == quest
            assert (quest["completed_at"] is not None) == (after == "completed")
            assert quest["accepted_at"] is not None or after != "accepted"


def test_universal_quests_are_accepted_and_abandoned_too(user: User) -> None:
    path = f"/quests/{universal(user, 'weekly_reading')['id']}"
    accepted = user.post(f"{path}/accept").data
    assert (accepted["status"], accepted["progress"]) == ("accepted", 0)
    assert user.post(f"{path}/accept").data == accepted
    assert user.post(f"{path}/abandon").data["status"] == "abandoned"
    assert user.post(f"{path}/complete").refused(409, "invalid_state") == {"status": "abandoned"}
    assert user.post(f"{path}/accept").data["status"] == "accepted"


def test_taking_up_again_keeps_the_progress_and_takes_a_new_instant(user: User) -> None:
    path = f"/quests/{added(user, target=5)['id']}"
    user.post(f"{path}/progress", {"increment": 3})
    first = user.get(path).data
    user.post(f"{path}/abandon")
    again = user.post(f"{path}/accept").data
    assert (again["status"], again["progress"]) == ("accepted", 3)
    assert again["accepted_at"] > first["accepted_at"]


def test_an_abandoned_quest_that_has_run_out_cannot_be_taken_up(user: User, database: Database) -> None:
    path = bring_to(user, database, "abandoned")
    database.query("UPDATE quests SET expires_at = clock() WHERE user_id = %s", user.id)
    assert user.get(path).data["status"] == "abandoned"
    user.post(f"{path}/accept").refused(409, "quest_expired")
    assert user.post(f"{path}/abandon").data["status"] == "abandoned"


def test_a_completed_quest_does_not_expire(user: User, database: Database) -> None:
    path = bring_to(user, database, "completed")
    database.query("UPDATE quests SET expires_at = clock() WHERE user_id = %s", user.id)
    assert user.get(path).data["status"] == "completed"
    assert user.post(f"{path}/complete").data["already_completed"] is True


def test_many_accepts_at_once_are_one(user: User, database: Database) -> None:
    path = f"/quests/{added(user)['id']}"
    answers = at_once(6, lambda: user.post(f"{path}/accept").data)
    assert [answer["status"] for answer in answers] == ["accepted"] * 6
    assert len({answer["accepted_at"] for answer in answers}) == 1
    assert len(database.query("SELECT id FROM user_quest_progress WHERE user_id = %s", user.id)) == 1


@pytest.mark.parametrize(
    ("move", "field"), [("accept", "accepted_at"), ("progress", "accepted_at"), ("complete", "completed_at")]
)
def test_a_move_is_dated_after_the_wait_for_the_lock(user: User, database: Database, move: str, field: str) -> None:
    path = f"/quests/{added(user, target=2)['id']}"
    _, released = after_a_wait(database, user, lambda: user.post(f"{path}/{move}").data)
    assert datetime.fromisoformat(user.get(path).data[field]) >= released


MOVES = st.sampled_from(
    ["accept", "abandon", "complete", "reopen", "progress 0", "progress 2", "increment 1", "increment 3"]
)


@settings(max_examples=40)
@given(moves=st.lists(MOVES, min_size=1, max_size=12))
def test_any_moves_agree_with_the_rules(new_user: NewUser, database: Database, moves: list[str]) -> None:
    """A quest of target 3 that pays 25/10, against the rules written as a small machine."""
    user = new_user()
    path = f"/quests/{added(user, target=3, difficulty='easy')['id']}"
    status, progress, undone = "available", 0, 0
    for move in moves:
        name, _, amount = move.partition(" ")
        body = {name: int(amount)} if amount else {}
        answer = user.post(f"{path}/{'progress' if amount else name}", body)
        reached = min(3, int(amount) if name == "progress" else progress + int(amount or 0))
        if amount and status == "completed" and reached == 3:
            allowed, after = True, ("completed", 3)
        elif amount:
            allowed = status in ("available", "accepted")
            after = ("completed", 3) if reached == 3 else ("accepted", reached)
        elif name == "complete":
            allowed, after = status != "abandoned", ("completed", 3)
        elif name == "accept":
            allowed, after = status != "completed", ("accepted", progress)
        elif name == "abandon":
            allowed, after = status != "completed", ("abandoned", progress)
        else:
            allowed = status == "completed" or (status == "accepted" and undone > 0)
            after = ("accepted", 2 if status == "completed" else progress)
            undone += status == "completed"
        if not allowed:
            assert answer.refused(409, "invalid_state") == {"status": status}
        else:
            if name in ("complete", "progress", "increment"):
                completed = after[0] == "completed"
                assert answer.data["completed"] == completed
                assert answer.data["already_completed"] == (completed and status == "completed")
                assert paid(answer.data) == ((25, 10) if completed else (0, 0))
            status, progress = after
        quest = user.get(path).data
        assert (quest["status"], quest["progress"]) == (status, progress)
        assert wallet(database, user) == ((25, 10) if status == "completed" else (0, 0))
