"""How much a snippet looks at: a content of 100,000 characters and a search of 200 can repeat one word throughout."""

import re
from collections.abc import Sequence
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from questlog.searching import clauses, folded

from functions.infobase.rules import WORD, Place, snippets, wanted
from tests.support.effort import at_most


def snippet(content: str, looked_for: Sequence[Sequence[Place]]) -> str:
    [shown] = snippets([content], looked_for)
    return shown


class Counted(Place):
    """A place that counts the words it was compared with."""

    compared = 0

    def admits(self, word: str) -> bool:
        Counted.compared += 1
        return super().admits(word)


def test_a_long_phrase_is_compared_up_to_its_first_match_and_around_it_only() -> None:
    phrase = [Counted(frozenset({"a"}), ())] * 75
    assert snippet("a/" * 50_000, [phrase]) == "<mark>" + "</mark>/<mark>".join("a" * 30) + "</mark>"
    assert 0 < Counted.compared < 50_000


def test_a_match_that_begins_before_what_is_shown_is_marked_there() -> None:
    drum, mix = Place(frozenset({"drum"}), ()), Place(frozenset({"mix"}), ())
    words = ["x"] * 40 + ["drum", "drum"] + ["y"] * 28 + ["mix", "mix", "mix"]
    assert snippet(" ".join(words), [[mix, mix, mix], [drum, drum]]) == (
        " ".join(["x"] * 8 + ["<mark>drum</mark>", "<mark>drum</mark>"] + ["y"] * 20)
    )
    assert snippet(" ".join(["mix"] * 31), [[mix] * 31]) == " ".join(["<mark>mix</mark>"] * 30)
    assert snippet(
        " ".join(["drum"] + ["x"] * 8 + ["mix"] * 30), [[drum] + [Place(frozenset({"x"}), ())] * 8, [mix] * 2]
    ) == (" ".join(["<mark>drum</mark>"] + ["<mark>x</mark>"] * 8 + ["<mark>mix</mark>"] * 21))


# Words of each kind, with the texts between them that a content may have.
WORDS = [
    "drum",
    "drums",
    "sonata",
    "\U0001f3b8",
    "Dru",
    "a",
    "7",
    "Caf\u00e9",
    "cafe\u0301",
    "stra\u00dfe",
    "\u65e5",
    "\u672c\u8a9e",
    "\u0915\u093f",
    "\u0434\u043e\u043c",
    "\u0434\u043e\u043c\u0438\u043a",
]
LOOKED_FOR = ["drum", "a", "7", "cafe", "strasse", "\u65e5", "\u672c", "\u8a9e", "\u0434\u043e\u043c"]


def first_words(content: str, looked_for: list[tuple[Place, ...]]) -> str:
    """What a snippet shows, without its marks: found by comparing each word of the content."""
    words = list(WORD.finditer(content))
    admitted = [
        all(place.admits(folded(word[0])) for place, word in zip(clause, words[start:], strict=False))
        and start + len(clause) <= len(words)
        for start in range(len(words))
        for clause in looked_for
    ]
    first = admitted.index(True) // len(looked_for) if True in admitted else 0
    begin = max(0, min(first - 8, len(words) - 30))
    shown = words[begin : begin + 30]
    return content[shown[0].start() : shown[-1].end()] if shown else ""


@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(["", " ", ", ", "\n\n", "/", "_"])), max_size=80),
    st.lists(st.lists(st.sampled_from(LOOKED_FOR), min_size=1, max_size=3), min_size=1, max_size=2),
    st.booleans(),
)
def test_the_first_match_is_what_comparing_each_word_finds(
    written: list[tuple[str, str]], searched: list[list[str]], is_beginning: bool
) -> None:
    content = "".join(word + between for word, between in written)
    places = [[Place(frozenset({word}), ()) for word in clause] for clause in searched]
    if is_beginning:
        places[-1][-1] = Place(frozenset(), (searched[-1][-1],))
    clauses = [tuple(clause) for clause in places]
    shown = unescape(re.sub("</?mark>", "", snippet(content, clauses)))
    assert shown == re.sub(r"[\x00-\x1f]", " ", first_words(content, clauses))


def test_a_match_far_into_a_long_content_is_shown() -> None:
    drum, kit = Place(frozenset({"drum"}), ()), Place(frozenset({"kit"}), ())
    for filler in ("snare ", "Stra\u00dfe ", "\u65e5\u672c", "\uac00\ub098", "e\u0301 "):
        content = filler * 10_000 + "drum kits, a drum \n kit. " + filler * 1_000
        assert snippet(content, [[drum, kit]]).count("<mark>") == 2
        assert "a <mark>drum</mark>   <mark>kit</mark>. " in snippet(content, [[drum, kit]])


def test_a_match_is_a_word_and_not_a_part_of_one() -> None:
    a, kit = Place(frozenset({"a"}), ()), Place(frozenset(), ("kit",))
    assert snippet("sonata, apart " + "x " * 100 + "a", [[a]]).endswith("x <mark>a</mark>")
    assert snippet("toolkit " + "x " * 100 + "kits", [[kit]]).endswith("x <mark>kits</mark>")


def test_a_phrase_across_two_pieces_that_are_folded_is_found() -> None:
    drum, kit = Place(frozenset({"drum"}), ()), Place(frozenset({"kit"}), ())
    content = "\u00e9 " * 997 + "drum kit" + " \u00e9" * 997
    assert "\u00e9 <mark>drum</mark> <mark>kit</mark> \u00e9" in snippet(content, [[drum, kit]])


def test_words_of_any_length_make_no_long_snippet() -> None:
    mix = Place(frozenset({"mix"}), ("mix",))
    assert snippet("x" * 50_000, [[mix]]) == "x" * 500
    assert snippet("y" * 50_000 + " mixed" + "&" * 50_000 + "z", [[mix]]) == "<mark>mixed</mark>"
    assert snippet("y" * 50_000 + " mix" + "z" * 50_000, [[mix]]) == "<mark>mix" + "z" * 497 + "</mark>"
    assert snippet("y" * 50_000 + " a mix " + "z" * 50_000, [[mix]]) == "a <mark>mix</mark>"


def test_of_a_page_only_so_much_is_folded() -> None:
    mix = Place(frozenset({"mix"}), ())
    long = "\u00e9 " * 50_000 + "mix"
    shown = snippets([long] * 25 + ["a " * 50_000 + "mix"], [[mix]])
    assert ["<mark>" in one for one in shown] == [True] * 19 + [False] * 6 + [True]
    assert shown[20] == " ".join("\u00e9" * 30)


def test_a_long_phrase_that_a_content_nearly_repeats_takes_no_time() -> None:
    a, b = Place(frozenset({"a"}), ()), Place(frozenset({"b"}), ())
    with at_most(0.1):
        assert snippet("a " * 50_000 + "c", [[*[a] * 98, b]]).startswith("<mark>") is False


def test_what_a_search_repeats_is_looked_for_once() -> None:
    search = "a/" * 75 + "b"
    asked = clauses(search)
    assert wanted(["('a':~)"] * 75 + ["('b':~ | 'b':*~)"], asked) == [
        (Place(frozenset({"a"}), ()),),
        (Place(frozenset({"b"}), ("b",)),),
    ]
