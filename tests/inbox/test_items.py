"""Items: written, read, changed, deleted."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.inbox.conftest import added, changed, listed, notify, shown, titles, unread
from tests.support.locks import after_a_wait


def test_an_item_as_it_is_shown(user: User, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-07T12:00:00Z")
    item = added(user, "  Ask Ada ", tags=[" Bell ", "bell", "", "ada"])
    assert item == {
        "id": item["id"],
        "title": "Ask Ada",
        "tags": ["Bell", "ada"],
        "item_type": "note",
        "is_read": True,
        "is_archived": False,
        "is_processed": False,
        "processed_at": None,
        "action_url": None,
        "expires_at": None,
        "snoozed_until": None,
        "created_at": "2031-05-07T12:00:00.000000Z",
        "updated_at": "2031-05-07T12:00:00.000000Z",
    }
    assert shown(user, item) == item
    assert listed(user)["items"] == [item]


def test_an_item_with_everything(user: User) -> None:
    item = added(
        user,
        description=" About the bell. ",
        item_type="link",
        action_url="https://questlog.test/bell?a=1#b",
        expires_at="2031-05-07T14:00:00+02:00",
    )
    assert item["description"] == "About the bell."
    assert (item["item_type"], item["action_url"]) == ("link", "https://questlog.test/bell?a=1#b")
    assert item["expires_at"] == "2031-05-07T12:00:00.000000Z"


def test_no_description_is_left_out(user: User) -> None:
    item = added(user, description="Later.")
    assert "description" not in changed(user, item, description=" ")
    assert "description" not in added(user, description=None)
    assert "description" not in added(user, description="")


def test_what_the_app_says_of_itself_is_not_the_users_to_write(user: User) -> None:
    item = added(user, is_read=False, is_archived=True, is_processed=True, processed_at="2031-05-07T12:00:00Z")
    assert (item["is_read"], item["is_archived"], item["is_processed"]) == (True, False, False)
    after = changed(user, item, is_processed=True, created_at="2001-01-01T00:00:00Z", processed_to={"type": "quest"})
    assert (after["is_processed"], after["created_at"]) == (False, item["created_at"])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": " \n"}, "title"),
    ({"title": "x" * 501}, "title"),
    ({"title": 7}, "title"),
    ({"title": None}, "title"),
    ({"description": "x" * 10_001}, "description"),
    ({"description": ["x"]}, "description"),
    ({"tags": "ada"}, "tags"),
    ({"tags": ["x" * 51]}, "tags.0"),
    ({"tags": [str(n) for n in range(21)]}, "tags"),
    ({"item_type": "notification"}, "item_type"),
    ({"item_type": "event"}, "item_type"),
    ({"item_type": None}, "item_type"),
    ({"action_url": "http://questlog.test"}, "action_url"),
    ({"action_url": "javascript:alert(1)"}, "action_url"),
    ({"action_url": "//questlog.test"}, "action_url"),
    ({"action_url": "/settings"}, "action_url"),
    ({"action_url": "/focus/now"}, "action_url"),
    ({"action_url": "/quests/../admin"}, "action_url"),
    ({"action_url": "/quests?x=1"}, "action_url"),
    ({"action_url": "https://"}, "action_url"),
    ({"action_url": "https:///path"}, "action_url"),
    ({"action_url": "https://a b"}, "action_url"),
    ({"action_url": "https://[::1"}, "action_url"),
    ({"action_url": "https://a\nb"}, "action_url"),
    ({"action_url": "https://" + "x" * 1993}, "action_url"),
    ({"expires_at": "2031-05-07"}, "expires_at"),
    ({"expires_at": "2031-05-07T12:00:00"}, "expires_at"),
    ({"expires_at": 1_900_000_000}, "expires_at"),
]


@pytest.mark.parametrize(("fields", "named"), BAD)
def test_bad_input_is_named(user: User, fields: dict[str, Any], named: str) -> None:
    user.post("/user/inbox", {"title": "Ask Ada"} | fields).invalid(named)
    assert listed(user, "all")["total"] == 0
    item = added(user)
    for method in ("PUT", "PATCH"):
        user.request(method, f"/user/inbox/{item['id']}", body=fields).invalid(named)
    assert shown(user, item) == item


def test_what_an_action_url_must_be_is_said(user: User) -> None:
    [field] = user.post("/user/inbox", {"title": "x", "action_url": "x"}).refused(400, "validation_error")["fields"]
    assert field["message"] == (
        "must be a path in the app, such as /focus or /quests/today, or an address that begins with https://"
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"is_read": None}, "is_read"),
        ({"is_read": "true"}, "is_read"),
        ({"is_archived": 1}, "is_archived"),
        ({"snoozed_until": "tomorrow"}, "snoozed_until"),
        ({"snoozed_until": "2031-05-07"}, "snoozed_until"),
        ({"tags": None}, "tags"),
    ],
)
def test_bad_changes_are_named(user: User, fields: dict[str, Any], named: str) -> None:
    item = added(user)
    user.patch(f"/user/inbox/{item['id']}", fields).invalid(named)
    assert shown(user, item) == item


def test_a_title_is_needed(user: User) -> None:
    user.post("/user/inbox", {}).invalid("title")


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "ü" * 500, "description": "x" * 10_000, "tags": [f"{n:050}" for n in range(20)]},
        {"tags": ["A", *[str(n) for n in range(19)], "a", " ", ""]},
        {"action_url": "https://" + "x" * 1992},
        {"action_url": "/focus"},
        {"action_url": "/goals/7f-_A/x"},
        {"expires_at": "2001-01-01T00:00:00Z"},
    ],
)
def test_the_edges_of_what_fits(user: User, fields: dict[str, Any]) -> None:
    item = added(user, **fields)
    assert item["title"] == fields.get("title", "Ask Ada")
    assert len(item["tags"]) == (20 if "tags" in fields else 0)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["A", "b", "a", "B", "c"], ["A", "b", "c"]),
        ([" é ", "É", "", " "], ["é"]),
        (["ß", "SS"], ["ß"]),
        ([], []),
    ],
)
def test_tags_keep_their_first_spelling_and_their_order(user: User, sent: list[str], kept: list[str]) -> None:
    item = added(user, tags=sent)
    assert item["tags"] == kept
    assert changed(user, item, tags=[*sent, "z"])["tags"] == [*kept, "z"]


def test_a_change_keeps_what_is_not_sent_and_null_clears(user: User) -> None:
    item = added(
        user,
        description="Later.",
        tags=["ada"],
        item_type="task",
        action_url="/focus",
        expires_at="2199-01-01T00:00:00Z",
    )
    after = changed(user, item, title="Ask Bob")
    assert {**after, "updated_at": None} == {**item, "title": "Ask Bob", "updated_at": None}
    assert after["updated_at"] > item["updated_at"]
    put = user.put(f"/user/inbox/{item['id']}", {"item_type": "note", "tags": []}).data
    assert (put["item_type"], put["tags"], put["description"]) == ("note", [], "Later.")
    cleared = changed(user, item, description=None, action_url=None, expires_at=None)
    assert (cleared["action_url"], cleared["expires_at"]) == (None, None)
    assert "description" not in cleared


def test_a_clients_id_makes_one_item(user: User, other: User) -> None:
    item_id = str(uuid4())
    item = added(user, id=item_id)
    assert item["id"] == item_id
    assert added(user, "Another title", id=item_id) == item
    assert [one["id"] for one in at_once(4, lambda: added(user, id=item_id))] == [item_id] * 4
    assert listed(user, "all")["total"] == 1
    assert added(other, "Mine", id=item_id)["title"] == "Mine"
    assert shown(user, item) == item


@pytest.mark.parametrize("item_id", ["x", 7, ["x"]])
def test_a_clients_id_is_a_uuid(user: User, item_id: Any) -> None:
    user.post("/user/inbox", {"title": "Ask Ada", "id": item_id}).invalid("id")


def test_deleting(user: User) -> None:
    item = added(user)
    assert user.delete(f"/user/inbox/{item['id']}").data == {"success": True, "id": item["id"]}
    user.delete(f"/user/inbox/{item['id']}").refused(404, "not_found")
    user.get(f"/user/inbox/{item['id']}").refused(404, "not_found")
    assert listed(user, "all")["total"] == 0


def test_another_users_item_is_not_there(user: User, other: User) -> None:
    item = added(user)
    for path in (f"/user/inbox/{item['id']}", f"/user/inbox/{uuid4()}", "/user/inbox/x"):
        other.get(path).refused(404, "not_found")
        other.put(path, {"title": "Mine"}).refused(404, "not_found")
        other.patch(path, {"title": "Mine"}).refused(404, "not_found")
        other.delete(path).refused(404, "not_found")
        other.post(f"{path}/process", {"to": "quest"}).refused(404, "not_found")
    assert other.post("/user/inbox/read-all").data == {"updated": 0}
    assert shown(user, item) == item
    assert listed(other, "all")["items"] == []


def test_only_with_a_session(stranger: Client) -> None:
    path = f"/user/inbox/{uuid4()}"
    for answer in (
        stranger.get("/user/inbox"),
        stranger.post("/user/inbox", {"title": "x"}),
        stranger.get(path),
        stranger.patch(path, {}),
        stranger.delete(path),
        stranger.post(f"{path}/process", {"to": "quest"}),
        stranger.post("/user/inbox/read-all"),
    ):
        answer.refused(401, "unauthorized")


def test_a_replay_adds_nothing(user: User) -> None:
    key = {"Idempotency-Key": "once"}
    first = user.post("/user/inbox", {"title": "Ask Ada"}, headers=key)
    assert user.post("/user/inbox", {"title": "Ask Ada"}, headers=key).json == first.json
    assert listed(user)["total"] == 1


def test_there_is_room_for_ten_thousand(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO inbox_items (user_id, title, is_read) SELECT %s, 'Note', true FROM generate_series(1, 9998)",
        user.id,
    )
    database.query("SELECT count_totals(%s)", user.id)
    last = added(user)
    answers = at_once(3, lambda: user.post("/user/inbox", {"title": "One more"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    assert user.post("/user/inbox", {"title": "One more"}).refused(409, "limit_reached") == {"limit": 10_000}
    assert added(user, id=last["id"]) == last
    notify(database, user)
    assert unread(user) == 1, "the app is not held to the limit"


def test_an_item_is_dated_after_the_wait_for_the_lock(user: User, database: Database) -> None:
    item, released = after_a_wait(database, user, lambda: added(user))
    assert datetime.fromisoformat(item["created_at"]) >= released


# What the app says ---------------------------------------------------------------------------------------------------


def test_a_notification_starts_unread(user: User, database: Database) -> None:
    added(user)
    notify(database, user, description="Download it within a week.", url="/hub")
    [item] = listed(user, "unread")["items"]
    assert (item["item_type"], item["title"]) == ("notification", "Your export is ready")
    assert (item["description"], item["action_url"], item["tags"]) == ("Download it within a week.", "/hub", [])
    assert (item["is_read"], unread(user)) == (False, 1)
    assert changed(user, item, is_read=True)["is_read"] is True
    assert (titles(user, "unread"), unread(user)) == ([], 0)
    assert changed(user, item, is_read=False)["is_read"] is False
    assert unread(user) == 1


def test_reading_all(user: User, other: User, database: Database, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-07T12:00:00Z")
    for n in range(3):
        notify(database, user, f"News {n}")
    notify(database, other)
    archived, expired, snoozed = (changed(user, added(user), is_read=False) for _ in range(3))
    changed(user, archived, is_archived=True)
    changed(user, expired, expires_at="2031-05-07T12:00:00Z")
    changed(user, snoozed, snoozed_until="2031-05-07T13:00:00Z")
    assert unread(user) == 3
    assert user.post("/user/inbox/read-all").data == {"updated": 3}
    assert (unread(user), unread(other)) == (0, 1)
    assert user.post("/user/inbox/read-all").data == {"updated": 0}
    clock.advance("PT1H")
    assert unread(user) == 1, "what was snoozed comes back unread"
