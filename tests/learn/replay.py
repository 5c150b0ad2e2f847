"""The schedule of a card, computed anew from its log."""

from typing import Any, cast

from functions.learn.card_models import CardRow
from functions.learn.scheduling import CardScheduler
from tests.conftest import Database

SCHEDULE = ("state", "step", "stability", "difficulty", "due", "last_review", "interval_days", "reps", "lapses")


def replayed(database: Database, card_id: str) -> dict[str, Any]:
    """The schedule that a card's log gives, computed anew from the first row behind the last reset."""
    [stored] = database.query("SELECT * FROM flashcards WHERE id = %s", card_id)
    fresh = {"state": "new", "interval_days": 0, "reps": 0, "lapses": 0}
    history: list[dict[str, Any]] = [dict.fromkeys(SCHEDULE) | fresh]
    for row in database.query(
        "SELECT * FROM flashcard_reviews WHERE card_id = %s AND seq > %s ORDER BY seq", card_id, stored["reset_seq"]
    ):
        if row["kind"] == "undo":
            history.pop()
            continue
        scheduler: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in row["scheduler"].items()
        }
        assert scheduler.pop("name") == "fsrs-6"
        known = cast("CardRow", {**stored, **history[-1]})
        outcome = CardScheduler(**scheduler).outcome(known, row["rating"], row["reviewed_at"], row["elapsed_days"])
        after = outcome._asdict()
        assert after.pop("leech") == row["became_leech"]
        history.append({**after, "last_review": row["reviewed_at"], "reps": history[-1]["reps"] + 1})
    return history[-1]


def is_replayed(database: Database, card_id: str) -> None:
    """Assert that the log of a card explains its state, exactly."""
    [stored] = database.query("SELECT * FROM flashcards WHERE id = %s", card_id)
    assert {name: stored[name] for name in SCHEDULE} == replayed(database, card_id)
