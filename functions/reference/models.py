"""Requests and responses of tracks, analyses and frames.

What Python alone puts together is a TypedDict: as models, these shapes would take the function's cold start over its
budget.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import (
    Body,
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
