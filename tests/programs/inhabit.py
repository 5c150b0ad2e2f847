from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    program = user.post("/exercise/programs/from-template", {"template_key": "full_body_start"}).data
    user.post(f"/exercise/programs/{program['id']}/activate")
