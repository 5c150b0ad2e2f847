from collections.abc import Callable
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User
from tests.daily_plan.conftest import generated, ticked, written
from tests.gamification.conftest import Pay, pay
from tests.inbox.conftest import notify
from tests.support import factories
from tests.support.clock import ahead
from tests.support.factories import habit, quest
from tests.sync.conftest import PARTS, document, poll

__all__ = ["pay"]

PATHS = ["/sync/poll", *(f"/sync/{part}" for part in PARTS.values())]


def test_a_new_user(user: User) -> None:
    found = poll(user)
    assert found.pop("server_time").endswith("Z")
    assert isinstance(found.pop("etag"), str)
    assert found == {
        "progress": {
            "level": 1,
            "current_xp": 0,
            "xp_to_next_level": 100,
            "xp_progress_percent": 0,
            "coins": 0,
            "streak_days": 0,
            "total_xp": 0,
            "xp_remaining": 100,
        },
        "badges": {"unread_inbox": 0, "active_quests": 0, "pending_habits": 0, "overdue_items": 0},
        "focus": {
            "has_active_session": False,
            "mode": None,
            "time_remaining_seconds": None,
            "expires_at": None,
            "session_id": None,
            "status": None,
        },
        "plan": {"has_plan": False, "completed": 0, "total": 0, "percent_complete": 0},
    }


def test_the_parts_are_those_of_the_poll(user: User, pay: Pay) -> None:
    pay(user, xp=130, coins=7)
    habit(user)
    quest(user, accepted=True)
    generated(user)
    ticked(user, "plan_focus")
    factories.focus_session(user)
    found = poll(user)
    for name, path in PARTS.items():
        part = document(user.get(f"/sync/{path}"))
        volatile = {"time_remaining_seconds"}
        assert {k: part[k] for k in part.keys() - volatile} == {k: found[name][k] for k in part.keys() - volatile}
    assert found["progress"] == {
        "level": 2,
        "current_xp": 30,
        "xp_to_next_level": 282,
        "xp_progress_percent": 10.63,
        "coins": 7,
        "streak_days": 1,
        "total_xp": 130,
        "xp_remaining": 252,
    }


def test_the_timer_runs_pauses_and_settles(user: User, clock: Clock) -> None:
    session = factories.focus_session(user, mode="focus", duration_seconds=1500)
    focus = poll(user)["focus"]
    assert 1498 <= focus.pop("time_remaining_seconds") <= 1500
    assert focus == {
        "has_active_session": True,
        "mode": "focus",
        "expires_at": session["expires_at"],
        "session_id": session["id"],
        "status": "active",
    }
    clock.advance("600 seconds")
    user.post("/focus/pause")
    paused = poll(user)["focus"]
    assert (paused["has_active_session"], paused["status"]) == (True, "paused")
    clock.advance("600 seconds")
    assert poll(user)["focus"]["time_remaining_seconds"] == paused["time_remaining_seconds"], "it stands still"
    user.delete("/focus/pause")
    clock.advance("1500 seconds")
    settled = poll(user)
    assert settled["focus"]["has_active_session"] is False
    # This poll pays what the closed tab has earned, and shows it.
    assert (settled["progress"]["total_xp"], settled["progress"]["streak_days"]) == (25 + 25, 1)
    assert user.get(f"/focus/{session['id']}").data["status"] == "completed"


@pytest.mark.parametrize("path", PATHS)
def test_whichever_is_asked_settles_the_timer(user: User, clock: Clock, path: str, database: Database) -> None:
    factories.focus_session(user)
    clock.advance("1600 seconds")
    user.get(path)
    assert database.query("SELECT status FROM focus_sessions WHERE user_id = %s", user.id) == [{"status": "completed"}]


def test_badges(user: User, clock: Clock, database: Database) -> None:
    def badges() -> tuple[int, ...]:
        return tuple(poll(user)["badges"].values())

    made = [habit(user, name)["id"] for name in "abcd"]
    user.post(f"/habits/{made[0]}/complete")
    user.post(f"/habits/{made[1]}/skip")
    user.post(f"/habits/{made[2]}/archive")
    assert badges() == (0, 0, 1, 0)
    accepted = quest(user, accepted=True)["id"]
    quest(user, expires_at=f"{ahead(0)}T13:00:00Z", accepted=True)
    assert badges() == (0, 2, 1, 0)
    clock.advance("2 hours")
    assert badges() == (0, 1, 1, 1)
    user.post(f"/quests/{accepted}/complete")
    user.post("/goals", {"title": "Learn to swim", "target_date": ahead(-1)})
    user.post("/goals", {"title": "Learn to dive", "target_date": ahead(0)})
    assert badges() == (0, 0, 1, 2)
    notify(database, user)
    notify(database, user)
    assert badges() == (2, 0, 1, 2)


def test_a_habit_of_the_week_waits_until_its_days_are_met(user: User) -> None:
    weekly = habit(user, frequency="weekly", target_count=2)["id"]
    assert poll(user)["badges"]["pending_habits"] == 1
    user.post(f"/habits/{weekly}/complete")
    assert poll(user)["badges"]["pending_habits"] == 0


def test_the_plan_of_the_day(user: User) -> None:
    generated(user, date=ahead(1))
    assert poll(user)["plan"]["has_plan"] is False
    written(user)
    assert poll(user)["plan"] == {"has_plan": True, "completed": 0, "total": 0, "percent_complete": 0}
    stretch = habit(user)["id"]
    written(user, *({"id": name, "title": name} for name in ("a", "b", f"plan_habit_{stretch}")))
    ticked(user, "a")
    assert poll(user)["plan"]["percent_complete"] == 33.33
    user.post(f"/habits/{stretch}/complete")
    assert poll(user)["plan"] == {
        "has_plan": True,
        "completed": 2,
        "total": 3,
        "percent_complete": 66.66,
    }


def test_a_broken_streak_reads_0(user: User, pay: Pay) -> None:
    pay(user, days_ago=2)
    assert poll(user)["progress"]["streak_days"] == 0
    pay(user, days_ago=1)
    assert poll(user)["progress"]["streak_days"] == 2


# ETags ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_unchanged_is_304(user: User, path: str) -> None:
    factories.focus_session(user)
    habit(user)
    first = user.get(path)
    tag = first.headers["etag"]
    # A clock in a browser's cache would stand still.
    cached = "no-store" if path in ("/sync/poll", "/sync/focus-status") else "private, no-cache"
    assert first.headers["cache-control"] == cached
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = user.get(path, headers={"If-None-Match": known})
        assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
        assert again.headers["cache-control"] == cached
    for unknown in ('"other"', tag.strip('"'), '""'):
        assert user.get(path, headers={"If-None-Match": unknown}).status == 200


def test_the_body_says_the_headers_tag(user: User) -> None:
    first = user.get("/sync/poll")
    assert first.headers["etag"] == f'"{first.json["etag"]}"'
    second = user.get("/sync/poll")
    assert second.json["etag"] == first.json["etag"]
    assert second.json["server_time"] > first.json["server_time"]


def test_a_remainder_alone_changes_no_tag(user: User, database: Database) -> None:
    factories.focus_session(user)
    user.post("/focus/pause")
    before = poll(user)
    database.query("UPDATE focus_sessions SET paused_remaining_seconds = 7 WHERE user_id = %s", user.id)
    after = poll(user)
    assert (before["focus"]["time_remaining_seconds"], after["focus"]["time_remaining_seconds"]) == (1500, 7)
    assert after["etag"] == before["etag"]


Change = Callable[[User, Database], Any]

CHANGES: dict[str, Change] = {
    "xp": lambda user, _: user.post(f"/habits/{habit(user)['id']}/complete"),
    "a habit": lambda user, _: habit(user),
    "a quest": lambda user, _: quest(user, accepted=True),
    "a plan": lambda user, _: written(user),
    "a timer": lambda user, _: factories.focus_session(user),
    "an overdue goal": lambda user, _: user.post("/goals", {"title": "Swim", "target_date": ahead(-1)}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_of_what_is_shown_changes_the_tag(user: User, database: Database, change: Change) -> None:
    known = {"If-None-Match": user.get("/sync/poll").headers["etag"]}
    assert user.get("/sync/poll", headers=known).status == 304
    change(user, database)
    assert user.get("/sync/poll", headers=known).status == 200


def test_a_habit_tick_is_seen(user: User) -> None:
    stretch = habit(user)["id"]
    known = {"If-None-Match": user.get("/sync/poll").headers["etag"]}
    assert user.get("/sync/poll", headers=known).status == 304
    user.post(f"/habits/{stretch}/complete")
    changed = user.get("/sync/poll", headers=known)
    assert (changed.status, changed.json["badges"]["pending_habits"]) == (200, 0)


def test_pausing_changes_the_tag(user: User) -> None:
    factories.focus_session(user)
    before = poll(user)["etag"]
    user.post("/focus/pause")
    assert poll(user)["etag"] != before


def test_only_with_a_session_and_only_ones_own(user: User, new_user: NewUser, stranger: Client) -> None:
    other = new_user()
    before = poll(user)["etag"]
    generated(other)
    factories.focus_session(other)
    habit(other)
    assert poll(user)["etag"] == before
    for path in (*PATHS, "/sync/state"):
        stranger.get(path).refused(401, "unauthorized")
    stranger.post("/sync/poll").refused(401, "unauthorized")
