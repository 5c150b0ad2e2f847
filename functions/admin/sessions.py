"""The routes of everyone's sessions."""

from typing import Literal
from uuid import UUID

from typing_extensions import TypedDict

from questlog.api import Api
from questlog.db import Db
from questlog.identity import Client
from questlog.settings import settings
from questlog.wire import Instant, Query, Success

from functions.admin.models import ROLE, Done

api = Api(__file__, queries="sessions.sql", role=ROLE)


class SessionsQuery(Query):
    user_id: UUID | None = None


class UserSession(TypedDict):
    """A session or an API token, and whose it is."""

    id: UUID
    kind: Literal["browser", "token"]
    name: str | None
    scope: Literal["read", "write"]
    current: bool
    created_at: Instant
    last_activity_at: Instant
    expires_at: Instant
    user_agent: str | None
    ip_address: str | None
    user_id: UUID
    user_email: str
    user_name: str


@api.get("/admin/sessions", requires="system:manage", envelope=False)
def sessions(db: Db, query: SessionsQuery) -> list[UserSession]:
    """List the live sessions and tokens of all users, or of one: the 500 that were active last, newest first."""
    return db.many(UserSession, "sessions", user_id=query.user_id, idle=settings().session_idle)


@api.delete("/admin/sessions/{session_id}", requires="system:manage", envelope=False)
def end(db: Db, client: Client, session_id: UUID) -> Done:
    """End a session or a token at once, whose ever it is."""
    db.one(Success, "end_session", session_id=session_id, client=client._asdict())
    return {"success": True, "message": "The session has ended."}
