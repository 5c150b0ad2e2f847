"""Who makes a request: the session cookie or a bearer token, and whether a browser was made to send it."""

import base64
import binascii
import hashlib
import secrets
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

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
            return _NO_TOKEN
        token = cls(UUID(bytes=content[:16]), content[16:]) if len(content) == 48 else _NO_TOKEN
        # The decoder skips characters that are not base64: what does not come out as it went in is another text.
        return token if str(token) == text else _NO_TOKEN

    def __str__(self) -> str:
        """The 48 bytes as 64 characters of base64url."""
        return base64.urlsafe_b64encode(self.user_id.bytes + self.secret).decode()

    @property
    def parameters(self) -> dict[str, object]:
        """The token as parameters of a statement: `token_user` and `token_hash`."""
        return {"token_user": self.user_id, "token_hash": secret_hash(self.secret)}


_NO_TOKEN: Final = Token(UUID(int=0), b"")


def presented_token(request: Request) -> Token | None:
    """The token that decides who asks, a bearer before the cookie; None where the request brings neither."""
    text = _bearer(request) or request.cookies.get(COOKIE)
    return Token.read(text) if text else None


def authenticate(request: Request, scope: str) -> Statement:
    """The opening statement of a request that needs `scope`; an absent token goes the way of a forged one."""
    return Statement(
        "SELECT authenticate(%(token_user)s, %(token_hash)s, %(scope)s, %(terms)s, %(idle)s)",
        {
            **(presented_token(request) or _NO_TOKEN).parameters,
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


def session_cookie(token: Token, lifetime: timedelta) -> str:
    """The Set-Cookie value that holds a session."""
    return cookie(COOKIE, str(token), lifetime)


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
