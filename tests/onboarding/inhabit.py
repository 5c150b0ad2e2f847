from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    user.post("/onboarding/start")
    user.post("/onboarding/step", {"step_id": "step_welcome"})
    user.post("/onboarding/step", {"step_id": "step_interests", "response": ["focus", "music"]})
