from collections.abc import Iterator

import pytest

from tests.conftest import Database
from tests.notifications.browsers import Browser, serving


@pytest.fixture
def browser() -> Iterator[Browser]:
    with serving() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _nothing_of_others(database: Database) -> None:
    """What the users of tests before this one left to be sent is theirs."""
    database.query("DELETE FROM reminders")
    database.query("DELETE FROM notification_deliveries")
    database.query("DELETE FROM job_runs WHERE name = 'reminders'")
