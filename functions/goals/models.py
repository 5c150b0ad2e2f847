"""Requests and responses of the goal routes."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from questlog.paging import PageOrAll
from questlog.wire import (
    Body,
    Day,
    Deleted,
    Instant,
    ResponseModel,
    Reward,
    Row,
    Trimmed,
    absent,
    blank_is_null,
)

Status = Literal["active", "completed", "abandoned", "paused"]

Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200), Field(examples=["Write a book"])]
GoalDescription = Annotated[Trimmed, StringConstraints(max_length=5000), AfterValidator(blank_is_null)]
MilestoneDescription = Annotated[Trimmed, StringConstraints(max_length=2000), AfterValidator(blank_is_null)]
Category = Annotated[Trimmed, StringConstraints(max_length=40), AfterValidator(blank_is_null)]
Priority = Annotated[int, Field(ge=0, le=100)]


class GoalsQuery(PageOrAll):
    status: Status | None = None


class NewGoal(Body):
    title: Title
    description: GoalDescription | None = None
    category: Category | None = None
    target_date: Day | None = None
    priority: Priority = 0


class GoalChange(Body):
    title: Title = absent()
    description: GoalDescription | None = absent()
    category: Category | None = absent()
    target_date: Day | None = absent()
    priority: Priority = absent()
    status: Status = absent()


class NewMilestone(Body):
    title: Title
    description: MilestoneDescription | None = None
    target_date: Day | None = None


class MilestoneChange(Body):
    title: Title = absent()
    description: MilestoneDescription | None = absent()
    target_date: Day | None = absent()


class Order(Body):
    ids: Annotated[list[UUID], Field(max_length=100)]


class Milestone(ResponseModel):
    id: UUID
    goal_id: UUID
    title: str
    description: str | None
    is_completed: bool
    completed_at: Instant | None
    sort_order: int
    target_date: date | None
    created_at: Instant


class GoalRow(ResponseModel):
    """A goal without its milestones."""

    id: UUID
    title: str
    description: str | None
    category: str | None
    target_date: date | None
    started_at: Instant | None
    completed_at: Instant | None
    status: Status
    progress: int
    priority: int
    is_overdue: bool
    created_at: Instant
    updated_at: Instant


class Goal(GoalRow):
    milestones: list[Milestone]
    total_milestones: int
    completed_milestones: int


class GoalChanged(Goal, Reward):
    """A goal, and what the change paid: completing a goal is a change of its status."""


class Goals(ResponseModel):
    goals: list[Goal]
    total: int


class GoalsPage(Goals):
    page: int
    page_size: int


class MilestoneDeleted(Deleted):
    goal_progress: int


class MilestoneCompletion(Reward):
    """What completing a milestone did to its goal, and what it paid."""

    goal_progress: int
    goal_completed: bool
    already_completed: bool


class MilestoneCompleted(MilestoneCompletion):
    milestone: Milestone
    completed: Literal[True] = True


class GoalProgress(Row):
    goal_progress: int


class MilestoneReopened(ResponseModel):
    milestone: Milestone
    goal_progress: int
    goal_completed: Literal[False] = False
