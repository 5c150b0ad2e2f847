"""A poll of a client that has all of it already is answered by comparing revisions (code/revisions.sql)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.requests import Request

from questlog.identity import SAFE_METHODS
from questlog.revision import REVISE

from docs.openapi import apis
from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.inbox.conftest import added, changed, notify
from tests.support.clock import ahead
from tests.support.factories import focus_session, habit, quest
from tests.support.ledger import purchase


def tag(user: User) -> str:
    """The tag of a poll as it is now."""
    found: str = user.get("/sync/poll").headers["etag"]
    return found


def status(user: User, known: str) -> int:
    return user.get("/sync/poll", headers={"If-None-Match": known}).status


def behind_our_back(database: Database, user: User) -> None:
    """Change what a poll shows without raising a revision: whoever makes the poll sees it."""
    database.query(
        "UPDATE user_wallet SET coins = coins + 1, total_earned = total_earned + 1 WHERE user_id = %s", user.id
    )


def put_back(database: Database, user: User) -> None:
    database.query(
        "UPDATE user_wallet SET coins = coins - 1, total_earned = total_earned - 1 WHERE user_id = %s", user.id
    )


@pytest.fixture
def watcher(user: User, database: Database) -> User:
    """A user who has written something once, and is paid."""
    user.post(f"/habits/{habit(user)['id']}/complete")
    return user


def test_nothing_is_made_while_nothing_is_written(watcher: User, database: Database) -> None:
    known = tag(watcher)
    behind_our_back(database, watcher)
    assert status(watcher, known) == 304, "the poll was not made"
    assert status(watcher, f'"other", W/{known}') == 304
    habit(watcher)
    assert status(watcher, known) == 200
    put_back(database, watcher)


def test_an_equal_document_of_other_revisions_is_304_with_its_new_tag(watcher: User) -> None:
    known = tag(watcher)
    watcher.post("/activity", {"event_type": "page_view"})
    again = watcher.get("/sync/poll", headers={"If-None-Match": known})
    assert again.status == 304
    assert again.headers["etag"] not in ("", known)
    assert again.headers["etag"].partition("-")[0] == known.partition("-")[0]


def test_a_refused_request_raises_nothing(watcher: User, database: Database) -> None:
    known = tag(watcher)
    watcher.post("/habits", {"name": ""}).invalid("name")
    assert watcher.post("/quests", {"title": "Run", "skill_key": "running"}).status == 400
    behind_our_back(database, watcher)
    assert status(watcher, known) == 304
    put_back(database, watcher)


def test_a_revision_is_ones_own(watcher: User, new_user: NewUser, database: Database) -> None:
    other = new_user()
    habit(other)
    known = tag(other)
    habit(watcher)
    behind_our_back(database, other)
    assert status(other, known) == 304
    put_back(database, other)
    assert status(watcher, known) == 200, "the tag of somebody else"


def test_before_the_first_writing_request_the_digest_decides(new_user: NewUser, database: Database) -> None:
    user = new_user()
    database.query("DELETE FROM user_revisions WHERE user_id = %s", user.id)
    known = tag(user)
    assert "-" not in known
    assert status(user, known) == 304
    notify(database, user)
    assert status(user, known) == 200


def paused(user: User, _: Database) -> None:
    focus_session(user)
    user.post("/focus/pause")


def quest_for_all(user: User, database: Database) -> None:
    """A universal quest that the user has accepted, and that is over in an hour."""
    [row] = database.query(
        "INSERT INTO universal_quests (key, title, quest_type, target_type, ends_at)"
        " VALUES ('soon_over', 'A test', 'special', 'pages_read', clock() + interval '1 hour') RETURNING id"
    )
    assert user.post(f"/quests/{row['id']}/accept").data["status"] == "accepted"


def protected(user: User, database: Database) -> None:
    """A streak that missed a day, and stands as long as its shield does."""
    shield = purchase(database, user.id, "streak_shield")
    database.query("UPDATE user_purchases SET expires_at = clock() + interval '1 hour' WHERE id = %s", shield)
    database.query("UPDATE user_streaks SET last_activity_date = last_activity_date - 2 WHERE user_id = %s", user.id)
    assert user.get("/sync/progress").json["streak_days"] == 1


@pytest.fixture
def _none_is_left_for_all(database: Database) -> Iterator[None]:
    yield
    database.query("DELETE FROM universal_quests WHERE key = 'soon_over'")


Thing = Callable[[User, Database], Any]
# Each changes what is shown an hour from now, although nobody writes.
BY_TIME: dict[str, Thing] = {
    "a timer ends": lambda user, _: focus_session(user, duration_seconds=3600),
    "an item expires": lambda user, _: changed(user, added(user), is_read=False, expires_at=f"{ahead(0)}T13:00:00Z"),
    "an item comes back": lambda user, _: changed(user, added(user), snoozed_until=f"{ahead(0)}T13:00:00Z"),
    "a pause lapses": paused,
    "a quest for all ends": quest_for_all,
    "a shield expires": protected,
    "a quest expires": lambda user, _: quest(user, accepted=True, expires_at=f"{ahead(0)}T13:00:00Z"),
}


@pytest.mark.usefixtures("_none_is_left_for_all")
@pytest.mark.parametrize("thing", BY_TIME.values(), ids=BY_TIME)
def test_what_changes_by_time_alone_is_seen(watcher: User, clock: Clock, database: Database, thing: Thing) -> None:
    thing(watcher, database)
    known = tag(watcher)
    clock.advance("PT59M")
    assert status(watcher, known) == 304
    clock.advance("PT1M1S")
    assert status(watcher, known) == 200


def test_a_day_ends(watcher: User, clock: Clock) -> None:
    known = tag(watcher)
    clock.advance("PT11H59M")
    assert status(watcher, known) == 304
    clock.advance("PT1M")
    assert status(watcher, known) == 200, "the habit of the day waits again"


def test_polling_alone_keeps_a_session_alive(watcher: User, clock: Clock, database: Database) -> None:
    known = tag(watcher)
    clock.advance("PT6M")
    before = database.query("SELECT clock() AS now")[0]["now"]
    assert status(watcher, known) == 304
    [noted] = database.query("SELECT max(last_activity_at) AS at FROM sessions WHERE user_id = %s", watcher.id)
    assert noted["at"] >= before


def test_what_others_write_for_a_user_is_seen(watcher: User, new_user: NewUser, database: Database) -> None:
    moderator = new_user(role="moderator")
    made = watcher.post("/feedback", {"type": "bug", "title": "Bell", "description": "It rings twice."}).data
    known = tag(watcher)
    moderator.put(f"/admin/feedback/{made['id']}", {"admin_response": "Mended."})
    assert status(watcher, known) == 200


def request(method: str) -> Request:
    return Request({"type": "http", "method": method, "path": "/", "headers": [], "query_string": b""})


def test_every_request_that_may_write_raises_the_revision() -> None:
    writing = [
        endpoint
        for api in apis()
        for endpoint in api.endpoints
        if endpoint.method not in SAFE_METHODS and endpoint.requires is not None and not endpoint.read_token
    ]
    assert len(writing) > 200
    for endpoint in writing:
        assert endpoint._precedents(request(endpoint.method)) == [REVISE], endpoint.path


@pytest.mark.parametrize(
    "unknown",
    [
        '"{digest}-1-1-1"',
        '"{digest}-999999999999999999-999999999999999999-9999999999999"',
        '"{digest}-9999999999999999999-1-9999999999999"',
        '"{digest}--1-1-1"',
        '"{digest}-1-1-99999999999999"',
    ],
)
def test_a_made_up_tag_is_no_tag(watcher: User, unknown: str) -> None:
    assert status(watcher, unknown.format(digest="0" * 32)) == 200
