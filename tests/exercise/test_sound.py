"""What the tables of sessions and sets refuse, and what they take at the limits (training contract)."""

from tests.conftest import Database, User
from tests.exercise.training import log, start
from tests.support.soundness import accepted

DONE = "status = 'completed', completed_at = now(), closed_at = now()"
SESSIONS_REFUSED = [
    "workout_name = ''",
    "workout_name = repeat('x', 121)",
    "workout_type = 'rest'",
    "status = 'lost', closed_at = now()",
    "total_sets = -1",
    "total_volume_kg = -0.001",
    "xp_awarded = -1",
    "coins_awarded = -1",
    "notes = ''",
    "notes = repeat('x', 2001)",
    "rating = 0",
    "rating = 6",
    "intensity_modifier = 0.09",
    "intensity_modifier = 2.01",
    "import_key = ''",
    "import_key = repeat('x', 321)",
    "import_key = 'x', import_digest = '\\x00'",
    "import_digest = decode(repeat('00', 16), 'hex')",
    # One that runs has no end, and one that has ended says when.
    "completed_at = now()",
    "abandoned_at = now()",
    "closed_at = now()",
    "duration_seconds = 1",
    "status = 'completed', closed_at = now()",
    "status = 'completed', completed_at = now()",
    "status = 'abandoned', closed_at = now()",
    "status = 'abandoned', abandoned_at = now()",
    f"{DONE}, abandoned_at = now()",
    f"{DONE}, started_at = now() + interval '1 s'",
    f"{DONE}, duration_seconds = -1",
    f"{DONE}, duration_seconds = 43201",
    "status = 'abandoned', abandoned_at = now(), closed_at = now(), duration_seconds = 1",
]
SESSIONS_TAKEN = [
    "workout_name = repeat('x', 120), workout_type = 'mixed', notes = repeat('x', 2000)",
    "rating = 1, intensity_modifier = 0.1, import_key = repeat('x', 320)",
    "rating = 5, intensity_modifier = 2, import_digest = decode(repeat('00', 16), 'hex')",
    "import_key = NULL, import_digest = NULL, notes = NULL, rating = NULL, intensity_modifier = NULL",
    "status = 'abandoned', abandoned_at = now(), closed_at = now()",
    f"{DONE}, abandoned_at = NULL, started_at = now(), duration_seconds = 0",
    "duration_seconds = 43200",
    "status = 'active', completed_at = NULL, closed_at = NULL, duration_seconds = NULL",
]
SETS_REFUSED = [
    "set_number = 0",
    "reps = NULL",
    "reps = -1",
    "reps = 10001",
    "weight_kg = -500.001",
    "weight_kg = 2000.001",
    "duration_seconds = -1",
    "duration_seconds = 86401",
    "distance_m = -0.001",
    "distance_m = 1000000.001",
    "rpe = 0.5",
    "rpe = 10.5",
    "rpe = 7.3",
    "notes = ''",
    "notes = repeat('x', 501)",
]
SETS_TAKEN = [
    "reps = 0, weight_kg = -500",
    "reps = 10000, weight_kg = 2000, duration_seconds = 0, distance_m = 0, rpe = 1",
    "duration_seconds = 86400, distance_m = 1000000, rpe = 10, notes = repeat('x', 500)",
    "reps = NULL, weight_kg = NULL, distance_m = NULL, rpe = 7.5, notes = 'x'",
    "reps = 5, weight_kg = 100, duration_seconds = NULL, rpe = NULL, notes = NULL",
]


def test_a_session_and_a_set_are_sound_whoever_writes_them(user: User, database: Database) -> None:
    session = start(user)
    logged = log(user)
    assert accepted(database, "workout_sessions", session, SESSIONS_REFUSED) == []
    assert accepted(database, "workout_sessions", session, SESSIONS_TAKEN) == SESSIONS_TAKEN
    assert accepted(database, "exercise_sets", logged["set"]["id"], SETS_REFUSED) == []
    assert accepted(database, "exercise_sets", logged["set"]["id"], SETS_TAKEN) == SETS_TAKEN
