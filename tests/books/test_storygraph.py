"""StoryGraph's export (import formats, 4)."""

import csv
import io
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.importing.problems import Refused

from functions.books.files import read
from functions.books.shelf import Read, Shelf, ShelvedBook, Status

HEADER = (
    "Title,Authors,Contributors,ISBN/UID,Format,Read Status,Date Added,Last Date Read,Dates Read,Read Count,Moods,Pace,"
    "Character- or Plot-Driven?,Strong Character Development?,Loveable Characters?,Diverse Characters?,"
    "Flawed Characters?,Star Rating,Review,Content Warnings,Content Warning Description,Tags,Owned?"
)
SAMPLE = f"""{HEADER}
"Salt, Light","Ilse Verran, Tom Okoro",Ana Roe   (Narrator),9780123456786,audio,read,2030/12/01,2031/02/03,\
"2031/01/20-2031/02/03, 2028/07/09",2,"calm, sad",slow,A mix,Yes,Yes,It's complicated,No,4.25,\
<div>Fine.<br>Again</div>,,,"sea, club pick",Yes
Owl Ledger,P. Quill,"",B0ABCDE123,digital,did-not-finish,2031/03/03,"","",0,"",,,,,,,,,"",,"",No
Undated,R. Holm,"","",paperback,read,2029/01/01,"","",1,"",,,,,,,5.0,,"",,"",No
Only Tagged,S. Pell,"","",,"","","","",,"",,,,,,,,,"",,someday,No
"""


def row(**cells: str) -> str:
    """A row that differs from an ordinary one in the columns given, their spaces written as underscores."""
    ordinary = {"Title": "T", "Authors": "A", "Read Status": "read", "Date Added": "2030/12/01"}
    given_cells = {name.replace("_", " "): cell for name, cell in cells.items()}
    text = io.StringIO()
    csv.writer(text).writerow([(ordinary | given_cells).get(column, "") for column in HEADER.split(",")])
    return text.getvalue().strip()


def shelf(*rows: str, header: str = HEADER) -> Shelf:
    return read("\n".join([header, *rows]).encode(), "storygraph")


def one(**cells: str) -> ShelvedBook:
    """The book of a file that has nothing to tell."""
    found = shelf(row(**cells))
    assert (told(found), found.skipped) == ([], 0)
    return found.books[0]


def told(found: Shelf) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in found.problems.in_order()]


def test_the_sample() -> None:
    found = read(SAMPLE.encode())
    assert (found.format, found.skipped) == ("storygraph", 0)
    assert told(found) == [
        (None, "Ratings in quarters were rounded to the nearest half star: 1."),
        (None, "What books have in the column Contributors was left out: 1."),
        (None, "What books have in the column Format was left out: 3."),
        (None, "What books have in the column Owned? was left out: 1."),
    ]
    salt, owl, undated, tagged = found.books
    assert salt == ShelvedBook(
        import_key="storygraph:9780123456786",
        line=2,
        title="Salt, Light",
        author="Ilse Verran, Tom Okoro",
        isbn="9780123456786",
        total_pages=None,
        status="completed",
        rating=Decimal("4.5"),
        notes="Fine.\nAgain",
        tags=["sea", "club pick", "calm", "sad"],
        reads=[Read(finished=date(2028, 7, 9)), Read(date(2031, 1, 20), date(2031, 2, 3))],
        added=date(2030, 12, 1),
    )
    assert (owl.import_key, owl.isbn, owl.status, owl.reads) == ("storygraph:B0ABCDE123", None, "abandoned", [])
    assert (undated.import_key, undated.rating, undated.reads) == ("storygraph:undated|r holm", Decimal(5), [Read()])
    assert (tagged.status, tagged.tags, tagged.reads, tagged.added) == ("want_to_read", ["someday"], [], None)


def test_the_names_of_2021_and_a_spreadsheet() -> None:
    old = SAMPLE.replace("Authors", "Author", 1).replace("ISBN/UID", "ISBN", 1)
    assert read(old.encode()).books == read(SAMPLE.encode()).books
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(csv.reader(io.StringIO(SAMPLE)))
    assert read(b"\xef\xbb\xbf" + text.getvalue().encode()).books == read(SAMPLE.encode()).books


@pytest.mark.parametrize(
    ("name", "status", "tags"),
    [
        ("to-read", "want_to_read", []),
        ("currently-reading", "reading", []),
        ("read", "completed", []),
        ("did-not-finish", "abandoned", []),
        ("paused", "reading", ["paused"]),
        ("", "want_to_read", []),
        ("owned", "want_to_read", ["owned"]),
    ],
)
def test_statuses(name: str, status: Status, tags: list[str]) -> None:
    book = one(Read_Status=name)
    assert (book.status, book.tags) == (status, tags)


def test_a_row_without_a_status_is_finished_when_the_book_was_read() -> None:
    assert one(Read_Status="", Dates_Read="2031/02/03").status == "completed"
    assert one(Read_Status="", Read_Count="1").status == "completed"


FINISH = date(2031, 2, 3)
EARLIER = date(2028, 7, 9)


@pytest.mark.parametrize(
    ("name", "dates", "last", "count", "reads"),
    [
        ("read", "2031/02/03, 2028/07/09", "2031/02/03", "2", [Read(None, EARLIER), Read(None, FINISH)]),
        ("read", "2028/07/09, 2031/02/03", "", "1", [Read(None, EARLIER), Read(None, FINISH)]),
        ("read", "2031/02/03", "2031/02/03", "2", [Read(), Read(None, FINISH)]),
        ("read", "", "2031/02/03", "", [Read(None, FINISH)]),
        ("read", "", "2031/02/03", "0", [Read(None, FINISH)]),
        ("read", "", "", "2", [Read(), Read()]),
        ("read", "", "", "", [Read()]),
        ("read", "2031/02/01 - 2031/02/03", "", "1", [Read(date(2031, 2, 1), FINISH)]),
        ("read", "2031/02/03-2031/02/03", "", "1", [Read(FINISH, FINISH)]),
        ("currently-reading", "2031/02/03", "", "2", [Read(None, FINISH)]),
        ("currently-reading", "", "", "1", []),
        ("to-read", "", "", "1", []),
        ("to-read", "2031/02/03", "", "1", [Read(None, FINISH)]),
        ("did-not-finish", "", "", "0", []),
    ],
)
def test_reads(name: str, dates: str, last: str, count: str, reads: list[Read]) -> None:
    assert one(Read_Status=name, Dates_Read=dates, Last_Date_Read=last, Read_Count=count).reads == reads


@pytest.mark.parametrize(
    ("dates", "count", "reads"),
    [("2031/02/03", "0", []), ("2031/02/03, 2028/07/09", "1", [Read(None, EARLIER)])],
)
def test_the_day_on_which_a_book_was_given_up_is_told(dates: str, count: str, reads: list[Read]) -> None:
    found = shelf(row(Read_Status="did-not-finish", Dates_Read=dates, Read_Count=count))
    assert found.books[0].reads == reads
    assert told(found) == [(None, "Days on which books were given up were left out: 1.")]


def test_a_range_that_ends_before_it_starts_loses_its_start() -> None:
    found = shelf(row(Dates_Read="2031/02/20-2031/02/03", Read_Count="1"))
    assert found.books[0].reads == [Read(None, FINISH)]
    assert told(found) == [(2, "The start of a read was left out: it is after the finish.")]


def test_a_day_that_cannot_be_read_is_told_and_not_known() -> None:
    found = shelf(row(Dates_Read="2/3/31", Read_Count="1", Date_Added="12/1/30"))
    assert (found.books[0].reads, found.books[0].added) == ([Read()], None)
    assert [line for line, _ in told(found)] == [2, 2]


@pytest.mark.parametrize(
    ("stars", "rating"),
    [
        *(("4.25", "4.5"), ("3.75", "4"), ("4.5", "4.5"), ("0.25", "0.5"), ("5.0", "5"), ("5", "5"), ("", None)),
        *(("0.75", "1"), ("4.0", "4"), ("4,25", "4.5"), ("0.1", "0.5")),
    ],
)
def test_quarter_stars_go_to_the_nearest_half(stars: str, rating: str | None) -> None:
    found = shelf(row(Star_Rating=stars))
    assert found.books[0].rating == (None if rating is None else Decimal(rating))
    assert len(told(found)) == (stars in ("4.25", "3.75", "0.25", "0.75", "4,25", "0.1"))


def test_rounded_ratings_are_told_once() -> None:
    found = shelf(*(row(Title=title, Star_Rating="4.25") for title in "abc"))
    assert told(found) == [(None, "Ratings in quarters were rounded to the nearest half star: 3.")]


@pytest.mark.parametrize(
    ("uid", "key", "isbn"),
    [
        ("0123456789", "9780123456786", "9780123456786"),
        ("9780123456786", "9780123456786", "9780123456786"),
        ("B0ABCDE123", "B0ABCDE123", None),
        ("12345", "t|a", None),
        ("", "t|a", None),
    ],
)
def test_keys(uid: str, key: str, isbn: str | None) -> None:
    book = one(**{"ISBN/UID": uid})
    assert (book.import_key, book.isbn) == (f"storygraph:{key}", isbn)


@pytest.mark.parametrize("uid", ["9.78E+12", "9780123456780"])
def test_a_number_that_is_damaged_is_told_and_no_key(uid: str) -> None:
    found = shelf(row(**{"ISBN/UID": uid}))
    assert [(book.import_key, book.isbn) for book in found.books] == [("storygraph:t|a", None)]
    assert told(found) == [(2, "The ISBN was left out: it is not valid, or a spreadsheet has changed it.")]


def test_two_editions_of_a_book_are_two_books() -> None:
    found = shelf(row(Format="audio"), row(Format="paperback"))
    assert told(found) == [(None, "What books have in the column Format was left out: 2.")]
    assert [book.import_key for book in found.books] == ["storygraph:t|a", "storygraph:t|a|2"]


def test_a_row_without_a_title_is_skipped() -> None:
    found = shelf(row(Title=""), row())
    assert (len(found.books), found.skipped, told(found)) == (1, 1, [(2, "The book has no title.")])


def test_a_hundred_reads_are_enough() -> None:
    found = shelf(row(Dates_Read=", ".join(["2031/02/03"] * 101)))
    assert len(found.books[0].reads) == 100
    assert told(found) == [(2, "Only 100 reads of a book are taken.")]


@given(st.lists(st.lists(st.text(alphabet='0159.,"\nread-<br>=/', max_size=21), max_size=24), max_size=4))
def test_any_rows_are_a_shelf_or_refused(cells: list[list[str]]) -> None:
    with suppress(Refused):
        found = shelf(*(",".join(line) for line in cells))
        assert all(book.title for book in found.books)
