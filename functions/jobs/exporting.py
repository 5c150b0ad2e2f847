"""Exports: an archive of all that a user has here, written into the bucket (platform contract, section 6).

1. Everything is read in one snapshot of the database, table by table, and streamed into a multipart upload: neither
   memory nor a disk ever holds more than a part of it.
2. The upload becomes an object in the transaction that ends the job, while that transaction holds the job. So a worker
   that has lost its job leaves no object; after one that is killed, another one writes the same key.
"""

import json
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from psycopg.rows import dict_row

from questlog.db import Connection, Db, Queries
from questlog.ical.writing import pieces, series_of
from questlog.recurrence.listing import EventRow
from questlog.release import SCHEMA_VERSION, VERSION
from questlog.wire import Row, rfc3339

from functions.jobs import bucket
from functions.jobs.archive.manifest import (
    EXPORT,
    FORMAT_VERSION,
    ExportManifest,
    ObjectEntry,
    TableEntry,
    signing_keys,
)
from functions.jobs.archive.rows import csv_blocks, json_blocks
from functions.jobs.archive.tables import tables
from functions.jobs.archive.writing import Archive
from functions.jobs.objects import finish
from functions.jobs.statements import execute, read, snapshot
from functions.jobs.work import Deadline, Job, Superseded

# Read here so that the function does not start without keys to sign with.
signing_keys()

# How often the progress is stored.
PROGRESS_SECONDS: Final = 1.0
# For the progress, so many bytes of audio count as one row, since they take about as long.
BYTES_PER_ROW: Final = 10_000
# How many characters of a track's name are in the name of its file.
LONGEST_NAME: Final = 80

README: Final = """\
This is everything that Questlog keeps for {email}, as it was at {at}.

profile.json    who you are, and how you sign in
data/           every table as JSON: a list with a row on each line. Times are in UTC; "me" is your own id
csv/            the same tables for spreadsheets. A text that a spreadsheet would run as a formula begins with '
calendar.ics    your events, for any calendar
audio/          your reference tracks as you uploaded them
manifest.json   what is in this archive, signed: by it a Questlog takes the archive back

Left out are sessions, sign-in data, secrets of calendar feeds, and what is made of your data by itself, such as the
search index.
"""

R = TypeVar("R")
_queries: Final = Queries(Path(__file__).with_name("exporting.sql"))


class Begun(NamedTuple):
    """An export that this worker writes now."""

    include_audio: bool
    object_key: str


class Account(NamedTuple):
    """Whose export it is, at the time of the snapshot."""

    exported_at: datetime
    id: UUID
    email: str
    name: str
    image: str | None
    created_at: datetime
    age_verified_at: datetime | None
    tos_version: str | None
    tos_accepted_at: datetime | None
    timezone: str
    total_xp: int
    coins: int


class Provider(NamedTuple):
    provider: str
    linked_at: datetime


class RowCount(NamedTuple):
    name: str
    row_count: int


class Track(NamedTuple):
    """A reference track, whose audio is an object."""

    id: UUID
    name: str
    r2_key: str
    mime_type: str
    file_size_bytes: int


class Zone(NamedTuple):
    """A time zone of the calendar, and the start of the first event in it."""

    timezone: str
    since: datetime


class Progress:
    """How far an export is. It is written outside of the snapshot, so that the waiting user can read it."""

    def __init__(self, job: Job, deadline: Deadline, total: float) -> None:
        self._db = Db(_queries)
        self._job = job
        self._deadline = deadline
        self._total = max(total, 1.0)
        self._done = 0.0
        self._written_at = time.monotonic()

    def add(self, rows: float) -> None:
        """Add written rows. Raises TooLong or Superseded if the work must stop."""
        self._deadline.check()
        self._done += rows
        if time.monotonic() - self._written_at >= PROGRESS_SECONDS:
            percent = min(99, int(100 * self._done / self._total))
            self._db.many(Row, "progress", **self._job.held, progress=percent)
            self._written_at = time.monotonic()


def run(job: Job, deadline: Deadline) -> Mapping[str, Any]:
    """Write the archive of an export. Returns {size_bytes, sha256, row_count}."""
    begun = Db(_queries).maybe(Begun, "begin", **job.held)
    if begun is None:  # it was deleted
        raise Superseded
    for unfinished in bucket.unfinished(begun.object_key):
        bucket.abort(unfinished.key, unfinished.upload_id)
    with snapshot(deadline) as database:
        [account] = read(database, _queries, Account, "account", owner=job.user_id)
        name = f"questlog-export-{account.exported_at:%Y-%m-%d}.zip"
        with bucket.Upload(begun.object_key, "application/zip", f'attachment; filename="{name}"') as upload:
            rows = Export(database, account, upload, begun.include_audio).write(job, deadline)
            return finish(job, upload, rows, _queries)


def failed(connection: Connection, job: Job, error_type: str, message: str) -> None:
    """Have the export show that it has failed."""
    execute(connection, _queries, "fail", **job.held, error_type=error_type, message=message)


class Export:
    """The archive of one account, from one snapshot."""

    def __init__(self, snapshot: Connection, account: Account, sink: bucket.Upload, include_audio: bool) -> None:
        self._snapshot = snapshot
        self._account = account
        self._archive = Archive(sink, account.exported_at)
        self._tables = {table.name: table.of(account.id) for table in tables(snapshot)}
        self._counts = {row.name: row.row_count for row in self._read(RowCount, "row_counts")}
        self._tracks = _audio(self._read(Track, "tracks")) if include_audio else {}

    def write(self, job: Job, deadline: Deadline) -> int:
        """Write all members. Returns how many rows are in them."""
        rows = sum(self._counts.values())
        sizes = sum(track.file_size_bytes for track in self._tracks.values())
        progress = Progress(job, deadline, 2 * rows + sizes / BYTES_PER_ROW)
        self._archive.add("README.txt", [self._readme()])
        self._archive.add("profile.json", [_json(self._profile())])
        for name, table in self._tables.items():
            count = self._counts[name]
            lines = json_blocks(self._snapshot, table.json_rows, progress.add)
            self._archive.add(f"data/{name}.json", lines, rows=count)
            cells = csv_blocks(self._snapshot, table.columns, table.cell_rows, progress.add)
            self._archive.add(f"csv/{name}.csv", cells, rows=count)
        self._archive.add("calendar.ics", self._calendar(progress))
        objects = [entry for path, track in self._tracks.items() if (entry := self._audio(path, track, progress))]
        self._archive.finish(self._manifest(objects))
        return rows

    def _read(self, result: type[R], name: str) -> list[R]:
        return read(self._snapshot, _queries, result, name, owner=self._account.id)

    def _readme(self) -> bytes:
        return README.format(email=self._account.email, at=rfc3339(self._account.exported_at)).encode()

    def _profile(self) -> dict[str, Any]:
        account = self._account
        return {
            "id": str(account.id),
            "email": account.email,
            "name": account.name,
            "image": account.image,
            "created_at": rfc3339(account.created_at),
            "age_verified_at": account.age_verified_at and rfc3339(account.age_verified_at),
            "tos_version": account.tos_version,
            "tos_accepted_at": account.tos_accepted_at and rfc3339(account.tos_accepted_at),
            "providers": [
                {"provider": one.provider, "linked_at": rfc3339(one.linked_at)}
                for one in self._read(Provider, "providers")
            ],
        }

    def _calendar(self, progress: Progress) -> Iterator[bytes]:
        zones = {zone.timezone: zone.since for zone in self._read(Zone, "zones")}
        for piece in pieces(series_of(self._events()), zones, self._account.exported_at):
            progress.add(0)
            yield piece

    def _events(self) -> Iterator[EventRow]:
        [statement] = _queries.statements("events", {"owner": self._account.id})
        with self._snapshot.cursor("events", row_factory=dict_row) as cursor:
            for row in cursor.execute(statement.sql, statement.parameters):
                yield EventRow.model_validate(row)

    def _audio(self, path: str, track: Track, progress: Progress) -> ObjectEntry | None:
        """Write the audio of a track; None where it has none, because it was never uploaded or was just deleted."""
        found = bucket.stream(track.r2_key)
        if found is None:
            return None
        self._archive.add(path, _counted(found.blocks, progress), stored_size=found.size)
        return {
            "path": path,
            "key": track.r2_key.removeprefix(f"{self._account.id}/"),
            "content_type": track.mime_type,
            "table": "reference_tracks",
            "id": str(track.id),
        }

    def _manifest(self, objects: list[ObjectEntry]) -> ExportManifest:
        account = self._account
        entries: dict[str, TableEntry] = {
            name: {"rows": self._counts[name], "columns": table.columns} for name, table in self._tables.items()
        }
        return {
            "format": EXPORT,
            "format_version": FORMAT_VERSION,
            "schema_version": SCHEMA_VERSION,
            "app_version": VERSION,
            "exported_at": rfc3339(account.exported_at),
            "user": {"id": str(account.id), "email": account.email},
            "timezone": account.timezone,
            "tables": entries,
            "files": self._archive.files,
            "objects": objects,
            "ledger": {
                "rows": self._counts["points_ledger"],
                "total_xp": account.total_xp,
                "coins": account.coins,
            },
        }


def audio_name(track_name: str, track_id: UUID, extension: str) -> str:
    """The name of a track's file: what of its name any file system takes, the begin of its id, and the extension."""
    letters = unicodedata.normalize("NFC", track_name)
    kept = "".join(letter for letter in letters if letter.isalnum() or letter in " -_")[:LONGEST_NAME].strip()
    return f"{kept or 'track'}-{str(track_id)[:8]}{extension}"


def _audio(tracks: Iterable[Track]) -> dict[str, Track]:
    """The tracks by the paths of their members, which differ in more than case."""
    named: dict[str, Track] = {}
    taken: set[str] = set()
    for track in tracks:
        extension = PurePosixPath(track.r2_key).suffix
        name = audio_name(track.name, track.id, extension)
        if name.casefold() in taken:
            name = f"{track.id}{extension}"
        taken.add(name.casefold())
        named[f"audio/{name}"] = track
    return named


def _counted(blocks: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    for block in blocks:
        progress.add(len(block) / BYTES_PER_ROW)
        yield block


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode()
