from datetime import datetime, timedelta

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.support import factories
from tests.support.locks import after_a_wait


def test_starts_with_the_customary_length_of_each_mode(user: User) -> None:
    for mode, seconds in {"focus": 1500, "break": 300, "long_break": 900}.items():
        session = factories.focus_session(user, mode=mode)
        assert (session["status"], session["duration_seconds"]) == ("active", seconds)
        assert session["time_remaining_seconds"] == seconds
        lasting = datetime.fromisoformat(session["expires_at"]) - datetime.fromisoformat(session["started_at"])
        assert lasting == timedelta(seconds=seconds)


def test_shows_exactly_the_fields_of_a_session(user: User) -> None:
    session = factories.focus_session(user, task_title="  Read  ", tags=["deep"], duration_seconds=60)
    assert set(session) == {
        *("id", "mode", "duration_seconds", "started_at", "completed_at", "abandoned_at", "ended_at", "expires_at"),
        *("paused_at", "status", "xp_awarded", "coins_awarded", "actual_seconds", "task_title", "notes", "tags"),
        *("library_id", "time_remaining_seconds"),
    }
    assert session["task_title"] == "Read"
    assert session["tags"] == ["deep"]
    assert session["started_at"].endswith("Z")
    assert len(session["started_at"]) == len("2031-05-09T08:00:00.000000Z")


def test_a_blank_title_is_none(user: User) -> None:
    assert factories.focus_session(user, task_title="   ")["task_title"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "nap"}, "mode"),
        ({"duration_seconds": 0}, "duration_seconds"),
        ({"duration_seconds": 14401}, "duration_seconds"),
        ({"duration_seconds": "1500"}, "duration_seconds"),
        ({"duration_seconds": 1.5}, "duration_seconds"),
        ({"task_title": "x" * 201}, "task_title"),
        ({"tags": ["a"] * 11}, "tags"),
        ({"tags": ["ok", ""]}, "tags.1"),
        ({"tags": ["x" * 31]}, "tags.0"),
        ({"library_id": "mine"}, "library_id"),
    ],
)
def test_bad_input_is_named(user: User, body: dict[str, object], field: str) -> None:
    user.post("/focus", body).invalid(field)
    assert user.get("/focus").data["total"] == 0


def test_a_start_ends_what_runs(user: User) -> None:
    first = factories.focus_session(user)
    second = factories.focus_session(user)
    ended = user.get(f"/focus/{first['id']}").data
    assert (ended["status"], ended["expires_at"]) == ("abandoned", None)
    assert user.get("/focus/active").data["session"]["id"] == second["id"]


def test_what_a_start_ends_is_not_paid(user: User, clock: Clock, database: Database) -> None:
    first = factories.focus_session(user, duration_seconds=1500)
    clock.advance("1499 s")
    factories.focus_session(user)
    ended = user.get(f"/focus/{first['id']}").data
    assert (ended["status"], ended["actual_seconds"], ended["xp_awarded"]) == ("abandoned", 1499, 0)
    user.post(f"/focus/{first['id']}/complete").refused(409, "invalid_state")
    assert database.query("SELECT id FROM points_ledger WHERE user_id = %s", user.id) == []


def test_why_each_session_ended(user: User, clock: Clock, database: Database) -> None:
    def last_reason() -> str:
        rows = database.query(
            "SELECT end_reason FROM focus_sessions WHERE user_id = %s AND ended_at IS NOT NULL"
            " ORDER BY started_at DESC LIMIT 1",
            user.id,
        )
        reason: str = rows[0]["end_reason"]
        return reason

    for verb in ("complete", "abandon"):
        user.post(f"/focus/{factories.focus_session(user)['id']}/{verb}")
        assert last_reason() == "user"
        clock.advance("1 s")
    late = factories.focus_session(user, duration_seconds=60)["id"]
    clock.advance("61 s")
    user.post(f"/focus/{late}/complete")
    assert last_reason() == "timer", "whoever finds it"
    factories.focus_session(user)
    clock.advance("1 s")
    factories.focus_session(user)
    assert last_reason() == "superseded"
    user.post("/focus/pause")
    clock.advance("3600 s")
    user.get("/focus/active")
    assert last_reason() == "pause_lapsed"
    factories.focus_session(user, duration_seconds=60)
    clock.advance("60 s")
    factories.focus_session(user)
    assert last_reason() == "timer"


def test_a_start_ends_what_is_paused(user: User) -> None:
    factories.focus_session(user)
    user.post("/focus/pause")
    second = factories.focus_session(user)
    assert user.get("/focus/active").data == {"session": second, "pause_state": None}


def test_a_start_first_pays_what_ran_out(user: User, clock: Clock) -> None:
    first = factories.focus_session(user, duration_seconds=1500)
    clock.advance("1600 s")
    factories.focus_session(user)
    assert user.get(f"/focus/{first['id']}").data["xp_awarded"] == 25


def test_a_start_is_dated_after_its_wait(user: User, database: Database) -> None:
    first = factories.focus_session(user)
    second, released = after_a_wait(database, user, lambda: factories.focus_session(user))
    assert datetime.fromisoformat(second["started_at"]) >= released
    assert second["time_remaining_seconds"] == 1500
    ended = user.get(f"/focus/{first['id']}").data["ended_at"]
    assert released <= datetime.fromisoformat(ended) <= datetime.fromisoformat(second["started_at"])


def test_ten_starts_at_once_leave_one_live(user: User, database: Database) -> None:
    answers = at_once(10, lambda: user.post("/focus"))
    assert [answer.status for answer in answers] == [200] * 10
    live = database.query(
        "SELECT id FROM focus_sessions WHERE user_id = %s AND status IN ('active', 'paused')", user.id
    )
    assert len(live) == 1


def test_a_library_must_be_ones_own(user: User, other: User) -> None:
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    assert factories.focus_session(user, library_id=library)["library_id"] == library
    other.post("/focus", {"library_id": library}).refused(404, "not_found")
    assert other.get("/focus/active").data["session"] is None


def test_a_replay_starts_nothing(user: User) -> None:
    key = {"Idempotency-Key": "start-once"}
    first = user.post("/focus", {"mode": "focus"}, headers=key)
    again = user.post("/focus", {"mode": "focus"}, headers=key)
    assert again.headers["idempotent-replay"] == "true"
    assert again.json == first.json
    assert user.get("/focus").data["total"] == 1


def test_needs_a_session(stranger: Client) -> None:
    stranger.post("/focus").refused(401, "unauthorized")
