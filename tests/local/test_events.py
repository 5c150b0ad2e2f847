"""Events and answers have API Gateway's shape: payload format 2.0, as its documentation gives it."""

import base64
import json
from typing import Any

import pytest

from local.events import Router, http_event, http_response, schedule_event
from local.template import Function, Route, Schedule

# Keys of the documented example event. `authorizer`, `authentication` and `stageVariables` are for what we do not use.
DOCUMENTED = {
    "version", "routeKey", "rawPath", "rawQueryString", "cookies", "headers", "queryStringParameters", "requestContext",
    "body", "pathParameters", "isBase64Encoded",
}  # fmt: skip
DOCUMENTED_CONTEXT = {
    "accountId", "apiId", "domainName", "domainPrefix", "http", "requestId", "routeKey", "stage", "time", "timeEpoch",
}  # fmt: skip


def event(
    *,
    path: str = "/focus/a",
    query: str = "",
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
    route: Route | None = None,
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    return http_event(
        route or Route("ANY", "/focus/{proxy+}"),
        parameters or {},
        method="POST",
        raw_path=path,
        query=query,
        headers=[("Host", "localhost:8080"), *(headers or [])],
        body=body,
        source_ip="127.0.0.1",
    )


def test_a_full_request_has_every_documented_key() -> None:
    made = event(
        query="a=1&a=2&b=",
        headers=[("Cookie", "x=1; y=2"), ("Cookie", "z=3"), ("X-Many", "1"), ("x-many", "2"), ("User-Agent", "test")],
        body=b"{}",
        parameters={"proxy": "a"},
    )
    assert set(made) == DOCUMENTED
    assert set(made["requestContext"]) == DOCUMENTED_CONTEXT
    assert made["cookies"] == ["x=1", "y=2", "z=3"]
    assert "cookie" not in made["headers"]
    assert made["headers"]["x-many"] == "1,2"
    assert made["rawQueryString"] == "a=1&a=2&b="
    assert made["queryStringParameters"] == {"a": "1,2", "b": ""}
    assert made["pathParameters"] == {"proxy": "a"}
    assert made["routeKey"] == made["requestContext"]["routeKey"] == "ANY /focus/{proxy+}"
    assert made["requestContext"]["http"] == {
        "method": "POST",
        "path": "/focus/a",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }


def test_what_a_request_lacks_its_event_lacks() -> None:
    assert set(event()) == DOCUMENTED - {"cookies", "queryStringParameters", "pathParameters", "body"}


def test_paths_arrive_decoded() -> None:
    assert event(path="/focus/a%20b%C3%A9%3Fc")["rawPath"] == "/focus/a bé"


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain; charset=utf-8", "application/x+json"])
def test_text_bodies_are_text(content_type: str | None) -> None:
    made = event(headers=[("Content-Type", content_type)] if content_type else [], body="é".encode())
    assert (made["body"], made["isBase64Encoded"]) == ("é", False)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/octet-stream", b"\x00\xff"),
        ("application/x-www-form-urlencoded", b"a=1"),
        ("image/png", b"png"),
        ("application/json", b"\xff"),  # says text, is not
    ],
)
def test_other_bodies_are_base64(content_type: str, body: bytes) -> None:
    made = event(headers=[("Content-Type", content_type)], body=body)
    assert made["isBase64Encoded"] is True
    assert base64.b64decode(made["body"]) == body


def test_answer_with_cookies_and_a_length_of_its_own() -> None:
    answer = {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "Content-Length": "999", "x-request-id": "r"},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": '{"é":1}',
    }
    response = http_response(json.dumps(answer).encode())
    assert response.status_code == 201
    assert response.headers["content-length"] == str(len('{"é":1}'.encode()))
    assert response.headers["x-request-id"] == "r"
    assert response.headers.getlist("set-cookie") == ["a=1; Path=/", "b=2"]


def test_answer_in_base64() -> None:
    answer = {"statusCode": 200, "body": base64.b64encode(b"\x00\xff").decode(), "isBase64Encoded": True}
    assert bytes(http_response(json.dumps(answer).encode()).body) == b"\x00\xff"


def test_answer_without_a_status_is_a_body() -> None:
    response = http_response(b'{"hello": 1}')
    assert (response.status_code, bytes(response.body)) == (200, b'{"hello": 1}')
    assert response.headers["content-type"] == "application/json"


def test_schedules_send_eventbridges_notice_or_their_own_input() -> None:
    function = _function("Jobs", [])
    notice = schedule_event(Schedule("Queue", 60, None), function)
    assert set(notice) == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip
    assert notice["detail-type"] == "Scheduled Event"
    assert schedule_event(Schedule("Queue", 60, '{"schedule": "queue"}'), function) == {"schedule": "queue"}


def test_static_before_parameter_before_proxy_before_default() -> None:
    router = Router(
        [
            _function("Default", [Route("ANY", "$default")]),
            _function("Proxy", [Route("ANY", "/x/{proxy+}")]),
            _function("Parameter", [Route("ANY", "/x/{id}"), Route("ANY", "/x/{id}/end")]),
            _function("Static", [Route("ANY", "/x"), Route("ANY", "/x/list"), Route("GET", "/x/{id}")]),
        ]
    )

    def to(method: str, path: str) -> tuple[str, dict[str, str]]:
        found = router.match(method, path)
        assert found is not None
        return found[0].name, found[2]

    assert to("POST", "/x") == ("Static", {})
    assert to("POST", "/x/list") == ("Static", {})
    assert to("POST", "/x/1") == ("Parameter", {"id": "1"})
    assert to("GET", "/x/1") == ("Static", {"id": "1"})  # a named method before ANY
    assert to("POST", "/x/1/end") == ("Parameter", {"id": "1"})
    assert to("POST", "/x/1/other") == ("Proxy", {"proxy": "1/other"})
    assert to("POST", "/x/") == ("Default", {})
    assert to("POST", "/y") == ("Default", {})


def test_without_a_default_there_may_be_no_route() -> None:
    assert Router([_function("One", [Route("GET", "/x")])]).match("POST", "/x") is None


def _function(name: str, routes: list[Route]) -> Function:
    return Function(name, name.lower(), f"functions.{name.lower()}.app.handler", 3, 128, routes=tuple(routes))
