"""The scheduled work: objects go, also when the bucket was away; uploads that nobody registered go too."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from functions.jobs import worker
from functions.jobs.work import RESERVE_MS
from local.clock import Clock
from tests.conftest import Database, User
from tests.jobs.ticking import tick
from tests.reference.uploads import begin, register, tone, upload
from tests.reference.working import start, work
from tests.support import bucket
from tests.support.client import log_in

LISTED = "SELECT attempts, last_error FROM storage_deletions WHERE object_key LIKE %s"


def lists(database: Database, key: str, *, is_prefix: bool = False) -> None:
    database.query("INSERT INTO storage_deletions (object_key, is_prefix) VALUES (%s, %s) RETURNING id", key, is_prefix)


def test_what_a_request_could_not_delete_is_deleted_later(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = register(user)
    with monkeypatch.context() as away:
        away.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
        user.delete(f"/reference/tracks/{track['id']}")
    bucket.serve()
    assert bucket.keys(f"{user.id}/") == {track["r2_key"]}
    assert tick("storage") == {"deleted": 1, "failed": 0, "unfinished": 0}
    assert bucket.keys(f"{user.id}/") == set()
    assert database.query(LISTED, f"{user.id}/%") == []
    assert tick("storage") == {"deleted": 0, "failed": 0, "unfinished": 0}


def test_a_bucket_that_is_away_is_asked_less_and_less(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"{uuid4()}/audio/1.wav"
    lists(database, key)
    monkeypatch.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
    for attempt, minutes in enumerate((1, 2, 4, 8), 1):
        assert tick("storage") == {"deleted": 0, "failed": 1, "unfinished": 0}
        assert database.query(LISTED, key) == [{"attempts": attempt, "last_error": "The bucket did not delete it."}]
        clock.advance(f"PT{minutes * 60 - 5}S")
        assert tick("storage") == {"deleted": 0, "failed": 0, "unfinished": 0}
        clock.advance("PT6S")
    for _ in range(16):
        assert tick("storage")["failed"] == 1
        clock.advance("P1DT1S")
    assert database.query(LISTED, key)[0]["attempts"] == 20
    assert tick("storage") == {"deleted": 0, "failed": 0, "unfinished": 0}, "after twenty attempts it is set aside"


def test_all_below_a_prefix_goes_and_once_more_a_day_later(database: Database, clock: Clock) -> None:
    owner, other = uuid4(), uuid4()
    names = [f"{owner}/audio/{n} & <é>.wav" for n in range(3)] + [f"{owner}/exports/1.zip"]
    for name in [*names, f"{other}/audio/1.wav"]:
        bucket.client().put_object(Bucket="questlog", Key=name, Body=b"x")
    lists(database, f"{owner}/", is_prefix=True)
    assert tick("storage") == {"deleted": 1, "failed": 0, "unfinished": 0}
    assert bucket.keys(f"{owner}/") == set()
    assert bucket.keys(f"{other}/") == {f"{other}/audio/1.wav"}
    bucket.client().put_object(Bucket="questlog", Key=names[0], Body=b"late")
    clock.advance("PT23H59M")
    assert tick("storage") == {"deleted": 0, "failed": 0, "unfinished": 0}
    clock.advance("PT3M")
    assert tick("storage") == {"deleted": 1, "failed": 0, "unfinished": 0}
    assert bucket.keys(f"{owner}/") == set()
    assert database.query(LISTED, f"{owner}/") == []


def test_a_deleted_account_leaves_no_object(user: User) -> None:
    register(user)
    upload(user, tone())
    assert len(bucket.keys(f"{user.id}/")) == 2
    assert user.delete("/user/delete", {"confirm": "DELETE"}).status == 200
    tick("storage")
    assert bucket.keys(f"{user.id}/") == set()


def test_an_upload_that_is_not_registered_within_a_day_goes(user: User, database: Database, clock: Clock) -> None:
    kept, key = register(user), upload(user, tone())
    begin(user, tone())
    clock.advance("PT23H59M")
    assert tick("cleanup")["sweep_uploads"] == 0
    clock.advance("PT2M")
    assert tick("cleanup")["sweep_uploads"] == 2
    user.post("/reference/tracks", {"name": "Too late", "r2_key": key}).refused(404, "not_found")
    tick("storage")
    assert bucket.keys(f"{user.id}/") == {kept["r2_key"]}
    assert user.get(f"/reference/tracks/{kept['id']}/stream").status == 200


def test_jobs_are_forgotten_a_week_after_their_end(user: User, database: Database, clock: Clock) -> None:
    work(start(user, register(user)["id"])["id"])
    waiting = start(user, register(user)["id"])["id"]
    clock.advance("P6DT23H")
    tick("cleanup")
    assert len(database.query("SELECT id FROM jobs WHERE user_id = %s", user.id)) == 2
    clock.advance("PT2H")
    tick("cleanup")
    assert [str(row["id"]) for row in database.query("SELECT id FROM jobs WHERE user_id = %s", user.id)] == [waiting]


def test_it_stops_before_its_time_is_up(user: User, database: Database) -> None:
    for n in range(3):
        lists(database, f"{user.id}/audio/{n}.wav")
    assert tick("storage", milliseconds=RESERVE_MS) == {"deleted": 0, "failed": 0, "unfinished": 0}
    log_in("jobs")
    left = iter([RESERVE_MS + 1] * 3 + [0] * 9)  # enough for the claim and two objects
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
    assert worker.handler({"schedule": "storage"}, context) == {"deleted": 2, "failed": 0, "unfinished": 1}
    assert database.query(LISTED, f"{user.id}/%") == [{"attempts": 0, "last_error": None}]
    assert tick("storage") == {"deleted": 1, "failed": 0, "unfinished": 0}
