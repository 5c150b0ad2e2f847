"""Restoring a backup: verify, merge or replace (platform contract, section 7, rules 7 and 8).

1. The archive is checked as a whole, before anything is written: see archive/reading.py.
2. One transaction loads it, table by table, so that a row is inserted after the rows that it points at. Users who are
   here already, or were erased, are left out with all their rows. So are rows that point at one that was left out.
3. The ledger must add up. `verify` then rolls the transaction back, and only says what a merge would do.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from questlog.db import Connection, Db, Queries

from functions.jobs import bucket, objects
from functions.jobs.archive.manifest import Unsigned
from functions.jobs.archive.reading import Archive
from functions.jobs.archive.upgrades import Source, in_lists, loading_plan
from functions.jobs.statements import execute, transaction
from functions.jobs.work import Deadline, Job, Refused, Superseded, complete

# The bucket's list of erased users, which outlives the database: empty objects erasures/{hash of the id}.
ERASURES: Final = "erasures/"

UNSOUND: Final = "The ledger would not add up."

_queries: Final = Queries(Path(__file__).with_name("restore.sql"))

Results = dict[str, dict[str, int]]
"""By table: how many rows were `inserted`, and how many were left out as `skipped`."""


class Begun(NamedTuple):
    """A restore that this worker does now."""

    mode: str
    object_key: str
    size_bytes: int
    requested_by: UUID | None


class Target(NamedTuple):
    """A table that can be filled: its columns, the one of the row's owner, and the tables that are filled before."""

    name: str
    columns: list[str]
    owner: str | None
    parents: list[str]


def run(job: Job, deadline: Deadline) -> Mapping[str, Any]:
    """Restore a backup. Returns {inserted, skipped}: how many rows."""
    db = Db(_queries)
    begun = db.maybe(Begun, "begin", **job.held)
    if begun is None:
        raise Superseded
    with objects.refusals("backup"):
        archive = objects.opened("backup", begun.object_key, begun.size_bytes, Unsigned)
        targets = {target.name: target for target in db.many(Target, "tables")}
        plan = loading_plan(archive, targets)
        archive.verify(archive.files, lambda _: deadline.check())
        with transaction(deadline) as here:
            with here.transaction(force_rollback=begun.mode == "verify"):
                results = Restore(here, archive, deadline).load(plan, targets, begun)
            version = archive.manifest["schema_version"]
            execute(here, _queries, "settle", **job.held, results=results, version=version)
            counts = results.values()
            result = {name: sum(count[name] for count in counts) for name in ("inserted", "skipped")}
            complete(here, job, result)
            return result


def failed(connection: Connection, job: Job, error_type: str, message: str) -> None:
    """Have the restore show that it has failed."""
    execute(connection, _queries, "fail", **job.held, error_type=error_type, message=message)


class Restore:
    """The transaction that loads a backup."""

    def __init__(self, here: Connection, archive: Archive, deadline: Deadline) -> None:
        self._here = here
        self._archive = archive
        self._deadline = deadline

    def load(self, plan: Mapping[str, list[Source]], targets: Mapping[str, Target], begun: Begun) -> Results:
        """Load the tables of a plan in its order. Raises Refused if the ledger would not add up."""
        if begun.mode == "replace":
            self._execute("empty", requested_by=begun.requested_by)
        self._execute("erased", hashes=[key.removeprefix(ERASURES) for key in bucket.keys(ERASURES)])
        results = {"erasures": self._fill(targets["erasures"], plan["erasures"], frozenset())}
        left_out = self._left_out(plan)
        for name, found in plan.items():
            if name not in results:
                results[name] = self._fill(targets[name], found, left_out)
        [problem] = self._execute("ledger_problem")
        if problem["problem"] is not None:
            raise Refused("invalid_backup", UNSOUND)
        return results

    def _left_out(self, plan: Mapping[str, list[Source]]) -> frozenset[str]:
        """The ids of the backup's users who are not restored."""
        found: set[str] = set()
        for table in ("users", "accounts"):
            for source in plan[table]:
                for rows in in_lists(self._rows(source)):
                    found |= {str(row["id"]) for row in self._execute(f"unrestorable_{table}", rows=rows)}
        return frozenset(found)

    def _fill(self, target: Target, found: list[Source], left_out: frozenset[str]) -> dict[str, int]:
        inserted = 0
        for source in found:
            wanted = _of_others(self._rows(source), target.owner, left_out)
            for rows in in_lists(wanted):
                [loaded] = self._execute(
                    "rows", target=target.name, owner=target.owner, columns=source.columns, rows=rows
                )
                inserted += loaded["inserted"]
        total = sum(self._archive.tables[source.table]["rows"] for source in found)
        return {"inserted": inserted, "skipped": total - inserted}

    def _rows(self, source: Source) -> Iterator[bytes]:
        for row in self._archive.rows(source.table):
            self._deadline.check()
            yield source.upgraded(row)

    def _execute(self, name: str, **parameters: Any) -> list[Any]:
        return execute(self._here, _queries, name, **parameters)


def _of_others(rows: Iterable[bytes], owner: str | None, left_out: frozenset[str]) -> Iterator[bytes]:
    """The rows whose owner is not left out."""
    for row in rows:
        if owner is None or not left_out or json.loads(row).get(owner) not in left_out:
            yield row
