"""How much a snippet looks at: a content of 100,000 characters and a search of 200 can repeat one word throughout."""

from questlog.searching import clauses

from functions.infobase.rules import Place, snippet, wanted


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


def test_what_a_search_repeats_is_looked_for_once() -> None:
    search = "a/" * 75 + "b"
    asked = clauses(search)
    assert wanted(["('a':~)"] * 75 + ["('b':~ | 'b':*~)"], asked) == [
        (Place(frozenset({"a"}), ()),),
        (Place(frozenset({"b"}), ("b",)),),
    ]
