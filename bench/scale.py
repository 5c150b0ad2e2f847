"""What grows: each GET route and each route that pays, by a small, a usual and a heavy account in a big database."""

import hashlib
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from questlog.cursor import cursor_at

from bench.crowd import COPIES
from bench.database_cpu import Backend, backend_of, rows_in
from bench.figure import Figure
from bench.paying import Payment, paying_requests
from bench.population import HEAVY, SMALL, USUAL, account, crowd, neighbours, settle
from bench.stage import Stage
from tests.exercise.training import SQUAT
from tests.support.client import LOGINS, Answer
from tests.support.routes import NO_TRIP, Route, routes
from tests.support.rows import Row, likely, paths_of
from tests.support.users import User

USERS: Final = 200_000
PAYMENTS_OF_A_USER: Final = 50
ROUNDS: Final = 10
WARM_UP: Final = 3
BUDGET: Final = 1.5
TODAY: Final = datetime.now(UTC).date()
# Groups whose requests come over another login, and so another connection, or ask the database nothing.
ELSEWHERE: Final = frozenset({*LOGINS, "health"})
# What is as large as what the account holds, or asks the bucket, which is not here.
LEFT_OUT: Final = ("export", ".csv", ".ics", "/stream", "/play")
IDS_OF_A_TABLE: Final = 3

LEARNING: Final = (
    "`GET /learn/stats` looks at each card, of which the heavy account has {cards}. What is remembered of them on "
    "average is no sum that could be kept: each card is forgotten along a curve of its own, so each term changes daily."
)
TEMPLATE: Final = UUID(hashlib.md5(b"listening_prompt_template:Breathing").hexdigest())
# Routes that find what they show by a key, or where all users share it.
BY_KEY: Final[Mapping[str, str]] = {
    "GET /exercise/{exercise_id}": f"/exercise/{SQUAT}",
    "GET /exercise/{exercise_id}/history": f"/exercise/{SQUAT}/history",
    "GET /learn/topics/{topic}": "/learn/topics/music_theory",
    "GET /learn/topics/{topic}/lessons": "/learn/topics/music_theory/lessons",
    "GET /learn/topics/{topic}/drills": "/learn/topics/music_theory/drills",
    "GET /learn/lessons/{lesson}": "/learn/lessons/plan_the_day",
    "GET /learn/drills/{drill}": "/learn/drills/hear_intervals",
    "GET /learn/decks/public/{key}": "/learn/decks/public/music_intervals",
    "GET /reference/listening/templates/{template_id}": f"/reference/listening/templates/{TEMPLATE}",
    "GET /market/items/{item}": "/market/items/theme_ocean",
    "GET /settings/{key}": "/settings/theme",
}
# What a route is asked beside its plain form: deep pages, filters, and filters without a hit.
VARIANTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "GET /gamification/ledger, deep": {"path": "/gamification/ledger", "cursor": cursor_at(60)},
    "GET /gamification/ledger, of a kind": {"path": "/gamification/ledger", "event_type": "quest_complete"},
    "GET /gamification/ledger, of a kind without a row": {
        "path": "/gamification/ledger",
        "event_type": "lesson_complete",
    },
    "GET /gamification/ledger, from a day": {"path": "/gamification/ledger", "from": "2000-01-01"},
    "GET /gamification/ledger, until a day": {"path": "/gamification/ledger", "to": "2100-01-01"},
    "GET /gamification/history, a year": {"path": "/gamification/history", "days": 366},
    "GET /gamification/leaderboard, week": {"path": "/gamification/leaderboard", "period": "week"},
    "GET /gamification/leaderboard, month": {"path": "/gamification/leaderboard", "period": "month"},
    "GET /gamification/leaderboard, streaks": {"path": "/gamification/leaderboard", "board": "streaks"},
    "GET /focus, from a day": {"path": "/focus", "from": "2000-01-01"},
    "GET /focus, with a tag": {"path": "/focus", "tag": "deep"},
    "GET /focus, with a tag of nothing": {"path": "/focus", "tag": "none"},
    "GET /focus, statistics of a week": {"path": "/focus", "stats": "true"},
    "GET /focus, statistics of all time": {"path": "/focus", "stats": "true", "period": "all"},
    "GET /market/stats, a year": {"path": "/market/stats", "days": 366},
    "GET /quests, 100": {"path": "/quests", "page_size": 100},
    "GET /books, a search": {"path": "/books", "search": "Book 1"},
    "GET /daily-plan/range, a month": {
        "path": "/daily-plan/range",
        "from": str(TODAY - timedelta(days=30)),
        "to": str(TODAY),
    },
    "GET /ideas, a search": {"path": "/ideas", "search": "bells"},
    "GET /infobase, a search": {"path": "/infobase", "search": "headroom"},
}


@dataclass
class Party:
    """One of the accounts, what it is asked, and what that cost."""

    user: User
    requests: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    costs: dict[str, list[float]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)


def measure(stage: Stage, users: int = USERS, payments: int = PAYMENTS_OF_A_USER) -> Figure:
    """Each request by each account, and how much dearer the heavy account's is per row that it shows."""
    figure = Figure(
        "What grows",
        f"Milliseconds of CPU time of the Postgres process that serves the request, in a database of {users:,} users "
        f"with {payments} payments each, and of {COPIES} who have as much of everything as the small account; the "
        f"lower quartile of {ROUNDS} rounds, in which the accounts take turns. "
        f"A small account has {SMALL.ledger:,} rows in the ledger and a month of everything, a usual one "
        f"{USUAL.ledger:,} and a year, a heavy one {HEAVY.ledger:,} and three years. The factor is the heavy account's "
        "cost against the small one's, each divided by the rows that the answer shows where these differ. "
        f"At most {BUDGET} is the budget.",
        ("what", "small", "usual", "heavy", "rows shown", "factor"),
        notes=[LEARNING.format(cards=f"{HEAVY.cards:,}")],
    )
    stage.tell(f"scale: {users:,} users")
    crowd(stage, users, payments)
    stage.tell("scale: three accounts")
    parties = [Party(account(stage, size)) for size in (SMALL, USUAL, HEAVY)]
    stage.tell(f"scale: {COPIES:,} users like the small one")
    neighbours(stage, parties[0].user)
    settle(stage)
    stage.serve()
    for party in parties:
        party.requests = dict(_reads(stage, party.user)) | dict(_variants(party.user))
    backend = backend_of(stage)
    if not backend.visible:
        return figure.without_rows("it takes Linux, and Postgres on the same machine")
    for what in parties[0].requests:
        stage.tell(f"scale: {what}")
        _ask(backend, parties, what)
        _report(figure, what, parties)
    for what, pay in paying_requests(stage).items():
        stage.tell(f"scale: {what}")
        _pay(backend, parties, what, pay)
        _report(figure, what, parties)
    for party in parties:
        assert stage.audit(party.user) == []
    return figure


def _report(figure: Figure, what: str, parties: list[Party]) -> None:
    """Add the line of a request."""
    # Not the 10th percentile: of so few rounds that is the least, and Linux may add the end of a round to the next one.
    costs = [statistics.quantiles(party.costs[what], n=4)[0] for party in parties]
    shown = [max(1, party.shown.get(what, 1)) for party in parties]
    factor = costs[2] / shown[2] / (costs[0] / shown[0]) if shown[0] != shown[2] else costs[2] / costs[0]
    rows = f"{shown[0]}" if shown[0] == shown[2] else f"{shown[0]}, {shown[1]}, {shown[2]}"
    figure.add(what, *(f"{cost:.2f}" for cost in costs), rows, f"{factor:.2f}")


def _ask(backend: Backend, parties: list[Party], what: str) -> None:
    """Make a request several times for each account, in turns."""
    for number in range(WARM_UP + ROUNDS):
        for party in parties:
            before = backend.cpu_ns()
            answer = party.requests[what]()
            cost = (backend.cpu_ns() - before) / 1e6
            assert answer.status == 200, (what, answer.text)
            if number >= WARM_UP:
                party.costs.setdefault(what, []).append(cost)
                party.shown[what] = rows_in(answer)


def _reads(stage: Stage, user: User) -> Iterator[tuple[str, Callable[[], Answer]]]:
    """Each GET route, asked for things of the account: by their ids, by a key, or by whose they are."""
    rows = _some_rows(stage, user)
    for route in routes():
        if route.endpoint.method != "GET" or route.public or route.group in ELSEWHERE or str(route) in NO_TRIP:
            continue
        if any(part in route.endpoint.path for part in LEFT_OUT):
            continue
        if str(route) in BY_KEY:
            yield str(route), _getting(user, BY_KEY[str(route)], {})
        elif str(route) == "GET /reference/browse":
            yield str(route), _getting(user, "/reference/browse", {"email": user.email})
        else:
            yield str(route), _asking(route, user, _ids_for(route, rows, user))


def _asking(route: Route, user: User, ids: tuple[str, ...]) -> Callable[[], Answer]:
    return lambda: route.ask(user, ids)


def _ids_for(route: Route, rows: list[Row], user: User) -> tuple[str, ...]:
    """The ids with which the route answers 200, and of these the ones with which it shows most."""
    for some in (likely(rows, route.endpoint.path), rows):
        shown = {}
        for path in paths_of(some, len(route.identified_by)):
            ids = tuple(row.id for row in path)
            answer = route.ask(user, ids)
            if answer.status == 200:
                shown[ids] = rows_in(answer)
        if shown:
            return max(shown, key=lambda ids: shown[ids])
    raise LookupError(f"the account has nothing to ask {route} for")


def _some_rows(stage: Stage, user: User) -> list[Row]:
    """A few rows of each table with ids, the oldest by their ids."""
    tables = stage.query(
        "SELECT table_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name"
        " WHERE table_schema = 'public' AND column_name IN ('id', 'user_id') AND data_type = 'uuid'"
        " GROUP BY table_name HAVING count(*) = 2 ORDER BY table_name"
    )
    return [
        Row(table, *row)
        for [table] in tables
        for row in stage.query(
            f'SELECT id::text, to_jsonb(t)::text FROM "{table}" AS t WHERE user_id = %s ORDER BY id LIMIT %s',
            *(user.id, IDS_OF_A_TABLE),
        )
    ]


def _variants(user: User) -> Iterator[tuple[str, Callable[[], Answer]]]:
    """The requests of VARIANTS."""
    for what, asked in VARIANTS.items():
        query = {name: value for name, value in asked.items() if name != "path"}
        yield what, _getting(user, asked["path"], query)


def _getting(user: User, path: str, query: Mapping[str, Any]) -> Callable[[], Answer]:
    return lambda: user.get(path, query=query)


def _pay(backend: Backend, parties: list[Party], what: str, pay: Payment) -> None:
    """Have each account paid several times, in turns; what it takes before is not counted."""
    for number in range(WARM_UP + ROUNDS):
        for party in parties:
            prepared = pay.prepare(party.user)
            before = backend.cpu_ns()
            answer = pay.request(party.user, prepared)
            cost = (backend.cpu_ns() - before) / 1e6
            assert answer.status == 200, (what, answer.text)
            if number >= WARM_UP:
                party.costs.setdefault(what, []).append(cost)
