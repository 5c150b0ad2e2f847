"""The prompts for listening sessions that all users share: templates, and the presets of each."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.api import Api
from questlog.db import Db
from questlog.identity import Client
from questlog.wire import (
    Body,
    Flag,
    Instant,
    Page,
    PageSize,
    Query,
    Total,
    Trimmed,
    absent,
    blank_is_null,
    json_at_most,
)

from functions.admin.models import ROLE, Paging

api = Api(__file__, queries="templates.sql", role=ROLE)

MANAGE: Final = "content:manage"
TOO_LARGE: Final = {413: ["answer_too_large"]}

Category = Literal[
    "general",
    "frequency",
    "dynamics",
    "spatial",
    "arrangement",
    "production",
    "mixing",
    "mastering",
    "genre_specific",
]
Difficulty = Literal["beginner", "intermediate", "advanced", "expert"]
PresetType = Literal["focus", "comparison", "loop", "visualization"]
Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[Trimmed, StringConstraints(max_length=5_000), AfterValidator(blank_is_null)]
PromptText = Annotated[Trimmed, StringConstraints(min_length=1, max_length=5_000)]
Lines = Annotated[list[Annotated[Trimmed, StringConstraints(min_length=1, max_length=500)]], Field(max_length=50)]
Config = Annotated[dict[str, Any], json_at_most(16_384)]
Order = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class TemplatesQuery(Query):
    category: Category | None = None
    difficulty: Difficulty | None = None
    active_only: Flag = False
    page: Page = 1
    page_size: PageSize = 50


class NewTemplate(Body):
    name: Name
    description: Description | None = None
    category: Category = "general"
    difficulty: Difficulty = "beginner"
    prompt_text: PromptText
    hints: Lines = Field(default_factory=list)
    expected_observations: Lines = Field(default_factory=list)
    tags: Lines = Field(default_factory=list)
    display_order: Order = 0
    is_active: bool = True


class TemplateChange(Body):
    name: Name = absent()
    description: Description | None = absent()
    category: Category = absent()
    difficulty: Difficulty = absent()
    prompt_text: PromptText = absent()
    hints: Lines = absent()
    expected_observations: Lines = absent()
    tags: Lines = absent()
    display_order: Order = absent()
    is_active: bool = absent()


class Template(TypedDict):
    id: UUID
    name: str
    description: str | None
    category: Category
    difficulty: Difficulty
    prompt_text: str
    hints: list[str]
    expected_observations: list[str]
    tags: list[str]
    display_order: int
    is_active: bool
    created_by: UUID | None
    created_at: Instant
    updated_at: Instant


class NewPreset(Body):
    name: Name
    description: Description | None = None
    preset_type: PresetType = "focus"
    config: Config = Field(default_factory=dict)
    is_active: bool = True


class PresetChange(Body):
    template_id: UUID | None = absent()
    name: Name = absent()
    description: Description | None = absent()
    preset_type: PresetType = absent()
    config: Config = absent()
    is_active: bool = absent()


class Preset(TypedDict):
    id: UUID
    name: str
    description: str | None
    template_id: UUID | None
    preset_type: PresetType
    config: dict[str, Any]
    is_active: bool
    created_by: UUID | None
    created_at: Instant
    updated_at: Instant


class Templates(Paging):
    templates: list[Template]


class TemplateWithPresets(Template):
    presets: list[Preset]


class ShownTemplate(TypedDict):
    template: Template


class ShownTemplateWithPresets(TypedDict):
    template: TemplateWithPresets


class Presets(TypedDict):
    presets: list[Preset]


class ShownPreset(TypedDict):
    preset: Preset


class Found(TypedDict):
    """That a row is there."""

    id: UUID


class Gone(TypedDict):
    deleted: bool
    message: str


@api.get("/admin/templates", requires=MANAGE, envelope=False, errors=TOO_LARGE)
def templates(db: Db, query: TemplatesQuery) -> Templates:
    """List the templates by category and their order in it."""
    total, found = db.each((Total, list[Template]), "templates", **query.model_dump())
    return {"templates": found, "total": total.total, "page": query.page, "page_size": query.page_size}


@api.post("/admin/templates", requires=MANAGE, envelope=False)
def create_template(db: Db, body: NewTemplate, client: Client) -> ShownTemplate:
    """Make a template; all users have it at once."""
    return {"template": db.one(Template, "create_template", **body.model_dump(), client=client._asdict())}


@api.get("/admin/templates/{template_id}", requires=MANAGE, envelope=False, errors=TOO_LARGE)
def template(db: Db, template_id: UUID) -> ShownTemplateWithPresets:
    """Return a template with its presets."""
    found, presets = db.each((Template, list[Preset]), "template", template_id=template_id)
    return {"template": {**found, "presets": presets}}


@api.put("/admin/templates/{template_id}", requires=MANAGE, envelope=False)
def change_template(db: Db, template_id: UUID, body: TemplateChange, client: Client) -> ShownTemplate:
    """Change fields of a template."""
    given = {"template_id": template_id, "changes": body.changes(), "client": client._asdict()}
    return {"template": db.one(Template, "change_template", **given)}


@api.delete("/admin/templates/{template_id}", requires=MANAGE, envelope=False)
def delete_template(db: Db, template_id: UUID, client: Client) -> Gone:
    """Delete a template with its presets. Sessions that were begun with it stay, without it."""
    db.one(Found, "delete_template", template_id=template_id, client=client._asdict())
    return {"deleted": True, "message": "The template and its presets are deleted."}


@api.get("/admin/templates/{template_id}/presets", requires=MANAGE, envelope=False, errors=TOO_LARGE)
def presets(db: Db, template_id: UUID) -> Presets:
    """List the presets of a template, oldest first."""
    _, found = db.each((Found, list[Preset]), "presets", template_id=template_id)
    return {"presets": found}


@api.post("/admin/templates/{template_id}/presets", requires=MANAGE, envelope=False)
def create_preset(db: Db, template_id: UUID, body: NewPreset, client: Client) -> ShownPreset:
    """Make a preset of a template."""
    given = {"template_id": template_id, "client": client._asdict(), **body.model_dump()}
    return {"preset": db.one(Preset, "create_preset", **given)}


@api.get("/admin/templates/presets/{preset_id}", requires=MANAGE, envelope=False)
def preset(db: Db, preset_id: UUID) -> ShownPreset:
    """Return a preset."""
    return {"preset": db.one(Preset, "preset", preset_id=preset_id)}


@api.put("/admin/templates/presets/{preset_id}", requires=MANAGE, envelope=False)
def change_preset(db: Db, preset_id: UUID, body: PresetChange, client: Client) -> ShownPreset:
    """Change fields of a preset, or whose it is; a null `template_id` takes it out of its template."""
    given = {"preset_id": preset_id, "changes": body.changes(), "client": client._asdict()}
    return {"preset": db.one(Preset, "change_preset", **given)}


@api.delete("/admin/templates/presets/{preset_id}", requires=MANAGE, envelope=False)
def delete_preset(db: Db, preset_id: UUID, client: Client) -> Gone:
    """Delete a preset."""
    db.one(Found, "delete_preset", preset_id=preset_id, client=client._asdict())
    return {"deleted": True, "message": "The preset is deleted."}
