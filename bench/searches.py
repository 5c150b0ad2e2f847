"""What a search of the infobase costs the database: in 100 entries, and in 10,000."""

import random
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import psycopg

from bench.database_cpu import Backend, backend_of
from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import Answer
from tests.support.users import User

ENTRIES: Final = (100, 10_000)
# Both show as many entries, also where the smaller user has no more: what is compared is the search.
PAGE: Final = 10
ROUNDS: Final = 40
WARM_UP: Final = 8

# An entry is 150 words of 5,000, of which some are far more frequent than others, as in any language; "drum" is in all
# of them, "snare" in every tenth, and "glockenspiel" in one.
VOCABULARY: Final = 5_000
WORDS_OF_AN_ENTRY: Final = 150
SEARCHES: Final[Mapping[str, str]] = {
    "a word that one entry has": "glockenspiel",
    "a word that every tenth has": "snare",
    "a word that all have": "drum",
    "two such words": "snare drum",
    "a phrase that every tenth has": '"snare drum"',
    "a word but not another": "drum -snare",
}
NOTE: Final = "Blend the crushed copy under the dry snare drum. " * 4


def measure(stage: Stage) -> Figure:
    """The same searches by a user with few entries and by one with many."""
    few, many = ENTRIES
    figure = Figure(
        "Search",
        "Milliseconds of CPU time of the function and of the Postgres process that serves it, for GET /infobase with a "
        f"search and a page of {PAGE}, by a user with {few} entries of {WORDS_OF_AN_ENTRY} words and by one with "
        f"{many:,}; both take turns, the 10th percentile of {ROUNDS} rounds. The larger is to take at most 3 times as "
        "long.",
        ("search", f"{few} entries", f"{many:,} entries", "times"),
    )
    users = {count: _with_entries(stage, count) for count in ENTRIES}
    stage.query("VACUUM ANALYZE")
    stage.serve()
    users[few].get("/infobase")  # opens the connection
    backend = backend_of(stage)
    if not backend.visible:
        return figure.without_rows("it takes Linux, and Postgres on the same machine")
    for what, request in _requests().items():
        short, long = _costs(backend, list(users.values()), request)
        figure.add(what, f"{short:.2f}", f"{long:.2f}", f"{long / short:.2f}")
    return figure


def _requests() -> Mapping[str, Callable[[User], Answer]]:
    """The searches, and the writing of another entry."""
    searches = {what: partial(_search, text) for what, text in SEARCHES.items()}
    return {**searches, "POST /infobase": lambda user: user.post("/infobase", {"title": "One more", "content": NOTE})}


def _search(text: str, user: User) -> Answer:
    answer = user.get("/infobase", query={"search": text, "page_size": PAGE})
    assert answer.data["total"] > 0, answer.text
    return answer


def _with_entries(stage: Stage, count: int) -> User:
    """A user with so many entries, each written in a transaction of its own as by a request."""
    user = stage.new_user()
    chosen = random.Random(count)
    words = [f"w{number:x}" for number in range(VOCABULARY)]
    frequencies = [1 / (number + 10) for number in range(VOCABULARY)]
    with psycopg.connect(stage.admin_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        connection.execute("SET ROLE questlog_owner")
        for number in range(count):
            content = " ".join(chosen.choices(words, frequencies, k=WORDS_OF_AN_ENTRY))
            named = "snare drum" if number % 10 == 0 else "drum"
            last = "glockenspiel" if number == 0 else ""
            connection.execute(
                "SELECT create_infobase_entry(gen_random_uuid(), %s, %s, 'Tips', '{}')",
                [f"Entry {number}", f"{content} {named} {last}"],
            )
    return user


def _costs(backend: Backend, users: list[User], request: Callable[[User], Answer]) -> list[float]:
    """What the request costs each of the users, in milliseconds."""
    taken: dict[User, list[float]] = {user: [] for user in users}
    for _ in range(WARM_UP + ROUNDS):
        for user in users:
            before = backend.cpu_ns() + time.process_time_ns()
            answer = request(user)
            taken[user].append((time.process_time_ns() + backend.cpu_ns() - before) / 1e6)
            assert answer.status == 200, answer.text
    return [statistics.quantiles(costs[WARM_UP:], n=10)[0] for costs in taken.values()]
