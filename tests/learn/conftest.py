import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

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


def deck(user: User, **fields: Any) -> str:
    """The id of a new deck."""
    deck_id: str = user.post("/learn/decks", {"name": "Words"} | fields).data["id"]
    return deck_id


def card(user: User, deck_id: str, front: str = "dog", **fields: Any) -> dict[str, Any]:
    """A new card."""
    made: dict[str, Any] = user.post(f"/learn/decks/{deck_id}/cards", {"front": front, "back": "a back"} | fields).data
    return made


def cards(user: User, deck_id: str, count: int) -> list[str]:
    """The ids of so many new cards."""
    return [card(user, deck_id, f"front {n}")["id"] for n in range(count)]


def review(user: User, card_id: str, rating: int = 3, **fields: Any) -> dict[str, Any]:
    """A review of a card, as its answer."""
    answer: dict[str, Any] = user.post(f"/learn/cards/{card_id}/review", {"rating": rating} | fields).data
    return answer


def read(user: User, card_id: str) -> dict[str, Any]:
    """A card as it is now."""
    shown: dict[str, Any] = user.get(f"/learn/cards/{card_id}").data
    return shown


def _id(kind: str, key: str) -> str:
    digest = hashlib.md5(f"{kind}:{key}".encode()).hexdigest()
    return str(UUID(digest))


@pytest.fixture(autouse=True)
def _decks_count_their_cards(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test, what decks count of their cards is what there is of them."""
    yield
    if "database" in request.fixturenames:
        database: Database = request.getfixturevalue("database")
        wrong = database.query(
            """
            SELECT d.name, d.card_count, d.new_count, d.suspended_count, c.*
              FROM flashcard_decks AS d,
                   LATERAL (
                       SELECT count(*) AS cards, count(*) FILTER (WHERE suspended_at IS NOT NULL) AS suspended,
                              count(*) FILTER (WHERE state = 'new' AND suspended_at IS NULL) AS fresh
                         FROM flashcards AS c
                        WHERE c.user_id = d.user_id AND c.deck_id = d.id AND c.deleted_at IS NULL) AS c
             WHERE (d.card_count, d.new_count, d.suspended_count) <> (c.cards, c.fresh, c.suspended)
            """
        )
        assert wrong == []
