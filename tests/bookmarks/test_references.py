"""/references: bookmarks, their lists, the archive."""

from typing import Any

import pytest

from tests.conftest import Client, Database, User, at_once

ALWAYS = {"id", "title", "tags", "is_pinned", "is_archived", "created_at", "updated_at"}


def added(user: Client, title: str = "Compressors", **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = user.post("/references", {"title": title, **fields}).data
    return made


def changed(user: Client, made: dict[str, Any], **fields: Any) -> dict[str, Any]:
    after: dict[str, Any] = user.put(f"/references/{made['id']}", fields).data
    return after


def titles(user: Client, **query: Any) -> list[str]:
    page = user.get("/references", query=query).data
    return [item["title"] for item in page["items"]]


def test_what_is_not_set_has_no_key(user: User) -> None:
    bare = added(user, "  Compressors ", content=" ", url="", category=None, tags=None, is_pinned=None)
    assert set(bare) == ALWAYS
    assert (bare["title"], bare["tags"], bare["is_pinned"], bare["is_archived"]) == ("Compressors", [], False, False)
    full = added(
        user,
        content=" Ratio first. ",
        url="HTTPS://questlog.test/a?b#c",
        category=" mixing ",
        tags=["b", " a ", "b"],
        is_pinned=True,
    )
    assert set(full) == ALWAYS | {"content", "url", "category"}
    assert (full["content"], full["url"], full["category"]) == ("Ratio first.", "HTTPS://questlog.test/a?b#c", "mixing")
    assert (full["tags"], full["is_pinned"]) == (["b", "a"], True)
    assert user.get(f"/references/{full['id']}").data == full
    assert user.get("/api/references").data["items"] == [full, bare]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": None}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"title": 1}, "title"),
        ({"content": "x" * 20_001}, "content"),
        ({"url": "ftp://questlog.test/"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://a b"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"url": "https://::1]/"}, "url"),
        ({"url": "https://[questlog.test]/"}, "url"),
        ({"url": "https://questlog.test\n/"}, "url"),
        ({"url": "https://questlog.test/" + "x" * 2027}, "url"),
        ({"category": "x" * 101}, "category"),
        ({"tags": ["x"] * 51}, "tags"),
        ({"tags": [" "]}, "tags.0"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"is_pinned": "yes"}, "is_pinned"),
    ],
)
def test_bad_input(user: User, fields: dict[str, Any], field: str) -> None:
    made = added(user)
    user.post("/references", {"title": "x"} | fields).invalid(field)
    user.put(f"/references/{made['id']}", fields).invalid(field)
    assert user.get("/references").data["items"] == [made]


@pytest.mark.parametrize(
    "url", ["http://[::1]", "https://me@[2001:db8::1]:8080/a[1]?b", "https://b\u00fccher.test:8443#x"]
)
def test_any_web_address_is_taken(user: User, url: str) -> None:
    assert added(user, url=url)["url"] == url


def test_what_a_url_must_be_is_said(user: User) -> None:
    [field] = user.post("/references", {"title": "x", "url": "questlog.test"}).refused(400, "validation_error")[
        "fields"
    ]
    assert field == {"field": "url", "message": "must be a web address, such as https://questlog.test/"}


def test_the_largest_that_fits(user: User) -> None:
    made = added(
        user,
        "x" * 300,
        content="x" * 20_000,
        url="https://questlog.test/" + "x" * 2026,
        category="x" * 100,
        tags=[f"{n:050}" for n in range(50)],
    )
    assert (len(made["url"]), len(made["tags"])) == (2048, 50)


def test_a_change_keeps_what_is_absent_and_clears_what_is_null(user: User) -> None:
    made = added(user, content="a", url="https://a.test", category="c", tags=["t"], is_pinned=True)
    assert changed(user, made) | {"updated_at": ""} == made | {"updated_at": ""}
    assert changed(user, made, title="New")["content"] == "a"
    cleared = changed(user, made, content=None, url=None, category=None, tags=None, is_pinned=None)
    assert set(cleared) == ALWAYS
    assert (cleared["title"], cleared["tags"], cleared["is_pinned"]) == ("New", [], False)
    assert cleared["updated_at"] > made["updated_at"]
    assert cleared["created_at"] == made["created_at"]


def test_the_archive(user: User) -> None:
    kept, gone = added(user, "kept"), added(user, "gone")
    assert changed(user, gone, is_archived=True)["is_archived"] is True
    assert (titles(user), titles(user, archived="true")) == (["kept"], ["gone"])
    assert user.get("/references").data["total"] == 1
    assert user.get("/references", query={"archived": "true"}).data["total"] == 1
    assert user.get(f"/references/{gone['id']}").data["title"] == "gone"
    assert changed(user, gone, title="back", is_archived=False)["is_archived"] is False
    assert titles(user) == ["back", kept["title"]]


def test_the_order_pinned_first_then_newest(user: User, database: Database) -> None:
    for title in ("a", "b", "c"):
        added(user, title)
    added(user, "p", is_pinned=True)
    added(user, "d")
    assert titles(user) == ["p", "d", "c", "b", "a"]
    database.query("UPDATE user_references SET created_at = clock() WHERE user_id = %s", user.id)
    ids = [item["id"] for item in user.get("/references").data["items"]]
    assert ids[1:] == sorted(ids[1:], reverse=True)


def test_filters(user: User) -> None:
    added(user, "Reverb tails", category="mixing", tags=["space"])
    added(user, "100% wet", content="Plate or HALL?", category="Mixing", tags=["Space", "fx"])
    assert titles(user, category="mixing") == ["Reverb tails"]
    assert titles(user, category="mix") == []
    assert titles(user, tag="Space") == ["100% wet"]
    assert titles(user, q="reverb") == ["Reverb tails"]
    assert titles(user, q="hall") == ["100% wet"]
    assert titles(user, q="%") == ["100% wet"]
    assert titles(user, q="_") == []
    assert titles(user, q="", category="", tag="") == ["100% wet", "Reverb tails"]
    assert titles(user, q="e", category="mixing", tag="space") == ["Reverb tails"]
    assert user.get("/references", query={"q": "hall"}).data["total"] == 1


def test_pages(user: User) -> None:
    for n in range(5):
        added(user, str(n))
    page = user.get("/references", query={"page": 2, "page_size": 2}).data
    assert [item["title"] for item in page.pop("items")] == ["2", "1"]
    assert page == {"total": 5, "page": 2, "page_size": 2}
    assert user.get("/references").data["page_size"] == 50
    beyond = user.get("/references", query={"page": 9}).data
    assert (beyond["items"], beyond["total"]) == ([], 5)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": 0}, "page"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"archived": "x"}, "archived"),
    ],
)
def test_bad_queries(user: User, query: dict[str, Any], field: str) -> None:
    user.get("/references", query=query).invalid(field)


def test_delete(user: User) -> None:
    made = added(user)
    assert user.delete(f"/references/{made['id']}").data == {"success": True, "id": made["id"]}
    for method in ("GET", "PUT", "DELETE"):
        user.request(method, f"/references/{made['id']}").refused(404, "not_found")
    assert titles(user) == []


def test_strangers_and_others(user: User, other: User, stranger: Client) -> None:
    made = added(user)
    stranger.get("/references").refused(401, "unauthorized")
    for method in ("GET", "PUT", "DELETE"):
        stranger.request(method, f"/references/{made['id']}").refused(401, "unauthorized")
        other.request(method, f"/references/{made['id']}", body=None).refused(404, "not_found")
        user.request(method, "/references/nothing").refused(404, "not_found")
    assert titles(other) == []
    assert user.get(f"/references/{made['id']}").data == made


def test_the_same_key_adds_once(user: User) -> None:
    key = {"Idempotency-Key": "once"}
    answers = at_once(3, lambda: user.post("/references", {"title": "x"}, headers=key))
    assert {answer.status for answer in answers} <= {200, 409}
    again = user.post("/references", {"title": "x"}, headers=key)
    assert titles(user) == ["x"]
    assert again.data == user.get("/references").data["items"][0]


def test_no_more_than_ten_thousand_also_at_once(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO user_references (user_id, title) SELECT %s, n::text FROM generate_series(1, 9999) AS n", user.id
    )
    database.query("SELECT count_totals(%s)", user.id)
    answers = at_once(4, lambda: user.post("/references", {"title": "x"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert user.post("/references", {"title": "x"}).refused(409, "limit_reached") == {"limit": 10_000}
