"""The rows and the answers of the dashboard. Answers are in camelCase, except the day's numbers."""

from typing import Annotated, Any, Literal

from pydantic import AliasGenerator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from questlog.wire import Day, Instant, ResponseModel, Row

ItemType = Literal["focus", "quest", "workout", "learning", "habit"]


class Count(ResponseModel):
    completed: int
    total: int


class HabitCount(ResponseModel):
    done: int
    due: int


class FocusTime(ResponseModel):
    seconds: int
    sessions: int


class QuestCount(ResponseModel):
    active: int
    ready: int


class Streak(ResponseModel):
    days: int
    at_risk: bool


class Level(ResponseModel):
    level: int
    current_xp: int
    xp_to_next_level: int
    xp_progress_percent: float


class DayRow(Row):
    """A local day in numbers, as the database counts them."""

    date: Day
    habits_done: int
    habits_due: int
    focus_seconds: int
    focus_sessions: int
    quests_active: int
    quests_ready: int
    streak_days: int
    streak_at_risk: bool
    level: int
    current_xp: int
    xp_to_next_level: int
    xp_today: int
    coins_today: int
    overdue_goals: int


class DaySummary(ResponseModel):
    """A local day in numbers."""

    date: Day
    plan: Count
    habits: HabitCount
    focus: FocusTime
    quests: QuestCount
    streak: Streak
    level: Level
    xp_today: int
    coins_today: int
    overdue_goals: int


class PlanItem(Row):
    """An item of the day's plan, with the address it leads to."""

    id: str
    type: ItemType
    title: str
    action_url: str
    completed: bool
    priority: int


class Activity(Row):
    """Something the user did: an award, or what a client logged."""

    event_type: str
    at: Instant


class Uses(Row):
    """How often an event of a type happened in the last 14 days."""

    event_type: str
    count: int


class Facts(DayRow):
    """What else the dashboard is made of: the user's state, and settings with their defaults."""

    now: Instant
    plan_exists: bool
    focus_active: bool
    made_today: bool
    interests: list[str]
    module_weights: dict[str, float]
    nudge_intensity: str
    focus_duration: int
    gamification_visible: bool
    onboarding_active: bool


class Camel(ResponseModel):
    model_config = ConfigDict(alias_generator=AliasGenerator(serialization_alias=to_camel))


class UserState(Camel):
    plan_exists: bool
    has_incomplete_plan_items: bool
    returning_after_gap: bool
    first_day: bool
    focus_active: bool
    active_streak: bool


class QuickPick(Camel):
    module: str
    route: str
    label: str
    count: int


class LastUsed(Camel):
    module: str
    route: str
    label: str
    last_used: Instant


class Primer(Camel):
    type: Literal["learn", "hub"]
    route: str
    label: str


class DynamicUI(Camel):
    quick_picks: list[QuickPick]
    resume_last: LastUsed | None
    interest_primer: Primer | None


class NextItem(Camel):
    id: str
    title: str
    priority: int
    action_url: str
    type: ItemType


class PlanSummary(Camel):
    plan_exists: bool
    has_incomplete_plan_items: bool
    next_incomplete_item: NextItem | None
    total_count: int
    completed_count: int


def _is_none(value: Any) -> bool:
    return value is None


class Personalization(Camel):
    interests: list[str]
    module_weights: dict[str, float]
    nudge_intensity: str
    focus_duration: int
    gamification_visible: bool
    onboarding_active: bool
    onboarding_route: Annotated[str | None, Field(exclude_if=_is_none)] = None


class Today(Camel):
    user_state: UserState
    dynamic_ui_data: Annotated[DynamicUI, Field(serialization_alias="dynamicUIData")]
    plan_summary: PlanSummary
    personalization: Personalization
    data: DaySummary
