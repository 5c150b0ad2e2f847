"""The decisions of a sign-in, without a provider or a database."""

import base64
import json
from typing import Any

import pytest

from functions.auth.rules import Person, SignInFailed, authorize_url, code_challenge, destination, person_of
from functions.auth.settings import Registration

FRONT = "https://app.example"
ALLOWED = {"https://app.example", "http://localhost:3000"}
NOW = 1_800_000_000.0
TENANT = "5f0c2d1e-0000-4000-8000-000000000001"
MICROSOFT = "https://login.microsoftonline.com"


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: session=x",
        "https://evil.example/",
        "https://app.example.evil.example/",
        "https://app.example@evil.example/",
        "https://app.example:443/",
        "https://app.example\\@evil.example/",
        "https://APP.example/",
        "http://app.example/",
        "https:app.example/",
        "https:///app.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "today",
        " /today",
        "https://[",
        "",
        None,
    ],
)
def test_not_the_front_ends(wanted: str | None) -> None:
    assert destination(wanted, FRONT, ALLOWED) == f"{FRONT}/today"


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/", f"{FRONT}/"),
        ("/a/b?c=//d#e", f"{FRONT}/a/b?c=//d#e"),
        ("/@evil.example", f"{FRONT}/@evil.example"),
        (FRONT, FRONT),
        (f"{FRONT}?a=b", f"{FRONT}?a=b"),
        ("http://localhost:3000/a", "http://localhost:3000/a"),
    ],
)
def test_the_front_ends(wanted: str, reached: str) -> None:
    assert destination(wanted, FRONT, ALLOWED) == reached


def test_the_challenge_of_the_standards_example() -> None:
    """RFC 7636, appendix B."""
    assert (
        code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_an_authorize_endpoint_with_a_query_keeps_it() -> None:
    registration = Registration("google", "https://p.example", "id", "secret")
    url = authorize_url(
        "https://p.example/a?tenant=1",
        registration,
        redirect_uri="https://q.example",
        state="s",
        nonce="n",
        verifier="v",
    )
    assert url.startswith("https://p.example/a?tenant=1&response_type=code&")


GOOGLE = Registration("google", "https://accounts.google.com", "questlog", "secret")
ONE_TENANT = Registration("azure", f"{MICROSOFT}/{TENANT}/v2.0", "questlog", "secret", vouches=True)
MANY_TENANTS = Registration("azure", f"{MICROSOFT}/common/v2.0", "questlog", "secret")
MANY_ISSUERS = f"{MICROSOFT}/{{tenantid}}/v2.0"


def jwt(claims: Any) -> str:
    parts = [{"alg": "RS256"}, claims]
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "sig"]
    )


def claims(**changed: Any) -> dict[str, Any]:
    told = {
        "iss": "https://accounts.google.com",
        "aud": "questlog",
        "exp": NOW + 60,
        "nonce": "nonce",
        "sub": "1",
        "email": "ada@example.org",
        "email_verified": True,
        **changed,
    }
    return {name: value for name, value in told.items() if value is not None}


def read(token: str, registration: Registration = GOOGLE, issuer: str = "https://accounts.google.com") -> Person:
    return person_of(token, registration, issuer, "nonce", NOW)


def test_a_person() -> None:
    token = jwt(claims(name="Ada", picture="https://example.org/a.png"))
    assert read(token) == Person("1", "ada@example.org", "Ada", "https://example.org/a.png")


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": "accounts.google.com"},
        {"aud": "another"},
        {"aud": []},
        {"aud": ["questlog", "another"]},
        {"aud": ["another"], "azp": "questlog"},
        {"azp": "another"},
        {"exp": NOW},
        {"exp": NOW - 1},
        {"exp": "soon"},
        {"exp": str(NOW + 60)},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": True},
        {"nbf": NOW + 61},
        {"nbf": float("nan")},
        {"nbf": "0"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": "a\0"},
    ],
)
def test_a_token_not_for_us_or_not_for_now(changed: dict[str, Any]) -> None:
    with pytest.raises(SignInFailed, match="OAuthCallback"):
        read(jwt(claims(**changed)))


@pytest.mark.parametrize("nbf", [NOW - 1, NOW, NOW + 60])
def test_a_token_whose_time_has_come(nbf: int) -> None:
    """A provider's clock may be a minute ahead."""
    assert read(jwt(claims(nbf=nbf))).subject == "1"


@pytest.mark.parametrize("verified", ["true", 1, 1.0, "1", [True], {"true": True}, False, None])
def test_an_email_is_verified_by_true_alone(verified: Any) -> None:
    with pytest.raises(SignInFailed, match="Verification"):
        read(jwt(claims(email_verified=verified)))


@pytest.mark.parametrize("changed", [{"aud": ["questlog"]}, {"aud": ["questlog", "another"], "azp": "questlog"}])
def test_audiences_that_are_for_us(changed: dict[str, Any]) -> None:
    assert read(jwt(claims(**changed))).subject == "1"


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "a.b.c.d", "..", "ü.ü.ü", jwt([]), jwt("x"), jwt(None)])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(SignInFailed, match="OAuthCallback"):
        read(token)


MINE = {"iss": f"{MICROSOFT}/{TENANT}/v2.0", "tid": TENANT, "email_verified": None}


@pytest.mark.parametrize(
    ("registration", "changed", "verified"),
    [
        (ONE_TENANT, {}, True),
        (MANY_TENANTS, {}, False),
        (MANY_TENANTS, {"email_verified": True}, False),
        (MANY_TENANTS, {"xms_edov": True}, True),
        (MANY_TENANTS, {"xms_edov": "1"}, True),
        (MANY_TENANTS, {"xms_edov": 1}, True),
        (MANY_TENANTS, {"xms_edov": False}, False),
        (MANY_TENANTS, {"xms_edov": "0"}, False),
        (ONE_TENANT, {"email": None, "preferred_username": "ada@example.org"}, False),
    ],
)
def test_who_vouches_for_an_email_at_microsoft(
    registration: Registration, changed: dict[str, Any], verified: bool
) -> None:
    token = jwt(claims(**{**MINE, **changed}))
    if verified:
        assert read(token, registration, MANY_ISSUERS).email == "ada@example.org"
    else:
        with pytest.raises(SignInFailed, match="Verification"):
            read(token, registration, MANY_ISSUERS)


@pytest.mark.parametrize("changed", [{"tid": None}, {"tid": "another"}, {"iss": f"{MICROSOFT}/another/v2.0"}])
def test_the_tenant_of_a_token_is_its_issuers(changed: dict[str, Any]) -> None:
    with pytest.raises(SignInFailed, match="OAuthCallback"):
        read(jwt(claims(**{**MINE, "xms_edov": True, **changed})), MANY_TENANTS, MANY_ISSUERS)


def test_of_one_tenant_others_are_refused() -> None:
    with pytest.raises(SignInFailed, match="OAuthCallback"):
        read(
            jwt(claims(**{**MINE, "iss": f"{MICROSOFT}/another/v2.0", "tid": "another"})), ONE_TENANT, ONE_TENANT.issuer
        )
