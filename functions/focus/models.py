"""Requests and responses of the focus routes."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from questlog.wire import (
    Body,
    Day,
    Flag,
    Instant,
    Moving,
    Page,
    PageSize,
    Query,
    ResponseModel,
    Reward,
    Row,
    Trimmed,
    absent,
    blank_is_null,
)

Mode = Literal["focus", "break", "long_break"]
Status = Literal["active", "paused", "completed", "abandoned", "expired"]

TaskTitle = Annotated[
    Trimmed, StringConstraints(max_length=200), AfterValidator(blank_is_null), Field(examples=["Write chapter one"])
]
Tags = Annotated[list[Annotated[Trimmed, StringConstraints(min_length=1, max_length=30)]], Field(max_length=10)]
LibraryName = Annotated[Trimmed, StringConstraints(min_length=1, max_length=120), Field(examples=["Rainy evenings"])]
LibraryType = Annotated[Trimmed, StringConstraints(min_length=1, max_length=40)]
Description = Annotated[Trimmed, StringConstraints(max_length=2000)]
Minutes = Annotated[int, Field(ge=1, le=240)]
Presets = Annotated[list[Minutes], Field(max_length=10)]


class Start(Body):
    mode: Mode = "focus"
    duration_seconds: Annotated[int, Field(ge=1, le=14400)] | None = None
    task_title: TaskTitle | None = None
    tags: Tags = []
    library_id: UUID | None = None


class Change(Body):
    task_title: TaskTitle | None = absent()
    notes: Annotated[Trimmed, StringConstraints(max_length=2000)] | None = absent()
    tags: Tags = absent()


class Pausing(Body):
    time_remaining_seconds: Annotated[int, Field(ge=0, le=14400)] | None = None


class SessionsQuery(Query):
    page: Page = 1
    page_size: PageSize = 20
    mode: Mode | None = None
    status: Status | None = None
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None
    tag: str | None = None
    stats: Flag = False
    period: Literal["day", "week", "month", "all"] = "week"


class Session(ResponseModel):
    id: UUID
    mode: Mode
    duration_seconds: int
    started_at: Instant
    completed_at: Instant | None
    abandoned_at: Instant | None
    ended_at: Instant | None
    expires_at: Instant | None
    paused_at: Instant | None
    status: Status
    xp_awarded: int
    coins_awarded: int
    actual_seconds: Annotated[int, Field(validation_alias="active_seconds"), Moving]
    task_title: str | None
    notes: str | None
    tags: list[str]
    library_id: UUID | None
    time_remaining_seconds: Annotated[int, Moving]


class Completion(Reward):
    """What a completion paid, now or the first time."""

    already_completed: bool
    session: Session


class PauseState(ResponseModel):
    mode: Mode
    time_remaining_seconds: Annotated[int, Moving]
    paused_at: Instant
    session_id: UUID


class Active(ResponseModel):
    session: Session | None
    pause_state: PauseState | None


class Sessions(ResponseModel):
    sessions: list[Session]
    total: int
    page: int
    page_size: int


class EndedDay(Row):
    """The focus sessions that ended on one local day. `abandoned` includes those whose pause lapsed; `sessions` and
    `seconds` count those that were completed or whose pause lapsed."""

    date: date
    completed: int
    abandoned: int
    sessions: int
    seconds: int
    xp: int
    coins: int


class FocusStreak(Row):
    focus_streak: int


class FocusDay(ResponseModel):
    date: date
    seconds: int
    sessions: int


class Stats(ResponseModel):
    completed_sessions: int
    abandoned_sessions: int
    total_sessions: int
    total_focus_seconds: int
    total_xp_earned: int
    total_coins_earned: int
    average_session_seconds: int
    days_active: int
    focus_streak: int
    by_day: list[FocusDay]


class LibrariesQuery(Query):
    page: Page = 1
    page_size: PageSize = 50


class NewLibrary(Body):
    name: LibraryName
    description: Description = ""
    library_type: LibraryType = "custom"
    preset_durations: Presets = []
    default_duration: Minutes | None = None


class LibraryChange(Body):
    name: LibraryName = absent()
    description: Description = absent()
    library_type: LibraryType = absent()
    preset_durations: Presets = absent()
    default_duration: Minutes | None = absent()
    is_favorite: bool = absent()


class Library(ResponseModel):
    id: UUID
    name: str
    description: str
    library_type: str
    tracks_count: int
    is_favorite: bool
    preset_durations: list[int]
    default_duration: int | None
    created_at: Instant
    updated_at: Instant


class Libraries(ResponseModel):
    libraries: list[Library]
    total: int
    page: int
    page_size: int


class NewTrack(Body):
    track_title: Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
    track_url: Annotated[Trimmed, StringConstraints(max_length=2000, pattern="^https://")] | None = None
    track_id: UUID | None = None
    duration_seconds: Annotated[int, Field(ge=0, le=86400)] | None = None


class Track(ResponseModel):
    id: UUID
    library_id: UUID
    track_id: UUID | None
    track_title: str
    track_url: str | None
    duration_seconds: int | None
    sort_order: int
    added_at: Instant


class LibraryId(Row):
    id: UUID


class Tracks(ResponseModel):
    tracks: list[Track]
    total: int
