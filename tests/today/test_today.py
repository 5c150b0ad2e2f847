from uuid import uuid4

import pytest

from questlog.db import Db, Statement

from functions.today import app
from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User
from tests.daily_plan.conftest import generated, ticked, written
from tests.gamification.conftest import Pay, pay, reverse
from tests.support import factories
from tests.support.clock import ahead
from tests.support.factories import habit, quest
from tests.today.conftest import log, state, today

__all__ = ["pay", "reverse"]


def test_who_is_deleted_meanwhile_gets_a_document_of_nothing(user: User) -> None:
    """The rows of a user may go between the statement that authenticates and those of the route."""
    of_nobody = Statement("SELECT set_config('app.user_id', %(user_id)s, true)", {"user_id": str(uuid4())})
    document = app.today(Db(app.api.queries, [of_nobody]))
    assert document.user_state.first_day
    assert document.plan_summary.total_count == 0


def test_a_new_user_gets_every_key(user: User) -> None:
    assert today(user) == {
        "userState": {
            "planExists": False,
            "hasIncompletePlanItems": False,
            "returningAfterGap": False,
            "firstDay": True,
            "focusActive": False,
            "activeStreak": False,
        },
        "dynamicUIData": {"quickPicks": [], "resumeLast": None, "interestPrimer": None},
        "planSummary": {
            "planExists": False,
            "hasIncompletePlanItems": False,
            "nextIncompleteItem": None,
            "totalCount": 0,
            "completedCount": 0,
        },
        "personalization": {
            "interests": [],
            "moduleWeights": {},
            "nudgeIntensity": "standard",
            "focusDuration": 25,
            "gamificationVisible": True,
            "onboardingActive": False,
        },
        "data": {
            "date": ahead(0),
            "plan": {"completed": 0, "total": 0},
            "habits": {"done": 0, "due": 0},
            "focus": {"seconds": 0, "sessions": 0},
            "quests": {"active": 0, "ready": 0},
            "streak": {"days": 0, "at_risk": False},
            "level": {"level": 1, "current_xp": 0, "xp_to_next_level": 100, "xp_progress_percent": 0},
            "xp_today": 0,
            "coins_today": 0,
            "overdue_goals": 0,
        },
    }


def test_only_with_a_session(stranger: Client) -> None:
    stranger.get("/today").refused(401, "unauthorized")
    stranger.get("/today/summary").refused(401, "unauthorized")


def test_the_plan_of_the_day(user: User) -> None:
    generated(user, date=ahead(1))
    assert state(user)["planExists"] is False
    written(user, {"id": "late", "title": "Late", "priority": 9}, {"id": "soon", "title": "Soon", "priority": 3})
    document = today(user)
    assert (document["userState"]["planExists"], document["userState"]["hasIncompletePlanItems"]) == (True, True)
    assert document["planSummary"] == {
        "planExists": True,
        "hasIncompletePlanItems": True,
        "nextIncompleteItem": {"id": "soon", "title": "Soon", "priority": 3, "actionUrl": "/focus", "type": "focus"},
        "totalCount": 2,
        "completedCount": 0,
    }
    ticked(user, "soon")
    summary = today(user)["planSummary"]
    assert (summary["nextIncompleteItem"]["id"], summary["completedCount"]) == ("late", 1)
    ticked(user, "late")
    document = today(user)
    assert document["userState"]["planExists"] is True
    assert document["userState"]["hasIncompletePlanItems"] is False
    assert document["planSummary"]["nextIncompleteItem"] is None
    assert document["data"]["plan"] == {"completed": 2, "total": 2}


def test_an_empty_plan_exists(user: User) -> None:
    written(user)
    assert (state(user)["planExists"], state(user)["hasIncompletePlanItems"]) == (True, False)


def test_of_equal_priorities_the_first_is_next(user: User) -> None:
    written(user, {"id": "b", "title": "B"}, {"id": "a", "title": "A"})
    assert today(user)["planSummary"]["nextIncompleteItem"]["id"] == "b"


def test_completing_a_habit_ticks_its_item(user: User) -> None:
    stretch = habit(user)["id"]
    generated(user)
    before = today(user)["planSummary"]["completedCount"]
    user.post(f"/habits/{stretch}/complete")
    document = today(user)
    assert (before, document["planSummary"]["completedCount"], document["data"]["plan"]["completed"]) == (0, 1, 1)


def test_an_address_outside_the_app_is_not_followed(user: User, database: Database) -> None:
    written(user, {"id": "a", "title": "A", "type": "workout"})
    database.query(
        "UPDATE daily_plans SET items = jsonb_set(items, '{0,action_url}', '\"https://evil.test\"') WHERE user_id = %s",
        user.id,
    )
    assert today(user)["planSummary"]["nextIncompleteItem"]["actionUrl"] == "/exercise"


@pytest.mark.parametrize(
    ("stored", "followed"),
    [
        ("/focus", "/focus"),
        ("/focus/deep", "/exercise"),
        ("/settings", "/exercise"),
        *(
            (f"/{name}/7", f"/{name}/7")
            for name in ("quests", "exercise", "learn", "habits", "planner", "goals", "hub")
        ),
    ],
)
def test_an_address_in_the_app_is(user: User, database: Database, stored: str, followed: str) -> None:
    written(user, {"id": "a", "title": "A", "type": "workout"})
    database.query(
        "UPDATE daily_plans SET items = jsonb_set(items, '{0,action_url}', to_jsonb(%s::text)) WHERE user_id = %s",
        *(stored, user.id),
    )
    assert today(user)["planSummary"]["nextIncompleteItem"]["actionUrl"] == followed


def test_returning_after_48_hours(user: User, clock: Clock) -> None:
    assert state(user)["returningAfterGap"] is False, "nobody returns who was never here"
    log(user, "app_opened")
    clock.advance("47 hours 54 minutes")
    assert state(user)["returningAfterGap"] is False
    clock.advance("12 minutes")
    assert state(user)["returningAfterGap"] is True
    log(user, "app_opened")
    assert state(user)["returningAfterGap"] is False


def test_what_comes_by_itself_is_no_activity(user: User, pay: Pay, reverse: Pay, clock: Clock) -> None:
    clock.advance("30 days")
    pay(user, "habit_complete", xp=10, key="undone", counters={"habits_completed": 1})
    assert state(user)["firstDay"] is False
    assert len(user.get("/achievements/user").json) > 0
    reverse(user, "undone")
    pay(user, "admin_adjustment", xp=10)
    document = today(user)
    assert document["userState"]["firstDay"] is True, "what was taken back was not done"
    assert document["dynamicUIData"]["resumeLast"] is None


def test_the_first_day(user: User, clock: Clock) -> None:
    log(user, "app_opened")
    assert state(user)["firstDay"] is True
    clock.advance("1 day")
    assert state(user)["firstDay"] is False


def test_focus_active_while_it_runs_or_is_paused(user: User, clock: Clock) -> None:
    factories.focus_session(user)
    assert state(user)["focusActive"] is True
    user.post("/focus/pause")
    assert state(user)["focusActive"] is True
    user.delete("/focus/pause")
    clock.advance("2000 seconds")
    document = today(user)
    assert document["userState"]["focusActive"] is False
    # This request settled the timer, and shows what that paid.
    assert document["data"]["focus"] == {"seconds": 1500, "sessions": 1}
    assert (document["userState"]["activeStreak"], document["data"]["streak"]["days"]) == (True, 1)
    assert document["dynamicUIData"]["resumeLast"]["module"] == "focus"


def test_an_active_streak(user: User, pay: Pay) -> None:
    pay(user, days_ago=2)
    assert (state(user)["activeStreak"], today(user)["data"]["streak"]) == (False, {"days": 0, "at_risk": False})
    pay(user, days_ago=1)
    assert today(user)["data"]["streak"] == {"days": 2, "at_risk": True}
    pay(user)
    document = today(user)
    assert document["userState"]["activeStreak"] is True
    assert document["data"]["streak"] == {"days": 3, "at_risk": False}


def test_what_was_used_in_14_days(user: User, pay: Pay, clock: Clock) -> None:
    for _ in range(2):
        pay(user, "lesson_complete")
    log(user, "lesson_opened")
    for _ in range(4):
        pay(user, "focus_complete")
    picks = today(user)["dynamicUIData"]["quickPicks"]
    assert picks == [
        {"module": "focus", "route": "/focus", "label": "Focus", "count": 4},
        {"module": "learn", "route": "/learn", "label": "Learn", "count": 3},
    ]
    for _ in range(2):
        log(user, "drill_complete")  # stored as client:drill_complete
    assert today(user)["dynamicUIData"]["interestPrimer"] == {
        "type": "learn",
        "route": "/learn",
        "label": "Keep learning",
    }
    clock.advance("14 days")
    assert today(user)["dynamicUIData"] == {"quickPicks": [], "resumeLast": None, "interestPrimer": None}


def test_what_was_taken_back_was_not_used(user: User, pay: Pay, reverse: Pay, clock: Clock) -> None:
    def uses() -> int:
        picks = today(user)["dynamicUIData"]["quickPicks"]
        return picks[0]["count"] if picks else 0

    for number in range(3):
        pay(user, "workout_complete", key=f"old {number}")
    assert uses() == 3
    clock.advance("13 days")
    for number in range(5):
        pay(user, "workout_complete", key=f"new {number}")
    assert uses() == 8
    clock.advance("1 day")
    assert uses() == 5
    # What was long ago takes nothing from what was of late.
    for key in ("old 0", "new 0"):
        reverse(user, key)
    assert uses() == 4


def test_quick_picks_are_filled_up_with_what_waits(user: User) -> None:
    for name in "ab":
        habit(user, name)
    assert today(user)["dynamicUIData"]["quickPicks"] == [
        {"module": "habits", "route": "/habits", "label": "Habits", "count": 2}
    ]
    quest(user, accepted=True)
    picks = today(user)["dynamicUIData"]["quickPicks"]
    assert picks[1] == {"module": "quests", "route": "/quests", "label": "Quests", "count": 1}


def test_resuming_the_last_module(user: User, clock: Clock) -> None:
    log(user, "goal_opened")
    resumed = today(user)["dynamicUIData"]["resumeLast"]
    assert resumed.pop("lastUsed").endswith("Z")
    assert resumed == {"module": "goals", "route": "/goals", "label": "Goals"}
    log(user, "app_opened")
    assert today(user)["dynamicUIData"]["resumeLast"] is None, "the newest belongs to no module"
    log(user, "goal_opened")
    clock.advance("24 hours")
    assert today(user)["dynamicUIData"]["resumeLast"] is None


def test_personalization_is_in_the_settings(new_user: NewUser) -> None:
    user = new_user(
        settings={
            "module_weights": {"focus": 2, "learn": 0.5},
            "nudge_intensity": "gentle",
            "focus_duration": 45,
            "gamification_visible": False,
            "interests": ["music", "fitness"],
        }
    )
    assert today(user)["personalization"] == {
        "interests": ["music", "fitness"],
        "moduleWeights": {"focus": 2, "learn": 0.5},
        "nudgeIntensity": "gentle",
        "focusDuration": 45,
        "gamificationVisible": False,
        "onboardingActive": False,
    }


def test_what_onboarding_says(user: User) -> None:
    user.post("/onboarding/start")
    shown = today(user)["personalization"]
    assert (shown["onboardingActive"], shown["onboardingRoute"]) == (True, "/today")
    user.post("/onboarding/step", {"step_id": "step_welcome"})
    user.post("/onboarding/step", {"step_id": "step_interests", "response": ["learning", "focus"]})
    assert today(user)["personalization"]["interests"] == ["learning", "focus"]
    user.post("/onboarding/skip")
    shown = today(user)["personalization"]
    assert shown["onboardingActive"] is False
    assert "onboardingRoute" not in shown
    assert shown["interests"] == ["learning", "focus"]
    user.post("/onboarding/reset")
    assert today(user)["personalization"]["onboardingActive"] is True


def test_polling(user: User) -> None:
    first = user.get("/today")
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    same = user.get("/today", headers=known)
    assert (same.status, same.text, same.headers["etag"]) == (304, "", first.headers["etag"])
    assert user.get("/today", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'}).status == 304
    assert user.get("/today", headers={"If-None-Match": "*"}).status == 304
    habit(user)
    changed = user.get("/today", headers=known)
    assert (changed.status, changed.json["data"]["habits"]["due"]) == (200, 1)


def test_what_others_do_does_not_show(user: User, other: User) -> None:
    before = today(user)
    generated(other)
    factories.focus_session(other)
    user_quest = quest(other, accepted=True)["id"]
    other.post(f"/quests/{user_quest}/complete")
    assert today(user) == before


def test_a_foreign_method_is_refused(user: User) -> None:
    user.post("/today", {"x": str(uuid4())}).refused(405, "method_not_allowed")
