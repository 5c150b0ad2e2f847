"""POST /books/import and GET /books/export.csv (imports contract; the formats have files of their own)."""

import csv
import io
from collections.abc import Callable
from typing import Any, LiteralString

import pytest

from local.clock import Clock
from tests.books.test_books import added, changed, logged, reads
from tests.books.test_goodreads import SAMPLE as GOODREADS
from tests.books.test_storygraph import SAMPLE as STORYGRAPH
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.support.effort import at_most
from tests.support.locks import after_a_wait

CSV = {"content-type": "text/csv"}
HEADER = (
    "Book Id,Title,Author,ISBN13,My Rating,Number of Pages,Date Read,Date Added,Bookshelves,Exclusive Shelf,Read Count"
)

DUNE = "1,Dune,Frank Herbert,9780441013593,4,600,2031/02/03,2031/01/20,sea,read,1"
OWLS = "2,Counting Owls,P. Quill,,0,,,2030/11/02,,to-read,0"


def file_of(*rows: str) -> str:
    return "\n".join([HEADER, *rows, ""])


def sent(user: Client, text: str, **query: Any) -> dict[str, Any]:
    """What the report says of a file sent as it is."""
    report: dict[str, Any] = user.post("/books/import", text.encode(), query=query, headers=CSV).data
    return report


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    """Imported, updated, unchanged, skipped."""
    return report["imported"], report["updated"], report["unchanged"], report["skipped"]


def shelf(user: Client) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = user.get("/books").data["books"]
    return listed


def titles(user: Client) -> list[str]:
    return [book["title"] for book in shelf(user)]


def ledger(user: User, database: Database) -> list[list[dict[str, Any]]]:
    """Everything that an import must not move."""
    tables = (
        "points_ledger",
        "user_counters",
        "user_quest_progress",
        "user_streaks",
        "user_achievements",
    )
    return [
        database.query(f"SELECT to_jsonb(t) AS row FROM {table} AS t WHERE user_id = %s", user.id) for table in tables
    ]


def test_the_sample_of_goodreads(new_user: NewUser, database: Database) -> None:
    user = new_user(settings={"timezone": "America/New_York"})
    before = ledger(user, database)
    report = sent(user, GOODREADS)
    assert set(report) == {"format", "imported", "updated", "unchanged", "skipped", "problems", "dry_run", "reads"}
    assert (report["format"], counts(report), report["dry_run"], report["reads"]) == (
        "goodreads",
        (4, 0, 0, 0),
        False,
        3,
    )
    tide, owls, fragments, maps = (
        next(book for book in shelf(user) if book["title"].startswith(title))
        for title in ("The Glass", "Counting", "Fragments", "Maps")
    )
    assert (tide["author"], tide["isbn"], tide["rating"]) == ("Ilse Verran, Tom Okoro", "9780123456786", 4)
    assert (tide["status"], tide["times_read"], tide["current_page"], tide["total_pages"]) == ("completed", 2, 312, 312)
    assert (tide["started_at"], tide["finished_at"]) == (None, "2031-02-03T17:00:00.000000Z")  # noon there
    assert [read["finished_at"] for read in reads(user, tide)] == [tide["finished_at"], None]
    assert (tide["tags"], tide["notes"]) == (["sea", "re-read"], "Good.\n\nSlow & calm.")
    assert (owls["status"], owls["finished_at"], owls["times_read"], owls["rating"]) == ("completed", None, 1, None)
    assert (fragments["status"], fragments["total_pages"], fragments["times_read"]) == ("abandoned", None, 0)
    assert (maps["status"], maps["times_read"], maps["notes"]) == ("want_to_read", 0, "from Ada")
    assert user.get("/books/stats").data["books_completed"] == 2
    assert user.get("/books/goal", query={"year": 2031}).data["completed"] == 1
    again = sent(user, GOODREADS)
    assert (counts(again), again["reads"]) == ((0, 0, 4, 0), 0)
    assert ledger(user, database) == before


def test_the_sample_of_storygraph(user: User) -> None:
    report = sent(user, STORYGRAPH, format="storygraph")
    assert (report["format"], counts(report), report["reads"]) == ("storygraph", (4, 0, 0, 0), 3)
    salt = next(book for book in shelf(user) if book["title"] == "Salt, Light")
    assert (salt["rating"], salt["times_read"], salt["started_at"]) == (4.5, 2, "2031-01-20T12:00:00.000000Z")
    assert [(one["started_at"], one["finished_at"]) for one in reads(user, salt)] == [
        ("2031-01-20T12:00:00.000000Z", "2031-02-03T12:00:00.000000Z"),
        (None, "2028-07-09T12:00:00.000000Z"),
    ]
    assert [problem["message"] for problem in report["problems"]] == [
        "Ratings in quarters were rounded to the nearest half star: 1.",
        "What books have in the column Contributors was left out: 1.",
        "What books have in the column Format was left out: 3.",
        "What books have in the column Owned? was left out: 1.",
    ]
    assert counts(sent(user, STORYGRAPH)) == (0, 0, 4, 0)


def test_a_later_export_brings_what_is_new_and_what_has_changed(user: User) -> None:
    sent(user, file_of(DUNE, OWLS))
    dune = next(book for book in shelf(user) if book["title"] == "Dune")
    again = DUNE.replace(",4,600,2031/02/03", ",5,,2031/04/05").replace("read,1", "read,3")
    report = sent(user, file_of("3,Maps,R. Holm,,0,,,2031/04/01,,to-read,0", again, OWLS))
    assert (counts(report), report["reads"]) == ((1, 1, 1, 0), 3)
    after = user.get(f"/books/{dune['id']}").data
    assert (after["rating"], after["total_pages"], after["current_page"], after["times_read"]) == (5, None, 0, 3)
    assert [one["finished_at"] for one in reads(user, dune)] == ["2031-04-05T12:00:00.000000Z", None, None]
    assert after["created_at"] == dune["created_at"]
    wanted = DUNE.replace("2031/02/03", "").replace("read,1", "to-read,0")
    assert counts(sent(user, file_of(wanted))) == (0, 1, 0, 0)
    after = user.get(f"/books/{dune['id']}").data
    assert (after["status"], after["finished_at"], after["times_read"], reads(user, dune)) == (
        "want_to_read",
        None,
        0,
        [],
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda user, book: changed(user, book, rating=2),
        lambda user, book: logged(user, book, 5),
        lambda user, book: user.put(f"/books/{book['id']}/reads/1", {"finished_at": "2030-01-01T00:00:00Z"}).data,
    ],
    ids=["changed", "logged", "read"],
)
def test_what_the_user_has_changed_stays(user: User, edit: Callable[[User, dict[str, Any]], Any]) -> None:
    sent(user, file_of(DUNE))
    [book] = shelf(user)
    edit(user, book)
    mine = user.get(f"/books/{book['id']}").data
    assert counts(sent(user, file_of(DUNE.replace(",4,", ",5,")))) == (0, 0, 1, 0)
    assert user.get(f"/books/{book['id']}").data == mine


def test_what_the_user_has_deleted_stays_deleted(user: User) -> None:
    sent(user, file_of(DUNE, OWLS))
    dune = next(book for book in shelf(user) if book["title"] == "Dune")
    user.delete(f"/books/{dune['id']}")
    assert counts(sent(user, file_of(DUNE, OWLS))) == (0, 0, 2, 0)
    assert counts(sent(user, file_of(DUNE.replace(",4,", ",5,")))) == (0, 0, 1, 0)
    assert titles(user) == ["Counting Owls"]


@pytest.mark.parametrize(
    ("own", "row"),
    [
        ({"title": "The desert planet", "isbn": "0-441-01359-7"}, DUNE),  # the same book's number of 10 digits
        ({"title": "DUNE", "author": "frank herbert"}, DUNE.replace("9780441013593", "")),
        ({"title": "Dune (Arrakis, #1)", "author": "Frank Herbert"}, DUNE),
    ],
)
def test_a_book_of_ones_own_is_met_again(user: User, own: dict[str, Any], row: str) -> None:
    book = added(user, **own)
    report = sent(user, file_of(row))
    assert (counts(report), report["reads"]) == ((0, 1, 0, 0), 1)
    [after] = shelf(user)
    assert (after["id"], after["title"], after["isbn"]) == (book["id"], own["title"], own.get("isbn") or after["isbn"])
    assert (after["author"], after["rating"], after["tags"]) == (own.get("author", "Frank Herbert"), 4, ["sea"])
    assert (after["status"], after["total_pages"], after["current_page"], after["times_read"]) == (
        "completed",
        600,
        600,
        1,
    )
    assert after["finished_at"] == "2031-02-03T12:00:00.000000Z"
    assert counts(sent(user, file_of(row))) == (0, 0, 1, 0)
    # What the user takes away again does not come back, and a later file changes nothing of the user's.
    mine = changed(user, book, rating=None)
    assert counts(sent(user, file_of(row.replace(",4,", ",5,")))) == (0, 0, 1, 0)
    assert user.get(f"/books/{book['id']}").data == mine


def test_what_the_user_has_written_is_not_overwritten(user: User) -> None:
    fields: dict[str, Any] = {
        "author": "F. Herbert",
        "rating": 1.5,
        "notes": "mine",
        "tags": ["own"],
        "total_pages": 550,
    }
    book = added(user, isbn="9780441013593", status="reading", current_page=40, **fields)
    report = sent(user, file_of(DUNE))
    assert (counts(report), report["reads"]) == ((0, 0, 1, 0), 0)
    assert {name: user.get(f"/books/{book['id']}").data[name] for name in fields} == fields
    assert user.get(f"/books/{book['id']}").data["status"] == "reading"


@pytest.mark.parametrize(
    ("own", "expected"), [({"unit": "minute"}, None), ({"status": "reading", "current_page": 600}, None), ({}, 600)]
)
def test_pages_are_filled_in_where_they_fit(user: User, own: dict[str, Any], expected: int | None) -> None:
    book = added(user, isbn="9780441013593", **own)
    sent(user, file_of(DUNE))
    assert user.get(f"/books/{book['id']}").data["total_pages"] == expected


def test_two_apps_with_the_same_book(user: User) -> None:
    sent(user, file_of(DUNE.replace(",4,", ",0,")))
    other = (
        "Title,Authors,ISBN/UID,Read Status,Read Count,Star Rating\n"
        "Dune,Frank Herbert,9780441013593,read,1,3.5\nElse,S. Pell,,to-read,0,\n"
    )
    assert counts(sent(user, other)) == (1, 1, 0, 0)
    assert sorted(titles(user)) == ["Dune", "Else"]
    assert [book["rating"] for book in shelf(user) if book["title"] == "Dune"] == [3.5]
    assert counts(sent(user, other)) == (0, 0, 2, 0)
    assert counts(sent(user, file_of(DUNE.replace(",4,", ",0,")))) == (0, 0, 1, 0)
    dune = next(book for book in shelf(user) if book["title"] == "Dune")
    changed(user, dune, rating=None)
    assert counts(sent(user, other)) == (0, 0, 2, 0)
    assert user.get(f"/books/{dune['id']}").data["rating"] is None


def test_rows_of_one_file_are_books_of_their_own(user: User) -> None:
    twins = file_of(
        DUNE, DUNE.replace("1,", "7,", 1), "8,!!!,,,0,,,2031/01/01,,read,1", "9,???,,,0,,,2031/01/01,,read,1"
    )
    assert counts(sent(user, twins)) == (4, 0, 0, 0)
    assert counts(sent(user, twins)) == (0, 0, 4, 0)
    added(user, "***")
    assert counts(sent(user, file_of("10,...,,,0,,,2031/01/01,,read,1"))) == (1, 0, 0, 0)
    # Each book on the shelf is one of the rows at most.
    owned = "11,Owned,O. Ner,,0,,,2031/01/01,,to-read,0"
    added(user, "Owned", author="O. Ner")
    assert counts(sent(user, file_of(owned, owned.replace("11", "12", 1)))) == (1, 0, 1, 0)


def test_a_number_tells_more_than_a_name(user: User) -> None:
    """The first row has the name of the second's book; it is another edition."""
    added(user, "Dune", author="Frank Herbert", isbn="9780441013593")
    report = sent(user, file_of("5,Dune,Frank Herbert,9780340960196,0,,,2031/01/01,,to-read,0", DUNE))
    assert counts(report) == (1, 1, 0, 0)
    assert sorted(book["isbn"] for book in shelf(user)) == ["9780340960196", "9780441013593"]


def test_a_dry_run_says_the_same_and_writes_nothing(user: User) -> None:
    added(user, "Counting Owls", author="P. Quill", notes="mine")
    before = shelf(user)
    tried = sent(user, file_of(DUNE, OWLS), dry_run="true")
    assert (counts(tried), tried["dry_run"]) == ((1, 0, 1, 0), True)
    assert shelf(user) == before
    done = sent(user, file_of(DUNE, OWLS))
    assert done == tried | {"dry_run": False}


def test_the_order_of_the_file_is_kept(user: User, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-07T09:00:00+00:00")
    rows = [f"{n},Book {n},A,,0,,,2031/01/{20 - n:02},,to-read,0" for n in range(5)]
    rows += [f"{n},Book {n},A,,0,,,,,to-read,0" for n in range(5, 9)]
    sent(user, file_of(*rows))
    assert titles(user) == [f"Book {n}" for n in (5, 6, 7, 8, 0, 1, 2, 3, 4)]
    # What was added today at noon cannot have been added later than now.
    clock.set("2031-05-08T09:00:00+00:00")
    sent(user, file_of("20,Today,A,,0,,,2031/05/08,,to-read,0"))
    assert shelf(user)[0]["created_at"] == "2031-05-08T09:00:00.000000Z"


@pytest.mark.parametrize(
    ("zone", "day", "noon"),
    [
        ("Pacific/Apia", "2011/12/30", "2011-12-30T22:00:00.000000Z"),  # a day that was left out there
        ("Europe/Berlin", "2031/03/30", "2031-03-30T10:00:00.000000Z"),
        ("Pacific/Kiritimati", "2031/01/01", "2030-12-31T22:00:00.000000Z"),
    ],
)
def test_days_are_the_users(new_user: NewUser, zone: str, day: str, noon: str) -> None:
    user = new_user(settings={"timezone": zone, "day_start_hour": 6})
    sent(user, file_of(DUNE.replace("2031/02/03", day)))
    assert [book["finished_at"] for book in shelf(user)] == [noon]


def test_another_zone_changes_nothing_that_was_brought(user: User) -> None:
    sent(user, file_of(DUNE))
    user.patch("/settings", {"timezone": "Asia/Tokyo"})
    assert counts(sent(user, file_of(DUNE))) == (0, 0, 1, 0)


def test_skipped_rows_count(user: User) -> None:
    report = sent(user, file_of(DUNE, "3,,Nobody,,0,,,2031/01/01,,read,1"))
    assert counts(report) == (1, 0, 0, 1)
    assert report["problems"] == [{"line": 3, "name": None, "message": "The book has no title."}]
    many = sent(user, file_of(*[f"{n},,A,,0,,,,,read,1" for n in range(60)]))
    assert (counts(many), len(many["problems"])) == ((0, 0, 0, 60), 50)


def test_no_more_than_the_limit(user: User, database: Database) -> None:
    database.query("INSERT INTO books (user_id, title) SELECT %s, 'B' || n FROM generate_series(1, 4999) AS n", user.id)
    for dry_run in ("true", "false"):
        answer = user.post("/books/import", file_of(DUNE, OWLS).encode(), query={"dry_run": dry_run}, headers=CSV)
        assert answer.refused(409, "limit_reached") == {"limit": 5000}
    assert user.get("/books", query={"page_size": 1}).data["total"] == 4999
    assert counts(sent(user, file_of(DUNE))) == (1, 0, 0, 0)
    assert counts(sent(user, file_of(DUNE.replace(",4,", ",5,")))) == (0, 1, 0, 0)


# Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "Title\nDune\n",
        "Title,Writer\nDune,Frank Herbert\n",
        'Title,Author,Exclusive Shelf\n"Dune,Frank Herbert,read\n',
        "Title,Author,Exclusive Shelf\n\0,b,read\n",
    ],
)
def test_what_is_no_such_file(user: User, text: str) -> None:
    with at_most(1):
        user.post("/books/import", text.encode(), headers=CSV).invalid("csv")
    assert shelf(user) == []


def test_what_was_looked_for_and_found_is_told(user: User) -> None:
    answer = user.post("/books/import", b"Title,Writer\nDune,F\n", headers=CSV, query={"format": "storygraph"})
    assert answer.error["message"] == (
        "The file is not such an export: looked for the columns Title, Authors and Read Status (StoryGraph), "
        "found Title, Writer."
    )


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "\n" + "x" * (4 * 1024 * 1024),
        HEADER + '\n"' + "x" * (4 * 1024 * 1024 - 200) + '"',
        HEADER + "," * 10_000 + "\n" + DUNE,
        HEADER + "\n" + "1\n" * 100_001,
    ],
    ids=["5 MiB", "one cell", "columns", "rows"],
)
def test_what_is_too_large(user: User, text: str) -> None:
    with at_most(1):
        user.post("/books/import", text.encode(), headers=CSV).refused(413, "payload_too_large")
    assert shelf(user) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [({"format": "hevy"}, "format"), ({"dry_run": "yes"}, "dry_run"), ({"format": "Goodreads"}, "format")],
)
def test_bad_queries(user: User, query: dict[str, str], field: str) -> None:
    user.post("/books/import", file_of(DUNE).encode(), headers=CSV, query=query).invalid(field)
    assert shelf(user) == []


def test_bodies(user: User) -> None:
    assert counts(user.post("/books/import", {"csv": file_of(DUNE)}).data) == (1, 0, 0, 0)
    for body in ({}, {"csv": None}, {"csv": 3}):
        user.post("/books/import", body).invalid("csv")
    user.post("/books/import", {"csv": ""}).invalid("csv")
    user.post("/books/import", b'{"csv": "a', headers={"content-type": "application/json"}).invalid("body")
    user.post("/books/import", b"x", headers={"content-type": "image/png"}).refused(415, "unsupported_media_type")
    large = {"csv": HEADER + "\n" + "\n".join([OWLS] * 30_000)}
    assert counts(user.post("/books/import", large).data) == (1, 0, 0, 29_999)
    for excel in ("application/vnd.ms-excel", "text/csv; charset=utf-8"):
        answer = user.post("/books/import", file_of(DUNE).encode(), headers={"content-type": excel})
        assert counts(answer.data) == (0, 0, 1, 0)
    user.post("/books/import", {"csv": "x" * (4 * 1024 * 1024)}).refused(413, "payload_too_large")


# Others -----------------------------------------------------------------------------------------------------------


def test_strangers_and_others(user: User, other: User, stranger: Client) -> None:
    for path in ("/books/import", "/api/books/import"):
        stranger.post(path, file_of(DUNE).encode(), headers=CSV).refused(401, "unauthorized")
    stranger.post("/books/import", {"csv": 3}).refused(401, "unauthorized")
    stranger.get("/books/export.csv").refused(401, "unauthorized")
    book = added(other, isbn="9780441013593")
    assert counts(sent(user, file_of(DUNE))) == (1, 0, 0, 0)
    assert other.get(f"/books/{book['id']}").data == book
    assert len(shelf(other)) == 1
    other.delete(f"/books/{book['id']}")
    assert exported(other) == []
    assert counts(sent(other, file_of(DUNE))) == (1, 0, 0, 0)


def test_a_replay(user: User) -> None:
    key = {"idempotency-key": "once"} | CSV
    first = user.post("/books/import", file_of(DUNE).encode(), headers=key)
    again = user.post("/books/import", file_of(DUNE).encode(), headers=key)
    assert (again.data, again.headers["idempotent-replay"]) == (first.data, "true")
    user.post("/books/import", file_of(OWLS).encode(), headers=key).refused(422, "idempotency_mismatch")
    assert len(shelf(user)) == 1


def test_two_at_once(user: User) -> None:
    text = file_of(*[f"{n},Book {n},A,,3,,2031/01/01,,,read,2" for n in range(300)])
    reports = at_once(2, lambda: sent(user, text))
    assert sorted(map(counts, reports)) == [(0, 0, 300, 0), (300, 0, 0, 0)]
    assert len(shelf(user)) == 300
    assert {book["times_read"] for book in shelf(user)} == {2}


@pytest.mark.parametrize(
    ("meanwhile", "expected"),
    [
        ("SELECT", (1, 1, 0, 0)),
        ("UPDATE books SET import_digest = NULL, rating = 2", (1, 0, 1, 0)),
        ("INSERT INTO books (title, author) VALUES ('Counting owls', 'p quill')", (0, 1, 1, 0)),
        ("DELETE FROM books", (2, 0, 0, 0)),
    ],
)
def test_a_change_in_between_is_noticed(
    user: User, database: Database, meanwhile: LiteralString, expected: tuple[int, int, int, int]
) -> None:
    sent(user, file_of(DUNE))
    later = file_of(DUNE.replace(",4,", ",5,"), OWLS)
    report, _ = after_a_wait(database, user, lambda: sent(user, later), meanwhile=meanwhile)
    assert counts(report) == expected


def test_two_thousand_books(user: User) -> None:
    rows = [
        f'{n},Book {n},Author {n % 70},,{n % 6},{n},2031/01/0{n % 9 + 1},2030/12/01,"a, b",read,3' for n in range(2_000)
    ]
    with at_most(10):
        report = sent(user, file_of(*rows))
        assert (counts(report), report["reads"]) == ((2_000, 0, 0, 0), 6_000)
        assert counts(sent(user, file_of(*rows))) == (0, 0, 2_000, 0)


# Export -----------------------------------------------------------------------------------------------------------


def exported(user: Client) -> list[dict[str, str]]:
    answer = user.get("/books/export.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="books.csv"'
    return list(csv.DictReader(io.StringIO(answer.text)))


SHOWN = ("title", "author", "isbn", "total_pages", "status", "rating", "notes", "tags", "times_read", "finished_at")


def test_the_export_comes_back(user: User, other: User) -> None:
    added(
        user,
        "Dune",
        author="Frank Herbert",
        isbn="9780441013593",
        total_pages=600,
        status="completed",
        finished_at="2031-05-01T12:00:00Z",
        rating=4,
        notes="one\n<two> & three",
        tags=["sea", "Ünique"],
    )
    added(user, "Dune", author="Frank Herbert")
    added(user, "???", tags=["a"])
    added(user, "By ear", unit="minute", total_pages=400, status="reading", current_page=30)
    sent(user, GOODREADS)
    sent(user, STORYGRAPH)
    text = user.get("/books/export.csv").text
    assert counts(sent(user, text, format="questlog")) == (0, 0, 11, 0)
    report = sent(other, text, format="questlog")
    assert (counts(report), report["format"], report["problems"]) == ((11, 0, 0, 0), "questlog", [])
    for mine, theirs in zip(shelf(user), shelf(other), strict=True):
        expected = {name: mine[name] for name in SHOWN}
        if mine["unit"] != "page":
            expected["total_pages"] = None
        if mine["rating"] == 4.5:
            expected["rating"] = 5
        assert {name: theirs[name] for name in SHOWN} == expected
        assert [one["finished_at"] for one in reads(other, theirs)] == [one["finished_at"] for one in reads(user, mine)]
    assert counts(sent(other, text, format="questlog")) == (0, 0, 11, 0)


def test_our_export_does_not_take_back_what_another_app_has_said(user: User, other: User) -> None:
    half = "Title,Authors,ISBN/UID,Read Status,Star Rating\nDune,Frank Herbert,9780441013593,read,4.5\n"
    sent(user, half)
    text = user.get("/books/export.csv").text
    assert exported(user)[0]["My Rating"] == "5"
    assert counts(sent(user, text, format="questlog")) == (0, 0, 1, 0)
    assert shelf(user)[0]["rating"] == 4.5
    # Where the export itself was imported, a later one brings what has changed.
    sent(other, text, format="questlog")
    changed(user, shelf(user)[0], rating=1)
    assert counts(sent(other, user.get("/books/export.csv").text, format="questlog")) == (0, 1, 0, 0)
    assert shelf(other)[0]["rating"] == 1


def test_the_days_of_an_export_are_the_users(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "America/New_York"})
    added(user, status="completed", finished_at="2031-05-01T03:00:00Z")
    [row] = exported(user)
    assert row["Date Read"] == "2031/04/30"


def test_an_export_that_is_too_large(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO books (user_id, title, notes) SELECT %s, 'B', repeat('x', 10000) FROM generate_series(1, 600)",
        user.id,
    )
    database.query("SELECT count_totals(%s)", user.id)
    details = user.get("/books/export.csv").refused(413, "answer_too_large")
    assert details == {"limit_bytes": 5 * 1024 * 1024}
