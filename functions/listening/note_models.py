"""Requests and responses about annotations and regions of tracks. See models.py for the kinds of classes."""

import math
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.paging import PageOrAll, PageShown
from questlog.wire import Body, Form, Instant, Query, Trimmed, absent

from functions.listening.models import LongText

AnnotationCategory = Literal["general", "technique", "mix", "mastering", "arrangement", "production"]
SectionType = Literal["intro", "verse", "chorus", "bridge", "breakdown", "buildup", "drop", "outro", "custom"]


def _milliseconds(time: Any) -> Any:
    """A time, rounded to the nearest millisecond where it is a fraction; halves go up."""
    return math.floor(time + 0.5) if isinstance(time, float) and math.isfinite(time) else time


StartTime = Annotated[int, Field(ge=0, le=86_400_000), BeforeValidator(_milliseconds)]
# The latest that a column of the database holds.
EndTime = Annotated[int, Field(ge=0, le=2**31 - 1), BeforeValidator(_milliseconds)]
Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
Color = Annotated[
    str,
    Form("^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$", "must be a colour, such as #3b82f6"),
    Field(examples=["#3b82f6"]),
]


class Found(TypedDict):
    """That a row is there."""

    id: UUID


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
