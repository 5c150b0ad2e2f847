"""Pauses: holidays and illness, on which habits rest and streaks wait (beyond contract, section 2)."""

from uuid import UUID, uuid4

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Deleted, Total

from functions.pauses.models import NewPause, Pause, PauseChange, Pauses, PausesQuery

api = Api(__file__)


@api.get("/pauses")
def pauses(db: Db, query: PausesQuery) -> Pauses:
    """List the pauses, the latest first, whole unless a page is asked for."""
    found, count = db.each((list[Pause], Total), "pauses", **query.bounds)
    return {"pauses": found, "total": count.total, **query.place}


@api.post("/pauses", errors={404: ["not_found"], 409: ["conflict", "limit_reached"]})
def add(db: Db, body: NewPause) -> Pause:
    """Pause a habit, or without habit_id everything, from a day on to another, or without `to` until it is ended.

    Paused days are not due and break no streak. An open pause counts for as long as it may last: 366 days, and of
    everything as many as are left of 60. 404 when there is no such habit. 409 conflict when another pause of the same
    habit, or of everything, has some of the days; limit_reached when everything would be paused on more than 60 of any
    365 days, or when 500 pauses are not over.
    """
    return db.one(Pause, "add", pause_id=uuid4(), habit_id=body.habit_id, from_=body.from_, to=body.to)


@api.patch("/pauses/{pause_id}", errors={409: ["conflict", "invalid_state", "limit_reached"]})
def change(db: Db, pause_id: UUID, body: PauseChange) -> Pause:
    """Change the days of a pause: `to` as yesterday ends one that runs. What has passed stays paused.

    409 invalid_state when the pause is over.
    """
    return db.one(Pause, "change", pause_id=pause_id, changes=body.sent())


@api.delete("/pauses/{pause_id}", errors={409: ["invalid_state"]})
def delete(db: Db, pause_id: UUID) -> Deleted:
    """Delete a pause. One that has begun ends yesterday instead: the days that have passed stay paused.

    409 invalid_state when the pause is over.
    """
    return db.one(Deleted, "delete", pause_id=pause_id)


handler = api.handler
