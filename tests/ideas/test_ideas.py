"""Ideas: captured, listed, searched, changed and deleted."""

from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.ideas.conftest import added, changed, listed
from tests.support.locks import after_a_wait


def test_a_new_idea_has_what_was_sent_and_the_defaults(user: User) -> None:
    idea = added(user, " A bridge in 7/8 ")
    assert idea == user.get(f"/ideas/{idea['id']}").data
    assert {**idea, "id": 0, "created_at": 0, "updated_at": 0} == {
        "id": 0,
        "title": "A bridge in 7/8",
        "content": None,
        "category": "general",
        "tags": [],
        "is_pinned": False,
        "is_archived": False,
        "key": None,
        "bpm": None,
        "mood": None,
        "promoted_to": [],
        "created_at": 0,
        "updated_at": 0,
    }
    sent = {"content": "  bells\n", "category": "song", "tags": ["bells"], "key": "F#m", "bpm": 140, "is_pinned": True}
    whole = added(user, "Other", **sent)
    assert {name: whole[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("first\nsecond", "first"),
        ("\n \t\n  first  \nsecond", "first"),
        ("x" * 300, "x" * 200),
        ("x" * 199 + " y", "x" * 199),
        ("one\r\ntwo", "one"),
    ],
)
def test_without_a_title_the_first_line_is_one(user: User, content: str, title: str) -> None:
    idea = user.post("/ideas", {"content": content}).data
    assert (idea["title"], idea["content"]) == (title, content)


@pytest.mark.parametrize("sent", [{}, {"content": " \n"}, {"title": None, "content": None}, {"mood": "calm"}])
def test_an_idea_says_something(user: User, sent: dict[str, Any]) -> None:
    user.post("/ideas", sent).invalid("title")


@pytest.mark.parametrize(
    ("field", "fits", "does_not"),
    [
        ("title", ["x" * 200], ["", " ", "x" * 201, 1]),
        ("content", ["x" * 20_000, None, " "], ["x" * 20_001, 1]),
        ("category", ["x" * 50], ["", "x" * 51, None]),
        ("tags", [[], ["x" * 50]], [[str(n) for n in range(21)], None]),
        ("key", ["x" * 20, None, " "], ["x" * 21, 1]),
        ("bpm", [20, 400, None], [19, 401, "90", 90.5]),
        ("mood", ["x" * 40, None, " "], ["x" * 41, 1]),
        ("is_pinned", [True, False], [None, 1]),
    ],
)
def test_limits(user: User, field: str, fits: list[Any], does_not: list[Any]) -> None:
    idea = added(user)
    for value in fits:
        assert user.post("/ideas", {"title": "T"} | {field: value}).status == 200
        now = changed(user, idea, **{field: value})
        assert now[field] == (None if value == " " else value)
    for value in does_not:
        user.post("/ideas", {"title": "T"} | {field: value}).invalid(field)
        user.put(f"/ideas/{idea['id']}", {field: value}).invalid(field)
    user.put(f"/ideas/{idea['id']}", {"title": None}).invalid("title")


def test_a_mood_is_a_tag_too(user: User) -> None:
    idea = added(user, tags=["bells"], mood="Calm")
    assert (idea["mood"], idea["tags"]) == ("Calm", ["bells", "Calm"])
    assert added(user, tags=["calm", "x"], mood="Calm")["tags"] == ["calm", "x"]
    twenty = [str(n) for n in range(20)]
    assert added(user, tags=twenty, mood="Calm")["tags"] == twenty


def test_a_changed_mood_takes_its_old_tag_along(user: User) -> None:
    idea = added(user, tags=["a"], mood="calm")
    assert changed(user, idea, mood="wild")["tags"] == ["a", "wild"]
    assert changed(user, idea, mood="WILD")["tags"] == ["a", "wild"]
    assert changed(user, idea, title="x")["tags"] == ["a", "wild"]
    assert changed(user, idea, mood="sad", tags=["b", "wild"])["tags"] == ["b", "sad"]
    assert changed(user, idea, tags=["c"])["tags"] == ["c"]
    assert changed(user, idea, mood="sad")["tags"] == ["c", "sad"]
    cleared = changed(user, idea, mood=None)
    assert (cleared["mood"], cleared["tags"]) == (None, ["c"])


def test_an_id_of_the_client_is_taken_once(user: User, other: User) -> None:
    sent = {"id": str(uuid4()), "title": "First"}
    answers = at_once(3, lambda: user.post("/ideas", sent))
    assert {answer.data["id"] for answer in answers} == {sent["id"]}
    assert user.post("/ideas", sent | {"title": "Second"}).data["title"] == "First"
    assert other.post("/ideas", sent | {"title": "Theirs"}).data["title"] == "Theirs"
    assert listed(user) == ["First"]


def test_absent_keeps_and_null_clears(user: User) -> None:
    idea = added(user, content="text", category="song", tags=["a"], key="C", bpm=90, is_pinned=True)
    now = changed(user, idea, bpm=None)
    assert {**now, "bpm": 90, "updated_at": idea["updated_at"]} == idea
    assert now["updated_at"] > idea["updated_at"]
    assert changed(user, idea) == changed(user, idea, bpm=None) == now
    assert user.patch(f"/ideas/{idea['id']}", {"content": None, "key": ""}).data["content"] is None


def test_pinned_first_then_the_newest(user: User, clock: Clock) -> None:
    clock.set("2031-05-07T12:00:00Z")
    ideas = []
    for title in ("a", "b", "c"):
        clock.advance("PT1M")
        ideas.append(added(user, title))
    assert listed(user) == ["c", "b", "a"]
    changed(user, ideas[0], is_pinned=True)
    changed(user, ideas[1], content="x")
    assert listed(user) == ["a", "c", "b"]


def test_archived_ideas_have_a_list_of_their_own(user: User) -> None:
    idea = added(user, "One", content="bells")
    added(user, "Two", content="bells")
    assert changed(user, idea, is_archived=True)["is_archived"] is True
    for search in ({}, {"search": "bells"}):
        assert listed(user, **search) == ["Two"]
        assert listed(user, archived="true", **search) == ["One"]
    assert user.get(f"/ideas/{idea['id']}").data["title"] == "One"


def test_filters_combine(user: User) -> None:
    added(user, "One", category="A", tags=["x", "y"], content="bells")
    added(user, "Two", category="A", tags=["X"], content="bells")
    added(user, "Three", category="B", tags=["y"], content="bells")
    for search in ({}, {"search": "bells"}):
        assert set(listed(user, category="A", **search)) == {"One", "Two"}
        assert set(listed(user, tag="X", **search)) == {"One", "Two"}
        assert listed(user, category="A", tag="y", **search) == ["One"]
        assert listed(user, category="a", **search) == []


def test_the_search_is_the_infobases(user: User) -> None:
    added(user, "Bells", content="mixing 日本語のテスト")
    added(user, "Other", content="Café bells, no drums")
    user.post("/infobase", {"title": "Entry", "content": "bells"})
    assert listed(user, search="bells") == ["Bells", "Other"]
    assert listed(user, search="テスト") == listed(user, search="mixes") == ["Bells"]
    assert listed(user, search="cafe -mix") == listed(user, search='"no drums"') == ["Other"]
    for hostile in ("'", ":*", '"', "(" * 200, "%"):
        assert listed(user, search=hostile) == []
    user.get("/ideas", query={"search": "x" * 201}).invalid("search")
    [entry] = user.get("/infobase", query={"search": "bells"}).data["entries"]
    assert entry["title"] == "Entry"


def test_pages(user: User) -> None:
    for n in range(5):
        added(user, f"E{n}", content="bells")
    for search in ({}, {"search": "bells"}):
        pages = [user.get("/ideas", query={"page": n, "page_size": 2} | search).data for n in (1, 2, 3, 4)]
        titles = [[idea["title"] for idea in page["ideas"]] for page in pages]
        assert titles == [["E4", "E3"], ["E2", "E1"], ["E0"], []]
        assert [(page["total"], page["page"], page["page_size"]) for page in pages] == [(5, n, 2) for n in (1, 2, 3, 4)]
    for query in ({"page": 0}, {"page_size": 101}, {"archived": "yes"}, {"tag": "x" * 51}, {"category": "x" * 51}):
        user.get("/ideas", query=query).invalid(*query)


def test_a_deleted_idea_is_gone(user: User, database: Database) -> None:
    idea = added(user, content="bells")
    assert user.delete(f"/ideas/{idea['id']}").data == {"success": True}
    assert user.delete(f"/ideas/{idea['id']}").status == user.get(f"/ideas/{idea['id']}").status == 404
    assert listed(user) == listed(user, search="bells") == []
    for table in ("ideas", "search_documents", "search_words"):
        assert database.query(f"SELECT FROM {table} WHERE user_id = %s", user.id) == []


def test_there_is_a_limit(user: User, database: Database) -> None:
    # What 19,966 ideas would leave of not being pinned: 311 full blocks, and one with two bits free.
    database.query(
        "INSERT INTO search_words (user_id, source, word, block, entries, headings, titles)"
        " SELECT %s, 'ideas', '/unpinned', n, CASE WHEN n = 312 THEN (1::bigint << 62) - 1 ELSE -1 END, 0, 0"
        "   FROM generate_series(1, 312) AS n",
        user.id,
    )
    for n in range(34):
        added(user, f"E{n}")
    assert user.post("/ideas", {"title": "Too many"}).refused(409, "limit_reached") == {"limit": 20_000}


@pytest.mark.parametrize("move", ["add", "change", "delete", "promote"])
def test_every_write_waits_for_the_lock(user: User, database: Database, move: str) -> None:
    idea = added(user)
    at = f"/ideas/{idea['id']}"
    call = {
        "add": lambda: user.post("/ideas", {"title": "Two"}),
        "change": lambda: user.put(at, {"title": "Two"}),
        "delete": lambda: user.delete(at),
        "promote": lambda: user.post(f"{at}/promote", {"to": "quest"}),
    }[move]
    answer, _ = after_a_wait(database, user, call)
    assert answer.status == 200


def test_strangers_and_others_see_nothing(stranger: Client, user: User, new_user: NewUser) -> None:
    idea = added(user, content="bells")
    at = f"/ideas/{idea['id']}"
    stranger.get("/ideas").refused(401, "unauthorized")
    other = new_user()
    for answer in (
        other.get(at),
        other.put(at, {"title": "x"}),
        other.delete(at),
        other.post(f"{at}/promote", {"to": "plan"}),
    ):
        answer.refused(404, "not_found")
    assert listed(other) == listed(other, search="bells") == []
    assert user.get(at).data == idea
