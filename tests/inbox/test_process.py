"""Processing: what an item can be made into, once."""

from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Answer, NewUser, User, at_once
from tests.inbox.conftest import added, changed, listed, shown, titles
from tests.support.clock import NOON, ahead

NINE = "2031-05-08T09:00:00Z"
TARGETS = ["quest", "idea", "infobase", "plan", "calendar"]


@pytest.fixture(autouse=True)
def _noon(noon: None) -> None:
    """A day's plan is today's: each test begins at noon."""


def process(user: User, item: dict[str, Any], to: str, **fields: Any) -> Answer:
    """The answer to making an item into something; of an event, one at nine."""
    sent = {"start_time": NINE} if to == "calendar" else {}
    return user.post(f"/user/inbox/{item['id']}/process", {"to": to} | sent | fields)


def quests(user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get("/quests", query={"kind": "user"}).data["quests"]
    return found


def plan(user: User, day: str | None = None) -> list[dict[str, Any]]:
    found = user.get("/daily-plan", query={"date": day} if day else {}).json["plan"]
    items: list[dict[str, Any]] = found["items"] if found else []
    return items


def events(user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get("/calendar", query={"date": "2031-05-08"}).data["events"]
    return found


def entries(user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get("/infobase").data["entries"]
    return found


def ideas(user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get("/ideas").data["ideas"]
    return found


def everything(user: User) -> dict[str, list[dict[str, Any]]]:
    """What the user's items were made into, by type."""
    return {
        "quest": quests(user),
        "idea": ideas(user),
        "infobase": entries(user),
        "plan": plan(user),
        "calendar": events(user),
    }


def counts(user: User) -> dict[str, int]:
    """How many there are of each type that there is one of."""
    return {to: len(found) for to, found in everything(user).items() if found}


def test_a_quest(user: User) -> None:
    item = added(user, description="About the bell.", tags=["ada"], action_url="https://questlog.test/bell")
    data = process(user, item, "quest").data
    [quest] = quests(user)
    assert data["target"] == {"type": "quest", "id": quest["id"]}
    assert data["item"] == shown(user, item)
    assert (quest["title"], quest["category"], quest["status"]) == ("Ask Ada", "inbox", "available")
    assert quest["description"] == "About the bell.\nhttps://questlog.test/bell"
    assert (quest["difficulty"], quest["xp_reward"], quest["coin_reward"]) == ("starter", 10, 5)
    assert (quest["target"], quest["is_repeatable"], quest["skill_key"]) == (1, False, "discipline")


def test_a_quest_of_a_category(user: User) -> None:
    assert process(user, added(user), "quest", category=" family ").status == 200
    [quest] = quests(user)
    assert (quest["category"], quest["description"]) == ("family", None)


@pytest.mark.parametrize(("sent", "category"), [({}, "Tips"), ({"category": "Studio"}, "Studio")])
def test_an_entry_of_the_infobase(user: User, sent: dict[str, str], category: str) -> None:
    item = added(user, description="About the bell.", tags=["ada", "Bell"], action_url="/quests")
    data = process(user, item, "infobase", **sent).data
    [entry] = entries(user)
    assert data["target"] == {"type": "infobase", "id": entry["id"]}
    assert (entry["title"], entry["content"]) == ("Ask Ada", "About the bell.\n/quests")
    assert (entry["category"], entry["tags"], entry["is_pinned"]) == (category, ["ada", "Bell"], False)
    assert [one["id"] for one in user.get("/infobase", query={"search": "bells"}).data["entries"]] == [entry["id"]]


@pytest.mark.parametrize(("sent", "category"), [({}, "general"), ({"category": "songs"}, "songs")])
def test_an_idea(user: User, sent: dict[str, str], category: str) -> None:
    data = process(user, added(user, tags=["ada"], action_url="https://questlog.test"), "idea", **sent).data
    [idea] = ideas(user)
    assert data["target"] == {"type": "idea", "id": idea["id"]}
    assert (idea["title"], idea["content"], idea["tags"]) == ("Ask Ada", "https://questlog.test", ["ada"])
    assert (idea["category"], idea["is_archived"], idea["promoted_to"]) == (category, False, [])


def test_an_entry_in_the_trash_is_still_there(user: User) -> None:
    item = added(user)
    target = process(user, item, "infobase").data["target"]
    user.delete(f"/infobase/{target['id']}")
    assert process(user, item, "infobase").data["target"] == target
    assert entries(user) == []


def test_a_task_of_todays_plan(new_user: NewUser, clock: Clock) -> None:
    """Today is the user's: where it is one in the morning, and the day begins at three."""
    user = new_user(settings={"timezone": "Etc/GMT-13", "day_start_hour": 3})
    clock.set(NOON)
    item = added(user, description="About the bell.", action_url="/quests")
    data = process(user, item, "plan").data
    [task] = plan(user, ahead(0))
    assert data["target"] == {"type": "plan", "id": task["id"]}
    assert task["id"].startswith("task_")
    assert (task["title"], task["description"]) == ("Ask Ada", "About the bell.\n/quests")
    assert (task["type"], task["priority"], task["completed"], task["action_url"]) == ("focus", 300, False, "/focus")


def test_an_event(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Europe/Berlin"})
    data = process(user, added(user, action_url="/habits/7"), "calendar").data
    [event] = events(user)
    assert data["target"] == {"type": "calendar", "id": event["id"]}
    assert (event["title"], event["description"]) == ("Ask Ada", "/habits/7")
    assert (event["start_time"], event["end_time"], event["all_day"]) == ("2031-05-08T09:00:00.000000Z", None, False)
    assert (event["timezone"], event["event_type"]) == ("Europe/Berlin", "general")


@pytest.mark.parametrize("to", TARGETS)
def test_what_is_processed_leaves_the_inbox(user: User, clock: Clock, to: str) -> None:
    clock.freeze()
    item = changed(user, added(user), is_read=False)
    after = process(user, item, to).data["item"]
    assert (after["is_processed"], after["is_archived"], after["is_read"]) == (True, True, True)
    assert after["processed_at"] == after["updated_at"]
    assert (titles(user), titles(user, "processed"), titles(user, "archived")) == ([], ["Ask Ada"], ["Ask Ada"])
    assert listed(user)["unread_count"] == 0


@pytest.mark.parametrize("to", TARGETS)
def test_again_it_is_the_same_target(user: User, to: str) -> None:
    item = added(user)
    first = process(user, item, to).data
    assert process(user, item, to).data == first
    assert counts(user) == {to: 1}


@pytest.mark.parametrize("to", TARGETS)
def test_two_at_once_make_one_target(user: User, to: str) -> None:
    item = added(user)
    targets = [answer.data["target"] for answer in at_once(6, lambda: process(user, item, to))]
    assert targets == [targets[0]] * 6
    assert counts(user) == {to: 1}


@pytest.mark.parametrize(
    ("to", "path"),
    [
        ("quest", "/quests/{}"),
        ("idea", "/ideas/{}"),
        ("infobase", "/infobase/{}?permanent=true"),
        ("plan", "/daily-plan/tasks/{}"),
        ("calendar", "/calendar/{}"),
    ],
)
def test_a_target_that_was_deleted_is_made_anew(user: User, to: str, path: str) -> None:
    item = added(user)
    first = process(user, item, to).data["target"]
    where, _, permanent = path.format(first["id"]).partition("?")
    assert user.delete(where, query={"permanent": "true"} if permanent else {}).status == 200
    second = process(user, item, to).data["target"]
    assert second["id"] != first["id"]
    assert process(user, item, to).data["target"] == second
    assert counts(user) == {to: 1}


def test_a_task_that_was_moved_to_another_day_is_still_there(user: User) -> None:
    item = added(user)
    target = process(user, item, "plan").data["target"]
    user.post("/daily-plan/rollover", {"from": ahead(0), "date": ahead(1)})
    assert process(user, item, "plan").data["target"] == target
    assert plan(user) == []


def test_into_something_else_it_is_not_made(user: User) -> None:
    item = added(user)
    target = process(user, item, "quest").data["target"]
    for to in TARGETS[1:]:
        assert process(user, item, to).refused(409, "invalid_state") == {"target": target}
    assert counts(user) == {"quest": 1}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "to"),
        ({"to": "goal"}, "to"),
        ({"to": None}, "to"),
        ({"to": "calendar"}, "start_time"),
        ({"to": "calendar", "start_time": None}, "start_time"),
        ({"to": "calendar", "start_time": "2031-05-08T09:00:00"}, "start_time"),
        ({"to": "quest", "category": " "}, "category"),
        ({"to": "quest", "category": "x" * 51}, "category"),
    ],
)
def test_bad_input_is_named(user: User, body: dict[str, Any], named: str) -> None:
    item = added(user)
    user.post(f"/user/inbox/{item['id']}/process", body).invalid(named)
    assert shown(user, item) == item
    assert counts(user) == {}


def test_a_full_plan_has_no_room(user: User) -> None:
    full = [{"id": str(n), "title": "x"} for n in range(50)]
    user.post("/daily-plan", {"action": "update", "items": full})
    item = added(user)
    process(user, item, "plan").invalid("to")
    assert shown(user, item) == item
    assert len(plan(user)) == 50


# What does not fit ---------------------------------------------------------------------------------------------------


def made(user: User, item: dict[str, Any], to: str) -> dict[str, Any]:
    """What an item was made into, just now."""
    target = process(user, item, to).data["target"]["id"]
    [found] = [one for one in everything(user)[to] if one["id"] == target]
    return found


def text_of(user: User, item: dict[str, Any], to: str) -> str | None:
    """The text of what an item was made into; null and none at all are the same."""
    found = made(user, item, to)
    return found.get("content" if to in ("idea", "infobase") else "description") or None


@pytest.mark.parametrize(("to", "most"), [("quest", 5000), ("plan", 2000), ("calendar", 5000)])
def test_what_is_over_the_targets_limit_is_cut(user: User, to: str, most: int) -> None:
    url = "https://questlog.test/bell"
    item = added(user, description="é" * 10_000, action_url=url)
    text = text_of(user, item, to)
    assert text is not None
    assert text == "é" * (most - len(url) - 2) + "…\n" + url
    assert len(text) == most
    assert shown(user, item)["description"] == "é" * 10_000
    assert text_of(user, added(user, description="x" * most), to) == "x" * most
    assert text_of(user, added(user, description="x" * (most + 1)), to) == "x" * (most - 1) + "…"


@pytest.mark.parametrize("to", ["idea", "infobase"])
def test_what_takes_all_of_it_has_all_of_it(user: User, to: str) -> None:
    item = added(user, "ü" * 500, description="é" * 10_000, action_url="https://" + "x" * 1992)
    assert text_of(user, item, to) == "\n".join(["ü" * 500, "", "é" * 10_000, item["action_url"]])


@pytest.mark.parametrize("to", TARGETS)
def test_a_cut_title_stands_whole_in_the_texts_first_line(user: User, to: str) -> None:
    title = "ü" * 201
    item = added(user, title, description="About the bell.", action_url="/focus")
    assert made(user, item, to)["title"] == "ü" * 199 + "…"
    assert text_of(user, item, to) == f"{title}\n\nAbout the bell.\n/focus"
    alone = added(user, "x" * 500)
    assert (len(made(user, alone, to)["title"]), text_of(user, alone, to)) == (200, "x" * 500)
    whole = added(user, "y" * 200)
    assert (made(user, whole, to)["title"], text_of(user, whole, to)) == ("y" * 200, None)


def test_a_link_as_long_as_the_text_may_be(user: User) -> None:
    url = "https://" + "x" * 1992
    assert made(user, added(user, description="About.", action_url=url), "plan")["description"] == url
    url = "https://" + "x" * 1990
    assert made(user, added(user, description="About.", action_url=url), "plan")["description"] == f"…\n{url}"


def test_the_item_can_be_deleted_and_its_target_stays(user: User) -> None:
    item = added(user)
    process(user, item, "quest")
    user.delete(f"/user/inbox/{item['id']}")
    assert len(quests(user)) == 1
