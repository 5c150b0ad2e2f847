from tests.conftest import User
from tests.reference.uploads import register, tone
from tests.reference.working import start, work


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    track = register(user, tone(0.2))
    work(start(user, track["id"])["id"])
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    named = user.post(f"/focus/libraries/{library}/tracks", {"track_title": "Tone", "track_id": track["id"]})
    assert named.status == 200, named.text
