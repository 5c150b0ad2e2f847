"""Goodreads' export, read and written (import formats, 3)."""

import csv
import io
import re
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.importing.problems import Refused, Unreadable

from functions.books.files import Format, read
from functions.books.goodreads import COLUMNS, ExportedBook, written
from functions.books.isbn import isbn10, isbn13
from functions.books.shelf import Read, Shelf, ShelvedBook, Status, likeness

HEADER = ",".join(COLUMNS)
SAMPLE = f'''{HEADER}
900001,"The Glass Tide (Saltmark, #2)",Ilse  Verran,"Verran, Ilse",Tom Okoro,"=""0123456789""","=""9780123456786""",4,\
3.91,Tern Press,Paperback,312,2018,2017,2031/02/03,2031/01/20,"sea, re-read","sea (#4), re-read (#1)",read,\
"Good.<br/><br/>Slow &amp; calm.",,,2,1
900002,Counting Owls,P. Quill,"Quill, P.",,"=""""","=""""",0,4.02,,Kindle Edition,,2020,,,2030/11/02,,,read,,,,1,0
900003,Fragments,Anon.,Anon.,,"=""""","=""""",0,3.50,Old House,Hardcover,0,1999,-420,,2029/05/06,unfinished,\
unfinished (#3),unfinished,,,,0,0
900004,"Maps, Again",R. Holm,"Holm, R.",,"=""""","=""9780987654328""",0,4.40,Tern Press,ebook,201,2024,2024,,\
2031/03/01,"to-read, gift","to-read (#12), gift (#2)",to-read,,,from Ada,1,0
'''


def row(**cells: str) -> str:
    """A row that differs from an ordinary one in the columns given, their spaces written as underscores."""
    ordinary = {"Book Id": "1", "Title": "T", "Author": "A", "Date Added": "2031/01/20", "Exclusive Shelf": "read"}
    given_cells = {name.replace("_", " "): cell for name, cell in cells.items()}
    text = io.StringIO()
    csv.writer(text).writerow([(ordinary | given_cells).get(column, "") for column in COLUMNS])
    return text.getvalue().strip()


def shelf(*rows: str, header: str = HEADER) -> Shelf:
    return read("\n".join([header, *rows]).encode(), "goodreads")


def one(**cells: str) -> ShelvedBook:
    """The book of a file that has nothing to tell."""
    found = shelf(row(**cells))
    assert (told(found), found.skipped) == ([], 0)
    return found.books[0]


def told(found: Shelf) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in found.problems.in_order()]


def test_the_sample() -> None:
    found = read(SAMPLE.encode())
    assert (found.format, found.skipped, told(found)) == ("goodreads", 0, [])
    assert found.books == [
        ShelvedBook(
            import_key="goodreads:900001",
            line=2,
            title="The Glass Tide (Saltmark, #2)",
            author="Ilse Verran, Tom Okoro",
            isbn="9780123456786",
            total_pages=312,
            status="completed",
            rating=Decimal(4),
            notes="Good.\n\nSlow & calm.",
            tags=["sea", "re-read"],
            reads=[Read(), Read(finished=date(2031, 2, 3))],
            added=date(2031, 1, 20),
        ),
        ShelvedBook(
            import_key="goodreads:900002",
            line=3,
            title="Counting Owls",
            author="P. Quill",
            isbn=None,
            total_pages=None,
            status="completed",
            rating=None,
            notes=None,
            tags=[],
            reads=[Read()],
            added=date(2030, 11, 2),
        ),
        ShelvedBook(
            import_key="goodreads:900003",
            line=4,
            title="Fragments",
            author="Anon.",
            isbn=None,
            total_pages=None,
            status="abandoned",
            rating=None,
            notes=None,
            tags=[],
            reads=[],
            added=date(2029, 5, 6),
        ),
        ShelvedBook(
            import_key="goodreads:900004",
            line=5,
            title="Maps, Again",
            author="R. Holm",
            isbn="9780987654328",
            total_pages=201,
            status="want_to_read",
            rating=None,
            notes="from Ada",
            tags=["gift"],
            reads=[],
            added=date(2031, 3, 1),
        ),
    ]


@pytest.mark.parametrize("family", ["G31", "G23", "mixed", "spreadsheet"])
def test_other_sets_of_columns_are_read_by_their_names(family: str) -> None:
    rows = list(csv.reader(io.StringIO(SAMPLE)))
    if family == "G31":
        more = ["Recommended For", "Recommended By"], ["Original Purchase Date", "Condition", "BCID"]
        rows = [[*cells[:23], *(more[0] if cells is rows[0] else ["x", ""]), cells[23], *more[1]] for cells in rows]
    elif family == "G23":
        rows = [[*cells[:8], *cells[9:]] for cells in rows]
    elif family == "mixed":
        rows = [cells[::-1] for cells in rows]
    text = io.StringIO()
    if family == "spreadsheet":
        csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    else:
        csv.writer(text, lineterminator="\n").writerows(rows)
    mark = "\ufeff" if family == "spreadsheet" else ""
    assert read((mark + text.getvalue()).encode()).books == read(SAMPLE.encode()).books


@pytest.mark.parametrize(
    ("name", "status", "tags"),
    [
        ("read", "completed", []),
        ("Currently-Reading", "reading", []),
        ("to-read", "want_to_read", []),
        *((shelf, "abandoned", []) for shelf in ("dnf", "did-not-finish", "Abandoned", "dropped", "unfinished")),
        *((shelf, "reading", ["paused"]) for shelf in ("paused", "on-hold")),
        ("library", "want_to_read", ["library"]),
        ("", "want_to_read", []),
    ],
)
def test_shelves(name: str, status: Status, tags: list[str]) -> None:
    book = one(Exclusive_Shelf=name, Bookshelves=name if name != "read" else "")
    assert (book.status, book.tags) == (status, tags)


@pytest.mark.parametrize("cells", [{"Date_Read": "2031/02/03"}, {"Read_Count": "1"}])
def test_a_shelf_of_ones_own_is_finished_when_the_book_was_read(cells: dict[str, str]) -> None:
    book = one(Exclusive_Shelf="library", Bookshelves="library, gift", **cells)
    assert (book.status, book.tags, len(book.reads)) == ("completed", ["gift", "library"], 1)


DAY = date(2031, 2, 3)


@pytest.mark.parametrize(
    ("name", "count", "finished", "reads"),
    [
        ("read", "", "", [None]),
        ("read", "0", "", [None]),
        ("read", "1", "2031/02/03", [DAY]),
        ("read", "3", "2031/02/03", [None, None, DAY]),
        ("read", "2", "", [None, None]),
        ("currently-reading", "1", "", []),
        ("currently-reading", "2", "2031/02/03", [DAY]),
        ("currently-reading", "3", "", [None, None]),
        ("currently-reading", "1", "2031/02/03", [DAY]),
        ("to-read", "1", "", []),
        ("to-read", "1", "2031/02/03", [DAY]),
        ("dnf", "2", "2031/02/03", [DAY]),
        ("dnf", "1", "", []),
    ],
)
def test_reads(name: str, count: str, finished: str, reads: list[date | None]) -> None:
    book = one(Exclusive_Shelf=name, Read_Count=count, Date_Read=finished)
    assert [read.finished for read in book.reads] == reads
    assert {read.started for read in book.reads} <= {None}


def test_the_day_on_which_a_book_was_given_up_is_told_once() -> None:
    given_up = [row(Book_Id=book_id, Exclusive_Shelf="dnf", Read_Count="1", Date_Read="2031/02/03") for book_id in "12"]
    found = shelf(*given_up)
    assert [book.reads for book in found.books] == [[], []]
    assert told(found) == [(None, "Days on which books were given up were left out: 2.")]


def test_what_older_exports_say_besides_is_told_once_per_column() -> None:
    more = ["Recommended For", "Recommended By", "Original Purchase Date", "Original Purchase Location"]
    more += ["Condition", "Condition Description", "BCID"]
    header = ",".join([HEADER, *more])
    rows = [row() + ",,Ada,2020/01/01,Oslo,good,worn,123-456", row(Book_Id="2") + ",,Bo,,,,,", row(Book_Id="3")]
    found = shelf(*rows, row(Title="") + ",x,x,x,x,x,x,x", header=header)
    assert told(found) == [
        (5, "The book has no title."),
        *(
            (None, f"What books have in the column {name} was left out: {count}.")
            for name, count in zip(more[1:], (2, 1, 1, 1, 1, 1), strict=True)
        ),
    ]


@pytest.mark.parametrize(
    ("isbn", "isbn_13", "stored"),
    [
        ('="0123456789"', '=""', "9780123456786"),
        ("080442957X", "", "9780804429573"),
        ("080442957x", "", "9780804429573"),
        ("0-8044-2957-X", "", "9780804429573"),
        ('="Contributor"', '="Contributor"', None),
        ("0123456789", "9.78E+12", "9780123456786"),
        ("", "9791090636071", "9791090636071"),
        ('="0123456789"', '="9780987654328"', "9780987654328"),
    ],
)
def test_numbers_of_books_are_checked(isbn: str, isbn_13: str, stored: str | None) -> None:
    assert one(ISBN=isbn, ISBN13=isbn_13).isbn == stored


@pytest.mark.parametrize(
    ("isbn", "isbn_13"),
    [
        ("", "9.78E+12"),
        ("1,23E+08", "9,78E+12"),
        ("123456789", ""),
        ('="0804429570"', '=""'),
        ("", '="9780123456785"'),
    ],
)
def test_a_number_that_is_damaged_is_told_on_its_line(isbn: str, isbn_13: str) -> None:
    found = shelf(row(), row(Book_Id="2", ISBN=isbn, ISBN13=isbn_13))
    assert [book.isbn for book in found.books] == [None, None]
    assert told(found) == [(3, "The ISBN was left out: it is not valid, or a spreadsheet has changed it.")]


def test_both_numbers_of_a_book_are_equal() -> None:
    assert isbn13("080442957X") == isbn13("978-0-8044-2957-3") == "9780804429573"
    assert isbn10("9780804429573") == "080442957X"
    assert isbn10("9791090636071") is None
    assert [isbn13(text) for text in ("", "X", "12345", "97801234567861", "a" * 5_000)] == [None] * 5


@given(st.integers(0, 10**9 - 1))
def test_numbers_of_books_and_back(number: int) -> None:
    thirteen = isbn13(isbn10(f"978{number:09}0") or "")
    assert thirteen is not None
    assert thirteen[3:12] == f"{number:09}"
    assert isbn13(thirteen) == thirteen


@pytest.mark.parametrize(
    ("text", "rating"), [("0", None), ("", None), ("5", "5"), ("1", "1"), ("4.5", "4.5"), ("0.5", "0.5")]
)
def test_ratings(text: str, rating: str | None) -> None:
    assert one(My_Rating=text).rating == (None if rating is None else Decimal(rating))


@pytest.mark.parametrize(("pages", "kept"), [("0", None), ("", None), ("312", 312), ("312.0", 312), ("50000", 50_000)])
def test_pages(pages: str, kept: int | None) -> None:
    assert one(Number_of_Pages=pages).total_pages == kept


@pytest.mark.parametrize(
    "cells",
    [
        {"My_Rating": "6"},
        {"My_Rating": "-1"},
        {"My_Rating": "good"},
        {"Number_of_Pages": "50001"},
        {"Number_of_Pages": "many"},
        {"Read_Count": "101"},
        {"Read_Count": "-1"},
        {"Date_Read": "2/3/31"},
        {"Date_Added": "2031/02/30"},
    ],
)
def test_a_cell_that_cannot_be_taken_is_told_and_costs_only_itself(cells: dict[str, str]) -> None:
    found = shelf(row(**cells))
    kept = replace(one(), added=None) if "Date_Added" in cells else one()
    assert found.books == [kept]
    assert [line for line, _ in told(found)] == [2]


def test_a_row_without_a_title_is_skipped() -> None:
    found = shelf(row(Title=" "), row(Book_Id="2"))
    assert (len(found.books), found.skipped, told(found)) == (1, 1, [(2, "The book has no title.")])


def test_a_line_that_a_spreadsheet_put_in_quotes_is_told() -> None:
    found = shelf('"' + row(Title="T").replace('"', '""') + '"', row(Book_Id="2"))
    assert (len(found.books), [line for line, _ in told(found)]) == (1, [2])


def test_keys() -> None:
    found = shelf(
        row(Book_Id="7"),
        row(Book_Id="7"),
        row(Book_Id="9.78E+12", ISBN13='="9780123456786"', Title="Tide", Author="I. Verran"),
        row(Book_Id="", Title="The Tide (Salt, #2)", Author="Ilse  Verran"),
        row(Book_Id="", Title="the TIDE", Author="Ilse Verran"),
    )
    assert [book.import_key for book in found.books] == [
        "goodreads:7",
        "goodreads:9780123456786",
        "goodreads:the tide|ilse verran",
        "goodreads:the tide|ilse verran|2",
    ]
    assert (found.skipped, told(found)) == (1, [(3, "The book is in the file twice, with the id 7.")])


@pytest.mark.parametrize(
    ("author", "others", "authors"),
    [
        ("A", "B", "A, B"),
        ("A", "B  b, C,, ", "A, B b, C"),
        ("A", "", "A"),
        ("", "B", "B"),
        ("", "", None),
    ],
)
def test_all_authors_are_kept_and_the_first_is_compared(author: str, others: str, authors: str | None) -> None:
    book = one(Author=author, Additional_Authors=others, Book_Id="")
    assert (book.author, book.import_key) == (authors, f"goodreads:t|{author.casefold()}")


def test_more_authors_than_fit_are_cut_and_told() -> None:
    found = shelf(row(Additional_Authors="Tom, " + "x" * 400))
    assert [len(book.author or "") for book in found.books] == [300]
    assert told(found) == [(2, "Text was cut to 300 characters.")]


def test_likeness() -> None:
    assert likeness("The Glass Tide (Saltmark, #2)", "Ilse Verran, Tom Okoro") == likeness(
        "the glass tide", "ilse verran"
    )
    assert likeness("Owls (and Others)", None) == "owls and others|"
    assert likeness("A", "B") != likeness("A", "C")


def test_notes_are_plain_text() -> None:
    book = one(My_Review="A <i>b</i><br/>c &lt;3", Private_Notes="x < y<haml:newline/>&amp;")
    assert book.notes == "A b\nc <3\n\nx < y\n&amp;"


def test_what_is_too_long_is_cut_and_told() -> None:
    tags = ", ".join([*(f"tag{number}" for number in range(25)), "t" * 50])
    found = shelf(row(Title="t" * 600, Author="a" * 400, My_Review="r" * 20_000, Bookshelves=tags, Book_Id=""))
    [book] = found.books
    lengths = [len(text or "") for text in (book.title, book.author, book.notes, book.import_key)]
    assert lengths == [500, 300, 10_000, 300]
    assert len(book.tags) == 20
    assert len(told(found)) == 4


def test_tags_do_not_repeat() -> None:
    assert one(Bookshelves="sea,  Sea, to-read, gift ,,read").tags == ["sea", "gift"]


def test_another_file_is_refused_with_what_was_looked_for_and_found() -> None:
    for source in get_args(Format):
        with pytest.raises(Unreadable, match=r"looked for the columns .*, found Title, Writer"):
            read(b"Title,Writer\nT,A\n", source)
    with pytest.raises(Unreadable):
        read(SAMPLE.encode(), "storygraph")


# Written ----------------------------------------------------------------------------------------------------------


def exported(**fields: Any) -> ExportedBook:
    ordinary: dict[str, Any] = {
        "id": UUID(int=7 << 80),
        "import_key": None,
        "title": "The Glass Tide",
        "author": "Ilse Verran",
        "isbn": "9780123456786",
        "total_pages": 312,
        "status": "completed",
        "rating": Decimal("4.5"),
        "notes": "Good.\n\n<Slow>",
        "tags": ["sea, deep", "re-read"],
        "times_read": 2,
        "finished": date(2031, 2, 3),
        "added": date(2031, 1, 20),
    }
    return ExportedBook(**(ordinary | fields))


def file_of(*books: ExportedBook) -> str:
    return "".join(written(books))


def test_what_is_written_is_as_goodreads_writes_it() -> None:
    wanted = {"status": "want_to_read", "finished": None, "times_read": 0, "tags": ["re-read"], "rating": None}
    text = file_of(exported(), exported(**wanted, import_key="goodreads:900001", isbn=None, author="Anon."))
    header, *rows = csv.reader(io.StringIO(text))
    assert header == list(COLUMNS)
    first, second = (dict(zip(header, cells, strict=True)) for cells in rows)
    assert first == dict.fromkeys(COLUMNS, "") | {
        "Book Id": "1000000000000007",
        "Title": "The Glass Tide",
        "Author": "Ilse Verran",
        "Author l-f": "Verran, Ilse",
        "ISBN": '="0123456789"',
        "ISBN13": '="9780123456786"',
        "My Rating": "5",
        "Number of Pages": "312",
        "Date Read": "2031/02/03",
        "Date Added": "2031/01/20",
        "Bookshelves": "sea  deep, re-read",
        "Bookshelves with positions": "sea  deep (#1), re-read (#1)",
        "Exclusive Shelf": "read",
        "My Review": "Good.<br/><br/>&lt;Slow&gt;",
        "Read Count": "2",
        "Owned Copies": "0",
    }
    assert second["Book Id"] == "900001"
    assert (second["ISBN"], second["ISBN13"], second["Author l-f"]) == ('=""', '=""', "Anon.")
    assert second["Bookshelves with positions"] == "to-read (#1), re-read (#2)"
    assert (second["Exclusive Shelf"], second["My Rating"], second["Read Count"]) == ("to-read", "0", "0")


@st.composite
def books(draw: st.DrawFn) -> ExportedBook:
    text = st.text(alphabet="ab é&<>\"',;\n#()", min_size=1, max_size=12)
    status = draw(st.sampled_from(get_args(Status)))
    finished = draw(st.none() | st.dates(date(1900, 1, 1), date(2199, 12, 31)))
    times_read = draw(st.integers(1 if status == "completed" or finished else 0, 5))
    number = draw(st.integers(0, 10**9 - 1))
    title = st.text(alphabet="ab é&<>\"',;#()", min_size=1, max_size=12)
    return exported(
        id=draw(st.uuids()),
        title=" ".join(draw(title.filter(str.strip)).split()),
        author=" ".join(draw(title).split()) or None,
        isbn=draw(st.sampled_from([None, isbn13(isbn10(f"978{number:09}0") or "")])),
        total_pages=draw(st.none() | st.integers(1, 50_000)),
        status=status,
        rating=draw(st.none() | st.integers(1, 5).map(Decimal)),
        notes=draw(text).strip() or None,
        tags=draw(st.lists(st.sampled_from(["sea", "re-read", "paused", "Ünique tag"]), unique=True)),
        times_read=times_read,
        finished=finished,
    )


@given(st.lists(books(), max_size=4, unique_by=lambda book: book.id.bytes[:6]))
def test_our_own_export_comes_back(given_books: list[ExportedBook]) -> None:
    found = read(file_of(*given_books).encode(), "questlog")
    assert (found.format, told(found), len(found.books)) == ("questlog", [], len(given_books))
    for book, back in zip(given_books, found.books, strict=True):
        fields = ("title", "author", "isbn", "total_pages", "status", "rating", "notes", "tags", "added")
        assert [getattr(back, name) for name in fields] == [getattr(book, name) for name in fields]
        times = book.times_read if book.status != "want_to_read" else int(book.finished is not None)
        undated = times - (book.finished is not None)
        assert [read.finished for read in back.reads] == [None] * undated + [book.finished] * (times - undated)


@pytest.mark.parametrize(
    ("author", "cells"),
    [
        ("Ilse Verran, Tom Okoro, Ana Roe", ("Ilse Verran", "Verran, Ilse", "Tom Okoro, Ana Roe")),
        ("Ilse Verran", ("Ilse Verran", "Verran, Ilse", "")),
        ("King, Stephen", ("King, Stephen", "King, Stephen", "")),
        ("le Roe, Ana", ("le Roe, Ana", "le Roe, Ana", "")),
        (", Verran", (", Verran", ", Verran", "")),
        (None, ("", "", "")),
    ],
)
def test_the_first_author_stands_alone(author: str | None, cells: tuple[str, str, str]) -> None:
    [row_of] = csv.DictReader(io.StringIO(file_of(exported(author=author))))
    assert (row_of["Author"], row_of["Author l-f"], row_of["Additional Authors"]) == cells


def test_what_is_written_passes_the_rules_of_its_columns() -> None:
    rules = {
        "Book Id": r"[0-9]+",
        "ISBN": r'="([0-9]{9}[0-9X])?"',
        "ISBN13": r'="([0-9]{13})?"',
        "My Rating": "[0-5]",
        "Number of Pages": "[0-9]*",
        "Date Read": r"(\d{4}/\d\d/\d\d)?",
        "Date Added": r"\d{4}/\d\d/\d\d",
        "Read Count": "[0-9]+",
        "Owned Copies": "[0-9]+",
    }
    halves = [exported(rating=Decimal(halves) / 2, id=UUID(int=halves << 80)) for halves in range(1, 11)]
    for cells in csv.DictReader(io.StringIO(file_of(*halves, exported(isbn="not one", total_pages=None)))):
        assert {name for name, rule in rules.items() if not re.fullmatch(rule, cells[name])} == set()


@given(st.lists(st.lists(st.text(alphabet='0159.,"\nread-<br>=/', max_size=9), max_size=25), max_size=4))
def test_any_rows_are_a_shelf_or_refused(cells: list[list[str]]) -> None:
    with suppress(Refused):
        found = shelf(*(",".join(line) for line in cells))
        assert all(book.title for book in found.books)
