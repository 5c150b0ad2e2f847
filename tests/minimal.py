"""The smallest value a JSON schema admits: bodies for requests to routes that no test names."""

from typing import Any


def minimal(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value of the schema, with required properties only. `schemas` are the document's components."""
    if "$ref" in schema:
        return minimal(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return minimal(schema["anyOf"][0], schemas)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: minimal(properties[name], schemas) for name in schema.get("required", [])}
        case "array":
            return [minimal(schema["items"], schemas)] * schema.get("minItems", 0)
        case "string":
            return _string(schema)
        case "integer" | "number":
            return max(schema.get("minimum", 1), min(1, schema.get("maximum", 1)))
        case "boolean":
            return True
        case _:
            return None


def _string(schema: dict[str, Any]) -> str:
    formats = {
        "uuid": "00000000-0000-4000-8000-000000000000",
        "date": "2031-05-09",
        "date-time": "2031-05-09T08:00:00Z",
        "uri": "https://questlog.test/",
    }
    return str(formats.get(schema.get("format", ""), schema.get("examples", ["x" * max(1, schema.get("minLength", 1))])[0]))
