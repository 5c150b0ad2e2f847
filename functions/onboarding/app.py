"""Onboarding: the first run of the app as a flow of steps, whose answers set up the account (planning contract, 5)."""

from questlog.api import Api
from questlog.db import Db

from functions.onboarding import rules
from functions.onboarding.models import (
    Answered,
    Flow,
    Onboarding,
    Reset,
    Skipped,
    Skipping,
    SoftLanding,
    Started,
    State,
    Step,
    StepAnswer,
    StepFound,
    StepRow,
)

api = Api(__file__)


@api.get("/onboarding")
def onboarding(db: Db) -> Onboarding:
    """Return the flow, its steps, and how far the user is; `needs_onboarding` says whether to lead the user into it."""
    states, flows, steps = db.each((list[State], list[Flow], list[StepRow]), "onboarding")
    return rules.overview(states[0] if states else None, flows[0] if flows else None, steps)


@api.post("/onboarding/start", errors={404: ["not_found"]})
def start(db: Db) -> Started:
    """Begin the flow, or go on where it stopped. A completed flow stays completed."""
    state, steps = db.each((State, list[Step]), "start")
    return Started(success=True, state=state, current_step=steps[0] if steps else None)


@api.post(
    "/onboarding/step",
    errors={
        404: ["not_found"],
        409: ["step_out_of_order", "invalid_state", "limit_reached", "too_many_settings"],
    },
)
def answer(db: Db, body: StepAnswer) -> Answered:
    """Answer a step, which begins the flow if it has not begun, and apply the answer to the account.

    400 for an answer that the step does not take; 404 for a step that is none of the flow's. 409 step_out_of_order for
    one behind the current step; invalid_state when the flow is skipped or completed; limit_reached when the answer
    would make the 501st goal, too_many_settings when it would make the 201st setting.
    """
    _, state, steps = db.each(
        (StepFound, State, list[Step]), "answer", step_id=body.step_id, answer={"response": body.response}
    )
    return Answered(success=True, completed=state.status == "completed", next_step=steps[0] if steps else None)


@api.post("/onboarding/skip", errors={404: ["not_found"], 409: ["invalid_state"]})
def skip(db: Db, body: Skipping) -> Skipped:
    """Skip the flow; it can be gone on with later. A second time changes nothing. 409 invalid_state once completed."""
    landing = db.one(SoftLanding, "skip", hours=body.soft_landing_hours)
    return Skipped(
        success=True,
        message="Onboarding is skipped. You can go on with it at any time.",
        soft_landing_until=landing.soft_landing_until,
    )


@api.post("/onboarding/reset", envelope=False)
def reset(db: Db) -> Reset:
    """Forget the answers, so that the flow can be started again. What they set in the account stays."""
    return db.one(Reset, "reset")


handler = api.handler
