"""The schedule `storage`: objects go, also when the bucket was away, and nothing else goes."""

import hashlib
from types import SimpleNamespace
from uuid import UUID, uuid4

import psycopg
import pytest

from questlog import storage as signed
from questlog.errors import Unavailable

from functions.jobs import bucket as store
from functions.jobs import worker
from functions.jobs.work import RESERVE_MS
from local.clock import Clock
from tests.conftest import Database, User
from tests.jobs.ticking import tick
from tests.reference.uploads import register, tone, upload
from tests.support import bucket
from tests.support.client import log_in

NOTHING = {"deleted": 0, "failed": 0, "unfinished": 0, "erasures": 0}
LISTED = "SELECT attempts, last_error FROM storage_deletions WHERE object_key LIKE %s"


def lists(database: Database, key: str, *, is_prefix: bool = False) -> None:
    database.query("INSERT INTO storage_deletions (object_key, is_prefix) VALUES (%s, %s) RETURNING id", key, is_prefix)


def put(key: str) -> None:
    bucket.client().put_object(Bucket="questlog", Key=key, Body=b"x")


@pytest.fixture(autouse=True)
def nobody_was_deleted(database: Database) -> None:
    """No erasure of another test waits."""
    database.query("UPDATE erasures SET kept_at = erased_at")


def test_what_a_request_could_not_delete_is_deleted_later(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = register(user)
    with monkeypatch.context() as away:
        away.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
        user.delete(f"/reference/tracks/{track['id']}")
    bucket.serve()
    assert bucket.keys(f"{user.id}/") == {track["r2_key"]}
    assert tick("storage") == NOTHING | {"deleted": 1}
    assert bucket.keys(f"{user.id}/") == set()
    assert database.query(LISTED, f"{user.id}/%") == []
    assert tick("storage") == NOTHING


def test_a_bucket_that_is_away_is_asked_less_and_less(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"{uuid4()}/audio/1.wav"
    lists(database, key)

    def away(keys: list[str]) -> set[str]:
        raise Unavailable

    monkeypatch.setattr(store, "delete", away)
    for attempt, minutes in enumerate((1, 2, 4, 8), 1):
        assert tick("storage") == NOTHING | {"failed": 1}
        assert database.query(LISTED, key) == [{"attempts": attempt, "last_error": "The bucket did not delete it."}]
        clock.advance(f"PT{minutes * 60 - 5}S")
        assert tick("storage") == NOTHING
        clock.advance("PT6S")
    for _ in range(16):
        assert tick("storage")["failed"] == 1
        clock.advance("P1DT1S")
    assert database.query(LISTED, key)[0]["attempts"] == 20
    assert tick("storage") == NOTHING, "after twenty attempts it is set aside"


def test_all_below_a_prefix_goes_and_once_more_a_day_later(database: Database, clock: Clock) -> None:
    owner, other = uuid4(), uuid4()
    names = [f"{owner}/audio/{n} & <é>.wav" for n in range(3)] + [f"{owner}/exports/1.zip"]
    for name in [*names, f"{other}/audio/1.wav"]:
        bucket.client().put_object(Bucket="questlog", Key=name, Body=b"x")
    lists(database, f"{owner}/", is_prefix=True)
    assert tick("storage") == NOTHING | {"deleted": 1}
    assert bucket.keys(f"{owner}/") == set()
    assert bucket.keys(f"{other}/") == {f"{other}/audio/1.wav"}
    bucket.client().put_object(Bucket="questlog", Key=names[0], Body=b"late")
    clock.advance("PT23H59M")
    assert tick("storage") == NOTHING
    clock.advance("PT3M")
    assert tick("storage") == NOTHING | {"deleted": 1}
    assert bucket.keys(f"{owner}/") == set()
    assert database.query(LISTED, f"{owner}/") == []


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "/",
        "backups/",
        "erasures/",
        "a",
        f"{UUID(int=1)}",
        f"{UUID(int=1)}/audio",
        f"x{UUID(int=1)}/",
        f"{UUID(int=1)}//",
    ],
)
def test_no_prefix_but_a_users_is_ever_deleted(database: Database, prefix: str) -> None:
    """The empty one is the whole bucket (platform contract, 6.13)."""
    with pytest.raises(psycopg.errors.CheckViolation):
        lists(database, prefix, is_prefix=True)


def test_a_deleted_account_leaves_no_object(user: User) -> None:
    register(user)
    upload(user, tone())
    assert len(bucket.keys(f"{user.id}/")) == 2
    assert user.delete("/user/delete", {"confirm": "DELETE"}).status == 200
    tick("storage")
    assert bucket.keys(f"{user.id}/") == set()


def test_it_stops_before_its_time_is_up(database: Database) -> None:
    owners = [uuid4() for _ in range(3)]
    for owner in owners:
        lists(database, f"{owner}/", is_prefix=True)
        put(f"{owner}/audio/1.wav")
    assert tick("storage", milliseconds=RESERVE_MS) == NOTHING
    log_in("jobs")
    left = iter([RESERVE_MS + 1] * 3 + [0] * 9)  # enough for the claim and one owner's objects
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
    assert worker.handler({"schedule": "storage"}, context) == NOTHING | {"deleted": 1, "unfinished": 2}
    [kept, other] = [owner for owner in owners if bucket.keys(f"{owner}/")]
    for owner in (kept, other):
        assert database.query(LISTED, f"{owner}/") == [{"attempts": 0, "last_error": None}]
    assert tick("storage") == NOTHING | {"deleted": 2}
    assert not any(bucket.keys(f"{owner}/") for owner in owners)


def test_a_thousand_objects_are_one_request(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    delete = store.delete

    def counted(keys: list[str]) -> set[str]:
        asked.append(len(keys))
        return delete(keys)

    monkeypatch.setattr(store, "delete", counted)
    database.query(
        "INSERT INTO storage_deletions (object_key) SELECT format('%%s/audio/%%s.wav', %s::text, n)"
        " FROM generate_series(1, 1001) AS n",
        str(uuid4()),
    )
    assert tick("storage") == NOTHING | {"deleted": 1001}
    assert asked == [1000, 1]


def test_only_what_the_bucket_names_is_gone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, other = uuid4(), uuid4()
    for key in (f"{owner}/audio/1.wav", f"{owner}/audio/2.wav"):
        lists(database, key)
    lists(database, f"{other}/", is_prefix=True)
    for name in ("1.wav", "2.wav"):
        put(f"{other}/audio/{name}")
    monkeypatch.setattr(store, "delete", lambda keys: {key for key in keys if key.endswith("2.wav")})
    assert tick("storage") == NOTHING | {"deleted": 1, "failed": 2}
    assert database.query(LISTED, f"{owner}/%")[0]["last_error"] == "The bucket did not delete it."
    assert database.query(LISTED, f"{owner}/audio/2.wav") == []
    assert database.query(LISTED, f"{other}/")[0]["attempts"] == 1


def test_a_key_that_the_bucket_refuses_holds_up_no_other(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(keys: list[str]) -> set[str]:
        raise store.Refusal("MalformedXML")

    owner = uuid4()
    for name in ("1.wav", "2.wav"):
        lists(database, f"{owner}/audio/{name}")
        put(f"{owner}/audio/{name}")
    monkeypatch.setattr(store, "delete", refuse)
    delete = signed.delete
    monkeypatch.setattr(signed, "delete", lambda key: key.endswith("2.wav") and delete(key))
    assert tick("storage") == NOTHING | {"deleted": 1, "failed": 1}
    assert bucket.keys(f"{owner}/") == {f"{owner}/audio/1.wav"}


def test_an_upload_that_is_under_way_leaves_no_parts(database: Database) -> None:
    owner, other = uuid4(), uuid4()
    for one in (owner, other):
        bucket.client().create_multipart_upload(Bucket="questlog", Key=f"{one}/exports/1.zip")
    lists(database, f"{owner}/", is_prefix=True)
    assert tick("storage") == NOTHING | {"deleted": 1}
    assert [upload.key for upload in store.unfinished(f"{owner}/")] == []
    assert [upload.key for upload in store.unfinished(f"{other}/")] == [f"{other}/exports/1.zip"]


# What is kept of deleted users ----------------------------------------------------------------------------------------


def test_an_erasure_is_kept_in_the_bucket_too(user: User, database: Database) -> None:
    user.delete("/user/delete", {"confirm": "DELETE"})
    digest = hashlib.sha256(str(user.id).encode()).hexdigest()
    assert bucket.keys(f"erasures/{digest}") == set()
    assert tick("storage") == NOTHING | {"erasures": 1, "deleted": 1}
    assert bucket.keys(f"erasures/{digest}") == {f"erasures/{digest}"}
    assert bucket.client().head_object(Bucket="questlog", Key=f"erasures/{digest}")["ContentLength"] == 0
    assert tick("storage") == NOTHING


def test_an_erasure_waits_for_the_bucket(user: User, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> set[str]:
        raise Unavailable

    user.delete("/user/delete", {"confirm": "DELETE"})
    with monkeypatch.context() as now:
        now.setattr(store, "put", away)
        now.setattr(store, "keys", away)
        assert tick("storage") == NOTHING | {"failed": 1}
    assert tick("storage")["erasures"] == 1
