"""Reads a request into the typed arguments of its route, and checks them in the contract's order.

A parameter is bound by its type (Db, Client, Request), by the path, or by one of three names: `query` and `body` are
pydantic models, `content` is the body's bytes as they came. A malformed body is refused at once, before the caller is
authenticated. Input that is well-formed but not valid is refused only after that (platform contract, 1.4), and what is
wrong with it is not worked out before.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from math import isfinite
from typing import Any, Final, get_args
from uuid import UUID

from pydantic import BaseModel, PlainValidator, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from questlog.db import Db
from questlog.errors import MAX_FIELDS, Failure, Invalid, NotFound
from questlog.identity import SAFE_METHODS, Client
from questlog.validation import Problem, problems
from questlog.wire import Body

MAX_BODY: Final = 1_048_576
# A body is searched for these after each of its digits was made a 0 and each E an e: a number of 19 digits, an exponent
# of three digits, and two words that JSON does not have. Without one of them it holds no number that cannot be stored.
_SUSPICIOUS: Final = (b"0" * 19, b"0e000", b"0e+000", b"NaN", b"Infinity")
_ALIKE: Final = bytes.maketrans(b"123456789E", b"000000000e")
# A number of at least 19 characters or with an exponent of three digits, once _COMMAS has put a comma on both sides.
_LONG_NUMBER: Final = re.compile(rb"(?<![^,])(?:[^,]{19,}|[^,e]{1,17}e\+?[0-9]{3}[^,]*)")
_COMMAS: Final = bytes.maketrans(b"[]{}:E", b",,,,,e")
_LARGEST: Final = b"9223372036854775807"
_OUTSIDE_64_BIT: Final = 2**63
_NAMED_UP_TO: Final = 65_536

IsWritten = Callable[[str], bool]
"""Whether a text of the URL is how a value of some type is written there."""


def _in_digits(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal()


def _in_hyphenated_length(text: str) -> bool:
    return len(text) == len("00000000-0000-4000-8000-000000000000")


# pydantic alone would also take 1_0, 1.0, +1 and blanks around a number, and a UUID in braces, after urn:uuid: and
# without hyphens, each of which has a length of its own.
_WRITTEN: Final[Mapping[type, IsWritten]] = {int: _in_digits, UUID: _in_hyphenated_length}


class Arguments:
    """The arguments of one request to a route. `parameters` are the types of the route's parameters by name.

    Raises Failure (413, 415) and Invalid (400) for a malformed body.
    """

    def __init__(self, parameters: Mapping[str, Any], request: Request, content: bytes) -> None:
        self._values: dict[str, Any] = {}
        self._errors: list[tuple[ValidationError, Any, str]] = []
        self._is_not_found = False
        if "content" not in parameters:
            self._read_body(parameters.get("body", Body), request, content)
        for name, annotation in parameters.items():
            if name == "query":
                self._read_query(annotation, request)
            elif name == "content":
                self._values[name] = content
            elif name in request.path_params:
                self._read_segment(name, annotation, request.path_params[name])
            elif annotation is Client:
                self._values[name] = Client.of(request)
            elif annotation is Request:
                self._values[name] = request
        self._names = parameters

    def bound(self, db: Db) -> dict[str, Any]:
        """All arguments by name. Raises NotFound or Invalid for bad ones, once the caller is authenticated."""
        if self._is_not_found:
            db.authenticate_only()
            raise NotFound
        if self._errors:
            db.authenticate_only()
            raise Invalid([problem for error in self._errors for problem in problems(*error)])
        return {name: db if annotation is Db else self._values[name] for name, annotation in self._names.items()}

    def _read_body(self, model: type[BaseModel], request: Request, content: bytes) -> None:
        json = json_text(request, content)
        if json.lstrip(b" \t\n\r")[:1] != b"{":
            raise Invalid([("body", "must be a JSON object")])
        _refuse_unstorable(json)
        try:
            self._values["body"] = model.model_validate_json(json)
        except ValidationError as error:
            if (
                error.error_count() == 1
                and error.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid"
            ):
                raise Invalid([("body", "is not valid JSON")]) from None
            self._errors.append((error, json, "body"))

    def _read_query(self, model: type[BaseModel], request: Request) -> None:
        written = _written_in(model)
        sent = {key: _readable(value, written.get(key)) for key, value in request.query_params.items() if value}
        try:
            self._values["query"] = model.model_validate_strings(sent)
        except ValidationError as error:
            self._errors.append((error, sent, "query"))

    def _read_segment(self, name: str, annotation: Any, segment: str) -> None:
        try:
            self._values[name] = _adapter(annotation).validate_strings(_readable(segment, _written(annotation)))
        except ValidationError:
            self._is_not_found = True


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


@cache
def _written_in(query: type[BaseModel]) -> Mapping[str, IsWritten | None]:
    """How the fields of a query are written, by their names in the URL."""
    fields: Mapping[str, Any] = query.model_fields
    return {one.alias or name: _written(one.annotation, *one.metadata) for name, one in fields.items()}


@cache
def _written(annotation: Any, *metadata: Any) -> IsWritten | None:
    """How a value of this type is written in a URL, be it one of several; None where its text is free or read by us."""
    parts = (*get_args(annotation), *metadata)
    if any(isinstance(part, PlainValidator) for part in parts):
        return None
    return _WRITTEN.get(annotation) or next(filter(None, map(_written, parts)), None)


def json_object(request: Request, content: bytes, limit: int = MAX_BODY) -> dict[str, Any]:
    """The body as a JSON object (platform contract, 1.5), for a route that takes other media types beside JSON."""
    json = json_text(request, content, limit)
    _refuse_unstorable(json)
    return _object(json)


def json_text(request: Request, content: bytes, limit: int = MAX_BODY) -> bytes:
    """The body as it was sent; {} for an empty one. Raises Failure: 415 if its type is not JSON, 413 if too large."""
    if len(content) > limit:
        message = f"The body is larger than {limit // MAX_BODY} MiB."
        raise Failure(413, "payload_too_large", message, {"limit_bytes": limit})
    if not content or request.method in SAFE_METHODS:
        return b"{}"
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Failure(415, "unsupported_media_type", "The body must be JSON.")
    return content


def _object(json: bytes) -> dict[str, Any]:
    try:
        document = from_json(json, allow_inf_nan=False)
    except ValueError:
        raise Invalid([("body", "is not valid JSON")]) from None
    if not isinstance(document, dict):
        raise Invalid([("body", "must be a JSON object")])
    return document


def _refuse_unstorable(json: bytes) -> None:
    """Raise Invalid for a body with a string or a number that Postgres cannot store, or would return changed."""
    alike = json.translate(_ALIKE)
    if b"\\u0000" not in json and not any(mark in alike for mark in _SUSPICIOUS):
        return
    if len(json) <= _NAMED_UP_TO:
        if named := [*islice(_unstorable(_object(json)), MAX_FIELDS + 1)]:
            raise Invalid(named)
    # A larger body gets an error without the field's name: to look at every value in Python takes ten times as long as
    # to parse the body.
    elif _holds_unstorable(json):
        raise Invalid([("body", "must not contain U+0000 or integers outside 64 bit")])


def _holds_unstorable(json: bytes) -> bool:
    """Whether a string or a number in the body cannot be stored. For a body that is not JSON it may be either."""
    # With the pairs of backslashes taken out, each backslash that is left escapes the character behind it.
    escaped = json.replace(b"\\\\", b"")
    if b"\\u0000" in escaped:
        return True
    outside_strings = b"".join(escaped.replace(b'\\"', b"").split(b'"')[::2])
    if b"N" in outside_strings or b"I" in outside_strings:
        return True
    return any(
        _is_unstorable(number)
        for number in _LONG_NUMBER.findall(outside_strings.translate(_COMMAS, b" \t\n\r"))
        if len(digits := number.lstrip(b"-")) != len(_LARGEST) or digits > _LARGEST
    )


def _is_unstorable(number: bytes) -> bool:
    """Whether a number cannot be stored, or is not a JSON number."""
    try:
        return _objection(from_json(number)) is not None
    except ValueError:
        return True


def _unstorable(value: dict[str, Any] | list[Any], *path: str) -> Iterator[Problem]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if type(item) is dict or type(item) is list:
            yield from _unstorable(item, *path, str(key))
        elif objection := _objection(item):
            yield ".".join([*path, str(key)]), objection
        if objection := _objection(key):
            yield ".".join(path) or "body", objection


def _objection(scalar: Any) -> str | None:
    kind = type(scalar)
    if kind is str:
        return "must not contain U+0000" if "\0" in scalar else None
    if kind is int and not -_OUTSIDE_64_BIT <= scalar < _OUTSIDE_64_BIT:
        return "is an integer outside 64 bit"
    if kind is float and not isfinite(scalar):
        return "is too large a number"
    return None


def _readable(text: str, is_written: IsWritten | None) -> str:
    """Text of the URL as its parameter's type may read it.

    NUL becomes U+FFFD, since Postgres cannot store NUL; U+FFFD matches no stored text. A text in another form than the
    type is written in becomes U+FFFD as a whole, which the type refuses.
    """
    return "\ufffd" if is_written and not is_written(text) else text.replace("\0", "\ufffd")
