"""How a user's way through the flow is shown (planning contract, section 5)."""

from collections.abc import Sequence

from functions.onboarding.models import Flow, Onboarding, Progress, State, StepRow


def needs_onboarding(state: State | None) -> bool:
    """Whether a client should lead the user into the flow: not after it was completed or skipped."""
    if state is None or state.status == "not_started":
        return True
    return state.status == "in_progress" and state.can_resume


def progress(steps: Sequence[StepRow]) -> Progress:
    """How many of the flow's steps were answered or passed; the percentage is rounded down."""
    completed = sum(step.is_answered for step in steps)
    return Progress(
        completed_steps=completed,
        total_steps=len(steps),
        percent_complete=100 * completed // len(steps) if steps else 0,
    )


def overview(state: State | None, flow: Flow | None, steps: Sequence[StepRow]) -> Onboarding:
    """The flow, its steps in their order, and how far the user is."""
    return Onboarding(
        needs_onboarding=needs_onboarding(state),
        state=state,
        progress=progress(steps),
        flow=flow,
        current_step=next((step for step in steps if step.is_current), None),
        all_steps=list(steps),
    )
