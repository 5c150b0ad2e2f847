"""Write docs/openapi.json: `python -m docs.openapi`, or `make openapi`. A test holds it to what the routes declare."""

import importlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import CoreModeRef, DefsRef, GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from starlette.responses import RedirectResponse, Response

from questlog.api import Api, Endpoint
from questlog.identity import BROWSER, MEMBER, OWN_SCOPES, SAFE_METHODS, SESSION
from questlog.release import VERSION

from docs.examples import example

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "openapi.json"
DESCRIPTION = (
    "`docs/guide.md` in the repository shows how to sign in, call, page, poll and upload, with curl and TypeScript."
)
REF = "#/components/schemas/{model}"
# The schemas of an error's `details`: for bad input a list of fields; for others they depend on the error's type.
ERROR_DETAILS = {
    "ErrorDetails": {"type": "object", "additionalProperties": True},
    "ValidationDetails": {
        "type": "object",
        "required": ["fields"],
        "properties": {"fields": {"type": "array", "items": {"$ref": REF.format(model="InvalidField")}}},
    },
    "InvalidField": {
        "type": "object",
        "required": ["field", "message"],
        "properties": {
            "field": {"type": "string", "description": "A dotted path into body, query or path."},
            "message": {"type": "string", "description": "What is wrong there."},
        },
    },
}

# Routes that speak JSON-RPC 2.0, whose errors have another form.
JSON_RPC = {"/mcp"}

# A type of the wire and the side it is on, keyed so that a schema is found again.
Wanted = tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]


@cache
def document() -> dict[str, Any]:
    """Every route of every group, without its /api twin, as OpenAPI 3.1. Made once: it takes seconds."""
    endpoints = [(api.name, endpoint) for api in apis() for endpoint in api.endpoints]
    schemas, definitions = TypeAdapter.json_schemas(
        [wanted for _, endpoint in endpoints for wanted in _wanted(endpoint)],
        ref_template=REF,
        schema_generator=_Schemas,
    )
    shapes = {key: schema for (key, _), schema in schemas.items()}
    failures = {(status, frozenset(types)) for _, one in endpoints for status, types in refusals(one).items()}
    components = {
        **{name: _untitled(schema) for name, schema in definitions.get("$defs", {}).items()},
        **ERROR_DETAILS,
        **{_error_name(status, types): _error(types) for status, types in failures},
    }
    responses = dict(sorted((_failure_name(status, types), _failure(status, types)) for status, types in failures))
    paths: dict[str, dict[str, Any]] = {}
    for group, endpoint in endpoints:
        operation = _operation(group, endpoint, shapes, components)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    # A type with a schema of its own, such as an event's id, leaves behind the one that pydantic made of its class.
    used = set(re.findall(rf'"{REF.format(model="(.*?)")}"', json.dumps([paths, components, responses])))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Questlog", "version": VERSION, "description": DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(used)},
            "responses": responses,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "session"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without its title: that is the class's name, which other groups have too (Stats), and generators of
    clients name their classes by the titles.
    """
    return {key: value for key, value in schema.items() if key != "title"}


class _Schemas(GenerateJsonSchema):
    """pydantic's schemas under names that no other group can change, with request fields that may be left out."""

    def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
        """The name of a model's schema: FocusStats for an answer's, FocusStartRequest for a request's."""
        core_ref, mode = core_mode_ref
        qualified = core_ref.rsplit(":", 1)[0]
        suffix = "Request" if mode == "validation" else ""
        name = DefsRef(_schema_name(qualified, suffix))
        if self._is_of_another(name, qualified):
            # Two classes of one group, such as Stats and FocusStats: the second has the group's name in full.
            name = DefsRef(_group_of(qualified) + _class_of(qualified) + suffix)
        if self._is_of_another(name, qualified):
            # pydantic would describe both as the first.
            raise ValueError(f"{name} would be the name of two schemas: rename {qualified}")
        self._prioritized_defsref_choices[name] = [name]
        return name

    def field_title_should_be_set(self, _: object) -> bool:
        """Never: the title would be the field's name again."""
        return False

    def _is_of_another(self, name: DefsRef, qualified: str) -> bool:
        """Whether another class has the name already."""
        taken = self.defs_to_core_refs.get(name)
        return taken is not None and taken[0].rsplit(":", 1)[0] != qualified

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Of a request's field the default is said in words: generators take a field with a default as always there.
        Of an answer's it is not said at all: it matters to Python only.
        """
        json_schema = super().default_schema(schema)
        if "default" in json_schema:
            default = json_schema.pop("default")
            if self.mode == "validation" and default is not None:
                said = f"{json.dumps(default, ensure_ascii=False)} when it is left out."
                json_schema["description"] = f"{json_schema.get('description', '')} {said}".strip()
        return json_schema


def _schema_name(qualified: str, suffix: str) -> str:
    """The class's name, after its group's unless it begins with it: functions.focus.models.Stats is FocusStats."""
    group, name = _group_of(qualified), _class_of(qualified)
    return (name if name.startswith(group.removesuffix("s")) else group + name) + suffix


def _group_of(qualified: str) -> str:
    """The group of a class as a name begins with it; nothing for what all groups share."""
    parts = qualified.split(".")
    return parts[1].title().replace("_", "") if parts[0] == "functions" else ""


def _class_of(qualified: str) -> str:
    return re.sub(r"\W", "_", qualified.rpartition(".")[2])


def apis() -> Iterator[Api]:
    """The groups under functions/, by name."""
    for app in sorted((ROOT / "functions").glob("*/app.py")):
        yield importlib.import_module(f"functions.{app.parent.name}.app").api


def operation_id(endpoint: Endpoint) -> str:
    """A name no other operation has, also where one function answers under several paths."""
    return "_".join([endpoint.method.lower(), *(re.findall(r"[a-z0-9]+", endpoint.path) or ["root"])])


def _wanted(endpoint: Endpoint) -> Iterator[Wanted]:
    name = operation_id(endpoint)
    if not _writes_its_own(endpoint):
        yield (f"{name} answer", "serialization", TypeAdapter(endpoint.answers))
    for parameter, annotation in endpoint.parameters.items():
        if parameter in ("query", "body") or f"{{{parameter}}}" in endpoint.path:
            yield (f"{name} {parameter}", "validation", TypeAdapter(annotation))


def _operation(group: str, endpoint: Endpoint, shapes: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    name = operation_id(endpoint)
    operation: dict[str, Any] = {
        "operationId": name,
        "tags": [group],
        "summary": " ".join((endpoint.call.__doc__ or "").split()),
        "parameters": [*_path_parameters(name, endpoint, shapes), *_query_parameters(name, shapes, components)],
        "responses": {**_success(endpoint, shapes.get(f"{name} answer"), components), **_failures(endpoint)},
        "security": _security(endpoint.requires),
    }
    if f"{name} body" in shapes:
        shape = shapes[f"{name} body"]
        content = {"schema": shape, "example": example(shape, components, whole=False)}
        operation["requestBody"] = {
            "required": _is_required(shape, components),
            "content": {"application/json": content},
        }
    if endpoint.path in JSON_RPC:
        operation["responses"] |= {
            "202": {"description": "The message was a notification, which has no answer."},
            "400": {"description": "An error of JSON-RPC: the message is malformed, or its revision is not known."},
            "404": {"description": "An error of JSON-RPC: there is no such method (since revision 2026-07-28)."},
        }
    if endpoint.etag:
        operation["responses"]["304"] = {"description": "Nothing has changed since the ETag sent in If-None-Match."}
    return operation


def _is_required(body: dict[str, Any], components: dict[str, Any]) -> bool:
    """Whether a request needs a body: an absent one is {}, which is not enough where a field is required."""
    model = components[body["$ref"].rpartition("/")[2]] if "$ref" in body else body
    return bool(model.get("required"))


def _security(requires: str | None) -> list[dict[str, list[str]]]:
    """Who may ask: everyone, the holder of a session, or one whose role has the entitlement (OpenAPI 3.1, 4.8.30)."""
    if requires is None:
        return []
    entitlements = [] if requires in OWN_SCOPES else [requires]
    return [{"session": entitlements}, {"bearer": entitlements}]


def _path_parameters(name: str, endpoint: Endpoint, shapes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for parameter in re.findall(r"{(\w+)}", endpoint.path):
        schema = shapes.get(f"{name} {parameter}", {"type": "string"})
        yield {"name": parameter, "in": "path", "required": True, "schema": schema}


def _query_parameters(name: str, shapes: dict[str, Any], components: dict[str, Any]) -> Iterator[dict[str, Any]]:
    model = shapes.get(f"{name} query", {})
    if "$ref" in model:
        model = components[model["$ref"].rpartition("/")[2]]
    for parameter, schema in model.get("properties", {}).items():
        required = parameter in model.get("required", [])
        described = {"name": parameter, "in": "query", "required": required, "schema": schema}
        # An empty value is absent (platform contract, 1.6), which only an optional parameter may be.
        yield described if required else {**described, "allowEmptyValue": True}


def _writes_its_own(endpoint: Endpoint) -> bool:
    return isinstance(endpoint.answers, type) and issubclass(endpoint.answers, Response)


def _success(endpoint: Endpoint, shape: dict[str, Any] | None, components: dict[str, Any]) -> dict[str, Any]:
    """The response of success by the route's return type: a document, no body, a redirect, or another media type."""
    if endpoint.answers is type(None):
        return {"204": {"description": "Done; the response has no body."}}
    if endpoint.answers is RedirectResponse:
        return {"302": {"description": "A redirect to the address in Location."}}
    if shape is None:
        return {"200": {"description": "See the summary."}}
    schema = shape if not endpoint.envelope else {"type": "object", "required": ["data"], "properties": {"data": shape}}
    content = {"schema": schema, "example": example(schema, components, whole=True)}
    return {"200": {"description": "The request succeeded.", "content": {"application/json": content}}}


def refusals(endpoint: Endpoint) -> Mapping[int, set[str]]:
    """The error types that a route may answer with, by status: its own, and those that follow from its declaration."""
    types: dict[int, set[str]] = defaultdict(set)
    unsafe = endpoint.method not in SAFE_METHODS
    types[500].add("internal_error")
    types[503].add("unavailable")
    if unsafe or {"query", "content"} & set(endpoint.parameters):
        types[400].add("validation_error")
    if "{" in endpoint.path:
        types[404].add("not_found")
    if {"page_size", "limit"} & set(getattr(endpoint.parameters.get("query"), "model_fields", ())):
        types[413].add("answer_too_large")
    if unsafe:
        types[403].add("csrf_violation")
        types[413].add("payload_too_large")
        types[415].add("unsupported_media_type")
    if endpoint.requires is not None:
        types[401].add("unauthorized")
        types[403] |= _refusals_of(endpoint.requires)
    if unsafe and endpoint.requires is not None and not endpoint.read_token:
        # An API token of scope read only reads.
        types[403].add("forbidden")
    if unsafe and endpoint.requires is not None and endpoint.store_response:
        types[409].add("idempotency_in_progress")
        types[422].add("idempotency_mismatch")
    for status, own in endpoint.errors.items():
        types[status].update(own)
    return {status: types[status] for status in sorted(types) if types[status]}


def _refusals_of(requires: str) -> set[str]:
    """The types of 403 that authenticate() answers with for a scope."""
    if requires == SESSION:
        return set()
    if requires == BROWSER:
        return {"forbidden"}
    consent = {"age_verification_required", "tos_required"}
    return consent if requires == MEMBER else {*consent, "forbidden"}


def _failures(endpoint: Endpoint) -> dict[str, Any]:
    return {
        str(status): {"$ref": f"#/components/responses/{_failure_name(status, types)}"}
        for status, types in refusals(endpoint).items()
    }


def _failure_name(status: int, types: Collection[str]) -> str:
    return "-".join([str(status), *sorted(types)])


def _failure(status: int, types: Collection[str]) -> dict[str, Any]:
    schema = {"$ref": REF.format(model=_error_name(status, types))}
    return {"description": HTTPStatus(status).phrase, "content": {"application/json": {"schema": schema}}}


def _error_name(status: int, types: Collection[str]) -> str:
    """The name of an error's schema, such as Error404NotFound. In generated clients a schema without a name would
    become a class of its own for each route that refers to it.
    """
    return f"Error{status}" + "".join(one.title().replace("_", "") for one in sorted(types))


def _error(types: Collection[str]) -> dict[str, Any]:
    """The envelope of every error, with the types it can have here."""
    details = "ValidationDetails" if set(types) == {"validation_error"} else "ErrorDetails"
    error = {
        "type": "object",
        "required": ["type", "message", "details"],
        "properties": {
            "type": {"type": "string", "enum": sorted(types)},
            "message": {"type": "string", "description": "One plain sentence."},
            "details": {"$ref": REF.format(model=details)},
        },
    }
    return {
        "type": "object",
        "required": ["error", "request_id"],
        "properties": {"error": error, "request_id": {"type": "string"}},
    }


def text() -> str:
    """The document as it is checked in."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the document."""
    # The functions refuse to start without these; what they hold does not show in the document.
    os.environ.setdefault("DATABASE_URL", "postgresql://")
    os.environ.setdefault("CONSOLE_DATABASE_URL", "postgresql://")
    os.environ.setdefault("PUBLIC_URL", "http://localhost")
    os.environ.setdefault("FRONTEND_URL", "http://localhost")
    DOCUMENT.write_text(text(), "utf-8")


if __name__ == "__main__":
    main()
