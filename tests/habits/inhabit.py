from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    habit = user.post("/habits", {"name": "Read"}).data["id"]
    user.post(f"/habits/{habit}/complete", {"notes": "two chapters"})
    user.post("/habits/{}/skip".format(user.post("/habits", {"name": "Run"}).data["id"]))
    drink = user.post(
        "/habits", {"name": "Water", "kind": "amount", "target_amount": 2, "unit": "l", "group": "Health"}
    )
    user.post(f"/habits/{drink.data['id']}/log", {"amount": 0.5, "notes": "before breakfast"})
    daily = {"id": "d", "text": "Stretch", "history": [{"date": 1930287600000, "isDue": True, "completed": True}]}
    slip = {"id": "s", "text": "Sweets", "down": True, "history": [{"date": 1730287600000, "scoredDown": 1}]}
    tasks = {"dailys": [daily], "habits": [slip], "todos": [{"id": "t", "text": "Call home"}]}
    user.post("/habits/import", {"tasks": tasks})
    [sweets] = [habit for habit in user.get("/habits").data["habits"] if habit["name"] == "Sweets"]
    user.post(f"/habits/{sweets['id']}/kept")
