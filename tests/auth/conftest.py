"""A real provider for real sign-ins, and a browser that goes through them."""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from questlog.settings import settings

from functions.auth import provider as openid
from functions.auth.settings import auth_settings
from local import provider as identity_provider
from tests.conftest import Database
from tests.support.client import Answer, Client

FRONTEND = "https://questlog.test"

Configure = Callable[..., None]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Sets variables of the environment, or with None takes them out, for one test."""

    def change(**variables: str | None) -> None:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        _forget()

    yield change
    monkeypatch.undo()
    _forget()


@pytest.fixture(autouse=True)
def _sessions_idle_out(configure: Configure) -> None:
    """Here sessions end as they do in production; the rest of the suite lets them live on."""
    configure(SESSION_IDLE_DAYS=None)


def _forget() -> None:
    settings.cache_clear()
    auth_settings.cache_clear()
    openid.discover.cache_clear()


@dataclass(frozen=True)
class Provider:
    """The identity provider as its users and administrators see it."""

    issuer: str

    def set_claims(self, subject: str, **claims: Any) -> None:
        status, _ = self._send("PUT", f"/users/{subject}", json.dumps(claims), "application/json")
        assert status == 204

    def agree(self, authorize_url: str, subject: str) -> dict[str, str]:
        """What the provider sends the browser back with when `subject` agrees."""
        return self._answer(authorize_url, {"sub": subject})

    def deny(self, authorize_url: str) -> dict[str, str]:
        return self._answer(authorize_url, {"action": "deny"})

    def _answer(self, authorize_url: str, form: dict[str, str]) -> dict[str, str]:
        target = authorize_url.removeprefix(self.issuer)
        status, location = self._send("POST", target, urlencode(form), "application/x-www-form-urlencoded")
        assert status == 302, location
        return asked(location)

    def _send(self, method: str, target: str, body: str, content_type: str) -> tuple[int, str]:
        connection = HTTPConnection(urlsplit(self.issuer).netloc, timeout=10)
        try:
            connection.request(method, target, body, {"Content-Type": content_type})
            response = connection.getresponse()
            text = response.read().decode()
            return response.status, response.headers.get("location") or text
        finally:
            connection.close()


@pytest.fixture(scope="session")
def running_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The local stack's provider, in a process of its own as there."""
    with identity_provider.start(0, "admin@questlog.test", tmp_path_factory.mktemp("provider") / "log") as service:
        service.ready()
        yield Provider(service.url)


@pytest.fixture
def provider(running_provider: Provider, configure: Configure) -> Provider:
    """The provider, configured as Google the way the local stack does it: over plain http on loopback."""
    configure(PUBLIC_URL="http://localhost:8080", GOOGLE_ISSUER=running_provider.issuer)
    return running_provider


@dataclass
class Browser:
    """A browser: keeps cookies, goes where it is sent. `last` is what it was answered last."""

    cookies: dict[str, str] = field(default_factory=dict)
    last: Answer = field(init=False)

    def get(self, path: str, **query: str) -> Answer:
        return self._keep(Client().get(path, query=query, cookies=self.cookies))

    def post(self, path: str, body: Any = None) -> Answer:
        return self._keep(Client().post(path, body, cookies=self.cookies))

    def start(self, provider: str = "google", **query: str) -> str:
        """Ask to sign in; the address of the provider's page."""
        return where(self.get(f"/auth/signin/{provider}", **query))

    def return_with(self, answered: dict[str, str], provider: str = "google") -> str:
        """Come back from the provider; where the browser is sent then."""
        return where(self.get(f"/auth/callback/{provider}", **answered))

    def _keep(self, answer: Answer) -> Answer:
        for set_cookie in answer.cookies:
            name, _, value = set_cookie.partition(";")[0].partition("=")
            if value.strip('"'):
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        self.last = answer
        return answer


@dataclass(frozen=True)
class Someone:
    """A person with an account at the provider."""

    provider: Provider
    subject: str
    email: str

    def sign_in(self, browser: Browser | None = None, **query: str) -> Browser:
        """Sign in with a new browser or this one, and end at the front end."""
        browser = browser or Browser()
        location = browser.return_with(self.provider.agree(browser.start(**query), self.subject))
        assert location.startswith(FRONTEND), location
        assert "/auth/error" not in location, location
        return browser


NewPerson = Callable[..., Someone]


@pytest.fixture
def new_person(provider: Provider) -> NewPerson:
    """Makes people with a verified e-mail, unless told otherwise."""

    def make(**claims: Any) -> Someone:
        subject = secrets.token_hex(8)
        told = {"email": f"{subject}@example.org", "email_verified": True, "name": "Some One", **claims}
        provider.set_claims(subject, **{name: value for name, value in told.items() if value is not None})
        return Someone(provider, subject, told["email"] or "")

    return make


@pytest.fixture
def person(new_person: NewPerson) -> Someone:
    return new_person()


@pytest.fixture
def audited(database: Database) -> Callable[[Answer], list[tuple[str, str, Any]]]:
    """What the audit trail says of a request: event, status and details of its rows."""

    def rows(answer: Answer) -> list[tuple[str, str, Any]]:
        found = database.query(
            "SELECT event_type, status, details FROM audit_log WHERE request_id = %s ORDER BY created_at",
            answer.headers["x-request-id"],
        )
        return [(row["event_type"], row["status"], row["details"]) for row in found]

    return rows


Audited = Callable[[Answer], list[tuple[str, str, Any]]]


def fill_limit(database: Database, bucket: str, width: str, times: int) -> None:
    """Set a bucket's count, in this window and in the next, should it begin meanwhile."""
    database.query("DELETE FROM rate_limits WHERE bucket = %s", bucket)
    database.query(
        """
        INSERT INTO rate_limits (bucket, window_start, count)
        SELECT %s, date_bin(w.width, clock() + n * w.width, '2000-01-01Z'), %s
          FROM (SELECT %s::interval AS width) AS w, generate_series(0, 1) AS n
        """,
        *(bucket, times, width),
    )


def where(answer: Answer) -> str:
    """Where an answer sends the browser."""
    assert answer.status == 302, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.headers["location"]


def asked(url: str) -> dict[str, str]:
    """The query of a URL."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def error_of(location: str) -> str:
    """The code of the error page a browser was sent to."""
    assert location.startswith(f"{FRONTEND}/auth/error?"), location
    return asked(location)["error"]
