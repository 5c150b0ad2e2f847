"""Entries: written, changed, listed, thrown away and taken back."""

from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.infobase.conftest import added, changed, found, listed
from tests.support.locks import after_a_wait


def test_a_new_entry_has_what_was_sent_and_the_defaults(user: User) -> None:
    entry = added(user, "  Gain staging ", "  # *Leave* headroom\n")
    assert entry == user.get(f"/infobase/{entry['id']}").data
    assert (entry["title"], entry["content"], entry["category"]) == ("Gain staging", "  # *Leave* headroom\n", "Tips")
    assert (entry["tags"], entry["is_pinned"], entry["version"], entry["deleted_at"]) == ([], False, 1, None)
    assert entry["created_at"] == entry["updated_at"]
    assert "snippet" not in entry
    whole = added(user, "Other", "x", category=" Drums ", tags=[" Mix ", "", "mix", "EQ"], is_pinned=True)
    assert (whole["category"], whole["tags"], whole["is_pinned"]) == ("Drums", ["Mix", "EQ"], True)


@pytest.mark.parametrize(
    ("field", "fits", "does_not"),
    [
        ("title", ["x", "x" * 200], ["", " ", "x" * 201, None, 1]),
        ("content", ["", "x" * 100_000], ["x" * 100_001, None, 1]),
        ("category", ["x", "x" * 50], ["", "x" * 51, None]),
        (
            "tags",
            [[], [str(n) for n in range(20)] + ["0", " "], ["x" * 50]],
            [[str(n) for n in range(21)], ["x" * 51], "x"],
        ),
        ("is_pinned", [True, False], [None, "true", 1]),
    ],
)
def test_limits(user: User, field: str, fits: list[Any], does_not: list[Any]) -> None:
    entry = added(user)
    for value in fits:
        assert user.post("/infobase", {"title": "T"} | {field: value}).status == 200
        assert user.put(f"/infobase/{entry['id']}", {field: value}).status == 200
    for value in does_not:
        named = "tags.0" if value == ["x" * 51] else field
        user.post("/infobase", {"title": "T"} | {field: value}).invalid(named)
        user.put(f"/infobase/{entry['id']}", {field: value}).invalid(named)


def test_a_title_is_required(user: User) -> None:
    user.post("/infobase", {"content": "x"}).invalid("title")


def test_an_id_of_the_client_is_taken_once(user: User, other: User) -> None:
    sent = {"id": str(uuid4()), "title": "First"}
    entry = user.post("/infobase", sent).data
    assert entry["id"] == sent["id"]
    assert user.post("/infobase", sent | {"title": "Second"}).data == entry
    assert other.post("/infobase", sent | {"title": "Theirs"}).data["title"] == "Theirs"
    assert listed(user) == ["First"]
    user.delete(f"/infobase/{sent['id']}")
    assert user.post("/infobase", sent).data["deleted_at"] is not None
    user.post("/infobase", sent | {"id": "x"}).invalid("id")


def test_the_same_id_twice_at_once_makes_one(user: User) -> None:
    sent = {"id": str(uuid4()), "title": "Once", "content": "drums"}
    answers = at_once(4, lambda: user.post("/infobase", sent))
    assert {answer.data["id"] for answer in answers} == {sent["id"]}
    assert found(user, "drums") == ["Once"]


def test_a_replay_makes_one(user: User) -> None:
    sent = {"title": "Once"}
    first = user.post("/infobase", sent, headers={"idempotency-key": "k"})
    again = user.post("/infobase", sent, headers={"idempotency-key": "k"})
    assert first.data == again.data
    assert listed(user) == ["Once"]


def test_absent_keeps(user: User) -> None:
    entry = added(user, "One", "text", category="Drums", tags=["a"], is_pinned=True)
    now = changed(user, entry, title="Two")
    assert {**now, "title": "One", "version": 1, "updated_at": entry["updated_at"]} == entry
    assert now["version"] == 2
    assert now["updated_at"] > entry["updated_at"]
    assert user.patch(f"/infobase/{entry['id']}", {"tags": []}).data["tags"] == []


def test_a_change_of_nothing_is_none(user: User) -> None:
    entry = added(user, "One", "text", tags=["a"])
    assert changed(user, entry, title="One", content="text", tags=["a"], is_pinned=False) == entry
    assert changed(user, entry) == entry
    assert user.get(f"/infobase/{entry['id']}/versions").data == {"versions": []}


def test_an_expected_version(user: User) -> None:
    entry = added(user, "One")
    assert changed(user, entry, title="Two", expected_version=1)["version"] == 2
    answer = user.put(f"/infobase/{entry['id']}", {"title": "Three", "expected_version": 1})
    assert answer.refused(409, "conflict") == {"version": 2}
    assert listed(user) == ["Two"]
    for wrong in (0, "1", 2**31):
        user.put(f"/infobase/{entry['id']}", {"expected_version": wrong}).invalid("expected_version")


def test_of_two_changes_at_once_one_has_the_expected_version(user: User) -> None:
    entry = added(user, "One")
    at = f"/infobase/{entry['id']}"
    numbers = iter(range(9))
    answers = at_once(4, lambda: user.put(at, {"title": f"T{next(numbers)}", "expected_version": 1}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert user.get(at).data["version"] == 2


@pytest.mark.parametrize("move", ["add", "change", "delete", "permanent", "restore"])
def test_every_write_waits_for_the_lock(user: User, database: Database, move: str) -> None:
    """The bits of the index are shared by 64 documents: two writers would lose each other's."""
    entry = added(user, "One", "drums")
    at = f"/infobase/{entry['id']}"
    if move == "restore":
        user.delete(at)
    call = {
        "add": lambda: user.post("/infobase", {"title": "Two"}),
        "change": lambda: user.put(at, {"title": "Two"}),
        "delete": lambda: user.delete(at),
        "permanent": lambda: user.delete(at, query={"permanent": "true"}),
        "restore": lambda: user.post(f"{at}/restore"),
    }[move]
    answer, released = after_a_wait(database, user, call)
    assert answer.status == 200
    if move in ("add", "change"):
        assert answer.data["updated_at"] >= released.isoformat()[:26]


def test_the_trash(user: User) -> None:
    entry = added(user, "One", "about drums", category="Drums", tags=["a"], is_pinned=True)
    at = f"/infobase/{entry['id']}"
    assert user.delete(at).data == {"success": True}
    assert user.get(at).status == user.put(at, {"title": "x"}).status == user.delete(at).status == 404
    assert user.get(f"{at}/versions").status == 404
    assert listed(user) == found(user, "drums") == []
    assert user.get("/infobase/facets").data == {"categories": [], "tags": []}
    assert listed(user, trash="true") == found(user, "drums", trash="true") == ["One"]
    [trashed] = user.get("/infobase", query={"trash": "true"}).data["entries"]
    assert trashed["deleted_at"] is not None
    restored = user.post(f"{at}/restore").data
    assert {**restored, "updated_at": entry["updated_at"]} == entry
    assert listed(user) == found(user, "drums") == ["One"]
    assert listed(user, trash="true") == []


@pytest.mark.parametrize("trashed", [True, False])
def test_deleted_for_good(user: User, database: Database, trashed: bool) -> None:
    entry = added(user, "One", "about drums")
    changed(user, entry, content="about more drums")
    at = f"/infobase/{entry['id']}"
    if trashed:
        user.delete(at)
    assert user.delete(at, query={"permanent": "true"}).data == {"success": True}
    assert user.post(f"{at}/restore").status == 404
    assert user.delete(at, query={"permanent": "true"}).status == 404
    assert listed(user, trash="true") == found(user, "drums", trash="true") == found(user, "drums") == []
    for table in ("infobase_entries", "infobase_versions", "search_documents", "search_words"):
        assert database.query(f"SELECT FROM {table} WHERE user_id = %s", user.id) == []


def test_restoring_what_is_not_in_the_trash_changes_nothing(user: User) -> None:
    entry = added(user)
    assert user.post(f"/infobase/{entry['id']}/restore").data == entry


def test_pinned_first_then_the_last_changed(user: User, clock: Clock) -> None:
    clock.set("2031-05-07T12:00:00Z")
    entries = []
    for title in ("b", "C", "a", "D"):
        clock.advance("PT1M")
        entries.append(added(user, title))
    assert listed(user) == ["D", "a", "C", "b"]
    clock.advance("PT1M")
    changed(user, entries[0], content="x")
    assert listed(user) == ["b", "D", "a", "C"]
    changed(user, entries[1], is_pinned=True)
    assert listed(user) == ["C", "b", "D", "a"]
    assert listed(user, sort="created") == ["C", "D", "a", "b"]
    assert listed(user, sort="title") == ["C", "a", "b", "D"]
    user.get("/infobase", query={"sort": "size"}).invalid("sort")


def test_filters_combine(user: User) -> None:
    added(user, "One", "drums", category="A", tags=["x", "y"], is_pinned=True)
    added(user, "Two", "drums", category="A", tags=["X"])
    added(user, "Three", "drums", category="B", tags=["x/y"])
    for search in ({}, {"search": "drums"}):
        assert set(listed(user, category="A", **search)) == {"One", "Two"}
        assert set(listed(user, tag="X", **search)) == {"One", "Two"}
        assert listed(user, tag="x/y", **search) == ["Three"]
        assert listed(user, pinned="true", **search) == ["One"]
        assert set(listed(user, pinned="false", **search)) == {"Two", "Three"}
        assert listed(user, category="A", tag="x", pinned="false", **search) == ["Two"]
        assert listed(user, category="a", **search) == listed(user, tag="x/", **search) == []
        assert listed(user, category="A", trash="1", **search) == []
        assert listed(user, category="A", sort="title", tag="y", **search) == ["One"]


def test_pages(user: User) -> None:
    for n in range(5):
        added(user, f"E{n}", "drums")
    for search in ({}, {"search": "drums"}, {"sort": "created"}):
        pages = [user.get("/infobase", query={"page": n, "page_size": 2} | search).data for n in (1, 2, 3, 4)]
        assert [[entry["title"] for entry in page["entries"]] for page in pages] == [
            ["E4", "E3"],
            ["E2", "E1"],
            ["E0"],
            [],
        ]
        assert {page["total"] for page in pages} == {5}
        assert [(page["page"], page["page_size"]) for page in pages] == [(n, 2) for n in (1, 2, 3, 4)]
    for query in ({"page": 0}, {"page_size": 101}, {"page": 1_000_001}, {"page_size": 0}):
        user.get("/infobase", query=query).invalid(*query)
    assert user.get("/infobase", query={"page": 1_000_000, "search": "drums"}).data["entries"] == []


@pytest.mark.parametrize(
    "query",
    [{"search": "x" * 201}, {"category": "x" * 51}, {"tag": "x" * 51}, {"pinned": "yes"}, {"trash": "t"}],
)
def test_queries_that_do_not_fit(user: User, query: dict[str, str]) -> None:
    user.get("/infobase", query=query).invalid(*query)


def test_facets(user: User) -> None:
    added(user, "1", category="B", tags=["Mix", "eq"])
    added(user, "2", category="B", tags=["mix"])
    added(user, "3", category="A")
    assert user.get("/infobase/facets").data == {
        "categories": [{"category": "B", "count": 2}, {"category": "A", "count": 1}],
        "tags": [{"tag": "Mix", "count": 2}, {"tag": "eq", "count": 1}],
    }


def test_a_stranger_sees_nothing(stranger: Client) -> None:
    for path in ("/infobase", "/infobase/facets", "/infobase/export.zip", f"/infobase/{uuid4()}"):
        stranger.get(path).refused(401, "unauthorized")


def test_there_is_a_limit(user: User, database: Database) -> None:
    entry = added(user)
    with database.admin() as connection, connection.transaction():
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        # What 19,966 more entries would leave of not being pinned: 311 full blocks, and one with two bits free.
        connection.execute(
            "INSERT INTO search_words (source, word, block, entries, headings, titles)"
            " SELECT 'infobase', '/unpinned', n, CASE WHEN n = 312 THEN (1::bigint << 62) - 1 ELSE -1 END, 0, 0"
            "   FROM generate_series(1, 312) AS n"
        )
    for n in range(33):
        added(user, f"E{n}")
    answer = user.post("/infobase", {"title": "Too many"})
    assert answer.refused(409, "limit_reached") == {"limit": 20_000}
    assert user.post("/infobase", {"id": entry["id"], "title": "Known"}).data == entry


def test_another_users_entries_are_not_there(user: User, new_user: NewUser) -> None:
    entry = added(user, "Mine", "drums", tags=["a"])
    other = new_user()
    at = f"/infobase/{entry['id']}"
    for answer in (other.get(at), other.put(at, {"title": "x"}), other.delete(at), other.post(f"{at}/restore")):
        answer.refused(404, "not_found")
    assert listed(other) == found(other, "drums") == []
    assert user.get(at).data == entry
