"""What the feedback routes take and answer."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from pydantic_core import to_json

from questlog.wire import Answer, Body, Instant, Page, PageSize, Query, Trimmed

FeedbackType = Literal["bug", "feature", "other"]
Status = Literal["open", "acknowledged", "in_progress", "resolved", "closed", "wont_fix"]
Priority = Literal["low", "normal", "high", "urgent"]

MAX_METADATA = 4096


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    if len(to_json(metadata)) > MAX_METADATA:
        raise ValueError(f"must be at most {MAX_METADATA} bytes of JSON")
    return metadata


class ReportsQuery(Query):
    page: Page = 1
    page_size: PageSize = 100
    status: Status | None = None


class NewReport(Body):
    type: FeedbackType
    title: Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
    description: Annotated[Trimmed, StringConstraints(min_length=1, max_length=10000)]
    priority: Priority = "normal"
    metadata: Annotated[dict[str, Any], AfterValidator(_small)] | None = None


class Report(Answer):
    id: UUID
    feedback_type: FeedbackType
    title: str
    description: str
    status: Status
    priority: Priority
    admin_response: str | None
    resolved_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Reports(Answer):
    feedback: list[Report]
    total: int
    page: int
    page_size: int
