"""Conversion between plain text and the HTML in which other apps keep reviews."""

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

from questlog.importing.values import clean

_BLOCKS: Final = frozenset({"p", "div", "li", "ul", "ol", "blockquote", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})
_BREAKS: Final = frozenset({"br", "haml:newline"})
_UNSEEN: Final = frozenset({"script", "style", "template"})
_COMMENT: Final = re.compile(r"<!--[^<>]*-->")
_OPENING: Final = re.compile(r"<(?:(/?)([a-zA-Z][a-zA-Z0-9:]*)(?=[\s/>])[^<>]*>)?")
_LINE_BREAK: Final = re.compile(r"<\s*(?:br|haml:newline)\s*/?>", re.IGNORECASE)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")
        elif tag in _BLOCKS:
            self._end_line(blank_after=tag == "p")
        elif tag in _UNSEEN:
            self._unseen += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._end_line(blank_after=tag == "p")
        elif tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"[\r\n]+", " ", data))

    def _end_line(self, *, blank_after: bool) -> None:
        """End the line that text stands on; a paragraph also leaves a blank line."""
        ending = "".join(self.parts[-2:])
        if not ending.strip(" "):
            return
        missing = (2 if blank_after else 1) - (len(ending) - len(ending.rstrip("\n")))
        if missing > 0:
            self.parts.append("\n" * missing)


def plain_text(markup: str) -> str:
    """What a reader sees of a piece of HTML: paragraphs and line breaks as newlines, entities as characters.

    Text without tags keeps its own line breaks.
    """
    markup = _COMMENT.sub("", markup)
    tagged = _OPENING.sub(_bare, markup)
    if "<" not in tagged:
        tagged = _with_break_tags(tagged)
    reader = _Reader()
    reader.feed(tagged)
    reader.close()
    return clean("".join(reader.parts).replace("\u00a0", " "))


def _bare(tag: re.Match[str]) -> str:
    """A complete tag without its attributes; any other < as an entity.

    The standard library's parser takes quadratic time or worse for tags that do not end: a minute and a half for 60,000
    characters. For complete tags without attributes it takes linear time.
    """
    return f"<{tag[1]}{tag[2]}>" if tag[2] else "&lt;"


def _with_break_tags(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br/>")


def plain_lines(text: str) -> str:
    """A plain text in which an app left line breaks as tags. All other characters stay as they are."""
    return clean(_LINE_BREAK.sub("\n", text))


def as_html(text: str) -> str:
    """A plain text as HTML that `plain_text` reads back."""
    return _with_break_tags(escape(text, quote=False))
