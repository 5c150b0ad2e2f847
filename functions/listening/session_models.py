"""Requests and responses about listening sessions, and the prompts for them. See models.py for the kinds of classes."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import Body, Instant, Page, PageSize, Query, RewardFields, Trimmed, absent, blank_is_null

from functions.listening.models import LongText, Paging

MAX_ITEMS = 50
PromptCategory = Literal[
    "general",
    "frequency",
    "dynamics",
    "spatial",
    "arrangement",
    "production",
    "mixing",
    "mastering",
    "genre_specific",
]
Difficulty = Literal["beginner", "intermediate", "advanced", "expert"]
SessionStatus = Literal["in_progress", "completed", "abandoned"]
Goal = Annotated[Trimmed, StringConstraints(max_length=500), AfterValidator(blank_is_null)]
Takeaway = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
Rating = Annotated[int, Field(ge=1, le=5)]


class TemplatesQuery(Query):
    category: PromptCategory | None = None
    difficulty: Difficulty | None = None


class Template(TypedDict):
    id: UUID
    name: str
    description: str | None
    category: PromptCategory
    difficulty: Difficulty
    prompt_text: str
    hints: list[str]
    tags: list[str]
    display_order: int


class Templates(TypedDict):
    templates: list[Template]
    total: int


class Preset(TypedDict):
    id: UUID
    name: str
    preset_type: Literal["focus", "comparison", "loop", "visualization"]
    config: dict[str, Any]


class TemplateWithPresets(Template):
    presets: list[Preset]


class NewItem(Body):
    prompt: Annotated[Trimmed, StringConstraints(min_length=1, max_length=500)]
    category: PromptCategory | None = None


class NewSession(Body):
    track_id: UUID
    comparison_id: UUID | None = None
    template_id: UUID | None = None
    region_id: UUID | None = None
    goal: Goal | None = None
    checklist: Annotated[list[NewItem], Field(min_length=1, max_length=MAX_ITEMS)] | None = None


class ItemChange(Body):
    id: UUID
    checked: bool = absent()
    response: Annotated[Trimmed, StringConstraints(max_length=5_000), AfterValidator(blank_is_null)] | None = absent()
    score: Annotated[int, Field(ge=0, le=3)] | None = absent()
    annotation_id: UUID | None = absent()


class SessionChange(Body):
    goal: Goal | None = absent()
    notes: LongText | None = absent()
    takeaway: Takeaway | None = absent()
    rating: Rating | None = absent()
    listened_ms_delta: Annotated[int, Field(ge=0, le=600_000)] = absent()
    loops_delta: Annotated[int, Field(ge=0, le=1_000)] = absent()
    switches_delta: Annotated[int, Field(ge=0, le=1_000)] = absent()
    items: Annotated[list[ItemChange], Field(max_length=MAX_ITEMS)] = absent()
    items_add: Annotated[list[NewItem], Field(max_length=MAX_ITEMS)] = absent()


class Completing(Body):
    notes: LongText | None = None
    takeaway: Takeaway | None = None
    rating: Rating | None = None


class SessionsQuery(Query):
    track_id: UUID | None = None
    status: SessionStatus | None = None
    page: Page = 1
    page_size: PageSize = 20


class Item(TypedDict):
    id: UUID
    position: int
    prompt: str
    category: PromptCategory
    checked: bool
    response: str | None
    score: int | None
    annotation_id: UUID | None


class ItemRow(Item):
    session_id: UUID


class SessionRow(TypedDict):
    """A session without its checklist."""

    id: UUID
    user_id: UUID
    track_id: UUID
    comparison_id: UUID | None
    template_id: UUID | None
    region_id: UUID | None
    status: SessionStatus
    goal: str | None
    notes: str | None
    takeaway: str | None
    rating: int | None
    listened_ms: int
    loops: int
    switches: int
    started_at: Instant
    ended_at: Instant | None
    xp_awarded: int
    coins_awarded: int
    created_at: Instant
    updated_at: Instant


class Session(SessionRow):
    items: list[Item]


class Sessions(Paging):
    data: list[Session]


class Outcome(TypedDict):
    """Why a session was not paid, and the expected outcome that its template describes."""

    reason: Literal["too_short", "nothing_noted", "daily_limit"] | None
    expected_observations: list[str]


class Completed(RewardFields):
    session: Session
    expected_observations: list[str]
    awarded: bool
    reason: Literal["too_short", "nothing_noted", "daily_limit"] | None


class SummaryQuery(Query):
    days: Annotated[int, Field(ge=1, le=366)] = 30


class SummaryTotals(TypedDict):
    """What the completed sessions of some days add up to."""

    sessions: int
    minutes: int
    tracks: int
    annotations: int
    streak_days: int


class CategoryRow(TypedDict):
    """How many items of a category were answered."""

    category: PromptCategory
    answered: int


class Summary(TypedDict):
    sessions: int
    minutes: int
    annotations: int
    tracks: int
    by_category: dict[PromptCategory, int]
    streak_days: int
