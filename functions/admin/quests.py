"""The routes of universal quests, which are the same for everyone."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict

from questlog.api import Api
from questlog.db import Db
from questlog.identity import Client
from questlog.wire import Body, Instant, Page, PageSize, Query, Total, Trimmed, absent, blank_is_null

from functions.admin.models import ROLE, Done, Key, Paging

api = Api(__file__, queries="quests.sql", role=ROLE)

QuestType = Literal["daily", "weekly", "monthly", "special"]
Difficulty = Literal["starter", "easy", "medium", "hard", "epic"]
Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[Trimmed, StringConstraints(max_length=2000), AfterValidator(blank_is_null)]
Category = Annotated[Trimmed, StringConstraints(min_length=1, max_length=50)]
XpReward = Annotated[int, Field(ge=0, le=1000)]
CoinReward = Annotated[int, Field(ge=0, le=500)]
Target = Annotated[int, Field(ge=1, le=1_000_000)]
TargetType = Annotated[str, Field(max_length=64, examples=["focus_minutes"])]
SkillId = Annotated[str, Field(max_length=50, examples=["focus"])]
SortOrder = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class QuestsPageQuery(Query):
    page: Page = 1
    page_size: PageSize = 50


class NewUniversalQuest(Body):
    key: Key | None = None
    title: Title
    description: Description | None = None
    quest_type: QuestType = "daily"
    category: Category = "general"
    difficulty: Difficulty = "easy"
    xp_reward: XpReward = 25
    coin_reward: CoinReward = 10
    target: Target = 1
    target_type: TargetType = "manual"
    skill_id: SkillId | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    is_active: bool = True
    sort_order: SortOrder = 0


class UniversalQuestChange(Body):
    key: Key = absent()
    title: Title = absent()
    description: Description | None = absent()
    quest_type: QuestType = absent()
    category: Category = absent()
    difficulty: Difficulty = absent()
    xp_reward: XpReward = absent()
    coin_reward: CoinReward = absent()
    target: Target = absent()
    target_type: TargetType = absent()
    skill_id: SkillId | None = absent()
    starts_at: Instant | None = absent()
    ends_at: Instant | None = absent()
    is_active: bool = absent()
    sort_order: SortOrder = absent()


class UniversalQuest(TypedDict):
    """A quest that is the same for everyone."""

    id: UUID
    key: str
    title: str
    description: str | None
    quest_type: QuestType
    category: str
    difficulty: Difficulty
    xp_reward: int
    coin_reward: int
    target: int
    target_type: str
    skill_id: str | None
    starts_at: Instant | None
    ends_at: Instant | None
    is_active: bool
    sort_order: int
    created_at: Instant


class UniversalQuests(Paging):
    quests: list[UniversalQuest]


class Archived(TypedDict):
    """Whether something was archived, because it is built in or in use, and not deleted."""

    archived: bool


class QuestDeleted(Done, Archived):
    pass


@api.get("/admin/quests", requires="content:manage", envelope=False)
def quests(db: Db, query: QuestsPageQuery) -> UniversalQuests:
    """List the universal quests in the order in which users see them, inactive ones too."""
    page, count = db.each((list[UniversalQuest], Total), "quests", **query.model_dump())
    return {"quests": page, "total": count.total, "page": query.page, "page_size": query.page_size}


@api.post("/admin/quests", requires="content:manage", envelope=False, errors={409: ["duplicate_key"]})
def add(db: Db, client: Client, body: NewUniversalQuest) -> UniversalQuest:
    """Add a universal quest; users see it at once. 409 duplicate_key where another quest has its key."""
    fields = _columns(body.model_dump(mode="json"))
    return db.one(UniversalQuest, "add_quest", quest_id=uuid4(), fields=fields, client=client._asdict())


@api.get("/admin/quests/{quest_id}", requires="content:manage", envelope=False)
def quest(db: Db, quest_id: UUID) -> UniversalQuest:
    """Return one universal quest."""
    return db.one(UniversalQuest, "quest", quest_id=quest_id)


@api.put("/admin/quests/{quest_id}", requires="content:manage", envelope=False, errors={409: ["duplicate_key"]})
def change(db: Db, client: Client, quest_id: UUID, body: UniversalQuestChange) -> UniversalQuest:
    """Change a universal quest: absent keeps, null clears. Rewards change for later completions only.

    409 duplicate_key where another quest has its key.
    """
    sent = _columns(body.changes())
    return db.one(UniversalQuest, "change_quest", quest_id=quest_id, sent=sent, client=client._asdict())


@api.delete("/admin/quests/{quest_id}", requires="content:manage", envelope=False)
def delete(db: Db, client: Client, quest_id: UUID) -> QuestDeleted:
    """Delete a universal quest. One that is built in, or that a user has begun, is archived: users see it no more."""
    gone = db.one(Archived, "delete_quest", quest_id=quest_id, client=client._asdict())
    message = "The quest is archived." if gone["archived"] else "The quest is deleted."
    return {"success": True, "message": message, **gone}


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of the wire by the names of the table's columns."""
    return {"skill_key" if name == "skill_id" else name: value for name, value in fields.items()}
