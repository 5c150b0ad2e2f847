"""The schedule of cards as a pure function: the package's, with nights for days and a fuzz that can be replayed."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from fsrs import Card, Rating, Scheduler, State
from hypothesis import given
from hypothesis import strategies as st

from functions.learn import scheduling
from functions.learn.card_models import CardRow
from functions.learn.scheduling import CardScheduler, is_leech

START = datetime(2031, 1, 1, 7, 30, 0, 123456, tzinfo=UTC)
DEFAULTS: dict[str, Any] = {
    "desired_retention": 0.9,
    "maximum_interval": 36_500,
    "learning_steps": (1, 10),
    "relearning_steps": (10,),
    "leech_threshold": 8,
    "fuzz": False,
}


def scheduler(**changes: Any) -> CardScheduler:
    return CardScheduler(**DEFAULTS | changes)


def new_card(**changes: Any) -> CardRow:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "deck_id": uuid4(),
        "front": "f",
        "back": "b",
        "hint": None,
        "tags": [],
        "state": "new",
        "step": None,
        "due": None,
        "stability": None,
        "difficulty": None,
        "last_review": None,
        "elapsed_days": None,
        "interval_days": 0,
        "reps": 0,
        "lapses": 0,
        "suspended": False,
        "leech": False,
        "buried_until": None,
        "log_seq": 0,
        "created_at": START,
        "updated_at": START,
    } | changes
    return cast("CardRow", fields)


@dataclass
class Deck:
    """One card that is answered again and again, by UTC days."""

    scheduler: CardScheduler
    card: CardRow

    def days_since(self, at: datetime) -> int | None:
        last = self.card["last_review"]
        return None if last is None else (at.astimezone(UTC).date() - last.astimezone(UTC).date()).days

    def answer(self, rating: int, at: datetime) -> CardRow:
        outcome = self.scheduler.outcome(self.card, rating, at, self.days_since(at))
        changes = {**outcome._asdict(), "last_review": at, "reps": self.card["reps"] + 1}
        self.card = cast("CardRow", {**self.card, **changes})
        return self.card


def test_the_golden_vector() -> None:
    """Contract 2.4, rule 3."""
    deck, at, intervals = Deck(scheduler(), new_card()), START, []
    for rating in (3, 3, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3, 3):
        deck.answer(rating, at)
        intervals.append(deck.card["interval_days"])
        assert deck.card["due"] is not None
        at = deck.card["due"]
    assert intervals == [0, 2, 11, 46, 163, 498, 0, 0, 2, 4, 7, 12, 21]
    assert deck.card["stability"] == 20.77035728499242
    assert deck.card["difficulty"] == 9.055759917231622


def test_first_answers() -> None:
    preview = scheduler().preview(new_card(), START, None)
    assert preview == {"again": 60, "hard": 330, "good": 600, "easy": 8 * 86_400}


def test_a_night_is_a_day() -> None:
    """Contract 2.4, rule 1: from 21:11 in the evening to 7:00 the next morning."""
    deck = Deck(scheduler(), new_card())
    evening = datetime(2031, 5, 5, 21, tzinfo=UTC)
    for rating, at in (
        (1, evening),
        (3, evening + timedelta(minutes=1)),
        (3, evening + timedelta(minutes=11)),
        (3, datetime(2031, 5, 6, 7, tzinfo=UTC)),
    ):
        deck.answer(rating, at)
    assert deck.card["stability"] == pytest.approx(2.1520782454047453, abs=1e-12)
    assert deck.card["interval_days"] == 2


ratings = st.integers(1, 4)
settings = st.fixed_dictionaries(
    {
        "desired_retention": st.floats(0.70, 0.97),
        "maximum_interval": st.integers(30, 36_500),
        "learning_steps": st.lists(st.integers(1, 1440), max_size=5).map(tuple),
        "relearning_steps": st.lists(st.integers(1, 1440), max_size=5).map(tuple),
    }
)


@given(
    settings, st.lists(st.tuples(ratings, st.integers(0, 60 * 24 * 3), st.integers(0, 400)), min_size=1, max_size=25)
)
def test_a_history_is_the_packages(given: dict[str, Any], history: list[tuple[int, int, int]]) -> None:
    """In state review after whole days; in the others after any number of minutes."""
    reference = Scheduler(
        desired_retention=given["desired_retention"],
        maximum_interval=given["maximum_interval"],
        learning_steps=tuple(timedelta(minutes=step) for step in given["learning_steps"]),
        relearning_steps=tuple(timedelta(minutes=step) for step in given["relearning_steps"]),
        enable_fuzzing=False,
    )
    deck, theirs, at = Deck(scheduler(**given), new_card()), Card(card_id=1), START
    for rating, minutes, days in history:
        at += timedelta(days=days) if theirs.state == State.Review else timedelta(minutes=minutes)
        theirs, _ = reference.review_card(theirs, Rating(rating), at)
        ours = deck.answer(rating, at)
        assert (ours["state"], ours["step"]) == (theirs.state.name.lower(), theirs.step)
        assert ours["stability"] == pytest.approx(theirs.stability, abs=1e-9)
        assert ours["difficulty"] == pytest.approx(theirs.difficulty, abs=1e-9)
        assert ours["due"] == theirs.due
        assert ours["interval_days"] == ((theirs.due - at).days if theirs.state == State.Review else 0)
        for elapsed in (0, 1, 30):
            assert scheduling.retrievability(ours["stability"], elapsed) == pytest.approx(
                reference.get_card_retrievability(theirs, at + timedelta(days=elapsed)), abs=1e-12
            )


def fuzzed(days: int, card_id: UUID, reps: int, former: int, maximum: int) -> int:
    """Contract 2.4, rule 2, word by word."""
    if days < 2.5:
        return days
    delta = 1 + 0.15 * max(min(days, 7) - 2.5, 0) + 0.10 * max(min(days, 20) - 7, 0) + 0.05 * max(days - 20, 0)
    low, high = max(2, round(days - delta)), min(round(days + delta), maximum)
    if days > former:
        low = max(low, former + 1)
    low = min(low, high)
    u = int.from_bytes(hashlib.sha256(f"{card_id}:{reps}".encode()).digest()[:8], "big")
    return low + u * (high - low + 1) // 2**64


@given(st.uuids(), st.integers(0, 10_000), st.floats(0.001, 36_500), st.tuples(*[st.integers(0, 400)] * 2), settings)
def test_fuzz(card_id: UUID, reps: int, stability: float, days: tuple[int, int], given: dict[str, Any]) -> None:
    """What the fuzz makes of an interval, and that it keeps the answers in their order and lets what grows grow."""
    elapsed, former = days
    card = new_card(
        id=card_id,
        state="review",
        reps=reps,
        stability=stability,
        difficulty=5.0,
        last_review=START,
        interval_days=former,
    )
    at = START + timedelta(days=elapsed)
    plain = [scheduler(**given).outcome(card, one, at, elapsed).interval_days for one in Rating]
    moved = [scheduler(**given, fuzz=True).outcome(card, one, at, elapsed).interval_days for one in Rating]
    assert moved == [fuzzed(one, card_id, reps, former, given["maximum_interval"]) if one else 0 for one in plain]
    assert moved[1] <= moved[2] <= moved[3] <= given["maximum_interval"]
    for interval, result in zip(plain[1:], moved[1:], strict=True):
        if interval > former >= 1:
            assert result > former or result == given["maximum_interval"]


def test_fuzz_spreads_evenly() -> None:
    card = new_card(state="review", stability=30.0, difficulty=5.0, last_review=START, interval_days=10, reps=3)
    counts: dict[int, int] = {}
    for _ in range(3000):
        outcome = scheduler(fuzz=True).outcome({**card, "id": uuid4()}, 3, START + timedelta(days=30), 30)
        counts[outcome.interval_days] = counts.get(outcome.interval_days, 0) + 1
    expected = 3000 / len(counts)
    assert len(counts) >= 9
    assert all(0.7 * expected < count < 1.3 * expected for count in counts.values())


@given(settings, st.booleans(), st.lists(st.tuples(ratings, st.integers(0, 100_000)), max_size=8), ratings)
def test_a_preview_is_what_the_answer_does(
    given: dict[str, Any], fuzz: bool, history: list[tuple[int, int]], rating: int
) -> None:
    deck, at = Deck(scheduler(**given, fuzz=fuzz), new_card()), START
    for one, minutes in history:
        at += timedelta(minutes=minutes)
        deck.answer(one, at)
    preview = deck.scheduler.preview(deck.card, at, deck.days_since(at))
    due = deck.answer(rating, at)["due"]
    assert due is not None
    assert [*preview.values()][rating - 1] == (due - at).total_seconds()


def test_times_of_any_zone_are_the_same() -> None:
    """The package refuses all but one way to say UTC."""
    deck, other = Deck(scheduler(), new_card()), Deck(scheduler(), new_card())
    east = timezone(timedelta(hours=9))
    for rating, at in ((4, START), (3, START + timedelta(days=9))):
        assert deck.answer(rating, at)["stability"] == other.answer(rating, at.astimezone(east))["stability"]
    assert deck.card["due"] == other.card["due"]


def test_days_that_went_backwards_are_none() -> None:
    """A user who travelled west may review on the day before the last review's."""
    card = new_card(state="review", stability=3.0, difficulty=5.0, last_review=START, interval_days=3, reps=2)
    at = START + timedelta(hours=2)
    assert scheduler().outcome(card, 3, at, -1) == scheduler().outcome(card, 3, at, 0)


@pytest.mark.parametrize(
    ("threshold", "leeches"),
    [(8, [8, 12, 16, 20]), (2, [2, 3, 4, 5]), (3, [3, 5, 7, 9]), (5, [5, 8, 11, 14]), (50, [50, 75, 100, 125])],
)
def test_leeches(threshold: int, leeches: list[int]) -> None:
    assert [lapses for lapses in range(200) if is_leech(lapses, threshold)][:4] == leeches


def test_only_forgetting_in_review_is_a_lapse() -> None:
    for state, step in (("learning", 0), ("relearning", 0), ("review", None)):
        card = new_card(state=state, step=step, stability=3.0, difficulty=5.0, last_review=START, reps=2, lapses=7)
        outcomes = [scheduler().outcome(card, rating, START + timedelta(days=1), 1) for rating in Rating]
        lapsed = state == "review"
        assert [one.lapses for one in outcomes] == [7 + lapsed, 7, 7, 7]
        assert [one.leech for one in outcomes] == [lapsed, False, False, False]
    first = scheduler(leech_threshold=2).outcome(new_card(), 1, START, None)
    assert (first.lapses, first.leech) == (0, False)


def test_a_new_card_is_not_remembered_at_all() -> None:
    assert scheduling.retrievability(None, None) is None
    assert scheduling.retrievability(10.0, 0) == 1
    assert scheduling.retrievability(10.0, -1) == 1
    assert scheduling.retrievability(10.0, 10) == pytest.approx(0.9)
