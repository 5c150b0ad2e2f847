"""/books: the shelf, statuses, reads, goals."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.support.locks import is_waited_for
from tests.support.threads import in_thread

FIELDS = {
    *("id", "title", "author", "isbn", "cover_url", "genre", "total_pages", "current_page", "unit", "status"),
    *("started_at", "finished_at", "rating", "notes", "tags", "progress_percent", "times_read", "created_at"),
    "updated_at",
}


def added(user: Client, title: str = "Dune", **fields: Any) -> dict[str, Any]:
    book: dict[str, Any] = user.post("/books", {"title": title, **fields}).data
    return book


def changed(user: Client, book: dict[str, Any], **fields: Any) -> dict[str, Any]:
    after: dict[str, Any] = user.put(f"/books/{book['id']}", fields).data
    return after


def logged(user: Client, book: dict[str, Any], pages: int, **fields: Any) -> dict[str, Any]:
    data: dict[str, Any] = user.post(f"/books/{book['id']}/sessions", {"pages_read": pages, **fields}).data
    return data


def reads(user: Client, book: dict[str, Any]) -> list[dict[str, Any]]:
    data = user.get(f"/books/{book['id']}/reads").data
    found: list[dict[str, Any]] = data["reads"]
    assert data["total"] == len(found)
    return found


def test_a_wanted_book(user: User) -> None:
    book = added(user, "  Dune ", author=" ", tags=["SF", " sf ", "desert"], total_pages=500, rating=4.5)
    assert set(book) == FIELDS
    assert (book["title"], book["author"], book["tags"]) == ("Dune", None, ["SF", "desert"])
    assert (book["status"], book["current_page"], book["progress_percent"]) == ("want_to_read", 0, 0)
    assert (book["unit"], book["times_read"], book["started_at"], book["rating"]) == ("page", 0, None, 4.5)
    assert added(user)["progress_percent"] is None
    assert user.get(f"/books/{book['id']}").data == book


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": "x", "total_pages": 0}, "total_pages"),
        ({"title": "x", "total_pages": 50_001}, "total_pages"),
        ({"title": "x", "total_pages": "5"}, "total_pages"),
        ({"title": "x", "rating": 4.3}, "rating"),
        ({"title": "x", "rating": 5.5}, "rating"),
        ({"title": "x", "cover_url": "ftp://x"}, "cover_url"),
        ({"title": "x", "status": "lost"}, "status"),
        ({"title": "x", "status": "reading", "total_pages": 10, "current_page": 11}, "current_page"),
        ({"title": "x", "tags": ["a"] * 21}, "tags"),
        ({"title": "x", "unit": "percent", "total_pages": 200}, "total_pages"),
        ({"title": "x", "status": "reading", "finished_at": "2031-05-08T12:00:00Z"}, "finished_at"),
        ({"title": "x", "started_at": "2031-05-08T12:00:00"}, "started_at"),
        ({"title": "x", "current_page": 3}, "current_page"),
        ({"title": "x", "current_page": 3, "status": "want_to_read"}, "current_page"),
        ({"title": "x", "current_page": 3, "status": "lost"}, "status"),
        (
            {"title": "x", "status": "completed"}
            | {"started_at": "2020-02-02T00:00:00Z", "finished_at": "2020-02-01T00:00:00Z"},
            "finished_at",
        ),
    ],
)
def test_bad_input(user: User, body: dict[str, Any], field: str) -> None:
    user.post("/books", body).invalid(field)
    assert user.get("/books").data["total"] == 0


def test_strangers_and_others(user: User, other: User, stranger: Client) -> None:
    book = added(user)
    path = f"/books/{book['id']}"
    for call in (other.get, lambda p: other.put(p, {"title": "Mine"}), other.delete):
        call(path).refused(404, "not_found")
    other.get(f"{path}/reads").refused(404, "not_found")
    other.get(f"{path}/sessions").refused(404, "not_found")
    other.post(f"{path}/sessions", {"pages_read": 1}).refused(404, "not_found")
    assert user.get(path).data == book
    for path in ("/books", "/books/stats", "/books/goal", "/books/sessions"):
        stranger.get(path).refused(401, "unauthorized")
    user.get("/books/not-a-uuid").refused(404, "not_found")


def test_a_book_is_not_finished_before_it_was_begun(user: User) -> None:
    book = added(user, status="reading", started_at="2020-02-02T00:00:00Z")
    path = f"/books/{book['id']}"
    user.put(path, {"status": "completed", "finished_at": "2020-02-01T23:59:59Z"}).invalid("finished_at")
    assert (user.get(path).data, reads(user, book)) == (book, [])
    done = changed(user, book, status="completed", finished_at="2020-02-02T00:00:00Z")
    assert (done["started_at"], done["times_read"]) == (done["finished_at"], 1)


def test_statuses(user: User, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-08T12:00:00Z")
    book = added(user, total_pages=300)
    begun = changed(user, book, status="reading")
    assert begun["started_at"] == "2031-05-08T12:00:00.000000Z"
    clock.advance(timedelta(days=2))
    done = changed(user, book, status="completed")
    assert (done["current_page"], done["times_read"], done["progress_percent"]) == (300, 1, 100)
    assert done["finished_at"] == "2031-05-10T12:00:00.000000Z"
    assert changed(user, book, status="completed")["times_read"] == 1, "the status it has changes nothing"
    again = changed(user, book, status="reading")
    assert (again["current_page"], again["finished_at"], again["times_read"]) == (0, None, 1)
    assert again["started_at"] == "2031-05-10T12:00:00.000000Z"
    dropped = changed(user, book, status="abandoned", current_page=40)
    assert (dropped["current_page"], dropped["started_at"]) == (40, again["started_at"])
    wanted = changed(user, book, status="want_to_read")
    assert (wanted["current_page"], wanted["started_at"], wanted["times_read"]) == (0, None, 1)
    assert [read["read_number"] for read in reads(user, book)] == [1], "shelving it later leaves the read"


def test_dates(user: User) -> None:
    book = added(user, status="completed", started_at="2030-01-01T00:00:00Z", finished_at="2030-02-01T00:00:00Z")
    assert reads(user, book) == [
        {
            "read_number": 1,
            "started_at": "2030-01-01T00:00:00.000000Z",
            "finished_at": "2030-02-01T00:00:00.000000Z",
        }
    ]
    user.put(f"/books/{book['id']}", {"finished_at": "2029-12-31T00:00:00Z"}).invalid("finished_at")
    assert changed(user, book, finished_at="2030-03-01T00:00:00Z")["finished_at"] == "2030-03-01T00:00:00.000000Z"
    assert reads(user, book)[0]["finished_at"] == "2030-03-01T00:00:00.000000Z"
    unknown = added(user, status="completed", finished_at=None)
    assert (unknown["finished_at"], unknown["times_read"]) == (None, 1)
    assert user.get("/books/goal").data["completed"] == 0, "no year counts it"


def test_the_page_completes(user: User) -> None:
    book = added(user, total_pages=100, status="reading")
    assert changed(user, book, current_page=99)["status"] == "reading"
    done = changed(user, book, current_page=100)
    assert (done["status"], done["times_read"]) == ("completed", 1)
    again = changed(user, book, current_page=50)
    assert (again["status"], again["times_read"], again["finished_at"]) == ("reading", 0, None)
    assert reads(user, book) == []
    assert changed(user, book, current_page=100, status="reading")["status"] == "reading", "the status decides"


def test_totals(user: User) -> None:
    book = added(user, total_pages=100, status="reading", current_page=80)
    assert changed(user, book, total_pages=80)["status"] == "reading", "a total alone never completes"
    assert changed(user, book, total_pages=60)["current_page"] == 60
    done = changed(user, book, status="completed")
    assert changed(user, done, total_pages=70)["current_page"] == 70
    user.put(f"/books/{book['id']}", {"current_page": 71}).invalid("current_page")


def test_units(user: User) -> None:
    book = added(user, total_pages=200, status="reading", current_page=50)
    percent = changed(user, book, unit="percent")
    assert (percent["total_pages"], percent["current_page"]) == (100, 25)
    minutes = changed(user, book, unit="minute", total_pages=600)
    assert minutes["current_page"] == 150
    assert changed(user, book, unit="page")["current_page"] == 0, "the total is unknown"


def test_changing_a_read(user: User, other: User) -> None:
    book = added(user, status="completed", finished_at="2030-02-01T00:00:00Z")
    path = f"/books/{book['id']}/reads"
    data = user.put(f"{path}/1", {"started_at": "2030-01-01T00:00:00Z", "finished_at": None}).data
    assert data["read"]["finished_at"] is None
    assert (data["book"]["started_at"], data["book"]["finished_at"]) == ("2030-01-01T00:00:00.000000Z", None)
    user.put(f"{path}/1", {"finished_at": "2029-01-01T00:00:00Z"}).invalid("finished_at")
    for number in ("2", "0", "x", "99999999999", "-2147483649", "-99999999999999999999"):
        user.put(f"{path}/{number}", {}).refused(404, "not_found")
    other.put(f"{path}/1", {}).refused(404, "not_found")


def test_lists(user: User) -> None:
    dune = added(user, "Dune", author="Frank Herbert", tags=["SF"], rating=4)
    emma = added(user, "emma", author="Jane Austen", status="reading")
    ulysses = added(user, "Ulysses", status="completed", finished_at="2030-01-01T00:00:00Z", rating=5)

    def titles(**query: Any) -> list[str]:
        data = user.get("/books", query=query).data
        return [book["title"] for book in data["books"]]

    assert titles() == ["Ulysses", "emma", "Dune"]
    assert titles(sort="title") == ["Dune", "emma", "Ulysses"]
    assert titles(sort="author") == ["Dune", "emma", "Ulysses"]
    assert titles(sort="rating") == ["Ulysses", "Dune", "emma"]
    assert titles(sort="finished")[0] == "Ulysses"
    assert titles(status="reading") == ["emma"]
    assert titles(tag="sf") == ["Dune"]
    assert titles(search="AUSTEN") == ["emma"]
    assert titles(search="%") == []
    page = user.get("/books", query={"page": 2, "page_size": 2}).data
    assert [book["id"] for book in page.pop("books")] == [dune["id"]]
    assert page == {"total": 3, "page": 2, "page_size": 2}
    assert emma["id"] != ulysses["id"]
    for query in ({"sort": "color"}, {"status": "lost"}, {"page_size": 101}):
        assert user.get("/books", query=query).status == 400


def test_five_thousand_books(database: Database, user: User) -> None:
    database.query(
        "INSERT INTO books (user_id, title) SELECT %s, 'Book ' || n FROM generate_series(1, 4999) AS n", user.id
    )
    database.query("SELECT count_totals(%s)", user.id)
    answers = at_once(3, lambda: user.post("/books", {"title": "x"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    assert user.get("/books").data["total"] == 5_000


def test_deleting(user: User) -> None:
    book = added(user, total_pages=10)
    logged(user, book, 5)
    assert user.delete(f"/books/{book['id']}").data == {"deleted": True}
    user.delete(f"/books/{book['id']}").refused(404, "not_found")
    assert user.get("/books/sessions").data["total"] == 0


def test_goals(new_user: NewUser, clock: Clock) -> None:
    clock.set("2031-12-31T20:00:00Z")
    user = new_user(settings={"timezone": "Pacific/Kiritimati"})
    assert user.get("/books/goal").data == {"year": 2032, "target": None, "completed": 0}
    assert user.put("/books/goal", {"target": 12}).data == {"year": 2032, "target": 12, "completed": 0}
    added(user, status="completed")
    added(user, status="completed", finished_at="2031-12-31T09:59:59Z")
    assert user.get("/books/goal").data["completed"] == 1
    assert user.get("/books/goal", query={"year": 2031}).data == {"year": 2031, "target": None, "completed": 1}
    added(user, status="completed", finished_at="2031-12-31T10:00:00Z")
    completed = [user.get("/books/goal", query={"year": year}).data["completed"] for year in (2031, 2032)]
    assert completed == [1, 2], "there the year begins at this instant"
    assert user.put("/books/goal", {"target": None}).data["target"] is None
    for body, field in (({}, "target"), ({"target": 0}, "target"), ({"target": 5, "year": 1969}, "year")):
        user.put("/books/goal", body).invalid(field)
    assert datetime.fromisoformat(added(user)["created_at"]).year == 2031


def test_two_goals_of_a_year_at_once(database: Database, user: User) -> None:
    """The second request waits for the first one, and is the last word."""
    year = user.get("/books/goal").data["year"]
    with psycopg.connect(database.admin_url) as first, ThreadPoolExecutor(1) as pool:
        first.execute("INSERT INTO reading_goals (user_id, year, target) VALUES (%s, %s, 5)", [user.id, year])
        answer = pool.submit(in_thread, lambda: user.put("/books/goal", {"target": 12}))
        while not is_waited_for(database, first.info.backend_pid):
            assert not answer.done(), "it did not wait"
            time.sleep(0.01)
        first.commit()
        assert answer.result().data == {"year": year, "target": 12, "completed": 0}
    assert user.get("/books/goal").data["target"] == 12
