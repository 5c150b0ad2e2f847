"""An export from the request to the archive: its members, their order, hashes and rows; killed, stopped, too long."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, LiteralString
from uuid import UUID

import pytest
from psycopg.rows import DictRow

from questlog import db

from functions.jobs import bucket, exporting, lease, worker
from functions.jobs.archive import manifest as manifests
from functions.jobs.archive import rows
from functions.jobs.archive.writing import Archive
from functions.jobs.exporting import audio_name
from functions.jobs.work import Deadline, Job
from local.clock import Clock
from tests.conftest import Database, User
from tests.jobs.ticking import job, tick
from tests.reference.uploads import register, tone
from tests.support import bucket as served
from tests.support.client import log_in
from tests.test_walk import inhabit

DONE = {"done": 1, "failed": 0, "queued_again": 0, "superseded": 0}


@pytest.fixture(autouse=True)
def no_other_exports(database: Database) -> None:
    """None that another test has left, which a clean-up would count."""
    database.query("DELETE FROM user_exports")


def meanwhile(database: Database, user: User, statement: LiteralString, *parameters: Any) -> list[DictRow]:
    """Run a statement as a request of the user would, while the worker works in this process, logged in as another."""
    with database.admin() as opened, opened.transaction():
        opened.execute("SET LOCAL ROLE questlog_app")
        opened.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        cursor = opened.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def ask(user: User, **fields: Any) -> str:
    answer = user.post("/user/exports", fields)
    assert answer.status == 200, answer.text
    export_id: str = answer.data["id"]
    return export_id


def state(user: User, export_id: str) -> dict[str, Any]:
    found: dict[str, Any] = user.get(f"/user/exports/{export_id}").data
    return found


def downloaded(user: User, export_id: str) -> bytes:
    status, content = served.send("GET", state(user, export_id)["download_url"])
    assert status == 200
    return content


def exported(user: User, **fields: Any) -> zipfile.ZipFile:
    """The archive of a user, by the route, the queue and the bucket."""
    export_id = ask(user, **fields)
    assert tick() == DONE
    return zipfile.ZipFile(io.BytesIO(downloaded(user, export_id)))


def manifest_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return found


def as_attempt_of(database: Database, export_id: str) -> Job:
    """The job of an export, claimed."""
    [row] = database.query(
        "UPDATE jobs SET status = 'running', attempts = attempts + 1, lease_until = instant() + interval '5 minutes'"
        " WHERE id = %s RETURNING user_id, id, kind, attempts, payload",
        export_id,
    )
    return Job(**row)


def test_an_archive_holds_everything_in_its_order(user: User, other: User) -> None:
    inhabit(other)
    inhabit(user)
    user.delete(f"/user/exports/{user.get('/user/exports').data['exports'][0]['id']}")
    data = user.get("/user/export").json["data"]["data"]
    tick()  # the export that the other one has asked for
    archive = exported(user)
    assert archive.testzip() is None
    names = archive.namelist()
    audio = [name for name in names if name.startswith("audio/")]
    tables = [name for table in sorted(data) for name in (f"data/{table}.json", f"csv/{table}.csv")]
    assert names == ["README.txt", "profile.json", *tables, "calendar.ics", *audio, "manifest.json"]
    for table, rows_of_table in data.items():
        text = archive.read(f"data/{table}.json").decode()
        found = json.loads(text)
        assert found == rows_of_table, table
        lines = text.splitlines()
        assert lines == ["[]"] if not found else (lines[0], lines[-1], len(lines)) == ("[", "]", len(found) + 2), table
        assert [json.loads(line.removesuffix(",")) for line in lines[1:-1]] == found
        cells = list(csv.reader(io.StringIO(archive.read(f"csv/{table}.csv").decode("utf-8-sig"), newline="")))
        assert len(cells) == len(found) + 1
        assert all(len(row) == len(cells[0]) for row in cells)
        if found:
            assert cells[0] == list(found[0])
    text = "".join(archive.read(name).decode() for name in names if not name.startswith("audio/"))
    assert str(other.id) not in text
    assert other.email not in text


def test_the_manifest_says_what_is_in_it(user: User) -> None:
    register(user)
    user.post("/habits", {"name": "Run"})
    archive = exported(user)
    manifest = manifest_of(archive)
    assert list(manifest) == [
        *("format", "format_version", "schema_version", "app_version", "exported_at", "user", "timezone", "tables"),
        *("files", "objects", "ledger", "key_id", "signature"),
    ]
    assert (manifest["format"], manifest["format_version"]) == ("questlog-export", 1)
    assert manifest["user"] == {"id": str(user.id), "email": user.email}
    assert manifest["timezone"] == "UTC"
    assert manifests.is_trusted(manifest, manifests.signing_keys())
    members = [name for name in archive.namelist() if name != "manifest.json"]
    assert [entry["path"] for entry in manifest["files"]] == members
    for entry in manifest["files"]:
        content = archive.read(entry["path"])
        assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        if entry["path"].startswith("data/"):
            table = manifest["tables"][entry["path"].removeprefix("data/").removesuffix(".json")]
            found = json.loads(content)
            assert entry["rows"] == table["rows"] == len(found)
            assert all(list(row) == table["columns"] for row in found)
    ledger = json.loads(archive.read("data/points_ledger.json"))
    assert manifest["ledger"] == {
        "rows": len(ledger),
        "total_xp": sum(row["xp"] for row in ledger),
        "coins": sum(row["coins"] for row in ledger),
    }


def test_the_note_that_it_is_ready_is_in_no_export(user: User) -> None:
    """Or no account would ever be equal to the one that its archive fills."""
    written = user.post("/user/inbox", {"title": "Call the piano tuner"}).data["id"]
    before = user.get("/user/export").json["data"]["data"]
    ask(user)
    assert tick() == DONE
    assert user.get("/user/export").json["data"]["data"] == before
    assert [row["id"] for row in before["inbox_items"]] == [written]
    again = json.loads(exported(user).read("data/inbox_items.json"))
    assert again == before["inbox_items"]
    for export in user.get("/user/exports").data["exports"]:
        user.delete(f"/user/exports/{export['id']}")
    assert user.get("/user/export").json["data"]["data"] == before
    assert [item["id"] for item in user.get("/user/inbox").data["items"]] == [written], "the notes went with them"


def test_the_export_shows_what_came_of_it(user: User, database: Database) -> None:
    export_id = ask(user)
    assert tick() == DONE
    export = state(user, export_id)
    content = downloaded(user, export_id)
    assert (export["status"], export["progress"], export["error"]) == ("ready", 100, None)
    assert (export["size_bytes"], export["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    total = sum(table["rows"] for table in manifest_of(zipfile.ZipFile(io.BytesIO(content)))["tables"].values())
    assert export["row_count"] == total
    assert job(database, UUID(export_id)) == {
        "status": "done",
        "attempts": 1,
        "result": {name: export[name] for name in ("size_bytes", "sha256", "row_count")},
        "last_error": None,
    }
    [told] = user.get("/user/inbox").data["items"]
    assert (told["title"], told["item_type"], told["is_read"]) == ("Your export is ready", "notification", False)
    answer = bucket.client().head_object(Bucket="questlog", Key=f"{user.id}/exports/{export_id}.zip")
    day = export["finished_at"][:10]
    assert answer["ContentDisposition"] == f'attachment; filename="questlog-export-{day}.zip"'
    assert answer["ContentType"] == "application/zip"


def test_the_profile(user: User) -> None:
    profile = json.loads(exported(user).read("profile.json"))
    shown = user.get("/user/profile").data
    assert {name: profile[name] for name in ("id", "email", "name", "image", "created_at", "providers")} == {
        name: shown[name] for name in ("id", "email", "name", "image", "created_at", "providers")
    }
    assert profile["tos_version"] == shown["tos_version"]
    assert profile["age_verified_at"] is not None
    assert profile["tos_accepted_at"] is not None


def test_audio_is_there_as_it_was_uploaded(user: User) -> None:
    first, second = tone(0.5), tone(0.25)
    one = register(user, first, name="Mix: final / v2 ünï.")
    two = register(user, second, name="///")
    archive = exported(user)
    [*objects] = manifest_of(archive)["objects"]
    paths = {entry["id"]: entry["path"] for entry in objects}
    assert paths == {
        one["id"]: f"audio/Mix final  v2 ünï-{one['id'][:8]}.wav",
        two["id"]: f"audio/track-{two['id'][:8]}.wav",
    }
    assert archive.read(paths[one["id"]]) == first
    assert archive.read(paths[two["id"]]) == second
    assert archive.getinfo(paths[one["id"]]).compress_type == zipfile.ZIP_STORED
    for entry, track in zip(sorted(objects, key=lambda entry: entry["id"] != one["id"]), (one, two), strict=True):
        assert entry["key"] == track["r2_key"].removeprefix(f"{user.id}/")
        assert (entry["content_type"], entry["table"]) == ("audio/wav", "reference_tracks")


def test_audio_can_be_left_out_and_may_be_missing(user: User) -> None:
    track = register(user)
    archive = exported(user, include_audio=False)
    assert manifest_of(archive)["objects"] == []
    assert len(json.loads(archive.read("data/reference_tracks.json"))) == 1
    served.client().delete_object(Bucket="questlog", Key=track["r2_key"])
    archive = exported(user)
    assert manifest_of(archive)["objects"] == []
    assert not [name for name in archive.namelist() if name.startswith("audio/")]


def test_names_of_files_differ_in_more_than_case() -> None:
    tracks = [
        exporting.Track(UUID(int=n), name, f"u/audio/{n}.wav", "audio/wav", 1)
        for n, name in enumerate(("Song", "SONG", "song"))
    ]
    paths = list(exporting._audio(tracks))
    assert len({path.casefold() for path in paths}) == 3
    assert paths[0] == "audio/Song-00000000.wav"
    assert audio_name("a" * 200, UUID(int=1), ".wav") == "a" * 80 + "-00000000.wav"
    assert audio_name("../..\\x:*?\0", UUID(int=1), ".wav") == "x-00000000.wav"


def test_the_calendar_is_that_of_the_calendars_export(user: User) -> None:
    user.post("/calendar", {"title": "Once", "start_time": "2031-05-05T09:00:00+02:00", "timezone": "Europe/Berlin"})
    weekly = {"title": "Weekly", "start_time": "2031-05-05T09:00:00Z", "recurrence_rule": "FREQ=WEEKLY;COUNT=3"}
    series = user.post("/calendar", weekly).data
    user.patch(f"/calendar/{series['id']}", {"title": "Changed"}, query={"scope": "this"})
    user.post("/calendar", {"title": "Long ago", "start_time": "2001-05-05T09:00:00Z"})
    document = exported(user).read("calendar.ics").decode()
    recent = user.get("/calendar/export.ics").text
    events = sorted(document.split("BEGIN:VEVENT")[1:])
    assert len(events) == len(recent.split("BEGIN:VEVENT")[1:]) + 1
    assert "SUMMARY:Long ago" in document
    assert "TZID:Europe/Berlin" in document
    assert (document.startswith("BEGIN:VCALENDAR\r\n"), document.endswith("END:VCALENDAR\r\n")) == (True, True)


@pytest.mark.parametrize("sign", [*"=+-@\uff1d\uff0b\uff0d\uff20\t\r\n"], ids=ascii)
def test_no_cell_is_a_formula(user: User, database: Database, sign: str) -> None:
    book = user.post("/books", {"title": "A", "total_pages": 10}).data
    text = f'{sign}1+1,"x"'
    database.query("UPDATE books SET notes = %s WHERE id = %s", text, book["id"])
    archive = exported(user)
    [header, row] = csv.reader(io.StringIO(archive.read("csv/books.csv").decode("utf-8-sig"), newline=""))
    assert row[header.index("notes")] == f"'{text}"
    assert json.loads(archive.read("data/books.json"))[0]["notes"] == text


def test_cells_are_those_of_the_contract(user: User, database: Database) -> None:
    user.post("/books", {"title": "A;b", "total_pages": 10, "tags": ["x,y", "=z"]})
    archive = exported(user)
    raw = archive.read("csv/books.csv")
    assert raw.startswith(b"\xef\xbb\xbfid,title,")
    assert raw.count(b"\r\n") == 2
    [header, row] = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    cells = dict(zip(header, row, strict=True))
    assert json.loads(cells["tags"]) == ["x,y", "=z"]
    assert (cells["total_pages"], cells["author"]) == ("10", "")
    assert cells["created_at"].endswith("Z")
    [item] = csv.DictReader(io.StringIO(archive.read("csv/user_wallet.csv").decode("utf-8-sig"), newline=""))
    assert item["coins"] == "0"


def test_blocks_are_cut_between_rows(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the blocks are, and whatever the rows hold, the document is the same."""
    statement = (
        "SELECT row_to_json(r)::text FROM (SELECT n, repeat(E'\\x01\\x02\\n\"\\\\,ü', n) AS t"
        " FROM generate_series(1, {}) AS n) AS r"
    )
    for count in (0, 1, 2, 50):
        whole, blocks = None, []
        for size in (1, 100, 10**6):
            monkeypatch.setattr(rows, "BLOCK_BYTES", size)
            counted: list[int] = []
            with database.admin() as opened:
                blocks = list(rows.json_blocks(opened, statement.format(count), counted.append))
                cells = list(
                    rows.csv_blocks(
                        opened, ["n"], f"SELECT n::text FROM generate_series(1, {count}) AS n", counted.append
                    )
                )
            document = b"".join(blocks)
            assert sum(counted) == 2 * count
            assert whole in (None, document)
            whole = document
            assert [row["n"] for row in json.loads(document)] == list(range(1, count + 1))
            assert len(b"".join(cells).splitlines()) == count + 1
        assert len(blocks) == 1


# What can go wrong ---------------------------------------------------------------------------------------------------


@pytest.fixture
def broken_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has the next exports die while they write a member, as a killed process does: nothing is cleared up."""

    class Killed(BaseException):
        pass

    original = Archive.add
    abort = bucket.abort

    def kill_at(path: str) -> None:
        def add(self: Any, name: str, *arguments: Any, **options: Any) -> None:
            if name == path:
                monkeypatch.setattr(bucket, "abort", lambda *_: None)
                raise Killed
            original(self, name, *arguments, **options)

        monkeypatch.setattr(Archive, "add", add)
        with pytest.raises(Killed):
            tick()
        monkeypatch.setattr(Archive, "add", original)
        monkeypatch.setattr(bucket, "abort", abort)

    return kill_at


def test_a_killed_one_is_run_again_and_leaves_one_object(
    user: User, clock: Clock, broken_off: Callable[[str], None]
) -> None:
    export_id = ask(user)
    broken_off("calendar.ics")
    assert len(list(bucket.unfinished(f"{user.id}/"))) == 1
    assert state(user, export_id)["status"] == "running"
    clock.advance("PT6M")
    assert tick() == DONE
    assert state(user, export_id)["status"] == "ready"
    assert list(bucket.unfinished(f"{user.id}/")) == []
    assert served.keys(f"{user.id}/") == {f"{user.id}/exports/{export_id}.zip"}
    assert zipfile.ZipFile(io.BytesIO(downloaded(user, export_id))).testzip() is None


@pytest.mark.parametrize("moment", ["begin", "end"])
def test_a_worker_that_has_lost_its_job_leaves_what_the_other_has_made(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """It was away for long, before its upload began or at its end, and another one has ended the job meanwhile."""
    export_id = ask(user)
    monkeypatch.setattr(lease, "RENEWAL_SECONDS", 1000)  # it does not notice before
    where = (bucket, "unfinished") if moment == "begin" else (exporting, "finish")
    original = getattr(*where)

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(*where, original)
        database.query("UPDATE jobs SET lease_until = instant() - interval '1 second' WHERE id = %s", export_id)
        exporting.run(as_attempt_of(database, export_id), Deadline(lambda: 900_000))
        return original(*arguments)

    monkeypatch.setattr(*where, late)
    assert tick() == {**DONE, "done": 0, "superseded": 1}
    export = state(user, export_id)
    content = downloaded(user, export_id)
    assert export["sha256"] == hashlib.sha256(content).hexdigest()
    assert list(bucket.unfinished(f"{user.id}/")) == []


def test_a_deleted_one_is_stopped(user: User, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    export_id = ask(user)
    original = Archive.add

    def add(self: Any, name: str, *arguments: Any, **options: Any) -> None:
        original(self, name, *arguments, **options)
        if name == "calendar.ics":
            assert meanwhile(database, user, "SELECT delete_export(%s)", export_id)

    monkeypatch.setattr(Archive, "add", add)
    assert tick()["done"] == 0
    assert served.keys(f"{user.id}/") == set()
    assert list(bucket.unfinished(f"{user.id}/")) == []
    assert user.get("/user/exports").data == {"exports": []}


def test_one_for_which_there_is_no_time_fails_at_once(user: User, database: Database) -> None:
    export_id = ask(user)
    left = iter([900_000] * 6)  # until it has begun
    log_in("jobs")
    worker.handler({"schedule": "queue"}, SimpleNamespace(get_remaining_time_in_millis=lambda: next(left, 0)))
    export = state(user, export_id)
    assert (export["status"], export["error"]["type"]) == ("failed", "too_long")
    assert served.keys(f"{user.id}/") == set()
    assert ask(user) != export_id


def test_one_that_fails_too_often_has_failed(user: User, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    export_id = ask(user)
    monkeypatch.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
    for attempt in range(5):
        assert state(user, export_id)["status"] == ("running" if attempt else "queued")
        tick()
        clock.advance("PT1H")
    export = state(user, export_id)
    assert export["status"] == "failed"
    assert "127.0.0.1" not in json.dumps(export)
    assert export["error"]["message"]


def test_progress_is_seen_while_it_runs(user: User, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a request meanwhile: it is not written in the transaction that reads."""
    for n in range(20):
        user.post("/ideas", {"title": f"Idea {n}", "content": "x"})
    export_id = ask(user)
    seen: list[tuple[str, int]] = []
    original = Archive.add
    monkeypatch.setattr(exporting, "PROGRESS_SECONDS", 0.0)

    def add(self: Any, name: str, *arguments: Any, **options: Any) -> None:
        original(self, name, *arguments, **options)
        [export] = meanwhile(database, user, "SELECT status, progress FROM exports_now WHERE id = %s", export_id)
        seen.append((export["status"], export["progress"]))

    monkeypatch.setattr(Archive, "add", add)
    assert tick() == DONE
    assert {status for status, _ in seen} == {"running"}
    percents = [percent for _, percent in seen]
    assert percents == sorted(percents)
    assert percents[0] == 0
    assert 0 < percents[len(percents) // 2] < 99
    assert percents[-1] == 99


def test_it_is_of_one_moment(user: User, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    export_id = ask(user)
    original = Archive.add

    def add(self: Any, name: str, *arguments: Any, **options: Any) -> None:
        if name == "data/goals.json":
            meanwhile(
                database, user, "INSERT INTO habits (name, sort_order, created_on) VALUES ('Late', 1, '2031-05-05')"
            )
        original(self, name, *arguments, **options)

    monkeypatch.setattr(Archive, "add", add)
    assert tick() == DONE
    archive = zipfile.ZipFile(io.BytesIO(downloaded(user, export_id)))
    assert json.loads(archive.read("data/habits.json")) == []
    assert manifest_of(archive)["tables"]["habits"]["rows"] == 0


# Afterwards ----------------------------------------------------------------------------------------------------------


def test_it_expires_with_its_object_and_is_forgotten(user: User, database: Database, clock: Clock) -> None:
    export_id = ask(user)
    tick()
    clock.advance("P6DT23H59M")
    assert tick("cleanup")["expired_exports"] == 0
    clock.advance("PT2M")
    assert tick("cleanup")["expired_exports"] == 1
    assert state(user, export_id)["status"] == "expired"
    assert database.query("SELECT status FROM user_exports WHERE id = %s", export_id) == [{"status": "expired"}]
    tick("storage")
    assert served.keys(f"{user.id}/") == set()
    clock.advance("P22DT23H")
    assert tick("cleanup")["user_exports"] == 0
    clock.advance("PT2H")
    assert tick("cleanup")["user_exports"] == 1
    assert user.get("/user/exports").data == {"exports": []}


def test_one_that_was_never_written_is_forgotten_too(user: User, database: Database, clock: Clock) -> None:
    export_id = ask(user)
    database.query("DELETE FROM jobs WHERE id = %s", export_id)
    log_in("jobs")
    exporting.failed(db.connection(), Job(user.id, UUID(export_id), "export", 1, {}), "too_long", "x" * 600)
    assert state(user, export_id)["error"] == {"type": "too_long", "message": "x" * 500}
    clock.advance("P30DT1H")
    assert tick("cleanup")["user_exports"] == 1


def test_an_administrator_can_have_it_tried_again(user: User, database: Database) -> None:
    export_id = ask(user)
    database.query("UPDATE jobs SET status = 'failed', finished_at = instant() WHERE id = %s", export_id)
    database.query(
        "UPDATE user_exports SET status = 'failed', finished_at = instant(), error_type = 'x', error_message = 'y'"
        " WHERE id = %s",
        export_id,
    )
    with database.admin() as opened, opened.transaction():
        opened.execute("SET LOCAL ROLE questlog_admin")
        opened.execute("SELECT set_config('app.scope', 'admin', true)")
        opened.execute("SELECT requeue_job(%s)", [export_id])
    assert state(user, export_id)["status"] == "queued"
    assert tick() == DONE
