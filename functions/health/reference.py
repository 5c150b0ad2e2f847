"""The pages of /docs: Swagger UI, whose script and style are served from here, over the OpenAPI document.

Both are files of the package swagger-ui-py, which is not imported: its Python code needs packages that we do not have.
"""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse, Response

from questlog.errors import NotFound

_PAGE: Final = Path(__file__).with_name("reference.html")
_ASSETS: Final[Mapping[str, str]] = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}


def page() -> Response:
    """The page itself. Its content security policy (CSP Level 3) lets no script run but ours."""
    text = _PAGE.read_text("utf-8")
    script = text.partition("<script>")[2].partition("</script>")[0]
    policy = {
        **dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'"),
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "script-src": f"'self' 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'",
        # Swagger UI writes styles into what it shows; a style can neither run nor send anything.
        "style-src": "'self' 'unsafe-inline'",
    }
    joined = "; ".join(f"{directive} {sources}" for directive, sources in policy.items())
    return HTMLResponse(text, headers={"Content-Security-Policy": joined, "Cache-Control": "no-cache"})


def asset(name: str) -> Response:
    """A file of Swagger UI. NotFound for any other."""
    if name not in _ASSETS:
        raise NotFound("There is no such file.")
    # A new release may bring a new Swagger UI under the same name.
    return Response(_content(name), media_type=_ASSETS[name], headers={"Cache-Control": "public, max-age=3600"})


@cache
def _content(name: str) -> bytes:
    package = find_spec("swagger_ui")
    # In the layer there is no __init__.py, and the package is a namespace.
    places = package.submodule_search_locations if package is not None else None
    return next(path for place in places or [] if (path := Path(place, "static", name)).exists()).read_bytes()
