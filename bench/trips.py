"""How many round trips to the database a request costs, for every route there is."""

from collections import defaultdict
from uuid import uuid4

from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import Client
from tests.support.proxy import Proxy
from tests.support.routes import TWO_TRIPS, Route, inhabit, routes


def measure(stage: Stage) -> Figure:
    """The routes of each group by what they cost, with the smallest request they understand."""
    figure = Figure(
        "Round trips per request",
        "Counted by a proxy between the function and Postgres, on a warm connection, each route asked the least it "
        "understands, as a signed-in user. An Idempotency-Key costs one more, because the answer is kept under it in "
        "the same transaction. The suite holds every route to one trip, but for the ones below the table, which may "
        "take two.",
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
    """The most trips that one request took, and that one with an Idempotency-Key took, 0 where it means nothing."""
    user = stage.new_user(role="admin")
    inhabit(route.group, user)
    ids = [str(uuid4()) for _ in route.identified_by]
    trips = []
    for key in (None, None, *([str(uuid4())] * 2 if route.takes_key else ())):
        before = proxy.trips
        route.ask(user, ids, key=key)
        trips.append(proxy.trips - before)
    return max(trips[:2]), max(trips[2:], default=0)
