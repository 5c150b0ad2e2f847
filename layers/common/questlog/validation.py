"""What is wrong with a request, in plain sentences: the field, and what it must be.

pydantic's own messages speak of types of Python and quote regular expressions, and may change with its version.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

Problem = tuple[str, str]
"""The dotted path of a field, and what is wrong there."""

# The sentence of each kind of error that pydantic knows (pydantic_core.ErrorDetails.type), with its context filled in.
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is required",
    "none_required": "must be null",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "is not of the form that is expected here",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of at most 64 bits",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "decimal_max_places": "must have at most {decimal_places} decimal places",
    "decimal_max_digits": "must have at most {max_digits} digits",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "union_tag_invalid": "must be {expected_tags}",
    "union_tag_not_found": "must have the field {discriminator}",
    "list_type": "must be a list",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "uuid_version": "must be a UUID",
    "date_type": "must be a date, YYYY-MM-DD",
    "date_parsing": "must be a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "must be a date, YYYY-MM-DD",
    "datetime_type": "must be a time, such as 2031-05-09T08:00:00Z",
    "datetime_parsing": "must be a time, such as 2031-05-09T08:00:00Z",
    "timezone_aware": "must have an offset from UTC, such as Z",
    "time_type": "must be a time of day, HH:MM",
    "time_parsing": "must be a time of day, HH:MM",
    # The message of a validator of ours is such a sentence already.
    "value_error": "{error}",
}
_OTHER: Final = "is not valid"
# A longer sentence is cut: twenty names of fields and their sentences must fit into an error of 16 KiB.
_LONGEST_SENTENCE: Final = 200
# An error shows twenty problems (errors.py). Beyond _MANY errors only the first _FIRST characters of pydantic's JSON
# are read, in which there are some hundred.
_MANY: Final = 200
_FIRST: Final = 32_768


def problems(error: ValidationError, sent: Any, whole: str = "body") -> list[Problem]:
    """The fields that are not valid, and what is wrong with each.

    `sent` is the document that was validated, or its JSON: it shows which parts of pydantic's path are fields, and
    which are names of types. `whole` is the name for what is wrong with several fields together.

    If a value may have one of several types, the errors of all types become one problem. Of more than two hundred
    errors only the first are worked out; the last of those is repeated for each of the others.
    """

    @cache
    def document() -> Any:
        return from_json(sent) if isinstance(sent, bytes) else sent

    errors = _first(error)
    found: dict[str, list[str]] = {}
    for one in errors:
        location = tuple(one["loc"])
        # A path of one part is a field of the document, never the name of a type in a union.
        path = str(location[0]) if len(location) == 1 else _path(location, document())
        sentences = found.setdefault(path, [])
        sentence = _sentence(one["type"], one.get("ctx", {}))
        if sentence not in sentences:
            sentences.append(sentence)
    listed = [(path or whole, ", or ".join(sentences)) for path, sentences in found.items()]
    return listed + listed[-1:] * (error.error_count() - len(errors))


def _first(error: ValidationError) -> Sequence[Mapping[str, Any]]:
    """pydantic's errors; of many only the first, since it takes long to make an object of each."""
    if error.error_count() <= _MANY:
        return error.errors(include_url=False, include_input=False)
    text = error.json(include_url=False, include_input=False)[:_FIRST].encode()
    # The text is cut within an error, so the last one is incomplete.
    first: list[dict[str, Any]] = from_json(text, allow_partial=True)[:-1]
    return first


def _sentence(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "string_too_short" and context["min_length"] == 1:
        return "must not be empty"
    return _SENTENCES.get(kind, _OTHER).format_map(_with_whole_numbers(context))[:_LONGEST_SENTENCE]


def _with_whole_numbers(context: Mapping[str, Any]) -> dict[str, Any]:
    """What a sentence is filled with: a limit of 5 is 5, where pydantic says 5.0 of a field that may have decimals."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in context.items()
    }


def _path(location: tuple[int | str, ...], sent: Any) -> str:
    """The dotted path of an error's location, without the names of types that pydantic adds for unions.

    Every part of the path exists in `sent`, except perhaps the last: the name of a missing field.
    """
    path: list[str] = []
    for part in location:
        if isinstance(sent, list) and isinstance(part, int):
            sent = sent[part] if part < len(sent) else None
        elif isinstance(sent, Mapping) and (part in sent or (part is location[-1] and str(part).isidentifier())):
            sent = sent.get(part)
        else:
            continue
        path.append(str(part))
    return ".".join(path)
