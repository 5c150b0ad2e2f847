"""Goals with their milestones, from the rows of the database."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from functions.goals.models import Goal, GoalRow, Milestone


def with_milestones(goals: Iterable[GoalRow], milestones: Iterable[Milestone]) -> list[Goal]:
    """The goals in the order given, each with its milestones in the order given."""
    of_goal: dict[UUID, list[Milestone]] = defaultdict(list)
    for milestone in milestones:
        of_goal[milestone.goal_id].append(milestone)
    return [with_own_milestones(goal, of_goal[goal.id]) for goal in goals]


def with_own_milestones(goal: GoalRow, milestones: list[Milestone]) -> Goal:
    """A goal with its milestones, and their counts."""
    return Goal(
        **dict(goal),
        milestones=milestones,
        total_milestones=len(milestones),
        completed_milestones=sum(milestone.is_completed for milestone in milestones),
    )
