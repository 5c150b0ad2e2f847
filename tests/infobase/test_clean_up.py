"""The clean-up: what has been in the trash for 30 days goes."""

from types import SimpleNamespace

from functions.jobs import worker
from local.clock import Clock
from tests.conftest import Database, User
from tests.infobase.conftest import added, changed, found, listed
from tests.support import bucket
from tests.support.client import log_in


def clean_up() -> int:
    """How many entries the clean-up deletes. It looks into the bucket too."""
    bucket.serve()
    log_in("jobs")
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 240_000)
    return worker.handler({"schedule": "cleanup"}, context)["infobase_entries"]


def test_the_trash_is_emptied_after_30_days(user: User, other: User, database: Database, clock: Clock) -> None:
    clock.set("2031-05-07T12:00:00Z")
    database.query("DELETE FROM infobase_entries WHERE deleted_at IS NOT NULL")  # what other tests have left
    for owner in (user, other):
        changed(owner, added(owner, "Old", "drums"), content="old drums")
        added(owner, "Kept", "drums")
        [old] = [entry for entry in owner.get("/infobase").data["entries"] if entry["title"] == "Old"]
        owner.delete(f"/infobase/{old['id']}")
    clock.advance("P29DT23H")
    late = added(user, "Late", "drums")
    user.delete(f"/infobase/{late['id']}")
    assert clean_up() == 0
    assert found(user, "drums", trash="true") == ["Late", "Old"]
    clock.advance("PT1H1M")
    assert clean_up() == 2
    assert clean_up() == 0
    assert listed(user, trash="true") == found(user, "drums", trash="true") == ["Late"]
    assert listed(other, trash="true") == found(other, "drums", trash="true") == []
    for owner in (user, other):
        assert listed(owner) == found(owner, "drums") == ["Kept"]
        assert database.query("SELECT FROM infobase_versions WHERE user_id = %s", owner.id) == []
