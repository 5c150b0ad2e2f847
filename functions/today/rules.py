"""What the dashboard offers, decided from the facts of a day (core contract, section 6); the time is one of them."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from functions.today.models import (
    Activity,
    DynamicUI,
    Facts,
    LastUsed,
    NextItem,
    Personalization,
    Plan,
    PlanItem,
    PlanSummary,
    Primer,
    QuickPick,
    Today,
    UserState,
)

GAP: Final = timedelta(hours=48)
RESUMABLE: Final = timedelta(hours=24)
# Uses in 14 days from which a module is offered, and how many are.
OFTEN: Final = 3
PICKS: Final = 2
# Uses in 14 days of who learns by habit, and of who focuses a lot and hardly learns.
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

# Where each type of item is done, for one that does not say or says something outside the app.
ROUTES: Final = {
    "focus": "/focus",
    "quest": "/quests",
    "workout": "/exercise",
    "learning": "/learn",
    "habit": "/habits",
}
_IN_APP: Final = re.compile(r"/focus$|/(quests|exercise|learn|habits|planner|goals|hub)")


def module_of(event_type: str) -> Module | None:
    """The module a type of event belongs to, whether the ledger or a client noted it; some belong to none."""
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
    """An invitation to who learns, or to who focuses and might want to."""
    if used["learn"] >= LEARNER:
        return Primer(type="learn", route="/learn", label="Keep learning")
    if used["focus"] >= FOCUSED and used["learn"] < OFTEN:
        return Primer(type="hub", route="/hub", label="Browse shortcuts")
    return None


def next_item(plan: Plan) -> NextItem | None:
    """What to do next: of the items, which are in order, the first that is not completed."""
    item = next((item for item in plan.items if not item.completed), None)
    if item is None:
        return None
    return NextItem(id=item.id, title=item.title, priority=item.priority, action_url=route_of(item), type=item.type)


def route_of(item: PlanItem) -> str:
    """Where an item leads: its own address, if that is in the app."""
    return item.action_url if _IN_APP.match(item.action_url) else ROUTES[item.type]


def dashboard(facts: Facts) -> Today:
    """The whole document."""
    plan = facts.plan or Plan(items=[], completed_count=0, total_count=0)
    unfinished = plan.completed_count < plan.total_count
    used = module_uses(facts.uses)
    habits = facts.summary.habits
    return Today(
        user_state=UserState(
            plan_exists=facts.plan is not None,
            has_incomplete_plan_items=unfinished,
            returning_after_gap=facts.newest is not None and facts.now - facts.newest.at >= GAP,
            first_day=facts.newest is None or facts.made_today,
            focus_active=facts.focus_active,
            active_streak=facts.summary.streak.days >= 1,
        ),
        dynamic_ui_data=DynamicUI(
            quick_picks=quick_picks(used, habits.due - habits.done, facts.summary.quests.active),
            resume_last=resume_last(facts.newest, facts.now),
            interest_primer=interest_primer(used),
        ),
        plan_summary=PlanSummary(
            plan_exists=facts.plan is not None,
            has_incomplete_plan_items=unfinished,
            next_incomplete_item=next_item(plan),
            total_count=plan.total_count,
            completed_count=plan.completed_count,
        ),
        personalization=Personalization(
            **facts.preferences.model_dump(),
            interests=facts.interests,
            onboarding_active=facts.onboarding_active,
            onboarding_route=ONBOARDING_ROUTE if facts.onboarding_active else None,
        ),
        data=facts.summary,
    )
