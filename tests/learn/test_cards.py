from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.learn.conftest import LESSON, card, cards, deck, lesson_id, read, review, right_answers
from tests.support.client import Answer

CARD_FIELDS = {
    "id",
    "deck_id",
    "front",
    "back",
    "hint",
    "tags",
    "state",
    "due",
    "stability",
    "difficulty",
    "retrievability",
    "last_review",
    "interval_days",
    "reps",
    "lapses",
    "suspended",
    "leech",
    "buried_until",
    "created_at",
    "updated_at",
}


def bulk(user: Client, ids: list[str], action: str, **fields: Any) -> Answer:
    return user.post("/learn/cards/bulk", {"ids": ids, "action": action} | fields)


# One card ----------------------------------------------------------------------------------------------------------


def test_a_new_card(user: User) -> None:
    deck_id = deck(user)
    made = card(user, deck_id, " dog ", back=" Hund\n", hint=" barks ", tags=["de", " two words ", "de"])
    assert set(made) == CARD_FIELDS
    assert (made["front"], made["back"], made["hint"], made["tags"]) == ("dog", "Hund", "barks", ["de", "two_words"])
    assert (made["state"], made["deck_id"], made["interval_days"], made["reps"]) == ("new", deck_id, 0, 0)
    for field in ("due", "stability", "difficulty", "retrievability", "last_review", "buried_until"):
        assert made[field] is None
    assert (made["suspended"], made["leech"]) == (False, False)
    assert read(user, made["id"]) == made


def test_a_clients_id(user: User, other: User) -> None:
    deck_id, card_id = deck(user), str(uuid4())
    made = card(user, deck_id, id=card_id)
    assert made["id"] == card_id
    assert card(user, deck_id, "another front", id=card_id) == made, "sent again, it is returned as it is"
    assert user.get(f"/learn/decks/{deck_id}").data["card_count"] == 1
    assert card(other, deck(other), id=card_id)["id"] == card_id, "ids are each user's own"
    user.delete(f"/learn/cards/{card_id}")
    again = user.post(f"/learn/decks/{deck_id}/cards", {"front": "a", "back": "b", "id": card_id})
    again.refused(409, "conflict")


def test_ten_at_once_with_one_id_are_one(user: User) -> None:
    deck_id, card_id = deck(user), str(uuid4())
    made = at_once(10, lambda: card(user, deck_id, id=card_id))
    assert all(one == made[0] for one in made)
    assert user.get(f"/learn/decks/{deck_id}").data["card_count"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"front": ""}, "front"),
        ({"front": " \n "}, "front"),
        ({"front": "x" * 4001}, "front"),
        ({"front": None}, "front"),
        ({"back": ""}, "back"),
        ({"back": "x" * 4001}, "back"),
        ({"hint": "x" * 501}, "hint"),
        ({"tags": ["x"] * 21}, "tags"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": ["x" * 41]}, "tags.0"),
        ({"tags": "x"}, "tags"),
        ({"tags": None}, "tags"),
    ],
)
def test_bad_input_is_named(user: User, change: dict[str, Any], field: str) -> None:
    deck_id = deck(user)
    user.post(f"/learn/decks/{deck_id}/cards", {"front": "a", "back": "b"} | change).invalid(field)
    user.patch(f"/learn/cards/{card(user, deck_id)['id']}", change).invalid(field)


def test_bad_ids_are_named(user: User) -> None:
    deck_id = deck(user)
    user.post(f"/learn/decks/{deck_id}/cards", {"front": "a", "back": "b", "id": "x"}).invalid("id")
    user.patch(f"/learn/cards/{card(user, deck_id)['id']}", {"deck_id": "x", "suspended": "yes"}).invalid(
        "deck_id", "suspended"
    )


def test_the_edges_are_admitted(user: User) -> None:
    fields = {"back": "y" * 4000, "hint": "z" * 500, "tags": [f"{n:040}" for n in range(20)]}
    made = card(user, deck(user), "x" * 4000, **fields)
    assert {name: made[name] for name in fields} == fields


def test_a_deck_holds_ten_thousand(user: User, database: Database) -> None:
    deck_id = deck(user)
    database.query(
        "INSERT INTO flashcards (user_id, deck_id, front, back) SELECT %s, %s, n, n FROM generate_series(1, 9999) AS n",
        *(user.id, deck_id),
    )
    database.query("UPDATE flashcard_decks SET card_count = 9999, new_count = 9999 WHERE id = %s", deck_id)
    answers = at_once(3, lambda: user.post(f"/learn/decks/{deck_id}/cards", {"front": "a", "back": "b"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    full = user.post(f"/learn/decks/{deck_id}/cards", {"front": "a", "back": "b"})
    assert full.refused(409, "limit_reached") == {"limit": 10_000}
    moved = card(user, deck(user))["id"]
    user.patch(f"/learn/cards/{moved}", {"deck_id": deck_id}).refused(409, "limit_reached")
    bulk(user, [moved], "move", deck_id=deck_id).refused(409, "limit_reached")
    user.post(f"{LESSON}/complete")
    user.post(f"{LESSON}/cards", {"deck_id": deck_id}).refused(409, "limit_reached")


def test_changing_what_is_written(user: User) -> None:
    deck_id = deck(user)
    card_id = card(user, deck_id, hint="h", tags=["a"])["id"]
    review(user, card_id, 4)
    before = read(user, card_id)
    changed = user.patch(
        f"/learn/cards/{card_id}", {"front": " cat ", "back": "Katze", "hint": None, "tags": ["b", "b"]}
    ).data
    assert changed == before | {
        "front": "cat",
        "back": "Katze",
        "hint": None,
        "tags": ["b"],
        "updated_at": changed["updated_at"],
    }, "the schedule stays"
    assert user.patch(f"/learn/cards/{card_id}", {}).data == changed


def test_moving(user: User, other: User) -> None:
    first, second = deck(user), deck(user, name="Other")
    card_id = card(user, first)["id"]
    review(user, card_id, 4)
    before = read(user, card_id)
    moved = user.patch(f"/learn/cards/{card_id}", {"deck_id": second}).data
    assert moved == before | {"deck_id": second, "updated_at": moved["updated_at"]}
    assert [user.get(f"/learn/decks/{deck_id}").data["card_count"] for deck_id in (first, second)] == [0, 1]
    assert user.patch(f"/learn/cards/{card_id}", {"deck_id": second}).data["deck_id"] == second
    for nowhere in (str(uuid4()), deck(other)):
        user.patch(f"/learn/cards/{card_id}", {"deck_id": nowhere, "front": "x"}).refused(404, "not_found")
    assert read(user, card_id) == moved


def test_moving_into_an_archived_deck_hides_the_card(user: User) -> None:
    archive = deck(user)
    user.patch(f"/learn/decks/{archive}", {"archived": True})
    card_id = card(user, deck(user))["id"]
    user.patch(f"/learn/cards/{card_id}", {"deck_id": archive})
    assert user.get("/learn/cards/due").data["counts"]["new"] == 0
    assert card(user, archive)["state"] == "new"
    assert user.get("/learn/cards/due").data["counts"]["new"] == 0
    user.patch(f"/learn/decks/{archive}", {"archived": False})
    assert user.get("/learn/cards/due").data["counts"]["new"] == 2


def test_suspending(user: User) -> None:
    card_id = card(user, deck(user))["id"]
    suspended = user.patch(f"/learn/cards/{card_id}", {"suspended": True}).data
    assert (suspended["suspended"], suspended["state"]) == (True, "new")
    assert user.get("/learn/cards/due").data["counts"]["new"] == 0
    user.post(f"/learn/cards/{card_id}/review", {"rating": 3}).refused(409, "card_suspended")
    assert user.patch(f"/learn/cards/{card_id}", {"suspended": True}).data["suspended"] is True
    assert user.patch(f"/learn/cards/{card_id}", {"suspended": False}).data["suspended"] is False
    assert user.get("/learn/cards/due").data["counts"]["new"] == 1


def test_deleting(user: User) -> None:
    deck_id = deck(user)
    card_id = card(user, deck_id)["id"]
    review(user, card_id)
    assert user.delete(f"/learn/cards/{card_id}").data == {"deleted": True}
    for answer in everything(user, card_id):
        answer.refused(404, "not_found")
    assert user.get(f"/learn/decks/{deck_id}/cards").data["cards"] == []
    assert user.get("/learn/stats").data["reviews_today"] == 1, "past statistics keep it"
    assert user.get("/learn/stats").data["cards"]["total"] == 0


def everything(client: Client, card_id: str) -> list[Answer]:
    path = f"/learn/cards/{card_id}"
    return [
        client.get(path),
        client.patch(path, {"front": "x"}),
        client.delete(path),
        client.post(f"{path}/review", {"rating": 3}),
        client.get(f"{path}/reviews"),
        client.post("/learn/reviews/undo", {"card_id": card_id}),
        bulk(client, [card_id], "suspend"),
    ]


def test_a_card_is_its_owners(user: User, other: User, stranger: Client) -> None:
    card_id = card(user, deck(user))["id"]
    before = read(user, card_id)
    for answer in everything(other, card_id) + everything(user, str(uuid4())):
        answer.refused(404, "not_found")
    for answer in [*everything(stranger, card_id), stranger.get("/learn/cards/due")]:
        answer.refused(401, "unauthorized")
    assert read(user, card_id) == before


# Many cards --------------------------------------------------------------------------------------------------------


def test_pages_of_a_deck(user: User) -> None:
    deck_id = deck(user)
    ids = cards(user, deck_id, 5)
    answer = user.get(f"/learn/decks/{deck_id}/cards").data
    assert [one["id"] for one in answer.pop("cards")] == ids, "oldest first"
    assert answer == {"total": 5, "page": 1, "page_size": 50}
    second = user.get(f"/learn/decks/{deck_id}/cards", query={"page": 2, "page_size": 2}).data
    assert ([one["id"] for one in second["cards"]], second["total"]) == (ids[2:4], 5)
    assert user.get(f"/learn/decks/{deck_id}/cards", query={"page": 9}).data["cards"] == []
    for query, field in (({"page": 0}, "page"), ({"page_size": 101}, "page_size"), ({"state": "old"}, "state")):
        user.get(f"/learn/decks/{deck_id}/cards", query=query).invalid(field)


def test_cards_are_found(user: User, clock: Clock) -> None:
    deck_id = deck(user)
    dog = card(user, deck_id, "The Dog", back="Hund", tags=["pets", "noun"])["id"]
    cat = card(user, deck_id, "cat 100%", back="Katze", tags=["pets"])["id"]
    run = card(user, deck_id, "run", back="laufen")["id"]
    lost = card(user, deck_id, "lost", back="verloren")["id"]

    def found(**query: Any) -> list[str]:
        answer = user.get(f"/learn/decks/{deck_id}/cards", query=query).data
        assert answer["total"] == len(answer["cards"])
        return [one["id"] for one in answer["cards"]]

    assert found(q="DOG") == [dog]
    assert found(q="katz") == [cat]
    assert found(q="%") == [cat]
    assert found(q="_") == found(q="\\") == found(q="nowhere") == []
    assert found(q="  ") == found() == [dog, cat, run, lost]
    assert found(tag="pets") == [dog, cat]
    assert found(tag="Pets") == []
    assert found(tag="pets", q="hund") == [dog]
    review(user, run, 4)
    review(user, cat, 1)
    user.patch(f"/learn/cards/{lost}", {"suspended": True})
    assert found(state="new") == [dog, lost]
    assert found(state="review") == [run]
    assert found(state="learning") == [cat]
    assert found(state="suspended") == [lost]
    assert found(state="leech") == found(state="relearning") == found(state="due") == []
    clock.advance("PT1M1S")
    assert found(state="due") == [cat]
    clock.advance("P12D")
    assert found(state="due") == [cat, run]
    bulk(user, [cat], "bury")
    assert found(state="due") == [run]
    assert found(state="due", tag="pets") == []
    page = user.get(f"/learn/decks/{deck_id}/cards", query={"state": "new", "page_size": 1, "page": 2}).data
    assert ([one["id"] for one in page["cards"]], page["total"]) == ([lost], 2)


def test_suspending_many(user: User) -> None:
    deck_id = deck(user)
    ids = cards(user, deck_id, 3)
    assert bulk(user, ids[:2], "suspend").data == {"affected": 2}
    assert [read(user, one)["suspended"] for one in ids] == [True, True, False]
    assert bulk(user, ids, "unsuspend").data == {"affected": 3}
    assert [read(user, one)["suspended"] for one in ids] == [False] * 3
    assert bulk(user, [ids[0]] * 3, "suspend").data == {"affected": 1}


def test_burying(user: User, clock: Clock) -> None:
    clock.set("2031-05-05T20:00:00Z")
    ids = cards(user, deck(user), 2)
    bulk(user, ids[:1], "bury")
    assert read(user, ids[0])["buried_until"] == "2031-05-06T00:00:00.000000Z"
    assert user.get("/learn/cards/due").data["counts"]["new"] == 1
    bulk(user, ids[:1], "unbury")
    assert read(user, ids[0])["buried_until"] is None
    bulk(user, ids, "bury")
    assert user.get("/learn/cards/due").data["cards"] == []
    clock.set("2031-05-06T00:00:00Z")
    assert user.get("/learn/cards/due").data["counts"]["new"] == 2
    assert read(user, ids[0])["buried_until"] is None


def test_a_review_unburies(user: User) -> None:
    card_id = card(user, deck(user))["id"]
    bulk(user, [card_id], "bury")
    assert review(user, card_id)["card"]["buried_until"] is None


def test_resetting(user: User) -> None:
    deck_id = deck(user)
    card_id = card(user, deck_id)["id"]
    for rating in (4, 1):
        review(user, card_id, rating)
    assert bulk(user, [card_id], "reset").data == {"affected": 1}
    now = read(user, card_id)
    assert (now["state"], now["reps"], now["lapses"], now["interval_days"]) == ("new", 0, 0, 0)
    assert (now["due"], now["stability"], now["last_review"]) == (None, None, None)
    assert user.get("/learn/cards/due").data["counts"]["new"] == 1
    assert review(user, card_id, 4)["state_before"] == "new"


def test_deleting_and_moving_many(user: User) -> None:
    first, second = deck(user), deck(user, name="Other")
    ids = cards(user, first, 3)
    assert bulk(user, ids[:2], "move", deck_id=second).data == {"affected": 2}
    assert [one["id"] for one in user.get(f"/learn/decks/{second}/cards").data["cards"]] == ids[:2]
    assert bulk(user, ids[1:], "delete").data == {"affected": 2}
    assert user.get(f"/learn/decks/{first}").data["card_count"] == 0
    assert user.get(f"/learn/decks/{second}").data["card_count"] == 1
    bulk(user, ids, "suspend").refused(404, "not_found")


def test_tagging_many(user: User) -> None:
    deck_id = deck(user)
    first, second = card(user, deck_id, tags=["a"])["id"], card(user, deck_id, tags=["b", "c"])["id"]
    assert bulk(user, [first, second], "tag", tags=["b", "new tag"]).data == {"affected": 2}
    assert read(user, first)["tags"] == ["a", "b", "new_tag"]
    assert read(user, second)["tags"] == ["b", "c", "new_tag"]
    bulk(user, [first, second], "untag", tags=["b", "unknown"])
    assert read(user, first)["tags"] == ["a", "new_tag"]
    assert read(user, second)["tags"] == ["c", "new_tag"]
    full = card(user, deck_id, tags=[str(n) for n in range(20)])["id"]
    bulk(user, [first, full], "tag", tags=["one-more"]).invalid("tags")
    assert "one-more" not in read(user, first)["tags"], "nothing was changed"
    assert bulk(user, [full], "tag", tags=["3"]).data == {"affected": 1}


@pytest.mark.parametrize("action", ["suspend", "bury", "reset", "delete", "move", "tag"])
def test_with_one_that_is_not_yours_nothing_changes(user: User, other: User, action: str) -> None:
    deck_id = deck(user)
    mine, theirs = card(user, deck_id)["id"], card(other, deck(other))["id"]
    before = [read(user, mine), read(other, theirs)]
    for stranger in (theirs, str(uuid4())):
        bulk(user, [mine, stranger], action, deck_id=deck(user), tags=["x"]).refused(404, "not_found")
    assert [read(user, mine), read(other, theirs)] == before


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["ids", "action"]),
        ({"ids": [], "action": "suspend"}, ["ids"]),
        ({"ids": [str(uuid4())] * 501, "action": "suspend"}, ["ids"]),
        ({"ids": ["x"], "action": "suspend"}, ["ids.0"]),
        ({"ids": [str(uuid4())], "action": "eat"}, ["action"]),
        ({"ids": [str(uuid4())], "action": "move"}, ["deck_id"]),
        ({"ids": [str(uuid4())], "action": "tag"}, ["tags"]),
        ({"ids": [str(uuid4())], "action": "untag", "tags": []}, ["tags"]),
    ],
)
def test_bad_bulk_changes_are_named(user: User, stranger: Client, body: dict[str, Any], fields: list[str]) -> None:
    user.post("/learn/cards/bulk", body).invalid(*fields)
    stranger.post("/learn/cards/bulk", body).refused(401, "unauthorized")


def test_moving_nowhere(user: User, other: User) -> None:
    mine = card(user, deck(user))["id"]
    for nowhere in (str(uuid4()), deck(other)):
        bulk(user, [mine], "move", deck_id=nowhere).refused(404, "not_found")


# Cards from lessons ------------------------------------------------------------------------------------------------


def test_questions_become_cards(user: User, database: Database) -> None:
    deck_id = deck(user)
    user.post(f"{LESSON}/complete")
    assert user.post(f"{LESSON}/cards", {"deck_id": deck_id}).data == {"created": 4, "skipped": 0}
    [row] = database.query("SELECT quiz_json FROM learn_lessons WHERE id = %s", lesson_id())
    made = user.get(f"/learn/decks/{deck_id}/cards").data["cards"]
    for one, question in zip(made, row["quiz_json"]["questions"], strict=True):
        lines = [f"{letter}) {option}" for letter, option in zip("ABCD", question["options"], strict=True)]
        assert one["front"] == question["prompt"] + "\n\n" + "\n".join(lines)
        right = [lines[index] for index in question["right"]]
        assert one["back"] == "\n".join(right) + "\n\n" + question["explanation"]
        assert one["tags"] == ["productivity"]
    assert user.post(f"{LESSON}/cards", {"deck_id": deck_id}).data == {"created": 0, "skipped": 4}


def test_some_questions(user: User, database: Database) -> None:
    deck_id = deck(user)
    user.post(f"{LESSON}/complete")
    ids = [answer["question_id"] for answer in right_answers(database)]
    asked = {"deck_id": deck_id, "question_ids": [ids[2], ids[0], ids[2]]}
    assert user.post(f"{LESSON}/cards", asked).data == {"created": 2, "skipped": 0}
    assert user.post(f"{LESSON}/cards", {"deck_id": deck_id}).data == {"created": 2, "skipped": 2}
    assert user.post(f"{LESSON}/cards", {"deck_id": deck_id, "question_ids": []}).data == {"created": 0, "skipped": 0}
    user.post(f"{LESSON}/cards", {"deck_id": deck_id, "question_ids": [ids[0], "nothing"]}).invalid("question_ids")


def test_a_deleted_card_may_be_made_again(user: User) -> None:
    deck_id = deck(user)
    user.post(f"{LESSON}/complete")
    user.post(f"{LESSON}/cards", {"deck_id": deck_id})
    made = user.get(f"/learn/decks/{deck_id}/cards").data["cards"]
    user.delete(f"/learn/cards/{made[0]['id']}")
    assert user.post(f"{LESSON}/cards", {"deck_id": deck_id}).data == {"created": 1, "skipped": 3}


def test_five_at_once_make_them_once(user: User) -> None:
    deck_id = deck(user)
    user.post(f"{LESSON}/complete")
    answers = at_once(5, lambda: user.post(f"{LESSON}/cards", {"deck_id": deck_id}).data["created"])
    assert sorted(answers) == [0, 0, 0, 0, 4]


def test_moved_cards_meet_others_of_their_question(user: User) -> None:
    first, second, third = deck(user), deck(user, name="2"), deck(user, name="3")
    user.post(f"{LESSON}/complete")
    for deck_id in (first, second, third):
        user.post(f"{LESSON}/cards", {"deck_id": deck_id})
    ids = [one["id"] for deck_id in (first, second) for one in user.get(f"/learn/decks/{deck_id}/cards").data["cards"]]
    assert bulk(user, ids, "move", deck_id=third).data == {"affected": 8}
    assert user.get(f"/learn/decks/{third}").data["card_count"] == 12
    assert user.post(f"{LESSON}/cards", {"deck_id": third}).data["skipped"] == 4
    empty = deck(user, name="4")
    bulk(user, ids, "move", deck_id=empty)
    assert user.post(f"{LESSON}/cards", {"deck_id": empty}).data["created"] == 4, "they are no longer known as that"
    user.patch(f"/learn/cards/{ids[0]}", {"deck_id": first})
    assert user.post(f"{LESSON}/cards", {"deck_id": first}).data["created"] == 4


def test_what_has_no_cards(user: User, other: User, stranger: Client, database: Database) -> None:
    deck_id = deck(user)
    user.post(f"{LESSON}/cards", {"deck_id": deck_id}).refused(409, "lesson_not_completed")
    user.post(f"{LESSON}/start")
    user.post(f"{LESSON}/cards", {"deck_id": deck_id}).refused(409, "lesson_not_completed")
    user.post(f"{LESSON}/complete")
    for nowhere in (str(uuid4()), deck(other)):
        user.post(f"{LESSON}/cards", {"deck_id": nowhere}).refused(404, "not_found")
    user.post("/learn/lessons/nothing/cards", {"deck_id": deck_id}).refused(404, "not_found")
    user.post(f"{LESSON}/cards", {}).invalid("deck_id")
    user.post(f"{LESSON}/cards", {"deck_id": "x"}).invalid("deck_id")
    user.post(f"{LESSON}/cards", {"deck_id": deck_id, "question_ids": ["x"] * 51}).invalid("question_ids")
    stranger.post(f"{LESSON}/cards", {"deck_id": deck_id}).refused(401, "unauthorized")
    [row] = database.query("SELECT quiz_json::text AS quiz FROM learn_lessons WHERE id = %s", lesson_id())
    database.query("UPDATE learn_lessons SET quiz_json = NULL WHERE id = %s", lesson_id())
    try:
        user.post(f"{LESSON}/cards", {"deck_id": deck_id}).refused(409, "no_quiz")
    finally:
        database.query("UPDATE learn_lessons SET quiz_json = %s::jsonb WHERE id = %s", row["quiz"], lesson_id())
