"""How large an answer may be (platform contract, 1.8), and what its tag counts (core contract, 7.1)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, get_type_hints

import pytest
from starlette.requests import Request
from typing_extensions import TypedDict

from questlog.api import Api, tag_of
from questlog.db import Db
from questlog.errors import Failure, Invalid
from questlog.wire import Day, Instant, Moving, Page, PageSize, Query, ResponseModel, Reward, RewardFields


class Names(ResponseModel):
    names: list[str]


class NamesDict(TypedDict):
    names: list[str]


class Clock(ResponseModel):
    free: dict[str, Any]
    seconds: Annotated[int, Moving]


class Now(ResponseModel):
    now: Annotated[Instant | None, Moving]


class PagedQuery(Query):
    page: Page = 1
    page_size: PageSize = 20


class RangeQuery(Query):
    to: Day


api = Api(__file__)


@api.get("/names")
def names(db: Db, query: PagedQuery) -> Names:
    """Names."""
    return Names(names=[])


@api.get("/names-of-dicts")
def names_of_dicts(db: Db, query: PagedQuery) -> NamesDict:
    """Names, as a TypedDict."""
    return NamesDict(names=[])


@api.get("/names-of-days")
def names_of_days(db: Db, query: RangeQuery) -> Names:
    """Names, of a range of days."""
    return Names(names=[])


def answered(names: list[str], endpoint: int = 0) -> int:
    request = Request({"type": "http", "method": "GET", "headers": [], "path": "/names", "query_string": b""})
    answer = (Names, NamesDict, Names)[endpoint](names=names)
    return api.endpoints[endpoint]._respond(request, answer).status_code


def test_an_answer_of_five_mebibytes_is_sent_and_no_larger_one() -> None:
    assert answered(["x" * (5 * 1024 * 1024 - 100)]) == 200
    with pytest.raises(Failure) as refused:
        answered(["x" * 1024] * 6000)
    assert (refused.value.status, refused.value.type) == (413, "answer_too_large")
    assert 1 <= refused.value.details["page_size"] <= 100


@pytest.mark.parametrize("endpoint", [0, 1], ids=["model", "TypedDict"])
def test_a_page_that_would_fit_is_named(endpoint: int) -> None:
    with pytest.raises(Failure) as refused:
        answered(["x" * 65_536] * 100, endpoint)
    assert refused.value.details["page_size"] == 39


def test_a_range_that_would_be_too_large_is_of_fewer_days() -> None:
    assert answered(["x" * (5 * 1024 * 1024 - 100)], 2) == 200
    with pytest.raises(Invalid) as refused:
        answered(["x" * 65_536] * 100, 2)
    assert [field["field"] for field in refused.value.details["fields"]] == ["to"]


def test_the_two_forms_of_a_reward_have_the_same_fields() -> None:
    assert get_type_hints(RewardFields) == {name: get_type_hints(Reward)[name] for name in Reward.model_fields}


def test_an_answer_fits_into_what_lambda_carries() -> None:
    """In Lambda's own JSON each quote of the answer takes two bytes."""
    with pytest.raises(Failure):
        answered(['"' * 8] * 190_000)


def test_a_tag_counts_all_but_what_is_marked() -> None:
    tag = tag_of(Clock(free={"seconds": 1}, seconds=1))
    assert tag_of(Clock(free={"seconds": 1}, seconds=2)) == tag
    assert tag_of(Clock(free={"seconds": 2}, seconds=1)) != tag


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2))], ids=str)
def test_a_moving_instant_is_shown_like_any_other(zone: timezone) -> None:
    """In UTC, with Z and all six digits of its microseconds (platform contract, 1.7)."""
    noon = datetime(2031, 5, 9, 12, tzinfo=UTC).astimezone(zone)
    assert Now(now=noon).model_dump_json() == '{"now":"2031-05-09T12:00:00.000000Z"}'
    assert tag_of(Now(now=noon)) == tag_of(Now(now=None))
