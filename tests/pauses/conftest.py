"""Pauses at noon of a Wednesday, in days from then."""

from typing import Any

import pytest

from tests.conftest import Client
from tests.support.clock import ahead


@pytest.fixture(autouse=True)
def _at_noon(noon: None) -> None:
    """Every test of pauses counts days, from NOON's."""


def pause(user: Client, first: int | None = None, last: int | None = None, **fields: Any) -> dict[str, Any]:
    """A pause from one day to another, in days from NOON's; of everything unless `habit_id` is given."""
    made: dict[str, Any] = user.post("/pauses", days(first, last) | fields).data
    return made


def days(first: int | None = None, last: int | None = None) -> dict[str, str]:
    """The days of a request, as far as they are given."""
    return {name: ahead(day) for name, day in (("from", first), ("to", last)) if day is not None}


def listed(user: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get("/pauses").data["pauses"]
    return found
