"""Flashcards against a model: reviewed, undone, buried, suspended and reset in any order, while days pass."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fsrs import Card, Rating, Scheduler, State
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.learn.conftest import card, deck
from tests.learn.replay import is_replayed

CARDS = 3
LEECH_THRESHOLD = 2
REFERENCE = Scheduler(enable_fuzzing=False)
CARD = st.integers(0, CARDS - 1)
PAUSES = st.sampled_from(
    [timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=7), *(timedelta(days=n) for n in (1, 3, 17, 90))]
)


@dataclass(frozen=True)
class Schedule:
    """A card as the package has it, and what the package does not count."""

    card: Card
    reps: int = 0
    lapses: int = 0
    interval_days: int = 0

    @property
    def state(self) -> str:
        return self.card.state.name.lower() if self.reps else "new"


@dataclass(frozen=True)
class Undoable:
    """What a review can be undone to."""

    number: int
    before: Schedule
    buried_until: datetime | None
    became_leech: bool


@dataclass
class Model:
    """What there is of a card."""

    schedule: Schedule = Schedule(Card(card_id=1))
    suspended: bool = False
    leech: bool = False
    buried_until: datetime | None = None
    reviews: list[Undoable] = field(default_factory=list)

    def review(self, number: int, rating: int, at: datetime) -> None:
        """The package's schedule, over nights slept (learn contract 2.4, rule 1)."""
        before = self.schedule
        card, told = Card.from_dict(before.card.to_dict()), at
        if card.state == State.Review:
            assert card.last_review is not None
            told = card.last_review + timedelta(days=(at.date() - card.last_review.date()).days)
        answered, _ = REFERENCE.review_card(card, Rating(rating), told)
        interval = answered.due - told
        answered.due, answered.last_review = at + interval, at
        lapsed = before.state == "review" and rating == Rating.Again
        lapses = before.lapses + lapsed
        # At the threshold, and at each further half of it: from 2 on each lapse (rule 8).
        became_leech = lapsed and lapses >= LEECH_THRESHOLD
        self.reviews.append(Undoable(number, before, self.buried_until, became_leech))
        days = interval.days if answered.state == State.Review else 0
        self.schedule = Schedule(answered, before.reps + 1, lapses, days)
        self.leech = self.suspended = became_leech
        self.buried_until = None

    def undo(self) -> None:
        review = self.reviews.pop()
        self.schedule = review.before
        self.buried_until = self.buried_until or review.buried_until
        self.suspended = self.suspended and not (self.leech and review.became_leech)
        self.leech = False

    def reset(self) -> None:
        self.schedule, self.leech = Schedule(Card(card_id=1)), False
        self.reviews.clear()

    def is_due(self, now: datetime) -> bool:
        if self.suspended or (self.buried_until is not None and self.buried_until > now):
            return False
        due = self.schedule.card.due
        return {"new": True, "review": due.date() <= now.date()}.get(self.schedule.state, due <= now)


class Flashcards(RuleBasedStateMachine):
    def __init__(self, database: Database, new_user: NewUser, clock: Clock) -> None:
        super().__init__()
        self._database, self._new_user, self._clock = database, new_user, clock

    @initialize()
    def begin(self) -> None:
        self.user: User = self._new_user(settings={"timezone": "UTC", "day_start_hour": 0})
        self.now = datetime(2031, 5, 8, 12, tzinfo=UTC)
        self._clock.freeze()
        self._clock.set(self.now)
        changes = {"fuzz": False, "leech_threshold": LEECH_THRESHOLD, "maximum_interval": 36_500, "new_per_day": 999}
        assert self.user.put("/learn/settings", changes).status == 200
        deck_id = deck(self.user)
        self.ids: list[str] = []
        for n in range(CARDS):
            self.wait(timedelta(seconds=1))  # new cards are asked for in the order in which they were made
            self.ids.append(card(self.user, deck_id, f"front {n}")["id"])
        self.models = [Model() for _ in self.ids]
        self.reviews = 0

    @rule(pause=PAUSES)
    def wait(self, pause: timedelta) -> None:
        self.now += pause
        self._clock.set(self.now)

    @rule(card=CARD, rating=st.sampled_from([1, 1, 2, 3, 3, 4]))
    def review(self, card: int, rating: int) -> None:
        model = self.models[card]
        answer = self.user.post(f"/learn/cards/{self.ids[card]}/review", {"rating": rating})
        if model.suspended:
            answer.refused(409, "card_suspended")
            return
        self.reviews += 1
        before = model.schedule.state
        model.review(self.reviews, rating, self.now)
        assert (answer.data["state_before"], answer.data["leech"]) == (before, model.leech)

    @rule(card=CARD)
    def undo_of_a_card(self, card: int) -> None:
        answer = self.user.post("/learn/reviews/undo", {"card_id": self.ids[card]})
        if self.models[card].reviews:
            self.models[card].undo()
            assert answer.data["card"]["id"] == self.ids[card]
        else:
            answer.refused(409, "nothing_to_undo")

    @rule()
    def undo(self) -> None:
        answer = self.user.post("/learn/reviews/undo")
        undoable = [(model.reviews[-1].number, place) for place, model in enumerate(self.models) if model.reviews]
        if undoable:
            _, place = max(undoable)
            self.models[place].undo()
            assert answer.data["card"]["id"] == self.ids[place]
        else:
            answer.refused(409, "nothing_to_undo")

    @rule(card=CARD, action=st.sampled_from(["suspend", "unsuspend", "bury", "unbury", "reset"]))
    def change(self, card: int, action: str) -> None:
        model = self.models[card]
        body = {"ids": [self.ids[card]], "action": action}
        assert self.user.post("/learn/cards/bulk", body).data == {"affected": 1}
        if action == "suspend":
            model.suspended = True
        elif action == "unsuspend":
            model.suspended = model.leech = False
        elif action == "reset":
            model.reset()
        else:
            midnight = datetime(self.now.year, self.now.month, self.now.day, tzinfo=UTC) + timedelta(days=1)
            model.buried_until = midnight if action == "bury" else None

    @invariant()
    def cards_are_the_models(self) -> None:
        for card_id, model in zip(getattr(self, "ids", []), getattr(self, "models", []), strict=True):
            shown = self.user.get(f"/learn/cards/{card_id}").data
            schedule, is_new = model.schedule, model.schedule.reps == 0
            for name in ("state", "reps", "lapses", "interval_days"):
                assert shown[name] == getattr(schedule, name)
            assert (shown["suspended"], shown["leech"]) == (model.suspended, model.leech)
            is_buried = model.buried_until is not None and model.buried_until > self.now
            assert _moment(shown["buried_until"]) == (model.buried_until if is_buried else None)
            assert _moment(shown["due"]) == (None if is_new else schedule.card.due)
            assert _moment(shown["last_review"]) == (None if is_new else schedule.card.last_review)
            for name in ("stability", "difficulty"):
                assert shown[name] == pytest.approx(getattr(schedule.card, name), abs=1e-9)
            assert shown["retrievability"] == pytest.approx(self._retrievability(schedule), abs=1e-9)

    def _retrievability(self, schedule: Schedule) -> float | None:
        last = schedule.card.last_review
        if last is None:
            return None
        days = timedelta(days=(self.now.date() - last.date()).days)
        return REFERENCE.get_card_retrievability(schedule.card, last + days)

    @invariant()
    def the_queue_is_the_models(self) -> None:
        if not hasattr(self, "ids"):
            return
        order = {"learning": 1, "relearning": 1, "review": 2, "new": 3}
        due = [
            (order[model.schedule.state], None if model.schedule.reps == 0 else model.schedule.card.due, card_id)
            for card_id, model in zip(self.ids, self.models, strict=True)
            if model.is_due(self.now)
        ]
        expected = [card_id for _, _, card_id in sorted(due, key=lambda one: (one[0], one[1] or self.now))]
        shown: dict[str, Any] = self.user.get("/learn/cards/due").data
        assert [one["id"] for one in shown["cards"]] == expected

    def teardown(self) -> None:
        """The log of each card explains its state, exactly."""
        for card_id in getattr(self, "ids", []):
            is_replayed(self._database, card_id)


def _moment(shown: str | None) -> datetime | None:
    return None if shown is None else datetime.fromisoformat(shown)


@pytest.mark.usefixtures("user")
def test_flashcards_follow_their_model(database: Database, new_user: NewUser, clock: Clock) -> None:
    quick = settings(
        max_examples=15,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
    )

    class OnThisDatabase(Flashcards):
        def __init__(self) -> None:
            super().__init__(database, new_user, clock)

    run_state_machine_as_test(OnThisDatabase, settings=quick)
