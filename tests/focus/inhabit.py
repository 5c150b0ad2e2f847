from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    user.post(f"/focus/libraries/{library}/tracks", {"track_title": "Rain"})
    user.post("/focus", {"library_id": library})
    user.post("/focus/pause")
