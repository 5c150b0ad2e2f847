"""Requests and responses of the card routes: decks, flashcards, their reviews and what becomes of them.

Rows and answers are TypedDicts: as models, they would take the function's cold start over its budget. What a row holds
beyond the type it is shown as does not reach the wire.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.cursor import place_of
from questlog.wire import (
    Body,
    Day,
    Flag,
    Instant,
    Page,
    PageSize,
    Query,
    RewardFields,
    Trimmed,
    absent,
    blank_is_null,
)

State = Literal["new", "learning", "review", "relearning"]
Rating = Annotated[int, Field(ge=1, le=4)]
"""1 again, 2 hard, 3 good, 4 easy."""


def _joined(tag: str) -> str:
    """The tag as one word: programs that read tags take a space for the end of one."""
    return "_".join(tag.split())


def _each_once(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


def _some(tags: list[str] | None) -> list[str] | None:
    return tags or None


DeckName = Annotated[Trimmed, StringConstraints(min_length=1, max_length=120)]
DeckDescription = Annotated[Trimmed, StringConstraints(max_length=2000), AfterValidator(blank_is_null)]
Category = Annotated[Trimmed, StringConstraints(max_length=40), AfterValidator(blank_is_null)]
Retention = Annotated[float, Field(ge=0.70, le=0.97, allow_inf_nan=False)]
Side = Annotated[Trimmed, StringConstraints(min_length=1, max_length=4000)]
"""The front or the back of a card."""
Hint = Annotated[Trimmed, StringConstraints(max_length=500), AfterValidator(blank_is_null)]
Tag = Annotated[Trimmed, StringConstraints(min_length=1, max_length=40), AfterValidator(_joined)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_each_once)]
Days = Annotated[int, Field(ge=1, le=366)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Steps = Annotated[list[Minutes], Field(max_length=5)]


class DecksQuery(Query):
    archived: Flag = False


class NewDeck(Body):
    name: DeckName
    description: DeckDescription | None = None
    category: Category | None = None
    desired_retention: Retention | None = None


class DeckChange(Body):
    name: DeckName = absent()
    description: DeckDescription | None = absent()
    category: Category | None = absent()
    desired_retention: Retention | None = absent()
    archived: bool = absent()


class CardsQuery(Query):
    q: Annotated[Trimmed, StringConstraints(max_length=200), AfterValidator(blank_is_null)] | None = None
    tag: Annotated[Trimmed, StringConstraints(max_length=40), AfterValidator(blank_is_null)] | None = None
    state: State | Literal["suspended", "leech", "due"] | None = None
    page: Page = 1
    page_size: PageSize = 50


class NewCard(Body):
    front: Side
    back: Side
    hint: Hint | None = None
    tags: Tags = []
    id: UUID | None = None


class CardChange(Body):
    front: Side = absent()
    back: Side = absent()
    hint: Hint | None = absent()
    tags: Tags = absent()
    deck_id: UUID = absent()
    suspended: bool = absent()


class BulkChange(Body):
    ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    action: Literal["suspend", "unsuspend", "bury", "unbury", "reset", "delete", "move", "tag", "untag"]
    deck_id: UUID | None = None
    tags: Annotated[Tags | None, AfterValidator(_some)] = None


class LessonCards(Body):
    deck_id: UUID
    question_ids: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=50)] | None = None


FileFormat = Literal["csv", "anki"]
OnDuplicate = Literal["skip", "update", "keep"]
Delimiter = Literal[",", ";", "\t"]


class ImportQuery(Query):
    """What to do with a file that is sent as its bytes; JSON holds the same beside the text."""

    format: FileFormat | None = None
    on_duplicate: OnDuplicate = "skip"
    dry_run: Flag = False
    delimiter: Delimiter = ","


class ExportQuery(Query):
    format: FileFormat = "csv"
    page: Page = 1


class DueQuery(Query):
    deck_id: UUID | None = None
    limit: PageSize = 20


class Reviewing(Body):
    rating: Rating
    reviewed_at: Instant | None = None
    duration_ms: Annotated[int, Field(ge=0, le=3_600_000)] | None = None
    client_id: UUID | None = None
    expected_reps: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class Undoing(Body):
    card_id: UUID | None = None
    review_id: UUID | None = None


class ReviewsQuery(Query):
    cursor: Annotated[int, PlainValidator(place_of), WithJsonSchema({"type": "string"})] | None = None
    limit: PageSize = 50


class SpanQuery(Query):
    deck_id: UUID | None = None
    days: Days = 30


class SettingsChange(Body):
    desired_retention: Retention = absent()
    maximum_interval: Annotated[int, Field(ge=30, le=36_500)] = absent()
    new_per_day: Annotated[int, Field(ge=0, le=999)] = absent()
    reviews_per_day: Annotated[int, Field(ge=0, le=9999)] = absent()
    learning_steps: Steps = absent()
    relearning_steps: Steps = absent()
    leech_threshold: Annotated[int, Field(ge=2, le=50)] = absent()
    fuzz: bool = absent()


class Settings(TypedDict):
    desired_retention: float
    maximum_interval: int
    new_per_day: int
    reviews_per_day: int
    learning_steps: list[int]
    relearning_steps: list[int]
    leech_threshold: int
    fuzz: bool


class Deck(TypedDict):
    id: UUID
    name: str
    description: str | None
    category: str | None
    desired_retention: float | None
    archived: bool
    starter_key: str | None
    card_count: int
    new_count: int
    due_count: int
    suspended_count: int
    created_at: Instant
    updated_at: Instant


class Decks(TypedDict):
    decks: list[Deck]
    total: int


class Deleted(TypedDict):
    """Confirms that a deck or card is deleted."""

    deleted: bool


class PublicDeck(TypedDict):
    key: str
    name: str
    description: str | None
    category: str | None
    card_count: int
    copied_deck_id: UUID | None


class PublicDecks(TypedDict):
    decks: list[PublicDeck]
    total: int


class PublicCard(TypedDict):
    front: str
    back: str
    hint: str | None
    tags: list[str]


class PublicDeckDetail(PublicDeck):
    cards: list[PublicCard]


class Copying(TypedDict):
    copied: bool


class CopiedDeck(TypedDict):
    deck: Deck
    copied: bool


class CardColumns(TypedDict):
    """What is shown of a card as it is stored."""

    id: UUID
    deck_id: UUID
    front: str
    back: str
    hint: str | None
    tags: list[str]
    state: State
    due: Instant | None
    stability: float | None
    difficulty: float | None
    last_review: Instant | None
    interval_days: int
    reps: int
    lapses: int
    suspended: bool
    leech: bool
    buried_until: Instant | None
    created_at: Instant
    updated_at: Instant


class CardRow(CardColumns):
    """A card as the database holds it."""

    step: int | None
    elapsed_days: int | None
    log_seq: int


class QueuedCard(CardRow):
    """A card with the retention of its deck, if that has one of its own."""

    desired_retention: float | None


class ReviewableCard(QueuedCard):
    """A card at the time `at` of its review, with the local days since the last one."""

    at: Instant
    days_since: int | None


class Card(CardColumns):
    retrievability: float | None


class CardRowShown(CardRow, Card):
    """A card's row with what is shown beside it."""


class Cards(TypedDict):
    cards: list[Card]
    total: int
    page: int
    page_size: int


class Affected(TypedDict):
    affected: int


class CreatedCards(TypedDict):
    created: int
    skipped: int


class ImportCounts(CreatedCards):
    """The outcome of an import of cards, in numbers; a duplicate is updated or skipped."""

    updated: int


class RowError(TypedDict):
    """A row that was left out; `line` is where it begins, from 1."""

    line: int
    message: str


class CardsReport(ImportCounts):
    """The outcome of an import; `total` is the number of the file's rows."""

    total: int
    errors: list[RowError]
    dry_run: bool


class ExportedCard(TypedDict):
    id: UUID
    front: str
    back: str
    hint: str | None
    tags: list[str]
    guid: str | None


class Preview(TypedDict):
    """Seconds until the card is due again, for each answer given now."""

    again: int
    hard: int
    good: int
    easy: int


class DueCard(Card):
    preview: Preview


class Queue(TypedDict):
    """What is asked for now, within the day's limits."""

    learning: int
    review: int
    new: int
    reviews_left: int
    new_left: int
    next_learning_due: Instant | None
    now: Instant


class QueueCounts(TypedDict):
    learning: int
    review: int
    new: int


class RemainingToday(TypedDict):
    reviews: int
    new: int


class DueCards(TypedDict):
    cards: list[DueCard]
    counts: QueueCounts
    remaining_today: RemainingToday
    next_learning_due: Instant | None


class ReviewResult(RewardFields):
    """What a review did, and what it paid."""

    review_id: UUID
    rating: int
    state_before: State
    interval_days: int
    due: Instant
    leech: bool
    reviewed_today: int


class RecordedReview(ReviewResult):
    now: Instant


class ReviewedCard(ReviewResult):
    card: Card
    preview: Preview


class RecordedReviewShown(RecordedReview, ReviewedCard):
    """A recorded review with what is shown beside it."""


class UndoneReview(TypedDict):
    undone_review_id: UUID


class UndoneCard(TypedDict):
    card: Card
    undone_review_id: UUID


class Review(TypedDict):
    id: UUID
    card_id: UUID
    kind: Literal["review", "undo"]
    rating: int | None
    reviewed_at: Instant
    duration_ms: int | None
    state_before: State
    state_after: State
    interval_days: int
    undone: bool
    created_at: Instant


class ReviewRow(Review):
    seq: int


class Reviews(TypedDict):
    reviews: list[Review]
    next_cursor: str | None


class Existing(TypedDict):
    id: UUID


class Today(TypedDict):
    today: Day


class CardCounts(TypedDict):
    total: int
    new: int
    learning: int
    review: int
    relearning: int
    suspended: int
    mature: int


class CountedCards(CardCounts):
    average_retrievability: float | None


class TrueRetention(TypedDict):
    reviews: int
    passed: int
    rate: float | None


class DayOfReviews(TypedDict):
    date: Day
    reviews: int
    passed: int
    new: int


class RecordedDay(DayOfReviews):
    """A day with reviews: also those of cards in state `review`, how many of them were passed, and the time of all."""

    recalls: int
    recalled: int
    duration_ms: int


class Stats(TypedDict):
    cards: CardCounts
    reviews_today: int
    new_today: int
    time_today_ms: int
    true_retention: TrueRetention
    average_retrievability: float | None
    daily: list[DayOfReviews]


class DayOfCards(TypedDict):
    date: Day
    due: int


class Forecast(TypedDict):
    days: list[DayOfCards]
    overdue: int
    total: int
