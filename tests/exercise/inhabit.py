from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    own = user.post("/exercise", {"name": "Wall sit", "category": "strength"}).data["id"]
    planned = {"exercise_id": own, "sets": 3, "duration_seconds": 60}
    sections = [{"name": "Main", "section_type": "main", "exercises": [planned]}]
    workout = user.post("/exercise/workouts", {"name": "Legs", "sections": sections}).data["id"]
    user.post("/exercise/sessions/start", {"workout_id": workout})
    user.post("/exercise/sessions/log-set", {"exercise_id": own, "set_number": 1, "duration_seconds": 60})
    user.post("/exercise/sessions/complete")
    user.post("/exercise/sessions/start", {"workout_id": workout})
    user.post("/exercise/sessions/log-set", {"exercise_id": own, "set_number": 1, "duration_seconds": 70})
