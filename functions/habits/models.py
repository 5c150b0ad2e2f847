"""Requests and responses of the habit routes."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from questlog.paging import PageOrAll, PageShown
from questlog.wire import (
    Body,
    Color,
    Day,
    Flag,
    Form,
    ImportReport,
    Instant,
    Query,
    ResponseModel,
    Reward,
    Row,
    Trimmed,
    absent,
    blank_is_null,
)

Frequency = Literal["daily", "weekly", "custom"]
Kind = Literal["check", "amount"]
Direction = Literal["at_least", "at_most"]
Period = Literal["day", "week", "month"]
Cadence = Literal["daily", "weekly", "custom", "week", "month"]
Status = Literal["done", "partial", "skipped", "missed", "pending", "not_due"]

EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]


def _in_order(days: list[int] | None) -> list[int]:
    """The weekdays in order and without repeats; all seven where none are given."""
    return EVERY_DAY if days is None else sorted(set(days))


def _general_if_blank(category: str) -> str:
    return category or "general"


def _clamped(limit: int) -> AfterValidator:
    """Clamps a reward to 0..limit; a reward outside is no error."""
    return AfterValidator(lambda reward: min(max(reward, 0), limit))


def _thousandths(amount: float) -> float:
    """An amount as it is stored, to three decimals."""
    if round(amount, 3) != amount:
        raise ValueError("must have at most 3 decimals")
    return amount


def _not_zero(amount: float) -> float:
    if amount == 0:
        raise ValueError("must not be 0")
    return amount


MOST_AMOUNT = 1_000_000_000

Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=120), Field(examples=["Read ten pages"])]
Text = Annotated[Trimmed, StringConstraints(max_length=2000), AfterValidator(blank_is_null)]
Count = Annotated[int, Field(ge=1, le=100)]
Weekday = Annotated[int, Field(ge=0, le=6)]
Weekdays = Annotated[Annotated[list[Weekday], Field(min_length=1, max_length=7)] | None, AfterValidator(_in_order)]
Icon = Annotated[Trimmed, StringConstraints(max_length=16), AfterValidator(blank_is_null)]
Category = Annotated[Trimmed, StringConstraints(max_length=40), AfterValidator(_general_if_blank)]
SkillKey = Annotated[Trimmed, StringConstraints(min_length=1, max_length=50), Field(examples=["knowledge"])]
ReminderTime = Annotated[
    str, Form("^([01][0-9]|2[0-3]):[0-5][0-9]$", "must be a time of day, HH:MM"), Field(examples=["07:30"])
]
XpReward = Annotated[int, _clamped(50)]
CoinReward = Annotated[int, _clamped(25)]
Amount = Annotated[
    float, Field(ge=0, le=MOST_AMOUNT, allow_inf_nan=False, examples=[2.5]), AfterValidator(_thousandths)
]
Step = Annotated[float, Field(gt=0, le=MOST_AMOUNT, allow_inf_nan=False, examples=[0.25]), AfterValidator(_thousandths)]
Change = Annotated[
    float,
    Field(ge=-MOST_AMOUNT, le=MOST_AMOUNT, allow_inf_nan=False, examples=[2.5]),
    AfterValidator(_thousandths),
    AfterValidator(_not_zero),
]
Unit = Annotated[Trimmed, StringConstraints(max_length=20), AfterValidator(blank_is_null), Field(examples=["km"])]
Group = Annotated[Trimmed, StringConstraints(max_length=40), AfterValidator(blank_is_null), Field(examples=["Morning"])]


class HabitsQuery(PageOrAll):
    archived: Flag = False


class ImportQuery(Query):
    format: Literal["auto", "loop", "habitica", "questlog"] = "auto"
    dry_run: Flag = False


class NewHabit(Body):
    name: Name
    description: Text | None = None
    frequency: Frequency = "daily"
    target_count: Count = 1
    custom_days: Weekdays = EVERY_DAY
    icon: Icon | None = None
    color: Color | None = None
    category: Category = "general"
    xp_reward: XpReward = 10
    coin_reward: CoinReward = 5
    skill_key: SkillKey | None = None
    reminder_time: ReminderTime | None = None
    kind: Kind = "check"
    direction: Direction = "at_least"
    target_amount: Amount | None = None
    unit: Unit | None = None
    amount_step: Step = 1
    period: Period = "day"
    group: Group | None = None


class HabitChange(Body):
    name: Name = absent()
    description: Text | None = absent()
    frequency: Frequency = absent()
    target_count: Count = absent()
    custom_days: Weekdays = absent()
    icon: Icon | None = absent()
    color: Color | None = absent()
    category: Category = absent()
    xp_reward: XpReward = absent()
    coin_reward: CoinReward = absent()
    skill_key: SkillKey | None = absent()
    reminder_time: ReminderTime | None = absent()
    kind: Kind = absent()
    direction: Direction = absent()
    target_amount: Amount | None = absent()
    unit: Unit | None = absent()
    amount_step: Step = absent()
    period: Period = absent()
    group: Group | None = absent()


class DayQuery(Query):
    date: Day | None = None


class DayBody(Body):
    date: Day | None = None


class Completing(DayBody):
    notes: Text | None = None


class Logging(Completing):
    amount: Change | None = None


class Correcting(DayBody):
    amount: Amount


class Order(Body):
    ids: Annotated[list[UUID], Field(max_length=1000)]


class HistoryQuery(Query):
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None


class Habit(ResponseModel):
    id: UUID
    name: str
    description: str | None
    frequency: Frequency
    target_count: int
    custom_days: list[int]
    icon: str | None
    color: str | None
    category: str
    xp_reward: int
    coin_reward: int
    skill_key: str | None
    reminder_time: str | None
    is_active: bool
    current_streak: int
    longest_streak: int
    last_completed_at: Instant | None
    completed_today: bool
    completed_count_today: int
    due_today: bool
    skipped_today: bool
    paused_until: date | None
    kind: Kind
    direction: Direction
    target_amount: float | None
    unit: str | None
    amount_step: float
    period: Period
    group: str | None
    amount_period: float | None
    remaining: float | None
    sort_order: int
    created_at: Instant
    updated_at: Instant


class Habits(PageShown):
    habits: list[Habit]


class Completion(Reward):
    """What a completion did and what it paid."""

    completion_id: UUID | None
    completed: bool
    already_completed: bool
    new_streak: int
    streak_bonus: bool


class Completed(Completion):
    habit: Habit


class LogEntry(Completion):
    """What an amount did, what it paid, and the period it is of. `remaining` is null for a limit."""

    amount_period: float
    remaining: float | None
    within_limit: bool


class Logged(LogEntry):
    habit: Habit


class Reversal(ResponseModel):
    """What an undo took back."""

    xp_reversed: int
    coins_reversed: int


class Undone(Reversal):
    habit: Habit


class HistorySpan(Row):
    """The days of a requested history, and the columns of the habit that decide about them."""

    first: date
    last: date
    today: date
    direction: Direction
    cadence: Cadence
    target_count: int
    created_on: date
    streak_from: date | None
    current_streak: int
    longest_streak: int

    @property
    def began_on(self) -> date:
        """The first day of the habit as it is now: of an earlier kind nothing was missed."""
        return self.streak_from or self.created_on


class RecordedDay(Row):
    """What is recorded of a habit on one day."""

    date: date
    count: int
    target: int
    week_target: int | None
    amount: Decimal | None
    amount_target: Decimal | None
    done: bool
    skipped: bool
    scheduled: bool
    paused: bool
    notes: str | None


class HistoryDay(ResponseModel):
    date: date
    count: int
    target: int
    status: Status
    amount: float | None
    notes: str | None


class History(ResponseModel):
    days: list[HistoryDay]
    completed_days: int
    due_days: int
    completion_rate: int
    current_streak: int
    longest_streak: int


class Written(Row):
    """Whether an import was written; it is not where the habits have changed since they were read."""

    written: bool


class HabitsReport(ImportReport):
    """The outcome of an import of habits, with the days that were written and the quests that were made."""

    completions: int
    skips: int
    quests: int
