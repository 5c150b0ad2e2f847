"""The page at `/` that a browser gets from the stack, the JSON that it polls, the documents that it links, and a sample
of how a front end subscribes to push messages, with its service worker.

None of it is part of the API: on AWS there is no such page. A program that asks for `/` gets the API's own answer.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from local.status import DOCUMENTS, Document, documents

STATUS_PATH: Final = "/__status"  # no route of the API begins with an underscore
DOCUMENTS_PATH: Final = "/__docs/"
PUSH_PATH: Final = "/__push"
# A service worker may look after all pages below its own folder, and so after the sample.
PUSH_WORKER_PATH: Final = "/__push.js"

_PAGE: Final = Path(__file__).with_name("start_page.html")
_PUSH_PAGE: Final = Path(__file__).with_name("push_page.html")
_PUSH_WORKER: Final = Path(__file__).with_name("push_worker.js")
_INLINE: Final = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_PRIVATE: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class StartPage:
    """Answers for the start page; `status` makes the document that it shows."""

    def __init__(self, status: Callable[[], Document]) -> None:
        self._status = status

    async def response(self, request: Request) -> Response | None:
        """The response, or None where the request is for none of this. Only the pages may read what they load."""
        path = request.url.path
        if path == "/" and request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            return _page(_PAGE, Vary="Accept")
        if path not in (STATUS_PATH, PUSH_PATH, PUSH_WORKER_PATH) and not path.startswith(DOCUMENTS_PATH):
            return None
        if request.method not in ("GET", "HEAD"):
            return JSONResponse({"message": "Method Not Allowed"}, 405, _PRIVATE)
        if path == PUSH_PATH:
            return _page(_PUSH_PAGE)
        if _is_of_another_origin(request):
            return JSONResponse({"message": "Forbidden"}, 403, _PRIVATE)
        return await self._part(path)

    async def _part(self, path: str) -> Response:
        """What a page loads or links."""
        if path == STATUS_PATH:
            return JSONResponse(await run_in_threadpool(self._status), headers=_PRIVATE)
        if path == PUSH_WORKER_PATH:
            return Response(_PUSH_WORKER.read_bytes(), headers=_PRIVATE, media_type="text/javascript")
        return _document(path.removeprefix(DOCUMENTS_PATH))


def _page(file: Path, **more: str) -> Response:
    """A page, under a content security policy by which only its own script and style have an effect (CSP Level 3).

    A service worker may come from this origin. `more` are headers besides.
    """
    text = file.read_text("utf-8")
    allowed = {
        name: f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'" for name, code in _INLINE.findall(text)
    }
    policy = {
        **dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'"),
        "connect-src": "'self'",
        "img-src": "data:",
        "script-src": allowed["script"],
        "style-src": allowed["style"],
        "worker-src": "'self'",
    }
    headers = {
        **_PRIVATE,
        "Content-Security-Policy": "; ".join(f"{directive} {sources}" for directive, sources in policy.items()),
        "Referrer-Policy": "no-referrer",
        **more,
    }
    return HTMLResponse(text, headers=headers)


def _document(name: str) -> Response:
    if name not in documents():
        return JSONResponse({"message": "Not Found"}, 404, _PRIVATE)
    # As plain text, because a browser offers Markdown for download instead of showing it.
    return PlainTextResponse((DOCUMENTS / name).read_text("utf-8"), headers=_PRIVATE)


def _is_of_another_origin(request: Request) -> bool:
    """Whether the request comes from the page of another site. Browsers say so by one of two headers.

    "none" means an address that the user has typed. Other programs send neither header.
    """
    site = request.headers.get("sec-fetch-site", "none")
    own = f"http://{request.headers['host']}"
    return site not in ("same-origin", "none") or request.headers.get("origin", own) != own
