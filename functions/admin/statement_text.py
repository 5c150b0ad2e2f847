"""Reads the text of an administrator's SQL statement before it is run: pure functions over text.

None of this is a protection. What the statement may do is decided by the rights of its login.
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Final, NamedTuple

# The tokens of PostgreSQL (its manual, 4.1), as far as they matter here. One that is not closed goes on to the end.
_TOKEN: Final = re.compile(
    r"""
      (?P<line>--[^\r\n]*)
    | (?P<block>/\*)
    | (?P<literal>
          [eE]'(?:[^'\\]|\\.|''|'\s*\n\s*')*(?:'|\Z)  # goes on behind a line break, and escapes do too
        | '(?:[^']|'')*(?:'|\Z)
        | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
        | \d[\w.]*
        | \.\d\w*
      )
    | (?P<quoted>"(?:[^"]|"")*(?:"|\Z))
    | (?P<word>[^\W\d][\w$]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_PLAIN_NAME: Final = re.compile(r'"\w{1,63}"')


class Token(NamedTuple):
    kind: str
    text: str


def _tokens(sql: str) -> Iterator[Token]:
    """The tokens of a statement; a comment becomes the space that it stands for."""
    position = 0
    while found := _TOKEN.match(sql, position):
        kind = found.lastgroup or "other"
        position = found.end()
        if kind == "block":
            position = _end_of_comment(sql, position)
        if kind in ("line", "block"):
            yield Token("other", " ")
        else:
            yield Token("literal" if kind == "tag" else kind, found[0])


def _end_of_comment(sql: str, position: int) -> int:
    """Where the comment ends that was opened before `position`; comments nest."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)


def first_word(sql: str) -> str:
    """The first word of a statement, after comments and parentheses, in upper case; empty if there is none."""
    for token in _tokens(sql):
        if token.kind == "word":
            return token.text.upper()
        if token.text.strip("( \t\r\n"):
            break
    return ""


def without_comments(sql: str) -> str:
    """The statement without comments and without the semicolons at its end, so that it can stand in parentheses."""
    return "".join(token.text for token in _tokens(sql)).rstrip("; \t\r\n")


def without_literals(sql: str) -> str:
    """The statement with ? in place of each string and number, and of quoted names that no program would use."""
    return "".join("?" if _may_be_private(token) else token.text for token in _tokens(sql))


def _may_be_private(token: Token) -> bool:
    return token.kind == "literal" or (token.kind == "quoted" and not _PLAIN_NAME.fullmatch(token.text))


def distinct_names(names: list[str]) -> list[str]:
    """The names of columns, each once: a second `id` becomes `id_2`, or the next number that no column has."""
    taken = set(names)
    seen: set[str] = set()
    numbers: dict[str, Iterator[int]] = {}
    distinct = []
    for name in names:
        unique = name
        while unique in seen or (unique != name and unique in taken):
            unique = f"{name}_{next(numbers.setdefault(name, count(2)))}"
        seen.add(unique)
        distinct.append(unique)
    return distinct
