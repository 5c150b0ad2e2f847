"""What the table of focus sessions refuses, and what it takes at the limits (core contract, section 3)."""

from tests.conftest import Database, User
from tests.support import factories
from tests.support.soundness import accepted

ENDED = "ends_at = NULL, ended_at = now()"
REFUSED = [
    "mode = 'nap'",
    "duration_seconds = 0",
    "duration_seconds = 14401",
    "paused_total_seconds = -1",
    "status = 'running'",
    "status = 'lost', ends_at = NULL",
    "actual_seconds = -1",
    "actual_seconds = duration_seconds + 1",
    "xp_awarded = -1",
    "coins_awarded = -1",
    "task_title = ''",
    "task_title = repeat('x', 201)",
    "notes = repeat('x', 2001)",
    "tags = array_fill('x'::text, '{11}')",
    # A session that runs has an end ahead, and nothing of the other states.
    "ends_at = NULL",
    "paused_at = now()",
    "paused_remaining_seconds = 1",
    "completed_at = now()",
    "abandoned_at = now()",
    "ended_at = now()",
    "ended_at = now(), end_reason = 'user'",
    "end_reason = 'user'",
    # One that is paused has a remainder of at most four hours.
    "status = 'paused', ends_at = NULL, paused_at = now()",
    "status = 'paused', ends_at = NULL, paused_remaining_seconds = 1",
    "status = 'paused', ends_at = NULL, paused_at = now(), paused_remaining_seconds = -1",
    "status = 'paused', ends_at = NULL, paused_at = now(), paused_remaining_seconds = 14401",
    # One that has ended says when and why.
    f"status = 'completed', {ENDED}, end_reason = 'user'",
    f"status = 'completed', {ENDED}, completed_at = now()",
    f"status = 'completed', {ENDED}, completed_at = now(), end_reason = 'whim'",
    "status = 'completed', ends_at = NULL, completed_at = now()",
    f"status = 'abandoned', {ENDED}, end_reason = 'user'",
    "status = 'expired', ends_at = NULL",
]
TAKEN = [
    "mode = 'long_break', duration_seconds = 14400, actual_seconds = 14400, task_title = repeat('x', 200)",
    "notes = repeat('x', 2000), tags = array_fill('x'::text, '{10}'), duration_seconds = 14400",
    "mode = 'break', duration_seconds = 1, actual_seconds = 0, notes = '', task_title = NULL",
    "status = 'paused', ends_at = NULL, paused_at = now(), paused_remaining_seconds = 14400",
    "status = 'expired', paused_at = NULL, paused_remaining_seconds = NULL, ended_at = now(), end_reason = 'user'",
    "status = 'abandoned', abandoned_at = now(), end_reason = 'pause_lapsed'",
    "status = 'completed', abandoned_at = NULL, completed_at = now(), end_reason = 'superseded'",
    "end_reason = 'timer'",
]


def test_a_session_is_sound_whoever_writes_it(user: User, database: Database) -> None:
    session = factories.focus_session(user)
    assert accepted(database, "focus_sessions", session["id"], REFUSED) == []
    assert accepted(database, "focus_sessions", session["id"], TAKEN) == TAKEN
    # It was ended past the functions that count sessions.
    database.query("DELETE FROM focus_sessions WHERE id = %s", session["id"])
