"""Anki's text export as a pure function (learn contract 2.4, rule 13; import formats, 6)."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.importing.problems import Unreadable

from functions.learn import anki
from functions.learn.card_files import FileCard, tags_of
from tests.support.effort import at_most

FULL_EXPORT = (
    "#separator:tab\n#html:true\n#guid column:1\n#notetype column:2\n#deck column:3\n#tags column:6\n"
    'k9$Q~a#1\tBasic\tGeo::Rivers\tLongest in Norland?\t"Vell<br>say ""vell"""\tgeo::rivers norland\n'
    "x2!Lm\tCloze\tGeo::Rivers\t{{c1::Vell}} flows north\t\t\n"
    'p0)Zz\tBasic\tGeo\t"#1 lake\ntwo lines"\tOmm&nbsp;&amp; Ar<img src="omm.jpg">\t\n'
    "# a stray comment line\n"
)


def sides(text: str) -> list[tuple[str, str]]:
    """The front and back of each card; every row is one."""
    file = anki.read(text)
    assert file.errors == []
    return [(card.front, card.back) for card in file.cards]


def test_a_full_export() -> None:
    file = anki.read(FULL_EXPORT)
    assert file.cards == [
        FileCard(7, "Longest in Norland?", 'Vell\nsay "vell"', None, ["geo::rivers", "norland"], "k9$Q~a#1"),
        FileCard(9, "#1 lake\ntwo lines", "Omm & Ar", None, [], "p0)Zz"),
    ]
    assert file.errors == [(8, "This is a cloze note; cards with gaps are not taken.")]
    assert file.total == 3


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("tab", "\t"),
        ("Comma", ","),
        ("SEMICOLON", ";"),
        ("pipe", "|"),
        ("space", " "),
        ("colon", ":"),
        (",", ","),
        ("\t", "\t"),
        (" ", " "),
        ("^", "^"),
        ("x", "x"),
        (" Semicolon ", ";"),
        # What a spreadsheet makes of the line.
        ("Comma,,", ","),
        ("Semicolon;;;", ";"),
        (",,,", ","),
    ],
)
def test_separators(name: str, sign: str) -> None:
    assert sides(f"#separator:{name}\ncat{sign}Katze\n") == [("cat", "Katze")]


@pytest.mark.parametrize("unknown", ["foo", "", '"'])
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a;b\tc|d", ("a;b", "c|d")),
        ("a;b:c|d", ("a;b:c", "d")),
        ("a,b;c:d", ("a,b", "c:d")),
        ("a,b:c", ("a,b", "c")),
        ("a, b", ("a", "b")),
    ],
)
def test_the_separator_that_is_not_declared(unknown: str, line: str, found: tuple[str, str]) -> None:
    """The order is the contract's; a declaration of something unknown is none."""
    assert sides(f"{line}\n") == [found]
    assert sides(f"#separator:{unknown}\n{line}\n") == [found]


def test_the_separator_is_looked_for_in_the_first_8_kib() -> None:
    """The line break of the declaration is the first of its characters."""
    for tab_at, back in ((8_191, "The back is missing."), (8_192, "The back has more than 4000 characters.")):
        file = anki.read("#html:false\n" + ("a," + "b" * 8_200)[: tab_at - 1] + "\t")
        assert [error.message for error in file.errors] == [back]


def test_declarations_are_found_in_any_case_and_spacing() -> None:
    lines = (
        "#Separator: Comma",
        "#HTML: True",
        "#TAGS COLUMN: 3",
        "#front column:3",
        "# no declaration",
        "a,<b>b</b>,t",
    )
    assert anki.read("\r\n".join(lines)).cards == [FileCard(6, "a", "b", None, ["t"])]


def test_a_row_that_begins_with_a_number_sign() -> None:
    """With a separator in it, it is a card; without one, a comment."""
    text = "#separator:tab\n#1 lake\tOmm\n# a comment\n#2 lake\tAr\nthird\tEl\n#4 lake\tUm\n#: no card\n"
    assert sides(text) == [("#1 lake", "Omm"), ("#2 lake", "Ar"), ("third", "El"), ("#4 lake", "Um")]
    assert [card.line for card in anki.read(text).cards] == [2, 4, 5, 6]


def test_declarations_end_with_the_first_note() -> None:
    assert sides("#separator:tab\na\tb\n#separator:comma\n#html:false\tc\n") == [("a", "b"), ("#html:false", "c")]


@pytest.mark.parametrize("declared", ["#html:true", "#html:TRUE,,", ""])
def test_html(declared: str) -> None:
    assert sides(f"{declared}\na&lt;b\t<b>x</b>\n") == [("a<b", "x")]


def test_text_that_is_no_html() -> None:
    assert sides("#html:false\na&lt;b\t<b>x</b>\n") == [("a&lt;b", "<b>x</b>")]
    assert sides("a < b & c\tx > y; AT&T; 3<4\n") == [("a < b & c", "x > y; AT&T; 3<4")]


def test_html_shows_in_the_first_five_rows() -> None:
    plain = "".join(f"f{n}\tb{n}\n" for n in range(4))
    assert sides(plain + "five\t&amp;\n")[-1] == ("five", "&")
    assert sides(plain + "five\tx\nsix\t&amp;\n")[-1] == ("six", "&amp;")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a<br>b", "a\nb"),
        ("a<BR />b", "a\nb"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("a<div><br></div>b", "a\nb"),
        ("<p>a</p> <p class='x'>b</p>", "a\nb"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "ab\nc"),
        ("<br>a<br>", "a"),
        ("<b>a</b><i>b</i><span style='color:red'>c</span>", "abc"),
        ("x<style>b { color: red }</style>y<script>alert('<br>')</script>z<!-- <br> -->!", "xyz!"),
        ("x<STYLE type='a'>b</style >y", "xy"),
        ("a<!-->b", "ab"),
        ("a<style>b", "ab"),
        ("a<!-- b", "a<!-- b"),
        ("1 < 2 <3 <= 4", "1 < 2 <3 <= 4"),
        ("a <b", "a <b"),
        ("a</>b<!x>c", "abc"),
        ("&lt;b&gt; &amp;amp; &eacute; &#233; &#xe9; &quot;", '<b> &amp; é é é "'),
        ("a&nbsp;b\u00a0c", "a b c"),
        ("&nbsp;a&nbsp;", "a"),
        ("&#0; &#x110000; &#xd800; &#99999999999;", "\ufffd \ufffd \ufffd \ufffd"),
        (f"&#{'9' * 5000};", "\ufffd"),
        ("<img src='x.jpg'>dog [sound:dog.mp3]", "dog"),
        ("\\(x^2\\) [$]y[/$]", "\\(x^2\\) [$]y[/$]"),
        ("<p>", ""),
        ("prefix", "prefix"),
        ("<pre>a</pre><big>b</big>", "ab"),
    ],
)
def test_plain_text(markup: str, text: str) -> None:
    assert anki.plain_text(markup) == text


@given(st.text(st.sampled_from("<>/!-&;#a1 \n\"'=br divpstyle")))
def test_any_markup_becomes_text(markup: str) -> None:
    text = anki.plain_text(markup)
    assert text == text.strip()
    assert "\0" not in text


def test_old_exports() -> None:
    """Before 2022 there was no header; the last of more than two columns is tags."""
    assert anki.read("cat\tKatze\tanimal pet\n").cards == [FileCard(1, "cat", "Katze", None, ["animal", "pet"])]
    assert anki.read("cat\tKatze\n").cards == [FileCard(1, "cat", "Katze", None, [])]
    four = anki.read("cat\tKatze\tdie\tanimal\nsun\tSonne\n").cards
    assert four == [FileCard(1, "cat", "Katze\n\ndie", None, ["animal"]), FileCard(2, "sun", "Sonne", None, [])]


@pytest.mark.parametrize("first", ["tags:a b", "#tags:a b", "TAGS: a b", "#separator:tab\n#tags:a b\t\t"])
def test_tags_of_all_notes(first: str) -> None:
    assert anki.read(f"{first}\ncat\tKatze\n").cards[0].tags == ["a", "b"]
    assert anki.read(f"{first}\n#tags column:3\ncat\tKatze\tc a\n").cards[0].tags == ["c", "a", "b"]


def test_tags_in_a_declared_column() -> None:
    text = "#separator:tab\n#tags column:1\nx y\tcat\tKatze\tdie\n"
    assert anki.read(text).cards == [FileCard(3, "cat", "Katze\n\ndie", None, ["x", "y"])]


def test_further_fields_stand_below_the_back() -> None:
    text = "#separator:tab\n#html:true\n#notetype column:1\nBasic\tcat\tKatze\t\t<b>die</b>\tKatzen\n"
    assert sides(text) == [("cat", "Katze\n\ndie\n\nKatzen")]


def test_a_back_may_stand_in_a_further_field() -> None:
    assert sides("#separator:tab\n#deck column:1\nD\tcat\t\tKatze\n") == [("cat", "Katze")]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        # The guid and the deck without the note type: Anki counted the deck as the first, and the tags too small.
        ("#guid column:1\n#deck column:1\n#tags column:4\n", "g\tD\tcat\tKatze\tt\n"),
        ("#notetype column:1\n#deck column:1\n#guid column:1\n#tags column:3\n", "g\tBasic\tD\tcat\tKatze\tt\n"),
        ("#deck column:1\n#guid column:1\n#tags column:1\n", "g\tD\tcat\tKatze\tt\n"),
        # All numbers differ, but the tags' is too small.
        ("#guid column:1\n#deck column:2\n#tags column:4\n", "g\tD\tcat\tKatze\tt\n"),
    ],
)
def test_wrong_numbers_of_columns(header: str, row: str) -> None:
    [card] = anki.read(f"#separator:tab\n#html:false\n{header}{row}").cards
    assert card[1:] == ("cat", "Katze", None, ["t"], "g")


def test_tags_stand_behind_the_widest_row() -> None:
    text = "#separator:tab\n#guid column:1\n#tags column:4\ng1\tcat\tKatze\t\tt1\ng2\tsun\tSonne\tdie\tt2\n"
    assert [card[1:] for card in anki.read(text).cards] == [
        ("cat", "Katze", None, ["t1"], "g1"),
        ("sun", "Sonne\n\ndie", None, ["t2"], "g2"),
    ]


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "99999", "1.5x"])
def test_numbers_that_name_no_column(number: str) -> None:
    file = anki.read(f"#separator:tab\n#guid column:{number}\na\tb\n")
    assert (file.total, len(file.cards)) == (1, number != "1.5x")


def test_names_of_columns() -> None:
    text = "#separator:comma\n#columns:Note,BACK,Front, hint ,Tags,,\nn,Katze,cat,a pet,x y\n"
    assert anki.read(text).cards == [FileCard(3, "cat", "Katze", "a pet", ["x", "y"])]
    text = "#columns:Back\tFront\n#tags column:3\nKatze\tcat\tx\tfurther\n"
    assert anki.read(text).cards == [FileCard(3, "cat", "Katze", None, ["x"])]


def test_names_without_front_and_back_are_no_names() -> None:
    assert sides("#separator:tab\n#columns:Vorderseite\tRückseite\ncat\tKatze\n") == [("cat", "Katze")]


def test_guids_that_are_none() -> None:
    text = f"#separator:tab\n#guid column:1\n\tcat\tKatze\n{'x' * 201}\tsun\tSonne\n{'x' * 200}\tdog\tHund\n"
    assert [card.guid for card in anki.read(text).cards] == [None, None, "x" * 200]


def test_a_guid_is_no_html() -> None:
    assert anki.read("#separator:tab\n#html:true\n#guid column:1\n&lt;<b>\tcat\tKatze\n").cards[0].guid == "&lt;<b>"


def test_what_cannot_be_taken_is_told() -> None:
    text = "#html:true\n\tKatze\ncat\t\ncat\n" + "x" * 4001 + "\ty\nx\t" + "y" * 4001 + "\n<br>\tz\n"
    file = anki.read(text)
    assert file.cards == []
    assert file.errors == [
        (2, "The front is missing."),
        (3, "The back is missing."),
        (4, "The back is missing."),
        (5, "The front has more than 4000 characters."),
        (6, "The back has more than 4000 characters."),
        (7, "The front is missing."),
    ]


def test_a_quote_that_is_never_closed() -> None:
    file = anki.read('#separator:tab\na\tb\n\nc\t"d\ne\tf\n')
    assert [card.line for card in file.cards] == [2]
    assert file.errors == [(4, "A quote begins in this row and is never closed.")]


def test_the_longest_sides() -> None:
    assert sides(f"#html:true\n{'x' * 4000}\t{'&amp;' * 4000}\n") == [("x" * 4000, "&" * 4000)]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a b  a", ["a", "b"]),
        ("x" * 41, ["x" * 40]),
        ("x" * 40, ["x" * 40]),
        ("outer::" + "x" * 38, ["x" * 38]),
        ("a::b::" + "x" * 36, ["b::" + "x" * 36]),
        ("a::" + "x" * 41, ["x" * 40]),
        ("a::b::" + "x" * 37, ["b::" + "x" * 37]),
        ("x" * 41 + "::", ["x" * 40]),
        (" ".join(f"t{n}" for n in range(25)), [f"t{n}" for n in range(20)]),
        ("", []),
    ],
)
def test_tags(sent: str, kept: list[str]) -> None:
    assert tags_of(sent) == kept


@given(st.text(st.sampled_from(":a"), min_size=1, max_size=90))
def test_every_tag_fits(tag: str) -> None:
    [fitting] = tags_of(tag)
    assert 1 <= len(fitting) <= 40
    assert fitting in tag


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
side = text.map(str.strip).filter(bool)
word = text.map(lambda one: "".join(one.split())).filter(bool)
card = st.tuples(word, st.tuples(side, side, side | st.just(""), st.lists(word, max_size=3, unique=True)))


@given(st.lists(card, min_size=1, max_size=5))
def test_what_is_written_is_read_again(cards: list[Any]) -> None:
    written = anki.written((guid, (front, back, hint, " ".join(tags))) for guid, (front, back, hint, tags) in cards)
    read = anki.read(written)
    refused = sum("{{c" in front for _, (front, *_) in cards)
    assert [error.message[:20] for error in read.errors] == ["This is a cloze note"] * refused
    assert [(one.guid, one.front, one.back, one.hint or "", one.tags) for one in read.cards] == [
        (guid, front, back, hint, tags) for guid, (front, back, hint, tags) in cards if "{{c" not in front
    ]


@pytest.mark.parametrize(
    "hostile",
    [
        "<a" * 2_000_000,
        "<" * 4_000_000,
        "<style>" * 500_000,
        "<!--" * 1_000_000,
        "[sound:" * 500_000,
        "&#9" * 1_000_000,
        "<br>" * 1_000_000,
        " " * 4_000_000,
        "\n" * 4_000_000,
        "\t" * 4_000_000,
        '"' * 4_000_001,
        '"\t' * 1_500_000,
        "#\n" * 2_000_000,
        "a::" * 1_300_000,
        "a " * 2_000_000,
        "&CounterClockwiseContourIntegra" * 120_000,
        "{{c" * 1_300_000,
    ],
    ids=lambda hostile: repr(hostile[:8]),
)
def test_hostile_text_costs_little(hostile: str) -> None:
    for document in (hostile, f"#separator:tab\n#html:true\n#tags column:3\nfront\t{hostile}\t{hostile[:100]}\n"):
        with at_most(2), suppress(Unreadable):
            anki.read(document)
