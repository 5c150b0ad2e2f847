"""The routes of feedback: what users reported, and what becomes of it."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from typing_extensions import TypedDict

from questlog.api import Api
from questlog.db import Db
from questlog.identity import Client
from questlog.wire import Body, Instant, Page, PageSize, Query, Total, Trimmed, absent, blank_is_null

from functions.admin.models import ROLE, Paging

api = Api(__file__, queries="feedback.sql", role=ROLE)

FeedbackType = Literal["bug", "feature", "other"]
Status = Literal["open", "acknowledged", "in_progress", "resolved", "closed", "wont_fix"]
Priority = Literal["low", "normal", "high", "urgent"]


class FeedbackQuery(Query):
    status: Status | None = None
    type: FeedbackType | None = None
    page: Page = 1
    page_size: PageSize = 50


class FeedbackAnswer(Body):
    status: Status = absent()
    priority: Priority = absent()
    admin_response: Annotated[Trimmed, StringConstraints(max_length=5000), AfterValidator(blank_is_null)] | None = (
        absent()
    )


class UserReport(TypedDict):
    """A report as administrators see it."""

    id: UUID
    user_id: UUID
    user_email: str
    feedback_type: FeedbackType
    title: str
    description: str
    status: Status
    priority: Priority
    admin_response: str | None
    resolved_by: UUID | None
    resolved_at: Instant | None
    created_at: Instant


class UserReports(Paging):
    feedback: list[UserReport]


# The statements of the list: by whether it is of one status, and whether it is of one type.
_LISTS: Final[Mapping[tuple[bool, bool], str]] = {
    (False, False): "feedback",
    (False, True): "feedback_of_type",
    (True, False): "feedback_of_status",
    (True, True): "feedback_of_status_and_type",
}


@api.get("/admin/feedback", requires="feedback:manage", envelope=False)
def feedback(db: Db, query: FeedbackQuery) -> UserReports:
    """List the reports of all users: open ones, those in progress, acknowledged ones, the rest; newest first within."""
    name = _LISTS[query.status is not None, query.type is not None]
    page, count = db.each((list[UserReport], Total), name, **query.model_dump())
    return {"feedback": page, "total": count.total, "page": query.page, "page_size": query.page_size}


@api.get("/admin/feedback/{report_id}", requires="feedback:manage", envelope=False)
def report(db: Db, report_id: UUID) -> UserReport:
    """Return one report."""
    return db.one(UserReport, "report", report_id=report_id)


@api.put("/admin/feedback/{report_id}", requires="feedback:manage", envelope=False)
def answer(db: Db, client: Client, report_id: UUID, body: FeedbackAnswer) -> UserReport:
    """Change a report's status or priority, or answer it. Its author is told of a new status and of an answer."""
    sent = body.changes()
    if not sent:
        return db.one(UserReport, "report", report_id=report_id)
    details = {"fields": sorted(sent)}
    return db.one(UserReport, "answer_report", report_id=report_id, sent=sent, details=details, client=client._asdict())
