"""A day in someone's life, over the handlers, that ends with a ledger in which every point is explained."""

from dataclasses import dataclass, field
from typing import Any

from local.clock import Clock
from tests.conftest import Database, User
from tests.daily_plan.conftest import generated, ids, shown, ticked
from tests.support import factories
from tests.support.clock import ahead
from tests.support.factories import habit, quest
from tests.sync.conftest import changes, document, poll, versions
from tests.today.conftest import today


@dataclass
class Purse:
    """What the answers said was paid, in order: the event, its XP and its coins."""

    user: User
    rows: list[tuple[str, int, int]] = field(default_factory=list)

    def paid(self, event_type: str, path: str, body: Any = None) -> dict[str, Any]:
        """Make a request that pays, and note what it says it paid; achievements are paid after what brought them."""
        data: dict[str, Any] = self.user.post(path, body).data
        self.note(event_type, data["xp_awarded"], data["coins_awarded"])
        for unlocked in data["achievements_unlocked"]:
            self.note(f"achievement:{unlocked['key']}", unlocked["reward_xp"], unlocked["reward_coins"])
        return data

    def note(self, event_type: str, xp: int, coins: int) -> None:
        self.rows.append((event_type, xp, coins))

    @property
    def xp(self) -> int:
        return sum(xp for _, xp, _ in self.rows)

    @property
    def coins(self) -> int:
        return sum(coins for _, _, coins in self.rows)


def ledger(user: User) -> list[tuple[str, int, int]]:
    """The ledger as its user reads it, oldest first."""
    entries = user.get("/gamification/ledger", query={"limit": 100}).data["entries"]
    return [(entry["event_type"], entry["xp"], entry["coins"]) for entry in reversed(entries)]


def test_a_day(user: User, clock: Clock, database: Database) -> None:
    purse = Purse(user)

    # Morning: what there is to do.
    stretch, read = habit(user, "Stretch")["id"], habit(user, "Read", xp_reward=20, coin_reward=3)["id"]
    errand = quest(user, "Call home", difficulty="easy", accepted=True)["id"]
    goal = user.post("/goals", {"title": "Learn to swim", "target_date": ahead(30)}).data["id"]
    steps = [user.post(f"/goals/{goal}/milestones", {"title": t}).data["id"] for t in ("Float", "Swim")]
    event = {"title": "Pool", "start_time": f"{ahead(0)}T12:00:00Z", "event_type": "workout"}
    pool = user.post("/calendar", event).data["id"]
    plan = generated(user)
    task = user.post("/daily-plan/tasks", {"title": "Water the plants", "priority": "high"}).json["task"]["id"]
    assert [item.split("_")[1] for item in ids(plan)] == [
        "focus",
        "workout",
        "habit",
        "habit",
        "quest",
        "quest",
        "quest",
    ]
    morning = today(user)
    assert morning["userState"] | {"focusActive": False} == {
        "planExists": True,
        "hasIncompletePlanItems": True,
        "returningAfterGap": False,
        "firstDay": True,
        "focusActive": False,
        "activeStreak": False,
    }
    assert morning["planSummary"]["nextIncompleteItem"]["id"] == task
    assert purse.xp == morning["data"]["xp_today"] == 0
    known, tag = versions(user), user.get("/sync/poll").headers["etag"]
    assert user.get("/sync/poll", headers={"If-None-Match": tag}).status == 304

    # Forenoon: one session to its end, one whose tab is closed, one given up.
    session = factories.focus_session(user, duration_seconds=1500)
    clock.advance("1495 seconds")
    focused = purse.paid("focus_complete", f"/focus/{session['id']}/complete")["session"]["actual_seconds"]
    again = user.post(f"/focus/{session['id']}/complete").data
    assert (again["already_completed"], again["xp_awarded"]) == (True, 25)
    closed = factories.focus_session(user, duration_seconds=600)
    clock.advance("700 seconds")
    assert poll(user)["focus"]["has_active_session"] is False
    settled = user.get(f"/focus/{closed['id']}").data
    purse.note("focus_complete", settled["xp_awarded"], settled["coins_awarded"])
    user.post(f"/focus/{factories.focus_session(user)['id']}/abandon")
    assert user.get("/sync/poll", headers={"If-None-Match": tag}).status == 200

    # Noon: the workout, a habit that is tapped twice, and one that was not done.
    purse.paid("planner_task_complete", f"/calendar/{pool}/complete")
    purse.paid("habit_complete", f"/habits/{stretch}/complete")
    assert user.post(f"/habits/{stretch}/complete").data["already_completed"] is True
    purse.paid("habit_complete", f"/habits/{read}/complete")
    undone = user.request("DELETE", f"/habits/{read}/complete").data
    purse.note("reversal", -undone["xp_reversed"], -undone["coins_reversed"])

    # Afternoon: the book after all; half a goal, then all of it; and what was worth doing.
    purse.paid("habit_complete", f"/habits/{read}/complete")
    purse.paid("milestone_complete", f"/goals/milestones/{steps[0]}/complete")
    last = user.post(f"/goals/milestones/{steps[1]}/complete").data
    assert (last["goal_completed"], last["xp_awarded"], last["coins_awarded"]) == (True, 10 + 40, 20)
    purse.note("milestone_complete", 10, 0)
    purse.note("goal_complete", 40, 20)
    assert last["achievements_unlocked"] == []
    purse.paid("quest_complete", f"/quests/{errand}/complete")
    daily = {entry["key"]: entry["id"] for entry in user.get("/quests", query={"kind": "universal"}).data["quests"]}
    for key in ("daily_focus", "daily_habit"):
        purse.paid("quest_complete", f"/quests/{daily[key]}/complete")
    user.post(f"/quests/{daily['daily_move']}/complete").refused(409, "quest_incomplete")

    # Evening: a tick pays nothing.
    ticked(user, task)

    # Every row of the ledger is one that an answer told of, and nothing else was paid.
    rows = ledger(user)
    assert [(event.split(":")[0], xp, coins) for event, xp, coins in purse.rows] == rows
    assert rows[:2] == [("focus_complete", 25, 5), ("achievement", 25, 10)]

    # And everyone who shows a number shows that one.
    [held] = database.query(
        "SELECT total_xp, coins, total_earned, total_spent FROM user_progress JOIN user_wallet USING (user_id)"
        " WHERE user_id = %s",
        user.id,
    )
    assert held == {"total_xp": purse.xp, "coins": purse.coins, "total_earned": purse.coins, "total_spent": 0}
    evening = today(user)
    assert (evening["data"]["xp_today"], evening["data"]["coins_today"]) == (purse.xp, purse.coins)
    assert document(user.get("/progress"))["xp"] == purse.xp
    progress = poll(user)["progress"]
    assert (progress["total_xp"], progress["coins"], progress["streak_days"]) == (purse.xp, purse.coins, 1)
    assert (
        evening["data"]["level"]["level"]
        == progress["level"]
        == 1 + sum(purse.xp >= floor for floor in (100, 382, 901))
    )
    assert database.query("SELECT * FROM ledger_audit") == []

    # The day as it ends.
    assert evening["data"]["focus"] == {"seconds": focused + 600, "sessions": 2}
    assert evening["data"]["habits"] == {"done": 2, "due": 2}
    assert evening["data"]["quests"] == {"active": 0, "ready": 0}
    assert evening["data"]["streak"] == {"days": 1, "at_risk": False}
    done = {item["id"] for item in shown(user)["items"] if item["completed"]}
    assert done == {*ids(plan), task} - {f"plan_quest_{daily['daily_move']}"}
    assert evening["planSummary"]["completedCount"] == poll(user)["plan"]["completed"] == len(done)
    assert poll(user)["badges"] == {"unread_inbox": 0, "active_quests": 0, "pending_habits": 0, "overdue_items": 0}
    assert set(changes(user, known)) == {"progress", "badges", "plan", "habits", "goals", "quests"}
