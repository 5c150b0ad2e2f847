"""The content that administrators make for all users: market items, courses, exercises, achievements."""

from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from pydantic import ValidationError
from pydantic_core import to_json

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Invalid, NotFound
from questlog.identity import Client
from questlog.validation import problems
from questlog.wire import Body, Total

from functions.admin.content_models import (
    Achievement,
    AchievementChange,
    ContentCount,
    ContentCounts,
    ContentFields,
    ContentItem,
    ContentItems,
    ContentQuery,
    ContentType,
    Drill,
    DrillChange,
    Exercise,
    ExerciseChange,
    Lesson,
    LessonChange,
    MarketItem,
    MarketItemChange,
    NewAchievement,
    NewDrill,
    NewExercise,
    NewLesson,
    NewMarketItem,
    NewTopic,
    Removal,
    Removed,
    Topic,
    TopicChange,
)
from functions.admin.models import ROLE

api = Api(__file__, queries="content.sql", role=ROLE)

MANAGE: Final = "content:manage"


class Kind(NamedTuple):
    """A type of content: what its rows show, what makes and changes one, its statements, and how its ids are read."""

    row: type[Any]
    new: type[Body]
    change: type[Body]
    to_list: str
    to_get: str
    to_create: str
    to_change: str
    to_delete: str
    read_id: Callable[[str], Any] = UUID


KINDS: Final[Mapping[ContentType, Kind]] = {
    "market_items": Kind(
        row=MarketItem,
        new=NewMarketItem,
        change=MarketItemChange,
        to_list="list_market_items",
        to_get="get_market_items",
        to_create="create_market_items",
        to_change="change_market_items",
        to_delete="delete_market_items",
    ),
    "topics": Kind(
        row=Topic,
        new=NewTopic,
        change=TopicChange,
        to_list="list_topics",
        to_get="get_topics",
        to_create="create_topics",
        to_change="change_topics",
        to_delete="delete_topics",
    ),
    "lessons": Kind(
        row=Lesson,
        new=NewLesson,
        change=LessonChange,
        to_list="list_lessons",
        to_get="get_lessons",
        to_create="create_lessons",
        to_change="change_lessons",
        to_delete="delete_lessons",
    ),
    "drills": Kind(
        row=Drill,
        new=NewDrill,
        change=DrillChange,
        to_list="list_drills",
        to_get="get_drills",
        to_create="create_drills",
        to_change="change_drills",
        to_delete="delete_drills",
    ),
    "exercises": Kind(
        row=Exercise,
        new=NewExercise,
        change=ExerciseChange,
        to_list="list_exercises",
        to_get="get_exercises",
        to_create="create_exercises",
        to_change="change_exercises",
        to_delete="delete_exercises",
    ),
    "achievements": Kind(
        row=Achievement,
        new=NewAchievement,
        change=AchievementChange,
        to_list="list_achievements",
        to_get="get_achievements",
        to_create="create_achievements",
        to_change="change_achievements",
        to_delete="delete_achievements",
        read_id=str,
    ),
}


@api.get("/admin/content", requires=MANAGE, envelope=False)
def counts(db: Db) -> ContentCounts:
    """Return how many rows each type of content has, inactive ones included."""
    return {"counts": {row["content_type"]: row["rows"] for row in db.many(ContentCount, "counts")}}


@api.get("/admin/content/{content_type}", requires=MANAGE, envelope=False, errors={413: ["answer_too_large"]})
def items(db: Db, content_type: ContentType, query: ContentQuery) -> ContentItems:
    """List the content of a type, by its order; `search` looks in name or title, and in the key."""
    kind = KINDS[content_type]
    shown: tuple[Any, ...] = (Total, GenericAlias(list, (kind.row,)))
    total, rows = db.each(shown, kind.to_list, **query.model_dump())
    return {"items": rows, "total": total.total, "page": query.page, "page_size": query.page_size}


@api.post("/admin/content/{content_type}", requires=MANAGE, envelope=False, errors={409: ["duplicate_key"]})
def create(db: Db, content_type: ContentType, body: ContentFields, client: Client) -> ContentItem:
    """Make a row of content; all users have it at once."""
    kind = KINDS[content_type]
    fields = _read(db, kind.new, body).model_dump(mode="json", exclude_none=True)
    return {"item": db.one(kind.row, kind.to_create, id=uuid4(), fields=fields, client=client._asdict())}


@api.get("/admin/content/{content_type}/{content_id}", requires=MANAGE, envelope=False)
def item(db: Db, content_type: ContentType, content_id: str) -> ContentItem:
    """Return a row of content."""
    kind = KINDS[content_type]
    return {"item": db.one(kind.row, kind.to_get, id=_id(db, kind, content_id))}


@api.put("/admin/content/{content_type}/{content_id}", requires=MANAGE, envelope=False, errors={409: ["duplicate_key"]})
def change(db: Db, content_type: ContentType, content_id: str, body: ContentFields, client: Client) -> ContentItem:
    """Change fields of a row of content. Prices and rewards count for what is bought and earned from now on."""
    kind = KINDS[content_type]
    wanted = _id(db, kind, content_id)
    changes = _read(db, kind.change, body).changes()
    return {"item": db.one(kind.row, kind.to_change, id=wanted, changes=changes, client=client._asdict())}


@api.delete("/admin/content/{content_type}/{content_id}", requires=MANAGE, envelope=False)
def delete(db: Db, content_type: ContentType, content_id: str, client: Client) -> Removed:
    """Delete a row of content; archive it where it is built in or something of a user's refers to it."""
    kind = KINDS[content_type]
    removal = db.one(Removal, kind.to_delete, id=_id(db, kind, content_id), client=client._asdict())
    message = "It is archived: users no longer find it." if removal["archived"] else "It is deleted."
    return {"success": True, "message": message, **removal}


def _read(db: Db, model: type[Body], body: ContentFields) -> Body:
    """The fields that were sent as those of a type; Invalid, once the caller is known, for what they may not be."""
    sent = body.model_extra or {}
    try:
        return model.model_validate_json(to_json(sent))
    except ValidationError as error:
        db.authenticate_only()
        raise Invalid(problems(error, sent)) from None


def _id(db: Db, kind: Kind, text: str) -> Any:
    """The id that a path names; NotFound for what cannot be one."""
    try:
        return kind.read_id(text)
    except ValueError:
        db.authenticate_only()
        raise NotFound from None
