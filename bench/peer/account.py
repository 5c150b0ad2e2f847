"""An account of the usual stack with the same things in it, and its six requests."""

import hashlib
import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.account import GOALS, HABITS, PAST_SESSIONS, QUESTS
from bench.peer.app import engine, handler
from bench.peer.models import (
    Base,
    DailyPlan,
    FocusSession,
    Goal,
    Habit,
    LedgerEntry,
    Login,
    Progress,
    Setting,
    Streak,
    User,
    UserQuest,
    Wallet,
)
from bench.stage import Stage
from tests.support.client import CONTEXT, gateway_event

DATABASE: Final = "questlog_bench_peer"
# The accepted quests of an account; the others are only offered.
ACCEPTED: Final = QUESTS // 3


def set_up(stage: Stage) -> str:
    """Make the peer's database on the stage's server. Returns its URL."""
    with psycopg.connect(stage.admin_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = urlsplit(stage.admin_url)._replace(path=f"/{DATABASE}", query="").geturl()
    made = create_engine(dialect_of(url))
    Base.metadata.create_all(made)
    made.dispose()
    return url


def analyze(url: str) -> None:
    """Vacuum and analyse the peer's tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def serve(url: str) -> None:
    """Have the peer reach its database by this URL, beginning with its next request."""
    if engine.cache_info().currsize:
        engine().dispose()
        engine.cache_clear()
    os.environ["PEER_DATABASE_URL"] = dialect_of(url)


def dialect_of(url: str) -> str:
    """The URL as SQLAlchemy reads it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def of_another_user(_table: str, column: str, kind: str) -> str | None:
    """What the copy of a row has in a column: ids of its own."""
    if kind == "uuid":
        return f"md5(r.{column}::text || n)::uuid"
    if kind == "bytea":
        return f"sha256(r.{column} || n::text::bytea)"
    return "n || r.email" if column == "email" else None


class PeerAccount:
    """A user with as many habits, goals, quests and past sessions as one of ours."""

    def __init__(self, url: str) -> None:
        self._token = secrets.token_urlsafe(32)
        self._session = ""
        made = create_engine(dialect_of(url))
        with Session(made) as db:
            self.user_id, self._habits = self._fill(db)
        made.dispose()

    def start_focus(self) -> dict[str, Any]:
        """Start a session."""
        answer = self.ask("POST", "/focus", {"task_title": "Write", "tags": ["deep"]})
        self._session = answer["id"]
        return answer

    def complete_focus(self) -> dict[str, Any]:
        """Complete the session that was started last."""
        return self.ask("POST", f"/focus/{self._session}/complete")

    def complete_habit(self) -> dict[str, Any]:
        """Complete a habit that is not done today."""
        return self.ask("POST", f"/habits/{self._habits.pop()}/complete")

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What a route answers; anything but 200 is an error of the measurement."""
        event = gateway_event(
            method, path, cookies={"session": self._token}, body=json.dumps(body).encode() if body else None
        )
        result = handler(event, CONTEXT)
        assert result["statusCode"] == 200, result
        answer: dict[str, Any] = json.loads(result["body"])
        return answer

    def _fill(self, db: Session) -> tuple[UUID, list[UUID]]:
        now = datetime.now(UTC)
        user = User(email=f"{secrets.token_hex(8)}@bench.test")
        db.add(user)
        db.flush()
        habits = [
            Habit(user_id=user.id, name=f"Habit {n}", description="After breakfast.", sort_order=n, created_at=now)
            for n in range(HABITS)
        ]
        past = [
            FocusSession(
                user_id=user.id,
                status="completed",
                task_title="Write",
                tags=["deep"],
                started_at=now - timedelta(hours=1),
                completed_at=now,
                xp_awarded=25,
                coins_awarded=5,
            )
            for _ in range(PAST_SESSIONS)
        ]
        items = [{"id": str(n), "type": "habit", "title": f"Habit {n}", "completed": False} for n in range(8)]
        db.add_all(
            [
                Login(
                    token_hash=hashlib.sha256(self._token.encode()).digest(),
                    user_id=user.id,
                    expires_at=now + timedelta(days=30),
                ),
                Progress(user_id=user.id),
                Wallet(user_id=user.id),
                Streak(user_id=user.id, streak_type="daily_activity"),
                Setting(user_id=user.id, values={"interests": ["focus"], "nudge_intensity": "gentle"}),
                DailyPlan(user_id=user.id, day=now.date(), items=items),
                *(Goal(user_id=user.id, title=f"Goal {n}") for n in range(GOALS)),
                *(UserQuest(user_id=user.id, title=f"Quest {n}") for n in range(ACCEPTED)),
                *habits,
                *past,
            ]
        )
        db.flush()
        db.add_all(
            LedgerEntry(
                user_id=user.id,
                event_type="focus_complete",
                xp=25,
                coins=5,
                idempotency_key=f"focus_complete:{session.id}",
                created_at=now,
            )
            for session in past
        )
        db.commit()
        return user.id, [habit.id for habit in habits]
