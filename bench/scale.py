"""What grows: each GET route and each route that pays, by a small, a usual and a heavy account in a big database."""

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from questlog.cursor import cursor_at

from bench.database_cpu import Backend, backend_of, rows_in
from bench.figure import Figure
from bench.population import HEAVY, SMALL, USUAL, account, crowd, settle
from bench.stage import Stage
from tests.support import factories
from tests.support.client import LOGINS, Answer
from tests.support.routes import NO_TRIP, Route, routes
from tests.support.rows import Row, likely, paths_of
from tests.support.users import User

USERS: Final = 200_000
PAYMENTS_OF_A_USER: Final = 50
ROUNDS: Final = 10
WARM_UP: Final = 3
BUDGET: Final = 1.5
# Groups whose requests come over another login, and so another connection, or ask the database nothing.
ELSEWHERE: Final = frozenset({*LOGINS, "health"})
# What is as large as what the account holds, or asks the bucket, which is not here.
LEFT_OUT: Final = ("export", ".csv", ".ics", "/stream", "/play")
IDS_OF_A_TABLE: Final = 3

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
    refused: dict[str, str] = field(default_factory=dict)


def measure(stage: Stage, users: int = USERS, payments: int = PAYMENTS_OF_A_USER) -> Figure:
    """Each request by each account, and how much dearer the heavy account's is per row that it shows."""
    figure = Figure(
        "What grows",
        f"Milliseconds of CPU time of the Postgres process that serves the request, in a database of {users:,} users "
        f"with {payments} payments each; the lower quartile of {ROUNDS} rounds, in which the accounts take turns. "
        f"A small account has {SMALL.ledger:,} rows in the ledger and a month of everything, a usual one "
        f"{USUAL.ledger:,} and a year, a heavy one {HEAVY.ledger:,} and three years. The factor is the heavy account's "
        "cost against the small one's, each divided by the rows that the answer shows where these differ. "
        f"At most {BUDGET} is the budget.",
        ("what", "small", "usual", "heavy", "rows shown", "factor"),
    )
    stage.tell(f"scale: {users:,} users")
    crowd(stage, users, payments)
    stage.tell("scale: three accounts")
    parties = [Party(account(stage, size)) for size in (SMALL, USUAL, HEAVY)]
    settle(stage)
    stage.serve()
    for party in parties:
        party.requests = dict(_reads(stage, party.user)) | dict(_variants(party.user))
    backend = backend_of(stage)
    if not backend.visible:
        return figure.without_rows("it takes Linux, and Postgres on the same machine")
    for what in [name for name in parties[0].requests if all(name in party.requests for party in parties)]:
        stage.tell(f"scale: {what}")
        _ask(backend, parties, what)
        _report(figure, what, parties)
    for what, pay in paying_requests(stage).items():
        stage.tell(f"scale: {what}")
        _pay(backend, parties, what, pay)
        _report(figure, what, parties)
    return figure


def _report(figure: Figure, what: str, parties: list[Party]) -> None:
    """Add the line of a request."""
    refused = {name: party.refused[what] for name, party in zip("suh", parties, strict=True) if what in party.refused}
    if refused:
        figure.add(what, *(party.refused.get(what, "") for party in parties), "", "")
        return
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
            if what in party.refused:
                continue
            before = backend.cpu_ns()
            answer = party.requests[what]()
            cost = (backend.cpu_ns() - before) / 1e6
            if answer.status != 200:
                party.refused[what] = str(answer.status)
            elif number >= WARM_UP:
                party.costs.setdefault(what, []).append(cost)
                party.shown[what] = rows_in(answer)


def _reads(stage: Stage, user: User) -> Iterator[tuple[str, Callable[[], Answer]]]:
    """Each GET route that answers 200, with ids of the account."""
    rows = _some_rows(stage, user)
    for route in routes():
        if route.endpoint.method != "GET" or route.public or route.group in ELSEWHERE or str(route) in NO_TRIP:
            continue
        if any(part in route.endpoint.path for part in LEFT_OUT):
            continue
        found = _ids_for(route, rows, user)
        if found is not None:
            yield str(route), _asking(route, user, found)


def _asking(route: Route, user: User, ids: tuple[str, ...]) -> Callable[[], Answer]:
    return lambda: route.ask(user, ids)


def _ids_for(route: Route, rows: list[Row], user: User) -> tuple[str, ...] | None:
    """Ids with which the route answers 200; None where there are none."""
    for path in paths_of(likely(rows, route.endpoint.path), len(route.identified_by)):
        ids = tuple(row.id for row in path)
        if route.ask(user, ids).status in (200, 503):
            return ids
    return None


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


def _pay(backend: Backend, parties: list[Party], what: str, pay: "Payment") -> None:
    """Have each account paid several times, in turns; what it takes before is not counted."""
    for number in range(WARM_UP + ROUNDS):
        for party in parties:
            prepared = pay.prepare(party.user)
            before = backend.cpu_ns()
            answer = pay.request(party.user, prepared)
            cost = (backend.cpu_ns() - before) / 1e6
            assert answer.status == 200, answer.text
            if number >= WARM_UP:
                party.costs.setdefault(what, []).append(cost)


@dataclass(frozen=True)
class Payment:
    """A request that pays. `prepare` makes what it is about and returns its id, so that each request pays."""

    prepare: Callable[[User], str]
    request: Callable[[User, str], Answer]


def paying_requests(stage: Stage) -> dict[str, Payment]:
    """The requests that pay, by their routes."""

    def a_session_near_its_end(user: User) -> str:
        session: str = factories.focus_session(user)["id"]
        stage.query(
            """
            UPDATE focus_sessions
               SET started_at = started_at - interval '24 min', ends_at = ends_at - interval '24 min'
             WHERE user_id = %s AND id = %s
            """,
            *(user.id, session),
        )
        return session

    def a_milestone(user: User) -> str:
        milestone: str = factories.goal(user, "One", "Two")["milestones"][0]["id"]
        return milestone

    def a_reward(user: User) -> str:
        items = user.get("/market/items").data["items"]
        key: str = next(item["key"] for item in items if item["name"] == "An hour off")
        return key

    def a_book(user: User) -> str:
        book: str = user.get("/books", query={"status": "reading"}).data["books"][0]["id"]
        return book

    return {
        "POST /focus": Payment(lambda _: "", lambda user, _: user.post("/focus")),
        "POST /focus/{session_id}/complete": Payment(
            a_session_near_its_end, lambda user, session: user.post(f"/focus/{session}/complete")
        ),
        "POST /habits/{habit_id}/complete": Payment(
            lambda user: str(factories.habit(user)["id"]), lambda user, habit: user.post(f"/habits/{habit}/complete")
        ),
        "POST /quests/{quest_id}/complete": Payment(
            lambda user: str(factories.quest(user)["id"]), lambda user, quest: user.post(f"/quests/{quest}/complete")
        ),
        "POST /goals/milestones/{milestone_id}/complete": Payment(
            a_milestone, lambda user, milestone: user.post(f"/goals/milestones/{milestone}/complete")
        ),
        "POST /calendar/{event_id}/complete": Payment(
            lambda user: str(factories.event(user)["id"]),
            lambda user, event: user.post(f"/calendar/{event}/complete", {"completed": True}),
        ),
        "POST /market/purchase": Payment(
            a_reward, lambda user, item: user.post("/market/purchase", {"item_key": item})
        ),
        "POST /books/{book_id}/sessions": Payment(
            a_book, lambda user, book: user.post(f"/books/{book}/sessions", {"pages_read": 1})
        ),
        "POST /activity": Payment(lambda _: "", lambda user, _: user.post("/activity", {"event_type": "page_view"})),
    }
