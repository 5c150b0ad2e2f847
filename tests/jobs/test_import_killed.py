"""An import that is killed at any line is run again, and ends as if undisturbed."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from functions.jobs import bucket as store
from functions.jobs import importing
from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.jobs.accounts import Exported, bring, export_of, start, stored
from tests.jobs.ticking import as_administrator, tick
from tests.reference.uploads import register
from tests.support import bucket
from tests.support.ledger import award


class Killed(BaseException):
    """The end of the process: nothing that catches errors of the work catches it."""


@pytest.fixture
def export(new_user: NewUser, database: Database) -> Exported:
    user = new_user()
    award(database, user, "focus_complete", xp=60, coins=12)
    register(user)
    return export_of(database, user)


class Place(NamedTuple):
    """A call of a function: the process ends before or after it."""

    name: str
    owner: Any
    function: str
    is_it: Callable[..., bool]
    before: bool = True

    def kill(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the process end there."""
        original = getattr(self.owner, self.function)

        def called(*arguments: Any, **parameters: Any) -> Any:
            if self.before and self.is_it(*arguments, **parameters):
                raise Killed
            result = original(*arguments, **parameters)
            if self.is_it(*arguments, **parameters):
                raise Killed
            return result

        monkeypatch.setattr(self.owner, self.function, called)


OPENED = Place("opened", importing, "execute", lambda _, __, name, **_p: name == "open")
PLACES = [
    Place("checked", importing, "loading_plan", lambda *_: True),
    Place("objects listed", importing, "_write_audio", lambda *_: True),
    Place("audio written", store.Upload, "complete", lambda *_: True),
    OPENED,
    Place("some rows", importing, "execute", lambda _, __, name, **_p: name == "import_rows"),
    Place("ledger", importing, "execute", lambda _, __, name, **p: name == "import_ledger_rows" and p["is_last"]),
    Place("settled", importing, "execute", lambda _, __, name, **_p: name == "settle"),
    Place("job ended", importing, "complete", lambda *_: True),
    Place("committed", importing, "run", lambda *_: True),
]


@pytest.mark.parametrize(
    "place",
    [place._replace(before=before) for place in PLACES for before in (True, False)],
    ids=lambda place: f"{'before' if place.before else 'after'} {place.name}",
)
def test_it_is_run_again(user: User, export: Exported, database: Database, clock: Clock, place: Place) -> None:
    import_id = start(user, export.zipped())
    with pytest.MonkeyPatch.context() as patched:
        place.kill(patched)
        with pytest.raises(Killed):
            tick()
    clock.advance("PT5M1S")
    tick()
    ended = user.get(f"/user/imports/{import_id}").data
    assert (ended["status"], ended["skipped"], ended["error"]) == ("done", {}, None)
    again = export_of(database, user)
    assert again.data() == export.data()
    for entry in export.fields["objects"]:
        assert stored(f"{user.id}/{entry['key']}") == export.files[entry["path"]]
    waiting = database.query("SELECT object_key FROM storage_deletions WHERE object_key LIKE %s", f"{user.id}/%")
    assert [row["object_key"] for row in waiting] == [f"{user.id}/imports/{import_id}.zip"]
    assert database.audit(user.id) == []


def test_after_the_last_attempt_no_object_is_left(
    user: User, export: Exported, database: Database, clock: Clock
) -> None:
    import_id = start(user, export.zipped())
    with pytest.MonkeyPatch.context() as patched:
        OPENED.kill(patched)
        for _ in range(5):
            with pytest.raises(Killed):
                tick()
            clock.advance("PT5M1S")
    tick()
    ended = user.get(f"/user/imports/{import_id}").data
    assert (ended["status"], ended["error"]["type"]) == ("failed", "worker_lost")
    assert bucket.keys(f"{user.id}/audio/") != set()
    tick("storage")
    assert bucket.keys(f"{user.id}/audio/") == set()
    assert bring(user, export.zipped())["status"] == "done"


def test_an_administrator_has_it_tried_again(user: User, export: Exported, database: Database, clock: Clock) -> None:
    """Its file is kept for a day after it has failed."""
    import_id = start(user, export.zipped())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(importing, "loading_plan", broken)
        for _ in range(5):
            tick()
            clock.advance("PT20M")
    assert user.get(f"/user/imports/{import_id}").data["error"]["type"] == "internal_error"
    tick("storage")
    with database.admin() as connection, connection.transaction():
        as_administrator(connection)
        connection.execute("SELECT requeue_job(%s)", [import_id])
    queued = user.get(f"/user/imports/{import_id}").data
    assert (queued["status"], queued["progress"], queued["error"], queued["finished_at"]) == ("queued", 0, None, None)
    assert tick()["done"] == 1
    assert export_of(database, user).data() == export.data()


def broken(*_: Any) -> Any:
    """A fault of the program."""
    raise ZeroDivisionError


def test_objects_that_are_just_being_deleted_are_waited_for(
    user: User, export: Exported, database: Database, clock: Clock
) -> None:
    """Or the deletion could reach the object that the second import brings under the same key."""
    [entry] = export.fields["objects"]
    database.query(
        "INSERT INTO storage_deletions (object_key, attempts, run_after) VALUES (%s, 1, clock() + interval '1 minute')",
        f"{user.id}/{entry['key']}",
    )
    import_id = start(user, export.zipped())
    assert tick()["queued_again"] == 1
    assert user.get(f"/user/imports/{import_id}").data["status"] == "running"
    clock.advance("PT1M1S")
    assert tick()["done"] == 1
    tick("storage")
    assert stored(f"{user.id}/{entry['key']}") == export.files[entry["path"]]


def test_an_account_that_is_deleted_meanwhile(
    user: User, export: Exported, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = start(user, export.zipped())
    write = importing._write_audio

    def deleting(*arguments: Any) -> None:
        write(*arguments)
        database.query("DELETE FROM users WHERE id = %s", user.id)

    monkeypatch.setattr(importing, "_write_audio", deleting)
    assert tick()["done"] == 0
    for table in ("habits", "points_ledger", "user_imports", "jobs", "reference_tracks"):
        assert database.query(f"SELECT FROM {table} WHERE user_id = %s", user.id) == [], table
    assert database.query("SELECT FROM jobs WHERE id = %s", import_id) == []
