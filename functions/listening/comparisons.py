"""The routes of comparisons: two tracks at equal loudness, blind if wished, with votes."""

from typing import Any
from uuid import UUID, uuid4

from questlog import storage
from questlog.api import Api
from questlog.db import Db
from questlog.paging import PageOrAll
from questlog.wire import Success, Total

from functions.listening import matching, rules
from functions.listening.comparison_models import (
    Comparison,
    ComparisonChange,
    ComparisonRow,
    Comparisons,
    ComparisonsQuery,
    Including,
    MeasureRow,
    NewComparison,
    NewVote,
    Round,
    Stream,
    Voted,
    VoteRow,
    Votes,
)
from functions.listening.models import FrameRow

api = Api(__file__, queries="comparisons.sql")


@api.get("/reference/comparisons", envelope=False)
def comparisons(db: Db, query: ComparisonsQuery) -> Comparisons:
    """List the comparisons, of one track where it is given, the last changed first."""
    rows, measures, chunks, count = db.each(
        (list[ComparisonRow], list[MeasureRow], list[FrameRow], Total), "comparisons", **query.model_dump()
    )
    found = matching.measured(measures, chunks)
    return {
        "data": [matching.comparison(row, found) for row in rows],
        **rules.paging(count.total, query.page, query.page_size),
    }


@api.post("/reference/comparisons", envelope=False, errors={404: ["not_found"], 409: ["limit_reached"]})
def add(db: Db, body: NewComparison) -> Comparison:
    """Compare two of the user's tracks. 404 for an unknown track or region; 409 limit_reached at 200."""
    _, comparison = one(
        db, "add_comparison", comparison_id=uuid4(), sent=body.model_dump(mode="json", exclude_none=True)
    )
    return comparison


@api.get("/reference/comparisons/{comparison_id}", envelope=False)
def comparison(db: Db, comparison_id: UUID, query: Including) -> Comparison:
    """Return one comparison; with include=stream also the URLs that play both sides."""
    row, found = one(db, "comparison", comparison_id=comparison_id)
    return including(query, row, found)


@api.patch("/reference/comparisons/{comparison_id}", envelope=False)
def change(db: Db, comparison_id: UUID, body: ComparisonChange) -> Comparison:
    """Change a comparison; `blind: true` begins a new round, unless one is under way. 404 for an unknown region."""
    _, changed = one(db, "change_comparison", comparison_id=comparison_id, changes=body.changes())
    return changed


@api.delete("/reference/comparisons/{comparison_id}", envelope=False)
def delete(db: Db, comparison_id: UUID) -> Success:
    """Delete a comparison and its votes; sessions that used it stay, without it."""
    return db.one(Success, "delete_comparison", comparison_id=comparison_id)


@api.post(
    "/reference/comparisons/{comparison_id}/votes",
    envelope=False,
    store_response_without="include",
    errors={409: ["already_revealed", "limit_reached"]},
)
def vote(db: Db, comparison_id: UUID, body: NewVote, query: Including) -> Voted:
    """Vote in a trial, the present one unless it is given; a trial that was voted returns its vote and counts once.

    With include=stream the answer shows URLs, and is not stored under an Idempotency-Key: `trial` makes it repeatable.
    409 already_revealed between a reveal and the next blind round, limit_reached at 1,000 votes.
    """
    cast, row, measures, chunks = db.each(
        (VoteRow, ComparisonRow, list[MeasureRow], list[FrameRow]),
        "vote",
        comparison_id=comparison_id,
        **body.model_dump(),
    )
    found = matching.comparison(row, matching.measured(measures, chunks))
    return {
        "vote": matching.vote(cast, hidden=row.hidden),
        "tally": found["tally"],
        "comparison": including(query, row, found),
    }


@api.get("/reference/comparisons/{comparison_id}/votes", envelope=False)
def votes(db: Db, comparison_id: UUID, query: PageOrAll) -> Votes:
    """List the votes, all or a page, oldest first; in a blind round without what was preferred."""
    present, found, count = db.each((Round, list[VoteRow], Total), "votes", comparison_id=comparison_id, **query.bounds)
    return {"votes": matching.votes(found, hidden=present["hidden"]), **query.shown(count.total)}


@api.post("/reference/comparisons/{comparison_id}/reveal", envelope=False, errors={409: ["not_blind"]})
def reveal(db: Db, comparison_id: UUID) -> Comparison:
    """End a blind round: the votes are counted for A and B. 409 not_blind when it is none."""
    _, revealed = one(db, "reveal", comparison_id=comparison_id)
    return revealed


def one(db: Db, name: str, /, **parameters: Any) -> tuple[ComparisonRow, Comparison]:
    """The comparison that the statements of a name end with, as its row and as the wire shows it."""
    row, measures, chunks = db.each((ComparisonRow, list[MeasureRow], list[FrameRow]), name, **parameters)
    return row, matching.comparison(row, matching.measured(measures, chunks))


def including(query: Including, row: ComparisonRow, found: Comparison) -> Comparison:
    """The comparison, with the URLs of both sides where they are asked for: of X and Y while it is blind."""
    if query.include is None:
        return found
    a, b = stream(row.status_a, row.key_a), stream(row.status_b, row.key_b)
    if not row.hidden:
        return {**found, "stream_a": a, "stream_b": b}
    x, y = (b, a) if row.blind_swap else (a, b)
    return {**found, "stream_x": x, "stream_y": y}


def stream(status: str, key: str) -> Stream | None:
    """A URL that plays a track; None if its file is not in the bucket. Raises Unavailable if that is not known."""
    if status == "uploading" or storage.read_start(key, 1) is None:
        return None
    signed = storage.signed_get(key)
    return {"url": signed.url, "expires_at": signed.expires_at}
