"""The routes of feedback (platform contract, section 7)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.admin.conftest import audited
from tests.conftest import Database, NewUser, User, at_once
from tests.support.factories import report

REPORT = {
    *("id", "user_id", "user_email", "feedback_type", "title", "description", "status", "priority"),
    *("admin_response", "resolved_by", "resolved_at", "created_at"),
}


def listed(moderator: User, **query: Any) -> list[str]:
    answer = moderator.get("/admin/feedback", query={"page_size": 100, **query})
    assert answer.status == 200, answer.text
    return [one["id"] for one in answer.json["feedback"]]


def told(user: User) -> list[str]:
    """What the user's inbox says, the newest first."""
    return [item["title"] for item in user.get("/user/inbox", query={"status": "unread"}).data["items"]]


def test_a_report_of_someone(moderator: User, user: User) -> None:
    made = report(user, title="Bell", description="It rings twice.")
    shown = moderator.get(f"/admin/feedback/{made['id']}").json
    assert set(shown) == REPORT
    assert (shown["user_id"], shown["user_email"]) == (str(user.id), user.email)
    assert (shown["title"], shown["description"], shown["feedback_type"]) == ("Bell", "It rings twice.", "bug")
    assert (shown["status"], shown["priority"], shown["admin_response"]) == ("open", "normal", None)


def test_those_that_wait_come_first(moderator: User, user: User, other: User) -> None:
    states = ["closed", "acknowledged", "open", "wont_fix", "in_progress", "resolved", "open"]
    made = [report(who, title=str(n))["id"] for n, who in enumerate([user, other] * 4)][: len(states)]
    for made_id, status in zip(made, states, strict=True):
        moderator.put(f"/admin/feedback/{made_id}", {"status": status})
    ours = [one for one in listed(moderator) if one in made]
    assert [made.index(one) for one in ours] == [6, 2, 4, 1, 5, 3, 0]


def test_narrowed_by_status_and_type(moderator: User, user: User) -> None:
    bug, idea = report(user)["id"], report(user, type="feature", title="A bell")["id"]
    moderator.put(f"/admin/feedback/{idea}", {"status": "closed"})
    assert {bug, idea} <= set(listed(moderator))
    assert bug in listed(moderator, status="open")
    assert idea not in listed(moderator, status="open")
    assert idea in listed(moderator, type="feature")
    assert bug not in listed(moderator, type="feature")
    answer = moderator.get("/admin/feedback", query={"status": "closed", "type": "feature"}).json
    assert idea in [one["id"] for one in answer["feedback"]]
    assert {(one["status"], one["feedback_type"]) for one in answer["feedback"]} == {("closed", "feature")}
    assert answer["total"] == len(answer["feedback"])


def test_pages(moderator: User, user: User) -> None:
    made = [report(user, title=str(n))["id"] for n in range(3)]
    first = moderator.get("/admin/feedback", query={"page_size": 2}).json
    second = moderator.get("/admin/feedback", query={"page_size": 2, "page": 2}).json
    assert [one["id"] for one in first["feedback"]] == made[:0:-1]
    assert second["feedback"][0]["id"] == made[0]
    assert (second["page"], second["page_size"]) == (2, 2)
    assert first["total"] == second["total"] >= 3
    assert moderator.get("/admin/feedback").json["page_size"] == 50


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "done"}, "status"),
        ({"type": "praise"}, "type"),
        ({"page": 0}, "page"),
        ({"page_size": 101}, "page_size"),
    ],
)
def test_bad_queries(moderator: User, query: dict[str, Any], field: str) -> None:
    moderator.get("/admin/feedback", query=query).invalid(field)


def test_an_answer_reaches_its_author(moderator: User, user: User, database: Database) -> None:
    made = report(user)
    answer = moderator.put(
        f"/admin/feedback/{made['id']}",
        {"status": "in_progress", "priority": "urgent", "admin_response": " We heard it too. "},
    )
    assert (answer.status, set(answer.json)) == (200, REPORT)
    shown = user.get("/feedback").data["feedback"][0]
    assert (shown["status"], shown["priority"]) == ("in_progress", "urgent")
    assert shown["admin_response"] == "We heard it too."
    assert told(user) == ['Your report "The bell rings twice" was answered']
    [row] = audited(database, answer)
    assert (row["event_type"], row["user_id"]) == ("resource_updated", moderator.id)
    assert (row["resource_type"], row["resource_id"]) == ("feedback", made["id"])
    assert "heard" not in str(row)


def test_resolving_stamps_and_leaving_it_clears(moderator: User, user: User) -> None:
    path = f"/admin/feedback/{report(user)['id']}"
    resolved = moderator.put(path, {"status": "resolved"}).json
    assert (resolved["resolved_by"], resolved["resolved_at"] is not None) == (str(moderator.id), True)
    assert moderator.put(path, {"priority": "low"}).json["resolved_at"] == resolved["resolved_at"]
    reopened = moderator.put(path, {"status": "open"}).json
    assert (reopened["resolved_by"], reopened["resolved_at"]) == (None, None)


def test_null_takes_an_answer_back(moderator: User, user: User) -> None:
    path = f"/admin/feedback/{report(user)['id']}"
    moderator.put(path, {"admin_response": "Soon."})
    assert moderator.put(path, {"status": "acknowledged"}).json["admin_response"] == "Soon."
    assert moderator.put(path, {"admin_response": None}).json["admin_response"] is None
    assert moderator.put(path, {"admin_response": "  "}).json["admin_response"] is None


def test_nothing_sent_changes_nothing(moderator: User, user: User, database: Database) -> None:
    path = f"/admin/feedback/{report(user)['id']}"
    before = moderator.get(path).json
    answer = moderator.put(path, {"title": "Mine", "user_id": str(moderator.id)})
    assert (answer.json, audited(database, answer), told(user)) == (before, [], [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "done"}, "status"),
        ({"status": None}, "status"),
        ({"priority": "top"}, "priority"),
        ({"priority": None}, "priority"),
        ({"admin_response": "x" * 5001}, "admin_response"),
        ({"admin_response": 1}, "admin_response"),
    ],
)
def test_bad_answers(moderator: User, user: User, body: dict[str, Any], field: str) -> None:
    moderator.put(f"/admin/feedback/{report(user)['id']}", body).invalid(field)


def test_an_unknown_report(moderator: User, database: Database) -> None:
    for unknown in (str(uuid4()), "none"):
        moderator.get(f"/admin/feedback/{unknown}").refused(404, "not_found")
        answer = moderator.put(f"/admin/feedback/{unknown}", {"status": "closed"})
        answer.refused(404, "not_found")
        assert audited(database, answer) == []


def test_two_who_answer_at_once_tell_it_once(moderator: User, user: User, new_user: NewUser) -> None:
    path = f"/admin/feedback/{report(user)['id']}"
    assert at_once(3, lambda: moderator.put(path, {"status": "acknowledged"}).status) == [200] * 3
    assert told(user) == ['Your report "The bell rings twice" is now acknowledged']
