"""Imports: an account is filled with what an export holds (platform contract, section 6).

1. The archive is checked as a whole, before anything is written: see archive/reading.py.
2. The audio is written into the bucket, under keys that are listed for deletion until the rows with them are inserted.
3. One transaction fills the account, table by table, so that a row is inserted after the rows that it points at. Its
   last statement ends the job, so a worker that has lost its job changes nothing.

The hashes are checked again as the rows are loaded, and every read of the object names the tag that it had at the
start.
"""

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from psycopg.rows import DictRow

from questlog.db import Connection, Db, Queries
from questlog.wire import Row

from functions.jobs import bucket, objects
from functions.jobs.archive.container import BadArchive
from functions.jobs.archive.manifest import ExportManifest, signing_keys
from functions.jobs.archive.reading import Archive, data_path
from functions.jobs.archive.upgrades import Source, in_lists, loading_plan
from functions.jobs.statements import execute, transaction
from functions.jobs.work import Deadline, Job, NotNow, Superseded, complete

# Read here so that the function does not start without keys to check signatures with.
signing_keys()

PROGRESS_SECONDS: Final = 1.0

PROFILE: Final = "profile.json"
LEDGER: Final = "points_ledger"
# How long to wait if an earlier import of the same objects has failed, and they are being deleted.
WAIT_FOR_DELETION: Final = timedelta(minutes=1)

_queries: Final = Queries(Path(__file__).with_name("importing.sql"))


class Begun(NamedTuple):
    """An import that this worker does now."""

    object_key: str
    size_bytes: int


class Target(NamedTuple):
    """A table that can be filled: its columns, and the tables whose rows have to be there before."""

    name: str
    columns: list[str]
    parents: list[str]


class Checked(NamedTuple):
    are_free: bool


class Progress:
    """How far an import is, in bytes. It is written outside of the transaction, so that the user can read it."""

    def __init__(self, db: Db, job: Job, deadline: Deadline, total: int) -> None:
        self._db = db
        self._job = job
        self._deadline = deadline
        self._total = max(total, 1)
        self._done = 0
        self._written_at = time.monotonic()

    def add(self, size: int) -> None:
        """Add processed bytes. Raises TooLong or Superseded if the work must stop."""
        self._deadline.check()
        self._done += size
        if time.monotonic() - self._written_at >= PROGRESS_SECONDS:
            percent = min(99, 100 * self._done // self._total)
            self._db.many(Row, "progress", **self._job.held, progress=percent)
            self._written_at = time.monotonic()


def run(job: Job, deadline: Deadline) -> Mapping[str, Any]:
    """Fill the account from the uploaded archive. Returns {rows, skipped}: how many are there, and how many are not."""
    db = Db(_queries, _queries.statements("of", job.held))
    begun = db.maybe(Begun, "begin", **job.held)
    if begun is None:  # it was deleted
        raise Superseded
    with objects.refusals("export"):
        db.many(Row, "require_empty")
        archive = _opened(begun)
        targets = {target.name: target for target in db.many(Target, "tables")}
        plan = loading_plan(archive, targets)
        audio = {entry["path"] for entry in archive.manifest["objects"]}
        others = [path for path in archive.files if path not in audio]
        progress = Progress(db, job, deadline, _work_of(archive, others))
        archive.verify(others, progress.add)
        _write_audio(db, job, archive, progress)
        with transaction(deadline) as here:
            return Import(here, job, archive, progress).fill(plan)


def failed(connection: Connection, job: Job, error_type: str, message: str) -> None:
    """Mark the import as failed, and have the objects deleted that it wrote to the bucket."""
    for name in ("of", "fail"):
        execute(connection, _queries, name, **job.held, error_type=error_type, message=message)


class Import:
    """The transaction that fills an account."""

    def __init__(self, here: Connection, job: Job, archive: Archive, progress: Progress) -> None:
        self._here = here
        self._job = job
        self._archive = archive
        self._progress = progress

    def fill(self, plan: Mapping[str, list[Source]]) -> dict[str, int]:
        """Load the tables of a plan in its order, and end the job. Returns {rows, skipped}."""
        self._execute("of")
        self._execute("open")
        brought: dict[str, int] = {}
        left_out: dict[str, int] = {}
        for target, found in plan.items():
            for source in found:
                self._load(source)
            [closed] = self._execute("close_table", target=target)
            brought[target] = closed["total"]
            rows = sum(self._archive.tables[source.table]["rows"] for source in found)
            if rows > brought[target]:
                left_out[target] = rows - brought[target]
        person = json.loads(b"".join(self._archive.read(PROFILE)))
        self._execute("settle", person=person, brought=brought, left_out=left_out)
        result = {"rows": sum(brought.values()), "skipped": sum(left_out.values())}
        complete(self._here, self._job, result)
        return result

    def _load(self, source: Source) -> None:
        is_ledger = source.target == LEDGER
        parts = 0
        for rows in in_lists(map(source.upgraded, self._archive.rows(source.table))):
            self._progress.add(len(rows))
            if is_ledger:
                self._execute("import_ledger_rows", rows=rows, is_first=parts == 0, is_last=False)
            else:
                self._execute("import_rows", target=source.target, columns=source.columns, rows=rows)
            parts += 1
        if is_ledger and parts:
            self._execute("import_ledger_rows", rows="[]", is_first=False, is_last=True)

    def _execute(self, name: str, **parameters: Any) -> list[DictRow]:
        return execute(self._here, _queries, name, **self._job.held, **parameters)


def _opened(begun: Begun) -> Archive:
    """The archive in the bucket, with all members that its manifest and an import need."""
    archive = objects.opened("export", begun.object_key, begun.size_bytes, ExportManifest)
    if not {PROFILE, *(entry["path"] for entry in archive.manifest["objects"])} <= archive.files.keys():
        raise BadArchive("invalid", "A file is missing in the archive.")
    return archive


def _work_of(archive: Archive, others: list[str]) -> int:
    """How many bytes will be read: by the first check, by loading, and for the bucket."""
    checked = sum(archive.files[path]["bytes"] for path in others)
    loaded = sum(archive.files[data_path(table)]["bytes"] for table in archive.tables)
    audio = sum(archive.files[entry["path"]]["bytes"] for entry in archive.manifest["objects"])
    return checked + loaded + audio


def _write_audio(db: Db, job: Job, archive: Archive, progress: Progress) -> None:
    """Write the objects of an archive into the bucket, under the prefix of the new user."""
    objects = archive.manifest["objects"]
    keys = [f"{job.user_id}/{entry['key']}" for entry in objects]
    if not db.one(Checked, "expect_objects", owner=job.user_id, keys=keys).are_free:
        raise NotNow(WAIT_FOR_DELETION)
    for key, entry in zip(keys, objects, strict=True):
        with bucket.Upload(key, entry["content_type"]) as upload:
            for piece in archive.read(entry["path"]):
                upload.write(piece)
                progress.add(len(piece))
            upload.complete()
