"""What is asked for: order, limits, days, and what is hidden."""

from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, NewUser, User
from tests.learn.conftest import card, cards, deck, review

NOON = "2031-05-05T12:00:00Z"


def queue(user: User, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = user.get("/learn/cards/due", query=query).data
    return answer


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["id"] for one in answer["cards"]]


def test_nothing_is_asked_of_a_new_user(user: User) -> None:
    assert queue(user) == {
        "cards": [],
        "counts": {"learning": 0, "review": 0, "new": 0},
        "remaining_today": {"reviews": 200, "new": 10},
        "next_learning_due": None,
    }


def test_learning_before_reviews_before_new_cards(user: User, clock: Clock) -> None:
    clock.set(NOON)
    user.put("/learn/settings", {"fuzz": False})
    deck_id = deck(user)
    new_one, new_two, late, early, good, again, lapsed = cards(user, deck_id, 7)
    review(user, early, 4)
    review(user, lapsed, 4)
    clock.set("2031-05-06T12:00:00Z")
    review(user, late, 4)
    clock.set("2031-05-20T12:00:00Z")
    review(user, good, 3)
    clock.advance("PT1M")
    review(user, again, 1)
    review(user, lapsed, 1)
    clock.advance("PT9M30S")
    answer = queue(user)
    assert ids(answer) == [again, good, early, late, new_one, new_two]
    assert answer["counts"] == {"learning": 2, "review": 2, "new": 2}
    assert answer["remaining_today"] == {"reviews": 199, "new": 8}
    assert answer["next_learning_due"] is not None
    clock.advance("PT1M")
    assert lapsed in ids(queue(user))[:3], "relearning cards are learning cards"
    assert queue(user)["next_learning_due"] is None
    assert set(answer["cards"][0]["preview"]) == {"again", "hard", "good", "easy"}


def test_new_cards_in_the_order_they_were_made(user: User, clock: Clock) -> None:
    clock.freeze()
    first, second = deck(user), deck(user, name="Other")
    made = []
    for deck_id in (second, first, second, first):
        made.append(card(user, deck_id)["id"])
        clock.advance("PT1S")
    assert ids(queue(user)) == made
    copied = user.post("/learn/decks/public/training_terms/copy").data["deck"]["id"]
    fronts = [one["front"] for one in queue(user, deck_id=copied)["cards"]]
    deck_cards = user.get("/learn/decks/public/training_terms").data["cards"]
    assert fronts == [one["front"] for one in deck_cards[:10]], "copied in one moment, in the order of the deck"


def test_a_limit_cuts_the_list_and_not_the_counts(user: User) -> None:
    made = cards(user, deck(user), 5)
    answer = queue(user, limit=2)
    assert (ids(answer), answer["counts"]["new"]) == (made[:2], 5)
    for query in ({"limit": 0}, {"limit": 101}, {"deck_id": "x"}):
        user.get("/learn/cards/due", query=query).invalid(*query)


def test_new_cards_a_day(user: User, clock: Clock) -> None:
    clock.set(NOON)
    made = cards(user, deck(user), 12)
    answer = queue(user)
    assert (ids(answer), answer["counts"]["new"]) == (made[:10], 10)
    for card_id in made[:4]:
        review(user, card_id, 4)
    answer = queue(user)
    assert (ids(answer), answer["counts"]["new"], answer["remaining_today"]["new"]) == (made[4:10], 6, 6)
    review(user, made[11], 4)
    assert ids(queue(user)) == made[4:9], "a card that was not in the queue counts too"
    user.put("/learn/settings", {"new_per_day": 3})
    assert queue(user)["remaining_today"]["new"] == queue(user)["counts"]["new"] == 0
    clock.set("2031-05-06T00:00:00Z")
    assert ids(queue(user)) == made[4:7]
    user.put("/learn/settings", {"new_per_day": 0})
    assert ids(queue(user)) == []


def test_undone_introductions_give_the_place_back(user: User) -> None:
    user.put("/learn/settings", {"new_per_day": 1})
    first, second = cards(user, deck(user), 2)
    review(user, first, 4)
    assert ids(queue(user)) == []
    user.post("/learn/reviews/undo")
    assert ids(queue(user)) == [first]
    assert second not in ids(queue(user))


def test_reviews_a_day_of_all_decks_together(user: User, clock: Clock) -> None:
    clock.set(NOON)
    user.put("/learn/settings", {"fuzz": False, "new_per_day": 999})
    first, second = deck(user), deck(user, name="Other")
    made = [one for deck_id in (first, second) for one in cards(user, deck_id, 3)]
    for card_id in made:
        review(user, card_id, 4)
        clock.advance("PT1S")
    clock.advance("P8D")
    user.put("/learn/settings", {"reviews_per_day": 4})
    answer = queue(user)
    assert (ids(answer), answer["counts"]["review"]) == (made[:4], 4)
    assert ids(queue(user, deck_id=second)) == made[3:]
    review(user, made[0], 1)
    review(user, made[1], 3)
    answer = queue(user)
    assert (ids(answer), answer["remaining_today"]["reviews"]) == (made[2:4], 2)
    assert ids(queue(user, deck_id=second)) == made[3:5]
    clock.advance("PT11M")
    assert ids(queue(user)) == [made[0], *made[2:4]], "learning cards are never held back"
    assert user.get("/learn").data["cards_due"] == 3
    assert user.get(f"/learn/decks/{second}").data["due_count"] == 3, "a deck counts without limits"


def test_a_review_is_due_when_its_day_begins(new_user: NewUser, clock: Clock) -> None:
    clock.set("2031-05-05T20:00:00Z")
    user = new_user(settings={"timezone": "America/New_York", "day_start_hour": 3})
    user.put("/learn/settings", {"fuzz": False})
    card_id = card(user, deck(user))["id"]
    assert review(user, card_id, 4)["due"].startswith("2031-05-13T20:00")
    clock.set("2031-05-13T06:59:59Z")
    assert (ids(queue(user)), user.get("/learn/decks").data["decks"][0]["due_count"]) == ([], 0)
    clock.set("2031-05-13T07:00:00Z")
    assert ids(queue(user)) == [card_id], "at three in the morning in New York"
    assert user.get("/learn/decks").data["decks"][0]["due_count"] == 1
    assert user.get("/learn/review").data["cards_due"] == user.get("/learn").data["review_count"] == 1


def test_a_learning_card_is_due_to_the_microsecond(user: User, clock: Clock) -> None:
    clock.freeze()
    clock.set(NOON)
    card_id = card(user, deck(user))["id"]
    due = review(user, card_id, 1)["due"]
    assert queue(user)["next_learning_due"] == due == "2031-05-05T12:01:00.000000Z"
    clock.set("2031-05-05T12:00:59.999999Z")
    assert ids(queue(user)) == []
    clock.set(due)
    answer = queue(user)
    assert (ids(answer), answer["next_learning_due"]) == ([card_id], None)


def test_of_one_deck(user: User, other: User) -> None:
    first, second = deck(user), deck(user, name="Other")
    mine, theirs = cards(user, first, 2), cards(user, second, 1)
    review(user, mine[0], 1)
    answer = queue(user, deck_id=second)
    assert (ids(answer), answer["counts"], answer["next_learning_due"]) == (
        theirs,
        {"learning": 0, "review": 0, "new": 1},
        None,
    )
    assert queue(user, deck_id=first)["next_learning_due"] is not None
    other.get("/learn/cards/due", query={"deck_id": first}).refused(404, "not_found")


# Statistics --------------------------------------------------------------------------------------------------------


def test_statistics_of_nothing(user: User) -> None:
    answer = user.get("/learn/stats").data
    daily = answer.pop("daily")
    assert answer == {
        "cards": {"total": 0, "new": 0, "learning": 0, "review": 0, "relearning": 0, "suspended": 0, "mature": 0},
        "reviews_today": 0,
        "new_today": 0,
        "time_today_ms": 0,
        "true_retention": {"reviews": 0, "passed": 0, "rate": None},
        "average_retrievability": None,
    }
    assert len(daily) == 30
    assert {tuple(list(day.values())[1:]) for day in daily} == {(0, 0, 0)}


def test_statistics(user: User, clock: Clock) -> None:
    clock.set(NOON)
    user.put("/learn/settings", {"fuzz": False})
    first, second = deck(user), deck(user, name="Other")
    one, two, three, four = cards(user, first, 4)
    elsewhere = card(user, second)["id"]
    for card_id in (one, two, elsewhere):
        review(user, card_id, 4, duration_ms=1000)
    clock.advance("P30D")
    review(user, one, 3, duration_ms=2000)
    review(user, two, 1, duration_ms=500)
    review(user, three, 3)
    review(user, elsewhere, 2)
    review(user, three, 1)
    user.post("/learn/reviews/undo")
    user.patch(f"/learn/cards/{four}", {"suspended": True})
    answer = user.get("/learn/stats", query={"days": 31}).data
    assert answer["cards"] == {
        "total": 5,
        "new": 1,
        "learning": 1,
        "review": 2,
        "relearning": 1,
        "suspended": 1,
        "mature": 2,
    }
    assert (answer["reviews_today"], answer["new_today"], answer["time_today_ms"]) == (4, 1, 2500)
    assert answer["true_retention"] == {"reviews": 3, "passed": 2, "rate": pytest.approx(2 / 3)}
    assert [day["date"] for day in answer["daily"]][::30] == ["2031-05-05", "2031-06-04"]
    assert answer["daily"][0] == {"date": "2031-05-05", "reviews": 3, "passed": 3, "new": 3}
    assert answer["daily"][30] == {"date": "2031-06-04", "reviews": 4, "passed": 3, "new": 1}
    assert sum(day["reviews"] for day in answer["daily"]) == 7
    assert answer["average_retrievability"] == 1
    short = user.get("/learn/stats", query={"days": 30}).data
    assert sum(day["reviews"] for day in short["daily"]) == 4
    of_one = user.get("/learn/stats", query={"deck_id": second, "days": 1}).data
    assert (of_one["cards"]["total"], of_one["reviews_today"], len(of_one["daily"])) == (1, 1, 1)
    assert of_one["true_retention"] == {"reviews": 1, "passed": 1, "rate": 1}


def test_what_is_remembered_fades(user: User, clock: Clock) -> None:
    clock.set(NOON)
    user.put("/learn/settings", {"fuzz": False})
    one, two = cards(user, deck(user), 2)
    review(user, one, 4)
    review(user, two, 4)
    clock.advance("P8D")
    shown = user.get("/learn/cards/due").data["cards"]
    expected = sum(card["retrievability"] for card in shown) / 2
    assert 0.89 < expected < 0.91
    assert user.get("/learn/stats").data["average_retrievability"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("path", ["/learn/stats", "/learn/forecast"])
def test_spans_that_cannot_be(user: User, stranger: Client, path: str) -> None:
    for query in ({"days": 0}, {"days": 367}, {"days": "x"}, {"deck_id": "x"}):
        user.get(path, query=query).invalid(*query)
    assert user.get(path, query={"days": 366}).status == 200
    stranger.get(path).refused(401, "unauthorized")


def test_a_forecast(user: User, clock: Clock) -> None:
    clock.set(NOON)
    user.put("/learn/settings", {"fuzz": False})
    first, second = deck(user), deck(user, name="Other")
    one, two, three, four, five, _ = cards(user, first, 6)
    elsewhere = card(user, second)["id"]
    review(user, one, 4)  # the 13th
    clock.advance("P1D")
    review(user, two, 4)  # the 14th
    review(user, elsewhere, 4)
    review(user, four, 4)
    user.patch(f"/learn/cards/{four}", {"suspended": True})
    clock.advance("P7D")  # the 13th
    review(user, three, 4)  # the 21st
    review(user, five, 1)  # in a minute
    answer = user.get("/learn/forecast", query={"days": 9}).data
    assert [day["due"] for day in answer["days"]] == [2, 2, 0, 0, 0, 0, 0, 0, 1]
    assert answer["days"][0]["date"] == "2031-05-13"
    assert (answer["overdue"], answer["total"]) == (0, 5)
    assert user.get("/learn/forecast", query={"days": 8}).data["total"] == 4
    of_one = user.get("/learn/forecast", query={"deck_id": second}).data
    assert (of_one["total"], len(of_one["days"])) == (1, 30)
    clock.advance("P4D")  # the 17th
    answer = user.get("/learn/forecast", query={"days": 5}).data
    assert [day["due"] for day in answer["days"]] == [4, 0, 0, 0, 1]
    assert (answer["overdue"], answer["total"]) == (4, 5)


# Settings ----------------------------------------------------------------------------------------------------------

DEFAULTS = {
    "desired_retention": 0.9,
    "maximum_interval": 3650,
    "new_per_day": 10,
    "reviews_per_day": 200,
    "learning_steps": [1, 10],
    "relearning_steps": [10],
    "leech_threshold": 8,
    "fuzz": True,
}


def test_settings(user: User, other: User, stranger: Client) -> None:
    assert user.get("/learn/settings").data == DEFAULTS
    changed = DEFAULTS | {"desired_retention": 0.97, "learning_steps": [], "fuzz": False}
    assert user.put("/learn/settings", {"desired_retention": 0.97, "learning_steps": [], "fuzz": False}).data == changed
    assert user.put("/learn/settings", {}).data == changed, "what is absent stays"
    assert user.put("/learn/settings", {"new_per_day": 0}).data == changed | {"new_per_day": 0}
    assert user.get("/learn/settings").data == changed | {"new_per_day": 0}
    assert other.get("/learn/settings").data == DEFAULTS
    stranger.get("/learn/settings").refused(401, "unauthorized")
    stranger.put("/learn/settings", {}).refused(401, "unauthorized")


@pytest.mark.parametrize(
    ("field", "lowest", "highest", "outside"),
    [
        ("desired_retention", 0.7, 0.97, [0.69, 0.98, "0.9", None]),
        ("maximum_interval", 30, 36_500, [29, 36_501, 30.5, None]),
        ("new_per_day", 0, 999, [-1, 1000, None]),
        ("reviews_per_day", 0, 9999, [-1, 10_000, None]),
        ("learning_steps", [], [1440, 1, 2, 3, 4], [[1] * 6, None]),
        ("relearning_steps", [], [1440, 1, 2, 3, 4], [[1] * 6, None]),
        ("leech_threshold", 2, 50, [1, 51, None]),
        ("fuzz", False, True, ["yes", 1, None]),
    ],
)
def test_edges_of_settings(user: User, field: str, lowest: Any, highest: Any, outside: list[Any]) -> None:
    for value in (lowest, highest):
        assert user.put("/learn/settings", {field: value}).data[field] == value
    for value in outside:
        user.put("/learn/settings", {"theme": "dark", field: value}).invalid(field)
    assert user.get("/learn/settings").data[field] == highest


@pytest.mark.parametrize("step", [0, 1441, 1.5, "1"])
def test_edges_of_steps(user: User, step: Any) -> None:
    user.put("/learn/settings", {"learning_steps": [1, step]}).invalid("learning_steps.1")
