"""Who may administrate, and what there is (platform contract, sections 4.9, 4.11 and 7)."""

import pytest

from questlog.release import VERSION

from docs.openapi import apis
from tests.conftest import Database, User
from tests.support.client import Client
from tests.support.routes import Route

ROUTES = [Route(api.name, endpoint) for api in apis() if api.name == "admin" for endpoint in api.endpoints]
ENTITLEMENTS = {
    "moderator": {"content:manage", "feedback:manage"},
    "admin": {"content:manage", "feedback:manage", "admin:access", "users:manage", "system:manage"},
}


def test_it_says_what_it_offers(admin: User) -> None:
    answer = admin.get("/admin")
    assert answer.status == 200
    assert answer.json["version"] == VERSION
    assert answer.json["role_required"] == "admin"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_user_may_not(route: Route, user: User) -> None:
    route.ask(user).refused(403, "forbidden")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_an_api_token_may_not(route: Route, admin: User) -> None:
    """Not even an administrator's."""
    token = admin.post("/auth/sessions", {"name": "script"}).data["token"]
    route.ask(Client(), headers={"authorization": f"Bearer {token}"}).refused(403, "forbidden")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_role_opens_what_it_is_entitled_to(route: Route, moderator: User, admin: User) -> None:
    assert route.endpoint.requires in ENTITLEMENTS["admin"]
    assert route.ask(admin).status != 403
    entitled = route.endpoint.requires in ENTITLEMENTS["moderator"]
    assert (route.ask(moderator).status != 403) == entitled


def test_a_role_is_read_with_every_request(admin: User, database: Database) -> None:
    database.query("UPDATE users SET role = 'user' WHERE id = %s", admin.id)
    admin.get("/admin").refused(403, "forbidden")
