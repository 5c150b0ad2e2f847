from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conftest import Answer, Client, Database, User

STEPS = [
    "step_welcome",
    "step_interests",
    "step_modules",
    "step_nudge",
    "step_focus_duration",
    "step_gamification",
    "step_first_goal",
    "step_today_tour",
    "step_first_focus",
    "step_done",
]

# An answer to each step that it takes.
ANSWERS: dict[str, Any] = {
    "step_welcome": None,
    "step_interests": ["music", "focus"],
    "step_modules": ["quests", "plan"],
    "step_nudge": "gentle",
    "step_focus_duration": "45",
    "step_gamification": "hidden",
    "step_first_goal": "Write a song",
    "step_today_tour": {"seen": True},
    "step_first_focus": "started",
    "step_done": True,
}


def shown(user: Client) -> dict[str, Any]:
    """The flow as it reads now."""
    data: dict[str, Any] = user.get("/onboarding").data
    return data


def answer(user: Client, step: str, *response: Any) -> Answer:
    """What comes back for an answer to a step; no response is sent where none is given."""
    return user.post("/onboarding/step", {"step_id": step} | ({"response": response[0]} if response else {}))


def answered(user: Client, step: str, *response: Any) -> dict[str, Any]:
    """The same, which has to succeed."""
    data: dict[str, Any] = answer(user, step, *response).data
    return data


def walk(user: User, before: str | None = None, **responses: Any) -> None:
    """Answer the steps in their order, up to the one before `before`."""
    for step in STEPS:
        if step == before:
            return
        answered(user, step, (ANSWERS | responses)[step])


def settings(user: Client) -> dict[str, Any]:
    """The effective settings."""
    data: dict[str, Any] = user.get("/settings").json["data"]
    return data


@contextmanager
def another_flow(database: Database, *, active: bool = True) -> Iterator[None]:
    """A flow of one step takes the place of the main one for a while; without `active` nothing does."""
    database.query("UPDATE onboarding_flows SET is_active = false")
    database.query("INSERT INTO onboarding_flows (id, name, is_active) VALUES ('short', 'Short', %s)", active)
    database.query(
        "INSERT INTO onboarding_steps (id, flow_id, step_order, step_type, title)"
        " VALUES ('step_only', 'short', 1, 'welcome', 'Hello')"
    )
    try:
        yield
    finally:
        database.query("DELETE FROM user_onboarding_responses WHERE step_id = 'step_only'")
        database.query("DELETE FROM user_onboarding_state WHERE flow_id = 'short'")
        database.query("DELETE FROM onboarding_flows WHERE id = 'short'")
        database.query("UPDATE onboarding_flows SET is_active = true WHERE id = 'main'")
