"""GET /reference/listening/summary is what Python counts from sessions and annotations, after any requests."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.listening.music import track
from tests.listening.test_annotations import annotated
from tests.listening.test_sessions import changed, ended, started
from tests.support.clock import NOON

ZONE = ZoneInfo("Pacific/Auckland")
DAY_START = 4


def local_day(moment: datetime) -> date:
    return (moment.astimezone(ZONE).replace(tzinfo=None) - timedelta(hours=DAY_START)).date()


def streak(listened_on: set[date], today: date) -> int:
    """How many days in a row there are up to today, or to yesterday."""
    last = next((day for day in (today, today - timedelta(1)) if day in listened_on), None)
    return next(n for n in range(len(listened_on) + 1) if last is None or last - timedelta(n) not in listened_on)


@dataclass
class Listener:
    """A user, the time they live in, and the ids of what they have."""

    user: User
    database: Database
    clock: Clock
    now: datetime = NOON
    tracks: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def wait(self, pick: int) -> None:
        self.now += timedelta(hours=5 * (1 + pick))
        self.clock.set(self.now)

    def add(self, pick: int) -> None:
        self.tracks.append(track(self.database, self.user, f"Mix {pick}"))

    def listen(self, pick: int) -> None:
        session = started(self.user, self.tracks[pick % len(self.tracks)])
        answers = [{"id": item["id"], "score": 1} for item in session["items"][: pick % 3]]
        changed(self.user, session, listened_ms_delta=20_000 * (1 + pick), items=answers)
        ended(self.user, session, "abandon" if pick == 5 else "complete")
        self.sessions.append(session["id"])

    def forget(self, pick: int) -> None:
        if self.sessions:
            self.user.delete(f"/reference/listening/sessions/{self.sessions.pop(pick % len(self.sessions))}")

    def note(self, pick: int) -> None:
        self.notes.append(annotated(self.user, self.tracks[pick % len(self.tracks)])["id"])

    def erase(self, pick: int) -> None:
        if self.notes:
            self.user.delete(f"/reference/annotations/{self.notes.pop(pick % len(self.notes))}")

    def drop(self, pick: int) -> None:
        """Delete a track, with what there is of it."""
        if len(self.tracks) > 1:
            assert self.user.delete(f"/reference/tracks/{self.tracks.pop(pick % len(self.tracks))}").status == 200

    def recounted(self, days: int) -> dict[str, Any]:
        """What the summary of so many days has to be."""
        today = local_day(self.now)
        listed = self.user.get("/reference/listening/sessions", query={"page_size": 100}).json["data"]
        completed = [(local_day(at(s["ended_at"])), s) for s in listed if s["status"] == "completed"]
        since = today - timedelta(days - 1)
        of = [session for day, session in completed if day >= since]
        notes = [
            n for t in self.tracks for n in self.user.get(f"/reference/tracks/{t}/annotations").json["annotations"]
        ]
        return {
            "sessions": len(of),
            "minutes": sum(session["listened_ms"] for session in of) // 60_000,
            "tracks": len({session["track_id"] for session in of}),
            "annotations": sum(local_day(at(note["created_at"])) >= since for note in notes),
            "by_category": Counter(item["category"] for s in of for item in s["items"] if item["score"] is not None),
            "streak_days": streak({day for day, _ in completed}, today),
        }


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


STEPS = {"listen": 6, "wait": 5, "forget": 2, "note": 3, "erase": 1, "add": 1, "drop": 1}


@settings(max_examples=5)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([name for name, share in STEPS.items() for _ in range(share)]), st.integers(0, 5)),
        min_size=10,
        max_size=16,
    )
)
def test_after_any_requests(new_user: NewUser, database: Database, clock: Clock, steps: list[tuple[str, int]]) -> None:
    clock.set(NOON)
    user = new_user(settings={"timezone": ZONE.key, "day_start_hour": DAY_START})
    listener = Listener(user, database, clock)
    for pick in range(2):
        listener.add(pick)
    for name, pick in steps:
        getattr(listener, name)(pick)
    for days in (1, 2, 30):
        assert user.get("/reference/listening/summary", query={"days": days}).json == listener.recounted(days), days
    assert database.audit(user.id) == []


def test_a_track_counts_on_the_last_day_that_is_left_to_it(user: User, database: Database, clock: Clock) -> None:
    clock.set(NOON)
    mine = track(database, user)

    def listened() -> str:
        session = started(user, mine)
        ended(user, session, "complete")
        return f"/reference/listening/sessions/{session['id']}"

    def tracks() -> list[int]:
        return [user.get("/reference/listening/summary", query={"days": days}).json["tracks"] for days in (1, 2, 3)]

    first = listened()
    clock.set(NOON + timedelta(2))
    last, again = listened(), listened()
    assert tracks() == [1, 1, 1]
    user.delete(last)
    assert tracks() == [1, 1, 1], "the day has another session"
    user.delete(again)
    assert tracks() == [0, 0, 1]
    user.delete(first)
    assert tracks() == [0, 0, 0]
    assert database.audit(user.id) == []
