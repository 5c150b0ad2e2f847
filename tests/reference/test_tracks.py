"""Tracks: uploaded to the bucket, registered, listed, changed, streamed, deleted."""

from typing import Any

from tests.conftest import User
from tests.reference.uploads import begin, register, tone, upload
from tests.support import bucket


def ids(answer: Any) -> list[str]:
    return [track["id"] for track in answer.json["data"]]


def test_a_file_comes_back_as_it_went(user: User) -> None:
    content = tone()
    track = register(user, content, name="  Tone ", tags=["sine", " sine "], artist="Nobody")
    assert track["status"] == "ready"
    assert (track["name"], track["tags"], track["artist"]) == ("Tone", ["sine"], "Nobody")
    assert track["file_size_bytes"] == len(content)
    assert (track["duration_seconds"], track["sample_rate"], track["channels"], track["bit_depth"]) == (
        0.5,
        8000,
        1,
        16,
    )
    assert track["r2_key"].startswith(f"{user.id}/audio/")
    assert track["r2_key"].endswith(".wav")

    stream = user.get(f"/reference/tracks/{track['id']}/stream").json
    assert stream["method"] == "GET"
    assert bucket.send("GET", stream["url"]) == (200, content)
    assert bucket.send("GET", stream["url"], headers={"Range": "bytes=10-19"}) == (206, content[10:20])

    assert user.delete(f"/reference/tracks/{track['id']}").json == {"success": True}
    assert bucket.send("GET", stream["url"])[0] == 404
    user.delete(f"/reference/tracks/{track['id']}").refused(404, "not_found")
    assert bucket.keys(f"{user.id}/") == set()


def test_the_same_key_is_registered_once(user: User) -> None:
    first = register(user)
    again = user.post("/reference/tracks", {"name": "Another name", "r2_key": first["r2_key"]}).json
    assert again == first


def test_a_track_without_its_file_waits_for_it(user: User) -> None:
    started = begin(user, tone())
    sent = {"name": "Late", "r2_key": started["r2_key"], "file_size_bytes": 99}
    track = user.post("/reference/tracks", sent).json
    assert (track["status"], track["file_size_bytes"]) == ("uploading", 99)
    user.get(f"/reference/tracks/{track['id']}/stream").refused(404, "not_found")
    bucket.send("PUT", started["url"], tone())
    assert user.get(f"/reference/tracks/{track['id']}/play").status == 200
    [found] = user.get("/reference/tracks").json["data"]
    assert (found["status"], found["file_size_bytes"], found["sample_rate"]) == ("ready", len(tone()), 8000)


def test_a_key_is_registered_by_who_got_it(user: User, other: User) -> None:
    key = upload(user, tone())
    other.post("/reference/tracks", {"name": "Mine?", "r2_key": key}).refused(404, "not_found")
    user.post("/reference/tracks", {"name": "x", "r2_key": f"{user.id}/audio/x.wav"}).refused(404, "not_found")


def test_tracks_are_listed_and_found(user: User) -> None:
    first = register(user, name="Alpha", artist="100% Noise", tags=["loud"])["id"]
    second = register(user, name="Beta", album="Noise Floor")["id"]
    assert ids(user.get("/reference/tracks")) == [second, first]
    assert ids(user.get("/reference/tracks", query={"q": "noise"})) == [second, first]
    assert ids(user.get("/reference/tracks", query={"q": "0% n"})) == [first]
    assert ids(user.get("/reference/tracks", query={"q": "_"})) == []
    assert ids(user.get("/reference/tracks", query={"tag": "loud"})) == [first]
    assert ids(user.get("/reference/tracks", query={"tag": "lou"})) == []
    assert ids(user.get("/reference/tracks", query={"status": "error"})) == []
    page = user.get("/reference/tracks", query={"page": 2, "page_size": 1}).json
    assert [track["id"] for track in page.pop("data")] == [first]
    assert page == {"total": 2, "page": 2, "page_size": 1, "has_next": False, "has_prev": True}
