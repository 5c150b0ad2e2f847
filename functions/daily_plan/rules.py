"""Plans as they are shown: a row and its items, and how many of them are completed."""

from collections.abc import Sequence
from itertools import groupby

from functions.daily_plan.models import DatedItem, Item, Plan, PlanRow


def plan_of(row: PlanRow, items: Sequence[Item]) -> Plan:
    """The plan with its items, which are in order."""
    return Plan(
        **row.model_dump(),
        items=list(items),
        completed_count=sum(item.completed for item in items),
        total_count=len(items),
    )


def plans_of(rows: Sequence[PlanRow], items: Sequence[DatedItem]) -> list[Plan]:
    """Each plan with its own items; both are in the order of days."""
    by_day = {day: list(group) for day, group in groupby(items, key=lambda item: item.date)}
    return [plan_of(row, by_day.get(row.date, [])) for row in rows]
