"""Whatever moves a user's timer waits for the user's lock, and so does what the names of libraries depend on."""

from collections.abc import Callable

import pytest

from tests.conftest import Answer, Database, User
from tests.support import factories
from tests.support.locks import after_a_wait, assert_level_is_of_after_the_wait

# None of these pays: a payment takes the lock by itself.
OF_A_RUNNING_SESSION: dict[str, Callable[[User, str], Answer]] = {
    "start": lambda user, _: user.post("/focus"),
    "complete": lambda user, session: user.post(f"{session}/complete"),
    "abandon": lambda user, session: user.post(f"{session}/abandon"),
    "pause": lambda user, _: user.post("/focus/pause"),
}
OF_A_LIBRARY: dict[str, Callable[[User, str], Answer]] = {
    "add": lambda user, _: user.post("/focus/libraries", {"name": "Sofa"}),
    "change": lambda user, library: user.patch(library, {"name": "Sofa"}),
    "delete": lambda user, library: user.delete(library),
    "add a track": lambda user, library: user.post(f"{library}/tracks", {"track_title": "Rain"}),
}


@pytest.mark.parametrize("name", OF_A_RUNNING_SESSION)
def test_the_timer_waits_for_another_change(user: User, database: Database, name: str) -> None:
    path = f"/focus/{factories.focus_session(user)['id']}"
    answer, _ = after_a_wait(database, user, lambda: OF_A_RUNNING_SESSION[name](user, path))
    assert answer.status == 200, answer.text


def test_a_resume_waits_for_another_change(user: User, database: Database) -> None:
    factories.focus_session(user)
    user.post("/focus/pause")
    answer, _ = after_a_wait(database, user, lambda: user.delete("/focus/pause"))
    assert answer.data["status"] == "active"


@pytest.mark.parametrize("name", OF_A_LIBRARY)
def test_a_library_waits_for_another_change(user: User, database: Database, name: str) -> None:
    path = f"/focus/libraries/{factories.focus_library(user)['id']}"
    answer, _ = after_a_wait(database, user, lambda: OF_A_LIBRARY[name](user, path))
    assert answer.status == 200, answer.text


def test_a_library_that_a_session_begins_with_may_be_deleted_meanwhile(user: User, database: Database) -> None:
    library = factories.focus_library(user)["id"]
    deleted, _ = after_a_wait(
        database,
        user,
        lambda: user.delete(f"/focus/libraries/{library}"),
        meanwhile="INSERT INTO focus_sessions (duration_seconds, ends_at, library_id)"
        " SELECT 1500, instant() + interval '1500 s', id FROM focus_libraries",
    )
    assert deleted.data == {"success": True, "id": library}
    assert user.get("/focus/active").data["session"]["library_id"] is None


def test_the_level_and_the_streak_are_those_of_after_the_wait(user: User, database: Database) -> None:
    """A session that earns nothing pays nothing."""
    assert_level_is_of_after_the_wait(database, user, f"/focus/{factories.focus_session(user)['id']}/complete")
