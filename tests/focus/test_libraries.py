from uuid import uuid4

import pytest

from tests.conftest import Client, Database, User, at_once
from tests.reference.uploads import register
from tests.support import factories
from tests.support.locks import after_a_wait


def test_a_library_with_everything(user: User) -> None:
    library = user.post(
        "/focus/libraries",
        {"name": " Evening ", "description": "calm", "preset_durations": [25, 50], "default_duration": 25},
    ).data
    assert {key: library[key] for key in library if key not in ("id", "created_at", "updated_at")} == {
        "name": "Evening",
        "description": "calm",
        "library_type": "custom",
        "tracks_count": 0,
        "is_favorite": False,
        "preset_durations": [25, 50],
        "default_duration": 25,
    }
    assert user.get(f"/focus/libraries/{library['id']}").data == library


def test_a_name_one_has_already_answers_that_library(user: User, other: User) -> None:
    first = user.post("/focus/libraries", {"name": "Evening"}).data
    assert user.post("/focus/libraries", {"name": "EVENING", "description": "new"}).data == first
    assert other.post("/focus/libraries", {"name": "Evening"}).data["id"] != first["id"]
    answers = at_once(5, lambda: user.post("/focus/libraries", {"name": "Morning"}).data["id"])
    assert len(set(answers)) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "x", "description": "x" * 2001}, "description"),
        ({"name": "x", "library_type": ""}, "library_type"),
        ({"name": "x", "preset_durations": [0]}, "preset_durations.0"),
        ({"name": "x", "preset_durations": [5] * 11}, "preset_durations"),
        ({"name": "x", "default_duration": 241}, "default_duration"),
    ],
)
def test_bad_input_is_named(user: User, body: dict[str, object], field: str) -> None:
    user.post("/focus/libraries", body).invalid(field)


def test_favourites_come_first_then_the_newest(user: User) -> None:
    ids = [user.post("/focus/libraries", {"name": name}).data["id"] for name in "abc"]
    assert user.post(f"/focus/libraries/{ids[0]}/favorite").data["is_favorite"] is True
    listed = user.get("/focus/libraries").data
    assert [library["id"] for library in listed["libraries"]] == [ids[0], ids[2], ids[1]]
    assert (listed["total"], listed["page"], listed["page_size"]) == (3, 1, 50)
    assert user.post(f"/focus/libraries/{ids[0]}/favorite").data["is_favorite"] is False


def test_changes(user: User) -> None:
    one, two = (user.post("/focus/libraries", {"name": name, "default_duration": 5}).data for name in ("one", "two"))
    path = f"/focus/libraries/{one['id']}"
    user.patch(path, {"name": "Two"}).refused(409, "name_taken")
    assert user.patch(path, {"name": "ONE"}).data["name"] == "ONE"
    changed = user.patch(path, {"default_duration": None, "is_favorite": True}).data
    assert (changed["default_duration"], changed["is_favorite"], changed["name"]) == (None, True, "ONE")
    user.patch(path, {"name": None}).invalid("name")
    user.patch(path, {"is_favorite": "true"}).invalid("is_favorite")
    assert user.get(f"/focus/libraries/{two['id']}").data == two


def test_deleting_keeps_its_sessions(user: User) -> None:
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    user.post(f"/focus/libraries/{library}/tracks", {"track_title": "Rain"})
    session = factories.focus_session(user, library_id=library)
    assert user.delete(f"/focus/libraries/{library}").data == {"success": True, "id": library}
    assert user.get(f"/focus/{session['id']}").data["library_id"] is None
    user.get(f"/focus/libraries/{library}/tracks").refused(404, "not_found")
    user.delete(f"/focus/libraries/{library}").refused(404, "not_found")


def test_tracks_in_order(user: User) -> None:
    path = f"/focus/libraries/{user.post('/focus/libraries', {'name': 'Desk'}).data['id']}"
    added = at_once(4, lambda: user.post(f"{path}/tracks", {"track_title": "Rain"}).data)
    last = user.post(
        f"{path}/tracks", {"track_title": "Wind", "track_url": "https://a.test/w", "duration_seconds": 0}
    ).data
    listed = user.get(f"{path}/tracks").data
    assert [track["sort_order"] for track in listed["tracks"]] == [1, 2, 3, 4, 5]
    assert listed["tracks"][-1] == last
    assert listed["total"] == 5 == user.get(path).data["tracks_count"]
    gone = added[0]["id"]
    assert user.delete(f"{path}/tracks/{gone}").data == {"success": True, "id": gone}
    user.delete(f"{path}/tracks/{gone}").refused(404, "not_found")
    assert user.get(path).data["tracks_count"] == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "track_title"),
        ({"track_title": "x", "track_url": "http://a.test"}, "track_url"),
        ({"track_title": "x", "duration_seconds": 86401}, "duration_seconds"),
        ({"track_title": "x", "track_id": "7"}, "track_id"),
    ],
)
def test_bad_tracks_are_named(user: User, body: dict[str, object], field: str) -> None:
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    user.post(f"/focus/libraries/{library}/tracks", body).invalid(field)


def test_an_unknown_reference_track_is_absent(user: User) -> None:
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    body = {"track_title": "x", "track_id": str(uuid4())}
    user.post(f"/focus/libraries/{library}/tracks", body).refused(404, "not_found")


def test_a_library_may_name_a_reference_track(user: User, other: User) -> None:
    mine, theirs = register(user)["id"], register(other, visibility="shared")["id"]
    path = f"/focus/libraries/{user.post('/focus/libraries', {'name': 'Desk'}).data['id']}/tracks"
    added = user.post(path, {"track_title": "Tone", "track_id": mine}).data
    assert added["track_id"] == mine
    user.post(path, {"track_title": "Tone", "track_id": theirs}).refused(404, "not_found")
    assert user.get(path).data == {"tracks": [added], "total": 1}
    assert user.delete(f"/reference/tracks/{mine}").status < 300
    assert user.get(path).data == {"tracks": [added | {"track_id": None}], "total": 1}
    user.post(path, {"track_title": "Tone", "track_id": mine}).refused(404, "not_found")


def test_a_track_that_is_named_meanwhile_can_be_deleted(user: User, database: Database) -> None:
    track = register(user)["id"]
    path = f"/focus/libraries/{user.post('/focus/libraries', {'name': 'Desk'}).data['id']}/tracks"
    deleted, _ = after_a_wait(
        database,
        user,
        lambda: user.delete(f"/reference/tracks/{track}"),
        meanwhile="INSERT INTO focus_library_tracks (library_id, track_id, track_title, sort_order)"
        " SELECT l.id, t.id, 'Tone', 1 FROM focus_libraries AS l, reference_tracks AS t",
    )
    assert deleted.status < 300
    assert [row["track_id"] for row in user.get(path).data["tracks"]] == [None]


def test_limits(user: User, database: Database) -> None:
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    database.query(
        "INSERT INTO focus_libraries (user_id, name) SELECT %s, 'n' || n FROM generate_series(1, 98) AS n", user.id
    )
    answers = at_once(4, lambda: user.post("/focus/libraries", {"name": str(uuid4())}).status)
    assert sorted(answers) == [200, 409, 409, 409]
    assert user.post("/focus/libraries", {"name": "DESK"}).data["id"] == library
    assert user.post("/focus/libraries", {"name": "one more"}).refused(409, "limit_reached") == {"limit": 100}
    database.query(
        "INSERT INTO focus_library_tracks (user_id, library_id, track_title, sort_order)"
        " SELECT %s, %s, 't', n FROM generate_series(1, 500) AS n",
        user.id,
        library,
    )
    body = {"track_title": "one more"}
    user.post(f"/focus/libraries/{library}/tracks", body).refused(409, "limit_reached")


def test_someone_elses_library_is_absent_on_every_verb(user: User, other: User, stranger: Client) -> None:
    library = user.post("/focus/libraries", {"name": "Desk"}).data
    path = f"/focus/libraries/{library['id']}"
    track = user.post(f"{path}/tracks", {"track_title": "Rain"}).data
    library["tracks_count"] = 1
    for client, status, error in ((other, 404, "not_found"), (stranger, 401, "unauthorized")):
        client.get(path).refused(status, error)
        client.patch(path, {"name": "Mine"}).refused(status, error)
        client.delete(path).refused(status, error)
        client.post(f"{path}/favorite").refused(status, error)
        client.get(f"{path}/tracks").refused(status, error)
        client.post(f"{path}/tracks", {"track_title": "x"}).refused(status, error)
        client.delete(f"{path}/tracks/{track['id']}").refused(status, error)
    assert user.get(path).data == library
    assert user.get(f"{path}/tracks").data == {"tracks": [track], "total": 1}
