from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    habit = user.post("/habits", {"name": "Read"}).data["id"]
    user.post(f"/habits/{habit}/complete", {"notes": "two chapters"})
    user.post("/habits/{}/skip".format(user.post("/habits", {"name": "Run"}).data["id"]))
