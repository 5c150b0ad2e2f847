"""Finding what a request's path names.

Starlette's Router does the same with an expression for each path. To compile those of a group with thirty paths, and to
load that module, is a sixtieth of a cold start; a path of ours is segments, each of them literal or a parameter, which
a suffix may follow: /calendar/feed/{token}.ics.
"""

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from questlog.errors import Failure, NotFound

Call = Callable[[Request, bytes], Response]


class Resource:
    """One path and its methods, as an ASGI application."""

    def __init__(self, path: str, methods: Mapping[str, Call]) -> None:
        self._path = path
        self._methods = methods
        self._segments = path.split("/")

    @property
    def parameters(self) -> list[bool]:
        """Which segments of the path are parameters. Sorted by it, literal segments stand before parameters."""
        return [segment.startswith("{") for segment in self._segments]

    def matched(self, segments: Sequence[str]) -> dict[str, str] | None:
        """The parameters' values where the segments are a path of this resource, or else None. No value is empty."""
        if len(segments) != len(self._segments):
            return None
        values = {}
        for own, sent in zip(self._segments, segments, strict=True):
            name, _, suffix = own.removeprefix("{").partition("}")
            if own.startswith("{") and sent.endswith(suffix) and sent != suffix:
                values[name] = sent.removesuffix(suffix)
            elif own != sent:
                return None
        return values

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response of the method's call. HEAD is handled as GET, and the gateway drops the body."""
        scope["questlog.route"] = self._path
        request = Request(scope, receive)
        call = self._methods.get("GET" if request.method == "HEAD" else request.method)
        if call is None:
            allowed = {"allowed": sorted(self._methods)}
            raise Failure(405, "method_not_allowed", "This path does not take that method.", allowed)
        response = call(request, await request.body())
        await response(scope, receive, send)


class Router:
    """Hands a request to the resource of its path; `otherwise` takes those whose path is no resource's."""

    def __init__(self, resources: Sequence[Resource], otherwise: ASGIApp) -> None:
        # Literal segments before parameters, whatever the order of declaration: /focus/active is no session's id.
        self._resources = sorted(resources, key=lambda resource: resource.parameters)
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response of what the path names."""
        segments = scope["path"].split("/")
        for resource in self._resources:
            values = resource.matched(segments)
            if values is not None:
                scope["path_params"] = values
                await resource(scope, receive, send)
                return
        await self._otherwise(scope, receive, send)


async def no_such_path(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Refuse a request whose path names nothing."""
    raise NotFound("There is no such path.")
