"""What the sender is configured with, beside what it shares with the routes (questlog.notifications)."""

from functools import cache
from typing import NamedTuple

from questlog.notifications import channels
from questlog.settings import origin, settings, variable


class SenderSettings(NamedTuple):
    """How the sender identifies itself to push services and the mail service."""

    vapid_private_key: str
    """Base64url of its 32 bytes; empty where nothing is pushed."""
    vapid_subject: str
    """Where a push service reaches the operator: a mailto: or https: address (RFC 8292, 2.1)."""
    frontend_url: str
    """Where the web client lives, to which mails lead."""
    mail_endpoint: str | None
    """Where SES is asked; None for AWS's own address."""


@cache
def sender_settings() -> SenderSettings:
    """The sender's settings in this execution environment."""
    pushes = channels().push_available
    return SenderSettings(
        vapid_private_key=variable("VAPID_PRIVATE_KEY", str) if pushes else "",
        vapid_subject=variable("VAPID_SUBJECT", str, default=settings().public_url) if pushes else "",
        frontend_url=variable("FRONTEND_URL", origin),
        mail_endpoint=variable("MAIL_ENDPOINT", str, default="") or None,
    )
