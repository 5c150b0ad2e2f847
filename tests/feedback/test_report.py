from datetime import datetime
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.feedback.conftest import BELL
from tests.support.factories import report as reported
from tests.support.locks import after_a_wait


def count(user: User, database: Database) -> int:
    return len(database.query("SELECT id FROM feedback WHERE user_id = %s", user.id))


def fill(user: User, number: int) -> None:
    """Report so many different things."""
    for n in range(number):
        reported(user, title=f"Report {n}")


def test_a_report_as_it_is_shown(user: User, database: Database) -> None:
    report = reported(
        user, title="  The bell rings twice ", description=" After a pause.\n", metadata={"page": "/focus"}
    )
    assert {key: report[key] for key in report if key not in ("id", "created_at", "updated_at")} == {
        "feedback_type": "bug",
        "title": "The bell rings twice",
        "description": "After a pause.",
        "status": "open",
        "priority": "normal",
        "admin_response": None,
        "resolved_at": None,
    }
    assert user.get(f"/feedback/{report['id']}").data == report
    [row] = database.query("SELECT metadata, user_id FROM feedback WHERE id = %s", report["id"])
    assert row == {"metadata": {"page": "/focus"}, "user_id": user.id}


def test_what_becomes_of_it_is_not_the_authors_to_say(user: User) -> None:
    report = reported(user, status="resolved", admin_response="Done.", resolved_at="2001-01-01T00:00:00Z")
    assert (report["status"], report["admin_response"], report["resolved_at"]) == ("open", None, None)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"type": None}, "type"),
        ({"type": "praise"}, "type"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": 7}, "title"),
        ({"description": ""}, "description"),
        ({"description": "x" * 10001}, "description"),
        ({"priority": "highest"}, "priority"),
        ({"priority": None}, "priority"),
        ({"metadata": []}, "metadata"),
        ({"metadata": "{}"}, "metadata"),
        ({"metadata": {"a": "x" * 4089}}, "metadata"),
    ],
)
def test_bad_input_is_named(user: User, database: Database, fields: dict[str, Any], named: str) -> None:
    user.post("/feedback", BELL | fields).invalid(named)
    assert count(user, database) == 0


def test_all_of_it_is_needed(user: User) -> None:
    user.post("/feedback", {}).invalid("type", "title", "description")


@pytest.mark.parametrize("metadata", [None, {}, {"a": "x" * 4088}, {"a": [1, 2.5e300, {"b": None}]}])
def test_metadata_up_to_four_kibibytes(user: User, metadata: Any) -> None:
    assert reported(user, title="x" * 200, description="x" * 10000, metadata=metadata)["priority"] == "normal"


def test_a_double_click_is_one_report(user: User, other: User, database: Database) -> None:
    first = reported(user)
    assert reported(user, title=" The bell rings twice ", priority="urgent", metadata={"second": True}) == first
    assert {report["id"] for report in at_once(6, lambda: reported(user))} == {first["id"]}
    assert count(user, database) == 1
    assert reported(other)["id"] != first["id"]
    for fields in ({"type": "other"}, {"title": "the bell rings twice"}, {"description": "Before a pause."}):
        assert reported(user, **fields)["id"] != first["id"]
    assert count(user, database) == 4


def test_two_at_once_are_one_report(user: User, database: Database) -> None:
    assert len({report["id"] for report in at_once(8, lambda: reported(user))}) == 1
    assert count(user, database) == 1


def test_after_ten_minutes_it_is_a_new_report(user: User, database: Database, clock: Clock) -> None:
    clock.freeze()
    first = reported(user)
    clock.advance("PT9M59S")
    assert reported(user)["id"] == first["id"]
    clock.advance("PT1S")
    assert reported(user)["id"] != first["id"]
    assert count(user, database) == 2


def test_of_three_the_first_is_answered(user: User, clock: Clock) -> None:
    clock.freeze()
    reported(user)
    clock.advance("PT10M")
    first = reported(user)
    clock.advance("PT1S")
    assert reported(user) == first


def test_a_report_is_dated_after_the_wait_for_the_lock(user: User, database: Database) -> None:
    report, released = after_a_wait(database, user, lambda: reported(user))
    assert datetime.fromisoformat(report["created_at"]) >= released
    assert report["updated_at"] == report["created_at"]


def test_the_21st_of_a_day_waits_until_tomorrow(new_user: NewUser, database: Database, clock: Clock) -> None:
    user = new_user(settings={"timezone": "Etc/GMT-9", "day_start_hour": 3})
    clock.freeze()
    clock.set("2031-05-08T18:00:00Z")  # the first instant of the user's 9th of May
    fill(user, 19)
    clock.set("2031-05-09T17:00:00Z")
    last = reported(user)
    answer = user.post("/feedback", BELL | {"title": "One more"})
    assert answer.refused(429, "rate_limited") == {"retry_after": 3600}
    assert answer.headers["retry-after"] == "3600"
    assert count(user, database) == 20
    # Saying again what was said adds nothing, so that is answered.
    assert reported(user) == last
    clock.set("2031-05-09T17:59:59.5Z")
    assert user.post("/feedback", BELL | {"title": "One more"}).refused(429, "rate_limited") == {"retry_after": 1}
    clock.set("2031-05-09T18:00:00Z")
    assert reported(user, title="One more")["status"] == "open"


def test_the_limit_is_each_users_own_and_holds_in_parallel(
    user: User, other: User, database: Database, clock: Clock
) -> None:
    clock.set("2031-05-09T12:00:00Z")  # all of them on one day
    fill(user, 18)
    titles = iter([f"At once {n}" for n in range(6)])
    answers = at_once(6, lambda: user.post("/feedback", BELL | {"title": next(titles)}).status)
    assert sorted(answers) == [200, 200, 429, 429, 429, 429]
    assert count(user, database) == 20
    assert reported(other)["status"] == "open"


def test_without_a_session(stranger: Client) -> None:
    stranger.post("/feedback", BELL).refused(401, "unauthorized")
