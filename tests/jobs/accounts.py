"""Exports of accounts as a test can change them, and their way into another account."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from functions.jobs.archive.manifest import MANIFEST, signed, signing_keys, written
from functions.jobs.archive.tables import tables
from tests.conftest import Database, User
from tests.jobs.archives import manifest_of, zipped
from tests.jobs.ticking import tick
from tests.support import bucket

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Exported:
    """An export: its members but the manifest, and what the manifest says beside the list of them."""

    files: Mapping[str, bytes]
    fields: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, table: str) -> Rows:
        """The rows of a table."""
        rows: Rows = json.loads(self.files[f"data/{table}.json"])
        return rows

    def data(self) -> dict[str, Rows]:
        """The rows of all tables."""
        return {table: self.rows(table) for table in self.fields["tables"]}

    def saying(self, **fields: Any) -> "Exported":
        """The same with other fields in its manifest."""
        return replace(self, fields={**self.fields, **fields})

    def having(self, table: str, change: Callable[[Rows], Rows]) -> "Exported":
        """The same with other rows in a table."""
        rows = change(self.rows(table))
        columns = list(rows[0]) if rows else self.fields["tables"][table]["columns"]
        content = ("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n").encode()
        entries = {**self.fields["tables"], table: {"rows": len(rows), "columns": columns}}
        return Exported({**self.files, f"data/{table}.json": content}, {**self.fields, "tables": entries})

    def without(self, table: str) -> "Exported":
        """The same without a table, as an older release wrote it that had none."""
        files = {path: content for path, content in self.files.items() if f"/{table}." not in path}
        entries = {name: entry for name, entry in self.fields["tables"].items() if name != table}
        return Exported(files, {**self.fields, "tables": entries})

    def manifest(self) -> dict[str, Any]:
        """The unsigned manifest, with the hashes of the members as they are."""
        return {**manifest_of({}), "files": manifest_of(self.files)["files"], **self.fields}

    def zipped(self, key: bytes | None = None) -> bytes:
        """The archive, signed by this installation unless another key is given."""
        manifest = signed(self.manifest(), key or signing_keys()[0])
        return zipped({**self.files, MANIFEST: written(manifest)})


def export_of(database: Database, user: User) -> Exported:
    """All that a user has, as an export holds it."""
    files = {"profile.json": json.dumps({"name": "Ada", "image": "https://questlog.test/ada.png"}).encode()}
    entries: dict[str, Any] = {}
    with database.admin() as connection:
        for table in tables(connection):
            statement = table.json_rows.replace("$1", f"'{user.id}'::uuid")
            rows = [row["line"] for row in connection.execute(statement.encode()).fetchall()]
            files[f"data/{table.name}.json"] = ("[\n" + ",\n".join(rows) + "\n]\n").encode()
            entries[table.name] = {"rows": len(rows), "columns": table.columns}
    objects = []
    for row in database.query("SELECT id, r2_key, mime_type FROM reference_tracks WHERE user_id = %s", user.id):
        path, key = f"audio/{row['id']}.wav", row["r2_key"]
        files[path] = stored(key)
        entry = {"path": path, "key": key.partition("/")[2], "content_type": row["mime_type"]}
        objects.append({**entry, "table": "reference_tracks", "id": str(row["id"])})
    return Exported(files, {"tables": entries, "objects": objects})


def stored(key: str) -> bytes:
    """An object of the bucket."""
    return bucket.client().get_object(Bucket="questlog", Key=key)["Body"].read()


def upload(user: User, content: bytes) -> str:
    """Upload a file for an import. Returns the import's id."""
    made = user.post("/user/imports", {"size_bytes": len(content)}).data
    assert bucket.send("PUT", made["upload_url"], content, {"content-type": "application/zip"})[0] == 200
    return str(made["id"])


def start(user: User, content: bytes) -> str:
    """Upload a file and start the import of it. Returns the import's id."""
    import_id = upload(user, content)
    assert user.post(f"/user/imports/{import_id}/start").data["status"] == "queued"
    return import_id


def bring(user: User, content: bytes) -> dict[str, Any]:
    """Import a file, and return how the import ended."""
    import_id = start(user, content)
    tick()
    ended: dict[str, Any] = user.get(f"/user/imports/{import_id}").data
    return ended
