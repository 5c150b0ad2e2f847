"""How many round trips to the database a request costs, for every route there is."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial

from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import Answer, Client, connect
from tests.support.happy_paths import NOT_BY_REQUESTS, ask_prepared, ids_of
from tests.support.proxy import Proxy
from tests.support.routes import TWO_TRIPS, Route, inhabit, routes
from tests.support.users import User


def measure(stage: Stage) -> Figure:
    """The routes of each group by what a request costs that they grant."""
    figure = Figure(
        "Round trips per request",
        "Counted by a proxy between the function and Postgres, on a warm connection, for a request of a signed-in user "
        f"that the route grants; of {len(NOT_BY_REQUESTS)} routes that want what no request makes, such as a file in "
        "the bucket or a job that has run, for the least they understand. An Idempotency-Key costs one more, because "
        "the answer is kept under it in the same transaction. The suite holds every route to one trip, but for the "
        "ones below the table, which may take two.",
        ("group", "routes", "no trip", "one trip", "two", "more", "with an Idempotency-Key"),
    )
    by_group: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with Proxy(stage.app_url) as proxy:
        stage.serve(proxy.on_the_way_to)
        Client().get("/ready")
        for route in routes():
            by_group[route.group].append(_cost(route, stage, proxy))
        stage.serve()
    for group, costs in by_group.items():
        each = [trips for trips, _ in costs]
        keyed = max(with_key for _, with_key in costs)
        figure.add(group, len(each), each.count(0), each.count(1), each.count(2), sum(n > 2 for n in each), keyed or "")
    figure.notes += [f"`{route}`: {reason}" for route, reason in TWO_TRIPS.items()]
    return figure


def _cost(route: Route, stage: Stage, proxy: Proxy) -> tuple[int, int]:
    """The trips of a request that is granted, and those of one with an Idempotency-Key, 0 where it means nothing."""
    user = stage.new_user(role="admin")
    inhabit(route.group, user)
    connect(route.group)
    before = 0
    for ask in _requests(route, user, stage):
        before = proxy.trips
        if ask().status < 400:
            break
    else:
        assert str(route) in NOT_BY_REQUESTS, route
    trips = proxy.trips - before
    keyed = []
    for _ in range(2 if route.takes_key else 0):
        before = proxy.trips
        route.ask(user, key="a key")
        keyed.append(proxy.trips - before)
    return trips, max(keyed, default=0)


def _requests(route: Route, user: User, stage: Stage) -> Iterator[Callable[[], Answer]]:
    """Requests of the route for what the user has, until one is granted."""
    for ids in ids_of(route, user, stage.database):
        for whole in (False, True):
            yield partial(route.ask, user, ids, whole=whole)
    yield ask_prepared(route, user, stage.new_user)
