"""What the dashboard offers, decided from the facts of a day (core contract, section 6); the time is one of them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from questlog.wire import percentage

from functions.today.models import (
    Activity,
    Count,
    DayRow,
    DaySummary,
    DynamicUI,
    Facts,
    FocusTime,
    HabitCount,
    LastUsed,
    Level,
    NextItem,
    Personalization,
    PlanItem,
    PlanSummary,
    Primer,
    QuestCount,
    QuickPick,
    Streak,
    Today,
    UserState,
)

GAP: Final = timedelta(hours=48)
RESUMABLE: Final = timedelta(hours=24)
# Uses in 14 days from which a module is offered, and how many are.
OFTEN: Final = 3
PICKS: Final = 2
# Uses in 14 days: of learning by users who learn regularly; of focus and learning by those who focus and hardly learn.
LEARNER: Final = 5
FOCUSED: Final = 10
ONBOARDING_ROUTE: Final = "/today"


class Module(NamedTuple):
    """A part of the app, where it is, and the types of event that come from it."""

    module: str
    route: str
    label: str
    events: re.Pattern[str]


def _module(name: str, events: str) -> Module:
    return Module(name, f"/{name}", name.capitalize(), re.compile(f"(client:)?({events})"))


# Modules used as often are offered in this order.
MODULES: Final = [
    _module("focus", "(focus|break)_"),
    _module("exercise", "workout_|personal_record$"),
    _module("learn", "(lesson|drill|review|listening)_"),
    _module("habits", "habit_"),
    _module("quests", "quest_"),
    _module("goals", "(milestone|goal)_"),
    _module("planner", "planner_"),
]
HABITS: Final = MODULES[3]
QUESTS: Final = MODULES[4]


def module_of(event_type: str) -> Module | None:
    """The module to which a type of event belongs, of the ledger or of a client; None for some types."""
    return next((module for module in MODULES if module.events.match(event_type)), None)


def module_uses(uses: Mapping[str, int]) -> Counter[str]:
    """How often each module was used, from the uses by type of event."""
    counted: Counter[str] = Counter()
    for event_type, count in uses.items():
        module = module_of(event_type)
        if module is not None:
            counted[module.module] += count
    return counted


def quick_picks(used: Counter[str], pending_habits: int, active_quests: int) -> list[QuickPick]:
    """Up to two modules: the most used of those used often, then habits and quests where something waits there."""
    often = [(module, used[module.module]) for module in MODULES if used[module.module] >= OFTEN]
    often.sort(key=lambda pick: -pick[1])
    picked = {module.module for module, _ in often}
    waiting = [(HABITS, pending_habits), (QUESTS, active_quests)]
    often += [(module, count) for module, count in waiting if count > 0 and module.module not in picked]
    return [QuickPick(module=m.module, route=m.route, label=m.label, count=count) for m, count in often[:PICKS]]


def resume_last(newest: Activity | None, now: datetime) -> LastUsed | None:
    """The module of the newest activity, for a day."""
    module = module_of(newest.event_type) if newest else None
    if newest is None or module is None or now - newest.at >= RESUMABLE:
        return None
    return LastUsed(module=module.module, route=module.route, label=module.label, last_used=newest.at)


def interest_primer(used: Counter[str]) -> Primer | None:
    """What to offer beside the picks: more learning or, to users who focus often and hardly learn, the shortcuts."""
    if used["learn"] >= LEARNER:
        return Primer(type="learn", route="/learn", label="Keep learning")
    if used["focus"] >= FOCUSED and used["learn"] < OFTEN:
        return Primer(type="hub", route="/hub", label="Browse shortcuts")
    return None


def next_item(items: Sequence[PlanItem]) -> NextItem | None:
    """What to do next: of the items, which are in order, the first that is not completed."""
    item = next((item for item in items if not item.completed), None)
    return None if item is None else NextItem(**item.model_dump(exclude={"completed"}))


def day_summary(row: DayRow, items: Sequence[PlanItem]) -> DaySummary:
    """The local day in numbers, with its plan counted."""
    return DaySummary(
        date=row.date,
        plan=Count(completed=sum(item.completed for item in items), total=len(items)),
        habits=HabitCount(done=row.habits_done, due=row.habits_due),
        focus=FocusTime(seconds=row.focus_seconds, sessions=row.focus_sessions),
        quests=QuestCount(active=row.quests_active, ready=row.quests_ready),
        streak=Streak(days=row.streak_days, at_risk=row.streak_at_risk),
        level=Level(
            level=row.level,
            current_xp=row.current_xp,
            xp_to_next_level=row.xp_to_next_level,
            xp_progress_percent=percentage(row.current_xp, row.xp_to_next_level),
        ),
        xp_today=row.xp_today,
        coins_today=row.coins_today,
        overdue_goals=row.overdue_goals,
    )


def dashboard(facts: Facts, items: Sequence[PlanItem], newest: Activity | None, uses: Mapping[str, int]) -> Today:
    """The whole document."""
    summary = day_summary(facts, items)
    unfinished = summary.plan.completed < summary.plan.total
    used = module_uses(uses)
    return Today(
        user_state=UserState(
            plan_exists=facts.plan_exists,
            has_incomplete_plan_items=unfinished,
            returning_after_gap=newest is not None and facts.now - newest.at >= GAP,
            first_day=newest is None or facts.made_today,
            focus_active=facts.focus_active,
            active_streak=facts.streak_days >= 1,
        ),
        dynamic_ui_data=DynamicUI(
            quick_picks=quick_picks(used, facts.habits_due - facts.habits_done, facts.quests_active),
            resume_last=resume_last(newest, facts.now),
            interest_primer=interest_primer(used),
        ),
        plan_summary=PlanSummary(
            plan_exists=facts.plan_exists,
            has_incomplete_plan_items=unfinished,
            next_incomplete_item=next_item(items),
            total_count=summary.plan.total,
            completed_count=summary.plan.completed,
        ),
        personalization=Personalization(
            interests=facts.interests,
            module_weights=facts.module_weights,
            nudge_intensity=facts.nudge_intensity,
            focus_duration=facts.focus_duration,
            gamification_visible=facts.gamification_visible,
            onboarding_active=facts.onboarding_active,
            onboarding_route=ONBOARDING_ROUTE if facts.onboarding_active else None,
        ),
        data=summary,
    )
