"""The routes of comparisons: two tracks at equal loudness, blind if wished, with votes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from questlog import storage
from questlog.api import Api
from questlog.db import Db
from questlog.wire import Success, Total

from functions.listening import matching, rules
from functions.listening.models import (
    Comparison,
    ComparisonChange,
    ComparisonRow,
    Comparisons,
    ComparisonsQuery,
    FrameRow,
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
        **rules.bounds(count.total, query.page, query.page_size),
    }


@api.post("/reference/comparisons", envelope=False, errors={404: ["not_found"], 409: ["limit_reached"]})
def add(db: Db, body: NewComparison) -> Comparison:
    """Compare two of the user's tracks. 404 for an unknown track or region; 409 limit_reached at 200."""
    _, comparison = one(db, "add", comparison_id=uuid4(), sent=body.model_dump(mode="json", exclude_none=True))
    return comparison


@api.get("/reference/comparisons/{comparison_id}", envelope=False)
def comparison(db: Db, comparison_id: UUID, query: Including) -> Comparison:
    """Return one comparison; with include=stream also the URLs that play both sides."""
    row, found = one(db, "comparison", comparison_id=comparison_id)
    return including(query, row, found)


@api.patch("/reference/comparisons/{comparison_id}", envelope=False)
def change(db: Db, comparison_id: UUID, body: ComparisonChange) -> Comparison:
    """Change a comparison; `blind: true` begins a new blind round, unless one is under way. 404 for an unknown region."""
    _, changed = one(db, "change", comparison_id=comparison_id, changes=body.changes())
    return changed


@api.delete("/reference/comparisons/{comparison_id}", envelope=False)
def delete(db: Db, comparison_id: UUID) -> Success:
    """Delete a comparison and its votes; sessions that used it stay, without it."""
    return db.one(Success, "delete", comparison_id=comparison_id)


@api.post(
    "/reference/comparisons/{comparison_id}/votes",
    envelope=False,
    store_response=False,
    errors={409: ["already_revealed", "limit_reached"]},
)
def vote(db: Db, comparison_id: UUID, body: NewVote, query: Including) -> Voted:
    """Vote in a trial, the present one unless it is given; a trial that was voted returns its vote and counts once.

    409 already_revealed between a reveal and the next blind round, limit_reached at 1,000 votes.
    """
    cast, *rest = db.each(
        (VoteRow, ComparisonRow, list[MeasureRow], list[FrameRow]),
        "vote",
        comparison_id=comparison_id,
        **body.model_dump(),
    )
    row, found = shown(*rest)
    return {
        "vote": matching.vote(cast, hidden=row.hidden),
        "tally": found["tally"],
        "comparison": including(query, row, found),
    }


@api.get("/reference/comparisons/{comparison_id}/votes", envelope=False)
def votes(db: Db, comparison_id: UUID) -> Votes:
    """List the votes, oldest first; in a blind round without what was preferred."""
    present, found = db.each((Round, list[VoteRow]), "votes", comparison_id=comparison_id)
    return {"votes": matching.votes(found, hidden=present.hidden)}


@api.post("/reference/comparisons/{comparison_id}/reveal", envelope=False, errors={409: ["not_blind"]})
def reveal(db: Db, comparison_id: UUID) -> Comparison:
    """End a blind round: the votes are counted for A and B. 409 not_blind when it is none."""
    _, revealed = one(db, "reveal", comparison_id=comparison_id)
    return revealed


def one(db: Db, name: str, /, **parameters: Any) -> tuple[ComparisonRow, Comparison]:
    """The comparison that the statements of a name end with."""
    return shown(*db.each((ComparisonRow, list[MeasureRow], list[FrameRow]), name, **parameters))


def shown(row: ComparisonRow, measures: list[MeasureRow], chunks: list[FrameRow]) -> tuple[ComparisonRow, Comparison]:
    """A comparison as the wire shows it, beside its row."""
    return row, matching.comparison(row, matching.measured(measures, chunks))


def including(query: Including, row: ComparisonRow, found: Comparison) -> Comparison:
    """The comparison, with the URLs of both sides where they are asked for."""
    return found | dict(streams(row)) if query.include else found


def streams(row: ComparisonRow) -> Iterator[tuple[str, Stream | None]]:
    """The URLs of A and B; in a blind round those of X and Y, which the trial may have swapped."""
    sides = [(row.status_a, row.key_a), (row.status_b, row.key_b)]
    if row.hidden and row.blind_swap:
        sides.reverse()
    for name, (status, key) in zip(("x", "y") if row.hidden else ("a", "b"), sides, strict=True):
        # Of a track that is still being uploaded there is no object yet.
        signed = None if status == "uploading" else storage.signed_get(key)
        yield f"stream_{name}", None if signed is None else {"url": signed.url, "expires_at": signed.expires_at}
