"""Write functions/mcp/tools.json: `python -m docs.tools`, or `make openapi`. A test holds it to the declarations.

The arguments of a tool are described by the fields of its route in the API's document, as briefly as an assistant can
use: the list of tools is part of every conversation.
"""

import json
import os
from collections.abc import Iterator
from typing import Any, Final

from questlog.api import Endpoint, Tool
from questlog.identity import SAFE_METHODS

from docs.openapi import ROOT, apis, document

TOOLS = ROOT / "functions" / "mcp" / "tools.json"
# The parts of a field's schema that an assistant needs. The others, such as a pattern, are named by the error.
_KEPT: Final = ("type", "format", "enum", "items", "minimum", "maximum", "multipleOf", "maxLength", "maxItems", "anyOf")


def tools() -> list[dict[str, Any]]:
    """Every tool that a route declares: as it is listed, and the route that it calls."""
    declared = [(endpoint, tool) for api in apis() for endpoint in api.endpoints for tool in endpoint.tools]
    return [{"listed": _listed(endpoint, tool), "target": _target(endpoint, tool)} for endpoint, tool in declared]


def _listed(endpoint: Endpoint, tool: Tool) -> dict[str, Any]:
    """A tool as tools/list shows it (Model Context Protocol, 2025-03-26 and later)."""
    reads_only = endpoint.method in SAFE_METHODS
    fields = dict(_fields(endpoint, tool))
    required = [name for name, (_, is_required) in fields.items() if is_required or name in tool.required]
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": {
            "type": "object",
            "properties": {name: _brief(schema) for name, (schema, _) in fields.items()},
            **({"required": required} if required else {}),
        },
        "annotations": {
            "readOnlyHint": reads_only,
            "destructiveHint": tool.destructive,
            "idempotentHint": reads_only or tool.idempotent,
        },
    }


def _target(endpoint: Endpoint, tool: Tool) -> dict[str, Any]:
    return {"method": endpoint.method, "path": endpoint.path, "fixed": dict(tool.fixed)}


def _fields(endpoint: Endpoint, tool: Tool) -> Iterator[tuple[str, tuple[dict[str, Any], bool]]]:
    """The schema of each argument, and whether it is required: those of the path, then those that the tool offers."""
    operation = document()["paths"][endpoint.path][endpoint.method.lower()]
    schemas = document()["components"]["schemas"]
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            yield parameter["name"], (parameter["schema"], True)
    if endpoint.method in SAFE_METHODS:
        offered = {p["name"]: (p["schema"], p["required"]) for p in operation["parameters"] if p["in"] == "query"}
    else:
        body = operation["requestBody"]["content"]["application/json"]["schema"] if "requestBody" in operation else {}
        body = schemas[body["$ref"].rpartition("/")[2]] if "$ref" in body else body
        required = body.get("required", [])
        offered = {name: (schema, name in required) for name, schema in body.get("properties", {}).items()}
    for name in tool.arguments:
        yield name, offered[name]


def _brief(schema: dict[str, Any]) -> dict[str, Any]:
    """A field's schema without what it says of null, which is to leave the field out, and what is not needed."""
    described = {name: schema[name] for name in ("description",) if name in schema}
    members = [member for member in schema.get("anyOf", []) if member != {"type": "null"}]
    if len(members) == 1:
        return {**_brief(members[0]), **described}
    kept: dict[str, Any] = {name: schema[name] for name in _KEPT if name in schema}
    if "items" in kept:
        kept["items"] = _brief(kept["items"])
    if members:
        kept["anyOf"] = [_brief(member) for member in members]
    return {**kept, **described}


def text() -> str:
    """The file as it is checked in."""
    return json.dumps(tools(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    # The functions refuse to start without these; what they hold does not show in the file.
    for name in ("DATABASE_URL", "CONSOLE_DATABASE_URL"):
        os.environ.setdefault(name, "postgresql://")
    for name in ("PUBLIC_URL", "FRONTEND_URL"):
        os.environ.setdefault(name, "http://localhost")
    TOOLS.write_text(text(), "utf-8")


if __name__ == "__main__":
    main()
