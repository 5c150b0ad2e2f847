"""Backups: an archive of every application table, written into the bucket (platform contract, section 7, rule 6).

It is read in one snapshot and streamed, and becomes an object in the transaction that ends the job: see exporting.py,
whose container it shares. Files of users are not in it; they stay in the bucket.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from questlog.db import Connection, Db, Queries
from questlog.release import SCHEMA_VERSION, VERSION
from questlog.wire import rfc3339

from functions.jobs import bucket
from functions.jobs.archive.manifest import BACKUP, FORMAT_VERSION, TableEntry, Unsigned, signing_keys
from functions.jobs.archive.rows import json_blocks
from functions.jobs.archive.writing import Archive
from functions.jobs.objects import finish
from functions.jobs.statements import execute, read, snapshot
from functions.jobs.work import Deadline, Job, Superseded

# Read here so that the function does not start without keys to sign with.
signing_keys()

_queries: Final = Queries(Path(__file__).with_name("backup.sql"))


class Begun(NamedTuple):
    """A backup that this worker writes now."""

    object_key: str


class Snapshot(NamedTuple):
    """The time of the snapshot that the backup holds."""

    taken_at: datetime


class Table(NamedTuple):
    """A table of the backup: its columns, and the statement that returns each row as one JSON text."""

    name: str
    columns: list[str]
    json_rows: str


def run(job: Job, deadline: Deadline) -> Mapping[str, Any]:
    """Write a backup. Returns {size_bytes, sha256, row_count}."""
    begun = Db(_queries).maybe(Begun, "begin", **job.held)
    if begun is None:  # it was deleted
        raise Superseded
    for unfinished in bucket.unfinished(begun.object_key):
        bucket.abort(unfinished.key, unfinished.upload_id)
    with snapshot(deadline) as database:
        [taken] = read(database, _queries, Snapshot, "taken")
        name = f"questlog-backup-{taken.taken_at:%Y-%m-%d}.zip"
        with bucket.Upload(begun.object_key, "application/zip", f'attachment; filename="{name}"') as upload:
            rows = _write(database, upload, taken.taken_at, deadline)
            return finish(job, upload, rows, _queries)


def failed(connection: Connection, job: Job, error_type: str, message: str) -> None:
    """Have the backup show that it has failed."""
    del error_type  # a backup shows a sentence alone
    execute(connection, _queries, "fail", **job.held, message=message)


def _write(database: Connection, upload: bucket.Upload, taken_at: datetime, deadline: Deadline) -> int:
    """Write all tables and the manifest. Returns how many rows they have."""
    archive = Archive(upload, taken_at)
    entries: dict[str, TableEntry] = {}
    for table in read(database, _queries, Table, "tables"):
        counts: list[int] = []
        archive.add(f"data/{table.name}.json", _blocks(database, table, counts, deadline))
        archive.files[-1]["rows"] = sum(counts)
        entries[table.name] = {"rows": sum(counts), "columns": table.columns}
    manifest: Unsigned = {
        "format": BACKUP,
        "format_version": FORMAT_VERSION,
        "schema_version": SCHEMA_VERSION,
        "app_version": VERSION,
        "exported_at": rfc3339(taken_at),
        "tables": entries,
        "files": archive.files,
    }
    archive.finish(manifest)
    return sum(entry["rows"] for entry in entries.values())


def _blocks(database: Connection, table: Table, counts: list[int], deadline: Deadline) -> Iterator[bytes]:
    """The rows of a table as a JSON array; how many they are is added to `counts`."""
    for block in json_blocks(database, table.json_rows, counts.append):
        deadline.check()
        yield block
