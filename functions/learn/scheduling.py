"""When something is due for review: FSRS-6, as in the `fsrs` package, but counted in the user's local days.

The package counts days of 24 hours from instant to instant. Here a day ends when the user's day does: from one evening
to the next morning is one day, since the user has slept in between (fsrs-rs#237).
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from fsrs import Card, Rating, Scheduler, State

from functions.learn.card_models import CardRow, Preview, Settings
from functions.learn.models import ReviewItem

# The package takes instants where days are meant. Any will do that are as many days apart.
_DAY_ZERO: Final = datetime(2000, 1, 1, tzinfo=UTC)

# For lessons and drills: no steps within a day, and the package's own retention (90 %) and longest interval.
_BY_DAYS: Final = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)

# The forgetting curve: retrievability = (1 + FACTOR * days / stability) ** DECAY, the same for all schedulers with the
# default weights. By its definition it is 0.9 after as many days as the stability.
DECAY: Final = -_BY_DAYS.parameters[20]
FACTOR: Final = 0.9 ** (1 / DECAY) - 1

_STATES: Final = {
    "new": State.Learning,
    "learning": State.Learning,
    "review": State.Review,
    "relearning": State.Relearning,
}


class NextReview(NamedTuple):
    """The memory of a lesson or drill after a review, and in how many days it comes back."""

    stability: float
    difficulty: float
    days: int


def rating_of(score: int | None) -> Rating:
    """The rating for a score of 0 to 100; without a score it is good."""
    if score is None:
        return Rating.Good
    if score >= 90:
        return Rating.Easy
    if score >= 70:
        return Rating.Good
    return Rating.Hard if score >= 50 else Rating.Again


def next_review(item: ReviewItem, score: int | None) -> NextReview:
    """The schedule of a lesson or drill after a completion with this score."""
    known = item["reps"] > 0
    card = Card(
        card_id=0,
        state=State.Review if known else State.Learning,
        stability=item["stability"],
        difficulty=item["difficulty"],
        due=_DAY_ZERO,
        last_review=_DAY_ZERO if known else None,
    )
    at = _DAY_ZERO + timedelta(days=max(0, item["elapsed_days"] or 0))
    reviewed, _ = _BY_DAYS.review_card(card, rating_of(score), at)
    assert reviewed.stability is not None
    assert reviewed.difficulty is not None
    return NextReview(reviewed.stability, reviewed.difficulty, (reviewed.due - at).days)


class Outcome(NamedTuple):
    """The schedule of a card after an answer."""

    state: str
    step: int | None
    stability: float
    difficulty: float
    due: datetime
    interval_days: int
    lapses: int
    leech: bool


class CardScheduler(NamedTuple):
    """How a user's cards are scheduled; the log keeps it with each review."""

    desired_retention: float
    maximum_interval: int
    learning_steps: tuple[int, ...]
    relearning_steps: tuple[int, ...]
    leech_threshold: int
    fuzz: bool

    @classmethod
    def of(cls, settings: Settings, desired_retention: float | None) -> "CardScheduler":
        """The scheduler of a deck, whose own retention wins if it has one."""
        return cls(
            desired_retention=settings["desired_retention"] if desired_retention is None else desired_retention,
            maximum_interval=settings["maximum_interval"],
            learning_steps=tuple(settings["learning_steps"]),
            relearning_steps=tuple(settings["relearning_steps"]),
            leech_threshold=settings["leech_threshold"],
            fuzz=settings["fuzz"],
        )

    def document(self) -> dict[str, Any]:
        """The scheduler as the log keeps it."""
        return {"name": "fsrs-6", **self._asdict()}

    def outcome(self, card: CardRow, rating: int, at: datetime, elapsed_days: int | None) -> Outcome:
        """The card's schedule after an answer at `at`, so many local days after the last one."""
        at = at.astimezone(UTC)
        # In state review the package gets the local days; in the other states, where minutes count, the real time.
        last = None if card["last_review"] is None else card["last_review"].astimezone(UTC)
        told = last + timedelta(days=max(0, elapsed_days or 0)) if last and card["state"] == "review" else at
        known = Card(
            card_id=0,
            state=_STATES[card["state"]],
            step=0 if card["state"] == "new" else card["step"],
            stability=card["stability"],
            difficulty=card["difficulty"],
            due=told,
            last_review=last,
        )
        answered, _ = _scheduler(self).review_card(known, Rating(rating), told)
        assert answered.stability is not None
        assert answered.difficulty is not None
        interval = answered.due - told
        if answered.state == State.Review and self.fuzz:
            interval = timedelta(
                days=_fuzzed(interval.days, card["id"], card["reps"], card["interval_days"], self.maximum_interval)
            )
        lapsed = card["state"] == "review" and rating == Rating.Again
        lapses = card["lapses"] + lapsed
        return Outcome(
            state=answered.state.name.lower(),
            step=answered.step,
            stability=answered.stability,
            difficulty=answered.difficulty,
            due=at + interval,
            interval_days=interval.days if answered.state == State.Review else 0,
            lapses=lapses,
            leech=lapsed and is_leech(lapses, self.leech_threshold),
        )

    def preview(self, card: CardRow, at: datetime, elapsed_days: int | None) -> Preview:
        """In how many seconds the card is due again, for each answer at `at`."""
        again, hard, good, easy = (
            int((self.outcome(card, rating, at, elapsed_days).due - at).total_seconds()) for rating in Rating
        )
        return Preview(again=again, hard=hard, good=good, easy=easy)


@lru_cache(maxsize=16)
def _scheduler(scheduler: CardScheduler) -> Scheduler:
    return Scheduler(
        desired_retention=scheduler.desired_retention,
        maximum_interval=scheduler.maximum_interval,
        learning_steps=_minutes(scheduler.learning_steps),
        relearning_steps=_minutes(scheduler.relearning_steps),
        enable_fuzzing=False,
    )


def _minutes(steps: Sequence[int]) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=step) for step in steps)


def _fuzzed(days: int, card_id: UUID, reps: int, former_days: int, maximum_interval: int) -> int:
    """An interval changed a little, so that cards learned on one day do not stay together for ever.

    The change follows from the card and its number of reviews, so that a replay of the log gives the same interval, and
    a preview the one that the answer will have. An interval that grows stays longer than the former one.
    """
    if days < 2.5:
        return days
    delta = 1 + 0.15 * max(0, min(days, 7) - 2.5) + 0.10 * max(0, min(days, 20) - 7) + 0.05 * max(0, days - 20)
    lowest = max(2, round(days - delta))
    highest = min(round(days + delta), maximum_interval)
    if days > former_days:
        lowest = max(lowest, former_days + 1)
    lowest = min(lowest, highest)
    digest = hashlib.sha256(f"{card_id}:{reps}".encode()).digest()
    return lowest + (int.from_bytes(digest[:8], "big") * (highest - lowest + 1) >> 64)


def is_leech(lapses: int, threshold: int) -> bool:
    """Whether a card becomes a leech by this lapse: at the threshold, and at each further half of it, rounded up."""
    return lapses >= threshold and (lapses - threshold) % ((threshold + 1) // 2) == 0


def retrievability(stability: float | None, elapsed_days: int | None) -> float | None:
    """The probability that a card is remembered so many local days after its last review; None for a new one."""
    if stability is None:
        return None
    return float((1 + FACTOR * max(0, elapsed_days or 0) / stability) ** DECAY)
