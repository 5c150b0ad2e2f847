"""Who signs in with what was typed into the form of the local identity provider."""

import base64
import json

import pytest

from functions.auth.rules import person_of
from functions.auth.settings import Registration
from local.provider import claims_of_a_new_name


@pytest.mark.parametrize(
    ("typed", "email", "name"),
    [
        ("anna", "anna@questlog.test", "anna"),
        ("anna@example.org", "anna@example.org", "anna"),
        ("Anna Miller", "anna-miller@questlog.test", "Anna Miller"),
        (" \u00c4rger  ", "\u00e4rger@questlog.test", "\u00c4rger"),
        ("\u212aim", "kim@questlog.test", "\u212aim"),
        ("Anna Miller@Example.org", "anna-miller@example.org", "Anna Miller"),
        ("\u5c71\u7530 \u592a\u90ce", "\u5c71\u7530-\u592a\u90ce@questlog.test", "\u5c71\u7530 \u592a\u90ce"),
    ],
)
def test_any_name_becomes_a_user_who_can_sign_in(typed: str, email: str, name: str) -> None:
    claims = {
        "iss": "https://p.example",
        "aud": "id",
        "exp": 2,
        "nonce": "n",
        "sub": typed,
        **claims_of_a_new_name(typed),
    }
    token = ".".join(["", base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("="), ""])
    registration = Registration("google", "https://p.example", "id", "secret")
    person = person_of(token, registration, "https://p.example", "n", 1.0)
    assert (person.email, person.name) == (email, name)
