"""What the card routes show of their rows."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from questlog.cursor import cursor_at

from functions.learn.card_models import (
    Card,
    CardRow,
    CardRowShown,
    Cards,
    CountedCards,
    DayOfCards,
    DayOfReviews,
    Deck,
    Decks,
    DueCard,
    DueCards,
    Forecast,
    Preview,
    Queue,
    QueueCounts,
    QueuedCard,
    RecordedDay,
    RecordedReview,
    RecordedReviewShown,
    RemainingToday,
    Review,
    ReviewedCard,
    ReviewRow,
    Reviews,
    Settings,
    Stats,
    TrueRetention,
)
from functions.learn.scheduling import CardScheduler, retrievability


def decks(found: list[Deck]) -> Decks:
    """A list of decks with its length."""
    return Decks(decks=found, total=len(found))


def card(row: CardRow) -> Card:
    """A card with the probability that it is remembered now."""
    shown: CardRowShown = {**row, "retrievability": retrievability(row["stability"], row["elapsed_days"])}
    return shown


def cards(rows: Iterable[CardRow], total: int, page: int, page_size: int) -> Cards:
    """A page of a deck's cards."""
    return Cards(cards=[card(row) for row in rows], total=total, page=page, page_size=page_size)


def due_cards(queue: Queue, settings: Settings, rows: Iterable[QueuedCard]) -> DueCards:
    """The queue, each card with what every answer to it would do."""
    return DueCards(
        cards=[
            DueCard(
                **card(row),
                preview=CardScheduler.of(settings, row["desired_retention"]).preview(
                    row, queue["now"], row["elapsed_days"]
                ),
            )
            for row in rows
        ],
        counts=QueueCounts(learning=queue["learning"], review=queue["review"], new=queue["new"]),
        remaining_today=RemainingToday(reviews=queue["reviews_left"], new=queue["new_left"]),
        next_learning_due=queue["next_learning_due"],
    )


def reviewed_card(recorded: RecordedReview, row: CardRow, preview: Preview) -> ReviewedCard:
    """A review that was recorded, and the card as it is then."""
    shown: RecordedReviewShown = {**recorded, "card": card(row), "preview": preview}
    return shown


def reviews(rows: Sequence[ReviewRow], limit: int) -> Reviews:
    """A page of at most `limit` rows of a card's log; `rows` holds one more where there is a next page."""
    shown = rows[:limit]
    return Reviews(
        reviews=list[Review](shown),
        next_cursor=cursor_at(shown[-1]["seq"]) if len(rows) > limit else None,
    )


def stats(counted: CountedCards, today: date, recorded: Sequence[RecordedDay], days: int) -> Stats:
    """Statistics of the last days, the present one included."""
    by_day = {day["date"]: day for day in recorded}
    daily = [_day_of_reviews(day, by_day.get(day)) for day in _days_from(today - timedelta(days - 1), days)]
    recalls, recalled = (sum(day[name] for day in recorded) for name in ("recalls", "recalled"))
    return Stats(
        cards=counted,
        reviews_today=daily[-1]["reviews"],
        new_today=daily[-1]["new"],
        time_today_ms=by_day[today]["duration_ms"] if today in by_day else 0,
        true_retention=TrueRetention(reviews=recalls, passed=recalled, rate=recalled / recalls if recalls else None),
        average_retrievability=counted["average_retrievability"],
        daily=daily,
    )


def _day_of_reviews(day: date, recorded: RecordedDay | None) -> DayOfReviews:
    if recorded is None:
        return DayOfReviews(date=day, reviews=0, passed=0, new=0)
    return DayOfReviews(date=day, reviews=recorded["reviews"], passed=recorded["passed"], new=recorded["new"])


def forecast(today: date, counted: Sequence[DayOfCards], days: int) -> Forecast:
    """How many cards come on each of the next days; those that are overdue come today."""
    overdue = sum(day["due"] for day in counted if day["date"] < today)
    by_day = {day["date"]: day["due"] for day in counted}
    by_day[today] = by_day.get(today, 0) + overdue
    shown = [DayOfCards(date=day, due=by_day.get(day, 0)) for day in _days_from(today, days)]
    return Forecast(days=shown, overdue=overdue, total=sum(day["due"] for day in shown))


def _days_from(first: date, days: int) -> Iterable[date]:
    return (first + timedelta(n) for n in range(days))
