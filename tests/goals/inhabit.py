from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    goal = user.post("/goals", {"title": "Write a book"}).data["id"]
    milestone = user.post(f"/goals/{goal}/milestones", {"title": "Chapter one"}).data["id"]
    user.post(f"/goals/milestones/{milestone}/complete")
    user.post(f"/goals/{goal}/milestones", {"title": "Chapter two"})
