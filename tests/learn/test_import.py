"""Cards from files and into files, over HTTP (learn contract 2.4, rules 13 and 14)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.learn.card_files import FileCard, read_csv
from functions.learn.importing import grouped
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.learn.conftest import card, deck, review
from tests.support.client import Answer
from tests.support.effort import at_most

COUNTS = ("created", "updated", "skipped")


def sent(user: Client, deck_id: str, text: str, **options: Any) -> Answer:
    return user.post(f"/learn/decks/{deck_id}/import", {"format": "csv", "text": text} | options)


def taken(user: Client, deck_id: str, text: str, **options: Any) -> tuple[int, int, int]:
    """How many cards were created, updated and skipped; every row is one of these."""
    report = sent(user, deck_id, text, **options).data
    assert report["errors"] == []
    assert report["total"] == sum(report[name] for name in COUNTS)
    return report["created"], report["updated"], report["skipped"]


def contents(user: Client, deck_id: str) -> list[tuple[str, str, str | None, list[str]]]:
    """What stands on the cards of a deck, oldest first."""
    shown = user.get(f"/learn/decks/{deck_id}/cards", query={"page_size": 100}).data["cards"]
    return [(one["front"], one["back"], one["hint"], one["tags"]) for one in shown]


def exported(user: Client, deck_id: str, **query: Any) -> Answer:
    answer = user.get(f"/learn/decks/{deck_id}/export", query=query)
    assert answer.status == 200, answer.text
    return answer


# CSV ---------------------------------------------------------------------------------------------------------------


def test_a_csv_file(user: User) -> None:
    deck_id = deck(user)
    text = '\ufefffront,back,hint,tags\r\ncat,Katze,a pet,animal  pet\r\n\r\n"a, b","say ""x""\nline"\r\n,x\r\ny,\r\n'
    assert sent(user, deck_id, text).data == {
        "created": 2,
        "updated": 0,
        "skipped": 0,
        "total": 4,
        "errors": [{"line": 6, "message": "The front is missing."}, {"line": 7, "message": "The back is missing."}],
        "dry_run": False,
    }
    assert contents(user, deck_id) == [
        ("cat", "Katze", "a pet", ["animal", "pet"]),
        ("a, b", 'say "x"\nline', None, []),
    ]
    shown = user.get(f"/learn/decks/{deck_id}").data
    assert (shown["card_count"], shown["new_count"], shown["suspended_count"]) == (2, 2, 0)


@pytest.mark.parametrize(
    ("text", "cards"),
    [
        ("cat,Katze", [("cat", "Katze", None, [])]),
        ("cat,Katze,pet,x y,further", [("cat", "Katze", "pet", ["x", "y"])]),
        ("BACK,Other, Front ,tags\nKatze,o,cat,x", [("cat", "Katze", None, ["x"])]),
        ("front\ncat", []),
        ("front,back", []),
        ("cat,Katze\nfront,back", [("cat", "Katze", None, []), ("front", "back", None, [])]),
        (" cat , Katze \n , \n,,,\n", [("cat", "Katze", None, [])]),
        ("#1,one", [("#1", "one", None, [])]),
        ("<b>,&amp;", [("<b>", "&amp;", None, [])]),
    ],
)
def test_columns_of_csv(text: str, cards: list[Any]) -> None:
    assert [one[1:5] for one in read_csv(text, ",").cards] == cards


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(user: User, delimiter: str) -> None:
    deck_id = deck(user)
    assert taken(user, deck_id, f"cat{delimiter}Katze", delimiter=delimiter) == (1, 0, 0)


def test_bad_rows_are_told_and_good_ones_taken(user: User) -> None:
    deck_id = deck(user)
    long = "x" * 4001
    text = f"ok,ok\n{long},b\nf,{long}\nf,b,{'h' * 501}\n{'x' * 4000},{'y' * 4000},{'h' * 500}\n"
    text += ",".join("x" * 1001) + '\nlast,row\nopen,"quote\nswallowed,row\n'
    report = sent(user, deck_id, text).data
    assert (report["created"], report["total"]) == (3, 8)
    assert report["errors"] == [
        {"line": 2, "message": "The front has more than 4000 characters."},
        {"line": 3, "message": "The back has more than 4000 characters."},
        {"line": 4, "message": "The hint has more than 500 characters."},
        {"line": 6, "message": "The row has more than 1,000 columns."},
        {"line": 8, "message": "A quote begins in this row and is never closed."},
    ]
    assert [front for front, *_ in contents(user, deck_id)] == ["ok", "x" * 4000, "last"]


def test_five_thousand_rows_and_no_more(user: User) -> None:
    deck_id = deck(user)
    rows = "".join(f"front {n},back\n" for n in range(5000))
    sent(user, deck_id, "front,back\n" + rows + "one,more\n").invalid("text")
    assert user.get(f"/learn/decks/{deck_id}").data["card_count"] == 0
    assert taken(user, deck_id, "front,back\n" + rows) == (5000, 0, 0)
    assert taken(user, deck_id, "front,back\n" + rows) == (0, 0, 5000)
    assert taken(user, deck_id, rows, on_duplicate="keep") == (5000, 0, 0)
    assert sent(user, deck_id, "one,more\n").refused(409, "limit_reached") == {"limit": 10_000}
    assert sent(user, deck_id, "one,more\n", dry_run=True).refused(409, "limit_reached") == {"limit": 10_000}
    assert taken(user, deck_id, "FRONT 7,x\n", on_duplicate="update") == (0, 1, 0)
    assert user.get(f"/learn/decks/{deck_id}").data["card_count"] == 10_000
    assert [exported(user, deck_id, page=page).text.count("\r\n") for page in (1, 2, 3)] == [5001, 5001, 1]
    assert exported(user, deck_id, page=2).text.splitlines()[1] == "front 0,back,,"


# Duplicates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "sent_front"),
    [("Cat", "cAT"), ("Éa", "éA"), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος"), ("Ж", "ж"), ("cat", " cat ")],
)
@pytest.mark.parametrize("in_file", [True, False])
def test_fronts_without_regard_to_case(user: User, there: str, sent_front: str, *, in_file: bool) -> None:
    deck_id = deck(user)
    if in_file:
        assert taken(user, deck_id, f"{there},one\n{sent_front},two\n") == (1, 0, 1)
    else:
        card(user, deck_id, there)
        assert taken(user, deck_id, f"{sent_front},two\n") == (0, 0, 1)
    assert [front for front, *_ in contents(user, deck_id)] == [there]


def test_a_duplicate_is_skipped(user: User) -> None:
    deck_id = deck(user)
    before = card(user, deck_id, "cat")
    assert taken(user, deck_id, "cat,x\ndog,Hund\ndog,other\n") == (1, 0, 2)
    assert contents(user, deck_id) == [("cat", "a back", None, []), ("dog", "Hund", None, [])]
    assert user.get(f"/learn/cards/{before['id']}").data == before


def test_a_duplicate_is_updated_and_keeps_its_schedule(user: User) -> None:
    deck_id = deck(user)
    known = card(user, deck_id, "Cat", hint="old", tags=["old"])
    reviewed = review(user, known["id"], 4)["card"]
    text = "cat,Katze,pet,new\ndog,Hund\nCAT,Kater\nDog,Rüde,he,x\n"
    assert taken(user, deck_id, text, on_duplicate="update") == (1, 3, 0)
    assert contents(user, deck_id) == [("Cat", "Kater", None, []), ("dog", "Rüde", "he", ["x"])]
    changed: dict[str, Any] = {"back": "Kater", "hint": None, "tags": [], "updated_at": None}
    now = user.get(f"/learn/cards/{known['id']}").data
    assert now["updated_at"] > reviewed["updated_at"]
    assert now | changed == reviewed | changed


def test_a_duplicate_is_kept_beside_the_other(user: User) -> None:
    deck_id = deck(user)
    card(user, deck_id, "cat")
    assert taken(user, deck_id, "cat,x\ncat,y\n", on_duplicate="keep") == (2, 0, 0)
    assert [back for _, back, *_ in contents(user, deck_id)] == ["a back", "x", "y"]


def test_other_decks_and_deleted_cards_are_no_duplicates(user: User, other: User) -> None:
    deck_id, elsewhere, foreign = deck(user), deck(user), deck(other)
    card(user, elsewhere, "cat")
    card(other, foreign, "cat")
    user.delete(f"/learn/cards/{card(user, deck_id, 'cat')['id']}")
    assert taken(user, deck_id, "cat,Katze\n") == (1, 0, 0)


def test_a_dry_run_changes_nothing(user: User) -> None:
    deck_id = deck(user)
    card(user, deck_id, "cat")
    before = (contents(user, deck_id), user.get(f"/learn/decks/{deck_id}").data)
    for mode, counts in (("skip", (1, 0, 1)), ("update", (1, 1, 0)), ("keep", (2, 0, 0))):
        report = sent(user, deck_id, "cat,x\ndog,y\nbad\n", on_duplicate=mode, dry_run=True).data
        assert tuple(report[name] for name in COUNTS) == counts
        assert (report["total"], len(report["errors"]), report["dry_run"]) == (3, 1, True)
    assert (contents(user, deck_id), user.get(f"/learn/decks/{deck_id}").data) == before


# Anki --------------------------------------------------------------------------------------------------------------

HEADER = "#separator:tab\n#html:false\n#guid column:1\n"


def anki(user: Client, deck_id: str, rows: str, **options: Any) -> tuple[int, int, int]:
    return taken(user, deck_id, HEADER + rows, format="anki", **options)


def test_a_guid_is_compared_first(user: User) -> None:
    deck_id = deck(user)
    assert anki(user, deck_id, "g1\tcat\tKatze\ng2\tdog\tHund\n") == (2, 0, 0)
    # The same front under another guid is another note; the same guid with another front is the same note.
    assert anki(user, deck_id, "g3\tcat\tKater\ng1\tdog\tx\n") == (1, 0, 1)
    assert anki(user, deck_id, "g1\ttomcat\tKater\n", on_duplicate="update") == (0, 1, 0)
    assert [(front, back) for front, back, *_ in contents(user, deck_id)] == [
        ("tomcat", "Kater"),
        ("dog", "Hund"),
        ("cat", "Kater"),
    ]


def test_a_card_without_a_guid_is_compared_by_its_front(user: User) -> None:
    deck_id = deck(user)
    card(user, deck_id, "cat")
    assert anki(user, deck_id, "g1\tCat\tKatze\n") == (0, 0, 1)
    assert anki(user, deck_id, "g1\tCat\tKatze\n", on_duplicate="update") == (0, 1, 0)
    # It has the guid from now on, and keeps its front.
    assert contents(user, deck_id) == [("cat", "Katze", None, [])]
    assert anki(user, deck_id, "g2\tcat\tKater\n") == (1, 0, 0)
    assert anki(user, deck_id, "g1\tdog\tHund\n") == (0, 0, 1)
    # A row without one is compared with all.
    assert taken(user, deck_id, "CAT,x\n") == (0, 0, 1)


def test_one_card_takes_one_guid(user: User) -> None:
    deck_id = deck(user)
    card(user, deck_id, "cat")
    assert anki(user, deck_id, "g1\tcat\tone\ng2\tcat\ttwo\n", on_duplicate="update") == (1, 1, 0)
    assert [back for _, back, *_ in contents(user, deck_id)] == ["one", "two"]
    elsewhere = deck(user)
    card(user, elsewhere, "cat")
    assert anki(user, elsewhere, "g1\tcat\tone\ng2\tcat\ttwo\n") == (0, 0, 2)


@pytest.mark.parametrize("rows", ["g1\ttomcat\tone\n\tcat\ttwo\n", "\tcat\ttwo\ng1\ttomcat\tone\n"])
def test_a_note_that_is_renamed_leaves_its_front_to_others(user: User, rows: str) -> None:
    deck_id = deck(user)
    anki(user, deck_id, "g1\tcat\tKatze\n")
    assert anki(user, deck_id, rows, on_duplicate="update") == (1, 1, 0)
    assert sorted((front, back) for front, back, *_ in contents(user, deck_id)) == [("cat", "two"), ("tomcat", "one")]


def test_a_card_that_is_kept_has_no_guid_of_another(user: User, database: Database) -> None:
    deck_id = deck(user)
    anki(user, deck_id, "g1\tcat\tKatze\n")
    assert anki(user, deck_id, "g1\tcat\tKatze\ng2\tdog\tHund\ng2\tdog\tHund\n", on_duplicate="keep") == (3, 0, 0)
    rows = database.query("SELECT guid FROM flashcards WHERE deck_id = %s ORDER BY created_at, position", deck_id)
    assert [row["guid"] for row in rows] == ["g1", None, "g2", None]


def cards_of(*rows: tuple[str | None, str, str]) -> list[FileCard]:
    return [FileCard(line, front, back, None, [], guid) for line, (guid, front, back) in enumerate(rows, 1)]


def test_rows_of_a_file_that_stand_for_one_card() -> None:
    rows = cards_of(
        (None, "x", "1"), ("g1", "X", "2"), ("g2", "x", "3"), ("g1", "y", "4"), (None, "Y", "5"), (None, "x", "6")
    )
    skipped = [(one.guid, one.front, one.back, one.rows) for one in grouped(rows, "skip")]
    assert skipped == [(None, "x", "1", 4), ("g1", "y", "4", 2)]
    updated = [(one.guid, one.known_front, one.front, one.back, one.rows) for one in grouped(rows, "update")]
    assert updated == [("g1", "x", "y", "5", 4), ("g2", "x", "x", "6", 2)]
    assert [one.rows for one in grouped(rows, "keep")] == [1] * 6


guids = st.none() | st.sampled_from(["g1", "g2", "g3"])
sent_rows = st.lists(st.tuples(guids, st.sampled_from("abA"), st.sampled_from("12345")), max_size=12).map(
    lambda rows: cards_of(*rows)
)


@given(sent_rows, st.sampled_from(["skip", "update"]))
def test_groups_are_what_row_after_row_gives(rows: list[FileCard], mode: Any) -> None:
    """Held to a list that is searched for each row."""
    made: list[list[Any]] = []
    for row in rows:
        same_guid = [one for one in made if row.guid and one[0] == row.guid]
        same_front = [one for one in made if one[1].lower() == row.front.lower() and not (row.guid and one[0])]
        found = next(iter(same_guid or same_front), None)
        if found is None:
            made.append([row.guid, row.front, row.back, 1])
            continue
        found[3] += 1
        if mode == "update":
            found[1] = row.front if same_guid else found[1]
            found[0] = found[0] or row.guid
            found[2] = row.back
    assert [[one.guid, one.front, one.back, one.rows] for one in grouped(rows, mode)] == made


# The file itself -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media_type", "content", "query"),
    [
        ("text/csv", b"cat,Katze\n", {"format": "csv"}),
        ("text/csv; charset=utf-8", "\ufeffcat;Kätze\r\n".encode(), {"format": "csv", "delimiter": ";"}),
        ("text/plain", "cat\tKätze\n".encode("utf-16"), {"format": "anki"}),
        ("text/tab-separated-values", b"cat\tKatze\n", {"format": "csv", "delimiter": "\t"}),
        ("application/vnd.ms-excel", b"cat,Katze\n", {"format": "csv"}),
    ],
)
def test_the_bytes_of_a_file(user: User, media_type: str, content: bytes, query: dict[str, str]) -> None:
    path, headers = f"/learn/decks/{deck(user)}/import", {"content-type": media_type}
    tried = user.request("POST", path, body=content, query=query | {"dry_run": "true"}, headers=headers).data
    assert (tried["created"], tried["dry_run"]) == (1, True)
    assert user.request("POST", path, body=content, query=query, headers=headers).data["created"] == 1
    again = user.request("POST", path, body=content, query=query | {"on_duplicate": "keep"}, headers=headers)
    assert again.data["created"] == 1


def test_four_mebibytes_and_a_million_characters(user: User) -> None:
    path, headers = f"/learn/decks/{deck(user)}/import", {"content-type": "text/csv"}
    mebibytes = b"f,b\n" * 2 + b"\r" * (4 * 1024 * 1024 - 8)
    for content, status in ((mebibytes, 400), (mebibytes + b"\r", 413)):
        assert user.request("POST", path, body=content, query={"format": "csv"}, headers=headers).status == status
    characters = "f,b\n" + "ä" * 4000 + "\n"
    assert user.post(path, {"format": "csv", "text": characters.ljust(1_000_000)}).data["created"] == 1
    too_long = user.post(path, {"format": "csv", "text": characters.ljust(1_000_001)})
    assert too_long.refused(413, "payload_too_large") == {"limit_characters": 1_000_000}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "format"),
        ({"format": "apkg"}, "format"),
        ({"format": None}, "format"),
        ({"text": ""}, "text"),
        ({"text": " \n\n"}, "text"),
        ({"text": None}, "text"),
        ({"text": 1}, "text"),
        ({"on_duplicate": "replace"}, "on_duplicate"),
        ({"dry_run": "true"}, "dry_run"),
        ({"delimiter": "|"}, "delimiter"),
        ({"text": "a\u0000,b"}, "text"),
    ],
)
def test_bad_input_is_named(user: User, stranger: Client, body: dict[str, Any], field: str) -> None:
    path = f"/learn/decks/{deck(user)}/import"
    document = {"format": "csv", "text": "cat,Katze"} | body if body else {"text": "cat,Katze"}
    user.post(path, document).invalid(field)
    if "\0" not in str(document["text"]):
        stranger.post(path, document).refused(401, "unauthorized")


def test_bad_bytes_are_refused(user: User, stranger: Client) -> None:
    path, headers = f"/learn/decks/{deck(user)}/import", {"content-type": "text/csv"}

    def refused(content: bytes, *fields: str, **query: str) -> None:
        answer = user.request("POST", path, body=content, query=query, headers=headers)
        answer.invalid(*fields)

    refused(b"cat,Katze", "format")
    refused(b"cat,Katze", "format", format="xls")
    refused(b"cat,Katze", "delimiter", format="csv", delimiter="|")
    refused(b"", "text", format="csv")
    refused(b"caf\xe9,x", "text", format="csv")
    refused(b"a\0,b", "text", format="csv")
    answer = stranger.request("POST", path, body=b"caf\xe9", query={"format": "csv"}, headers=headers)
    answer.refused(401, "unauthorized")
    pictured = user.request("POST", path, body=b"x", headers={"content-type": "image/png"})
    pictured.refused(415, "unsupported_media_type")


@pytest.mark.parametrize(
    "hostile",
    ['"' + "x" * 999_990, "x," * 490_000, "<a" * 490_000, '"\n' * 490_000, "\n" * 999_000, "&#9" * 330_000],
    ids=lambda hostile: repr(hostile[:4]),
)
@pytest.mark.parametrize("file_format", ["csv", "anki"])
def test_hostile_text_is_answered_within_a_second(user: User, hostile: str, file_format: str) -> None:
    deck_id = deck(user)
    with at_most(2):
        answer = sent(user, deck_id, f"front,{hostile}", format=file_format)
        assert answer.status in (200, 400)
    assert user.get(f"/learn/decks/{deck_id}").data["card_count"] == 0


# Export ------------------------------------------------------------------------------------------------------------


def test_an_export_as_csv(user: User) -> None:
    deck_id = deck(user)
    card(user, deck_id, "cat", hint="pet", tags=["a", "b"])
    card(user, deck_id, 'x, "y"', back="one\ntwo")
    answer = exported(user, deck_id)
    assert answer.text == 'front,back,hint,tags\r\ncat,a back,pet,a b\r\n"x, ""y""","one\ntwo",,\r\n'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="cards.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert exported(user, deck_id, format="csv").text == answer.text


def test_an_export_for_anki(user: User) -> None:
    deck_id = deck(user)
    own = card(user, deck_id, "cat", hint="pet", tags=["a", "b"])["id"]
    card(user, deck_id, "#1\tlake", back='say "x"\nline')
    anki(user, deck_id, "g$1\tdog\tHund\n")
    answer = exported(user, deck_id, format="anki")
    *header, first, second, second_too, third = answer.text.splitlines()
    assert header == [
        "#separator:tab",
        "#html:false",
        "#guid column:1",
        "#tags column:5",
        "#columns:guid\tfront\tback\thint\ttags",
    ]
    assert first == f"{own}\tcat\ta back\tpet\ta b"
    assert second.partition("\t")[2] + "\n" + second_too == '"#1\tlake"\t"say ""x""\nline"\t\t'
    assert third == "g$1\tdog\tHund\t\t"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="cards.txt"'


def test_an_empty_deck_is_exported(user: User) -> None:
    assert exported(user, deck(user)).text == "front,back,hint,tags\r\n"
    assert len(exported(user, deck(user), format="anki").text.splitlines()) == 5


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
sides = (texts | st.sampled_from(["a,b", 'say "x"', "one\ntwo", "tab\there", "#1", "ünï", "'", "-", "=1+1"])).filter(
    lambda text: text.strip() == text and "{{c" not in text
)
words = texts.map(lambda text: "".join(text.split())).filter(bool)
written = st.fixed_dictionaries(
    {"front": sides, "back": sides, "hint": st.none() | sides, "tags": st.lists(words, max_size=3, unique=True)}
)


@settings(max_examples=15)
@given(st.lists(written, min_size=1, max_size=4))
def test_what_is_exported_is_imported_again(new_user: NewUser, cards: list[dict[str, Any]]) -> None:
    """Both formats, with commas, quotes, newlines, tabs and Unicode on the cards, and the same front twice."""
    user = new_user()
    deck_id = deck(user)
    for one in (*cards, cards[0]):
        card(user, deck_id, **one)
    for file_format, mode in (("csv", "keep"), ("anki", "skip")):
        copy = deck(user)
        text = exported(user, deck_id, format=file_format).text
        assert taken(user, copy, text, format=file_format, on_duplicate=mode) == (len(cards) + 1, 0, 0)
        assert contents(user, copy) == contents(user, deck_id)
        assert taken(user, deck_id, text, format=file_format) == (0, 0, len(cards) + 1)


def test_an_export_that_is_too_large(user: User, database: Database) -> None:
    deck_id = deck(user)
    user.post(f"/learn/decks/{deck_id}/import", {"format": "csv", "text": "".join(f"{n},b\n" for n in range(800))})
    database.query("UPDATE flashcards SET back = repeat('ä', 4000) WHERE deck_id = %s RETURNING id", deck_id)
    refused = user.get(f"/learn/decks/{deck_id}/export").refused(413, "answer_too_large")
    assert refused["limit_bytes"] == 5 * 1024 * 1024


# Who and when ------------------------------------------------------------------------------------------------------


def test_decks_of_others(user: User, other: User, stranger: Client) -> None:
    deck_id = deck(user)
    sent(other, deck_id, "cat,Katze").refused(404, "not_found")
    other.get(f"/learn/decks/{deck_id}/export").refused(404, "not_found")
    sent(stranger, deck_id, "cat,Katze").refused(401, "unauthorized")
    stranger.get(f"/learn/decks/{deck_id}/export").refused(401, "unauthorized")
    sent(user, "not-an-id", "cat,Katze").refused(404, "not_found")
    for query, field in (({"format": "xls"}, "format"), ({"page": "0"}, "page")):
        user.get(f"/learn/decks/{deck_id}/export", query=query).invalid(field)
    user.delete(f"/learn/decks/{deck_id}")
    sent(user, deck_id, "cat,Katze").refused(404, "not_found")
    user.get(f"/learn/decks/{deck_id}/export").refused(404, "not_found")


def test_an_archived_deck_takes_cards_too(user: User) -> None:
    deck_id = deck(user)
    user.patch(f"/learn/decks/{deck_id}", {"archived": True})
    assert taken(user, deck_id, "cat,Katze\n") == (1, 0, 0)
    assert user.get("/learn/cards/due").data["cards"] == []
    user.patch(f"/learn/decks/{deck_id}", {"archived": False})
    assert [one["front"] for one in user.get("/learn/cards/due").data["cards"]] == ["cat"]


def test_a_replay_imports_once(user: User) -> None:
    deck_id = deck(user)
    body, headers = {"format": "csv", "text": "cat,Katze", "on_duplicate": "keep"}, {"idempotency-key": "once"}
    answers = [user.post(f"/learn/decks/{deck_id}/import", body, headers=headers).data for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(contents(user, deck_id)) == 1


def test_two_at_once(user: User) -> None:
    deck_id = deck(user)
    rows = "".join(f"front {n},back\n" for n in range(200))
    reports = at_once(4, lambda: sent(user, deck_id, rows))
    assert sorted(report.data["created"] for report in reports) == [0, 0, 0, 200]
    assert user.get(f"/learn/decks/{deck_id}").data["card_count"] == 200


def test_cards_of_one_import_are_asked_in_the_order_of_the_file(user: User) -> None:
    deck_id = deck(user)
    fronts = [f"front {n}" for n in (3, 1, 2, 9, 5)]
    taken(user, deck_id, "".join(f"{front},back\n" for front in fronts))
    assert [one["front"] for one in user.get("/learn/cards/due").data["cards"]] == fronts
