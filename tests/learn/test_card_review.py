"""Reviewing a card: the schedule through HTTP, what is refused, what is logged, what is paid."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from functions.learn.scheduling import CardScheduler
from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.learn.conftest import card, cards, deck, read, review
from tests.learn.replay import SCHEDULE, is_replayed
from tests.support.ledger import counter, payments

PLAIN = {"fuzz": False, "maximum_interval": 36_500}


def new_card(user: User, **settings: Any) -> str:
    """A card in a deck of its own."""
    if settings:
        assert user.put("/learn/settings", settings).status == 200
    card_id: str = card(user, deck(user))["id"]
    return card_id


def test_an_answer(user: User) -> None:
    card_id = new_card(user)
    before = read(user, card_id)
    answer = review(user, card_id, 3, duration_ms=4200)
    now = answer["card"]
    assert set(answer) == {
        "review_id",
        "rating",
        "card",
        "preview",
        "interval_days",
        "due",
        "state_before",
        "leech",
        "reviewed_today",
        "xp_awarded",
        "coins_awarded",
        "leveled_up",
        "new_level",
        "achievements_unlocked",
        "streak",
    }
    assert (answer["rating"], answer["state_before"], answer["interval_days"], answer["leech"]) == (3, "new", 0, False)
    assert (answer["due"], answer["reviewed_today"]) == (now["due"], 1)
    assert now == before | {name: now[name] for name in SCHEDULE if name in now} | {
        "retrievability": 1,
        "updated_at": now["updated_at"],
    }
    assert (now["state"], now["reps"], now["lapses"]) == ("learning", 1, 0)
    assert read(user, card_id) == now


def test_the_golden_vector(user: User) -> None:
    """Contract 2.4, rule 3: each review at its due time, which travels with its microseconds."""
    card_id = new_card(user, **PLAIN)
    at, intervals = "2015-03-01T09:30:00.123456Z", []
    for rating in (3, 3, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3, 3):
        answer = review(user, card_id, rating, reviewed_at=at)
        intervals.append(answer["interval_days"])
        assert answer["card"]["last_review"] == at
        at = answer["due"]
    assert intervals == [0, 2, 11, 46, 163, 498, 0, 0, 2, 4, 7, 12, 21]
    now = read(user, card_id)
    assert (now["stability"], now["difficulty"]) == (20.77035728499242, 9.055759917231622)
    assert now["reps"] == 13
    assert now["lapses"] == 1


def test_nights(new_user: NewUser) -> None:
    """The same four reviews: where a night lies between the last two, and where none does."""
    found = []
    for zone in ("UTC", "Pacific/Auckland"):
        user = new_user(settings={"timezone": zone})
        card_id = new_card(user, **PLAIN)
        for rating, at in ((1, "21:00"), (3, "21:01"), (3, "21:11")):
            review(user, card_id, rating, reviewed_at=f"2025-06-02T{at}:00Z")
        found.append(review(user, card_id, 3, reviewed_at="2025-06-03T07:00:00Z")["card"])
    assert found[0]["stability"] == pytest.approx(2.1520782454047453, abs=1e-9)
    assert found[0]["interval_days"] == 2
    assert found[1]["interval_days"] == 1, "in Auckland it is nine in the morning and seven in the evening of one day"
    assert found[1]["stability"] == pytest.approx(0.324, abs=1e-3)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 60 * 24 * 5)), min_size=1, max_size=12),
    st.booleans(),
    st.sampled_from([[], [1, 10], [5], [1, 2, 3, 4, 5]]),
)
@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_replaying_the_log_gives_the_card(
    new_user: NewUser, database: Database, history: list[tuple[int, int]], fuzz: bool, steps: list[int]
) -> None:
    user = new_user(settings={"timezone": "America/Sao_Paulo", "day_start_hour": 4})
    card_id = new_card(user, fuzz=fuzz, learning_steps=steps, leech_threshold=50)
    at = datetime(2020, 1, 1, tzinfo=UTC)
    states = [read(user, card_id)]
    for rating, minutes in history:
        at += timedelta(minutes=minutes)
        states.append(review(user, card_id, rating, reviewed_at=at.isoformat())["card"])
        is_replayed(database, card_id)
    for before in reversed(states[:-1]):
        undone = user.post("/learn/reviews/undo", {"card_id": card_id}).data["card"]
        moving = {"updated_at": undone["updated_at"], "retrievability": undone["retrievability"]}
        assert undone == before | moving
        is_replayed(database, card_id)
    user.post("/learn/reviews/undo", {"card_id": card_id}).refused(409, "nothing_to_undo")


@pytest.mark.parametrize("fuzz", [False, True])
def test_a_preview_is_what_the_answer_does(user: User, clock: Clock, fuzz: bool) -> None:
    """For each of the four answers, to cards in each of the four states."""
    clock.freeze()
    clock.set("2031-05-05T12:00:00Z")
    user.put("/learn/settings", {"fuzz": fuzz, "new_per_day": 999})
    deck_id = deck(user)
    ways: list[list[int]] = [[], [3], [4], [4, 1]]
    ids = {tuple(way): cards(user, deck_id, 4) for way in ways}
    for way, group in ids.items():
        for card_id in group:
            for rating in way:
                review(user, card_id, rating)
    clock.set("2031-06-05T13:00:00Z")
    shown = {one["id"]: one for one in user.get("/learn/cards/due", query={"limit": 100}).data["cards"]}
    seen = set()
    for group in ids.values():
        for rating, card_id in enumerate(group, 1):
            promised = shown[card_id]["preview"]
            seen.add(shown[card_id]["state"])
            answer = review(user, card_id, rating)
            due = datetime.fromisoformat(answer["due"])
            seconds = (due - datetime.fromisoformat(answer["card"]["last_review"])).total_seconds()
            assert seconds == promised[("again", "hard", "good", "easy")[rating - 1]]
            assert answer["preview"] == _preview_of(user, card_id, clock)
    assert seen == {"new", "learning", "review", "relearning"}


def _preview_of(user: User, card_id: str, clock: Clock) -> dict[str, int]:
    """What answering a card now would do, found out by doing it and taking it back."""
    found = {}
    for rating, name in enumerate(("again", "hard", "good", "easy"), 1):
        answer = review(user, card_id, rating)
        gap = datetime.fromisoformat(answer["due"]) - datetime.fromisoformat(answer["card"]["last_review"])
        found[name] = int(gap.total_seconds())
        user.post("/learn/reviews/undo", {"card_id": card_id})
    return found


# Time --------------------------------------------------------------------------------------------------------------


def test_when_it_was(user: User, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-05T12:00:00Z")
    card_id = new_card(user)

    def at(moment: str) -> Any:
        return user.post(f"/learn/cards/{card_id}/review", {"rating": 3, "reviewed_at": moment})

    at("2031-05-05T12:05:00.000001Z").invalid("reviewed_at")
    at("2011-05-05T11:59:59Z").invalid("reviewed_at")
    at("yesterday").invalid("reviewed_at")
    at("2031-05-05T12:00:00").invalid("reviewed_at")
    oldest = at("2011-05-05T12:00:00Z").data["card"]
    assert oldest["last_review"] == "2011-05-05T12:00:00.000000Z", "before the card was made: a history brought along"
    assert at("2031-05-05T12:05:00Z").data["card"]["last_review"] == "2031-05-05T12:00:00.000000Z"
    details = at("2031-05-05T11:59:59.999999Z").refused(409, "review_out_of_order")
    assert details == {"last_review": "2031-05-05T12:00:00.000000Z", "reps": 2}
    assert at("2031-05-05T12:00:00Z").data["card"]["reps"] == 3, "the same moment is no earlier one"
    assert at("2031-05-05T14:00:00+02:00").status == 200


def test_before_it_is_due(user: User, clock: Clock) -> None:
    card_id = new_card(user)
    due = review(user, card_id, 4)["due"]
    clock.advance("P2D")
    answer = review(user, card_id, 3)
    assert answer["state_before"] == "review"
    assert answer["due"] > due


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 5}, "rating"),
        ({"rating": "3"}, "rating"),
        ({"rating": 2.5}, "rating"),
        ({"rating": 3, "duration_ms": -1}, "duration_ms"),
        ({"rating": 3, "duration_ms": 3_600_001}, "duration_ms"),
        ({"rating": 3, "client_id": "x"}, "client_id"),
        ({"rating": 3, "expected_reps": -1}, "expected_reps"),
        ({"rating": 3, "reviewed_at": 1_900_000_000}, "reviewed_at"),
    ],
)
def test_bad_input_is_named(user: User, body: dict[str, Any], field: str) -> None:
    card_id = new_card(user)
    user.post(f"/learn/cards/{card_id}/review", body).invalid(field)
    assert read(user, card_id)["state"] == "new"


# Two at once -------------------------------------------------------------------------------------------------------


def test_what_the_client_expects(user: User) -> None:
    card_id = new_card(user)
    path = f"/learn/cards/{card_id}/review"
    assert user.post(path, {"rating": 3, "expected_reps": 1}).refused(409, "card_changed") == {"reps": 0}
    assert user.post(path, {"rating": 3, "expected_reps": 0}).data["card"]["reps"] == 1
    assert user.post(path, {"rating": 3, "expected_reps": 0}).refused(409, "card_changed") == {"reps": 1}
    assert read(user, card_id)["reps"] == 1


def test_ten_at_once_with_the_same_expectation(user: User, database: Database) -> None:
    card_id = new_card(user)
    body = {"rating": 3, "expected_reps": 0}
    answers = at_once(10, lambda: user.post(f"/learn/cards/{card_id}/review", body))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 9
    assert {answer.error["type"] for answer in answers if answer.status == 409} == {"card_changed"}
    assert read(user, card_id)["reps"] == 1
    is_replayed(database, card_id)


def test_ten_at_once_leave_a_log_that_adds_up(user: User, database: Database) -> None:
    card_id = new_card(user)
    answers = at_once(10, lambda: user.post(f"/learn/cards/{card_id}/review", {"rating": 3}))
    done = [answer for answer in answers if answer.status == 200]
    assert all(answer.error["type"] == "card_changed" for answer in answers if answer.status != 200)
    assert read(user, card_id)["reps"] == len(done) >= 1
    is_replayed(database, card_id)


def test_a_state_that_came_back_is_another_one(user: User, database: Database) -> None:
    """Undone and reviewed again, a card has the reps it had; what was computed before must not be written then."""
    card_id = new_card(user)
    review(user, card_id, 4)
    [row] = database.query("SELECT log_seq FROM flashcards WHERE id = %s", card_id)
    user.post("/learn/reviews/undo")
    review(user, card_id, 1)
    [now] = database.query("SELECT log_seq, reps FROM flashcards WHERE id = %s", card_id)
    assert (now["reps"], now["log_seq"]) == (1, row["log_seq"] + 2)


def test_what_changed_while_a_review_was_computed(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its two trips the card is reviewed anew, so that it has as many reviews as before."""
    card_id = new_card(user)
    review(user, card_id, 4)
    compute = CardScheduler.outcome
    between: list[Callable[[], Any]] = [lambda: user.post("/learn/reviews/undo"), lambda: review(user, card_id, 1)]

    def outcome(*arguments: Any) -> Any:
        while between:
            at_once(1, between.pop(0))
        return compute(*arguments)

    monkeypatch.setattr(CardScheduler, "outcome", outcome)
    answer = user.post(f"/learn/cards/{card_id}/review", {"rating": 3})
    assert answer.refused(409, "card_changed") == {"reps": 1}
    is_replayed(database, card_id)


def test_a_clients_id_repeats_the_first_answer(user: User, clock: Clock) -> None:
    card_id, other_card = cards(user, deck(user), 2)
    client = {"client_id": str(uuid4())}
    first = review(user, card_id, 3, **client)
    again = review(user, card_id, 3, **client)
    assert again == first | {"preview": again["preview"]}
    assert read(user, card_id)["reps"] == 1
    clock.advance("P1D")
    review(user, card_id, 4)
    late = review(user, card_id, 3, **client)
    assert (late["review_id"], late["interval_days"], late["due"]) == (first["review_id"], 0, first["due"])
    assert late["card"]["reps"] == 2, "the card is shown as it is"
    for path, rating in ((card_id, 4), (other_card, 3)):
        user.post(f"/learn/cards/{path}/review", {"rating": rating, **client}).refused(422, "idempotency_mismatch")
    user.patch(f"/learn/cards/{card_id}", {"suspended": True})
    assert review(user, card_id, 3, **client)["review_id"] == first["review_id"]


def test_ten_at_once_with_one_id_are_one(user: User, database: Database) -> None:
    card_id, client = new_card(user), str(uuid4())
    answers = at_once(10, lambda: review(user, card_id, 3, client_id=client))
    assert len({answer["review_id"] for answer in answers}) == 1
    assert read(user, card_id)["reps"] == 1
    assert len(database.query("SELECT id FROM flashcard_reviews WHERE card_id = %s", card_id)) == 1
    assert sum(answer["xp_awarded"] for answer in answers) in (15 * n for n in range(11)), "each answer tells the same"


def test_ids_are_each_users_own(user: User, other: User) -> None:
    client = {"client_id": str(uuid4())}
    first, second = review(user, new_card(user), 3, **client), review(other, new_card(other), 3, **client)
    assert first["review_id"] != second["review_id"]


# Log ---------------------------------------------------------------------------------------------------------------


def test_the_log_says_what_was_done(user: User, database: Database) -> None:
    user.put("/learn/settings", {"desired_retention": 0.8, "learning_steps": [2]})
    card_id = card(user, deck(user, desired_retention=0.95))["id"]
    answer = review(user, card_id, 3, duration_ms=1500)
    [row] = database.query("SELECT * FROM flashcard_reviews WHERE card_id = %s", card_id)
    assert row["id"] == UUID(answer["review_id"])
    assert row["scheduler"] == {
        "name": "fsrs-6",
        "desired_retention": 0.95,
        "maximum_interval": 3650,
        "learning_steps": [2],
        "relearning_steps": [10],
        "leech_threshold": 8,
        "fuzz": True,
    }
    assert (row["rating"], row["duration_ms"], row["state_before"], row["state_after"]) == (3, 1500, "new", "review")
    assert (row["reps_before"], row["reps_after"], row["elapsed_days"]) == (0, 1, None)
    user.put("/learn/settings", {"fuzz": False})
    plain = review(user, card(user, deck(user, desired_retention=0.95))["id"], 3)["interval_days"]
    assert plain < review(user, card(user, deck(user))["id"], 3)["interval_days"], "a deck's own retention wins"


def test_the_log_is_append_only(user: User, database: Database) -> None:
    review(user, new_card(user))
    for change in (
        "UPDATE flashcard_reviews SET rating = 4",
        "DELETE FROM flashcard_reviews",
        "TRUNCATE flashcard_reviews",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.query(change)


def test_a_deleted_user_takes_all_along(user: User, database: Database) -> None:
    review(user, new_card(user))
    user.post("/learn/reviews/undo")
    database.query("DELETE FROM users WHERE id = %s", user.id)
    for table in ("flashcards", "flashcard_reviews", "flashcard_decks"):
        assert database.query(f"SELECT FROM {table} WHERE user_id = %s", user.id) == []


def test_a_cards_reviews(user: User, clock: Clock) -> None:
    first, second = cards(user, deck(user), 2)
    clock.freeze()
    made = [review(user, first, rating)["review_id"] for rating in (1, 3, 4)]
    review(user, second, 1)
    user.post("/learn/reviews/undo", {"card_id": first})
    answer = user.get(f"/learn/cards/{first}/reviews").data
    assert answer["next_cursor"] is None
    undo, *reviews = answer["reviews"]
    assert set(undo) == {
        "id",
        "card_id",
        "kind",
        "rating",
        "reviewed_at",
        "duration_ms",
        "state_before",
        "state_after",
        "interval_days",
        "undone",
        "created_at",
    }
    assert (undo["kind"], undo["rating"], undo["undone"], undo["state_after"]) == ("undo", None, False, "learning")
    assert [one["id"] for one in reviews] == made[::-1]
    assert [one["undone"] for one in reviews] == [True, False, False]
    assert [one["rating"] for one in reviews] == [4, 3, 1]
    assert undo["state_before"] == reviews[0]["state_after"] == "review"
    assert reviews[0]["interval_days"] >= 1


def test_pages_of_a_cards_reviews(user: User, clock: Clock) -> None:
    clock.freeze()
    card_id = new_card(user)
    made = [review(user, card_id, 3)["review_id"] for _ in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while query.get("cursor", "") is not None:
        page = user.get(f"/learn/cards/{card_id}/reviews", query=query).data
        seen += [one["id"] for one in page["reviews"]]
        query["cursor"] = page["next_cursor"]
        if len(seen) == 2:
            review(user, card_id, 3)  # what comes meanwhile neither repeats nor hides anything
    assert seen == made[::-1]
    whole = user.get(f"/learn/cards/{card_id}/reviews", query={"limit": 6}).data
    assert (len(whole["reviews"]), whole["next_cursor"]) == (6, None)
    for query in ({"cursor": "x"}, {"limit": 0}, {"limit": 101}):
        user.get(f"/learn/cards/{card_id}/reviews", query=query).invalid(*query)


# Leeches -----------------------------------------------------------------------------------------------------------


def test_a_leech_is_suspended(user: User, clock: Clock) -> None:
    card_id = new_card(user, leech_threshold=3, relearning_steps=[])
    review(user, card_id, 4)
    for lapses in (1, 2):
        clock.advance("P1D")
        answer = review(user, card_id, 1)
        assert (answer["card"]["lapses"], answer["leech"], answer["card"]["suspended"]) == (lapses, False, False)
    clock.advance("P1D")
    answer = review(user, card_id, 1)
    assert (answer["leech"], answer["card"]["leech"], answer["card"]["suspended"]) == (True, True, True)
    user.post(f"/learn/cards/{card_id}/review", {"rating": 3}).refused(409, "card_suspended")
    found = user.get(f"/learn/decks/{answer['card']['deck_id']}/cards", query={"state": "leech"}).data["cards"]
    assert [one["id"] for one in found] == [card_id]
    freed = user.patch(f"/learn/cards/{card_id}", {"suspended": False}).data
    assert (freed["leech"], freed["suspended"], freed["lapses"]) == (False, False, 3)
    assert review(user, card_id, 1)["leech"] is False
    assert review(user, card_id, 1)["leech"] is True, "at each further half of the threshold, rounded up"


def test_undoing_the_lapse_frees_a_leech(user: User) -> None:
    card_id = new_card(user, leech_threshold=2, relearning_steps=[])
    for rating in (4, 1):
        review(user, card_id, rating)
    before = read(user, card_id)
    assert review(user, card_id, 1)["leech"] is True
    undone = user.post("/learn/reviews/undo").data["card"]
    assert undone == before | {"updated_at": undone["updated_at"]}
    assert review(user, card_id, 1)["leech"] is True
    user.patch(f"/learn/cards/{card_id}", {"suspended": False})
    user.patch(f"/learn/cards/{card_id}", {"suspended": True})
    undone = user.post("/learn/reviews/undo").data["card"]
    assert (undone["suspended"], undone["leech"]) == (True, False), "what was suspended by hand stays so"


# Undo --------------------------------------------------------------------------------------------------------------


def test_undo_goes_back_one_by_one(user: User) -> None:
    first, second = cards(user, deck(user), 2)
    made = [review(user, first, 3), review(user, second, 4), review(user, first, 4)]
    for answer in reversed(made):
        undone = user.post("/learn/reviews/undo").data
        assert undone["undone_review_id"] == answer["review_id"]
        assert undone["card"]["id"] == answer["card"]["id"]
    assert [read(user, one)["state"] for one in (first, second)] == ["new", "new"]
    user.post("/learn/reviews/undo").refused(409, "nothing_to_undo")


def test_undo_of_a_card(user: User) -> None:
    first, second = cards(user, deck(user), 2)
    review(user, first, 3)
    review(user, second, 4)
    assert user.post("/learn/reviews/undo", {"card_id": first}).data["card"]["id"] == first
    user.post("/learn/reviews/undo", {"card_id": first}).refused(409, "nothing_to_undo")
    assert read(user, second)["state"] == "review"


def test_undo_of_a_review(user: User, other: User) -> None:
    card_id, other_card = cards(user, deck(user), 2)
    first, second = review(user, card_id)["review_id"], review(user, card_id)["review_id"]
    review(user, other_card)
    user.post("/learn/reviews/undo", {"review_id": first}).refused(409, "nothing_to_undo")
    for body in ({"review_id": str(uuid4())}, {"review_id": second, "card_id": other_card}, {"card_id": str(uuid4())}):
        user.post("/learn/reviews/undo", body).refused(404, "not_found")
    for body in ({"review_id": second}, {"card_id": card_id}):
        other.post("/learn/reviews/undo", body).refused(404, "not_found")
    user.post("/learn/reviews/undo", {"review_id": "x"}).invalid("review_id")
    both = {"review_id": second, "card_id": card_id}
    assert user.post("/learn/reviews/undo", both).data["undone_review_id"] == second
    user.post("/learn/reviews/undo", {"review_id": second}).refused(409, "nothing_to_undo")
    assert user.post("/learn/reviews/undo", {"review_id": first}).data["card"]["state"] == "new"


def test_ten_at_once_undo_ten(user: User, database: Database) -> None:
    card_id = new_card(user)
    for _ in range(12):
        review(user, card_id, 3)
    answers = at_once(10, lambda: user.post("/learn/reviews/undo").data["undone_review_id"])
    assert len(set(answers)) == 10
    assert read(user, card_id)["reps"] == 2
    is_replayed(database, card_id)


def test_a_reset_ends_the_history(user: User, database: Database) -> None:
    card_id, other_card = cards(user, deck(user), 2)
    review(user, other_card)
    review(user, card_id, 4)
    user.post("/learn/cards/bulk", {"ids": [card_id], "action": "reset"})
    user.post("/learn/reviews/undo", {"card_id": card_id}).refused(409, "nothing_to_undo")
    is_replayed(database, card_id)
    review(user, card_id, 4)
    is_replayed(database, card_id)
    assert user.post("/learn/reviews/undo", {"card_id": card_id}).data["card"]["state"] == "new"
    assert user.post("/learn/reviews/undo").data["card"]["id"] == other_card


def test_edits_and_moves_are_not_undone(user: User) -> None:
    card_id = new_card(user)
    review(user, card_id, 4)
    elsewhere = deck(user, name="Elsewhere")
    user.patch(f"/learn/cards/{card_id}", {"front": "edited", "deck_id": elsewhere})
    undone = user.post("/learn/reviews/undo").data["card"]
    assert (undone["front"], undone["deck_id"], undone["state"]) == ("edited", elsewhere, "new")


def test_undo_brings_a_burial_back(user: User) -> None:
    card_id = new_card(user)
    user.post("/learn/cards/bulk", {"ids": [card_id], "action": "bury"})
    until = read(user, card_id)["buried_until"]
    review(user, card_id)
    assert user.post("/learn/reviews/undo").data["card"]["buried_until"] == until


# Pay ---------------------------------------------------------------------------------------------------------------


def test_ten_cards_are_paid_once_a_day(user: User, database: Database, clock: Clock) -> None:
    clock.set("2031-05-05T12:00:00Z")
    user.put("/learn/settings", {"new_per_day": 999})
    ids = cards(user, deck(user), 14)
    paid = [review(user, card_id)["xp_awarded"] for card_id in ids[:9]]
    assert paid == [0] * 9
    assert review(user, ids[0])["xp_awarded"] == 0, "ten different cards"
    answer = review(user, ids[9])
    assert (answer["xp_awarded"], answer["coins_awarded"], answer["reviewed_today"]) == (15, 5, 10)
    assert [review(user, card_id)["xp_awarded"] for card_id in ids[10:]] == [0] * 4
    assert payments(database, user, "review_session") == [("review_session", 15, 5)]
    [row] = database.query("SELECT * FROM points_ledger WHERE user_id = %s AND event_type = 'review_session'", user.id)
    assert row["idempotency_key"] == "review:2031-05-05"
    assert row["counters"] == {"review_sessions": 1, "cards_reviewed": 10}
    assert (row["source_type"], row["source_id"], row["skill_key"]) == (
        "review",
        UUID(answer["review_id"]),
        "knowledge",
    )
    assert user.get("/learn/progress").data["cards_reviewed_today"] == 14
    assert counter(database, user, "cards_reviewed") == 10
    clock.advance("P1D")
    assert sum(review(user, card_id)["xp_awarded"] for card_id in ids) == 15


def test_an_empty_queue_is_paid(user: User, clock: Clock) -> None:
    clock.set("2031-05-05T12:00:00Z")
    first, second = cards(user, deck(user), 2)
    assert review(user, first, 4)["xp_awarded"] == 0
    assert review(user, second, 4)["xp_awarded"] == 15
    clock.advance("P1D")
    assert review(user, first, 4)["xp_awarded"] == 15, "the queue was empty already, and is"


def test_the_queue_is_of_all_decks(user: User) -> None:
    first, second = new_card(user), new_card(user)
    assert review(user, first, 4)["xp_awarded"] == 0
    assert review(user, second, 4)["xp_awarded"] == 15


def test_what_the_limits_hold_back_is_not_in_the_queue(user: User) -> None:
    first, _ = cards(user, deck(user), 2)
    user.put("/learn/settings", {"new_per_day": 1})
    assert review(user, first, 4)["xp_awarded"] == 15


def test_ten_at_once_pay_once(user: User, database: Database) -> None:
    ids = iter(cards(user, deck(user), 10))
    answers = at_once(10, lambda: review(user, next(ids), 4))
    assert sum(answer["xp_awarded"] for answer in answers) == 15
    assert payments(database, user, "review_session") == [("review_session", 15, 5)]
    assert sorted(answer["reviewed_today"] for answer in answers) == list(range(1, 11))


def test_undone_reviews_do_not_count_and_pay_stays(user: User, database: Database) -> None:
    first, second = cards(user, deck(user), 2)
    review(user, first, 4)
    assert review(user, second, 4)["xp_awarded"] == 15
    user.post("/learn/reviews/undo")
    assert user.get("/learn/progress").data["cards_reviewed_today"] == 1
    assert review(user, second, 4)["xp_awarded"] == 0
    assert payments(database, user, "review_session") == [("review_session", 15, 5)]


def test_a_repeated_answer_tells_what_was_paid(user: User) -> None:
    first, second = cards(user, deck(user), 2)
    clients = [{"client_id": str(uuid4())} for _ in range(2)]
    answers = [review(user, one, 4, **client) for one, client in zip((first, second), clients, strict=True)]
    again = [review(user, one, 4, **client) for one, client in zip((first, second), clients, strict=True)]
    assert [one["xp_awarded"] for one in answers] == [one["xp_awarded"] for one in again] == [0, 15]
    assert again[1]["achievements_unlocked"] == answers[1]["achievements_unlocked"]


def test_yesterdays_reviews_that_arrive_today(user: User, database: Database, clock: Clock) -> None:
    clock.set("2031-05-06T08:00:00Z")
    ids = cards(user, deck(user), 12)
    at = {"reviewed_at": "2031-05-05T21:00:00Z"}
    paid = [review(user, card_id, 4, **at)["xp_awarded"] for card_id in ids[:11]]
    assert paid == [0] * 9 + [15, 0]
    answer = review(user, ids[11], 4)
    assert (answer["xp_awarded"], answer["reviewed_today"]) == (15, 1), "and today by itself: the queue is empty"
    rows = database.query(
        "SELECT idempotency_key, local_date::text, counters FROM points_ledger"
        " WHERE user_id = %s AND event_type = 'review_session' ORDER BY seq",
        user.id,
    )
    assert [(row["idempotency_key"], row["local_date"]) for row in rows] == [
        ("review:2031-05-05", "2031-05-05"),
        ("review:2031-05-06", "2031-05-06"),
    ]
    assert [row["counters"]["cards_reviewed"] for row in rows] == [10, 1]


def test_the_days_that_are_paid_are_the_users(new_user: NewUser, database: Database, clock: Clock) -> None:
    """In New York it is a minute to four in the morning of the 6th, and there the days of this user begin at four."""
    clock.set("2031-05-06T07:59:00Z")
    user = new_user(settings={"timezone": "America/New_York", "day_start_hour": 4})
    user.put("/learn/settings", {"new_per_day": 2})
    ids = cards(user, deck(user), 4)
    assert [review(user, card_id, 4)["xp_awarded"] for card_id in ids[:2]] == [0, 15]
    assert user.get("/learn/cards/due").data["remaining_today"]["new"] == 0
    clock.set("2031-05-06T08:00:00Z")
    assert user.get("/learn/cards/due").data["remaining_today"]["new"] == 2
    answers = [review(user, card_id, 4) for card_id in ids[2:]]
    assert [(one["xp_awarded"], one["reviewed_today"]) for one in answers] == [(0, 1), (15, 2)]
    rows = database.query(
        "SELECT idempotency_key FROM points_ledger WHERE user_id = %s AND event_type = 'review_session' ORDER BY seq",
        user.id,
    )
    assert [row["idempotency_key"] for row in rows] == ["review:2031-05-05", "review:2031-05-06"]


def test_yesterday_is_paid_by_ten_cards_alone(user: User, clock: Clock) -> None:
    clock.set("2031-05-06T08:00:00Z")
    card_id = new_card(user)
    assert review(user, card_id, 4, reviewed_at="2031-05-05T21:00:00Z")["xp_awarded"] == 0


def test_older_days_are_not_paid(user: User, clock: Clock) -> None:
    clock.set("2031-05-07T08:00:00Z")
    ids = cards(user, deck(user), 10)
    assert sum(review(user, one, 4, reviewed_at="2031-05-05T21:00:00Z")["xp_awarded"] for one in ids) == 0
