"""Requests and responses of the sync routes."""

from typing import Annotated, Any, Literal
from uuid import UUID

from questlog.wire import Body, Instant, MaxEntries, Moving, ResponseModel, Row

Domain = Literal["progress", "badges", "focus", "plan", "habits", "goals", "quests", "settings"]


class ProgressRow(Row):
    """Level, XP, coins and streak, without the percentage."""

    level: int
    current_xp: int
    xp_to_next_level: int
    xp_remaining: int
    total_xp: int
    coins: int
    streak_days: int


class PlanRow(Row):
    """How many items of the day's plan are completed."""

    has_plan: bool
    completed: int
    total: int


class DomainVersion(Row):
    """The version of a domain, and whether the client has another one."""

    domain: Domain
    version: str
    changed: bool
    server_time: Instant


class SettingRow(Row):
    key: str
    value: Any


class Progress(ResponseModel):
    level: int
    current_xp: int
    xp_to_next_level: int
    xp_progress_percent: float
    coins: int
    streak_days: int
    total_xp: int
    xp_remaining: int


class Badges(ResponseModel):
    unread_inbox: int
    active_quests: int
    pending_habits: int
    overdue_items: int


class FocusStatus(ResponseModel):
    has_active_session: bool
    mode: Literal["focus", "break", "long_break"] | None
    time_remaining_seconds: Annotated[int | None, Moving]
    expires_at: Instant | None
    session_id: UUID | None
    status: Literal["active", "paused"] | None


class PlanStatus(ResponseModel):
    has_plan: bool
    completed: int
    total: int
    percent_complete: float


class Poll(ResponseModel):
    """What an open tab shows beside its page. `etag` is that of the header, for clients that cannot read headers."""

    progress: Progress
    badges: Badges
    focus: FocusStatus
    plan: PlanStatus
    server_time: Annotated[Instant, Moving]
    etag: Annotated[str, Moving] = ""


class PollRow(ProgressRow, PlanRow):
    """The four parts of a poll in one row."""

    unread_inbox: int
    active_quests: int
    pending_habits: int
    overdue_items: int
    has_active_session: bool
    mode: Literal["focus", "break", "long_break"] | None
    time_remaining_seconds: int | None
    expires_at: Instant | None
    session_id: UUID | None
    status: Literal["active", "paused"] | None
    server_time: Instant
    revision: int | None
    shared_revision: int | None
    unchanged_until: Instant


class Versions(ResponseModel):
    """The version of each domain, a text that stays the same as long as nothing in the domain changes."""

    progress: str
    badges: str
    focus: str
    plan: str
    habits: str
    goals: str
    quests: str
    settings: str


class State(ResponseModel):
    versions: Versions
    server_time: Instant


class Known(Body):
    """The versions that a client has. It has nothing of a domain that is absent or whose version is not known."""

    client_versions: Annotated[dict[str, str], MaxEntries(100)] = {}
    include_data: bool = True


class Changes(ResponseModel):
    updates: dict[Domain, dict[str, Any] | None]
    versions: Versions
    server_time: Instant
