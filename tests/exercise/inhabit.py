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
    header = "Date,Workout Name,Exercise Name,Set Order,Weight (kg),Reps\n"
    imported = header + "2031-05-01 18:30:00,Push,Log Press (Axle),1,60,5\n2031-05-02 18:30:00,Pull,Deadlift,1,90,5\n"
    user.post("/exercise/import", {"csv": imported})
    [pull] = [one["id"] for one in user.get("/exercise/sessions").data["sessions"] if one["workout_name"] == "Pull"]
    user.delete(f"/exercise/sessions/{pull}")
