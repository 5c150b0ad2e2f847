"""Requests and answers of the ideas routes."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import (
    Body,
    Flag,
    Instant,
    Page,
    PageSize,
    Query,
    ResponseModel,
    Tags,
    Trimmed,
    absent,
    blank_is_null,
)

Target = Literal["quest", "infobase", "plan"]

LONGEST_TITLE = 200


def _kept_unless_blank(text: str) -> str | None:
    return text if text.strip() else None


Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=LONGEST_TITLE)]
Content = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_kept_unless_blank)]
Category = Annotated[Trimmed, StringConstraints(min_length=1, max_length=50)]
Key = Annotated[Trimmed, StringConstraints(max_length=20), AfterValidator(blank_is_null)]
Bpm = Annotated[int, Field(ge=20, le=400)]
Mood = Annotated[Trimmed, StringConstraints(max_length=40), AfterValidator(blank_is_null)]


class IdeasQuery(Query):
    search: Annotated[Trimmed, StringConstraints(max_length=200)] = ""
    category: Annotated[Trimmed, StringConstraints(max_length=50)] | None = None
    tag: Annotated[Trimmed, StringConstraints(max_length=50)] | None = None
    archived: Flag = False
    page: Page = 1
    page_size: PageSize = 100


class NewIdea(Body):
    """An idea. Without a title, the first line of its content that is not blank becomes the title."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "A bridge in 7/8"}]})

    id: UUID | None = None
    content: Content | None = None
    title: Annotated[Title | None, Field(validate_default=True)] = None
    category: Category = "general"
    tags: Tags = []
    key: Key | None = None
    bpm: Bpm | None = None
    mood: Mood | None = None
    is_pinned: bool = False

    @field_validator("title")
    @classmethod
    def _says_something(cls, title: str | None, info: ValidationInfo) -> str | None:
        if title is None and "content" in info.data and info.data["content"] is None:
            raise ValueError("is needed where there is no content")
        return title

    def fields(self) -> dict[str, Any]:
        """The idea with a title of its own."""
        lines = (self.content or "").strip().splitlines()
        return {**self.model_dump(), "title": self.title or lines[0].strip()[:LONGEST_TITLE].strip()}


class IdeaChange(Body):
    title: Title = absent()
    content: Content | None = absent()
    category: Category = absent()
    tags: Tags = absent()
    key: Key | None = absent()
    bpm: Bpm | None = absent()
    mood: Mood | None = absent()
    is_pinned: bool = absent()
    is_archived: bool = absent()


class Promotion(Body):
    to: Target


class Made(TypedDict):
    """What an idea was made into. The id of a task of the daily plan is no UUID."""

    type: Target
    id: str


def _each_target(promoted: Any) -> Any:
    """The stored object of ids by type as the list that the wire shows."""
    return [{"type": kind, "id": target} for kind, target in promoted.items()]


class Idea(ResponseModel):
    id: UUID
    title: str
    content: str | None
    category: str
    tags: list[str]
    is_pinned: bool
    is_archived: bool
    key: str | None
    bpm: int | None
    mood: str | None
    promoted_to: Annotated[list[Made], Field(validation_alias="promoted"), BeforeValidator(_each_target)]
    created_at: Instant
    updated_at: Instant


class Ideas(TypedDict):
    ideas: list[Idea]
    total: int
    page: int
    page_size: int


class Promoted(TypedDict):
    idea: Idea
    target: Made
