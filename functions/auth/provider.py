"""The conversation with an OpenID provider: its discovery document, and a code for an ID token.

Nothing here follows a redirect or speaks plain http to anyone but this machine's own loopback, and that only on the
local stack.
"""

from collections.abc import Mapping
from contextlib import closing
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from questlog.settings import settings

from functions.auth.rules import SignInFailed
from functions.auth.settings import Registration

# Two calls at most stand between a user and their session, and Lambda gives a request ten seconds.
TIMEOUT_SECONDS: Final = 3
MAX_ANSWER: Final = 262_144
LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


class Discovery(BaseModel):
    """What of a provider's metadata is used (OpenID Connect Discovery 1.0, 3)."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str


class _Tokens(BaseModel):
    model_config = ConfigDict(defer_build=True)

    id_token: str


@cache
def discover(registration: Registration) -> Discovery:
    """The provider's endpoints, fetched once per execution environment. Raises SignInFailed if that fails."""
    status, content = _send("GET", registration.issuer.rstrip("/") + "/.well-known/openid-configuration")
    try:
        discovery = Discovery.model_validate_json(content)
    except ValidationError:
        raise SignInFailed("OAuthSignin") from None
    # Microsoft's document names the tenant by its id whatever the address called it, or holds a place for it.
    if status != 200 or (registration.id != "azure" and discovery.issuer != registration.issuer):
        raise SignInFailed("OAuthSignin")
    if not (_may_call(discovery.authorization_endpoint) and _may_call(discovery.token_endpoint)):
        raise SignInFailed("OAuthSignin")
    return discovery


def redeem(registration: Registration, code: str, verifier: str, redirect_uri: str) -> str:
    """The ID token the provider gives for a code (OpenID Connect Core 1.0, 3.1.3). Its other tokens are not kept."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": registration.client_id,
        "client_secret": registration.client_secret,
        "code_verifier": verifier,
    }
    status, content = _send("POST", discover(registration).token_endpoint, form)
    if status >= 500:
        raise SignInFailed("OAuthSignin")
    try:
        tokens = _Tokens.model_validate_json(content)
    except ValidationError:
        raise SignInFailed("OAuthCallback") from None
    if status != 200:
        raise SignInFailed("OAuthCallback")
    return tokens.id_token


def _may_call(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK and not settings().secure)


def _send(method: str, url: str, form: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body of one exchange. Raises SignInFailed if the provider does not respond."""
    if not _may_call(url):
        raise SignInFailed("OAuthSignin")
    parts = urlsplit(url)
    scheme = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {"Accept": "application/json"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        with closing(scheme(parts.netloc, timeout=TIMEOUT_SECONDS)) as connection:
            connection.request(method, target, None if form is None else urlencode(form), headers)
            response = connection.getresponse()
            return response.status, response.read(MAX_ANSWER)
    except (OSError, HTTPException):
        raise SignInFailed("OAuthSignin") from None
