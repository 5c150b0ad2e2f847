"""What an import refuses changes nothing: neither rows nor objects are left of it."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from questlog.release import SCHEMA_VERSION

from functions.jobs import importing, objects, statements, worker
from functions.jobs.archive import upgrades
from functions.jobs.archive.container import BadArchive
from functions.jobs.archive.manifest import MANIFEST, signed, signing_keys, written
from functions.jobs.queue import WHOLE_TIME_MS
from functions.jobs.work import RESERVE_MS
from tests.conftest import Database, User
from tests.jobs.accounts import Exported, Rows, bring, export_of, start, upload
from tests.jobs.archives import zipped
from tests.jobs.ticking import tick
from tests.reference.uploads import register
from tests.support import bucket
from tests.support.client import log_in
from tests.support.ledger import award
from tests.support.locks import is_waited_for
from tests.support.users import create_user
from tests.test_walk import everything_of


@pytest.fixture(scope="module")
def export(database: Database) -> Exported:
    """The export of a small account: payments, a habit, a track."""
    bucket.serve()
    with database.admin() as connection:
        user = create_user(connection)
    award(database, user, "focus_complete", xp=60, coins=12)
    award(database, user, xp=4000, coins=3, skill="focus")
    user.post("/habits/{}/complete".format(user.post("/habits", {"name": "Read"}).data["id"]))
    user.post("/calendar", {"title": "Dentist", "start_time": "2031-05-09T08:00:00Z"})
    register(user)
    return export_of(database, user)


@pytest.fixture
def refused(user: User, database: Database) -> Callable[..., str]:
    """Imports a file; asserts that it is refused with such a type, and leaves nothing. Returns the message."""

    def check(content: bytes, *error_types: str) -> str:
        before = left(database, user)
        ended = bring(user, content)
        assert ended["status"] == "failed", ended
        assert ended["error"]["type"] in (error_types or ("invalid_export",))
        assert ended["counts"] is ended["skipped"] is None
        assert left(database, user) == before
        tick("storage")
        assert bucket.keys(f"{user.id}/audio/") == set()
        database.query("DELETE FROM rate_limits WHERE bucket LIKE 'import:%%'")
        message: str = ended["error"]["message"]
        assert message.endswith(".")
        return message

    return check


def left(database: Database, user: User) -> dict[str, list[Any]]:
    """All rows of a user but those of imports, which say how they ended, and what each start leaves: lock, revision."""
    passing = ("user_imports", "jobs", "user_progress", "user_wallet", "user_revisions")
    return {table: rows for table, rows in everything_of(user, database).items() if table not in passing}


def test_the_export_can_be_imported(user: User, export: Exported) -> None:
    assert bring(user, export.zipped())["status"] == "done"


@settings(max_examples=12)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte(export: Exported, refused: Callable[..., str], place: float, flip: int) -> None:
    changed = bytearray(export.zipped())
    changed[int(place * len(changed))] ^= flip
    # A size may have become a large one.
    refused(bytes(changed), "invalid_export", "too_large")


def test_a_flipped_byte_of_the_audio(export: Exported, refused: Callable[..., str]) -> None:
    """It is found while the audio is written into the bucket."""
    changed = bytearray(export.zipped())
    [path] = [entry["path"] for entry in export.fields["objects"]]
    changed[changed.index(path.encode()) + 200] ^= 1
    refused(bytes(changed))


def test_audio_that_was_replaced_in_archive_and_directory(export: Exported, refused: Callable[..., str]) -> None:
    [path] = [entry["path"] for entry in export.fields["objects"]]
    manifest = written(signed(export.manifest(), signing_keys()[0]))
    refused(zipped({**export.files, path: bytes(len(export.files[path])), MANIFEST: manifest}))


def test_a_manifest_that_was_hashed_again(export: Exported, refused: Callable[..., str]) -> None:
    was = signed(export.manifest(), signing_keys()[0])
    changed = export.having("habits", lambda rows: [{**row, "name": "Rest"} for row in rows])
    manifest = {**changed.manifest(), "key_id": was["key_id"], "signature": was["signature"]}
    refused(zipped({**changed.files, MANIFEST: written(manifest)}), "untrusted_export")
    refused(zipped({**changed.files, MANIFEST: written(changed.manifest())}), "untrusted_export")


def test_another_installations_key(
    user: User, export: Exported, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = export.zipped(b"o" * 32)
    assert "key" in refused(content, "untrusted_export")
    monkeypatch.setenv("EXPORT_SIGNING_KEY", f"{'n' * 32},{'o' * 32}")
    assert bring(user, content)["status"] == "done"


def test_a_newer_version(export: Exported, refused: Callable[..., str]) -> None:
    assert "newer" in refused(export.saying(schema_version=SCHEMA_VERSION + 1).zipped(), "unsupported_version")
    assert "newer" in refused(export.saying(format_version=2).zipped(), "unsupported_version")


def test_what_this_version_does_not_know(export: Exported, refused: Callable[..., str]) -> None:
    colored = export.having("habits", lambda rows: [{**row, "smell": "rose"} for row in rows])
    refused(colored.zipped(), "unsupported_version")
    entries = {**export.fields["tables"], "moods": {"rows": 0, "columns": ["id"]}}
    known = Exported({**export.files, "data/moods.json": b"[]\n"}, {**export.fields, "tables": entries})
    refused(known.zipped(), "unsupported_version")


@pytest.mark.parametrize("table", ["sessions", "accounts", "calendar_feeds", "users", "user_imports", "search_words"])
def test_tables_that_no_export_has(export: Exported, refused: Callable[..., str], table: str) -> None:
    """Not even with a signature does an import let anybody in."""
    entries = {**export.fields["tables"], table: {"rows": 0, "columns": ["id"]}}
    files = {**export.files, f"data/{table}.json": b"[]\n"}
    refused(Exported(files, {**export.fields, "tables": entries}).zipped(), "unsupported_version")


def test_what_is_no_archive(refused: Callable[..., str]) -> None:
    assert "ZIP" in refused(b"no archive at all, but long enough for one")


def test_a_member_that_is_missing(export: Exported, refused: Callable[..., str]) -> None:
    files = {path: content for path, content in export.files.items() if path != "profile.json"}
    refused(Exported(files, export.fields).zipped())
    files = {path: content for path, content in export.files.items() if not path.startswith("audio/")}
    refused(Exported(files, export.fields).zipped())


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("points_ledger", lambda rows: rows[1:]),
        ("points_ledger", lambda rows: rows[::-1]),
        ("points_ledger", lambda rows: [{**rows[0], "coins": 13}, *rows[1:]]),
        ("points_ledger", lambda rows: [{**rows[0], "coins_after": 13}, *rows[1:]]),
        ("points_ledger", lambda rows: [{**rows[0], "total_xp_after": 61}, *rows[1:]]),
        ("points_ledger", lambda _: []),
        ("user_achievements", lambda rows: rows[1:]),
        ("habits", lambda rows: [{**row, "name": ""} for row in rows]),
        ("habits", lambda rows: [{**row, "name": None} for row in rows]),
        ("habits", lambda rows: [{**row, "created_at": "no time"} for row in rows]),
        ("habits", lambda rows: [{**row, "id": "none"} for row in rows]),
        ("user_settings", lambda _: [{"id": "none", "key": "theme", "value": 1}]),
        ("reference_tracks", lambda rows: [{**row, "r2_key": "elsewhere/1.wav"} for row in rows]),
    ],
)
def test_rows_that_do_not_fit(
    export: Exported, refused: Callable[..., str], table: str, change: Callable[[Rows], Rows]
) -> None:
    """They are signed, as if an installation of ours had a fault. The database refuses them as it would a request's."""
    assert refused(export.having(table, change).zipped()) == objects.unfit("export")


def test_a_file_that_is_gone_or_another_one(user: User, export: Exported, database: Database) -> None:
    content = export.zipped()
    for replaced in (None, b"x", content + b"x"):
        import_id = start(user, content)
        key = f"{user.id}/imports/{import_id}.zip"
        if replaced is None:
            bucket.client().delete_object(Bucket="questlog", Key=key)
        else:
            bucket.client().put_object(Bucket="questlog", Key=key, Body=replaced)
        tick()
        assert user.get(f"/user/imports/{import_id}").data["error"] == {
            "type": "invalid_export",
            "message": objects.GONE,
        }


def test_text_that_is_not_utf_8_is_refused() -> None:
    """Even in an archive that was signed here: to try it again would not help."""
    with pytest.raises(BadArchive) as refused:
        list(upgrades.in_lists([b'{"name": "Read"}', b'{"name": "\xff"}']))
    assert (refused.value.reason, "UTF-8" in refused.value.message) == ("invalid", True)


def test_a_file_that_is_replaced_while_it_is_read(
    user: User, export: Exported, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another export, which would be taken by itself."""
    one = export.having("habits", lambda rows: [{**row, "name": "Read"} for row in rows]).zipped()
    two = export.having("habits", lambda rows: [{**row, "name": "Rest"} for row in rows]).zipped()
    import_id = start(user, one)
    plan = upgrades.loading_plan

    def replacing(*arguments: Any) -> Any:
        bucket.client().put_object(Bucket="questlog", Key=f"{user.id}/imports/{import_id}.zip", Body=two)
        return plan(*arguments)

    monkeypatch.setattr(importing, "loading_plan", replacing)
    monkeypatch.setattr("functions.jobs.archive.container._BLOCK", 512)
    tick()
    error = user.get(f"/user/imports/{import_id}").data["error"]
    assert error == {"type": "invalid_export", "message": objects.GONE}


# The account -------------------------------------------------------------------------------------------------------


def test_an_account_that_got_a_row_before_its_turn(user: User, export: Exported) -> None:
    import_id = start(user, export.zipped())
    user.post("/habits", {"name": "Run"})
    tick()
    ended = user.get(f"/user/imports/{import_id}").data
    assert (ended["status"], ended["error"]["type"]) == ("failed", "account_not_empty")
    assert [habit["name"] for habit in user.get("/habits").data["habits"]] == ["Run"]


@pytest.mark.parametrize("step", ["open", "settle"])
def test_an_account_that_gets_a_row_meanwhile(
    user: User, database: Database, export: Exported, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before the transaction, or in another one at the same time."""
    execute = statements.execute

    def executing(connection: Any, queries: Any, name: str, **parameters: Any) -> Any:
        if name == step:
            database.query("INSERT INTO user_references (user_id, title) VALUES (%s, 'How bells ring')", user.id)
            database.query("SELECT count_totals(%s)", user.id)
        return execute(connection, queries, name, **parameters)

    monkeypatch.setattr(importing, "execute", executing)
    import_id = start(user, export.zipped())
    tick()
    ended = user.get(f"/user/imports/{import_id}").data
    assert (ended["status"], ended["error"]["type"]) == ("failed", "account_not_empty")
    assert user.get("/habits").data["habits"] == []
    assert len(database.query("SELECT id FROM user_references WHERE user_id = %s", user.id)) == 1


def test_a_row_of_a_request_that_has_not_ended(
    user: User, database: Database, export: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another transaction has inserted cannot be seen yet, so the last step waits for it."""
    execute = statements.execute
    others: list[threading.Thread] = []

    def inserting(inserted: threading.Event) -> None:
        with psycopg.connect(database.admin_url) as other:
            other.execute("INSERT INTO user_references (user_id, title) VALUES (%s, 'How bells ring')", [user.id])
            other.execute("SELECT count_totals(%s)", [user.id])
            inserted.set()
            for _ in range(1000):
                if is_waited_for(database, other.info.backend_pid):
                    break
                time.sleep(0.01)

    def executing(connection: Any, queries: Any, name: str, **parameters: Any) -> Any:
        if name == "settle":
            inserted = threading.Event()
            others.append(threading.Thread(target=inserting, args=[inserted]))
            others[0].start()
            inserted.wait()
        return execute(connection, queries, name, **parameters)

    monkeypatch.setattr(importing, "execute", executing)
    import_id = start(user, export.zipped())
    tick()
    others[0].join()
    assert user.get(f"/user/imports/{import_id}").data["error"]["type"] == "account_not_empty"
    assert user.get("/habits").data["habits"] == []


def test_a_second_import_is_refused(user: User, export: Exported) -> None:
    assert bring(user, export.zipped())["status"] == "done"
    import_id = upload(user, export.zipped())
    tables = user.post(f"/user/imports/{import_id}/start").refused(409, "account_not_empty")["tables"]
    assert tables["points_ledger"] == len(export.rows("points_ledger"))
    assert "user_progress" not in tables


# Time --------------------------------------------------------------------------------------------------------------


def test_an_import_that_takes_too_long(user: User, export: Exported, database: Database) -> None:
    """It is not begun where the time is short, and given up where it turns out to be."""
    before = left(database, user)
    import_id = start(user, export.zipped())
    assert tick(milliseconds=WHOLE_TIME_MS)["done"] == 0
    assert user.get(f"/user/imports/{import_id}").data["status"] == "queued"
    log_in("jobs")
    remaining = iter([WHOLE_TIME_MS + 1] * 8 + [RESERVE_MS] * 1000)
    worker.handler({"schedule": "queue"}, SimpleNamespace(get_remaining_time_in_millis=lambda: next(remaining)))
    ended = user.get(f"/user/imports/{import_id}").data
    assert (ended["status"], ended["error"]["type"]) == ("failed", "too_long")
    assert left(database, user) == before
