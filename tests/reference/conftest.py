import pytest

from tests.conftest import Database
from tests.support import bucket


@pytest.fixture(autouse=True)
def running_bucket() -> None:
    """The functions reach a bucket."""
    bucket.serve()


@pytest.fixture(autouse=True)
def _no_jobs_of_other_tests(database: Database) -> None:
    """A worker takes what is due, whose ever it is: what earlier tests have queued is over."""
    database.query(
        "UPDATE jobs SET status = 'done', lease_until = NULL, finished_at = instant()"
        " WHERE status IN ('queued', 'running')"
    )
