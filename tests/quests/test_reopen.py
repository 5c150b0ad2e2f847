from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.quests.conftest import paid, universal
from tests.support.factories import quest as added
from tests.support.ledger import as_user, wallet


def test_takes_the_reward_back_and_pays_again_once(user: User, database: Database) -> None:
    quest = added(user, target=3, difficulty="hard")
    path = f"/quests/{quest['id']}"
    user.post(f"{path}/complete")
    reopened = user.post(f"{path}/reopen").data
    assert (reopened["status"], reopened["progress"], reopened["completed_at"]) == ("accepted", 2, None)
    assert reopened["accepted_at"] is not None
    assert wallet(database, user) == (0, 0)
    assert user.get(f"{path}/history").data["completions"] == []
    again = user.post(f"{path}/progress").data
    assert (again["completed"], again["already_completed"], paid(again)) == (True, False, (100, 50))
    assert user.post(f"{path}/complete").data == again | {"already_completed": True}
    assert wallet(database, user) == (100, 50)
    user.post(f"{path}/reopen")
    user.post(f"{path}/complete")
    keys = database.query(
        "SELECT idempotency_key FROM points_ledger WHERE user_id = %s AND xp > 0 ORDER BY seq", user.id
    )
    paid_under = f"quest_complete:{quest['id']}:once"
    assert [row["idempotency_key"] for row in keys] == [paid_under, f"{paid_under}:1", f"{paid_under}:2"]
    assert wallet(database, user) == (100, 50)


def test_again_changes_nothing(user: User, database: Database) -> None:
    path = f"/quests/{added(user)['id']}"
    user.post(f"{path}/complete")
    first = user.post(f"{path}/reopen").data
    assert user.post(f"{path}/reopen").data == first
    user.post(f"{path}/complete")
    answers = at_once(5, lambda: user.post(f"{path}/reopen").data["status"])
    assert answers == ["accepted"] * 5
    assert wallet(database, user) == (0, 0)
    assert paid(user.post(f"{path}/complete").data) == (10, 5)


def test_a_spent_reward_refuses(user: User, database: Database) -> None:
    path = f"/quests/{added(user)['id']}"
    completed = user.post(f"{path}/complete").data["quest"]
    as_user(database, user, "SELECT spend(3, 'market_purchase', 'test', NULL, 'a purchase')")
    assert user.post(f"{path}/reopen").refused(409, "insufficient_coins") == {"need": 5, "have": 2}
    assert user.get(path).data == completed
    assert wallet(database, user) == (10, 2)


def test_not_after_a_day(user: User, clock: Clock) -> None:
    path = f"/quests/{added(user)['id']}"
    clock.freeze()
    user.post(f"{path}/complete")
    clock.advance("PT23H59M59S")
    assert user.post(f"{path}/reopen").data["status"] == "accepted"
    user.post(f"{path}/complete")
    clock.advance("PT24H")
    assert user.post(f"{path}/reopen").refused(409, "invalid_state") == {"status": "completed"}


def test_not_in_the_next_period(user: User, clock: Clock, database: Database) -> None:
    path = f"/quests/{added(user, is_repeatable=True)['id']}"
    user.post(f"{path}/complete")
    clock.advance("P1D")
    assert user.post(f"{path}/reopen").refused(409, "invalid_state") == {"status": "available"}
    assert wallet(database, user) == (10, 5)


def test_what_activity_finished_is_not_reopened(user: User) -> None:
    quest = universal(user, "daily_focus")
    user.post(f"/quests/{quest['id']}/reopen").refused(409, "automatic_progress")
