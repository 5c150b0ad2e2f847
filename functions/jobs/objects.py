"""Archives as objects of the bucket: how exports and backups end theirs, how imports and restores open one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias

from questlog.db import Queries, connection
from questlog.errors import Failure

from functions.jobs import bucket
from functions.jobs.archive.container import BadArchive, ranged_file
from functions.jobs.archive.manifest import BACKUP, EXPORT, Unsigned, signing_keys
from functions.jobs.archive.reading import Archive, open_archive
from functions.jobs.statements import Unfit, execute
from functions.jobs.work import Job, Refused, complete

Kind: TypeAlias = Literal["export", "backup"]

GONE: Final = "The file is not there any more, or another one is in its place."
_FORMATS: Final = {"export": EXPORT, "backup": BACKUP}


def unfit(kind: Kind) -> str:
    """The message of an archive whose rows the database refuses."""
    return f"The {kind} holds rows that do not fit together."


def finish(job: Job, upload: bucket.Upload, rows: int, queries: Queries) -> dict[str, Any]:
    """End the job, its upload and what it works for together: the last by the statement `finish` of `queries`.

    Returns the job's result, {size_bytes, sha256, row_count}. Raises Superseded if the job is no longer this worker's.
    """
    result = {"size_bytes": upload.size, "sha256": upload.sha256, "row_count": rows}
    here = connection()
    with here.transaction():
        complete(here, job, result)
        upload.complete()
        execute(here, queries, "finish", **job.held, **result)
    return result


def opened(kind: Kind, key: str, size_bytes: int, manifest_type: type[Unsigned]) -> Archive:
    """The archive in the bucket, once its manifest and its members' names are known to be those of this kind.

    Raises Refused if it is not there in this size, BadArchive if it must not be taken.
    """
    head = bucket.head(key)
    if head is None or head.size != size_bytes:
        raise Refused(f"invalid_{kind}", GONE)

    def fetch(start: int, end: int) -> bytes:
        return bucket.read_range(key, start, end - start, head.etag)

    return open_archive(ranged_file(head.size, fetch), manifest_type, _FORMATS[kind], signing_keys())


@contextmanager
def refusals(kind: Kind) -> Iterator[None]:
    """Turn what is wrong with an archive, or with the account or installation it is for, into a refusal of the job."""
    error_types = {
        "invalid": f"invalid_{kind}",
        "untrusted": f"untrusted_{kind}",
        "unsupported": "unsupported_version",
        "too_large": "too_large",
    }
    try:
        yield
    except BadArchive as bad:
        raise Refused(error_types[bad.reason], bad.message) from None
    except bucket.Replaced:
        raise Refused(f"invalid_{kind}", GONE) from None
    except (Unfit, UnicodeDecodeError):
        raise Refused(f"invalid_{kind}", unfit(kind)) from None
    except Failure as failure:
        if failure.type in ("account_not_empty", "not_empty"):
            raise Refused(failure.type, failure.message) from None
        if failure.type == "invalid_backup":  # the ledger does not add up
            raise Refused(f"invalid_{kind}", unfit(kind)) from None
        raise
