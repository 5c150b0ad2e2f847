"""Who makes a request: the session cookie or a bearer token, whether a browser was made to send it, and the statements
that ask the database.
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

# Of the scopes authenticate() knows, the ones that are not an entitlement.
MEMBER = "member"
SESSION = "session"
BROWSER = "browser"
BROWSER_MEMBER = "browser_member"
OWN_SCOPES: Final = frozenset({MEMBER, SESSION, BROWSER, BROWSER_MEMBER})
"""The scopes that open no more than the caller's own account."""


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


def new_secret() -> bytes:
    """The random part of a token that opens an account: 32 bytes."""
    return secrets.token_bytes(32)


def secret_hash(secret: bytes) -> bytes:
    """What the database holds instead of a secret. A plain SHA-256 is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret).digest()


class Token(NamedTuple):
    """A secret that opens an account, beside the id of its user, so that one look by key finds what it opens."""

    user_id: UUID
    secret: bytes

    @classmethod
    def read(cls, text: str) -> "Token":
        """The token that a client sent; what is no token is read as one that opens nothing."""
        try:
            content = base64.urlsafe_b64decode(text.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            return NO_TOKEN
        token = cls(UUID(bytes=content[:16]), content[16:]) if len(content) == 48 else NO_TOKEN
        # The decoder skips characters that are not base64: what does not come out as it went in is another text.
        return token if str(token) == text else NO_TOKEN

    def __str__(self) -> str:
        """The 48 bytes as 64 characters of base64url."""
        return base64.urlsafe_b64encode(self.user_id.bytes + self.secret).decode()

    @property
    def parameters(self) -> dict[str, object]:
        """The token as parameters of a statement: `token_user` and `token_hash`."""
        return {"token_user": self.user_id, "token_hash": secret_hash(self.secret)}


NO_TOKEN: Final = Token(UUID(int=0), b"")
"""Opens nothing."""


class Cookie(NamedTuple):
    """A cookie out of scripts' reach; a lifetime of zero removes it."""

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
    """The token that decides who asks, a bearer before the cookie; None where the request brings neither."""
    bearer = _bearer(request)
    return Token.read(bearer) if bearer else cookie_token(request)


def authenticate(request: Request, scope: str, *, writes: bool | None = None) -> Statement:
    """The opening statement of a request that needs `scope`. An absent token is sent as one that opens nothing.

    Whether the request `writes`, which an API token of scope read may not do, follows from its method unless said.
    """
    unsafe = request.method not in SAFE_METHODS
    return authenticate_by(presented_token(request) or NO_TOKEN, scope, writes=unsafe if writes is None else writes)


def authenticate_by(token: Token, scope: str, *, writes: bool = False) -> Statement:
    """The opening statement of what needs `scope` and is asked by the holder of this token."""
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
    """The statement that notes a forged request in the audit trail of the session's user."""
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
