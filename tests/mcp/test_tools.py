"""Calling tools: what reaches the route, and what comes back of it."""

from tests.conftest import User
from tests.mcp.conftest import Assistant


def test_a_habit_is_logged_and_taken_back(assistant: Assistant, user: User) -> None:
    habit = user.post("/habits", {"name": "Read"}).data["id"]
    listed = assistant.done("list_habits")["data"]["habits"]
    assert [one["id"] for one in listed] == [habit]
    assert assistant.done("log_habit", 2, habit_id=habit)["data"]["habit"]["completed_today"] is True
    assert user.get(f"/habits/{habit}").data["completed_today"] is True
    assistant.done("undo_habit", 3, habit_id=habit)
    assert user.get(f"/habits/{habit}").data["completed_today"] is False
