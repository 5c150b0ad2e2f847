"""What the exercise tests ask for again and again."""

import hashlib
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from tests.conftest import Answer, Database, User


def built_in(slug: str) -> str:
    """The id of a built-in exercise (training contract, 1.8)."""
    return str(UUID(hashlib.md5(f"questlog:exercise:{slug}".encode()).hexdigest()))


SQUAT = built_in("barbell-squat")
BENCH = built_in("barbell-bench-press-medium-grip")
PLANK = built_in("plank")


def exercise(user: User, **fields: Any) -> dict[str, Any]:
    """An exercise of the user's own."""
    made: dict[str, Any] = user.post("/exercise", {"name": "Wall sit", "category": "strength"} | fields).data
    return made


def planned(exercise_id: str = SQUAT, **fields: Any) -> dict[str, Any]:
    """An exercise as a workout plans it."""
    return {"exercise_id": exercise_id, "sets": 3} | fields


def workout(user: User, *exercises: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A workout with one section of these exercises."""
    sections = [{"name": "Main", "section_type": "main", "exercises": list(exercises)}]
    made: dict[str, Any] = user.post("/exercise/workouts", {"name": "Legs", "sections": sections} | fields).data
    return made


def start(user: User, **fields: Any) -> str:
    """Begin a session; its id."""
    session_id: str = user.post("/exercise/sessions/start", fields).data["session_id"]
    return session_id


def log(user: User, exercise_id: str = SQUAT, **fields: Any) -> dict[str, Any]:
    """Log a set into the running session: 100 kg x 5 unless something else is measured."""
    measured = {"reps", "weight_kg", "duration_seconds", "distance_m"} & set(fields)
    values = fields if measured else {"reps": 5, "weight_kg": 100} | fields
    logged: dict[str, Any] = user.post("/exercise/sessions/log-set", {"exercise_id": exercise_id} | values).data
    return logged


def complete(user: User, **fields: Any) -> dict[str, Any]:
    """Complete the running session."""
    done: dict[str, Any] = user.post("/exercise/sessions/complete", fields).data
    return done


def trained(user: User, *sets: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A completed session with these sets, as the completion returned it."""
    start(user, **fields)
    for values in sets or ({},):
        log(user, **values)
    return complete(user)


def records(user: User, **query: Any) -> list[dict[str, Any]]:
    """The current personal records, or as the query asks."""
    listed: list[dict[str, Any]] = user.get("/exercise/records", query={"page_size": 100} | query).data["records"]
    return listed


def best(user: User) -> dict[str, float]:
    """The value of each current record by type."""
    return {record["record_type"]: record["value"] for record in records(user)}


def payments(user: User, database: Database) -> list[tuple[str, int, int, str | None]]:
    """What training paid: event, XP, coins, skill, oldest first."""
    rows = database.query(
        "SELECT event_type, xp, coins, skill_key FROM points_ledger WHERE user_id = %s"
        " AND event_type IN ('workout_complete', 'personal_record') ORDER BY seq",
        user.id,
    )
    return [(row["event_type"], row["xp"], row["coins"], row["skill_key"]) for row in rows]


def kept_weeks(database: Database, user: User) -> list[DictRow]:
    """What is kept of each week, oldest first."""
    return database.query(
        "SELECT week_start, workouts, sets, seconds, volume_kg FROM training_weeks WHERE user_id = %s ORDER BY 1",
        user.id,
    )


def counted_weeks(database: Database, user: User) -> list[DictRow]:
    """The same, counted over the completed sessions with a working set."""
    return database.query(
        """
        SELECT date_trunc('week', local_date)::date AS week_start, count(*) AS workouts, sum(total_sets) AS sets,
               coalesce(sum(duration_seconds), 0) AS seconds, sum(total_volume_kg) AS volume_kg
          FROM workout_sessions WHERE user_id = %s AND status = 'completed' AND total_sets > 0
         GROUP BY 1 ORDER BY 1
        """,
        user.id,
    )


def refused(answer: Answer, status: int, kind: str) -> Any:
    """Assert the refusal; its details."""
    return answer.refused(status, kind)
