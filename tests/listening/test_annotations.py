"""/reference/tracks/{id}/annotations and /reference/annotations/{id}."""

import math
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Client, Database, User, at_once
from tests.listening.music import track
from tests.support.locks import after_a_wait
from tests.support.paging import has_pages

FIELDS = {
    *("id", "track_id", "user_id", "session_id", "start_time_ms", "end_time_ms", "title", "content", "category"),
    *("color", "is_private", "created_at", "updated_at"),
}
COLORS = {
    "general": "#6b7280",
    "technique": "#3b82f6",
    "mix": "#10b981",
    "mastering": "#8b5cf6",
    "arrangement": "#f59e0b",
    "production": "#ef4444",
}


@pytest.fixture
def mix(database: Database, user: User) -> str:
    return track(database, user)


def annotated(user: Client, track_id: str, start: float = 1000, title: str = "Here", **fields: Any) -> dict[str, Any]:
    answer = user.post(f"/reference/tracks/{track_id}/annotations", {"start_time_ms": start, "title": title, **fields})
    assert answer.status == 200, answer.text
    made: dict[str, Any] = answer.json
    return made


def listed(user: Client, track_id: str, **query: str) -> list[dict[str, Any]]:
    answer = user.get(f"/reference/tracks/{track_id}/annotations", query=query)
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"annotations"}
    found: list[dict[str, Any]] = answer.json["annotations"]
    return found


def test_a_moment(user: User, mix: str) -> None:
    made = annotated(user, mix, title="  Here ", content=" ", category=None, color=None, is_private=None)
    assert set(made) == FIELDS
    assert (made["track_id"], made["user_id"], made["session_id"]) == (mix, str(user.id), None)
    assert (made["start_time_ms"], made["end_time_ms"]) == (1000, None)
    assert (made["title"], made["content"], made["category"], made["is_private"]) == ("Here", None, "general", True)
    assert user.get(f"/reference/annotations/{made['id']}").json == made
    assert user.get(f"/api/reference/tracks/{mix}/annotations").json == {"annotations": [made]}


@pytest.mark.parametrize("category", COLORS)
def test_a_category_has_its_color(user: User, mix: str, category: str) -> None:
    assert annotated(user, mix, category=category)["color"] == COLORS[category]
    assert annotated(user, mix, category=category, color="#AbC")["color"] == "#AbC"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(0, 0), (0.4, 0), (0.5, 1), (1.5, 2), (2.5, 3), (86_400_000, 86_400_000), (86_400_000.4, 86_400_000)],
)
def test_times_are_rounded(user: User, mix: str, sent: float, kept: int) -> None:
    made = annotated(user, mix, sent, end_time_ms=sent + 1)
    assert (made["start_time_ms"], made["end_time_ms"]) == (kept, math.floor(sent + 1.5))
    assert isinstance(made["start_time_ms"], int)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"start_time_ms": None}, "start_time_ms"),
        ({"start_time_ms": -1}, "start_time_ms"),
        ({"start_time_ms": -0.6}, "start_time_ms"),
        ({"start_time_ms": 86_400_000.5}, "start_time_ms"),
        ({"start_time_ms": "1"}, "start_time_ms"),
        ({"start_time_ms": True}, "start_time_ms"),
        ({"end_time_ms": 999}, "end_time_ms"),
        ({"end_time_ms": 1000.4}, "end_time_ms"),
        ({"end_time_ms": 2**31}, "end_time_ms"),
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"content": "x" * 10_001}, "content"),
        ({"category": "mood"}, "category"),
        ({"color": "red"}, "color"),
        ({"color": "#12345"}, "color"),
        ({"color": "#1234567"}, "color"),
        ({"color": "#abg"}, "color"),
        ({"color": "#abc\n"}, "color"),
        ({"is_private": 1}, "is_private"),
        ({"session_id": "x"}, "session_id"),
    ],
)
def test_bad_input(user: User, mix: str, fields: dict[str, Any], field: str) -> None:
    made = annotated(user, mix)
    body = {"start_time_ms": 1000, "title": "x"} | fields
    user.post(f"/reference/tracks/{mix}/annotations", body).invalid(field)
    user.patch(f"/reference/annotations/{made['id']}", fields).invalid(field)
    assert listed(user, mix) == [made]


def test_what_is_missing_is_named(user: User, mix: str) -> None:
    user.post(f"/reference/tracks/{mix}/annotations", {}).invalid("start_time_ms", "title")
    user.post(f"/reference/tracks/{mix}/annotations", b'{"start_time_ms": 1e999, "title": "x"}').invalid(
        "start_time_ms"
    )


def test_a_change_is_checked_as_a_whole(user: User, mix: str) -> None:
    made = annotated(user, mix, 1000, end_time_ms=2000, content="a", color="#123456")
    path = f"/reference/annotations/{made['id']}"
    user.patch(path, {"start_time_ms": 2000}).invalid("start_time_ms")
    user.patch(path, {"end_time_ms": 1000}).invalid("end_time_ms")
    user.patch(path, {"start_time_ms": 5000, "end_time_ms": 4000}).invalid("end_time_ms")
    assert user.get(path).json == made
    assert user.patch(path, {}).json | {"updated_at": ""} == made | {"updated_at": ""}
    moved = user.patch(path, {"start_time_ms": 1999, "category": "mix", "is_private": False}).json
    assert (moved["start_time_ms"], moved["category"], moved["color"], moved["content"]) == (
        1999,
        "mix",
        "#123456",
        "a",
    )
    assert moved["is_private"] is False
    moment = user.patch(path, {"end_time_ms": None, "content": None, "color": None, "title": " New "}).json
    assert (moment["end_time_ms"], moment["content"], moment["title"]) == (None, None, "New")
    assert moment["color"] == COLORS["mix"]
    assert moment["updated_at"] > made["updated_at"]
    user.patch(path, {"title": None}).invalid("title")
    user.patch(path, {"category": None}).invalid("category")


def test_the_list_is_by_time(user: User, mix: str) -> None:
    for start in (3000, 1000, 2000, 1000):
        annotated(user, mix, start, category="mix" if start == 1000 else "general")
    found = listed(user, mix)
    keys = [(one["start_time_ms"], one["id"]) for one in found]
    assert keys == sorted(keys)
    assert [one["start_time_ms"] for one in listed(user, mix, category="mix")] == [1000, 1000]
    assert listed(user, mix, category="production") == []
    user.get(f"/reference/tracks/{mix}/annotations", query={"category": "mood"}).invalid("category")


def test_overlaps_are_allowed(user: User, mix: str) -> None:
    for _ in range(2):
        annotated(user, mix, 1000, end_time_ms=2000)
    assert len(listed(user, mix)) == 2


def test_delete(user: User, mix: str) -> None:
    made = annotated(user, mix)
    path = f"/reference/annotations/{made['id']}"
    assert user.delete(path).json == {"success": True}
    for method in ("GET", "PATCH", "DELETE"):
        user.request(method, path).refused(404, "not_found")
    assert listed(user, mix) == []


def test_no_such_track(user: User) -> None:
    for track_id in (str(uuid4()), "nothing"):
        path = f"/reference/tracks/{track_id}/annotations"
        user.get(path).refused(404, "not_found")
        user.get(f"{path}.csv").refused(404, "not_found")
        user.post(path, {"start_time_ms": 0, "title": "x"}).refused(404, "not_found")


def test_the_session_it_was_written_in(user: User, other: User, database: Database, mix: str) -> None:
    session = user.post("/reference/listening/sessions", {"track_id": mix}).json["id"]
    foreign = other.post("/reference/listening/sessions", {"track_id": track(database, other)}).json["id"]
    made = annotated(user, mix, session_id=session)
    assert made["session_id"] == session
    path = f"/reference/annotations/{made['id']}"
    for unknown in (foreign, str(uuid4())):
        body = {"start_time_ms": 0, "title": "x", "session_id": unknown}
        user.post(f"/reference/tracks/{mix}/annotations", body).refused(404, "not_found")
        user.patch(path, {"session_id": unknown}).refused(404, "not_found")
    assert user.patch(path, {"title": "y"}).json["session_id"] == session
    assert user.patch(path, {"session_id": None}).json["session_id"] is None
    assert user.patch(path, {"session_id": session}).json["session_id"] == session
    # a deleted session leaves its annotations
    assert user.delete(f"/reference/listening/sessions/{session}").json == {"success": True}
    assert user.get(path).json["session_id"] is None


def test_strangers_and_others(user: User, other: User, stranger: Client, mix: str) -> None:
    made = annotated(user, mix)
    path = f"/reference/annotations/{made['id']}"
    for method in ("GET", "PATCH", "DELETE"):
        stranger.request(method, path).refused(401, "unauthorized")
        other.request(method, path).refused(404, "not_found")
    for tail in ("annotations", "annotations.csv"):
        stranger.get(f"/reference/tracks/{mix}/{tail}").refused(401, "unauthorized")
        other.get(f"/reference/tracks/{mix}/{tail}").refused(404, "not_found")
    body = {"start_time_ms": 0, "title": "x"}
    other.post(f"/reference/tracks/{mix}/annotations", body).refused(404, "not_found")
    assert listed(user, mix) == [made]


def shares(visibility: str) -> Callable[[User, str], None]:
    def change(user: User, track_id: str) -> None:
        answer = user.patch(f"/reference/tracks/{track_id}", {"visibility": visibility})
        assert answer.status == 200, answer.text

    return change


def test_a_shared_track_shows_its_public_annotations(user: User, other: User, stranger: Client, mix: str) -> None:
    public, private = annotated(user, mix, 2000, is_private=False, category="mix"), annotated(user, mix)
    shares("shared")(user, mix)
    assert listed(user, mix) == [private, public]
    assert listed(other, mix) == [public]
    assert listed(other, mix, category="mix") == [public]
    assert listed(other, mix, category="general") == []
    # nothing else of it is anyone's but the owner's
    path = f"/reference/tracks/{mix}"
    body = {"start_time_ms": 0, "end_time_ms": 1, "title": "x", "name": "x"}
    other.post(f"{path}/annotations", body).refused(404, "not_found")
    other.get(f"{path}/annotations.csv").refused(404, "not_found")
    other.get(f"{path}/regions").refused(404, "not_found")
    other.post(f"{path}/regions", body).refused(404, "not_found")
    other.get(f"{path}/regions/suggestions").refused(404, "not_found")
    other.get(f"/reference/annotations/{public['id']}").refused(404, "not_found")
    other.patch(f"/reference/annotations/{public['id']}", {"title": "y"}).refused(404, "not_found")
    other.delete(f"/reference/annotations/{public['id']}").refused(404, "not_found")
    other.post("/reference/listening/sessions", {"track_id": mix}).refused(404, "not_found")
    stranger.get(f"{path}/annotations").refused(401, "unauthorized")
    assert user.patch(f"/reference/annotations/{public['id']}", {"is_private": True}).status == 200
    assert listed(other, mix) == []
    shares("private")(user, mix)
    other.get(f"{path}/annotations").refused(404, "not_found")


def test_the_table(user: User, mix: str) -> None:
    annotated(user, mix, 61_001, title="=2+2", content="a, b", category="mix")
    annotated(user, mix, 0, end_time_ms=3_600_000, title="Whole")
    answer = user.get(f"/reference/tracks/{mix}/annotations.csv")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == (
        "start,end,title,category,content\r\n"
        "00:00:00.000,01:00:00.000,Whole,general,\r\n"
        '00:01:01.001,,\'=2+2,mix,"a, b"\r\n'
    )


def test_the_list_has_pages(user: User, mix: str) -> None:
    for start in (2000, 1000, 2000):
        annotated(user, mix, start, category="mix")
    annotated(user, mix, 0)
    has_pages(user, f"/reference/tracks/{mix}/annotations", "annotations", category="mix")


def test_a_table_that_is_too_large(user: User, database: Database, mix: str) -> None:
    database.query(
        """
        INSERT INTO track_annotations (user_id, track_id, start_time_ms, title, color, content)
        SELECT user_id, id, n, 'x', '#000', repeat('x', 10000)
          FROM reference_tracks, generate_series(1, 525) AS n WHERE id = %s
        """,
        mix,
    )
    database.query("SELECT count_totals(%s)", user.id)
    path = f"/reference/tracks/{mix}/annotations"
    assert user.get(f"{path}.csv").refused(413, "answer_too_large") == {"limit_bytes": 5 * 1024 * 1024}
    page = user.get(path).refused(413, "answer_too_large")["page_size"]
    assert user.get(path, query={"page_size": page}).json["total"] == 525


def test_no_more_than_2000_of_a_track_also_at_once(user: User, database: Database, mix: str) -> None:
    database.query(
        """
        INSERT INTO track_annotations (user_id, track_id, start_time_ms, title, color)
        SELECT user_id, id, n, 'x', '#000' FROM reference_tracks, generate_series(1, 1999) AS n WHERE id = %s
        """,
        mix,
    )
    database.query("SELECT count_totals(%s)", user.id)
    path, body = f"/reference/tracks/{mix}/annotations", {"start_time_ms": 0, "title": "x"}
    answers = at_once(4, lambda: user.post(path, body))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert user.post(path, body).refused(409, "limit_reached") == {"limit": 2000}
    assert annotated(user, track(database, user))["title"] == "Here"


def test_the_same_key_annotates_once(user: User, mix: str) -> None:
    path, body = f"/reference/tracks/{mix}/annotations", {"start_time_ms": 0, "title": "x"}
    first, again = (user.post(path, body, headers={"Idempotency-Key": "once"}).json for _ in range(2))
    assert first == again
    assert listed(user, mix) == [first]


def test_moments_are_those_after_the_wait(user: User, database: Database, mix: str) -> None:
    made, released = after_a_wait(database, user, lambda: annotated(user, mix))
    assert made["created_at"] >= released.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
