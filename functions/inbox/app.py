"""Inbox: what users note down to deal with later, and what the app has to tell them (planning contract, section 8)."""

from uuid import UUID, uuid4

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.wire import Deleted

from functions.inbox.models import (
    Counts,
    Item,
    ItemChange,
    Items,
    ItemsQuery,
    NewItem,
    Processed,
    ProcessedRow,
    Processing,
    Updated,
)

api = Api(__file__)

# The statement of each list: what is unread, and what is not archived, has an index of its own.
STATEMENTS = {"open": "items", "snoozed": "items", "unread": "unread_items"}


@api.get("/user/inbox")
def items(db: Db, query: ItemsQuery) -> Items:
    """List the items of a status, the newest first; what came back from a snooze is as new as its return."""
    statement = STATEMENTS.get(query.status, "kept_items")
    found, counts = db.each((list[Item], Counts), statement, **query.model_dump())
    return Items(
        items=found,
        total=counts.total,
        page=query.page,
        page_size=query.page_size,
        unread_count=counts.unread,
        has_next=query.page * query.page_size < counts.total,
    )


@api.post(
    "/user/inbox",
    errors={409: ["limit_reached"]},
    tools=[
        Tool(
            "capture",
            "Note something down in the inbox, to be dealt with later.",
            arguments=("title", "description", "tags", "item_type"),
        ),
    ],
)
def add(db: Db, body: NewItem) -> Item:
    """Note something down, under the client's `id` if there is one: sent again, the item is returned as it is.

    409 limit_reached when there are 10,000 items.
    """
    return db.one(Item, "add", **body.model_dump() | {"id": body.id or uuid4()})


@api.post("/user/inbox/read-all")
def read_all(db: Db) -> Updated:
    """Mark every unread item read, and return how many there were."""
    return db.one(Updated, "read_all")


@api.get("/user/inbox/{item_id}")
def item(db: Db, item_id: UUID) -> Item:
    """Return one item."""
    return db.one(Item, "item", item_id=item_id)


@api.put("/user/inbox/{item_id}")
@api.patch("/user/inbox/{item_id}")
def change(db: Db, item_id: UUID, body: ItemChange) -> Item:
    """Change an item. A snoozed one counts as read, is in no open list until its time has come, and is unread then."""
    return db.one(Item, "change", item_id=item_id, changes=body.changes())


@api.delete("/user/inbox/{item_id}")
def delete(db: Db, item_id: UUID) -> Deleted:
    """Delete an item. What it was made into stays."""
    return db.one(Deleted, "delete", item_id=item_id)


@api.post("/user/inbox/{item_id}/process", errors={409: ["invalid_state", "limit_reached"]})
def process(db: Db, item_id: UUID, body: Processing) -> Processed:
    """Make an item into something else; it is then processed, archived and read.

    Again for the same: what was made then is returned, or made anew if it was deleted for good. 409 invalid_state for
    something else than before, limit_reached where there are 20,000 of what it is to be.
    """
    row, found = db.each((ProcessedRow, Item), "process", item_id=item_id, **body.model_dump())
    return Processed(item=found, target=row.target)


handler = api.handler
