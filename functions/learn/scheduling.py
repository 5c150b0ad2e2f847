"""When something comes back for review: FSRS-6, as the `fsrs` package has it, over days that are nights slept.

The package counts days of 24 hours from instant to instant. Here a day ends when the user's day does: what was learned
in the evening and is asked again in the morning was slept over, and counts as one day (fsrs-rs#237).
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from fsrs import Card, Rating, Scheduler, State

from functions.learn.models import ReviewItem

# The package takes instants where days are meant; any will do, so long as they are as many days apart.
_DAY_ZERO: Final = datetime(2000, 1, 1, tzinfo=UTC)

# For lessons and drills: no steps within a day, and the package's own retention (90 %) and longest interval.
_BY_DAYS: Final = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


class NextReview(NamedTuple):
    """The memory of a lesson or drill after a review, and in how many days it comes back."""

    stability: float
    difficulty: float
    days: int


def rating_of(score: int | None) -> Rating:
    """What a score of 0 to 100 says of the memory; without a score, that all went well."""
    if score is None:
        return Rating.Good
    if score >= 90:
        return Rating.Easy
    if score >= 70:
        return Rating.Good
    return Rating.Hard if score >= 50 else Rating.Again


def next_review(item: ReviewItem, score: int | None) -> NextReview:
    """The schedule of a lesson or drill after a completion with this score."""
    known = item.reps > 0
    card = Card(
        card_id=0,
        state=State.Review if known else State.Learning,
        stability=item.stability,
        difficulty=item.difficulty,
        due=_DAY_ZERO,
        last_review=_DAY_ZERO if known else None,
    )
    at = _DAY_ZERO + timedelta(days=max(0, item.elapsed_days or 0))
    reviewed, _ = _BY_DAYS.review_card(card, rating_of(score), at)
    assert reviewed.stability is not None
    assert reviewed.difficulty is not None
    return NextReview(reviewed.stability, reviewed.difficulty, (reviewed.due - at).days)
