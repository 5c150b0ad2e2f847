"""Snippets: the words around the first match of a search, with every match marked."""

import re
from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from questlog.searching import CHARACTERS, MARKS, Clause, folded

LONGEST: Final = 30
# How many of the words may stand before the first match.
_BEFORE: Final = 8
# A word is a character of a script without blanks, or letters and digits in a row, each with its accents. The vowel
# signs of the scripts of India are no letters to Python.
_WORD: Final = re.compile(rf"[{CHARACTERS}]|(?:(?:[^\W_{CHARACTERS}]|[\u0900-\u0963\u0970-\u0dff])[{MARKS}]*)+")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# What a clause looks for, as internal.search_patterns() of SQL writes it: words in quotes, a star behind a beginning.
_PLACE: Final = re.compile(r"\(([^()]*)\)")
_ALTERNATIVE: Final = re.compile(r"'([^']*)':(\*?)")


class Place(NamedTuple):
    """What may stand in one place of a clause: one of these words, or a word that begins like one of these."""

    words: frozenset[str]
    beginnings: tuple[str, ...]

    def admits(self, word: str) -> bool:
        return word in self.words or word.startswith(self.beginnings)


class Word(NamedTuple):
    """A word of a text, and from where to where it stands there."""

    start: int
    end: int
    word: str


def wanted(patterns: Sequence[str | None], clauses: Sequence[Clause]) -> list[tuple[Place, ...]]:
    """What a search looks for, clause by clause and place by place, without what it excludes or repeats."""
    return list(
        dict.fromkeys(
            tuple(_place(place[1]) for place in _PLACE.finditer(pattern))
            for pattern, clause in zip(patterns, clauses, strict=True)
            if pattern is not None and not clause.excluded
        )
    )


def _place(alternatives: str) -> Place:
    found = _ALTERNATIVE.findall(alternatives)
    return Place(frozenset(word for word, _ in found), tuple(word for word, star in found if star))


def snippet(content: str, looked_for: Sequence[Sequence[Place]]) -> str:
    """Up to 30 words of a content around the first match as HTML, every match in <mark>; its first words without one.

    Control characters read as blanks. A character of a script without blanks counts as a word.
    """
    words = [Word(match.start(), match.end(), folded(match[0])) for match in _WORD.finditer(content)]
    first = _first(words, looked_for)
    begin = max(0, min(first - _BEFORE, len(words) - LONGEST))
    shown = words[begin : begin + LONGEST]
    if not shown:
        return ""
    marked = {number - begin for number in _marked(words, looked_for, begin)}
    return _as_html(_CONTROLS.sub(" ", content), shown, marked)


def _first(words: Sequence[Word], looked_for: Sequence[Sequence[Place]]) -> int:
    """The number of the word at which the first match begins, 0 without a match."""
    end = len(words)
    for clause in looked_for:
        # What begins behind the first match of an earlier clause is not the first: it need not be looked for.
        end = next((start for start in range(end) if _is_match(words, clause, start)), end)
    return end if end < len(words) else 0


def _marked(words: Sequence[Word], looked_for: Sequence[Sequence[Place]], begin: int) -> set[int]:
    """The numbers of the words shown, from `begin` on, that are part of a match; the match may begin before them."""
    end = min(begin + LONGEST, len(words))
    marked: set[int] = set()
    for clause in looked_for:
        for start in range(max(0, begin - len(clause) + 1), end):
            if _is_match(words, clause, start):
                marked.update(range(max(start, begin), min(start + len(clause), end)))
    return marked


def _is_match(words: Sequence[Word], clause: Sequence[Place], start: int) -> bool:
    """Whether a match of the clause begins with this word."""
    return start + len(clause) <= len(words) and all(
        place.admits(words[start + number].word) for number, place in enumerate(clause)
    )


def _as_html(content: str, shown: Sequence[Word], marked: set[int]) -> str:
    """The text from the first word to the last; words that touch are marked together."""
    parts = []
    for number, word in enumerate(shown):
        opens = number in marked and not (number - 1 in marked and number and shown[number - 1].end == word.start)
        closes = number in marked and not (
            number + 1 in marked and number + 1 < len(shown) and shown[number + 1].start == word.end
        )
        between = content[shown[number - 1].end : word.start] if number else ""
        parts += [escape(between), "<mark>" if opens else "", escape(content[word.start : word.end])]
        parts += ["</mark>" if closes else ""]
    return "".join(parts)
