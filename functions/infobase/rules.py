"""Snippets: the words around the first match of a search, with every match marked."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from questlog.searching import CHARACTERS, MARKS, Clause, folded

LONGEST: Final = 30
# How many words of a snippet may come before the first match.
_BEFORE: Final = 8
# A snippet is cut from so many characters before the first match, and as many after: a word may be very long.
_REACH: Final = 500
# Contents that are not ASCII are folded in pieces of so many characters, and only so many for a whole page: to fold
# 100,000 characters takes 2 to 40 ms. Beyond that, entries show their first words instead.
_PIECE: Final = 2_000
_MOST_FOLDED: Final = 2_000_000
# A long phrase is found by its first words only: to search for all of 100 words would take a quarter of a second in a
# content that nearly repeats them.
_PLACES: Final = 8
# The vowel signs of the scripts of India are no letters to Python.
_LETTER: Final = rf"(?:[^\W_{CHARACTERS}]|[\u0900-\u0963\u0970-\u0dff])"
# A word is a character of a script without blanks, or letters and digits in a row, each with its accents.
WORD: Final = re.compile(rf"[{CHARACTERS}][{MARKS}]*|(?:{_LETTER}[{MARKS}]*)+")
_CHARACTER: Final = re.compile(f"[{CHARACTERS}]")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# A piece ends after a space if there is one.
_PIECES: Final = re.compile(rf"(?s).{{1,{_PIECE}}}(?:\s|\Z)|.{{1,{_PIECE}}}")
# The pattern of a clause, as internal.search_patterns() of SQL writes it: words in quotes, * after a beginning.
_PLACE: Final = re.compile(r"\(([^()]*)\)")
_ALTERNATIVE: Final = re.compile(r"'([^']*)':(\*?)")


class Place(NamedTuple):
    """One place of a clause: it is matched by one of `words`, or by a word with one of these beginnings."""

    words: frozenset[str]
    beginnings: tuple[str, ...]

    def admits(self, word: str) -> bool:
        return word in self.words or word.startswith(self.beginnings)


class Word(NamedTuple):
    """A word of a text, and its first and last position there."""

    start: int
    end: int
    word: str


def wanted(patterns: Sequence[str | None], clauses: Sequence[Clause]) -> list[tuple[Place, ...]]:
    """The places of each clause of a search, without clauses that are excluded or repeated."""
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


def snippets(contents: Iterable[str], looked_for: Sequence[Sequence[Place]]) -> list[str]:
    """Of each content up to 30 words around the first match as HTML, every match in <mark>; or else its first words.

    Control characters become spaces. A character of a script without spaces counts as a word. A snippet is cut from
    1,000 characters around the match, so it has fewer than 30 words if they are very long.
    """
    beginning = _beginning(looked_for)
    left_to_fold = _MOST_FOLDED
    found = []
    for content in contents:
        at = 0
        if beginning is not None and content.isascii():
            match = beginning.search(content.lower())
            at = match.start() if match else 0
        elif beginning is not None and len(content) <= left_to_fold:
            left_to_fold -= len(content)
            at = _first_beyond_ascii(content, beginning, looked_for)
        found.append(_snippet(content, at, looked_for))
    return found


def _beginning(looked_for: Sequence[Sequence[Place]]) -> re.Pattern[str] | None:
    """The regular expression that finds the beginning of a match in a folded text; None if there are no clauses."""
    clauses = [r"[\W_]*".join(map(_any_word, clause[:_PLACES])) for clause in looked_for]
    return re.compile("|".join(clauses)) if clauses else None


def _any_word(place: Place) -> str:
    """The regular expression for a word that matches the place.

    The check that a word begins there comes after its first letter: a pattern that begins with a letter is searched
    twenty times as fast as one that begins with a condition.
    """
    alternatives = []
    for word in sorted({*place.words, *place.beginnings}):
        if _CHARACTER.match(word):
            alternatives.append(word)
        else:
            end = "" if word in place.beginnings else f"(?!{_LETTER})"
            alternatives.append(f"{word[0]}(?<!{_LETTER}{word[0]}){word[1:]}{end}")
    return f"(?:{'|'.join(alternatives)})"


def _first_beyond_ascii(content: str, beginning: re.Pattern[str], looked_for: Sequence[Sequence[Place]]) -> int:
    """The position in a content at which the first match begins; 0 if there is none.

    Folding changes positions: so it is done piece by piece, and words are compared in the piece of the match.
    """
    pieces = [match[0] for match in _PIECES.finditer(content)]
    folded_pieces = [folded(piece) for piece in pieces]
    match = beginning.search("".join(folded_pieces))
    if match is None:
        return 0
    number, ahead = 0, match.start()
    while ahead >= len(folded_pieces[number]):
        ahead -= len(folded_pieces[number])
        number += 1
    text = "".join(pieces[number : number + 2])
    words = _words(text, (word.span() for word in WORD.finditer(text)))
    clauses = [clause[:_PLACES] for clause in looked_for]
    starts = (word.start for first, word in enumerate(words) if any(_is_match(words, c, first) for c in clauses))
    return sum(map(len, pieces[:number])) + next(starts, 0)


def _snippet(content: str, at: int, looked_for: Sequence[Sequence[Place]]) -> str:
    """The words around the one that begins at this place."""
    start, end = max(0, at - _REACH), at + _REACH
    spans = [match.span() for match in WORD.finditer(content[start:end])]
    if start and spans and spans[0][0] == 0:
        del spans[0]  # it may be the rest of a word
    first = next((number for number, (_, word_end) in enumerate(spans) if word_end > at - start), 0)
    if end < len(content) and len(spans) > first + 1 and spans[-1][1] == end - start:
        del spans[-1]
    begin = max(0, min(first - _BEFORE, len(spans) - LONGEST))
    # A match may begin before the words that are shown, or end behind them.
    longest = max(map(len, looked_for), default=1) - 1
    skipped = max(0, begin - longest)
    words = _words(content[start:end], spans[skipped : begin + LONGEST + longest])
    begin -= skipped
    shown = words[begin : begin + LONGEST]
    marked = {number - begin for number in _marked(words, looked_for, begin)}
    return _as_html(_CONTROLS.sub(" ", content[start:end]), shown, marked)


def _words(text: str, spans: Iterable[tuple[int, int]]) -> list[Word]:
    return [Word(start, end, folded(text[start:end])) for start, end in spans]


def _marked(words: Sequence[Word], looked_for: Sequence[Sequence[Place]], begin: int) -> set[int]:
    """The indexes of the shown words, from `begin` on, that are part of a match, which may begin before them."""
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
        place.admits(words[number].word) for number, place in enumerate(clause, start)
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
