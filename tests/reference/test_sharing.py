"""Sharing: who sees whose tracks, and what of them. Everything else of another user's is 404."""

import pytest

from tests.conftest import Answer, Client, Database, User
from tests.reference.uploads import register, tone
from tests.reference.working import start, work
from tests.support import bucket


def share(user: User, track_id: str, visibility: str = "shared") -> None:
    assert user.patch(f"/reference/tracks/{track_id}", {"visibility": visibility}).json["visibility"] == visibility


def browse(client: Client, email: str, **query: object) -> Answer:
    return client.get("/reference/browse", query={"email": email, **query})


def test_a_track_is_private_until_it_is_shared(user: User, other: User) -> None:
    track = register(user)["id"]
    analysis = start(user, track)["id"]
    work(analysis)
    paths = [
        f"/reference/tracks/{track}{rest}" for rest in ("", "/stream", "/play", "/waveform", "/analysis", "/analyses")
    ]
    paths += [f"/frames/analysis/{analysis}{rest}" for rest in ("/manifest", "/chunks/0", "/events")]
    for path in paths:
        other.get(path).refused(404, "not_found")
        assert user.get(path).status == 200, path
    share(user, track)
    for path in paths:
        assert other.get(path).status == (200 if path in paths[:3] else 404), path
    other.get("/analysis", query={"track_id": track}).refused(404, "not_found")
    other.post(f"/reference/tracks/{track}/analysis").refused(404, "not_found")
    other.patch(f"/reference/tracks/{track}", {"name": "Mine"}).refused(404, "not_found")
    other.delete(f"/reference/tracks/{track}").refused(404, "not_found")
    share(user, track, "private")
    for path in paths:
        other.get(path).refused(404, "not_found")
    assert user.get(f"/reference/tracks/{track}").status == 200


def test_others_see_a_track_without_its_key_and_what_is_private(user: User, other: User) -> None:
    content = tone()
    track = register(user, content, name="Mine")
    work(start(user, track["id"])["id"])
    user.post(f"/reference/tracks/{track['id']}/annotations", {"start_time_ms": 0, "title": "Hidden"})
    public = {"start_time_ms": 0, "title": "Shown", "is_private": False}
    user.post(f"/reference/tracks/{track['id']}/annotations", public)
    user.post(f"/reference/tracks/{track['id']}/regions", {"start_time_ms": 0, "end_time_ms": 9, "name": "Begin"})
    share(user, track["id"])
    own = user.get(f"/reference/tracks/{track['id']}").json
    assert (own["annotation_count"], own["region_count"]) == (2, 1)
    assert own["latest_analysis"]["status"] == "completed"
    assert own["track"]["r2_key"] == track["r2_key"]
    seen = other.get(f"/reference/tracks/{track['id']}").json
    assert seen == {
        "track": {**own["track"], "r2_key": ""},
        "annotation_count": 1,
        "region_count": 0,
        "latest_analysis": None,
    }
    url = other.get(f"/reference/tracks/{track['id']}/stream").json["url"]
    assert bucket.send("GET", url) == (200, content)


def test_browse_shows_what_is_shared(user: User, other: User) -> None:
    first, hidden, last = (register(user, name=name) for name in ("First", "Hidden", "Last"))
    share(user, first["id"])
    share(user, last["id"])
    answer = browse(other, f" {user.email.upper()} ").json
    assert (answer["user_email"], answer["user_name"], answer["total"]) == (user.email, "Test", 2)
    assert [track["id"] for track in answer["tracks"]] == [last["id"], first["id"]]
    assert {track["r2_key"] for track in answer["tracks"]} == {""}
    assert hidden["id"] not in str(answer)
    page = browse(other, user.email, page=2, page_size=1).json
    assert ([track["id"] for track in page["tracks"]], page["total"], page["page"]) == ([first["id"]], 2, 2)
    past = browse(other, user.email, page=3, page_size=1).json
    assert (past["tracks"], past["total"]) == ([], 2)


def test_browsing_oneself_shows_all(user: User) -> None:
    assert browse(user, user.email).json["tracks"] == []
    track = register(user)
    answer = browse(user, user.email.upper()).json
    assert [found["id"] for found in answer["tracks"]] == [track["id"]]
    assert answer["tracks"][0]["r2_key"] == track["r2_key"]


def test_nobody_can_tell_who_is_there(user: User, other: User, database: Database) -> None:
    register(user)
    answers = [browse(other, email) for email in (user.email, "nobody@questlog.test", "%", "no address")]
    errors = [answer.refused(404, "not_found") or answer.error["message"] for answer in answers]
    assert len(set(errors)) == 1
    other.get("/reference/browse").invalid("email")


def test_a_suspended_user_shares_nothing(user: User, other: User, database: Database) -> None:
    track = register(user)["id"]
    share(user, track)
    assert browse(other, user.email).status == 200
    database.query("UPDATE users SET approved = false WHERE id = %s RETURNING id", user.id)
    browse(other, user.email).refused(404, "not_found")
    for rest in ("", "/stream", "/annotations"):
        other.get(f"/reference/tracks/{track}{rest}").refused(404, "not_found")


@pytest.mark.parametrize("visibility", ["public", None, 1])
def test_visibility_is_one_of_two(user: User, visibility: object) -> None:
    track = register(user)["id"]
    user.patch(f"/reference/tracks/{track}", {"visibility": visibility}).invalid("visibility")
