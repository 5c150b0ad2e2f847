"""What sign-in is configured with, beside what every function needs (platform contract, 11)."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Literal

from questlog.settings import origin, positive_days, variable

ProviderId = Literal["google", "azure"]
PROVIDER_NAMES: Mapping[ProviderId, str] = {"google": "Google", "azure": "Microsoft"}

# Where anyone can have an account: the aliases that stand for many tenants, and the tenant of personal accounts.
_OPEN_TENANTS = {"common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"}


@dataclass(frozen=True, slots=True)
class Registration:
    """This application as one provider knows it.

    `vouches` says whether the provider's administrators vouch for every e-mail in its tokens; else each token has to.
    """

    id: ProviderId
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    vouches: bool = False


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """The group's settings; of the claim key only the digest is kept, None while claiming is off."""

    frontend_url: str
    admin_emails: frozenset[str]
    claim_key_digest: bytes | None
    session_lifetime: timedelta
    attempts_per_minute: int
    minimum_age: int
    terms_state_age: bool
    registrations: Mapping[ProviderId, Registration]


@cache
def auth_settings() -> AuthSettings:
    """The settings of this execution environment."""
    claim_key = variable("ADMIN_CLAIM_KEY", str, default="")
    return AuthSettings(
        frontend_url=variable("FRONTEND_URL", origin),
        admin_emails=variable("ADMIN_EMAILS", _emails, default=","),
        claim_key_digest=hashlib.sha256(claim_key.encode()).digest() if claim_key else None,
        session_lifetime=variable("SESSION_DAYS", positive_days, default="30"),
        attempts_per_minute=variable("AUTH_RATE_LIMIT", _not_negative, default="60"),
        minimum_age=variable("MINIMUM_AGE", _not_negative, default="16"),
        terms_state_age=variable("TERMS_STATE_AGE", _boolean, default="true"),
        registrations={registration.id: registration for registration in (_google(), _azure()) if registration},
    )


def _google() -> Registration | None:
    client_id = variable("GOOGLE_CLIENT_ID", str, default="")
    if not client_id:
        return None
    return Registration(
        id="google",
        issuer=variable("GOOGLE_ISSUER", _url, default="https://accounts.google.com"),
        client_id=client_id,
        client_secret=variable("GOOGLE_CLIENT_SECRET", str),
    )


def _azure() -> Registration | None:
    client_id = variable("AZURE_CLIENT_ID", str, default="")
    if not client_id:
        return None
    tenant = variable("AZURE_TENANT_ID", _tenant)
    return Registration(
        id="azure",
        issuer=f"https://login.microsoftonline.com/{tenant}/v2.0",
        client_id=client_id,
        client_secret=variable("AZURE_CLIENT_SECRET", str),
        vouches=tenant not in _OPEN_TENANTS,
    )


def ascii_lower(text: str) -> str:
    """Only A to Z lowered: str.lower() makes a plain k of the Kelvin sign, and so one address of two."""
    return text.encode().lower().decode()


def _emails(raw: str) -> frozenset[str]:
    listed = [part.strip() for part in raw.split(",") if part.strip()]
    if not all("@" in email for email in listed):
        raise ValueError
    return frozenset(ascii_lower(email) for email in listed)


def _not_negative(raw: str) -> int:
    number = int(raw)
    if number < 0:
        raise ValueError
    return number


def _boolean(raw: str) -> bool:
    if raw not in ("true", "false"):
        raise ValueError
    return raw == "true"


def _tenant(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]+", raw):
        raise ValueError
    return raw.lower()


def _url(raw: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", raw):
        raise ValueError
    return raw
