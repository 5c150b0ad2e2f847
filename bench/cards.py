"""What flashcards cost the database: a few of them beside 130,000 with a log of a million reviews."""

import statistics
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, LiteralString, cast

import psycopg
from psycopg.types.json import Jsonb

from bench.database_cpu import Backend, backend_of
from bench.figure import Figure
from bench.stage import Stage
from functions.learn.card_models import CardRow
from functions.learn.scheduling import CardScheduler
from tests.support.client import Answer
from tests.support.users import User

CARDS: Final = (50, 130_000)
DAYS: Final = 1_095
BEHIND: Final = 90
# Each so many-th answer is "again": with nine of ten remembered, a card of three years has 13 reviews.
FORGOTTEN: Final = 8
# A deck holds no more.
CARDS_OF_A_DECK: Final = 10_000
ROUNDS: Final = 40
WARM_UP: Final = 8

SCHEDULER: Final = CardScheduler(
    desired_retention=0.9,
    maximum_interval=3650,
    learning_steps=(1, 10),
    relearning_steps=(10,),
    leech_threshold=8,
    fuzz=False,
)

# Decks of cards that were added one after the other in %(days)s days, each answered as soon as it was due, until
# %(behind)s days ago. %(log)s says what the answers to one were, and how long after the first. A tenth of the cards
# are new, and a twentieth suspended.
HISTORY: Final[tuple[LiteralString, ...]] = (
    """
    INSERT INTO flashcard_decks (name, card_count)
    SELECT 'Deck ' || n, least(%(cards)s, %(deck)s)
      FROM generate_series(1, ceil(%(cards)s::numeric / %(deck)s)::int) AS n
    """,
    """
    INSERT INTO flashcards (deck_id, front, back, state, step, stability, difficulty, due, last_review, interval_days,
                            reps, lapses, log_seq, suspended_at, position)
    SELECT d.id, 'front ' || n, 'back ' || n, l.state_after, l.step_after, l.stability_after, l.difficulty_after,
           a.first + l.due_after * interval '1 s', a.first + l.at * interval '1 s', l.interval_days_after, l.number,
           l.lapses_after, (l.number - 1) * %(cards)s + n, CASE WHEN n %% 20 = 1 THEN a.last END, n
      FROM generate_series(1, %(cards)s) AS n
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM flashcard_decks
             WHERE user_id = current_user_id() AND name LIKE 'Deck %%') AS d
        ON d.place = 1 + (n - 1) / %(deck)s
     CROSS JOIN LATERAL (
           SELECT e.last, e.last - interval '1 d' * ((%(days)s - %(behind)s) * (1 - n::float / %(cards)s)) AS first
             FROM (SELECT clock() - interval '1 d' * %(behind)s AS last) AS e) AS a
     CROSS JOIN LATERAL (
           SELECT r.*
             FROM jsonb_to_recordset(%(log)s) AS r (
                  number int, at float8, state_after text, step_after int, stability_after float8,
                  difficulty_after float8, due_after float8, interval_days_after int, lapses_after int)
            WHERE a.first + r.at * interval '1 s' <= a.last
            ORDER BY r.number DESC LIMIT 1) AS l
     WHERE n %% 10 <> 0
    """,
    """
    INSERT INTO flashcards (deck_id, front, back, position)
    SELECT d.id, 'front ' || n, 'back ' || n, n
      FROM generate_series(10, %(cards)s, 10) AS n
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM flashcard_decks
             WHERE user_id = current_user_id() AND name LIKE 'Deck %%') AS d
        ON d.place = 1 + (n - 1) / %(deck)s
    """,
    """
    UPDATE flashcard_decks AS d SET new_count = c.new, suspended_count = c.suspended
      FROM (SELECT deck_id, count(*) FILTER (WHERE state = 'new') AS new, count(suspended_at) AS suspended
              FROM flashcards WHERE user_id = current_user_id() GROUP BY deck_id) AS c
     WHERE d.user_id = current_user_id() AND d.id = c.deck_id
    """,
    """
    INSERT INTO flashcard_reviews (
        seq, card_id, kind, rating, reviewed_at, elapsed_days, scheduler, state_before, step_before, stability_before,
        difficulty_before, due_before, last_review_before, interval_days_before, reps_before, lapses_before,
        state_after, step_after, stability_after, difficulty_after, due_after, last_review_after, interval_days_after,
        reps_after, lapses_after)
    SELECT (l.number - 1) * %(cards)s + c.position, c.id, 'review', l.rating, a.first + l.at * interval '1 s',
           l.elapsed_days, %(scheduler)s, l.state_before, l.step_before, l.stability_before, l.difficulty_before,
           a.first + l.due_before * interval '1 s', a.first + l.last_review_before * interval '1 s',
           l.interval_days_before, l.number - 1, l.lapses_before,
           l.state_after, l.step_after, l.stability_after, l.difficulty_after, a.first + l.due_after * interval '1 s',
           a.first + l.at * interval '1 s', l.interval_days_after, l.number, l.lapses_after
      FROM flashcards AS c
      JOIN jsonb_to_recordset(%(log)s) AS k (number int, at float8) ON k.number = c.reps
     CROSS JOIN LATERAL (SELECT c.last_review - k.at * interval '1 s' AS first) AS a
      JOIN jsonb_to_recordset(%(log)s) AS l (
           number int, rating int, at float8, elapsed_days int,
           state_before text, step_before int, stability_before float8, difficulty_before float8, due_before float8,
           last_review_before float8, interval_days_before int, lapses_before int,
           state_after text, step_after int, stability_after float8, difficulty_after float8, due_after float8,
           interval_days_after int, lapses_after int) ON l.number <= c.reps
     WHERE c.user_id = current_user_id()
     -- As they were written, day after day.
     ORDER BY a.first + l.at * interval '1 s'
    """,
)


def history(cards: int, days: int, behind: int, deck: int = CARDS_OF_A_DECK) -> dict[str, Any]:
    """What HISTORY takes: so many cards, in decks of `deck`, learned in `days` and left alone for the last `behind`."""
    return {
        "cards": cards,
        "deck": deck,
        "days": days,
        "behind": behind,
        "log": Jsonb(_log(days)),
        "scheduler": Jsonb(SCHEDULER.document()),
    }


def _log(days: int) -> list[dict[str, Any]]:
    """The log of a card that is reviewed as soon as it is due, for so many days, and forgotten now and then.

    A replay of it gives each state from the one before it. Times are seconds after the first review.
    """
    first = at = datetime(2000, 1, 1, 12, tzinfo=UTC)
    card: dict[str, Any] = dict.fromkeys(("step", "stability", "difficulty", "due", "last_review"))
    card |= {"state": "new", "interval_days": 0, "lapses": 0, "reps": 0}
    log = []
    for number in count(1):
        if at > first + timedelta(days):
            break
        elapsed = (at.date() - card["last_review"].date()).days if number > 1 else None
        rating = 1 if number % FORGOTTEN == FORGOTTEN - 1 else 3
        outcome = SCHEDULER.outcome(cast("CardRow", card), rating, at, elapsed)
        after = card | outcome._asdict() | {"last_review": at, "reps": number}
        log.append(
            {f"{name}_before": value for name, value in card.items()}
            | {f"{name}_after": value for name, value in after.items()}
            | {"number": number, "rating": rating, "elapsed_days": elapsed, "at": at}
        )
        card, at = after, outcome.due
    return [
        {name: (value - first).total_seconds() if isinstance(value, datetime) else value for name, value in row.items()}
        for row in log
    ]


def measure(stage: Stage) -> Figure:
    """The same requests by a user with few cards and by one with many; each review is taken back."""
    few, many = CARDS
    figure = Figure(
        "A million reviews",
        f"Milliseconds of CPU time of the Postgres process that serves the request, for a user with {few} cards and "
        f"for one with {many:,}, learned in {DAYS:,} days and left alone for the last {BEHIND}; both take turns, "
        f"the 10th percentile of {ROUNDS} rounds. Due cards and a review are to cost at most 1.5 times as much; "
        "statistics look at each card.",
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
            connection.execute(statement, history(cards, DAYS, BEHIND))
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
