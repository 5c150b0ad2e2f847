"""Requests made up from the OpenAPI document, and answers held to it."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from questlog.identity import session_cookie_name

from docs.openapi import document
from tests.conftest import NewUser, User
from tests.support.client import gateway_event, invoke

# Signing in leaves the house for the identity provider; a sign-out, a revocation or a
# deletion would end the session in use.
ELSEWHERE = r"^/auth/(signin|callback|google|azure|signout|logout|sessions)|^/admin-access/claim|^/user/delete"


def wsgi(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """The functions behind the gateway as one WSGI application, which is what schemathesis can call."""
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    cookies = headers.pop("cookie", "")
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    event = gateway_event(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        cookies=dict(part.split("=", 1) for part in cookies.split("; ") if "=" in part),
        body=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
    )
    answer = invoke(event)
    start(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers.items()))
    return [answer.content]


api = schemathesis.openapi.from_dict(document()).exclude(path_regex=ELSEWHERE)
api.app = wsgi


@pytest.fixture
def session(new_user: NewUser) -> User:
    return new_user()


@api.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_answers_are_what_the_document_says(case: schemathesis.Case[Any], session: User) -> None:
    response = case.call(cookies={session_cookie_name(): session.token})
    case.validate_response(
        response,
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance],
    )
