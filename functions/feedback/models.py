"""The requests and answers of the feedback routes."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import StringConstraints

from questlog.wire import Body, Instant, Page, PageSize, Query, ResponseModel, Trimmed, json_at_most

FeedbackType = Literal["bug", "feature", "other"]
Status = Literal["open", "acknowledged", "in_progress", "resolved", "closed", "wont_fix"]
Priority = Literal["low", "normal", "high", "urgent"]


class ReportsQuery(Query):
    page: Page = 1
    page_size: PageSize = 100
    status: Status | None = None


class NewReport(Body):
    type: FeedbackType
    title: Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
    description: Annotated[Trimmed, StringConstraints(min_length=1, max_length=10000)]
    priority: Priority = "normal"
    metadata: Annotated[dict[str, Any], json_at_most(4096)] | None = None


class Report(ResponseModel):
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


class Reports(ResponseModel):
    feedback: list[Report]
    total: int
    page: int
    page_size: int
