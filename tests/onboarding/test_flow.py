"""The way through the flow: begin, go on, skip, reset."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.onboarding.conftest import ANSWERS, STEPS, another_flow, answer, answered, shown, walk
from tests.support.locks import after_a_wait
from tests.today.conftest import today

TYPES = ["welcome", *["multi_select"] * 5, "input", "tour", "action", "completion"]
REQUIRED = {"step_welcome", "step_interests", "step_nudge", "step_focus_duration", "step_gamification", "step_done"}


def test_a_new_user_needs_it_and_sees_the_flow(user: User) -> None:
    data = shown(user)
    assert data["needs_onboarding"] is True
    assert (data["state"], data["current_step"]) == (None, None)
    assert data["progress"] == {"completed_steps": 0, "total_steps": 10, "percent_complete": 0}
    assert data["flow"].keys() == {"id", "name", "total_steps"}
    assert (data["flow"]["id"], data["flow"]["total_steps"]) == ("main", 10)
    assert [step["id"] for step in data["all_steps"]] == STEPS
    assert [step["step_type"] for step in data["all_steps"]] == TYPES
    assert [step["order"] for step in data["all_steps"]] == list(range(1, 11))
    assert all(step.keys() == {"id", "order", "step_type", "title"} for step in data["all_steps"])


def test_looking_begins_nothing(user: User) -> None:
    shown(user)
    assert shown(user)["state"] is None
    assert today(user)["personalization"]["onboardingActive"] is False


def test_start_begins_at_the_first_step(user: User, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-07T12:00:00Z")
    data = user.post("/onboarding/start").data
    assert data == {
        "success": True,
        "state": {
            "status": "in_progress",
            "started_at": "2031-05-07T12:00:00.000000Z",
            "completed_at": None,
            "skipped_at": None,
            "can_resume": True,
        },
        "current_step": {
            "id": "step_welcome",
            "order": 1,
            "step_type": "welcome",
            "title": data["current_step"]["title"],
            "description": data["current_step"]["description"],
            "target_selector": None,
            "target_route": None,
            "fallback_content": None,
            "options": None,
            "allows_multiple": False,
            "required": True,
            "action_type": None,
            "action_config": None,
        },
    }
    assert shown(user)["state"] == data["state"]
    assert shown(user)["current_step"] == data["current_step"]
    assert shown(user)["needs_onboarding"] is True


def test_starting_again_changes_nothing(user: User) -> None:
    first = user.post("/onboarding/start").data
    assert user.post("/onboarding/start").data == first
    answer(user, "step_welcome")
    again = user.post("/onboarding/start").data
    assert again["state"] == first["state"]
    assert again["current_step"]["id"] == "step_interests"


def test_the_steps_are_those_of_the_contract(user: User) -> None:
    steps: dict[str, Any] = {"step_welcome": user.post("/onboarding/start").data["current_step"]}
    walk(user, before="step_done")
    for step in STEPS[1:]:
        user.post("/onboarding/reset")
        walk(user, before=step)
        steps[step] = shown(user)["current_step"]
    assert {step for step in STEPS if steps[step]["required"]} == REQUIRED
    assert {step for step in STEPS if steps[step]["allows_multiple"]} == {"step_interests", "step_modules"}
    options = {step: [o["value"] for o in steps[step]["options"]] for step in STEPS if steps[step]["options"]}
    assert options == {
        "step_interests": ["focus", "learning", "music", "fitness", "habits", "creativity"],
        "step_modules": ["focus", "quests", "ignitions", "learn", "ideas", "wins", "plan"],
        "step_nudge": ["gentle", "standard", "energetic"],
        "step_focus_duration": ["5", "10", "25", "45"],
        "step_gamification": ["always", "subtle", "hidden"],
    }
    assert all(option["label"] for step in options for option in steps[step]["options"])
    assert steps["step_today_tour"]["target_route"] == "/today"
    assert steps["step_first_focus"]["action_type"] == "navigate"
    assert steps["step_first_focus"]["action_config"] == {"route": "/focus"}


def test_a_walk_through_all_ten(user: User) -> None:
    """Without start(): the first answer begins the flow."""
    reads: dict[str, Any] = {}
    for done, (step, after) in enumerate(zip(STEPS, [*STEPS[1:], None], strict=True), 1):
        data = answered(user, step, ANSWERS[step])
        assert (data["success"], data["completed"]) == (True, after is None)
        assert (data["next_step"] and data["next_step"]["id"]) == after
        reads = shown(user)
        assert reads["progress"] == {"completed_steps": done, "total_steps": 10, "percent_complete": 10 * done}
        assert reads["current_step"] == data["next_step"]
    assert reads["needs_onboarding"] is False
    assert reads["state"]["status"] == "completed"
    assert reads["state"]["completed_at"] > reads["state"]["started_at"]
    assert today(user)["personalization"]["onboardingActive"] is False


def test_what_is_completed_stays_completed(user: User) -> None:
    walk(user)
    before = shown(user)
    data = user.post("/onboarding/start").data
    assert (data["state"], data["current_step"]) == (before["state"], None)
    assert answer(user, "step_welcome").refused(409, "invalid_state") == {"status": "completed"}
    assert user.post("/onboarding/skip").refused(409, "invalid_state") == {"status": "completed"}
    assert shown(user) == before


def test_the_last_step_does_not_come_first(user: User) -> None:
    details = answer(user, "step_done").refused(409, "step_out_of_order")
    assert details == {"current_step_id": "step_welcome"}
    assert shown(user)["state"] is None, "a refused answer begins nothing"
    walk(user, before="step_modules")
    assert answer(user, "step_nudge", "gentle").refused(409, "step_out_of_order") == {"current_step_id": "step_modules"}
    assert shown(user)["progress"]["completed_steps"] == 2


@pytest.mark.parametrize("step", ["step_nowhere", "", " step_welcome", "STEP_WELCOME", "x" * 5000])
def test_an_unknown_step(user: User, step: str) -> None:
    answer(user, step).refused(404, "not_found")
    assert shown(user)["state"] is None


@pytest.mark.parametrize("body", [{}, {"step_id": None}, {"step_id": 1}, {"step_id": ["step_welcome"]}])
def test_a_step_has_to_be_named(user: User, body: dict[str, Any]) -> None:
    user.post("/onboarding/step", body).invalid("step_id")


def test_an_earlier_step_may_be_answered_again(user: User, database: Database) -> None:
    walk(user, before="step_nudge")
    data = answered(user, "step_interests", "fitness")
    assert (data["completed"], data["next_step"]["id"]) == (False, "step_nudge")
    assert shown(user)["progress"]["completed_steps"] == 3
    [row] = database.query(
        "SELECT response FROM user_onboarding_responses WHERE user_id = %s AND step_id = 'step_interests'", user.id
    )
    assert row == {"response": ["fitness"]}


def test_two_answers_at_once_go_on_by_one_step(user: User) -> None:
    user.post("/onboarding/start")
    answers = at_once(2, lambda: answered(user, "step_welcome"))
    assert [one["next_step"]["id"] for one in answers] == ["step_interests"] * 2
    answers = at_once(6, lambda: answered(user, "step_interests", "focus"))
    assert [one["next_step"]["id"] for one in answers] == ["step_modules"] * 6
    assert shown(user)["progress"]["completed_steps"] == 2


def test_starts_at_once_begin_once(user: User) -> None:
    states = [data["state"] for data in at_once(6, lambda: user.post("/onboarding/start").data)]
    assert states == [states[0]] * 6


def test_it_is_dated_after_the_wait_for_the_lock(user: User, database: Database) -> None:
    data, released = after_a_wait(database, user, lambda: user.post("/onboarding/start").data)
    assert datetime.fromisoformat(data["state"]["started_at"]) >= released
    data, released = after_a_wait(database, user, lambda: user.post("/onboarding/skip").data)
    assert datetime.fromisoformat(data["soft_landing_until"]) >= released + timedelta(hours=24)


def test_an_answer_sees_the_skip_that_it_waited_for(user: User, database: Database) -> None:
    user.post("/onboarding/start")
    late, _ = after_a_wait(
        database,
        user,
        lambda: answer(user, "step_welcome"),
        meanwhile="UPDATE user_onboarding_state"
        " SET status = 'skipped', skipped_at = clock(), soft_landing_until = clock()",
    )
    assert late.refused(409, "invalid_state") == {"status": "skipped"}
    assert shown(user)["state"]["status"] == "skipped"


# Skip --------------------------------------------------------------------------------------------------------------


def test_skipping_and_going_on(user: User, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-07T12:00:00Z")
    walk(user, before="step_nudge")
    started = shown(user)["state"]["started_at"]
    clock.advance("PT1H")
    data = user.post("/onboarding/skip").data
    assert data.keys() == {"success", "message", "soft_landing_until"}
    assert (data["success"], data["soft_landing_until"]) == (True, "2031-05-08T13:00:00.000000Z")
    assert shown(user)["state"] == {
        "status": "skipped",
        "started_at": started,
        "completed_at": None,
        "skipped_at": "2031-05-07T13:00:00.000000Z",
        "can_resume": True,
    }
    assert shown(user)["needs_onboarding"] is False
    assert answer(user, "step_nudge", "gentle").refused(409, "invalid_state") == {"status": "skipped"}
    clock.advance("PT1H")
    again = user.post("/onboarding/skip", {"soft_landing_hours": 1}).data
    assert again["soft_landing_until"] == data["soft_landing_until"]
    resumed = user.post("/onboarding/start").data
    assert resumed["current_step"]["id"] == "step_nudge"
    assert resumed["state"] == {
        "status": "in_progress",
        "started_at": started,
        "completed_at": None,
        "skipped_at": None,
        "can_resume": True,
    }
    assert shown(user)["needs_onboarding"] is True
    assert shown(user)["progress"]["completed_steps"] == 3


def test_skipping_before_it_began(user: User) -> None:
    assert user.post("/onboarding/skip").status == 200
    data = shown(user)
    assert (data["state"]["status"], data["state"]["started_at"], data["current_step"]) == ("skipped", None, None)
    assert (data["needs_onboarding"], today(user)["personalization"]["onboardingActive"]) == (False, False)
    data = user.post("/onboarding/start").data
    assert data["current_step"]["id"] == "step_welcome"
    assert data["state"]["started_at"] is not None


@pytest.mark.parametrize("hours", [1, 168])
def test_how_long_the_landing_is_soft(user: User, clock: Clock, hours: int) -> None:
    clock.freeze()
    clock.set("2031-05-07T12:00:00Z")
    until = user.post("/onboarding/skip", {"soft_landing_hours": hours}).data["soft_landing_until"]
    assert datetime.fromisoformat(until) == datetime.fromisoformat("2031-05-07T12:00:00Z") + timedelta(hours=hours)


@pytest.mark.parametrize("hours", [0, -1, 169, 1.5, "24", None, True, 2**63])
def test_hours_that_are_none(user: User, hours: Any) -> None:
    assert user.post("/onboarding/skip", {"soft_landing_hours": hours}).status == 400
    assert shown(user)["state"] is None


def test_skips_at_once_are_one(user: User) -> None:
    assert len({data["soft_landing_until"] for data in at_once(6, lambda: user.post("/onboarding/skip").data)}) == 1


# Reset -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["step_nudge", None])
def test_reset_forgets_the_way_and_keeps_what_it_set(user: User, database: Database, before: str | None) -> None:
    walk(user, before=before)
    interests = today(user)["personalization"]["interests"]
    done = user.post("/onboarding/reset")
    assert done.status == 200
    assert done.json.keys() == {"success", "message"}
    assert done.json["success"] is True
    data = shown(user)
    assert data["state"] == {
        "status": "not_started",
        "started_at": None,
        "completed_at": None,
        "skipped_at": None,
        "can_resume": True,
    }
    assert (data["needs_onboarding"], data["current_step"]) == (True, None)
    assert data["progress"] == {"completed_steps": 0, "total_steps": 10, "percent_complete": 0}
    assert today(user)["personalization"]["interests"] == interests == ["music", "focus"]
    assert database.query("SELECT FROM user_onboarding_responses WHERE user_id = %s", user.id) == []
    assert user.post("/onboarding/start").data["current_step"]["id"] == "step_welcome"


def test_reset_after_skipping_and_before_beginning(user: User) -> None:
    assert user.post("/onboarding/reset").json["success"] is True
    assert shown(user)["state"] is None
    user.post("/onboarding/skip")
    user.post("/onboarding/reset")
    assert shown(user)["state"]["status"] == "not_started"
    answered(user, "step_welcome")
    assert shown(user)["state"]["status"] == "in_progress"


# Others ------------------------------------------------------------------------------------------------------------


def test_what_others_do_does_not_show(user: User, other: User) -> None:
    walk(other)
    data = shown(user)
    assert (data["state"], data["progress"]["completed_steps"]) == (None, 0)
    assert today(user)["personalization"]["interests"] == []
    user.post("/onboarding/reset")
    assert shown(other)["state"]["status"] == "completed"
    assert shown(other)["progress"]["completed_steps"] == 10


def test_only_with_a_session(stranger: Client) -> None:
    stranger.get("/onboarding").refused(401, "unauthorized")
    for path in ("start", "step", "skip", "reset"):
        stranger.post(f"/onboarding/{path}", {}).refused(401, "unauthorized")


def test_a_replay_returns_the_first_answer(user: User) -> None:
    key = {"Idempotency-Key": "once"}
    first = user.post("/onboarding/step", {"step_id": "step_welcome"}, headers=key)
    answer(user, "step_interests", "focus")
    again = user.post("/onboarding/step", {"step_id": "step_welcome"}, headers=key)
    assert again.json == first.json
    assert again.headers["idempotent-replay"] == "true"


def test_a_flow_goes_on_as_it_was_when_another_becomes_the_active_one(
    user: User, other: User, database: Database
) -> None:
    """Of one user the walk has begun; the other begins the new one."""
    answer(user, "step_welcome")
    with another_flow(database):
        data = shown(user)
        assert (data["flow"]["id"], data["current_step"]["id"]) == ("main", "step_interests")
        answer(user, "step_only").refused(404, "not_found")
        data = shown(other)
        assert (data["flow"], [step["id"] for step in data["all_steps"]]) == (
            {"id": "short", "name": "Short", "total_steps": 1},
            ["step_only"],
        )
        answered(other, "step_only")
        assert shown(other)["progress"] == {"completed_steps": 1, "total_steps": 1, "percent_complete": 100}
        user.post("/onboarding/reset")
        assert shown(user)["flow"]["id"] == "short"
        user.post("/onboarding/skip")
        assert shown(user)["flow"]["id"] == "short"


def test_without_a_flow_there_is_nothing_to_do(user: User, database: Database) -> None:
    with another_flow(database, active=False):
        data = shown(user)
        assert (data["flow"], data["all_steps"]) == (None, [])
        assert data["progress"] == {"completed_steps": 0, "total_steps": 0, "percent_complete": 0}
        user.post("/onboarding/start").refused(404, "not_found")
        user.post("/onboarding/skip").refused(404, "not_found")
        answer(user, "step_welcome").refused(404, "not_found")
