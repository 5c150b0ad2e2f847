"""Import and export of a deck's cards as a file.

Rows of a file that stand for the same card are grouped here. The statement that writes a group finds the card of the
deck that it stands for, if there is one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from questlog.binding import json_object
from questlog.db import Db
from questlog.errors import Failure, Invalid
from questlog.importing.requests import attachment, media_type, refusals
from questlog.importing.tables import MAX_BYTES, decoded
from questlog.validation import problems
from questlog.wire import Body

from functions.learn import anki, card_files
from functions.learn.card_files import FileCard
from functions.learn.card_models import (
    CardsReport,
    Delimiter,
    ExportedCard,
    FileFormat,
    ImportCounts,
    ImportQuery,
    OnDuplicate,
)

_LONGEST_TEXT: Final = 1_000_000
_FILES: Final = frozenset(
    # Browsers on Windows send the one before the last for a file whose name ends in .csv.
    {"text/csv", "text/plain", "application/csv", "application/vnd.ms-excel", "text/tab-separated-values"}
)


class ImportBody(Body):
    format: FileFormat
    text: Annotated[str, StringConstraints(min_length=1)]
    on_duplicate: OnDuplicate = "skip"
    dry_run: bool = False
    delimiter: Delimiter = ","


@dataclass(slots=True)
class Group:
    """Rows that stand for one card: the first of them and what the others make of it.

    The deck's card is looked for by the guid, else by `known_front`, the first row's. `is_renamed` says that a
    later row gave it another front.
    """

    known_front: str
    front: str
    back: str
    hint: str | None
    tags: list[str]
    guid: str | None
    rows: int = 1
    is_renamed: bool = False


class Sent:
    """A file as it was sent, in JSON or as its bytes, and what to do with it. Raises Failure (400, 413, 415)."""

    def __init__(self, db: Db, request: Request, query: ImportQuery, content: bytes) -> None:
        declared = media_type(request)
        is_file = declared in _FILES or not (declared or content.startswith(b"{"))
        fields = {} if is_file else json_object(request, content, MAX_BYTES)
        with _told_to_members(db):
            if is_file:
                if query.format is None:
                    raise Invalid([("format", "is required")])
                options: ImportQuery | ImportBody = query
                text = decoded(content)
            else:
                options = body = _body(fields)
                text = body.text.removeprefix("\ufeff")
            if not text.strip():
                raise Invalid([("text", "must hold a card")])
            self.on_duplicate, self.dry_run = options.on_duplicate, options.dry_run
            self.file = anki.read(text) if options.format == "anki" else card_files.read_csv(text, options.delimiter)
            if self.file.total > card_files.MOST_ROWS:
                raise card_files.too_many_rows()

    def parameters(self) -> dict[str, Any]:
        """What the statement is given."""
        return {
            "on_duplicate": self.on_duplicate,
            "dry_run": self.dry_run,
            "cards": {"groups": [_row(group) for group in grouped(self.file.cards, self.on_duplicate)]},
        }

    def report(self, counts: ImportCounts) -> CardsReport:
        """What became of the file's rows."""
        return {
            **counts,
            "total": self.file.total,
            "errors": [{"line": line, "message": message} for line, message in self.file.errors],
            "dry_run": self.dry_run,
        }


@contextmanager
def _told_to_members(db: Db) -> Iterator[None]:
    """Raises the errors of a file only after the caller is authenticated."""
    try:
        with refusals("text"):
            yield
    except Failure:
        db.authenticate_only()
        raise


def _body(sent: Mapping[str, Any]) -> ImportBody:
    try:
        body = ImportBody.model_validate(sent)
    except ValidationError as error:
        raise Invalid(problems(error, sent)) from None
    if len(body.text) > _LONGEST_TEXT:
        message = f"The text has more than {_LONGEST_TEXT:,} characters; send the file itself."
        raise Failure(413, "payload_too_large", message, {"limit_characters": _LONGEST_TEXT})
    return body


def grouped(cards: Sequence[FileCard], on_duplicate: OnDuplicate) -> list[Group]:
    """The cards of a file, with those that are duplicates of earlier ones brought together."""
    if on_duplicate == "keep":
        return [_group(card) for card in cards]
    groups = _Groups()
    for card in cards:
        known = groups.of(card)
        if known is None:
            groups.add(_group(card))
        else:
            known.rows += 1
            if on_duplicate == "update":
                groups.update(known, card)
    return groups.listed


class _Groups:
    """The groups so far, found by guid, else by front: two cards that both have a guid are not compared by front."""

    def __init__(self) -> None:
        self.listed: list[Group] = []
        self._by_guid: dict[str, Group] = {}
        # By the place in the list. Of those with one front, at most one has no guid.
        self._by_front: dict[str, dict[int, Group]] = {}
        self._without_guid: dict[str, Group] = {}

    def of(self, card: FileCard) -> Group | None:
        """The first group that a card belongs to, if there is one."""
        front = card.front.casefold()
        if card.guid is not None:
            return self._by_guid.get(card.guid) or self._without_guid.get(front)
        groups = self._by_front.get(front)
        return groups[min(groups)] if groups else None

    def add(self, group: Group) -> None:
        """Add a group that none of the others is."""
        front = group.front.casefold()
        self._by_front.setdefault(front, {})[len(self.listed)] = group
        self.listed.append(group)
        if group.guid is None:
            self._without_guid[front] = group
        else:
            self._by_guid[group.guid] = group

    def update(self, group: Group, card: FileCard) -> None:
        """Write on a group's card what a later row of it says."""
        group.back, group.hint, group.tags = card.back, card.hint, card.tags
        if card.guid is None:
            return
        if group.guid is None:
            del self._without_guid[group.front.casefold()]
            self._by_guid[card.guid] = group
            group.guid = card.guid
        elif group.front != card.front:
            self._rename(group, card.front)

    def _rename(self, group: Group, front: str) -> None:
        groups = self._by_front[group.front.casefold()]
        place = next(place for place, one in groups.items() if one is group)
        del groups[place]
        self._by_front.setdefault(front.casefold(), {})[place] = group
        group.front, group.is_renamed = front, True


def _group(card: FileCard) -> Group:
    return Group(
        known_front=card.front,
        front=card.front,
        back=card.back,
        hint=card.hint,
        tags=card.tags,
        guid=card.guid,
    )


def _row(group: Group) -> dict[str, Any]:
    return {name: getattr(group, name) for name in Group.__slots__}


def attached(cards: Iterable[ExportedCard], file_format: FileFormat) -> Response:
    """The cards as a file to save. Raises Failure answer_too_large if it is too large for an answer."""
    texts = [(card, (card["front"], card["back"], card["hint"] or "", " ".join(card["tags"]))) for card in cards]
    too_large = "The cards would be larger than 5 MiB as a file."
    if file_format == "csv":
        document = card_files.written_csv(text for _, text in texts)
        return attachment(document, "cards.csv", too_large=too_large)
    document = anki.written(zip(_guids(card for card, _ in texts), (text for _, text in texts), strict=True))
    return attachment(document, "cards.txt", too_large=too_large, media_type="text/plain")


def _guids(cards: Iterable[ExportedCard]) -> Iterator[str]:
    """The identifier of each card in a file, unique there: its guid, else its id."""
    seen: set[str] = set()
    for card in cards:
        guid = card["guid"] or ""
        yield guid if guid and guid not in seen else str(card["id"])
        seen.add(guid)
