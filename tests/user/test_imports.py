"""The routes of imports: a URL to upload to, and the start once the file is there."""

from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.onboarding.inhabit import inhabit
from tests.support import bucket
from tests.support.client import Client

ZIP = {"content-type": "application/zip"}


@pytest.fixture(autouse=True)
def _bucket() -> None:
    bucket.serve()


def begin(user: User, size: int = 4) -> dict[str, Any]:
    made: dict[str, Any] = user.post("/user/imports", {"size_bytes": size}).data
    return made


def uploaded(user: User, content: bytes = b"file") -> str:
    """An import whose file is there. Returns its id."""
    made = begin(user, len(content))
    assert bucket.send("PUT", made["upload_url"], content, ZIP)[0] == 200
    return str(made["id"])


def jobs(database: Database, user: User) -> list[Any]:
    return database.query("SELECT id, kind, status FROM jobs WHERE user_id = %s", user.id)


def test_a_url_to_upload_to(user: User) -> None:
    made = begin(user)
    url, expires = made.pop("upload_url"), made.pop("upload_expires_at")
    assert made == {
        "id": made["id"],
        "status": "awaiting_upload",
        "progress": 0,
        "created_at": made["created_at"],
        **dict.fromkeys(("started_at", "finished_at", "counts", "skipped", "error")),
    }
    assert f"{user.id}/imports/{made['id']}.zip" in url
    assert expires > made["created_at"]
    assert user.get(f"/user/imports/{made['id']}").data == made
    assert bucket.send("PUT", url, b"file", ZIP)[0] == 200
    assert bucket.keys(f"{user.id}/") == {f"{user.id}/imports/{made['id']}.zip"}


@pytest.mark.parametrize("size", [0, -1, 5 * 1024**3 + 1, "4", 1.5, None])
def test_sizes_that_are_none(user: User, size: Any) -> None:
    user.post("/user/imports", {"size_bytes": size}).invalid("size_bytes")


def test_a_size_is_needed(user: User) -> None:
    user.post("/user/imports").invalid("size_bytes")
    assert begin(user, 1)["status"] == begin(user, 5 * 1024**3)["status"] == "awaiting_upload"


def test_five_a_day(user: User, other: User, clock: Clock) -> None:
    """In any 24 hours, wherever a day begins."""
    clock.set("2031-05-07T20:00:00Z")
    for _ in range(3):
        begin(user)
    clock.set("2031-05-08T04:00:00Z")
    for _ in range(2):
        begin(user)
    answer = user.post("/user/imports", {"size_bytes": 4})
    answer.refused(429, "rate_limited")
    # The first request came a moment after 20:00, the last one another moment after 04:00.
    assert 15 * 3600 < int(answer.headers["retry-after"]) <= 16 * 3600 + 1
    begin(other)
    clock.set("2031-05-08T20:05:00Z")
    for _ in range(3):
        begin(user)
    user.post("/user/imports", {"size_bytes": 4}).refused(429, "rate_limited")


def test_five_at_once(user: User) -> None:
    statuses = [answer.status for answer in at_once(8, lambda: user.post("/user/imports", {"size_bytes": 4}))]
    assert sorted(statuses) == [200] * 5 + [429] * 3


def test_a_key_replays_no_url(user: User) -> None:
    """An answer with a URL that somebody could upload to is not kept."""
    key = {"idempotency-key": "k"}
    one, two = (user.post("/user/imports", {"size_bytes": 4}, headers=key).data["id"] for _ in range(2))
    assert one != two


def test_a_start_queues_a_job_of_the_same_id(user: User, database: Database) -> None:
    import_id = uploaded(user)
    started = user.post(f"/user/imports/{import_id}/start").data
    assert (started["id"], started["status"], started["progress"]) == (import_id, "queued", 0)
    assert started == user.get(f"/user/imports/{import_id}").data
    [job] = jobs(database, user)
    assert (str(job["id"]), job["kind"], job["status"]) == (import_id, "import", "queued")


def test_a_second_start_is_the_first_one(user: User, database: Database) -> None:
    import_id = uploaded(user)
    answers = at_once(4, lambda: user.post(f"/user/imports/{import_id}/start").data["status"])
    assert answers == ["queued"] * 4
    assert len(jobs(database, user)) == 1


def test_nothing_starts_without_the_file(user: User, database: Database) -> None:
    import_id = begin(user)["id"]
    user.post(f"/user/imports/{import_id}/start").refused(409, "upload_incomplete")
    assert user.get(f"/user/imports/{import_id}").data["status"] == "awaiting_upload"
    assert jobs(database, user) == []


@pytest.mark.parametrize("content", [b"fil", b"files", b""])
def test_nothing_starts_with_a_file_of_another_size(user: User, content: bytes) -> None:
    made = begin(user, 4)
    bucket.send("PUT", made["upload_url"], content, ZIP)
    user.post(f"/user/imports/{made['id']}/start").refused(409, "upload_incomplete")
    bucket.send("PUT", made["upload_url"], b"file", ZIP)
    assert user.post(f"/user/imports/{made['id']}/start").data["status"] == "queued"


def test_a_bucket_that_is_away(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = uploaded(user)
    with monkeypatch.context() as away:
        away.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
        user.post(f"/user/imports/{import_id}/start").refused(503, "unavailable")
    assert user.post(f"/user/imports/{import_id}/start").data["status"] == "queued"


def test_an_account_that_is_not_empty(user: User, database: Database) -> None:
    user.post("/habits", {"name": "Read"})
    user.post("/habits", {"name": "Run"})
    user.post("/exercise", {"name": "Wall sit", "category": "strength"})
    import_id = uploaded(user)
    answer = user.post(f"/user/imports/{import_id}/start")
    assert answer.refused(409, "account_not_empty") == {"tables": {"habits": 2, "exercises": 1}}
    assert "sign in again" in answer.error["message"]
    assert jobs(database, user) == []


def test_what_signing_in_and_first_steps_leave_is_nothing(user: User) -> None:
    user.put("/user/settings", {"theme": "dark"})
    user.get("/today")
    user.get("/onboarding")
    inhabit(user)  # it is asked what it is interested in, and answers
    assert user.get("/user/stats").data["total_xp"] == 0
    assert user.post(f"/user/imports/{uploaded(user)}/start").status == 200


def test_one_at_a_time(user: User) -> None:
    one, two = uploaded(user), uploaded(user)
    assert user.post(f"/user/imports/{one}/start").status == 200
    user.post(f"/user/imports/{two}/start").refused(409, "import_running")
    assert user.get(f"/user/imports/{two}").data["status"] == "awaiting_upload"


def test_nobody_elses(user: User, other: User, stranger: Client) -> None:
    import_id = uploaded(user)
    for missing in (import_id, uuid4(), "x"):
        other.get(f"/user/imports/{missing}").refused(404, "not_found")
        other.post(f"/user/imports/{missing}/start").refused(404, "not_found")
    stranger.post("/user/imports", {"size_bytes": 4}).refused(401, "unauthorized")
    stranger.get(f"/user/imports/{import_id}").refused(401, "unauthorized")
    stranger.post(f"/user/imports/{import_id}/start").refused(401, "unauthorized")
    assert user.get(f"/user/imports/{import_id}").data["status"] == "awaiting_upload"


def test_terms_come_first(new_user: NewUser) -> None:
    """Data may be taken away without agreeing to anything, but not brought."""
    new_user(consented=False).post("/user/imports", {"size_bytes": 4}).refused(403, "age_verification_required")
