from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.learn.conftest import card, cards, deck, read, review
from tests.support.client import Answer

DECK_FIELDS = {
    "id",
    "name",
    "description",
    "category",
    "desired_retention",
    "archived",
    "starter_key",
    "card_count",
    "new_count",
    "due_count",
    "suspended_count",
    "created_at",
    "updated_at",
}


def shown(user: Client, deck_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = user.get(f"/learn/decks/{deck_id}").data
    return answer


def test_a_new_deck(user: User, other: User) -> None:
    made = user.post(
        "/learn/decks", {"name": " Verbs ", "description": " irregular ", "category": " es ", "desired_retention": 0.85}
    ).data
    assert set(made) == DECK_FIELDS
    assert (made["name"], made["description"], made["category"]) == ("Verbs", "irregular", "es")
    assert (made["desired_retention"], made["archived"], made["starter_key"]) == (0.85, False, None)
    assert (made["card_count"], made["new_count"], made["due_count"], made["suspended_count"]) == (0, 0, 0, 0)
    assert shown(user, made["id"]) == made
    assert user.get("/learn/decks").data == {"decks": [made], "total": 1}
    assert other.get("/learn/decks").data == {"decks": [], "total": 0}


def test_decks_by_name(user: User) -> None:
    for name in ("beta", "Alpha", "gamma"):
        deck(user, name=name)
    assert [one["name"] for one in user.get("/learn/decks").data["decks"]] == ["Alpha", "beta", "gamma"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": None}, "name"),
        ({"name": 1}, "name"),
        ({"description": "x" * 2001}, "description"),
        ({"category": "x" * 41}, "category"),
        ({"desired_retention": 0.69}, "desired_retention"),
        ({"desired_retention": 0.971}, "desired_retention"),
        ({"desired_retention": "0.9"}, "desired_retention"),
    ],
)
def test_bad_input_is_named(user: User, change: dict[str, Any], field: str) -> None:
    user.post("/learn/decks", {"name": "Verbs"} | change).invalid(field)
    deck_id = deck(user)
    user.patch(f"/learn/decks/{deck_id}", change).invalid(field)
    assert user.get("/learn/decks").data["total"] == 1


def test_the_edges_are_admitted(user: User) -> None:
    for retention in (0.7, 0.97):
        fields = {"name": "x" * 120, "description": "x" * 2000, "category": "x" * 40, "desired_retention": retention}
        assert user.post("/learn/decks", fields).data["desired_retention"] == retention


def test_changing(user: User) -> None:
    deck_id = deck(user, description="old", desired_retention=0.8)
    before = shown(user, deck_id)
    changed = user.patch(f"/learn/decks/{deck_id}", {"name": "New", "description": None}).data
    assert changed == before | {"name": "New", "description": None, "updated_at": changed["updated_at"]}
    assert user.patch(f"/learn/decks/{deck_id}", {"desired_retention": None}).data["desired_retention"] is None
    assert user.patch(f"/learn/decks/{deck_id}", {}).data["name"] == "New"


def everything(client: Client, deck_id: str) -> list[Answer]:
    path = f"/learn/decks/{deck_id}"
    return [
        client.get(path),
        client.patch(path, {"name": "x"}),
        client.delete(path),
        client.get(f"{path}/cards"),
        client.get(f"{path}/cards", query={"q": "x"}),
        client.post(f"{path}/cards", {"front": "x", "back": "y"}),
        client.get("/learn/cards/due", query={"deck_id": deck_id}),
        client.get("/learn/stats", query={"deck_id": deck_id}),
        client.get("/learn/forecast", query={"deck_id": deck_id}),
    ]


def test_a_deck_is_its_owners(user: User, other: User, stranger: Client) -> None:
    deck_id = deck(user)
    before = shown(user, deck_id)
    user.delete(f"/learn/decks/{deck(user)}")
    unknown = str(uuid4())
    restoring = [other.post(f"/learn/decks/{deck_id}/restore"), user.post(f"/learn/decks/{unknown}/restore")]
    for answer in everything(other, deck_id) + everything(user, unknown) + restoring:
        answer.refused(404, "not_found")
    for answer in [*everything(stranger, deck_id), stranger.get("/learn/decks"), stranger.post("/learn/decks", {})]:
        answer.refused(401, "unauthorized")
    assert shown(user, deck_id) == before


def test_at_most_two_hundred(user: User, database: Database) -> None:
    kept = deck(user)
    database.query(
        "INSERT INTO flashcard_decks (user_id, name, archived_at)"
        " SELECT %s, n, clock() FROM generate_series(1, 198) AS n",
        user.id,
    )
    statuses = [answer.status for answer in at_once(3, lambda: user.post("/learn/decks", {"name": "more"}))]
    assert sorted(statuses) == [200, 409, 409]
    assert user.post("/learn/decks", {"name": "more"}).refused(409, "limit_reached") == {"limit": 200}
    user.post("/learn/decks/public/music_intervals/copy").refused(409, "limit_reached")
    user.delete(f"/learn/decks/{kept}")
    assert user.post("/learn/decks", {"name": "another"}).status == 200
    user.post(f"/learn/decks/{kept}/restore").refused(409, "limit_reached")


def test_a_key_repeats_the_first_answer(user: User) -> None:
    key = {"Idempotency-Key": "deck"}
    first = user.post("/learn/decks", {"name": "Once"}, headers=key).data
    assert user.post("/learn/decks", {"name": "Once"}, headers=key).data == first
    assert user.get("/learn/decks").data["total"] == 1


def test_counts(user: User, clock: Clock) -> None:
    deck_id = deck(user)
    first, second, third, fourth = cards(user, deck_id, 4)
    review(user, first, 1)
    review(user, second, 4)
    user.patch(f"/learn/cards/{third}", {"suspended": True})

    def counts() -> tuple[int, int, int, int]:
        now = shown(user, deck_id)
        return now["card_count"], now["new_count"], now["due_count"], now["suspended_count"]

    assert counts() == (4, 1, 0, 1)
    clock.advance("PT2M")
    assert counts() == (4, 1, 1, 1), "a learning card is due by the minute"
    clock.advance("P12D")
    assert counts() == (4, 1, 2, 1), "a review by the day"
    user.post("/learn/cards/bulk", {"ids": [first], "action": "bury"})
    assert counts() == (4, 1, 1, 1)
    user.delete(f"/learn/cards/{fourth}")
    assert counts() == (3, 0, 1, 1)
    assert user.get("/learn/decks").data["decks"][0]["due_count"] == 1


def test_counting_cards_is_no_change_of_the_deck(user: User) -> None:
    deck_id = deck(user)
    before = shown(user, deck_id)["updated_at"]
    review(user, card(user, deck_id)["id"])
    assert shown(user, deck_id)["updated_at"] == before


# Archive, delete, restore --------------------------------------------------------------------------------------------


def test_archiving_hides_the_cards(user: User, clock: Clock) -> None:
    deck_id = deck(user)
    first, second = cards(user, deck_id, 2)
    review(user, first, 4)
    clock.advance("P12D")
    before = read(user, first)
    assert user.get("/learn/cards/due").data["counts"] == {"learning": 0, "review": 1, "new": 1}
    archived = user.patch(f"/learn/decks/{deck_id}", {"archived": True}).data
    assert (archived["archived"], archived["due_count"], archived["card_count"]) == (True, 0, 2)
    assert user.get("/learn/decks").data["total"] == 0
    assert user.get("/learn/decks", query={"archived": "true"}).data["decks"] == [archived]
    for query in ({}, {"deck_id": deck_id}):
        due = user.get("/learn/cards/due", query=query).data
        assert (due["cards"], due["counts"]) == ([], {"learning": 0, "review": 0, "new": 0})
        assert user.get("/learn/forecast", query=query).data["total"] == 0
    assert user.get("/learn/stats").data["cards"]["total"] == 0
    assert user.get("/learn").data["cards_due"] == 0
    assert user.get(f"/learn/decks/{deck_id}/cards").data["total"] == 2, "they are still there to be read"
    assert read(user, first) == before
    assert user.patch(f"/learn/decks/{deck_id}", {"archived": True}).data["archived"] is True
    user.patch(f"/learn/decks/{deck_id}", {"archived": False})
    assert user.get("/learn/cards/due").data["counts"] == {"learning": 0, "review": 1, "new": 1}
    assert read(user, first) == before
    assert read(user, second)["state"] == "new"


def test_deleting_and_restoring(user: User, clock: Clock) -> None:
    deck_id = deck(user)
    first, second = cards(user, deck_id, 2)
    review(user, first, 4)
    user.delete(f"/learn/cards/{second}")
    before, before_card = shown(user, deck_id), read(user, first)
    assert user.delete(f"/learn/decks/{deck_id}").data == {"deleted": True}
    for answer in everything(user, deck_id):
        answer.refused(404, "not_found")
    user.get(f"/learn/cards/{first}").refused(404, "not_found")
    user.post(f"/learn/cards/{first}/review", {"rating": 3}).refused(404, "not_found")
    user.post("/learn/reviews/undo").refused(409, "nothing_to_undo")
    assert user.get("/learn/cards/due").data["counts"]["new"] == 0
    assert user.get("/learn/stats").data["reviews_today"] == 1, "past statistics keep it"
    clock.advance("P29D")
    restored = user.post(f"/learn/decks/{deck_id}/restore").data
    # a review of eight days has come due meanwhile
    assert restored == before | {"due_count": 1, "updated_at": restored["updated_at"]}
    then = read(user, first)
    assert then == before_card | {"retrievability": then["retrievability"]}
    user.get(f"/learn/cards/{second}").refused(404, "not_found")


def test_after_thirty_days_it_is_gone(user: User, clock: Clock) -> None:
    deck_id = deck(user)
    user.delete(f"/learn/decks/{deck_id}")
    clock.advance("P30D")
    user.post(f"/learn/decks/{deck_id}/restore").refused(404, "not_found")


def test_a_deck_that_is_there_is_not_restored(user: User) -> None:
    deck_id = deck(user)
    assert user.post(f"/learn/decks/{deck_id}/restore").data == shown(user, deck_id)


# Starter decks -------------------------------------------------------------------------------------------------------


def test_public_decks(user: User) -> None:
    answer = user.get("/learn/decks/public").data
    assert [one["key"] for one in answer["decks"]] == ["music_intervals", "training_terms"]
    assert answer["total"] == 2
    assert set(answer["decks"][0]) == {"key", "name", "description", "category", "card_count", "copied_deck_id"}
    detail = user.get("/learn/decks/public/music-intervals").data
    found = detail.pop("cards")
    assert detail == answer["decks"][0]
    assert len(found) == detail["card_count"]
    assert set(found[0]) == {"front", "back", "hint", "tags"}


def test_copying(user: User, other: User) -> None:
    first = user.post("/learn/decks/public/music_intervals/copy").data
    made = first["deck"]
    assert (first["copied"], made["starter_key"], made["name"]) == (True, "music_intervals", "Intervals")
    assert made["card_count"] == made["new_count"] == 26
    wanted = user.get("/learn/decks/public/music_intervals").data
    assert wanted["copied_deck_id"] == made["id"]
    copied = user.get(f"/learn/decks/{made['id']}/cards").data["cards"]
    assert [{name: one[name] for name in ("front", "back", "hint", "tags")} for one in copied] == wanted["cards"]
    again = user.post("/learn/decks/public/music-intervals/copy").data
    assert again == {"deck": made, "copied": False}
    assert other.get("/learn/decks/public").data["decks"][0]["copied_deck_id"] is None


def test_a_copy_that_is_archived_still_exists(user: User) -> None:
    deck_id = user.post("/learn/decks/public/music_intervals/copy").data["deck"]["id"]
    user.patch(f"/learn/decks/{deck_id}", {"archived": True})
    again = user.post("/learn/decks/public/music_intervals/copy").data
    assert (again["copied"], again["deck"]["id"], again["deck"]["archived"]) == (False, deck_id, True)


def test_five_at_once_copy_once(user: User) -> None:
    answers = at_once(5, lambda: user.post("/learn/decks/public/training_terms/copy").data)
    assert sorted(answer["copied"] for answer in answers) == [False] * 4 + [True]
    assert len({answer["deck"]["id"] for answer in answers}) == 1


def test_a_deleted_copy_may_be_made_again(user: User) -> None:
    first = user.post("/learn/decks/public/music_intervals/copy").data["deck"]["id"]
    user.delete(f"/learn/decks/{first}")
    second = user.post("/learn/decks/public/music_intervals/copy").data
    assert second["copied"] is True
    restored = user.post(f"/learn/decks/{first}/restore").data
    assert (restored["starter_key"], restored["card_count"]) == (None, 26), "there is one copy, and it is another deck"
    assert user.post("/learn/decks/public/music_intervals/copy").data["deck"]["id"] == second["deck"]["id"]


@pytest.mark.parametrize("key", ["nothing", "music", "0d3a9d34-58c1-4b0c-9f0e-6b1d2c8f7a55", "%27"])
def test_what_names_no_starter_deck(user: User, stranger: Client, key: str) -> None:
    path = f"/learn/decks/public/{key}"
    for answer in (user.get(path), user.post(f"{path}/copy")):
        answer.refused(404, "not_found")
    for answer in (stranger.get(path), stranger.post(f"{path}/copy"), stranger.get("/learn/decks/public")):
        answer.refused(401, "unauthorized")
