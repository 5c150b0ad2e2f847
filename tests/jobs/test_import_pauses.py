"""Pauses in an account that is exported and imported."""

from datetime import timedelta

import pytest

from local.clock import Clock
from tests.conftest import Database, NewUser
from tests.jobs.accounts import bring, export_of
from tests.pauses.conftest import days, listed, pause
from tests.support import factories
from tests.support.clock import NOON, ahead


@pytest.mark.usefixtures("noon")
def test_pauses_come_along_with_an_account(new_user: NewUser, database: Database, clock: Clock) -> None:
    """With the streaks that they hold; and what is imported can be changed as before."""
    source, user = new_user(), new_user()
    habit = factories.habit(source)["id"]
    source.post(f"/habits/{habit}/complete")
    made = [pause(source, 5, 6, habit_id=habit), pause(source, 1)]
    ended = bring(user, export_of(database, source).zipped())
    assert ended["status"] == "done", ended
    clock.set(NOON + timedelta(days=3))
    assert listed(user) == listed(source) == [made[0], made[1] | {"days": 3}]
    for client in (user, source):
        assert {shown["current_streak"] for shown in client.get("/streaks").json} == {0, 1}
        assert client.get("/habits").data["habits"][0]["paused_until"] == ahead(60)
    user.post("/pauses", days(4, 4)).refused(409, "conflict")
    assert user.patch(f"/pauses/{made[1]['id']}", {"to": ahead(2)}).data["days"] == 2
