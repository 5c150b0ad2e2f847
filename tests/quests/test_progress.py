import pytest

from tests.conftest import Database, User, at_once
from tests.quests.conftest import paid, universal
from tests.support.factories import quest as added
from tests.support.ledger import wallet


def test_short_of_the_target_nothing_is_paid(user: User, database: Database) -> None:
    path = f"/quests/{added(user, target=3)['id']}"
    answer = user.post(f"{path}/progress").data
    quest = answer.pop("quest")
    assert answer == {
        "completed": False,
        "already_completed": False,
        "reward_capped": False,
        "xp_awarded": 0,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": 1,
        "achievements_unlocked": [],
        "streak": 0,
    }
    assert (quest["status"], quest["progress"], quest["completed_at"]) == ("accepted", 1, None)
    assert quest["accepted_at"] is not None
    assert database.query("SELECT id FROM points_ledger WHERE user_id = %s", user.id) == []


def test_adds_sets_and_stops_at_the_target(user: User, database: Database) -> None:
    path = f"/quests/{added(user, target=10, difficulty='medium')['id']}"

    def progress(**body: int) -> int:
        answer = user.post(f"{path}/progress", body).data
        reached: int = answer["quest"]["progress"]
        return reached

    assert progress(increment=4) == 4
    assert progress(progress=9) == 9
    assert progress(progress=2) == 2
    assert progress(progress=0) == 0
    assert wallet(database, user) == (0, 0)
    last = user.post(f"{path}/progress", {"increment": 1000}).data
    assert (last["quest"]["progress"], last["quest"]["status"], last["completed"]) == (10, "completed", True)
    assert last["quest"]["accepted_at"] is not None
    assert paid(last) == (50, 25) == wallet(database, user)


def test_doing_again_what_completed_it_is_a_replay(user: User, database: Database) -> None:
    path = f"/quests/{added(user, target=2)['id']}"
    first = user.post(f"{path}/progress", {"progress": 2}).data
    assert user.post(f"{path}/progress", {"progress": 2}).data == first | {"already_completed": True}
    assert user.post(f"{path}/progress", {"increment": 1}).data == first | {"already_completed": True}
    user.post(f"{path}/progress", {"progress": 1}).refused(409, "invalid_state")
    assert wallet(database, user) == (10, 5)


def test_a_set_beyond_the_target_is_the_target(user: User) -> None:
    path = f"/quests/{added(user, target=2)['id']}"
    assert user.post(f"{path}/progress", {"progress": 99}).data["quest"]["progress"] == 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"increment": 1, "progress": 1}, "progress"),
        ({"increment": 0}, "increment"),
        ({"increment": 1001}, "increment"),
        ({"increment": "1"}, "increment"),
        ({"increment": None}, "increment"),
        ({"progress": -1}, "progress"),
        ({"progress": 0.5}, "progress"),
        ({"progress": None}, "progress"),
    ],
)
def test_bad_input_is_named(user: User, body: dict[str, object], named: str) -> None:
    quest = added(user, target=3)
    user.post(f"/quests/{quest['id']}/progress", body).invalid(named)
    assert user.get(f"/quests/{quest['id']}").data == quest


def test_parallel_steps_all_count_and_pay_once(user: User, database: Database) -> None:
    path = f"/quests/{added(user, target=5, difficulty='easy')['id']}"
    answers = at_once(8, lambda: user.post(f"{path}/progress", {"increment": 1}).data)
    assert sorted(answer["quest"]["progress"] for answer in answers) == [1, 2, 3, 4, 5, 5, 5, 5]
    assert sum(answer["completed"] and not answer["already_completed"] for answer in answers) == 1
    assert wallet(database, user) == (25, 10)


def test_only_activity_moves_a_universal_quest(user: User) -> None:
    quest = universal(user, "daily_habit")
    for body in ({}, {"increment": 1}, {"progress": 1}):
        user.post(f"/quests/{quest['id']}/progress", body).refused(409, "automatic_progress")
    assert universal(user, "daily_habit") == quest
