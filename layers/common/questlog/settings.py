"""Configuration of an execution environment, read from its variables once.

A variable that is missing or malformed stops the function at start with its name, never its value: values are secrets.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Misconfigured(RuntimeError):
    """A variable of the environment is missing or malformed."""


def variable(name: str, read: Callable[[str], T], default: str | None = None) -> T:
    """The environment's value of `name` as `read` makes it; without a default the variable must be set."""
    raw = os.environ.get(name, "").strip() or default
    if raw is None:
        raise Misconfigured(f"{name} is not set")
    try:
        return read(raw)
    except ValueError:
        # From None: the original message would quote the value.
        raise Misconfigured(f"{name} is malformed") from None


def origin(raw: str) -> str:
    """A web origin, `scheme://host[:port]` without a path; a trailing slash is dropped."""
    scheme, separator, rest = raw.rstrip("/").partition("://")
    if scheme not in ("http", "https") or not separator or not rest or "/" in rest:
        raise ValueError
    return f"{scheme}://{rest}"


def origins(raw: str) -> frozenset[str]:
    """A comma-separated list of web origins."""
    return frozenset(origin(part.strip()) for part in raw.split(",") if part.strip())


def positive_days(raw: str) -> timedelta:
    """A whole number of days, at least one."""
    days = int(raw)
    if days < 1:
        raise ValueError
    return timedelta(days=days)


class Settings(NamedTuple):
    """What every request function needs; a group's own variables are read by that group."""

    database_url: str
    public_url: str
    allowed_origins: frozenset[str]
    tos_version: str
    session_idle: timedelta
    cookie_domain: str | None

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS: everywhere but on the local stack."""
        return self.public_url.startswith("https://")


@cache
def settings() -> Settings:
    """The settings of this execution environment."""
    return Settings(
        database_url=variable("DATABASE_URL", str),
        public_url=variable("PUBLIC_URL", origin),
        allowed_origins=variable("ALLOWED_ORIGINS", origins, default=","),
        tos_version=variable("TOS_VERSION", str, default="1.0"),
        session_idle=variable("SESSION_IDLE_DAYS", positive_days, default="14"),
        cookie_domain=variable("COOKIE_DOMAIN", str, default="") or None,
    )
