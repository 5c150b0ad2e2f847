from typing import Any

from tests.conftest import User

BELL = {"type": "bug", "title": "The bell rings twice", "description": "After a pause."}


def reported(user: User, **fields: Any) -> dict[str, Any]:
    """A report just sent."""
    report: dict[str, Any] = user.post("/feedback", BELL | fields).data
    return report
