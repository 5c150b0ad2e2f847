"""A file from another app as a request brings it, and why it is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from questlog.api import LARGEST_ANSWER
from questlog.binding import json_object
from questlog.db import Db
from questlog.errors import Failure, Invalid
from questlog.importing.problems import Problems, Refused, TooLarge, UnitNeeded
from questlog.importing.tables import MAX_BYTES
from questlog.wire import ImportProblem

# The last is what browsers on Windows call a file whose name ends in .csv.
_CSV: Final = frozenset({"text/csv", "application/csv", "application/vnd.ms-excel"})


def media_type(request: Request) -> str:
    """The type that the body is declared to be of, without parameters; empty where none is declared."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def sent_csv(db: Db, request: Request, content: bytes) -> bytes:
    """The CSV that was sent, as it is or as {"csv": text}. Failure (413, 415) and Invalid for another body."""
    declared = media_type(request)
    if declared in _CSV or not (declared or content.startswith(b"{")):
        return content
    text = json_object(request, content, MAX_BYTES).get("csv")
    if not isinstance(text, str):
        db.authenticate_only()
        raise Invalid([("csv", "must be the text of a CSV file")])
    return text.encode()


@contextmanager
def refusals(field: str) -> Iterator[None]:
    """Turn why a file is not taken into the error of the request; `field` is where the request holds the file."""
    try:
        yield
    except UnitNeeded as error:
        raise Invalid([(error.parameter, str(error))]) from None
    except TooLarge as error:
        details = {} if error.limit_bytes is None else {"limit_bytes": error.limit_bytes}
        raise Failure(413, "payload_too_large", f"The file {error}.", details) from None
    except Refused as error:
        raise Invalid([(field, str(error))], f"The file {error}.") from None


def reported(problems: Problems) -> list[ImportProblem]:
    """The problems as the answer lists them."""
    return [ImportProblem(line=line, name=name, message=message) for line, name, message in problems.in_order()]


def attachment(document: str, filename: str, *, too_large: str, media_type: str = "text/csv") -> Response:
    """A text file to save. Failure answer_too_large, with this message, where an answer cannot hold it."""
    content = document.encode()
    # On its way out the document is a JSON string, in which these take a byte more each.
    if len(content) + sum(map(content.count, (b"\t", b"\r", b"\n", b'"', b"\\"))) > LARGEST_ANSWER:
        raise Failure(413, "answer_too_large", too_large, {"limit_bytes": LARGEST_ANSWER})
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type=media_type)
