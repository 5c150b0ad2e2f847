"""What the imports share: tables, archives, dates, numbers and markup from outside."""

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.errors import Failure
from questlog.importing.archives import MAX_UNPACKED, unpacked
from questlog.importing.dates import AmbiguousDate, day_comes_first, day_of, moment_of, month_of
from questlog.importing.markup import as_html, plain_lines, plain_text
from questlog.importing.problems import SHOWN, Problems, Refused, TooLarge, Unreadable
from questlog.importing.requests import refusals
from questlog.importing.tables import MAX_BYTES, MAX_CELL, MAX_COLUMNS, MAX_ROWS, read_table
from questlog.importing.values import clean, clean_line, decimal_of, fold, integer_of, rounded

from tests.support.effort import at_most


def rows(data: bytes) -> list[tuple[int, list[str]]]:
    problems = Problems()
    found = [(row.line, row.cells) for row in read_table(data).rows({}, problems)]
    assert not problems.listed
    return found


# Tables -----------------------------------------------------------------------------------------------------------


def test_rows_keep_the_line_they_start_on() -> None:
    table = b'a,b\n1,"x\ny"\r\n\n2,"say ""hi"""\n,\n3,z'
    assert rows(table) == [(2, ["1", "x\ny"]), (5, ["2", 'say "hi"']), (7, ["3", "z"])]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff", "\n\n"])
def test_line_ends_and_byte_order_marks_change_nothing(ending: str, mark: str) -> None:
    text = mark + ending.join(["a,b", '1,"p"', "2,q"])
    assert [cells for _, cells in rows(text.encode())] == [["1", "p"], ["2", "q"]]


def test_utf_16_with_a_mark_is_text_too() -> None:
    assert rows("a\tb\r\n1\tä\r\n".encode("utf-16")) == [(2, ["1", "ä"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_tells_the_delimiter_outside_quotes(delimiter: str) -> None:
    header = delimiter.join(['"x;;;,,,,\t\t\t"', "b", "c"])
    assert rows(f"{header}\n{delimiter.join('123')}".encode()) == [(2, ["1", "2", "3"])]


def test_columns_are_found_by_their_names() -> None:
    table = read_table(b"  Two  Words ,OTHER,other\n1,2,3\n4\n,,,,\n5,6,7,,\n")
    problems = Problems()
    taken = [(row["two words"], row["second"], row["missing"]) for row in table.rows({"other": "second"}, problems)]
    assert taken == [("1", "2", ""), ("5", "6", "")]
    assert [(problem.line, problem.message[:20]) for problem in problems.listed] == [(3, "The line is one cell")]


def test_a_row_without_its_quotes_is_told() -> None:
    problems = Problems()
    assert not list(read_table(b"a,b\n1,2,3\n").rows({}, problems))
    assert problems.listed[0].line == 2


def test_a_loss_of_the_whole_file_is_told_however_many_rows_have_problems() -> None:
    problems = Problems()
    for line in range(SHOWN, -10, -1):
        problems.tell(line, None, "Bad.")
    problems.sum_up("Left out", 3)
    problems.sum_up("Never left out", 0)
    *of_rows, last = problems.in_order()
    assert len(of_rows) == SHOWN - 1
    assert of_rows == sorted(of_rows)
    assert last == (None, None, "Left out: 3.")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xff\xfe\x00", "is not text"),
        (b"a,b\n\xe9,1", "is not text"),
        (b"a,b\n\0,1", "is not text"),
        (b"PK\x03\x04" + bytes(range(256)), "is not text"),
        (b'"a,b"\n"1,2"\n', "has only one column, a,b"),
        (b'a,b\n1,2\n3,"never closed\n5,6\n', "has a quote at line 3 that is not closed"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_table(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a" * (MAX_BYTES + 1), "is larger than 4 MiB"),
        (b"a" * MAX_BYTES, "has a cell of more than"),
        (b'a,b\n"' + b"a" * (MAX_BYTES - 6), "at line 2"),
        (b"a,b\n1," + b"a" * (MAX_CELL + 1), "at line 2"),
        (b",".join([b"a"] * 10_000), "has 10,000 columns"),
        (b"a,b\n" + b"1,2\n" * (MAX_ROWS + 1), "has more than 100,000 rows"),
        (b"a,b" + b"\n" * (MAX_BYTES - 3), "has more than 100,000 rows"),
        (b'a,b\n"' + b'""' * (MAX_BYTES // 2 - 4), "at line 2"),
    ],
)
def test_a_table_has_limits_and_says_so_at_once(data: bytes, reason: str) -> None:
    with at_most(1), pytest.raises(TooLarge, match=reason):
        read_table(data)


@pytest.mark.parametrize(
    ("too_large", "details"),
    [
        (lambda: read_table(b"a" * (MAX_BYTES + 1)), {"limit_bytes": 4 * 1024 * 1024}),
        (lambda: unpacked(archive({"a.csv": bytes(MAX_UNPACKED + 1)}), bool), {"limit_bytes": 20 * 1024 * 1024}),
        (lambda: read_table(b",".join([b"a"] * 10_000)), {}),
    ],
)
def test_the_refusal_of_a_large_file_names_the_limit_that_it_passed(
    too_large: Callable[[], object], details: dict[str, int]
) -> None:
    with pytest.raises(Failure) as refused, refusals("csv"):
        too_large()
    assert (refused.value.status, refused.value.type) == (413, "payload_too_large")
    assert refused.value.details == details


def test_the_limits_themselves_are_taken() -> None:
    assert len(read_table(b",".join([b"a"] * MAX_COLUMNS)).header) == MAX_COLUMNS
    assert len(read_table(b"a,b\n" + b"1,2\n" * MAX_ROWS).lines) == MAX_ROWS
    assert rows(b"a,b\n1," + b"x" * MAX_CELL)[0][1][1] == "x" * MAX_CELL


@given(st.lists(st.lists(st.text(alphabet='a,;"\n\t é', max_size=5), min_size=2, max_size=2), min_size=1, max_size=4))
def test_what_a_csv_writer_writes_comes_back(cells: list[list[str]]) -> None:
    table = [["h", "i"], *cells]
    text = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table)
    kept = [row for row in cells if any(cell.strip() for cell in row)]
    assert [found for _, found in read_table(text.encode()).lines] == kept


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    with suppress(Refused):
        list(read_table(data).rows({}, Problems()))


def test_problems_are_bounded_and_in_order() -> None:
    problems = Problems()
    problems.tell(None, "x" * 1_000, "Last.")
    for line in range(SHOWN, -5, -1):
        problems.tell(line, "", "Here.")
    listed = problems.in_order()
    assert len(listed) == SHOWN
    assert [problem.line for problem in listed][:2] == [2, 3]
    assert (listed[-1].line, len(listed[-1].name or "")) == (None, 120)


# Archives ---------------------------------------------------------------------------------------------------------


def archive(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as written:
        for name, data in entries.items():
            written.writestr(name, data)
    return packed.getvalue()


def test_only_wanted_entries_are_unpacked() -> None:
    data = archive({"a.csv": b"1", "b.db": b"2", "folder/": b"", "folder/a.csv": b"3"})
    assert unpacked(data, lambda name: name.endswith("a.csv")) == {"a.csv": b"1", "folder/a.csv": b"3"}


def test_a_bomb_costs_nothing() -> None:
    data = archive({f"{n}.csv": bytes(1024 * 1024) for n in range(25)})
    assert len(data) < MAX_UNPACKED / 500
    with at_most(1), pytest.raises(TooLarge, match="unpacks to more than 20 MiB"):
        unpacked(data, lambda _: True)


def test_an_entry_cannot_unpack_to_more_than_it_says() -> None:
    data = bytearray(archive({"a.csv": bytes(30 * 1024 * 1024)}))
    directory = data.rfind(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (10).to_bytes(4, "little")
    with at_most(1), pytest.raises(Unreadable, match="damaged"):
        unpacked(bytes(data), lambda _: True)


def test_too_many_entries_are_refused_by_the_size_of_the_directory() -> None:
    data = archive({f"{n}": b"" for n in range(5_001)}, zipfile.ZIP_STORED)
    with pytest.raises(TooLarge, match="more than 5,000 entries"):
        unpacked(data, lambda _: True)
    many = b"PK\x01\x02" + bytes(42)
    ended = b"PK\x05\x06" + bytes(4) + b"\xff\xff" * 2 + (len(many) * 80_000).to_bytes(4, "little") + bytes(6)
    with at_most(1), pytest.raises(TooLarge):
        unpacked(many * 80_000 + ended, lambda _: True)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"PK\x05\x06", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        unpacked(data, lambda _: True)


def test_an_archive_that_is_locked_damaged_or_strange_is_refused() -> None:
    plain = archive({"a.csv": b"some text " * 50})
    locked = bytearray(plain)
    locked[6] |= 1
    locked[plain.rfind(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Unreadable, match="password"):
        unpacked(bytes(locked), lambda _: True)
    damaged = bytearray(plain)
    damaged[40] ^= 255
    with pytest.raises(Unreadable, match="damaged"):
        unpacked(bytes(damaged), lambda _: True)
    with pytest.raises(Unreadable, match="ordinary ZIP compression"):
        unpacked(archive({"a.csv": b"x"}, zipfile.ZIP_LZMA), lambda _: True)
    nameless = plain.replace(b"a.csv", b"\0.csv")
    assert unpacked(nameless, lambda name: name.endswith("a.csv")) == {}


@given(st.binary(max_size=40), st.dictionaries(st.integers(0, 150), st.integers(0, 255), max_size=4))
def test_any_bytes_are_an_archive_or_refused(data: bytes, changes: dict[int, int]) -> None:
    broken = bytearray(archive({"a.csv": data}))
    for at, value in changes.items():
        broken[at % len(broken)] = value
    for attempt in (data, bytes(broken)):
        with suppress(Refused):
            unpacked(attempt, lambda _: True)


# Dates ------------------------------------------------------------------------------------------------------------

# The twelve short names of months as apps write them, by language.
SHORT_MONTHS = {
    "cs": "led úno bře dub kvě čvn čvc srp zář říj lis pro",
    "da": "jan. feb. mars apr. maj juni juli aug. sept. okt. nov. dec.",
    "de": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    "el": "Ιαν Φεβ Μάρ Απρ Μάι Ιούν Ιούλ Αύγ Σεπ Οκτ Νοέ Δεκ",
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "en long": "January February March April May June July August September October November December",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "fi": "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "fr long": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "hu": "jan. febr. márc. ápr. máj. jún. júl. aug. szept. okt. nov. dec.",
    "id": "Jan Feb Mar Apr Mei Jun Jul Agt Sep Okt Nov Des",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "nb": "jan. feb. mars april mai juni juli aug. sep. okt. nov. des.",
    "nl": "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
    "pl": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "pl long": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "pt": "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    "ro": "ian. febr. mart. apr. mai iun. iul. aug. sept. oct. nov. dec.",
    "ru": "янв. февр. мар. апр. мая июня июля авг. сент. окт. нояб. дек.",
    "sv": "jan feb mar apr maj jun jul aug sep okt nov dec",
    "tr": "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "uk": "січ лют бер квіт трав черв лип серп вер жовт лист груд",
    "ko": "1월 2월 3월 4월 5월 6월 7월 8월 9월 10월 11월 12월",
    "ja": "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
}


@pytest.mark.parametrize("language", SHORT_MONTHS)
def test_months_are_known_in_the_languages_of_the_app(language: str) -> None:
    for month, name in enumerate(SHORT_MONTHS[language].split(), 1):
        assert str(moment_of(f"5 {name} 2031, 06:05")) == f"2031-{month:02}-05 06:05:00", name
        assert moment_of(f"05 {name.upper()} 2031, 06:05").month == month


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2031-04-02 06:15:09", "2031-04-02 06:15:09"),
        ("2031-04-02 6:15:09\u202fpm", "2031-04-02 18:15:09"),
        ("2031-04-02 12:00:01 AM", "2031-04-02 00:00:01"),
        ("2031-04-02 12:30 p.m.", "2031-04-02 12:30:00"),
        ("5 Dec 2031, 06:05", "2031-12-05 06:05:00"),
        ("Dec 5, 2031, 6:05\u202fAM", "2031-12-05 06:05:00"),
        ("Dec 5, 2031 at 6:05 PM", "2031-12-05 18:05:00"),
        ("5 de dez. de 2031, 06:05", "2031-12-05 06:05:00"),
        ("5 дек. 2031 г., 06:05", "2031-12-05 06:05:00"),
        ("13.12.2031, 06:05", "2031-12-13 06:05:00"),
        ("12/13/2031, 6:05 AM", "2031-12-13 06:05:00"),
        ("12.12.2031 klo 6.05", "2031-12-12 06:05:00"),
        ("13. 12. 2031 6:05", "2031-12-13 06:05:00"),
        ("2031. 12. 5. 오후 6:05", "2031-12-05 18:05:00"),
        ("2031年12月5日 上午6:05", "2031-12-05 06:05:00"),
        ("2031/12/05 6:05", "2031-12-05 06:05:00"),
        ("2031-04-02", "2031-04-02 00:00:00"),
    ],
)
def test_moments_of_many_orders(text: str, expected: str) -> None:
    assert str(moment_of(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "5 Foo 2031, 06:05",
        "5 jui 2031, 06:05",
        "31 Feb 2031, 06:05",
        "5 Dec 31, 06:05",
        "5/12/31 6:05",
        "5 Dec 2031, 26:05",
        "5 Dec 2031, 16:05 PM",
        "5 Dec 2031, 06:65",
        "5 6 Dec 2031, 06:05",
        "13.13.2031, 06:05",
        "2031-04-02T06:15:09Z",
        "2031-04-02T06:15:09+02:00",
        "5 Dec 0001, 06:05",
        "5 Dec 9999, 06:05",
        "9.78E+12",
        "1" * 10_000,
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|month"):
        moment_of(text)


def test_a_date_that_can_be_read_two_ways_takes_the_files_word_for_it() -> None:
    with pytest.raises(AmbiguousDate):
        moment_of("02.03.2031, 06:05")
    assert str(moment_of("02.03.2031, 06:05", day_first=True)) == "2031-03-02 06:05:00"
    assert str(moment_of("02.03.2031, 06:05", day_first=False)) == "2031-02-03 06:05:00"
    assert str(moment_of("25.03.2031, 06:05", day_first=False)) == "2031-03-25 06:05:00"
    assert day_comes_first(["02.03.2031, 06:05", "25.03.2031, 06:05"]) is True
    assert day_comes_first(["02/03/2031, 6:05 AM", "03/25/2031, 6:05 AM", "5 Dec 2031, 06:05"]) is False
    assert day_comes_first(["25.03.2031, 06:05", "03/25/2031, 06:05"]) is None
    assert day_comes_first(["02.03.2031, 06:05", "2031-03-25 06:05", "", "x"]) is None


def test_days_are_written_year_first() -> None:
    assert day_of(" 2031/02/03 ") == day_of("2031-2-3") == date(2031, 2, 3)
    assert day_of("") is None
    for text in ("2/3/31", "02-03-31", "2031/02-03", "2031/02/30", "2031/02/03-2031/02/04", "20310203", "2031"):
        with pytest.raises(ValueError, match="date"):
            day_of(text)


def test_a_word_that_is_no_month_is_none() -> None:
    assert [month_of(word) for word in ("j", "jui", "xyz", "", "März", "MARTI")] == [None, None, None, None, 3, 3]


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    for read in (moment_of, day_of):
        with suppress(ValueError):
            read(text)


# Numbers and texts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        (" \u00a0", None),
        ("62.5", "62.5"),
        ("62,5", "62.5"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("-22.05", "-22.05"),
        ("+3", "3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.0E-3", "0.001"),
        ("65.181223569", "65.181223569"),
    ],
)
def test_numbers(text: str, expected: str | None) -> None:
    assert decimal_of(text) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    "text", ["x", "1 2", "12kg", "--1", "1e999", "1e99", "NaN", "Infinity", "1_0", "\u0663", "9" * 16, "0x1"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is "):
        decimal_of(text)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert (integer_of("5.0"), integer_of("5"), integer_of("")) == (5, 5, None)
    with pytest.raises(ValueError, match="whole"):
        integer_of("5.5")


def test_rounding_is_half_up_without_zeros() -> None:
    assert [str(rounded(Decimal(x))) for x in ("0.0005", "1.50", "100", "2.4994", "-0.0005", "0")] == [
        *("0.001", "1.5", "100", "2.499", "-0.001", "0"),
    ]


def test_text_that_cannot_be_stored_is_cleaned() -> None:
    assert clean(" a\0b\ud800\r\nc\rd\x07 ") == "ab\nc\nd"
    assert clean_line(" a\u202f\u00a0 b\nc\0 ") == "a b c"


def test_folding_leaves_what_tells_names_apart() -> None:
    assert fold("Bench-Press  (BARBELL)") == fold("bench press barbell")
    assert fold("Farmer\u2019s Wälk") == "farmers walk"
    assert fold("…") == ""
    assert fold("\u0915\u093f") != fold("\u0915\u093e")  # Hindi: vowel signs
    assert fold("가") != fold("나")


# Markup -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Good.<br/><br/>Slow &amp; calm.", "Good.\n\nSlow & calm."),
        ("<div>Fine.<br>Again</div>", "Fine.\nAgain"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<p>One\n<p>Two <b>and</b> <i>three</i>", "One \n\nTwo and three"),
        ("<div><div>a</div></div><div>b</div>", "a\nb"),
        ("<ul><li>a</li><li>b</li></ul>c", "a\nb\nc"),
        ("a<haml:newline/>b", "a\nb"),
        ("a<BR >b<br class='x'>c", "a\nb\nc"),
        ("1 < 2 and 3 > 2 &lt;b&gt;", "1 < 2 and 3 > 2 <b>"),
        ("I <3 it", "I <3 it"),
        ("a\nb", "a\nb"),
        ("a\r\nb<br>c", "a b\nc"),
        ("x<!-- no -->y<script>bad()</script>z<style>p{}</style>", "xyz"),
        ("a&nbsp;b &#8212; &#x1F600; &bogus;", "a b — 😀 &bogus;"),
        ('<a href="https://x.test/?a=1&b=2">link</a>', "link"),
        ("", ""),
        ("<br><br>", ""),
    ],
)
def test_markup_as_a_reader_sees_it(markup: str, text: str) -> None:
    assert plain_text(markup) == text


def test_plain_text_with_tags_for_lines_keeps_the_rest() -> None:
    assert plain_lines("from <Ada><haml:newline/>1 &amp; 2<br />x") == "from <Ada>\n1 &amp; 2\nx"


@given(st.text(alphabet="ab <>&;\n/!-\u00e9'\"", max_size=60))
def test_text_written_as_markup_comes_back(text: str) -> None:
    assert plain_text(as_html(clean(text))) == clean(text)


@pytest.mark.parametrize("pattern", ["<a ", "<!--", "<", "</", " <a/", "<a b='>", "<div>", "&#", "<p><b>", "<title>"])
def test_hostile_markup_takes_no_time(pattern: str) -> None:
    with at_most(1):
        plain_text((pattern * MAX_CELL)[:MAX_CELL])
