"""The requests and answers of the gamification routes."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from questlog.cursor import place_of
from questlog.wire import (
    Body,
    Day,
    Flag,
    Instant,
    Query,
    ResponseModel,
    Row,
    Trimmed,
    blank_is_null,
    json_at_most,
)

BoardName = Literal["xp", "streaks"]
Period = Literal["week", "month", "all"]
StreakType = Literal["daily_activity", "focus", "habit", "workout", "learning", "reading"]

Limit = Annotated[int, Field(ge=1, le=100)]
Cursor = Annotated[int, PlainValidator(place_of), WithJsonSchema({"type": "string"})]

EventType = Annotated[Trimmed, StringConstraints(min_length=1, max_length=64)]
Category = Annotated[Trimmed, StringConstraints(max_length=64), AfterValidator(blank_is_null)]
Metadata = Annotated[dict[str, Any], json_at_most(4096)]


class SummaryRow(ResponseModel):
    """The summary without its percentage."""

    total_xp: int
    current_level: int
    current_xp: int
    xp_to_next_level: int
    xp_remaining: int
    coins: int
    total_earned: int
    total_spent: int
    total_skill_stars: int
    achievement_count: int
    current_streak: int
    longest_streak: int
    streak_at_risk: bool
    streak_shields: int


class Summary(SummaryRow):
    xp_progress_percent: int


class Effect(ResponseModel):
    effect_type: str
    factor: float
    ends_at: Instant


class Counter(Row):
    counter: str
    value: int


class Stats(Summary):
    counters: dict[str, int]
    effects: list[Effect]


class ProgressRow(ResponseModel):
    """The progress without its percentage."""

    xp: int
    level: int
    coins: int
    current_xp: int
    xp_to_next_level: int
    xp_remaining: int
    streak_days: int
    longest_streak: int
    total_skill_stars: int


class Progress(ProgressRow):
    xp_progress_percent: float


class Streak(ResponseModel):
    streak_type: StreakType
    current_streak: int
    longest_streak: int
    last_activity_date: date | None
    active: bool
    at_risk: bool
    protected: bool


class Skill(ResponseModel):
    key: str
    name: str
    description: str | None
    category: str
    icon: str | None
    color: str
    max_level: int
    stars_per_level: int
    sort_order: int


class UserSkill(ResponseModel):
    skill_key: str
    name: str
    category: str
    icon: str | None
    color: str
    xp: int
    current_stars: int
    current_level: int
    max_level: int
    xp_in_level: int
    xp_to_next_level: int


class KnownAchievement(ResponseModel):
    key: str
    name: str
    description: str | None
    category: str
    icon: str | None
    reward_xp: int
    reward_coins: int
    is_hidden: bool
    sort_order: int


class Achievement(KnownAchievement):
    trigger_type: str
    earned: bool
    earned_at: Instant | None
    progress: int
    progress_max: int


class AchievementsQuery(Query):
    earned: Flag | None = None
    category: str | None = None


class AchievementBook(ResponseModel):
    achievements: list[Achievement]
    earned_count: int
    total: int


class TeasedAchievement(KnownAchievement):
    id: str
    trigger_type: str
    trigger_config: dict[str, Any]
    created_at: Instant


class ClosestAchievement(TeasedAchievement):
    progress: int
    progress_max: int


class Tease(ResponseModel):
    achievement: TeasedAchievement
    progress: int
    progress_max: int
    progress_label: str


class Teaser(ResponseModel):
    teaser: Tease | None


class SeenAchievements(Body):
    keys: Annotated[list[str], Field(max_length=1000)] | None = None


class Seen(ResponseModel):
    seen: int


class EarnedQuery(Query):
    unseen: Flag = False


class EarnedAchievement(ResponseModel):
    achievement_key: str
    name: str
    earned_at: Instant
    notified: bool
    reward_xp: int
    reward_coins: int


class LedgerQuery(Query):
    limit: Limit = 50
    cursor: Cursor | None = None
    event_type: str | None = None
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None


class Entry(ResponseModel):
    id: UUID
    event_type: str
    source_type: str
    source_id: UUID | None
    xp: int
    bonus_xp: int
    coins: int
    skill_key: str | None
    coins_after: int
    total_xp_after: int
    level_after: int
    reason: str | None
    reversed: bool
    reverses: UUID | None
    cause_id: UUID | None
    local_date: date
    created_at: Instant


class NumberedEntry(Entry):
    """An entry with its place in the ledger, which no answer shows."""

    seq: int


class Ledger(ResponseModel):
    entries: list[Entry]
    next_cursor: str | None


class HistoryQuery(Query):
    days: Annotated[int, Field(ge=1, le=366)] = 30


class Today(Row):
    date: date


class HistoryDay(ResponseModel):
    date: date
    xp: int
    coins_earned: int
    coins_spent: int
    events: int


class History(ResponseModel):
    days: list[HistoryDay]


class Level(ResponseModel):
    level: int
    cost: int
    total_xp: int


class Rules(ResponseModel):
    levels: list[Level]


class PeriodQuery(Query):
    period: Period = "all"
    limit: Limit = 20


class BoardQuery(PeriodQuery):
    board: BoardName = "xp"


class LeaderRow(ResponseModel):
    rank: int
    name: str
    value: int
    level: int
    is_me: bool


class BoardRow(LeaderRow):
    """A row with its place on the board, which no answer shows: those who share a rank stand one after the other."""

    place: int


class Caller(Row):
    opted_in: bool


class Board(ResponseModel):
    board: BoardName
    period: Period
    opted_in: bool
    entries: list[LeaderRow]
    me: LeaderRow | None


class ActivityQuery(Query):
    limit: Annotated[int, Field(ge=1)] = 20
    before: Instant | None = None


class LoggedActivity(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"event_type": "walk", "category": "health"}]})

    type: EventType | None = None
    event_type: Annotated[EventType | None, Field(validate_default=True)] = None
    category: Category | None = None
    metadata: Metadata = {}

    @field_validator("event_type")
    @classmethod
    def _or_type(cls, event_type: str | None, info: ValidationInfo) -> str | None:
        if event_type is None and info.data.get("type", "") is None:
            raise ValueError("is required, here or as `type`")
        return event_type or info.data.get("type")


class Activity(ResponseModel):
    id: UUID
    event_type: str
    category: str | None
    metadata: dict[str, Any]
    xp_earned: int
    coins_earned: int
    created_at: Instant
