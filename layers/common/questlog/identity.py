"""Who makes a request: the session cookie or a bearer token, and whether a browser was made to send it."""

import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from starlette.requests import Request

from questlog.db import Statement
from questlog.settings import settings

COOKIE = "session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Of the scopes authenticate() knows, the ones that are not an entitlement.
MEMBER = "member"
SESSION = "session"
BROWSER = "browser"


class Client(NamedTuple):
    """Where a request comes from, as audit rows record it; the address is API Gateway's, never a header's."""

    ip_address: str | None
    user_agent: str | None
    request_id: str

    @classmethod
    def of(cls, request: Request) -> "Client":
        return cls(
            ip_address=request.client.host if request.client else None,
            user_agent=request.headers.get("user-agent"),
            request_id=request.scope["questlog.request_id"],
        )


def new_token() -> str:
    """A session token: 32 random bytes as 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What the database holds instead of a token. A plain SHA-256 is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


def presented_token(request: Request) -> str | None:
    """The token that decides who asks: a bearer before the cookie."""
    return _bearer(request) or request.cookies.get(COOKIE) or None


def authenticate(request: Request, scope: str) -> Statement:
    """The opening statement of a request that needs `scope`; an absent token goes the way of a forged one."""
    return Statement(
        "SELECT authenticate(%(hash)s, %(scope)s, %(terms)s, %(idle)s)",
        {
            "hash": token_hash(presented_token(request) or ""),
            "scope": scope,
            "terms": settings().tos_version,
            "idle": settings().session_idle,
        },
    )


def forged(request: Request) -> bool:
    """Whether another site may have made a browser send this unsafe request with its cookie (CSRF).

    The browser says where a request comes from (Fetch Metadata, W3C; Origin, RFC 6454), and no script can change that.
    Without either header it is not a browser, and there is no cookie to abuse.
    """
    if request.method in SAFE_METHODS or _bearer(request) or COOKIE not in request.cookies:
        return False
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is None:
        return False
    return site not in ("same-origin", "none") and origin not in settings().allowed_origins


def session_cookie(token: str, lifetime: timedelta) -> str:
    """The Set-Cookie value that holds a session."""
    return cookie(COOKIE, token, lifetime)


def cleared_cookie() -> str:
    """The Set-Cookie value that removes the session: the same attributes, or browsers keep the old one."""
    return cookie(COOKIE, "", timedelta())


def cookie(name: str, value: str, lifetime: timedelta) -> str:
    """A Set-Cookie value (RFC 6265, 4.1) out of scripts' reach."""
    attributes = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax", f"Max-Age={int(lifetime.total_seconds())}"]
    if settings().secure:
        attributes.append("Secure")
    if settings().secure and settings().cookie_domain:
        attributes.append(f"Domain={settings().cookie_domain}")
    return "; ".join(attributes)


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
