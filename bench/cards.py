"""What flashcards cost the database: a few of them beside 50,000 with a log of a million reviews."""

import statistics
from collections.abc import Callable, Mapping
from typing import Final, LiteralString

import psycopg

from bench.database_cpu import Backend, backend_of
from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import Answer
from tests.support.users import User

CARDS: Final = (50, 50_000)
REVIEWS_OF_A_CARD: Final = 20
# A deck holds no more.
CARDS_OF_A_DECK: Final = 10_000
ROUNDS: Final = 40
WARM_UP: Final = 8

# Cards of which every second one is due, each with its log: a review a month, the last one a month ago or less.
HISTORY: Final[tuple[LiteralString, ...]] = (
    """
    INSERT INTO flashcard_decks (name, card_count)
    SELECT 'Deck ' || n, least(%(cards)s, %(deck)s)
      FROM generate_series(1, ceil(%(cards)s::numeric / %(deck)s)::int) AS n
    """,
    """
    INSERT INTO flashcards (deck_id, front, back, state, stability, difficulty, due, last_review, interval_days, reps,
                            log_seq, position)
    SELECT d.id, 'front ' || n, 'back ' || n, 'review', 30, 5, r.at + interval '30 d', r.at, 30, %(reviews)s,
           (%(reviews)s - 1) * %(cards)s + n, n
      FROM generate_series(1, %(cards)s) AS n
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM flashcard_decks) AS d
        ON d.place = 1 + (n - 1) / %(deck)s
     CROSS JOIN LATERAL (
           SELECT clock() - (n %% 2 * 29 + 1 + n::float / %(cards)s) * interval '1 d' AS at) AS r
    """,
    """
    INSERT INTO flashcard_reviews (
        seq, card_id, kind, rating, reviewed_at, elapsed_days, scheduler, state_before, stability_before,
        difficulty_before, due_before, last_review_before, interval_days_before, reps_before, lapses_before,
        state_after, stability_after, difficulty_after, due_after, last_review_after, interval_days_after, reps_after,
        lapses_after)
    SELECT (n - 1) * %(cards)s + c.position, c.id, 'review', 3, b.at, 30, '{"name": "fsrs-6"}', 'review', 30,
           5, b.at, b.at - interval '30 d', 30, n - 1, 0,
           'review', 30, 5, b.at + interval '30 d', b.at, 30, n,
           0
      FROM flashcards AS c
     CROSS JOIN generate_series(1, %(reviews)s) AS n
     CROSS JOIN LATERAL (SELECT c.last_review - (%(reviews)s - n) * interval '30 d' AS at) AS b
    """,
)


def measure(stage: Stage) -> Figure:
    """The same requests by a user with few cards and by one with many; each review is taken back."""
    few, many = CARDS
    figure = Figure(
        "A million reviews",
        f"Milliseconds of CPU time of the Postgres process that serves the request, for a user with {few} cards and "
        f"for one with {many:,}, half of them due and each reviewed {REVIEWS_OF_A_CARD} times; both take turns, the "
        f"10th percentile of {ROUNDS} rounds. Due cards and a review are to cost at most 1.5 times as much; statistics "
        "look at each card.",
        ("what", f"{few} cards", f"{many:,} cards", "times"),
    )
    users = {count: with_cards(stage, count) for count in CARDS}
    stage.query("VACUUM ANALYZE")
    stage.serve()
    users[few].get("/learn/settings")  # opens the connection
    backend = backend_of(stage)
    if not backend.visible:
        return figure.without_rows("it takes Linux, and Postgres on the same machine")
    costs = _in_rounds(backend, {user: _requests(user) for user in users.values()})
    for what, short in costs[users[few]].items():
        long = costs[users[many]][what]
        figure.add(what, f"{short:.2f}", f"{long:.2f}", f"{long / short:.2f}")
    return figure


def with_cards(stage: Stage, cards: int) -> User:
    """A user with so many cards and their log."""
    user = stage.new_user()
    with psycopg.connect(stage.admin_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        connection.execute("SET ROLE questlog_owner")
        for statement in HISTORY:
            parameters = {"cards": cards, "reviews": REVIEWS_OF_A_CARD, "deck": CARDS_OF_A_DECK}
            connection.execute(statement, parameters)
    return user


def _requests(user: User) -> Mapping[str, Callable[[], Answer]]:
    """In this order: what a review changes, the undo behind it takes back."""
    deck = user.get("/learn/decks").data["decks"][0]["id"]
    card = user.get("/learn/cards/due", query={"limit": 1}).data["cards"][0]["id"]
    return {
        "GET /learn/cards/due": lambda: user.get("/learn/cards/due"),
        "GET /learn/cards/due, one deck": lambda: user.get("/learn/cards/due", query={"deck_id": deck}),
        "POST /learn/cards/{card_id}/review": lambda: user.post(f"/learn/cards/{card}/review", {"rating": 3}),
        "POST /learn/reviews/undo": lambda: user.post("/learn/reviews/undo"),
        "GET /learn/cards/{card_id}/reviews": lambda: user.get(f"/learn/cards/{card}/reviews", query={"limit": 20}),
        "GET /learn/review": lambda: user.get("/learn/review"),
        "GET /learn": lambda: user.get("/learn"),
        "GET /learn/stats": lambda: user.get("/learn/stats"),
    }


def _in_rounds(
    backend: Backend, requests: Mapping[User, Mapping[str, Callable[[], Answer]]]
) -> dict[User, dict[str, float]]:
    """What each request costs in milliseconds, by user."""
    taken: dict[User, dict[str, list[float]]] = {user: {what: [] for what in each} for user, each in requests.items()}
    for _ in range(WARM_UP + ROUNDS):
        for user, each in requests.items():
            for what, request in each.items():
                before = backend.cpu_ns()
                answer = request()
                taken[user][what].append((backend.cpu_ns() - before) / 1e6)
                assert answer.status == 200, (what, answer.text)
    return {
        user: {what: statistics.quantiles(costs[WARM_UP:], n=10)[0] for what, costs in each.items()}
        for user, each in taken.items()
    }
