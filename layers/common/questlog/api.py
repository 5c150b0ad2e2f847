"""Declaring routes: a plain function's signature says what it needs, its return type what it answers.

    api = Api(__file__)

    @api.post("/focus/{session_id}/complete")
    def complete(db: Db, session_id: UUID) -> FocusCompletion:
        return db.one(FocusCompletion, "complete", session_id=session_id)

    handler = api.handler

A parameter is bound by its type (Db, Client, Request), by the path, or by one of three names: `query` and `body` are
pydantic models, `content` the body's bytes as they came. The checks of a request happen in the contract's order
(platform contract, 1.4): route, body, forgery, session, consent and role, and only then the input itself.
"""

import gc
import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, ParamSpec, TypedDict, TypeVar, Unpack, get_args, get_origin

from mangum import Mangum
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from questlog import identity
from questlog.db import Db, IdempotentDb, Queries, Statement
from questlog.edge import Edge
from questlog.errors import Failure, Forbidden, Interrupted, Invalid, NotFound, Replay, Unavailable
from questlog.identity import Client
from questlog.incoming import Incoming, json_object, problems_of
from questlog.settings import settings

P = ParamSpec("P")
R = TypeVar("R")

# Fields that change by themselves while nothing happens: an ETag over them would never match (core contract, 7.1).
VOLATILE: Final = frozenset({"server_time", "time_remaining_seconds", "actual_seconds", "etag"})


class Reply(NamedTuple, Generic[R]):
    """An answer with more than a value: a status, cookies to set, other headers."""

    value: R
    status: int = 200
    cookies: tuple[str, ...] = ()
    headers: Mapping[str, str] = MappingProxyType({})


class RouteOptions(TypedDict, total=False):
    """What a declaration may say about a route beside its method and path."""

    requires: str | None
    """What authenticate() must grant the caller; None for a public route. A consented member where it is not given."""
    envelope: bool
    """Whether the answer is {"data": document} (the default) or the document itself."""
    etag: bool
    """Whether the answer carries an ETag, and 304 is answered to a client that has it already."""
    store_response: bool
    """False where no answer may be stored under an Idempotency-Key, because it shows a secret."""
    errors: Mapping[int, Sequence[str]]
    """The route's own refusals, as error types by status: {409: ["limit_reached"]}. What follows from the rest of the
    declaration (401, 403 of `requires`, 400 of its input, 404 of an id in its path ...) is not repeated here."""


@dataclass(frozen=True)
class Endpoint:
    """One method of one path."""

    method: str
    path: str
    call: Callable[..., Any]
    queries: Queries
    requires: str | None
    envelope: bool
    etag: bool
    store_response: bool
    errors: Mapping[int, Sequence[str]]

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The types of the call's parameters by name."""
        return {name: parameter.annotation for name, parameter in inspect.signature(self.call).parameters.items()}

    @cached_property
    def answers(self) -> Any:
        """The type of the value answered, whether in a Reply or by itself; Response where the route writes its own."""
        annotation = inspect.signature(self.call).return_annotation
        return get_args(annotation)[0] if get_origin(annotation) is Reply else annotation

    @cached_property
    def serializer(self) -> TypeAdapter[Any]:
        """What makes JSON of the value answered."""
        return TypeAdapter(self.answers)

    def __call__(self, request: Request, content: bytes) -> Response:
        """ResponseModel a request. What interrupts it is tried once more where that cannot do anything twice."""
        repeatable = request.method in identity.SAFE_METHODS or "idempotency-key" in request.headers
        try:
            return self._attempt(request, content)
        except Interrupted as interrupted:
            if not (interrupted.nothing_applied or repeatable):
                raise Unavailable from None
        try:
            return self._attempt(request, content)
        except Interrupted:
            raise Unavailable from None

    def _attempt(self, request: Request, content: bytes) -> Response:
        document = {} if "content" in self.parameters else json_object(request, content)
        if identity.forged(request):
            self._refuse_forgery(request)
        db = self._database(request, content)
        try:
            response = self._respond(request, self.call(**self._bind(Incoming(request, db, document, content))))
            db.keep(response.status_code, bytes(response.body).decode() or None)
        except Replay as replay:
            db.forget()
            response = Response(replay.body, replay.status, {"Idempotent-Replay": "true"}, "application/json")
        except Failure as failure:
            failed = to_json(failure.document(request.scope["questlog.request_id"])).decode()
            if failure.status < 500:
                db.keep(failure.status, failed)
            else:
                db.forget()
            raise
        except BaseException:
            db.forget()
            raise
        if self.requires is not None:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _database(self, request: Request, content: bytes) -> Db:
        opening = [] if self.requires is None else [identity.authenticate(request, self.requires)]
        key = request.headers.get("idempotency-key")
        if key is None or not self.store_response or self.requires is None or request.method in identity.SAFE_METHODS:
            return Db(self.queries, opening)
        if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
            Db(self.queries, opening).authenticate_only()
            raise Invalid([("Idempotency-Key", "must be 1 to 255 printable ASCII characters")])
        fingerprint = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + content).digest()
        return IdempotentDb(self.queries, opening, key, fingerprint)

    def _refuse_forgery(self, request: Request) -> None:
        client = Client.of(request)
        report = Statement(
            "SELECT report_forgery(%(token_user)s, %(token_hash)s, %(ip)s, %(agent)s, %(request_id)s)",
            {
                **identity.Token.read(request.cookies[identity.COOKIE]).parameters,
                "ip": client.ip_address,
                "agent": client.user_agent,
                "request_id": client.request_id,
            },
        )
        Db(self.queries, [report]).authenticate_only()
        raise Forbidden("Another site may have sent this request.", "csrf_violation")

    def _bind(self, incoming: Incoming) -> dict[str, Any]:
        """The call's arguments. Input that does not fit is told only to those who may make the request."""
        bound: dict[str, Any] = {}
        problems: list[tuple[str, str]] = []
        for name, annotation in self.parameters.items():
            try:
                bound[name] = incoming.argument(name, annotation)
            except ValidationError as error:
                if name in incoming.request.path_params:
                    incoming.db.authenticate_only()
                    raise NotFound from None
                problems += problems_of(error)
        if problems:
            incoming.db.authenticate_only()
            raise Invalid(problems)
        return bound

    def _respond(self, request: Request, result: Any) -> Response:
        if isinstance(result, Response):
            return result
        reply = result if isinstance(result, Reply) else Reply(result)
        body = b"" if reply.status == 204 else self.serializer.dump_json(reply.value)
        if self.envelope and body:
            body = b'{"data":' + body + b"}"
        response = Response(body, reply.status, dict(reply.headers), "application/json" if body else None)
        for set_cookie in reply.cookies:
            response.headers.append("Set-Cookie", set_cookie)
        if self.etag:
            return _conditional(request, response, tag_of(reply.value))
        return response


class Api:
    """The routes of one group; `folder_file` is the module that declares them, beside its queries.sql."""

    def __init__(self, folder_file: str) -> None:
        folder = Path(folder_file).parent
        self.name = folder.name
        self.queries = Queries(folder / "queries.sql")
        self.endpoints: list[Endpoint] = []

    def route(
        self, method: str, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Declare a route; the parameters and the return type of the function below say what it takes and answers."""

        def declare(call: Callable[P, R]) -> Callable[P, R]:
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    call=call,
                    queries=self.queries,
                    requires=options.get("requires", identity.MEMBER),
                    envelope=options.get("envelope", True),
                    etag=options.get("etag", False),
                    store_response=options.get("store_response", True),
                    errors=options.get("errors", {}),
                )
            )
            return call

        return declare

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Callable[P, R]], Callable[P, R]]:
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Callable[P, R]], Callable[P, R]]:
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Callable[P, R]], Callable[P, R]]:
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Callable[P, R]], Callable[P, R]]:
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Callable[P, R]], Callable[P, R]]:
        return self.route("DELETE", path, **options)

    @property
    def handler(self) -> Mangum:
        """The Lambda handler. Missing configuration stops it here, at start."""
        settings()
        by_path: dict[str, dict[str, Endpoint]] = {}
        for endpoint in self.endpoints:
            by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        # Literal segments before parameters, whatever the order of declaration: /focus/active is no session's id.
        ordered = sorted(by_path, key=lambda path: [segment.startswith("{") for segment in path.split("/")])
        routes = [Route(path, Resource(path, by_path[path])) for path in ordered]
        router = Router(routes, redirect_slashes=False, default=_no_such_path)
        gc.freeze()
        gc.enable()
        return Mangum(Edge(router, self.name), lifespan="off")


class Resource:
    """One path and its methods, as an ASGI application: a plain function Starlette would run in a thread of its own."""

    def __init__(self, path: str, methods: Mapping[str, Endpoint]) -> None:
        self._path = path
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ResponseModel as the request's method says; HEAD as GET, whose body the gateway drops."""
        scope["questlog.route"] = self._path
        request = Request(scope, receive)
        endpoint = self._methods.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            allowed = {"allowed": sorted(self._methods)}
            raise Failure(405, "method_not_allowed", "This path does not take that method.", allowed)
        response = endpoint(request, await request.body())
        await response(scope, receive, send)


async def _no_such_path(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotFound("There is no such path.")


def tag_of(value: Any) -> str:
    """The tag of a document: over all it shows but the fields that change by themselves."""
    document = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return hashlib.sha256(to_json(_lasting(document))).hexdigest()[:32]


def _lasting(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _lasting(value) for key, value in document.items() if key not in VOLATILE}
    if isinstance(document, list):
        return [_lasting(item) for item in document]
    return document


def _conditional(request: Request, response: Response, tag: str) -> Response:
    """The response with its ETag, or 304 where the client has it already (RFC 9110, 13.1.2: weak comparison)."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if "*" in known or headers["ETag"] in known:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
