import pytest

from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.quests.conftest import paid
from tests.support.factories import quest as added
from tests.support.ledger import wallet


def test_pays_what_the_quest_says(user: User, database: Database) -> None:
    quest = added(user, difficulty="hard", skill_key="creativity", target=4)
    answer = user.post(f"/quests/{quest['id']}/complete", {"xp_reward": 999, "coin_reward": 999}).data
    shown = answer.pop("quest")
    assert answer == {
        "completed": True,
        "already_completed": False,
        "reward_capped": False,
        "xp_awarded": 100,
        "coins_awarded": 50,
        "leveled_up": True,
        "new_level": 2,
        "achievements_unlocked": [],
        "streak": 1,
    }
    assert (shown["status"], shown["progress"], shown["accepted_at"]) == ("completed", 4, None)
    assert wallet(database, user) == (100, 50)
    [entry] = database.query("SELECT * FROM points_ledger WHERE user_id = %s", user.id)
    assert (entry["event_type"], entry["xp"], entry["coins"]) == ("quest_complete", 100, 50)
    assert entry["idempotency_key"] == f"quest_complete:{quest['id']}:once"
    assert (entry["skill_key"], str(entry["source_id"])) == ("creativity", quest["id"])
    [row] = database.query("SELECT * FROM user_quest_progress WHERE quest_id = %s", quest["id"])
    assert (row["xp_awarded"], row["coins_awarded"]) == (100, 50)


def test_again_answers_the_first_time_and_pays_nothing(user: User, database: Database) -> None:
    path = f"/quests/{added(user, difficulty='hard')['id']}"
    first = user.post(f"{path}/complete").data
    # What the quest would pay now is not what it paid.
    user.patch(path, {"difficulty": "epic"})
    again = user.post(f"{path}/complete").data
    assert again | {"quest": None} == first | {"quest": None, "already_completed": True}
    assert again["quest"]["completed_at"] == first["quest"]["completed_at"]
    assert wallet(database, user) == (100, 50)


def test_two_at_once_pay_once(user: User, database: Database) -> None:
    path = f"/quests/{added(user, difficulty='easy')['id']}"
    answers = at_once(8, lambda: user.post(f"{path}/complete").data)
    assert [paid(answer) for answer in answers] == [(25, 10)] * 8
    assert sorted(answer["already_completed"] for answer in answers) == [False, *[True] * 7]
    assert wallet(database, user) == (25, 10)


def test_the_eleventh_of_a_day_pays_nothing_and_says_so(user: User, clock: Clock, database: Database) -> None:
    quests = [added(user, title=str(n)) for n in range(12)]
    for quest in quests[:10]:
        answer = user.post(f"/quests/{quest['id']}/complete").data
        assert (paid(answer), answer["reward_capped"]) == ((10, 5), False)
    # The tenth quest is an achievement of 50 and 25.
    assert wallet(database, user) == (150, 75)
    capped = user.post(f"/quests/{quests[10]['id']}/complete").data
    assert (paid(capped), capped["reward_capped"], capped["quest"]["status"]) == ((0, 0), True, "completed")
    again = user.post(f"/quests/{quests[10]['id']}/complete").data
    assert again == capped | {"already_completed": True}
    assert wallet(database, user) == (150, 75)
    clock.advance("P1D")
    answer = user.post(f"/quests/{quests[11]['id']}/complete").data
    assert (paid(answer), answer["reward_capped"]) == ((10, 5), False)
    # Yesterday's stays what it was.
    assert user.post(f"/quests/{quests[10]['id']}/complete").data["reward_capped"] is True


def test_what_was_undone_does_not_count_for_the_day(user: User, database: Database) -> None:
    quests = [f"/quests/{added(user, title=str(n))['id']}" for n in range(11)]
    for path in quests[:10]:
        user.post(f"{path}/complete")
    user.post(f"{quests[0]}/reopen")
    assert paid(user.post(f"{quests[10]}/complete").data) == (10, 5)
    assert user.post(f"{quests[0]}/complete").data["reward_capped"] is True
    user.post(f"{quests[0]}/reopen")
    user.post(f"{quests[1]}/reopen")
    assert paid(user.post(f"{quests[0]}/complete").data) == (10, 5)


def test_a_day_of_the_users_ends_the_cap(new_user: NewUser, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-03-29T22:59:59Z")  # the last second before the day of 23 hours in Berlin
    user = new_user(settings={"timezone": "Europe/Berlin"})
    quests = [f"/quests/{added(user, title=str(n))['id']}/complete" for n in range(23)]

    def capped(paths: list[str]) -> list[bool]:
        return [user.post(path).data["reward_capped"] for path in paths]

    assert capped(quests[:11]) == [*[False] * 10, True]
    clock.set("2031-03-29T23:00:00Z")
    assert capped(quests[11:22]) == [*[False] * 10, True]
    clock.set("2031-03-30T21:59:59Z")
    assert capped(quests[10:11]) == [True]
    clock.set("2031-03-30T22:00:00Z")
    assert capped(quests[22:]) == [False]


def test_what_pays_nothing_anyway_is_not_capped(user: User) -> None:
    for title in range(11):
        answer = user.post(f"/quests/{added(user, title=str(title), xp_reward=0, coin_reward=0)['id']}/complete").data
        assert (paid(answer), answer["reward_capped"]) == ((0, 0), False)
    assert paid(user.post(f"/quests/{added(user)['id']}/complete").data) == (10, 5)


def test_the_cap_holds_in_parallel(user: User, database: Database) -> None:
    paths = iter([f"/quests/{added(user, title=str(n))['id']}/complete" for n in range(16)])
    answers = at_once(16, lambda: user.post(next(paths)).data)
    assert sorted(answer["reward_capped"] for answer in answers) == [*[False] * 10, *[True] * 6]
    [sums] = database.query(
        "SELECT count(*), sum(xp) AS xp FROM points_ledger WHERE user_id = %s AND event_type = 'quest_complete'",
        user.id,
    )
    assert (sums["count"], sums["xp"]) == (16, 100)


def test_a_new_day_begins_afresh(user: User, clock: Clock, database: Database) -> None:
    path = f"/quests/{added(user, is_repeatable=True, target=3)['id']}"
    first = user.post(f"{path}/complete").data["quest"]
    assert first["streak_count"] == 1
    clock.advance("P1D")
    fresh = user.get(path).data
    assert (fresh["status"], fresh["progress"], fresh["streak_count"]) == ("available", 0, 1)
    assert fresh["accepted_at"] is fresh["completed_at"] is None
    assert fresh["period_key"] > first["period_key"]
    # A quest of one's own is finished in its day or not at all.
    user.post(f"{path}/complete", {"period_key": first["period_key"]}).invalid("period_key")
    again = user.post(f"{path}/complete", {"period_key": fresh["period_key"]}).data
    assert (paid(again), again["quest"]["streak_count"]) == ((10, 5), 2)
    assert wallet(database, user) == (20, 10)


@pytest.mark.parametrize("period", ["2031-05-09", "2031-W19", "always", ""])
def test_another_period_is_named(user: User, period: str) -> None:
    quest = added(user)
    user.post(f"/quests/{quest['id']}/complete", {"period_key": period}).invalid("period_key")
    user.post(f"/quests/{quest['id']}/complete", {"period_key": 7}).invalid("period_key")
    assert user.get(f"/quests/{quest['id']}").data == quest


def test_an_idempotency_key_repeats_the_answer(user: User, database: Database) -> None:
    path = f"/quests/{added(user)['id']}/complete"
    first = user.post(path, headers={"Idempotency-Key": "once"})
    again = user.post(path, headers={"Idempotency-Key": "once"})
    assert (again.json, again.headers["idempotent-replay"]) == (first.json, "true")
    assert wallet(database, user) == (10, 5)
