from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    entry = user.post("/infobase", {"title": "Gain staging", "content": "Leave headroom.", "tags": ["mixing"]}).data
    user.put(f"/infobase/{entry['id']}", {"content": "Leave *more* headroom."})
    trashed = user.post("/infobase", {"title": "Old hat", "category": "Myths", "is_pinned": True}).data
    user.delete(f"/infobase/{trashed['id']}")
