import hashlib
from typing import Any
from uuid import UUID

from tests.conftest import Database, User

LESSON = "/learn/lessons/one_thing_at_a_time"
DRILL = "/learn/drills/hear_intervals"


def lesson_id(key: str = "one_thing_at_a_time") -> str:
    """The id of a seeded lesson: it follows from its key."""
    return _id("learn_lesson", key)


def drill_id(key: str = "hear_intervals") -> str:
    return _id("learn_drill", key)


def right_answers(database: Database, key: str = "one_thing_at_a_time") -> list[dict[str, Any]]:
    """All right, as a client would send it."""
    [row] = database.query("SELECT quiz_json FROM learn_lessons WHERE key = %s", key)
    return [{"question_id": one["id"], "choices": one["right"]} for one in row["quiz_json"]["questions"]]


def attempt(user: User, score: int = 100, path: str = DRILL, **fields: Any) -> dict[str, Any]:
    """An attempt of a drill, as its answer."""
    body = {"score": score, "correct_count": score // 10, "total_count": 10, "time_seconds": 42, **fields}
    answer: dict[str, Any] = user.post(f"{path}/submit", body).data
    return answer


def _id(kind: str, key: str) -> str:
    digest = hashlib.md5(f"{kind}:{key}".encode()).hexdigest()
    return str(UUID(digest))
