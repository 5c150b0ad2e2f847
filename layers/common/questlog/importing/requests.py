"""Reads a file of another app from a request, and turns a refusal of it into the request's error."""

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

# Browsers on Windows send the last one for a file whose name ends in .csv.
_CSV: Final = frozenset({"text/csv", "application/csv", "application/vnd.ms-excel"})


def media_type(request: Request) -> str:
    """The media type of the Content-Type header, without parameters; empty without the header."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def sent_csv(db: Db, request: Request, content: bytes) -> bytes:
    """The CSV that was sent, either as the body or as {"csv": text}. Raises Failure (413, 415) or Invalid."""
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
    """Turn the reason why a file is refused into the request's error; `field` is where the request holds the file."""
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
    """The response for a text file to save. Raises Failure answer_too_large with this message if it is too large."""
    content = document.encode()
    # Lambda returns the file as a JSON string, in which each of these takes one byte more.
    if len(content) + sum(map(content.count, (b"\t", b"\r", b"\n", b'"', b"\\"))) > LARGEST_ANSWER:
        raise Failure(413, "answer_too_large", too_large, {"limit_bytes": LARGEST_ANSWER})
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type=media_type)
