"""Polls that need no answer: what a tag says of the time in which nothing changes (code/revisions.sql has the rules).

    "<digest>-<revision>-<shared revision>-<until, in milliseconds since 1970>"

A client sends the tag of what it has with its next poll. Where the revisions are still those of the tag, and its time
is not up, what would be answered is known, and the database need not make it again. Elsewhere the digest says whether
the client has the document, as with every other tag.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request

from questlog.db import Statement

_TAG: Final = re.compile(r'"[0-9a-f]{32}-(?P<own>\d{1,18})-(?P<shared>\d{1,18})-(?P<until>\d{1,13})"')

# Before the statements of every request that may write.
REVISE: Final = Statement("SELECT revise()")


class Revisions(NamedTuple):
    """What a document was made of, and until when it stays as it is while neither revision is raised."""

    own: int
    shared: int
    until: datetime

    def tag(self, digest: str) -> str:
        """The tag of a document of this digest."""
        return f"{digest}-{self.own}-{self.shared}-{int(self.until.timestamp() * 1000)}"


class Seen(NamedTuple):
    """What a request says that its client has seen: a tag, and parameters of the statement that compares with it."""

    tag: str
    parameters: Mapping[str, Any]


def seen(request: Request) -> Seen:
    """The tag of revisions in If-None-Match; without one it is empty, and the parameters are null."""
    found = _TAG.search(request.headers.get("if-none-match", ""))
    if found is None:
        return Seen("", {"seen": None, "seen_shared": None, "until": None})
    until = datetime.fromtimestamp(int(found["until"]) / 1000, UTC)
    return Seen(found[0], {"seen": int(found["own"]), "seen_shared": int(found["shared"]), "until": until})
