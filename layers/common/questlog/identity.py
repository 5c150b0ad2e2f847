"""Who makes a request: the session cookie or a bearer token, the check for forged requests (CSRF), and the statements
that authenticate.
"""

import base64
import binascii
import hashlib
import secrets
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from questlog.db import Statement
from questlog.settings import settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# The scopes of authenticate() that are not entitlements.
MEMBER = "member"
SESSION = "session"
BROWSER = "browser"
BROWSER_MEMBER = "browser_member"
OWN_SCOPES: Final = frozenset({MEMBER, SESSION, BROWSER, BROWSER_MEMBER})
"""The scopes that open no more than the caller's own account."""


class Client(NamedTuple):
    """Where a request comes from, for the audit trail. The address is the one API Gateway saw, never a header's."""

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


def new_secret() -> bytes:
    """The random part of a token that opens an account: 32 bytes."""
    return secrets.token_bytes(32)


def secret_hash(secret: bytes) -> bytes:
    """What the database holds instead of a secret. A plain SHA-256 is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret).digest()


class Token(NamedTuple):
    """A secret that opens an account, together with the user's id, so that the row is found by its primary key."""

    user_id: UUID
    secret: bytes

    @classmethod
    def read(cls, text: str) -> "Token":
        """The token that a client sent; NO_TOKEN for any other text."""
        try:
            content = base64.urlsafe_b64decode(text.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            return NO_TOKEN
        token = cls(UUID(bytes=content[:16]), content[16:]) if len(content) == 48 else NO_TOKEN
        # The decoder skips characters that are not base64, so a token counts only if encoding it gives the same text.
        return token if str(token) == text else NO_TOKEN

    def __str__(self) -> str:
        """The 48 bytes as 64 characters of base64url."""
        return base64.urlsafe_b64encode(self.user_id.bytes + self.secret).decode()

    @property
    def parameters(self) -> dict[str, object]:
        """The token as parameters of a statement: `token_user` and `token_hash`."""
        return {"token_user": self.user_id, "token_hash": secret_hash(self.secret)}


NO_TOKEN: Final = Token(UUID(int=0), b"")
"""A token of nobody, which authenticate() refuses."""


class Cookie(NamedTuple):
    """A cookie that scripts cannot read (HttpOnly); a lifetime of zero removes it."""

    name: str
    value: str
    lifetime: timedelta

    def set_on(self, response: Response) -> None:
        """Add the cookie to a response."""
        secure = settings().secure
        response.set_cookie(
            self.name,
            self.value,
            max_age=int(self.lifetime.total_seconds()),
            domain=settings().cookie_domain if secure else None,
            secure=secure,
            httponly=True,
            samesite="lax",
        )


def session_cookie_name() -> str:
    """The name of the cookie that holds a session.

    Over https it begins with __Host-, so that no other host of the domain can set it (RFC 6265bis, 4.1.3.2), unless a
    domain is configured, which that prefix forbids.
    """
    return "__Host-session" if settings().secure and not settings().cookie_domain else "session"


def session_cookie(token: Token, lifetime: timedelta) -> Cookie:
    """The cookie that holds a session."""
    return Cookie(session_cookie_name(), str(token), lifetime)


def cleared_cookie() -> Cookie:
    """The cookie that removes the session's: the same attributes, or browsers keep the old one."""
    return Cookie(session_cookie_name(), "", timedelta())


def cookie_token(request: Request) -> Token | None:
    """The token in the session's cookie, or None where the request brings none."""
    text = request.cookies.get(session_cookie_name())
    return Token.read(text) if text else None


def presented_token(request: Request) -> Token | None:
    """The bearer token, or else the cookie's; None where the request has neither."""
    bearer = _bearer(request)
    return Token.read(bearer) if bearer else cookie_token(request)


def authenticate(request: Request, scope: str, *, writes: bool | None = None) -> Statement:
    """The opening statement of a request that needs `scope`. Without a token NO_TOKEN is sent.

    An API token of scope read is refused where the request `writes`. By default every unsafe method does.
    """
    unsafe = request.method not in SAFE_METHODS
    return authenticate_by(presented_token(request) or NO_TOKEN, scope, writes=unsafe if writes is None else writes)


def authenticate_by(token: Token, scope: str, *, writes: bool = False) -> Statement:
    """The statement that authenticates the holder of a token for `scope`."""
    return Statement(
        "SELECT authenticate(%(token_user)s, %(token_hash)s, %(scope)s, %(terms)s, %(idle)s, %(writes)s)",
        {
            **token.parameters,
            "scope": scope,
            "terms": settings().tos_version,
            "idle": settings().session_idle,
            "writes": writes,
        },
    )


def is_forged(request: Request) -> bool:
    """Whether another site may have made a browser send this unsafe request with its cookie (CSRF).

    The browser says where a request comes from (Fetch Metadata, W3C; Origin, RFC 6454), and no script can change that.
    Without either header it is not a browser, and there is no cookie to abuse.
    """
    if request.method in SAFE_METHODS or _bearer(request) or session_cookie_name() not in request.cookies:
        return False
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is None:
        return False
    return site not in ("same-origin", "none") and origin not in settings().allowed_origins


def report_forgery(request: Request) -> Statement:
    """The statement that writes a forged request into the audit trail of the session's user."""
    client = Client.of(request)
    return Statement(
        "SELECT report_forgery(%(token_user)s, %(token_hash)s, %(ip)s, %(agent)s, %(request_id)s)",
        {
            **(cookie_token(request) or NO_TOKEN).parameters,
            "ip": client.ip_address,
            "agent": client.user_agent,
            "request_id": client.request_id,
        },
    )


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
