"""What an error may cost and how large it may be (platform contract, 1.3), and what is no request at all."""

import json
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError
from pydantic_core._pydantic_core import list_all_errors

from questlog.errors import Invalid
from questlog.validation import problems
from questlog.wire import Body, Day, Instant, MaxEntries

from tests.conftest import User
from tests.support.client import CONTEXT, Client, gateway_event, send


class Sample(Body):
    """A body with a bit of everything."""

    day: Day | None = None
    at: Instant | None = None
    names: Annotated[list[str], Field(max_length=50)] = []
    weights: Annotated[dict[str, int], MaxEntries(30)] = {}
    either: int | bool | None = None
    weight: Annotated[float, Field(ge=0.5, le=10**9)] = 1


def refused(sent: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as error:
        Sample.model_validate_json(json.dumps(sent))
    return problems(error.value, sent)


@pytest.mark.parametrize(
    "text", ["1700000000", "2031-05-09", "2031-05-09T08:00:00", "20310509T080000Z", "2031-02-30T08:00:00Z", "soon", ""]
)
def test_a_time_is_written_out(text: str) -> None:
    [(field, _)] = refused({"at": text})
    assert field == "at"


@pytest.mark.parametrize("field", ["day", "at"])
def test_a_number_is_no_time(field: str) -> None:
    for number in (1_700_000_000, 1.5, True, "1700000000", "20310509"):
        [(named, _)] = refused({field: number})
        assert named == field


def test_times_are_of_these_years() -> None:
    for text in ("1600-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z", "2200-01-01T00:30:00+01:00"):
        assert Sample.model_validate_json(json.dumps({"at": text})).at is not None
    for text in (
        "1599-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "1600-01-01T00:30:00+01:00",
        "0001-01-01T00:00:00+14:00",
    ):
        assert refused({"at": text}) == [("at", "must be in the years 1600 to 2199")]
    for text in ("1600-01-01", "2199-12-31", "2031-05-09T08:00:00Z"):
        assert Sample.model_validate_json(json.dumps({"day": text})).day is not None
    for text in ("1599-12-31", "2200-01-01", "9999-12-31"):
        assert refused({"day": text}) == [("day", "must be in the years 1600 to 2199")]


def test_a_limit_is_written_as_people_write_it() -> None:
    assert refused({"weight": 10**9 + 1}) == [("weight", "must be at most 1000000000")]
    assert refused({"weight": 0.25}) == [("weight", "must be at least 0.5")]


def test_the_members_of_a_union_are_one_problem_of_one_field() -> None:
    assert refused({"either": "x"}) == [("either", "must be a whole number, or must be true or false")]


def test_a_container_that_is_too_large_is_one_problem() -> None:
    assert refused({"names": [1] * 51}) == [("names", "must have at most 50 items")]
    assert refused({"weights": dict.fromkeys(map(str, range(31)), "x")}) == [
        ("weights", "must have at most 30 entries")
    ]


def test_no_sentence_is_a_librarys() -> None:
    """Every kind of error that pydantic knows has a sentence of ours, be it only that the field is not valid."""
    for kind in list_all_errors():
        assert sentence_of(kind["type"], kind["example_context"] or {})


def sentence_of(kind: str, context: dict[str, Any]) -> str:
    if kind in ("value_error", "assertion_error"):
        context = {"error": ValueError("must be so")}
    error = ValidationError.from_exception_data("x", [{"type": kind, "loc": ("a",), "input": 1, "ctx": context}])
    [(field, sentence)] = problems(error, {"a": 1})
    assert field == "a"
    assert "Input" not in sentence
    assert "pattern" not in sentence
    return sentence


def test_twenty_fields_are_listed_and_the_others_counted() -> None:
    fields = Invalid([(f"f{n}", "is wrong") for n in range(20)]).details["fields"]
    assert [entry["field"] for entry in fields] == [f"f{n}" for n in range(20)]
    fields = Invalid([(f"f{n}", "is wrong") for n in range(25)]).details["fields"]
    assert [entry["field"] for entry in fields] == [*(f"f{n}" for n in range(19)), "body"]
    assert fields[-1]["message"] == "6 more fields are not valid"


@pytest.mark.parametrize("character", ["x", "\U0001f600", "\x01"])
def test_an_error_stays_small(character: str) -> None:
    failure = Invalid([(character * 10_000, "is wrong") for _ in range(1000)])
    assert all(len(entry["field"]) <= 200 for entry in failure.details["fields"])
    assert len(json.dumps(failure.document("r"), ensure_ascii=False).encode()) <= 16_384


def test_a_large_body_makes_no_large_error(user: User) -> None:
    bodies: list[dict[str, Any]] = [
        {"tags": [{}] * 200_000},
        {"tags": {str(n): n for n in range(50_000)}},
        {"\0" + "x" * 900_000: 1},
    ]
    for body in bodies:
        answer = user.post("/focus", body)
        answer.refused(400, "validation_error")
        assert len(answer.text.encode()) <= 16_384


@pytest.mark.parametrize(
    "broken",
    [
        {"headers": None},
        {"headers": {"a": 1}},
        {"requestContext": {}},
        {"requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}}},
        {"body": "%%%", "isBase64Encoded": True},
        {"body": "YQ", "isBase64Encoded": True},
        {"body": 7},
        {"cookies": [1]},
        {"version": None},
    ],
    ids=str,
)
def test_an_event_that_is_none(broken: dict[str, Any]) -> None:
    answer = send({**gateway_event("GET", "/health"), **broken}, "health")
    answer.refused(400, "validation_error")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_no_event_at_all() -> None:
    from functions.health.app import handler  # noqa: PLC0415 - the environment is set by then

    events: list[Any] = [None, [], "text", {}, {"version": "2.0"}]
    for event in events:
        answer = handler(event, CONTEXT)
        assert answer["statusCode"] == 400
        assert json.loads(answer["body"])["error"]["type"] == "validation_error"


@pytest.mark.parametrize("host", ["[::1]:8080", "[::1]", "localhost:8080", ""])
def test_any_host_will_do(host: str) -> None:
    assert Client().get("/health", headers={"host": host}).status == 200
