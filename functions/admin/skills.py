"""The routes of skills."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict

from questlog.api import Api
from questlog.db import Db
from questlog.identity import Client
from questlog.wire import Body, Color, Form, Page, PageSize, Query, Total, Trimmed, absent, blank_is_null

from functions.admin.models import ROLE, Done, Paging

api = Api(__file__, queries="skills.sql", role=ROLE)

SkillKey = Annotated[
    str,
    Form("^[a-z][a-z0-9_]{0,49}$", "must be a letter and at most 49 more letters, digits and _; letters are a to z"),
    Field(examples=["focus"]),
]
Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=100)]
Description = Annotated[Trimmed, StringConstraints(max_length=5000), AfterValidator(blank_is_null)]
MaxLevel = Annotated[int, Field(ge=1, le=1000)]
ScalingBase = Annotated[int, Field(ge=1, le=1_000_000_000)]
ScalingMultiplier = Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)]
DisplayOrder = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class SkillsPageQuery(Query):
    page: Page = 1
    page_size: PageSize = 50


class NewSkill(Body):
    id: SkillKey
    name: Name
    description: Description | None = None
    color: Color = "#8b5cf6"
    max_level: MaxLevel = 10
    xp_scaling_base: ScalingBase = 100
    xp_scaling_multiplier: ScalingMultiplier = 1.5


class SkillChange(Body):
    name: Name = absent()
    description: Description | None = absent()
    color: Color = absent()
    max_level: MaxLevel = absent()
    xp_scaling_base: ScalingBase = absent()
    xp_scaling_multiplier: ScalingMultiplier = absent()
    display_order: DisplayOrder = absent()
    is_active: bool = absent()


class Skill(TypedDict):
    """A skill as administrators see it."""

    id: str
    name: str
    description: str | None
    color: str
    max_level: int
    xp_scaling_base: int
    xp_scaling_multiplier: float
    display_order: int
    is_active: bool


class Skills(Paging):
    skills: list[Skill]


class SkillArchived(TypedDict):
    """Whether a skill was archived, because it is built in, and not deleted."""

    archived: bool


@api.get("/admin/skills", requires="content:manage", envelope=False)
def skills(db: Db, query: SkillsPageQuery) -> Skills:
    """List all skills in the order in which users see them, inactive ones too."""
    page, count = db.each((list[Skill], Total), "skills", **query.model_dump())
    return {"skills": page, "total": count.total, "page": query.page, "page_size": query.page_size}


@api.post("/admin/skills", requires="content:manage", envelope=False)
def put(db: Db, client: Client, body: NewSkill) -> Skill:
    """Add a skill behind the others. Where there is one with this id, it gets the fields that were sent."""
    fields, sent = body.model_dump(mode="json", exclude={"id"}), body.changes()
    return db.one(Skill, "put_skill", skill_id=sent.pop("id"), fields=fields, sent=sent, client=client._asdict())


@api.get("/admin/skills/{skill_id}", requires="content:manage", envelope=False)
def skill(db: Db, skill_id: str) -> Skill:
    """Return one skill."""
    return db.one(Skill, "skill", skill_id=skill_id)


@api.put("/admin/skills/{skill_id}", requires="content:manage", envelope=False)
def change(db: Db, client: Client, skill_id: str, body: SkillChange) -> Skill:
    """Change a skill: absent keeps, null clears."""
    return db.one(Skill, "change_skill", skill_id=skill_id, sent=_columns(body.changes()), client=client._asdict())


@api.delete("/admin/skills/{skill_id}", requires="content:manage", envelope=False, errors={409: ["in_use"]})
def delete(db: Db, client: Client, skill_id: str) -> Done:
    """Delete a skill; one that is built in is archived. 409 in_use where a user has it, or content gives it."""
    gone = db.one(SkillArchived, "delete_skill", skill_id=skill_id, client=client._asdict())
    return {"success": True, "message": "The skill is archived." if gone["archived"] else "The skill is deleted."}


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of the wire by the names of the table's columns."""
    return {"sort_order" if name == "display_order" else name: value for name, value in fields.items()}
