"""The content that administrators make for all users: market items, courses, exercises, achievements."""

from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Any, Final, NamedTuple
from uuid import uuid4

from pydantic import ValidationError
from pydantic_core import to_json

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Invalid, NotFound
from questlog.identity import Client
from questlog.validation import problems
from questlog.wire import Body, Total, uuid_of

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
    """A type of content: what its rows show, what makes and changes one, and how its ids are read.

    Its statements are named after it: list_topics, get_topics, create_topics, change_topics, delete_topics.
    """

    row: type[Any]
    new: type[Body]
    change: type[Body]
    read_id: Callable[[str], Any] = uuid_of


KINDS: Final[Mapping[ContentType, Kind]] = {
    "market_items": Kind(MarketItem, NewMarketItem, MarketItemChange),
    "topics": Kind(Topic, NewTopic, TopicChange),
    "lessons": Kind(Lesson, NewLesson, LessonChange),
    "drills": Kind(Drill, NewDrill, DrillChange),
    "exercises": Kind(Exercise, NewExercise, ExerciseChange),
    "achievements": Kind(Achievement, NewAchievement, AchievementChange, read_id=str),
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
    total, rows = db.each(shown, f"list_{content_type}", **query.model_dump())
    return {"items": rows, "total": total.total, "page": query.page, "page_size": query.page_size}


@api.post("/admin/content/{content_type}", requires=MANAGE, envelope=False, errors={409: ["duplicate_key"]})
def create(db: Db, content_type: ContentType, body: ContentFields, client: Client) -> ContentItem:
    """Make a row of content; all users have it at once."""
    kind = KINDS[content_type]
    fields = _read(db, kind.new, body).model_dump(mode="json", exclude_none=True)
    return {"item": db.one(kind.row, f"create_{content_type}", id=uuid4(), fields=fields, client=client._asdict())}


@api.get("/admin/content/{content_type}/{content_id}", requires=MANAGE, envelope=False)
def item(db: Db, content_type: ContentType, content_id: str) -> ContentItem:
    """Return a row of content."""
    kind = KINDS[content_type]
    return {"item": db.one(kind.row, f"get_{content_type}", id=_id(db, kind, content_id))}


@api.put("/admin/content/{content_type}/{content_id}", requires=MANAGE, envelope=False, errors={409: ["duplicate_key"]})
def change(db: Db, content_type: ContentType, content_id: str, body: ContentFields, client: Client) -> ContentItem:
    """Change fields of a row of content. Prices and rewards count for what is bought and earned from now on."""
    kind = KINDS[content_type]
    wanted = _id(db, kind, content_id)
    changes = _read(db, kind.change, body).changes()
    return {"item": db.one(kind.row, f"change_{content_type}", id=wanted, changes=changes, client=client._asdict())}


@api.delete("/admin/content/{content_type}/{content_id}", requires=MANAGE, envelope=False)
def delete(db: Db, content_type: ContentType, content_id: str, client: Client) -> Removed:
    """Delete a row of content; archive it where it is built in or something of a user's refers to it."""
    kind = KINDS[content_type]
    removal = db.one(Removal, f"delete_{content_type}", id=_id(db, kind, content_id), client=client._asdict())
    message = "It is archived: users no longer find it." if removal["archived"] else "It is deleted."
    return {"success": True, "message": message, **removal}


def _read(db: Db, model: type[Body], body: ContentFields) -> Body:
    """The fields that were sent, as those of a type. Raises Invalid for bad ones, once the caller is authenticated."""
    sent = body.model_extra or {}
    try:
        return model.model_validate_json(to_json(sent))
    except ValidationError as error:
        db.authenticate_only()
        raise Invalid(problems(error, sent)) from None


def _id(db: Db, kind: Kind, text: str) -> Any:
    """The id in a path. Raises NotFound for a text that cannot be one."""
    try:
        return kind.read_id(text)
    except ValueError:
        db.authenticate_only()
        raise NotFound from None
