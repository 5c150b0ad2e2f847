"""Goals, and the milestones on the way to them (core contract, section 5)."""

from uuid import UUID

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.wire import Deleted, Reward, Total

from functions.goals import rules
from functions.goals.models import (
    Goal,
    GoalChange,
    GoalChanged,
    GoalProgress,
    GoalRow,
    Goals,
    GoalsPage,
    GoalsQuery,
    Milestone,
    MilestoneChange,
    MilestoneCompleted,
    MilestoneCompletion,
    MilestoneDeleted,
    MilestoneReopened,
    NewGoal,
    NewMilestone,
    Order,
)

api = Api(__file__)


@api.get(
    "/goals",
    tools=[
        Tool("list_goals", "List the goals with their milestones and ids.", arguments=("status",)),
    ],
)
def goals(db: Db, query: GoalsQuery) -> Goals | GoalsPage:
    """List the user's goals with their milestones, all or a page: the highest priority first, then the newest."""
    if not query.is_paged:
        rows, milestones = db.each((list[GoalRow], list[Milestone]), "goals", status=query.status)
        return Goals(goals=rules.with_milestones(rows, milestones), total=len(rows))
    rows, milestones, count = db.each(
        (list[GoalRow], list[Milestone], Total), "goals_page", status=query.status, **query.asked
    )
    return GoalsPage(goals=rules.with_milestones(rows, milestones), total=count.total, **query.asked)


@api.post("/goals", errors={409: ["limit_reached"]})
def add(db: Db, body: NewGoal) -> Goal:
    """Add a goal. 409 limit_reached when there are 500."""
    return rules.with_own_milestones(db.one(GoalRow, "add", **body.model_dump()), [])


@api.get("/goals/{goal_id}")
def goal(db: Db, goal_id: UUID) -> Goal:
    """Return one goal."""
    return rules.with_own_milestones(*db.each((GoalRow, list[Milestone]), "goal", goal_id=goal_id))


@api.patch("/goals/{goal_id}", errors={409: ["open_milestones", "invalid_state"]})
def change(db: Db, goal_id: UUID, body: GoalChange) -> GoalChanged:
    """Change a goal. The first time it is completed, it is paid.

    409 open_milestones when it is to be completed and has open milestones; invalid_state when it is completed and is to
    become anything but active.
    """
    reward, row, milestones = db.each(
        (Reward, GoalRow, list[Milestone]), "change", goal_id=goal_id, changes=body.changes()
    )
    return GoalChanged(**dict(rules.with_own_milestones(row, milestones)), **dict(reward))


@api.delete("/goals/{goal_id}")
def delete(db: Db, goal_id: UUID) -> Deleted:
    """Delete a goal and its milestones. The user keeps what they paid."""
    return db.one(Deleted, "delete", goal_id=goal_id)


@api.post("/goals/{goal_id}/milestones", errors={409: ["limit_reached"]})
def add_milestone(db: Db, goal_id: UUID, body: NewMilestone) -> Milestone:
    """Add a milestone, last in order. A completed goal is active again. 409 limit_reached when there are 100."""
    return db.one(Milestone, "add_milestone", goal_id=goal_id, **body.model_dump())


@api.put("/goals/{goal_id}/milestones/order")
def reorder(db: Db, goal_id: UUID, body: Order) -> Goal:
    """Put a goal's milestones in the order of `ids`, which must name each of them once."""
    return rules.with_own_milestones(*db.each((GoalRow, list[Milestone]), "reorder", goal_id=goal_id, ids=body.ids))


@api.patch("/goals/milestones/{milestone_id}")
def change_milestone(db: Db, milestone_id: UUID, body: MilestoneChange) -> Milestone:
    """Change the title, the description or the target date of a milestone."""
    return db.one(Milestone, "change_milestone", milestone_id=milestone_id, changes=body.changes())


@api.delete("/goals/milestones/{milestone_id}")
def delete_milestone(db: Db, milestone_id: UUID) -> MilestoneDeleted:
    """Delete a milestone and count the goal's progress again. The goal is not completed when no open one is left."""
    return db.one(MilestoneDeleted, "delete_milestone", milestone_id=milestone_id)


@api.post(
    "/goals/milestones/{milestone_id}/complete",
    errors={409: ["invalid_state"]},
    tools=[
        Tool("complete_milestone", "Mark a milestone of a goal as reached.", idempotent=True),
    ],
)
def complete_milestone(db: Db, milestone_id: UUID) -> MilestoneCompleted:
    """Complete a milestone and, with the last open one, the goal. Each is paid once.

    409 invalid_state when the goal is abandoned.
    """
    completion, milestone = db.each((MilestoneCompletion, Milestone), "complete_milestone", milestone_id=milestone_id)
    return MilestoneCompleted(**dict(completion), milestone=milestone)


@api.post("/goals/milestones/{milestone_id}/uncomplete")
def uncomplete_milestone(db: Db, milestone_id: UUID) -> MilestoneReopened:
    """Open a milestone again, and a completed goal with it. The user keeps what they paid."""
    goal, milestone = db.each((GoalProgress, Milestone), "uncomplete_milestone", milestone_id=milestone_id)
    return MilestoneReopened(milestone=milestone, goal_progress=goal.goal_progress)


handler = api.handler
