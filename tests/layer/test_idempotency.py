"""Idempotency-Key on unsafe requests (platform contract, 1.14)."""

from datetime import timedelta
from itertools import islice

import pytest

from questlog import db
from questlog.identity import SAFE_METHODS

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.support import bucket
from tests.support.routes import inhabit, routes
from tests.support.rows import likely, paths_of, rows_of

KEY = {"Idempotency-Key": "once"}


def names(user: User) -> list[str]:
    return [library["name"] for library in user.get("/focus/libraries").data["libraries"]]


def test_a_replay_answers_the_first_response(user: User) -> None:
    first = user.post("/focus", {"task_title": "a"}, headers=KEY)
    again = user.post("/api/focus", {"task_title": "a"}, headers=KEY)
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"
    assert (again.status, again.json) == (200, first.json)
    assert user.get("/focus").data["total"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/focus", {"task_title": "b"}),
        ("POST", "/focus/libraries", {"task_title": "a"}),
        ("POST", "/focus", {}),
    ],
)
def test_another_request_with_the_key_is_refused(user: User, method: str, path: str, body: object) -> None:
    user.post("/focus", {"task_title": "a"}, headers=KEY)
    user.request(method, path, body=body, headers=KEY).refused(422, "idempotency_mismatch")
    assert user.get("/focus").data["total"] == 1


def test_another_query_is_another_request(user: User) -> None:
    first = user.post("/focus", {}, query={"a": "1"}, headers=KEY)
    assert user.post("/focus", {}, query={"a": "1"}, headers=KEY).json == first.json
    user.post("/focus", {}, query={"a": "2"}, headers=KEY).refused(422, "idempotency_mismatch")
    user.post("/focus", {}, headers=KEY).refused(422, "idempotency_mismatch")
    assert user.post("/focus", {}, query={"a": "1"}, headers=KEY).json == first.json, "the refusals are not kept"


def test_a_refusal_that_cannot_be_kept_frees_its_key(user: User, database: Database) -> None:
    """The statement that keeps it is cancelled: the request is 503, and the next one with the key is a new one."""
    database.query(
        """
        CREATE FUNCTION tire() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.status = 404 THEN RAISE EXCEPTION USING ERRCODE = 'query_canceled'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER tire BEFORE UPDATE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION tire();
        """
    )
    try:
        user.post(f"/focus/{user.id}/complete", {}, headers=KEY).refused(503, "unavailable")
    finally:
        database.query("DROP TRIGGER tire ON idempotency_keys; DROP FUNCTION tire()")
    assert database.query("SELECT key FROM idempotency_keys WHERE user_id = %s", user.id) == []
    again = user.post(f"/focus/{user.id}/complete", {}, headers=KEY)
    again.refused(404, "not_found")
    assert "idempotent-replay" not in again.headers


def test_keys_are_each_users_own(user: User, other: User) -> None:
    first = user.post("/focus", {}, headers=KEY).data["id"]
    assert other.post("/focus", {}, headers=KEY).data["id"] != first


def test_a_refusal_is_kept_and_leaves_nothing(user: User, database: Database) -> None:
    missing = f"/focus/{user.id}/complete"
    first = user.post(missing, {}, headers=KEY)
    first.refused(404, "not_found")
    again = user.post(missing, {}, headers=KEY)
    assert again.headers["idempotent-replay"] == "true"
    assert again.json == first.json


def test_what_is_wrong_with_a_request_may_be_put_right(user: User) -> None:
    """Bad input is not kept: the same key serves the request that is well."""
    user.post("/focus", {"mode": "nap"}, headers=KEY).invalid("mode")
    again = user.post("/focus", {"mode": "nap"}, headers=KEY)
    again.invalid("mode")
    assert "idempotent-replay" not in again.headers
    assert user.post("/focus", {"mode": "break"}, headers=KEY).data["mode"] == "break"


def test_a_conflict_is_answered_again_after_its_reason_is_gone(user: User) -> None:
    one = user.post("/focus/libraries", {"name": "one"}).data["id"]
    two = user.post("/focus/libraries", {"name": "two"}).data["id"]
    user.patch(f"/focus/libraries/{two}", {"name": "one"}, headers=KEY).refused(409, "name_taken")
    user.delete(f"/focus/libraries/{one}")
    answer = user.patch(f"/focus/libraries/{two}", {"name": "one"}, headers=KEY)
    assert (answer.status, answer.json["error"]["type"]) == (409, "name_taken")
    assert answer.headers["idempotent-replay"] == "true"
    assert names(user) == ["two"]


def test_a_request_that_may_not_be_made_claims_nothing(user: User, stranger: Client, database: Database) -> None:
    stranger.post("/focus", {}, headers=KEY).refused(401, "unauthorized")
    user.post("/focus", {}, headers={**KEY, "Origin": "https://evil.test"}).refused(403, "csrf_violation")
    assert database.query("SELECT key FROM idempotency_keys WHERE user_id = %s", user.id) == []
    assert user.post("/focus", {}, headers=KEY).status == 200


@pytest.mark.parametrize("key", ["x" * 256, "tab\there", "é", "\x7f"])
def test_a_key_that_is_none(user: User, stranger: Client, key: str) -> None:
    user.post("/focus", {}, headers={"Idempotency-Key": key}).invalid("Idempotency-Key")
    stranger.post("/focus", {}, headers={"Idempotency-Key": key}).refused(401, "unauthorized")


def test_reads_ignore_it(user: User, database: Database) -> None:
    user.get("/focus", headers=KEY)
    assert database.query("SELECT key FROM idempotency_keys WHERE user_id = %s", user.id) == []


def test_two_at_once_do_it_once(user: User) -> None:
    answers = at_once(8, lambda: user.post("/focus", {"task_title": "a"}, headers=KEY))
    assert {answer.status for answer in answers} <= {200, 409}
    done = [answer.json for answer in answers if answer.status == 200]
    assert done
    assert all(answer == done[0] for answer in done)
    for answer in answers:
        if answer.status == 409:
            answer.refused(409, "idempotency_in_progress")
    assert user.get("/focus").data["total"] == 1


def test_a_key_is_forgotten_after_a_day(user: User, clock: Clock) -> None:
    clock.freeze()
    first = user.post("/focus", {}, headers=KEY).data["id"]
    clock.advance(timedelta(days=1) - timedelta(microseconds=1))
    assert user.post("/focus", {}, headers=KEY).data["id"] == first
    clock.advance(timedelta(microseconds=1))
    assert user.post("/focus", {"task_title": "other"}, headers=KEY).data["id"] != first


def test_a_fault_keeps_nothing(user: User, database: Database) -> None:
    database.query("ALTER TABLE focus_libraries ADD CONSTRAINT surprise CHECK (name <> 'boom') NOT VALID")
    try:
        user.post("/focus/libraries", {"name": "boom"}, headers=KEY).refused(500, "internal_error")
    finally:
        database.query("ALTER TABLE focus_libraries DROP CONSTRAINT surprise")
    assert database.query("SELECT key FROM idempotency_keys WHERE user_id = %s", user.id) == []
    assert user.post("/focus/libraries", {"name": "boom"}, headers=KEY).data["name"] == "boom"


def test_the_connection_is_as_good_as_new_afterwards(user: User) -> None:
    """A rollback in a pipeline once made the driver forget which statements were prepared."""
    for n in range(4):
        user.post("/focus", {}, headers={"Idempotency-Key": f"k{n}"})
        user.post("/focus", {}, headers={"Idempotency-Key": f"k{n}"})
        user.post(f"/focus/{user.id}/complete", {}, headers={"Idempotency-Key": f"m{n}"}).refused(404, "not_found")
        before = db.connection()
        assert user.get("/focus").data["total"] == n + 1
        assert db.connection() is before


# Answers that show a secret (a signed URL is one), and what more may not be kept: what a count or an audit row says,
# what goes with its user, what was asked of the database, a message to try the way.
NOT_KEPT = {
    *("POST /auth/sessions", "POST /calendar/feed", "POST /user/imports", "POST /admin/backup/upload"),
    *("POST /reference/upload/init", "POST /admin-access/claim", "POST /admin/db/query", "DELETE /user/delete"),
    *("DELETE /admin/users/{user_id}", "POST /notifications/test"),
}


def test_answers_that_are_not_kept(new_user: NewUser, database: Database) -> None:
    bucket.serve()
    unkept = {str(route): route for route in routes() if not (route.public or route.takes_key)}
    assert unkept.keys() >= NOT_KEPT
    for name in NOT_KEPT:
        user = new_user(role="admin")
        new_user(role="admin")
        assert unkept[name].endpoint.method not in SAFE_METHODS
        for _ in range(2):
            answer = unkept[name].ask(user, key="once")
            assert "idempotent-replay" not in answer.headers, name
            assert answer.status in (200, 400, 401, 403, 404), (name, answer.text)
        assert database.query("SELECT FROM idempotency_keys WHERE user_id = %s", user.id) == [], name


def test_no_kept_answer_holds_a_signed_url(new_user: NewUser, database: Database) -> None:
    """Whatever each route that keeps its answer is asked for, of the caller's own."""
    bucket.serve()
    user = new_user(role="admin")
    for group in {route.group for route in routes()}:
        inhabit(group, user)
    rows = rows_of(user.id, database)
    for number, route in enumerate(route for route in routes() if route.takes_key):
        if route.endpoint.method != "DELETE":
            paths = (
                paths_of(likely(rows, route.endpoint.path), len(route.identified_by)) if route.identified_by else [()]
            )
            for path in islice(paths, 5):
                route.ask(user, [row.id for row in path], key=f"{number} {[row.id for row in path]}"[:255])
    kept = database.query("SELECT body::text AS body FROM idempotency_keys WHERE user_id = %s", user.id)
    assert len(kept) > 50
    assert [row for row in kept if "X-Amz-" in str(row["body"])] == []
