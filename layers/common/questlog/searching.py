"""Parses a search into clauses: words and phrases, some of them excluded, in groups of which one must match.

Only the parsing is here. app.search_page(), which gets the clauses, finds what matches them.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from unicodedata import normalize

# Scripts without spaces between words, and emoji: code/infobase/index.sql indexes each of their characters.
CHARACTERS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3031-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u2600-\u27bf\U0001f1e6-\U0001f1ff\U0001f300-\U0001f3fa\U0001f400-\U0001faff"
)
# Accents, vowel signs, skin tones and other marks that may be left out; the same as in internal.search_text() of SQL.
MARKS: Final = (
    "\u00ad\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u200c\u200d\u2060\ufe00-\ufe0f\ufeff"
    "\U0001f3fb-\U0001f3ff"
)
_MARK: Final = re.compile(f"[{MARKS}]")
_SPELLINGS: Final = {"\u03c2": "\u03c3", "\u00df": "ss", "\u0e4d\u0e32": "\u0e33", "\u0ecd\u0eb2": "\u0eb3"}
# The letters that stand for emoji in the index: internal.search_emoji() of SQL.
_EMOJI: Final = {
    **{emoji: emoji + 131_072 for emoji in range(0x2600, 0x27C0)},
    **{emoji: emoji + 20_480 for emoji in (*range(0x1F1E6, 0x1F200), *range(0x1F300, 0x1FB00))},
}
_QUOTES: Final = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'))
_CLAUSE: Final = re.compile(r'(?P<minus>-?)"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+)')
# A word ends at ASCII punctuation other than the apostrophe, and where a script without spaces begins or ends.
_PART: Final = re.compile(rf"[{CHARACTERS}]+|[^\x00-\x26\x28-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f{CHARACTERS}]+")


class Clause(NamedTuple):
    """A word, or several in a row. `group` is the number of the alternative: each `or` begins another one."""

    text: str
    group: int = 1
    excluded: bool = False
    quoted: bool = False


def clauses(search: str) -> list[Clause]:
    """The clauses of a search in the syntax of web searches: words, "a phrase", -excluded, one or another.

    No search is refused: a quote that is not closed ends with the search, and punctuation is skipped. A minus excludes
    only before a letter or a quote. Words that are joined by punctuation become a clause each.
    """
    found: list[Clause] = []
    group = 1
    for token in _CLAUSE.finditer(normalize("NFKC", search).translate(_QUOTES)):
        word: str | None = token["word"]
        if word is None:
            found.append(Clause(token["phrase"], group, excluded=bool(token["minus"]), quoted=True))
        elif word[0] == "-" and word[1:2].isalpha():
            found.append(Clause(word[1:], group, excluded=True))
        elif word.lower() == "or" and token.string[token.end() :].strip():
            group += 1
        else:
            found += [Clause(part, group) for part in _PART.findall(word)]
    return found


def search_parameters(found: Sequence[Clause]) -> dict[str, Any]:
    """The arguments of app.search_page(). `prefixed` is the number of the clause that also matches longer words."""
    plain = [number for number, clause in enumerate(found, 1) if not (clause.excluded or clause.quoted)]
    return {
        "texts": [clause.text for clause in found],
        "groups": [clause.group for clause in found],
        "excluded": [clause.excluded for clause in found],
        "quoted": [clause.quoted for clause in found],
        "prefixed": plain[-1] if plain else None,
    }


def folded(word: str) -> str:
    """A word as words are compared: lower case, without accents; as internal.search_text() of SQL makes it."""
    if word.isascii():
        return word.lower()
    bare = _MARK.sub("", normalize("NFKD", word))
    return _respelled(normalize("NFKC", bare).lower().translate(_EMOJI))


def _respelled(word: str) -> str:
    """The word in one spelling, where two exist: a final sigma, a sharp s, the vowel am of Thai and of Lao."""
    for spelling, kept in _SPELLINGS.items():
        word = word.replace(spelling, kept)
    return word
