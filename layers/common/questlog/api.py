"""Declaring routes: the signature of a plain function says what the route takes, and its return type what it returns.

    api = Api(__file__)

    @api.post("/focus/{session_id}/complete", errors={409: ["invalid_state"]})
    def complete(db: Db, session_id: UUID) -> FocusCompletion:
        return db.one(FocusCompletion, "complete", session_id=session_id)

    handler = api.handler

binding.py says what the parameters may be. A request is checked in the contract's order (platform contract, 1.4): the
route, the form of the body, forgery, session, consent and role, and only then the input itself.
"""

from questlog.cold_start import finish_cold_start, may_connect, prepares_requests

import hashlib
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, ParamSpec, TypedDict, TypeVar, Unpack, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from questlog import identity
from questlog.binding import Arguments
from questlog.db import Db, Queries, Statement, sent_ahead
from questlog.edge import Edge, LambdaHandler
from questlog.errors import Failure, Forbidden, Invalid, NotFound, Unchanged
from questlog.idempotency import IdempotentDb, fingerprint, is_key
from questlog.revision import REVISE
from questlog.routing import Resource, Router, no_such_path
from questlog.settings import settings
from questlog.wire import Tagging

P = ParamSpec("P")
R = TypeVar("R")

# The largest body of an answer, in bytes (platform contract, 1.8). Lambda limits the answer to 6 MiB as JSON text, in
# which every quote and backslash of the body takes one byte more.
LARGEST_ANSWER: Final = 5 * 1024 * 1024
_LARGEST_ESCAPED: Final = 6 * 1024 * 1024 - 65_536
_LARGEST_PAGE: Final = 100

# For this transaction only. authenticate() cannot do it: a function that runs as its owner cannot change the role.
_BECOME: Final = "SELECT set_config('role', %(role)s, true)"


class Reply(NamedTuple, Generic[R]):
    """An answer with more than a value: a status, cookies to set, other headers."""

    value: R
    status: int = 200
    cookies: tuple[identity.Cookie, ...] = ()
    headers: Mapping[str, str] = MappingProxyType({})
    tag: str | None = None
    """The ETag, for a route whose ETag holds more than the digest of its document (see revision.py)."""


class Tool(NamedTuple):
    """A route that assistants can call as a tool (POST /mcp). The tool's schema is made of the route's."""

    name: str
    description: str
    """What an assistant reads to choose the tool and to use it."""
    arguments: tuple[str, ...] = ()
    """The fields of the query or the body that the tool takes. The fields of the path it always takes."""
    required: tuple[str, ...] = ()
    """Those of `arguments` that an assistant must send although a client of the route need not."""
    fixed: Mapping[str, Any] = MappingProxyType({})
    """The fields that every call sends, and an assistant cannot change."""
    destructive: bool = False
    """Whether a call may take away or replace what the user has."""
    idempotent: bool = False
    """Whether the same call a second time changes nothing more."""


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
    store_response_without: str
    """A parameter of the query with which the answer shows a secret: the answer is stored where it is not sent."""
    read_token: bool
    """Whether an API token of scope read may use the route although its method is unsafe."""
    tools: Sequence[Tool]
    """The tools that assistants have for the route; `make openapi` writes them down for functions/mcp."""
    errors: Mapping[int, Sequence[str]]
    """The route's own refusals, as error types by status: {409: ["limit_reached"]}. What follows from the rest of the
    declaration (401, 403 of `requires`, 400 of its input, 404 of an id in its path ...) is not repeated here."""


class Endpoint:
    """One method of one path."""

    def __init__(self, method: str, path: str, call: Callable[..., Any], api: "Api", options: RouteOptions) -> None:
        self.method = method
        self.path = path
        self.call = call
        self.queries = api.queries
        self.role = api.role
        self.requires = options.get("requires", identity.MEMBER)
        self.envelope = options.get("envelope", True)
        self.etag = options.get("etag", False)
        self.store_response = options.get("store_response", True)
        self.store_response_without = options.get("store_response_without", "")
        self.read_token = options.get("read_token", False)
        self.tools = options.get("tools", ())
        self.errors = options.get("errors", {})

    @property
    def names_something(self) -> bool:
        """Whether a request names something that may not be there: in its path, or elsewhere as the route declares."""
        return "{" in self.path or 404 in self.errors

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
    def _serializer(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.answers)

    def build_schemas(self) -> None:
        """Build the schemas that pydantic would build at the first request: the query's, the body's, the answer's."""
        for annotation in (*self.parameters.values(), self.answers):
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                annotation.model_rebuild()
        if not (isinstance(self.answers, type) and issubclass(self.answers, Response)):
            self._serializer.rebuild()

    def __call__(self, request: Request, content: bytes) -> Response:
        """The response to a request."""
        arguments = Arguments(self.parameters, request, content)
        if identity.is_forged(request):
            Db(self.queries, [identity.report_forgery(request)]).authenticate_only()
            raise Forbidden("Another site may have sent this request.", "csrf_violation")
        db = self._database(request, content)
        try:
            response = db.run(lambda: self._respond(request, self._result(db, arguments)))
        except Unchanged as unchanged:
            response = Response(status_code=304, headers={"ETag": unchanged.tag})
        if self.requires is not None:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _result(self, db: Db, arguments: Arguments) -> Any:
        try:
            return self.call(**arguments.bound(db))
        except NotFound:
            if not self.names_something:
                # The user may have been deleted after this request had been authenticated, which then says so.
                db.authenticate_only()
            raise

    def _database(self, request: Request, content: bytes) -> Db:
        is_safe = request.method in identity.SAFE_METHODS
        opening = self._opening(request)
        key = request.headers.get("idempotency-key")
        shows_secret = not self.store_response or request.query_params.get(self.store_response_without)
        if key is None or is_safe or self.requires is None or shows_secret:
            return Db(self.queries, opening, self._precedents(request), repeatable=is_safe)
        if not is_key(key):
            Db(self.queries, opening).authenticate_only()
            raise Invalid([("Idempotency-Key", "must be 1 to 255 printable ASCII characters")])
        return IdempotentDb(
            self.queries,
            opening,
            self._precedents(request),
            key=key,
            fingerprint=fingerprint(request, content),
            request_id=request.scope["questlog.request_id"],
        )

    def _opening(self, request: Request) -> list[Statement]:
        if self.requires is None:
            return []
        authenticated = identity.authenticate(request, self.requires, writes=False if self.read_token else None)
        return [authenticated] if self.role is None else [authenticated, Statement(_BECOME, {"role": self.role})]

    def _precedents(self, request: Request) -> list[Statement]:
        """The statements before the route's own: a request that may write raises the user's revision."""
        reads = request.method in identity.SAFE_METHODS or self.read_token
        return [] if reads or self.requires is None else [REVISE]

    def _respond(self, request: Request, result: Any) -> Response:
        if isinstance(result, Response):
            return result
        reply = result if isinstance(result, Reply) else Reply(result)
        headers = dict(reply.headers)
        document = None
        if self.etag:
            tagging = Tagging()
            tagged = self._serializer.dump_json(reply.value, context=tagging)
            headers["ETag"] = f'"{reply.tag or _digest(tagged)}"'
            headers["Cache-Control"] = "no-store" if tagging.moving else "private, no-cache"
            if _has(request, headers["ETag"]):
                return Response(status_code=304, headers=headers)
            document = None if tagging.moving else tagged
        if document is None:
            document = b"" if reply.status == 204 else self._serializer.dump_json(reply.value)
        self._refuse_too_large(reply.value, document)
        body = b'{"data":' + document + b"}" if self.envelope and document else document
        response = Response(body, reply.status, headers, "application/json" if body else None)
        for cookie in reply.cookies:
            cookie.set_on(response)
        return response

    def _refuse_too_large(self, value: Any, document: bytes) -> None:
        escaped = len(document) + document.count(b'"') + document.count(b"\\")
        if len(document) <= LARGEST_ANSWER and escaped <= _LARGEST_ESCAPED:
            return
        details: dict[str, Any] = {"limit_bytes": LARGEST_ANSWER}
        asked = set(getattr(self.parameters.get("query"), "model_fields", ()))
        if "to" in asked and not {"page_size", "limit"} & asked:
            # A range has no pages: fewer days fit.
            raise Invalid([("to", "must be fewer days after from: the answer would be larger than 5 MiB")])
        for name in {"page_size", "limit"} & asked:
            # Half of what would fit, should the others be larger than these.
            fitting = _longest_list(value) * LARGEST_ANSWER // len(document) // 2
            details[name] = max(1, min(fitting, _LARGEST_PAGE))
        raise Failure(413, "answer_too_large", "The answer would be larger than 5 MiB; ask for less of it.", details)


def _longest_list(value: Any) -> int:
    """How many items the longest list of a document has: they are what a page of it counts."""
    fields = dict(value) if isinstance(value, BaseModel) else value
    candidates = [fields] if isinstance(fields, list) else fields.values() if isinstance(fields, dict) else []
    return max((len(item) for item in candidates if isinstance(item, list)), default=0)


class Api:
    """The routes of one group; `folder_file` is the module that declares them, beside its queries.sql.

    A group with many routes has a module of them for each subject, with a file of statements of its own; its app.py
    includes them all. Where together they would make a long cold start, it includes them on demand.

    With a `role` the statements of its routes run in that role of the database, which the function's login may take on,
    once the caller's own has been checked.
    """

    def __init__(self, folder_file: str, queries: str = "queries.sql", role: str | None = None) -> None:
        folder = Path(folder_file).parent
        self.name = folder.name
        self.queries = Queries(folder / queries)
        self.role = role
        self.on_demand: dict[str, str] = {}
        self._own: list[Endpoint] = []

    def include(self, part: "Api") -> None:
        """Take over the routes of another module of the group; they keep their statements."""
        self._own += part.endpoints

    def include_on_demand(self, path: str, module: str) -> None:
        """Take over the routes of another module that lie at or under a path of two segments, such as /admin/users.

        The module, whose name is given, is imported by the first request there: a cold start pays for one part alone.
        """
        self.on_demand[path] = module

    @property
    def endpoints(self) -> list[Endpoint]:
        """All routes, for whoever describes or tests them; the modules on demand are imported for it."""
        modules = [importlib.import_module(name) for name in dict.fromkeys(self.on_demand.values())]
        return [*self._own, *(endpoint for module in modules for endpoint in module.api.endpoints)]

    def route(
        self, method: str, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Declare a route; the parameters and the return type of the function below say what it takes and returns."""

        def declare(call: Callable[P, R]) -> Callable[P, R]:
            self._own.append(Endpoint(method, path, call, self, options))
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
    def handler(self) -> LambdaHandler:
        """The Lambda handler. Missing configuration stops it here, at start."""
        settings()
        router = _router(self._own, self._part if self.on_demand else no_such_path)
        if prepares_requests():
            self._prepare_requests()
        finish_cold_start()
        return LambdaHandler(Edge(router, self.name))

    def _prepare_requests(self) -> None:
        """Do what the first request would do: connect, authenticate, and build the schemas of the GET routes of a list.

        authenticate() is sent with a token of nobody, so that the server plans it while the schemas are built here. The
        routes' own statements are not sent: planning those of a whole group costs the database more than it saves.
        """
        asks_who = may_connect() and (bool(self.on_demand) or any(one.requires is not None for one in self._own))
        nobody = identity.authenticate_by(identity.NO_TOKEN, identity.MEMBER)
        with sent_ahead(nobody) if asks_who else nullcontext():
            for endpoint in self._own:
                if endpoint.method == "GET" and "{" not in endpoint.path:
                    endpoint.build_schemas()

    async def _part(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the module that serves its path."""
        module = self.on_demand.get("/".join(scope["path"].split("/")[:3]))
        await (_part_router(module) if module else no_such_path)(scope, receive, send)


def _router(endpoints: Sequence[Endpoint], otherwise: ASGIApp) -> Router:
    """The router to these endpoints; a request to any other path goes to `otherwise`."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return Router([Resource(path, methods) for path, methods in by_path.items()], otherwise)


@cache
def _part_router(module: str) -> Router:
    return _router(importlib.import_module(module).api.endpoints, no_such_path)


def tag_of(document: BaseModel) -> str:
    """The digest of a document without its moving fields; two documents that differ only in those have the same."""
    return _digest(document.model_dump_json(context=Tagging()).encode())


def _digest(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()[:32]


def _has(request: Request, tag: str) -> bool:
    """Whether the client has the document of this tag already (RFC 9110, 13.1.2: weak comparison).

    Only the digests are compared: the whole tag, or its part before the first hyphen. What follows are revisions, and
    the same document may have been made at other revisions.
    """
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    digest = tag.strip('"').partition("-")[0]
    return "*" in known or any(part == tag or part.startswith(f'"{digest}-') for part in known)
