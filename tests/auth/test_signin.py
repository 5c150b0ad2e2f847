"""GET /auth/providers and the first half of a sign-in."""

import base64
import hashlib
from collections.abc import Callable

import pytest

from functions.auth.rules import source_network, state_cookie
from tests.auth.conftest import FRONTEND, Browser, Configure, Provider, asked, error_of, fill_limit, where
from tests.conftest import Database
from tests.support.client import Answer, Client, gateway_event, invoke


def test_providers(stranger: Client) -> None:
    answer = stranger.get("/auth/providers")
    assert answer.json == [
        {"id": "google", "name": "Google", "enabled": True},
        {"id": "azure", "name": "Microsoft", "enabled": False},
    ]


@pytest.mark.parametrize("path", ["/auth/signin/google", "/auth/google", "/api/auth/signin/google"])
def test_the_browser_is_sent_to_the_provider(provider: Provider, database: Database, path: str) -> None:
    browser = Browser()
    location = where(browser.get(path))
    assert location.startswith(f"{provider.issuer}/oauth2/authorize?")
    query = asked(location)
    [state] = database.query(
        "SELECT *, expires_at - created_at AS lifetime FROM oauth_states WHERE state_hash = %s",
        hashlib.sha256(query["state"].encode()).digest(),
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(state["verifier"].encode()).digest()).decode().rstrip("=")
    assert query == {
        "response_type": "code",
        "client_id": "questlog",
        "redirect_uri": "http://localhost:8080/auth/callback/google",
        "scope": "openid email profile",
        "state": browser.cookies[state_cookie(query["state"])],
        "nonce": state["nonce"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert 43 <= len(state["verifier"]) <= 128  # RFC 7636, 4.1
    assert len(query["state"]) == 43
    assert state["lifetime"].total_seconds() == 600
    assert state["redirect"] == f"{FRONTEND}/today"


def test_the_cookie_of_the_state(provider: Provider) -> None:
    browser = Browser()
    browser.start()
    [(name, state)] = browser.cookies.items()
    assert name == "oauth_state_" + hashlib.sha256(state.encode()).hexdigest()[:16]
    assert browser.last.cookie(name) == {state, "path=/", "httponly", "samesite=lax", "max-age=600"}


def test_no_two_sign_ins_share_a_secret(provider: Provider) -> None:
    queries = [asked(Browser().start()) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert queries[0][name] != queries[1][name]


@pytest.mark.parametrize("path", ["/auth/signin/azure", "/auth/azure", "/auth/callback/azure"])
def test_a_provider_that_is_not_configured(stranger: Client, path: str) -> None:
    location = where(stranger.get(path, query={"code": "c", "state": "s"}))
    assert location == f"{FRONTEND}/auth/error?error=OAuthNotConfigured&provider=azure"


@pytest.mark.parametrize("path", ["/auth/signin/github", "/auth/callback/github", "/auth/signin", "/auth/github"])
def test_a_provider_there_is_not(stranger: Client, path: str) -> None:
    stranger.get(path, query={"code": "c", "state": "s"}).refused(404, "not_found")


def test_an_unreachable_provider(configure: Configure, stranger: Client) -> None:
    configure(PUBLIC_URL="http://localhost:8080", GOOGLE_ISSUER="http://127.0.0.1:1")
    assert error_of(where(stranger.get("/auth/google"))) == "OAuthSignin"


def test_over_tls_no_provider_is_asked_without(running_provider: Provider, configure: Configure) -> None:
    configure(PUBLIC_URL="https://api.questlog.test", GOOGLE_ISSUER=running_provider.issuer)
    assert error_of(Browser().start()) == "OAuthSignin"


def test_signing_in_is_no_post(stranger: Client) -> None:
    assert stranger.post("/auth/google").refused(405, "method_not_allowed") == {"allowed": ["GET"]}


@pytest.fixture
def fill(database: Database) -> Callable[[int], None]:
    """Counts so many sign-ins of the tests' address, in this minute and in the next, should it begin meanwhile."""

    def count(times: int) -> None:
        fill_limit(database, "auth:192.0.2.1", "1 minute", times)

    return count


@pytest.mark.parametrize("path", ["/auth/google", "/auth/callback/google"])
def test_too_many_sign_ins(
    provider: Provider, configure: Configure, database: Database, fill: Callable[[int], None], path: str
) -> None:
    configure(AUTH_RATE_LIMIT="3")
    fill(2)
    query = {"error": "access_denied"} if "callback" in path else {}
    assert Browser().get(path, **query).status == 302
    fill(3)
    answer = Browser().get(path, **query)
    assert answer.refused(429, "rate_limited").keys() == {"retry_after"}
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.cookies == ()
    configure(AUTH_RATE_LIMIT="0")
    assert Browser().get(path, **query).status == 302


def test_a_limit_is_per_address_not_per_header(
    provider: Provider, configure: Configure, fill: Callable[[int], None], stranger: Client
) -> None:
    configure(AUTH_RATE_LIMIT="1")
    fill(1)
    forwarded = {"x-forwarded-for": "198.51.100.7", "x-real-ip": "198.51.100.7"}
    stranger.get("/auth/google", headers=forwarded).refused(429, "rate_limited")


def test_an_ipv6_network_is_one_source(provider: Provider, configure: Configure, database: Database) -> None:
    configure(AUTH_RATE_LIMIT="1")
    fill_limit(database, "auth:2001:db8:1:2::/64", "1 minute", 1)
    sign_in_from("2001:db8:1:2:ffff::7").refused(429, "rate_limited")
    assert sign_in_from("2001:db8:1:3::7").status == 302


def sign_in_from(address: str) -> Answer:
    event = gateway_event("GET", "/auth/google")
    event["requestContext"]["http"]["sourceIp"] = address
    return invoke(event)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_what_the_limit_counts_as_one_source(address: str, network: str) -> None:
    assert source_network(address) == network
