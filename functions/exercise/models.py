"""What requests and responses of several subjects of training have in common; each subject has a module of its own.

In bodies that create something, null is the same as absent. Answers that Python puts together are TypedDicts, and rows
that only Python reads are NamedTuples: as models they would take the function's cold start over its budget.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import Trimmed, blank_is_null

Difficulty = Literal["beginner", "intermediate", "advanced"]
Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=120)]
Description = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
SetNotes = Annotated[Trimmed, StringConstraints(max_length=500), AfterValidator(blank_is_null)]
Weight = Annotated[float, Field(ge=-500, le=2_000, allow_inf_nan=False)]


class Removed(TypedDict):
    deleted: Literal[True]
