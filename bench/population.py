"""Accounts with a history of years, and a database of many users: what the figure `scale` is measured on."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from questlog.db import Queries

from bench.cards import HISTORY, history
from bench.crowd import copy_account, of_another_user
from bench.stage import Stage
from bench.training import with_history
from tests.audio_worker import signals
from tests.listening import music
from tests.support.routes import inhabit
from tests.support.users import User

STATEMENTS: Final = Queries(Path(__file__).with_name("population.sql"))
# The statements that give an account its rows, in the order of their names in the file.
OF_AN_ACCOUNT: Final = tuple(name for name in STATEMENTS if name not in ("crowd", "totals"))
# What tests leave in an account through the routes. Tracks need a bucket, which is not here: their rows are written.
INHABITED: Final = (
    *("exercise", "programs", "learn", "infobase", "ideas", "inbox", "market", "bookmarks", "onboarding", "focus"),
    *("notifications", "calendar", "user"),
)
# What the routes paid makes room for the history, whose rows count from 1, and so does what was learned through them.
REPLACED: Final = (
    *("points_ledger", "user_progress", "user_wallet", "user_streaks", "user_skills", "user_counters"),
    *("user_achievements", "ledger_days", "ledger_blocks", "ledger_marks"),
    *("user_learn_totals", "flashcard_reviews", "flashcards", "flashcard_decks", "drill_attempts", "user_drill_stats"),
)

# The columns of a manifest that say how the frames are laid out.
MANIFEST: Final = (
    *("hop_ms", "frame_count", "duration_ms", "sample_rate", "bands", "frame_layout", "bytes_per_frame"),
    *("chunk_size_frames", "total_chunks", "fingerprint", "analyzer_version"),
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many rows an account has. `days` is how far back its history reaches."""

    ledger: int
    days: int
    achievements: int
    habits: int
    goals: int
    quests: int
    quest_days: int
    errands: int
    series: int
    events: int
    focus: int
    activity: int
    books: int
    notes: int
    rewards: int
    tracks: int
    comparisons: int
    workouts: int
    programs: int
    cards: int
    messages: int
    reports: int


# A page of each list is full in each of them, so that they show as many rows as the others wherever a list has pages.
SMALL: Final = Size(
    ledger=100,
    days=30,
    achievements=6,
    habits=5,
    goals=5,
    quests=25,
    quest_days=3,
    errands=100,
    series=10,
    events=60,
    focus=60,
    activity=60,
    books=50,
    notes=60,
    rewards=5,
    tracks=50,
    comparisons=20,
    workouts=20,
    programs=2,
    cards=60,
    messages=60,
    reports=100,
)
USUAL: Final = Size(
    ledger=10_000,
    days=365,
    achievements=12,
    habits=20,
    goals=50,
    quests=50,
    quest_days=60,
    errands=300,
    series=50,
    events=1_000,
    focus=1_000,
    activity=1_000,
    books=100,
    notes=500,
    rewards=20,
    tracks=100,
    comparisons=50,
    workouts=200,
    programs=10,
    cards=1_000,
    messages=540,
    reports=150,
)
HEAVY: Final = Size(
    ledger=1_000_000,
    days=1_095,
    achievements=19,
    habits=100,
    goals=450,
    quests=500,
    quest_days=365,
    errands=2_000,
    series=2_000,
    events=10_000,
    focus=10_000,
    activity=50_000,
    books=1_000,
    notes=10_000,
    rewards=190,
    tracks=1_000,
    comparisons=200,
    workouts=2_000,
    programs=60,
    cards=10_000,
    messages=540,
    reports=500,
)
# Cards of a deck, and for how many days nobody has looked at them: so many of each account's are due.
DECK: Final = 1_000
AWAY: Final = 7


def account(stage: Stage, size: Size) -> User:
    """A new user with so many rows of everything; on the boards."""
    user = with_history(stage, size.workouts)
    for group in INHABITED:
        inhabit(group, user)
    user.put("/user/settings", {"profile_public": True, "push_notifications": True})
    parameters = asdict(size) | _analysis()
    with _past_all_guards(stage) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        for table in REPLACED:
            connection.execute(f"DELETE FROM {table} WHERE user_id = %s".encode(), [user.id])
        for cards in HISTORY:
            connection.execute(cards, history(size.cards, size.days, AWAY, DECK))
        for name in OF_AN_ACCOUNT:
            for statement in STATEMENTS.statements(name, parameters):
                connection.execute(*statement)
    return user


def _analysis() -> dict[str, Any]:
    """What the worker measures of a file of a minute."""
    measured = music.measure(signals.stereo(signals.pulses(120, 60)))
    assert measured.frames is not None
    assert measured.events is not None
    return {
        "summary": Jsonb(music.FACTS | measured.summary),
        "frames": Jsonb({name: getattr(measured.frames, name) for name in MANIFEST}),
        "chunks": [chunk.compressed for chunk in measured.frames.chunks],
        "starts": [chunk.start_frame for chunk in measured.frames.chunks],
        "ends": [chunk.end_frame for chunk in measured.frames.chunks],
        "beats": [event.time_ms for event in measured.events[:100]],
    }


def crowd(stage: Stage, users: int, rows: int) -> None:
    """So many other users with so many payments each; half of them are on the boards."""
    with _past_all_guards(stage) as connection:
        for statement in STATEMENTS.statements("crowd", {"users": users, "rows": rows}):
            connection.execute(*statement)


def neighbours(stage: Stage, user: User) -> None:
    """Many other users who have what `user` has: a table that a few accounts fill is planned for as no real one is."""
    copy_account(stage.admin_url, user.id, of_another_user)


def settle(stage: Stage) -> None:
    """Write what the ledger keeps beside its rows, for all who lack it, and make the planner know the tables."""
    with _past_all_guards(stage) as connection:
        for statement in STATEMENTS.statements("totals", {}):
            connection.execute(*statement)
    stage.query("VACUUM ANALYZE")


def _past_all_guards(stage: Stage) -> psycopg.Connection:
    """A connection of the superuser whose writes fire no trigger and check no foreign key."""
    connection = psycopg.connect(stage.admin_url, autocommit=True)
    connection.execute("SET session_replication_role = replica")
    return connection
