"""Examples for the OpenAPI document, made from the fields: Field(examples=[...]), or else their type and limits.

A model whose fields depend on each other gives an example of its own:
model_config = ConfigDict(json_schema_extra={"examples": [{...}]}).
"""

from typing import Any, Final

Schema = dict[str, Any]

_FORMATS: Final = {
    "uuid": "0192f3c4-5a6b-7c8d-9e0f-112233445566",
    "date": "2031-05-09",
    "date-time": "2031-05-09T08:00:00Z",
    "time": "08:00",
    "uri": "https://questlog.test/",
}


def example(schema: Schema, schemas: dict[str, Schema], *, whole: bool, within: tuple[str, ...] = ()) -> Any:
    """A value of the schema. `schemas` are the document's components; of objects the required properties, or with
    `whole` all. `within` names the components this value is part of: one that contains itself ends there.
    """
    value: Any = None
    if schema.get("examples"):
        value = schema["examples"][0]
    elif "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in within:
            value = example(schemas[name], schemas, whole=whole, within=(*within, name))
    elif members := [member for key in ("anyOf", "oneOf", "allOf") for member in schema.get(key, [])]:
        something = [member for member in members if member.get("type") != "null"]
        value = example(something[0], schemas, whole=whole, within=within) if something else None
    elif "const" in schema or "enum" in schema:
        value = schema.get("const", schema.get("enum", [None])[0])
    elif schema.get("type") == "object":
        names = schema.get("properties", {}) if whole else schema.get("required", [])
        value = {name: example(schema["properties"][name], schemas, whole=whole, within=within) for name in names}
    elif schema.get("type") == "array":
        count = max(schema.get("minItems", 0), 1 if whole else 0)
        value = [example(schema["items"], schemas, whole=whole, within=within)] * count
    else:
        value = _scalar(schema)
    return value


def _scalar(schema: Schema) -> Any:
    match schema.get("type"):
        case "string":
            text = _FORMATS.get(schema.get("format", ""), "text")
            return text[: schema.get("maxLength")].ljust(schema.get("minLength", 0), "x")
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case _:
            return None


def _number(schema: Schema) -> int | float:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    most = schema.get("maximum", least)
    number: int | float = max(least, min(1, most))
    return number
