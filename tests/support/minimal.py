"""The smallest value a JSON schema admits: bodies for requests to routes that no test names."""

from collections.abc import Callable
from typing import Any


def minimal(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value of the schema, with required properties only. `schemas` are the document's components."""
    if "$ref" in schema:
        return minimal(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return minimal(schema["anyOf"][0], schemas)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    make: dict[str, Callable[[], Any]] = {
        "object": lambda: {name: minimal(schema["properties"][name], schemas) for name in schema.get("required", [])},
        "array": lambda: [minimal(schema["items"], schemas)] * schema.get("minItems", 0),
        "string": lambda: _string(schema),
        "integer": lambda: max(schema.get("minimum", 1), min(1, schema.get("maximum", 1))),
        "number": lambda: max(schema.get("minimum", 1), min(1, schema.get("maximum", 1))),
        "boolean": lambda: True,
    }
    return make.get(schema.get("type", ""), lambda: None)()


def _string(schema: dict[str, Any]) -> str:
    formats = {
        "uuid": "00000000-0000-4000-8000-000000000000",
        "date": "2031-05-09",
        "date-time": "2031-05-09T08:00:00Z",
        "uri": "https://questlog.test/",
    }
    return str(
        formats.get(schema.get("format", ""), schema.get("examples", ["x" * max(1, schema.get("minLength", 1))])[0])
    )
