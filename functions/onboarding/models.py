"""Requests and responses of the onboarding routes.

Answers that Python puts together are TypedDicts: as models they would make the function's cold start longer.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import Body, Instant, ResponseModel, Row, json_at_most

Status = Literal["not_started", "in_progress", "completed", "skipped"]
StepType = Literal["welcome", "tour", "input", "multi_select", "action", "completion"]


def _trimmed(response: Any) -> Any:
    """Text without the blanks around it; anything else as it is."""
    return response.strip() if isinstance(response, str) else response


class StepAnswer(Body):
    step_id: Annotated[str, Field(examples=["step_interests"])]
    response: Annotated[Any, BeforeValidator(_trimmed), json_at_most(4096), Field(examples=[["focus", "music"]])] = None


class Skipping(Body):
    soft_landing_hours: Annotated[int, Field(ge=1, le=168)] = 24


class State(ResponseModel):
    """How far a user is in the flow."""

    status: Status
    started_at: Instant | None
    completed_at: Instant | None
    skipped_at: Instant | None
    can_resume: bool


class StepName(ResponseModel):
    """A step in the list of all of them."""

    id: str
    order: int
    step_type: StepType
    title: str


class Option(TypedDict):
    value: str
    label: str


class Step(StepName):
    description: str | None
    target_selector: str | None
    target_route: str | None
    fallback_content: str | None
    options: list[Option] | None
    allows_multiple: bool
    required: bool
    action_type: str | None
    action_config: dict[str, Any] | None


class StepRow(Step):
    """A step, and where the user stands with it."""

    is_current: bool
    is_answered: bool


class Flow(ResponseModel):
    id: str
    name: str
    total_steps: int


class Progress(TypedDict):
    completed_steps: int
    total_steps: int
    percent_complete: int


class Onboarding(TypedDict):
    needs_onboarding: bool
    state: State | None
    progress: Progress
    flow: Flow | None
    current_step: Step | None
    all_steps: list[StepName]


class Started(TypedDict):
    success: bool
    state: State
    current_step: Step | None


class Answered(TypedDict):
    success: bool
    completed: bool
    next_step: Step | None


class SoftLanding(Row):
    """Until when a client shows less than usual after the flow was skipped."""

    soft_landing_until: Instant


class Skipped(TypedDict):
    success: bool
    message: str
    soft_landing_until: Instant


class StepFound(Row):
    """The step that was answered is one of the user's flow."""

    id: str


class Reset(ResponseModel):
    success: bool
    message: str = "Onboarding can be started again."
