"""The requests and answers of the quest routes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from questlog.wire import (
    Body,
    Instant,
    Page,
    PageSize,
    Query,
    ResponseModel,
    Reward,
    Row,
    Trimmed,
    absent,
    blank_is_null,
)

Kind = Literal["user", "universal"]
Status = Literal["available", "accepted", "completed", "abandoned", "expired"]
Difficulty = Literal["starter", "easy", "medium", "hard", "epic"]
Frequency = Literal["daily", "weekly", "monthly"]

Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
Category = Annotated[Trimmed, StringConstraints(min_length=1, max_length=50)]
Description = Annotated[Trimmed, StringConstraints(max_length=5000), AfterValidator(blank_is_null)]
XpReward = Annotated[int, Field(ge=0, le=250)]
CoinReward = Annotated[int, Field(ge=0, le=100)]
Target = Annotated[int, Field(ge=1, le=1000)]


class PagesQuery(Query):
    page: Page = 1
    page_size: PageSize = 100


class QuestsQuery(PagesQuery):
    status: Status | None = None
    kind: Kind | None = None


class NewQuest(Body):
    title: Title
    category: Category
    description: Description | None = None
    difficulty: Difficulty = "starter"
    xp_reward: XpReward = absent()
    coin_reward: CoinReward = absent()
    target: Target = 1
    is_repeatable: bool = False
    repeat_frequency: Frequency | None = None
    expires_at: Instant | None = None
    skill_key: str = "discipline"


class QuestChange(Body):
    title: Title = absent()
    category: Category = absent()
    description: Description | None = absent()
    difficulty: Difficulty = absent()
    xp_reward: XpReward = absent()
    coin_reward: CoinReward = absent()
    target: Target = absent()
    is_repeatable: bool = absent()
    repeat_frequency: Frequency | None = absent()
    expires_at: Instant | None = absent()
    skill_key: str = absent()


class Progress(Body):
    increment: Annotated[int, Field(ge=1, le=1000)] = absent()
    progress: Annotated[int, Field(ge=0, le=2**31 - 1)] = absent()

    @field_validator("progress")
    @classmethod
    def _not_both(cls, progress: int, sent: ValidationInfo) -> int:
        if sent.data.get("increment") is not None:
            raise ValueError("cannot be sent together with increment")
        return progress


class Completing(Body):
    period_key: Trimmed | None = None


class Quest(ResponseModel):
    id: UUID
    kind: Kind
    key: str | None
    title: str
    description: str | None
    category: str
    difficulty: Difficulty
    xp_reward: int
    coin_reward: int
    skill_key: str | None
    status: Status
    progress: int
    target: int
    target_type: str | None
    is_repeatable: bool
    repeat_frequency: Frequency | None
    period: Literal["once", "daily", "weekly", "monthly"]
    period_key: str
    unclaimed_period: str | None
    streak_count: int
    accepted_at: Instant | None
    completed_at: Instant | None
    expires_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Quests(ResponseModel):
    quests: list[Quest]
    total: int
    page: int
    page_size: int


class CompletionRow(Reward):
    """A completion without its quest."""

    completed: bool
    already_completed: bool
    reward_capped: bool


class Completion(CompletionRow):
    quest: Quest


class HistoryQuery(Query):
    page: Page = 1
    page_size: PageSize = 50


class QuestId(Row):
    id: UUID


class PastCompletion(ResponseModel):
    period_key: str
    completed_at: Instant
    xp_awarded: int
    coins_awarded: int


class History(ResponseModel):
    completions: list[PastCompletion]
    total: int
    page: int
    page_size: int
