"""What an answer may be, and what it does to the account."""

from typing import Any

import pytest

from tests.conftest import Database, User, at_once
from tests.onboarding.conftest import ANSWERS, STEPS, answer, answered, settings, shown, walk
from tests.today.conftest import today


def goals(user: User) -> list[str]:
    return [goal["title"] for goal in user.get("/goals").data["goals"]]


def response_to(user: User, step: str, database: Database) -> Any:
    """The answer to a step as it is stored."""
    rows = database.query(
        "SELECT response FROM user_onboarding_responses WHERE user_id = %s AND step_id = %s", user.id, step
    )
    return [row["response"] for row in rows]


def test_the_answers_show_in_todays_personalization(user: User) -> None:
    walk(user)
    assert today(user)["personalization"] == {
        "interests": ["music", "focus"],
        "moduleWeights": {"quests": 1, "plan": 1},
        "nudgeIntensity": "gentle",
        "focusDuration": 45,
        "gamificationVisible": False,
        "onboardingActive": False,
    }
    assert goals(user) == ["Write a song"]


def test_the_settings_are_the_ones_of_the_settings_routes(user: User) -> None:
    before = settings(user)
    walk(user)
    changed = {key: value for key, value in settings(user).items() if before[key] != value}
    assert changed == {
        "module_weights": {"quests": 1, "plan": 1},
        "nudge_intensity": "gentle",
        "focus_duration": 45,
        "gamification_visible": False,
    }


@pytest.mark.parametrize(
    ("step", "response", "setting", "value"),
    [
        ("step_nudge", "energetic", "nudge_intensity", "energetic"),
        ("step_nudge", ["standard"], "nudge_intensity", "standard"),
        ("step_nudge", " gentle ", "nudge_intensity", "gentle"),
        ("step_focus_duration", "5", "focus_duration", 5),
        ("step_focus_duration", ["10"], "focus_duration", 10),
        ("step_focus_duration", "25", "focus_duration", 25),
        ("step_gamification", "always", "gamification_visible", True),
        ("step_gamification", "subtle", "gamification_visible", True),
        ("step_gamification", "hidden", "gamification_visible", False),
        ("step_modules", "learn", "module_weights", {"learn": 1}),
        ("step_modules", [], "module_weights", {}),
        (
            "step_modules",
            ["plan", "wins", "ideas", "learn", "ignitions", "quests", "focus"],
            "module_weights",
            dict.fromkeys(["focus", "quests", "ignitions", "learn", "ideas", "wins", "plan"], 1),
        ),
    ],
)
def test_what_an_answer_sets(user: User, step: str, response: Any, setting: str, value: Any) -> None:
    user.post("/settings", {"key": "module_weights", "value": {"focus": 3}})
    walk(user, before=step)
    answered(user, step, response)
    assert settings(user)[setting] == value


@pytest.mark.parametrize(
    ("response", "interests"),
    [
        (["music", "focus", "habits"], ["music", "focus", "habits"]),
        (["focus", "music", "focus"], ["focus", "music"]),
        (["focus", "focus", "music", "music", "habits", "habits"], ["focus", "music", "habits"]),
        ("creativity", ["creativity"]),
    ],
)
def test_interests_keep_their_order_and_count_once(user: User, response: Any, interests: list[str]) -> None:
    walk(user, before="step_interests")
    answered(user, "step_interests", response)
    assert today(user)["personalization"]["interests"] == interests


def test_interests_are_replaced_and_go_before_the_setting(user: User, database: Database) -> None:
    user.post("/settings", {"key": "interests", "value": ["sailing"]})
    assert today(user)["personalization"]["interests"] == ["sailing"]
    walk(user, before="step_nudge", step_interests=["music", "focus", "habits"])
    answered(user, "step_interests", ["habits", "fitness"])
    assert today(user)["personalization"]["interests"] == ["habits", "fitness"]
    rows = database.query("SELECT interest_key, priority FROM user_interests WHERE user_id = %s ORDER BY 2", user.id)
    assert [tuple(row.values()) for row in rows] == [("habits", 1), ("fitness", 2)]


@pytest.mark.parametrize(
    ("step", "response"),
    [
        ("step_interests", ["focus", "learning", "music", "fitness"]),
        ("step_interests", ["focus", "sailing"]),
        ("step_interests", []),
        ("step_interests", None),
        ("step_interests", ""),
        ("step_interests", "Focus"),
        ("step_interests", {"value": "focus"}),
        ("step_interests", [["focus"]]),
        ("step_interests", [None]),
        ("step_interests", [{"value": "focus"}]),
        ("step_interests", "focus,music"),
        ("step_interests", True),
        ("step_modules", ["focus", "habits"]),
        ("step_modules", 0),
        ("step_nudge", ["gentle", "standard"]),
        ("step_nudge", "loud"),
        ("step_nudge", None),
        ("step_focus_duration", 25),
        ("step_focus_duration", "15"),
        ("step_focus_duration", "05"),
        ("step_gamification", []),
        ("step_gamification", False),
        ("step_first_goal", "x" * 201),
        ("step_first_goal", ["Write"]),
        ("step_first_goal", {"title": "Write"}),
        ("step_first_goal", 7),
        ("step_first_goal", False),
    ],
)
def test_an_answer_that_the_step_does_not_take_changes_nothing(user: User, step: str, response: Any) -> None:
    walk(user, before=step)
    before = (shown(user), settings(user), today(user)["personalization"], goals(user))
    answer(user, step, response).invalid("response")
    assert (shown(user), settings(user), today(user)["personalization"], goals(user)) == before


@pytest.mark.parametrize("step", ["step_interests", "step_nudge", "step_focus_duration", "step_gamification"])
def test_what_is_required_is_not_passed_by_leaving_it_out(user: User, step: str) -> None:
    walk(user, before=step)
    answer(user, step).invalid("response")


@pytest.mark.parametrize("step", ["step_modules", "step_first_goal", "step_today_tour", "step_first_focus"])
@pytest.mark.parametrize("response", [(), (None,)])
def test_an_optional_step_is_passed_and_applies_nothing(
    user: User, database: Database, step: str, response: tuple[None, ...]
) -> None:
    user.post("/settings", {"key": "module_weights", "value": {"focus": 3}})
    walk(user, before=step)
    before = (settings(user)["module_weights"] if step == "step_modules" else None, goals(user))
    answered(user, step, *response)
    assert (settings(user)["module_weights"] if step == "step_modules" else None, goals(user)) == before
    assert response_to(user, step, database) == [None]
    assert shown(user)["progress"]["completed_steps"] == STEPS.index(step) + 1


def test_passing_an_answered_step_forgets_the_answer_and_keeps_what_it_set(user: User, database: Database) -> None:
    walk(user, before="step_nudge")
    answered(user, "step_modules", None)
    assert response_to(user, "step_modules", database) == [None]
    assert settings(user)["module_weights"] == {"quests": 1, "plan": 1}


@pytest.mark.parametrize("response", [None, True, "text", 1.5, [1, [2]], {"a": {"b": []}}, "x" * 4094])
@pytest.mark.parametrize("step", ["step_welcome", "step_today_tour", "step_first_focus", "step_done"])
def test_other_steps_take_anything(user: User, database: Database, step: str, response: Any) -> None:
    walk(user, before=step)
    answered(user, step, response)
    assert response_to(user, step, database) == [response]


@pytest.mark.parametrize(("length", "status"), [(4094, 200), (4095, 400)])
def test_an_answer_has_up_to_four_kibibytes(user: User, length: int, status: int) -> None:
    assert answer(user, "step_welcome", "x" * length).status == status
    assert (shown(user)["state"] is None) == (status == 400)


# The first goal ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("title", "made"), [("  Run 10 km ", ["Run 10 km"]), ("ü" * 200, ["ü" * 200]), (" \n ", [])])
def test_the_first_goal(user: User, database: Database, title: str, made: list[str]) -> None:
    walk(user, before="step_first_goal")
    answered(user, "step_first_goal", title)
    assert goals(user) == made
    assert response_to(user, "step_first_goal", database) == [made[0] if made else None]


def test_there_is_one_first_goal_an_account(user: User) -> None:
    walk(user, before="step_done")
    answered(user, "step_first_goal", "Another one")
    assert goals(user) == ["Write a song"]
    [goal] = user.get("/goals").data["goals"]
    user.delete(f"/goals/{goal['id']}")
    user.post("/onboarding/reset")
    walk(user, step_first_goal="After the reset")
    assert goals(user) == []


def test_a_step_that_was_passed_can_make_the_goal_later(user: User) -> None:
    walk(user, before="step_done", step_first_goal=None)
    assert goals(user) == []
    answered(user, "step_first_goal", "Write a song")
    assert goals(user) == ["Write a song"]


def test_answers_at_once_make_one_goal(user: User) -> None:
    walk(user, before="step_first_goal")
    assert {one.status for one in at_once(6, lambda: answer(user, "step_first_goal", "Write"))} == {200}
    assert goals(user) == ["Write"]
    assert shown(user)["current_step"]["id"] == "step_today_tour"


def test_a_full_list_of_goals_takes_no_more(user: User, database: Database) -> None:
    database.query("INSERT INTO goals (user_id, title) SELECT %s, 'Goal' FROM generate_series(1, 500)", user.id)
    walk(user, before="step_first_goal")
    assert answer(user, "step_first_goal", "One more").refused(409, "limit_reached") == {"limit": 500}
    assert shown(user)["current_step"]["id"] == "step_first_goal"
    answered(user, "step_first_goal", None)
    database.query("DELETE FROM goals WHERE user_id = %s", user.id)
    answered(user, "step_first_goal", "One more")
    assert goals(user) == ["One more"]


def test_full_settings_take_no_more(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO user_settings (user_id, key, value) SELECT %s, 'k' || n, '1' FROM generate_series(1, 200) AS n",
        user.id,
    )
    walk(user, before="step_modules")
    assert answer(user, "step_modules", "focus").refused(409, "too_many_settings") == {"limit": 200}
    assert shown(user)["current_step"]["id"] == "step_modules"


def test_what_others_have_stays(user: User, other: User) -> None:
    walk(other)
    walk(user, step_interests=["fitness"], step_gamification="always", step_nudge="energetic")
    assert today(other)["personalization"]["interests"] == ANSWERS["step_interests"]
    assert settings(other)["nudge_intensity"] == "gentle"
    assert goals(other) == ["Write a song"]
