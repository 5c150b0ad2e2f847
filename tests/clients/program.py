"""A new user signs in, makes a habit, is refused another, and reads a page. What was answered is printed as JSON."""

import json
import sys
from typing import assert_type

import httpx
from questlog_client import AuthenticatedClient
from questlog_client.api.auth import post_auth_accept_tos, post_auth_sessions
from questlog_client.api.books import get_books, post_books
from questlog_client.api.habits import get_habits, post_habits
from questlog_client.models import (
    AuthNewTokenRequest,
    AuthTermsRequest,
    BooksNewBookRequest,
    Error400ValidationError,
    GetBooksResponse200,
    GetBooksSort,
    GetHabitsResponse200,
    HabitsNewHabitRequest,
    PostAuthSessionsResponse200,
    PostBooksResponse200,
    PostHabitsResponse200,
)


def signed_in(gateway: str, name: str) -> str:
    """An API token of whoever has this name at the local identity provider."""
    with httpx.Client(timeout=120) as browser:
        to_provider = browser.get(f"{gateway}/auth/signin/google").headers["location"]
        back = browser.post(to_provider, data={"sub": name}).headers["location"]
        browser.get(back)
        session = AuthenticatedClient(gateway, token="").set_httpx_client(
            httpx.Client(base_url=gateway, cookies=browser.cookies, timeout=120)
        )
    post_auth_accept_tos.sync(client=session, body=AuthTermsRequest(accepted=True))
    made = post_auth_sessions.sync(client=session, body=AuthNewTokenRequest(name="program.py"))
    assert isinstance(made, PostAuthSessionsResponse200)
    return made.data.token


def main(gateway: str, name: str) -> None:
    client = AuthenticatedClient(gateway, token=signed_in(gateway, name), timeout=httpx.Timeout(120))
    before = get_habits.sync(client=client)
    assert isinstance(before, GetHabitsResponse200)
    made = post_habits.sync(client=client, body=HabitsNewHabitRequest(name="Read ten pages"))
    assert isinstance(made, PostHabitsResponse200)
    # Were the generated types missing, these would be Any.
    assert_type(made.data.name, str)
    refused = post_habits.sync(client=client, body=HabitsNewHabitRequest(name=""))
    assert isinstance(refused, Error400ValidationError)
    for title in ("Emma", "Persuasion", "Sanditon"):
        assert isinstance(post_books.sync(client=client, body=BooksNewBookRequest(title=title)), PostBooksResponse200)
    page = get_books.sync(client=client, page=2, page_size=2, sort=GetBooksSort.TITLE)
    assert isinstance(page, GetBooksResponse200)
    error = refused.error
    print(
        json.dumps(
            {
                "before": len(before.data.habits),
                "made": made.data.name,
                "refused": [error.type_, error.details.to_dict()],
                "page": [[book.title for book in page.data.books], page.data.total],
            }
        )
    )


main(*sys.argv[1:])
