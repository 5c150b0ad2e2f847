"""What sign-in is configured with, and what stops the function at start."""

from datetime import timedelta
from typing import Any

import pytest

from questlog.settings import Misconfigured

from functions.auth.settings import auth_settings
from tests.auth.conftest import Configure

AZURE = {"AZURE_CLIENT_ID": "questlog", "AZURE_CLIENT_SECRET": "s3cret", "AZURE_TENANT_ID": "contoso.example"}


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"FRONTEND_URL": None}, "FRONTEND_URL"),
        ({"FRONTEND_URL": "questlog.test"}, "FRONTEND_URL"),
        ({"FRONTEND_URL": "https://questlog.test/app"}, "FRONTEND_URL"),
        ({"ADMIN_EMAILS": "not-an-address"}, "ADMIN_EMAILS"),
        ({"SESSION_DAYS": "0"}, "SESSION_DAYS"),
        ({"SESSION_DAYS": "a month"}, "SESSION_DAYS"),
        ({"AUTH_RATE_LIMIT": "-1"}, "AUTH_RATE_LIMIT"),
        ({"AUTH_RATE_LIMIT": "many"}, "AUTH_RATE_LIMIT"),
        ({"MINIMUM_AGE": "old"}, "MINIMUM_AGE"),
        ({"GOOGLE_ISSUER": "accounts.google.com"}, "GOOGLE_ISSUER"),
        ({"GOOGLE_CLIENT_SECRET": ""}, "GOOGLE_CLIENT_SECRET"),
        ({**AZURE, "AZURE_TENANT_ID": None}, "AZURE_TENANT_ID"),
        ({**AZURE, "AZURE_TENANT_ID": "a/b"}, "AZURE_TENANT_ID"),
        ({**AZURE, "AZURE_CLIENT_SECRET": None}, "AZURE_CLIENT_SECRET"),
    ],
)
def test_what_is_missing_or_malformed_is_named_without_its_value(
    configure: Configure, variables: dict[str, Any], named: str
) -> None:
    configure(**variables)
    with pytest.raises(Misconfigured) as raised:
        auth_settings()
    assert str(raised.value) in (f"{named} is not set", f"{named} is malformed")


def test_defaults(configure: Configure) -> None:
    names = ("ADMIN_EMAILS", "ADMIN_CLAIM_KEY", "AUTH_RATE_LIMIT", "GOOGLE_CLIENT_ID", "GOOGLE_ISSUER")
    configure(**dict.fromkeys(names))
    settings = auth_settings()
    assert settings.session_lifetime == timedelta(days=30)
    assert (settings.attempts_per_minute, settings.minimum_age) == (60, 16)
    assert (settings.admin_emails, settings.claim_key_digest) == (frozenset(), None)
    assert settings.registrations == {}


@pytest.mark.parametrize(
    ("tenant", "vouches"),
    [
        ("contoso.example", True),
        ("5F0C2D1E-0000-4000-8000-000000000001", True),
        ("common", False),
        ("Organizations", False),
        ("consumers", False),
        ("9188040d-6c67-4c5b-b112-36a304b66dad", False),
    ],
)
def test_only_one_known_tenant_vouches_for_its_emails(configure: Configure, tenant: str, vouches: bool) -> None:
    configure(**{**AZURE, "AZURE_TENANT_ID": tenant})
    azure = auth_settings().registrations["azure"]
    assert azure.issuer == f"https://login.microsoftonline.com/{tenant.lower()}/v2.0"
    assert azure.vouches is vouches


def test_no_secret_shows(configure: Configure) -> None:
    configure(**AZURE, ADMIN_CLAIM_KEY="claim-key", GOOGLE_CLIENT_SECRET="g00gle")
    shown = repr(auth_settings())
    for secret in ("s3cret", "claim-key", "g00gle"):
        assert secret not in shown
