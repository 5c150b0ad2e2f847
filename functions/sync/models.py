"""What the sync routes take and answer."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, TypeAdapter

from questlog.wire import Body, Instant, ResponseModel

Domain = Literal["progress", "badges", "focus", "plan", "habits", "goals", "quests", "settings"]

_INSTANT: TypeAdapter[Any] = TypeAdapter(Instant)


def _with_instants(document: Any) -> Any:
    """A document as its own route answers it: Postgres writes the instants, whose names end in `_at`, its own way."""
    if isinstance(document, dict):
        return {
            key: _instant(value) if key.endswith("_at") and isinstance(value, str) else _with_instants(value)
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [_with_instants(item) for item in document]
    return document


def _instant(value: str) -> Any:
    return _INSTANT.dump_python(_INSTANT.validate_python(value), mode="json")


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
    time_remaining_seconds: int | None
    expires_at: Instant | None
    session_id: UUID | None
    status: Literal["active", "paused"] | None


class PlanStatus(ResponseModel):
    has_plan: bool
    completed: int
    total: int
    percent_complete: float


class Poll(ResponseModel):
    """All that an open tab shows at its edges. `etag` is the header's, for clients that cannot read headers."""

    progress: Progress
    badges: Badges
    focus: FocusStatus
    plan: PlanStatus
    server_time: Instant
    etag: str = ""


class Versions(ResponseModel):
    """Of each domain a name for its present state, equal while nothing of it changes."""

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
    """What a client has, by the versions it was told; a domain that is not there or not known is not had."""

    client_versions: dict[str, str] = {}
    include_data: bool = True


class Changes(ResponseModel):
    updates: dict[Domain, Annotated[dict[str, Any], AfterValidator(_with_instants)] | None]
    versions: Versions
    server_time: Instant
