from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Database, User, at_once
from tests.habits.conftest import Later, Today
from tests.support import factories


def test_a_skipped_day_is_not_due(user: User, database: Database) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    skipped = user.post(f"{path}/skip").data
    assert (skipped["skipped_today"], skipped["due_today"], skipped["completed_today"]) == (True, False, False)
    assert user.post(f"{path}/skip").data == skipped
    assert len(database.query("SELECT day FROM habit_skips WHERE user_id = %s", user.id)) == 1
    taken_back = user.delete(f"{path}/skip").data
    assert (taken_back["skipped_today"], taken_back["due_today"]) == (False, True)
    assert user.delete(f"{path}/skip").data["skipped_today"] is False
    assert database.query("SELECT id FROM points_ledger WHERE user_id = %s", user.id) == []


def test_a_skip_neither_extends_nor_breaks(user: User, later: Later, today: Today) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    later(user, 1)
    assert user.post(f"{path}/skip").data["current_streak"] == 1
    later(user, 1)
    assert user.get(path).data["current_streak"] == 1
    assert user.post(f"{path}/complete").data["new_streak"] == 2
    unskipped = user.delete(f"{path}/skip", query={"date": str(today() - timedelta(1))}).data
    assert (unskipped["current_streak"], unskipped["longest_streak"]) == (1, 2)


def test_a_skip_afterwards_mends_a_streak(user: User, later: Later, today: Today) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    later(user, 2)
    assert user.get(path).data["current_streak"] == 0
    assert user.post(f"{path}/skip", {"date": str(today() - timedelta(1))}).data["current_streak"] == 1


def test_two_skips_in_any_seven_days(user: User, later: Later, today: Today) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    later(user, 7)

    def skip(back: int) -> int:
        return user.post(f"{path}/skip", {"date": str(today() - timedelta(back))}).status

    assert [skip(back) for back in (6, 3)] == [200, 200]
    assert [skip(back) for back in (0, 1, 2, 4, 5, 7)] == [409] * 6
    details = user.post(f"{path}/skip").refused(409, "limit_reached")
    assert details == {"limit": 2}
    later(user, 1)
    # The first of the two is now seven days back: outside the seven that end today.
    assert skip(0) == 200
    assert skip(1) == 409


@pytest.mark.parametrize("third", [0, 7])
def test_seven_days_hold_two_skips_at_either_end(user: User, later: Later, today: Today, third: int) -> None:
    """Six days ago and yesterday are in seven days with today, and in seven days with seven days ago."""
    path = f"/habits/{factories.habit(user)['id']}/skip"
    later(user, 7)
    for back in (6, 1):
        assert user.post(path, {"date": str(today() - timedelta(back))}).status == 200
    user.post(path, {"date": str(today() - timedelta(third))}).refused(409, "limit_reached")


def test_skips_of_one_habit_are_not_anothers(user: User) -> None:
    for _ in range(3):
        assert user.post(f"/habits/{factories.habit(user)['id']}/skip").status == 200


def test_skips_at_once_keep_the_limit(user: User, later: Later, today: Today) -> None:
    habit = factories.habit(user)
    later(user, 7)
    days = iter([str(today() - timedelta(back)) for back in range(5)])
    answers = at_once(5, lambda: user.post(f"/habits/{habit['id']}/skip", {"date": next(days)}))
    assert sorted(answer.status for answer in answers) == [200, 200, 409, 409, 409]


def test_what_is_done_cannot_be_skipped(user: User) -> None:
    weekly: dict[str, Any] = {"frequency": "weekly", "target_count": 3}
    for fields in ({}, weekly):
        path = f"/habits/{factories.habit(user, **fields)['id']}"
        user.post(f"{path}/complete")
        user.post(f"{path}/skip").refused(409, "already_completed")
        assert user.get(path).data["skipped_today"] is False


def test_a_part_can_be_skipped(user: User) -> None:
    path = f"/habits/{factories.habit(user, target_count=2)['id']}"
    user.post(f"{path}/complete")
    shown = user.post(f"{path}/skip").data
    assert (shown["skipped_today"], shown["due_today"], shown["completed_count_today"]) == (True, False, 1)


def test_doing_what_was_skipped_takes_the_skip_back(user: User, database: Database) -> None:
    path = f"/habits/{factories.habit(user)['id']}"
    user.post(f"{path}/skip")
    answer = user.post(f"{path}/complete").data
    assert (answer["completed"], answer["xp_awarded"], answer["new_streak"]) == (True, 10, 1)
    assert (answer["habit"]["skipped_today"], answer["habit"]["completed_today"]) == (False, True)
    assert database.query("SELECT day FROM habit_skips WHERE user_id = %s", user.id) == []


def test_an_archived_habit_is_not_skipped(user: User) -> None:
    path = f"/habits/{factories.habit(user)['id']}"
    user.post(f"{path}/archive")
    user.post(f"{path}/skip").refused(409, "habit_archived")
