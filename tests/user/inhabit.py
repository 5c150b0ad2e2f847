from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account. A setting is found by its key: one is an id."""
    user.put("/user/settings", {"theme": "dark"})
    [stored] = user.get("/settings").json["settings"]
    user.post("/settings", {"key": stored["id"], "value": 1})
    user.post("/user/imports", {"size_bytes": 1000})
    user.post("/user/exports", {"include_audio": False})
