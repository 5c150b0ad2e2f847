"""Requests and responses of tracks, analyses and frames.

Answers that Python puts together are TypedDicts: as models they would take the function's cold start over its budget.
"""

from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NotRequired,  # pydantic takes the one of typing from Python 3.12 on
    Self,
)
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from questlog.wire import (
    Body,
    Form,
    Instant,
    Page,
    PageSize,
    Query,
    ResponseModel,
    Row,
    Trimmed,
    absent,
    blank_is_null,
)

TrackStatus = Literal["uploading", "processing", "ready", "error"]
Visibility = Literal["private", "shared"]

MAX_BYTES = 200 * 1024 * 1024
"""Of one file (audio contract, 1.3)."""


def _each_once(tags: list[str]) -> list[str]:
    """The tags in their order, each once."""
    return list(dict.fromkeys(tags))


def _or_none(tags: list[str] | None) -> list[str]:
    return tags or []


Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=300), Field(examples=["Weightless"])]
Description = Annotated[Trimmed, StringConstraints(max_length=5_000), AfterValidator(blank_is_null)]
Label = Annotated[Trimmed, StringConstraints(max_length=300), AfterValidator(blank_is_null)]
KeySignature = Annotated[Trimmed, StringConstraints(max_length=32), AfterValidator(blank_is_null)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Bpm = Annotated[float, Field(ge=20, le=400, allow_inf_nan=False)]
Tag = Annotated[Trimmed, StringConstraints(min_length=1, max_length=50)]
Tags = Annotated[list[Tag], Field(max_length=50), AfterValidator(_each_once)]
Bytes = Annotated[int, Field(ge=0, le=2**53)]
ObjectKey = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Paging(TypedDict):
    """Where a page of a list stands: beside the `data` of every paged answer."""

    total: int
    page: int
    page_size: int
    has_next: bool
    has_prev: bool


# Uploads --------------------------------------------------------------------------------------------------------------


class NewUpload(Body):
    filename: Annotated[Trimmed, StringConstraints(min_length=1, max_length=255), Field(examples=["mix 3.wav"])]
    mime_type: Annotated[str, StringConstraints(max_length=255)] = ""
    file_size: Annotated[int, Field(ge=1, le=MAX_BYTES)]


class Intent(Row):
    """A key that was handed out, and the type that was declared for it."""

    r2_key: str
    mime_type: str


class Upload(TypedDict):
    url: str
    r2_key: str
    expires_at: Instant
    method: Literal["PUT"]
    headers: dict[str, str]
    max_bytes: int


class Download(TypedDict):
    url: str
    expires_at: Instant
    method: Literal["GET"]


class Usage(ResponseModel):
    tracks: int
    bytes: int
    quota_bytes: int
    max_file_bytes: int = MAX_BYTES


# Tracks ---------------------------------------------------------------------------------------------------------------


class TrackFields(Body):
    """What a user may say about a track, beside its name."""

    description: Description | None = absent()
    duration_seconds: Seconds | None = absent()
    artist: Label | None = absent()
    album: Label | None = absent()
    genre: Label | None = absent()
    bpm: Bpm | None = absent()
    key_signature: KeySignature | None = absent()
    tags: Annotated[Tags | None, AfterValidator(_or_none)] = absent()


class NewTrack(TrackFields):
    name: Name
    r2_key: ObjectKey
    file_size_bytes: Bytes | None = None
    mime_type: Annotated[str, StringConstraints(max_length=255)] | None = None

    def described(self) -> dict[str, Any]:
        """What the user said about the track."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"r2_key", "file_size_bytes", "mime_type"})


class TrackChange(TrackFields):
    name: Name = absent()
    visibility: Visibility = absent()


class TracksQuery(Query):
    page: Page = 1
    page_size: PageSize = 20
    q: Annotated[Trimmed, StringConstraints(max_length=300)] | None = None
    tag: Annotated[Trimmed, StringConstraints(max_length=50)] | None = None
    status: TrackStatus | None = None


class BrowseQuery(Query):
    email: Annotated[Trimmed, StringConstraints(min_length=1, max_length=320)]
    page: Page = 1
    page_size: PageSize = 20


class Track(ResponseModel):
    id: UUID
    user_id: UUID
    name: str
    description: str | None
    r2_key: str
    file_size_bytes: int
    mime_type: str
    duration_seconds: float | None
    artist: str | None
    album: str | None
    genre: str | None
    bpm: float | None
    key_signature: str | None
    tags: list[str]
    status: TrackStatus
    error_message: str | None
    visibility: Visibility
    sample_rate: int | None
    channels: int | None
    bit_depth: int | None
    content_sha256: str | None
    created_at: Instant
    updated_at: Instant


class Tracks(Paging):
    data: list[Track]


class VisibleTrack(Track):
    """A track, and whether it is the caller's own."""

    is_own: bool = Field(exclude=True)

    def shown(self) -> "VisibleTrack":
        """The track as the caller may see it: without its key when it is another user's."""
        return self if self.is_own else self.model_copy(update={"r2_key": ""})


class BrowsedUser(Row):
    """Whose tracks are browsed, and how many there are to see."""

    user_email: str
    user_name: str | None
    total: int


class Browsed(TypedDict):
    user_email: str
    user_name: str | None
    tracks: list[VisibleTrack]
    total: int
    page: int
    page_size: int


class DeletedTrack(Row):
    """The key of the object that goes with the track."""

    r2_key: str


class Found(Row):
    """That the thing is there."""

    id: UUID


# Analyses -------------------------------------------------------------------------------------------------------------

AnalysisType = Literal["full", "quick", "spectral", "loudness"]
AnalysisStatus = Literal["pending", "running", "completed", "failed"]
Profile = Literal["bass-heavy", "mid-focused", "bright", "balanced"]
ContentHash = Annotated[str, Form("^[0-9A-Fa-f]{64}$", "must have 64 hexadecimal digits"), AfterValidator(str.lower)]
Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]
Decibels = Annotated[float, Field(ge=-200, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class NewAnalysis(Body):
    analysis_type: AnalysisType = "full"
    force: bool = False


class AnalysisQuery(Query):
    type: AnalysisType | None = None


class WaveformQuery(Query):
    points: Annotated[int, Field(ge=16, le=1_000)] = 500


class CacheQuery(Query):
    track_id: UUID | None = None
    content_hash: ContentHash | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.track_id is None) == (self.content_hash is None):
            raise ValueError("either track_id or content_hash is required, and not both")
        return self


class Analysis(ResponseModel):
    id: UUID
    track_id: UUID
    analysis_type: AnalysisType
    version: str
    status: AnalysisStatus
    progress: float
    started_at: Instant | None
    completed_at: Instant | None
    error_message: str | None
    summary: dict[str, Any]
    created_at: Instant
    updated_at: Instant


class Analyses(TypedDict):
    analyses: list[Analysis]


class WaveformRow(Row):
    """The waveform of an analysis, of 1000 slices or of none, and what it is of."""

    waveform: list[float]
    duration_ms: int
    sample_rate: int
    completed_at: Instant


class Waveform(TypedDict):
    peaks: list[float]
    duration_seconds: float
    sample_rate: int
    generated_at: Instant


class NewCachedSection(Body):
    start_ms: Milliseconds
    end_ms: Milliseconds
    label: Annotated[Trimmed, StringConstraints(min_length=1, max_length=100)]


class NewCachedAnalysis(Body):
    content_hash: Annotated[ContentHash, Field(examples=["0" * 64])]
    name: Name
    duration_ms: Milliseconds | None = None
    bpm: Bpm | None = None
    key_signature: KeySignature | None = None
    integrated_lufs: Decibels | None = None
    sample_peak_dbfs: Decibels | None = None
    rms_dbfs: Decibels | None = None
    energy: Share | None = None
    frequency_profile: Profile | None = None
    waveform: Annotated[list[Share], Field(max_length=1_000)] | None = None
    sections: Annotated[list[NewCachedSection], Field(max_length=100)] | None = None


class CachedSection(TypedDict):
    start_ms: int
    end_ms: int
    label: str


class CachedAnalysis(ResponseModel):
    content_hash: str
    name: str
    source: Literal["worker", "client"]
    track_id: UUID | None
    duration_ms: int | None
    bpm: float | None
    key_signature: str | None
    integrated_lufs: float | None
    sample_peak_dbfs: float | None
    rms_dbfs: float | None
    energy: float | None
    frequency_profile: Profile | None
    waveform: list[float] | None
    sections: list[CachedSection]
    created_at: Instant
    updated_at: Instant


# Frames ---------------------------------------------------------------------------------------------------------------

EventType = Literal["beat", "downbeat", "transient", "section_start", "section_end", "peak", "silence", "custom"]
Moment = Annotated[int, Field(ge=0, le=2**31 - 1)]


class WindowQuery(Query):
    from_ms: Moment
    to_ms: Moment

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.to_ms <= self.from_ms:
            raise ValueError("to_ms must be more than from_ms")
        return self


class EventsQuery(Query):
    from_ms: Moment | None = None
    to_ms: Moment | None = None
    event_type: EventType | None = None


class Band(TypedDict):
    name: str
    data_type: Literal["float32"]
    size: int
    description: NotRequired[str]
    unit: NotRequired[str]
    min_value: NotRequired[float]
    max_value: NotRequired[float]


class BandPlace(TypedDict):
    """Where the numbers of a band lie in a frame."""

    band_name: str
    byte_offset: int
    byte_size: int


class Manifest(ResponseModel):
    """How the frames of an analysis are laid out."""

    version: Literal["1.0"] = "1.0"
    hop_ms: int
    frame_count: int
    duration_ms: int
    sample_rate: int
    bytes_per_frame: int
    chunk_size_frames: int
    total_chunks: int
    bands: list[Band]
    frame_layout: list[BandPlace]
    fingerprint: str
    analyzer_version: str


class StoredChunk(NamedTuple):
    """Frames as they are stored, compressed; `end_frame` is the one behind the last."""

    chunk_index: int
    start_frame: int
    end_frame: int
    frame_data: bytes


class Chunk(TypedDict):
    chunk_index: int
    start_frame: int
    end_frame: int
    start_time_ms: int
    end_time_ms: int
    frame_count: int
    data_base64: str


class Range(TypedDict):
    from_ms: int
    to_ms: int


class Window(TypedDict):
    manifest: Manifest
    requested_range: Range
    actual_range: Range
    chunks: list[Chunk]
    total_frames: int
    total_bytes: int


class Event(TypedDict):
    """What happens at a moment; what is not known of it is left out."""

    type: EventType
    time_ms: int
    duration_ms: NotRequired[int]
    confidence: NotRequired[float]
    data: NotRequired[dict[str, Any]]


class Events(TypedDict):
    analysis_id: UUID
    events: list[Event]
    count: int


# A track in full ------------------------------------------------------------------------------------------------------


class Noted(Row):
    """How much is noted of a track."""

    annotation_count: int
    region_count: int


class TrackDetail(TypedDict):
    track: VisibleTrack
    annotation_count: int
    region_count: int
    latest_analysis: Analysis | None
