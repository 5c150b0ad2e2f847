"""Requests and responses about comparisons of two tracks, and votes. See models.py for the kinds of classes."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, NotRequired
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.paging import PageShown
from questlog.wire import Body, Instant, Page, PageSize, Query, Trimmed, absent, blank_is_null

from functions.listening.models import LongText, Paging

MatchMode = Literal["integrated", "region", "short_term_max", "none"]
Side = Literal["a", "b", "tie"]
ComparisonName = Annotated[Trimmed, StringConstraints(max_length=200), AfterValidator(blank_is_null)]
Offset = Annotated[int, Field(ge=-3_600_000, le=3_600_000)]
Lufs = Annotated[float, Field(ge=-40, le=0, allow_inf_nan=False)]
SwitchInterval = Annotated[int, Field(ge=500, le=60_000)]


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
