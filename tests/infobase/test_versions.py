"""Versions: the former texts of an entry, and which of them are kept."""

from typing import Any

from local.clock import Clock
from tests.conftest import Database, User
from tests.infobase.conftest import added, changed, found
from tests.support.paging import has_pages


def versions(user: User, entry: dict[str, Any]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = user.get(f"/infobase/{entry['id']}/versions").data["versions"]
    return kept


def test_a_change_of_title_or_content_keeps_the_former_text(user: User) -> None:
    entry = added(user, "One", "first")
    changed(user, entry, content="second")
    changed(user, entry, title="Two")
    changed(user, entry, is_pinned=True, tags=["a"], category="B")
    last = changed(user, entry, content="third", title="Three")
    assert last["version"] == 5
    kept = versions(user, entry)
    assert [(v["version"], v["title"], v["content"]) for v in kept] == [
        (4, "Two", "second"),
        (2, "One", "second"),
        (1, "One", "first"),
    ]
    assert sorted(v["replaced_at"] for v in kept) == [v["replaced_at"] for v in reversed(kept)]
    assert set(kept[0]) == {"version", "title", "content", "replaced_at"}


def test_the_list_has_pages(user: User) -> None:
    entry = added(user, "One", "first")
    for content in ("second", "third", "fourth"):
        changed(user, entry, content=content)
    has_pages(user, f"/infobase/{entry['id']}/versions", "versions")


def test_restoring_one_keeps_what_it_replaces(user: User) -> None:
    entry = added(user, "One", "about drums")
    changed(user, entry, title="Two", content="about bass")
    restored = user.post(f"/infobase/{entry['id']}/versions/1/restore").data
    assert (restored["title"], restored["content"], restored["version"]) == ("One", "about drums", 3)
    assert [v["title"] for v in versions(user, entry)] == ["Two", "One"]
    assert (found(user, "drums"), found(user, "bass")) == (["One"], [])
    again = user.post(f"/infobase/{entry['id']}/versions/1/restore").data
    assert again == restored


def test_there_is_no_such_version(user: User) -> None:
    entry = added(user)
    for version in (1, 0, -1, 2**40, -(2**40), -(2**70), "x"):
        assert user.post(f"/infobase/{entry['id']}/versions/{version}/restore").status == 404
    changed(user, entry, content="x")
    user.delete(f"/infobase/{entry['id']}")
    assert user.post(f"/infobase/{entry['id']}/versions/1/restore").status == 404


def test_twenty_are_kept(user: User) -> None:
    entry = added(user, "One", "0")
    for n in range(1, 21):
        changed(user, entry, content=str(n))
    assert [v["content"] for v in versions(user, entry)] == [str(n) for n in range(19, -1, -1)]
    changed(user, entry, content="21")
    kept = versions(user, entry)
    assert len(kept) == 20
    assert [v["content"] for v in kept[:5]] == ["20", "19", "18", "17", "16"]


def test_an_hour_of_automatic_saves_does_not_push_yesterday_out(user: User, clock: Clock) -> None:
    clock.set("2031-05-07T08:00:00Z")
    entry = added(user, "One", "yesterday 0")
    for n in range(1, 6):
        clock.advance("PT2H")
        changed(user, entry, content=f"yesterday {n}")
    clock.advance("P1D")
    for n in range(60):
        clock.advance("PT1M")
        changed(user, entry, content=f"today {n}")
    kept = [v["content"] for v in versions(user, entry)]
    assert len(kept) == 20
    assert kept[:5] == [f"today {n}" for n in (58, 57, 56, 55, 54)]
    assert kept[-6:] == [f"yesterday {n}" for n in (5, 4, 3, 2, 1, 0)]


def test_the_one_that_stood_shortest_goes(user: User, clock: Clock) -> None:
    clock.set("2031-05-07T08:00:00Z")
    entry = added(user, "One", "0")
    for n in range(1, 22):
        clock.advance("PT10S" if n == 8 else "PT1H")
        changed(user, entry, content=str(n))
    assert "7" not in [v["content"] for v in versions(user, entry)]


def test_the_newest_five_stay_however_short_they_stood(user: User, clock: Clock) -> None:
    clock.set("2031-05-07T08:00:00Z")
    entry = added(user, "One", "0")
    for n in range(1, 22):
        clock.advance("PT10S" if n == 17 else "PT1H")
        changed(user, entry, content=str(n))
    assert "16" in [v["content"] for v in versions(user, entry)]
    clock.advance("PT1H")
    changed(user, entry, content="22")
    assert "16" not in [v["content"] for v in versions(user, entry)]


def test_versions_go_with_the_entry(user: User, database: Database) -> None:
    entry = added(user, "One")
    changed(user, entry, title="Two")
    user.delete(f"/infobase/{entry['id']}", query={"permanent": "true"})
    assert database.query("SELECT FROM infobase_versions WHERE user_id = %s", user.id) == []
