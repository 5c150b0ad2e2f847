"""What requests and responses of several subjects of listening have in common; each subject has a module of its own.

In bodies that create something, null is the same as absent. Answers that Python puts together are TypedDicts, and rows
that only Python reads are NamedTuples: as models they would take the function's cold start over its budget.
"""

from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import Trimmed, blank_is_null

LongText = Annotated[Trimmed, StringConstraints(max_length=10_000), AfterValidator(blank_is_null)]


class Paging(TypedDict):
    """Where a page of a list stands: beside the `data` of every paged answer."""

    total: int
    page: int
    page_size: int
    has_next: bool
    has_prev: bool


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
