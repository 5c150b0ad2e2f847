from uuid import uuid4

import pytest

from tests.conftest import Client, Database, User, at_once
from tests.support.factories import report as reported


def test_one_sees_ones_own_the_newest_first(user: User, other: User) -> None:
    assert user.get("/feedback").data == {"feedback": [], "total": 0, "page": 1, "page_size": 100}
    reports = [reported(user, title=title) for title in "abc"]
    reported(other)
    assert user.get("/feedback").data == {"feedback": reports[::-1], "total": 3, "page": 1, "page_size": 100}
    page = user.get("/feedback", query={"page": 2, "page_size": 2}).data
    assert page == {"feedback": reports[:1], "total": 3, "page": 2, "page_size": 2}


def test_by_status(user: User, database: Database) -> None:
    first, second = reported(user, title="a"), reported(user, title="b")
    database.query("UPDATE feedback SET status = 'in_progress' WHERE id = %s", first["id"])
    found = user.get("/feedback", query={"status": "in_progress"}).data
    assert ([report["id"] for report in found["feedback"]], found["total"]) == ([first["id"]], 1)
    assert user.get("/feedback", query={"status": "open"}).data["feedback"] == [second]
    assert user.get("/feedback", query={"status": "closed"}).data["total"] == 0
    assert user.get("/feedback", query={"status": ""}).data["total"] == 2


@pytest.mark.parametrize("query", [{"page": 0}, {"page_size": 101}, {"page_size": "all"}, {"status": "new"}])
def test_bad_filters_are_named(user: User, query: dict[str, object]) -> None:
    user.get("/feedback", query=query).invalid(*query)


def test_an_answer_shows(user: User, database: Database) -> None:
    report = reported(user)
    database.query(
        "UPDATE feedback SET status = 'resolved', resolved_at = clock(), admin_response = 'Fixed.' WHERE id = %s",
        report["id"],
    )
    shown = user.get(f"/feedback/{report['id']}").data
    assert (shown["status"], shown["admin_response"]) == ("resolved", "Fixed.")
    assert shown["updated_at"] >= shown["resolved_at"] > report["updated_at"]


def test_an_open_report_can_be_withdrawn(user: User, database: Database) -> None:
    path = f"/feedback/{reported(user)['id']}"
    assert user.delete(path).data == {"success": True}
    user.get(path).refused(404, "not_found")
    user.delete(path).refused(404, "not_found")
    assert database.query("SELECT id FROM feedback WHERE user_id = %s", user.id) == []


@pytest.mark.parametrize("status", ["acknowledged", "in_progress", "resolved", "closed", "wont_fix"])
def test_what_someone_works_on_stays(user: User, database: Database, status: str) -> None:
    path = f"/feedback/{reported(user)['id']}"
    database.query(
        "UPDATE feedback SET status = s, resolved_at = CASE s WHEN 'resolved' THEN clock() END"
        " FROM (SELECT %s AS s) AS n WHERE user_id = %s",
        *(status, user.id),
    )
    before = user.get(path).data
    assert user.delete(path).refused(409, "invalid_state") == {"status": status}
    assert user.get(path).data == before


def test_two_withdrawals_at_once(user: User) -> None:
    path = f"/feedback/{reported(user)['id']}"
    assert sorted(at_once(4, lambda: user.delete(path).status)) == [200, 404, 404, 404]


def test_someone_elses_is_absent(user: User, other: User, stranger: Client) -> None:
    report = reported(user)
    path = f"/feedback/{report['id']}"
    for client, status, error in ((other, 404, "not_found"), (stranger, 401, "unauthorized")):
        client.get(path).refused(status, error)
        client.delete(path).refused(status, error)
    stranger.get("/feedback").refused(401, "unauthorized")
    user.get(f"/feedback/{uuid4()}").refused(404, "not_found")
    user.get("/feedback/first").refused(404, "not_found")
    assert user.get(path).data == report
