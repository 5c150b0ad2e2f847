"""ETags by which an unchanged poll is recognised without making its document (code/revisions.sql has the rules).

    "<digest>-<revision>-<shared revision>-<until, in milliseconds since 1970>"

A client sends the tag of its document with its next poll. If the revisions are still those of the tag and its time is
not over, the document has not changed, and the database need not make it again. Otherwise it is made, and the digest
says whether it is the same, as with every other tag.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request

from questlog.db import Statement

_TAG: Final = re.compile(r'"[0-9a-f]{32}-(?P<own>\d{1,18})-(?P<shared>\d{1,18})-(?P<until>\d{1,13})"')

# Sent before the statements of every request that may write.
REVISE: Final = Statement("SELECT revise()")


class Revisions(NamedTuple):
    """The revisions of which a document was made, and until when it stays the same if neither is raised."""

    own: int
    shared: int
    until: datetime

    def tag(self, digest: str) -> str:
        """The tag, without quotes, of a document with this digest."""
        return f"{digest}-{self.own}-{self.shared}-{int(self.until.timestamp() * 1000)}"


class Seen(NamedTuple):
    """The document that the client already has: its tag, and the tag's parts as parameters of a statement."""

    tag: str
    parameters: Mapping[str, Any]


def seen(request: Request) -> Seen:
    """The tag with revisions in If-None-Match. Without one the tag is empty and the parameters are null."""
    found = _TAG.search(request.headers.get("if-none-match", ""))
    if found is None:
        return Seen("", {"seen": None, "seen_shared": None, "until": None})
    until = datetime.fromtimestamp(int(found["until"]) / 1000, UTC)
    return Seen(found[0], {"seen": int(found["own"]), "seen_shared": int(found["shared"]), "until": until})
