import pytest

from tests.conftest import Database
from tests.support import bucket


@pytest.fixture(autouse=True)
def nothing_else_to_do(database: Database) -> None:
    """A bucket that answers, and no work that another test has left."""
    bucket.serve()
    for table in ("jobs", "job_runs", "storage_deletions", "upload_intents"):
        database.query(f"DELETE FROM {table}")
