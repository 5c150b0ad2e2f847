"""/books/{id}/sessions and /books/stats: logging moves the book, pays, and can be undone."""

from datetime import timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.books.test_books import added, changed, logged, reads
from tests.conftest import Database, NewUser, User, at_once
from tests.support.ledger import counter, payments, wallet


def test_a_log(database: Database, user: User) -> None:
    book = added(user, total_pages=100)
    data = logged(user, book, 25, duration_minutes=40, notes=" Good ")
    assert (data["pages_read"], data["new_page"], data["book_completed"]) == (25, 25, False)
    assert (data["xp_awarded"], data["coins_awarded"], data["streak"]) == (5, 2, 1)
    session = data["session"]
    assert session["id"] == data["session_id"]
    assert (session["start_page"], session["end_page"], session["unit"], session["read_number"]) == (0, 25, "page", 1)
    assert (session["notes"], session["xp_awarded"], session["coins_awarded"]) == ("Good", 5, 2)
    assert (data["book"]["status"], data["book"]["started_at"]) == ("reading", session["logged_at"])
    assert counter(database, user, "pages_read") == 25
    assert counter(database, user, "reading_minutes") == 40
    assert counter(database, user, "reading_sessions") == 1
    log = f"/books/{book['id']}/sessions"
    assert user.get(log).data == {"sessions": [session], "total": 1}
    assert user.get(log, query={"page": 2}).data == {"sessions": [], "total": 1, "page": 2, "page_size": 20}
    [listed] = user.get("/books/sessions").data["sessions"]
    assert listed == {**session, "book_title": "Dune"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "pages_read"),
        ({"pages_read": 0}, "pages_read"),
        ({"pages_read": 5001}, "pages_read"),
        ({"pages_read": True}, "pages_read"),
        ({"pages_read": 1, "duration_minutes": 1441}, "duration_minutes"),
        ({"pages_read": 1, "logged_at": "2999-01-01T00:00:00Z"}, "logged_at"),
        ({"pages_read": 1, "logged_at": "2030-01-01T00:00:00"}, "logged_at"),
        ({"pages_read": 1, "notes": "x" * 10_001}, "notes"),
    ],
)
def test_bad_input(user: User, body: dict[str, Any], field: str) -> None:
    book = added(user)
    user.post(f"/books/{book['id']}/sessions", body).invalid(field)
    assert user.get(f"/books/{book['id']}").data == book


def test_the_last_page_completes(database: Database, user: User, clock: Clock) -> None:
    clock.set("2031-05-08T12:00:00Z")
    book = added(user, total_pages=100)
    logged(user, book, 60, logged_at="2031-05-07T12:00:00Z")
    data = logged(user, book, 60, logged_at="2031-05-06T12:00:00Z")
    assert data["book_completed"] is True
    assert (data["new_page"], data["session"]["end_page"], data["pages_read"]) == (100, 100, 60)
    assert (data["book"]["status"], data["book"]["times_read"]) == ("completed", 1)
    assert data["book"]["finished_at"] == "2031-05-07T12:00:00.000000Z", "the latest log of this read"
    assert data["book"]["started_at"] == "2031-05-06T12:00:00.000000Z", "a log before moves the start back"
    assert [unlocked["key"] for unlocked in data["achievements_unlocked"]] == ["first_book"]
    more = logged(user, book, 10)
    assert (more["book_completed"], more["new_page"], more["book"]["status"]) == (False, 100, "completed")
    assert more["session"]["read_number"] == 1
    assert payments(database, user, "book_complete") == [("book_complete", 0, 0)]
    changed(user, book, status="reading")
    assert logged(user, book, 100)["session"]["read_number"] == 2
    assert len(reads(user, book)) == 2
    assert payments(database, user, "book_complete") == [("book_complete", 0, 0)], "once in its life"


def test_a_completion_that_is_sent_twice_at_once_is_answered_alike(database: Database, user: User) -> None:
    book = added(user, total_pages=20)
    answers = at_once(4, lambda: logged(user, book, 20))
    assert answers == [answers[0]] * 4
    assert answers[0]["book_completed"] is True
    assert [unlocked["key"] for unlocked in answers[0]["achievements_unlocked"]] == ["first_book"]
    assert (answers[0]["leveled_up"], answers[0]["new_level"]) == (True, 2), "the achievement pays 200 XP"
    assert payments(database, user, "book_complete") == [("book_complete", 0, 0)]


def test_what_a_book_unlocked_is_told_once(user: User) -> None:
    book = added(user, total_pages=20)
    assert logged(user, book, 20)["leveled_up"] is True
    later = [logged(user, book, 5)]
    changed(user, book, status="reading")
    later.append(logged(user, book, 20, notes="again"))
    assert [one["book_completed"] for one in later] == [False, True]
    assert [(one["achievements_unlocked"], one["leveled_up"]) for one in later] == [([], False)] * 2


def test_a_log_repeats_only_what_it_brought_itself(user: User) -> None:
    book = added(user, total_pages=20)
    first = logged(user, book, 10)
    changed(user, book, status="completed")
    again = logged(user, book, 10)
    assert again["session_id"] == first["session_id"]
    assert (again["achievements_unlocked"], again["leveled_up"]) == ([], False)


def test_a_read_ends_with_its_own_latest_log(user: User, clock: Clock) -> None:
    clock.set("2031-05-08T12:00:00Z")
    book = added(user, total_pages=10)
    logged(user, book, 10, logged_at="2031-05-07T12:00:00Z")
    changed(user, book, status="reading")
    assert (
        logged(user, book, 10, logged_at="2031-05-01T12:00:00Z")["book"]["finished_at"] == "2031-05-01T12:00:00.000000Z"
    )


def test_an_unread_book_marked_completed_counts_for_nothing(database: Database, user: User) -> None:
    book = added(user, total_pages=10, status="completed")
    assert payments(database, user, "book_complete") == []
    logged(user, book, 1)
    assert payments(database, user, "book_complete") == [("book_complete", 0, 0)]


def test_a_book_that_was_read_in_counts_whatever_completes_it(database: Database, user: User) -> None:
    for fields in ({"status": "completed"}, {"current_page": 100}):
        book = added(user, total_pages=100)
        logged(user, book, 30)
        changed(user, book, **fields)
        changed(user, book, status="reading")
        changed(user, book, **fields)
    by_edit = added(user, total_pages=100)
    session = logged(user, by_edit, 30)["session_id"]
    user.patch(f"/books/{by_edit['id']}/sessions/{session}", {"pages_read": 100})
    assert payments(database, user, "book_complete") == [("book_complete", 0, 0)] * 3
    assert counter(database, user, "books_completed") == 3


def test_the_cap_of_a_day(database: Database, user: User) -> None:
    book = added(user)
    first = logged(user, book, 900)
    assert (first["xp_awarded"], first["coins_awarded"]) == (180, 90)
    second = logged(user, book, 500)
    assert (second["xp_awarded"], second["coins_awarded"]) == (20, 10), "cut to what is left"
    third = logged(user, book, 7)
    assert (third["xp_awarded"], third["coins_awarded"]) == (0, 0)
    assert wallet(database, user) == (200, 100)


def test_the_cap_is_of_the_local_day_in_the_ledger(database: Database, new_user: NewUser, clock: Clock) -> None:
    clock.set("2031-05-08T09:00:00Z")
    user = new_user(settings={"timezone": "Pacific/Kiritimati"})  # there it is 23:00
    book = added(user)
    full = logged(user, book, 1_000)
    assert (full["xp_awarded"], full["coins_awarded"]) == (200, 100)
    user.delete(f"/books/{book['id']}/sessions/{full['session_id']}")
    other = added(user)
    again = logged(user, other, 50)
    assert (again["xp_awarded"], again["coins_awarded"]) == (0, 0), "a deleted log frees nothing"
    user.delete(f"/books/{other['id']}")
    book = added(user)
    assert logged(user, book, 50, logged_at="2031-05-01T09:00:00Z")["xp_awarded"] == 0, "the server's clock counts"
    clock.set("2031-05-08T10:00:00Z")
    assert logged(user, book, 50, notes="midnight")["xp_awarded"] == 10
    assert wallet(database, user) == (210, 105)


def test_the_cap_holds_for_logs_at_once(database: Database, user: User) -> None:
    book = added(user)
    pages = iter([400, 410, 420, 430])
    answers = at_once(4, lambda: logged(user, book, next(pages)))
    assert sum(answer["xp_awarded"] for answer in answers) == 200
    assert sum(answer["coins_awarded"] for answer in answers) == 100
    assert wallet(database, user) == (200, 100)


@pytest.mark.parametrize(
    ("unit", "amount", "xp", "coins"),
    [("page", 3, 1, 0), ("minute", 41, 4, 2), ("percent", 10, 6, 3), ("minute", 1, 1, 0)],
)
def test_units_are_worth_pages(user: User, unit: str, amount: int, xp: int, coins: int) -> None:
    book = added(user, unit=unit, total_pages=100)
    data = logged(user, book, amount)
    assert (data["xp_awarded"], data["coins_awarded"]) == (xp, coins)


def test_minutes_are_their_own_duration(database: Database, user: User) -> None:
    book = added(user, unit="minute", total_pages=600)
    logged(user, book, 30)
    assert counter(database, user, "reading_minutes") == 30
    assert counter(database, user, "pages_read") == 0
    assert user.get("/books/stats").data["total_reading_minutes"] == 30


def test_a_double_click(database: Database, user: User, clock: Clock) -> None:
    clock.freeze()
    book = added(user, total_pages=300)
    answers = at_once(6, lambda: logged(user, book, 20, notes="x"))
    assert len({answer["session_id"] for answer in answers}) == 1
    assert len({str(answer["session"]) for answer in answers}) == 1
    assert {answer["xp_awarded"] for answer in answers} == {4}
    assert user.get(f"/books/{book['id']}").data["current_page"] == 20
    clock.advance(timedelta(seconds=10))
    assert logged(user, book, 20, notes="x")["session_id"] != answers[0]["session_id"]
    assert wallet(database, user) == (8, 4)


def test_twenty_logs_at_once(user: User) -> None:
    book = added(user, total_pages=210)
    pages = iter(range(1, 21))
    answers = at_once(20, lambda: logged(user, book, next(pages)))
    assert [answer["book_completed"] for answer in answers].count(True) == 1
    after = user.get(f"/books/{book['id']}").data
    assert (after["current_page"], after["status"], after["times_read"]) == (210, "completed", 1)


def test_a_slip_is_undone(user: User) -> None:
    book = added(user, total_pages=100)
    logged(user, book, 30)
    before, stats = user.get(f"/books/{book['id']}").data, user.get("/books/stats").data
    slip = logged(user, book, 70)
    assert slip["book"]["status"] == "completed"
    data = user.delete(f"/books/{book['id']}/sessions/{slip['session_id']}").data
    assert data["deleted"] is True
    for field in ("status", "current_page", "times_read", "finished_at", "started_at"):
        assert data["book"][field] == before[field]
    assert user.get("/books/stats").data == stats
    user.delete(f"/books/{book['id']}/sessions/{slip['session_id']}").refused(404, "not_found")


@pytest.mark.parametrize("pages", [20, 70])
@pytest.mark.parametrize("status", ["want_to_read", "abandoned"])
def test_a_slip_that_took_a_book_off_its_shelf_is_undone(user: User, status: str, pages: int) -> None:
    """Also one that completed the book."""
    book = added(user, total_pages=100)
    if status == "abandoned":
        logged(user, book, 30, notes="long ago")
        changed(user, book, status=status)
    before, stats = user.get(f"/books/{book['id']}").data, user.get("/books/stats").data
    slip = logged(user, book, pages if status == "abandoned" else pages + 30)
    assert slip["book"]["status"] == ("reading" if pages == 20 else "completed")
    after = user.delete(f"/books/{book['id']}/sessions/{slip['session_id']}").data["book"]
    assert after == before | {"updated_at": after["updated_at"]}
    assert user.get("/books/stats").data == stats
    assert reads(user, book) == []


def test_a_book_that_was_read_on_stays_off_its_shelf(user: User) -> None:
    book = added(user, total_pages=100)
    first = logged(user, book, 30)["session_id"]
    logged(user, book, 10)
    after = user.delete(f"/books/{book['id']}/sessions/{first}").data["book"]
    assert (after["status"], after["current_page"]) == ("reading", 10)
    other = added(user, total_pages=100)
    session = logged(user, other, 30)["session_id"]
    changed(user, other, current_page=50)
    after = user.delete(f"/books/{other['id']}/sessions/{session}").data["book"]
    assert (after["status"], after["current_page"]) == ("reading", 20), "the user has moved it meanwhile"


def test_deleting_a_log_that_was_cut_at_the_last_page(user: User) -> None:
    book = added(user, total_pages=100)
    logged(user, book, 60)
    cut = logged(user, book, 70)
    data = user.delete(f"/books/{book['id']}/sessions/{cut['session_id']}").data
    assert (data["book"]["current_page"], data["book"]["status"]) == (60, "reading")


def test_a_slip_in_an_abandoned_book_is_undone_too(user: User) -> None:
    book = added(user, total_pages=100)
    logged(user, book, 30)
    slip = logged(user, book, 20)["session_id"]
    changed(user, book, status="abandoned")
    path = f"/books/{book['id']}/sessions/{slip}"
    assert user.patch(path, {"pages_read": 15}).data["book"]["current_page"] == 45
    after = user.delete(path).data["book"]
    assert (after["current_page"], after["status"]) == (30, "abandoned")


def test_logs_of_a_wanted_book_move_nothing(user: User) -> None:
    book = added(user, total_pages=100)
    session = logged(user, book, 30)["session_id"]
    changed(user, book, status="want_to_read")
    path = f"/books/{book['id']}/sessions/{session}"
    for after in (user.patch(path, {"pages_read": 40}).data["book"], user.delete(path).data["book"]):
        assert (after["current_page"], after["status"], after["started_at"]) == (0, "want_to_read", None)


def test_an_abandoned_book_is_read_on(user: User) -> None:
    book = added(user, total_pages=100)
    begun = logged(user, book, 30)["book"]["started_at"]
    changed(user, book, status="abandoned")
    data = logged(user, book, 5)
    assert (data["book"]["status"], data["session"]["start_page"], data["new_page"]) == ("reading", 30, 35)
    assert data["book"]["started_at"] == begun


def test_a_log_in_another_unit_moves_nothing(user: User) -> None:
    book = added(user, total_pages=200)
    session = logged(user, book, 50)["session_id"]
    assert changed(user, book, unit="percent")["current_page"] == 25
    path = f"/books/{book['id']}/sessions/{session}"
    shown = user.patch(path, {"pages_read": 60}).data
    assert (shown["session"]["unit"], shown["session"]["pages_read"]) == ("page", 60)
    assert shown["book"]["current_page"] == 25
    assert user.delete(path).data["book"]["current_page"] == 25


def test_a_log_at_another_time_is_of_that_day(user: User, clock: Clock) -> None:
    clock.set("2031-05-08T12:00:00Z")
    book = added(user, total_pages=100)
    session = logged(user, book, 30)["session"]

    def pages_after(logged_at: str) -> tuple[int, int]:
        user.patch(f"/books/{book['id']}/sessions/{session['id']}", {"logged_at": logged_at})
        stats = user.get("/books/stats").data
        return stats["pages_7d"], stats["pages_this_month"]

    assert pages_after("2031-05-02T00:00:00Z") == (30, 30), "today and the six days before it"
    assert pages_after("2031-05-01T23:59:59Z") == (0, 30)
    assert pages_after("2031-04-30T23:59:59Z") == (0, 0)


def test_editing_a_log(user: User, other: User) -> None:
    book = added(user, total_pages=100)
    session = logged(user, book, 30)["session"]
    path = f"/books/{book['id']}/sessions/{session['id']}"
    data = user.patch(path, {"pages_read": 50, "notes": "More"}).data
    assert (data["session"]["end_page"], data["book"]["current_page"]) == (50, 50)
    assert (data["session"]["xp_awarded"], data["session"]["notes"]) == (6, "More"), "the reward stays as paid"
    done = user.patch(path, {"pages_read": 100}).data
    assert (done["book"]["status"], done["book"]["times_read"]) == ("completed", 1)
    back = user.patch(path, {"pages_read": 99}).data
    assert (back["book"]["status"], back["book"]["times_read"], back["book"]["current_page"]) == ("reading", 0, 99)
    user.patch(path, {"pages_read": None}).invalid("pages_read")
    user.patch(path, {"logged_at": "2999-01-01T00:00:00Z"}).invalid("logged_at")
    beside = f"/books/{added(user)['id']}/sessions/{session['id']}"
    for answer in (
        *(other.patch(path, {"pages_read": 1}), other.delete(path)),
        *(user.patch(beside, {"pages_read": 1}), user.delete(beside)),
    ):
        answer.refused(404, "not_found")
    assert user.get(f"/books/{book['id']}/sessions").data["total"] == 1


def test_the_life_of_a_book(new_user: NewUser, clock: Clock) -> None:
    """Wanted, read in several logs, completed, rated, read again, completed again, 14 hours ahead of UTC."""
    user = new_user(settings={"timezone": "Pacific/Kiritimati"})
    clock.freeze()
    clock.set("2031-12-30T12:00:00Z")  # the 31st there, 2 in the morning
    book = added(user, total_pages=100)
    assert (book["status"], book["started_at"], book["times_read"]) == ("want_to_read", None, 0)
    begun = logged(user, book, 30)["book"]
    assert (begun["status"], begun["current_page"], begun["progress_percent"]) == ("reading", 30, 30)
    clock.advance("PT24H")  # the 1st of January
    done = logged(user, book, 70)["book"]
    assert (done["status"], done["times_read"], done["current_page"]) == ("completed", 1, 100)
    assert (done["started_at"], done["finished_at"]) == (begun["started_at"], "2031-12-31T12:00:00.000000Z")
    assert changed(user, book, rating=4.5)["rating"] == 4.5
    clock.advance("P1D")
    again = changed(user, book, status="reading")
    assert (again["current_page"], again["finished_at"], again["times_read"]) == (0, None, 1)
    assert again["started_at"] == "2032-01-01T12:00:00.000000Z"
    clock.advance("P1D")
    twice = logged(user, book, 100)["book"]
    assert (twice["status"], twice["times_read"], twice["rating"]) == ("completed", 2, 4.5)
    assert [(read["read_number"], read["started_at"], read["finished_at"]) for read in reads(user, book)] == [
        (2, again["started_at"], "2032-01-02T12:00:00.000000Z"),
        (1, begun["started_at"], done["finished_at"]),
    ]
    log = user.get(f"/books/{book['id']}/sessions").data["sessions"]
    assert [session["read_number"] for session in log] == [2, 1, 1]
    stats = user.get("/books/stats").data
    assert (stats["total_books"], stats["books_completed"], stats["books_reading"]) == (1, 1, 0)
    assert (stats["total_pages_read"], stats["reading_sessions"], stats["average_rating"]) == (200, 3, 4.5)
    assert stats["goal"] == {"year": 2032, "target": None, "completed": 2}
    assert (stats["books_this_year"], stats["pages_this_month"], stats["pages_7d"]) == (2, 170, 200)
    assert stats["months"][-2:] == [
        {"month": "2031-12", "pages": 30, "books": 0},
        {"month": "2032-01", "pages": 170, "books": 2},
    ]
    assert (stats["current_streak_days"], stats["longest_streak_days"]) == (1, 2)


def test_a_log_of_an_earlier_read_moves_nothing(user: User) -> None:
    book = added(user, total_pages=10)
    first = logged(user, book, 10)["session"]
    changed(user, book, status="reading", current_page=4)
    data = user.delete(f"/books/{book['id']}/sessions/{first['id']}").data
    assert (data["book"]["current_page"], data["book"]["times_read"]) == (4, 1)


def test_statistics_of_an_empty_shelf(user: User) -> None:
    stats = user.get("/books/stats").data
    assert {name: value for name, value in stats.items() if name not in ("goal", "months")} == {
        **dict.fromkeys(("total_books", "books_completed", "books_reading", "books_this_year"), 0),
        **dict.fromkeys(("total_pages_read", "reading_sessions", "total_reading_minutes"), 0),
        **dict.fromkeys(("current_streak_days", "longest_streak_days", "pages_this_month", "pages_7d"), 0),
        "average_rating": None,
    }
    assert (stats["goal"]["target"], stats["goal"]["completed"]) == (None, 0)
    assert {(month["pages"], month["books"]) for month in stats["months"]} == {(0, 0)}


def test_statistics(new_user: NewUser, clock: Clock) -> None:
    clock.set("2031-05-08T12:00:00Z")
    user = new_user(settings={"timezone": "Pacific/Auckland"})
    book = added(user, total_pages=300, rating=4)
    added(user, rating=5)
    logged(user, book, 100, duration_minutes=60, logged_at="2031-03-31T11:30:00Z")  # the first of April in Auckland
    logged(user, book, 20, logged_at="2031-05-07T11:00:00Z")
    logged(user, book, 180, logged_at="2031-05-07T13:00:00Z")
    stats = user.get("/books/stats").data
    assert (stats["total_books"], stats["books_completed"], stats["books_reading"]) == (2, 1, 0)
    assert (stats["total_pages_read"], stats["reading_sessions"], stats["total_reading_minutes"]) == (300, 3, 60)
    assert (stats["current_streak_days"], stats["longest_streak_days"]) == (2, 2)
    assert (stats["books_this_year"], stats["pages_this_month"], stats["pages_7d"]) == (1, 200, 200)
    assert stats["average_rating"] == 4.5
    assert stats["goal"] == {"year": 2031, "target": None, "completed": 1}
    assert len(stats["months"]) == 12
    assert stats["months"][-2:] == [
        {"month": "2031-04", "pages": 100, "books": 0},
        {"month": "2031-05", "pages": 200, "books": 1},
    ]
    assert stats["months"][0]["month"] == "2030-06"
    clock.advance(timedelta(days=2))
    assert user.get("/books/stats").data["current_streak_days"] == 0


def test_statistics_are_those_of_the_log_after_each_change_of_it(user: User) -> None:
    def holds() -> None:
        log = user.get("/books/sessions", query={"page_size": 100}).data["sessions"]
        stats = user.get("/books/stats").data
        assert stats["reading_sessions"] == len(log)
        pages = sum(session["pages_read"] for session in log if session["unit"] == "page")
        assert (stats["total_pages_read"], stats["pages_7d"], stats["months"][-1]["pages"]) == (pages, pages, pages)
        by_minutes = (s["pages_read"] if s["unit"] == "minute" else 0 for s in log)
        assert stats["total_reading_minutes"] == sum(
            session["duration_minutes"] or minutes for session, minutes in zip(log, by_minutes, strict=True)
        )

    novel, tape = added(user, total_pages=100), added(user, unit="minute", total_pages=90)
    first = logged(user, novel, 30, duration_minutes=20)["session"]
    heard = logged(user, tape, 45)["session"]
    holds()
    last = logged(user, novel, 70)["session"]
    logged(user, novel, 5, duration_minutes=7)  # completed already
    holds()
    user.patch(f"/books/{novel['id']}/sessions/{first['id']}", {"pages_read": 50, "duration_minutes": None})
    user.patch(f"/books/{tape['id']}/sessions/{heard['id']}", {"pages_read": 40})
    user.patch(f"/books/{tape['id']}/sessions/{heard['id']}", {"notes": "On a walk."})
    holds()
    changed(user, novel, unit="percent")
    logged(user, novel, 9, duration_minutes=3)
    holds()
    user.delete(f"/books/{novel['id']}/sessions/{last['id']}")
    holds()
    user.delete(f"/books/{novel['id']}")
    holds()
    assert user.get("/books/stats").data["reading_sessions"] == 1
