"""Things for a user to have, made by the requests a front end would send. Each returns what the route answered.

Fields that are not given take a value that no test depends on.
"""

from typing import Any

from tests.support.client import Client


def habit(user: Client, name: str = "Read", **fields: Any) -> dict[str, Any]:
    """A habit of every day."""
    return _made(user, "/habits", {"name": name} | fields)


def quest(user: Client, title: str = "Call home", *, accepted: bool = False, **fields: Any) -> dict[str, Any]:
    """The user's own quest; `accepted` begins it."""
    made = _made(user, "/quests", {"title": title, "category": "family"} | fields)
    return _made(user, f"/quests/{made['id']}/accept") if accepted else made


def goal(user: Client, *milestones: str, **fields: Any) -> dict[str, Any]:
    """A goal, with milestones of these titles, as it reads then."""
    goal_id = _made(user, "/goals", {"title": "Write a book"} | fields)["id"]
    for title in milestones:
        milestone(user, goal_id, title=title)
    shown: dict[str, Any] = user.get(f"/goals/{goal_id}").data
    return shown


def milestone(user: Client, goal_id: str, **fields: Any) -> dict[str, Any]:
    """A milestone of a goal."""
    return _made(user, f"/goals/{goal_id}/milestones", {"title": "Chapter one"} | fields)


def focus_session(user: Client, **fields: Any) -> dict[str, Any]:
    """A focus session that runs."""
    return _made(user, "/focus", fields)


def focus_library(user: Client, *tracks: str, **fields: Any) -> dict[str, Any]:
    """A focus library, with tracks of these titles."""
    library = _made(user, "/focus/libraries", {"name": "Desk"} | fields)
    for title in tracks:
        _made(user, f"/focus/libraries/{library['id']}/tracks", {"track_title": title})
    return library


def event(user: Client, **fields: Any) -> dict[str, Any]:
    """An event of the calendar: at nine in UTC on the 5th of May 2031, a Monday."""
    defaults = {"title": "Stand-up", "start_time": "2031-05-05T09:00:00Z", "timezone": "UTC"}
    return _made(user, "/calendar", defaults | fields)


def daily_plan(user: Client, **fields: Any) -> dict[str, Any]:
    """The plan that is generated for a day, today's unless `date` says another."""
    answer = user.post("/daily-plan", {"action": "generate"} | fields)
    assert answer.status == 200, answer.text
    plan: dict[str, Any] = answer.json["plan"]
    return plan


def report(user: Client, **fields: Any) -> dict[str, Any]:
    """A bug report."""
    defaults = {"type": "bug", "title": "The bell rings twice", "description": "After a pause."}
    return _made(user, "/feedback", defaults | fields)


def _made(user: Client, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = user.post(path, body).data
    return made
