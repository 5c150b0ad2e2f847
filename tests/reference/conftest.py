import pytest

from tests.support import bucket


@pytest.fixture(autouse=True)
def running_bucket() -> None:
    """The functions reach a bucket."""
    bucket.serve()
