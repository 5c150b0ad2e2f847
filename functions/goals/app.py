"""Goals, and the milestones on the way to them (core contract, section 5)."""

from uuid import UUID

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Deleted

from functions.goals.models import (
    Goal,
    GoalChange,
    GoalChanged,
    Goals,
    GoalsQuery,
    Milestone,
    MilestoneChange,
    MilestoneCompleted,
    MilestoneDeleted,
    MilestoneReopened,
    NewGoal,
    NewMilestone,
    Order,
)

api = Api(__file__)


@api.get("/goals")
def goals(db: Db, query: GoalsQuery) -> Goals:
    """The user's goals with their milestones, the highest priority first, then the newest."""
    return db.one(Goals, "goals", status=query.status)


@api.post("/goals")
def add(db: Db, body: NewGoal) -> Goal:
    """A new goal; 409 limit_reached at 500."""
    return db.one(Goal, "add", **body.model_dump())


@api.get("/goals/{goal_id}")
def goal(db: Db, goal_id: UUID) -> Goal:
    """One goal."""
    return db.one(Goal, "goal", goal_id=goal_id)


@api.patch("/goals/{goal_id}")
def change(db: Db, goal_id: UUID, body: GoalChange) -> GoalChanged:
    """Change a goal; completing it is paid, once.

    409 open_milestones when it is to be completed too early, invalid_state from completed to anything but active.
    """
    return db.one(GoalChanged, "change", goal_id=goal_id, changes=body.changes())


@api.delete("/goals/{goal_id}")
def delete(db: Db, goal_id: UUID) -> Deleted:
    """Delete a goal and its milestones; what they paid stays paid."""
    return db.one(Deleted, "delete", goal_id=goal_id)


@api.post("/goals/{goal_id}/milestones")
def add_milestone(db: Db, goal_id: UUID, body: NewMilestone) -> Milestone:
    """Add a milestone, last in order; a completed goal is active again. 409 limit_reached at 100."""
    return db.one(Milestone, "add_milestone", goal_id=goal_id, **body.model_dump())


@api.put("/goals/{goal_id}/milestones/order")
def reorder(db: Db, goal_id: UUID, body: Order) -> Goal:
    """Put a goal's milestones in this order; 400 unless each is named once."""
    return db.one(Goal, "reorder", goal_id=goal_id, ids=body.ids)


@api.patch("/goals/milestones/{milestone_id}")
def change_milestone(db: Db, milestone_id: UUID, body: MilestoneChange) -> Milestone:
    """Change what a milestone says."""
    return db.one(Milestone, "change_milestone", milestone_id=milestone_id, changes=body.changes())


@api.delete("/goals/milestones/{milestone_id}")
def delete_milestone(db: Db, milestone_id: UUID) -> MilestoneDeleted:
    """Delete a milestone; the goal's progress is counted anew, and never completes it."""
    return db.one(MilestoneDeleted, "delete_milestone", milestone_id=milestone_id)


@api.post("/goals/milestones/{milestone_id}/complete")
def complete_milestone(db: Db, milestone_id: UUID) -> MilestoneCompleted:
    """Complete a milestone and, with the last open one, the goal; each is paid once. 409 invalid_state if abandoned."""
    return db.one(MilestoneCompleted, "complete_milestone", milestone_id=milestone_id)


@api.post("/goals/milestones/{milestone_id}/uncomplete")
def uncomplete_milestone(db: Db, milestone_id: UUID) -> MilestoneReopened:
    """Open a milestone again, and a completed goal with it; what was paid stays paid."""
    return db.one(MilestoneReopened, "uncomplete_milestone", milestone_id=milestone_id)


handler = api.handler
