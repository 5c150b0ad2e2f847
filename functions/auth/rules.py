"""The decisions of a sign-in, as functions of their arguments."""

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from functions.auth.settings import Registration, ascii_lower

ErrorCode = Literal["OAuthNotConfigured", "AccessDenied", "OAuthSignin", "OAuthCallback", "Verification"]


class SignInFailed(Exception):
    """A sign-in that ends on the error page."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Person:
    """The person that a provider identifies; the e-mail is verified."""

    subject: str
    email: str
    name: str
    image: str | None


STATE_COOKIE: Final = "oauth_state_"


def state_cookie(state: str) -> str:
    """The name of the cookie that holds a state: one per sign-in, so that two tabs do not undo each other's."""
    return STATE_COOKIE + state_hash(state).hex()[:16]


def oldest_states(cookies: Mapping[str, str], keep: int) -> list[str]:
    """The names of the oldest state cookies beyond the limit. Browsers send the oldest first (RFC 6265, 5.4)."""
    names = [name for name in cookies if name.startswith(STATE_COOKIE)]
    return names[: max(0, len(names) - keep)]


def state_hash(state: str) -> bytes:
    """What the database holds instead of the state of a sign-in: its SHA-256."""
    return hashlib.sha256(state.encode()).digest()


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# Postgres holds no U+0000.
_Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]


# Since 1970 (NumericDate of RFC 7519, 2); text, infinity and no number are refused.
_Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]
# How far a provider's clock may be ahead of ours (RFC 7519, 4.1.5 allows for a small difference).
_LEEWAY_SECONDS: Final = 60


class IdToken(BaseModel):
    """The claims that are looked at (OpenID Connect Core 1.0, 2 and 5.1); `tid` and `xms_edov` are Microsoft's."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    iss: str
    aud: Annotated[list[str], BeforeValidator(_listed)]
    azp: str | None = None
    exp: _Seconds
    nbf: _Seconds = 0
    nonce: str
    sub: Annotated[_Text, StringConstraints(min_length=1, max_length=255)]
    email: _Text | None = None
    email_verified: object = None
    name: _Text | None = None
    picture: _Text | None = None
    tid: str | None = None
    xms_edov: bool | None = None


def destination(wanted: str | None, frontend_url: str, allowed_origins: Collection[str]) -> str:
    """Where to go after signing in: `wanted` if it is the front end's, else the front end's first page.

    A path counts as the front end's, and a URL whose origin is allowed as written. Browsers read a backslash as a slash
    and leave out control characters, so text with either is nobody's.
    """
    default = f"{frontend_url}/today"
    if wanted is None or not wanted.isprintable() or "\\" in wanted:
        return default
    if wanted.startswith("/") and not wanted.startswith("//"):
        return frontend_url + wanted
    named = re.match(r"https?://[^/?#]+", wanted)
    return wanted if named and named[0] in {frontend_url, *allowed_origins} else default


def authorize_url(
    endpoint: str, registration: Registration, *, redirect_uri: str, state: str, nonce: str, verifier: str
) -> str:
    """Where the browser asks its user to agree (OpenID Connect Core 1.0, 3.1.2.1; PKCE: RFC 7636, 4.3)."""
    asked = {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": redirect_uri,
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def code_challenge(verifier: str) -> str:
    """What the provider later holds the verifier against: S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def source_network(address: str) -> str:
    """The source that the sign-in limit counts: an IPv4 address, or the /64 network of an IPv6 one.

    A household or a server gets a whole /64 (RFC 6177, 2), and could send each request from another address of it.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or ip_network((int(ip), 64), strict=False))
    return address


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(one.encode(), other.encode())


def person_of(token: str, registration: Registration, issuer: str, nonce: str, now: float) -> Person:
    """The person of an ID token. Raises SignInFailed if it is not for us, has expired, or has no verified e-mail.

    Its signature is not checked: it came straight from the token endpoint over TLS (OpenID Connect Core 1.0, 3.1.3.7).
    `issuer` is the discovery document's, `now` in seconds since 1970.
    """
    claims = _claims(token)
    # For many tenants Microsoft's document has a place for the one this user is in.
    expected_issuer = issuer.replace("{tenantid}", claims.tid or "")
    for_us = registration.client_id in claims.aud and claims.azp in (None, registration.client_id)
    alone = len(claims.aud) == 1 or claims.azp is not None
    for_now = claims.nbf - _LEEWAY_SECONDS <= now < claims.exp
    if claims.iss != expected_issuer or not (for_us and alone and for_now) or not same(claims.nonce, nonce):
        raise SignInFailed("OAuthCallback")
    email = (claims.email or "").strip()
    if not (_vouched(claims, registration) and _usable(email)):
        raise SignInFailed("Verification")
    name = (claims.name or "").strip() or email.partition("@")[0]
    picture = claims.picture or ""
    image = picture if picture.startswith("https://") and len(picture) <= 2048 else None
    return Person(subject=claims.sub, email=email, name=name[:100].strip(), image=image)


def _claims(token: str) -> IdToken:
    try:
        _, payload, _ = token.split(".")
        return IdToken.model_validate_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, ValidationError):
        raise SignInFailed("OAuthCallback") from None


def _vouched(claims: IdToken, registration: Registration) -> bool:
    """Whether the e-mail is verified: at Microsoft anyone can set any address, unless the tenant is a known one."""
    if registration.id == "azure":
        return registration.vouches or claims.xms_edov is True
    return claims.email_verified is True


def _usable(email: str) -> bool:
    """Whether a text is an e-mail address that cannot be taken for another user's.

    The database compares addresses in lower case, where the Kelvin sign is a k: letters beyond A to Z have to be lower
    case already.
    """
    return (
        len(email) <= 320
        and re.fullmatch(r"[^@\s]+@[^@\s]+", email) is not None
        and email.lower() == ascii_lower(email)
    )
