"""Requests and responses of the listening routes.

In bodies that create something, null is the same as absent. Answers that Python puts together are TypedDicts, and rows
that only Python reads are NamedTuples: as models they would take the function's cold start over its budget.
"""

import math
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, NotRequired
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.paging import PageOrAll, PageShown
from questlog.wire import (
    Body,
    Form,
    Instant,
    Page,
    PageSize,
    Query,
    RewardFields,
    Trimmed,
    absent,
    blank_is_null,
)

MAX_ITEMS = 50

AnnotationCategory = Literal["general", "technique", "mix", "mastering", "arrangement", "production"]
SectionType = Literal["intro", "verse", "chorus", "bridge", "breakdown", "buildup", "drop", "outro", "custom"]
MatchMode = Literal["integrated", "region", "short_term_max", "none"]
Side = Literal["a", "b", "tie"]
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


def _milliseconds(time: Any) -> Any:
    """A time, rounded to the nearest millisecond where it is a fraction; halves go up."""
    return math.floor(time + 0.5) if isinstance(time, float) and math.isfinite(time) else time


StartTime = Annotated[int, BeforeValidator(_milliseconds), Field(ge=0, le=86_400_000)]
# The latest that a column of the database holds.
EndTime = Annotated[int, BeforeValidator(_milliseconds), Field(ge=0, le=2**31 - 1)]
Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
LongText = Annotated[Trimmed, StringConstraints(max_length=10_000), AfterValidator(blank_is_null)]
Color = Annotated[
    str,
    Form("^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$", "must be a colour, such as #3b82f6"),
    Field(examples=["#3b82f6"]),
]
ComparisonName = Annotated[Trimmed, StringConstraints(max_length=200), AfterValidator(blank_is_null)]
Offset = Annotated[int, Field(ge=-3_600_000, le=3_600_000)]
Lufs = Annotated[float, Field(ge=-40, le=0, allow_inf_nan=False)]
SwitchInterval = Annotated[int, Field(ge=500, le=60_000)]
Goal = Annotated[Trimmed, StringConstraints(max_length=500), AfterValidator(blank_is_null)]
Takeaway = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
Rating = Annotated[int, Field(ge=1, le=5)]


class Paging(TypedDict):
    """Where a page of a list stands: beside the `data` of every paged answer."""

    total: int
    page: int
    page_size: int
    has_next: bool
    has_prev: bool


class Found(TypedDict):
    """That a row is there."""

    id: UUID


# Annotations and regions ----------------------------------------------------------------------------------------------


class AnnotationsQuery(PageOrAll):
    category: AnnotationCategory | None = None


class NewAnnotation(Body):
    start_time_ms: StartTime
    end_time_ms: EndTime | None = None
    title: Annotated[Title, Field(examples=["The bass comes in"])]
    content: LongText | None = None
    category: AnnotationCategory | None = None
    color: Color | None = None
    is_private: bool | None = None
    session_id: UUID | None = None


class AnnotationChange(Body):
    start_time_ms: StartTime = absent()
    end_time_ms: EndTime | None = absent()
    title: Title = absent()
    content: LongText | None = absent()
    category: AnnotationCategory = absent()
    color: Color | None = absent()
    is_private: bool = absent()
    session_id: UUID | None = absent()


class Annotation(TypedDict):
    id: UUID
    track_id: UUID
    user_id: UUID
    session_id: UUID | None
    start_time_ms: int
    end_time_ms: int | None
    title: str
    content: str | None
    category: AnnotationCategory
    color: str
    is_private: bool
    created_at: Instant
    updated_at: Instant


class Annotations(PageShown):
    annotations: list[Annotation]


class NewRegion(Body):
    start_time_ms: StartTime
    # Not 1 ms as an example: a region has to end after it starts.
    end_time_ms: Annotated[EndTime, Field(examples=[30_000])]
    name: Annotated[Title, Field(examples=["First chorus"])]
    section_type: SectionType | None = None
    color: Color | None = None
    is_loop: bool | None = None
    notes: LongText | None = None


class RegionChange(Body):
    start_time_ms: StartTime = absent()
    end_time_ms: EndTime = absent()
    name: Title = absent()
    section_type: SectionType = absent()
    color: Color | None = absent()
    is_loop: bool = absent()
    notes: LongText | None = absent()


class Region(TypedDict):
    id: UUID
    track_id: UUID
    user_id: UUID
    start_time_ms: int
    end_time_ms: int
    name: str
    section_type: SectionType
    color: str
    is_loop: bool
    notes: str | None
    created_at: Instant
    updated_at: Instant


class Regions(PageShown):
    regions: list[Region]


class Span(NamedTuple):
    """Where a region lies in its track."""

    start_time_ms: int
    end_time_ms: int


class FrameRow(NamedTuple):
    """A chunk of the frames of a region, compressed by zlib; `start_frame` is the number of its first one."""

    region_id: UUID
    from_ms: int
    to_ms: int
    hop_ms: int
    duration_ms: int
    start_frame: int
    frame_data: bytes


class Analyzed(NamedTuple):
    """The results of a full analysis other than its frames; times in ms."""

    channels: int
    duration_ms: int
    bpm: float | None
    bpm_confidence: float
    sections: list[dict[str, Any]]


class Metrics(TypedDict):
    from_ms: int
    to_ms: int
    integrated_lufs: float | None
    max_momentary_lufs: float | None
    sample_peak_dbfs: float | None
    rms_dbfs: float | None
    crest_db: float | None
    correlation: float | None
    spectrum_db: list[float] | None


class SuggestionsQuery(Query):
    bars: Annotated[int, Field(ge=1, le=64)] = 8
    limit: Annotated[int, Field(ge=1, le=64)] = 16


class TrackLength(NamedTuple):
    """What is known of a track without its analysis."""

    duration_seconds: float | None
    bpm: float | None


class Downbeat(NamedTuple):
    """Where a bar begins."""

    time_ms: int


class Suggestion(TypedDict):
    start_time_ms: int
    end_time_ms: int
    name: str
    section_type: SectionType
    confidence: float
    source: Literal["sections", "beats", "grid"]


class Suggestions(TypedDict):
    suggestions: list[Suggestion]


# Comparisons ----------------------------------------------------------------------------------------------------------


class ComparisonsQuery(Query):
    track_id: UUID | None = None
    page: Page = 1
    page_size: PageSize = 20


class Including(Query):
    include: Literal["stream"] | None = None


class NewComparison(Body):
    track_a_id: UUID
    track_b_id: Annotated[UUID, Field(examples=["0192f3c4-5a6b-7c8d-9e0f-112233445577"])]
    name: ComparisonName | None = None
    region_a_id: UUID | None = None
    region_b_id: UUID | None = None
    offset_ms: Offset | None = None
    match_mode: MatchMode | None = None
    target_lufs: Lufs | None = None
    blind: bool | None = None
    switch_interval_ms: SwitchInterval | None = None


class ComparisonChange(Body):
    name: ComparisonName | None = absent()
    notes: LongText | None = absent()
    verdict: Side | None = absent()
    region_a_id: UUID | None = absent()
    region_b_id: UUID | None = absent()
    offset_ms: Offset = absent()
    match_mode: MatchMode = absent()
    target_lufs: Lufs | None = absent()
    blind: bool = absent()
    switch_interval_ms: SwitchInterval | None = absent()


class NewVote(Body):
    preferred: Literal["a", "b", "x", "y", "tie"]
    aspect: Annotated[Trimmed, StringConstraints(max_length=60), AfterValidator(blank_is_null)] | None = None
    note: Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)] | None = None
    trial: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class ComparisonRow(NamedTuple):
    """A comparison with the names of what it compares, and its votes counted."""

    id: UUID
    user_id: UUID
    name: str | None
    offset_ms: int
    match_mode: MatchMode
    target_lufs: float | None
    blind: bool
    revealed: bool
    blind_swap: bool
    trial: int
    switch_interval_ms: int | None
    notes: str | None
    verdict: Side | None
    created_at: datetime
    updated_at: datetime
    track_a_id: UUID
    name_a: str
    artist_a: str | None
    duration_a: float | None
    status_a: str
    key_a: str
    track_b_id: UUID
    name_b: str
    artist_b: str | None
    duration_b: float | None
    status_b: str
    key_b: str
    region_a_id: UUID | None
    region_name_a: str | None
    start_a: int | None
    end_a: int | None
    region_b_id: UUID | None
    region_name_b: str | None
    start_b: int | None
    end_b: int | None
    votes_a: int
    votes_b: int
    votes_tie: int

    @property
    def hidden(self) -> bool:
        """Whether it must stay hidden which of X and Y is A."""
        return self.blind and not self.revealed


class MeasureRow(NamedTuple):
    """What was measured of a track: the summary of a full analysis, or of one of loudness alone."""

    track_id: UUID
    is_full: bool
    summary: dict[str, Any]


class ComparedTrack(TypedDict):
    id: UUID
    name: str
    artist: str | None
    duration_seconds: float | None
    status: str


class ComparedRegion(TypedDict):
    id: UUID
    name: str
    start_time_ms: int
    end_time_ms: int


class ComparedSpan(TypedDict):
    start_time_ms: int
    end_time_ms: int


class Match(TypedDict):
    status: Literal["ready", "pending_analysis", "unavailable"]
    loudness_a: float | None
    loudness_b: float | None
    gain_a_db: float | None
    gain_b_db: float | None
    volume_a: float | None
    volume_b: float | None
    gain_x_db: float | None
    gain_y_db: float | None
    volume_x: float | None
    volume_y: float | None
    region_x: ComparedSpan | None
    region_y: ComparedSpan | None
    offset_x_ms: int | None
    offset_y_ms: int | None
    limited: bool


class Deltas(TypedDict):
    integrated_lu: float | None
    lra_lu: float | None
    true_peak_db: float | None
    plr_db: float | None
    crest_db: float | None
    correlation: float | None
    bpm: float | None
    spectrum_db: list[float | None] | None


class Tally(TypedDict):
    total: int
    a: int | None
    b: int | None
    tie: int | None
    p_value: float | None


class Stream(TypedDict):
    url: str
    expires_at: Instant


class Comparison(TypedDict):
    """A comparison; its streams are there where they were asked for: A's and B's, or X's and Y's while it is blind."""

    id: UUID
    user_id: UUID
    name: str | None
    track_a: ComparedTrack
    track_b: ComparedTrack
    region_a: ComparedRegion | None
    region_b: ComparedRegion | None
    offset_ms: int
    match_mode: MatchMode
    target_lufs: float | None
    blind: bool
    revealed: bool
    trial: int
    switch_interval_ms: int | None
    notes: str | None
    verdict: Side | None
    match: Match
    deltas: Deltas | None
    tally: Tally
    created_at: Instant
    updated_at: Instant
    stream_a: NotRequired[Stream | None]
    stream_b: NotRequired[Stream | None]
    stream_x: NotRequired[Stream | None]
    stream_y: NotRequired[Stream | None]


class Comparisons(Paging):
    data: list[Comparison]


class VoteRow(NamedTuple):
    """A vote, with what was sent: x or y in a blind trial."""

    id: UUID
    trial: int
    preferred: Side
    preferred_as_sent: Literal["a", "b", "x", "y", "tie"]
    aspect: str | None
    note: str | None
    created_at: datetime


class Vote(TypedDict):
    id: UUID
    trial: int
    preferred: Literal["a", "b", "x", "y", "tie"] | None
    aspect: str | None
    note: str | None
    created_at: Instant


class Voted(TypedDict):
    vote: Vote
    tally: Tally
    comparison: Comparison


class Round(TypedDict):
    """Whether a comparison hides which of X and Y is A."""

    hidden: bool


class Votes(PageShown):
    votes: list[Vote]


# Prompts and listening sessions ---------------------------------------------------------------------------------------


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
