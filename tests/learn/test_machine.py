"""Flashcards against a model: reviewed, undone, buried, suspended and reset in any order, while days pass."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Card, Rating, Scheduler, State

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.learn.conftest import card, deck
from tests.learn.replay import is_replayed

CARDS = 3
LEECH_THRESHOLD = 2
REFERENCE = Scheduler(enable_fuzzing=False)
STEPS = 90
PAUSES = [timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=7), *(timedelta(days=n) for n in (1, 3, 17, 90))]
# Every second lapse makes a leech, so that there are many; what changes a card by hand comes in between.
KINDS = {"wait": 6, "review": 10, "undo": 3, "undo_of_a_card": 3, "change": 5}
RATINGS = [1, 1, 2, 3, 3, 4, 4]
ACTIONS = ["suspend", "unsuspend", "unsuspend", "unsuspend", "bury", "unbury", "reset"]


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


class Flashcards:
    """A user's cards beside their models, and steps that change both."""

    def __init__(self, database: Database, user: User, clock: Clock, seed: int) -> None:
        self._database, self._user, self._clock = database, user, clock
        self._random = random.Random(seed)
        self._now = datetime(2031, 5, 8, 12, tzinfo=UTC)
        self._reviews = 0
        self._clock.freeze()
        changes = {"fuzz": False, "leech_threshold": LEECH_THRESHOLD, "maximum_interval": 36_500, "new_per_day": 999}
        assert user.put("/learn/settings", changes).status == 200
        deck_id = deck(user)
        self._ids: list[str] = []
        for n in range(CARDS):
            self._pass(timedelta(seconds=1))  # new cards are asked for in the order in which they were made
            self._ids.append(card(user, deck_id, f"front {n}")["id"])
        self._models = [Model() for _ in self._ids]

    def step(self) -> None:
        """Do something, and compare the card that it was done to, and the queue."""
        place = self._random.randrange(CARDS)
        [kind] = self._random.choices([*KINDS], [*KINDS.values()])
        getattr(self, kind)(place)
        self.compare(place)
        self._compare_queue()

    def compare_all(self) -> None:
        """Compare every card, and hold that its log explains its state, exactly."""
        for place, card_id in enumerate(self._ids):
            self.compare(place)
            is_replayed(self._database, card_id)

    def wait(self, _: int) -> None:
        self._pass(self._random.choice(PAUSES))

    def _pass(self, pause: timedelta) -> None:
        self._now += pause
        self._clock.set(self._now)

    def review(self, place: int) -> None:
        model, rating = self._models[place], self._random.choice(RATINGS)
        answer = self._user.post(f"/learn/cards/{self._ids[place]}/review", {"rating": rating})
        if model.suspended:
            answer.refused(409, "card_suspended")
            return
        self._reviews += 1
        before = model.schedule.state
        model.review(self._reviews, rating, self._now)
        assert (answer.data["state_before"], answer.data["leech"]) == (before, model.leech)

    def undo_of_a_card(self, place: int) -> None:
        self._undone(place if self._models[place].reviews else None, {"card_id": self._ids[place]})

    def undo(self, _: int) -> None:
        undoable = [(model.reviews[-1].number, place) for place, model in enumerate(self._models) if model.reviews]
        self._undone(max(undoable)[1] if undoable else None, {})

    def _undone(self, place: int | None, body: dict[str, str]) -> None:
        answer = self._user.post("/learn/reviews/undo", body)
        if place is None:
            answer.refused(409, "nothing_to_undo")
            return
        self._models[place].undo()
        assert answer.data["card"]["id"] == self._ids[place]
        self.compare(place)

    def change(self, place: int) -> None:
        model, action = self._models[place], self._random.choice(ACTIONS)
        body = {"ids": [self._ids[place]], "action": action}
        assert self._user.post("/learn/cards/bulk", body).data == {"affected": 1}
        if action == "suspend":
            model.suspended = True
        elif action == "unsuspend":
            model.suspended = model.leech = False
        elif action == "reset":
            model.reset()
        else:
            midnight = datetime(self._now.year, self._now.month, self._now.day, tzinfo=UTC) + timedelta(days=1)
            model.buried_until = midnight if action == "bury" else None

    def compare(self, place: int) -> None:
        """Hold a card to its model."""
        model, shown = self._models[place], self._user.get(f"/learn/cards/{self._ids[place]}").data
        schedule, is_new = model.schedule, model.schedule.reps == 0
        for name in ("state", "reps", "lapses", "interval_days"):
            assert shown[name] == getattr(schedule, name)
        assert (shown["suspended"], shown["leech"]) == (model.suspended, model.leech)
        is_buried = model.buried_until is not None and model.buried_until > self._now
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
        days = timedelta(days=(self._now.date() - last.date()).days)
        return REFERENCE.get_card_retrievability(schedule.card, last + days)

    def _compare_queue(self) -> None:
        order = {"learning": 1, "relearning": 1, "review": 2, "new": 3}
        due = [
            (order[model.schedule.state], self._now if model.schedule.reps == 0 else model.schedule.card.due, place)
            for place, model in enumerate(self._models)
            if model.is_due(self._now)
        ]
        shown = self._user.get("/learn/cards/due").data["cards"]
        assert [one["id"] for one in shown] == [self._ids[place] for _, _, place in sorted(due)]


def _moment(shown: str | None) -> datetime | None:
    return None if shown is None else datetime.fromisoformat(shown)


@pytest.mark.parametrize("seed", range(6))
def test_flashcards_follow_their_model(database: Database, new_user: NewUser, clock: Clock, seed: int) -> None:
    user = new_user(settings={"timezone": "UTC", "day_start_hour": 0})
    flashcards = Flashcards(database, user, clock, seed)
    for _ in range(STEPS):
        flashcards.step()
    flashcards.compare_all()
