"""One database round trip per request, counted for every route there is (design, sections 4 and 9).

The routes are found, not named: a new one is held to one trip by being declared. What costs another number is listed
in tests/support/routes.py, with the reason.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from questlog import db as questlog_db
from questlog.api import Api
from questlog.db import Db
from questlog.identity import session_cookie_name
from questlog.wire import Success

from tests.conftest import Database, NewUser, User
from tests.support.client import CONTEXT, Answer, Client, connect, gateway_event
from tests.support.happy_paths import NOT_BY_REQUESTS, PREPARED, TO_ANOTHER_USER, ask_prepared, ids_of
from tests.support.proxy import Proxy, waits
from tests.support.routes import NO_TRIP, OF_EVERYONE, ONLY_ASKS_WHO, TWO_TRIPS, Route, inhabit, routes
from tests.support.users import create_user

# What libpq's trace calls the messages that a pipeline is made of, and the letters they go by on the wire.
LETTERS = {"Parse": "P", "Bind": "B", "Describe": "D", "Execute": "E", "Close": "C", "Sync": "S", "Flush": "H"}

ROUTES = list(routes())
Count = Callable[[Callable[[], Answer]], tuple[int, Answer]]


def hold(route: Route, trips: int, answer: Answer, *, more: int = 0) -> None:
    """Fail unless the request took the trips it may take, and so many more."""
    most = route.trips + more
    fits = most - 1 <= trips <= most if str(route) in TWO_TRIPS else trips == most
    assert fits, f"{route} took {trips} trips, not {most}, to answer {answer.status}: {answer.text[:300]}"


@pytest.fixture(scope="module")
def line(database: Database) -> Iterator[Proxy]:
    """What the requests of these tests reach the database through."""
    with Proxy(database.app_url) as proxy:
        database.serve(proxy.on_the_way_to)
        yield proxy
    database.serve()


@pytest.fixture
def proxy(line: Proxy) -> Proxy:
    """The same, on a connection that stands and has prepared nothing."""
    stand("health")  # any of the request functions
    return line


def stand(group: str) -> None:
    """Have the group's next request go over a connection that stands and has prepared nothing, as a new one has not."""
    connect(group)
    questlog_db.connection().execute("DEALLOCATE ALL")


@pytest.fixture
def place(
    request: pytest.FixtureRequest, route: Route, line: Proxy, proxy: Proxy, database: Database
) -> Iterator[Database]:
    """Where a route is asked: a database without other users for one that looks at everyone's rows."""
    if str(route) not in OF_EVERYONE:
        yield database
        return
    untouched: Database = request.getfixturevalue("untouched")
    untouched.set_limits(generous=True)
    untouched.serve(line.on_the_way_to)
    yield untouched
    database.serve(line.on_the_way_to)


@pytest.fixture
def asker(place: Database, database: Database, new_user: NewUser) -> User:
    """The administrator who asks there."""
    if place is database:
        return new_user(role="admin")
    with place.admin() as connection:
        return create_user(connection, role="admin")


@pytest.fixture
def count(proxy: Proxy) -> Count:
    """Makes a request, and answers how many trips it took beside its answer."""

    def counted(request: Callable[[], Answer]) -> tuple[int, Answer]:
        before, own_before = proxy.trips, questlog_db.trips()
        answer = request()
        trips = proxy.trips - before
        assert questlog_db.trips() - own_before == trips, "the log line tells another number of trips"
        return trips, answer

    return counted


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_request_is_one_trip(
    *, route: Route, proxy: Proxy, count: Count, asker: User, place: Database, new_user: NewUser
) -> None:
    """Asked for what does not exist, then for what the user has until it is granted; with little in the body and with
    much; each of them twice, because a statement's first execution also prepares it.
    """
    inhabit(route.group, asker)
    stand(route.group)
    unknown: tuple[str, ...] = tuple(str(uuid4()) for _ in route.identified_by)
    most = 0
    granted = False
    for ids in itertools.chain([unknown], ids_of(route, asker, place) if unknown else ()):
        for whole in (False, False, True, True):
            before = proxy.statements
            trips, answer = count(partial(route.ask, asker, ids, whole=whole))
            hold(route, trips, answer)
            assert answer.status != 500
            granted |= answer.status < 400
            most = max(most, proxy.statements - before)
        if granted:
            break
    # The statement that says who asks, and one of its own, or the request was refused for its form.
    enough = 0 if str(route) in NO_TRIP else 1 if route.public or str(route) in ONLY_ASKS_WHO else 2
    assert most >= enough, f"{route} never reached its statement: tell tests/support/routes.py what to ask it"
    if not granted and str(route) not in NOT_BY_REQUESTS:
        trips, answer = count(ask_prepared(route, asker, new_user))
        hold(route, trips, answer)
        assert answer.status < 400, f"tell tests/support/happy_paths.py what {route} grants: {answer.text[:300]}"


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.public], ids=str)
def test_a_stranger_is_refused_in_one_trip(route: Route, count: Count, stranger: Client) -> None:
    stand(route.group)
    trips, answer = count(lambda: route.ask(stranger))
    answer.refused(401, "unauthorized")
    assert trips == 1


@pytest.mark.parametrize("route", [route for route in ROUTES if route.takes_key], ids=str)
def test_an_idempotency_key_costs_one_trip_more(route: Route, count: Count, new_user: NewUser) -> None:
    """Its answer is kept in the transaction it belongs to, and is known only once the first trip is back."""
    user = new_user(role="admin")
    inhabit(route.group, user)
    stand(route.group)
    key = str(uuid4())
    ids = [str(uuid4()) for _ in route.identified_by]
    for _ in range(2):
        hold(route, *count(lambda: route.ask(user, ids, key=key)), more=1)


def test_a_refusal_costs_no_more_with_a_key(count: Count, user: User, new_user: NewUser) -> None:
    """Also where it comes before the key is claimed: from a stranger, without consent, for another request's key."""
    key = {"Idempotency-Key": "once"}
    user.post("/focus", {}, headers=key)
    for client, status in ((Client(), 401), (new_user(consented=False), 403), (user, 422)):
        for _ in range(2):
            trips, answer = count(partial(client.post, "/focus", {"mode": "break"}, headers=key))
            assert (trips, answer.status) == (2, status)


def test_a_day_of_focus_on_one_connection(count: Count, user: User) -> None:
    """Objects that exist, refusals, validation, replays: one trip each, the first time and every other."""
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    tracks = f"/focus/libraries/{library}/tracks"

    def day() -> None:
        _, started = count(lambda: user.post("/focus", {"library_id": library}))
        session = f"/focus/{started.data['id']}"
        steps: list[tuple[int, Callable[[], Answer]]] = [
            (200, lambda: user.get("/focus/active")),
            (200, lambda: user.get(session)),
            (200, lambda: user.patch(session, {"notes": "Rain", "tags": ["deep"]})),
            (200, lambda: user.post("/focus/pause", {"time_remaining_seconds": 1490})),
            (200, lambda: user.get("/focus/pause")),
            (200, lambda: user.delete("/focus/pause")),
            (404, lambda: user.delete("/focus/pause")),
            (200, lambda: user.post(f"{session}/complete")),
            (200, lambda: user.post(f"{session}/complete")),
            (409, lambda: user.post(f"{session}/abandon")),
            (200, lambda: user.get("/focus", query={"stats": "true", "period": "all"})),
            (200, lambda: user.get("/focus", query={"page_size": "100", "from": "2020-01-01"})),
            (400, lambda: user.get("/focus", query={"page": "0"})),
            (400, lambda: user.post("/focus", {"duration_seconds": 0})),
            (404, lambda: user.post("/focus", {"library_id": str(uuid4())})),
            (404, lambda: user.get("/focus/not-an-id")),
            (200, lambda: user.post(tracks, {"track_title": "Rain"})),
            (200, lambda: user.get(tracks)),
        ]
        for position, (status, request) in enumerate(steps):
            trips, answer = count(request)
            assert (trips, answer.status) == (1, status), (position, answer.text)

    for _ in range(3):
        day()


def test_whoever_may_not_is_refused_in_one_trip(count: Count, new_user: NewUser) -> None:
    user, undecided = new_user(), new_user(consented=False)
    trips, answer = count(lambda: undecided.post("/focus"))
    answer.refused(403, "age_verification_required")
    assert trips == 1
    trips, answer = count(lambda: user.post("/focus", headers={"origin": "https://elsewhere.test"}))
    answer.refused(403, "csrf_violation")
    assert trips == 1


def test_what_cannot_be_read_is_refused_without_asking(count: Count, user: User) -> None:
    for status, request in [
        (400, lambda: user.post("/focus", b"{")),
        (405, lambda: user.put("/focus")),
        (413, lambda: user.post("/focus", b" " * 1_048_577)),
        (415, lambda: user.post("/focus", b"{}", headers={"content-type": "text/plain"})),
        (404, lambda: user.get("/nowhere")),
    ]:
        trips, answer = count(request)
        assert (trips, answer.status) == (0, status)


def test_more_statements_than_a_connection_keeps_prepared(count: Count, tmp_path: Path, user: User) -> None:
    """psycopg keeps a hundred; making room for another must not take a trip of its own."""
    names = [f"number_{n}" for n in range(120)]
    (tmp_path / "queries.sql").write_text(
        "".join(f"-- name: {name}\nSELECT {name!r} <> '' AS success;\n" for name in names)
    )
    api = Api(str(tmp_path / "app.py"))

    def declare(name: str) -> None:
        @api.get(f"/{name}")
        def answer(db: Db) -> Success:
            return db.one(Success, name)

    for name in names:
        declare(name)
    ask = asking(api, user)
    for name in [*names, *names]:
        trips, answer = count(partial(ask, f"/{name}"))
        assert (trips, answer.status) == (1, 200)


def test_a_second_trip_is_noticed(count: Count, tmp_path: Path, user: User) -> None:
    api = nodding(tmp_path)
    first, second = (Route("bad", endpoint) for endpoint in api.endpoints)
    ask = asking(api, user)
    hold(first, *count(lambda: ask("/once")))
    for _ in range(2):
        with pytest.raises(AssertionError, match="took 2 trips"):
            hold(second, *count(lambda: ask("/twice")))


def test_the_log_line_of_a_request_tells_its_trips(
    proxy: Proxy, tmp_path: Path, user: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "INFO")
    ask = asking(nodding(tmp_path), user)
    for path in ("/once", "/twice", "/nowhere", "/once"):
        ask(path)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [(line.get("route"), line["trips"]) for line in lines if line["message"] == "request"]
    assert told == [("/once", 1), ("/twice", 2), (None, 0), ("/once", 1)]


def test_libpq_counts_the_same(proxy: Proxy, count: Count, user: User) -> None:
    """The proxy against what the client's own library says it sent and received."""
    connection: psycopg.Connection[Any] = questlog_db._held.connection
    with TemporaryFile("w+") as trace:
        connection.pgconn.trace(trace.fileno())
        before = proxy.trips
        user.get("/focus/active")
        user.post("/focus", {}, headers={"idempotency-key": "once"})
        user.post("/focus", {}, headers={"idempotency-key": "once"})
        user.post("/focus", {"library_id": str(uuid4())})
        Client().get("/focus")
        connection.execute("SELECT 1")
        with connection.pipeline():
            connection.execute("SELECT 1").fetchone()
        counted = proxy.trips - before
        connection.pgconn.untrace()
        trace.seek(0)
        assert counted == trips_in(trace.read())
    # The last two are what Db never does: to prepare outside a pipeline takes a trip, and so does a fetch inside one.
    assert counted == 1 + 2 + 2 + 1 + 1 + 2 + 2


def trips_in(trace: str) -> int:
    """How often the client speaks in a trace of libpq's after the server has: F is the front end, B the back end."""
    trips, speaker, before = 0, "B", 0
    for who, message in re.findall(r"^[-0-9:. ]+\t([FB])\t\d+\t(\w+)", trace, re.MULTILINE):
        if who == "B":
            speaker = "B"
            continue
        kind = ord(LETTERS.get(message, "Q"))
        if waits(before, kind):
            trips += speaker == "B"
            speaker = "F"
        before = kind
    return trips


def test_the_lists_name_what_there_is() -> None:
    declared = {str(route) for route in ROUTES}
    assert set(NO_TRIP) <= declared
    assert set(TWO_TRIPS) <= declared
    prepared = set(PREPARED) | set(TO_ANOTHER_USER)
    assert prepared | set(NOT_BY_REQUESTS) <= declared
    assert not prepared & set(NOT_BY_REQUESTS)


def nodding(folder: Path) -> Api:
    """An API with one route of one trip, and one of two."""
    (folder / "queries.sql").write_text("-- name: nod\nSELECT true AS success;\n")
    api = Api(str(folder / "app.py"))

    @api.get("/once")
    def once(db: Db) -> Success:
        return db.one(Success, "nod")

    @api.get("/twice")
    def twice(db: Db) -> Success:
        db.one(Success, "nod")
        return db.one(Success, "nod")

    return api


def asking(api: Api, user: User) -> Callable[[str], Answer]:
    """Asks for paths of an API that is in no folder, as the user."""
    handler = api.handler

    def ask(path: str) -> Answer:
        result = handler(gateway_event("GET", path, cookies={session_cookie_name(): user.token or ""}), CONTEXT)
        return Answer(result["statusCode"], result["headers"], (), result["body"])

    return ask
